"""The long form of tests/system/test_outbox.py: 20,000 messages, two notifiers, twenty deaths. None is lost; those that were in flight at a death may go
twice, then with the same Message-ID and the same bytes. A notifier that stood still for longer than its lease begins nothing that another has
taken over."""

import email
import email.policy
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from helpers import BIN, Stack, free_port, wait_until  # noqa: E402
from smtp_server import SmtpServer  # noqa: E402
from test_outbox import Desk, receipts, reconfigure  # noqa: E402

MESSAGES = int(os.environ.get("OUTBOX_MESSAGES", "20000"))
KILLS, IN_FLIGHT = 20, 64


def receipts_of(seen, address):
    return receipts([email.message_from_bytes(mail["bytes"], policy=email.policy.default) for mail in seen.get(address, [])])


@pytest.mark.limit(1500)
def test_notifiers_die_at_random_under_a_load_of_messages():
    desk = Desk()
    try:
        addresses = [f"m{n}-{random.getrandbits(32):x}@localhost" for n in range(MESSAGES)]
        for address in addresses:
            desk.client.send("ticket.submit", key=address, customer="acme", title="Load", problem="x", contact={"email": address})
        for _ in addresses:
            assert desk.client.receive()["ok"]
        for kill in range(KILLS):
            want = MESSAGES * (kill + 1) // (KILLS + 2)
            wait_until(lambda want=want: len(desk.smtp.seen) >= want, 120, 0.05)
            time.sleep(random.random() * 0.2)
            os.kill(desk.stack.pid(random.choice(["notifier-1", "notifier-2"])), signal.SIGKILL)
            desk.stack.up()
        wait_until(lambda: not desk.sql("SELECT FROM outbox WHERE state < 2 LIMIT 1") and not desk.sql("SELECT FROM deliveries WHERE state < 2 LIMIT 1"), 600, 1)
        with desk.smtp.lock:
            seen = {}
            for mail in desk.smtp.seen:
                seen.setdefault(mail["to"], []).append(mail)
        lost = [address for address in addresses if address not in seen]
        repeats = 0
        for address in addresses:
            mails = receipts_of(seen, address)
            repeats += max(0, len(mails) - 1)
            assert len({mail["Message-ID"] for mail in mails}) <= 1 and len({mail.as_bytes() for mail in mails}) <= 1
        # Only what had begun and not ended at a death goes again: each repeat is the attempt after one whose end nobody knows.
        unknown = dict(desk.sql("SELECT d.address, count(*) FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE a.result = 'unknown' GROUP BY 1"))
        again = {address: len(receipts_of(seen, address)) - 1 for address in addresses if len(seen.get(address, [])) > 1}
        assert all(count <= unknown.get(address, 0) for address, count in again.items()), again
        assert not lost and repeats <= KILLS * IN_FLIGHT, f"{len(lost)} lost, {repeats} sent again"
        print(f"{MESSAGES} messages, {KILLS} deaths: none lost, {repeats} sent again")
    finally:
        desk.close()


@pytest.mark.limit(120)
@pytest.mark.parametrize("stage", ["started", "connect", "rcpt"])
def test_one_that_stood_still_for_longer_than_its_lease_begins_nothing_that_another_took_over(stage):
    """Stopped after its attempt was committed as started, and before it heard so; while it connects; while the relay thinks of the recipient."""
    desk = Desk()
    try:
        second = desk.stack.pid("notifier-2")
        os.kill(second, signal.SIGSTOP)
        address = f"still-{random.getrandbits(32):x}@localhost"
        first = desk.stack.pid("notifier-1")
        if stage == "started":
            desk.sql_do("CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN NEW; END $$")
            desk.sql_do("CREATE TRIGGER slowly BEFORE INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION slowly()")
        else:
            desk.smtp.script("" if stage == "connect" else address, "greeting" if stage == "connect" else stage, [1.0], [])
            desk.smtp.drop()
        sessions = desk.smtp.sessions
        desk.submit(address)
        at_work = "SELECT FROM deliveries WHERE address = %s AND kind = 'received' AND attempts = 1"
        starting = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND %s <> ''"
        wait_until(lambda: desk.sql(starting if stage == "started" else at_work, address) and (stage == "started" or desk.smtp.sessions > sessions), 20, 0.01)
        os.kill(first, signal.SIGSTOP)
        wait_until(lambda: desk.sql("SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s", address), 20)
        desk.sql_do("DROP TRIGGER IF EXISTS slowly ON attempts")
        wait_until(lambda: desk.sql("SELECT FROM deliveries WHERE address = %s AND lease_until < docket_now()", address), 20)
        os.kill(second, signal.SIGCONT)
        wait_until(lambda: receipts_of_one(desk, address), 30)
        os.kill(first, signal.SIGCONT)
        wait_until(lambda: desk.sql("SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s AND d.kind = 'received'"
                                    " AND a.n = 1 AND a.result <> 'unknown'", address), 20)
        wait_until(lambda: not desk.sql("SELECT FROM deliveries WHERE state < 2 LIMIT 1"), 30)
        assert len(receipts_of_one(desk, address)) == 1
    finally:
        desk.close()


