"""Limits of an address, in the statements that hold back and take, run by hand against a model that counts; the pages of P1 that are joined."""

import random
import time

import psycopg
import pytest
from helpers import ROOT, migrated
from psycopg import sql

SHORT, LONG, PAUSE = 900_000_000, 3600_000_000, 120_000_000  # µs
CUSTOMER, STAFF = 1, 2


@pytest.fixture(scope="module")
def server():
    with migrated() as dsn:
        yield dsn


class Notifier:
    """The statements of one claim, as a notifier sends them: one transaction, stepped by the test."""

    def __init__(self, dsn, channel="email", limits=(30, 300, 3, 7), joins=False):
        self.db, self.prepared, self.token = psycopg.connect(dsn, autocommit=True), set(), random.getrandbits(40)
        self.channel, self.limits, self.joins = channel, limits, joins
        self.db.execute("SET plan_cache_mode = force_generic_plan; SET jit = off")

    def run(self, name, *values):
        if name not in self.prepared:
            self.db.execute(f"PREPARE {name} AS {(ROOT / f'notifier/sql/{name}.sql').read_text()}")
            self.prepared.add(name)
        cursor = self.db.execute(sql.SQL("EXECUTE {} ({})").format(sql.Identifier(name), sql.SQL(", ").join(sql.Literal(value) for value in values)))
        return cursor.fetchall() if cursor.description else None

    def lock(self):
        self.token += 1
        self.db.execute("BEGIN")
        self.run("target_lock", -self.token, self.channel, [], 64)

    def limit(self):
        self.run("target_limit", -self.token, self.channel, *self.limits, SHORT, LONG, PAUSE, self.joins, 10, 25)

    def take(self, limited=(), free=()):
        """The messages taken, as (id, kind, address)."""
        self.run("target_bundle", -self.token, self.channel, 10, PAUSE)
        rows = self.run("delivery_claim", -self.token, self.channel, self.token, 60_000_000, 4, 64, self.joins, list(limited), list(free), False)
        self.db.execute("COMMIT")
        return [(row[0], row[6], row[8]) for row in rows]

    def claim(self, **options):
        self.lock()
        self.limit()
        return self.take(**options)

    def sent(self, taken):
        """Their attempts began and ended well."""
        ids = [row[0] for row in taken]
        self.db.execute("UPDATE deliveries SET attempts = 1, state = 3, ended_at = docket_now(), token = NULL, lease_until = NULL WHERE id = ANY (%s)", (ids,))


@pytest.fixture
def notifier(server):
    one = Notifier(server)
    yield one
    one.db.execute("ROLLBACK")
    one.db.execute("TRUNCATE deliveries, targets, attempts, alerts, outbox")
    one.db.close()


def add(db, address, channel="email", audience=STAFF, kind="task", late=0, ticket=0, alert=None, priority=None, version=1):
    """A message to the address, due so many µs ago."""
    return db.execute("INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address, alert, priority)"
                      " VALUES (%s, %s, %s, %s, %s, docket_now(), docket_now() - %s, %s, 'r', %s, %s, %s) RETURNING id",
                      (ticket, version, random.getrandbits(31), audience, kind, late, channel, address, alert, priority)).fetchone()[0]


def forward(db, us):
    """So much time passes: all that is written lies that much longer ago."""
    db.execute("UPDATE deliveries SET counted_at = counted_at - %(us)s, next_at = next_at - %(us)s, created_at = created_at - %(us)s", {"us": us})
    db.execute("UPDATE targets SET ready_at = ready_at - %s WHERE ready_at IS NOT NULL", (us,))


def test_what_comes_due_between_the_statements_of_a_claim_does_not_pass_the_limit(notifier, server):
    """What is due a moment later, and what another session adds meanwhile: the claim takes only what was looked at for the limit."""
    address = "moments@localhost"
    for _ in range(3):
        add(notifier.db, address, late=1000)
    early = notifier.claim()
    assert len(early) == 3
    notifier.sent(early)
    for _ in range(4):
        add(notifier.db, address, late=-150_000)  # due while the claim is under way
    add(notifier.db, address, kind="received", audience=CUSTOMER, late=1000)
    with psycopg.connect(server) as other:
        notifier.lock()
        notifier.limit()
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            add(other, address, late=1000)  # whoever adds waits for the claim's end
        notifier.db.execute("SELECT pg_sleep(0.3)")
        assert [kind for _, kind, _ in notifier.take()] == ["received"], "the limit did not look at the others"
    assert notifier.claim() == []
    assert notifier.db.execute("SELECT count(*) FROM deliveries WHERE address = %s AND digest AND state = 0", (address,)).fetchone()[0] == 4


