"""Webhooks to a server of the test's that does what it is told; signatures judged by other means than ours."""

import base64
import hashlib
import hmac
import json
import os
import random
import re
import socket
import subprocess
import time

import pytest
from helpers import ADA, Stack, id_of, ticket_of, wait_until
from http_server import OK, HttpServer, status

NEW, OLD = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
DELIVERED, FAILED = 3, 4
# Other ways to write an address; those of 127.0.0.1 first.
NUMBERS = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "::ffff:127.0.0.2", "::ffff:7f00:2", "::ffff:169.254.169.254", "0.0.0.0", "::", "169.254.169.254",
           "64:ff9b::a9fe:a9fe", "2002:7f00:2::1"]


class Desk:
    def __init__(self, folder):
        self.stack = Stack()
        self.client = self.stack.client()
        cert, key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
        self.plain, self.tls = HttpServer(), HttpServer((cert, key))
        secrets = folder / "secrets"
        secrets.write_text(f"127.0.0.1 whsec_{NEW} whsec_{OLD}\nlocalhost whsec_{NEW}\n127.0.0.2 whsec_{NEW}\n" + "".join(f"{one} whsec_{NEW}\n" for one in NUMBERS))
        secrets.chmod(0o600)
        path = self.stack.config("notifier-1")
        self.stack.kill("notifier-1")
        path.write_text(path.read_text() + f"webhook_secrets_file: {secrets}\nhttp_allow: [127.0.0.1]\nhttp_ca_file: {cert}\n")
        self.stack.up()

    def tell(self, url, count=1):
        """Tickets of a customer whose one contact is the URL; their tracking numbers."""
        name = f"c{random.getrandbits(48):x}"
        self.client.call("customer.put", customer={"id": name, "name": "C", "package": "standard", "contacts": [{"name": "robot", "webhook": url}]}, as_=ADA)
        return [self.client.submit(customer=name, title=f"T {n}") for n in range(count)]

    def sql(self, query, *args):
        with self.stack.db() as connection:
            return connection.execute(query, args).fetchall()

    def rows(self, url):
        return self.sql("SELECT state, attempts, coalesce(reply, ''), (next_at - docket_now()) / 1e6, message_id FROM deliveries WHERE address = %s AND kind LIKE 'received%%' ORDER BY id", url)

    def tried(self, url, attempts=1):
        """The first receipt, once so many attempts have ended."""
        def found():
            rows = self.rows(url)
            return rows and (rows[0][1] > attempts or rows[0][1] == attempts and rows[0][0] != 1) and rows[0]
        return wait_until(found, 30)

    def apply(self, why):
        """The process as its folder is now, once the notifier uses it."""
        used = lambda: self.stack.log("notifier-1").count("process_used n=")
        before = used()
        done = self.stack.docket("process", "apply", str(self.stack.home / "h/etc/process"), "--comment", why)
        assert done.returncode == 0, done.stderr
        wait_until(lambda: used() > before)

    def rows_of(self, url):
        return self.sql("SELECT ticket FROM deliveries WHERE address = %s AND kind LIKE 'received%%' ORDER BY id", url)

    def hurry_one(self, url, tracking):
        """What waits for this ticket is due now, and nothing else."""
        with self.stack.db() as connection:
            connection.execute("UPDATE deliveries SET next_at = docket_now() WHERE address = %s AND ticket = %s AND state = 0", (url, id_of(tracking)))
            connection.execute("UPDATE targets SET ready_at = docket_now(), blocked_until = 0 WHERE address = %s", (url,))

    def hurry(self, url):
        with self.stack.db() as connection:
            connection.execute("UPDATE deliveries SET next_at = docket_now() WHERE address = %s AND state = 0", (url,))
            connection.execute("UPDATE targets SET ready_at = docket_now(), blocked_until = 0 WHERE address = %s", (url,))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    one = Desk(tmp_path_factory.mktemp("webhooks"))
    yield one
    one.plain.close()
    one.tls.close()
    one.stack.close()


def nonce():
    return f"/{random.getrandbits(48):x}"


