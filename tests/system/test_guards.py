"""The guards of the rules of writing, each in the statement that holds it: what a session that is late, dead or beside another
one sends changes nothing. The statements are the programs' own files, run by hand on a database of the test's own."""

import contextlib
import re
import threading

import psycopg
import pytest
from helpers import ROOT, migrated, wait_until
from psycopg import sql

OURS, THEIRS, DEAD = 1001, 1002, 1003


@pytest.fixture(scope="module")
def server():
    with migrated() as dsn:
        with psycopg.connect(dsn, autocommit=True) as db:
            for slot, epoch in enumerate((OURS, THEIRS)):
                db.execute(f"INSERT INTO brokers (epoch, slot, name, pid, backend_start, registered_at, lease_until, mark, first_id, ids_until)"
                           f" VALUES ({epoch}, {slot}, 'b{slot}', 1, now(), docket_now(), docket_now() + 600000000, 1, 1, 1)")
        yield dsn


class Session:
    """A session of a broker or a notifier: its statements by the names of their files, in a transaction of the test's."""

    def __init__(self, dsn, room):
        self.connection, self.room, self.prepared = psycopg.connect(dsn), room, {}

    def run(self, name, *values):
        """All rows, as dicts."""
        if name not in self.prepared:
            text = (ROOT / self.room / f"sql/{name}.sql").read_text()
            self.connection.execute(f"PREPARE {name} AS {text}")
            self.prepared[name] = max(int(n) for n in re.findall(r"\$(\d+)", text + "$0"))
        values = list(values) + [None] * (self.prepared[name] - len(values))
        given = sql.SQL("({})").format(sql.SQL(", ").join(sql.Literal(value) for value in values)) if values else sql.SQL("")
        cursor = self.connection.execute(sql.SQL("EXECUTE {}").format(sql.Identifier(name)) + given)
        names = [column.name for column in cursor.description or []]
        return [dict(zip(names, row)) for row in cursor.fetchall()] if names else []

    def commit(self):
        self.connection.commit()

    def rollback(self):
        self.connection.rollback()

    def one(self, query):
        return self.connection.execute(query).fetchone()


@pytest.fixture
def sessions(server):
    """Opens sessions; all end with the test."""
    with contextlib.ExitStack() as stack:
        def open_one(room="broker"):
            session = Session(server, room)
            stack.callback(session.connection.close)
            return session

        yield open_one


@pytest.fixture
def ours(sessions):
    return sessions()


LAST = [100]


