"""The runner of mutants leaves nothing behind, whatever a test that hangs has started."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest
from helpers import ROOT, SLOW

# Starts a server in a session of its own whose parent is gone, says so, and then: hangs, hangs against an interrupt, or ends.
STARTS = "setsid sh -c 'echo $$ >> pids; exec sleep 1000' & echo $$ >> pids; until [ $(wc -l <pids) -eq 2 ]; do sleep 0.01; done; "
ENDS = {"hangs": STARTS + "touch ready; sleep 1000", "is-deaf": "trap '' INT; " + STARTS + "touch ready; while :; do sleep 1; done", "ends": STARTS + "touch ready"}
RUNNER = """
import sys
sys.path.insert(0, sys.argv[1])
import whole
whole.CLEAN_UP_S = 0.5
print(whole.run_whole(["sh", "-c", sys.argv[2]], float(sys.argv[3])))
"""


@pytest.mark.parametrize("how", ENDS)
def test_what_a_test_started_ends_with_it(how, tmp_path):
    seconds = 60 * SLOW if how == "ends" else 2 * SLOW
    done = subprocess.run([sys.executable, "-c", RUNNER, ROOT / "tests/mutants", ENDS[how], str(seconds)], cwd=tmp_path,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100 * SLOW)
    assert (done.returncode, done.stdout) == (0, "0\n" if how == "ends" else "None\n"), done.stderr
    pids = (tmp_path / "pids").read_text().split()
    assert (tmp_path / "ready").exists() and len(pids) == 2
    assert not [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists() and os.readlink(f"/proc/{pid}/cwd") == str(tmp_path)]


def test_an_orphan_that_was_killed_is_gone_while_the_test_goes_on(tmp_path):
    """A database that is killed and started again refuses to start while its predecessor's pid is there."""
    script = "sh -c 'sleep 1000 & echo $! > orphan'; " \
             "kill -9 $(cat orphan); while kill -0 $(cat orphan) 2>/dev/null; do sleep 0.01; done"
    done = subprocess.run([sys.executable, "-c", RUNNER, ROOT / "tests/mutants", script, str(20 * SLOW)], cwd=tmp_path,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100 * SLOW)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_the_text_of_each_mutant_stands_where_it_says_once_and_its_tests_are_there():
    spec = importlib.util.spec_from_file_location("mutants_table", ROOT / "tests/mutants/table.py")
    table = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(table)
    for mutant in table.MUTANTS:
        assert (ROOT / mutant.file).read_text().count(mutant.old) == 1, mutant.name
        for test in mutant.tests:
            file, _, name = test.partition("::")
            path = ROOT / "tests" / (file if file.endswith(".py") else file + ".c")
            assert path.exists() and f"def {name.partition('[')[0]}(" in path.read_text() if name else path.exists(), f"{mutant.name}: {test}"
