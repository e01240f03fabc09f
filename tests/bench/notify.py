#!/usr/bin/python3
"""make bench, the notifier's part: receipts through Postfix's smtp-sink, from posting to mail, from a P1 to its page, an outbox backlog drained, and what a
subscriber of the feed that never reads costs the others. The stack's notifiers have no smtp_rate: what is measured is the notifier. Single runs on a shared machine. BENCH_SCALE=0.1 makes all counts a tenth."""

import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import msgpack  # noqa: E402
import zmq  # noqa: E402
from helpers import BIN, WAITING_RECEIPTS, Stack, free_port, wait_until  # noqa: E402

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
SINK = shutil.which("smtp-sink", path=os.environ["PATH"] + ":/usr/sbin") or "smtp-sink"


def count(number):
    return max(20, int(number * SCALE))


def row(name, value):
    print(f"{name:<66} {value}", flush=True)


def start_sink():
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    sink = subprocess.Popen([SINK, *user, f"127.0.0.1:{port}", "256"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def there():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    wait_until(there)
    return sink, port


def aim(stack, port):
    """The notifier's relay is the sink."""
    path = stack.config("notifier-1")
    path.write_text(re.sub(r"^smtp_url:.*$", f"smtp_url: smtp://127.0.0.1:{port}", path.read_text(), flags=re.M))
    stack.kill("notifier-1")
    stack.up()


def spread(stack, kind):
    """p50 and p99 from the posting to the relay's answer, in ms."""
    with stack.db() as db:
        return db.execute("""SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x), percentile_cont(0.99) WITHIN GROUP (ORDER BY x), count(*)
                               FROM (SELECT (min(a.ended_at) - t.posted_at) / 1000.0 AS x
                                       FROM deliveries d JOIN attempts a ON a.delivery = d.id JOIN tickets t ON t.id = d.ticket
                                      WHERE d.kind = %s AND a.result = 'delivered' GROUP BY t.id, t.posted_at) y""", (kind,)).fetchone()


def post_steadily(stack, number, every_s, **fields):
    client = stack.client()
    for n in range(number):
        client.submit(contact={"email": f"b{n}-{random.getrandbits(32):x}@localhost"}, **fields)
        time.sleep(every_s)
    client.close()


def low_load(stack):
    for name, kind, fields in (("posting to receipt taken by the relay, 20 a second", "received", {}),
                               ("P1 posting to its page taken by the relay, 10 a second", "alert", {"impact": "down"})):
        number = count(200)
        post_steadily(stack, number, 0.05 if kind == "received" else 0.1, **fields)
        wait_until(lambda number=number, kind=kind: stack.value(
            "SELECT count(DISTINCT ticket) FROM deliveries WHERE kind = %s AND state = 3", kind) >= number, 60, 0.2)
        p50, p99, n = spread(stack, kind)
        row(name, f"p50 {p50:.1f} ms  p99 {p99:.1f} ms  ({n})")


def backlog(port):
    """Receipts that wait for a notifier: how fast the first and the last tenth go out."""
    stack, notifier = Stack(workers=0), None
    try:
        aim(stack, port)
        stack.kill("broker-1")  # the rows are no tickets of its own: nobody may decide them
        stack.kill("notifier-1")
        number = count(100_000)
        with stack.db() as db:
            db.execute(WAITING_RECEIPTS, (number,))
            db.execute("ANALYZE")
        notifier = subprocess.Popen([str(pathlib.Path(os.environ["DOCKET_BIN"]) / "docket-notifier"), "--config", str(stack.config("notifier-1"))],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: stack.value("SELECT count(*) FROM deliveries WHERE state = 3") >= number, 1200, 1)
        with stack.db() as db:
            rates = db.execute("""SELECT part, count(*) / (greatest(max(ended_at) - min(ended_at), 1) / 1e6)
                                    FROM (SELECT ended_at, ntile(10) OVER (ORDER BY ended_at) AS part FROM deliveries WHERE state = 3) x
                                   GROUP BY part ORDER BY part""").fetchall()
            whole = db.execute("SELECT count(*) / ((max(ended_at) - min(ended_at)) / 1e6) FROM deliveries WHERE state = 3").fetchone()[0]
            repeats = db.execute("SELECT count(*) FROM deliveries WHERE attempts <> 1").fetchone()[0]
        row("receipts mailed, one notifier", f"{float(whole):.0f} a second")
        row(f"outbox backlog of {number}: the first tenth", f"{float(rates[0][1]):.0f} a second")
        row(f"outbox backlog of {number}: the last tenth", f"{float(rates[-1][1]):.0f} a second  ({repeats} sent more than once)")
    finally:
        if notifier:
            notifier.kill()
            notifier.wait()
        stack.close(check=False)


FEED_ROUNDS, FEED_RATE = 4, 100


def subscriber(stack, **options):
    feed = zmq.Context.instance().socket(zmq.SUB)
    for name, value in options.items():
        feed.setsockopt(getattr(zmq, name), value)
    feed.setsockopt(zmq.SUBSCRIBE, b"")
    feed.connect(stack.env["DOCKET_FEED"].split(",")[0])
    return feed


def feed_delays(stack, seconds):
    """From each event's instant to a subscriber that only listens, in ms, while another process posts at a steady rate."""
    feed, delays = subscriber(stack), []
    feed.poll(5000)  # it hears the publisher
    posting = subprocess.Popen([str(BIN / "docket-bench"), "--broker", stack.endpoint(), "--in-flight", "16", "--rate", str(FEED_RATE), "--seconds", str(seconds)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    over = None  # since when nobody posts
    while over is None or time.monotonic() - over < 1:
        if over is None and posting.poll() is not None:
            over = time.monotonic()
        if feed.poll(100):
            topic, _, event = feed.recv_multipart()
            if topic != b"heartbeat/":
                delays.append((time.time() - msgpack.unpackb(event)["at"] / 1e6) * 1000)
    feed.close(0)
    return delays


def p99(delays):
    return sorted(delays)[int(len(delays) * 0.99)]


def feed(stack):
    """Round by round without and with the stuck one, so that what disturbs the machine disturbs both."""
    seconds = max(3, round(10 * SCALE))
    both = {False: [], True: []}
    for number in range(2 * FEED_ROUNDS):
        with_one = number % 4 in (1, 2)  # without, with, with, without …
        stuck = subscriber(stack, RCVHWM=1, RCVBUF=4096) if with_one else None
        both[with_one].append(feed_delays(stack, seconds))
        if stuck:
            stuck.close(0)
    without, beside = (sum(both[which], []) for which in (False, True))
    rounds = " ".join(f"{p99(b) / p99(a):.1f}" for a, b in zip(both[False], both[True]))
    row("feed, event to subscriber", f"p99 {p99(without):.1f} ms  ({len(without)} events)")
    row("feed, beside a subscriber that never reads", f"p99 {p99(beside):.1f} ms  {p99(beside) / p99(without):.2f} of without  ({len(beside)} events; by round {rounds})")


def main():
    sink, port = start_sink()
    try:
        stack = Stack()
        try:
            aim(stack, port)
            low_load(stack)
            feed(stack)
        finally:
            stack.close(check=False)
        backlog(port)
    finally:
        sink.kill()


if __name__ == "__main__":
    main()
