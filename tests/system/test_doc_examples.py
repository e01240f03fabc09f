"""Each shell example of the documentation is run as it stands there, or stands in UNRUN, which says why not; and each command that a text names in passing
is one, with options that it has. Python of the README: test_readme.py; its several hosts: test_hosts.py."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from typing import NamedTuple

import pytest
from helpers import ADA, BIN, ROOT, SLOW, Stack, free_port, wait_until
from machine import Machine

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
BEGINS = re.compile(r"\$ |sudo |make\b|docket(-[a-z]+)?\b|printf |\./|\.ci/|deploy/local/|for |cd |psql |pg_")
TRACKING = "DKT-4Q7K-M2P9-ZX3A-H"


class Block(NamedTuple):
    page: str
    line: int
    lines: tuple

    def script(self):
        return "\n".join(self.lines) + "\n"


def blocks_of(page):
    """Fenced blocks of sh and console, and indented ones that begin with a command."""
    name, found, fence, at, block = str(page.relative_to(ROOT)), [], None, 0, []
    for number, line in enumerate([*page.read_text().splitlines(), ""], start=1):
        if line.startswith("```"):
            if fence in ("sh", "bash", "shell", "console"):
                found.append(Block(name, at, tuple(block)))
            fence, at, block = line[3:].split(" ")[0] if fence is None else None, number + 1, []
        elif fence is not None:
            block.append(line)
        elif line.startswith("    "):
            at = at if block else number
            block.append(line[4:])
        elif block:
            if BEGINS.match(block[0]):
                found.append(Block(name, at, tuple(block)))
            block = []
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]

# page, how its first line begins: why it is not run here
UNRUN = {
    ("README.md", "make demo"): "tests run by a test; the demonstration has test_demo.py",
    ("CONTRIBUTING.md", "make deps"): "builds, tests and linters themselves; that each is there is seen below",
    ("docs/rules.md", "$ docket-worker due"): "run by test_rules_doc.py, which compares what is printed",
    ("docs/templates.md", "docket-notifier render KIND"): "the form of a command, not one; test_templates.py runs it",
}


def block_of(page, begins):
    found = [block for block in BLOCKS if block.page == page and block.lines[0].startswith(begins)]
    assert len(found) == 1, (page, begins, [block.lines[0] for block in BLOCKS if block.page == page])
    return found[0]


RUN = {("README.md", "docket submit"), ("README.md", "make LTO=1"), ("docs/operations.md", "sudo -u docket pg_dump"), ("docs/alerts.md", "docket oncall who"),
       ("docs/process.md", "docket process get"), ("examples/gateway/README.md", "printf")}


def test_each_shell_block_is_run_or_has_its_reason():
    for key in [*RUN, *UNRUN]:
        block_of(*key)
    left = [(block.page, block.line) for block in BLOCKS
            if block.page != "docs/cli.md" and not any(block.page == page and block.lines[0].startswith(begins) for page, begins in [*RUN, *UNRUN])]
    assert not left
    assert set(PREPARED) <= set(EXAMPLES) and len(EXAMPLES) == sum(block.page == "docs/cli.md" for block in BLOCKS) > 60


# ---- a whole desk, as the examples take it for granted ----

STAFF = """people:
  ada: {name: Ada, email: ada@localhost}
  ben: {name: Ben, email: ben@localhost}
  cy: {name: Cy, email: cy@localhost}
  dana: {name: Dana, email: dana@localhost}
teams:
  noc: {members: [ada, ben], lead: ada, queues: [noc]}
"""
ONCALL = """schedules:
  primary:
    layers: [{rotation: weekly, start: 2026-01-05, people: [ada, ben, cy]}]
