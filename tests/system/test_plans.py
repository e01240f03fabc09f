"""How each statement of each session is planned on a database that has been in use: none walks a whole large table but those that say why."""

import re

import psycopg
import pytest
from helpers import ROOT, migrated

FILL = """
INSERT INTO customers (id, updated_at, name, package, record) SELECT 'c' || n, 1, 'C', 'gold', '\\x80' FROM generate_series(1, 1000) n;
CREATE TEMP TABLE t AS SELECT (n::bigint << 29) + 1 AS id, n, docket_now() - n * 60000000::bigint AS at FROM generate_series(1, 20000) n;
INSERT INTO tickets (id, posted_at, key_digest, content_digest, customer, package, title, problem, extra)
    SELECT id, at, decode(md5('k' || n), 'hex'), '\\x00', 'c' || (1 + n % 1000), 'gold', 'Echo', 'It echoes', '\\x80' FROM t;
INSERT INTO desk (ticket, wake_at, rank, updated_at, version, decided, attempt, lane, state, priority, assignee, queue, clocks)
    SELECT id, CASE WHEN n % 10 = 0 THEN at END, CASE WHEN n % 10 = 0 THEN at END, at, 6, 6, 6, CASE WHEN n % 10 = 0 THEN 8 END,
           CASE WHEN n % 10 = 0 THEN n / 10 % 5 ELSE 6 END, 1 + n % 4, CASE WHEN n % 3 = 0 THEN 'p' || n % 40 END, 'noc', '\\x90' FROM t;
INSERT INTO events (ticket, at, version, kind, public, body) SELECT id, at + v, v, v, v % 2 = 0, '\\x80' FROM t, generate_series(2, 6) v;
INSERT INTO deadlines (ticket, clock, cycle, verdict, priority, promise_s, due_at, worked_s, paused_s, judged_at)
    SELECT id, c, 1, 'met', 1 + n % 4, 3600, at, 60, 0, at FROM t, unnest('{response,update}'::text[]) c;
INSERT INTO keys (digest, content, request, at, ticket, version) SELECT decode(md5('x' || n), 'hex'), '\\x00', n, at, id, 3 FROM t;
INSERT INTO alerts (cause, ticket, kind, priority, state, opened_at, body) SELECT 'missed:' || n, id, 'missed', 2, 2, at, 'x' FROM t;
INSERT INTO outbox (ticket, version, audience, state, created_at, kind) SELECT id, v, 1, 2, at, 'update' FROM t, generate_series(1, 2) v;
INSERT INTO deliveries (ticket, version, generation, audience, state, attempts, created_at, next_at, ended_at, kind, channel, recipient, address, message_id, alert)
    SELECT id, v, 0, 1, CASE WHEN n % 50 = 0 THEN 4 ELSE 3 END, 1, at, at, at, 'update', 'email', 'r', 'a' || n % 500 || '@x', 'm' || n || v, n
      FROM t, generate_series(1, 2) v;
INSERT INTO attempts (delivery, n, started_at, ended_at, notifier, result) SELECT id, 1, created_at, created_at, 'n1', 'delivered' FROM deliveries;
INSERT INTO links SELECT id, id + (1::bigint << 29), 'related', at FROM t;
INSERT INTO amendments (ticket, title) SELECT id, 'New' FROM t;
UPDATE targets SET ready_at = NULL;
ANALYZE"""
LARGE = {"tickets", "desk", "events", "deadlines", "keys", "alerts", "outbox", "deliveries", "attempts", "links", "amendments"}
# Who may, and why.
WALKS = {}


def settings_of(path, name):
    """What a session is told at its beginning, as it stands in the source."""
    text = re.search(rf"#define {name}((?:.*\\\n)*.*)", (ROOT / path).read_text())[1]
    return "".join(re.findall(r'"([^"]*)"', text))


def names_of(path, name):
    text = re.search(rf"#define {name}\(X\)((?:.*\\\n)*.*)", (ROOT / path).read_text())[1]
    return re.findall(r'"(\w+)"', text)


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


SESSIONS = {
    "writer": ("broker", settings_of("broker/broker_life.c", "WRITER_SESSION_SQL"), names_of("broker/statements.h", "WRITER_STATEMENTS")),
    "control": ("broker", settings_of("broker/broker_life.c", "CONTROL_SESSION_SQL"), names_of("broker/statements.h", "CONTROL_STATEMENTS")),
    "notifier": ("notifier", settings_of("notifier/notifier_life.c", "TELL_SESSION_SQL"), [path.stem for path in sorted((ROOT / "notifier/sql").glob("*.sql"))]),
}


@pytest.fixture(scope="module")
def server():
    with migrated() as dsn:
        with psycopg.connect(dsn, autocommit=True) as db:
            for statement in FILL.split(";\n"):
                db.execute(statement)
        yield dsn


@pytest.mark.parametrize("session", SESSIONS)
def test_no_statement_walks_a_large_table(server, session):
    room, settings, names = SESSIONS[session]
    assert "force_generic_plan" in settings and len(names) > 15
    found = {}
    with psycopg.connect(server, autocommit=True, prepare_threshold=None) as db:
        partial = {name for name, in db.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL")}
        db.execute(settings)
        for name in names:
            text = (ROOT / room / "sql" / f"{name}.sql").read_text()
            if re.search(r"^DISCARD", text, re.M):
                continue
            db.execute(f"PREPARE {name} AS {text}")
            count = db.execute("SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = %s", (name,)).fetchone()[0]
            values = f"({', '.join(['NULL'] * count)})" if count else ""
            plan = db.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {name}{values}").fetchone()[0][0]["Plan"]
            for node in nodes(plan):
                whole = node["Node Type"] == "Seq Scan" or node["Node Type"].startswith("Index") and "Index Cond" not in node and node["Index Name"] not in partial
                if whole and node.get("Relation Name") in LARGE:
                    found.setdefault(name, []).append((node["Node Type"], node["Relation Name"], node.get("Filter", "")))
    assert {name: walks for name, walks in found.items() if name not in WALKS} == {}


def test_each_statement_is_of_a_session():
    readers = names_of("broker/statements_reader.h", "STATEMENTS_READER")
    known = {*SESSIONS["writer"][2], *SESSIONS["control"][2], *readers}
    assert {path.stem for path in (ROOT / "broker/sql").glob("*.sql") if not path.stem.startswith("verify_")} == known
