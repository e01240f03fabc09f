"""The long forms of the channels' tests: every status, hang-ups and resets after each byte of each answer, hostile text in every field over
every channel at once."""

import base64
import email
import email.policy
import json
import pathlib
import re
import socket
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import hosts  # noqa: E402
import rebinding  # noqa: E402
import smtp_server  # noqa: E402
import test_outbox  # noqa: E402
import test_webhooks  # noqa: E402
import test_xmpp  # noqa: E402
from helpers import ADA, BIN, Refused, Stack, wait_until  # noqa: E402
from http_server import OK, HttpServer, status  # noqa: E402

DELIVERED = 3


# ---- HTTP ----


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    one = test_webhooks.Desk(tmp_path_factory.mktemp("webhooks"))
    yield one
    one.plain.close()
    one.tls.close()
    one.stack.close()


def first(desk, address):
    """(result, reply) of the first attempt of the first message to the address; a second one may be under way."""
    return wait_until(lambda: desk.sql("SELECT a.result, coalesce(a.reply, '') FROM attempts a JOIN deliveries d ON d.id = a.delivery"
                                       " WHERE d.address = %s AND a.n = 1 AND a.result IS NOT NULL ORDER BY d.id", address), 40)[0]


@pytest.mark.limit(300)
def test_every_status_of_http(hooks):
    paths = {}
    for code in range(200, 600):
        body = b"" if code in (204, 304) else b"said"
        answer = status(code, "Location: /elsewhere", body=body) if body else f"HTTP/1.1 {code} No\r\n\r\n".encode()
        paths[code] = path = test_webhooks.nonce()
        hooks.plain.answers[path] = [[answer], [OK]]
        hooks.tell(hooks.plain.url(path))
    for code, path in paths.items():
        result, reply = first(hooks, hooks.plain.url(path))
        assert result == ("delivered" if code < 300 else "permanent" if code == 410 else "temporary"), (code, result, reply)
        assert reply.startswith(str(code)), (code, reply)
    assert not hooks.plain.of("/elsewhere")


@pytest.mark.limit(300)
@pytest.mark.parametrize("end", ["hang", "reset"])
def test_an_answer_of_http_ends_after_each_byte(hooks, end):
    answer = status(200, "X-Other: 1", body=b"fine")
    paths = {}
    for cut in range(len(answer)):
        paths[cut] = path = test_webhooks.nonce()
        hooks.plain.answers[path] = [[answer[:cut], 0.02, end], [OK]]
        hooks.tell(hooks.plain.url(path))
    for cut, path in paths.items():
        result, reply = first(hooks, hooks.plain.url(path))
        assert result in ("unknown", "temporary", "delivered"), (cut, result, reply)
        # A kept connection that ends before any answer is asked again on a new one, at once and with the same id.
        assert cut >= len(b"HTTP/1.1 200") or result != "delivered" or len(hooks.plain.of(path)) > 1, (cut, reply)
        if result != "delivered":
            hooks.hurry(hooks.plain.url(path))
    for path in paths.values():
        wait_until(lambda path=path: hooks.rows(hooks.plain.url(path))[0][0] == DELIVERED, 30)
        assert len({request["headers"]["webhook-id"] for request in hooks.plain.of(path) if b"ticket.received" in request["body"]}) == 1


