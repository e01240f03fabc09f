"""The upgrade of docs/operations.md: under load, programs end by SIGTERM one after another and start again from other files. Who has several brokers
notices nothing."""

import collections
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest
from helpers import BIN, SLOW, Stack, alive, wait_until

PROGRAMS = ("broker-1", "broker-2", "worker-1", "worker-2", "notifier-1", "notifier-2")


class Posting(threading.Thread):
    """`docket submit`, again and again, without a repeat of its own: how each ended, and how long the slowest took."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.over, self.ends, self.slowest_s = stack, threading.Event(), collections.Counter(), 0.0
        self.start()

    def run(self):
        while not self.over.is_set():
            began = time.monotonic()
            done = self.stack.docket("submit", "--customer", "acme", "--title", "Upgrade", "--problem", "p")
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.ends[(done.returncode, done.stderr)] += 1


@pytest.mark.limit(180)
def test_nobody_notices_that_all_programs_are_replaced_one_by_one(tmp_path):
    stack = Stack(brokers=2, workers=2, notifiers=2)
    try:
        new = tmp_path / "bin"
        shutil.copytree(BIN, new)
        posting = [Posting(stack) for _ in range(3)]
        done = subprocess.run([new / "docket-broker", "migrate", "--config", stack.config("broker-1")], capture_output=True, text=True)
        assert done.returncode == 0 and "(0 applied now)" in done.stdout
        for program in PROGRAMS:
            stack.kill(program, signal.SIGTERM)
            wait_until(lambda: not alive(stack.pid(program)), 10)  # noqa: B023
            stack._stack("up", "--bin", str(new), "--timeout", str(60 * SLOW))
            time.sleep(0.3)
        stack.up()
        assert all(os.readlink(f"/proc/{stack.pid(program)}/exe").startswith(str(new)) for program in PROGRAMS)
        for one in posting:
            one.over.set()
            one.join()
        ends = sum((one.ends for one in posting), collections.Counter())
        count = ends.pop((0, ""), 0)
        print(f"{count} tickets posted, the slowest in {max(one.slowest_s for one in posting):.2f} s")
        assert not ends and count > 50
        assert stack.value("SELECT count(*) FROM tickets") == count
        wait_until(stack.is_settled, 30)
        wait_until(lambda: stack.value("SELECT count(*) FROM outbox WHERE state < 2") == 0, 60)
        stack.verify()
    finally:
        stack.close()
