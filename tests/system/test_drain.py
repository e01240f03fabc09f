"""What waits goes when it can, not with the next look of a timer, and a backlog is read by its keys."""

import subprocess

import psycopg.sql
import pytest
from helpers import BIN, ROOT, WAITING_RECEIPTS, Stack, id_of, wait_until

ADDRESS = "waits@localhost"


@pytest.fixture
def quiet():
    """A desk at which nobody decides or tells, so that the statements can be tried one by one."""
    running = Stack(workers=0)
    running.kill("notifier-1")
    yield running
    running.close()


def statement(name, *values):
    """A statement of the notifier, its numbered parameters filled in."""
    text = (ROOT / f"notifier/sql/{name}.sql").read_text()
    for n, value in reversed(list(enumerate(values, 1))):
        text = text.replace(f"${n}", psycopg.sql.Literal(value).as_string(None))
    return text


def test_a_receipt_that_waited_for_its_triage_goes_at_once_when_that_has_joined(quiet):
    client = quiet.client()
    ticket = id_of(client.submit(contact={"email": ADDRESS}))
    with quiet.db() as db:
        later = db.execute("SELECT docket_now() + 60000000").fetchone()[0]
        db.execute("INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address) "
                   "VALUES (%s, 1, 0, 1, 'received', docket_now(), %s, 'email', 'c', %s)", (ticket, later, ADDRESS))
        db.execute("INSERT INTO outbox (ticket, version, audience, kind, created_at, state, token, lease_until) "
                   "VALUES (%s, 2, 1, 'triaged', docket_now(), 1, 7, %s)", (ticket, later))
        in_us = db.execute(statement("target_next", "email")).fetchone()[0]
        assert 0 < in_us <= 60_000_000
        assert db.execute(statement("outbox_merge", 7, True)).fetchall() == [(ticket, 2, "triaged", 0)]
        assert db.execute("SELECT reason, next_at <= docket_now() FROM deliveries").fetchall() == [("with triaged", True)]
        assert db.execute("SELECT ready_at <= docket_now() FROM targets WHERE address = %s", (ADDRESS,)).fetchall() == [(True,)]
        assert db.execute(statement("target_next", "email")).fetchall() == []
    client.close()


def test_what_was_held_back_moments_apart_goes_as_one_once_the_first_is_due(quiet):
    """And what is held for longer, as by quiet hours, stays."""
    mark = -7
    with quiet.db() as db:
        def held(*seconds):
            db.execute("DELETE FROM deliveries")
            for n, second in enumerate(seconds, 1):
                db.execute("INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address, digest) "
                           "VALUES (%s, 1, 0, 2, 'alert', docket_now(), docket_now() + %s, 'sms', 'ben', %s, true)", (n, int(second * 1_000_000), ADDRESS))
            db.execute("UPDATE targets SET ready_at = %s WHERE channel = 'sms' AND address = %s", (mark, ADDRESS))
            db.execute(statement("target_bundle", mark, "sms", 10, 120_000_000))
            return [state for state, in db.execute("SELECT state FROM deliveries WHERE kind = 'alert' ORDER BY ticket")]

        assert held(-0.1, 2, 3600) == [7, 7, 0]
        assert held(1, 2) == [0, 0]  # none is due
        assert held(-0.1, 3600) == [0, 0]  # alone it is no summary


READ = """SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables WHERE relname IN ('targets', 'deliveries', 'outbox')"""


def test_a_backlog_is_worked_off_by_keys_though_the_tables_were_empty_when_they_were_looked_at(quiet):
    number = 4000  # what reads whole tables reads that many for a few messages
    quiet.kill("broker-1")
    with quiet.db() as db:
        db.execute("ANALYZE")  # they have no row, says this, whatever comes now
        db.execute("ALTER TABLE deliveries SET (autovacuum_enabled = false)")
        db.execute("ALTER TABLE targets SET (autovacuum_enabled = false)")
        db.execute(WAITING_RECEIPTS, (number,))
        before = db.execute(READ).fetchone()[0]
    notifier = subprocess.Popen([str(BIN / "docket-notifier"), "--config", str(quiet.config("notifier-1"))], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: sum(1 for _ in (quiet.home / "h/mail").glob("*.eml")) >= number, 60, 0.2)
    finally:
        notifier.terminate()  # a session that ends says all that it read
        notifier.wait()
    with quiet.db() as db:
        rows = wait_until(lambda: db.execute("SELECT count(*) FROM deliveries WHERE state = 3").fetchone()[0] == number and db.execute(READ).fetchone()[0])
    print(f"{(rows - before) / number:.0f} rows read for each message")
    assert (rows - before) / number < 120
