"""The feed at full load for a minute while anything is killed: a reader by the protocol has every event once and in order."""

import pytest
from feed_load import read_while_killed
from load import KILLS


@pytest.mark.limit(600)
@pytest.mark.parametrize("notifiers,kinds", [(1, ["notifier"]), (2, ["notifier", "broker"]), (2, list(KILLS))])
def test_a_reader_has_each_event_once_for_long(notifiers, kinds):
    read_while_killed(notifiers, kinds, 60)
