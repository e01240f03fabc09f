"""Commits of which nobody knows whether they happened: sessions that are cut with a batch under way, commits that wait for a standby that never
comes. What was asked is done once, what is answered is done, and nothing lands late."""

import contextlib
import os
import signal

import pytest
from helpers import ADA, Stack, alive, id_of, ticket_of, wait_until
from pg_proxy import PgProxy

WRITER = "docket-broker writer"
CONTROL = "docket-broker control"


@pytest.fixture(scope="module")
def behind():
    """A broker whose sessions go through a proxy; and a second one that does not."""
    running = Stack(brokers=2, workers=2, notifiers=0)
    proxy = PgProxy(running.env["DOCKET_DSN"])
    config = running.config("broker-1")
    config.write_text(config.read_text().replace(running.env["DOCKET_DSN"], proxy.dsn))
    assert proxy.dsn in config.read_text()
    running.kill("broker-1", signal.SIGTERM)
    wait_until(lambda: not alive(running.pid("broker-1")))
    running.up()
    yield running, proxy
    proxy.keep_back(None)
    wait_until(lambda: running.http("broker-1", "/readyz")[0] == 200, 30)
    running.verify()
    running.close()
    proxy.close()


def ready(stack, n=1):
    wait_until(lambda: stack.http(f"broker-{n}", "/readyz")[0] == 200, 30)


def comments(client, tracking):
    return [event["body"]["text"] for event in ticket_of(client.show(tracking))["events"] if event["kind"] == "commented"]


def waits_for_lock(stack, name=WRITER):
    """Sessions of that name that wait for a lock of somebody."""
    return stack.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock' AND pg_blocking_pids(pid) <> '{}'", name)


def test_what_was_committed_and_not_heard_of_is_answered_as_new_once(behind):
    stack, proxy = behind
    client, other = stack.client(1), stack.client(2)
    tracking = client.submit()
    client.decided(tracking)
    proxy.keep_back(WRITER)
    posted = client.send("ticket.submit", key="unheard", customer="acme", title="t", problem="p", impact="question")
    wait_until(lambda: stack.value("SELECT count(*) FROM tickets WHERE title = 't' AND customer = 'acme' AND problem = 'p'") == 1)
    commented = client.send("ticket.comment", tracking=tracking, text="unheard", as_=ADA, key="unheard comment")
    proxy.cut(WRITER)
    answers = {answer["id"]: answer for answer in (client.receive(30), client.receive(30))}
    assert answers[posted]["ok"] and answers[posted]["body"]["duplicate"] is False, answers
    ready(stack)
    if not answers[commented]["ok"]:  # it had not been sent yet
        assert answers[commented]["error"]["code"] == "unavailable" and answers[commented]["error"]["retry"]
        client.call("ticket.comment", tracking=tracking, text="unheard", as_=ADA, key="unheard comment")
    assert comments(client, tracking) == ["unheard"]
    assert other.call("ticket.find", key="unheard")["tracking"] == answers[posted]["body"]["tracking"]
    again = client.call("ticket.submit", key="unheard", customer="acme", title="t", problem="p", impact="question")
    assert again["duplicate"] is True and again["tracking"] == answers[posted]["body"]["tracking"]
    assert stack.value("SELECT count(*) FROM outbox WHERE ticket = %s AND kind = 'received'", id_of(again["tracking"])) == 1
    other.decided(again["tracking"], 30)
    client.close(), other.close()


def test_a_comment_that_was_committed_and_not_heard_of_is_answered_as_new_once(behind):
    stack, proxy = behind
    client = stack.client(1)
    tracking = client.submit()
    client.decided(tracking)
    proxy.keep_back(WRITER)
    sent = client.send("ticket.comment", tracking=tracking, text="once", as_=ADA)
    wait_until(lambda: stack.value("SELECT count(*) FROM events WHERE ticket = %s AND kind = 4", id_of(tracking)) == 1)
    proxy.cut(WRITER)
    answer = client.receive(30)
    assert answer["id"] == sent and answer["ok"] and answer["body"]["duplicate"] is False, answer
    ready(stack)
    assert comments(client, tracking) == ["once"]
    client.decided(tracking, 30)
    client.close()


