"""docket-worker due and zone: as people call them, and against another implementation (Python's zoneinfo)."""

import datetime
import json
import os
import random
import subprocess
import zoneinfo

import pytest
import zone_oracle
from helpers import BIN, ROOT

WORKER = BIN / "docket-worker"
# Every kind of change there is: half hours, three quarters, negative summer time, skipped and doubled dates, rules that ended.
SAMPLE = """UTC Europe/Berlin Europe/Dublin Europe/London Europe/Istanbul Australia/Lord_Howe America/St_Johns Asia/Kathmandu
Pacific/Apia America/Sao_Paulo Africa/Casablanca Africa/Cairo Asia/Tehran America/New_York Pacific/Chatham Pacific/Kwajalein
Antarctica/Troll America/Winnipeg Africa/Monrovia Asia/Gaza""".split()


def run(*arguments, given=""):
    return subprocess.run([WORKER, *map(str, arguments)], input=given, capture_output=True, text=True)


def batch(calendars, questions):
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    done = run("due", "--calendars", calendars, "--batch", given=lines)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(questions)
    return answers


@pytest.fixture
def calendars(tmp_path):
    file = tmp_path / "calendars.yaml"
    file.write_text("""
office: {zone: Europe/Berlin, hours: {mon-thu: [09:00-12:30, 13:30-18:00], fri: [09:00-16:00]}, holidays: [2026-12-25]}
night: {zone: UTC, hours: {mon-sun: ["22:00-06:00"]}}
""")
    return file


def test_due_single_prints_one_instant():
    done = run("due", "--process", ROOT / "deploy/process", "--calendar", "office", "--start", "2026-03-27T15:30:00Z", "--work", "6h")
    assert (done.returncode, done.stdout) == (0, "2026-03-30T13:30:00Z\n"), done.stderr


@pytest.mark.parametrize("option, value, words", [
    ("--calendar", "offise", "there is no calendar of that name"),
    ("--start", "2026-02-29T10:00:00Z", "want an instant like"),
    ("--work", "6x", "want a duration like"),
    ("--start", "2100-12-31T23:00:00Z", "outside the years 1970 to 2100"),
])
def test_due_single_refuses_with_reason(option, value, words):
    options = {"--process": ROOT / "deploy/process", "--calendar": "office", "--start": "2026-03-27T15:30:00Z", "--work": "6h", option: value}
    done = run("due", *[part for pair in options.items() for part in pair])
    assert done.returncode == 1 and words in done.stderr and done.stdout == ""


def test_due_usage_is_2():
    assert run("due").returncode == 2
    assert run("due", "--batch").returncode == 2
    assert run("due", "--calendars", "x", "--process", "y", "--batch").returncode == 2


def test_batch_answers_each_line_and_errors_stay_in_it(calendars):
    lines = [
        ('{"cal": "office", "start": "2026-03-27T14:30:00Z", "work_seconds": 21600}', {"due": "2026-03-30T13:30:00Z"}),
        ('{"cal":"office","a":"2026-03-27T14:30:00Z","b":"2026-03-30T13:30:00Z"}', {"elapsed": 21600}),
        ('{"cal":"24x7","start":"2026-03-27T14:30:00Z","work_seconds":1.5}', {"due": "2026-03-27T14:30:01.5Z"}),
        ('{"cal":"24x7","a":"2026-03-27T14:30:00Z","b":"2026-03-27T14:30:00.25Z"}', {"elapsed": 0.25}),
        ('{"work_seconds": 3600, "start": "2026-03-27T23:00:00+01:00", "cal": "night"}', {"due": "2026-03-27T23:00:00Z"}),
        ('{"cal": "\\u006eight", "start": "2026-03-27T22:00:00Z", "work_seconds": 0}', {"due": "2026-03-27T22:00:00Z"}),
        ('{"cal":"offise","start":"2026-03-27T14:30:00Z","work_seconds":1}', "cal: there is no calendar of that name"),
        ('{"cal":"office","start":"yesterday","work_seconds":1}', "start: want an instant"),
        ('{"cal":"office","start":"2026-03-27T14:30:00Z","work_seconds":-1}', "work_seconds: want a number of seconds"),
        ('{"cal":"office","start":"2026-03-27T14:30:00Z","work_seconds":"6h"}', "work_seconds: want a number of seconds"),
        ('{"cal":"office","start":"2026-03-27T14:30:00Z","work_seconds":1e300}', "work_seconds: want a number of seconds"),
        ('{"cal":"office","start":"2026-03-27T14:30:00Z"}', "want cal, start and work_seconds, or cal, a and b"),
        ('{"cal":"office","a":"2026-03-27T14:30:00Z","b":7}', "b: want text"),
        ('{"cal":"office","strt":"2026-03-27T14:30:00Z","work_seconds":1}', "strt: not known"),
        ('{"cal":"office","cal":"office"}', "not JSON"),
        ("[1]", "not a JSON object"),
        ("{", "not JSON"),
        ("x" * 70000, "too long"),
    ]
    done = run("due", "--calendars", calendars, "--batch", given="".join(line + "\n" for line, _ in lines))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(answers) == len(lines)
    for (line, want), got in zip(lines, answers):
        if isinstance(want, str):
            assert list(got) == ["error"] and want in got["error"], (line[:80], got)
        else:
            assert got == want, line


