"""The feed and events.since together: every event once and in order, over kill -9 of who publishes and who answers."""

import subprocess

import msgpack
import pytest
import zmq
from feed_load import read_while_killed
from helpers import BIN, Stack, wait_until


@pytest.mark.parametrize("notifiers,kinds", [(1, ["notifier"]), (2, ["notifier", "broker"])])
@pytest.mark.limit(150)
def test_a_reader_has_each_event_once_when_publishers_and_brokers_are_killed(notifiers, kinds):
    read_while_killed(notifiers, kinds, 5)


def feed_of(stack):
    feed = zmq.Context.instance().socket(zmq.SUB)
    feed.setsockopt(zmq.SUBSCRIBE, b"")
    feed.connect(stack.env["DOCKET_FEED"].split(",")[0])
    return feed


def next_of(feed, seconds):
    if not feed.poll(int(seconds * 1000)):
        return None
    topic, head, body = feed.recv_multipart()
    return topic, msgpack.unpackb(head), msgpack.unpackb(body)


def test_while_a_transaction_is_open_an_empty_page_says_that_there_may_be_more(stack, client):
    client.submit(customer="held")
    cursor = ""
    while (page := client.call("events.since", cursor=cursor, limit=500))["events"]:
        cursor = page["cursor"]
    assert "more" not in page
    with stack.db() as db, db.transaction():
        db.execute("SELECT pg_current_xact_id()")
        client.submit(customer="held")
        page = client.call("events.since", cursor=cursor)
        assert page["events"] == [] and page["more"] is True and page["cursor"] >= cursor
    page = client.call("events.since", cursor=cursor)
    assert page["events"] and "more" not in page


def test_a_publisher_is_silent_until_it_knows_where_it_begins():
    stack = Stack(workers=0)
    try:
        feed = feed_of(stack)
        assert wait_until(lambda: next_of(feed, 0.1), 10)  # a desk that is empty: a heartbeat each second
        client = stack.client()
        with stack.db() as db, db.transaction():
            db.execute("SELECT pg_current_xact_id()")
            client.submit()
            stack.kill("notifier-1")
            stack.up()
            while next_of(feed, 0.1):  # of the one before
                pass
            assert next_of(feed, 3) is None
        topic, head, _ = wait_until(lambda: next_of(feed, 0.1), 10)
        assert head["n"] <= 1, topic
        client.close()
        feed.close(0)
    finally:
        stack.close()


def test_the_first_event_of_a_desk_is_on_the_feed():
    stack = Stack(workers=0)
    try:
        feed = feed_of(stack)
        wait_until(lambda: next_of(feed, 0.1), 10)
        client = stack.client()
        client.submit(customer="first")
        client.close()
        assert wait_until(lambda: (got := next_of(feed, 0.1)) and got[0] == b"first/posted/", 10)
        feed.close(0)
    finally:
        stack.close()


def test_one_that_does_not_read_costs_a_notifier_little_notices_it_and_hears_again():
    """Of 9,000 messages few are kept for it, beside those that the network holds. The other reader misses none."""
    count, stack = 9000, Stack(workers=0)
    try:
        client, stuck, reads = stack.client(), zmq.Context.instance().socket(zmq.SUB), feed_of(stack)
        stuck.setsockopt(zmq.RCVHWM, 1)
        stuck.setsockopt(zmq.RCVBUF, 4096)
        stuck.setsockopt(zmq.SUBSCRIBE, b"")
        stuck.connect(stack.env["DOCKET_FEED"].split(",")[0])
        assert stuck.poll(5000)  # it hears the publisher, and takes nothing
        assert next_of(reads, 5)
        posting = subprocess.Popen([str(BIN / "docket-bench"), "--broker", stack.endpoint(), "--in-flight", "16", "--count", str(count)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        heard = 0
        while heard < count:
            frames = next_of(reads, 10)
            assert frames, f"{heard} of {count}"
            heard += frames[0] != b"heartbeat/"
        assert posting.wait(30) == 0
        kept, last, gap = 0, None, False
        while not gap:
            assert stuck.poll(10000), "it lost messages and is told no more"
            n = msgpack.unpackb(stuck.recv_multipart()[1])["n"]
            gap = last is not None and n != last + 1
            kept, last = kept + 1, n
        assert kept < count
        client.submit(customer="after")
        while not stuck.recv_multipart()[0].startswith(b"after/"):
            assert stuck.poll(10000), "it hears nothing any more"
        for one in (stuck, reads):
            one.close(0)
        client.close()
    finally:
        stack.close()
