"""Each warning, miss and alert exactly once, whatever dies around the decision that gives it, and when the clock jumps."""

import collections
import random
import signal
import sys
import tempfile
import time

import msgpack
import pytest
from helpers import ROOT, Stack, alive, id_of, wait_until

sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "tests/bench")]
import deadlines  # noqa: E402
import test_outbox  # noqa: E402
import test_promises  # noqa: E402

WHOLE = {"title": "Many calls drop", "impact": "degraded", "problem": "The same since this morning, on all floors and in both directions.",
         "equipment": {"sbc": "S9"}, "configuration": {"trunk": "main"}}
S = 1_000_000


@pytest.fixture()
def stack():
    with tempfile.TemporaryDirectory() as folder:
        running = Stack(process=test_promises.short_process(folder))
        yield running
        running.close()


def submit(stack, count):
    client = stack.client()
    trackings = [client.submit(**WHOLE) for _ in range(count)]
    client.close()
    return trackings


def missed(stack):
    return stack.value("SELECT count(*) FROM deadlines WHERE clock = 'response' AND verdict = 'missed'")


def of_response(rows):
    return collections.Counter((ticket, kind) for ticket, kind, body in rows.fetchall() if msgpack.unpackb(body)["clock"] == "response")


def each_exactly_once(stack, trackings, promise_s=5):
    """From the database: what every ticket was given."""
    ids = [id_of(tracking) for tracking in trackings]
    with stack.db() as db:
        verdicts = db.execute("SELECT ticket, due_at, judged_at FROM deadlines WHERE clock = 'response' AND ticket = ANY(%s)", (ids,)).fetchall()
        posted = dict(db.execute("SELECT id, posted_at FROM tickets WHERE id = ANY(%s)", (ids,)).fetchall())
        kinds = of_response(db.execute("SELECT ticket, kind, body FROM events WHERE ticket = ANY(%s) AND kind IN (24, 25)", (ids,)))
        alerts = collections.Counter(ticket for ticket, in db.execute("SELECT ticket FROM alerts WHERE ticket = ANY(%s) AND cause LIKE 'missed:%%:response:1'", (ids,)).fetchall())
        told = of_response(db.execute("SELECT ticket, kind, body FROM outbox WHERE ticket = ANY(%s) AND kind = 'warning'", (ids,)))
    assert sorted(ticket for ticket, _, _ in verdicts) == sorted(ids)
    for ticket, due_at, judged_at in verdicts:
        assert judged_at >= due_at == posted[ticket] + promise_s * S, "fired early"
    for ticket in ids:
        assert kinds[ticket, 25] == 1, "each is missed once"
        assert kinds[ticket, 24] <= 2 and told[ticket, "warning"] <= 1, "each warning at most once"
        assert alerts[ticket] == 1, "each alert once"
    stack.verify()


@pytest.mark.limit(180)
@pytest.mark.parametrize("victims", [["worker-1"], ["broker-1"], ["broker-1", "worker-1"]], ids="+".join)
def test_killed_between_decision_and_commit(stack, victims):
    """The commit of a miss is held up by a lock on the verdicts; what decided or was to commit dies; then the lock goes. What the
    server had of a dead broker's batch it may still commit: both ways each fires once."""
    trackings = submit(stack, 40)
    wait_until(lambda: stack.value("SELECT count(*) FROM desk WHERE priority = 2") == 40, 20)
    with stack.db() as db:
        db.autocommit = False
        db.execute("LOCK TABLE deadlines IN EXCLUSIVE MODE")
        waits = "SELECT count(*) FROM pg_locks WHERE relation = 'deadlines'::regclass AND NOT granted"
        wait_until(lambda: db.execute(waits).fetchone()[0] > 0, 20)
        for victim in victims:
            stack.kill(victim)
        db.rollback()
    stack.up()
    wait_until(lambda: missed(stack) == 40, 60)
    each_exactly_once(stack, trackings)


@pytest.mark.limit(240)
def test_killed_again_and_again_while_all_comes_due(stack):
    dice = random.Random(5)
    trackings = submit(stack, 300)
    end = time.monotonic() + 12
    while time.monotonic() < end:
        stack.kill(dice.choice(["worker-1", "broker-1"]))
        stack.up()
    wait_until(lambda: missed(stack) == 300, 90)
    each_exactly_once(stack, trackings)


