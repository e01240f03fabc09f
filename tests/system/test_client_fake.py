"""The command line against a fake broker: exit statuses, bodies, fail-over, output. The real broker is tested elsewhere."""
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fake_broker import FakeBroker, Refuse

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("DOCKET_BUILD", ROOT / "build")) / "bin"
T = "DKT-4Q7K-M2P9-ZX3A-H"
SUBMITTED = {"tracking": T, "posted_at": 1764000000000000, "duplicate": False}
DEAD = "tcp://127.0.0.1:1"


def docket(*args, broker=None, stdin="", env=None, timeout=20):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DOCKET_")}
    environment.update({"XDG_CONFIG_HOME": "/nonexistent", **(env or {})})
    where = ["--broker", broker] if broker else []
    return subprocess.run([BIN / "docket", *where, *args], input=stdin, capture_output=True, text=True,
                          env=environment, timeout=timeout)


def submit(broker, *more, **kw):
    return docket("submit", "--customer", "acme", "--title", "t", "--problem", "p", *more, broker=broker, **kw)


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


# ---- bodies ----

def test_submit_sends_typed_body_and_random_key():
    with FakeBroker({"ticket.submit": SUBMITTED}) as b:
        r = submit(b.endpoint, "--impact", "down", "--equipment", "sbc=edge-1", "--equipment", "slots:=4",
                   "--contact", "email=a@b.c", "--take", env={"DOCKET_USER": "bob"})
        assert (r.returncode, r.stdout, r.stderr) == (0, T + "\n", "")
        body = b.bodies("ticket.submit")[0]
        assert re.fullmatch("[0-9a-f]{32}", body.pop("key"))
        assert body == {"customer": "acme", "title": "t", "problem": "p", "impact": "down", "take": True, "as": {"name": "bob", "role": "staff"},
                        "equipment": {"sbc": "edge-1", "slots": 4}, "contact": {"email": "a@b.c"}}


def test_ops_carry_as_from_option_environment_and_login():
    with FakeBroker({"ticket.take": {"version": 2}}) as b:
        docket("take", T, "--as", "ann:customer", broker=b.endpoint)
        docket("take", T, broker=b.endpoint, env={"DOCKET_USER": "bob"})
        docket("take", T, broker=b.endpoint)
        acts = [x["as"] for x in b.bodies("ticket.take")]
        assert acts[:2] == [{"name": "ann", "role": "customer"}, {"name": "bob", "role": "staff"}]
        assert acts[2]["role"] == "staff" and acts[2]["name"]


def test_comment_reads_standard_input_and_is_internal_unless_public():
    with FakeBroker({"ticket.comment": {"version": 2}}) as b:
        assert docket("comment", T, "--text", "-", broker=b.endpoint, stdin="two\nlines\n").returncode == 0
        assert docket("comment", T, "--text", "x", "--public", broker=b.endpoint).returncode == 0
        first, second = b.bodies("ticket.comment")
        assert first["text"] == "two\nlines" and "public" not in first
        assert second["public"] is True and second["tracking"] == T


def test_update_gathers_set_and_lists():
    with FakeBroker({"ticket.update": {"version": 2}}) as b:
        docket("update", T, "--queue", "noc", "--tags", "a,b", "--tags", "c", "--attributes", "vip:=true",
               broker=b.endpoint)
        body = b.bodies("ticket.update")[0]
        assert body["set"] == {"queue": "noc", "tags": ["a", "b", "c"], "attributes": {"vip": True}}


def test_times_are_microseconds():
    with FakeBroker({"ticket.list": {"tickets": [], "cursor": None}}) as b:
        docket("list", "--due-before-at", "2026-11-24T10:00:00+01:00", "--posted-from-at", "2026-01-01 00:00",
               broker=b.endpoint, env={"TZ": "UTC"})
        body = b.bodies("ticket.list")[0]
        assert body == {"due_before_at": 1795510800000000, "posted_from_at": 1767225600000000}


def test_several_trackings_become_a_list():
    with FakeBroker({"ticket.comment": {"results": []}}) as b:
        docket("comment", T, T, "--text", "x", broker=b.endpoint)
        assert b.bodies("ticket.comment")[0]["tracking"] == [T, T]


