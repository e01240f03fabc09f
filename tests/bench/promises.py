"""The pure part of a worker, measured without a database: due times, decisions, and a million due times against the slow model."""

import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["DOCKET_BUILD"])
TITLES = """Can't make or receive any calls
Can not reach your SBC, all calls fail
Most of our calls drop after 30 seconds
One-way audio to a single number
Voicemail light stays on
How do I forward calls to my mobile?
Please add a user for the Berlin office
Echo on two headsets since the update
""".replace("'", "’")
CALENDARS = """plain: {zone: UTC, hours: {mon-fri: [09:00-17:00]}}
zone: {zone: Europe/Berlin, hours: {mon-thu: [09:00-12:30, 13:30-18:00], fri: [09:00-16:00]}, holidays: [%s]}
"""


def rows(row, count, run):
    """row, run: those of run.py. count: how often, scaled by BENCH_SCALE."""
    program = os.environ["DOCKET_BENCH"] + "/promises"
    for name, words in (("plain", "plain weekly calendar"), ("zone", "zone, clock changes, holidays, lunch")):
        row(f"due times, {words}", run(program, "due", name, count(20_000_000))["per_second"])
    with tempfile.TemporaryDirectory(prefix="docket-bench-") as folder:
        batches(row, count, pathlib.Path(folder))
        decisions(row, count, pathlib.Path(folder), program)
    model(row, count)


def batches(row, count, folder):
    """The same through the command, a JSON line each."""
    holidays = ", ".join(f"{year}-{month:02}-{month * 2:02}" for year in range(1990, 2060) for month in range(1, 12))
    (folder / "calendars.yaml").write_text(CALENDARS % holidays)
    chance = random.Random(20261125)
    for name in ("plain", "zone"):
        lines = "".join(f'{{"cal": "{name}", "start": "20{chance.randrange(10, 60)}-0{chance.randrange(1, 10)}-1{chance.randrange(10)}T1{chance.randrange(10)}:30:00Z", '
                        f'"work_seconds": {chance.randrange(200_000)}}}\n' for _ in range(count(1_000_000)))
        (folder / "questions").write_text(lines)
        with open(folder / "questions") as given:
            begun = time.monotonic()
            done = subprocess.run([BUILD / "bin/docket-worker", "due", "--calendars", folder / "calendars.yaml", "--batch"], stdin=given,
                                  capture_output=True, check=True)
        seconds = time.monotonic() - begun
        assert done.stdout.count(b'"due"') == lines.count("\n")
        row(f"docket-worker due --batch, {name}", lines.count("\n") / seconds)


def decisions(row, count, folder, program):
    shutil.copytree(ROOT / "deploy/process", folder / "process")
    decide(row, "decisions of one worker, shipped rules", program, folder / "process", count(200_000))
    tests = ("{field: text, matches: '(?i)\\b(?:site|room|floor) %d\\b'}", "{field: problem, contains: error %d}", "{field: attributes.site, in: [s%d, munich]}",
             "{all: [{field: impact, is: degraded}, {field: customer.id, is: c%d}]}")
    many = "".join(f"- {{rule: many {i}, when: {tests[i % 4] % i}, then: {{tag: t{i}, attribute: {{site: '{i}'}}}}}}\n" for i in range(200))
    (folder / "process/rules/50-many.yaml").write_text(many)
    decide(row, "the same with 200 rules more", program, folder / "process", count(50_000))


def decide(row, what, program, process, number):
    done = subprocess.run([program, "decide", process, str(number)], input=TITLES, capture_output=True, text=True, check=True)
    row(what, json.loads(done.stdout)["per_second"])


def model(row, count):
    """Random calendars and due times against the walk by minutes, on two cores; a difference ends the bench."""
    number, begun = count(1_000_000), time.monotonic()
    running = [subprocess.Popen([BUILD / "tests/test_calendar_model"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env={**os.environ, "DOCKET_CASES": str(number // 2), "DOCKET_SEED": str(seed)}) for seed in (1, 2)]
    for process in running:
        output = process.communicate()[0]
        assert process.returncode == 0, output
    row(f"{number // 2 * 2:,} due times equal to the slow model's", number / (time.monotonic() - begun))
