"""Two brokers: one dies, the other takes over, clients move on."""

import signal
import sys
import threading

import pytest
from helpers import ADA, ROOT, Refused, Stack, alive, ticket_of, wait_until
from pyworker import PyWorker, decide

sys.path.insert(0, str(ROOT / "examples/python"))


@pytest.fixture
def two():
    running = Stack(brokers=2)
    yield running
    running.close()


def test_the_example_client_fails_over_with_the_same_key(two):
    from docket_client import Client as Example

    brokers, posted, faults = two.env["DOCKET_BROKERS"].split(","), [], []

    def post():
        client = Example(brokers, timeout=2)
        try:
            for n in range(300):
                posted.append(client.call("ticket.submit", customer="acme", title=f"T {n}", problem="p")["tracking"])
        except Exception as fault:
            faults.append(fault)

    thread = threading.Thread(target=post)
    thread.start()
    wait_until(lambda: len(posted) > 50)
    two.kill("broker-1")
    thread.join()
    assert not faults and len(set(posted)) == 300
    client = two.client(2)
    for tracking in posted:
        assert ticket_of(client.show(tracking))["tracking"] == tracking
    assert two.value("SELECT count(*) FROM tickets") == 300
    client.close()
    two.verify()


def test_tickets_of_a_killed_broker_are_decided_by_the_other(two):
    """Posted while no worker is there, so that they wait in the memory of the one that dies."""
    two.kill("worker-1", signal.SIGTERM)
    wait_until(lambda: not alive(two.pid("worker-1")))
    client, other = two.client(1), two.client(2)
    posted = [client.submit(impact="question") for _ in range(200)]
    two.kill("broker-1")
    worker = PyWorker(two.env["DOCKET_WORKERS"].split(",")[1])
    for tracking in posted:
        assert other.decided(tracking, 30)["priority"] == 3
    worker.leave()
    two.up()
    two.verify()
    client.close()
    other.close()


def test_a_broker_that_is_told_to_stop_gives_everything_back_at_once(two):
    """Its epoch is over before its lease is, wherever the signal finds it."""
    two.kill("worker-1", signal.SIGTERM)
    wait_until(lambda: not alive(two.pid("worker-1")))
    client = two.client(1)
    posted = [client.submit() for _ in range(20)]
    for _ in range(3):
        epoch = two.value("SELECT epoch FROM brokers WHERE name = 'broker-1' ORDER BY registered_at DESC LIMIT 1")
        two.kill("broker-1", signal.SIGTERM)
        wait_until(lambda: not alive(two.pid("broker-1")), 20)
        assert two.value("SELECT dead FROM brokers WHERE epoch = %s", epoch) is True
        assert two.value("SELECT count(*) FROM desk WHERE owner = %s", epoch) == 0
        two.up()
    client.close()
    client = two.client(1)
    for tracking in posted:
        assert client.decided(tracking, 30)
    client.close()


def test_a_paused_broker_wakes_up_and_does_no_harm(two):
    first, second = two.client(1), two.client(2)
    posted = [first.submit() for _ in range(20)]
    session = two.value("SELECT pid FROM brokers WHERE name = 'broker-1' AND NOT dead")
    two.kill("broker-1", signal.SIGSTOP)
    late = [first.send("ticket.submit", key=f"paused-{n}", customer="acme", title="t", problem="p") for n in range(20)]
    wait_until(lambda: two.value("SELECT settled FROM brokers WHERE pid = %s", session), 40, 0.2)  # the other one took over
    # and ended the session: a statement of it that was still running could land later
    assert two.value("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", session) == 0
    for tracking in posted:
        assert second.decided(tracking, 30)
    two.kill("broker-1", signal.SIGCONT)
    answers = [first.receive(20) for _ in late]
    for n, answer in enumerate(answers):
        if answer and answer["ok"]:
            assert second.call("ticket.find", key=f"paused-{n}")["tracking"] == answer["body"]["tracking"]
    wait_until(lambda: two.http("broker-1", "/readyz")[0] == 200, 30)
    assert first.decided(first.submit(), 30)
    two.verify()
    first.close()
    second.close()


