"""Decisions that fail, workers that die and a desk without any: the ticket is given up, no other suffers, and ops are told."""

import re
import signal
import subprocess

import pytest
from helpers import ADA, BIN, CUSTOMER, ROOT, Stack, alive, id_of, ticket_of, wait_until
from pyworker import Died, PyWorker, decide


def dead(desk):
    return [entry["tracking"] for entry in next(value for value in desk.call("dead.list").values() if isinstance(value, list))]


LIES = {
    "an unknown field": lambda decision: {**decision, "set": {**decision["set"], "colour": "red"}},
    "a wrong type": lambda decision: {**decision, "set": {"priority": "high"}},
    "an impossible priority": lambda decision: {**decision, "set": {"priority": 9}},
    "an impossible state": lambda decision: {**decision, "set": {"priority": 3, "state": "waiting_vendor"}},
    "no clocks at all": lambda decision: {key: value for key, value in decision.items() if key != "clocks"},
    "clocks that are no list": lambda decision: {**decision, "clocks": 7},
}


@pytest.mark.limit(180)
def test_a_worker_that_lies_about_some_tickets_loses_those_only(desk, hired):
    """One ticket a lie, side by side, because each needs its pauses until it is given up; most decisions are good."""
    hired(decide=lambda work, process: LIES.get(work["ticket"]["title"], lambda decision: decision)(decide(work, process)))
    bad = {lie: desk.submit(title=lie) for lie in LIES}
    good = [desk.submit(title=f"good {n}") for n in range(10 * len(LIES))]
    for tracking in good:
        assert desk.decided(tracking, 20)["priority"] == 3
    for lie, tracking in bad.items():
        wait_until(lambda tracking=tracking: tracking in dead(desk), 60)
        assert ticket_of(desk.show(tracking))["state"] in ("new", "triaged"), lie
    assert not set(good) & set(dead(desk))
    listed = str(desk.call("ticket.list", limit=500)["tickets"])
    assert all(tracking in listed for tracking in bad.values())


def test_a_decision_that_leaves_an_open_clock_out_fails(desk, hired):
    worker = hired()
    tracking = desk.submit(title="clocks")
    desk.decided(tracking)
    worker.decide = lambda work, process: {**decide(work, process), "clocks": []}
    desk.call("ticket.comment", tracking=tracking, text="x", public=True, as_=CUSTOMER)
    wait_until(lambda: tracking in dead(desk), 60)
    assert ticket_of(desk.show(tracking))["clocks"]


def test_a_dead_wake_comes_back_when_asked_for(desk, hired):
    worker = hired(decide=lambda work, process: {**decide(work, process), "clocks": "none"} if work["ticket"]["title"] == "twice dead" else decide(work, process))
    tracking = desk.submit(title="twice dead")
    wait_until(lambda: tracking in dead(desk), 60)
    worker.decide = decide
    desk.call("dead.retry", tracking=tracking, as_=ADA)
    assert desk.decided(tracking)["priority"] == 3
    wait_until(lambda: tracking not in dead(desk))


def test_what_a_worker_says_of_a_failure_is_cut_between_letters_and_does_not_hide_what_to_do(desk, hired):
    """Of both, as one of them would be cut inside a letter."""
    words = {"even": "ä" * 450, "odd": "x" + "ä" * 450}
    worker = hired(decide=lambda work, process: worker.say("fail", {"code": "broken", "message": words[work["ticket"]["title"]]}, worker.seen[-1]["id"])
                   if work["ticket"]["title"] in words else decide(work, process))
    desk.decided(desk.submit(title="good"))
    for tracking in [desk.submit(title=title) for title in words]:
        wait_until(lambda tracking=tracking: tracking in dead(desk), 60)
        alert = next(alert for alert in desk.call("alert.list")["alerts"] if alert["tracking"] == tracking)
        assert "(broken: " in alert["text"] and "ää" in alert["text"] and alert["text"].endswith(f'"docket dead retry {tracking}" tries again.')


@pytest.mark.limit(240)
def test_a_worker_that_dies_on_one_ticket_costs_only_that_one(desk, workerless):
    """The worker is cut off without a word each time it sees the ticket, and comes back: kill -9 by the network's eyes."""
    endpoint, workers, stop = workerless.env["DOCKET_WORKERS"].split(",")[0], [], []

    def deadly(work, process):
        if work["ticket"]["title"] == "poison" and not stop:
            raise Died
        return decide(work, process)

    def tend():
        if not workers or not workers[-1].is_alive():
            workers.append(PyWorker(endpoint, name=f"mortal-{len(workers)}", credits=20, decide=deadly))

    def buried():
        tend()
        return bad in dead(desk)

    try:
        tend()
        bad = desk.submit(title="poison")
        good = [desk.submit(title=f"fine {n}") for n in range(30)]
        wait_until(buried, 150, 0.1)
        for tracking in good:
            tend()
            assert desk.decided(tracking, 30)["priority"] == 3
        assert dead(desk).count(bad) == 1 and not set(good) & set(dead(desk))
        counted = set(re.findall(r'event=decision_failed ticket=(\d+) failures=[1-9]\d* code="?died', workerless.log("broker-1")))
        # The others were with it when it died, and are not to blame; the log holds other tests' tickets as well.
        assert counted & {str(id_of(tracking)) for tracking in [bad, *good]} == {str(id_of(bad))}
    finally:
        stop.append(True)
        for worker in workers:
            worker.leave()


