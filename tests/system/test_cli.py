"""The command line against the real stack: a ticket's life as a person types it."""

import contextlib
import json
import re
import subprocess
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