def test_an_op_at_the_other_broker_beats_a_decision_under_way(two):
    """The ticket has no desk row when it is handed out, and one when its decision comes back: nothing of that decision is written."""
    two.kill("worker-1", signal.SIGTERM)
    wait_until(lambda: not alive(two.pid("worker-1")))
    commented, first, second = threading.Event(), two.client(1), two.client(2)

    def slow(body, process):
        commented.wait(30)
        return decide(body, process)

    worker = PyWorker(two.env["DOCKET_WORKERS"].split(",")[0], decide=slow)
    tracking = first.submit()
    wait_until(lambda: worker.seen)
    second.call("ticket.comment", tracking=tracking, text="meanwhile", as_=ADA, key="meanwhile")
    commented.set()
    other = PyWorker(two.env["DOCKET_WORKERS"].split(",")[1])
    second.decided(tracking, 30)
    wait_until(lambda: first.call("stats")["decisions_stale"] == 1, 20)
    kinds = [event["kind"] for event in second.show(tracking)["events"]]
    assert kinds.count("triaged") == 1 and kinds.index("commented") < kinds.index("triaged")
    assert "row_refused" not in two.log("broker-1")
    worker.leave()
    other.leave()
    first.close()
    second.close()
    two.up()
    two.verify()


def test_without_a_database_requests_are_refused_at_once_and_served_again_later(two):
    client = two.client()
    tracking = client.submit()
    two.kill("postgres")
    refusal = wait_until(lambda: refused_or_none(client), 10)
    assert refusal.code == "unavailable" and refusal.error["retry"] is True
    assert two.http("broker-1", "/readyz")[0] == 503 and two.http("broker-1", "/healthz")[0] == 200
    assert client.call("ping")["ready"] is False, "as /readyz says"
    two.up()
    wait_until(lambda: two.http("broker-1", "/readyz")[0] == 200, 30)
    assert ticket_of(client.show(tracking))["tracking"] == tracking and client.decided(client.submit(), 30)
    client.close()
    two.verify()


def refused_or_none(client):
    try:
        client.submit()
    except Refused as refusal:
        return refusal
    return None


def test_each_broker_gives_numbers_of_now_and_of_its_own_slot(two):
    with two.db() as db:
        rows = db.execute("SELECT slot, first_id, docket_now() / 1000000 - 1577836800 FROM brokers ORDER BY slot").fetchall()
    assert [(slot, first_id >> 18 & 2047) for slot, first_id, _ in rows] == [(0, 0), (1, 1)]
    assert all(abs((first_id >> 29) - second) < 120 for _, first_id, second in rows), rows


@pytest.fixture
def one():
    """One broker, and nobody to decide but what the test brings."""
    running = Stack(workers=0, notifiers=0)
    yield running
    running.close()


def test_a_restored_database_is_known_and_nothing_read_before_counts(one):
    """The server comes back on a new timeline, with another record of the customer under the revision that the broker has seen."""
    client, worker = one.client(), PyWorker(one.env["DOCKET_WORKERS"].split(",")[0])
    client.call("customer.put", key="put", as_=ADA, customer={"id": "acme", "name": "Acme", "package": "standard"})

    def name_seen_by_worker():
        tracking = wait_until(lambda: posted(), 60, 0.2)
        client.decided(tracking, 30)
        return next(work["body"]["customer"]["name"] for work in worker.seen if work["body"]["ticket"]["tracking"] == tracking)

    def posted():
        client.send("ticket.submit", key=f"k{client.last}", customer="acme", title="t", problem="p")
        answer = client.receive(5)
        return answer and answer["ok"] and answer["body"]["tracking"]

    assert name_seen_by_worker() == "Acme"
    one.kill("postgres")
    data = one.home / "h/postgres"
    (data / "recovery.signal").touch()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'false'\n")
    one.up()
    with one.db() as connection:
        record = bytes(connection.execute("SELECT record FROM customers WHERE id = 'acme'").fetchone()[0]).replace(b"Acme", b"Emca")
        connection.execute("UPDATE customers SET record = %s WHERE id = 'acme'", [record])
    wait_until(lambda: "history_changed" in one.log("broker-1"), 30)
    assert name_seen_by_worker() == "Emca"
    worker.leave()
    client.close()
    one.verify()


def test_the_feed_s_lag_names_the_session_that_holds_it(one):
    def gauge(name):
        return float(next(line.split()[-1] for line in one.http("broker-1", "/metrics")[1].splitlines() if line.startswith(name + " ")))

    with one.db() as connection:
        connection.autocommit = False
        pid = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
        connection.execute("SELECT pg_current_xact_id()")
        wait_until(lambda: gauge("docket_broker_feed_held_by_pid") == pid and gauge("docket_broker_feed_lag_seconds") > 0, 20, 0.1)
        connection.rollback()
    wait_until(lambda: gauge("docket_broker_feed_held_by_pid") == 0, 20, 0.1)