def undecided_is_told_soon(running):
    """The broker alerts after a second that nothing is decided; a client of it."""
    with running.config("broker-1").open("a") as config:
        config.write("untriaged_alert: 1s\n")
    running.kill("broker-1", signal.SIGTERM)
    wait_until(lambda: not alive(running.pid("broker-1")))
    running.up()
    return running.client()


@pytest.mark.limit(150)
def test_without_any_worker_ops_are_told_and_when_most_decisions_fail_none_counts():
    """The broker's own alerts, which need no rule and no worker; each ends when its cause does."""
    running = Stack(workers=0)
    try:
        client = undecided_is_told_soon(running)
        posted = [client.submit() for _ in range(60)]

        def told(cause, states):
            return running.value("SELECT count(*) FROM alerts WHERE cause = %s AND state = ANY (%s)", f"ops:{cause}:broker-1", states)

        for cause in ("undecided", "no_workers"):
            wait_until(lambda: told(cause, [0, 1]), 40, 0.1)  # noqa: B023
        wait_until(lambda: [mail for mail in running.mails() if "ops@localhost" in mail or "staff@localhost" in mail], 60, 0.2)
        worker = PyWorker(running.env["DOCKET_WORKERS"].split(",")[0], credits=30,
                          decide=lambda work, process: worker.say("fail", {"code": "broken", "message": "it is the process"}, worker.seen[-1]["id"]))
        wait_until(lambda: told("decisions_fail", [0, 1]), 30, 0.1)
        # Each comes again, more often than the failures that would have made a dead letter of it.
        wait_until(lambda: all([message["body"]["ticket"]["tracking"] for message in list(worker.seen)].count(tracking) > 4 for tracking in posted), 40, 0.2)
        assert running.value("SELECT max(failures) FROM desk") < 3 and dead(client) == []
        worker.decide = decide
        for tracking in posted:
            assert client.decided(tracking, 40)["priority"] == 3
        for cause in ("undecided", "no_workers", "decisions_fail"):
            wait_until(lambda: told(cause, [0, 1]) == 0 and told(cause, [2]), 30, 0.1)  # noqa: B023
        worker.leave()
        client.close()
    finally:
        running.close()


def test_an_alert_to_ops_that_the_database_refused_is_opened_all_the_same():
    """Somebody holds the table for longer than a statement waits, and than a lease lasts: the broker goes on, with what it has in hand."""
    running = Stack(workers=0)
    try:
        client = undecided_is_told_soon(running)
        waits = ("SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE NOT l.granted AND l.relation = 'alerts'::regclass"
                 " AND a.application_name = 'docket-broker control'")
        epoch = running.value("SELECT epoch FROM brokers WHERE NOT dead")
        with running.db() as holder, holder.transaction():
            holder.execute("LOCK TABLE alerts IN SHARE MODE")
            client.submit()
            wait_until(lambda: running.value(waits) == 1, 20)
            lease = running.value("SELECT lease_until FROM brokers WHERE epoch = %s", epoch)
            wait_until(lambda: running.value(waits) == 0, 20)
            wait_until(lambda: running.value("SELECT docket_now()") > lease, 20)
            assert running.value("SELECT count(*) FROM brokers WHERE epoch = %s AND NOT dead AND lease_until > docket_now()", epoch) == 1
        wait_until(lambda: running.value("SELECT count(*) FROM alerts WHERE cause = 'ops:undecided:broker-1' AND state = 0") == 1, 20)
        client.close()
    finally:
        running.close()


def test_a_desk_without_a_process_tells_ops_until_one_is_applied():
    running = Stack(workers=0)
    try:
        running.kill("broker-1", signal.SIGTERM)
        wait_until(lambda: not alive(running.pid("broker-1")))
        running.value("WITH gone AS (DELETE FROM process_log RETURNING 1) SELECT count(*) FROM gone")
        # By hand: the stack, and a broker that migrates, would give an empty database the shipped process.
        config = running.config("broker-1")
        config.write_text(re.sub("^auto_migrate: .*$", "auto_migrate: false", config.read_text(), flags=re.M))
        broker = subprocess.Popen([BIN / "docket-broker", "--config", config], stderr=subprocess.DEVNULL)

        def told(*states):
            return running.value("SELECT count(*) FROM alerts WHERE cause = 'ops:no_process' AND state = ANY (%s)", list(states))

        try:
            wait_until(lambda: told(0, 1), 30, 0.1)
            assert running.docket("process", "apply", str(ROOT / "deploy/process")).returncode == 0
            wait_until(lambda: told(2) and not told(0, 1), 30, 0.1)
        finally:
            broker.terminate()
            assert broker.wait(30) == 0
    finally:
        running.close()
