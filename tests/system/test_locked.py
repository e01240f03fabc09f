"""Tables that somebody holds: a migration, VACUUM FULL, a session that was forgotten. What needs the table waits; all else goes on, nothing is
lost, and nobody is told twice."""

import contextlib
import random

import pytest
from helpers import ADA, CUSTOMER, Stack, alive, id_of, wait_until


@pytest.fixture(scope="module")
def running():
    one = Stack()
    yield one
    one.verify()
    one.close()


@pytest.fixture
def client(running):
    one = running.client()
    yield one
    one.close()


@contextlib.contextmanager
def held(running, *tables, mode="ACCESS EXCLUSIVE"):
    """Nobody else writes (SHARE) or reads the tables meanwhile."""
    with running.db() as holder, holder.transaction():
        holder.execute(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE")
        yield


def lease(running):
    """Epoch, and until when it holds, of the one broker that lives."""
    with running.db() as db:
        return db.execute("SELECT epoch, lease_until FROM brokers WHERE NOT dead AND lease_until > docket_now()").fetchone()


def passes(running, at):
    """Waits until the database's clock shows a time."""
    wait_until(lambda: running.value("SELECT docket_now()") > at, 30)


@pytest.mark.parametrize("tables, mode", [(["desk"], "SHARE"), (["dead_letters"], "ACCESS EXCLUSIVE"), (["alerts", "moves", "fanouts", "dead_letters"], "ACCESS EXCLUSIVE")])
def test_a_table_that_is_held_for_longer_than_a_lease_costs_the_broker_no_epoch(running, client, tables, mode):
    client.decided(client.submit())
    epoch, until = lease(running)
    with held(running, *tables, mode=mode):
        passes(running, until + 4000000)
        assert (lease(running) or [None])[0] == epoch
        posted = client.submit()
    assert client.decided(posted)["priority"] and lease(running)[0] == epoch


def test_brokers_that_are_held_for_a_part_of_a_lease_cost_no_epoch(running, client):
    """A renewal that was refused meanwhile is asked for again."""
    epoch, until = lease(running)
    with held(running, "brokers", mode="SHARE"):
        passes(running, until - 1500000)
    passes(running, until + 1000000)
    assert (lease(running) or [None])[0] == epoch
    assert client.decided(client.submit())["priority"]


def test_who_reads_from_a_table_that_is_held_hears_so_and_holds_up_no_decision(running, client):
    """What a worker is to be told is read over the same session."""
    tracking = client.submit()
    client.decided(tracking)
    reader = running.client()
    with held(running, "deliveries"):
        asked = [reader.send("ticket.show", tracking=tracking) for _ in range(40)]
        version = client.call("ticket.comment", tracking=tracking, text="Still there?", public=True, as_=CUSTOMER)["version"]
        wait_until(lambda: running.value("SELECT decided >= %s FROM desk WHERE ticket = %s", version, id_of(tracking)), 15)
        first = reader.receive()
        assert not first["ok"] and first["error"]["code"] == "unavailable" and first["error"]["retry"], first
    answers = [first, *(reader.receive() for _ in asked[1:])]
    assert {answer["id"] for answer in answers} == set(asked)
    assert reader.call("ticket.show", tracking=tracking)
    reader.close()


def test_thousands_who_wait_for_their_events_are_answered_when_the_session_is_lost(running, client):
    client.submit()
    wait_until(lambda: client.call("events.since", cursor="", limit=1)["events"])
    pid = running.pid("broker-1")
    with held(running, "events"):
        asked = [client.send("events.since", cursor="", limit=1) for _ in range(9900)]
        answers = [client.receive() for _ in range(12)]  # four at a time wait for the table; by then all others wait for their turn
        assert running.value("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'docket-broker reader'")
        answers += [client.receive() for _ in asked[12:]]
    assert {answer["error"]["code"] for answer in answers} == {"unavailable"}
    assert alive(pid)
    wait_until(lambda: running.http("broker-1", "/readyz")[0] == 200, 30)


def test_acknowledgements_in_one_batch_lock_their_alerts_in_one_order(running, client):
    """Else two brokers that are told the same by two people would each hold what the other wants next."""
    with running.db() as db:
        ids = [row[0] for row in db.execute("INSERT INTO alerts (cause, kind, priority, opened_at, next_at, body) SELECT 'order:' || n, 'alert', 3, docket_now(), NULL, 'x'"
                                            " FROM generate_series(1, 20) n RETURNING id").fetchall()]
    waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'docket-broker writer' AND wait_event_type = 'Lock'"
    with running.db() as holder, holder.transaction():
        holder.execute("SELECT FROM alerts WHERE id = %s FOR UPDATE", (ids[0],))
        asked = [client.send("alert.ack", alert=alert, as_=ADA) for alert in reversed(ids)]
        wait_until(lambda: running.value(waits) == 1)
        # Not those of a batch before: what is acknowledged a notifier looks at at once.
        holder.execute("SELECT FROM alerts WHERE id = ANY (%s) AND state = 0 FOR UPDATE NOWAIT", (ids,))
    assert all(client.receive()["ok"] for _ in asked)


# ---- the notifier ----


def someone():
    return f"p{random.getrandbits(48):x}@localhost"


def mails_to(running, address):
    return [mail for mail in running.mails() if address in mail]


def refuse(running, condition, sqlstate):
    with running.db() as db:
        db.execute(f"""CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                       BEGIN IF {condition} THEN PERFORM nextval('refused'); RAISE 'refused by the test' USING ERRCODE = '{sqlstate}'; END IF; RETURN NEW; END $$""")


@contextlib.contextmanager
def refusing(running, table, when, condition, sqlstate):
    """The server refuses what is done to rows of a table: as a held lock or a circle of them would, or what cannot be stored."""
    with running.db() as db:
        db.execute("CREATE SEQUENCE refused")
        refuse(running, condition, sqlstate)
        db.execute(f"CREATE TRIGGER refuse BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()")
        try:
            yield lambda: db.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM refused").fetchone()[0]
        finally:
            db.execute(f"DROP TRIGGER refuse ON {table}")
            db.execute("DROP FUNCTION refuse")
            db.execute("DROP SEQUENCE refused")


FIRST_TWICE = "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM refused) < 2"


def test_the_end_of_an_attempt_is_written_however_long_a_table_is_held_and_nothing_is_sent_twice(running, client):
    address = someone()
    with refusing(running, "attempts", "UPDATE", "true", "55P03") as refused:
        tracking = client.submit(contact={"email": address})
        wait_until(lambda: mails_to(running, address))
        wait_until(lambda: refused() > 30, 30)
    wait_until(lambda: running.value("SELECT bool_and(state = 3) FROM deliveries WHERE ticket = %s AND address = %s", id_of(tracking), address))
    assert running.value("SELECT count(*) = max(d.attempts) FROM deliveries d JOIN attempts a ON a.delivery = d.id WHERE d.ticket = %s AND d.address = %s GROUP BY d.id LIMIT 1",
                         id_of(tracking), address)
    assert "attempt_given_up" not in running.log("notifier-1")


def test_an_end_that_cannot_be_written_costs_the_others_nothing(running, client):
    bad, good = someone(), [someone() for _ in range(30)]
    before = running.log("notifier-1").count("attempt_given_up")
    with refusing(running, "attempts", "UPDATE", "true", "55P03"):
        for address in [*good[:15], bad, *good[15:]]:
            client.submit(contact={"email": address})
        wait_until(lambda: all(mails_to(running, address) for address in [bad, *good]), 20)
        refuse(running, f"NEW.delivery IN (SELECT id FROM deliveries WHERE address = '{bad}')", "22021")
        wait_until(lambda: running.value("SELECT count(DISTINCT address) FROM deliveries WHERE address = ANY (%s) AND state = 3", good) == len(good), 20)
        wait_until(lambda: running.log("notifier-1").count("attempt_given_up") > before, 20)
    assert running.log("notifier-1").count("attempt_given_up") == before + 1


@pytest.mark.parametrize("table, fault", [("deliveries", "expand_failed"), ("escalations", "steps_failed")])
def test_what_a_circle_of_locks_refused_is_done_at_once_and_not_when_its_lease_ran_out(running, client, table, fault):
    client.decided(client.submit())
    before = running.log("notifier-1").count(fault)
    with refusing(running, table, "INSERT", FIRST_TWICE, "40P01") as refused:
        tracking = client.submit(impact="down")
        wait_until(lambda: running.value("SELECT count(*) FROM escalations e JOIN alerts a ON a.id = e.alert WHERE a.ticket = %s", id_of(tracking)), 20)
        assert refused() == 2
    wait_until(lambda: [mail for mail in running.mails() if tracking in mail], 20)
    assert running.log("notifier-1").count(fault) == before


def test_a_table_of_the_notifier_that_is_held_for_long_delays_no_message_that_does_not_need_it(running, client):
    """Looks do not queue up: what is urgent would stand behind them all."""
    address = someone()
    with held(running, "telling"):
        passes(running, running.value("SELECT docket_now()") + 12000000)
        client.submit(contact={"email": address})
        wait_until(lambda: mails_to(running, address), 8)


def test_steps_of_many_alerts_lock_the_addresses_of_their_pages_in_one_order(running):
    """Else two notifiers with steps for the same people would each hold what the other wants next."""
    process = running.home / "h/etc/process"
    (process / "staff.yaml").write_text("people:\n  ada: {name: Ada, email: ada@localhost}\n  zoe: {name: Zoe, email: zoe@localhost}\n")
    (process / "escalation.yaml").write_text("policies:\n" + "".join(
        f"  {name}:\n    levels: [{{after: 0m, tell: ['person:{name}']}}]\n    repeat: {{every: 1h, loops: 1}}\n    last_resort: {{tell: [ops], every: 1h}}\n"
        for name in ("ada", "zoe")) + "match:\n  - {cause: zoe, policy: zoe}\n  - {policy: ada}\n")
    done = running.docket("process", "apply", str(process), "--comment", "two people")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: running.value("SELECT n FROM process_log ORDER BY n DESC LIMIT 1") == int(running.log("notifier-1").rpartition("process_used n=")[2].split()[0]))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'docket-notifier' AND wait_event_type = 'Lock'"
    with running.db() as db:
        db.execute("INSERT INTO targets (channel, address) VALUES ('email', 'ada@localhost'), ('email', 'zoe@localhost')")
        with running.db() as holder, holder.transaction():
            holder.execute("SELECT FROM targets WHERE address = 'ada@localhost' FOR UPDATE")
            db.execute("INSERT INTO alerts (cause, kind, priority, opened_at, next_at, body)"
                       " VALUES ('zoe:1', 'alert', 1, docket_now(), 0, 'x'), ('ada:1', 'alert', 1, docket_now(), 1, 'x')")
            wait_until(lambda: running.value(waits) == 1)
            holder.execute("SELECT FROM targets WHERE address = 'zoe@localhost' FOR UPDATE NOWAIT")
    for name in ("ada", "zoe"):
        wait_until(lambda name=name: mails_to(running, f"{name}@localhost"), 20)