@pytest.mark.limit(240)
@pytest.mark.skipif(hosts.why_not() is not None, reason=str(hosts.why_not()))
def test_a_name_that_means_a_private_address_the_next_time_is_refused_when_connected(hooks, tmp_path):
    """A name server of the attacker's: public at first, private afterwards; private and public at once; nothing but private."""
    host = rebinding.Host(tmp_path)
    try:
        wait_until(lambda: "ready" in host.log.read_text())
        secrets = tmp_path / "secrets"
        secrets.write_text("".join(f"{name} whsec_{test_webhooks.NEW}\n" for name in rebinding.NAMES))
        secrets.chmod(0o600)
        text = hooks.stack.config("notifier-1").read_text()
        text = re.sub(r"^(webhook_secrets_file|http_allow|http_ca_file):.*\n", "", text, flags=re.M)
        config = tmp_path / "notifier.yaml"
        config.write_text(f"{text}webhook_secrets_file: {secrets}\nhttp_ca_file: {host.cert}\n")
        hooks.stack.kill("notifier-1")
        host.start(BIN / "docket-notifier", "--config", config, log=tmp_path / "notifier.log")
        url = lambda name: f"https://{name}:{rebinding.PORT}/hook"
        hooks.tell(url("moves.example"))
        assert first(hooks, url("moves.example"))[0] == "delivered"
        hooks.tell(url("both.example"))
        assert first(hooks, url("both.example"))[0] == "delivered"
        hooks.tell(url("inside.example"))
        result, reply = first(hooks, url("inside.example"))
        assert result == "permanent" and "private" in reply, (result, reply)
        time.sleep(61)  # the answer is kept for a minute
        tracking, = hooks.tell(url("moves.example"))
        failed = "SELECT reply FROM deliveries WHERE address = %s AND state = 4 AND ticket = %s"
        assert "private" in wait_until(lambda: hooks.sql(failed, url("moves.example"), test_outbox.id_of(tracking)), 40)[0][0]
        assert host.said("asked").count(["moves.example", "1", rebinding.PRIVATE]) >= 1
        assert {address for address, in host.said("connected")} == {rebinding.PUBLIC}
    finally:
        host.close()
        hooks.stack.up()


# ---- SMTP ----


@pytest.fixture(scope="module")
def mails():
    one = test_outbox.Desk()
    yield one
    one.close()


@pytest.mark.limit(600)
@pytest.mark.parametrize("end", ["hang", "reset"])
@pytest.mark.parametrize(("stage", "good"), [("rcpt", "250 ok"), ("data", "354 go on"), ("end", "250 taken")])
def test_an_answer_of_smtp_ends_after_each_byte(mails, end, stage, good):
    for byte in range(len(good) + 2):
        address = test_outbox.somebody()
        mails.smtp.script(address, stage, (end, byte), good)
        mails.submit(address)
        wait_until(lambda address=address: mails.sql("SELECT FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.address = %s AND a.result IS NOT NULL", address), 40)
        fine = test_outbox.somebody()  # so that the relay is not left alone for what it does to one
        mails.submit(fine)
        mails.ended(fine, DELIVERED)
        mails.hurry(address)
        wait_until(lambda address=address: mails.deliveries(address)[0][1] == DELIVERED, 40)
        seen = test_outbox.receipts(mails.smtp.to(address, "seen"))
        assert 1 <= len(seen) <= 2 and len({mail.as_bytes() for mail in seen}) == 1, (byte, len(seen))


@pytest.mark.limit(900)
@pytest.mark.parametrize("end", ["hang", "reset"])
@pytest.mark.parametrize(("stage", "good"), [("greeting", smtp_server.GREETING), ("ehlo", smtp_server.EHLO), ("mail", "250 ok")])
def test_smtp_ends_after_each_byte_before_there_is_a_recipient(mails, end, stage, good):
    """The relay's fault, not the message's: it never had it, so it is sent once more and seen once."""
    for byte in range(len(good) + 2):
        address = test_outbox.somebody()
        wait_until(lambda: not mails.sql("SELECT FROM outbox WHERE state < 2 UNION ALL SELECT FROM deliveries WHERE state < 2"), 40)
        mails.smtp.script("", stage, (end, byte), [])
        mails.smtp.drop()
        mails.submit(address)
        result, reply = wait_until(lambda address=address: mails.sql("SELECT a.result, a.reply FROM attempts a JOIN deliveries d ON d.id = a.delivery"
                                                                     " WHERE d.address = %s AND a.n = 1 AND a.result IS NOT NULL", address), 40)[0]
        assert (stage == "mail" and byte == len(good) + 1 and result == "unknown") or result == "temporary", (byte, result, reply)
        fine = test_outbox.somebody()  # so that the relay is not left alone for what it does to one
        mails.submit(fine)
        mails.ended(fine, DELIVERED)
        mails.hurry(address)
        wait_until(lambda address=address: mails.receipt(address)[1] == DELIVERED, 40)
        assert len(test_outbox.receipts(mails.smtp.to(address, "seen"))) == 1, byte


# ---- text ----