def test_updates_are_merged_without_waiting_for_one_that_another_session_holds(notifier, server):
    """Whoever ends an attempt holds what waits behind it, and then wants the address, which the claim holds."""
    address, ids = "merged@localhost", {}
    for version, kind in enumerate(("received", "update", "update", "update", "update"), start=1):
        ids[version] = add(notifier.db, address, audience=CUSTOMER, kind=kind, ticket=7, late=1000, version=version)
    notifier.db.execute("UPDATE deliveries SET attempts = 1 WHERE id = %s", (ids[1],))
    notifier.db.execute("INSERT INTO attempts (delivery, n, started_at, notifier) VALUES (%s, 1, docket_now() - 60000000, 'n')", (ids[1],))
    notifier.db.execute("SET lock_timeout = '2s'")

    def merged():
        notifier.lock()
        notifier.run("target_merge", -notifier.token, "email", 1_000_000)
        notifier.db.execute("COMMIT")
        notifier.db.execute("UPDATE targets SET ready_at = docket_now() - 1")
        return dict(notifier.db.execute("SELECT version, bundle FROM deliveries WHERE state = 7").fetchall())

    with psycopg.connect(server) as other:
        for held, into in ((5, {2: ids[4], 3: ids[4]}), (4, {2: ids[4], 3: ids[4]})):
            other.execute("SELECT FROM deliveries WHERE id = %s FOR UPDATE", (ids[held],))
            assert merged() == into
            other.rollback()
    assert merged() == {2: ids[5], 3: ids[5], 4: ids[5]}, "with what was merged before"


def test_what_is_over_the_limit_is_held_back_without_waiting_for_one_that_another_session_holds(notifier, server):
    """As with merging: the end of an attempt over one way wakes the next, and then wants its address."""
    ids = [add(notifier.db, "held@localhost", late=1000 - n) for n in range(6)]
    notifier.db.execute("SET lock_timeout = '2s'")

    def held_back():
        notifier.lock()
        notifier.limit()
        notifier.db.execute("COMMIT")
        notifier.db.execute("UPDATE targets SET ready_at = docket_now() - 1")
        return [row[0] for row in notifier.db.execute("SELECT id FROM deliveries WHERE digest ORDER BY id")]

    with psycopg.connect(server) as other:
        other.execute("SELECT FROM deliveries WHERE id = %s FOR UPDATE", (ids[4],))
        assert held_back() == [ids[3], ids[5]]
        other.rollback()
    assert held_back() == ids[3:]


@pytest.mark.limit(300)
@pytest.mark.parametrize("seed", range(3))
def test_limits_hold_in_any_window_as_a_model_counts_them(notifier, seed):
    """Random arrivals, claims and pauses: never more than 3 in a quarter of an hour nor 7 in an hour but for what was held back, and never fewer
    than may go. What was held back and goes alone counts as well."""
    rng, now, counted, free, address = random.Random(seed), 0, [], [], f"model-{seed}@localhost"
    for _ in range(150):
        waiting = rng.choice((0, 0, 1, 1, 2, 5))
        for _ in range(waiting):
            add(notifier.db, address, late=1000)
        taken = notifier.claim()
        held = {row[0] for row in notifier.db.execute("SELECT id FROM deliveries WHERE address = %s AND digest", (address,))}
        alone = [row for row in taken if row[1] == "task" and row[0] not in held]
        room = min(3 - sum(now - at < SHORT for at in counted), 7 - sum(now - at < LONG for at in counted))
        assert len(alone) == min(max(room, 0), waiting), (now, counted, waiting, taken)
        counted += [now] * sum(row[1] == "task" for row in taken)
        free += [now] * len(alone)
        notifier.sent(taken)
        step = rng.choice((20, 100, 130, 400, 901, 3601)) * 1_000_000
        now += step
        forward(notifier.db, step)
    assert len(free) > 20
    assert all(sum(at <= other < at + SHORT for other in free) <= 3 and sum(at <= other < at + LONG for other in free) <= 7 for at in free)


