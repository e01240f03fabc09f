"""From the outbox to delivery, against a mail server that does what it is told."""

import os
import random
import re
import signal
import subprocess
import threading

import pytest
from helpers import ADA, BIN, Stack, id_of, wait_until
from smtp_server import SmtpServer


def reconfigure(stack, name, **settings):
    """Other settings for a notifier; it is started again with them by stack.up()."""
    path = stack.config(name)
    text = path.read_text()
    for key, value in settings.items():
        text = re.sub(rf"^{key}:.*\n", "", text, flags=re.M) + f"{key}: {value}\n"
    stack.kill(name)
    path.write_text(text)


class Desk:
    """A stack of two notifiers whose mails go to a server of the test's."""

    def __init__(self):
        self.smtp = SmtpServer()
        self.stack = Stack(notifiers=2)
        for name in ("notifier-1", "notifier-2"):
            reconfigure(self.stack, name, smtp_url=self.smtp.url, smtp_timeout="2s", lease="5s")
        self.stack.up()
        self.client = self.stack.client()

    def submit(self, address, **fields):
        return self.client.submit(contact={"name": "Zoë", "email": address}, **fields)

    def sql(self, query, *args):
        with self.stack.db() as connection:
            return connection.execute(query, args).fetchall()

    def deliveries(self, address):
        return self.sql("SELECT kind, state, attempts, reason, reply FROM deliveries WHERE address = %s ORDER BY id", address)

    def receipt(self, address):
        """Of two notifiers one may unpack a later message first: the first row need not be the receipt's."""
        return next(row for row in self.deliveries(address) if row[0] == "received")

    def ended(self, address, state, count=1):
        return wait_until(lambda: len(self.sql("SELECT FROM deliveries WHERE address = %s AND state = %s", address, state)) >= count)

    def hurry(self, address):
        """What waits for its next attempt is due now. One by one: the notifiers lock what waits in an order of their own."""
        for (delivery,) in self.sql("SELECT id FROM deliveries WHERE address = %s AND state = 0", address):
            self.sql_do("UPDATE deliveries SET next_at = docket_now() WHERE id = %s AND state = 0", delivery)
        self.sql_do("UPDATE targets SET ready_at = docket_now() WHERE address = %s", address)

    def sql_do(self, query, *args):
        with self.stack.db() as connection:
            connection.execute(query, args)

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


def somebody():
    return f"p{random.getrandbits(48):x}@localhost"


def receipts(mails):
    return [mail for mail in mails if mail["X-Docket-Kind"] in ("received", "receipts")]


@pytest.mark.parametrize("stage", ["rcpt", "data", "end"])
def test_a_temporary_refusal_is_tried_again_with_the_same_bytes(desk, stage):
    address = somebody()
    desk.smtp.script(address, stage, "451 4.3.0 later", "250 ok" if stage != "data" else "354 go on")
    tracking = desk.submit(address)
    wait_until(lambda: desk.sql("SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s AND a.result = 'temporary'", address))
    assert not desk.smtp.to(address)
    desk.hurry(address)
    desk.ended(address, 3)
    mail, = receipts(desk.smtp.to(address))
    assert tracking in mail["Subject"] and desk.receipt(address)[2] == 2
    assert len({seen.as_bytes() for seen in receipts(desk.smtp.to(address, "seen"))}) == 1


def test_a_refusal_for_good_ends_it_and_staff_are_told(desk):
    address = somebody()
    desk.smtp.script(address, "rcpt", "550 5.7.1 we do not like you")
    tracking = desk.submit(address)
    desk.ended(address, 4)
    kind, _, attempts, reason, reply = desk.receipt(address)
    assert (kind, attempts, reason) == ("received", 1, "refused for good") and "we do not like you" in reply
    assert wait_until(lambda: desk.sql("SELECT FROM deliveries WHERE kind = 'undelivered' AND ticket = %s", id_of(tracking)))
    desk.hurry("staff@localhost")
    wait_until(lambda: [text for m in desk.smtp.to("staff@localhost") if tracking in (text := m.get_body(("plain",)).get_content())])


def test_an_address_that_does_not_exist_is_left_alone_from_then_on(desk):
    address = somebody()
    desk.smtp.script(address, "rcpt", "550 5.1.1 no such user")
    desk.submit(address)
    desk.ended(address, 4)
    desk.submit(address)
    desk.ended(address, 6)
    assert all(row[2] == 0 and "5.1.1" in row[3] for row in desk.deliveries(address) if row[1] == 6)


