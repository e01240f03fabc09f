"""The long form of tests/system/test_outbox.py: 20,000 messages, two notifiers, twenty deaths. None is lost; those that were in flight at a death may go
twice, then with the same Message-ID and the same bytes."""

import email
import email.policy
import os
import pathlib
import random
import signal
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from helpers import wait_until  # noqa: E402
from test_outbox import Desk, receipts  # noqa: E402

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
