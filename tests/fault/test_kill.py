"""kill -9 of anything at random moments under load: what was answered is there, once, and no invariant is broken."""

import random
import time

import pytest
from helpers import Stack, wait_until
from load import KILLS, Load, check, kill_again

SECONDS = 25


@pytest.mark.limit(300)
@pytest.mark.parametrize("what", [*KILLS, "all"])
def test_nothing_is_lost_or_doubled_when_killed(what):
    chance = random.Random(f"{what}-20261124")
    stack = Stack(brokers=2, workers=2, notifiers=2)
    try:
        loads = [Load(stack, n) for n in range(8)]
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            time.sleep(chance.random() * 2)
            KILLS[what if what != "all" else chance.choice(list(KILLS))](stack, chance)
        time.sleep(1)
        print(what, check(stack, loads), "acknowledged")
    finally:
        stack.close()


@pytest.mark.limit(300)
def test_one_of_two_brokers_killed_again_and_again():
    """Always the same one, at once when it is back: its epochs follow one another faster than their leases."""
    stack = Stack(brokers=2, workers=2, notifiers=1)
    try:
        loads = [Load(stack, n) for n in range(8)]
        kill_again(stack, "broker-1", 20)
        print(check(stack, loads), "acknowledged")
        wait_until(lambda: stack.value("SELECT count(*) FROM brokers WHERE NOT settled") == 2, 30)
    finally:
        stack.close()


@pytest.mark.limit(300)
def test_the_database_stopped_and_started_under_load():
    stack = Stack()
    try:
        loads = [Load(stack, n) for n in range(4)]
        for _ in range(3):
            time.sleep(2)
            stack.kill("postgres")
            client = stack.client()
            began = time.monotonic()
            refusal = wait_until(lambda: (one := client_answer(client)) and not one["ok"] and one, 10)
            assert refusal["error"]["code"] == "unavailable" and refusal["error"]["retry"] is True and time.monotonic() - began < 10
            client.close()
            stack.up()
        time.sleep(2)
        check(stack, loads)
    finally:
        stack.close()


def client_answer(client):
    client.send("ticket.submit", key=f"away-{random.random()}", customer="c", title="t", problem="p")
    return client.receive(5)
