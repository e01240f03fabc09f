"""Short forms of the fault tests: everything killed once under load, and a backlog that does not fit into memory."""

import random
import signal
import time

import pytest
from helpers import Client, Stack, alive, wait_until
from load import KILLS, Load, check, kill_again


@pytest.mark.limit(180)
def test_nothing_is_lost_or_doubled_when_each_program_is_killed_once_under_load():
    chance = random.Random()
    stack = Stack(brokers=2, workers=2, notifiers=2)
    try:
        loads = [Load(stack, n) for n in range(4)]
        for what in chance.sample([*KILLS, "broker"], len(KILLS) + 1):
            time.sleep(chance.random())
            KILLS[what](stack, chance)
        time.sleep(0.5)
        assert check(stack, loads) > 50
    finally:
        stack.close()


def test_one_of_two_brokers_killed_again_and_again_for_some_seconds():
    stack = Stack(brokers=2, workers=1, notifiers=1)
    try:
        loads = [Load(stack, n) for n in range(4)]
        kill_again(stack, "broker-1", 4)
        check(stack, loads)
    finally:
        stack.close()


@pytest.mark.limit(180)
def test_a_backlog_larger_than_the_broker_s_memory_waits_in_the_table_and_is_worked_off():
    count, most = 6000, 500
    stack = Stack(workers=0, notifiers=0)
    try:
        with stack.config("broker-1").open("a") as config:
            config.write(f"queue_max: {most}\n")
        stack.kill("broker-1", signal.SIGTERM)
        wait_until(lambda: not alive(stack.pid("broker-1")))
        stack.up()
        client = Client(stack.endpoint())
        for n in range(count):
            client.send("ticket.submit", key=f"b{n}", customer=f"c{n % 7}", title=f"T {n}", problem="p", impact="question")
        assert all(client.receive()["ok"] for _ in range(count))
        wait_until(lambda: (stats := client.call("stats"))["wakes"]["total"] <= most and stats["pending"] == 0)
        assert stack.value("SELECT count(*) FROM tickets") == count and stack.value("SELECT count(*) FROM desk WHERE owner IS NULL") >= count - most
        stack._stack("up", "--workers", "1")
        wait_until(lambda: stack.value("SELECT count(*) FROM desk WHERE priority IS NOT NULL") == count, 60, 0.1)
        assert client.call("stats")["wakes"]["total"] <= most
        stack.verify()
        client.close()
    finally:
        stack.close()
