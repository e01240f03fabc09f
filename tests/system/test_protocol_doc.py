"""docs/protocol.md against the wire: each op, each field that an op takes, and who may ask for what stand there."""

import itertools
import re
import sys

import pytest
from helpers import ADA, CUSTOMER, MACHINE, ROOT, Refused, wait_until

sys.path.insert(0, str(ROOT / "examples/python"))
from docket_client import Client as Example  # noqa: E402

PAGE = (ROOT / "docs/protocol.md").read_text()
OPS = re.findall(r'^    \[FORM_\w+\] = \{"([a-z_.]+)",', (ROOT / "common/op_form.c").read_text(), re.M)
# What each change takes, of the right form; the ticket and what else is the same for all is added.
CHANGES = {
    "ticket.next": {}, "ticket.take": {}, "ticket.assign": {"staff": "ben"}, "ticket.release": {"reason": "r"}, "ticket.comment": {"text": "t"},
    "ticket.update": {"set": {"tags": ["t"]}}, "ticket.prioritize": {"priority": 3, "reason": "r"}, "ticket.wait": {"on": "customer", "reason": "r"},
    "ticket.resume": {}, "ticket.cannot_resolve": {"reason": "r", "proposal": "p"}, "ticket.agree": {"text": "t"}, "ticket.decline": {"text": "t"},
    "ticket.done": {"task": 1, "text": "t"}, "ticket.meeting": {"medium": "im", "at": 4102444800000000, "attendees": ["a@localhost"]},
    "ticket.resolve": {"text": "t"}, "ticket.approve": {"text": "t"}, "ticket.reject": {"text": "t"}, "ticket.close": {"reason": "spam", "text": "t"},
    "ticket.reopen": {"reason": "r"}, "ticket.link": {"to": "DKT-0000-0000-0001-E", "as_link": "related"},
    "customer.put": {"customer": {"id": "roles", "name": "Roles", "package": "standard"}}, "process.apply": {"files": {"process.yaml": b""}},
    "dead.retry": {"all": True}, "oncall.override": {"override": 1, "cancel": True}, "staff.away": {"staff": "ada", "from_at": 1, "until_at": 2},
    "alert.ack": {"alert": 1 << 40}, "alert.unack": {"alert": 1 << 40}, "alert.resolve": {"alert": 1 << 40}, "notification.retry": {"notification": 1 << 40},
    "notification.discard": {"notification": 1 << 40}, "notification.release": {}, "notification.bounced": {"notification": 1 << 40, "status": "5.1.1"},
    "notification.mute": {"reason": "r", "until_at": 4102444800000000, "customer": "acme"}, "notification.unmute": {"mute": 1 << 40},
    "deadline.excuse": {"clock": "response", "reason": "r"},
}
OF_A_TICKET = {op for op in CHANGES if op.startswith("ticket.") and op != "ticket.next"} | {"deadline.excuse"}