def check_signature(request, secrets):
    """As the specification tells receivers."""
    headers = request["headers"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request["body"]
    wanted = {"v1," + base64.b64encode(hmac.new(base64.b64decode(secret), signed, hashlib.sha256).digest()).decode() for secret in secrets}
    assert set(headers["webhook-signature"].split(" ")) == wanted
    assert abs(int(headers["webhook-timestamp"]) - request["at"]) < 60 and "." not in headers["webhook-id"]


def test_a_receipt_goes_out_signed_with_both_secrets(desk):
    url = desk.plain.url(path := nonce())
    tracking = desk.tell(url)[0]
    request = wait_until(lambda: desk.plain.of(path))[0]
    check_signature(request, (NEW, OLD))
    body = json.loads(request["body"])
    assert request["method"] == "POST" and request["headers"]["content-type"] == "application/json"
    assert body["type"].startswith("ticket.received") and body["data"]["tracking"] == tracking and tracking in body["data"]["text"]
    assert request["headers"]["idempotency-key"] == request["headers"]["webhook-id"]
    assert desk.tried(url)[0] == DELIVERED


def test_tls_is_checked_by_name_and_chain(desk):
    good, wrong = desk.tls.url(path := nonce(), "localhost"), desk.tls.url(nonce(), "127.0.0.1")
    desk.tell(good)
    desk.tell(wrong)
    assert desk.tried(good)[0] == DELIVERED and desk.tls.of(path)
    row = desk.tried(wrong)
    assert row[0] == 0 and ("certificate" in row[2] or "SSL" in row[2])


def test_every_status_is_judged_and_a_retry_is_the_same_message(desk):
    outcomes = {}
    for code in (200, 201, 204, 299, 300, 301, 302, 304, 307, 400, 401, 404, 408, 409, 410, 413, 422, 429, 500, 502, 503, 504, 599):
        path = nonce()
        answer = status(code, "Location: /elsewhere") if code != 204 else b"HTTP/1.1 204 No\r\n\r\n"
        answer = b"HTTP/1.1 304 Not\r\n\r\n" if code == 304 else answer
        desk.plain.answers[path] = [[answer], [OK]]
        outcomes[code] = path
        desk.tell(desk.plain.url(path))
    for code, path in outcomes.items():
        row = desk.tried(desk.plain.url(path))
        assert row[0] == (DELIVERED if code < 300 else FAILED if code == 410 else 0), (code, row)
        assert code < 300 or row[2].startswith(str(code)), (code, row)
    assert not desk.plain.of("/elsewhere")
    path = outcomes[500]
    desk.hurry(desk.plain.url(path))
    wait_until(lambda: len(desk.plain.of(path)) >= 2)
    first, second = desk.plain.of(path)[:2]
    assert first["body"] == second["body"] and first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
    check_signature(second, (NEW, OLD))
    assert desk.tried(desk.plain.url(path), 2)[0] == DELIVERED
    suppressed = desk.sql("SELECT suppressed_until FROM targets WHERE address = %s", desk.plain.url(outcomes[410]))
    assert suppressed[0][0] is not None


def test_an_endpoint_that_only_failed_for_days_is_disabled_and_ops_and_its_owner_are_told(desk):
    """What waited for it, and what comes later, ends as after any failure: staff are told that the customer was not."""
    url = desk.plain.url(path := nonce() + "?secret=1")
    desk.plain.answers[path] = [[status(500)]]
    process = desk.stack.home / "h/etc/process"
    (process / "webhooks.yaml").write_text(f"endpoints:\n  - {{url: '{desk.plain.url('/')}', owner: somebody-else@localhost}}\n"
                                           f"  - {{url: '{url.split('?')[0]}', owner: partner@localhost}}\n")
    desk.apply("owners")
    first, = desk.tell(url)
    undelivered = lambda: {id_of(tracking) for tracking in tickets} - {row[0] for row in desk.sql("SELECT ticket FROM outbox WHERE kind = 'undelivered' AND audience = 2")}
    desk.tried(url)
    since = "SELECT failing_since FROM targets WHERE address = %s"
    assert wait_until(lambda: desk.sql(since, url)[0][0])
    with desk.stack.db() as connection:
        connection.execute("UPDATE targets SET failing_since = docket_now() - 119::bigint * 3600000000 WHERE address = %s", (url,))
    desk.hurry(url)
    desk.tried(url, 2)
    assert desk.rows(url)[0][0] == 0, "119 hours are not 120"
    with desk.stack.db() as connection:  # another ticket's message waits for the endpoint as well
        connection.execute("UPDATE targets SET blocked_until = docket_now() + 3600000000, ready_at = docket_now() + 3600000000 WHERE address = %s", (url,))
    second, = desk.tell(url)
    wait_until(lambda: len(desk.rows(url)) == 2)
    with desk.stack.db() as connection:
        connection.execute("UPDATE targets SET failing_since = docket_now() - 121::bigint * 3600000000, blocked_until = 0 WHERE address = %s", (url,))
        connection.execute("UPDATE deliveries SET next_at = docket_now() + 3600000000 WHERE address = %s AND ticket <> %s AND state = 0", (url, id_of(first)))
    desk.hurry_one(url, first)
    desk.tried(url, 3)
    wait_until(lambda: desk.sql("SELECT FROM targets WHERE address = %s AND suppressed_until > docket_now()", url))
    assert not desk.sql("SELECT FROM deliveries WHERE address = %s AND state < 2", url)
    alert, = desk.sql("SELECT body FROM alerts WHERE cause = %s", "address:" + url.split("?")[0])
    assert "only failed for days" in alert[0] and "secret" not in alert[0]
    seen = len(desk.plain.of(path))
    desk.tell(url)
    wait_until(lambda: desk.rows(url)[-1][0] == 6)
    assert len(desk.plain.of(path)) == seen
    third = desk.rows_of(url)[-1][0]
    tickets = [first, second]
    wait_until(lambda: not undelivered() and desk.sql("SELECT FROM outbox WHERE kind = 'undelivered' AND ticket = %s", third))
    mail = wait_until(lambda: [text for text in desk.stack.mails() if "partner@localhost" in text and path.split("?")[0] in text], 20)[0]
    assert "secret" not in mail and "Your webhook is disabled" in mail and "said" in mail
    assert not [text for text in desk.stack.mails() if "somebody-else@localhost" in text], "the longest beginning that fits names the owner"
    desk.plain.answers[path] = [[OK]]
    number = desk.sql("SELECT max(id) FROM deliveries WHERE address = %s AND kind LIKE 'received%%'", url)[0][0]
    desk.client.call("notification.retry", notification=number, as_=ADA)
    wait_until(lambda: desk.rows(url)[-1][0] == DELIVERED)
    wait_until(lambda: desk.sql(since, url)[0][0] == 0)


def test_retry_after_is_honoured(desk):
    for value, low, high in (("120", 100, 125), (time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 600)), 500, 605), ("nonsense", 3, 7)):
        path = nonce()
        desk.plain.answers[path] = [[status(503, f"Retry-After: {value}")]]
        desk.tell(desk.plain.url(path))
        pause = desk.tried(desk.plain.url(path))[3]
        assert low - 10 < pause < high, (value, pause)


