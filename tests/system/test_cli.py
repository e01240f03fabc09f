"""The command line against the real stack: a ticket's life as a person types it."""

import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
import urllib.request

import pytest
from helpers import BIN, ROOT, TRACKING, free_port, wait_until


def test_a_life_on_the_command_line(stack):
    done = stack.docket("submit", "--customer", "acme", "--title", "No dial tone", "--problem", "-", "--impact", "degraded", "--equipment", "pbx=X1", stdin=None, input="Since 9:40.\n")
    assert done.returncode == 0, done.stderr
    tracking = done.stdout.strip()
    assert TRACKING.match(tracking)
    for command in (
        ("take", tracking), ("comment", tracking, "--text", "We look at it.", "--public"), ("wait", tracking, "--on", "customer", "--reason", "Which floor?"), ("resume", tracking, "--on", "customer", "--reason", "They called."),
        ("prioritize", tracking, "--priority", "1", "--reason", "All floors."), ("resolve", tracking, "--text", "A loop in the switch."), ("approve", tracking, "--text", "On the telephone."),
    ):
        done = stack.docket(*command)
        assert done.returncode == 0, (command, done.stderr)
    shown = stack.docket("show", tracking)
    assert shown.returncode == 0 and tracking in shown.stdout and "We look at it." in shown.stdout and "closed" in shown.stdout
    body = json.loads(stack.docket("--json", "show", tracking).stdout)
    assert body.get("ticket", body)["state"] == "closed"
    lines = stack.docket("--json", "list", "--customer", "acme", "--limit", "3").stdout.splitlines()
    assert lines and all(json.loads(line)["customer"] == "acme" for line in lines)
    assert stack.docket("ping").returncode == stack.docket("stats").returncode == stack.docket("list").returncode == 0


def test_a_history_is_for_people_what_was_asked_stands_below(stack):
    done = stack.docket("submit", "--customer", "acme", "--title", "Echo", "--problem", "it echoes in the whole house", "--impact", "impaired")
    tracking = done.stdout.split()[-1]
    wait_until(lambda: "asked, public" in stack.docket("show", tracking).stdout)
    history = stack.docket("show", tracking).stdout.partition("\nHistory\n")[2].splitlines()
    posted = next(line for line in history if "posted, public" in line)
    assert "title=Echo" in posted and "whole house" not in posted
    asked = next(n for n, line in enumerate(history) if "asked, public" in line)
    assert history[asked].endswith("asked, public") and history[asked + 1].startswith("        equipment: Which equipment"), history[asked:]


def test_a_change_of_a_ticket_that_moved_on_is_refused_where_its_version_is_said(stack):
    tracking = stack.docket("submit", "--customer", "acme", "--title", "Echo", "--problem", "p").stdout.split()[-1]
    wait_until(lambda: json.loads(stack.docket("--json", "show", tracking).stdout)["priority"])
    late = stack.docket("take", tracking, "--if-version", "1")
    assert late.returncode == 1 and "conflict" in late.stderr and "if_version" in late.stderr
    version = json.loads(stack.docket("--json", "show", tracking).stdout)["version"]
    assert stack.docket("comment", tracking, "--text", "x", "--if-version", str(version)).returncode == 0
    assert stack.docket("ping", "--if-version", "1").returncode == 2


def test_exit_statuses(stack):
    refused = stack.docket("approve", "DKT-0000-0000-0001-E", "--text", "x")
    assert refused.returncode == 1 and refused.stderr.startswith("docket: not_found:")
    assert stack.docket("no-such-command").returncode == 2
    silent = stack.docket("--broker", "tcp://127.0.0.1:1", "--timeout", "0.3", "submit", "--customer", "a", "--title", "t", "--problem", "p")
    assert silent.returncode == 3 and "key" in silent.stderr
    missing = stack.docket("--broker", "ipc:///nonexistent/client.sock", "--timeout", "0.3", "ping")
    assert missing.returncode == 3 and "last asked ipc:///nonexistent/client.sock: No such file" in missing.stderr