@pytest.mark.limit(180)
def test_what_came_due_while_all_was_down_fires_at_once_worst_first(stack):
    """30 P1 and 3,000 P2 come due while nobody is there (stopped, so that no wake belongs to a dead epoch): on return the P1 are among
    the first decisions, though they were due last."""
    client = stack.client()
    first = [client.submit(**{**WHOLE, "title": "No dial tone on any phone", "impact": "down"}) for _ in range(30)]
    wait_until(lambda: stack.value("SELECT count(*) FROM desk WHERE priority = 1") == 30, 30)
    for victim in ("broker-1", "worker-1"):
        stack.kill(victim, signal.SIGTERM)
        wait_until(lambda: not alive(stack.pid(victim)), 20)
    with stack.db() as db:
        now = db.execute("SELECT docket_now()").fetchone()[0]
        deadlines.fill(db, 0, [now - 60 * S + n for n in range(3000)])
    wait_until(lambda: stack.value("SELECT docket_now() - max(posted_at) > 6000000 FROM tickets"), 30)
    stack.up()
    wait_until(lambda: missed(stack) == 3030, 60)
    with stack.db() as db:
        judged = db.execute("SELECT ticket, max(judged_at) FROM deadlines WHERE clock = 'response' GROUP BY ticket").fetchall()
    urgent = {id_of(tracking) for tracking in first}
    last = max(at for ticket, at in judged if ticket in urgent)
    before = sum(at < last for ticket, at in judged if ticket not in urgent)
    assert before < 1500, f"{before} P2 were judged before the last P1"
    stack.verify()


def shift(stack, seconds):
    """The database's clock shows so much more than the true time."""
    with stack.db() as db:
        for name, kind, clock in (("docket_now", "VOLATILE", "clock_timestamp"), ("docket_began", "STABLE", "transaction_timestamp")):
            db.execute(f"CREATE OR REPLACE FUNCTION {name}() RETURNS bigint LANGUAGE sql {kind} PARALLEL SAFE "
                       f"RETURN (extract(epoch FROM {clock}()) * 1000000)::bigint + {seconds * S}::bigint")


@pytest.mark.limit(120)
@pytest.mark.parametrize("by_s", [3, 12])
def test_the_databases_clock_is_set_back_shortly_before_all_is_due(stack, by_s):
    """By less than what a broker's own look at the clock notices, and by more, within the second until that look."""
    trackings = submit(stack, 40)
    wait_until(lambda: stack.value("SELECT count(*) FROM desk WHERE priority = 2") == 40, 20)
    wait_until(lambda: stack.value("SELECT docket_now() - min(posted_at) >= 4500000 FROM tickets"), 20)
    shift(stack, -by_s)
    trackings += submit(stack, 10)
    wait_until(lambda: stack.value("SELECT count(*) FROM desk WHERE priority = 2") == 50, 2)  # new ones do not wait for the lost time
    wait_until(lambda: missed(stack) == 50, 30)
    each_exactly_once(stack, trackings)


@pytest.mark.limit(180)
def test_the_databases_clock_jumps(stack):
    """An hour ahead: all that is promised within it fires, once. Back again: nothing fires a second time, nothing gets lost."""
    trackings = submit(stack, 40)
    wait_until(lambda: stack.value("SELECT count(*) FROM desk WHERE priority = 2") == 40, 20)
    shift(stack, 3600)
    wait_until(lambda: missed(stack) == 40, 60)
    shift(stack, 0)
    more = submit(stack, 10)
    wait_until(lambda: missed(stack) == 50, 60)
    each_exactly_once(stack, trackings + more)


@pytest.mark.limit(120)
@pytest.mark.parametrize("days", [-3, 3])
def test_a_notifier_s_own_clock_ends_no_retry(days):
    """How old a message is, is the database's to say: a machine whose clock is days ahead gives nothing up at its first try, and one that is days
    behind does not try for ever."""
    desk = test_outbox.Desk()
    try:
        shift(desk.stack, days * 86400)
        address = test_outbox.somebody()
        desk.smtp.script(address, "rcpt", "451 later", "250 ok")
        desk.submit(address)
        wait_until(lambda: desk.sql("SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s AND a.result = 'temporary'", address), 30)
        wait_until(lambda: desk.receipt(address)[1] != 1)
        assert desk.receipt(address)[1] == 0, desk.receipt(address)
        old = test_outbox.somebody()
        desk.smtp.script(old, "rcpt", "451 later")
        desk.submit(old)
        wait_until(lambda: any(row[0] == "received" and row[1:3] == (0, 1) for row in desk.deliveries(old)), 30)
        desk.sql_do("UPDATE deliveries SET created_at = created_at - 49 * 3600 * 1000000::bigint WHERE address = %s", old)
        desk.hurry(old)
        assert wait_until(lambda: desk.receipt(old)[1] not in (0, 1) and desk.receipt(old), 30)[1] == 5, desk.receipt(old)
    finally:
        desk.stack.close()
        desk.smtp.close()