def row_of(op):
    """The line of the page's tables whose first cell names the op."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `") and f"`{op}`" in line.split(" | ")[0]]
    assert len(rows) == 1, (op, len(rows))
    return rows[0]


def roles_told(op):
    """Who of customer and system may ask for it, as the page says."""
    table = PAGE.partition("| role | changes |")[2].partition("\n\n")[0]
    return {role for line in table.splitlines() if f"`{op}`" in line for role in ("customer", "system") if f"`{role}`" in line.split(" | ")[0]}


def taken(client, op):
    """The fields an op takes, as the broker names them when it is asked with an unknown one."""
    message = client.refused(op, no_such_field=1).error["message"]
    return re.search("allowed (?:is|are) (.*)", message)[1].split(", ")


def test_each_op_has_a_row_and_each_field_it_takes_stands_there(client):
    assert len(OPS) > 50 and set(CHANGES) == {op for op in OPS if "as" in taken(client, op)} - {"ticket.submit"}
    for op in OPS:
        row = row_of(op)
        missing = [field for field in taken(client, op) if not re.search(f"`{field}[`:]", row) and field not in ("key", "as", "if_version", "none")]
        assert not missing, (op, missing)


@pytest.mark.parametrize("op", CHANGES)
def test_who_may_ask_for_a_change_stands_there(client, op):
    body = {**CHANGES[op], **({"tracking": client.submit()} if op in OF_A_TICKET else {})}
    for actor in CUSTOMER, MACHINE:
        try:
            client.call(op, as_=actor, **body)
            is_forbidden = False
        except Refused as refusal:
            is_forbidden = refusal.code == "forbidden" and refusal.field == "as.role"
        assert is_forbidden == (actor["role"] not in roles_told(op)), (op, actor["role"])


def test_a_change_without_who_asks_is_refused(client):
    for op, fields in CHANGES.items():
        body = {**fields, **({"tracking": "DKT-0000-0000-0001-E"} if op in OF_A_TICKET else {})}
        refusal = client.refused(op, **body)
        assert (refusal.code, refusal.field) == ("invalid", "as"), op
    assert client.call("ticket.submit", key="with-as", customer="acme", title="t", problem="p", as_=ADA)["tracking"]


FREE = {"equipment", "configuration", "attributes", "contact", "body"}  # maps whose names are the customer's, or the kind's


def names_in(value):
    """Each name of a field in an answer, but those of maps that anybody fills."""
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    if isinstance(value, dict):
        return set(value) | set().union(*(names_in(value[name]) for name in value if name not in FREE))
    return set()


def test_each_field_of_a_shown_ticket_stands_there(client):
    tracking, other = client.submit(impact="down", contact={"email": "fields@localhost"}), client.submit()
    client.call("ticket.link", as_=ADA, tracking=tracking, to=other, as_link="related")
    client.call("ticket.take", as_=ADA, tracking=tracking)
    shown = wait_until(lambda: delivered_and_judged(client.call("ticket.show", tracking=tracking)))
    told = PAGE.partition("## Ops on tickets")[2].partition("## Other ops")[0]
    listed = row_of("deadline.list")  # what `deadlines` of a ticket are said to be like
    assert {"promise_s", "deliveries", "result", "as_link", "verdict"} <= names_in(shown)
    assert not [name for name in names_in(shown) if not re.search(f"`{name}[`:]", told + listed)]


def delivered_and_judged(shown):
    return shown["deadlines"] and any(one["history"] for message in shown["messages"] for one in message["deliveries"]) and shown


class Silent(Example):
    """The example without a network: it keeps what it would have asked, and gets the answers it is told."""

    def __init__(self, *answers):
        super().__init__(["tcp://one", "tcp://two"])
        self.asked, self.answers = [], list(answers)

    def _ask(self, op, body):
        self.asked.append((self.brokers[self.at], body))
        return self.answers.pop(0) if self.answers else {"ok": True, "body": {}}

    def _next_broker(self):
        self.at = (self.at + 1) % len(self.brokers)


def test_the_example_sends_a_key_with_each_change_and_with_nothing_else():
    for op in OPS:
        example = Silent()
        example.call(op)
        assert ("key" in example.asked[0][1]) == (op in CHANGES or op == "ticket.submit"), op


@pytest.mark.parametrize("code", ["busy", "unavailable"])
def test_the_example_repeats_what_may_be_repeated_with_the_same_key_at_the_next_broker(code):
    example = Silent({"ok": False, "error": {"code": code, "message": "m", "retry": True, "retry_after_ms": 1}})
    assert example.call("ticket.take") == {}
    assert [broker for broker, _ in example.asked] == ["tcp://one", "tcp://two"] and example.asked[0][1]["key"] == example.asked[1][1]["key"]


WHOLE = 2**31 - 1
CONSTANTS = {"INT32_MAX": WHOLE, "INT64_MAX": WHOLE, "AT_MOST": "2101", "TICKETS_MAX": 500, "7 * DAY_S": 604_800, "30 * DAY_S": 2_592_000}
TAKES = {
    "TEXT": "text of {}–{} bytes", "LINE": "one line of {}–{} bytes", "NAME": "{}–{} of letters, digits, `.`, `_` and `-`", "HASH": "{}–{} hexadecimal digits, in lower case",
    "TEXTS": "a list of at most {1} texts of 1–64 bytes", "ADDRESSES": "{}–{} addresses, each one line of 1–254 bytes", "TRACKINGS": "one tracking number, or a list of at most {1}", "FILES": "{}–{} files",
    "INT": "a whole number, {}–{}",
}


def limits_of_the_table():
    """Of each row of the broker's table of fields: its name, and what it takes in the page's words."""
    table = next(ROOT.glob("*/request_fields.c")).read_text()
    for name, kind, least, most in re.findall(r'\[F_\w+\] = \{"(\w+)", KIND_(\w+), ([^,]+), ([^,]+),', table):
        most = CONSTANTS.get(most) or int(most)
        if kind == "INT" and most in (WHOLE, "2101"):
            yield name, "microseconds since 1970, until 2101-01-01" if most == "2101" else f"a whole number of at least {least}"
        elif kind in TAKES:
            yield name, TAKES[kind].format(least, f"{most:,}")


def limits_of_the_page():
    """What the page says: fields of a row, what they take."""
    table = PAGE.partition("| field | takes |\n|---|---|\n")[2].partition("\n\n")[0]
    return [line.strip("| ").split(" | ", 1) for line in table.splitlines()]


def test_each_field_s_limit_stands_there():
    told = limits_of_the_page()
    wanted = set(limits_of_the_table())
    assert len(wanted) > 40
    missing = [(name, takes) for name, takes in wanted if not any(f"`{name}`" in names and said == takes for names, said in told)]
    assert not missing, missing
    for names, said in told:
        for name in re.findall(r"`([a-z_]+)`", re.sub(r"\(of [^)]*\)", "", names)):
            assert (name, said) in wanted, (name, said)


counter = itertools.count()


def asked_with(client, path, value):
    """The request that has this value at this place, and all else of the right form."""
    outer, _, name = path.partition(".")
    record = {"id": "limits", "name": "L", "package": "standard"}
    if outer == "set":
        return "ticket.update", {"tracking": client.submit(), "set": {name: value}, "as_": ADA}
    if outer == "as":
        return "ticket.take", {"tracking": client.submit(), "as_": {**ADA, name: value}}
    if outer == "customer":
        return "customer.put", {"customer": {**record, name: value}, "as_": ADA}
    if name in ("sms", "webhook"):
        return "customer.put", {"customer": {**record, "contacts": [{name: value}]}, "as_": ADA}
    return "ticket.submit", {"key": f"inner-{next(counter)}", "customer": "acme", "title": "t", "problem": "p", "contact": {name: value}}


def of_length(path, count):
    """A value of so many bytes that is right but for its length."""
    head = {"email": "a@", "xmpp": "a@", "webhook": "https://", "locale": "de"}.get(path.partition(".")[2], "")
    parts = "-abcdefgh" * 8 if "locale" in path else ("7" if path.endswith(("phone", "sms")) else "x") * count
    return (head + parts)[:count]


def test_each_limit_inside_a_map_is_the_one_that_stands_there(client):
    seen = 0
    for names, said in limits_of_the_page():
        for path in re.findall(r"`((?:as|customer|contact|set)\.[a-z]+)`", names):
            most = int(re.search(r"1–(\d+) bytes", said).group(1))
            op, body = asked_with(client, path, [of_length(path, most + 1)] if path == "set.tags" else of_length(path, most + 1))
            refusal = client.refused(op, **body)
            assert refusal.code == "too_large" and refusal.field.endswith(path.partition(".")[2]), (path, refusal)
            if path not in ("customer.package", "customer.zone"):  # there is none of so long a name
                op, body = asked_with(client, path, [of_length(path, most)] if path == "set.tags" else of_length(path, most))
                client.call(op, **body)
            op, body = asked_with(client, path, ["a\u0085b"] if path == "set.tags" else "a\u0085b")
            refusal = client.refused(op, **body)
            assert refusal.code == "invalid" and "want one line" in refusal.error["message"], (path, refusal)
            seen += 1
    assert seen == 15
    op, body = asked_with(client, "set.tags", ["t"] * 33)
    assert client.refused(op, **body).code == "too_large"