"""


class Desk(Stack):
    def __init__(self, folder):
        self.process = folder / "process"
        shutil.copytree(ROOT / "deploy/process", self.process)
        (self.process / "staff.yaml").write_text(STAFF)
        (self.process / "oncall.yaml").write_text(ONCALL)
        with (self.process / "packages.yaml").open("a") as packages:
            packages.write("quick: {targets: {2: {response: 1s}}}\n")
        super().__init__(process=self.process)
        self.asks = self.client()
        self.asks.call("customer.put", customer={"id": "acme", "name": "Acme", "package": "gold", "contacts": [{"name": "Ann", "email": "ann@localhost"}]}, as_=ADA)
        self.asks.call("customer.put", customer={"id": "hasty", "name": "Hasty", "package": "quick"}, as_=ADA)

    def shell(self, script, folder, seconds=60):
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "DOCKET_BROKERS": self.env["DOCKET_BROKERS"], "DOCKET_USER": "ada", "XDG_CONFIG_HOME": str(folder)}
        return subprocess.run(["bash", "-c", f"set -eu\n{script}"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=seconds * SLOW)

    def does(self, op, tracking, **body):
        return self.asks.call(f"ticket.{op}", tracking=tracking, **{"as_": ADA, **body})

    def ticket(self, **fields):
        tracking = self.asks.submit(**{"impact": "degraded", **fields})
        self.asks.decided(tracking)
        return tracking

    def alert(self):
        tracking = self.ticket(impact="down")
        return wait_until(lambda: self.asks.call("alert.list", tracking=tracking)["alerts"])[0]["alert"]

    def failed(self):
        tracking = self.ticket(contact={"name": "R", "email": f"reject-{time.monotonic_ns()}@localhost"})
        return wait_until(lambda: self.asks.call("notification.list", tracking=tracking, state="failed,dead")["notifications"], 30)[0]["notification"]

    def missed(self):
        tracking = self.ticket(customer="hasty")
        wait_until(lambda: [row for row in self.asks.call("deadline.list", customer="hasty", verdict="missed")["deadlines"] if row["tracking"] == tracking], 30)
        return tracking

    def close(self, **options):
        self.asks.close()
        super().close(**options)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    running = Desk(tmp_path_factory.mktemp("process"))
    yield running
    running.close()


@pytest.fixture
def folder(desk, tmp_path):
    """Where the examples are run: with the files that they name."""
    (tmp_path / "deploy").mkdir()
    shutil.copytree(desk.process, tmp_path / "deploy/process")
    shutil.copytree(desk.process, tmp_path / "process")
    (tmp_path / "description.txt").write_text("It echoes since nine.\n")
    (tmp_path / "ticket.json").write_text(json.dumps({"title": "Echo", "problem": "It echoes.", "impact": "impaired"}))
    (tmp_path / "customers.yaml").write_text("- {id: bee, name: Bee, package: gold}\n- {id: sea, name: Sea, package: silver}\n")
    (tmp_path / "tickets.jsonl").write_text('{"customer": "acme", "title": "One", "problem": "p"}\n{"customer": "acme", "title": "Two", "problem": "p"}\n')
    return tmp_path


def in_state(desk, *ops):
    """A ticket to which that was done: op, its other fields."""
    tracking = desk.ticket()
    for op, body in ops:
        desk.does(op, tracking, **body)
    return tracking


CANNOT = ("cannot_resolve", {"reason": "old", "proposal": "a new one"})
RESOLVED = ("resolve", {"text": "Done."})
CLOSED = ("close", {"reason": "withdrawn", "text": "Not any more."})


def task_of(desk, tracking):
    return next(str(event["version"]) for event in desk.asks.show(tracking)["events"] if event["kind"] == "agreed")


def two_processes(desk):
    """So that there is one before the current."""
    for comment in ("one", "two"):
        with (desk.process / "process.yaml").open("a") as text:
            text.write(f"# {comment}\n")
        assert desk.docket("process", "apply", str(desk.process)).returncode == 0


# What an example finds: its command → what stands in the place of the ticket, or of other words, when it is run.
PREPARED = {
    "find": lambda desk: desk.asks.submit(key="7f3a90") and {},
    "next": lambda desk: desk.does("update", desk.ticket(), set={"queue": "noc"}) and {},
    "release": lambda desk: {TRACKING: in_state(desk, ("take", {}))},
    "resume": lambda desk: {TRACKING: in_state(desk, ("wait", {"on": "customer", "reason": "?"}))},
    "agree": lambda desk: {TRACKING: in_state(desk, CANNOT)},
    "decline": lambda desk: {TRACKING: in_state(desk, CANNOT)},
    "done": lambda desk: (t := in_state(desk, CANNOT, ("agree", {"text": "yes"}))) and {TRACKING: t, "--task 7": f"--task {task_of(desk, t)}"},
    "approve": lambda desk: {TRACKING: in_state(desk, RESOLVED)},
    "reject": lambda desk: {TRACKING: in_state(desk, RESOLVED)},
    "reopen": lambda desk: {TRACKING: in_state(desk, CLOSED)},
    "link": lambda desk: {TRACKING: desk.ticket(), "DKT-0000-0000-0001-E": desk.ticket()},
    "alert show": lambda desk: {"17": str(desk.alert())},
    "alert ack": lambda desk: {"17": str(desk.alert())},
    "alert unack": lambda desk: (n := desk.alert()) and desk.asks.call("alert.ack", alert=n, as_=ADA) and {"17": str(n)},
    "alert resolve": lambda desk: {"17": str(desk.alert())},
    "deadline excuse": lambda desk: {TRACKING: desk.missed()},
    "process rollback": lambda desk: two_processes(desk) or {},
    "notification show": lambda desk: {"4711": str(desk.failed())},
    "notification retry": lambda desk: {"4711": str(desk.failed())},
    "notification discard": lambda desk: {"4711": str(desk.failed())},
    "notification unmute": lambda desk: {" 3": f" {desk.asks.call('notification.mute', reason='x', until_at=int((time.time() + 60) * 1e6), tag='x', as_=ADA)['mute']}"},
}
COMMAND = re.compile(r"docket ((?:(?:alert|oncall|staff|deadline|customer|process|dead|notification|completion) )?[a-z-]+)")
EXAMPLES = {COMMAND.match(block.lines[0])[1]: block for block in BLOCKS if block.page == "docs/cli.md"}


def replaced(text, words):
    for word, other in words.items():
        assert word in text, (word, text)
        text = text.replace(word, other)
    return text


@pytest.mark.parametrize("command", [name for name in EXAMPLES if name != "watch"])
def test_each_example_of_a_command_does_what_it_says(desk, folder, command):
    words = PREPARED[command](desk) if command in PREPARED else {}
    script = EXAMPLES[command].script()
    if TRACKING in script and TRACKING not in words:
        words = {**words, TRACKING: desk.ticket()}
    done = desk.shell(replaced(script, words), folder)
    assert done.returncode == 0, f"{script}{done.stdout}{done.stderr}"


def test_the_example_of_watching_prints_what_happens_until_it_is_interrupted(desk, folder):
    tracking = desk.ticket()
    environment = {**os.environ, "DOCKET_BROKERS": desk.env["DOCKET_BROKERS"]}
    words = shlex.split(EXAMPLES["watch"].lines[0].replace(TRACKING, tracking))
    process = subprocess.Popen([BIN / words[0], *words[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert tracking in process.stdout.readline()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20 * SLOW)
    assert process.returncode == 130


def test_the_readme_s_commands(desk, folder):
    done = desk.shell(replaced(block_of("README.md", "docket submit").script(), {TRACKING: desk.ticket()}), folder)
    assert done.returncode == 0 and done.stdout.startswith("DKT-"), done.stderr


def test_changing_the_on_call_plan(desk, folder):
    """Line by line: a number in one is what an earlier one printed."""
    for line in block_of("docs/alerts.md", "docket oncall who").lines:
        if "--override 7" in line:
            line = line.replace("--override 7", f"--override {number}")  # noqa: F821
        done = desk.shell(line, folder)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        if " override primary --staff" in line:
            number = re.search(r"\d+", done.stdout)[0]
    assert "BEGIN:VCALENDAR" in (folder / "primary.ics").read_text()


def test_changing_the_process(desk, folder):
    two_processes(desk)
    done = desk.shell(block_of("docs/process.md", "docket process get").script(), folder, 120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gateway_of_the_examples_starts(tmp_path):
    shutil.copytree(ROOT / "examples/gateway", tmp_path / "gateway")
    port = free_port()
    script = replaced(block_of("examples/gateway/README.md", "printf").script(), {"127.0.0.1:7480": f"127.0.0.1:{port}"})
    with subprocess.Popen(["bash", "-c", f"set -eu\n{script}"], cwd=tmp_path / "gateway", stdin=subprocess.DEVNULL, start_new_session=True) as process:
        def listens():
            assert process.poll() is None
            return f":{port:04X} " in open("/proc/net/tcp").read()

        try:
            wait_until(listens, 20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
    assert (tmp_path / "gateway/gateway.secret").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def machine():
    one = Machine()
    try:
        reason = one.why_not()
        if reason:
            pytest.skip(reason)
        yield one
    finally:
        one.close()


@pytest.mark.limit(300)
def test_the_readme_s_host_is_installed_answers_and_is_restored_from_its_dump(machine):
    install = block_of("README.md", "make LTO=1").script()
    dump, drop, restore = block_of("docs/operations.md", "sudo -u docket pg_dump").lines
    wait = "for i in $(seq 200); do docket --timeout 2 ping >/dev/null 2>&1 && break; sleep 0.1; done\n"
    # The last line of the page needs a broker that is up: systemd would have waited as little as we do.
    assert install.endswith("docket ping\n")
    done = machine.run(
        install.removesuffix("docket ping\n") + wait + "docket ping\n"
        "docket submit --customer acme --title Echo --problem p --impact impaired | tee /tmp/tracking\n"
        "for i in $(seq 200); do docket show $(cat /tmp/tracking) | grep -q 'P3' && break; sleep 0.1; done\n"
        f"cd /tmp\n{dump}\n"
        "pkill docket-; while pgrep docket- >/dev/null; do sleep 0.1; done\n"  # in a process namespace of its own
        f"{drop}\n{restore}\n"
        "sudo systemctl enable --now docket-broker docket-worker docket-notifier\n"
        # A broker on another history than before connects anew once more: it may answer, and not read yet.
        "for i in $(seq 200); do docket show $(cat /tmp/tracking) >/dev/null 2>&1 && break; sleep 0.1; done\n"
        "docket show $(cat /tmp/tracking); sudo -u docket docket-broker verify\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the process got its first version" in done.stdout and "broken" not in done.stdout
    assert re.search(r"priority +P3", done.stdout), done.stdout


def test_each_target_that_a_page_names_is_one():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.M))
    for page in PAGES:
        for words in re.findall(r"(?:^    |`)make ([^`#\n;&]*)", page.read_text(), re.M):
            for word in words.split():
                name = word.partition("=")[0]
                assert word == "…" or word.startswith("-j") or (name in targets if name == word else re.search(rf"\b{name}\b", makefile)), f"{page.name}: make {words}"


def inline_commands():
    """`docket …` in a text: (page, words)."""
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        for code in re.findall(r"`(docket(?:-broker|-worker|-notifier|-mail)? [^`]+)`", text):
            yield page.name, code.split()


def test_each_command_that_a_text_names_is_one_with_options_that_it_has():
    helps, count = {}, 0

    def help_of(*words):
        if words not in helps:
            helps[words] = subprocess.run([BIN / words[0], *words[1:], "--help"], capture_output=True, text=True)
        return helps[words]

    commands = re.findall(r"^  ([a-z-]+(?: [a-z-]+)?)  +[A-Z]", help_of("docket").stdout, re.M)
    for page, words in inline_commands():
        count += 1
        options = [re.match(r"--[a-z-]+", word)[0] for word in words if re.match(r"--[a-z]", word)]
        if words[0] != "docket":
            text = help_of(words[0]).stdout
            assert words[1].startswith("-") or re.search(rf"{words[0]} \(?{words[1]}\b", text) or not words[1].islower(), (page, words)
            continue
        plain = [word for word in words[1:] if not word.startswith("-")]
        command = next((name for name in (" ".join(plain[:2]), plain[0] if plain else "") if name in commands), None)
        if command is None:
            assert not plain or plain[0].isupper() or any(name.startswith(plain[0] + " ") for name in commands), (page, words)
            continue
        text = help_of("docket", *command.split()).stdout
        assert all(re.search(rf"{option}\b", text) for option in options), (page, words)
    assert count > 40
