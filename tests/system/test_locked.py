"""Tables that somebody holds: a migration, VACUUM FULL, a session that was forgotten. What needs the table waits; all else goes on, nothing is
lost, and nobody is told twice."""

import contextlib

import pytest
from helpers import Stack, wait_until


@pytest.fixture(scope="module")
def running():
    one = Stack()
    yield one
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
