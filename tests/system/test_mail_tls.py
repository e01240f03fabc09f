"""Mail over TLS with a login, against aiosmtpd: the right certificate and password, wrong ones, a relay without TLS."""

import contextlib
import random
import re
import ssl
import subprocess

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from helpers import Stack, free_port, wait_until
from smtp_server import SmtpServer


def run(*command):
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    for name in ("ca", "other"):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key",
            "-out", folder / f"{name}.pem")
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", folder / "relay.key", "-out", folder / "relay.csr")
    run("openssl", "x509", "-req", "-in", folder / "relay.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "2",
        "-extfile", folder / "ext", "-out", folder / "relay.pem")
    return folder


class Relay:
    """aiosmtpd with STARTTLS and a login."""

    def __init__(self, folder):
        self.mails, self.logins, context = [], [], ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "relay.pem", folder / "relay.key")
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True,
                                     auth_required=True, authenticator=self.authenticate)
        self.controller.start()
        self.url = f"smtp://127.0.0.1:{self.controller.port}"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, session.ssl is not None))
        return AuthResult(success=(data.login, data.password) == (b"docket", b"right"))

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos[0], session.ssl.get("cipher") if session.ssl else None))
        return "250 taken"


@pytest.fixture(scope="module")
def relay(certificates):
    one = Relay(certificates)
    yield one
    one.controller.stop()


@pytest.fixture(scope="module")
def desk():
    one = Stack()
    yield one
    one.close()


def aim(stack, relay, folder, password="right", ca="ca.pem", tls="starttls"):
    secret = folder / "password"
    secret.write_text(password + "\n")
    secret.chmod(0o600)
    path = stack.config("notifier-1")
    text = re.sub(r"^(smtp_\w+|lease):.*\n", "", path.read_text(), flags=re.M)
    stack.kill("notifier-1")
    path.write_text(text + f"smtp_url: {relay.url}\nsmtp_tls: {tls}\nsmtp_user: docket\nsmtp_password_file: {secret}\n"
                    f"smtp_ca_file: {folder / ca}\nsmtp_timeout: 3s\nlease: 8s\n")
    stack.up()


def post(stack):
    client, address = stack.client(), f"p{random.getrandbits(48):x}@localhost"
    client.submit(contact={"email": address})
    client.close()
    return address


def failure(stack, address):
    return wait_until(lambda: stack.value("SELECT max(reply) FROM deliveries WHERE address = %s AND state = 0 AND attempts > 0", address))


def test_mail_goes_over_starttls_with_a_login(desk, relay, certificates):
    aim(desk, relay, certificates)
    address = post(desk)
    wait_until(lambda: [mail for mail in relay.mails if mail[0] == address])
    assert (b"docket", True) in relay.logins and all(cipher for to, cipher in relay.mails if to == address)


def test_a_wrong_certificate_is_the_relays_fault_and_no_mail_goes(desk, relay, certificates):
    aim(desk, relay, certificates, ca="other.pem")
    address, logins = post(desk), len(relay.logins)
    assert "certificate" in failure(desk, address)
    assert len(relay.logins) == logins and not [mail for mail in relay.mails if mail[0] == address]


def test_a_wrong_password_is_the_relays_fault_and_no_mail_fails_for_it(desk, relay, certificates):
    aim(desk, relay, certificates, password="wrong")
    address = post(desk)
    assert failure(desk, address)
    assert not [mail for mail in relay.mails if mail[0] == address]
    assert desk.value("SELECT count(*) FROM deliveries WHERE address = %s AND state IN (4, 5)", address) == 0
    assert "right" not in desk.log("notifier-1") and "wrong" not in desk.log("notifier-1")


def test_a_relay_without_tls_gets_no_mail_and_no_password(desk, certificates):
    """Or one whose STARTTLS somebody between took out."""
    with contextlib.closing(SmtpServer()) as plain:
        aim(desk, plain, certificates)
        assert "STARTTLS" in failure(desk, post(desk))
        assert plain.sessions and not plain.seen


def test_a_relay_that_offers_no_login_has_the_fault_not_the_mail(desk, certificates):
    """It would refuse each recipient for good ("relaying denied"), or take mail from whoever comes: neither is what smtp_user asks for."""
    with contextlib.closing(SmtpServer()) as plain:
        aim(desk, plain, certificates, tls="none")
        address = post(desk)
        plain.script(address, "rcpt", "550 5.7.1 relaying denied")
        assert "offers no login" in failure(desk, address)
        assert not plain.seen


def test_what_could_not_go_goes_when_the_relay_is_right_again(desk, relay, certificates):
    aim(desk, relay, certificates)
    with desk.db() as db:
        waiting = [r[0] for r in db.execute("UPDATE deliveries SET next_at = 0 WHERE state = 0 RETURNING address").fetchall()]
        db.execute("UPDATE targets SET ready_at = 0 WHERE ready_at IS NOT NULL")
    assert waiting
    wait_until(lambda: set(waiting) <= {to for to, _ in relay.mails})
