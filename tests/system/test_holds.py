"""Quiet hours at a desk that runs: what waits, until when and why, and what never does."""

import email
import email.policy
import random
import time

import pytest
from helpers import ADA, Stack, id_of, wait_until


@pytest.fixture(scope="module")
def night():
    """A desk whose customers, and whose staff where it is not urgent, sleep since an hour and for two more."""
    running = Stack()
    process = running.home / "h/etc/process"
    begin, end = (time.strftime("%H:%M", time.gmtime(time.time() + hours * 3600)) for hours in (-1, 2))
    (process / "notify.yaml").write_text(f"holds:\n  - {{hold: nights, to: customer, packages: [standard], quiet: {{mon-sun: ['{begin}-{end}']}}, zone: UTC}}\n"
                                         f"  - {{hold: desk closed, to: staff, quiet: {{mon-sun: ['{begin}-{end}']}}, zone: UTC}}\n")
    before = running.log("notifier-1").count("process_used n=")
    done = running.docket("process", "apply", str(process), "--comment", "night")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: running.log("notifier-1").count("process_used n=") > before)
    yield running
    running.close()


@pytest.fixture
def client(night):
    one = night.client()
    yield one
    one.close()


def mails(stack, address, tracking):
    """The kinds of the mails to address about the ticket so far."""
    found = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
    return [mail["X-Docket-Kind"] for mail in found if address in mail["To"] and tracking in str(mail)]


def rows(stack, tracking):
    with stack.db() as db:
        return db.execute("SELECT kind, audience, state, coalesce(reason, ''), (next_at - docket_now()) / 1e6 FROM deliveries WHERE ticket = %s ORDER BY id",
                          (id_of(tracking),)).fetchall()


def test_at_night_only_progress_waits_and_goes_as_one_in_the_morning(night, client):
    address = f"p{random.getrandbits(48):x}@localhost"
    tracking = client.submit(contact={"email": address}, impact="impaired")
    client.decided(tracking)
    for text in ("First look.", "Second look."):
        client.call("ticket.comment", tracking=tracking, text=text, public=True, as_=ADA)
    client.call("ticket.wait", tracking=tracking, on="vendor", vendor="Telco", reason="Theirs.", proposal="We wait.", as_=ADA)
    client.call("ticket.resolve", tracking=tracking, text="Done.", as_=ADA)
    wait_until(lambda: {"waiting", "approval_asked"} <= set(mails(night, address, tracking)))
    assert "update" not in mails(night, address, tracking)
    held = [row for row in rows(night, tracking) if row[0] == "update"]
    assert len(held) == 2 and all(row[2] == 0 and 3600 < row[4] < 7300 and row[3].startswith("waits until ") and row[3].endswith(": nights") for row in held), held
    why = night.docket("notification", "why", tracking)
    assert "nights" in why.stdout, why.stdout + why.stderr
    says = [line.partition("  ")[2] for line in why.stdout.splitlines() if not line.startswith(" ")]
    assert says.count("update to customer: waits") == 2 and "approval_asked to customer: told" in says, why.stdout
    with night.db() as db:  # the morning
        db.execute("UPDATE deliveries SET next_at = docket_now() WHERE ticket = %s AND kind = 'update'", (id_of(tracking),))
        db.execute("UPDATE targets SET ready_at = docket_now() WHERE address = %s", (address,))
    wait_until(lambda: not [row for row in rows(night, tracking) if row[2] < 2])
    # Both are part of the digest now, a delivery of its own that is under way.
    assert len({row[3] for row in rows(night, tracking) if row[0] == "update"}) == 1, rows(night, tracking)
    texts = wait_until(lambda: [text for text in night.mails() if address in text and ("First look." in text or "Second look." in text or "X-Docket-Kind: digest" in text)])
    assert len(texts) == 1, "one mail for both"
    assert texts[0].index("First look.") < texts[0].index("Second look."), "with what was said"


def test_whose_network_is_down_hears_of_progress_at_night_and_so_does_the_desk(night, client):
    address = f"p{random.getrandbits(48):x}@localhost"
    tracking = client.submit(contact={"email": address}, impact="down")
    wait_until(lambda: mails(night, "staff@localhost", tracking))
    client.call("ticket.comment", tracking=tracking, text="We found it.", public=True, as_=ADA)
    wait_until(lambda: "update" in mails(night, address, tracking))
    assert not [row for row in rows(night, tracking) if "waits until" in row[3]]
