"""A synchronous standby that is gone: commits hang for as long as it takes. Nothing is answered with success meanwhile, memory is bounded, and
when it is back all goes on by itself."""

import pathlib
import time

import pytest
from helpers import Client, Stack, wait_until
from load import Load, check

MEMORY_MIB = 500  # 20,000 requests of 1 KB under way, and 64 MiB of what waiting tickets say
GROWTH_MIB = 60   # from one long pause to the next, when all that has its limit has reached it


def resident_mib(pid):
    return int(next(line.split()[1] for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))) / 1024


def wait_for(stack, name):
    with stack.db() as db:
        db.execute("SET synchronous_commit = local")
        db.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        db.execute("SELECT pg_reload_conf()")
    wait_until(lambda: stack.value("SHOW synchronous_standby_names") == name)


@pytest.mark.limit(300)
def test_commits_that_hang_under_load_are_never_acknowledged_and_memory_is_bounded():
    stack = Stack(brokers=2, workers=2, notifiers=1)
    try:
        loads = [Load(stack, n) for n in range(8)]
        time.sleep(2)
        before = None
        for pause in (3, 15, 16):
            wait_for(stack, "nosuch")
            time.sleep(0.5)  # what had its commit before may still be on its way
            known = sum(len(load.acknowledged) for load in loads)
            flood = [Client(stack.endpoint(n)) for n in (1, 2)]
            deadline, sent = time.monotonic() + pause, 0
            while time.monotonic() < deadline:
                for client in flood:
                    for _ in range(200):
                        client.send("ticket.submit", key=f"flood-{pause}-{sent}", customer="flood", title="t", problem="p" * 1000)
                        sent += 1
                    while client.socket.poll(0):
                        answer = client.receive()
                        assert not answer["ok"] and answer["error"]["code"] in ("unavailable", "busy"), answer
                time.sleep(0.02)
            assert sum(len(load.acknowledged) for load in loads) == known
            after = [resident_mib(stack.pid(f"broker-{n}")) for n in (1, 2)]
            print(f"{sent} sent in {pause} s without a commit, brokers {before} -> {after} MiB")
            assert max(after) < MEMORY_MIB and (pause != 16 or all(now - then < GROWTH_MIB for now, then in zip(after, before)))
            before = after
            for client in flood:
                client.close()
            wait_for(stack, "")
            wait_until(lambda: all(stack.http(f"broker-{n}", "/readyz")[0] == 200 for n in (1, 2)), 60)
            time.sleep(2)
        print(check(stack, loads), "acknowledged")
    finally:
        stack.close()
