"""Sends many conversations to a broker at once, each in its own order: a small pipelining client of DKT/1."""

import collections
import time

import msgpack
import zmq

WINDOW = 128  # conversations that wait for an answer at the same time
SILENCE_S = 30


class ReplayError(Exception):
    """The broker refused, or fell silent."""


class Broker:
    """One connection; requests are numbered, answers come in any order."""

    def __init__(self, endpoint):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(endpoint)
        self.last = 0

    def send(self, op, body):
        self.last += 1
        self.socket.send(msgpack.packb({"dkt": 1, "id": self.last, "op": op, "body": body}))
        return self.last

    def receive(self):
        if not self.socket.poll(SILENCE_S * 1000):
            raise ReplayError(f"no answer within {SILENCE_S} s")
        return msgpack.unpackb(self.socket.recv(), strict_map_key=False)

    def call(self, op, body=None):
        """One request, its answer's body."""
        sent = self.send(op, body or {})
        answer = self.receive()
        while answer["id"] != sent:
            answer = self.receive()
        if not answer["ok"]:
            raise ReplayError(f"{op}: {answer['error']['code']}: {answer['error']['message']}")
        return answer["body"]

    def close(self):
        self.socket.close()


def run(broker, conversations, on_answer):
    """Runs generators that yield (op, body) and are sent the answer's body, WINDOW of them at once. on_answer(seconds) is called for each
    answer. An op that is refused ends everything: a replay has no op that may be refused."""
    waiting = collections.deque(conversations)
    running = {}

    def go_on(conversation, value):
        try:
            op, body = conversation.send(value)
        except StopIteration:
            return
        running[broker.send(op, body)] = (conversation, op, time.monotonic())

    while waiting or running:
        while waiting and len(running) < WINDOW:
            go_on(waiting.popleft(), None)
        if not running:
            continue
        answer = broker.receive()
        conversation, op, sent_at = running.pop(answer["id"])
        if not answer["ok"]:
            raise ReplayError(f"{op}: {answer['error']['code']}: {answer['error']['message']}")
        on_answer(time.monotonic() - sent_at)
        go_on(conversation, answer["body"])