@pytest.mark.parametrize("value", ["9223372036854775807", "9223372036855", "Fri, 31 Dec 2099 23:59:59 GMT"])
def test_retry_after_is_believed_up_to_a_day(desk, value):
    """An endpoint that asks for more, by mistake or on purpose, would never be told anything again: not by this message nor by another."""
    path = nonce()
    desk.plain.answers[path] = [[status(503, f"Retry-After: {value}")]]
    desk.tell(desk.plain.url(path))
    assert 86000 < desk.tried(desk.plain.url(path))[3] < 86500
    rest, = desk.sql("SELECT (blocked_until - docket_now()) / 1e6 FROM targets WHERE address = %s", desk.plain.url(path))
    assert 86000 < rest[0] < 86500


def test_half_answers_and_hang_ups_at_every_byte_are_unknown_and_sent_again(desk):
    answer = status(200, body=b"fine")
    head = answer.index(b"\r\n\r\n") + 4
    cuts = {cut: nonce() for cut in (*range(0, 20), head - 2, head - 1, head, head + 1, len(answer) - 1)}
    for cut, path in cuts.items():
        desk.plain.answers[path] = [[answer[:cut], "hang"], [OK]]
        desk.tell(desk.plain.url(path))
    for cut, path in cuts.items():
        row = desk.tried(desk.plain.url(path))
        assert row[0] in (0, DELIVERED), (cut, row)
        if row[0] == 0:
            desk.hurry(desk.plain.url(path))
    for cut, path in cuts.items():
        wait_until(lambda path=path: desk.rows(desk.plain.url(path))[0][0] == DELIVERED, 20)
        ids = {request["headers"]["webhook-id"] for request in desk.plain.of(path) if b"ticket.received" in request["body"]}
        assert len(ids) == 1


