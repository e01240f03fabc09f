"""Every field of every op with a value of every type that it does not take: refused by its name, and nothing changes. Written from
docs/protocol.md: fields that take maps, lists, booleans are those that it calls so."""

import math

import msgpack
import psycopg
import pytest
from helpers import ADA, Refused
from test_protocol_doc import CHANGES, OF_A_TICKET, OPS, taken

READS = {
    "ticket.submit": {"key": "types", "customer": "acme", "title": "t", "problem": "p"}, "ticket.find": {"key": "types"}, "customer.get": {"id": "x"}, "alert.show": {"alert": 1}, "notification.show": {"notification": 1},
    "process.whatif": {"files": {"process.yaml": b""}}, "process.simulate": {"files": {"process.yaml": b""}},
}
OF_A_TICKET_TOO = {"ticket.show", "ticket.explain", "notification.why"}
MAPS = {"equipment", "configuration", "attributes"}
FLAGS = {"take", "overdue", "peek", "public", "dry_run", "recompute", "all", "cancel", "open_tickets"}
WRONG = {
    "a list": [None], "a list of a list": [[]], "a map": {"zz": 1}, "a float": 1.5, "NaN": math.nan, "infinity": math.inf, "bytes": b"x", "below 0": -1, "the least": -(2**63), "the most": 2**64 - 1, "a flag": True, "long": "y" * 70_000,
}


def wrong_for(field):
    for name, value in WRONG.items():
        if not (name == "a map" and field in MAPS or name == "a flag" and field in FLAGS):
            yield name, value


# What brokers and notifiers write of themselves, whoever asks: leases, the state of telling, and alerts of a ticket that nobody decides.
THEIR_OWN = ("brokers", "notifiers", "telling", "alerts", "outbox", "deliveries", "attempts", "targets", "escalations")


def stored(db):
    tables = {table for (table,) in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()} - set(THEIR_OWN)
    assert {"tickets", "events", "desk", "customers", "keys", "processes"} < tables
    return {table: db.execute(f'SELECT count(*), sum(hashtext(t::text)::bigint) FROM "{table}" t').fetchone() for table in tables}


@pytest.fixture(scope="module")
def ticket(workerless):
    """One that nobody decides, so that nothing changes it."""
    client = workerless.client()
    yield client.submit(impact="question")
    client.close()


@pytest.mark.parametrize("op", OPS)
def test_each_field_refuses_what_is_not_of_its_type_and_nothing_changes(workerless, ticket, op):
    client = workerless.client()
    right = {**READS.get(op, {}), **CHANGES.get(op, {})}
    if op in OF_A_TICKET | OF_A_TICKET_TOO:
        right["tracking"] = ticket
    if op in CHANGES:
        right["as"] = ADA
    fields = [field for field in taken(client, op) if field != "none"]
    with psycopg.connect(workerless.env["DOCKET_DSN"], autocommit=True) as db:
        before = stored(db)
        for field in fields:
            for name, value in wrong_for(field):
                client.send_raw(msgpack.packb({"dkt": 1, "id": 7, "op": op, "body": {**right, field: value}}))
                answer = client.receive()
                assert answer["ok"] is False, (op, field, name, answer)
                error = answer["error"]
                assert error["code"] in ("invalid", "too_large") and error["field"].partition(".")[0].partition("[")[0] == field and error["retry"] is False, (op, field, name, error)
                assert len(error["message"]) < 500, (op, field, name)
        assert stored(db) == before, op
    client.close()


def test_a_number_that_no_field_takes_is_told_as_one(workerless):
    client = workerless.client()
    assert "outside 1–500" in client.refused("ticket.list", limit=2**64 - 1).error["message"]
    with pytest.raises(Refused, match="want an integer, got a number"):
        client.call("ticket.list", limit=1.5)
    client.close()
