"""docket-broker verify: a database that is broken by hand is told by exactly the line of what was broken."""

import signal
import subprocess

import msgpack
import psycopg
import pytest
from helpers import ADA, BIN, CUSTOMER, Stack, id_of, wait_until

SEEN = ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S14", "S16", "S7b"]


@pytest.fixture(scope="module")
def desk():
    """Tickets of many kinds, all at rest, and no program that could mend what a test breaks."""
    running = Stack()
    client = running.client()
    ids = {}
    for name in ("plain", "taken", "closed", "reopened", "vendor", "replied"):
        tracking = client.submit(impact="question", contact={"email": "carla@localhost"})
        client.decided(tracking)
        ids[name] = id_of(tracking)
        do = lambda op, **body: client.call("ticket." + op, tracking=tracking, **{"as_": ADA, **body})  # noqa: E731, B023
        if name != "plain":
            do("take", key=f"take-{name}")
        if name in ("closed", "reopened"):
            do("resolve", text="Done.")
            do("approve", as_=CUSTOMER)
        if name == "reopened":
            do("reopen", reason="Again.")
        if name in ("vendor", "replied"):
            do("wait", on="vendor" if name == "vendor" else "customer", reason="r", **({"vendor": "V", "proposal": "p"} if name == "vendor" else {}))
        if name == "replied":
            do("comment", text="Here.", public=True, as_=CUSTOMER)
    wait_until(lambda: running.value("SELECT count(*) FROM desk WHERE lane < 5") == 0)
    wait_until(lambda: running.value("SELECT count(*) FROM outbox WHERE state < 2") + running.value("SELECT count(*) FROM deliveries WHERE state < 2") == 0, 20)
    assert running.verify().count(" ok ") == len(SEEN)
    for name in ("worker-1", "notifier-1", "broker-1"):
        running.kill(name, signal.SIGSTOP)
    yield running, ids
    for name in ("worker-1", "notifier-1", "broker-1"):
        running.kill(name, signal.SIGCONT)
    client.close()
    running.close()


ALERT = "INSERT INTO alerts (cause, ticket, kind, priority, opened_at, body) VALUES ('missed:X:response:{0}', {1}, 'missed', 3, 1, 'x')"
VERDICT = ("INSERT INTO deadlines (ticket, clock, cycle, verdict, promise_s, due_at, worked_s, paused_s, judged_at)"
           " VALUES ({plain}, 'response', 1, '{verdict}', 1, 1, 1, 0, 1)")
LATE = msgpack.packb([{"clock": "response", "cycle": 1, "state": "running", "due_at": 1}]).hex()

# The line that must break, and how.
BREAKS = {
    "a ticket's key used by a change too": ("S1", "INSERT INTO keys (digest, content, request, at) SELECT key_digest, content_digest, 1, 1 FROM tickets LIMIT 1"),
    "a change that was acknowledged and is not there": ("S1", "INSERT INTO keys (digest, content, request, at, ticket, version) VALUES ('x', 'y', 1, 1, {plain}, 99)"),
    "a second event 1": ("S2 S13 S3", "INSERT INTO events (ticket, at, version, kind, public, seq) VALUES ({plain}, 1, 1, 4, false, 0)"),
    "an event of no ticket": ("S3", "INSERT INTO events (ticket, at, version, kind, public) VALUES (5, 1, 2, 4, false)"),
    "an event that is gone": ("S3", "DELETE FROM events WHERE ticket = {vendor} AND version = 2 AND kind = 2"),
    "a version ahead of the events": ("S3", "UPDATE desk SET version = version + 1 WHERE ticket = {taken}"),
    "a state that no event led to": ("S4", "UPDATE desk SET state = 5 WHERE ticket = {taken}"),
    "a wait for the vendor shown as for the customer": ("S4", "UPDATE desk SET state = 3 WHERE ticket = {vendor}"),
    "a reply that did not end the waiting": ("S4", "UPDATE desk SET state = 3 WHERE ticket = {replied}"),
    "an approval of what was not resolved": ("S4", "UPDATE events SET kind = 17 WHERE ticket = {taken} AND kind = 6"),
    "two triages": ("S5", "UPDATE events SET kind = 2, body = NULL WHERE ticket = {taken} AND kind = 6;UPDATE desk SET state = 1 WHERE ticket = {taken}"),
    "a running clock without a wake": ("S6", "UPDATE desk SET lane = NULL, rank = NULL, wake_at = NULL, owner = NULL WHERE ticket = {plain}"),
    "a wake later than its due time": ("S6", "UPDATE desk SET clocks = '\\x" + LATE + "', wake_at = docket_now() + 60000000 WHERE ticket = {plain}"),
    "a wake that was given up and stands in a lane": ("S6", "UPDATE desk SET dead = true WHERE ticket = {plain}"),
    "a wake owned by nobody known": ("S7", "UPDATE desk SET owner = 7 WHERE ticket = {plain}"),
    "no receipt": ("S8 S9", "DELETE FROM outbox WHERE kind = 'received' AND ticket = {plain}"),
    "two receipts": ("S8 S12", "INSERT INTO outbox (ticket, version, audience, kind, created_at, state) VALUES ({plain}, 999, 1, 'received', 1, 2)"),
    "a row left behind": ("S9", "UPDATE outbox SET state = 1, lease_until = docket_now() - 120000000 WHERE ticket = {plain}"),
    "a missed promise without an alert": ("S10", VERDICT.replace("{verdict}", "missed")),
    "a missed promise with two": ("S10", VERDICT.replace("{verdict}", "missed") + ";" + ALERT.format(1, "{plain}") + ";" + ALERT.format(1, "{plain}").replace("missed:X", "missed:Y")),
    "an alert of a promise that was met": ("S11", VERDICT.replace("{verdict}", "met") + ";" + ALERT.format(1, "{plain}")),
    "a message about a version to come": ("S12", "INSERT INTO outbox (ticket, version, audience, kind, created_at, state) VALUES ({plain}, 999, 1, 'update', 1, 2)"),
    "an attempt before the message": ("S12", "UPDATE attempts SET started_at = 1"),
    "versions that fall in the feed": ("S13", "UPDATE events SET seq = 0 WHERE ticket = {taken} AND version = 3"),
    "a dead letter of which nobody hears": ("S14", "INSERT INTO dead_letters (ticket, at, attempt, failures, code, message) VALUES ({plain}, 1, 1, 5, 'x', 'x')"),
    "a closed ticket that was never posted": ("S16 S2 S4", "INSERT INTO desk (ticket, updated_at, version, attempt, state) VALUES (5, 1, 1, 2, 6)"),
}


