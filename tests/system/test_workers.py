"""Workers that are foreign, slow, busy or late: the desk goes on, and no ticket suffers for another."""

import shutil
import subprocess
import time

import msgpack
import pytest
import zmq
from helpers import ADA, BIN, CUSTOMER, ROOT, SLOW, Refused, Stack, id_of, ticket_of, wait_until
from pyworker import PyWorker, decide


def keeping_first(title, held):
    """Decides all but the first work of that title, whose decision is laid into held."""
    def keep(work, process):
        if work["ticket"]["title"] == title and not held:
            held.append(decide(work, process))
            return None
        return decide(work, process)

    return keep


def events(desk, tracking):
    return ticket_of(desk.show(tracking))["events"]


def test_a_worker_written_from_the_page_alone_serves_a_ticket(desk, hired):
    hired()
    ticket = desk.decided(desk.submit(), 10)
    assert (ticket["state"], ticket["priority"]) == ("triaged", 3) and ticket["clocks"][0]["clock"] == "response"


def test_the_work_says_what_the_page_says(desk, hired):
    tracking = desk.submit(equipment={"pbx": "X"}, attributes={"a": [1, {"b": None}]}, contact={"email": "a@localhost"})
    worker = hired()
    desk.decided(tracking)
    work = next(message["body"] for message in worker.seen if message["body"]["ticket"]["tracking"] == tracking)
    assert set(work) >= {"ticket", "customer", "events", "reasons", "now", "attempt"} and "posted" in work["reasons"]
    assert set(work["ticket"]) >= {"tracking", "customer", "package", "title", "problem", "channel", "impact", "equipment", "configuration", "attributes", "contact", "correlation", "kind",
                                   "state", "priority", "queue", "assignee", "tags", "held", "reply_pending", "version", "posted_at", "updated_at", "clocks"}
    assert work["ticket"]["attributes"] == {"a": [1, {"b": None}]} and work["now"] >= work["ticket"]["posted_at"]
    desk.call("ticket.comment", tracking=tracking, text="new words", public=True, as_=CUSTOMER)
    later = wait_until(lambda: [message["body"] for message in worker.seen if message["body"]["ticket"]["tracking"] == tracking and "event" in message["body"]["reasons"]])[-1]
    assert later["events"][-1]["kind"] == "commented" and later["events"][-1]["body"]["text"] == "new words" and later["events"][-1]["as"]["role"] == "customer"


def test_a_worker_gets_no_more_than_its_credits(desk, hired):
    worker = hired(credits=4, decide=lambda work, process: None)
    for _ in range(20):
        desk.submit()
    wait_until(lambda: worker.seen)
    time.sleep(0.5)  # more of them would come now
    assert len(worker.seen) <= 4
    worker.leave()
    hired(credits=100)


def test_comments_while_a_worker_is_slow_are_decided_all_the_same(desk, hired):
    def slowly(work, process):
        time.sleep(0.5)
        return decide(work, process)

    hired(decide=slowly)
    tracking = desk.submit()
    for n in range(8):
        desk.call("ticket.comment", tracking=tracking, text=f"More {n}", public=True, as_=CUSTOMER)
        time.sleep(0.1)
    assert desk.decided(tracking, 20)["priority"] == 3
    assert [event["kind"] for event in events(desk, tracking)].count("commented") == 8


def test_a_ticket_that_changes_faster_than_it_is_decided_rests_and_gets_decided(desk, hired):
    """Without the rest each decision is stale: the words come four times as fast as the worker decides."""
    def slowly(work, process):
        time.sleep(0.4)
        return decide(work, process)

    hired(decide=slowly, credits=1)
    tracking, busy = desk.submit(), []

    def chatter():
        try:
            desk.call("ticket.comment", tracking=tracking, text="And?", public=True, as_=CUSTOMER)
        except Refused as refusal:
            assert refusal.code == "busy" and refusal.error["retry"] is True
            busy.append(refusal)
        return ticket_of(desk.show(tracking))["priority"]

    assert wait_until(chatter, 15, 0.1) == 3 and busy
    desk.call("ticket.comment", tracking=tracking, text="Thanks.", as_=ADA)  # decided: it rests no longer


