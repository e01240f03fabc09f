"""kill -9 of anything at random moments under load: what was answered is there, once, and no invariant is broken."""

import random
import threading
import time

import pytest
from helpers import ADA, Client, Stack, wait_until

SECONDS = 25


class Load(threading.Thread):
    """Posts and comments without a pause. A client that hears nothing goes to the next broker with the same key. Remembers what was answered."""

    def __init__(self, stack, n):
        super().__init__(daemon=True)
        self.endpoints, self.n = stack.env["DOCKET_BROKERS"].split(","), n
        self.acknowledged, self.comments, self.over, self.fault = {}, {}, threading.Event(), None
        self.start()

    def patient(self, op, **body):
        """Repeats until a success; None when the load is over."""
        while not self.over.is_set():
            answer = None
            self.client.send(op, **body)
            answer = self.client.receive(2)
            if answer and answer["id"] == self.client.last and answer["ok"]:
                return answer["body"]
            if answer and not answer["ok"] and not answer["error"]["retry"]:
                raise AssertionError(f"{op}: {answer['error']}")
            if answer is None:
                self.client.close()
                self.endpoints.append(self.endpoints.pop(0))
                self.client = Client(self.endpoints[0])
            else:
                time.sleep(0.05)
        return None

    def run(self):
        self.client = Client(self.endpoints[self.n % len(self.endpoints)])
        count = 0
        try:
            while not self.over.is_set():
                key = f"load-{self.n}-{count}"
                count += 1
                posted = self.patient("ticket.submit", key=key, customer=f"c{self.n}", title=f"T {count}", problem="p", impact="question")
                if posted is None:
                    break
                self.acknowledged[key] = posted["tracking"]
                if count % 3 == 0 and self.patient("ticket.comment", tracking=posted["tracking"], text=key, as_=ADA, key=key + "-c"):
                    self.comments[key] = posted["tracking"]
        except Exception as fault:  # told by the test, not by a thread
            self.fault = fault
        self.client.close()


def check(stack, loads):
    """Everything acknowledged is there, once; the invariants hold; what was posted gets decided."""
    for load in loads:
        assert load.fault is None, load.fault
    acknowledged = {key: tracking for load in loads for key, tracking in load.acknowledged.items()}
    comments = {key: tracking for load in loads for key, tracking in load.comments.items()}
    assert len(acknowledged) > 20 and len(set(acknowledged.values())) == len(acknowledged)
    client = wait_until(lambda: stack.client(), 5)
    for key, tracking in acknowledged.items():
        assert client.call("ticket.find", key=key)["tracking"] == tracking
    chosen = random.sample(sorted(comments), min(200, len(comments)))
    for key in chosen:
        texts = [event["body"].get("text") for event in client.call("ticket.show", tracking=comments[key]).get("ticket", client.show(comments[key]))["events"] if event["kind"] == "commented"]
        assert texts == [key]
    wait_until(lambda: stack.value("SELECT count(*) FROM tickets t LEFT JOIN desk d ON d.ticket = t.id WHERE d.priority IS NULL") == 0, 60, 0.2)
    client.close()
    stack.verify()
    return len(acknowledged)


def backends(stack, _):
    with stack.db() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")


def process(name):
    def kill(stack, chance):
        stack.kill(name if name == "postgres" else f"{name}-{chance.randint(1, 2)}")
        time.sleep(chance.random() * 0.5)
        stack.up()

    return kill


KILLS = {"broker": process("broker"), "worker": process("worker"), "notifier": process("notifier"), "backends": backends, "postgres": process("postgres")}


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
        for load in loads:
            load.over.set()
        for load in loads:
            load.join()
        stack.up()
        print(what, check(stack, loads), "acknowledged")
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
        for load in loads:
            load.over.set()
        for load in loads:
            load.join()
        check(stack, loads)
    finally:
        stack.close()


def client_answer(client):
    client.send("ticket.submit", key=f"away-{random.random()}", customer="c", title="t", problem="p")
    return client.receive(5)
