"""Working time at length: all zones against zoneinfo, a million random cases against the slow model, many against the oracle."""

import os
import pathlib
import subprocess
import sys
import zoneinfo

import pytest
import zone_oracle
from helpers import ROOT

sys.path.insert(0, str(ROOT / "tests/system"))
import test_due  # noqa: E402

BUILD = pathlib.Path(os.environ.get("DOCKET_BUILD", ROOT / "build"))


@pytest.mark.limit(1800)
def test_all_zones_from_1970_to_2100_are_those_of_zoneinfo():
    """Every change that zoneinfo has, found by looking every day and then by halving, and no other."""
    names = sorted(name for name in zoneinfo.available_timezones() if not name.startswith(("right/", "posix/")) and name != "localtime")
    assert len(names) > 400
    seen = {}
    for name, rows in test_due.zone_lines(*names).items():
        if tuple(rows) not in seen:  # links are compared once
            seen[tuple(rows)] = name
            assert zone_oracle.changes(zoneinfo.ZoneInfo(name)) == rows, name
        else:
            zone, other = zoneinfo.ZoneInfo(name), zoneinfo.ZoneInfo(seen[tuple(rows)])
            assert all(zone_oracle.offset(zone, at) == zone_oracle.offset(other, at) for at, _ in rows), name


@pytest.mark.limit(1800)
def test_a_million_random_cases_equal_the_slow_model():
    subprocess.run([BUILD / "tests/test_calendar_model"], check=True, cwd=ROOT, env={**os.environ, "DOCKET_CASES": "1000000"})


@pytest.mark.limit(1800)
def test_many_random_cases_equal_the_oracle(tmp_path):
    test_due.compare(tmp_path, 100_000, 11, test_due.SAMPLE + ["Europe/Lisbon", "Asia/Pyongyang", "America/Caracas", "Pacific/Kiritimati"])