@pytest.mark.parametrize("command, status", [([BIN / "docket", "--broker", "tcp://127.0.0.1:1", "ping"], 3),
                                             ([BIN / "docket-bench", "--broker", "tcp://127.0.0.1:1", "--count", "1"], 3),
                                             ([ROOT / "deploy/local/stack", "down", "--home", "/nonexistent"], 1)], ids=["docket", "docket-bench", "stack"])
def test_a_time_out_is_taken_in_seconds_and_with_a_unit_as_settings_have_it(command, status):
    def says(time_out):
        return subprocess.run([*command, "--timeout", time_out], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    for time_out in ("1", "1.0", "1s", "1000ms"):
        assert says(time_out).returncode == status, time_out
    for time_out in ("", "s", "1x", "1 s", "1mm", "ms1", "-", "1s1"):
        wrong = says(time_out)
        assert wrong.returncode == 2 and "--timeout" in wrong.stderr, time_out


@pytest.mark.parametrize("program, misused", [("docket", 2), ("docket-broker", 2), ("docket-worker", 2), ("docket-notifier", 2), ("docket-mail", 64), ("docket-bench", 2), ("docket-xmpp", 2)])
def test_each_program_says_its_use_and_its_version(program, misused):
    def says(*words):
        return subprocess.run([BIN / program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)

    told, version, wrong = says("--help"), says("--version"), says("--nonsense")
    assert told.returncode == 0 and program in told.stdout and told.stderr == ""
    assert version.returncode == 0 and re.fullmatch(program + r" \d+\.\d+\.\d+\n", version.stdout)
    assert wrong.returncode == misused and wrong.stdout == "" and wrong.stderr


def test_the_process_is_listed_and_applied_from_its_folder(stack):
    assert stack.docket("process", "list").returncode == 0
    assert stack.docket("process", "apply", str(stack.home / "h/etc/process"), "--comment", "same again").returncode == 0


def test_the_docs_say_what_the_programs_say():
    operations = (ROOT / "docs/operations.md").read_text()
    for program in ("broker", "worker", "notifier", "mail"):
        def says(option, program=program):
            return subprocess.run([BIN / f"docket-{program}", option], capture_output=True, text=True, check=True).stdout

        assert f"### docket-{program}\n\n{says('--print-settings-markdown')}" in operations, "run `make docs`"
        assert (ROOT / f"deploy/etc/docket-{program}.yaml").read_text() == says("--print-sample-config"), "run `make docs`"


def test_a_worker_serves_metrics_where_it_is_told_to(stack):
    port = free_port()
    settings = stack.home / "worker-metrics.yaml"
    settings.write_text(f"brokers: [{stack.env['DOCKET_WORKERS'].split(',')[0]}]\nhttp: 127.0.0.1:{port}\n")
    worker = subprocess.Popen([BIN / "docket-worker", "--config", settings], stderr=subprocess.DEVNULL)

    def get(path):
        with contextlib.suppress(OSError):
            return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}{path}", timeout=5).read().decode()
        return None

    try:
        wait_until(lambda: get("/readyz") == "ready\n", 20)
        client = stack.client()
        for _ in range(20):
            client.decided(client.submit())
        client.close()
        metrics = get("/metrics")
        assert "docket_worker_brokers_ready 1" in metrics and 'docket_worker_works_total{result="failed"} 0' in metrics and "docket_build_info" in metrics
    finally:
        worker.terminate()
        assert worker.wait(20) == 0


def test_who_posts_for_a_customer_takes_it_at_once(stack):
    tracking = stack.docket("--as", "ada", "submit", "--customer", "acme", "--title", "By telephone", "--problem", "No dial tone on one phone.", "--channel", "phone", "--take").stdout.split()[0]
    ticket = json.loads(stack.docket("--json", "show", tracking).stdout)
    ticket = ticket.get("ticket", ticket)
    assert (ticket["state"], ticket["assignee"]) == ("in_progress", "ada")
    refused = stack.docket("--as", "kim:customer", "submit", "--customer", "acme", "--title", "x", "--problem", "y", "--take")
    assert refused.returncode == 1 and "take" in refused.stderr


def test_rollback_goes_back_to_another_version_also_after_a_recompute(stack, tmp_path):
    def current():
        return next(line.split()[0] for line in stack.docket("process", "list").stdout.splitlines() if line.split()[1:2] == ["yes"])

    before, mine = current(), tmp_path / "mine"
    assert stack.docket("process", "get", "--dir", mine).returncode == 0
    (mine / "rules" / "05-mine.yaml").write_text("- rule: mine\n  when: {field: title, contains: rollback}\n  then: {tag: mine}\n")
    assert stack.docket("process", "apply", mine).returncode == 0
    assert stack.docket("process", "apply", mine, "--recompute").returncode == 0
    assert current() != before
    assert stack.docket("process", "rollback").returncode == 0 and current() == before


NOWHERE = {**os.environ, "DOCKET_BROKERS": "tcp://127.0.0.1:1", "DOCKET_USER": "ada"}


def run(*words, env=NOWHERE, **how):
    return subprocess.run([BIN / "docket", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=env, **how)


def commands():
    """Each command of the table: its name, what follows it, its required options."""
    for part in run("--markdown").stdout.split("\n## docket ")[1:]:
        name, words = re.match(r"([a-z -]*[a-z])(.*)", part.splitlines()[0]).groups()
        yield name.split(), words.split(), re.findall(r"^- `--([a-z-]+)[^`]*`: .*\(required\)", part, re.M)


def test_what_a_command_cannot_do_without_is_told_at_once_and_no_broker_is_asked():
    required = {" ".join(name): options for name, _, options in commands()}
    assert required["submit"] == ["customer", "title", "problem"] and required["deadline excuse"] == ["clock", "reason"]
    for name, words, options in commands():
        given = ["1"] if words and not words[0].startswith("[") else []
        done = run(*name, *given, "--timeout", "0.1") if options or given else None
        if options:
            are = "is" if len(options) == 1 else "are"
            assert (done.returncode, done.stderr) == (2, f"docket: {', '.join('--' + option for option in options)} {are} missing\nTry: docket {' '.join(name)} --help\n"), name
        if given:
            assert "missing" in run(*name).stderr and run(*name).returncode == 2, name


def test_help_and_version_are_words_too():
    assert run("help").stdout == run("--help").stdout and run("help").returncode == 0
    assert run("help", "submit").stdout == run("submit", "--help").stdout != ""
    assert run("help", "alert").stdout == run("alert", "--help").stdout != ""
    assert run("version").stdout == run("--version").stdout
    assert run("help", "sbmit").stderr.startswith("docket: unknown command 'sbmit', did you mean submit?")


@pytest.mark.parametrize("words, told", [
    (("notification", "mute", "--queue", "noc", "--reason", "r", "--until", "2020-01-01"), "docket: until_at is given with --until\n"), (("list", "--due-before-at", "2150-01-01"), "docket: due_before_at is given with --due-before-at\n"),
    (("update", "TRACKING", "--queue", "a\nb"), "docket: set.queue is given with --queue\n"), (("list", "--limit", "0"), "docket: invalid: limit: 0 is outside 1–500\n"),
])
def test_a_refusal_of_a_field_names_the_option_where_that_is_called_otherwise(stack, words, told):
    tracking = stack.docket("submit", "--customer", "acme", "--title", "t", "--problem", "p").stdout.split()[0] if "TRACKING" in words else None
    done = stack.docket(*(tracking if word == "TRACKING" else word for word in words))
    assert done.returncode == 1 and done.stderr.startswith("docket: invalid: ") and done.stderr.endswith(told), done.stderr


@pytest.mark.parametrize("words, told", [
    (("--broker", "", "ping"), "--broker: is empty, want tcp://HOST:PORT or ipc://PATH"), (("--config", "/nonexistent.yaml", "ping"), "/nonexistent.yaml: "),
    (("alert", "ack", "p1"), "ALERT: 'p1' is not a whole number"), (("import", "/dev/null", "--window", "0"), "--window: 0 is outside 1–10000"),
])
def test_what_cannot_be_meant_is_wrong_usage(words, told):
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith(f"docket: {told}"), done.stderr


def test_output_that_cannot_be_written_is_no_success(stack):
    env = {**NOWHERE, "DOCKET_BROKERS": stack.env["DOCKET_BROKERS"]}
    for _ in range(60):
        assert run("submit", "--customer", "paper", "--title", "t" * 200, "--problem", "p", env=env).returncode == 0
    for words in ("--json", "list", "--customer", "paper"), ("list", "--customer", "paper", "--limit", "1"), ("--help",), ("completion", "bash"):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BIN / "docket", *words], stdout=full, stderr=subprocess.PIPE, text=True, env=env)
        assert done.returncode == 1 and "docket: io: cannot write to standard output: No space left" in done.stderr, words
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", BIN / "docket", *words], stderr=subprocess.PIPE, text=True, env=env)
        assert done.returncode == 1 and "docket: io: cannot write to standard output" in done.stderr, words
        ours, its = os.pipe()
        os.close(ours)
        done = subprocess.run([BIN / "docket", *words], stdout=its, stderr=subprocess.PIPE, text=True, env=env)
        os.close(its)
        assert done.returncode == 1 and "docket:" not in done.stderr, words