def receipts_of_one(desk, address):
    return receipts(desk.smtp.to(address, "seen"))


@pytest.fixture
def one_desk():
    """One notifier, with the lease as it comes."""
    smtp, stack = SmtpServer(), Stack()
    reconfigure(stack, "notifier-1", smtp_url=smtp.url)
    stack.up()
    client = stack.client()
    yield smtp, stack, client
    client.close()
    stack.close()
    smtp.close()


@pytest.mark.limit(120)
def test_what_was_in_flight_goes_again_as_soon_as_the_one_that_was_killed_is_started_again(one_desk):
    """Not when its lease of a minute ends; and what it had claimed and not begun neither."""
    smtp, stack, client = one_desk
    address, claimed = "flight@localhost", "claimed@localhost"
    smtp.script(address, "end", [60], [])
    client.submit(contact={"email": address})
    wait_until(lambda: smtp.to(address, "seen"))
    stack.kill("notifier-1")
    client.submit(contact={"email": claimed})
    with stack.db() as db:  # as if it had died between the claim and the start
        wait_until(lambda: db.execute("SELECT count(*) FROM desk").fetchone()[0] == 2)
        db.execute("UPDATE outbox SET state = 1, token = 1, lease_until = docket_now() + 10000000 WHERE state = 0")
    stack.up()
    wait_until(lambda: len(receipts(smtp.to(address, "seen"))) == 2, 10)
    wait_until(lambda: smtp.to(claimed), 20)
    first, second = receipts(smtp.to(address, "seen"))
    assert first.as_bytes() == second.as_bytes()
    assert stack.value("SELECT string_agg(a.result, ' ' ORDER BY a.n) FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s AND d.kind = 'received'",
                       address) == "unknown delivered"
    assert "event=leases_back" in stack.log("notifier-1")


def killed_before(stack, table, act):
    """A notifier that was killed in the middle of what act starts, when it would have written to that table; none of its sessions wrote on."""
    with stack.db() as db, stack.db() as beside:
        db.execute("CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END'")
        db.execute(f"CREATE TRIGGER wait_here BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION wait_here()")
        db.execute("SELECT pg_advisory_lock(4711)")
        act()
        pid, = wait_until(lambda: beside.execute("SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND objid = 4711").fetchone())
        stack.kill("notifier-1")
        beside.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        wait_until(lambda: not beside.execute("SELECT FROM pg_stat_activity WHERE application_name LIKE 'docket-notifier%%'").fetchall())
        beside.execute(f"DROP TRIGGER wait_here ON {table}")


@pytest.mark.limit(120)
@pytest.mark.parametrize(("table", "what", "written"), [("escalations", "alerts=1", "SELECT count(*) FROM escalations"),
                                                        ("attempts", "messages=1", "SELECT count(*) FROM attempts")])
