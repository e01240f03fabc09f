"""Clients that are broken or mean: whatever they send, the others are served as before."""

import os
import random
import socket
import struct
import time

import msgpack
import pytest
import zmq
from helpers import Client, ROOT, SLOW, alive, wait_until

PROCESS = ROOT / "deploy/process"


def served(stack):
    """An honest client is answered at once, by the broker that was there from the beginning."""
    client = stack.client(timeout=5)
    began = time.monotonic()
    assert client.submit()
    assert time.monotonic() - began < 2 * SLOW
    client.close()
    assert alive(stack.pid("broker-1"))


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return msgpack.packb(value)


FRAMES = {
    "empty": b"", "one byte": b"\xc1", "text": b"GET / HTTP/1.1\r\n\r\n", "list that claims 4 billion": b"\xdd\xff\xff\xff\xff", "map that claims 4 billion": b"\xdf\xff\xff\xff\xff",
    "text that claims 4 GB": b"\xdb\xff\xff\xff\xff", "bytes that claim 4 GB": b"\xc6\xff\xff\xff\xff", "deep": deep(500), "very deep": b"\x91" * 100_000 + b"\xc0", "map as key": b"\x81\x80\x01",
    "doubled key": b"\x82\xa3dkt\x01\xa3dkt\x01", "bytes after the end": msgpack.packb({"dkt": 1, "id": 1, "op": "ping", "body": {}}) + b"\x00",
    "bad UTF-8": b"\x83\xa3dkt\x01\xa2id\x01\xa2op\xa4\xff\xfe\xfd\xfc", "NUL in text": msgpack.packb({"dkt": 1, "id": 1, "op": "ping\0", "body": {}}), "NaN as id": msgpack.packb({"dkt": 1, "id": float("nan"), "op": "ping", "body": {}}),
}


def test_garbage_is_answered_and_disturbs_nobody(stack):
    client = stack.client()
    for name, frame in FRAMES.items():
        client.send_raw(frame)
        answer = client.receive()
        assert answer is not None, name
        if name != "NaN as id":
            assert answer["ok"] is False and answer["error"]["code"] in ("malformed", "unsupported", "too_large", "invalid"), (name, answer)
    client.close()
    served(stack)


RIGHT = msgpack.packb({"dkt": 1, "id": 1, "op": "ticket.submit", "body": {"key": "k", "customer": "acme", "title": "t", "problem": "p", "equipment": {"a": "X"}}})
INSIDE = {
    "doubled key": b"\x82\xa1a\x01\xa1a\x02", "a number as key": b"\x81\x01\x01", "bytes as key": b"\x81\xc4\x01a\x01", "bad UTF-8": b"\x81\xa1a\xa1\xff", "bad UTF-8 in a key": b"\x81\xa1\xff\x01",
    "a surrogate": b"\x81\xa1a\xa3\xed\xa0\x80", "an overlong letter": b"\x81\xa1a\xa2\xc0\xaf", "NUL": b"\x81\xa1a\xa1\0", "an extension": b"\x81\xa1a\xd4\x05x", "an instant of MessagePack": b"\x81\xa1a\xd6\xff\0\0\0\x01", "the byte that means nothing": b"\x81\xa1a\xc1",
}


def test_what_breaks_the_form_deep_inside_is_malformed_as_a_whole(client):
    for name, inner in INSIDE.items():
        client.send_raw(RIGHT.replace(b"\x81\xa1a\xa1X", inner))
        answer = client.receive()
        assert answer["ok"] is False and answer["error"]["code"] == "malformed", (name, answer)
    assert client.refused("ticket.find", key="k").code == "not_found"


def test_every_truncation_and_many_mutations_of_a_request_store_nothing_half(stack):
    client = stack.client()
    whole = msgpack.packb({"dkt": 1, "id": 9, "op": "ticket.show", "body": {"tracking": "DKT-0000-0000-0001-E", "events_after": 3}})
    chance = random.Random(20261124)
    frames = [whole[:n] for n in range(len(whole))]
    frames += [bytes(byte if chance.random() > 0.05 else chance.randrange(256) for byte in whole) for _ in range(500)]
    frames += [os.urandom(chance.randrange(1, 300)) for _ in range(500)]
    for frame in frames:
        client.send_raw(frame)
    for _ in frames:
        answer = client.receive()
        assert answer is not None and answer["ok"] is False, answer
    client.close()
    served(stack)


def test_a_message_over_the_limit_is_too_large_and_one_over_4_mib_ends_only_that_connection(stack):
    client = stack.client()
    assert client.refused("ticket.submit", key="big", customer="acme", title="t", problem="x" * 1_200_000).code == "too_large"
    client.send_raw(b"\xc6" + struct.pack(">I", 5 << 20) + bytes(5 << 20))
    served(stack)
    client.close()


def test_req_sockets_are_served(stack):
    req = zmq.Context.instance().socket(zmq.REQ)
    req.linger = 0
    req.connect(stack.endpoint())
    for n in range(3):
        req.send(msgpack.packb({"dkt": 1, "id": n, "op": "ping", "body": {}}))
        assert req.poll(5000 * SLOW)
        assert msgpack.unpackb(req.recv())["id"] == n
    req.close()