def test_an_import_that_cannot_be_read_to_its_end_is_no_success(stack, tmp_path):
    done = stack.docket("import", tmp_path)
    assert done.returncode == 1 and f"docket: io: {tmp_path}, after line 0: Is a directory" in done.stderr


def test_an_import_tells_each_broken_line_and_posts_the_others(stack, tmp_path):
    good = {"customer": "import", "title": "t", "problem": "p"}
    lines = [json.dumps(good).encode(), b"{bad", b"[]", json.dumps({**good, "title": "a\nb"}).encode(), json.dumps({**good, "colour": 1}).encode(), b'{"customer": "import", "title": "\xff", "problem": "p"}', b"", json.dumps({**good, "title": "last"}).encode()]
    file = tmp_path / "lines"
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines))
    done = stack.docket("import", file)
    assert done.returncode == 1 and done.stdout.startswith("2 posted, 0 were in already, 0 added to open tickets, 5 refused")
    assert sorted(int(re.match(f"docket: invalid: {file}:(\\d+)(:\\d+)?: ", line)[1]) for line in done.stderr.splitlines()) == [2, 3, 4, 5, 6], done.stderr
    again = stack.docket("--json", "import", file)
    told = json.loads(again.stdout)
    assert (told["posted"], told["duplicate"], told["refused"]) == (0, 2, 5)
    assert {(error["line"], error["field"]) for error in told["errors"] if error["field"]} == {(4, "title"), (5, "colour")}


