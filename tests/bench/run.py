#!/usr/bin/python3
"""make bench: everything in one go on the embedded PostgreSQL, with ratios to the raw ceiling of the same machine in the same minutes.

Single runs on a shared machine: differences under 8 % mean nothing. BENCH_SCALE=0.1 makes all counts a tenth; BENCH_BACKLOG is how many tickets
wait in the last part (0: leave it out)."""

import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import promises  # noqa: E402
from helpers import BIN, Stack, alive, wait_until  # noqa: E402

BENCH = os.environ["DOCKET_BENCH"]
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
BACKLOG = int(float(os.environ.get("BENCH_BACKLOG", "1000000")) * SCALE)


def run(*command):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(done.stdout)


def count(number):
    return max(20, int(number * SCALE))


SAMPLE = """SELECT t.title, t.problem, t.extra, r.body AS receipt, d.tags::text AS tags, d.clocks, e.body AS event, m.body AS message
              FROM tickets t JOIN desk d ON d.ticket = t.id JOIN events e ON e.ticket = t.id AND e.kind = 2
              JOIN outbox r ON r.ticket = t.id AND r.kind = 'received' JOIN outbox m ON m.ticket = t.id AND m.kind = 'triaged'
             WHERE e.version = 2 LIMIT 1"""


def sample(folder):
    """What one ticket of docket-bench becomes, written by the real programs: the ceiling writes the same bytes."""
    stack = Stack(workers=1, notifiers=0)
    try:
        bench(stack, "--mode", "life", "--in-flight", 1, "--count", 20)
        with stack.db() as connection:
            cursor = connection.execute(SAMPLE)
            for column, value in zip(cursor.description, cursor.fetchone()):
                if value is not None:
                    (folder / column.name).write_bytes(value.encode() if isinstance(value, str) else bytes(value))
    finally:
        stack.close(check=False)


def ceiling(stack, folder, mode, number, batch=500, depth=2):
    """The statements alone, into tables emptied before and after."""
    clear(stack)
    result = run(BENCH + "/ceiling", stack.env["DOCKET_DSN"], mode, max(batch * 4, count(number)), batch, depth, folder)
    clear(stack)
    return result


def clear(stack):
    with stack.db() as connection:
        connection.execute("TRUNCATE tickets, desk, events, outbox, deliveries")
        connection.execute("CHECKPOINT")


def bench(stack, *options):
    return run(BIN / "docket-bench", "--broker", stack.endpoint(), "--json", *options)


def row(what, rate, of=None, delay=""):
    """One line of the table; of: the ceiling's rate."""
    share = f"{100 * rate / of:5.0f} %" if of else " " * 7
    print(f"{what:<52} {rate:>10,.0f}/s {share}  {delay}", flush=True)


def delay(result, name):
    return "  ".join(f"{key} {result[name + '_ms'][key]:.2f} ms" for key in ("p50", "p99", "max"))


def main():
    promises.rows(row, count, run)
    print(f"{'':<52} {'':>12} of the ceiling")
    stack = Stack(workers=0, notifiers=0)
    try:
        folder = stack.home / "sample"
        folder.mkdir()
        sample(folder)
        stop(stack, "broker-1")  # it brought the schema; the ceiling is measured without it
        post, life, one = ceiling(stack, folder, "post", 200_000), ceiling(stack, folder, "life", 200_000), ceiling(stack, folder, "post", 3_000, 1, 1)
        row("ceiling: postings, batches of 500", post["per_second"])
        row("ceiling: postings and decisions, batches of 500", life["per_second"])
        row("ceiling: one posting a commit, one after another", one["per_second"], delay=f"p50 {one['p50_ms']:.2f} ms")
        stack.up()
        rates = {}
        for in_flight, number in ((1, 3_000), (16, 50_000), (256, 200_000)):
            result = bench(stack, "--in-flight", in_flight, "--count", count(number))
            rates["submit"] = result["tickets_per_s"]
            row(f"submit, {in_flight} in flight", result["tickets_per_s"], one["per_second"] if in_flight == 1 else post["per_second"], delay(result, "answer"))
        stack._stack("up", "--workers", "1")
        stack.up()
        wait_until(lambda: stack.value("SELECT count(*) FROM tickets t LEFT JOIN desk d ON d.ticket = t.id WHERE d.ticket IS NULL") == 0, 600, 0.5)
        result = bench(stack, "--mode", "life", "--in-flight", 256, "--count", count(100_000))
        rates["life"] = result["tickets_per_s"]
        row("life: post to decision committed, one worker", result["tickets_per_s"], life["per_second"], delay(result, "answer"))
        result = bench(stack, "--mode", "life", "--rate", 20, "--count", count(200))
        row("life at 20 tickets a second", result["tickets_per_s"], delay="end to end " + delay(result, "decided"))
        if BACKLOG:
            backlog(stack, folder, rates)
    finally:
        stack.close(check=False)


def stop(stack, name):
    stack.kill(name, 15)
    wait_until(lambda: not alive(stack.pid(name)))


def backlog(stack, folder, rates):
    """The same rates while very many tickets are open and their deadlines sleep; then while as many wait for their decision and nobody decides."""
    run(BENCH + "/ceiling", stack.env["DOCKET_DSN"], "life", BACKLOG, 500, 2, folder)
    with stack.db() as connection:
        connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")
    print(f"{'':<52} {'':>12} of the same without", flush=True)
    result = bench(stack, "--mode", "life", "--in-flight", 256, "--count", count(100_000))
    row(f"life, {BACKLOG:,} tickets open", result["tickets_per_s"], rates["life"], delay(result, "answer"))
    stop(stack, "worker-1")
    result = bench(stack, "--in-flight", 256, "--count", count(200_000))
    row(f"submit, {BACKLOG:,} tickets open", result["tickets_per_s"], rates["submit"], delay(result, "answer"))
    bench(stack, "--in-flight", 1024, "--count", BACKLOG)
    result = bench(stack, "--in-flight", 256, "--count", count(200_000))
    row(f"submit, {BACKLOG:,} more undecided", result["tickets_per_s"], rates["submit"], delay(result, "answer"))


if __name__ == "__main__":
    main()
