"""Processes by name: started apart from their parent, found again by pid *and* start time, so that a pid which now belongs to
somebody else is never signalled."""

import json
import os
import pathlib
import signal
import subprocess
import time

from .plan import StackError, write_whole


def _boot_id():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_ticks(pid):
    """When the process began, in ticks since boot; None when there is none, or only a zombie is left."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name in brackets may hold anything
    return None if fields[0] in "ZX" else int(fields[19])


class Proc:
    def __init__(self, plan, name):
        self.name = name
        self.file = plan.path("run", name + ".pid")
        self.log = plan.path("log", name + ".log")

    def pid(self):
        """The pid of the running process, or None."""
        try:
            kept = json.loads(self.file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        same = kept["boot"] == _boot_id() and _start_ticks(kept["pid"]) == kept["start"]
        return kept["pid"] if same else None

    def start(self, command, cwd):
        """Starts command in a session of its own; nothing of ours stays open in it but its log."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            try:
                child = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd,
                    start_new_session=True, env=environment)
            except OSError as error:
                raise StackError(f"{self.name}: cannot start {command[0]}: {error.strerror}") from None
        start = _start_ticks(child.pid)
        write_whole(self.file, json.dumps({"pid": child.pid, "start": start, "boot": _boot_id()}) + "\n")
        child.returncode = 0  # it outlives us: nobody waits for it here
        return child.pid

    def signal(self, number):
        pid = self.pid()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def tail(self, lines=15):
        try:
            return "\n".join("    " + line for line in self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "    (no log)"


def wait_until(condition, seconds, step=0.02):
    """Calls condition until it is true or the time is over; its last value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() >= deadline:
            return value
        time.sleep(step)


def stop(procs, number, seconds):
    """Signals all, waits for all, kills what is left. Returns the names that had to be killed."""
    for proc in procs:
        proc.signal(number)
    wait_until(lambda: not any(proc.pid() for proc in procs), seconds)
    stubborn = [proc for proc in procs if proc.pid()]
    for proc in stubborn:
        proc.signal(signal.SIGKILL)
    wait_until(lambda: not any(proc.pid() for proc in stubborn), 5)
    for proc in procs:
        if proc.pid() is None:
            proc.file.unlink(missing_ok=True)
    return [proc.name for proc in stubborn]
