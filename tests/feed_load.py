"""The example's reader of the feed at full load while publishers, brokers or anything else are killed: used by tests/system for seconds and by tests/fault for
longer."""

import random
import subprocess
import sys
import threading
import time

from helpers import BIN, ROOT, SLOW, Stack, id_of
from load import KILLS

sys.path.insert(0, str(ROOT / "examples/python"))
from docket_client import Client  # noqa: E402
from docket_feed import Feed  # noqa: E402

ALL = "SELECT ticket, version FROM (SELECT id AS ticket, 1 AS version, seq FROM tickets UNION ALL SELECT ticket, version, seq FROM events) e ORDER BY seq"


COUNT = "SELECT (SELECT count(*) FROM tickets) + (SELECT count(*) FROM events)"


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


def killing(stack, over, kinds, chance, killed):
    def run():
        while not over.is_set():
            KILLS[chance.choice(kinds)](stack, chance)
            killed.append(time.monotonic())
            over.wait(chance.random())
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def once_and_in_order(stack, got):
    with stack.db() as db:
        wanted = db.execute(ALL).fetchall()
    lost = set(wanted) - set(got)
    assert not lost, f"{len(lost)} of {len(wanted)} lost, {sorted(lost)[:5]}…"
    assert len(got) == len(wanted), "some came twice"
    first = next((n for n, (one, other) in enumerate(zip(got, wanted)) if one != other), None)
    assert first is None, f"another order from {first} on: {got[first:first + 3]}, not {wanted[first:first + 3]}"


class Patient(Client):
    """Gives up at last: what it asks is repeated for ever by the reader."""

    def __init__(self, stack, seconds):
        super().__init__(stack.env["DOCKET_BROKERS"].split(","), 3 * SLOW)
        self.end = time.monotonic() + seconds

    def call(self, op, **body):
        assert time.monotonic() < self.end, "the reader never came to an end"
        return super().call(op, **body)


def read_while_killed(notifiers, kinds, seconds):
    """Reads by the example all that is posted meanwhile, and compares it with the tables."""
    stack = Stack(brokers=2, workers=1, notifiers=notifiers)
    over, killed, seed = threading.Event(), [], random.randrange(1 << 30)
    chance = random.Random(seed)
    print("seed", seed)
    feed = Feed(stack.env["DOCKET_FEED"].split(","), Patient(stack, (90 + 4 * seconds) * SLOW))
    try:
        threads = [*posting(stack, over), killing(stack, over, kinds, chance, killed)]
        threading.Timer(seconds * SLOW, over.set).start()
        last = []

        def until():
            """All is decided and has come; or nothing more comes: a heartbeat says that its publisher lives, not that it has told all."""
            if any(thread.is_alive() for thread in threads) or not stack.is_settled():
                return False
            last.append(len(got))
            if len(got) < stack.value(COUNT):
                return last[-20:] == 20 * [len(got)]
            if feed.gaps < 2:  # it was behind all the while: one more publisher that it has not heard of
                KILLS["notifier"](stack, chance)
                return False
            return True

        got = []
        for event in feed.events(until):
            got.append((id_of(event["tracking"]), event["version"]))
        once_and_in_order(stack, got)
        print(f"{len(got)} events, {feed.gaps} gaps, {len(killed)} killed")
        assert feed.gaps > 1 and len(killed) > 1
    finally:
        over.set()
        feed.socket.close(0)
        stack.close()
