"""What waits for something goes when that has come, not with the next look of a timer."""

import psycopg.sql
import pytest
from helpers import ROOT, Stack, id_of

ADDRESS = "waits@localhost"


@pytest.fixture
def quiet():
    """A desk at which nobody decides or tells, so that the statements can be tried one by one."""
    running = Stack(workers=0, notifiers=0)
    yield running
    running.close()


def statement(name, *values):
    """A statement of the notifier, its numbered parameters filled in."""
    text = (ROOT / f"notifier/sql/{name}.sql").read_text()
    for n, value in reversed(list(enumerate(values, 1))):
        text = text.replace(f"${n}", psycopg.sql.Literal(value).as_string(None))
    return text


def test_a_receipt_that_waited_for_its_triage_goes_at_once_when_that_has_joined(quiet):
    client = quiet.client()
    ticket = id_of(client.submit(contact={"email": ADDRESS}))
    with quiet.db() as db:
        later = db.execute("SELECT docket_now() + 60000000").fetchone()[0]
        db.execute("INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address) "
                   "VALUES (%s, 1, 0, 1, 'received', docket_now(), %s, 'email', 'c', %s)", (ticket, later, ADDRESS))
        db.execute("INSERT INTO outbox (ticket, version, audience, kind, created_at, state, token, lease_until) "
                   "VALUES (%s, 2, 1, 'triaged', docket_now(), 1, 7, %s)", (ticket, later))
        in_us = db.execute(statement("target_next", "email")).fetchone()[0]
        assert 0 < in_us <= 60_000_000
        assert db.execute(statement("outbox_merge", 7)).fetchall() == [(ticket, 2, 0)]
        assert db.execute("SELECT reason, next_at <= docket_now() FROM deliveries").fetchall() == [("with triaged", True)]
        assert db.execute("SELECT ready_at <= docket_now() FROM targets WHERE address = %s", (ADDRESS,)).fetchall() == [(True,)]
        assert db.execute(statement("target_next", "email")).fetchall() == []
    client.close()
