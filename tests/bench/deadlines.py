#!/usr/bin/python3
"""How late deadlines fire: BENCH_DEADLINES (100,000) of them spread over BENCH_SPREAD_S (60), none early; then the same with
BENCH_WAITING (1,000,000) open deadlines of a far day behind them. BENCH_SCALE scales the counts.

The tickets are written into the database as the broker would have left them, then everything is real: wake, decision, commit.
Lateness is from the due time to the instant of the statement that writes the verdict, by the database's clock."""

import os
import pathlib
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "system")]

import msgpack  # noqa: E402
from helpers import Stack, wait_until  # noqa: E402
from test_promises import short_process  # noqa: E402

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
DEADLINES = max(100, int(float(os.environ.get("BENCH_DEADLINES", "100000")) * SCALE))
WAITING = int(float(os.environ.get("BENCH_WAITING", "1000000")) * SCALE)
SPREAD_S = float(os.environ.get("BENCH_SPREAD_S", "60"))
S = 1_000_000
PROMISE_S, UPDATE_S = 5, 3600  # priority 2 of the short process


def clocks(posted_at):
    """As a decision left them after the last warning: the response runs to its end."""
    common = {"cycle": 1, "state": "running", "working": False, "started_at": posted_at, "met_at": None, "calendar": "24x7", "as_of_at": posted_at, "worked_s": 0, "paused_s": 0}
    return msgpack.packb([
        {**common, "clock": "response", "promise_s": PROMISE_S, "due_at": posted_at + PROMISE_S * S, "warn_at": None, "warned": 2, "left_s": PROMISE_S},
        {**common, "clock": "update", "promise_s": UPDATE_S, "due_at": posted_at + UPDATE_S * S, "warn_at": posted_at + UPDATE_S * S // 2, "warned": 0, "left_s": UPDATE_S}])


def fill(db, first, due_times):
    """Triaged tickets that wait for their response, one for each due time; ids from `first` on, of a slot that no broker has."""
    def copy(statement, rows):
        with db.cursor().copy(statement) as out:
            for row in rows:
                out.write_row(row)

    ids = [(1 << 29) + (2047 << 18) + (n & 0x3ffff) + ((n >> 18) << 29) for n in range(first, first + len(due_times))]
    copy("COPY tickets (id, posted_at, key_digest, content_digest, customer, title, problem) FROM STDIN",
         ((i, due - PROMISE_S * S, i.to_bytes(16, "big"), i.to_bytes(16, "big"), "acme", "Many calls drop", b"Half of them.") for i, due in zip(ids, due_times)))
    copy("COPY events (ticket, at, version, kind, public, body) FROM STDIN",
         ((i, due - PROMISE_S * S, 2, 2, False, msgpack.packb({"set": {"priority": 2}})) for i, due in zip(ids, due_times)))
    copy("COPY outbox (ticket, version, audience, state, created_at, kind) FROM STDIN", ((i, 1, 1, 2, due - PROMISE_S * S, "received") for i, due in zip(ids, due_times)))
    copy("COPY desk (ticket, wake_at, rank, updated_at, version, decided, attempt, lane, state, priority, clocks) FROM STDIN",
         ((i, due, due, due - PROMISE_S * S, 2, 2, 2, 7, 1, 2, clocks(due - PROMISE_S * S)) for i, due in zip(ids, due_times)))


def measure(db, name, first):
    """Fills, waits until all fired, prints one line."""
    ahead_s = 5 + DEADLINES / 3_000  # what filling takes
    begin = db.execute("SELECT docket_now()").fetchone()[0] + int(ahead_s * S)
    due = [begin + int(n * SPREAD_S * S / DEADLINES) for n in range(DEADLINES)]
    fill(db, first, due)
    if db.execute("SELECT docket_now()").fetchone()[0] > begin:
        print(f"{name}: filling took longer than {ahead_s:.0f} s: the first ones are late for that")
    query = "SELECT count(*) FROM deadlines WHERE clock = 'response' AND due_at BETWEEN %s AND %s"
    time.sleep(SPREAD_S)  # not a test: nothing to look for before, and looking costs the database
    wait_until(lambda: db.execute(query, (due[0], due[-1])).fetchone()[0] == DEADLINES, SPREAD_S * 4 + 60)
    early, p50, p99, most = db.execute("""
        SELECT count(*) FILTER (WHERE late < 0), percentile_cont(0.5) WITHIN GROUP (ORDER BY late), percentile_cont(0.99) WITHIN GROUP (ORDER BY late), max(late)
          FROM (SELECT judged_at - due_at AS late FROM deadlines WHERE clock = 'response' AND due_at BETWEEN %s AND %s) x""", (due[0], due[-1])).fetchone()
    print(f"{name:<52} {DEADLINES / SPREAD_S:>10,.0f}/s  {early} early  late p50 {p50 / 1000:.1f} ms  p99 {p99 / 1000:.1f} ms  max {most / 1000:.0f} ms", flush=True)
    return early


def main():
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(process=short_process(folder), notifiers=0)
        try:
            with stack.db() as db:
                db.execute("SET synchronous_commit = off")
                early = measure(db, f"deadlines: {DEADLINES:,} over {SPREAD_S:.0f} s", 0)
                if WAITING > 0:
                    far = db.execute("SELECT docket_now()").fetchone()[0] + 86_400 * S
                    for n in range(0, WAITING, 100_000):
                        fill(db, 10_000_000 + n, [far + k for k in range(n, min(n + 100_000, WAITING))])
                    db.execute("ANALYZE desk")
                    early += measure(db, f"… with {WAITING:,} open deadlines behind them", 5_000_000)
        finally:
            stack.close(check=False)
    return 1 if early else 0


if __name__ == "__main__":
    sys.exit(main())
