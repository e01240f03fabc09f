"""How many messages a second the mail relay gets: from all notifiers together, and no page of P1 waits for it."""

import os
import random
import signal

import pytest
from helpers import Stack, wait_until
from smtp_server import SmtpServer
from test_outbox import reconfigure

RATE, SHARED, PAGE = 10, "SELECT count(*) FROM relay_senders WHERE beat_at > docket_now() - 2000000", "kind = 'alert' AND channel = 'email' AND priority = 1"


class Desk:
    """Two notifiers with one relay, which takes a few messages a second."""

    def __init__(self):
        self.smtp = SmtpServer()
        self.stack = Stack(notifiers=2)
        self.rate(RATE)
        self.client = self.stack.client()

    def rate(self, rate):
        for name in ("notifier-1", "notifier-2"):
            reconfigure(self.stack, name, smtp_url=self.smtp.url, smtp_rate=rate)
        self.stack.up()
        if rate == 0:
            return
        wait_until(lambda: self.stack.value(SHARED) == 2)
        seen = self.stack.value("SELECT max(beat_at) FROM relay_senders")  # each has heard of the other once both said so again
        wait_until(lambda: self.stack.value("SELECT min(beat_at) FROM relay_senders WHERE beat_at > docket_now() - 2000000") > seen)

    def post(self, count):
        addresses = [f"r{random.getrandbits(48):x}@localhost" for _ in range(count)]
        for address in addresses:
            self.client.submit(contact={"email": address})
        return addresses

    def sql(self, query, *args):
        with self.stack.db() as connection:
            return connection.execute(query, args).fetchall()

    def close(self):
        self.client.close()
        self.stack.verify()
        self.stack.close()
        self.smtp.close()


@pytest.fixture(scope="module")
def desk():
    one = Desk()
    yield one
    one.close()


def began(desk, addresses):
    """When each attempt to these addresses began, in seconds, and by which notifiers."""
    rows = desk.sql("SELECT a.started_at / 1e6, a.notifier FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = ANY (%s) ORDER BY 1", addresses)
    return [float(at) for at, _ in rows], {name for _, name in rows}


def test_two_notifiers_together_give_the_relay_its_rate(desk):
    addresses = desk.post(60)
    wait_until(lambda: len(began(desk, addresses)[0]) >= len(addresses), 60)
    instants, notifiers = began(desk, addresses)
    left_over = 2 * (1 + RATE // 10)  # what each may have kept
    assert instants[-1] - instants[0] >= (len(addresses) - left_over) / RATE * 0.9, "faster than the relay's rate"
    assert len(notifiers) == 2


def test_a_page_of_p1_does_not_wait_behind_a_storm_of_mails(desk):
    """Also behind mails that wait for longer than the head start of pages."""
    desk.rate(1)
    addresses = desk.post(50)
    waiting = "SELECT count(*) FROM deliveries WHERE address = ANY (%s) AND state = 0"
    wait_until(lambda: desk.sql("SELECT count(DISTINCT address) FROM deliveries WHERE address = ANY (%s)", addresses)[0][0] == len(addresses))
    desk.sql("WITH d AS (UPDATE deliveries SET next_at = next_at - 36000000000 WHERE address = ANY (%s) AND state = 0 RETURNING 1), "
             "t AS (UPDATE targets SET ready_at = ready_at - 36000000000 WHERE address = ANY (%s) AND ready_at > 0 RETURNING 1) SELECT count(*) FROM d",
             addresses, addresses)
    desk.client.submit(title="All is down", impact="down")
    wait_until(lambda: desk.stack.value(f"SELECT count(*) FROM deliveries WHERE {PAGE} AND state = 3"), 30)
    assert desk.sql(waiting, addresses)[0][0] > 0, "the storm is over: it shows nothing"
    desk.rate(0)
    wait_until(lambda: desk.sql(waiting, addresses)[0][0] == 0, 30)


def test_a_reload_changes_the_rate(desk):
    desk.rate(1)
    addresses = desk.post(40)
    wait_until(lambda: len(began(desk, addresses)[0]) > 0)
    for name in ("notifier-1", "notifier-2"):
        path = desk.stack.config(name)
        path.write_text(path.read_text().replace("smtp_rate: 1\n", "smtp_rate: 0\n"))
        os.kill(desk.stack.pid(name), signal.SIGHUP)
    wait_until(lambda: len(began(desk, addresses)[0]) >= len(addresses), 15)
