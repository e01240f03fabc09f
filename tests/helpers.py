"""What the system and fault tests share: a foreign client of DKT/1, a stack of real processes, waiting for a condition. No
test knows more of Docket than docs/protocol*.md tells."""

import contextlib
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import msgpack
import psycopg
import zmq

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(os.environ.get("DOCKET_BIN", ROOT / "build/bin")).resolve()
SLOW = 4 if os.environ.get("DOCKET_SLOW_BUILD") else 1  # sanitizers: deadlines are that much longer
ADA = {"name": "ada", "role": "staff"}
BEN = {"name": "ben", "role": "staff"}
CUSTOMER = {"name": "carla", "role": "customer"}
MACHINE = {"name": "probe", "role": "system"}
TRACKING = re.compile(r"^DKT-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]$")
# So many receipts that wait, of tickets written past the broker.
WAITING_RECEIPTS = """WITH x AS (
    INSERT INTO tickets (id, posted_at, key_digest, content_digest, customer, title, problem, extra)
    SELECT n, docket_now(), decode(md5('k' || n), 'hex'), decode(md5('c' || n), 'hex'), 'bench', 'Backlog', 'x',
           '\\x81a7636f6e7461637481a5656d61696c'::bytea || ('\\x' || to_hex(160 + 17))::bytea || convert_to(lpad(n::text, 7, '0') || '@localhost', 'UTF8')
      FROM generate_series(1, %s) n RETURNING id)
INSERT INTO outbox (ticket, version, audience, kind, created_at) SELECT id, 1, 1, 'received', docket_now() FROM x"""


# Tests run side by side (pytest-xdist): each of its processes takes ports of a lane of its own, since between finding a port free and
# listening there another could find the same.
LANES, LANE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)), int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])


def free_port():
    """A loopback port nobody listens at, below those that the kernel gives to connections."""
    while True:
        with contextlib.suppress(OSError), contextlib.closing(socket.socket()) as one:
            one.bind(("127.0.0.1", random.randrange(30000 + LANE, 32700, LANES)))
            return one.getsockname()[1]