TEXTS = {
    "header": "x\r\nBcc: victim@localhost\r\nX-Evil: 1\r\n\r\nboo",
    "dots": "a\r\n.\r\nMAIL FROM:<evil@localhost>\r\n..\n.\n",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'</title></textarea>",
    "json": "\\\"},\"evil\":{\"a\":\"\\u0000 \\ud800 \u2028\u2029",
    "xml": "]]></body><presence type='unavailable'/></stream:stream><!-- &lt; &#0; <![CDATA[",
    "mustache": "{{body.text}} {{{code}}} {{> foot}} {{=<% %>=}} {{#x}}",
    "bidi": "\u202egnp.exe\u2066 \u200f\u061c\ufeff",
    "controls": "".join(map(chr, (*range(1, 32), 0x7f, 0x80, 0x9f, 0xfffe, 0xffff, 0x10ffff))),
    "combining": "Z" + "\u0351" * 300 + " \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "encoded": "=?utf-8?q?=0D=0ABcc:_victim@localhost?= =?x",
    "long": "y" * (64 << 10),
}
FIELDS = ("title", "problem", "comment", "reason", "proposal", "contact", "attributes")


class Everywhere(test_xmpp.Desk):
    """A desk with mail, webhook, chat and a gateway, whose customers have all of them."""

    def __init__(self, folder):
        super().__init__(folder)
        self.http = HttpServer()
        secrets = folder / "secrets"
        secrets.write_text(f"127.0.0.1 whsec_{test_webhooks.NEW}\n")
        secrets.chmod(0o600)
        self.stack.kill("notifier-1")
        path = self.stack.config("notifier-1")
        path.write_text(path.read_text() + f"webhook_secrets_file: {secrets}\nhttp_allow: [127.0.0.1]\ngateway_url: {self.http.url('/gateway')}\n")
        process = self.stack.home / "h/etc/process"
        (process / "notify.yaml").write_text("limits: {customer: {minute: 9000, hour: 9000}, staff: {minute: 9000, hour: 9000}, phone: {quarter_hour: 9000, hour: 9000},"
                                             " chat: {five_minutes: 9000, hour: 9000}}\n")
        staff = (process / "staff.yaml").read_text()
        (process / "staff.yaml").write_text(staff.replace("{name: Ada, xmpp: ada@localhost}", "{name: Ada, phone: '+43155512345', xmpp: ada@localhost}"))
        done = self.stack.docket("process", "apply", str(process), "--comment", "everywhere")
        assert done.returncode == 0, done.stderr
        before = len(self.log("xmpp_up"))
        self.stack.up()
        wait_until(lambda: len(self.log("xmpp_up")) > before, 30)
        self.client.call("customer.put", as_=ADA, customer={"id": "everywhere", "name": "C", "package": "standard", "contacts": [
            {"name": "Zoë", "xmpp": "zoe@localhost"}, {"name": "robot", "webhook": self.http.url("/robot")}, {"name": "Mail", "email": "mail@localhost"}]})

    def post(self, field, text):
        """A ticket with the text in that field; None when the desk refuses it."""
        try:
            fields = {"title": text} if field == "title" else {"problem": text} if field == "problem" else {}
            if field == "contact":
                fields["contact"] = {"name": text, "email": "mail@localhost"}
            if field == "attributes":
                fields["attributes"] = {text[:60]: text}
            tracking = self.client.submit(customer="everywhere", impact="down", **fields)
            if field == "comment":
                self.client.call("ticket.comment", tracking=tracking, text=text, public=True, as_=ADA)
            elif field == "reason":
                self.client.call("ticket.wait", tracking=tracking, on="customer", reason=text, as_=ADA)
            elif field == "proposal":
                self.client.call("ticket.cannot_resolve", tracking=tracking, reason="r", proposal=text, as_=ADA)
            return tracking
        except Refused as refusal:
            assert refusal.code in ("invalid", "too_large"), refusal
            return None


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory):
    one = Everywhere(tmp_path_factory.mktemp("everywhere"))
    yield one
    one.http.close()
    one.close()


