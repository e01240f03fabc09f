"""The life cycle beyond one ticket and one op: lists, parents and children, meetings, correlation, whose turn is next."""

import contextlib
import email
import email.policy
import itertools
import re
import threading
import time

import msgpack
import pytest
from helpers import ADA, BEN, CUSTOMER, MACHINE, Refused, id_of, ticket_of, wait_until
from test_links import link_in, link_to, mails_to, visit

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
        said_at = next(event["at"] for event in ticket_of(client.show(parent))["events"] if event["kind"] == "commented" and event["public"])
        assert clocks["response"]["met_at"] == said_at == words["body"]["said_at"] <= words["at"], "when they were said, whenever they came"
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


def test_closing_a_ticket_offers_to_close_its_duplicates(stack, client):
    main, first, second, other = decided(client, 4)
    client.call("ticket.link", tracking=[first, second], to=main, as_link="duplicate", as_=ADA)
    client.call("ticket.link", tracking=other, to=main, as_link="related", as_=ADA)
    client.call("ticket.close", tracking=second, reason="duplicate", text="double", as_=ADA)
    answer = client.call("ticket.close", tracking=main, reason="withdrawn", text="gone", as_=ADA)
    assert answer["open_duplicates"] == [first]
    closed = client.call("ticket.close", tracking=answer["open_duplicates"], reason="duplicate", text="double", as_=ADA)
    assert closed["results"][0]["version"] and ticket_of(client.show(first))["state"] == "closed"
    again = decided(client, 2)
    client.call("ticket.link", tracking=again[0], to=again[1], as_link="duplicate", as_=ADA)
    assert again[0] in stack.docket("close", again[1], "--reason", "spam", "--text", "x").stdout


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
    got, told, start = [], [], threading.Barrier(50)

    def pull(n):
        with contextlib.closing(pair.client(1 + n % 2)) as mine:
            start.wait()
            mine_is = {"queues": [queue], "key": f"{queue}-{n}", "as_": {"name": f"person-{n}", "role": "staff"}}
            first, again = mine.call("ticket.next", **mine_is), mine.call("ticket.next", **mine_is)
            got.append(first["ticket"])
            told.append((first["duplicate"], again["duplicate"], again["ticket"]["tracking"] == first["ticket"]["tracking"]))

    people = [threading.Thread(target=pull, args=(n,)) for n in range(50)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(got) == 50 and all(got), "everybody got one"
    assert len({ticket["tracking"] for ticket in got}) == 50, "and nobody the same"
    assert {ticket["assignee"] for ticket in got} == {f"person-{n}" for n in range(50)}
    assert set(told) == {(False, True, True)}, "the same key gives the same"


def test_next_gives_replies_first_then_p1_then_what_is_due_earliest(stack, client):
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
    for tracking in later, sooner, p1, resolved:  # decided, and asleep again
        wait_until(lambda tracking=tracking: stack.value("SELECT lane IS NULL OR lane >= 5 FROM desk WHERE ticket = %s", id_of(tracking)))
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
    for wrong in "nonsense", "1:2:foo:3", "1:2:response:0", "1:2:response:3x":
        assert client.refused("deadline.list", cursor=wrong).field == "cursor"


def excused(client, **which):
    """The answer once Ben may excuse."""
    with contextlib.suppress(Refused):
        return client.call("deadline.excuse", as_=BEN, **which)


def test_a_miss_is_excused_by_a_lead_and_the_verdict_stays(stack, client, missed):
    customer, tracking = missed
    before = client.call("deadline.list", customer=customer, verdict="missed")["deadlines"][0]
    which = {"tracking": tracking, "clock": before["clock"], "cycle": before["cycle"], "reason": "The customer's own firewall."}
    assert client.refused("deadline.excuse", as_=BEN, **which).code == "forbidden"
    admin, key, files = {"name": "root", "role": "admin"}, unique("excuse"), client.call("process.get")["files"]
    team = b"people:\n  ben: {name: Ben, email: ben@example.com}\nteams:\n  noc: {members: [ben], lead: ben}\n"
    client.call("process.apply", files={**files, "staff.yaml": team}, as_=admin)
    try:
        first = wait_until(lambda: excused(client, key=key, **which))
        assert first["duplicate"] is False
    finally:
        client.call("process.apply", files=files, as_=admin)
    # Who is no lead any more gets the answer again, and excuses nothing else.
    wait_until(lambda: client.refused("deadline.excuse", as_=BEN, **which).code == "forbidden")
    assert excused(client, key=key, **which) == {**first, "duplicate": True}
    assert client.refused("deadline.excuse", as_=BEN, key=key, **{**which, "reason": "Other."}).field == "key"
    assert client.refused("deadline.excuse", as_=admin, **which).code == "conflict"
    assert client.refused("deadline.excuse", as_=admin, **{**which, "cycle": 99}).code == "not_found"
    after = client.call("deadline.list", customer=customer, verdict="missed")["deadlines"][0]
    assert after["excused"]["by"] == "ben" and after["excused"]["reason"] == which["reason"] and after["excused"]["at"]
    assert {**after, "excused": None} == before
    assert after in client.show(tracking)["deadlines"]
    for command in (("deadline", "list", "--customer", customer), ("show", tracking)):
        shown = stack.docket(*command)
        assert shown.returncode == 0 and "missed" in shown.stdout and "ben" in shown.stdout and "firewall" in shown.stdout


# ---- meetings ----


@pytest.fixture(scope="module")
def golden(stack):
    """A customer whose package has meetings."""
    with contextlib.closing(stack.client()) as client:
        for name, package in ("golden-meets", "gold"), ("plain-meets", "standard"):
            client.call("customer.put", as_={"name": "root", "role": "admin"}, customer={
                "id": name, "name": name, "package": package, "contacts": [{"name": "Kim", "email": f"kim@{name}.localhost"}]})
    return "golden-meets"


def now_us():
    return time.time_ns() // 1000


def test_a_meeting_is_made_moved_and_cancelled(stack, client, golden):
    tracking = decided(client, 1, customer=golden)[0]
    at, hour = now_us() + 7200_000_000, 3600_000_000
    key, fields = unique("meet"), {"medium": "phone", "at": at, "attendees": ["kim@golden.localhost", "+43 1 5551234"], "where": "Bridge 7"}
    made = client.call("ticket.meeting", tracking=tracking, key=key, as_=ADA, **fields)
    assert client.call("ticket.meeting", tracking=tracking, key=key, as_=ADA, **fields) == {**made, "duplicate": True}
    moved = client.call("ticket.meeting", tracking=tracking, meeting=made["meeting"], at=at + hour, as_=ADA)
    cancelled = client.call("ticket.meeting", tracking=tracking, meeting=made["meeting"], cancel=True, as_=ADA)
    assert made["meeting"] == moved["meeting"] == cancelled["meeting"] and made["version"] < moved["version"] < cancelled["version"]
    events = [event["body"]["meeting"] for event in ticket_of(client.show(tracking))["events"] if event["kind"] == "meeting"]
    assert [event["what"] for event in events] == ["made", "moved", "cancelled"] and len({event["uid"] for event in events}) == 1
    assert [event["starts_at"] for event in events] == [at, at + hour, at + hour] and all(event["ends_at"] - event["starts_at"] == 1800_000_000 for event in events)
    assert all(event["attendees"] == fields["attendees"] and event["where"] == "Bridge 7" and event["medium"] == "phone" for event in events), "what a move does not say stays"
    told = [message for message in ticket_of(client.show(tracking))["messages"] if message["kind"] == "meeting" and message["to"] == "customer"]
    assert len(told) == 3
    assert client.refused("ticket.meeting", tracking=tracking, meeting=made["meeting"], at=at, as_=ADA).field == "meeting", "it is cancelled"
    done = stack.docket("meeting", tracking, "--medium", "im", "--at", "+3h", "--attendees", "kim@golden.localhost")
    assert done.returncode == 0 and "meeting m" in done.stdout, done.stderr


def test_of_two_moves_of_one_meeting_at_once_the_second_is_busy_and_may_be_repeated(pair):
    """Both read the meeting as it was; the ticket is held until both wait to write."""
    clients, fields = [pair.client(1), pair.client(2)], {"medium": "phone", "at": now_us() + 7200_000_000, "attendees": ["kim@golden.localhost"], "where": "Room 1", "as_": ADA}
    clients[0].call("customer.put", as_={"name": "root", "role": "admin"}, customer={"id": "two-moves", "name": "Two", "package": "gold"})
    tracking = decided(clients[0], 1, customer="two-moves")[0]
    meeting = clients[0].call("ticket.meeting", tracking=tracking, **fields)["meeting"]
    wait_until(lambda: pair.value("SELECT lane IS NULL OR lane >= 5 FROM desk WHERE ticket = %s", id_of(tracking)))
    moves = [{"tracking": tracking, "meeting": meeting, "key": unique("move"), "as_": ADA, **move} for move in ({"where": "Room 2"}, {"at": fields["at"] + 3600_000_000})]
    with pair.db() as db, db.transaction():
        db.execute("SELECT FROM desk WHERE ticket = %s FOR NO KEY UPDATE", (id_of(tracking),))
        for client, move in zip(clients, moves):
            client.send("ticket.meeting", **move)
        wait_until(lambda: pair.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == 2)
    answers = [client.receive() for client in clients]
    assert sorted(answer["ok"] for answer in answers) == [False, True], answers
    lost = answers[0]["ok"]  # 1: the second one's
    refusal = answers[lost]["error"]
    assert (refusal["code"], refusal["field"], refusal["retry"]) == ("busy", "meeting", True), refusal
    made, moved = [event["body"]["meeting"] for event in ticket_of(clients[0].show(tracking))["events"] if event["kind"] == "meeting"]
    won = moves[not lost]
    assert (moved["what"], moved["where"], moved["starts_at"]) == ("moved", won.get("where", "Room 1"), won.get("at", fields["at"])), "the other one's is not undone"
    again = clients[lost].call("ticket.meeting", **moves[lost])
    assert not again.get("duplicate")
    now = [event["body"]["meeting"] for event in ticket_of(clients[0].show(tracking))["events"] if event["kind"] == "meeting"][-1]
    assert (now["where"], now["starts_at"]) == ("Room 2", fields["at"] + 3600_000_000), "both are done now"
    for client in clients:
        client.close()


def test_a_meeting_s_repeat_is_answered_when_it_has_begun(client, golden):
    tracking = decided(client, 1, customer=golden)[0]
    at = client.call("ping")["now_at"] + 700_000
    same = {"tracking": tracking, "key": unique("soon"), "medium": "phone", "at": at, "attendees": ["kim@golden.localhost"], "as_": ADA}
    made = client.call("ticket.meeting", **same)
    wait_until(lambda: client.call("ping")["now_at"] > at)
    assert client.call("ticket.meeting", **same) == {**made, "duplicate": True}
    assert client.refused("ticket.meeting", **{**same, "key": unique("late")}).field == "at"


def test_who_is_invited_and_no_contact_gets_the_invitation_and_no_token(stack, client, golden):
    guest, tracking = f"{unique('guest')}@elsewhere.localhost", decided(client, 1, customer=golden)[0]
    client.call("ticket.meeting", tracking=tracking, medium="phone", at=now_us() + 7200_000_000, attendees=[guest, "kim@golden-meets.localhost", "+43 1 5551234"], as_=ADA)

    def invitations(address):
        mails = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
        return [mail for mail in mails if address in mail["To"] and tracking in mail["Subject"] and mail["X-Docket-Kind"] == "meeting"]

    mail, = wait_until(lambda: invitations(guest))
    calendar = next(part.get_content() for part in mail.walk() if part.get_content_type() == "text/calendar")
    assert "METHOD:REQUEST" in str(calendar) and guest in str(calendar)
    assert mail["Reply-To"] is None
    contact, = wait_until(lambda: invitations("kim@golden-meets.localhost"))
    assert contact["Reply-To"] is not None


def test_an_answer_to_a_meeting_needs_all_of_it(client, golden):
    tracking = decided(client, 1, customer=golden)[0]
    fields = {"meeting": "m1", "attendee": "a@localhost", "answer": "accepted"}
    for missing in fields:
        refusal = client.refused("ticket.comment", tracking=tracking, text="x", as_=ADA, **{name: value for name, value in fields.items() if name != missing})
        assert (refusal.code, refusal.field) == ("invalid", "meeting")
    assert client.refused("ticket.comment", tracking=tracking, text="x", as_=ADA, **{**fields, "answer": "perhaps"}).field == "answer"
    client.call("ticket.comment", tracking=tracking, text="x", as_=ADA, **fields)
    assert ticket_of(client.show(tracking))["meetings"] == [], "there is no such meeting: words alone"


def test_a_meeting_needs_the_package_the_time_and_an_open_ticket(client, golden):
    plain, gold = decided(client, 1, customer="plain-meets")[0], decided(client, 1, customer=golden)[0]
    fields = {"medium": "phone", "at": now_us() + 7200_000_000, "attendees": ["a@localhost"]}
    refusal = client.refused("ticket.meeting", tracking=plain, as_=ADA, **fields)
    assert (refusal.code, refusal.field) == ("conflict", "medium") and "meeting" not in kinds(client, plain)
    for wrong, field in ({"at": now_us() - 60_000_000}, "at"), ({"attendees": []}, "attendees"), ({"attendees": ["a\nBcc: b"]}, "attendees"), ({"medium": "fax"}, "medium"), ({"where": "a\rb"}, "where"):
        refusal = client.refused("ticket.meeting", tracking=gold, as_=ADA, **{**fields, **wrong})
        assert (refusal.code, refusal.field) == ("invalid", field)
    assert client.refused("ticket.meeting", tracking=gold, medium="im", as_=ADA).field == "at"
    assert client.refused("ticket.meeting", tracking=gold, cancel=True, as_=ADA).field == "meeting"
    assert client.refused("ticket.meeting", tracking=gold, meeting="m0", cancel=True, as_=ADA).code == "not_found"
    client.call("ticket.close", tracking=gold, reason="withdrawn", text="x", as_=ADA)
    assert client.refused("ticket.meeting", tracking=gold, as_=ADA, **fields).field == "state"


def test_a_meeting_is_reminded_of_once_and_not_when_it_was_moved_away(client, golden):
    soon, away = decided(client, 2, customer=golden)
    # A quarter of an hour before: in two seconds.
    at = now_us() + 15 * 60_000_000 + 2_000_000
    meetings = {tracking: client.call("ticket.meeting", tracking=tracking, medium="im", at=at, attendees=["kim@localhost"], as_=ADA)["meeting"] for tracking in (soon, away)}
    client.call("ticket.meeting", tracking=away, meeting=meetings[away], at=at + 3600_000_000, as_=ADA)

    def reminders(tracking):
        return [event for event in ticket_of(client.show(tracking))["events"] if event["kind"] == "asked" and event["body"].get("what") == "meeting"]

    reminded = wait_until(lambda: reminders(soon))
    assert reminded[0]["at"] >= at - 15 * 60_000_000 and reminded[0]["body"]["meeting"]["id"] == meetings[soon]
    client.call("ticket.comment", tracking=soon, text="Another wake.", as_=ADA)
    client.call("ticket.comment", tracking=away, text="Another wake.", as_=ADA)
    wait_until(lambda: all(event(client, tracking, "commented") for tracking in (soon, away)))
    client.call("ticket.prioritize", tracking=soon, priority=2, reason="decided after it", as_=ADA)
    wait_until(lambda: ticket_of(client.show(soon))["priority"] == 2)
    assert len(reminders(soon)) == 1 and reminders(away) == []
    told = [message["to"] for message in ticket_of(client.show(soon))["messages"] if message["kind"] == "meeting"]
    assert sorted(told) == ["customer", "customer", "staff"], "the invitation, and the reminder to both sides"


def calendar_of(mail):
    """The lines of a mail's iCalendar part by name, or None."""
    parts = [part.get_content() for part in mail.walk() if part.get_content_type() == "text/calendar"]
    text = parts and (parts[0].decode() if isinstance(parts[0], bytes) else parts[0]).replace("\r\n ", "").replace("\n ", "")
    return dict(line.split(":", 1) for line in text.split("\n" if "\r" not in text else "\r\n") if ":" in line) if parts else None


def meeting_mails(stack, tracking, address):
    mails = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
    mails = [mail for mail in mails if address in mail["To"] and tracking in mail["Subject"] and mail["X-Docket-Kind"] == "meeting"]
    return sorted(mails, key=lambda mail: int(mail["Message-ID"].split(".")[1].split("@")[0]))


def test_who_is_left_out_of_a_moved_meeting_gets_its_cancellation(stack, client, golden):
    tracking = decided(client, 1, customer=golden)[0]
    stays, goes, comes = (f"{unique(name)}@elsewhere.localhost" for name in ("stays", "goes", "comes"))
    at = now_us() + 7200_000_000
    made = client.call("ticket.meeting", tracking=tracking, medium="im", at=at, attendees=[stays, goes], as_=ADA)
    moved = client.call("ticket.meeting", tracking=tracking, meeting=made["meeting"], at=at + 600_000_000, attendees=[stays.upper(), comes], as_=ADA)
    client.call("ticket.meeting", tracking=tracking, meeting=made["meeting"], at=at + 900_000_000, as_=ADA)
    event = [event for event in ticket_of(client.show(tracking))["events"] if event["kind"] == "meeting"][1]
    assert event["body"]["meeting"]["dropped"] == [goes] and event["body"]["meeting"]["invited"] == [comes] and event["body"]["meeting"]["was"]["starts_at"] == at
    wait_until(lambda: len(meeting_mails(stack, tracking, stays)) + len(meeting_mails(stack, tracking, stays.upper())) == 3 and len(meeting_mails(stack, tracking, comes)) == 2)
    invited, cancelled = wait_until(lambda: (mails := meeting_mails(stack, tracking, goes)) if len(mails := meeting_mails(stack, tracking, goes)) == 2 else None)
    before, after = calendar_of(invited), calendar_of(cancelled)
    assert (before["METHOD"], after["METHOD"]) == ("REQUEST", "CANCEL") and before["UID"] == after["UID"]
    assert (int(before["SEQUENCE"]), int(after["SEQUENCE"])) == (made["version"], moved["version"]) and "STATUS" not in after
    assert not any(stays.lower() in str(value).lower() for value in after.values()), "he is told of himself alone"
    assert "Meeting cancelled for you" in cancelled["Subject"]
    assert after["DTSTART"] == before["DTSTART"] and after["DTEND"] == before["DTEND"], "the time that he knows, not the new one"
    assert [line for line in invited.get_body(("plain",)).get_content().splitlines() if line.startswith("from ")][0] in cancelled.get_body(("plain",)).get_content()
    first, second = meeting_mails(stack, tracking, comes)
    assert calendar_of(first)["METHOD"] == "REQUEST" and "Meeting arranged" in first["Subject"] and "Meeting moved" in second["Subject"], "he knows of no move yet"


def test_a_meeting_has_a_reminder_of_its_own_that_moves_and_goes_with_it(stack, client, golden):
    def reminders(tracking):
        return [event for event in ticket_of(client.show(tracking))["events"] if event["kind"] == "asked" and event["body"].get("what") == "meeting"]

    own, moved, cancelled, never = decided(client, 4, customer=golden)
    at = now_us() + 3600_000_000
    for tracking, seconds in ((own, 3598), (moved, 3599), (cancelled, 3598), (never, 0)):
        one = client.call("ticket.meeting", tracking=tracking, medium="im", at=at, attendees=["guest@elsewhere.localhost"], reminder_s=seconds, as_=ADA)["meeting"]
        shown, = ticket_of(client.show(tracking))["meetings"]
        assert shown["reminder_s"] == seconds
        if tracking == moved:
            client.call("ticket.meeting", tracking=tracking, meeting=one, at=at + 3_000_000, as_=ADA)
            assert ticket_of(client.show(tracking))["meetings"][0]["reminder_s"] == seconds, "what a move does not say stays"
        if tracking == cancelled:
            client.call("ticket.meeting", tracking=tracking, meeting=one, cancel=True, as_=ADA)
    for tracking, due in ((own, at - 3598_000_000), (moved, at + 3_000_000 - 3599_000_000)):
        reminded = wait_until(lambda: reminders(tracking))
        assert len(reminded) == 1 and reminded[0]["at"] >= due
    assert reminders(cancelled) == reminders(never) == []
    told = wait_until(lambda: [mail for mail in meeting_mails(stack, own, "guest@elsewhere.localhost") if "begins soon" in mail["Subject"]])
    assert calendar_of(told[0]) is None, "a reminder asks nobody for an answer again"
    assert client.refused("ticket.meeting", tracking=own, medium="im", at=at, attendees=["a@localhost"], reminder_s=-1, as_=ADA).field == "reminder_s"
    done = stack.docket("meeting", own, "--medium", "im", "--at", "+3h", "--attendees", "kim@golden.localhost", "--reminder-s", "7200")
    assert done.returncode == 0, done.stderr
    assert "REMINDER" in stack.docket("show", own).stdout and "2h" in stack.docket("show", own).stdout


def test_a_promise_that_went_away_is_shown_no_more_and_comes_back_as_it_was(stack, client, golden):
    tracking = decided(client, 1, customer=golden, impact="degraded")[0]
    assert "resolution" in [clock["clock"] for clock in ticket_of(client.show(tracking))["clocks"]], "gold promises it for priority 2"
    pass_time(stack, client, tracking, 5 * 3600)

    def warned():
        return [one["body"]["percent"] for one in ticket_of(client.show(tracking))["events"] if one["kind"] == "warned" and one["body"]["clock"] == "resolution"]

    assert warned() == [50]
    client.call("ticket.prioritize", tracking=tracking, priority=3, reason="less", as_=ADA)
    wait_until(lambda: [clock["clock"] for clock in ticket_of(client.show(tracking))["clocks"]] == ["response", "update"])
    client.call("ticket.prioritize", tracking=tracking, priority=2, reason="again", as_=ADA)
    wait_until(lambda: [clock["state"] for clock in ticket_of(client.show(tracking))["clocks"] if clock["clock"] == "resolution"] == ["running"])
    assert warned() == [50], "what was told once is not told again"
    assert client.call("ticket.explain", tracking=tracking)["verify"]["same"]


# ---- correlation ----


def test_a_flapping_alarm_is_one_ticket(client):
    customer, alarm = unique("flap"), unique("alarm")
    fields = {"customer": customer, "title": "SIP trunk down", "problem": "It flaps.", "correlation": alarm}
    first = client.call("ticket.submit", key=unique("flap"), **fields)
    key = unique("flap")
    second = client.call("ticket.submit", key=key, **{**fields, "problem": "Down again."})
    assert "merged" not in first and second["merged"] is True and second["tracking"] == first["tracking"] and second["posted_at"] == first["posted_at"]
    again = client.call("ticket.submit", key=key, **{**fields, "problem": "Down again."})
    assert again == {**second, "duplicate": True}
    assert client.call("ticket.find", key=key) == {"tracking": second["tracking"], "posted_at": second["posted_at"], "merged": True}
    assert client.refused("ticket.submit", key=key, **fields).code == "conflict"
    assert event(client, first["tracking"], "repeated")["body"]["problem"] == "Down again." and kinds(client, first["tracking"]).count("repeated") == 1
    assert client.call("ticket.submit", key=unique("flap"), **{**fields, "customer": unique("other")}).get("merged") is None, "another customer's is another one"
    client.call("ticket.close", tracking=first["tracking"], reason="withdrawn", text="gone", as_=ADA)
    third = client.call("ticket.submit", key=unique("flap"), **fields)
    assert third["tracking"] != first["tracking"] and "merged" not in third
    assert client.call("ticket.submit", key=unique("flap"), **fields)["tracking"] == third["tracking"]


def test_a_submit_with_a_correlation_and_the_key_of_an_op_for_no_one_ticket_is_a_conflict(client):
    """It was told to repeat, for ever."""
    customer = unique("flap")
    for op, body in [("customer.put", {"customer": {"id": customer, "name": "Flap", "package": "standard", "contacts": []}}),
                     ("ticket.comment", {"tracking": [client.submit()], "text": "x"}),
                     ("notification.mute", {"reason": "x", "until_at": time.time_ns() // 1000 + 60_000_000, "customer": customer})]:
        key = unique("flap")
        client.call(op, key=key, as_=ADA, **body)
        refusal = client.refused("ticket.submit", key=key, customer=customer, title="Down", problem="x", correlation=unique("alarm"))
        assert (refusal.code, refusal.field) == ("conflict", "key"), (op, refusal)


def test_many_with_one_correlation_at_once_are_one_ticket(pair):
    customer, alarm = unique("storm"), unique("storm-alarm")
    clients = [pair.client(1), pair.client(2)]
    count = 40
    for n in range(count):
        clients[n % 2].send("ticket.submit", key=f"{alarm}-{n}", customer=customer, title="Down", problem="Storm.", correlation=alarm)
    answers = [clients[n % 2].receive() for n in range(count)]
    assert all(answer["ok"] for answer in answers), answers
    assert len({answer["body"]["tracking"] for answer in answers}) == 1
    assert sum("merged" not in answer["body"] for answer in answers) == 1
    shown = ticket_of(clients[0].show(answers[0]["body"]["tracking"]))
    assert [event["kind"] for event in shown["events"]].count("repeated") == count - 1


def test_a_submit_that_waited_for_the_first_of_its_correlation_says_when_that_was_posted(pair):
    """It waits for the correlation's row until the first one's commit is over, and saw the desk as it was before: posted_at was 0."""
    customer, clients = unique("flap"), [pair.client(1), pair.client(2)]
    fields = {"customer": customer, "title": "Down", "problem": "Storm.", "correlation": unique("alarm")}
    with pair.db() as gate:
        gate.execute("CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$")
        gate.execute("CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON tickets DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gate()")
        try:
            gate.execute("SELECT pg_advisory_lock(7)")
            for n, one in enumerate(clients):
                one.send("ticket.submit", key=unique("waited"), **fields)
                wait_until(lambda n=n: pair.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == n + 1)
            gate.execute("SELECT pg_advisory_unlock(7)")
            first, second = [one.receive()["body"] for one in clients]
        finally:
            gate.execute("SELECT pg_advisory_unlock_all()")
            gate.execute("DROP TRIGGER gate ON tickets")
            gate.execute("DROP FUNCTION gate")
    assert second == {**first, "merged": True}


def test_a_submit_that_stood_still_while_its_correlation_was_given_away_makes_no_second_ticket(pair):
    """Its broker has the correlation's row and cannot post (a lock); meanwhile the row is old enough to be given to another submit."""
    customer, alarm = unique("still"), unique("still-alarm")
    fields = {"customer": customer, "title": "Down", "problem": "Storm.", "correlation": alarm}
    first, second = pair.client(1), pair.client(2)
    with pair.db() as db:
        db.autocommit = False
        db.execute("LOCK TABLE tickets IN SHARE MODE")
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'tickets'::regclass AND NOT granted"
        first.send("ticket.submit", key=f"{alarm}-1", **fields)
        wait_until(lambda: db.execute(waiting).fetchone()[0] == 1, 2)
        with pair.db() as other:
            other.execute("UPDATE correlations SET at = at - 11000000 WHERE customer = %s", (customer,))
            other.commit()
        second.send("ticket.submit", key=f"{alarm}-2", **fields)
        wait_until(lambda: db.execute(waiting).fetchone()[0] == 2, 2)
        db.rollback()
    answers = [client.receive() for client in (first, second)]
    assert all(answer["ok"] or answer["error"]["retry"] for answer in answers), answers
    repeated = [client.call("ticket.submit", key=f"{alarm}-{n}", **fields) for n, client in enumerate((first, second), 1)]
    assert len({answer["tracking"] for answer in repeated}) == 1 == pair.value("SELECT count(*) FROM tickets WHERE customer = %s", customer)


# ---- what a posting may say of itself ----


def test_posted_at_is_refused_unless_the_broker_allows_it(client):
    refusal = client.refused("ticket.submit", key=unique("past"), customer="acme", title="t", problem="p", posted_at=now_us() - 60_000_000)
    assert (refusal.code, refusal.field) == ("forbidden", "posted_at")


def test_unknown_customers_and_channels_outside_the_package_are_marked(client, golden):
    stranger = decided(client, 1, customer=unique("stranger"))[0]
    assert "unknown-customer" in ticket_of(client.show(stranger))["tags"]
    phoned = decided(client, 1, customer="plain-meets", channel="phone")[0]
    shown = ticket_of(client.show(phoned))
    assert "channel" in shown["tags"] and [message["to"] for message in shown["messages"] if message["kind"] == "tell"] == ["staff"]
    allowed = decided(client, 1, customer=golden, channel="phone")[0]
    assert not {"channel", "unknown-customer"} & set(ticket_of(client.show(allowed))["tags"])


def test_posted_at_may_lie_in_the_past_as_far_as_allowed(pair):
    config = pair.config("broker-1")
    config.write_text(config.read_text() + "\nposted_at_max: 1h\n")
    pair.kill("broker-1")
    pair.up()
    client = pair.client(1)
    at = now_us() - 1800_000_000
    body = {"key": unique("past"), "customer": "acme", "title": "t", "problem": "p", "impact": "degraded", "posted_at": at}
    answer = client.call("ticket.submit", **body)
    assert answer["posted_at"] == at and client.call("ticket.submit", **body) == {**answer, "duplicate": True}
    between = {"posted_from_at": at - 1, "posted_until_at": at + 600_000_000}
    for order in "newest", "oldest":
        listed = [ticket["tracking"] for ticket in client.call("ticket.list", order=order, **between)["tickets"]]
        assert answer["tracking"] in listed, "its number is of the time at which it came in"
    clocks = {clock["clock"]: clock for clock in client.decided(answer["tracking"])["clocks"]}
    assert clocks["response"]["started_at"] == at and clocks["response"]["due_at"] == at + 3600_000_000
    for wrong, where in (at - 3600_000_000, "in the past"), (now_us() + 60_000_000, "in the future"):
        refusal = client.refused("ticket.submit", **{**body, "key": unique("past"), "posted_at": wrong})
        assert (refusal.code, refusal.field) == ("invalid", "posted_at") and where in refusal.error["message"]


def test_a_key_wins_over_the_limit_of_posted_at(pair):
    """What was posted in time is answered again when its instant is too old by now, at a broker that would not take it at all too; and
    with other content it is a conflict, not a refusal of the instant."""
    config = pair.config("broker-1")
    before = config.read_text()
    config.write_text(re.sub(r"\nposted_at_max:.*", "", before) + "\nposted_at_max: 1h\n")
    pair.kill("broker-1")
    pair.up()
    client, strict = pair.client(1), pair.client(2)
    at = now_us() - 1800_000_000
    body = {"customer": "acme", "title": "t", "problem": "p", "posted_at": at}
    plain = {**body, "key": unique("past")}
    taken = {**body, "key": unique("past"), "take": True, "as_": ADA}
    alarm = {**body, "key": unique("past"), "correlation": unique("alarm")}
    merged = {**alarm, "key": unique("past")}
    answers = [(body, client.call("ticket.submit", **body)) for body in (plain, taken, alarm, merged)]
    assert answers[3][1]["merged"] is True
    config.write_text(re.sub(r"\nposted_at_max:.*", "\nposted_at_max: 60s", config.read_text()))
    pair.kill("broker-1")
    pair.up()
    client.close()
    client = pair.client(1)
    for again in (client, strict):
        for body, answer in answers:
            assert again.call("ticket.submit", **body) == {**answer, "duplicate": True}
        assert again.refused("ticket.submit", **{**plain, "title": "another"}).field == "key"
        assert again.refused("ticket.submit", **{**plain, "key": unique("past")}).field == "posted_at"
    words = {"key": unique("words"), "tracking": answers[0][1]["tracking"], "text": "x", "as_": ADA}
    client.call("ticket.comment", **words)
    assert client.refused("ticket.submit", **{**plain, "key": words["key"]}).field == "key"
    client.close()
    strict.close()


# ---- replies, approvals, silence ----


def asleep(stack, tracking):
    """Decided, and nothing waits."""
    wait_until(lambda: stack.value("SELECT lane IS NULL OR lane >= 5 FROM desk WHERE ticket = %s", id_of(tracking)))


def pass_time(stack, client, tracking, seconds):
    """As if all that happened to the ticket had happened so much earlier; it is looked at again at once."""
    with stack.db() as db:
        db.execute("UPDATE events SET at = at - %s WHERE ticket = %s", (seconds * 1_000_000, id_of(tracking)))
        db.execute("UPDATE tickets SET posted_at = posted_at - %s WHERE id = %s", (seconds * 1_000_000, id_of(tracking)))
    client.call("ticket.comment", tracking=tracking, text="Wakes it.", as_=MACHINE)
    asleep(stack, tracking)


def test_words_on_a_resolved_ticket_are_neither_yes_nor_no(stack, client, golden):
    tracking = decided(client, 1, impact="degraded", customer=golden)[0]
    client.call("ticket.comment", tracking=tracking, text="By the way: since nine.", as_=CUSTOMER)
    assert not ticket_of(client.show(tracking))["reply_pending"], "only a resolved ticket waits for an answer"
    client.call("ticket.resolve", tracking=tracking, text="Done.", as_=ADA)
    asleep(stack, tracking)

    def update():
        return [clock for clock in ticket_of(client.show(tracking))["clocks"] if clock["clock"] == "update"][-1]

    assert update()["state"] == "paused"
    client.call("ticket.comment", tracking=tracking, text="Hm, one phone is still silent?", as_=CUSTOMER)
    asleep(stack, tracking)
    shown = ticket_of(client.show(tracking))
    assert (shown["state"], shown["reply_pending"], update()["state"]) == ("resolved", True, "running")
    client.call("ticket.comment", tracking=tracking, text="That one is unplugged.", public=True, as_=ADA)
    asleep(stack, tracking)
    shown = ticket_of(client.show(tracking))
    assert (shown["state"], shown["reply_pending"], update()["state"]) == ("resolved", False, "paused")
    # A meeting is an answer too, unless a machine made it; a reopened ticket owes none of its own.
    for who, pending in (MACHINE, True), (ADA, False):
        client.call("ticket.comment", tracking=tracking, text="And now?", as_=CUSTOMER)
        client.call("ticket.meeting", tracking=tracking, medium="phone", at=now_us() + 3600_000_000, attendees=["kim@golden.localhost"], as_=who)
        asleep(stack, tracking)
        assert (ticket_of(client.show(tracking))["reply_pending"], update()["state"]) == (pending, "running" if pending else "paused")
    client.call("ticket.comment", tracking=tracking, text="And now?", as_=CUSTOMER)
    client.call("ticket.reopen", tracking=tracking, reason="It is not over.", as_=ADA)
    asleep(stack, tracking)
    assert not ticket_of(client.show(tracking))["reply_pending"]
    client.call("ticket.resolve", tracking=tracking, text="Done.", as_=ADA)
    client.call("ticket.reject", tracking=tracking, text="No, it is dead.", as_=CUSTOMER)
    asleep(stack, tracking)
    assert ticket_of(client.show(tracking))["state"] == "in_progress" and update()["state"] == "running"


def test_words_on_a_closed_ticket_reopen_it_for_fourteen_days(stack, client):
    fresh, old = decided(client, 2)
    for tracking in fresh, old:
        client.call("ticket.close", tracking=tracking, reason="withdrawn", text="gone", as_=ADA)
        asleep(stack, tracking)
    pass_time(stack, client, fresh, 13 * 86400)
    pass_time(stack, client, old, 15 * 86400)
    # As such were stored before it was asked how they look.
    stored = msgpack.packb({"contact": {"phone": "ask Zoe"}})
    with stack.db() as db:
        db.execute("UPDATE tickets SET title = E'Echo\u0085on\nline 2', extra = %s WHERE id = %s", (stored, id_of(old)))
    key = unique("late")
    assert "version" in client.call("ticket.comment", tracking=fresh, text="It is back!", as_=CUSTOMER)
    answer = client.call("ticket.comment", tracking=old, text="It is back!", key=key, as_=CUSTOMER)
    for tracking in fresh, old:
        asleep(stack, tracking)
    assert [ticket_of(client.show(tracking))["state"] for tracking in (fresh, old)] == ["reopened", "closed"]
    # Later, the words make a new, related ticket.
    new = client.decided(answer["tracking"])
    assert answer["tracking"] != old and (new["title"], new["problem"], new["customer"]) == ("Re: Echo on line 2", "It is back!", "acme")
    assert ticket_of(client.show(new["tracking"]))["contact"] == {"phone": "ask Zoe"}
    link = wait_until(lambda: ticket_of(client.show(new["tracking"]))["links"])[0]
    assert (link["to"], link["as_link"]) == (old, "related")
    again = client.call("ticket.comment", tracking=old, text="It is back!", key=key, as_=CUSTOMER)
    assert again["tracking"] == answer["tracking"] and again["duplicate"] is True
    # Of a list such a ticket is refused; the others get the words.
    of_list = client.call("ticket.comment", tracking=[fresh, old], text="It is back!", as_=CUSTOMER)["results"]
    assert [(one["tracking"] == old, one.get("error", {}).get("code")) for one in of_list].count((True, "conflict")) == 1
    assert [one["version"] for one in of_list if one["tracking"] == fresh]
    assert "It is back!" not in str(ticket_of(client.show(old))["events"])


def test_an_unanswered_approval_is_asked_for_again_then_a_task(stack, client):
    address = unique("silent") + "@localhost"
    tracking = decided(client, 1, contact={"email": address, "phone": "+43 1 555"})[0]
    client.call("ticket.take", tracking=tracking, as_=ADA)
    client.call("ticket.resolve", tracking=tracking, text="A new cable.", as_=ADA)
    asleep(stack, tracking)

    def asked():
        return [event["body"]["times"] for event in ticket_of(client.show(tracking))["events"] if event["kind"] == "asked" and event["body"].get("what") == "approval"]

    assert asked() == []
    pass_time(stack, client, tracking, 4 * 86400)  # two working days at least, whatever day it is
    assert asked() == [1]
    client.call("ticket.comment", tracking=tracking, text="Another wake.", as_=MACHINE)
    asleep(stack, tracking)
    assert asked() == [1], "once"
    shown = ticket_of(client.show(tracking))
    assert shown["state"] == "resolved", "silence closes nothing"
    # What is asked again is the whole question, with its link; the desk is told at last what to do.
    first, again = [link_to(stack, address, n) for n in (1, 2)]
    mail = wait_until(lambda: [mail for mail in mails_to(stack, address) if "Reminder" in mail["Subject"]])[0]
    assert "A new cable." in mail.get_body(("plain",)).get_content() and link_in(mail) == again != first
    assert "A new cable." in visit(again)[2] and "<form" in visit(again)[2]
    for _ in range(3):
        pass_time(stack, client, tracking, 7 * 86400)
    # Whether it goes as a mail of its own or in a summary depends on what else the desk was told.
    wait_until(lambda: [message for message in ticket_of(client.show(tracking))["messages"] if message["kind"] == "task" and message["to"] == "staff"])


# ---- agreed steps ----


def test_an_agreed_step_stays_until_it_is_done(stack, client):
    tracking = decided(client, 1)[0]
    client.call("ticket.cannot_resolve", tracking=tracking, reason="End of life.", proposal="Replace the gateway.", as_=ADA)
    assert ticket_of(client.show(tracking))["tasks"] == []
    client.call("ticket.agree", tracking=tracking, as_=CUSTOMER)
    task = ticket_of(client.show(tracking))["tasks"][0]
    assert (task["what"], task["agreed_by"], task["done_at"]) == ("Replace the gateway.", "carla", None) and task["agreed_at"]
    assert client.refused("ticket.done", tracking=tracking, task=task["task"] + 1, text="x", as_=ADA).field == "task"
    assert "Replace the gateway." in stack.docket("show", tracking).stdout
    done = stack.docket("done", tracking, "--task", str(task["task"]), "--text", "Replaced.")
    assert done.returncode == 0, done.stderr
    after = ticket_of(client.show(tracking))["tasks"][0]
    assert after["done_by"] == "ada" and after["done_at"] and event(client, tracking, "updated")["body"] == {"text": "Replaced.", "task": task["task"]}
    assert client.refused("ticket.done", tracking=tracking, task=task["task"], text="again", as_=ADA).code == "not_found"
    client.call("ticket.wait", tracking=tracking, on="vendor", vendor="Telco", reason="Line.", proposal="Order a second line.", as_=ADA)
    client.call("ticket.decline", tracking=tracking, text="Too dear.", as_=CUSTOMER)
    assert len(ticket_of(client.show(tracking))["tasks"]) == 1


# ---- a customer's package ----


def test_open_tickets_that_a_dead_broker_was_moving_are_moved_by_the_other(pair):
    """Nobody repeats the request."""
    customer, root = unique("left"), {"name": "root", "role": "admin"}
    record = {"id": customer, "name": "Left", "package": "standard"}
    asks, client = pair.client(1), pair.client(2)
    client.call("customer.put", customer=record, as_=root)
    for _ in range(300):
        client.send("ticket.submit", key=unique("left"), customer=customer, title="t", problem="p")
    assert all(client.receive()["ok"] for _ in range(300))
    moved = "SELECT count(*) FROM tickets WHERE customer = %s AND package = 'gold'"
    with pair.db() as db:  # what it moves last is held: it dies before the end
        db.autocommit = False
        held = db.execute("SELECT max(id) FROM tickets WHERE customer = %s", (customer,)).fetchone()[0]
        wait_until(lambda: db.execute("SELECT count(*) FROM desk WHERE ticket = %s", (held,)).fetchone()[0], 10)
        db.execute("SELECT FROM desk WHERE ticket = %s FOR UPDATE", (held,))
        asks.send("customer.put", key=unique("left"), customer={**record, "package": "gold"}, open_tickets=True, as_=root)
        wait_until(lambda: pair.value(moved, customer) > 0, 10)
        pair.kill("broker-1")
        db.rollback()
    wait_until(lambda: pair.value(moved, customer) == 300 and pair.value("SELECT count(*) FROM moves") == 0, 30)
    pair.up()


def test_tickets_that_a_dead_broker_was_computing_again_are_by_the_next(pair):
    decided(pair.client(2), 2)
    for name in ("broker-1", "broker-2"):
        pair.kill(name)
    with pair.db() as db:
        db.execute("UPDATE process_log SET at = docket_now(), recompute_after = 0, recomputed = 0 WHERE n = (SELECT max(n) FROM process_log)")
        db.commit()
    pair.up()
    wait_until(lambda: pair.value("SELECT count(*) FROM process_log WHERE recompute_after IS NOT NULL") == 0, 30)
    assert pair.value("SELECT recomputed FROM process_log ORDER BY n DESC LIMIT 1") >= 2


def test_open_tickets_move_to_the_new_package_only_when_asked(stack, client):
    customer, root = unique("moves"), {"name": "root", "role": "admin"}
    record = {"id": customer, "name": "Mover", "package": "standard"}
    client.call("customer.put", customer=record, as_=root)
    first, closed = decided(client, 2, customer=customer)
    client.call("ticket.close", tracking=closed, reason="withdrawn", text="x", as_=ADA)
    client.call("ticket.comment", tracking=first, text="Seen.", public=True, as_=ADA)
    asleep(stack, first)
    client.call("customer.put", customer={**record, "package": "gold"}, as_=root)
    assert ticket_of(client.show(first))["package"] == "standard", "a ticket keeps the package of its posting"
    key = unique("move")
    answer = client.call("customer.put", customer={**record, "package": "gold"}, open_tickets=True, key=key, as_=root)
    assert (answer["customer"], answer["moved"]) == (customer, 1)
    asleep(stack, first)
    assert [ticket_of(client.show(tracking))["package"] for tracking in (first, closed)] == ["gold", "standard"]
    assert event(client, first, "updated")["body"] == {"package": "gold"}
    posted = client.call("events.since", cursor="", limit=1, filter={"tracking": first})["events"][0]
    assert posted["body"]["package"] == event(client, first, "posted")["body"]["package"] == "standard", "what was posted stays"
    # Verdicts stay with the package they were judged for, also when the ticket moves on.
    client.call("ticket.comment", tracking=first, text="Still there.", public=True, as_=ADA)
    asleep(stack, first)
    again = client.call("customer.put", customer={**record, "package": "gold"}, open_tickets=True, key=key, as_=root)
    assert again["duplicate"] and again["moved"] == 0
    (stack.home / "moves.yaml").write_text(f"id: {customer}\nname: Mover\npackage: standard\n")
    done = stack.docket("customer", "apply", str(stack.home / "moves.yaml"), "--open-tickets")
    assert done.returncode == 0 and ticket_of(client.show(first))["package"] == "standard", done.stderr
    for package, fell in ("standard", [("response", 1), ("update", 1)]), ("gold", [("update", 2)]):
        verdicts = client.call("deadline.list", customer=customer, package=package)["deadlines"]
        assert sorted((v["clock"], v["cycle"]) for v in verdicts if v["tracking"] == first) == fell and {v["package"] for v in verdicts} == {package}