def test_what_was_claimed_and_not_heard_of_is_in_nobody_s_memory_and_decided_all_the_same(behind):
    stack, proxy = behind
    client = stack.client(1)
    tracking = client.submit()
    client.decided(tracking)
    epoch = "SELECT epoch FROM brokers WHERE name = 'broker-1' AND NOT dead ORDER BY registered_at DESC LIMIT 1"
    owned = f"SELECT count(*) FROM desk WHERE ticket = %s AND owner = ({epoch})"
    other = stack.pid("broker-2")
    for _ in range(5):  # a claim that was on its way already knows nothing of it
        os.kill(other, signal.SIGSTOP)
        try:
            proxy.keep_back(CONTROL)
            with stack.db() as db:
                db.execute("UPDATE desk SET lane = 2, rank = docket_now(), wake_at = docket_now(), owner = NULL, attempt = attempt + 1 WHERE ticket = %s", (id_of(tracking),))
                db.commit()
            with contextlib.suppress(AssertionError):
                wait_until(lambda: stack.value(owned, id_of(tracking)) == 1, 3)
            claimed = stack.value(owned, id_of(tracking)) == 1
            proxy.cut(CONTROL)
        finally:
            os.kill(other, signal.SIGCONT)
        wait_until(lambda: stack.value("SELECT count(*) FROM desk WHERE ticket = %s AND owner IS NULL AND lane IS DISTINCT FROM 2", id_of(tracking)) == 1, 30)
        if claimed:
            break
    assert claimed
    ready(stack)
    client.close()


def test_a_batch_left_behind_on_the_server_never_lands_after_its_epoch(behind):
    """The session is half open: its backend waits for a row while the broker has long begun another epoch."""
    stack, proxy = behind
    client = stack.client(1)
    tracking = client.submit()
    client.decided(tracking)
    with stack.db() as db:
        epoch = db.execute("SELECT epoch FROM brokers WHERE name = 'broker-1' ORDER BY registered_at DESC LIMIT 1").fetchone()[0]
        with db.transaction():
            db.execute("SELECT FROM desk WHERE ticket = %s FOR UPDATE", (id_of(tracking),))
            client.send("ticket.comment", tracking=tracking, text="left behind", as_=ADA)
            wait_until(lambda: waits_for_lock(stack))
            pid = stack.value("SELECT pid FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'", WRITER)
            proxy.cut(WRITER, half_open=True)
            wait_until(lambda: stack.value("SELECT count(*) FROM brokers WHERE name = 'broker-1' AND NOT dead AND epoch <> %s", epoch))
            assert stack.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid) == 0
    proxy.half_open = False
    answer = client.receive(30)
    ready(stack)
    assert answer["ok"] or answer["error"]["code"] == "unavailable", answer
    wait_until(lambda: stack.value("SELECT count(*) FROM desk d JOIN brokers b ON b.epoch = d.owner WHERE b.dead") == 0)
    assert comments(client, tracking) == ["left behind"] * answer["ok"]
    client.close()


def opposite_batches(stack, clients):
    """Two brokers with a batch each that changes A, B and M, in opposite orders; M is held until both batches wait. The answers.

    Each batch begins with a ticket of its own that is held too: so both are past the statement that makes missing rows, which waits for a row
    that somebody is about to change, before one of them changes anything."""
    names = [clients[0].submit() for _ in range(7)]
    for tracking in names:
        clients[0].decided(tracking)
    gates, firsts, (a, b, m) = names[:2], names[2:4], names[4:]

    def held(db, *trackings):
        db.execute("SELECT FROM desk WHERE ticket = ANY (%s) FOR UPDATE", ([id_of(tracking) for tracking in trackings],))

    with stack.db() as gate, stack.db() as first, stack.db() as middle, middle.transaction():
        held(middle, m)
        with first.transaction():
            held(first, *firsts)
            with gate.transaction():
                held(gate, *gates)
                for client, tracking in zip(clients, gates):
                    client.send("ticket.comment", tracking=tracking, text="gate", as_=ADA)
                wait_until(lambda: waits_for_lock(stack) == 2)
                for client, order in zip(clients, ((firsts[0], a, m, b), (firsts[1], b, m, a))):
                    for tracking in order:
                        client.send("ticket.comment", tracking=tracking, text="middle", as_=ADA)
                    client.call("ping")  # so these are taken, and wait for the gate's batch
            wait_until(lambda: stack.value("SELECT count(*) FROM events WHERE ticket = ANY (%s) AND kind = 4", [id_of(tracking) for tracking in gates]) == 2)
            wait_until(lambda: waits_for_lock(stack) == 2)
        wait_until(lambda: waits_for_lock(stack) == 2)
    return [client.receive() for client in clients for _ in range(5)]


