"""docs/protocol.md against the wire: each op, each field that an op takes, and who may ask for what stand there."""

import re

import pytest
from helpers import ADA, CUSTOMER, MACHINE, ROOT, Refused

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
    return message.partition("allowed are ")[2].split(", ")


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
