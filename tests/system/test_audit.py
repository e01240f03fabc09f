"""The notifier's look at itself, and the heartbeat that stops when it finds what may never be."""

import psycopg
import pytest
from helpers import ADA, Stack, id_of, wait_until
from http_server import HttpServer


class Desk:
    def __init__(self):
        self.server = HttpServer()
        self.stack = Stack()
        self.client = self.stack.client()
        path = self.stack.config("notifier-1")
        self.stack.kill("notifier-1")
        path.write_text(path.read_text() + f"heartbeat_url: {self.server.url('/beat?id=7')}\nhttp_allow: [127.0.0.1]\naudit_every: 1s\n")
        self.stack.up()

    def sql(self, query, *args):
        with self.stack.db() as connection:
            return connection.execute(query, args)

    def beats(self):
        return len(self.server.of("/beat?id=7"))

    def beats_on(self):
        """It goes on beating from now on."""
        before = self.beats()
        return wait_until(lambda: self.beats() > before, 20)

    def found(self, rule):
        """What ops are told of it, once the metric shows it too; from then on nothing beats."""
        alert = wait_until(lambda: self.sql("SELECT body FROM alerts WHERE cause = %s AND state < 2", "audit:" + rule).fetchone(), 20)[0]
        wait_until(lambda: self.metric(rule) >= 1, 20)
        return alert

    def metric(self, rule):
        lines = self.stack.http("notifier-1", "/metrics")[1].splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f'docket_notifier_audit_broken{{rule="{rule}"}}'))

    def withheld(self):
        lines = self.stack.http("notifier-1", "/metrics")[1].splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith('docket_notifier_heartbeats_total{result="withheld"}'))

    def mended(self, rule):
        wait_until(lambda: self.metric(rule) == 0, 20)
        wait_until(lambda: not self.sql("SELECT FROM alerts WHERE cause = %s AND state < 2", "audit:" + rule).fetchall(), 20)
        return self.beats_on()


@pytest.fixture(scope="module")
def desk():
    one = Desk()
    yield one
    one.server.close()
    one.stack.close()


def test_while_all_is_well_it_beats(desk):
    tracking = desk.client.submit(impact="down")
    desk.client.decided(tracking)
    assert desk.beats_on()
    assert {request["method"] for request in desk.server.of("/beat?id=7")} == {"GET"}


BREAK = {
    "alerts": ("INSERT INTO alerts (cause, kind, priority, opened_at, body, next_at) VALUES ('x', 'ops', 1, docket_now() - 200000000, 'x', NULL)",
               "DELETE FROM alerts WHERE cause = 'x'"),
    "deadlines": ("UPDATE desk SET due_at = docket_now() - 200000000 WHERE ticket = %s", "UPDATE desk SET due_at = NULL WHERE ticket = %s"),
    "notices": ("INSERT INTO deadlines (ticket, clock, cycle, verdict, promise_s, due_at, worked_s, paused_s, judged_at)"
                " VALUES (%s, 'update', 77, 'missed', 60, docket_now() - 200000000, 60, 0, docket_now())", "DELETE FROM deadlines WHERE ticket = %s AND cycle = 77"),
}


@pytest.mark.parametrize("rule", sorted(BREAK))
def test_what_may_never_be_is_told_and_stops_the_heartbeat(desk, rule):
    tracking = desk.client.submit()
    desk.client.decided(tracking)
    spoil, mend = BREAK[rule]
    desk.sql(spoil, *[id_of(tracking)] * spoil.count("%s"))
    told = desk.found(rule)
    assert told.startswith("This may never be: 1 ") and ("alert " in told or str(id_of(tracking)) in told)
    beats, withheld = desk.beats(), desk.withheld()
    wait_until(lambda: desk.withheld() >= withheld + 1, 20)
    assert desk.beats() == beats
    desk.sql(mend, *[id_of(tracking)] * mend.count("%s"))
    assert desk.mended(rule)


def test_a_message_whose_queue_forgot_it_is_found(desk):
    desk.sql("INSERT INTO deliveries (ticket, version, generation, audience, kind, channel, recipient, address, created_at, next_at)"
             " VALUES (0, 0, 0, 2, 'task', 'nowhere', 'x', 'x', docket_now() - 300000000, docket_now() - 200000000)")
    desk.sql("UPDATE targets SET ready_at = NULL WHERE channel = 'nowhere'")
    assert "nobody will look at again" in desk.found("rows")
    desk.sql("DELETE FROM deliveries WHERE channel = 'nowhere'")
    assert desk.mended("rows")


@pytest.mark.parametrize("table", ["outbox", "deliveries"])
def test_illegal_states_cannot_be_written(desk, table):
    desk.client.submit(impact="down")  # somebody is told
    wait_until(lambda: desk.sql(f"SELECT FROM {table} LIMIT 1").fetchall())
    with pytest.raises(psycopg.errors.CheckViolation):
        desk.sql(f"UPDATE {table} SET state = 77")


def test_held_messages_stop_the_heartbeat(desk):
    desk.sql("UPDATE telling SET held = true, reason = 'a test'")
    withheld = desk.withheld()
    wait_until(lambda: desk.withheld() >= withheld + 1, 20)
    desk.client.call("notification.release", as_=ADA)
    assert desk.beats_on()
