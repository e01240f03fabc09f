"""The feed and events.since together: every event once and in order, over kill -9 of who publishes and who answers. FEED_SECONDS=60 for longer."""

import os
import random
import subprocess
import sys
import threading
import time

import msgpack
import pytest
import zmq
from helpers import BIN, ROOT, SLOW, Stack, id_of, wait_until

sys.path.insert(0, str(ROOT / "examples/python"))
from docket_client import Client as Example  # noqa: E402
from docket_feed import Feed  # noqa: E402

SECONDS = float(os.environ.get("FEED_SECONDS", "8"))
ALL = "SELECT ticket, version FROM (SELECT id AS ticket, 1 AS version, seq FROM tickets UNION ALL SELECT ticket, version, seq FROM events) e ORDER BY seq"


def posting(stack, over):
    """As fast as it goes, by a bench for each broker, again when its broker was killed."""
    def run(endpoint):
        while not over.is_set():
            subprocess.run([str(BIN / "docket-bench"), "--broker", endpoint, "--in-flight", "64", "--seconds", "1", "--timeout", "2"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    threads = [threading.Thread(target=run, args=(endpoint,), daemon=True) for endpoint in stack.env["DOCKET_BROKERS"].split(",")]
    for thread in threads:
        thread.start()
    return threads


def killing(stack, over, kinds, chance):
    def run():
        while not over.is_set():
            kind = chance.choice(kinds)
            stack.kill(f"{kind}-{chance.randint(1, stack.options[kind + 's'])}")
            time.sleep(chance.random() * 0.3)
            stack.up()
            over.wait(chance.random())
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def settled(stack):
    """All that was posted is decided: no event comes any more."""
    return stack.value("SELECT count(*) FROM tickets t LEFT JOIN desk d ON d.ticket = t.id WHERE d.priority IS NULL") == 0


def once_and_in_order(stack, got):
    with stack.db() as db:
        wanted = db.execute(ALL).fetchall()
    lost = set(wanted) - set(got)
    assert not lost, f"{len(lost)} of {len(wanted)} lost, {sorted(lost)[:5]}…"
    assert got == wanted


@pytest.mark.limit(240 + 4 * int(SECONDS))
@pytest.mark.parametrize("notifiers,kinds", [(1, ["notifier"]), (2, ["notifier", "broker"])])
def test_a_reader_has_each_event_once_when_publishers_and_brokers_are_killed(notifiers, kinds):
    stack = Stack(brokers=2, notifiers=notifiers)
    over, seed = threading.Event(), random.randrange(1 << 30)
    print("seed", seed)
    client = Example(stack.env["DOCKET_BROKERS"].split(","), 3 * SLOW)
    feed = Feed(stack.env["DOCKET_FEED"].split(","), client)
    try:
        threads = [*posting(stack, over), killing(stack, over, kinds, random.Random(seed))]
        threading.Timer(SECONDS * SLOW, over.set).start()
        last = []

        def until():
            """All is decided, and a heartbeat after that says the same as the one before it."""
            if any(thread.is_alive() for thread in threads) or not settled(stack):
                return False
            last.append(len(got))
            return len(last) > 2 and last[-3] == last[-1]

        got = []
        for event in feed.events(until):
            got.append((id_of(event["tracking"]), event["version"]))
        once_and_in_order(stack, got)
        print(f"{len(got)} events, {feed.gaps} gaps")
    finally:
        over.set()
        feed.socket.close(0)
        stack.close()


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
