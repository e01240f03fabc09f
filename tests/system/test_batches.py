"""Many requests share a commit: what is wrong with one is that one's answer, and the others go on."""

import random

import pytest
from helpers import ADA, Client, id_of, ticket_of, wait_until
from pyworker import PyWorker, decide


def burst(client, requests):
    """Sends all before the first answer is read; answers in the order of the requests."""
    sent = [client.send(op, **body) for op, body in requests]
    answers = {answer["id"]: answer for answer in (client.receive() for _ in sent)}
    return [answers[one] for one in sent]


def posting(key, **change):
    return ("ticket.submit", {"key": key, "customer": "acme", "title": "t", "problem": "p", **change})


def test_fresh_repeated_conflicting_and_wrong_postings_in_one_burst_get_each_its_answer(client):
    base = f"mix-{random.getrandbits(48):x}"
    first = [client.submit(key=f"{base}-old-{n}", title="t", problem="p") for n in range(50)]
    requests, wanted = [], []
    for n in range(50):
        requests += [posting(f"{base}-new-{n}"), posting(f"{base}-old-{n}"), posting(f"{base}-old-{n}", title="other"), posting(f"{base}-bad-{n}", title="")]
        wanted += ["new", first[n], "conflict", "invalid"]
    requests += [posting(f"{base}-new-{n}") for n in range(50)]
    answers = burst(client, requests)
    made = [answer["body"]["tracking"] for answer, want in zip(answers, wanted) if want == "new"]
    assert len(set(made)) == 50
    for answer, want in zip(answers, wanted):
        if want in ("conflict", "invalid"):
            assert answer["ok"] is False and answer["error"]["code"] == want
        else:
            assert answer["ok"] is True and (want == "new" or answer["body"]["tracking"] == want)
    assert [answer["body"]["tracking"] for answer in answers[200:]] == made
    assert all(answer["body"]["duplicate"] for answer in answers[200:])


def test_a_row_that_the_database_refuses_is_the_culprit_s_answer_alone(stack, client):
    with stack.db() as connection:
        connection.execute("ALTER TABLE tickets ADD CONSTRAINT poison CHECK (title <> 'poison') NOT VALID")
    try:
        base = f"poison-{random.getrandbits(48):x}"
        answers = burst(client, [posting(f"{base}-{n}", title="poison" if n % 37 == 11 else f"good {n}") for n in range(200)])
        for n, answer in enumerate(answers):
            assert answer["ok"] is (n % 37 != 11), (n, answer)
        assert {answer["error"]["code"] for answer in answers if not answer["ok"]} <= {"invalid", "internal"}
    finally:
        with stack.db() as connection:
            connection.execute("ALTER TABLE tickets DROP CONSTRAINT poison")
    assert client.refused("ticket.find", key=f"{base}-11").code == "not_found"
    assert client.call("ticket.submit", key=f"{base}-11", customer="acme", title="poison", problem="p")["duplicate"] is False


def test_a_commit_that_fails_when_every_statement_went_well_is_the_culprit_s_answer_alone(stack, client):
    """A check that the server puts off until the commit: all statements said success before."""
    with stack.db() as connection:
        connection.execute("CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE data_exception USING MESSAGE = 'too late'; END $$")
        connection.execute("CREATE CONSTRAINT TRIGGER late AFTER INSERT ON tickets DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.title = 'late') EXECUTE FUNCTION late()")
    try:
        base = f"late-{random.getrandbits(48):x}"
        answers = burst(client, [posting(f"{base}-{n}", title="late" if n == 17 else f"good {n}") for n in range(40)])
        assert [n for n, answer in enumerate(answers) if not answer["ok"]] == [17] and answers[17]["error"]["code"] == "invalid", answers[17]
    finally:
        with stack.db() as connection:
            connection.execute("DROP TRIGGER late ON tickets")
            connection.execute("DROP FUNCTION late")
    assert client.refused("ticket.find", key=f"{base}-17").code == "not_found"
    for n in (16, 18):
        assert client.call("ticket.find", key=f"{base}-{n}")["tracking"] == answers[n]["body"]["tracking"]


def test_a_locked_ticket_holds_up_no_other(stack, client):
    stuck, free = client.submit(), client.submit()
    client.decided(stuck), client.decided(free)
    with stack.db() as connection, connection.transaction():
        connection.execute("SELECT FROM desk WHERE ticket = %s FOR UPDATE", (id_of(stuck),))
        one = client.send("ticket.comment", tracking=stuck, text="x", as_=ADA)
        two = client.send("ticket.comment", tracking=free, text="y", as_=ADA)
        answers = {}
        while len(answers) < 2:
            answer = client.receive(15)
            assert answer is not None, answers
            answers[answer["id"]] = answer
        assert answers[two]["ok"] is True
        assert answers[one]["ok"] is False and answers[one]["error"]["code"] == "unavailable" and answers[one]["error"]["retry"] is True
    client.call("ticket.comment", tracking=stuck, text="z", as_=ADA)