def test_a_storm_makes_one_summary_for_each_pause_and_nothing_is_lost(notifier):
    """Five minutes with a message every two seconds, looked at each time: three go alone, then a summary every two minutes of all there was."""
    address, kinds, ids, began = "storm@localhost", [], [], time.monotonic()
    for second in range(0, 300, 2):
        ids.append(add(notifier.db, address, late=1000))
        looked = second + time.monotonic() - began  # the clock goes on meanwhile
        taken = notifier.claim()
        kinds += [(looked, second + time.monotonic() - began, kind) for _, kind, _ in taken]
        notifier.sent(taken)
        forward(notifier.db, 2_000_000)
    assert [kind for _, _, kind in kinds] == ["task"] * 3 + ["digest"] * 2, kinds
    for (looked, taken, _), (looked_next, taken_next, _) in zip(kinds[2:], kinds[3:]):
        assert taken_next - looked >= 120 and looked_next - taken <= 126, kinds
    forward(notifier.db, PAUSE)
    assert [kind for _, kind, _ in notifier.claim()] == ["digest"]
    assert notifier.db.execute("SELECT count(*) FROM deliveries WHERE id = ANY (%s) AND (state = 3 OR state = 7 AND bundle IS NOT NULL)", (ids,)).fetchone()[0] == len(ids)


def page(db, address, alert):
    return add(db, address, channel="phone", kind="alert", late=1000, alert=alert, priority=1)


def alert_of(db):
    return db.execute("INSERT INTO alerts (cause, kind, priority, opened_at, body) VALUES (%s, 'alert', 1, docket_now(), 'down') RETURNING id", (f"p1:{random.getrandbits(40)}",)).fetchone()[0]


def start(notifier, taken):
    """Ids of those that may begin."""
    ids = [row[0] for row in taken]
    notifier.db.execute("BEGIN")
    notifier.run("joined_lock", ids)
    rows = notifier.run("attempt_start", 60_000_000, "n", ids, [notifier.token] * len(ids), ["id"] * len(ids), [b"x"] * len(ids))
    notifier.db.execute("COMMIT")
    return [row[0] for row in rows]


def joined(notifier, address, count=4):
    """One call for the second pages of so many alerts; (what was taken, alerts)."""
    alerts = [alert_of(notifier.db) for _ in range(count)]
    for alert in alerts:
        page(notifier.db, address, alert)
    first = []
    while len(first) < count:  # one telephone, one call at a time
        taken = notifier.claim()
        assert taken and all(kind == "alert" for _, kind, _ in taken), "the first page of an incident is never limited"
        notifier.sent(taken)
        first += taken
    for alert in alerts:
        page(notifier.db, address, alert)
    assert notifier.claim() == []
    forward(notifier.db, PAUSE)
    taken = notifier.claim()
    assert [kind for _, kind, _ in taken] == ["alerts"]
    return taken, alerts


@pytest.fixture
def phone(server):
    one = Notifier(server, channel="phone", joins=True)
    yield one
    one.db.execute("ROLLBACK")
    one.db.execute("TRUNCATE deliveries, targets, attempts, alerts, outbox")
    one.db.close()


def test_a_joined_call_begins_while_one_of_its_alerts_is_open_and_never_after(phone):
    taken, alerts = joined(phone, "+43155500001")
    phone.db.execute("UPDATE alerts SET state = 1, acked_by = 'x', acked_at = docket_now() WHERE id = ANY (%s)", (alerts[:3],))
    assert start(phone, taken) == [taken[0][0]], "one is unanswered"
    taken, alerts = joined(phone, "+43155500002")
    phone.db.execute("UPDATE alerts SET state = CASE id %% 2 WHEN 0 THEN 1 ELSE 2 END, acked_by = 'x', acked_at = docket_now() WHERE id = ANY (%s)", (alerts,))
    assert start(phone, taken) == []
    state, reason = phone.db.execute("SELECT state, reason FROM deliveries WHERE id = %s", (taken[0][0],)).fetchone()
    assert state == 8 and "acknowledged" in reason


