#!/usr/bin/python3
"""What clients feel of a new version of the process that computes all open tickets again: the rate of submits idle, and while
BENCH_WAITING (1,000,000) open tickets are computed again, in turns (BENCH_ROUNDS, 3); how fast these go meanwhile, and then alone to the
end. BENCH_SCALE scales the count; BENCH_BROKERS (1) brokers share the desk, each with clients of its own. The whole, with two, alone:

    BENCH_BROKERS=2 make bench T=recompute

The open tickets are written into the database as decisions would have left them; then everything is real: process.apply with
recompute, the steps, decisions, commits. Between the turns the computing is held by taking its place out of the database."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "system")]

import deadlines  # noqa: E402
from helpers import BIN, Stack  # noqa: E402
from test_promises import short_process  # noqa: E402

WAITING = int(float(os.environ.get("BENCH_WAITING", "1000000")) * float(os.environ.get("BENCH_SCALE", "1")))
POSTING_S = float(os.environ.get("BENCH_POSTING_S", "10"))
BROKERS = int(os.environ.get("BENCH_BROKERS", "1"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
HOURS = 20  # promised of every clock: nothing comes due meanwhile
TARGETS = "targets:\n" + "".join(f"  {priority}: {{response: {HOURS}h, update: {HOURS}h}}\n" for priority in range(1, 5))


def fill(db):
    """All posted at one moment, so that their clocks are the same bytes."""
    deadlines.PROMISE_S = deadlines.UPDATE_S = HOURS * 3600
    at = db.execute("SELECT docket_now()").fetchone()[0]
    ids = "((1::bigint << 29) + (2047 << 18) + (n & 262143) + ((n >> 18)::bigint << 29))"
    due = at + HOURS * 3600 * deadlines.S
    for statement in (
            f"INSERT INTO tickets (id, posted_at, key_digest, content_digest, customer, title, problem) SELECT {ids}, %(at)s, decode(lpad(to_hex(n), 32, '0'), 'hex'), decode(lpad(to_hex(n), 32, '0'), 'hex'), 'acme', 'Many calls drop', 'Half of them.' FROM generate_series(0, %(last)s) n",
            f"INSERT INTO events (ticket, at, version, kind, public, body) SELECT {ids}, %(at)s, 2, 2, false, '\\x80' FROM generate_series(0, %(last)s) n",
            f"INSERT INTO outbox (ticket, version, audience, state, created_at, kind) SELECT {ids}, 1, 1, 2, %(at)s, 'received' FROM generate_series(0, %(last)s) n",
            f"INSERT INTO desk (ticket, wake_at, rank, updated_at, version, decided, attempt, lane, state, priority, clocks, due_at) SELECT {ids}, %(due)s, %(due)s, %(at)s, 2, 2, 2, 7, 1, 2, %(clocks)s, %(due)s FROM generate_series(0, %(last)s) n"):
        db.execute(statement, {"at": at, "due": due, "last": WAITING - 1, "clocks": deadlines.clocks(at)})
        db.commit()
    db.commit()
    db.autocommit = True  # what a filled table leaves to do is not to disturb what is measured
    db.execute("VACUUM ANALYZE tickets, desk, events, outbox")
    db.execute("CHECKPOINT")


def submits(stack):
    """Tickets a second, answered by all brokers together."""
    benches = [subprocess.Popen([BIN / "docket-bench", "--broker", stack.endpoint(n + 1), "--in-flight", str(256 // BROKERS), "--seconds", str(POSTING_S), "--json"],
                                stdout=subprocess.PIPE, text=True) for n in range(BROKERS)]
    answers = [bench.communicate()[0] for bench in benches]
    assert not any(bench.returncode for bench in benches), "docket-bench failed"
    return sum(json.loads(answer)["tickets_per_s"] for answer in answers)


LATEST = "WHERE n = (SELECT max(n) FROM process_log)"


def computed(stack):
    return stack.value(f"SELECT recomputed FROM process_log {LATEST}")


def hold(stack):
    """Where it stood."""
    with stack.db() as db:
        at = db.execute(f"SELECT recompute_after FROM process_log {LATEST} FOR UPDATE").fetchone()[0]
        db.execute(f"UPDATE process_log SET recompute_after = NULL {LATEST}")
        db.commit()
    return at


def go_on(stack, at):
    with stack.db() as db:
        db.execute(f"UPDATE process_log SET recompute_after = %s {LATEST}", (at,))
        db.commit()


def settled(stack):
    """What was posted is decided."""
    while stack.value("SELECT (SELECT count(*) FROM tickets WHERE id > (1::bigint << 40)) > (SELECT count(*) FROM desk WHERE ticket > (1::bigint << 40))"):
        time.sleep(0.5)


def turns(stack):
    """Of each round: submits idle, submits while tickets are computed again, how many of these a second."""
    at = hold(stack)
    submits(stack)  # warm
    settled(stack)
    for _ in range(ROUNDS):
        idle = submits(stack)
        settled(stack)
        go_on(stack, at)
        before, since = computed(stack), time.monotonic()
        busy = submits(stack)
        rate = (computed(stack) - before) / (time.monotonic() - since)
        at = hold(stack)
        settled(stack)
        print(f"  idle {idle:,.0f}/s, computing again {busy:,.0f}/s ({busy / idle:.2f}) and {rate:,.0f} tickets a second", flush=True)
        yield idle, busy, rate
    go_on(stack, at)


def alone(stack):
    """Tickets a second, to the end."""
    before, since = computed(stack), time.monotonic()
    while stack.value(f"SELECT recompute_after FROM process_log {LATEST}") is not None:
        time.sleep(0.1)
    return (computed(stack) - before) / (time.monotonic() - since)


def main():
    with tempfile.TemporaryDirectory() as folder:
        process = short_process(folder)
        policy = process / "process.yaml"
        policy.write_text(re.sub(r"(?m)^targets:\n(  .*\n)+", TARGETS, policy.read_text()))
        stack = Stack(process=process, notifiers=0, brokers=BROKERS, workers=BROKERS)
        try:
            with stack.db() as db:
                fill(db)
            policy.write_text(policy.read_text().replace(f"2: {{response: {HOURS}h, update: {HOURS}h}}", f"2: {{response: {HOURS}h, update: {HOURS - 1}h}}"))
            applied = stack.docket("process", "apply", process, "--recompute")
            assert applied.returncode == 0, applied.stderr
            idle, busy, meanwhile = (statistics.median(column) for column in zip(*turns(stack)))
            print(f"brokers                                                {BROKERS:>10}")
            print(f"submits with {WAITING:,} open tickets                 {idle:>10,.0f}/s")
            print(f"… while these are computed again                       {busy:>10,.0f}/s  {busy / idle:.2f} of idle; {meanwhile:,.0f} a second computed meanwhile, a million in {1e6 / meanwhile / 60:,.0f} min")
            rate = alone(stack)
            print(f"open tickets computed again, alone                     {rate:>10,.0f}/s  a million in {1e6 / rate / 60:,.1f} min", flush=True)
        finally:
            stack.close(check=False)
    return 0 if busy >= 0.8 * idle else 1


if __name__ == "__main__":
    sys.exit(main())