def test_no_answer_after_the_message_is_unknown_and_repeated_with_the_same_id(desk):
    address = somebody()
    desk.smtp.script(address, "end", "hang", "250 ok")
    desk.submit(address)
    wait_until(lambda: desk.sql("SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s AND a.result = 'unknown'", address))
    desk.hurry(address)
    desk.ended(address, 3)
    first, second = receipts(desk.smtp.to(address, "seen"))
    assert first["Message-ID"] == second["Message-ID"] and first.as_bytes() == second.as_bytes()


@pytest.mark.parametrize(("stage", "words"), [("mail", "250 ok\r\n250 ok"), ("mail", "250 ok\r\n550 5.1.1 no"), ("rcpt", "250 ok\r\n354 go on")])
def test_a_relay_that_answers_what_it_was_not_asked_is_not_believed(desk, stage, words):
    """The second answer would be taken for that to a command that never went out: a mail without a recipient that was delivered."""
    address = somebody()
    wait_until(lambda: not desk.sql("SELECT FROM deliveries WHERE state = 1 OR state = 0 AND next_at < docket_now() + 1000000"))
    desk.smtp.script("" if stage == "mail" else address, stage, words, [])
    desk.submit(address)
    wait_until(lambda: desk.deliveries(address) and desk.receipt(address)[1:3] == (0, 1))
    assert desk.receipt(address)[4] == "the relay speaks out of turn"
    desk.hurry(address)
    desk.ended(address, 3)
    assert len(receipts(desk.smtp.to(address, "seen"))) == 1


def test_a_relay_that_says_goodbye_to_a_used_connection_has_no_fault(desk):
    """Exim does so after as many messages as smtp_accept_max_per_connection says: the next message takes a new connection at once."""
    addresses = [somebody() for _ in range(6)]
    desk.smtp.messages_max = 1
    try:
        for address in addresses:  # one after another: each finds the connection of one before
            desk.submit(address)
            wait_until(lambda address=address: receipts(desk.smtp.to(address)))
    finally:
        desk.smtp.messages_max = 0
    for address in addresses:
        desk.ended(address, 3)
        assert desk.receipt(address)[2] == 1, desk.deliveries(address)


def test_a_relay_that_has_had_enough_of_refused_messages_fails_nobody_elses(desk):
    """Postfix says 421 to whatever comes after smtpd_hard_error_limit errors, here to the RSET behind which the next message waits already."""
    nobody, gate, others = somebody(), threading.Event(), [somebody() for _ in range(4)]
    desk.smtp.script(nobody, "rcpt", "550 5.7.1 no")
    desk.smtp.script(nobody, "rset", [lambda: gate.wait(5), "421 4.7.0 too many errors"])
    desk.stack.kill("notifier-2")  # so that all messages are one notifier's, whose only connection it is
    desk.smtp.drop()
    desk.submit(nobody)
    desk.ended(nobody, 4)
    for address in others:
        desk.submit(address)
    wait_until(lambda: all(desk.sql("SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s", address) for address in others))
    gate.set()
    for address in others:
        desk.ended(address, 3)
        assert desk.receipt(address)[2] == 1, desk.deliveries(address)
    assert not desk.sql("SELECT FROM attempts WHERE reply LIKE '%%RSET%%' OR reply LIKE '%%too many errors%%'")
    desk.stack.up()


def test_a_slow_recipient_delays_nobody_else(desk):
    slow, gate = somebody(), threading.Event()
    desk.smtp.script(slow, "end", [lambda: gate.wait(1.5)])
    for _ in range(9):
        desk.submit(slow)
    wait_until(lambda: desk.smtp.to(slow, "seen"))
    others = [somebody() for _ in range(20)]
    for address in others:
        desk.submit(address)
    wait_until(lambda: all(desk.smtp.to(address) for address in others))
    held = desk.sql("SELECT count(*) FROM deliveries WHERE address = %s AND state = 1", slow)[0][0]
    assert held <= 8, "at most four of each notifier's slots"
    gate.set()
    desk.ended(slow, 3, 9)


