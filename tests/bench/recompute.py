#!/usr/bin/python3
"""What clients feel of a new version of the process that computes all open tickets again: the rate of submits idle, and while
BENCH_WAITING (1,000,000) open tickets are computed again; how fast these go meanwhile, and then alone. BENCH_SCALE scales the count.

The open tickets are written into the database as decisions would have left them; then everything is real: process.apply with
recompute, the steps, decisions, commits. Ends after BENCH_ALONE_S (20) of computing again alone, not when all are done."""

import json
import os
import pathlib
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
POSTING_S = float(os.environ.get("BENCH_POSTING_S", "20"))
ALONE_S = float(os.environ.get("BENCH_ALONE_S", "20"))
HOURS = 20  # promised of both clocks of priority 2: nothing comes due meanwhile


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
    db.execute("ANALYZE desk")
    db.commit()


def submits(stack):
    """Tickets a second, answered."""
    done = subprocess.run([BIN / "docket-bench", "--broker", stack.env["DOCKET_BROKERS"], "--in-flight", "256", "--seconds", str(POSTING_S), "--json"],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["tickets_per_s"]


def computed(stack):
    return stack.value("SELECT recomputed FROM process_log ORDER BY n DESC LIMIT 1")


def settled(stack):
    """What was posted is decided."""
    while stack.value("SELECT (SELECT count(*) FROM tickets WHERE id > (1::bigint << 40)) > (SELECT count(*) FROM desk WHERE ticket > (1::bigint << 40))"):
        time.sleep(0.5)


def main():
    with tempfile.TemporaryDirectory() as folder:
        process = short_process(folder)
        policy = process / "process.yaml"
        policy.write_text(policy.read_text().replace("2: {response: 5s, update: 1h}", f"2: {{response: {HOURS}h, update: {HOURS}h}}"))
        stack = Stack(process=process, notifiers=0)
        try:
            with stack.db() as db:
                fill(db)
            submits(stack)  # warm
            settled(stack)
            idle = submits(stack)
            settled(stack)
            policy.write_text(policy.read_text().replace(f"update: {HOURS}h}}", f"update: {HOURS - 1}h}}"))
            applied = stack.docket("process", "apply", process, "--recompute")
            assert applied.returncode == 0, applied.stderr
            before, since = computed(stack), time.monotonic()
            busy = submits(stack)
            meanwhile, took = computed(stack) - before, time.monotonic() - since
            settled(stack)
            before, since = computed(stack), time.monotonic()
            time.sleep(ALONE_S)
            alone = (computed(stack) - before) / (time.monotonic() - since)
            print(f"submits with {WAITING:,} open tickets                 {idle:>10,.0f}/s")
            print(f"… while these are computed again                       {busy:>10,.0f}/s  {busy / idle:.2f} of idle; {meanwhile / took:,.0f} a second computed meanwhile")
            print(f"open tickets computed again, alone                     {alone:>10,.0f}/s", flush=True)
        finally:
            stack.close(check=False)
    return 0 if busy >= 0.8 * idle else 1


if __name__ == "__main__":
    sys.exit(main())
