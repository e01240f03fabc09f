"""The life cycle beyond one ticket and one op: lists, parents and children, meetings, correlation, whose turn is next."""

import contextlib
import itertools
import random
import threading
import time

import pytest
from helpers import ADA, BEN, CUSTOMER, MACHINE, SLOW, id_of, ticket_of, wait_until

counter = itertools.count()


def unique(name):
    return f"{name}-{next(counter)}"


def decided(client, count, **fields):
    posted = [client.submit(**fields) for _ in range(count)]
    for tracking in posted:
        client.decided(tracking)
    return posted


def kinds(client, tracking):
    return [event["kind"] for event in ticket_of(client.show(tracking))["events"]]


def event(client, tracking, kind):
    """The last event of the kind, or None."""
    found = [event for event in ticket_of(client.show(tracking))["events"] if event["kind"] == kind]
    return found[-1] if found else None


# ---- lists of tickets ----


def test_one_op_for_a_list_gives_a_result_of_each(client):
    good, closed = decided(client, 2), decided(client, 1)[0]
    client.call("ticket.close", tracking=closed, reason="spam", text="no", as_=ADA)
    unknown = "DKT-0000-0000-0001-E"
    answer = client.call("ticket.resolve", tracking=[*good, good[0].lower(), closed, unknown], text="All done.", as_=ADA)
    results = {result["tracking"]: result for result in answer["results"]}
    assert set(results) == {*good, closed, unknown} and len(answer["results"]) == 4, "each ticket once"
    assert all(results[tracking]["version"] > 1 and "error" not in results[tracking] for tracking in good)
    assert (results[closed]["error"]["code"], results[unknown]["error"]["code"]) == ("conflict", "not_found")
    assert all(ticket_of(client.show(tracking))["state"] == "resolved" for tracking in good)


def test_a_list_repeated_with_its_key_is_done_once(client):
    posted, key = decided(client, 3), unique("list-key")
    first = client.call("ticket.comment", tracking=posted, text="Once.", key=key, as_=ADA)
    again = client.call("ticket.comment", tracking=list(reversed(posted)), text="Once.", key=key, as_=ADA)
    assert not first["duplicate"] and again["duplicate"]
    assert [result["version"] for result in first["results"]] == [result["version"] for result in again["results"]]
    assert all(kinds(client, tracking).count("commented") == 1 for tracking in posted)
    assert client.refused("ticket.comment", tracking=posted[:2], text="Once.", key=key, as_=ADA).code == "conflict"
    assert client.refused("ticket.comment", tracking=posted[0], text="Other.", key=key, as_=ADA).code == "conflict"
    assert all(kinds(client, tracking).count("commented") == 1 for tracking in posted), "the refused ones changed nothing"


@pytest.mark.parametrize("op, fields", [
    ("assign", {"staff": "ben"}), ("prioritize", {"priority": 2, "reason": "r"}), ("wait", {"on": "customer", "reason": "r"}), ("resume", {}),
    ("release", {"reason": "r"}), ("close", {"reason": "withdrawn", "text": "t"}),
])
def test_each_op_of_lists_takes_a_list(client, op, fields):
    posted = decided(client, 2)
    if op == "resume":
        client.call("ticket.wait", tracking=posted, on="customer", reason="r", as_=ADA)
    assert all("version" in result for result in client.call("ticket." + op, tracking=posted, as_=ADA, **fields)["results"])


def test_a_bad_list_is_refused_whole(client):
    tracking = client.submit()
    for wrong, code in ([], "invalid"), ([tracking, "DKT-1"], "invalid"), ([tracking, 7], "invalid"), ([tracking] * 501, "too_large"):
        refusal = client.refused("ticket.comment", tracking=wrong, text="x", as_=ADA)
        assert (refusal.code, refusal.field) == (code, "tracking")
    assert client.refused("ticket.comment", tracking=[tracking], text="x", if_version=1, as_=ADA).field == "if_version"
    assert client.refused("ticket.take", tracking=[tracking], as_=ADA).field == "tracking"
    assert "commented" not in kinds(client, tracking)