def test_json_is_parsed_whatever_the_command(stack, tmp_path):
    tracking = stack.docket("submit", "--customer", "acme", "--title", "t", "--problem", "p").stdout.strip()
    records, lines = tmp_path / "customers.json", tmp_path / "lines.json"
    records.write_text('{"id": "json", "name": "J", "package": "standard"}\n')
    lines.write_text('{"customer": "json", "title": "t", "problem": "p"}\n{"customer": "json"}\nnonsense\n')
    assert stack.docket("process", "get", "--dir", tmp_path / "process").returncode == 0
    for words in (
        ("show", tracking), ("explain", tracking), ("comment", tracking, "--text", "x"), ("comment", tracking, "DKT-0000-0000-0001-E", "--text", "x"), ("next", "--queues", "none"), ("forecast",),
        ("alert", "list"), ("oncall", "who"), ("oncall", "next"), ("oncall", "export"), ("deadline", "list"), ("customer", "list"), ("customer", "apply", records), ("customer", "show", "json"),
        ("process", "list"), ("process", "show"), ("process", "get", "--dir", tmp_path / "again"), ("process", "diff", tmp_path / "process", tmp_path / "again"), ("process", "whatif", tmp_path / "process"),
        ("process", "simulate", tmp_path / "process"), ("process", "apply", tmp_path / "process", "--dry-run"), ("import", lines), ("notification", "list"), ("notification", "why", tracking), ("notification", "mutes"),
        ("dead", "list"), ("dead", "retry", "--all"), ("stats",), ("ping",), ("list",),
    ):
        out = stack.docket("--json", *words).stdout
        values = [json.loads(line) for line in out.splitlines()]
        assert len(values) == 1 or words[:2] in (("list",), ("alert", "list"), ("deadline", "list"), ("process", "whatif"), ("process", "simulate")), (words, out)
    for words in ("show", "DKT-0000-0000-0001-E"), ("show", "x"), ("process", "apply", "/nonexistent"):
        done = stack.docket("--json", *words)
        assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("docket: ")
    nowhere = stack.docket("process", "diff", "nosuch")
    assert nowhere.returncode == 1 and "nosuch: want a directory that is there, or a version's hash" in nowhere.stderr