def test_a_stale_decision_is_discarded(desk, hired):
    held = []
    worker = hired(decide=keeping_first("stale", held))
    tracking = desk.submit(title="stale")
    wait_until(lambda: held)
    first = next(message for message in worker.seen if message["body"]["ticket"]["tracking"] == tracking)
    desk.call("ticket.prioritize", tracking=tracking, priority=1, reason="!", as_=ADA)
    worker.say("decision", {**held[0], "set": {"priority": 4}}, first["id"])
    wait_until(lambda: any("event" in message["body"]["reasons"] for message in worker.seen if message["body"]["ticket"]["tracking"] == tracking))
    assert wait_until(lambda: desk.show(tracking) and ticket_of(desk.show(tracking)))["priority"] == 1


def test_a_decision_twice_is_taken_once(desk, hired):
    worker = hired()

    def twice(work, process):
        decision = decide(work, process)
        worker.say("decision", decision, worker.seen[-1]["id"])
        worker.say("decision", {**decision, "set": {"priority": 1}}, worker.seen[-1]["id"])
        worker.say("decision", decision, 987_654_321)

    worker.decide = twice
    tracking = desk.submit(title="twice")
    assert desk.decided(tracking)["priority"] == 3
    time.sleep(0.3)  # a second one would be there now
    assert [event["kind"] for event in events(desk, tracking)].count("triaged") == 1 and desk.decided(tracking)["priority"] == 3


def test_a_decision_by_the_version_before_is_kept_as_one_of_that_version(desk, workerless, hired):
    """A version is applied while a worker decides: history and verdicts name the one that was used."""
    held = []
    worker = hired(decide=keeping_first("slow", held))
    slow = desk.submit(title="slow")
    wait_until(lambda: held)
    work = next(message for message in worker.seen if message["body"]["ticket"]["tracking"] == slow)
    with workerless.db() as db:
        before = db.execute("SELECT n, hash FROM process_log ORDER BY n DESC LIMIT 1").fetchone()
        db.execute("INSERT INTO processes SELECT 'another' || n, files, first_at FROM processes JOIN process_log USING (hash) WHERE n = %s", [before[0]])
        db.execute("INSERT INTO process_log (hash, at, actor, role, comment) SELECT 'another' || n, at, actor, role, comment FROM process_log WHERE n = %s", [before[0]])
    wait_until(lambda: worker.process != before[1])
    quick = desk.submit(title="quick")
    worker.say("decision", held[0], work["id"])
    for tracking, process in ((slow, before[0]), (quick, before[0] + 1)):
        desk.decided(tracking)
        assert workerless.value("SELECT process FROM events WHERE ticket = %s AND process IS NOT NULL ORDER BY version LIMIT 1", id_of(tracking)) == process
    with workerless.db() as db:  # as it was, for the tests that follow
        db.execute("INSERT INTO process_log (hash, at, actor, role, comment) SELECT hash, at, actor, role, comment FROM process_log WHERE n = %s", [before[0]])
    wait_until(lambda: worker.process == before[1])


