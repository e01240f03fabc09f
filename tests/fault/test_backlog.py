"""A backlog that does not fit into a broker's memory waits in the table, and is worked off whole."""

import pathlib
import time

import pytest
from helpers import Client, Stack, wait_until

COUNT = 100_000
WINDOW = 2000
MEMORY_MIB = 400
COMMITTING_MAX = 2000 + 1000  # decisions that may wait for their commit, and what may be at the workers when it is reached


def resident_mib(pid):
    return int(next(line.split()[1] for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))) / 1024


@pytest.mark.limit(600)
def test_100_000_tickets_wait_without_filling_the_broker_s_memory():
    stack = Stack(workers=0, notifiers=0)
    try:
        client = Client(stack.endpoint())
        sent = answered = 0
        began = time.monotonic()
        while answered < COUNT:
            while sent < COUNT and sent - answered < WINDOW:
                client.send("ticket.submit", key=f"b{sent}", customer=f"c{sent % 50}", title=f"T {sent}", problem="p" * 200, impact="question")
                sent += 1
            answer = client.receive()
            assert answer and answer["ok"], answer
            answered += 1
        rate = COUNT / (time.monotonic() - began)
        resident = resident_mib(stack.pid("broker-1"))
        print(f"posted {rate:,.0f}/s, broker {resident:.0f} MiB")
        assert resident < MEMORY_MIB
        stack.options["workers"] = 1
        stack._stack("up", "--workers", "1", "--timeout", "60")
        began = time.monotonic()
        committing = []
        wait_until(lambda: committing.append(client.call("stats")["wakes"]["committing"]) or stack.value("SELECT count(*) FROM desk WHERE priority IS NOT NULL") == COUNT, 240, 0.2)
        assert max(committing) <= COMMITTING_MAX  # a worker decides faster than the database commits
        print(f"decided {COUNT / (time.monotonic() - began):,.0f}/s, broker {resident_mib(stack.pid('broker-1')):.0f} MiB")
        assert resident_mib(stack.pid("broker-1")) < MEMORY_MIB
        stack.verify()
        client.close()
    finally:
        stack.close()