def test_who_answers_while_a_joined_call_is_about_to_begin_comes_before_or_after_it(phone, server):
    taken, alerts = joined(phone, "+43155500003", 3)
    phone.db.execute("UPDATE alerts SET state = 1, acked_by = 'x', acked_at = docket_now() WHERE id = ANY (%s)", (alerts[:2],))
    phone.db.execute("BEGIN")
    phone.run("joined_lock", [taken[0][0]])
    with psycopg.connect(server) as other:
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("UPDATE alerts SET state = 1 WHERE id = %s", (alerts[2],))
    assert [row[0] for row in phone.run("attempt_start", 60_000_000, "n", [taken[0][0]], [phone.token], ["id"], [b"x"])] == [taken[0][0]]
    phone.db.execute("COMMIT")


def test_one_page_over_the_limit_goes_alone_after_the_pause(phone):
    alert, address = alert_of(phone.db), "+43155500004"
    for _ in range(4):
        page(phone.db, address, alert)
        phone.sent(phone.claim())
    assert phone.db.execute("SELECT count(*) FROM deliveries WHERE address = %s AND digest", (address,)).fetchone()[0] == 1
    forward(phone.db, PAUSE)
    assert [kind for _, kind, _ in phone.claim()] == ["alert"], "never dropped"


def test_addresses_of_one_host_share_what_one_may_hold(server):
    one = Notifier(server, channel="webhook")
    try:
        for n in range(10):
            add(one.db, f"https://Slow.example:8443/{n}?x", "webhook", CUSTOMER, "received", late=1000)
        add(one.db, "https://fast.example/", "webhook", CUSTOMER, "received", late=1)
        taken = [address for _, _, address in one.claim()]
        assert len(taken) == 5 and "https://fast.example/" in taken
        assert one.claim(limited=["slow.example:8443"], free=[0]) == []
        assert len(one.claim(limited=["slow.example:8443"], free=[1])) == 1
        assert len(one.claim(limited=["slow.example:8443", "https://Slow.example:8443/9?x"], free=[3, 0])) == 3
    finally:
        one.db.execute("ROLLBACK")
        one.db.execute("TRUNCATE deliveries, targets, attempts, alerts, outbox")
        one.db.close()


def reads(node):
    """The most rows that a node of a plan looked at in one go, and its name."""
    own = (node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0), node["Node Type"] + " " + node.get("Alias", ""))
    return max([own] + [reads(child) for child in node.get("Plans", ())])


def test_no_statement_of_a_claim_reads_a_queue_from_end_to_end(notifier):
    """With 40,000 messages that wait and 5,000 rows of the outbox behind them, whatever the statistics say."""
    notifier.db.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
    notifier.db.execute("INSERT INTO outbox (ticket, version, audience, kind, created_at, state) SELECT n, 1, 2, 'task', docket_now(), 2 * (n % 2) FROM generate_series(1, 5000) n")
    notifier.db.execute("INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address, counted_at)"
                        " SELECT n, 1, 0, 2, 'task', docket_now(), docket_now() - n, 'email', 'r', 'a' || n || '@localhost', docket_now() - n * 1000 FROM generate_series(1, 40000) n")
    for known in ("", "outbox", "deliveries"):
        if known:
            notifier.db.execute(f"ANALYZE {known}")
        notifier.lock()
        for name, values in (("target_merge", (-notifier.token, "email", 1)), ("target_limit", (-notifier.token, "email", 30, 300, 3, 7, SHORT, LONG, PAUSE, False, 10, 25)),
                             ("target_bundle", (-notifier.token, "email", 10, PAUSE)),
                             ("delivery_claim", (-notifier.token, "email", 1, 60_000_000, 4, 64, False, [], [], False)), ("outbox_claim", (1, 60_000_000, 200))):
            notifier.db.execute(f"PREPARE {name}_{known} AS {(ROOT / f'notifier/sql/{name}.sql').read_text()}")
            plan = notifier.db.execute(sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {} ({})").format(
                sql.Identifier(f"{name}_{known}"), sql.SQL(", ").join(sql.Literal(value) for value in values))).fetchone()[0][0]["Plan"]
            most, node = reads(plan)
            assert most <= 500, (name, known, most, node)
        notifier.db.execute("ROLLBACK")
