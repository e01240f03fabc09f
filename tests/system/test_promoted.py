"""PostgreSQL fails over to a standby on another timeline: brokers settle what was unknown, readers of the feed lose nothing of the history that holds, and
are told when theirs does not."""

import sys
import threading

import pytest
from feed_load import Patient, once_and_in_order
from helpers import ADA, ROOT, SLOW, Stack, id_of, wait_until
from load import Load
from pg_standby import Standby

sys.path.insert(0, str(ROOT / "examples/python"))
from docket_feed import Feed  # noqa: E402


@pytest.fixture
def desk():
    stack = Stack(brokers=2, workers=1, notifiers=1)
    standby = None
    try:
        standby = Standby(stack)
        yield stack, standby
    finally:
        stack.close()
        if standby is not None:
            standby.close()


def ready(stack):
    return all(stack.http(f"broker-{n}", "/readyz")[0] == 200 for n in (1, 2)) and stack.http("notifier-1", "/readyz")[0] == 200


class Reading(threading.Thread):
    """docs/protocol.md's reader of the feed, until it was told to end and heard nothing new for a while."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.feed = Feed(stack.env["DOCKET_FEED"].split(","), Patient(stack, 90 * SLOW))
        self.got, self.over, self.fault, self.quiet = [], threading.Event(), None, 0
        self.start()

    def until(self):
        self.quiet = self.quiet + 1 if self.over.is_set() and self.seen == len(self.got) else 0
        self.seen = len(self.got)
        return self.quiet > 2

    def run(self):
        self.seen = 0
        try:
            for event in self.feed.events(self.until):
                self.got.append((id_of(event["tracking"]), event["version"]))
        except Exception as fault:  # told by the test
            self.fault = fault
        self.feed.socket.close(0)


@pytest.mark.limit(200)
def test_a_synchronous_standby_is_promoted_under_load_and_nothing_is_lost_or_doubled(desk):
    stack, standby = desk
    standby.wait_for()
    reading = Reading(stack)
    loads = [Load(stack, n) for n in range(4)]
    wait_until(lambda: sum(len(load.acknowledged) for load in loads) > 200 and reading.got, 30)
    standby.promote()
    before = sum(len(load.acknowledged) for load in loads)
    wait_until(lambda: ready(stack), 60)
    wait_until(lambda: sum(len(load.acknowledged) for load in loads) > before + 200, 60)
    for load in loads:
        load.over.set()
    for load in loads:
        load.join()
        assert load.fault is None, load.fault
    acknowledged = {key: tracking for load in loads for key, tracking in load.acknowledged.items()}
    with stack.db() as db:
        there = {row[0] for row in db.execute("SELECT id FROM tickets").fetchall()}
    assert {id_of(tracking) for tracking in acknowledged.values()} <= there and len(set(acknowledged.values())) == len(acknowledged)
    wait_until(stack.is_settled, 60)
    reading.over.set()
    reading.join(90 * SLOW)
    assert reading.fault is None and not reading.is_alive(), reading.fault
    once_and_in_order(stack, reading.got)
    assert stack.value("SELECT count(DISTINCT timeline) FROM histories") == 2
    wait_until(lambda: "event=history_changed " in stack.log("broker-1") and "event=history_changed " in stack.log("broker-2"))
    stack.verify()


def page_of(client, cursor, **more):
    return client.call("events.since", cursor=cursor, limit=500, **more)


def read_to_the_end(client, cursor=""):
    """(cursors of all events after that one, with what they are; the last cursor)"""
    events = []
    while True:
        page = page_of(client, cursor)
        cursor = page["cursor"]
        events += [(event["cursor"], event["tracking"], event["version"]) for event in page["events"]]
        if not page["events"] and not page.get("more"):
            return events, cursor


@pytest.mark.limit(200)
def test_who_read_what_was_lost_is_told_and_who_did_not_goes_on(desk):
    """An asynchronous standby is promoted without the primary's last commits. Later the numbers of the lost events belong to others."""
    stack, standby = desk
    client = stack.client()
    kept = [client.submit() for _ in range(20)]
    wait_until(stack.is_settled, 30)
    before, cursor_before = read_to_the_end(client)
    # So that the lost numbers come again: a standby's sequence may be 32 ahead of what was given out.
    wait_until(lambda: standby.streams() and stack.value("SELECT pg_current_wal_lsn() <= replay_lsn FROM pg_stat_replication"))
    standby.cut()
    lost = [client.submit() for _ in range(60)]
    wait_until(stack.is_settled, 30)
    read, cursor_lost = read_to_the_end(client, cursor_before)
    assert {tracking for _, tracking, _ in read} >= set(lost)
    client.close()

    standby.promote()
    wait_until(lambda: ready(stack), 60)
    client = stack.client()
    told = client.refused("events.since", cursor=cursor_lost)
    assert (told.code, told.field, told.error["retry"]) == ("conflict", "cursor", False)

    new = [client.submit() for _ in range(100)]
    wait_until(stack.is_settled, 30)
    # The numbers are beyond the lost ones by now, and it is a lost history all the same, at each broker.
    brokers = [client, stack.client(2)]
    for one in brokers:
        assert one.refused("events.since", cursor=cursor_lost).code == "conflict"
    assert stack.value("SELECT greatest((SELECT max(seq) FROM tickets), (SELECT max(seq) FROM events))") > int(cursor_lost[-16:], 16)

    # Who had read only what holds goes on where it was; from the beginning it is the same.
    after, cursor_after = read_to_the_end(client, cursor_before)
    assert {tracking for _, tracking, version in after if version == 1} == set(new)
    whole, _ = read_to_the_end(client)
    assert [event[1:] for event in whole] == [event[1:] for event in before + after]
    assert not {tracking for _, tracking, _ in whole} & set(lost) and {tracking for _, tracking, _ in whole} >= set(kept)
    # Of two cursors the later event's is the greater text, over the fail-over too.
    cursors = [cursor for cursor, _, _ in before + after]
    assert cursors == sorted(cursors) and cursor_after > cursor_before
    # And what the conflict says: begin again with from_at.
    at = stack.value("SELECT posted_at FROM tickets WHERE id = %s", id_of(new[0]))
    page = page_of(client, "", filter={"from_at": at}, wait_ms=1000)
    assert new[0] in {event["tracking"] for event in page["events"]} and all(event["at"] >= at for event in page["events"])
    client.call("ticket.comment", tracking=kept[0], text="It goes on", as_=ADA)
    brokers[1].close()
    client.close()
