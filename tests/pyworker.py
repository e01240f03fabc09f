"""A worker in forty lines, written from docs/protocol-workers.md alone. It decides by itself: all is priority 3."""

import contextlib
import threading
import time

import msgpack
import zmq


def decide(work, process):
    """Triage and nothing else: one clock that is never due."""
    ticket = work["ticket"]
    clock = {"clock": "response", "cycle": 1, "state": "running", "promise_s": 21600, "working": False, "started_at": ticket["posted_at"], "due_at": ticket["posted_at"] + 21_600_000_000,
             "warn_at": None, "warned": 0, "met_at": None, "calendar": "24x7", "as_of_at": work["now"], "worked_s": 0, "paused_s": 0, "left_s": 21600}
    return {"set": {"priority": ticket["priority"] or 3}, "clocks": ticket["clocks"] or [clock], "trace": {"rules": []}, "process": process, "zones": ""}


class Died(Exception):
    """Raised by decide: the worker ends without a word."""


class PyWorker(threading.Thread):
    def __init__(self, endpoint, name="python", credits=10, decide=decide):
        super().__init__(daemon=True)
        self.endpoint, self.worker_name, self.credits, self.decide = endpoint, name, credits, decide
        self.stop, self.seen, self.process = threading.Event(), [], None
        self.start()

    def say(self, op, body, work=None):
        self.socket.send(msgpack.packb({"dkt": 1, "op": op, "id": work, "body": body}))

    def run(self):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(self.endpoint)
        self.say("hello", {"name": self.worker_name, "version": "1", "zones": ""})
        with contextlib.suppress(Died):
            self.work_on()
        self.socket.close()

    def work_on(self):
        spoken = time.monotonic()
        while not self.stop.is_set():
            if self.socket.poll(100):
                message = msgpack.unpackb(self.socket.recv(), strict_map_key=False)
                getattr(self, "on_" + message["op"].rstrip("?"), lambda _: None)(message)
            if time.monotonic() - spoken > 0.8:
                self.say("heartbeat", {})
                spoken = time.monotonic()

    def on_hello(self, _):
        self.say("hello", {"name": self.worker_name, "version": "1", "zones": ""})

    def on_welcome(self, message):
        self.on_process({"body": message["body"]["process"]} if message["body"]["process"] else None)

    def on_process(self, message):
        if message:
            self.process = message["body"]["hash"]
            self.say("ready", {"credits": self.credits, "process": self.process})

    def on_work(self, message):
        self.seen.append(message)
        decision = self.decide(message["body"], self.process)
        if decision is not None:
            self.say("decision", decision, message["id"])

    def leave(self):
        self.stop.set()
        self.join()
