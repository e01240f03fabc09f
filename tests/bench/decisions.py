#!/usr/bin/python3
"""Decisions a second of one worker on one core, offline: the real incidents (examples/demo) again and again through `docket-worker
simulate`, reading JSON included; with the shipped rules, and with 200 more. BENCH_SCALE scales the counts."""

import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("DOCKET_BIN", ROOT / "build/bin"))
COPIES = max(1, int(1000 * float(os.environ.get("BENCH_SCALE", "1"))))


def rate(process, history, tickets):
    """By the time of the processor: what else runs on this machine does not count."""
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([BIN / "docket-worker", "simulate", process, history], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {done.stderr.strip()}")
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return tickets / (ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime)


def main():
    made = subprocess.run([sys.executable, ROOT / "tests/incident_history.py", ROOT / "examples/demo/incident_log.csv"], capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        history, process = pathlib.Path(folder) / "history.jsonl", pathlib.Path(folder) / "process"
        history.write_text(made.stdout * COPIES)
        tickets = made.stdout.count("\n") * COPIES
        shutil.copytree(ROOT / "deploy/process", process)
        print(f"{'decisions of one worker, shipped rules':<52} {rate(process, history, tickets):>10,.0f}/s", flush=True)
        rules = "".join(f"- rule: site {n}\n  when: {{all: [{{field: customer.id, is: site-{n}}}, {{field: text, matches: '(?i)\\bsite {n}\\b'}}]}}\n"
                        f"  then: {{tag: site-{n}}}\n" for n in range(200))
        (process / "rules/05-sites.yaml").write_text(rules)
        print(f"{'decisions of one worker, 200 rules more':<52} {rate(process, history, tickets):>10,.0f}/s", flush=True)


if __name__ == "__main__":
    main()
