"""A real Postfix calls docket-mail from an alias: what it makes of the exit statuses, as its users see it."""

import email.message
import pathlib
import random
import re
import shutil
import tempfile

import postfix_server
import pytest
from helpers import ADA, BIN, Stack, ticket_of, wait_until
from smtp_server import SmtpServer

pytestmark = pytest.mark.skipif(not postfix_server.available(), reason="Postfix starts as root only")


class Desk:
    def __init__(self):
        self.stack, self.sink = Stack(), SmtpServer()
        self.client = self.stack.client()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="docket-alias-"))
        self.folder.chmod(0o755)
        program, key, config = (self.folder / name for name in ("docket-mail", "token.key", "docket-mail.yaml"))
        shutil.copy(BIN / "docket-mail", program)
        shutil.copy(self.stack.home / "h/etc/token.key", key)
        shutil.chown(key, postfix_server.OWNER)
        key.chmod(0o600)
        text = (self.stack.home / "h/etc/docket-mail.yaml").read_text()
        config.write_text(re.sub(r"^token_key_file:.*$", f"token_key_file: {key}", text, flags=re.M) + "timeout: 2s\n")
        self.postfix = postfix_server.Postfix(f"{program} --config {config}", self.sink.url.rpartition(":")[2])

    def customer(self):
        """(customer, address of its contact)"""
        name = f"c{random.getrandbits(48):x}"
        address = f"{name}@acme.example"
        self.client.call("customer.put", customer={"id": name, "name": "C", "package": "standard", "contacts": [{"name": "Zoë", "email": address}]}, as_=ADA)
        return name, address

    def tickets(self, customer):
        return self.client.call("ticket.list", customer=customer)["tickets"]

    def our_mail(self, address, header):
        """A header of the first mail that went to address (a page to staff may come first, and names it in its text)."""
        def find():
            for text in self.stack.mails():
                found = re.search(rf"^{header}: <?([^<>\r\n]+)>?\r?$", text, re.M)
                if found and re.search(rf"^To: .*<?{re.escape(address)}>?\r?$", text, re.M):
                    return found.group(1)
            return None
        return wait_until(find)

    def close(self):
        self.postfix.close()
        self.stack.close()
        self.sink.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def desk():
    one = Desk()
    yield one
    one.close()


def mail(sender, subject="No dial tone", text="All phones are silent.\n"):
    message = email.message.EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = sender, subject, f"<{random.getrandbits(64):x}@acme.example>"
    message.set_content(text)
    return message.as_string()


def test_a_mail_becomes_a_ticket_and_its_answer_a_comment(desk):
    name, address = desk.customer()
    desk.postfix.give(mail(address), address, "desk@localhost")
    tracking = wait_until(lambda: desk.tickets(name))[0]["tracking"]
    desk.client.decided(tracking)
    desk.client.call("ticket.wait", tracking=tracking, on="customer", reason="Which?", as_=ADA)
    desk.postfix.give(mail(address, "Re", "This one.\n"), address, desk.our_mail(address, "Reply-To"))
    wait_until(lambda: ticket_of(desk.client.show(tracking))["state"] == "in_progress")


def test_a_stranger_gets_a_bounce_that_says_why(desk):
    stranger = f"s{random.getrandbits(48):x}@nowhere.example"
    desk.postfix.give(mail(stranger), stranger, "desk@localhost")
    bounce = wait_until(lambda: [one for one in desk.sink.mails if stranger in one["to"]])
    assert b"the sender is not known here" in bounce[0]["bytes"].replace(b"\r\n    ", b" ")


def test_without_a_broker_the_mail_waits_and_comes_once(desk):
    name, address = desk.customer()
    desk.stack.kill("broker-1")
    desk.postfix.give(mail(address), address, "desk@localhost")
    wait_until(lambda: "to=<desk@localhost>" in desk.postfix.log() and "status=deferred" in desk.postfix.log(), 20)
    desk.stack.up()
    assert len(wait_until(lambda: desk.tickets(name), 30)) == 1


def test_a_bounce_of_our_mail_fails_its_delivery_and_rests_the_address(desk):
    name, address = desk.customer()
    tracking = desk.client.submit(customer=name)
    path = desk.our_mail(address, "Return-Path")
    assert path.startswith("bounce+")
    report = (pathlib.Path(__file__).with_name("mails") / "bounce-postfix.eml").read_text()
    desk.postfix.give(report, "", path)
    failed = wait_until(lambda: desk.client.call("notification.list", address=address, state="failed")["notifications"])
    assert failed[0]["reason"] == "bounced: 5.1.1" and "User unknown" in failed[0]["reply"]
    assert not [event for event in desk.client.show(tracking)["events"] if event["kind"] == "commented"]
    desk.client.call("ticket.comment", tracking=tracking, text="More.", public=True, as_=ADA)
    wait_until(lambda: [row for row in desk.client.call("notification.list", address=address, state="suppressed")["notifications"]])
