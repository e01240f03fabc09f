"""The README's example of several hosts, run as it stands: hosts of a private network, each with its address, the configuration out of the page."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import psycopg
import pytest
from helpers import BIN, ROOT, SLOW, wait_until
from hosts import Network, why_not

DATABASE = "10.9.0.9"
FIRST, SECOND = "10.9.0.1", "10.9.0.2"
REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


def example():
    """The files of the example, by their names: columns of one block, each under its heading."""
    block = re.search(r"\n((?:    .*\n|\n)*?    # docket-broker\.yaml.*\n(?:    .*\n)+)", (ROOT / "README.md").read_text()).group(1)
    lines = [line[4:] for line in block.splitlines()]
    starts = sorted({match.start() for line in lines for match in re.finditer(r"# docket", line)})
    files = {}
    for start, end in zip(starts, [*starts[1:], None]):
        name = None
        for line in lines:
            cell = line[start:end].rstrip()
            if cell.startswith("# docket"):
                name = cell[2:]
            elif name and cell:
                files[name] = files.get(name, "") + cell + "\n"
    return files


def at_second(text):
    """The same for the second host: what it is and binds, not whom it connects to."""
    text = re.sub(r"^(name: .*)-1$", r"\1-2", text, flags=re.M)
    return re.sub(rf"^(clients|workers|pokes|feed): tcp://{re.escape(FIRST)}:", rf"\1: tcp://{SECOND}:", text, flags=re.M)


class Desk:
    """Two hosts with a broker and a notifier each, one with a worker, one of the staff, one with the database."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="docket-test-"))
        self.home.chmod(0o755)  # PostgreSQL runs as somebody else
        self.network = Network()

    def open(self):
        self.database = self.network.host("db", DATABASE)
        self.one, self.two = self.network.host("one", FIRST), self.network.host("two", SECOND)
        self.worker, self.staff = self.network.host("worker", "10.9.0.3"), self.network.host("staff", "10.9.0.4")
        started = self.database.does(ROOT / "tests/private-pg", "start", self.home / "pg", DATABASE, "10.9.0.0/24", cwd=ROOT)
        assert started.returncode == 0, started.stderr
        dsn = started.stdout.strip()
        self.dsn = dsn.replace("dbname=postgres", "dbname=docket")
        with psycopg.connect(dsn, autocommit=True) as db:
            db.execute("CREATE DATABASE docket")
        self.write()

    def write(self):
        """/etc/docket of each host. The dots of the example stand for who one is."""
        files = example()
        assert set(files) == {"docket-broker.yaml", "docket-worker.yaml", "docket-notifier.yaml", "docket.yaml"}
        for host, change in ((self.one, str), (self.two, at_second), (self.worker, str), (self.staff, str)):
            folder = self.etc(host)
            folder.mkdir(parents=True)
            for name, text in files.items():
                (folder / name).write_text(change(text).replace("…", "user=docket"))

    def etc(self, host):
        return self.home / host.name / "docket"

    def program(self, host, program):
        return [BIN / program, "--config", self.etc(host) / f"{program}.yaml"]

    def start(self, host, program):
        host.start(program, *self.program(host, program), log=self.home / host.name / f"{program}.log")

    def start_all(self):
        done = self.one.does(BIN / "docket-broker", "migrate", "--config", self.etc(self.one) / "docket-broker.yaml")
        assert done.returncode == 0, done.stderr
        for host in (self.one, self.two):
            (self.home / host.name / "mail").mkdir()
            host.start("relay", ROOT / "deploy/local/mailsink", "--port", "25", "--dir", self.home / host.name / "mail", log=self.home / host.name / "relay.log")
            self.start(host, "docket-broker")
            self.start(host, "docket-notifier")
        self.start(self.worker, "docket-worker")

    def docket(self, *words, timeout=4):
        return self.staff.does(BIN / "docket", "--timeout", timeout * SLOW, "--json", *words, env={**os.environ, "XDG_CONFIG_HOME": str(self.home / "staff"), "DOCKET_USER": "ada"})

    def told(self, *words, **options):
        done = self.docket(*words, **options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def submit(self, title):
        return self.told("submit", "--customer", "acme", "--contact", "email=carla@localhost", "--title", title, "--problem", "It echoes.", "--impact", "degraded", timeout=10)["tracking"]

    def decided(self, tracking):
        def look():
            done = self.docket("show", tracking)
            return done.returncode == 0 and (ticket := json.loads(done.stdout)).get("ticket", ticket)["priority"]

        return wait_until(look, 30, 0.2)

    def ready(self, host):
        """Its broker can serve. Asked there: /readyz is on the loopback."""
        done = host.does("/usr/bin/python3", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:7411/readyz', timeout=5).status)")
        return done.stdout == "200\n"

    def mails(self):
        return [file.read_text() for host in (self.one, self.two) for file in (self.home / host.name / "mail").glob("*.eml")]

    def value(self, query):
        with psycopg.connect(self.dsn, autocommit=True) as db:
            return db.execute(query).fetchone()[0]

    def logs(self):
        return "\n".join(f"== {file}\n{file.read_text(errors='replace')[-2000:]}" for file in self.home.glob("*/*.log"))

    def close(self):
        self.network.close()
        subprocess.run([ROOT / "tests/private-pg", "stop", self.home / "pg"], cwd=ROOT, check=False)
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture
def desk():
    running = Desk()
    try:
        running.open()
        yield running
    finally:
        running.close()


@pytest.mark.limit(180)
def test_the_example_of_several_hosts_posts_decides_and_fails_over(desk):
    for program in ("docket-broker", "docket-worker", "docket-notifier"):
        words = desk.program(desk.one, program)
        assert desk.one.does(words[0], "check-config", *words[1:]).returncode == 0, program
    desk.start_all()
    for host in (desk.one, desk.two):
        wait_until(lambda: desk.ready(host), 20, 0.2)  # noqa: B023
    first = desk.submit("Both are there")
    assert desk.decided(first) == 2

    # The cable of the first host: what it holds is taken over, clients and workers go on at the second.
    desk.one.plug(False)
    second = desk.submit("One is cut off")
    assert desk.decided(second) == 2
    wait_until(lambda: desk.value("SELECT count(*) FROM brokers WHERE NOT settled AND name = 'broker-1'") == 0, 30, 0.2)
    desk.told("comment", first, "--text", "It goes on", timeout=10)

    # It is back, and then the second host dies.
    desk.one.plug(True)
    wait_until(lambda: desk.ready(desk.one), 30, 0.2)
    desk.two.end("docket-broker", signal.SIGKILL)
    desk.two.end("docket-notifier", signal.SIGKILL)
    third = desk.submit("The other one is dead")
    assert desk.decided(third) == 2
    assert desk.told("comment", second, "--text", "Here too", timeout=10)["version"] > 1

    # Each customer was told once, and nothing is broken.
    def receipts(tracking):
        return sum(tracking in mail and "X-Docket-Kind: received" in mail for mail in desk.mails())

    wait_until(lambda: all(receipts(tracking) for tracking in (first, second, third)), 30, 0.2)
    assert [receipts(tracking) for tracking in (first, second, third)] == [1, 1, 1]
    done = desk.one.does(*desk.program(desk.one, "docket-broker")[:1], "verify", *desk.program(desk.one, "docket-broker")[1:])
    assert done.returncode == 0, done.stdout + done.stderr
    assert desk.one.end("docket-broker") == 0