def on_terminal(stack, columns, *words, **env):
    """What stands on a terminal of so many columns, standard error too."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {**NOWHERE, "TERM": "xterm", "DOCKET_BROKERS": stack.env["DOCKET_BROKERS"], **env}
    child = subprocess.Popen([BIN / "docket", *words], stdin=subprocess.DEVNULL, stdout=its, stderr=its, env=env)
    os.close(its)
    got = b""
    with contextlib.suppress(OSError):  # the terminal's other end is gone
        while piece := os.read(ours, 4096):
            got += piece
    os.close(ours)
    assert child.wait(20) == 0
    return got.decode().replace("\r\n", "\n")


def test_a_table_fits_the_terminal(stack):
    assert stack.docket("submit", "--customer", "narrow", "--title", "a long title " * 10, "--problem", "p").returncode == 0
    narrow = on_terminal(stack, 90, "list", "--customer", "narrow", NO_COLOR="1")
    assert "\033" not in narrow and max(map(len, narrow.splitlines())) <= 90 and "…" in narrow
    assert max(map(len, stack.docket("list", "--customer", "narrow").stdout.splitlines())) > 90
    assert "\033[1mTRACKING" in on_terminal(stack, 90, "list", "--customer", "narrow")
    assert on_terminal(stack, 90, "list", "--customer", "nobody-yet") == "docket: nothing to list\n"
    assert stack.docket("list", "--customer", "nobody-yet").stderr == ""


def test_numbers_as_they_were_sent_are_shown(stack, client):
    tracking = client.submit(equipment={"eui": 2**64 - 1, "low": -(2**63)})
    shown = stack.docket("--json", "show", tracking).stdout
    assert json.loads(shown)["equipment"] == {"eui": 2**64 - 1, "low": -(2**63)}
    assert "eui=18446744073709551615" in stack.docket("show", tracking).stdout


def test_all_faults_of_a_process_are_told_however_many_there_are(stack, tmp_path):
    folder = tmp_path / "process"
    shutil.copytree(stack.home / "h/etc/process", folder)
    (folder / "rules/50-wrong.yaml").write_text("".join(f"- {{rule: rule number {n}, when: {{field: title, matches: x}}, then: {{priority: {n + 5}}}}}\n" for n in range(80)))
    for command in (("apply", str(folder)), ("apply", str(folder), "--dry-run")):
        done = stack.docket("process", *command)
        assert done.returncode == 1 and done.stderr.startswith("docket: invalid: ")
        assert [len(re.findall(rf"rules/50-wrong.yaml:{line}:", done.stderr)) for line in range(1, 81)] == [1] * 80, done.stderr
    (tmp_path / "customers.yaml").write_text("".join(f"id{n}: &a {n}\n" for n in range(3)))
    done = stack.docket("customer", "apply", str(tmp_path / "customers.yaml"))
    assert done.returncode == 1 and done.stderr.startswith("docket: invalid: ") and "anchors" in done.stderr