def test_what_concerns_a_ticket_arrives_in_order_and_as_one_thread(desk):
    address = somebody()
    desk.smtp.script(address, "rcpt", "451 4.2.0 wait", "250 ok")
    tracking = desk.submit(address)
    wait_until(lambda: [row for row in desk.deliveries(address) if row[2] == 1])
    desk.client.decided(tracking)
    for n in range(3):
        desk.client.call("ticket.comment", tracking=tracking, text=f"news-{n}", public=True, as_=ADA)
    wait_until(lambda: len(desk.deliveries(address)) >= 4)
    assert not desk.smtp.to(address)
    desk.hurry(address)
    wait_until(lambda: len(desk.smtp.to(address)) == len(desk.deliveries(address)))
    mails = desk.smtp.to(address)
    texts = [mail.get_body(("plain",)).get_content() for mail in mails]
    assert [re.findall(r"news-\d", text) for text in texts if "news-" in text] == [["news-0"], ["news-1"], ["news-2"]]
    assert mails[0]["Auto-Submitted"] == "auto-replied" and mails[0]["In-Reply-To"] is None
    for before, mail in zip(mails, mails[1:]):
        assert mail["In-Reply-To"] == before["Message-ID"] and mail["References"].split()[0] == mails[0]["Message-ID"]
        assert mail["X-Docket-Ticket"] == tracking and mail["Auto-Submitted"] == "auto-generated"


def test_updates_behind_a_message_in_long_retry_become_one_that_tells_them_all(desk):
    address, words = somebody(), ["we look at it", "a line was cut", "the crew is there"]
    desk.smtp.script(address, "rcpt", "451 4.3.0 later")
    tracking = desk.submit(address)
    wait_until(lambda: desk.sql("SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s AND a.result = 'temporary'", address))
    desk.sql_do("UPDATE attempts SET started_at = started_at - 16 * 60000000 WHERE delivery IN (SELECT id FROM deliveries WHERE address = %s)", address)
    desk.sql_do("UPDATE deliveries SET created_at = created_at - 17 * 60000000 WHERE address = %s", address)
    for text in words:
        desk.client.call("ticket.comment", tracking=tracking, text=text, public=True, as_=ADA)
    desk.client.call("ticket.resolve", tracking=tracking, text="mended", as_=ADA)
    desk.client.call("ticket.comment", tracking=tracking, text="and tidied up", public=True, as_=ADA)
    wait_until(lambda: [row[0] for row in desk.deliveries(address)].count("update") == 4)
    desk.smtp.script(address, "rcpt", "250 ok")  # not before all wait behind it
    wait_until(lambda: desk.hurry(address) or [row[1] for row in desk.deliveries(address) if row[0] == "update"] == [7, 7, 3, 3], 20)
    mails = desk.smtp.to(address)
    assert [mail["X-Docket-Kind"] for mail in mails if mail["X-Docket-Kind"] not in ("triaged", "asked")] == ["received", "update", "approval_asked", "update"]
    update, last = (mail.get_body(("plain",)).get_content() for mail in mails if mail["X-Docket-Kind"] == "update")
    assert re.findall("|".join(words), update) == words and words[0] not in last and "tidied up" in last
    one = desk.sql("SELECT id FROM deliveries WHERE address = %s AND kind = 'update' AND state = 3 ORDER BY id", address)[0][0]
    assert [row[3] for row in desk.deliveries(address) if row[1] == 7] == [f"in delivery {one}"] * 2


def test_what_rules_tell_the_customer_joins_the_updates_that_wait(desk, tmp_path):
    process = tmp_path / "process"
    assert desk.stack.docket("process", "get", "--dir", process).returncode == 0
    (process / "rules" / "05-tell.yaml").write_text("- rule: heard\n  on: [reply]\n  when: {field: reply.text, contains: any news}\n  then: {tell: {customer: The night shift reads this.}}\n")
    assert desk.stack.docket("process", "apply", process).returncode == 0
    wait_until(desk.client.workers_run_the_newest)
    address = somebody()
    desk.smtp.script(address, "rcpt", "451 4.3.0 later")
    tracking = desk.submit(address)
    wait_until(lambda: desk.sql("SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s AND a.result = 'temporary'", address))
    desk.sql_do("UPDATE attempts SET started_at = started_at - 16 * 60000000 WHERE delivery IN (SELECT id FROM deliveries WHERE address = %s)", address)
    desk.sql_do("UPDATE deliveries SET created_at = created_at - 17 * 60000000 WHERE address = %s", address)
    desk.client.call("ticket.comment", tracking=tracking, text="we look at it", public=True, as_=ADA)
    desk.client.call("ticket.comment", tracking=tracking, text="any news?", public=True, as_={"name": "zoe", "role": "customer"})
    wait_until(lambda: {"update", "tell"} <= {row[0] for row in desk.deliveries(address)})
    desk.smtp.script(address, "rcpt", "250 ok")
    wait_until(lambda: desk.hurry(address) or sorted(row[1] for row in desk.deliveries(address) if row[0] in ("update", "tell")) == [3, 7], 20)
    told, = (mail.get_body(("plain",)).get_content() for mail in desk.smtp.to(address) if mail["X-Docket-Kind"] in ("update", "tell"))
    assert re.findall("we look at it|The night shift reads this", told) == ["we look at it", "The night shift reads this"]
    assert desk.stack.docket("process", "rollback").returncode == 0


