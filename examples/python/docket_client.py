"""A client of Docket in 60 lines: several brokers, fail-over with the same key. Needs pyzmq and msgpack.

    client = Client(["tcp://127.0.0.1:7401", "tcp://10.0.0.2:7401"])
    print(client.call("ticket.submit", customer="acme", title="No calls", problem="All calls fail")["tracking"])
"""
import os
import sys
import time
import uuid

import msgpack
import zmq

READING = {"find", "show", "list", "get", "explain", "since", "who", "oncall.next", "why", "mutes", "forecast", "whatif", "simulate", "ping", "stats"}


class Refused(Exception):
    """The broker said no: its argument is {"code", "message", "field"?, "retry", "retry_after_ms"?}."""


class Client:
    def __init__(self, brokers, timeout=10.0):
        self.brokers, self.timeout, self.at, self.last_id = brokers, timeout, 0, 0
        self.context, self.socket = zmq.Context.instance(), None

    def call(self, op, **body):
        """Gives the answer's body. What changes something gets a key, so that repeating it is safe."""
        if not READING & {op, op.split(".")[-1]}:
            body.setdefault("key", uuid.uuid4().hex)
        for attempt in range(2 * len(self.brokers)):
            answer = self._ask(op, body)
            if answer is not None and (answer["ok"] or not answer["error"]["retry"]):
                break
            self._next_broker()
            rest_ms = answer["error"].get("retry_after_ms", 0) if answer else 0
            time.sleep(max(rest_ms / 1000, 0.2 if attempt >= len(self.brokers) - 1 else 0))
        if answer is None:
            raise TimeoutError(f"no broker answered; repeat with key={body.get('key')}")
        if not answer["ok"]:
            raise Refused(answer["error"])
        return answer["body"]

    def _ask(self, op, body):
        if self.socket is None:
            self.socket = self.context.socket(zmq.DEALER)
            self.socket.connect(self.brokers[self.at])
        self.last_id += 1
        self.socket.send(msgpack.packb({"dkt": 1, "id": self.last_id, "op": op, "body": body}))
        end = time.monotonic() + self.timeout
        while self.socket.poll(max(0, int((end - time.monotonic()) * 1000))):
            answer = msgpack.unpackb(self.socket.recv(), raw=False)
            if answer["id"] == self.last_id:
                return answer
        return None

    def _next_broker(self):
        self.socket.close(linger=0)
        self.socket, self.at = None, (self.at + 1) % len(self.brokers)


if __name__ == "__main__":
    where = os.environ.get("DOCKET_BROKERS", "tcp://127.0.0.1:7401").split(",")
    client = Client(where, float(os.environ.get("DOCKET_TIMEOUT", "10")))
    ticket = dict(zip(("customer", "title", "problem"), sys.argv[1:]))
    print(client.call("ticket.submit", **ticket)["tracking"])
