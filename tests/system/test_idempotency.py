"""The same key twice, whatever happens in between: one ticket, one change."""

import hashlib
import random

import msgpack
import pytest
from helpers import ADA, Client, id_of, ticket_of

CONNECTIONS = 50


def posting(key, **change):
    return {"key": key, "customer": "acme", "title": "Once", "problem": "p", "equipment": {"a": 1, "b": 2}, **change}


def fresh():
    return f"once-{random.getrandbits(64):x}"


def at_once(clients, op, **body):
    """Sends from all clients before the first answer is read; the answers' bodies."""
    for client in clients:
        client.send(op, **body)
    answers = [client.receive() for client in clients]
    assert all(answer and answer["ok"] for answer in answers), answers
    return [answer["body"] for answer in answers]


def test_one_key_at_once_from_50_connections_makes_one_ticket(stack):
    clients = [stack.client() for _ in range(CONNECTIONS)]
    for _ in range(10):
        key = fresh()
        answers = at_once(clients, "ticket.submit", **posting(key))
        assert len({answer["tracking"] for answer in answers}) == 1
        assert [answer["duplicate"] for answer in answers].count(False) == 1
        assert clients[0].call("ticket.find", key=key)["tracking"] == answers[0]["tracking"]
    for client in clients:
        client.close()


def test_one_key_at_once_over_two_brokers_makes_one_ticket(pair):
    clients = [pair.client(1 + n % 2) for n in range(CONNECTIONS)]
    for _ in range(20):
        answers = at_once(clients, "ticket.submit", **posting(fresh()))
        assert len({answer["tracking"] for answer in answers}) == 1
        assert [answer["duplicate"] for answer in answers].count(False) == 1
    for client in clients:
        client.close()


def test_the_same_content_written_otherwise_is_a_duplicate(client):
    first = client.call("ticket.submit", **posting("same-" + fresh()))
    assert first["duplicate"] is False
    key = fresh()
    tracking = client.call("ticket.submit", **posting(key))["tracking"]
    for change in ({"equipment": {"b": 2, "a": 1}}, {"channel": "ticket"}, {"configuration": {}}, {"impact": None}, {"take": False}):
        again = client.call("ticket.submit", **posting(key, **change))
        assert (again["tracking"], again["duplicate"]) == (tracking, True), change


@pytest.mark.parametrize("change", [{"title": "Other"}, {"problem": "q"}, {"equipment": {"a": 1}}, {"customer": "other"}, {"impact": "down"}])
def test_the_same_key_with_other_content_is_a_conflict(client, change):
    key = fresh()
    tracking = client.call("ticket.submit", **posting(key))["tracking"]
    assert client.refused("ticket.submit", **posting(key, **change)).code == "conflict"
    assert client.call("ticket.submit", **posting(key))["tracking"] == tracking


def test_an_op_repeated_with_its_key_changes_nothing_more(client):
    tracking, key = client.submit(), fresh()
    client.decided(tracking)
    first = client.call("ticket.comment", tracking=tracking, text="Once.", public=True, as_=ADA, key=key)
    again = client.call("ticket.comment", tracking=tracking.lower(), text="Once.", public=True, as_=ADA, key=key)
    assert again["duplicate"] is True and again["version"] == first["version"]
    assert [event["kind"] for event in ticket_of(client.show(tracking))["events"]].count("commented") == 1
    assert client.refused("ticket.comment", tracking=tracking, text="Twice.", as_=ADA, key=key).code == "conflict"
    assert client.refused("ticket.take", tracking=tracking, as_=ADA, key=key).code == "conflict"


def test_a_key_of_a_posting_is_taken_for_all_ops(client):
    key = fresh()
    tracking = client.submit(key=key)
    assert client.refused("ticket.take", tracking=tracking, as_=ADA, key=key).code == "conflict"


def test_an_op_at_once_from_many_connections_over_two_brokers_happens_once(pair):
    clients = [pair.client(1 + n % 2) for n in range(10)]
    for _ in range(10):
        tracking = clients[0].submit()
        at_once(clients, "ticket.comment", tracking=tracking, text="Once.", as_=ADA, key=fresh())
        assert [event["kind"] for event in ticket_of(clients[0].show(tracking))["events"]].count("commented") == 1
    for client in clients:
        client.close()


