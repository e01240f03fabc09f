"""make demo, end to end."""

import os
import pathlib
import subprocess

import pytest
from helpers import BIN, ROOT


def demo(*arguments):
    environment = {**os.environ, "DOCKET_BIN": str(BIN)}
    return subprocess.run([str(ROOT / "deploy/local/demo"), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)


@pytest.mark.limit(180)
def test_the_demo_shows_what_it_promises_and_cleans_up(tmp_path):
    done = demo("--home", str(tmp_path / "demo"))
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("Tickets by state and priority", "DKT-", "closed", "mails were sent", "Message-ID", "a second", "docket-broker verify"):
        assert word in done.stdout, word
    for file in (tmp_path / "demo/run").glob("*.pid"):
        raise AssertionError(f"{file} is left")


def test_a_log_that_is_none_is_refused_before_anything_starts(tmp_path):
    (tmp_path / "log.csv").write_text("a,b\n1,2\n")
    done = demo("--log", str(tmp_path / "log.csv"), "--home", str(tmp_path / "demo"))
    assert done.returncode == 1 and "no column" in done.stderr
    assert not pathlib.Path(tmp_path / "demo").exists()