def test_two_brokers_that_change_the_same_tickets_in_other_orders_never_deadlock(behind):
    stack, _ = behind
    clients = [stack.client(1), stack.client(2)]
    with stack.db() as db:  # the server looks for a circle sooner than a lock's time is over
        db.execute("ALTER SYSTEM SET deadlock_timeout = '20ms'")
        db.execute("SELECT pg_reload_conf()")
    wait_until(lambda: stack.value("SHOW deadlock_timeout") == "20ms")
    for _ in range(5):  # on a machine that is slow the gate's own time-out comes first
        with contextlib.suppress(AssertionError):
            answers = opposite_batches(stack, clients)
            break
        for client in clients:
            while client.receive(3):
                pass
    assert all(answer["ok"] for answer in answers), answers
    assert "deadlock detected" not in stack.log("postgres")
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def standby():
    """One broker whose commits can be made to wait for a standby that is not there; it gives up soon."""
    running = Stack(workers=1, notifiers=0)
    with running.config("broker-1").open("a") as config:
        config.write("lease: 2s\nsettle_timeout: 2s\n")
    running.kill("broker-1", signal.SIGTERM)
    wait_until(lambda: not alive(running.pid("broker-1")))
    running.up()

    def wait_for(name):
        with running.db() as db:
            db.execute("SET synchronous_commit = local")
            db.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
            db.execute("SELECT pg_reload_conf()")
        wait_until(lambda: running.value("SHOW synchronous_standby_names") == name)

    yield running, wait_for
    running.close()


def test_a_commit_that_was_cancelled_is_not_taken_for_replicated(standby):
    """The server warns and says success: the answer waits until a commit that writes it again has got through."""
    stack, wait_for = standby
    client = stack.client()
    client.submit()
    wait_for("nosuch")
    sent = client.send("ticket.submit", key="not replicated", customer="acme", title="waits", problem="p")
    waiting = "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND wait_event = 'SyncRep'"
    pid = wait_until(lambda: stack.db and (rows := fetch(stack, waiting, WRITER)) and rows[0][0])
    fetch(stack, "SELECT pg_cancel_backend(%s)", pid)
    assert wait_until(lambda: stack.value("SELECT count(*) FROM tickets WHERE title = 'waits'")) == 1  # visible, and not replicated
    answer = client.receive(1.5)
    assert answer is None or answer["error"]["code"] == "unavailable", answer
    wait_for("")
    answer = answer or client.receive(30)
    assert answer["id"] == sent and (answer["ok"] or (answer["error"]["code"] == "unavailable" and answer["error"]["retry"] is True)), answer
    wait_until(lambda: stack.http("broker-1", "/readyz")[0] == 200, 30)
    again = client.call("ticket.submit", key="not replicated", customer="acme", title="waits", problem="p")
    assert stack.value("SELECT count(*) FROM tickets WHERE title = 'waits'") == 1
    client.decided(again["tracking"], 30)
    client.close()
    stack.verify()


def fetch(stack, query, *args):
    with stack.db() as db:
        return db.execute(query, args).fetchall()


def test_commits_that_hang_are_told_unavailable_and_all_goes_on_when_the_standby_is_back(standby):
    stack, wait_for = standby
    client = stack.client()
    client.submit()
    wait_for("nosuch")
    sent = {client.send("ticket.submit", key=f"hang-{n}", customer="acme", title="hangs", problem="p"): f"hang-{n}" for n in range(200)}
    for _ in sent:
        answer = client.receive(40)
        assert answer["id"] in sent and not answer["ok"] and answer["error"]["code"] == "unavailable" and answer["error"]["retry"], answer
    assert stack.http("broker-1", "/healthz")[0] == 200 and stack.http("broker-1", "/readyz")[0] == 503
    assert client.call("ping")
    wait_for("")
    wait_until(lambda: stack.http("broker-1", "/readyz")[0] == 200, 40)
    for key in sent.values():
        client.call("ticket.submit", key=key, customer="acme", title="hangs", problem="p")
    assert stack.value("SELECT count(*) FROM tickets WHERE title = 'hangs'") == 200
    wait_until(stack.is_settled, 30)
    client.close()
    stack.verify()
