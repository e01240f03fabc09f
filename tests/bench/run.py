#!/usr/bin/python3
"""make bench: everything in one go on the embedded PostgreSQL, with ratios to the raw ceiling.

A shared machine may be half as fast a minute later, so each rate is compared with the ceiling of the same seconds: measured right before and right
after it, on the same server, in a database of its own that is emptied each time. Differences under 8 % mean nothing all the same. BENCH_SCALE=0.1
makes all counts a tenth; BENCH_BACKLOG is how many tickets wait in the last part (0: leave it out)."""

import json
import os
import pathlib
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import promises  # noqa: E402
import psycopg  # noqa: E402
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


class Ceiling:
    """The statements alone: no broker, no message, no queue. mode: post, life, or one: a posting a commit."""

    ARGUMENTS = {"post": ("post", 60_000, 500, 2), "life": ("life", 40_000, 500, 2), "one": ("post", 1_000, 1, 1)}

    def __init__(self, stack):
        self.dsn = psycopg.conninfo.make_conninfo(stack.env["DOCKET_DSN"], dbname="ceiling")
        self.sample = stack.home / "sample"
        self.sample.mkdir()
        self.found = {mode: [] for mode in self.ARGUMENTS}
        sample(self.sample)
        with stack.db() as connection:
            connection.execute("CREATE DATABASE ceiling")
        config = stack.home / "ceiling.yaml"
        config.write_text(f'dsn: "{self.dsn}"\n')
        subprocess.run([BIN / "docket-broker", "migrate", "--config", config], check=True, capture_output=True)

    def measure(self, mode):
        words, number, batch, depth = self.ARGUMENTS[mode]
        result = run(BENCH + "/ceiling", self.dsn, words, max(batch * 4, count(number)), batch, depth, self.sample)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("TRUNCATE tickets, desk, events, outbox, deliveries")
        self.found[mode].append(result["per_second"])
        return result["per_second"]

    def beside(self, mode, stack, *options):
        """What docket-bench gives with these options, and the ceiling meanwhile: the mean of just before and just after."""
        before = self.measure(mode)
        result = bench(stack, *options)
        return result, (before + self.measure(mode)) / 2

    def rows(self):
        for mode, what in (("post", "postings, batches of 500"), ("life", "postings and decisions, batches of 500"), ("one", "one posting a commit, one after another")):
            found = self.found[mode]
            row(f"ceiling: {what}", statistics.median(found), delay=f"{min(found):,.0f} to {max(found):,.0f} in {len(found)} runs")


def bench(stack, *options):
    return run(BIN / "docket-bench", "--broker", stack.endpoint(), "--json", *options)


missed = []


def row(what, rate, of=None, delay="", aim=None):
    """One line of the table. of: what it is a share of; aim: the share that is wanted."""
    share = f"{100 * rate / of:5.0f} %" if of else " " * 7
    if aim is not None:
        share += f" (aim {100 * aim:.0f})"
        if rate < aim * of:
            missed.append(what)
    print(f"{what:<52} {rate:>10,.0f}/s {share:<17}{delay}".rstrip(), flush=True)


def delay(result, name):
    return "  ".join(f"{key} {result[name + '_ms'][key]:.2f} ms" for key in ("p50", "p99", "max"))


SUBMIT = ("--in-flight", 256, "--count", count(200_000))
LIFE = ("--mode", "life", "--in-flight", 256, "--count", count(100_000))


def main():
    promises.rows(row, count, run)
    print(f"{'':<52} {'':>12} of the ceiling")
    stack = Stack(workers=0, notifiers=0)
    try:
        ceiling = Ceiling(stack)
        shares = {}
        for in_flight, number, mode, aim in ((1, 3_000, "one", 1 / 2.5), (16, 50_000, "post", None), (256, 200_000, "post", 0.7)):
            result, of = ceiling.beside(mode, stack, "--in-flight", in_flight, "--count", count(number))
            shares["submit"] = result["tickets_per_s"] / of
            row(f"submit, {in_flight} in flight", result["tickets_per_s"], of, delay(result, "answer"), aim)
        stack._stack("up", "--workers", "1")
        stack.up()
        wait_until(stack.is_settled, 600, 0.5)
        result, of = ceiling.beside("life", stack, *LIFE)
        shares["life"] = result["tickets_per_s"] / of
        row("life: post to decision committed, one worker", result["tickets_per_s"], of, delay(result, "answer"), 0.6)
        result = bench(stack, "--mode", "life", "--rate", 20, "--count", count(200))
        row("life at 20 tickets a second", result["tickets_per_s"], delay="end to end " + delay(result, "decided") + " (aim p50 1.50)")
        if result["decided_ms"]["p50"] > 1.5:
            missed.append("end to end p50")
        if BACKLOG:
            backlog(stack, ceiling, shares)
        ceiling.rows()
    finally:
        stack.close(check=False)
    if missed:
        print("below its aim: " + "; ".join(missed))
    return 1 if missed else 0


def stop(stack, name):
    stack.kill(name, 15)
    wait_until(lambda: not alive(stack.pid(name)))


def backlog(stack, ceiling, shares):
    """The same rates while very many tickets are open and their deadlines sleep; then while as many wait for their decision and nobody decides.
    Compared are the shares of the ceiling, with and without."""
    run(BENCH + "/ceiling", stack.env["DOCKET_DSN"], "life", BACKLOG, 500, 2, ceiling.sample)
    with stack.db() as connection:
        connection.execute("ANALYZE")
    print(f"{'':<52} {'':>12} of the same without", flush=True)

    def again(what, mode, options):
        result, of = ceiling.beside(mode, stack, *options)
        row(what, result["tickets_per_s"], of * shares["life" if mode == "life" else "submit"], delay(result, "answer"), 0.9)

    again(f"life, {BACKLOG:,} tickets open", "life", LIFE)
    stop(stack, "worker-1")
    again(f"submit, {BACKLOG:,} tickets open", "post", SUBMIT)
    bench(stack, "--in-flight", 1024, "--count", BACKLOG)
    again(f"submit, {BACKLOG:,} more undecided", "post", SUBMIT)


if __name__ == "__main__":
    sys.exit(main())