# ---- exit statuses ----

def test_refusal_is_1_with_code_and_message():
    with FakeBroker({"ticket.show": Refuse("not_found", "no ticket has this number")}) as b:
        r = docket("show", T, broker=b.endpoint)
        assert (r.returncode, r.stdout) == (1, "")
        assert r.stderr == "docket: not_found: no ticket has this number\n"


def test_unsupported_op_says_not_yet():
    with FakeBroker() as b:
        r = docket("alert", "list", broker=b.endpoint)
        assert r.returncode == 1 and "not yet" in r.stderr and r.stderr.startswith("docket: unsupported: ")


@pytest.mark.parametrize("args", [["nosuch"], ["show"], ["show", T, "x"], ["list", "--nosuch", "1"], ["list", "--limit", "x"],
                                  ["submit", "--equipment", "novalue"], ["comment", T, "--text"], ["process"], [],
                                  ["--timeout", "0", "ping"], ["list", "--due-before-at", "2026-02-30"],
                                  ["list", "--state", "new", "--state", "open"], ["process", "nosuch"],
                                  ["--broker", "nonsense", "ping"]])
def test_wrong_usage_is_2(args):
    r = docket(*args)
    assert (r.returncode, r.stdout) == (2, "") and r.stderr != ""


def test_no_answer_is_3_and_prints_the_key():
    with FakeBroker() as b:
        b.silent = True
        r = submit(b.endpoint, "--timeout", "0.5")
        assert r.returncode == 3 and r.stderr.startswith("docket: timeout: ")
        assert "--key " + b.bodies("ticket.submit")[0]["key"] in r.stderr


def test_no_broker_at_all_is_3():
    start = time.monotonic()
    r = submit(DEAD, "--timeout", "0.7", "--key", "mine")
    assert r.returncode == 3 and "--key mine" in r.stderr
    assert time.monotonic() - start < 5


def test_next_with_nothing_is_4_and_with_a_ticket_0():
    with FakeBroker({"ticket.next": {"ticket": None}}) as b:
        assert docket("next", broker=b.endpoint).returncode == 4
        r = docket("next", "--json", broker=b.endpoint)
        assert (r.returncode, json.loads(r.stdout)) == (4, {"ticket": None})
        b.answers["ticket.next"] = {"ticket": {"tracking": T, "title": "No calls", "priority": 1}}
        r = docket("next", broker=b.endpoint)
        assert r.returncode == 0 and T in r.stdout