def test_many_frames_or_none_at_all_disturb_nobody(stack):
    client = stack.client()
    client.send_raw(b"", b"", b"", b"x")
    client.send_raw(*[b"y"] * 50)
    client.close()
    served(stack)


def test_a_client_that_never_reads_disturbs_nobody(stack):
    mean = zmq.Context.instance().socket(zmq.DEALER)
    mean.linger, mean.rcvhwm, mean.sndhwm, mean.rcvbuf = 0, 1, 100_000, 4096
    mean.connect(stack.endpoint())
    tracking = stack.client().submit(problem="x" * 60_000)
    request = msgpack.packb({"dkt": 1, "id": 1, "op": "ticket.show", "body": {"tracking": tracking}})
    for _ in range(5000):
        try:
            mean.send(request, zmq.DONTWAIT)
        except zmq.Again:
            break
    for _ in range(5):
        served(stack)
    mean.close()
    served(stack)


def test_a_client_that_floods_leaves_the_others_their_share(stack):
    mean = Client(stack.endpoint())
    for n in range(20_000):
        mean.send("ping")
    served(stack)
    mean.close()
    served(stack)


@pytest.mark.parametrize("op", ["ticket.show", "events.since"])
def test_a_client_that_floods_with_readings_waits_behind_himself(op, stack, client):
    tracking = client.submit(problem="x" * 60_000)
    # A page of events is up to 1 MiB.
    many, mean = 2000 if op == "ticket.show" else 400, Client(stack.endpoint())
    cursor = client.call("events.since", limit=1, filter={"tracking": tracking})["cursor"] if op == "events.since" else None
    for _ in range(20 if cursor else 0):
        client.submit(problem="x" * 60_000)
    for n in range(many):
        mean.send(op, **({"cursor": cursor, "limit": 500} if cursor else {"tracking": tracking}))
    wait_until(lambda: client.call("stats")["requests_open"] > many // 2)
    for one, body in (("ticket.show", {"tracking": tracking}), ("ticket.list", {"limit": 1}), ("customer.list", {})):
        client.call(one, **body)
    assert client.call("stats")["requests_open"] > many // 4, "they were answered after all that came before them"
    mean.close()
    wait_until(lambda: client.call("stats")["requests_open"] == 1, 60)


FILES = {str(p.relative_to(PROCESS)): p.read_bytes() for p in PROCESS.rglob("*.yaml")}
LONG = {"process.whatif": {"files": FILES}, "process.simulate": {"files": FILES},
        "process.apply": {"files": FILES, "comment": "tried", "dry_run": True, "as": {"name": "boss", "role": "admin"}}}


@pytest.mark.parametrize("op", LONG)
def test_whoever_floods_with_what_takes_long_waits_behind_himself(stack, client, op):
    many = 60
    for _ in range(20):
        tracking = client.submit(problem="x" * 60_000)
    wait_until(lambda: client.call("ticket.show", tracking=tracking)["state"] == "triaged")
    mean = Client(stack.endpoint())
    for _ in range(many):
        mean.send(op, **LONG[op])
    wait_until(lambda: client.call("stats")["requests_open"] > many // 2)
    tracking = client.submit()
    wait_until(lambda: client.call("ticket.show", tracking=tracking)["state"] == "triaged", 60)  # the worker too is there for others
    left = client.call("stats")["requests_open"]
    mean.close()
    assert left > many // 4, "they were answered after all that came before them"
    wait_until(lambda: client.call("stats")["requests_open"] == 1, 60)


def test_connections_that_come_and_go_half_way_leave_nothing_behind(stack):
    port = int(stack.endpoint().rpartition(":")[2])
    fds = lambda: len(os.listdir(f"/proc/{stack.pid('broker-1')}/fd"))  # noqa: E731
    served(stack)
    before = fds()
    for n in range(200):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall([b"", b"\xff", b"GET / HTTP/1.0\r\n\r\n", b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL", os.urandom(64)][n % 5])
    for _ in range(50):
        client = stack.client()
        client.send("ticket.submit", key=f"gone-{random.random()}", customer="acme", title="t", problem="p")
        client.close()
    served(stack)
    wait_until(lambda: fds() <= before + 5, 45)


def test_a_list_that_does_not_fit_into_one_answer_is_refused(stack, client):
    """Mutes that ended lately, each with a long reason: more than an answer may hold, and no half of it."""
    with stack.db() as db:
        db.execute("""INSERT INTO mutes (made_at, owner, reason, from_at, until_at, ended, priority)
                      SELECT docket_now(), 'flood', repeat('x', 60000), docket_now() - 2000000, docket_now() - 1000000, true, 4 FROM generate_series(1, 120)""")
        try:
            assert client.refused("notification.mutes").code == "too_large"
        finally:
            db.execute("DELETE FROM mutes WHERE owner = 'flood'")
    client.call("notification.mutes")
