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

WORKER, DAY_S = BIN / "docket-worker", 86400
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
    assert done.returncode == 1 and f"{file}:1:11: calendar b: no time zone Nowhere/City" in done.stderr
    done = run("due", "--calendars", tmp_path / "none.yaml", "--batch")
    assert done.returncode == 1 and "none.yaml: No such file" in done.stderr


def test_holiday_files_lie_beside_the_calendars_file(tmp_path):
    """A half day, a holiday of several days that comes back each year, one that was moved; and a special day that overrules the file."""
    (tmp_path / "holidays").mkdir()
    holidays = tmp_path / "holidays" / "de.ics"
    holidays.write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
                        + event("DTSTART;VALUE=DATE:20201225", "DTEND;VALUE=DATE:20201227", "RRULE:FREQ=YEARLY", "SUMMARY:Christmas")
                        + event("DTSTART;TZID=Europe/Berlin:20261224T120000", "DURATION:PT12H", uid="b")
                        + "END:VCALENDAR\r\n")
    file = tmp_path / "calendars.yaml"
    file.write_text("c: {zone: Europe/Berlin, hours: {mon-sun: [09:00-17:00]}, holiday_files: [holidays/de.ics], special: {2027-12-25: [10:00-11:00]}}\n")
    asked = [("2026-12-24T08:00:00Z", 4 * 3600, "2026-12-27T09:00:00Z"), ("2027-12-24T16:00:00Z", 1800, "2027-12-25T09:30:00Z"),
             ("2031-12-24T15:30:00Z", 3600, "2031-12-27T08:30:00Z")]
    answers = batch(file, [{"cal": "c", "start": start, "work_seconds": work} for start, work, _ in asked])
    assert answers == [{"due": due} for _, _, due in asked]
    holidays.write_text(holidays.read_text().replace("20201225", "20200230"))
    done = run("due", "--calendars", file, "--batch")
    assert done.returncode == 1 and 'holidays/de.ics:5:1: DTSTART: "20200230" is no date' in done.stderr
    file.write_text("c: {hours: {mon: [09:00-17:00]}, holiday_files: [holidays/dee.ics, holidays/de.ics, holidays/de.ics]}\n")
    done = run("due", "--calendars", file, "--batch")
    assert f'{file}:1:50: holiday_files: "holidays/dee.ics" is no file of this process (did you mean holidays/de.ics' in done.stderr
    assert f'{file}:1:85: holiday_files: "holidays/de.ics" is given twice' in done.stderr


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


def event(*lines, uid="a"):
    return "".join(line + "\r\n" for line in ("BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"))


def day(date):
    return date.strftime("%Y%m%d")


def in_each_year(date, years):
    """The same month and day in years from date's on; no 29th of February in a year that has none."""
    for year in range(date.year, date.year + years):
        try:
            yield date.replace(year=year)
        except ValueError:
            pass