@pytest.mark.parametrize("command", [["watch", T], ["comment", T, "--text", "x", "--key", "k-17"]])
def test_interrupt_is_130(command):
    with FakeBroker() as b:
        b.silent = True
        p = subprocess.Popen([BIN / "docket", "--broker", b.endpoint, *command], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        wait_until(lambda: b.requests)
        p.send_signal(signal.SIGINT)
        _, err = p.communicate(timeout=10)
        assert p.returncode == 130
        assert ("k-17" in err) == (command[0] == "comment")


# ---- fail-over ----

def test_fail_over_from_a_dead_broker_is_quick():
    with FakeBroker({"ticket.submit": SUBMITTED}) as b:
        start = time.monotonic()
        r = submit(f"{DEAD},{b.endpoint}")
        assert r.returncode == 0 and time.monotonic() - start < 3
        assert len(b.requests) == 1


def test_fail_over_from_a_silent_broker_repeats_the_same_request():
    with FakeBroker() as a, FakeBroker({"ticket.submit": SUBMITTED}) as b:
        a.silent = True
        r = submit(f"{a.endpoint},{b.endpoint}", "--timeout", "2")
        assert r.returncode == 0
        assert a.bodies("ticket.submit") == b.bodies("ticket.submit") and a.bodies("ticket.submit")[0]["key"]


def test_fail_over_asks_the_next_broker_when_one_is_unavailable():
    with FakeBroker({"ticket.submit": Refuse("unavailable", "no database", retry=True)}) as a, \
            FakeBroker({"ticket.submit": SUBMITTED}) as b:
        assert submit(f"{a.endpoint},{b.endpoint}").returncode == 0
        b.answers["ticket.submit"] = a.answers["ticket.submit"]
        r = submit(f"{a.endpoint},{b.endpoint}")
        assert r.returncode == 1 and "docket: unavailable: no database" in r.stderr


def test_broker_dying_under_a_request_is_left_at_once():
    with FakeBroker({"ticket.submit": SUBMITTED}) as b:
        a = FakeBroker()
        a.silent = True
        p = subprocess.Popen([BIN / "docket", "--broker", a.endpoint, "--broker", b.endpoint, "--timeout", "60",
                              "submit", "--customer", "c", "--title", "t", "--problem", "p"], stdout=subprocess.PIPE, text=True)
        wait_until(lambda: a.requests)
        start = time.monotonic()
        a.stop()
        out, _ = p.communicate(timeout=20)
        assert p.returncode == 0 and T in out and time.monotonic() - start < 5


def test_brokers_come_from_option_environment_file_in_this_order(tmp_path):
    (tmp_path / "docket").mkdir()
    with FakeBroker({"ping": {"broker": "file"}}) as f, FakeBroker({"ping": {"broker": "environment"}}) as e, \
            FakeBroker({"ping": {"broker": "option"}}) as o:
        (tmp_path / "docket/docket.yaml").write_text(f"brokers: [{DEAD!r}, {f.endpoint!r}]\n")
        env = {"XDG_CONFIG_HOME": str(tmp_path)}
        assert json.loads(docket("ping", "--json", env=env).stdout) == {"broker": "file"}
        env["DOCKET_BROKERS"] = f"{DEAD},{e.endpoint}"
        assert json.loads(docket("ping", "--json", env=env).stdout) == {"broker": "environment"}
        assert json.loads(docket("ping", "--json", env=env, broker=o.endpoint).stdout) == {"broker": "option"}


def test_bad_settings_name_the_place(tmp_path):
    (tmp_path / "c.yaml").write_text("brokes: [x]\n")
    r = docket("--config", str(tmp_path / "c.yaml"), "ping")
    assert r.returncode == 2 and "c.yaml:1:1" in r.stderr


# ---- output ----

BODY = {"tracking": T, "text": "ä \u001b[31m \u0085 \"q\" \\ \n", "n": 2**53 + 1, "neg": -5, "none": None, "yes": True,
        "list": [1, {"a": []}], "real": 0.1}


def test_json_is_exactly_the_body():
    with FakeBroker({"ticket.show": BODY}) as b:
        r = docket("show", T, "--json", broker=b.endpoint)
        assert r.returncode == 0 and r.stdout.count("\n") == 1
        assert json.loads(r.stdout) == BODY
        assert "\x1b" not in r.stdout and "\x85" not in r.stdout


def test_list_prints_json_lines_and_an_aligned_table():
    tickets = [{"tracking": T, "priority": 1, "state": "new", "customer": "acme", "title": "Größe 漢字",
                "posted_at": 1795510800000000},
               {"tracking": T, "priority": None, "state": "waiting_customer", "customer": "b", "title": "x" * 100,
                "posted_at": 1795510800000000}]
    with FakeBroker({"ticket.list": {"tickets": tickets, "cursor": "c1"}}) as b:
        r = docket("list", "--json", broker=b.endpoint)
        assert [json.loads(line) for line in r.stdout.splitlines()] == tickets
        r = docket("list", "--utc", broker=b.endpoint)
        lines = r.stdout.splitlines()
        column = lines[0].index("CUSTOMER")
        assert lines[1][column:].startswith("acme") and lines[2][column:].startswith("b ")
        assert "2026-11-24T09:00:00Z" in r.stdout and lines[2].endswith("…")
        assert "\x1b" not in r.stdout and "c1" in r.stderr


def test_show_is_safe_for_terminals():
    ticket = {"tracking": T, "title": "a\u001b]0;x\u0007\u202e", "problem": "one\ntwo\u009b31m", "state": "new"}
    events = [{"version": 2, "at": 1795510800000000, "kind": "commented", "as": {"name": "a", "role": "staff"},
               "public": True, "body": {"text": "x\u001b[2J"}}]
    with FakeBroker({"ticket.show": {**ticket, "events": events, "clocks": [], "messages": []}}) as b:
        r = docket("show", T, broker=b.endpoint)
        assert r.returncode == 0 and "one\ntwo" in r.stdout and "commented by a, public" in r.stdout
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", r.stdout)


def test_watch_prints_lines_and_follows_the_cursor():
    def events(request):
        n = int(request["body"]["cursor"] or 0) + 1
        return {"events": [{"cursor": str(n), "tracking": T, "version": n, "kind": "commented", "at": 1, "body": {}}],
                "cursor": str(n)}

    with FakeBroker({"events.since": events, "ping": {"now_at": 5}}) as b:
        r = docket("watch", T, "--json", "--count", "3", broker=b.endpoint)
        assert r.returncode == 0
        assert [json.loads(line)["version"] for line in r.stdout.splitlines()] == [1, 2, 3]
        assert [x["cursor"] for x in b.bodies("events.since")] == ["", "1", "2"]
        assert b.bodies("events.since")[0]["filter"] == {"tracking": T}
        docket("watch", "--kinds", "posted,closed", "--count", "1", broker=b.endpoint)
        assert b.bodies("events.since")[-1]["filter"] == {"kinds": ["posted", "closed"], "from_at": 5}


def test_watch_survives_a_broker_that_goes_away():
    event = {"cursor": "1", "tracking": T, "version": 1, "kind": "posted", "at": 1, "body": {}}
    a = FakeBroker({"events.since": lambda r: {"events": [event], "cursor": "1"} if r["body"]["cursor"] == "" else None})
    with FakeBroker({"events.since": {"events": [{**event, "version": 2}], "cursor": "2"}}) as b:
        p = subprocess.Popen([BIN / "docket", "--broker", f"{a.endpoint},{b.endpoint}", "watch", T, "--count", "2", "--json"],
                             stdout=subprocess.PIPE, text=True)
        wait_until(lambda: len(a.requests) == 2)
        a.stop()
        out, _ = p.communicate(timeout=20)
        assert [json.loads(line)["version"] for line in out.splitlines()] == [1, 2]


# ---- import ----

def test_import_is_repeatable_and_names_refused_lines(tmp_path):
    def take(request):
        return Refuse("invalid", "unknown field", field="x") if "x" in request["body"] else SUBMITTED

    lines = [{"customer": "a", "title": str(i), "problem": "p"} for i in range(300)]
    lines += [lines[0], {"customer": "a", "x": 1}, {"customer": "a", "title": "own", "problem": "p", "key": "own"}]
    text = "\n".join(json.dumps(x) for x in lines) + "\n\nnot json\n"
    (tmp_path / "f").write_text(text)
    with FakeBroker({"ticket.submit": take}) as b:
        r = docket("import", str(tmp_path / "f"), "--json", broker=b.endpoint)
        got = json.loads(r.stdout)
        assert r.returncode == 1 and (got["posted"], got["duplicate"], got["refused"]) == (302, 0, 2)
        assert sorted(e["line"] for e in got["errors"]) == [302, 305]
        assert f"invalid: {tmp_path}/f:302: unknown field\n" in r.stderr and f"invalid: {tmp_path}/f:305:3: not JSON: " in r.stderr
        r = docket("import", "-", "--json", "--window", "7", broker=b.endpoint, stdin=text)
        got = json.loads(r.stdout)
        assert (got["posted"], got["duplicate"], got["refused"]) == (0, 302, 2)
        assert len(b.done) == 302 and "own" in b.done


def test_import_repeats_what_was_busy(tmp_path):
    seen = {}

    def take(request):
        key = request["body"]["key"]
        seen[key] = seen.get(key, 0) + 1
        return Refuse("busy", "full", retry=True, retry_after_ms=20) if seen[key] < 3 else SUBMITTED

    text = "".join(json.dumps({"customer": "a", "title": str(i), "problem": "p"}) + "\n" for i in range(20))
    with FakeBroker({"ticket.submit": take}) as b:
        r = docket("import", "-", broker=b.endpoint, stdin=text)
        assert r.returncode == 0 and r.stdout.startswith("20 posted")
        assert set(seen.values()) == {3}


def test_import_fails_over_without_losing_a_line():
    a = FakeBroker({"ticket.submit": SUBMITTED})
    a.answers["ticket.submit"] = lambda r: SUBMITTED if len(a.requests) < 50 else None
    text = "".join(json.dumps({"customer": "a", "title": str(i), "problem": "p"}) + "\n" for i in range(200))
    with FakeBroker({"ticket.submit": SUBMITTED}) as b:
        p = subprocess.Popen([BIN / "docket", "--broker", f"{a.endpoint},{b.endpoint}", "import", "-", "--json"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        p.stdin.write(text)
        p.stdin.close()
        wait_until(lambda: len(a.requests) >= 60)
        a.stop()
        got = json.loads(p.stdout.read())
        assert p.wait(timeout=10) == 0 and got["posted"] == 200
        assert len(set(a.done) | set(b.done)) == 200


# ---- customers, process ----

def test_customer_apply_takes_yaml_and_json_lines(tmp_path):
    yaml = "- id: acme\n  name: 'Acme'\n  package: gold\n  contacts:\n    - {name: Ann, email: a@b.c, for: [all]}\n- {id: b, name: B}\n"
    with FakeBroker({"customer.put": {"version": 1}}) as b:
        assert docket("customer", "apply", "-", broker=b.endpoint, stdin=yaml).returncode == 0
        assert docket("customer", "apply", "-", broker=b.endpoint, stdin='{"id": "c"}\n{"id": "d"}\n').returncode == 0
        got = [x["customer"] for x in b.bodies("customer.put")]
        assert got[0] == {"id": "acme", "name": "Acme", "package": "gold",
                          "contacts": [{"name": "Ann", "email": "a@b.c", "for": ["all"]}]}
        assert [x["id"] for x in got] == ["acme", "b", "c", "d"]
        assert all(x["key"] and x["as"]["role"] == "staff" for x in b.bodies("customer.put"))
        assert docket("customer", "apply", "-", "--key", "k", broker=b.endpoint, stdin=yaml).returncode == 0
        assert [x["key"] for x in b.bodies("customer.put")[4:]] == ["k", "k-2"]
        r = docket("customer", "apply", "-", broker=b.endpoint, stdin="- id: x\n  id: y\n")
        assert r.returncode == 1 and ":2:" in r.stderr
        r = docket("customer", "apply", "-", broker=b.endpoint, stdin='{"id": "e"}\n\n{"id": "f",}\n')
        assert (r.returncode, r.stderr) == (1, "docket: invalid: -:3:12: not JSON: string or '}' expected near '}'\n")


def test_customer_apply_says_what_became_of_the_records():
    two = "- {id: a}\n- {id: b}\n"
    answer = lambda request, bad: {"version": 1} if request["body"]["customer"]["id"] != bad else Refuse("invalid", "no")  # noqa: E731
    silent = lambda request, bad: None if request["body"]["customer"]["id"] == bad else {"version": 1}  # noqa: E731
    for how, status, this in ((answer, 1, "this record was not put"), (silent, 3, "it is not known whether this record was put")):
        for bad, before in (("a", 0), ("b", 1)):
            with FakeBroker({"customer.put": lambda request, how=how, bad=bad: how(request, bad)}) as b:
                r = docket("--timeout", "0.5", "customer", "apply", "-", broker=b.endpoint, stdin=two)
            assert r.returncode == status and f"{this}; {before} before it were put, later ones not" in r.stderr, r.stderr


@pytest.fixture
def versions(tmp_path):
    """A fake broker that keeps versions of a process."""
    kept, order = {}, []

    def apply(request):
        files = request["body"]["files"]
        name = "c%d" % (len(order) + 1)
        if not request["body"].get("dry_run"):
            kept[name] = files
            order.append(name)
            return {"hash": name}
        return {"hash": name, "dry_run": True, "warnings": ["rules/10.yaml:1:3: rule: can never match"]}

    def get(request):
        name = request["body"].get("hash", order[-1])
        return {"hash": name, "files": kept[name]} if name in kept else Refuse("not_found", "no such version")

    def versions_list(_):
        return {"versions": [{"hash": h, "applied_at": i, "current": i == len(order) - 1} for i, h in enumerate(order)]}

    with FakeBroker({"process.apply": apply, "process.get": get, "process.list": versions_list}) as b:
        b.kept = kept
        yield b


def test_process_commands(versions, tmp_path):
    b = versions
    (tmp_path / "p/rules").mkdir(parents=True)
    (tmp_path / "p/process.yaml").write_text("a: 1\n")
    (tmp_path / "p/rules/10.yaml").write_bytes(b"\xff\x00 bytes\n")
    (tmp_path / "p/.hidden").write_text("no")
    run = lambda *a: docket("process", *a, broker=b.endpoint)
    assert run("apply", str(tmp_path / "p"), "--comment", "one").returncode == 0
    assert b.kept["c1"] == {"process.yaml": b"a: 1\n", "rules/10.yaml": b"\xff\x00 bytes\n"}
    (tmp_path / "p/process.yaml").write_text("a: 2\n")
    tried = run("apply", str(tmp_path / "p"), "--dry-run")
    assert "nothing was changed" in tried.stdout and tried.stderr == "warning: rules/10.yaml:1:3: rule: can never match\n" and len(b.kept) == 1
    assert run("apply", str(tmp_path / "p")).returncode == 0
    assert run("show", "--file", "process.yaml").stdout == "a: 2\n"
    assert run("get", "c1", "--dir", str(tmp_path / "out")).returncode == 0
    assert (tmp_path / "out/rules/10.yaml").read_bytes() == b"\xff\x00 bytes\n"
    assert run("get", "c1", "--dir", str(tmp_path / "out")).returncode == 1
    diff = run("diff").stdout
    assert "-a: 1" in diff and "+a: 2" in diff
    assert json.loads(run("diff", "c1", str(tmp_path / "p"), "--json").stdout)["changed"] == ["process.yaml"]
    assert run("rollback").returncode == 0
    assert b.kept["c3"] == b.kept["c1"]
    assert b.bodies("process.apply")[-1]["comment"] == "rollback to c1"


def test_process_get_refuses_names_that_leave_the_directory(tmp_path):
    with FakeBroker({"process.get": {"hash": "h", "files": {"../evil": b"x"}}}) as b:
        r = docket("process", "get", "--dir", str(tmp_path / "out"), broker=b.endpoint)
        assert r.returncode == 1 and not (tmp_path / "evil").exists()


# ---- help ----

def commands():
    text = docket("--help").stdout
    part = text.split("Commands:\n")[1].split("\n\n")[0]
    return [line[2:22].strip() for line in part.splitlines()]


def test_help_is_whole_and_every_example_parses():
    names = commands()
    assert len(names) > 40 and "process rollback" in names
    for name in names:
        text = docket(*name.split(), "--help").stdout
        assert text.startswith(f"Usage: docket {name}"), name
        assert "Options of all commands:" in text
        example = text.split("Example:\n  ")[1].strip()
        assert example.startswith("docket " + name)
        # Parsed, then no broker: 3. Files of examples do not exist here: 1. Wrong usage would be 2.
        r = docket("--timeout", "0.05", *shlex.split(example)[1:], broker=DEAD) if name != "watch" else None
        if r is not None and not name.startswith("completion "):
            assert r.returncode in (1, 3), (example, r.stderr)


def test_documentation_is_printed_from_the_table():
    assert docket("--markdown").stdout == (ROOT / "docs/cli.md").read_text()
    r = subprocess.run(["man", "-l", "--warnings", "-"], input=docket("--man").stdout, capture_output=True, text=True) \
        if Path("/usr/bin/man").exists() else None
    assert r is None or r.stderr == ""


COMPLETED = pytest.mark.parametrize("words,want", [
    ("docket ", "submit"), ("docket process ", "rollback"), ("docket wait X --on ", "vendor"), ("docket --json comment X --pu", "--public"),
    ("docket dead retry --", "--key"), ("docket notification list --", "--state"), ("docket list --order ", "oldest"), ("docket --as ada alert ", "unack"),
    ("docket help ", "submit"), ("docket help alert ", "unack")])


def completed(shell, words):
    """What the shell offers at the end of a line, with the script that docket prints for it."""
    parts = shlex.split(words) + ([""] if words.endswith(" ") else [])
    quoted = " ".join(shlex.quote(part) for part in parts)
    asks = {
        "bash": f'COMP_WORDS=({quoted}); COMP_CWORD={len(parts) - 1}; _docket; printf "%s\\n" "${{COMPREPLY[@]}}"',
        "zsh": f"words=({quoted}); CURRENT={len(parts)}; _docket",
        "fish": f"complete -C {shlex.quote(words)} | string replace -r '\\t.*' ''",
    }
    # What zsh's own functions would show, as lines.
    before = 'compdef() {}; _files() {}; compadd() { print -l -- "${@[2,-1]}" }; _describe() { print -l -- "${(@)${(P)@[-1]}%%:*}" }\n' if shell == "zsh" else ""
    script = before + docket("completion", shell).stdout + "\n" + asks[shell]
    r = subprocess.run([shell, "-f", "-c", script] if shell == "zsh" else [shell, "-c", script], capture_output=True, text=True)
    assert r.stderr == "", r.stderr
    return r.stdout.splitlines()


@COMPLETED
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_line_is_completed(shell, words, want):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    assert want in completed(shell, words)


def test_a_value_is_not_completed_with_options():
    assert completed("bash", "docket submit --title ") == [""] == completed("bash", "docket --as ")


# ---- others ----

def test_bench_counts_and_measures():
    with FakeBroker({"ticket.submit": SUBMITTED}) as b:
        r = subprocess.run([BIN / "docket-bench", "--broker", b.endpoint, "--in-flight", "8", "--count", "200", "--json"],
                           capture_output=True, text=True, timeout=30)
        got = json.loads(r.stdout)
        assert r.returncode == 0 and got["tickets"] == 200 and got["refused"] == 0 and got["answer_ms"]["p50"] > 0
        assert len(b.done) == 200


def test_bench_life_waits_for_decisions():
    polls = []

    def stats(_):
        polls.append(1)
        return {"counters": {"decisions": min(50, 10 * (len(polls) - 1))}}

    with FakeBroker({"ticket.submit": SUBMITTED, "stats": stats}) as b:
        r = subprocess.run([BIN / "docket-bench", "--broker", b.endpoint, "--mode", "life", "--in-flight", "8", "--count", "50",
                            "--json"], capture_output=True, text=True, timeout=30)
        assert r.returncode == 0 and json.loads(r.stdout)["tickets"] == 50 and len(polls) >= 6
    looks = []

    def slowly(_):
        """Nothing before the first ticket, then one decision more at every third look."""
        looks.append(1)
        return {"counters": {"decisions": min(len(b.bodies("ticket.submit")), (len(looks) - 1) // 3)}}

    with FakeBroker({"ticket.submit": SUBMITTED, "stats": slowly}) as b:
        r = subprocess.run([BIN / "docket-bench", "--broker", b.endpoint, "--mode", "life", "--rate", "50", "--count", "10",
                            "--json"], capture_output=True, text=True, timeout=30)
        got = json.loads(r.stdout)
        assert r.returncode == 0 and got["looks"] >= 30 and got["decided_ms"]["p50"] > 0
    with FakeBroker({"ticket.submit": SUBMITTED, "stats": {"counters": {"decisions": 0}}}) as b:
        r = subprocess.run([BIN / "docket-bench", "--broker", b.endpoint, "--mode", "life", "--rate", "50", "--count", "2",
                            "--timeout", "1"], capture_output=True, text=True, timeout=30)
        assert r.returncode == 3 and "2 of 2 tickets were not decided" in r.stderr


def test_python_example_fails_over_with_the_same_key():
    with FakeBroker() as a, FakeBroker({"ticket.submit": SUBMITTED}) as b:
        a.silent = True
        r = subprocess.run([sys.executable, ROOT / "examples/python/docket_client.py", "acme", "No calls", "All fail"],
                           capture_output=True, text=True, timeout=30,
                           env={**os.environ, "DOCKET_BROKERS": f"{a.endpoint},{b.endpoint}", "DOCKET_TIMEOUT": "0.5"})
        assert r.returncode == 0 and T in r.stdout, r.stderr
        assert a.bodies("ticket.submit") == b.bodies("ticket.submit")
