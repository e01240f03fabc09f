"""Load while anything is killed, and what must be true afterwards: used by tests/system for seconds and by tests/fault for minutes."""

import random
import threading
import time

from helpers import ADA, Client, ticket_of, wait_until


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
    """Ends the load. Everything acknowledged is there, once; the invariants hold; what was posted gets decided. How many were acknowledged."""
    for load in loads:
        load.over.set()
    for load in loads:
        load.join()
        assert load.fault is None, load.fault
    stack.up()
    acknowledged = {key: tracking for load in loads for key, tracking in load.acknowledged.items()}
    comments = {key: tracking for load in loads for key, tracking in load.comments.items()}
    assert len(acknowledged) > 20 and len(set(acknowledged.values())) == len(acknowledged)
    client = wait_until(lambda: stack.client(), 5)
    for key, tracking in acknowledged.items():
        assert client.call("ticket.find", key=key)["tracking"] == tracking
    chosen = random.sample(sorted(comments), min(200, len(comments)))
    for key in chosen:
        texts = [event["body"].get("text") for event in ticket_of(client.show(comments[key]))["events"] if event["kind"] == "commented"]
        assert texts == [key]
    wait_until(stack.is_settled, 60, 0.2)
    client.close()
    stack.verify()
    return len(acknowledged)


def kill_again(stack, name, times):
    """Always the same one, now and then a moment away, else at once back."""
    for n in range(times):
        stack.kill(name)
        time.sleep(0.2 * (n % 2))
        stack.up()


def backends(stack, _):
    with stack.db() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")


def process(name):
    """kill -9, a moment without it, and it is there again."""
    def kill(stack, chance):
        stack.kill(name if name == "postgres" else f"{name}-{chance.randint(1, stack.options[name + 's'])}")
        time.sleep(chance.random() * 0.5)
        stack.up()

    return kill


KILLS = {"broker": process("broker"), "worker": process("worker"), "notifier": process("notifier"), "backends": backends, "postgres": process("postgres")}
