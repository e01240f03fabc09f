"""A command whose processes all end with it: also those that went into sessions of their own, as the servers of a stack do."""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36
CLEAN_UP_S = 30  # for what a test does at its end, after it was told to stop


def _parents():
    """pid → its parent's, of all processes that are no zombies."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX":
                found[int(folder.name)] = int(parent)
    return found


def _below(root):
    """All that came from this process, at whatever distance."""
    parents, found, edge = _parents(), set(), {root}
    while edge:
        edge = {pid for pid, parent in parents.items() if parent in edge} - found
        found |= edge
    return found


def _end_all():
    """Kills what is left of a run. Orphans are ours, so that none is overlooked; one that is just forking is met in the next round."""
    while left := _below(os.getpid()):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _ended_within(process, seconds):
    """Whether the command ended in time. Orphans of it that end meanwhile are waited for: a server must not find its predecessor's pid taken."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            time.sleep(0.02)
        elif ended.si_pid != process.pid:
            os.waitpid(ended.si_pid, 0)
    return process.returncode is not None


def run_whole(command, seconds, **options):
    """Runs command in a session of its own, and ends whatever it left. Its status; None when it took longer: then it is interrupted first, so
    that it may clean up. No other children of the caller may be there meanwhile."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        if _ended_within(process, seconds):
            return process.returncode
        process.send_signal(signal.SIGINT)
        _ended_within(process, CLEAN_UP_S)
        return None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        _end_all()