def check_mail(text):
    mail = email.message_from_string(text, policy=email.policy.default)
    assert not mail.defects and mail["Bcc"] is None and mail["X-Evil"] is None and len(mail.get_all("To")) == 1
    assert all(len(line) <= 998 for line in text.split("\r\n")) and "\0" not in text
    html = mail.get_body(("html",)).get_content()
    assert "<script" not in html and "onerror=" not in re.sub(r"&lt;.*?&gt;", "", html)
    return mail


@pytest.mark.limit(600)
@pytest.mark.parametrize("field", FIELDS)
def test_hostile_text_over_all_channels(everywhere, field):
    connected = len(everywhere.log("xmpp_up"))
    posted = {name: tracking for name, text in TEXTS.items() if (tracking := everywhere.post(field, text))}
    assert len(posted) >= len(TEXTS) // 2
    for name, tracking in posted.items():
        ended = "SELECT count(*) FROM deliveries d JOIN tickets t ON t.id = d.ticket WHERE t.id = %s AND d.state = 3 AND d.channel = %s"
        number = test_outbox.id_of(tracking)
        paged = () if field in ("comment", "reason", "proposal") else ("phone",)  # staff have spoken: nothing is to be paged
        for channel in (("email",) if field == "contact" else ("email", "webhook", "xmpp")) + paged:
            wait_until(lambda number=number, channel=channel: everywhere.sql(ended, number, channel)[0][0] >= 1, 60)
        assert not everywhere.sql("SELECT channel, reason FROM deliveries WHERE ticket = %s AND state IN (4, 5)", number), name
        for text in everywhere.stack.mails():
            if tracking in text:
                check_mail(text)
        for path in ("/robot", "/gateway"):
            for request in everywhere.http.of(path):
                if tracking.encode() in request["body"]:
                    body = json.loads(request["body"])
                    assert set(body) <= {"type", "timestamp", "data", "gateway"} and "evil" not in body["data"] and len(request["body"]) <= 20_000
        assert all(len(text) <= 2000 for text in everywhere.zoe.texts(tracking))
    assert len(everywhere.log("xmpp_up")) == connected, "no text may break the stream"
    assert not [line for line in everywhere.stack.log("notifier-1").splitlines() if "event=template_failed" in line]


# ---- XMPP ----

HEAD = b"<?xml version='1.0'?><stream:stream from='localhost' id='1' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
TLS = b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
SILENT = {"at once": [], "after its head": [HEAD], "after its features": [HEAD + TLS], "in TLS": [HEAD + TLS, b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
          "garbage": [b"\x00<<<&" * 1000], "no TLS": [HEAD + b"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"]}


class SilentServer:
    """Takes connections, says so much of XMPP, a word for each that it hears, and then nothing more."""

    def __init__(self, words):
        self.words, self.heard, self.connected = words, b"", 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connected += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            for word in self.words:
                self.heard += connection.recv(65536)
                connection.sendall(word)
            while data := connection.recv(65536):
                self.heard += data


@pytest.mark.limit(300)
@pytest.mark.parametrize("silent", SILENT)
def test_an_xmpp_server_that_falls_silent_is_left_and_asked_again(tmp_path, silent):
    """It is told of as down, and what goes over other channels goes; the password is heard by nobody without TLS."""
    server, stack = SilentServer(SILENT[silent]), Stack()
    try:
        password = tmp_path / "password"
        password.write_text("s3cret-word\n")
        password.chmod(0o600)
        stack.kill("notifier-1")
        path = stack.config("notifier-1")
        path.write_text(path.read_text() + f"xmpp_jid: bot@localhost/n1\nxmpp_password_file: {password}\nxmpp_server: '127.0.0.1:{server.port}'\n")
        stack.up()
        tracking = stack.client().submit(contact={"email": "zoe@localhost"})
        wait_until(lambda: any(tracking in mail for mail in stack.mails()))
        lost = lambda: "event=xmpp_down" in stack.log("notifier-1") or "event=xmpp_ended" in stack.log("notifier-1")
        wait_until(lambda: server.connected >= 2 and lost(), 100)
        assert b"s3cret-word" not in server.heard and base64.b64encode(b"\0bot\0s3cret-word") not in server.heard
        assert "event=xmpp_up" not in stack.log("notifier-1")
    finally:
        stack.close()
        server.listener.close()