def test_a_decision_by_a_version_that_its_broker_has_not_seen_is_kept_as_one_of_that_version(desk, workerless, hired):
    """A worker that has it from another broker. What the database does not know either counts as the current one."""
    with workerless.db() as db:
        before = db.execute("SELECT n, hash FROM process_log ORDER BY n DESC LIMIT 1").fetchone()

    applied = []

    def newest(work, process):
        hash_ = {"ahead": "unseen", "odd": "nowhere"}.get(work["ticket"]["title"], process)
        if hash_ == "unseen" and not applied:  # this moment: the broker looks twice a second; a work may come twice
            applied.append(hash_)
            with workerless.db() as db:
                db.execute("INSERT INTO processes SELECT %s, files, first_at FROM processes WHERE hash = %s", [hash_, before[1]])
                db.execute("INSERT INTO process_log (hash, at, actor, role, comment) SELECT %s, at, actor, role, comment FROM process_log WHERE n = %s", [hash_, before[0]])
        late = [{"clock": "response", "cycle": 1, "verdict": "met", "cause": None, "priority": 3, "promise_s": 1, "due_at": work["now"], "met_at": work["now"], "worked_s": 0, "paused_s": 0}]
        return {**decide(work, process), "process": hash_, "deadlines": late}

    worker = hired(decide=newest)
    stamps = "SELECT (SELECT max(process) FROM events WHERE ticket = %s), (SELECT process FROM deadlines WHERE ticket = %s)"

    def stamped(tracking):
        desk.decided(tracking)
        with workerless.db() as db:
            return db.execute(stamps, [id_of(tracking)] * 2).fetchone()

    odd = desk.submit(title="odd")
    assert stamped(odd) == (before[0], before[0]), desk.show(odd)
    ahead = stamped(desk.submit(title="ahead"))
    assert ahead == (workerless.value("SELECT n FROM process_log WHERE hash = 'unseen'"),) * 2
    with workerless.db() as db:  # as it was, for the tests that follow
        db.execute("INSERT INTO process_log (hash, at, actor, role, comment) SELECT hash, at, actor, role, comment FROM process_log WHERE n = %s", [before[0]])
    wait_until(lambda: desk.call("stats")["process"] == before[1] == worker.process)


def test_a_worker_that_speaks_nonsense_is_survived(desk, workerless):
    import os

    import zmq

    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(workerless.env["DOCKET_WORKERS"].split(",")[0])
    for n in range(300):
        socket.send(os.urandom(n))
    assert desk.call("ping")
    socket.close()


def test_open_tickets_are_computed_again_beside_a_backlog_and_hold_up_nothing_urgent():
    """One slow worker, and more new tickets than it decides in time: what is computed again gets its part all the same, before the
    backlog is done; a P1 that changes meanwhile waits for none of the two."""
    old, backlog, credits = 200, 3000, 4
    running = Stack(workers=0, notifiers=0)
    try:
        client = running.client()
        quick = PyWorker(running.env["DOCKET_WORKERS"].split(",")[0], credits=200)
        urgent = client.submit()
        client.decided(urgent)
        client.call("ticket.prioritize", tracking=urgent, priority=1, reason="all is down", as_=ADA)
        for n in range(old):
            client.send("ticket.submit", key=f"old {n}", customer="acme", title="old", problem="p")
        assert all(client.receive()["ok"] for _ in range(old))
        wait_until(lambda: running.value("SELECT count(*) FROM desk WHERE owner IS NULL AND priority IS NOT NULL AND lane > 4") == old + 1, 30)
        quick.leave()

        def slow(work, process):
            time.sleep(0.005)
            return decide(work, process)

        for n in range(backlog):
            client.send("ticket.submit", key=f"new {n}", customer="acme", title="new", problem="p")
        assert all(client.receive()["ok"] for _ in range(backlog))
        running.value("WITH again AS (UPDATE process_log SET at = docket_now(), recompute_after = 0, recomputed = 0 WHERE n = (SELECT max(n) FROM process_log) RETURNING 1) SELECT count(*) FROM again")
        worker = PyWorker(running.env["DOCKET_WORKERS"].split(",")[0], credits=credits, decide=slow)

        def seen(what):
            return [n for n, work in enumerate(list(worker.seen)) if what(work["body"])]

        wait_until(lambda: seen(lambda work: "process" in work["reasons"]), 30)
        client.call("ticket.comment", tracking=urgent, text="and the branch office too", as_=ADA)
        before = len(worker.seen)
        commented = wait_until(lambda: seen(lambda work: work["ticket"]["tracking"] == urgent and "event" in work["reasons"]), 30)
        assert commented[-1] <= before + 3 * credits
        wait_until(lambda: len(seen(lambda work: "process" in work["reasons"])) >= old, 60)
        assert len(seen(lambda work: work["ticket"]["title"] == "new" and "process" not in work["reasons"])) < backlog, "the backlog was done first"
        wait_until(lambda: running.value("SELECT count(*) FROM desk WHERE decided >= 1 AND owner IS NULL AND priority IS NOT NULL") == old + 1 + backlog, 90, 0.1)
        wait_until(lambda: running.value("SELECT count(*) FROM process_log WHERE recompute_after IS NOT NULL") == 0, 30)
        worker.leave()
        client.close()
    finally:
        running.close()