def random_event(chance, date, uid):
    """One event near date: its text, the dates that it closes, and (date, from_s, until_s) of those it closes in part."""
    kind = chance.choice(["days", "yearly", "weekly", "nth", "moved", "half", "over night"])
    start = f"DTSTART;VALUE=DATE:{day(date)}"
    if kind == "days":
        count = chance.randrange(1, 4)
        end = date + datetime.timedelta(days=count)
        return event(start, f"DTEND;VALUE=DATE:{day(end)}", uid=uid), [date + datetime.timedelta(days=i) for i in range(count)], []
    if kind == "yearly":
        first = date.replace(day=min(date.day, 28), year=date.year - 1) if date.year > 1970 else date
        return event(f"DTSTART;VALUE=DATE:{day(first)}", "RRULE:FREQ=YEARLY;COUNT=4", uid=uid), list(in_each_year(first, 4)), []
    if kind in ("weekly", "moved"):
        dates = [date + datetime.timedelta(days=7 * i) for i in range(3)]
        if kind == "weekly":
            return event(start, "RRULE:FREQ=WEEKLY;COUNT=3", f"EXDATE;VALUE=DATE:{day(dates[1])}", uid=uid), [dates[0], dates[2]], []
        moved = dates[1] + datetime.timedelta(days=1)
        override = event(f"RECURRENCE-ID;VALUE=DATE:{day(dates[1])}", f"DTSTART;VALUE=DATE:{day(moved)}", uid=uid)
        return event(start, f"RRULE:FREQ=WEEKLY;UNTIL={day(dates[2])}", uid=uid) + override, [dates[0], moved, dates[2]], []
    if kind == "nth":  # the n-th weekday of three months
        nth, months = (date.day - 1) // 7, [(date.year + (date.month - 1 + i) // 12, (date.month - 1 + i) % 12 + 1) for i in range(3)]
        dates = []
        for year, month in months:
            first = datetime.date(year, month, 1)
            found = first + datetime.timedelta(days=(date.weekday() - first.weekday()) % 7 + 7 * nth)
            dates += [found] if found.month == month else []
        rule = f"RRULE:FREQ=MONTHLY;BYDAY={nth + 1}{['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'][date.weekday()]};COUNT={len(dates)}"
        return event(start, rule, uid=uid), dates, []
    hour, night = chance.randrange(24), date + datetime.timedelta(days=1)
    if kind == "half":
        return event(f"DTSTART:{day(date)}T{hour:02}0000", f"DTEND:{day(night)}T000000", uid=uid), [date] if hour == 0 else [], [(date, hour * 3600, DAY_S)]
    return event(f"DTSTART:{day(date)}T{hour:02}3000", f"DTEND:{day(night)}T063000", uid=uid), [], [(date, hour * 3600 + 1800, DAY_S), (night, 0, 23400)]


def random_holidays(chance, around):
    text, dates, closed = "", [], []
    for i in range(chance.randrange(1, 4)):
        one = random_event(chance, around + datetime.timedelta(days=chance.randrange(-3, 12)), f"e{i}")
        text, dates, closed = text + one[0], dates + one[1], closed + one[2]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{text}END:VCALENDAR\r\n", dates, closed


def random_calendar(chance, zone, around, file):
    """A calendar for the oracle and the same as YAML; holidays and special days lie near `around`. Every second one has holidays in
    a file too, whose text comes last."""
    hours = {day: random_intervals(chance) for day in range(7) if chance.random() < 0.8} or {0: [(0, 86400)]}
    days = [around + datetime.timedelta(days=d) for d in range(-3, 12)]
    holidays = chance.sample(days, 3)
    special = {day: random_intervals(chance) for day in chance.sample(days, 3)}
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    text, more, closed = random_holidays(chance, around) if chance.random() < 0.5 else ("", [], [])
    yaml = "{zone: %s, hours: {%s}, holidays: [%s], special: {%s}%s}" % (
        zone, ", ".join(f"{names[d]}: [{hours_text(v)}]" for d, v in hours.items()), ", ".join(map(str, holidays)),
        ", ".join(f"{d}: [{hours_text(v)}]" for d, v in special.items()), f", holiday_files: [{file}]" if text else "")
    return zone_oracle.Calendar(zone, hours, holidays + more, special, closed), yaml, text


def compare(tmp_path, cases, seed, names=SAMPLE):
    """Random calendars and questions, half of them near a change of the clock; due and elapsed as the oracle has them."""
    chance = random.Random(seed)
    rows = zone_lines(*names)
    (tmp_path / "holidays").mkdir()
    calendars, yaml, questions, want = [], [], [], []
    while len(questions) < cases:
        zone = chance.choice(names)
        near = [at for at, _ in rows[zone] if 10 * 86400 < at < zone_oracle.LAST - 100 * 86400]
        around = chance.choice(near) if near and chance.random() < 0.7 else chance.randrange(10 * 86400, zone_oracle.LAST - 100 * 86400)
        name = f"c{len(calendars)}"
        date = (zone_oracle.EPOCH + datetime.timedelta(seconds=around)).date()
        calendar, text, holidays = random_calendar(chance, zone, date, f"holidays/{name}.ics")
        if holidays:
            (tmp_path / "holidays" / f"{name}.ics").write_text(holidays)
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
