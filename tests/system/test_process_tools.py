"""What docket-worker answers about a process without a broker: test, explain, simulate, whatif."""

import shutil
import subprocess

import pytest
from helpers import BIN, ROOT

SHIPPED = ROOT / "deploy/process"


def worker(*args, text=None):
    return subprocess.run([f"{BIN}/docket-worker", *map(str, args)], input=text, capture_output=True, text=True, timeout=60)


@pytest.fixture()
def process(tmp_path):
    """A copy of the shipped process without its cases, to change."""
    copy = tmp_path / "process"
    shutil.copytree(SHIPPED, copy)
    shutil.rmtree(copy / "tests")
    (copy / "tests").mkdir()
    return copy


def cases(process, text):
    (process / "tests/mine.yaml").write_text(text)
    return worker("test", process)


def test_the_shipped_process_passes_its_own_cases():
    done = worker("test", SHIPPED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout and " 0 failed" in done.stdout
    assert int(done.stdout.split()[-6]) >= 20


def test_a_case_that_fails_says_what_was_wanted_and_what_was_there(process):
    done = cases(process, """
- case: a hope
  package: gold
  ticket: {title: No dial tone on any phone, problem: All are dead since nine.}
  expect: {priority: 2, tags: [quality], response: {due: 2026-03-02T10:00:00Z, state: running}}
  steps:
    - {after: 10m, do: approve}
- case: a truth
  ticket: {title: Echo, problem: There is an echo.}
  expect: {priority: 3}
""")
    assert done.returncode == 1
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "FAIL tests/mine.yaml: a hope" in lines and "ok tests/mine.yaml: a truth" in lines
    assert lines[lines.index("priority want 2") + 1] == "got 1"
    assert lines[lines.index("tags want quality") + 1].startswith('got ["outage"')
    assert lines[lines.index("response.due want 2026-03-02T10:00:00Z") + 1] == "got 2026-03-02T09:05:00Z"
    assert "approve is not possible while the ticket is triaged" in done.stdout
    assert lines[-1] == "2 cases, 1 passed, 1 failed"


def test_cases_that_are_not_of_the_form_are_told_with_their_place(process):
    done = cases(process, """
- case: misspelt
  ticket: {title: Echo, problem: There is an echo.}
  expcet: {priority: 3}
- case: late
  ticket: {title: Echo, problem: There is an echo.}
  steps:
    - {after: soon, expect: {priority: 3}}
- case: odd
  ticket: {title: Echo, problem: There is an echo.}
  steps:
    - {after: 1h, do: shrug}
""")
    assert done.returncode == 1
    assert "tests/mine.yaml:4:" in done.stderr and "expect" in done.stderr
    assert "tests/mine.yaml:8:" in done.stderr and "soon" in done.stderr
    assert "tests/mine.yaml:12:" in done.stderr and "shrug" in done.stderr


def test_no_cases_at_all_is_no_success(process):
    assert worker("test", process).returncode == 1
    assert worker("test", SHIPPED, "--only", "no case has this name").returncode == 1