def test_two_workers_share_and_one_that_says_bye_drains(desk, hired):
    first, second = hired(name="first"), hired(name="second")
    wait_until(lambda: first.process and second.process)
    posted = [desk.submit() for _ in range(40)]
    for tracking in posted:
        desk.decided(tracking)
    count = len(first.seen)
    first.say("bye", {})
    assert count + len(second.seen) >= 40
    for _ in range(10):
        desk.decided(desk.submit())
    assert len(first.seen) <= count + 1


def test_a_worker_that_leaves_together_with_its_broker_does_not_look_for_it_again(tmp_path):
    """It hears two goodbyes: the broker's own, and the answer to its own."""
    broker = zmq.Context.instance().socket(zmq.ROUTER)
    broker.linger = 0
    port = broker.bind_to_random_port("tcp://127.0.0.1")
    config = tmp_path / "worker.yaml"
    config.write_text(f"brokers: [tcp://127.0.0.1:{port}]\n")
    worker = subprocess.Popen([BIN / "docket-worker", "--config", config], stderr=subprocess.DEVNULL)

    def heard(op):
        """Waits for that message; who sent it."""
        while True:
            assert broker.poll(10000 * SLOW)
            peer, message = broker.recv_multipart()
            if msgpack.unpackb(message)["op"] == op:
                return peer

    def say(peer, op, body):
        broker.send_multipart([peer, msgpack.packb({"dkt": 1, "op": op, "id": None, "body": body})])

    try:
        say(heard("hello"), "welcome", {"broker": "alone", "process": None})
        heard("heartbeat")
        worker.terminate()
        peer = heard("bye")
        say(peer, "bye", {})
        say(peer, "bye", {})
        assert worker.wait(5 * SLOW) == 0
    finally:
        worker.kill()
        worker.wait()
        broker.close()


class Wary(PyWorker):
    """Warns of every version of the process, each time of something else."""

    asked = 0

    def on_ask(self, message):
        self.asked += 1
        self.say("answer", {"ok": True, "result": {"errors": [], "warnings": [f"process.yaml:{self.asked}:1: is odd"]}}, message["id"])


def test_an_apply_that_is_repeated_is_answered_with_the_first_warnings(desk, workerless):
    body = {"files": desk.call("process.get")["files"], "comment": "warned of", "as_": ADA}
    worker = Wary(workerless.env["DOCKET_WORKERS"].split(",")[0])
    try:
        wait_until(lambda: worker.process)
        first = desk.call("process.apply", key="warned-1", **body)
        assert first["warnings"] == ["process.yaml:1:1: is odd"]
        assert desk.call("process.apply", key="warned-1", **body) == {**first, "duplicate": True}
        assert desk.call("process.apply", key="warned-2", **body)["warnings"] == ["process.yaml:3:1: is odd"] and worker.asked == 3
        assert desk.call("process.apply", key="warned-1", **body) == {**first, "duplicate": True}
    finally:
        worker.leave()
    assert desk.call("process.apply", key="warned-1", **body) == {**first, "duplicate": True}


class Refusing(PyWorker):
    """Objects to every version of the process."""

    def on_ask(self, message):
        self.say("answer", {"ok": True, "result": {"errors": ["rules/10.yaml:1:1: not with me"], "warnings": []}}, message["id"])


def test_a_version_that_was_applied_is_answered_again_when_a_worker_refuses_it_by_now(desk, workerless):
    body = {"files": desk.call("process.get")["files"], "comment": "again", "as_": ADA}
    keyed = {**body, "key": "applied-once"}
    first = desk.call("process.apply", **keyed)
    worker = Refusing(workerless.env["DOCKET_WORKERS"].split(",")[0])
    try:
        wait_until(lambda: worker.process)
        refused = desk.refused("process.apply", **{**keyed, "key": "applied-never"})
        assert refused.field == "files" and "not with me" in refused.error["message"]
        assert desk.refused("process.apply", **body).field == "files"
        again = desk.call("process.apply", **keyed)
        assert again["duplicate"] is True and again["hash"] == first["hash"]
        assert desk.refused("process.apply", **{**keyed, "comment": "other"}).field == "key"
        assert desk.refused("process.apply", **{**keyed, "dry_run": True}).field == "files"
    finally:
        worker.leave()