def test_batch_of_a_faulty_file_tells_its_place(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("a: {hours: {mon: [9-17]}}\nb: {zone: Nowhere/City, hours: {mon: [09:00-17:00]}}\n")
    done = run("due", "--calendars", file, "--batch")
    assert done.returncode == 1 and f'{file}:1:19: mon: "9-17" is not allowed' in done.stderr
    file.write_text("b: {zone: Nowhere/City, hours: {mon: [09:00-17:00]}}\n")
    done = run("due", "--calendars", file, "--batch")
    assert done.returncode == 1 and f"{file}:1:1: calendar b: no time zone Nowhere/City" in done.stderr
    done = run("due", "--calendars", tmp_path / "none.yaml", "--batch")
    assert done.returncode == 1 and "none.yaml: No such file" in done.stderr


def zone_lines(*names):
    done = run("zone", *names)
    assert done.returncode == 0, done.stderr
    found = {name: [] for name in names}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        found[row["zone"]].append((zone_oracle.seconds(row["at"]), row["offset_s"]))
    return found


def test_sampled_zones_are_those_of_zoneinfo():
    """Each change of each zone, the second before it, and 200 instants between 1970 and 2100."""
    chance = random.Random(7)
    for name, rows in zone_lines(*SAMPLE).items():
        zone = zoneinfo.ZoneInfo(name)
        for i, (at, offset) in enumerate(rows):
            assert zone_oracle.offset(zone, at) == offset, (name, at)
            assert i == 0 or zone_oracle.offset(zone, at - 1) == rows[i - 1][1], (name, at)
        for at in (chance.randrange(zone_oracle.FIRST, zone_oracle.LAST) for _ in range(200)):
            ours = [offset for begin, offset in rows if begin <= at][-1]
            assert zone_oracle.offset(zone, at) == ours, (name, at)


def test_zone_that_is_not_there_is_told():
    done = run("zone", "Nowhere/City", "UTC")
    assert done.returncode == 1 and "Nowhere/City" in done.stderr and '"zone": "UTC"' in done.stdout


def hours_text(intervals):
    return ", ".join('"%02d:%02d-%02d:%02d"' % (a // 3600, a // 60 % 60, b // 3600, b // 60 % 60) for a, b in intervals)


def random_intervals(chance):
    edges = sorted(chance.sample(range(0, 24 * 4 + 1), 2 * chance.randrange(1, 3)))
    return [(900 * a, 900 * b) for a, b in zip(edges[::2], edges[1::2])]


def random_calendar(chance, zone, around):
    """A calendar for the oracle and the same as YAML; holidays and special days lie near `around`."""
    hours = {day: random_intervals(chance) for day in range(7) if chance.random() < 0.8} or {0: [(0, 86400)]}
    days = [around + datetime.timedelta(days=d) for d in range(-3, 12)]
    holidays = chance.sample(days, 3)
    special = {day: random_intervals(chance) for day in chance.sample(days, 3)}
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    yaml = "{zone: %s, hours: {%s}, holidays: [%s], special: {%s}}" % (
        zone, ", ".join(f"{names[d]}: [{hours_text(v)}]" for d, v in hours.items()), ", ".join(map(str, holidays)),
        ", ".join(f"{d}: [{hours_text(v)}]" for d, v in special.items()))
    return zone_oracle.Calendar(zone, hours, holidays, special), yaml


def compare(tmp_path, cases, seed, names=SAMPLE):
    """Random calendars and questions, half of them near a change of the clock; due and elapsed as the oracle has them."""
    chance = random.Random(seed)
    rows = zone_lines(*names)
    calendars, yaml, questions, want = [], [], [], []
    while len(questions) < cases:
        zone = chance.choice(names)
        near = [at for at, _ in rows[zone] if 10 * 86400 < at < zone_oracle.LAST - 100 * 86400]
        around = chance.choice(near) if near and chance.random() < 0.7 else chance.randrange(10 * 86400, zone_oracle.LAST - 100 * 86400)
        calendar, text = random_calendar(chance, zone, (zone_oracle.EPOCH + datetime.timedelta(seconds=around)).date())
        name = f"c{len(calendars)}"
        calendars.append(calendar)
        yaml.append(f"{name}: {text}\n")
        for _ in range(12):
            start, work = around + chance.randrange(-3 * 86400, 3 * 86400), chance.choice([0, 60, chance.randrange(200_000)])
            questions.append({"cal": name, "start": zone_oracle.text(start), "work_seconds": work})
            want.append({"due": zone_oracle.text(calendar.due(start, work))})
            until = start + chance.randrange(5 * 86400)
            questions.append({"cal": name, "a": zone_oracle.text(start), "b": zone_oracle.text(until)})
            want.append({"elapsed": calendar.elapsed(start, until)})
    for first in range(0, len(yaml), 200):  # at most 200 calendars a file
        file = tmp_path / "calendars.yaml"
        file.write_text("".join(yaml[first:first + 200]))
        part = slice(first * 24, (first + 200) * 24)
        for question, got, expected in zip(questions[part], batch(file, questions[part]), want[part]):
            assert got == expected, (question, yaml[int(question["cal"][1:])])


def test_due_and_elapsed_are_those_of_the_oracle(tmp_path):
    compare(tmp_path, int(os.environ.get("DOCKET_CASES", "1500")), 20261125)