def test_answers_that_are_no_http_or_without_end_are_read_no_further(desk):
    for words in (b"\x00\x01\x02 nonsense\r\n\r\n", b"220 smtp.example ESMTP\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000):
        path = nonce()
        desk.plain.answers[path] = [[words, "hang"]]
        desk.tell(desk.plain.url(path))
        assert desk.tried(desk.plain.url(path))[0] in (0, DELIVERED)
    path = nonce()
    desk.plain.answers[path] = [[b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * (1 << 20), "hang"]]
    desk.tell(desk.plain.url(path))
    row = desk.tried(desk.plain.url(path))
    assert row[0] == DELIVERED and len(row[2]) <= 1024


def test_private_addresses_are_refused_when_connected(desk):
    for host in ("127.0.0.2", "localhost"):
        url = desk.plain.url(nonce(), host)
        desk.tell(url)
        row = desk.tried(url)
        if host == "127.0.0.2":
            assert row[0] == FAILED and "private" in row[2]
    url = "https://nowhere-configured.example/"
    desk.tell(url)
    failed = wait_until(lambda: desk.sql("SELECT reason FROM deliveries WHERE address = %s AND state = 4", url))
    assert "no secret for nowhere-configured.example" in failed[0][0]


def test_a_slow_endpoint_delays_nobody_else(desk):
    slow, fast = nonce(), nonce()
    desk.plain.answers[slow] = [[0.4, OK], [1.1, OK], [0.2, OK], [0.7, OK]] * 3 + [[0.3, OK]]
    desk.tell(desk.plain.url(slow), 10)  # of more, all would go as one where they wait together
    wait_until(lambda: len(desk.plain.of(slow)) >= 1)
    desk.tell(desk.plain.url(fast))
    assert desk.tried(desk.plain.url(fast))[0] == DELIVERED
    assert desk.tried(desk.plain.url(slow))[0] == DELIVERED
    wait_until(lambda: len(desk.plain.of(slow)) >= 10, 30)
    assert desk.plain.most[slow] <= 4  # of 64 slots, also when some of its share end early


def test_many_addresses_of_one_slow_host_hold_four_slots_together(desk):
    """One host is one server, however many paths it has: what it cannot take at once waits, and other hosts are served."""
    slow, fast = HttpServer(), nonce()
    try:
        paths = [nonce() for _ in range(10)]
        for path in paths:
            slow.answers[path] = [[2, OK]]
        for path in paths:
            desk.tell(slow.url(path))
        wait_until(lambda: slow.requests)
        desk.tell(desk.plain.url(fast))
        assert desk.tried(desk.plain.url(fast))[0] == DELIVERED
        wait_until(lambda: len({request["path"] for request in slow.requests}) == 10, 60)
        assert slow.most_at_once <= 4
    finally:
        slow.close()


def test_an_alert_reaches_a_robot_of_staff(desk):
    """A person in staff.yaml may be a machine."""
    url = desk.plain.url(path := nonce())
    process = desk.stack.home / "h/etc/process"
    text = (process / "staff.yaml").read_text()
    robot = f"  robot: {{name: Robot, webhook: \"{url}\"}}\n"
    if re.search(r"^people:", text, re.M):
        text = re.sub(r"^people:.*\n", lambda found: "people:\n" + robot, text, count=1, flags=re.M)
    else:
        text += "people:\n" + robot
    (process / "staff.yaml").write_text(text)
    (process / "escalation.yaml").write_text(
        "policies:\n  robots:\n    levels: [{after: 0m, tell: [person:robot]}]\n    repeat: {every: 1h, loops: 1}\n    last_resort: {tell: [ops], every: 1h}\nmatch:\n  - {policy: robots}\n")
    desk.apply("robot")
    tracking = desk.client.submit(impact="down")
    alert = wait_until(lambda: desk.client.call("alert.list", tracking=tracking)["alerts"])[0]
    request = wait_until(lambda: [one for one in desk.plain.of(path) if tracking in one["body"].decode()], 20)[0]
    body = json.loads(request["body"])
    assert body["type"] == "alert.alert" and body["data"]["alert"] == alert["alert"] and body["data"]["audience"] == "staff"
    assert ticket_of(desk.client.show(tracking))["priority"] == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nothing_listens(desk, host):
    """localhost is ::1 as well, which http_allow does not have: that one of its addresses is refused says nothing of the other, which is down."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://{host}:{closed.getsockname()[1]}/"
        desk.tell(url)
        row = desk.tried(url)
    assert row[0] == 0 and "onnect" in row[2]


def test_a_proxy_of_the_environment_is_not_asked(desk):
    """It would connect what the guard refuses."""
    proxy = HttpServer()
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY")
    before = {name: os.environ.get(name) for name in names}
    try:
        os.environ.update(dict.fromkeys(names, proxy.url("")))
        desk.stack.kill("notifier-1")
        desk.stack.up()
        plain, tls = desk.plain.url(one := nonce()), desk.tls.url(two := nonce(), "localhost")
        desk.tell(plain)
        desk.tell(tls)
        assert desk.tried(plain)[0] == DELIVERED and desk.tried(tls)[0] == DELIVERED
        assert desk.plain.of(one) and desk.tls.of(two) and not proxy.requests
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        proxy.close()


@pytest.mark.parametrize("host", [f"[{one}]" if ":" in one else one for one in NUMBERS])
def test_an_address_in_another_form_is_the_address_it_is(desk, host):
    """Signed for, as an owner may have it, and refused all the same: nothing is sent to what the number means."""
    url = f"https://{host}:{desk.tls.port}{(path := nonce())}"
    desk.tell(url)
    row = desk.tried(url)
    assert not desk.tls.of(path)
    if host in NUMBERS[:4]:  # http_allow has 127.0.0.1: then the certificate is another's
        assert row[0] == 0 and ("SSL" in row[2] or "certificate" in row[2]), row
    else:
        assert row[0] == FAILED and "private" in row[2], row