def verified(stack, dsn):
    config = stack.home / "verify.yaml"
    config.write_text(f'dsn: "{dsn}"\ntracking_prefix: NOC\n')
    done = subprocess.run([str(BIN / "docket-broker"), "verify", "--config", str(config)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    lines = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    assert list(lines) == SEEN, done.stdout + done.stderr
    assert "DKT-" not in done.stdout and done.stdout.count(", first NOC-") == done.stdout.count(", first "), done.stdout
    return done.returncode, {name for name, word in lines.items() if word == "BROKEN"}


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_broken_by_hand_is_told_by_its_line(desk, what):
    """In a copy of the database, so that each test breaks a whole one."""
    stack, ids = desk
    lines, sql = BREAKS[what]
    with stack.db() as db:
        name = db.info.dbname
        db.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
    with psycopg.connect(stack.env["DOCKET_DSN"], dbname="template1", autocommit=True) as db:
        db.execute("DROP DATABASE IF EXISTS broken")
        db.execute(f'CREATE DATABASE broken TEMPLATE "{name}"')
    dsn = psycopg.conninfo.make_conninfo(stack.env["DOCKET_DSN"], dbname="broken")
    with psycopg.connect(dsn, autocommit=True) as db:
        assert verified(stack, dsn) == (0, set())
        for one in sql.split(";"):
            assert db.execute(one.format(**ids)).rowcount > 0, one
    assert verified(stack, dsn) == (1, set(lines.split()))


def test_a_wake_that_its_broker_does_not_know_of_is_told(desk):
    """It belongs to a living epoch, so nobody claims it, and is not in that broker's memory: it would wait for ever."""
    stack, ids = desk
    stack.kill("broker-1", signal.SIGCONT)
    wait_until(lambda: stack.http("broker-1", "/readyz")[0] == 200, 30)

    def broken():
        """What verify finds while the wake is said to be this broker's; its epoch may be another one by now, on a busy machine."""
        with stack.db() as db:
            before = db.execute("SELECT owner FROM desk WHERE ticket = %s", [ids["plain"]]).fetchone()
            db.execute("UPDATE desk SET owner = (SELECT epoch FROM brokers WHERE NOT dead ORDER BY registered_at DESC LIMIT 1) WHERE ticket = %s", [ids["plain"]])
            done = subprocess.run([str(BIN / "docket-broker"), "verify", "--config", str(stack.config("broker-1"))], stdin=subprocess.DEVNULL, capture_output=True, text=True)
            db.execute("UPDATE desk SET owner = %s WHERE ticket = %s", [before[0], ids["plain"]])
        return done.returncode, [line[:16] for line in done.stdout.splitlines() if "BROKEN" in line]

    wait_until(lambda: broken() == (1, ["S7b  BROKEN  1 o"]), 30)
    wait_until(lambda: "S7b  ok" in stack.verify(), 30)