def test_a_customer_put_at_once_over_two_brokers_happens_once(pair):
    clients = [pair.client(1 + n % 2) for n in range(10)]
    for n in range(10):
        answers = at_once(clients, "customer.put", customer={"id": f"twice-{n}", "name": "Twice", "package": "standard"}, as_=ADA, key=fresh())
        assert [answer["duplicate"] for answer in answers].count(False) == 1
    for client in clients:
        client.close()


def test_a_posting_and_an_op_with_one_key_at_once_over_two_brokers_are_never_both_done(pair):
    first, second = pair.client(1), pair.client(2)
    tracking = first.submit()
    first.decided(tracking)
    for n in range(40):
        key = fresh()
        first.send("ticket.submit", **posting(key))
        second.send("ticket.comment", tracking=tracking, text="Race.", as_=ADA, key=key)
        answers = [first.receive(), second.receive()]
        assert [answer["ok"] for answer in answers].count(True) == 1, answers
        assert next(answer["error"]["code"] for answer in answers if not answer["ok"]) == "conflict"
    first.close(), second.close()


def test_a_refusal_is_not_remembered(client):
    tracking, key = client.submit(), fresh()
    assert client.refused("ticket.approve", tracking=tracking, text="x", as_=ADA, key=key).code == "conflict"
    client.call("ticket.resolve", tracking=tracking, text="done", as_=ADA)
    assert client.call("ticket.approve", tracking=tracking, text="x", as_=ADA, key=key)["version"]


def digest(*fields):
    """Of a submit's content, as it is stored: the op, then each field's number and value."""
    return hashlib.blake2b(b"".join(msgpack.packb(part) for part in ("ticket.submit", *fields)), digest_size=16).digest()


def test_what_was_posted_before_its_form_was_asked_for_is_answered_again(client, stack):
    """A title of two lines was a title once: who got no answer then and repeats is told that it is in. New, it is refused."""
    body, title = {"key": fresh(), "customer": "acme", "title": "one", "problem": "p"}, "one\r\ntwo\x85"
    first = client.call("ticket.submit", **body)
    with stack.db() as db:
        ticket = id_of(first["tracking"])
        assert bytes(db.execute("SELECT content_digest FROM tickets WHERE id = %s", (ticket,)).fetchone()[0]) == digest(4, "acme", 6, "one", 7, "p")
        db.execute("UPDATE tickets SET title = %s, content_digest = %s WHERE id = %s", (title, digest(4, "acme", 6, title, 7, "p"), ticket))
    for body["title"] in title, title:
        assert client.call("ticket.submit", **body) == {**first, "duplicate": True}
    assert client.refused("ticket.submit", **{**body, "title": "other\nlines"}).field == "key"
    assert client.refused("ticket.submit", **{**body, "key": fresh()}).field == "title"
    assert client.refused("ticket.submit", **{**body, "title": "fine", "titel": "x"}).field == "titel"
    assert client.refused("ticket.comment", key=body["key"], tracking=first["tracking"], text="x", as_={**ADA, "name": "a\nb"}).field == "key"


def test_pipelined_requests_are_all_answered_and_changes_of_one_ticket_keep_their_order(client):
    tracking = client.submit()
    client.decided(tracking)
    sent = [client.send("ticket.comment", tracking=tracking, text=f"Word {n}", as_=ADA) for n in range(200)]
    answers = {answer["id"]: answer for answer in (client.receive() for _ in sent)}
    assert set(answers) == set(sent) and all(answer["ok"] for answer in answers.values())
    versions = [answers[one]["body"]["version"] for one in sent]
    assert versions == sorted(versions) and len(set(versions)) == len(versions)
    texts = [event["body"]["text"] for event in ticket_of(client.show(tracking))["events"] if event["kind"] == "commented"]
    assert texts == [f"Word {n}" for n in range(200)]


def test_thousands_of_postings_in_flight_are_answered_once_each(stack):
    client = Client(stack.endpoint())
    sent = {client.send("ticket.submit", key=f"{fresh()}-{n}", customer=f"c{n % 7}", title=f"T{n}", problem="p") for n in range(3000)}
    answers = [client.receive() for _ in range(3000)]
    assert {answer["id"] for answer in answers} == sent and all(answer["ok"] for answer in answers)
    assert len({answer["body"]["tracking"] for answer in answers}) == 3000
    client.close()