def test_what_was_claimed_and_not_begun_goes_on_as_soon_as_the_one_that_was_killed_is_started_again(one_desk, table, what, written):
    """A step of an alert, and a message; neither waits for the ten seconds of its claim."""
    _, stack, client = one_desk
    wait_until(lambda: "event=process_used" in stack.log("notifier-1"))
    killed_before(stack, table, lambda: client.submit(**({"impact": "down"} if table == "escalations" else {"contact": {"email": "claimed@localhost"}})))
    assert stack.value(written) == 0
    leased = stack.value("SELECT max(lease_until) FROM (SELECT lease_until FROM alerts UNION ALL SELECT lease_until FROM deliveries WHERE state = 1) l")
    stack.up()
    since = stack.value("SELECT docket_now()")
    back = wait_until(lambda: [line for line in stack.log("notifier-1").splitlines() if "event=leases_back" in line])[0]
    assert what in back.split(), back
    wait_until(lambda: stack.value(written) > 0)
    late = stack.value(f"SELECT min({'at' if table == 'escalations' else 'started_at'}) FROM {table}") - since
    assert since > leased - 4_000_000 or late < 2_000_000, (leased - since, late)


@pytest.fixture
def twins(one_desk):
    """A second notifier with the name of the first, as a configuration that was copied to another host."""
    _, stack, _ = one_desk
    http, log = free_port(), stack.home / "twin.log"
    text = re.sub(r"^(feed|http|public_http):.*\n", "", stack.config("notifier-1").read_text(), flags=re.M)
    config = stack.home / "twin.yaml"
    config.write_text(text + f"feed: tcp://127.0.0.1:{free_port()}\nhttp: 127.0.0.1:{http}\npublic_http: 127.0.0.1:{free_port()}\n")
    stack.env["DOCKET_HTTP_TWIN"] = f"http://127.0.0.1:{http}"

    def start():
        with open(log, "wb") as out:
            twin.append(subprocess.Popen([BIN / "docket-notifier", "--config", config], stdin=subprocess.DEVNULL, stdout=out, stderr=out))
        wait_until(lambda: "session=tell" in log.read_text() or twin[0].poll() is not None, 20)
        assert twin[0].poll() is None, log.read_text()
        return log

    twin = []
    yield start
    for one in twin:
        one.kill()
        one.wait()


@pytest.mark.limit(120)
def test_another_one_of_the_same_name_takes_nothing_away_from_one_that_lives(one_desk, twins):
    smtp, stack, client = one_desk
    address = "alive@localhost"
    smtp.script(address, "end", [4], [])
    client.submit(contact={"email": address})
    wait_until(lambda: smtp.to(address, "seen"))
    log = twins()
    wait_until(lambda: smtp.to(address), 20)
    wait_until(lambda: stack.value("SELECT count(*) FROM deliveries WHERE state < 2") == 0, 20)
    assert len(receipts(smtp.to(address, "seen"))) == 1
    assert "leases_back" not in log.read_text()


@pytest.mark.limit(120)
def test_two_of_one_name_say_so_and_do_nothing_twice(one_desk, twins):
    smtp, stack, client = one_desk

    def is_taken(program):
        return float(re.search(r"^docket_notifier_name_taken (\S+)$", stack.http(program, "/metrics")[1], re.M).group(1))

    log = twins()
    wait_until(lambda: is_taken("twin") == 1, 20)
    assert is_taken("notifier-1") == 0 and log.read_text().count("event=name_taken") == 1 and stack.http("twin", "/readyz")[0] == 200
    addresses = [f"twice{n}@localhost" for n in range(60)]
    for address in addresses:
        client.submit(contact={"email": address}, impact="down")
    wait_until(lambda: all(smtp.to(address) for address in addresses) and stack.value("SELECT count(DISTINCT alert) FROM escalations") == 60, 30)
    wait_until(lambda: stack.value("SELECT count(*) FROM deliveries WHERE state < 2 AND next_at <= docket_now()") == 0, 30)
    assert [address for address in addresses if len(receipts(smtp.to(address, "seen"))) != 1] == []
    assert stack.value("SELECT count(*) FROM escalations") == 60
    assert stack.value("SELECT count(*) FROM attempts WHERE result = 'unknown'") == 0
    # The name goes over to who is left.
    stack.kill("notifier-1")
    wait_until(lambda: is_taken("twin") == 0, 20)
