"""The programs of a stack: their configuration files, how each is started, and when it is healthy."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

from .plan import ROOT, StackError, write_whole
from .procs import Proc

SINK = ROOT / "deploy/local/mailsink"


def _yaml(settings):
    """A flat map as YAML; JSON's scalars and lists are YAML's."""
    return "# Written by deploy/local/stack.\n" + "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())


def _broker_settings(plan, n):
    return {
        "name": f"broker-{n}", "dsn": plan.dsn, "clients": plan.clients(n), "workers": plan.worker_endpoint(n),
        "pokes": plan.pokes(n), "http": plan.broker_http(n), "tracking_prefix": "DKT",
        "auto_migrate": True, "log_level": "info",
    }


def _worker_settings(plan, n):
    return {"name": f"worker-{n}", "brokers": [plan.worker_endpoint(b) for b in plan.each("brokers")], "log_level": "info"}


def _notifier_settings(plan, n):
    return {
        "name": f"notifier-{n}", "dsn": plan.dsn, "brokers": [plan.clients(b) for b in plan.each("brokers")],
        "pokes": [plan.pokes(b) for b in plan.each("brokers")], "feed": plan.feed(n), "http": plan.notifier_http(n),
        "smtp_url": f"smtp://127.0.0.1:{plan.smtp_port}", "smtp_rate": 0,  # our own sink takes all
        "mail_from": "desk@localhost", "mail_domain": "localhost",
        "reply_address": "desk@localhost", "bounce_address": "bounce@localhost",
        "staff_address": "staff@localhost", "ops_address": "ops@localhost", "public_url": plan.public_url(n),
        "public_http": plan.public_url(n).partition("://")[2], "token_key_file": str(plan.path("etc", "token.key")), "log_level": "info",
    }


def _make_token_key(path):
    """The key of links and reply addresses, one for all notifiers; made once."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")


def _mail_in_settings(plan):
    """Of docket-mail, which a mail server would call: it runs for one mail at a time."""
    return {
        "brokers": [plan.clients(b) for b in plan.each("brokers")], "token_key_file": str(plan.path("etc", "token.key")),
        "reply_address": "desk@localhost", "bounce_address": "bounce@localhost", "mail_domain": "localhost", "authserv_id": "mx.localhost",
    }


class Program:
    """One process of the stack. kind: broker, worker, notifier or mail."""

    def __init__(self, plan, kind, n=1):
        self.plan, self.kind, self.n = plan, kind, n
        self.name = kind if kind == "mail" else f"{kind}-{n}"
        self.proc = Proc(plan, self.name)
        self.config = plan.path("etc", self.name + ".yaml")
        self.http = {"broker": plan.broker_http, "notifier": plan.notifier_http}.get(kind, lambda _: None)(n)

    @property
    def binary(self):
        return f"{self.plan.bin}/docket-{self.kind}"

    def configure(self):
        """Writes the configuration, once: a later `up` leaves what was edited."""
        if self.kind == "notifier":
            _make_token_key(self.plan.path("etc", "token.key"))
            if not self.plan.path("etc", "docket-mail.yaml").exists():
                write_whole(self.plan.path("etc", "docket-mail.yaml"), _yaml(_mail_in_settings(self.plan)))
        make = {"broker": _broker_settings, "worker": _worker_settings, "notifier": _notifier_settings}.get(self.kind)
        if make and not self.config.exists():
            write_whole(self.config, _yaml(make(self.plan, self.n)))

    def command(self):
        if self.kind == "mail":
            return [sys.executable, str(SINK), "--port", str(self.plan.smtp_port), "--dir", str(self.plan.path("mail"))]
        return [self.binary, "--config", str(self.config)]

    def start(self):
        if not self.proc.pid():
            self.proc.start(self.command(), self.plan.home)

    def address(self):
        return {
            "broker": lambda: self.plan.clients(self.n), "notifier": lambda: self.plan.feed(self.n),
            "mail": lambda: f"smtp://127.0.0.1:{self.plan.smtp_port}", "worker": lambda: "",
        }[self.kind]()

    def ready(self):
        """Whether it can serve: it runs and its /readyz says 200 (a worker has none: the broker counts it)."""
        if not self.proc.pid():
            return False
        if self.kind == "mail":
            return _greets(self.plan.smtp_port)
        return self.http is None or http_get(f"http://{self.http}/readyz")[0] == 200


def http_get(url, seconds=2):
    """(status, text); status 0 when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=seconds) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (OSError, ValueError):
        return 0, ""


def _greets(port):
    import socket

    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


def programs(plan):
    """All but PostgreSQL, in the order in which they start."""
    listed = [Program(plan, "mail")]
    for kind in ("broker", "worker", "notifier"):
        listed += [Program(plan, kind, n) for n in plan.each(kind + "s")]
    return listed


def copy_process(plan, source):
    """The stack's own copy of the process, made once."""
    target = plan.path("etc", "process")
    if target.exists():
        if source is not None:
            print(f"stack: --process {source}: {target} exists and is left as it is", file=sys.stderr)
        return
    source = source or ROOT / "deploy/process"
    try:
        shutil.copytree(source, target.with_name("process.new"), dirs_exist_ok=True)
        target.with_name("process.new").rename(target)
    except (OSError, shutil.Error) as error:
        raise StackError(f"cannot copy the process {source}: {error}") from None


def migrate(plan):
    command = [f"{plan.bin}/docket-broker", "migrate", "--config", str(plan.path("etc", "broker-1.yaml")),
               "--process", str(plan.path("etc", "process"))]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise StackError(f"cannot run {command[0]}: {error.strerror}; `make` builds it") from None
    with open(plan.path("log", "migrate.log"), "a") as log:
        log.write(done.stdout)
    if done.returncode != 0:
        raise StackError(f"`{' '.join(command)}` failed:\n{done.stdout.strip()}")