def test_many_receipts_to_one_address_go_as_one_mail(desk):
    """By one notifier: of two, one may send already what it unpacked while the other unpacks the rest."""
    address = somebody()
    for name in ("notifier-1", "notifier-2"):
        desk.stack.kill(name)
    tracking = [desk.submit(address, title=f"Line {n} <b>&") for n in range(25)]
    alone = subprocess.Popen([str(BIN / "docket-notifier"), "--config", str(desk.stack.config("notifier-1"))], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        desk.ended(address, 3)
        mail, = wait_until(lambda: receipts(desk.smtp.to(address)))  # what else was told may have ended before
    finally:
        alone.terminate()
        alone.wait()
        desk.stack.up()
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert all(number in text and number in html for number in tracking)
    assert "25" in mail["Subject"] and "<b>" not in html.partition("<body")[2]
    assert {row[0] for row in desk.sql("SELECT state FROM deliveries WHERE address = %s AND kind = 'received'", address)} == {7}


def test_over_the_limit_of_its_ticket_the_rest_goes_as_one_summary(desk):
    address = somebody()
    tracking = desk.submit(address)
    desk.client.decided(tracking)
    wait_until(lambda: desk.smtp.to(address))
    for n in range(16):
        desk.client.call("ticket.comment", tracking=tracking, text=f"news-{n}", public=True, as_=ADA)
    wait_until(lambda: desk.sql("SELECT FROM deliveries WHERE address = %s AND digest", address))
    wait_until(lambda: not desk.sql("SELECT FROM deliveries WHERE address = %s AND state < 2 AND NOT digest", address))
    assert 10 <= len(desk.smtp.to(address)) <= 14
    desk.hurry(address)
    mail = wait_until(lambda: [m for m in desk.smtp.to(address) if m["X-Docket-Kind"] == "digest"])[0]
    assert tracking in mail.get_body(("plain",)).get_content()


def test_killing_notifiers_loses_nothing_and_repeats_only_what_was_in_flight(desk):
    """The short form of tests/fault/test_mail_kill.py."""
    addresses, kills, in_flight = [somebody() for _ in range(150)], 4, 2 * 64
    for n, address in enumerate(addresses):
        desk.smtp.script(address, "end", [0.05], [0.01])
        desk.submit(address)
        if n % 40 == 20:
            name = random.choice(["notifier-1", "notifier-2"])
            os.kill(desk.stack.pid(name), signal.SIGKILL)
            kills += 1
            desk.stack.up()
    wait_until(lambda: all(desk.smtp.to(address) for address in addresses), 30)
    wait_until(lambda: not desk.sql("SELECT FROM deliveries WHERE state < 2 AND address = ANY (%s)", addresses), 30)
    repeats = 0
    for address in addresses:
        seen = receipts(desk.smtp.to(address, "seen"))
        repeats += len(seen) - 1
        assert len({mail["Message-ID"] for mail in seen}) == 1
    assert repeats <= kills * in_flight


def test_staff_see_what_failed_send_it_again_once_and_learn_why(desk):
    address = somebody()
    desk.smtp.script(address, "rcpt", "550 5.1.1 unknown", "250 ok")
    tracking = desk.submit(address)
    desk.ended(address, 4)
    listed, = [n for n in desk.client.call("notification.list", address=address)["notifications"] if n["kind"] == "received"]
    number = listed["notification"]
    assert listed["state"] == "failed" and listed["tracking"] == tracking and "5.1.1" in listed["reply"]
    assert [a["result"] for a in desk.client.call("notification.show", notification=number)["attempts"]] == ["permanent"]
    assert desk.client.call("notification.retry", notification=number, key="r-" + address, as_=ADA)["retried"] == 1
    assert desk.client.call("notification.retry", notification=number, key="r-" + address, as_=ADA)["duplicate"]
    mail, = wait_until(lambda: receipts(desk.smtp.to(address)))
    wait_until(lambda: desk.client.call("notification.show", notification=number)["notification"]["state"] == "delivered")
    assert desk.client.refused("notification.retry", notification=number, as_=ADA).code == "conflict"
    assert desk.client.refused("notification.retry", notification=2**40, as_=ADA).code == "not_found"
    assert desk.client.refused("notification.retry", as_=ADA).field == "notification"
    why = desk.stack.docket("notification", "why", tracking)
    assert address in why.stdout and "sent again by ada" in why.stdout, why.stderr
    shown = desk.stack.docket("notification", "show", str(number))
    assert mail["Message-ID"].strip("<>") in shown.stdout and "permanent" in shown.stdout


def test_a_message_that_is_not_sent_yet_can_be_discarded(desk):
    address = somebody()
    desk.smtp.script(address, "rcpt", "451 later")
    desk.submit(address)
    wait_until(lambda: [row for row in desk.deliveries(address) if row[2] == 1 and row[1] == 0])
    number = desk.client.call("notification.list", address=address, state="pending")["notifications"][-1]["notification"]
    assert desk.client.call("notification.discard", notification=number, reason="told by phone", as_=ADA)["discarded"] == 1
    shown = desk.client.call("notification.show", notification=number)["notification"]
    assert shown["state"] == "cancelled" and shown["reason"] == "discarded by ada: told by phone"
    assert desk.client.refused("notification.discard", notification=number, as_=ADA).code == "conflict"


def test_why_tells_what_each_message_waits_for(desk):
    address = somebody()
    desk.smtp.script(address, "rcpt", "451 later")
    tracking = desk.submit(address)
    wait_until(lambda: [row for row in desk.deliveries(address) if row[2] == 1 and row[1] == 0])
    desk.client.call("ticket.comment", tracking=tracking, text="we look at it", public=True, as_=ADA)
    wait_until(lambda: [row for row in desk.deliveries(address) if row[0] == "update"])
    first, *behind = wait_until(lambda: [wait for wait in desk.client.call("notification.why", tracking=tracking)["waits"]])
    assert (first["why"], first["kind"], first["address"]) == ("it is tried again", "received", address)
    assert first["next_at"] > desk.sql("SELECT docket_now()")[0][0]
    assert behind and {wait["why"] for wait in behind} == {f"message {first['notification']} of this ticket to the same address goes first"}
    lines = [line for line in desk.stack.docket("notification", "why", tracking).stdout.splitlines() if line.startswith("waits: ")]
    assert len(lines) == 1 + len(behind) and lines[0].startswith(f"waits: received ({first['notification']}) by email to {address}: it is tried again, at 20")
    desk.smtp.script(address, "rcpt", "250 ok")
    wait_until(lambda: desk.hurry(address) or not desk.client.call("notification.why", tracking=tracking)["waits"], 20)


def test_after_a_restore_all_is_held_until_it_is_released(desk):
    old, new = somebody(), somebody()
    desk.sql_do("UPDATE telling SET system_identifier = 1")
    wait_until(lambda: desk.client.call("notification.list")["held"])
    for name in ("notifier-1", "notifier-2"):
        wait_until(lambda name=name: re.search(r"_held 1$", desk.stack.http(name, "/metrics")[1], re.M))
    tracking = desk.submit(old)
    wait_until(lambda: desk.deliveries(old))
    assert {wait["why"].split("?")[0] for wait in desk.client.call("notification.why", tracking=tracking)["waits"]} == {
        "all messages are held: this is another database than before: was it restored"}
    between = desk.sql("SELECT docket_now()")[0][0]
    desk.submit(new)
    wait_until(lambda: desk.deliveries(new))
    listed = desk.stack.docket("notification", "list", "--state", "pending")
    assert "was it restored?" in listed.stdout, listed.stderr
    assert not desk.smtp.to(old) and not desk.smtp.to(new)
    desk.client.call("notification.release", discard_before_at=between, as_=ADA)
    wait_until(lambda: desk.smtp.to(new))
    assert not desk.smtp.to(old) and desk.receipt(old)[1] == 8
    assert not desk.client.call("notification.list")["held"]


def test_automatic_senders_get_no_automatic_answer(desk):
    loud = desk.submit("noreply@robots.localhost")
    said = desk.submit(address := somebody(), attributes={"mail": {"automatic": True}})
    for tracking in (loud, said):
        messages = wait_until(lambda tracking=tracking: [m for m in desk.client.call("notification.why", tracking=tracking)["messages"]
                                                         if m["kind"] == "received" and m["state"] == "suppressed"])
        assert "automatic" in messages[0]["reason"]
    desk.client.call("ticket.comment", tracking=said, text="A word of ours.", public=True, as_=ADA)
    wait_until(lambda: [m for m in desk.smtp.to(address) if "A word of ours." in m.get_body(("plain",)).get_content()])


def alert_of(desk, tracking):
    return wait_until(lambda: desk.client.call("alert.list", tracking=tracking)["alerts"])[0]["alert"]


def quiet_of(desk, alert):
    return desk.sql("SELECT quiet, inhibited_by, next_at > docket_now() FROM alerts WHERE id = %s", alert)[0]


def test_muted_alerts_make_no_step_and_the_end_of_the_mute_is_told(desk):
    customer = f"mute-{random.getrandbits(32):x}"
    now = desk.sql("SELECT docket_now()")[0][0]
    for bad in ({"until_at": now + 8 * 86400_000000}, {"until_at": now - 1}):
        assert desk.client.refused("notification.mute", reason="works", customer=customer, priority=1, as_=ADA, **bad).field == "until_at"
    assert desk.client.refused("notification.mute", reason="works", until_at=now + 60_000000, as_=ADA).code == "invalid"
    # A word that is none would hold nothing back, and an empty list would look as if all had been told.
    assert desk.client.refused("notification.mute", reason="works", until_at=now + 60_000000, kind="mised", as_=ADA).field == "kind"
    nowhere = desk.client.refused("notification.mute", reason="works", until_at=now + 60_000000, tracking="DKT-0000-0000-0001-E", as_=ADA)
    assert (nowhere.code, nowhere.field) == ("not_found", "tracking")
    unknown = desk.client.refused("notification.list", channel="e-mail")
    assert unknown.field == "channel" and "email, webhook, xmpp, phone, sms" in unknown.error["message"]
    mute = desk.client.call("notification.mute", reason="works", until_at=now + 3600_000000, customer=customer, priority=1, as_=ADA)["mute"]
    alert = alert_of(desk, desk.client.submit(customer=customer, impact="down"))
    wait_until(lambda: quiet_of(desk, alert) == (f"muted by mute {mute}", None, True))
    assert not desk.sql("SELECT FROM deliveries WHERE alert = %s", alert)
    # So are other messages to staff, which are counted too.
    ticket = desk.sql("SELECT ticket FROM alerts WHERE id = %s", alert)[0][0]
    for n in (1, 2):
        desk.sql_do("INSERT INTO outbox (ticket, version, audience, kind, generation, created_at) VALUES (%s, 1, 2, 'task', %s, docket_now())", ticket, n)
    wait_until(lambda: desk.client.call("notification.mutes")["mutes"][0]["messages"] == 2)
    assert desk.client.call("notification.mutes")["mutes"][0]["count"] == 1
    assert re.search(r"ALERTS +MESSAGES", desk.stack.docket("notification", "mutes").stdout)
    desk.client.call("notification.unmute", mute=mute, as_=ADA)
    wait_until(lambda: desk.sql("SELECT FROM outbox WHERE kind = 'mute_ended' AND generation = %s AND state = 2", mute))
    mail = wait_until(lambda: [mail for mail in desk.smtp.to("ops@localhost") if mail["X-Docket-Kind"] == "mute_ended"
                               and f"Mute {mute} " in mail.get_body(("plain",)).get_content()])[0]
    assert "alerts 1, other messages 2" in mail.get_body(("plain",)).get_content()
    wait_until(lambda: desk.sql("SELECT FROM deliveries WHERE alert = %s", alert))
    assert quiet_of(desk, alert)[0] is None
    # One of a kind that there is; its end too is a mail to ops, who get one a minute.
    later = desk.client.call("notification.mute", reason="works", from_at=now + 3600_000000, until_at=now + 7200_000000, kind="missed", as_=ADA)["mute"]
    desk.client.call("notification.unmute", mute=later, as_=ADA)


def test_who_asks_why_nobody_was_paged_reads_which_mute_it_was_and_each_mute_counts_what_it_held_back(desk):
    customer, until = f"why-{random.getrandbits(32):x}", desk.sql("SELECT docket_now()")[0][0] + 3600_000000
    mutes = [desk.client.call("notification.mute", reason=reason, until_at=until, customer=customer, priority=1, as_=ADA)["mute"] for reason in ("works", "more works")]
    tracking = desk.client.submit(customer=customer, impact="down")
    alert = alert_of(desk, tracking)
    for mute, other in (mutes, mutes[::-1]):
        quiet = f"muted by mute {mute}"
        wait_until(lambda quiet=quiet: quiet_of(desk, alert)[0] == quiet)
        assert desk.client.call("alert.show", alert=alert)["alert"]["quiet"] == quiet == desk.client.call("alert.list", tracking=tracking)["alerts"][0]["quiet"]
        told = desk.client.call("notification.why", tracking=tracking)["quiet"]
        assert [(row["alert"], row["state"], row["priority"], row["quiet"]) for row in told] == [(alert, "open", 1, quiet)]
        assert f"alert {alert} to staff, open: no step, {quiet}" in desk.stack.docket("notification", "why", tracking).stdout
        assert f"quiet        {quiet}" in desk.stack.docket("alert", "show", str(alert)).stdout
        if mute == mutes[0]:  # the other one holds on
            desk.client.call("notification.unmute", mute=mute, as_=ADA)
            wait_until(lambda mute=mute: desk.sql("SELECT FROM mutes WHERE id = %s AND ended", mute))
    assert desk.sql("SELECT count FROM mutes WHERE id = ANY (%s)", mutes) == [(1,), (1,)]
    desk.client.call("alert.resolve", alert=alert, as_=ADA)
    assert [row["state"] for row in desk.client.call("notification.why", tracking=tracking)["quiet"]] == ["resolved"]
    desk.client.call("notification.unmute", mute=mutes[1], as_=ADA)
    wait_until(lambda: desk.sql("SELECT FROM mutes WHERE id = %s AND ended", mutes[1]))
    free = desk.client.submit(customer=customer, impact="down")
    alert_of(desk, free)
    assert desk.client.call("notification.why", tracking=free)["quiet"] == []


def test_an_outage_stands_for_the_alerts_of_its_region_and_says_how_many(desk):
    region = f"region:{random.getrandbits(32):x}"
    wide = desk.client.submit(impact="down", title="The core is down")
    parent = alert_of(desk, wide)
    desk.client.call("ticket.update", tracking=wide, set={"tags": ["outage", region]}, as_=ADA)
    mute = desk.client.call("notification.mute", reason="until they have their tags", priority=1, customer="region-test", as_=ADA,
                            until_at=desk.sql("SELECT docket_now()")[0][0] + 600_000000)["mute"]
    small = [desk.client.submit(customer="region-test", impact="down") for _ in range(3)]
    alerts = [alert_of(desk, tracking) for tracking in small]
    for tracking in small:
        desk.client.call("ticket.update", tracking=tracking, set={"tags": [region]}, as_=ADA)
    wait_until(lambda: all(quiet_of(desk, alert)[0] for alert in alerts))
    desk.client.call("notification.unmute", mute=mute, as_=ADA)
    wait_until(lambda: desk.sql("SELECT FROM mutes WHERE id = %s AND ended", mute))
    desk.sql_do("UPDATE alerts SET next_at = 0 WHERE id = ANY (%s)", alerts)
    wait_until(lambda: all(quiet_of(desk, alert)[1] == parent for alert in alerts))
    assert not desk.sql("SELECT FROM deliveries WHERE alert = ANY (%s)", alerts)
    told = wait_until(lambda: desk.sql("SELECT id, address FROM deliveries WHERE kind = 'inhibited' AND ticket = %s", id_of(wide)))
    assert len(told) == 1
    desk.hurry(told[0][1])
    mail = wait_until(lambda: [m for m in desk.smtp.to(told[0][1]) if m["X-Docket-Kind"] == "inhibited" and wide in m["Subject"]])[0]
    assert "3 other alerts" in mail["Subject"]
    desk.client.call("ticket.resolve", tracking=wide, text="It is up.", as_=ADA)
    desk.sql_do("UPDATE alerts SET next_at = 0 WHERE id = ANY (%s)", alerts)
    wait_until(lambda: all(desk.sql("SELECT FROM deliveries WHERE alert = %s", alert) for alert in alerts))


def test_of_outages_whose_mute_is_over_or_whose_outage_is_the_first_stands_for_the_others(desk):
    """They are looked at together, when all of them are quiet still: it is no storm of pages for one region."""
    customer, tags = f"region-{random.getrandbits(32):x}", ["outage", f"region:{random.getrandbits(32):x}"]
    mute = desk.client.call("notification.mute", reason="works", priority=1, customer=customer, as_=ADA, until_at=desk.sql("SELECT docket_now()")[0][0] + 600_000000)["mute"]
    tickets = [desk.client.submit(customer=customer, impact="down") for _ in range(4)]
    alerts = [alert_of(desk, tracking) for tracking in tickets]
    desk.sql_do("UPDATE alerts SET opened_at = (SELECT min(opened_at) FROM alerts WHERE id = ANY (%s)) WHERE id = ANY (%s)", alerts, alerts)  # as decided in one batch
    alerts.sort()
    for tracking in tickets:
        desk.client.call("ticket.update", tracking=tracking, set={"tags": tags}, as_=ADA)
    wait_until(lambda: all(quiet_of(desk, alert)[0] for alert in alerts))
    desk.client.call("notification.unmute", mute=mute, as_=ADA)
    wait_until(lambda: [quiet_of(desk, alert)[1] for alert in alerts] == [None, *[alerts[0]] * 3])
    assert {row[0] for row in desk.sql("SELECT alert FROM deliveries WHERE kind = 'alert' AND alert = ANY (%s)", alerts)} <= {alerts[0]}
    desk.client.call("alert.resolve", alert=alerts[0], as_=ADA)
    desk.sql_do("UPDATE alerts SET next_at = 0 WHERE id = ANY (%s) AND state = 0", alerts)
    wait_until(lambda: [quiet_of(desk, alert)[1] for alert in alerts[1:]] == [None, *[alerts[1]] * 2])
    assert {row[0] for row in desk.sql("SELECT alert FROM deliveries WHERE kind = 'alert' AND alert = ANY (%s)", alerts)} <= set(alerts[:2])
    for alert in alerts[1:]:
        desk.client.call("alert.resolve", alert=alert, as_=ADA)


def test_a_parent_stands_for_the_alerts_of_its_children_and_not_the_other_way(desk):
    customer = f"parts-{random.getrandbits(32):x}"
    wide = desk.client.submit(impact="down", title="The exchange is down")
    parent = alert_of(desk, wide)
    mute = desk.client.call("notification.mute", reason="until it is linked", priority=1, customer=customer, as_=ADA,
                            until_at=desk.sql("SELECT docket_now()")[0][0] + 600_000000)["mute"]
    part = desk.client.submit(customer=customer, impact="down")
    child = alert_of(desk, part)
    desk.client.call("ticket.link", tracking=part, to=wide, as_link="child", as_=ADA)
    wait_until(lambda: quiet_of(desk, child)[0])
    desk.client.call("notification.unmute", mute=mute, as_=ADA)
    wait_until(lambda: desk.sql("SELECT FROM mutes WHERE id = %s AND ended", mute))
    desk.sql_do("UPDATE alerts SET next_at = 0 WHERE id = ANY (%s)", [child, parent])
    wait_until(lambda: quiet_of(desk, child)[1] == parent)
    assert not desk.sql("SELECT FROM deliveries WHERE alert = %s", child) and quiet_of(desk, parent)[1] is None
    desk.client.call("ticket.resolve", tracking=wide, text="It is up.", as_=ADA)
    wait_until(lambda: desk.sql("SELECT FROM alerts WHERE id = %s AND state <> 0", parent))


def test_behind_a_message_whose_end_nobody_saw_the_next_one_goes_out_soon(stack, client):
    address = f"p{random.getrandbits(40):x}@localhost"
    tracking = client.submit(contact={"email": address})
    client.decided(tracking)
    ticket = id_of(tracking)
    wait_until(lambda: stack.value("SELECT count(*) FILTER (WHERE state < 2) = 0 AND count(*) > 0 FROM deliveries WHERE ticket = %s", ticket))
    with stack.db() as db:  # one that another notifier is just sending
        db.execute("INSERT INTO outbox (ticket, version, generation, audience, kind, state, created_at) VALUES (%s, 1, 99, 1, 'update', 2, docket_now())", (ticket,))
        db.execute("INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address, state, token, lease_until) "
                   "VALUES (%s, 1, 99, 1, 'update', docket_now(), docket_now() + 60000000, 'email', '', %s, 1, 1, docket_now() + 60000000)", (ticket, address))
    client.call("ticket.comment", tracking=tracking, text="behind it", public=True, as_=ADA)
    behind = "SELECT next_at - docket_now() FROM deliveries WHERE ticket = %s AND generation = 0 AND kind = 'update' AND next_at > docket_now()"
    with stack.db() as db:
        wait_s = wait_until(lambda: db.execute(behind, (ticket,)).fetchone())[0] / 1e6
        assert wait_s <= 1
        db.execute("UPDATE deliveries SET state = 3 WHERE ticket = %s AND generation = 99", (ticket,))
    wait_until(lambda: any("behind it" in mail and address in mail for mail in stack.mails()))