def nobody_works(desk):
    """Waits until the last worker that is gone is known to be."""
    wait_until(lambda: desk.call("stats")["workers"] == 0)


class Mute(PyWorker):
    """Answers no question."""

    def on_ask(self, message):
        pass


class Foreign(PyWorker):
    """Decides by itself and knows nothing of versions."""

    def on_ask(self, message):
        self.say("answer", {"ok": False, "error": {"code": "unsupported", "message": "no questions, please"}}, message["id"])


@pytest.mark.parametrize("dry", [True, False])
def test_a_version_that_every_worker_is_silent_about_is_not_applied(desk, workerless, dry):
    nobody_works(desk)
    current = desk.call("process.get")
    body = {"files": {**current["files"], "tests/mine.yaml": b"- case: of no form\n"}, "dry_run": dry, "as_": ADA}
    alone = ["no worker is connected: whether the calendars can be laid out and the cases in tests/ are of their form was not tried"]
    assert desk.call("process.apply", **{**body, "dry_run": True})["warnings"][-1:] == alone
    idle = {"staff.yaml": b"people: {ada: {email: a@b.example}}\n", "oncall.yaml": b"schedules: {noc: {layers: [{import: oncall/a.ics}]}}\n",
            "oncall/a.ics": b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260302T090000Z\nSUMMARY:ada\nEND:VEVENT\nEND:VCALENDAR\n"}
    told = desk.call("process.apply", **{**body, "files": {**current["files"], **idle}, "dry_run": True})["warnings"]
    assert [text for text in told if text.startswith("oncall/a.ics:2:1: VEVENT: takes no time")], told
    endpoint, workers = workerless.env["DOCKET_WORKERS"].split(",")[0], []
    try:
        workers.append(Mute(endpoint, name="mute"))
        wait_until(lambda: workers[0].process)
        refused = desk.refused("process.apply", **body)
        assert (refused.code, refused.error["retry"]) == ("unavailable", True) and "no worker has tried this version: worker mute did not answer within 8 s" in refused.error["message"]
        assert desk.call("process.get")["hash"] == current["hash"]
        workers.append(Refusing(endpoint, name="refusing"))
        wait_until(lambda: workers[1].process)
        refused = desk.refused("process.apply", **body)
        assert (refused.code, refused.error["message"]) == ("invalid", "rules/10.yaml:1:1: not with me")
    finally:
        for worker in workers:
            worker.leave()


def test_who_said_nothing_of_a_version_that_others_took_is_told(desk, workerless):
    body = {"files": desk.call("process.get")["files"], "comment": "told", "as_": ADA}
    nobody_works(desk)
    endpoint, workers = workerless.env["DOCKET_WORKERS"].split(",")[0], []
    try:
        for kind in Foreign, Mute, Wary:
            workers.append(kind(endpoint, name=kind.__name__.lower()))
            wait_until(lambda: workers[-1].process)
            if kind is Foreign:
                assert desk.call("process.apply", **body)["warnings"][-1] == "worker foreign cannot try a version: no questions, please"
        told = desk.call("process.apply", **body)["warnings"]
        assert told[0] == "process.yaml:1:1: is odd" and sorted(told[1:]) == ["worker foreign cannot try a version: no questions, please", "worker mute did not answer within 8 s (busy, or the cases take longer)"]
    finally:
        for worker in workers:
            worker.leave()


def test_a_worker_that_dies_over_a_version_has_not_taken_it(desk, workerless):
    class Dying(PyWorker):
        def on_ask(self, message):
            self.say("bye", {})

    body = {"files": desk.call("process.get")["files"], "comment": "deadly", "as_": ADA}
    nobody_works(desk)
    worker = Dying(workerless.env["DOCKET_WORKERS"].split(",")[0], name="dying")
    try:
        wait_until(lambda: worker.process)
        refused = desk.refused("process.apply", **body)
        assert refused.code == "unavailable" and "worker dying died or left when it was asked" in refused.error["message"]
    finally:
        worker.leave()


def response_due(desk, tracking):
    return next(clock["due_at"] for clock in ticket_of(desk.show(tracking))["clocks"] if clock["clock"] == "response")


def test_zone_data_that_is_updated_is_noticed_and_clocks_go_by_it(desk, workerless, tmp_path):
    """The calendar's zone gets another offset under a running worker; at its next wake the ticket's promise is counted anew."""
    zones = tmp_path / "zones"
    shutil.copytree(ROOT / "tests/zones", zones)
    (zones / "tzdata.zi").write_text("# version 2026a\n")
    config = tmp_path / "worker.yaml"
    config.write_text(f"brokers: [{workerless.env['DOCKET_WORKERS'].split(',')[0]}]\nzoneinfo: {zones}\n")
    with open(tmp_path / "log", "wb") as log:
        worker = subprocess.Popen([BIN / "docket-worker", "--config", config], stderr=log)
    try:
        tracking = desk.submit(title="Voicemail light stays on", problem="It blinks although there is nothing new.")
        assert desk.decided(tracking)["priority"] == 3
        before = response_due(desk, tracking)
        for name, text in (("UTC", (zones / "Asia/Kathmandu").read_bytes()), ("tzdata.zi", b"# version 2026b\n")):
            (zones / "new").write_bytes(text)
            (zones / "new").rename(zones / name)
        wait_until(lambda: "zones_changed from=2026a to=2026b" in (tmp_path / "log").read_text().replace('"', ""))
        assert response_due(desk, tracking) == before
        desk.call("ticket.comment", tracking=tracking, text="Any news?", public=True, as_=CUSTOMER)
        wait_until(lambda: response_due(desk, tracking) != before)
    finally:
        worker.terminate()
        worker.wait(30)


def test_an_event_of_a_kind_that_nobody_here_knows_is_passed_over(desk, workerless, tmp_path):
    """While versions are mixed, a newer broker may have written what this one, and its workers, have no name for."""
    config = tmp_path / "worker.yaml"
    config.write_text(f"brokers: [{workerless.env['DOCKET_WORKERS'].split(',')[0]}]\n")
    with open(tmp_path / "log", "wb") as log:
        worker = subprocess.Popen([BIN / "docket-worker", "--config", config], stderr=log)
    try:
        tracking = desk.submit(title="Voicemail light stays on", problem="It blinks although there is nothing new.")
        before = desk.decided(tracking)
        due = response_due(desk, tracking)
        with workerless.db() as db:
            db.execute("INSERT INTO events (ticket, at, version, kind, role, actor, public, body) SELECT ticket, docket_now(), version + 1, 99, 1, 'nova', true, '\\x80' FROM desk WHERE ticket = %s", (id_of(tracking),))
            db.execute("UPDATE desk SET version = version + 1, decided = decided + 1 WHERE ticket = %s", (id_of(tracking),))
            db.commit()
        desk.call("ticket.comment", tracking=tracking, text="Any news?", public=True, as_=CUSTOMER)
        wait_until(lambda: workerless.value("SELECT decided >= version AND attempt > 0 FROM desk WHERE ticket = %s", id_of(tracking)))
        assert response_due(desk, tracking) == due, "words of somebody unknown met it"
        desk.call("ticket.take", tracking=tracking, as_=ADA)
        met = wait_until(lambda: [clock for clock in ticket_of(desk.show(tracking))["clocks"] if clock["clock"] == "response" and clock["state"] == "met"])
        assert met and ticket_of(desk.show(tracking))["priority"] == before["priority"]
        assert [event["kind"] for event in events(desk, tracking) if event["version"] == before["version"] + 1] == ["unknown"]
        explained = desk.call("ticket.explain", tracking=tracking)
        assert ": as stored" in explained["text"], explained
    finally:
        worker.terminate()
        worker.wait(30)