def wait_until(condition, seconds=10, step=0.02):
    """Calls condition until it gives something true, which is returned; fails when the time is over."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds * SLOW} s: {condition}"
        time.sleep(step)


@contextlib.contextmanager
def migrated():
    """A PostgreSQL with the newest schema and the shipped process, and no program at it: its dsn."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="docket-test-"))
    dsn = subprocess.run([ROOT / "tests/private-pg", "start", home], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    try:
        config = home / "broker.yaml"
        config.write_text(f'dsn: "{dsn}"\n')
        subprocess.run([BIN / "docket-broker", "migrate", "--config", config, "--process", ROOT / "deploy/process"], check=True, capture_output=True)
        yield dsn
    finally:
        subprocess.run([ROOT / "tests/private-pg", "stop", home], cwd=ROOT, check=True)
        shutil.rmtree(home, ignore_errors=True)


class Refused(Exception):
    """An answer with ok: false."""

    def __init__(self, error):
        super().__init__(f"{error.get('code')}: {error.get('message')} (field {error.get('field')})")
        self.error, self.code, self.field = error, error["code"], error.get("field")


class Client:
    """A DEALER of its own. Fields whose names are words of Python end in an underscore: as_=ADA."""

    def __init__(self, endpoint, timeout=20):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(endpoint)
        self.timeout, self.last = timeout * SLOW, 0

    def send_raw(self, *frames):
        self.socket.send_multipart(list(frames))

    def send(self, op, /, **body):
        self.last += 1
        body = {name.rstrip("_"): value for name, value in body.items()}
        self.send_raw(msgpack.packb({"dkt": 1, "id": self.last, "op": op, "body": body}))
        return self.last

    def receive(self, seconds=None):
        """The next answer as it is; None when there is none in time."""
        if not self.socket.poll(int(1000 * (seconds or self.timeout))):
            return None
        return msgpack.unpackb(self.socket.recv(), strict_map_key=False)

    def call(self, op, /, **body):
        sent = self.send(op, **body)
        answer = self.receive()
        assert answer is not None, f"no answer to {op}"
        assert answer["dkt"] == 1 and answer["id"] == sent, answer
        if answer["ok"]:
            return answer["body"]
        raise Refused(answer["error"])

    def refused(self, op, /, **body):
        """Calls and returns the refusal; fails when it was no refusal."""
        try:
            answer = self.call(op, **body)
        except Refused as refusal:
            return refusal
        raise AssertionError(f"{op} was accepted: {answer}")

    def submit(self, **fields):
        """A ticket with what is not said made up; its tracking number."""
        body = {"key": f"t-{random.getrandbits(64):016x}", "customer": "acme", "title": "Echo on line 2", "problem": "It echoes.", **fields}
        return self.call("ticket.submit", **body)["tracking"]

    def show(self, tracking):
        return self.call("ticket.show", tracking=tracking)

    def decided(self, tracking, seconds=10):
        """The ticket, once it has a priority."""
        return wait_until(lambda: (ticket := ticket_of(self.show(tracking)))["priority"] and ticket, seconds)

    def workers_run_the_newest(self):
        """Workers go on by the version of the process before for a moment."""
        listed = self.call("process.list")
        return {one["process"] for one in listed["running"]} == {listed["versions"][0]["hash"]}

    def close(self):
        self.socket.close()


def ticket_of(answer):
    """The ticket inside an answer of ticket.show."""
    return answer.get("ticket", answer)


def id_of(tracking):
    """The number in the database that a tracking number writes: twelve letters of base 32, without prefix and check."""
    number = 0
    for letter in tracking.partition("-")[2].replace("-", "")[:12]:
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    return number


def alive(pid):
    """Whether the process runs (a zombie does not)."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Stack:
    """deploy/local/stack with a home and ports of its own."""

    def __init__(self, **options):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="docket-test-"))
        self.options = options
        self.up(first=True)

    def _stack(self, command, *options, check=True):
        done = subprocess.run([str(ROOT / "deploy/local/stack"), command, "--home", str(self.home / "h"), *options],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert not check or done.returncode == 0, f"stack {command}: {done.stderr}"
        return done

    def up(self, first=False):
        """Starts what is down; on the first time with the options, at ports that are free."""
        options = ["--bin", str(BIN), "--timeout", str(120 * SLOW)]
        for name, value in self.options.items():
            options += ["--" + name.replace("_", "-"), str(value)] if first else []
        for _ in range(20):
            port = ["--base-port", str(random.randrange(10000 + 100 * LANE, 30000, 100 * LANES))] if first else []
            done = self._stack("up", *options, *port, check=False)
            if "is in use" in done.stderr:
                continue
            if not first or "Address already in use" not in done.stderr:
                break
            # Another took a port after it was found free: anew, elsewhere.
            self._stack("down", check=False)
            shutil.rmtree(self.home / "h")
        if done.returncode != 0 and first:
            self.close(check=False)
        assert done.returncode == 0, done.stderr
        lines = (self.home / "h/stack.env").read_text().splitlines()
        self.env = {name: (shlex.split(value) or [""])[0] for name, _, value in (line.partition("=") for line in lines)}

    def pid(self, name):
        return int(self.env["DOCKET_PID_" + name.upper().replace("-", "_")])

    def kill(self, name, number=signal.SIGKILL):
        """Signals a process of the stack; after SIGKILL waits until it is gone."""
        pid = self.pid(name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if number == signal.SIGKILL:
            wait_until(lambda: not alive(pid))

    def endpoint(self, n=1):
        return self.env["DOCKET_BROKERS"].split(",")[n - 1]

    def client(self, n=1, **options):
        return Client(self.endpoint(n), **options)

    def config(self, program):
        return self.home / "h/etc" / (program + ".yaml")

    def log(self, program):
        return (self.home / "h/log" / (program + ".log")).read_text(errors="replace")

    def mails(self):
        """All mails so far, oldest first, as text with CRLF."""
        return [file.read_bytes().decode(errors="replace") for file in sorted((self.home / "h/mail").glob("*.eml"))]

    @contextlib.contextmanager
    def db(self):
        with psycopg.connect(self.env["DOCKET_DSN"], autocommit=True) as connection:
            yield connection

    def value(self, query, *args):
        with self.db() as connection:
            return connection.execute(query, args).fetchone()[0]

    def is_settled(self):
        """All that was posted is decided: nothing happens any more by itself."""
        return self.value("SELECT count(*) FROM tickets t LEFT JOIN desk d ON d.ticket = t.id WHERE d.priority IS NULL") == 0

    def http(self, program, path):
        """(status, text) of a program's internal HTTP."""
        url = self.env["DOCKET_HTTP_" + program.upper().replace("-", "_")] + path
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=5 * SLOW) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def verify(self):
        """docket-broker verify; fails when an invariant is broken, returns what it printed."""
        done = subprocess.run([str(BIN / "docket-broker"), "verify", "--config", str(self.config("broker-1"))],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def docket(self, *arguments, **options):
        """The command line against this stack."""
        environment = {**os.environ, "DOCKET_BROKERS": self.env["DOCKET_BROKERS"], "DOCKET_USER": "ada"}
        return subprocess.run([str(BIN / "docket"), *arguments], capture_output=True, text=True, env=environment,
                              **{"stdin": subprocess.DEVNULL, **options})

    def sanitizer_reports(self):
        logs = (self.home / "h/log").glob("*.log")
        return [line for log in logs for line in log.read_text(errors="replace").splitlines()
                if "Sanitizer" in line or "runtime error:" in line]

    def close(self, check=True):
        self._stack("down", check=False)
        reports = self.sanitizer_reports()
        if os.environ.get("DOCKET_KEEP_LOGS"):
            print("kept:", self.home)
        else:
            shutil.rmtree(self.home, ignore_errors=True)
        assert not check or not reports, reports
