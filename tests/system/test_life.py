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


# ---- whose turn is next ----


def test_fifty_people_who_pull_at_once_never_get_the_same_ticket(pair):
    client, queue = pair.client(1), unique("crowd")
    posted = [client.submit(customer="crowd") for _ in range(60)]
    for tracking in posted:
        client.decided(tracking)
        client.call("ticket.update", tracking=tracking, set={"queue": queue}, as_=ADA)
    got, start = [], threading.Barrier(50)

    def pull(n):
        with contextlib.closing(pair.client(1 + n % 2)) as mine:
            start.wait()
            got.append(mine.call("ticket.next", queues=[queue], as_={"name": f"person-{n}", "role": "staff"})["ticket"])

    people = [threading.Thread(target=pull, args=(n,)) for n in range(50)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(got) == 50 and all(got), "everybody got one"
    assert len({ticket["tracking"] for ticket in got}) == 50, "and nobody the same"
    assert {ticket["assignee"] for ticket in got} == {f"person-{n}" for n in range(50)}


def test_next_gives_replies_first_then_p1_then_what_is_due_earliest(client):
    queue, me = unique("turns"), {"name": unique("turner"), "role": "staff"}
    resolved, later, p1, sooner = (client.submit(impact=impact) for impact in ("impaired", "question", "down", "degraded"))
    for tracking in resolved, later, p1, sooner:
        client.decided(tracking)
        client.call("ticket.update", tracking=tracking, set={"queue": queue}, as_=ADA)
    client.call("ticket.resolve", tracking=resolved, text="Done.", as_=ADA)
    client.call("ticket.comment", tracking=resolved, text="Is it? I am not sure.", as_=CUSTOMER)
    wait_until(lambda: ticket_of(client.show(resolved))["reply_pending"])
    # Of one priority, the earlier due time is first, whatever was posted first.
    for tracking in later, sooner:
        client.call("ticket.prioritize", tracking=tracking, priority=3, reason="alike", as_=ADA)
    client.call("ticket.comment", tracking=later, text="Words move the update clock.", public=True, as_=ADA)
    client.call("ticket.wait", tracking=later, on="vendor", vendor="V", proposal="p", reason="r", as_=ADA)
    client.call("ticket.take", tracking=later, as_=ADA)
    client.call("ticket.release", tracking=later, reason="r", as_=ADA)
    wait_until(lambda: all({"priority": 3}.items() <= {"priority": ticket_of(client.show(t))["priority"]}.items() for t in (later, sooner)))
    dues = {tracking: min(clock["due_at"] for clock in ticket_of(client.show(tracking))["clocks"] if clock["state"] == "running") for tracking in (later, sooner)}
    expected = [resolved, p1, *sorted(dues, key=dues.get)]
    assert client.call("ticket.next", queues=[queue], peek=True, as_=me)["ticket"]["tracking"] == resolved
    assert client.call("ticket.next", queues=[queue], as_=me)["ticket"]["tracking"] == resolved
    shown = ticket_of(client.show(resolved))
    assert (shown["state"], shown["assignee"]) == ("resolved", me["name"]), "it stays resolved, and is mine"
    client.call("ticket.comment", tracking=resolved, text="Yes, for these reasons.", public=True, as_=me)
    taken = [client.call("ticket.next", queues=[queue], as_=me)["ticket"]["tracking"] for _ in range(3)]
    assert taken == expected[1:]
    assert client.call("ticket.next", queues=[queue], as_=me)["ticket"] is None


# ---- verdicts and excuses ----


@pytest.fixture(scope="module")
def missed(stack):
    """A ticket of a customer of its own that missed its response: a priority 1 posted, by the database, an hour ago."""
    with contextlib.closing(stack.client()) as client:
        customer = unique("late")
        tracking = client.submit(customer=customer, impact="impaired")
        client.decided(tracking)
        with stack.db() as db:
            db.execute("UPDATE tickets SET posted_at = posted_at - 3600000000::bigint WHERE id = %s", (id_of(tracking),))
        client.call("ticket.prioritize", tracking=tracking, priority=1, reason="all lines", as_=ADA)
        wait_until(lambda: client.call("deadline.list", customer=customer, verdict="missed")["deadlines"])
        yield customer, tracking


def test_deadlines_are_listed_by_each_filter(client, missed):
    customer, tracking = missed
    everything = client.call("deadline.list", customer=customer)["deadlines"]
    first = everything[0]
    assert first["tracking"] == tracking and first["verdict"] == "missed" and first["cause"] == "moved"
    assert first["clock"] in ("response", "update") and first["due_at"] and first["worked_s"] >= 0 and first["process"] and first["zones"] and first["judged_at"]
    for fields, there in (
        ({"verdict": "missed"}, True), ({"verdict": "met"}, False), ({"clock": first["clock"]}, True), ({"clock": "resolution"}, False), ({"priority": 1}, True), ({"priority": 4}, False),
        ({"package": first["package"]}, True), ({"package": "nosuch"}, False), ({"from_at": first["due_at"]}, True), ({"until_at": first["due_at"]}, False), ({"from_at": first["due_at"] + 7200_000_000}, False),
    ):
        found = client.call("deadline.list", customer=customer, **fields)["deadlines"]
        assert bool(found) == there, fields
    seen, cursor = [], None
    while True:
        page = client.call("deadline.list", customer=customer, limit=1, **({"cursor": cursor} if cursor else {}))
        seen += page["deadlines"]
        cursor = page["cursor"]
        if not cursor:
            break
    assert seen == everything
    assert client.refused("deadline.list", cursor="nonsense").field == "cursor"


def test_a_miss_is_excused_by_a_lead_and_the_verdict_stays(stack, client, missed):
    customer, tracking = missed
    before = client.call("deadline.list", customer=customer, verdict="missed")["deadlines"][0]
    which = {"tracking": tracking, "clock": before["clock"], "cycle": before["cycle"], "reason": "The customer's own firewall."}
    assert client.refused("deadline.excuse", as_=BEN, **which).code == "forbidden"
    admin, key = {"name": "root", "role": "admin"}, unique("excuse")
    assert client.call("deadline.excuse", as_=admin, key=key, **which)["duplicate"] is False
    assert client.call("deadline.excuse", as_=admin, key=key, **which)["duplicate"] is True
    assert client.refused("deadline.excuse", as_=admin, **which).code == "conflict"
    assert client.refused("deadline.excuse", as_=admin, **{**which, "cycle": 99}).code == "not_found"
    after = client.call("deadline.list", customer=customer, verdict="missed")["deadlines"][0]
    assert after["excused"]["by"] == "root" and after["excused"]["reason"] == which["reason"] and after["excused"]["at"]
    assert {**after, "excused": None} == before
    shown = stack.docket("deadline", "list", "--customer", customer)
    assert shown.returncode == 0 and "missed" in shown.stdout and "root" in shown.stdout