def test_changes_of_many_tickets_at_once_land_where_they_belong(stack):
    client = Client(stack.endpoint())
    trackings = [client.submit() for _ in range(60)]
    requests = [("ticket.comment", {"tracking": tracking, "text": f"{tracking} {n}", "as": ADA}) for n in range(5) for tracking in trackings]
    assert all(answer["ok"] for answer in burst(client, requests))
    for tracking in trackings:
        texts = [event["body"]["text"] for event in ticket_of(client.show(tracking))["events"] if event["kind"] == "commented"]
        assert texts == [f"{tracking} {n}" for n in range(5)]
    client.close()


@pytest.fixture
def held_worker(workerless):
    """A worker that keeps what it gets until told."""
    worker = PyWorker(workerless.env["DOCKET_WORKERS"].split(",")[0], decide=lambda work, process: None)
    yield worker
    worker.leave()


def test_a_decision_overtaken_by_an_op_is_not_sent(workerless, held_worker):
    """The op waits for the ticket's row while the decision comes: it is stale already, and the ticket is handed out again."""
    client, other = workerless.client(), workerless.client()
    tracking = client.submit(title="overtaken")
    work = wait_until(lambda: [message for message in held_worker.seen if message["body"]["ticket"]["tracking"] == tracking])[0]
    client.call("ticket.comment", tracking=tracking, text="one", as_=ADA)  # there is a desk row now
    work = wait_until(lambda: [message for message in held_worker.seen if message["body"]["ticket"]["tracking"] == tracking and message["body"]["attempt"] > work["body"]["attempt"]])[0]
    stale = other.call("stats")["decisions_stale"]
    with workerless.db() as connection, connection.transaction():
        connection.execute("SELECT FROM desk WHERE ticket = %s FOR UPDATE", (id_of(tracking),))
        client.send("ticket.comment", tracking=tracking, text="two", as_=ADA)
        wait_until(lambda: workerless.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == 1, 1.5)
        held_worker.say("decision", decide(work["body"], held_worker.process), work["id"])
        wait_until(lambda: other.call("stats")["wakes"]["committing"] == 1, 1.5)
    assert client.receive()["ok"]
    again = wait_until(lambda: [message for message in held_worker.seen if message["body"]["ticket"]["tracking"] == tracking and message["body"]["attempt"] > work["body"]["attempt"]])[0]
    held_worker.say("decision", decide(again["body"], held_worker.process), again["id"])
    client.decided(tracking)
    assert other.call("stats")["decisions_stale"] == stale  # one change of a ticket at a time: had the first been sent, it would have ended before
    client.close(), other.close()


FULL = """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{}'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON desk FOR EACH STATEMENT EXECUTE FUNCTION full_disk()"""


def test_a_broker_whose_database_has_no_room_is_not_ready_and_says_why(desk, workerless):
    """Its sessions and its lease hold, as they need none: only what is refused tells."""
    def says():
        code, text = workerless.http("broker-1", "/readyz")
        return code, text.strip(), desk.call("ping")["ready"], "\ndocket_broker_database_full 1\n" in workerless.http("broker-1", "/metrics")[1]

    desk.submit()
    assert says() == (200, "ready", True, False)
    with workerless.db() as connection:
        connection.execute(FULL.format("53100").replace("ON desk", "ON tickets"))
        try:
            assert desk.refused("ticket.submit", key="full", customer="acme", title="t", problem="p").code == "unavailable"
            assert says() == (503, "cannot serve: the database has no room: could not extend file", False, True)
        finally:
            connection.execute("DROP TRIGGER full_disk ON tickets; DROP FUNCTION full_disk")
    wait_until(lambda: desk.submit() and says() == (200, "ready", True, False))


@pytest.mark.parametrize("comments", (False, True), ids=("new", "changed"))
@pytest.mark.parametrize("sqlstate", ("53100", "42501"), ids=("full", "refused"))
def test_what_could_not_be_written_is_decided_once_it_can_be(desk, hired, workerless, sqlstate, comments):
    """A full disk, or rights that somebody took away: the decision is lost, the wake is not, though its broker goes on under its epoch."""
    def refused():
        return workerless.log("broker-1").count("event=database_full ") + workerless.log("broker-1").count("event=row_refused ")

    tracking, before = desk.submit(), refused()
    if comments:
        desk.call("ticket.comment", tracking=tracking, text="x", as_=ADA)
    with workerless.db() as connection:
        connection.execute(FULL.format(sqlstate))
        try:
            hired()
            wait_until(lambda: refused() > before)
        finally:
            connection.execute("DROP TRIGGER full_disk ON desk; DROP FUNCTION full_disk")
    desk.decided(tracking, 20)
    workerless.verify()


def test_a_decision_whose_ticket_another_session_holds_is_made_again(desk, hired, workerless):
    tracking = desk.submit()
    desk.call("ticket.comment", tracking=tracking, text="x", as_=ADA)
    with workerless.db() as connection, workerless.db() as looking:
        with connection.transaction():
            connection.execute("SELECT FROM desk WHERE ticket = %s FOR UPDATE", (id_of(tracking),))
            hired()
            waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            wait_until(lambda: looking.execute(waits).fetchone()[0] == 1)
            wait_until(lambda: looking.execute(waits).fetchone()[0] == 0)
    desk.decided(tracking, 20)
    workerless.verify()