def test_a_list_on_the_command_line(stack, client):
    first, second = decided(client, 2)
    done = stack.docket("comment", first, second, "--text", "Both.")
    assert done.returncode == 0 and [line.split()[0] for line in done.stdout.splitlines()] == sorted([first, second])
    client.call("ticket.close", tracking=first, reason="spam", text="no", as_=ADA)
    done = stack.docket("resolve", first, second, "--text", "Done.")
    assert done.returncode == 1 and "conflict" in done.stdout and "version" in done.stdout


# ---- parents and children ----


def family(client, count, **fields):
    """(parent, children), linked."""
    parent, children = decided(client, 1)[0], decided(client, count, **fields)
    answer = client.call("ticket.link", tracking=children, to=parent, as_link="child", as_=ADA)
    assert all("version" in result for result in answer["results"])
    return parent, children


def test_public_words_waiting_and_resolving_of_a_parent_are_an_event_of_each_child(client):
    parent, children = family(client, 3, customer=unique("kid"))
    closed = children.pop()
    client.call("ticket.close", tracking=closed, reason="withdrawn", text="gone", as_=ADA)
    client.call("ticket.comment", tracking=parent, text="Among us.", as_=ADA)
    client.call("ticket.comment", tracking=parent, text="A cable is cut.", public=True, as_=ADA)
    client.call("ticket.wait", tracking=parent, on="vendor", vendor="Telco", reason="They dig.", proposal="Wait until noon.", as_=ADA)
    client.call("ticket.resume", tracking=parent, on="vendor", reason="Done.", as_=ADA)
    client.call("ticket.resolve", tracking=parent, text="Spliced.", as_=ADA)
    for child in children:
        wait_until(lambda child=child: ticket_of(client.show(child))["state"] == "resolved")
        assert [kind for kind in kinds(client, child) if kind in ("commented", "waiting", "resumed", "resolved")] == ["commented", "waiting", "resumed", "resolved"], "in order, each once"
        words = event(client, child, "commented")
        assert (words["body"]["text"], words["body"]["parent"], words["as"]["name"], words["public"]) == ("A cable is cut.", parent, "ada", True)
        clocks = wait_until(lambda child=child: {clock["clock"]: clock for clock in ticket_of(client.show(child))["clocks"] if clock["clock"] == "response" and clock["met_at"]})
        assert clocks["response"]["state"] == "met", "the parent's words meet the child's clocks"
    assert ticket_of(client.show(closed))["state"] == "closed"


def test_what_a_parent_says_reaches_each_customer_once(client):
    one, other = unique("twice"), unique("once")
    parent, twins = family(client, 2, customer=one)
    single = decided(client, 1, customer=other)[0]
    contact = decided(client, 1, customer=one, contact={"email": "someone@localhost"})[0]
    client.call("ticket.link", tracking=[single, contact], to=parent, as_link="child", as_=ADA)
    client.call("ticket.comment", tracking=parent, text="We know.", public=True, as_=ADA)

    def told(tracking):
        return [message["state"] for message in ticket_of(client.show(tracking))["messages"] if message["kind"] == "update"]

    wait_until(lambda: all(told(tracking) for tracking in (*twins, single, contact)))
    assert sorted("merged" in told(tracking) for tracking in twins) == [False, True]
    assert "merged" not in told(single) + told(contact) + told(parent)


def test_families_have_one_level(client):
    parent, (child,) = family(client, 1)
    third = decided(client, 1)[0]
    for tracking, to in (third, child), (parent, third):
        refusal = client.refused("ticket.link", tracking=tracking, to=to, as_link="child", as_=ADA)
        assert (refusal.code, refusal.field) == ("conflict", "as_link")


def test_children_get_what_a_dead_broker_left(pair):
    client = pair.client(2)
    parent, children = family(client, 40)
    pair.client(1).call("ticket.comment", tracking=parent, text="Before the crash.", public=True, as_=ADA)
    pair.kill("broker-1")
    pair.up()
    wait_until(lambda: all(kinds(client, child).count("commented") == 1 for child in children), 30)
    assert pair.value("SELECT count(*) FROM fanouts") == 0 or wait_until(lambda: pair.value("SELECT count(*) FROM fanouts") == 0)
