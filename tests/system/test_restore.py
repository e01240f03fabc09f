"""Backup and restore of docs/operations.md: pg_dump while all runs, restored in the place of its original. What was answered after it is gone; clients
bring it back with their keys, readers of the feed are told, and nothing is sent before it is released."""

import signal
import subprocess

import pytest
from helpers import Stack, alive, id_of, wait_until
from load import Load
from pg_standby import BIN as PG

PROGRAMS = ("notifier-1", "worker-1", "broker-1")


@pytest.fixture
def desk():
    stack = Stack()
    yield stack
    stack.close()


def psql(dsn, *arguments, **options):
    done = subprocess.run([PG / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments, dsn], capture_output=True, **options)
    assert done.returncode == 0, done.stderr


def newest(client, cursor=""):
    while True:
        page = client.call("events.since", cursor=cursor, limit=500)
        cursor = page["cursor"]
        if not page["events"] and not page.get("more"):
            return cursor


@pytest.mark.limit(200)
def test_a_dump_made_under_load_is_restored_and_the_desk_goes_on(desk):
    stack, dsn = desk, desk.env["DOCKET_DSN"]
    loads = [Load(stack, n) for n in range(3)]
    wait_until(lambda: sum(len(load.acknowledged) for load in loads) > 100, 30)
    dump = subprocess.run([PG / "pg_dump", dsn], capture_output=True, check=True).stdout
    client = stack.client()
    at_dump, count = newest(client), sum(len(load.acknowledged) for load in loads)
    wait_until(lambda: sum(len(load.acknowledged) for load in loads) > count + 100, 30)
    for load in loads:
        load.over.set()
    for load in loads:
        load.join()
        assert load.fault is None, load.fault
    wait_until(stack.is_settled, 60)
    cursor = newest(client)
    client.close()

    for program in PROGRAMS:
        stack.kill(program, signal.SIGTERM)
        wait_until(lambda: not alive(stack.pid(program)), 30)  # noqa: B023
    database = dsn.rpartition("/")[0] + "/postgres"
    psql(database, "-c", "DROP DATABASE docket", "-c", "CREATE DATABASE docket")
    psql(dsn, input=dump)
    stack.up()
    stack.verify()

    # Nothing goes out, though the settings say send: what waited in the dump may have gone out since.
    wait_until(lambda: stack.value("SELECT held FROM telling"))
    assert "this is another database than before" in stack.value("SELECT reason FROM telling")

    # Who read the feed of the database that is gone is told, at once and when its numbers were given out again.
    client = stack.client()
    assert client.refused("events.since", cursor=cursor).code == "conflict"
    # Clients repeat what they have no trace of, and all is there again, once.
    acknowledged = {key: tracking for load in loads for key, tracking in load.acknowledged.items()}
    with stack.db() as db:
        restored = {row[0] for row in db.execute("SELECT id FROM tickets").fetchall()}
    assert 0 < len(restored) < len(acknowledged)
    again = 0
    for key, tracking in acknowledged.items():
        _, n, t = key.split("-")
        answer = client.call("ticket.submit", key=key, customer=f"c{n}", title=f"T {int(t) + 1}", problem="p", impact="question")
        assert answer["duplicate"] == (id_of(tracking) in restored) and (answer["tracking"] == tracking) == answer["duplicate"]
        again += not answer["duplicate"]
    assert again == len(acknowledged) - len(restored & {id_of(tracking) for tracking in acknowledged.values()})
    wait_until(stack.is_settled, 60)
    for old in cursor, at_dump:
        assert client.refused("events.since", cursor=old).code == "conflict"
    assert newest(client) != cursor
    stack.docket("notification", "release")
    # What a notifier had in hand at the moment of the dump is looked at again when its lease is over; all else at once.
    wait_until(lambda: stack.value("SELECT count(*) FROM outbox WHERE state = 0") == 0, 90)
    client.close()
    stack.verify()