def ticket(session, owner=OURS, attempt=5, version=3, desk=True, lane=1, **columns):
    """A ticket, committed, with a desk row as said; its id."""
    LAST[0] += 1
    number = LAST[0]
    session.connection.execute("INSERT INTO tickets (id, posted_at, key_digest, content_digest, customer, title, problem) VALUES (%s, 1, %s, 'c', 'acme', 't', 'p')",
                               (number, number.to_bytes(16, "big")))
    if desk:
        row = {"ticket": number, "wake_at": 1, "rank": 1, "owner": owner, "updated_at": 1, "version": version, "attempt": attempt, "lane": lane, "state": 1, **columns}
        session.connection.execute(sql.SQL("INSERT INTO desk ({}) VALUES ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(map(sql.Literal, row.values()))))
    session.commit()
    return number


def desk_of(session, number):
    cursor = session.connection.execute("SELECT * FROM desk WHERE ticket = %s", (number,))
    row = cursor.fetchone()
    return row and dict(zip([column.name for column in cursor.description], row))


def left_behind(session, number):
    """Rows about the ticket that a decision or a change would have written."""
    return session.one(f"SELECT (SELECT count(*) FROM events WHERE ticket = {number}) + (SELECT count(*) FROM outbox WHERE ticket = {number})")[0]


def decide_again(session, number, owner=OURS, attempt=5, version=3, now_at=1):
    return session.run("decide_again", [number], [version], [attempt], [version + 1], [None], [1], [2], [1], [owner], [None], [None], [None], [None], [b"\x90"], [None], owner,
                       [number], [version + 1], [3], [False], [b"\x80"], None, [number], [version + 1], [1], ["update"], [0], [None], [None], [now_at])


def decide_fresh(session, number, now_at=1):
    return session.run("decide_fresh", [number], [2], [1], [3], [8], [1], [OURS], [None], [None], [None], [None], [b"\x90"],
                       [number], [2], [2], [False], [b"\x80"], None, [number], [2], [1], ["triaged"], [0], [None], [None], [now_at])


def change(session, number, key=None, epoch=THEIRS):
    """A comment of somebody by another broker."""
    return session.run("change", number, key or b"key of %d" % number, b"c", 7, epoch, [0, 1, 2, 3, 4, 5, 6, 7], 4, 0, "ada", True, b"\x80", 0, None, 0, None, 0, None, 0, None, None, None, "update", b"\x80")[0]


# ---- rule 1: one narrow row decides ----

def test_a_decision_as_it_was_handed_out_is_written_whole(ours):
    number = ticket(ours)
    assert decide_again(ours, number) and desk_of(ours, number)["attempt"] == 6 and left_behind(ours, number) == 2
    fresh = ticket(ours, desk=False)
    assert decide_fresh(ours, fresh) and desk_of(ours, fresh)["attempt"] == 2 and left_behind(ours, fresh) == 2


@pytest.mark.parametrize("late", [{"attempt": 4}, {"version": 2}, {"owner": DEAD}])
def test_a_decision_of_another_attempt_version_or_owner_leaves_nothing(ours, late):
    number = ticket(ours)
    assert decide_again(ours, number, **late) == [] and desk_of(ours, number)["attempt"] == 5 and left_behind(ours, number) == 0


@pytest.mark.parametrize("decide, desk, row", [(decide_again, True, {"attempt": 5, "version": 3}), (decide_fresh, False, None)])
def test_a_decision_for_an_instant_that_the_databases_clock_has_not_reached_leaves_nothing(ours, decide, desk, row):
    number = ticket(ours, desk=desk)
    now = ours.one("SELECT docket_now()")[0]
    answer, = decide(ours, number, now_at=now + 3600_000000)
    assert answer["ticket"] == number and now <= answer["early_at"] < now + 3600_000000, "told by which clock it was early"
    left = desk_of(ours, number)
    assert (left and {name: left[name] for name in row}) == row and left_behind(ours, number) == 0
    assert decide(ours, number, now_at=now) == [{"ticket": number, "early_at": None}]


def test_a_fresh_decision_of_a_ticket_that_somebody_changed_leaves_nothing(ours):
    number = ticket(ours, owner=THEIRS)
    assert decide_fresh(ours, number) == [] and desk_of(ours, number)["owner"] == THEIRS and left_behind(ours, number) == 0


@pytest.mark.parametrize("decide, desk", [(decide_again, True), (decide_fresh, False)])
def test_a_decision_beside_a_comment_that_is_not_committed_yet_waits_and_is_stale(ours, sessions, decide, desk):
    number, other, got = ticket(ours, desk=desk), sessions(), []
    if not desk:
        other.run("ensure", [number], THEIRS)
    assert change(other, number)["changed"]
    deciding = threading.Thread(target=lambda: got.append(decide(ours, number)))
    deciding.start()
    pid = ours.connection.info.backend_pid
    wait_until(lambda: sessions().one(f"SELECT wait_event_type FROM pg_stat_activity WHERE pid = {pid}")[0] == "Lock")
    other.commit()
    deciding.join()
    ours.commit()
    assert got == [[]] and left_behind(ours, number) == 2 and desk_of(ours, number)["owner"] == THEIRS


RARE = {
    "attributes": (lambda s, n, attempt: s.run("attributes", [n], [attempt], [3], [b"\x80"]), "SELECT count(*) FROM amendments WHERE ticket = {}"),
    "verdicts": (lambda s, n, attempt: s.run("verdicts", [n], [attempt], ["response"], [1], ["met"], [None], [3], [60], [1], [1], [0], [0], ["z"], [None], None, None, [3]), "SELECT count(*) FROM deadlines WHERE ticket = {}"),
    "alerts_open": (lambda s, n, attempt: s.run("alerts_open", [n], [attempt], [3], [f"x:{n}"], ["p1"], [1], ["text"]), "SELECT count(*) FROM alerts WHERE ticket = {}"),
    "dead_letters": (lambda s, n, attempt: s.run("dead_letters", [n], [attempt], [5], ["c"], ["m"], ["w"]), "SELECT count(*) FROM dead_letters WHERE ticket = {}"),
}


@pytest.mark.parametrize("name", RARE)
def test_what_a_decision_brings_besides_is_written_only_with_it(ours, name):
    write, count = RARE[name]
    dead = name == "dead_letters"
    number = ticket(ours, attempt=6, decided=3, dead=dead)
    write(ours, number, 5)
    assert ours.one(count.format(number)) == (0,)
    # A change that came first leads to the same attempt, and to the same version; or the decision would have written no event.
    for overtaken in {"decided": 2}, {"version": 4, "decided": 3}:
        late = ticket(ours, attempt=6, **overtaken)
        write(ours, late, 6)
        assert ours.one(count.format(late)) == (0,), overtaken
    write(ours, number, 6)
    assert ours.one(count.format(number)) == (1,)


def test_an_alert_is_resolved_only_by_the_decision_that_was_written(ours):
    number = ticket(ours, attempt=6, decided=3)
    ours.run("alerts_open", [number], [6], [3], [f"r:{number}"], ["p1"], [1], ["text"])
    for attempt, version in (5, 3), (6, 4):
        ours.run("alerts_resolve", [number], [attempt], [version], [f"r:{number}"])
        assert ours.one(f"SELECT state < 2 FROM alerts WHERE ticket = {number}") == (True,)
    ours.run("alerts_resolve", [number], [6], [3], [f"r:{number}"])
    assert ours.one(f"SELECT state < 2 FROM alerts WHERE ticket = {number}") == (False,)


@pytest.mark.parametrize("turned", (False, True), ids=("as they are", "turned"))
def test_decisions_that_resolve_several_alerts_lock_them_in_their_order(server, ours, sessions, turned):
    """As a notifier that takes their steps does: who had the later one first would be waited for, and wait."""
    number = ticket(ours, attempt=6, decided=3)
    causes = [f"first:{number}", f"second:{number}"]
    for cause in causes:
        ours.run("alerts_open", [number], [6], [3], [cause], ["p1"], [1], ["text"])
    ours.commit()
    first, second = (ours.one(f"SELECT id FROM alerts WHERE cause = '{cause}'")[0] for cause in causes)
    assert first < second
    values = ([number] * 2, [6] * 2, [3] * 2, causes[::-1] if turned else causes)
    waiting = sessions()
    waiting.connection.execute("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off")  # as with many alerts: cause by cause
    ours.one(f"SELECT FROM alerts WHERE id = {first} FOR UPDATE")
    thread = threading.Thread(target=waiting.run, args=("alerts_resolve", *values))
    thread.start()
    try:
        with psycopg.connect(server, autocommit=True) as db:
            wait_until(lambda: db.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()[0] == 1)
            assert db.execute(f"SELECT id FROM alerts WHERE id = {second} FOR UPDATE SKIP LOCKED").fetchall() == [(second,)]
    finally:
        ours.rollback()
        thread.join()
    waiting.commit()
    assert ours.one(f"WITH gone AS (DELETE FROM alerts WHERE ticket = {number} AND state = 2 RETURNING id) SELECT count(*) FROM gone") == (2,)
    ours.commit()


# ---- rule 2: who changes a ticket owns its wake ----

def test_a_change_takes_the_wake_and_fences_the_former_owner(ours):
    number = ticket(ours, lane=None, rank=None, wake_at=None, failures=4, dead=True)
    assert change(ours, number)["changed"]
    row = desk_of(ours, number)
    assert (row["owner"], row["attempt"], row["version"], row["failures"], row["dead"]) == (THEIRS, 6, 4, 0, False)
    assert row["lane"] is not None and row["rank"] == row["wake_at"] > 1
    ours.commit()
    assert decide_again(ours, number) == []


def test_a_ticket_taken_by_next_is_the_taker_s_broker_s(ours):
    number = ticket(ours, assignee=None, priority=1)
    row = ours.run("next", b"n", b"c", 1, THEIRS, [2] * 8, "ada", None, b"\x80")[0]
    after = desk_of(ours, row["ticket"])
    assert row["ticket"] == number and (after["owner"], after["attempt"], after["assignee"]) == (THEIRS, 6, "ada")
    ours.commit()


def test_dead_retry_takes_the_wake_too(ours):
    number = ticket(ours, lane=None, rank=None, dead=True, owner=None, assignee="x")
    ours.run("dead_letters", [number], [5], [5], ["c"], ["m"], ["w"])
    ours.run("dead_retry", b"r", b"c", 1, number, THEIRS)
    row = desk_of(ours, number)
    assert (row["owner"], row["attempt"], row["dead"]) == (THEIRS, 6, False) and row["lane"] is not None
    ours.commit()


# ---- a meeting is changed from what it was ----

def move(session, number, version, where, key):
    """Makes a meeting (version: None), or moves or cancels it as who read it at that version does."""
    values = {1: number, 2: key, 3: b"c", 4: 7, 5: THEIRS, 6: [0, 1, 2, 3, 4, 5, 6, 7], 7: 15, 8: 0, 9: "ada", 10: True, 11: b"\x80", 12: 0, 14: 0, 16: 0, 18: 0, 22: "meeting", 23: b"\x80",
              32: "m1", 33: version is None, 34: False, 35: "phone", 36: 2**50, 37: 1800, 38: where, 39: ["a@localhost"], 48: version}
    return session.run("change", *(values.get(n) for n in range(1, max(values) + 1)))[0]


def meeting_of(session, number):
    return session.one(f"SELECT version, place FROM meetings WHERE ticket = {number}")


def test_of_two_who_read_a_meeting_only_the_first_moves_it(ours):
    number = ticket(ours)
    made = move(ours, number, None, "Room 1", b"made")
    ours.commit()
    first, second = move(ours, number, made["version"], "Room 2", b"first"), move(ours, number, made["version"], "Room 3", b"second")
    ours.commit()
    assert first["changed"] and first["meeting_same"] and meeting_of(ours, number) == (first["version"], "Room 2")
    assert (second["changed"], second["meeting_is"], second["meeting_same"]) == (False, True, False)
    assert left_behind(ours, number) == 4 and desk_of(ours, number)["version"] == first["version"], "two events, two messages"
    assert ours.one("SELECT count(*) FROM keys WHERE digest = 'second'") == (0,), "who repeats is no duplicate"
    assert move(ours, number, first["version"], "Room 3", b"second")["changed"]
    ours.commit()


def test_a_move_waits_for_the_one_that_is_not_committed_yet_and_then_sees_it(ours, sessions):
    number, other, got = ticket(ours), sessions(), []
    made = move(ours, number, None, "Room 1", b"wait made")
    ours.commit()
    assert move(other, number, made["version"], "Room 2", b"wait first")["changed"]

    def second():
        ours.run("lock", [number])
        got.append(move(ours, number, made["version"], "Room 3", b"wait second"))
        ours.commit()

    moving = threading.Thread(target=second)
    moving.start()
    pid = ours.connection.info.backend_pid
    wait_until(lambda: sessions().one(f"SELECT wait_event_type FROM pg_stat_activity WHERE pid = {pid}")[0] == "Lock")
    other.commit()
    moving.join()
    assert not got[0]["changed"] and not got[0]["meeting_same"] and meeting_of(ours, number)[1] == "Room 2"


# ---- rule 3: an epoch belongs to one session ----

def register(session, epoch):
    return session.run("register", epoch, "x", 5_000_000, 30)


def test_a_dead_or_lapsed_epoch_is_never_renewed(ours):
    register(ours, 2001)
    assert ours.run("lease", 2001, 5_000_000, 30, 1, 0)
    ours.connection.execute("UPDATE brokers SET dead = true WHERE epoch = 2001")
    assert ours.run("lease", 2001, 5_000_000, 30, 1, 0) == []
    ours.connection.execute("UPDATE brokers SET dead = false, lease_until = docket_now() - 1 WHERE epoch = 2001")
    assert ours.run("lease", 2001, 5_000_000, 30, 1, 0) == []
    ours.rollback()


def test_burying_an_epoch_ends_its_backend_and_marks_it_dead(ours, sessions):
    theirs = sessions()
    register(theirs, 2002)
    theirs.commit()
    assert ours.run("bury", 2002) == [{"gone": True}]
    ours.commit()
    assert ours.one("SELECT dead FROM brokers WHERE epoch = 2002") == (True,)
    with pytest.raises(psycopg.OperationalError):
        theirs.one("SELECT 1")
    ours.connection.execute("DELETE FROM brokers WHERE epoch = 2002")
    ours.commit()


def end(session, epoch, ids_ahead=0):
    session.connection.execute(f"UPDATE brokers SET dead = true, settled = true, ids_until = ids_until + {ids_ahead} WHERE epoch = {epoch}")


def test_slots_and_numbers_of_two_epochs_never_meet(ours):
    first, second = register(ours, 2003)[0], register(ours, 2004)[0]
    assert first["slot"] != second["slot"]
    end(ours, 2003, ids_ahead=1000)
    ours.connection.execute("INSERT INTO brokers (epoch, slot, name, pid, backend_start, registered_at, lease_until, mark, first_id, ids_until)"
                            f" SELECT 10000 + s, s, 'taken', 1, now(), 1, 1, 1, 1, 1 FROM generate_series(0, 2047) s"
                            f" WHERE s <> {first['slot']} AND NOT EXISTS (SELECT FROM brokers b WHERE b.slot = s AND NOT b.settled)")
    again = register(ours, 2005)[0]
    assert again["slot"] == first["slot"] and again["second"] > first["ids_until"] + 1000
    ours.rollback()


def test_a_broker_that_ends_again_and_again_goes_on_with_numbers_of_now(ours):
    """What each end leaves unused of the seconds ahead must not add up: lists are in the order of numbers, and look for times by them."""
    for epoch in range(2100, 2120):
        begun = register(ours, epoch)[0]
        assert begun["second"] <= begun["registered_at"] // 1_000_000 - 1577836800
        end(ours, epoch)
    ours.rollback()


def test_wakes_of_a_dead_epoch_are_set_free_under_a_new_attempt(ours):
    number = ticket(ours, owner=DEAD)
    assert {"ticket": number} in ours.run("adopt_release", DEAD, 100)
    row = desk_of(ours, number)
    assert row["owner"] is None and row["attempt"] == 6
    ours.commit()
    assert decide_again(ours, number, owner=DEAD) == []


def test_an_epoch_is_settled_only_when_nothing_of_it_is_left(ours, sessions):
    """A wake that is held by a change that then fails is skipped by the sweep: it must be found again."""
    register(ours, 2006)
    ours.connection.execute("UPDATE brokers SET dead = true WHERE epoch = 2006")
    number, other = ticket(ours, owner=2006), sessions()
    other.connection.execute(f"SELECT FROM desk WHERE ticket = {number} FOR NO KEY UPDATE")
    assert ours.run("adopt_release", 2006, 100) == []
    ours.run("adopt_settle", 2006)
    ours.commit()
    other.rollback()
    assert ours.one("SELECT settled FROM brokers WHERE epoch = 2006") == (False,)
    assert ours.run("adopt_release", 2006, 100) == [{"ticket": number}]
    ours.run("adopt_settle", 2006)
    ours.commit()
    assert ours.one("SELECT settled FROM brokers WHERE epoch = 2006") == (True,)


def test_orphans_get_a_desk_row_that_fences_their_broker(ours):
    number = ticket(ours, desk=False)
    ours.run("adopt_orphans", 1, 1, 0, 100)
    row = desk_of(ours, number)
    assert row["owner"] is None and row["attempt"] == 2
    ours.commit()
    assert decide_fresh(ours, number) == []


# ---- rule 4: locks ----

def test_a_claim_skips_what_another_session_holds(ours, sessions):
    held, free, other = ticket(ours, owner=None, lane=9), ticket(ours, owner=None, lane=9), sessions()
    other.connection.execute(f"SELECT FROM desk WHERE ticket = {held} FOR UPDATE")
    ours.connection.execute("SET LOCAL lock_timeout = '2s'")
    rows = ours.run("claim", 9, 0, 2**62, 10, OURS)
    assert [row["ticket"] for row in rows] == [free] and rows[0]["attempt"] == 6
    ours.commit()


def test_the_sweep_of_a_dead_epoch_skips_what_another_session_holds(ours, sessions):
    held, free, other = ticket(ours, owner=DEAD, lane=9), ticket(ours, owner=DEAD, lane=9), sessions()
    other.connection.execute(f"SELECT FROM desk WHERE ticket = {held} FOR UPDATE")
    ours.connection.execute("SET LOCAL lock_timeout = '2s'")
    assert ours.run("adopt_release", DEAD, 10) == [{"ticket": free}]
    ours.commit()


def test_hot_tables_have_no_foreign_keys(ours):
    assert ours.one("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text IN ('tickets', 'desk', 'events', 'outbox', 'deadlines', 'keys')") == (0,)


# ---- rule 5: repeating an unknown batch ----

def posting(session, name, number, key):
    row = session.run(name, [number], [key], [b"c"], ["acme"], ["t"], [b"p"], [None], [None], [0], "standard")[0]
    return row["stored_id"], row["inserted"]


def test_a_repeated_posting_finds_the_one_that_is_there_and_writes_it(ours):
    """It must write: a commit that changes nothing does not wait for the standby."""
    assert posting(ours, "posting", 90_001, b"repeat") == (90_001, True)
    ours.commit()
    before = ours.one("SELECT ctid FROM tickets WHERE id = 90001")
    ours.commit()
    assert posting(ours, "posting_repeat", 90_002, b"repeat") == (90_001, False)
    assert ours.one("SELECT pg_current_xact_id_if_assigned() IS NOT NULL") == (True,)
    ours.commit()
    assert ours.one("SELECT ctid FROM tickets WHERE id = 90001") != before
    assert ours.one("SELECT count(*) FROM outbox WHERE ticket IN (90001, 90002)") == (1,)
    assert posting(ours, "posting_repeat", 90_003, b"repeat new") == (90_003, True)
    ours.commit()


def test_what_is_told_as_proof_is_written_first(ours):
    posting(ours, "posting", 90_010, b"found")
    ours.commit()
    for name, values in (("find", [b"found"]), ("change", None)):
        if values:
            assert ours.run(name, *values)
        else:
            number = ticket(ours)
            assert change(ours, number, b"proof")["changed"]
            ours.commit()
            again = change(ours, number, b"proof")
            assert not again["changed"] and again["key_content"] == b"c"
        assert ours.one("SELECT pg_current_xact_id_if_assigned() IS NOT NULL") == (True,)
        ours.commit()


# ---- rule 6: attempt is only the fence ----

def put_back(session, number, attempt=5, epoch=OURS, **columns):
    return session.run("put_back", [number], [attempt], [1], [1], [1], [None], [columns.get("failures", 0)], [columns.get("dead", False)], epoch)


@pytest.mark.parametrize("late", [{"attempt": 4}, {"epoch": THEIRS}])
def test_a_wake_that_is_somebody_else_s_by_now_is_not_put_back(ours, late):
    number = ticket(ours)
    assert put_back(ours, number, **late) == [] and desk_of(ours, number)["attempt"] == 5
    assert put_back(ours, number) and desk_of(ours, number)["attempt"] == 6
    ours.rollback()


def test_a_committed_decision_counts_as_no_failure_and_a_dead_wake_keeps_its_due_time(ours):
    number = ticket(ours, failures=3)
    assert decide_again(ours, number) and desk_of(ours, number)["failures"] == 0
    number = ticket(ours)
    ours.run("put_back", [number], [5], [777], [777], [None], [None], [5], [True], OURS)
    row = desk_of(ours, number)
    assert row["dead"] and row["lane"] is None and row["wake_at"] == 777
    ours.rollback()


# ---- one key stands for one thing, whichever broker hears it first ----

def ended(session, others, what):
    """Runs it in a thread until it waits for a lock, ends the other transaction, and gives what came of it."""
    got = []

    def run():
        try:
            got.append(what())
        except psycopg.Error as error:
            got.append(error.sqlstate)
            session.rollback()

    thread = threading.Thread(target=run)
    thread.start()
    pid = session.connection.info.backend_pid
    watcher = others.sessions()
    wait_until(lambda: watcher.one(f"SELECT wait_event_type FROM pg_stat_activity WHERE pid = {pid}")[0] == "Lock" or got)
    others.end()
    thread.join()
    return got[0]


class Others:
    def __init__(self, sessions, end):
        self.sessions, self.end = sessions, end


def test_an_op_waits_for_a_posting_with_its_key_that_is_not_committed_yet(ours, sessions):
    number, other = ticket(ours), sessions()
    assert posting(other, "posting", 95_001, b"race one........")[1]
    row = ended(ours, Others(sessions, other.commit), lambda: change(ours, number, b"race one........"))
    assert row["key_taken"] and not row["changed"]
    ours.rollback()


def test_an_op_goes_on_when_the_posting_with_its_key_came_to_nothing(ours, sessions):
    number, other = ticket(ours), sessions()
    posting(other, "posting", 95_002, b"race two........")
    row = ended(ours, Others(sessions, other.rollback), lambda: change(ours, number, b"race two........"))
    assert row["changed"] and not row["key_taken"]
    ours.rollback()


@pytest.mark.parametrize("form, code", [("posting", "23505"), ("posting_repeat", "40001")])
def test_a_posting_waits_for_an_op_with_its_key_that_is_not_committed_yet(ours, sessions, form, code):
    number, other, key = ticket(ours), sessions(), form.encode().ljust(16, b".")
    assert change(other, number, key)["changed"]
    assert ended(ours, Others(sessions, other.commit), lambda: posting(ours, form, 95_003, key)) == code
    again = ours.run("posting_repeat", [95_003], [key], [b"c"], ["acme"], ["t"], [b"p"], [None], [None], [0], "standard")[0]
    assert again["key_taken"] and not again["inserted"]
    ours.commit()
    assert ours.one("SELECT count(*) FROM tickets WHERE id = 95003 OR id < 0") == (0,)


def test_a_posting_goes_on_when_the_op_with_its_key_came_to_nothing(ours, sessions):
    number, other = ticket(ours), sessions()
    change(other, number, b"race three......")
    assert ended(ours, Others(sessions, other.rollback), lambda: posting(ours, "posting", 95_004, b"race three......")) == (95_004, True)
    ours.commit()


def test_two_ops_with_one_key_at_two_brokers_are_one(ours, sessions):
    """On different tickets no row holds up the second one: it is repeated, and then finds the first one's key."""
    one, two, other = ticket(ours), ticket(ours), sessions()
    assert change(other, one, b"race four.......")["changed"]
    assert ended(ours, Others(sessions, other.commit), lambda: change(ours, two, b"race four.......")) == "40001"
    row = change(ours, two, b"race four.......")
    assert row["key_content"] == b"c" and not row["changed"]
    ours.rollback()


def test_an_alert_that_something_stands_for_is_not_stepped_when_it_is_woken_after_the_look(sessions, ours):
    """A mute's end, or what it waits for, may wake it between a notifier's look and its claim."""
    muted = "INSERT INTO alerts (cause, kind, priority, opened_at, next_at, body, quiet, checked_at)" \
            " VALUES ('guard:quiet', 'alert', 1, docket_now(), docket_now() + 30000000, '', 'muted by mute 1', docket_now()) RETURNING id"
    (alert,), notifier, claim = ours.one(muted), sessions("notifier"), ("escal_claim", 7, 60_000_000, 10)
    ours.commit()
    notifier.run("alert_quiet")
    notifier.commit()
    ours.one(f"UPDATE alerts SET next_at = 0 WHERE id = {alert} RETURNING id")
    ours.commit()
    assert notifier.run(*claim) == []
    notifier.run("alert_quiet")
    notifier.commit()
    assert [row["id"] for row in notifier.run(*claim)] == [alert], "nothing holds it back any more"
