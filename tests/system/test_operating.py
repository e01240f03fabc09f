"""What operators rely on: samples, pages printed from tables, links of the documentation, metrics, settings that are read again."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import pytest
from helpers import ADA, BIN, ROOT, Stack, alive, free_port, wait_until
from psycopg import sql

PROGRAMS = ("docket-broker", "docket-worker", "docket-notifier", "docket-mail")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_sample_is_accepted_and_a_typing_error_is_told_with_its_place(program, tmp_path):
    sample = ROOT / "deploy/etc" / f"{program}.yaml"
    check = [str(BIN / program), "check-config", "--config"]
    done = subprocess.run([*check, str(sample)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "the settings are right\n"), done.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("log_level: loud\n")
    done = subprocess.run([*check, str(wrong)], capture_output=True, text=True)
    assert done.returncode != 0 and 'log_level: "loud" is not allowed, want debug, info, warn or error' in done.stderr
    wrong.write_text("log_level: info\nlog_levle: debug\n")
    done = subprocess.run([*check, str(wrong)], capture_output=True, text=True)
    assert done.returncode != 0 and "wrong.yaml:2:1: " in done.stderr and "log_levle" in done.stderr


WRONG = {
    "docket-broker": {
        "lease": ("5", '"5" is not allowed, want a duration'),
        "dsn": ("hst=db", 'invalid connection option "hst"'),
        "clients": ("tcp://0.0.0.0:7401", "tcp://0.0.0.0:7401 reaches beyond this machine"),
        "workers": ("tcp://127.0.0.1:99999", "tcp://127.0.0.1:99999 is not an endpoint, want tcp://HOST:PORT"),
        "pokes": ("tcp://0.0.0.0:7401", "tcp://0.0.0.0:7401 is that of clients already, want one of its own"),
        "http": ("localhost", '"localhost" is not HOST:PORT'),
        "tracking_prefix": ("dkt", '"dkt" is not allowed, want 1 to 8 letters A-Z'),
        "log_level": ("loud", '"loud" is not allowed, want debug, info, warn or error'),
    },
    "docket-worker": {
        "brokers": ("[tcp://127.0.0.1:7402, foo]", "foo is not an endpoint, want tcp://HOST:PORT"),
        "credits": ("0", '"0" is not allowed, want a number from 1 to 10000'),
        "http": ("localhost", '"localhost" is not HOST:PORT'),
        "log_level": ("loud", '"loud" is not allowed, want debug, info, warn or error'),
    },
    "docket-notifier": {
        "dsn": ("hst=db", 'invalid connection option "hst"'),
        "brokers": ("[foo]", "foo is not an endpoint, want tcp://HOST:PORT"),
        "pokes": ("tcp://10.0.0.1:7403", "tcp://10.0.0.1:7403 is not on the loopback: want tcp://127.0.0.1:PORT"),
        "feed": ("bar", "bar is not an endpoint, want tcp://HOST:PORT"),
        "http": ("x", '"x" is not HOST:PORT'),
        "smtp_rate": ("-1", '"-1" is not allowed, want a number from 0 to 100000'),
        "smtp_url": ("foo", "want smtp://HOST:PORT or smtps://HOST:PORT"),
        "smtp_tls": ("maybe", '"maybe" is not allowed, want none, starttls, tls or nothing'),
        "mail_from": ("nobody", "not an address: want local@domain"),
        "bounce_address": ("b@example.com", "needs token_key_file"),
        "tracking_prefix": ("dkt", '"dkt" is not allowed, want 1 to 8 letters A-Z'),
        "zoneinfo": ("/nowhere/zones", "cannot read /nowhere/zones: "),
    },
    "docket-mail": {
        "brokers": ("[foo]", "foo is not an endpoint, want tcp://HOST:PORT"),
        "tracking_prefix": ("dkt", '"dkt" is not allowed, want 1 to 8 letters A-Z'),
        "message_bytes": ("much", '"much" is not allowed, want a size'),
        "reply_address": ("desk@example.com", "needs token_key_file"),
        "bounce_address": ("desk", "not an address: want local@domain"),
        "log_level": ("loud", '"loud" is not allowed, want debug, info, warn or error'),
    },
}


@pytest.mark.parametrize("program", WRONG)
def test_all_that_is_wrong_in_a_file_is_told_at_once_each_with_its_place(program, tmp_path):
    """Also what no setting has wrong by itself."""
    (tmp_path / "wrong.yaml").write_text("".join(f"{name}: {value}\n" for name, (value, _) in WRONG[program].items()))
    done = subprocess.run([str(BIN / program), "check-config", "--config", "wrong.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and done.stdout == ""
    for line, (name, (_, words)) in enumerate(WRONG[program].items(), start=1):
        assert f"wrong.yaml:{line}:{len(name) + 3}: {name}: {words}" in done.stderr, done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_long_list_of_faults_is_told_whole_and_a_longer_one_says_how_many_more(program, tmp_path):
    for count in (60, 260):
        (tmp_path / "wrong.yaml").write_text("".join(f"no_such_setting_of_any_program_{n}: {n}\n" for n in range(count)))
        for more in (["check-config"], []) if program != "docket-mail" else (["check-config"],):
            done = subprocess.run([str(BIN / program), *more, "--config", "wrong.yaml"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            lines = done.stderr.splitlines()
            assert done.returncode != 0 and lines[0].startswith(f"{program}: wrong.yaml:1:1: no_such_setting"), lines[0]
            assert len([line for line in lines if "is not known in this file" in line]) == min(count, 200)
            assert (lines[-1] == "… and 60 more") == (count > 200)


NOTIFIER_WRONG = {
    "brokers": ("[]", "has 0 entries, want"),
    "http_allow": ("[10.0.0.0/99]", '"10.0.0.0/99" is no block of addresses, want 10.1.0.0/16'),
    "xmpp_server": ("chat.example.com:99999", '"chat.example.com:99999" is not HOST:PORT'),
    "gateway_url": ("foo", "not a URL: want https://HOST/PATH"),
    "gateway_callback": ("http://desk.example.com", "http:// is allowed on the loopback only, want https://"),
    "heartbeat_url": ("foo", "not a URL: want https://HOST/PATH"),
    "token_key_file": ("/nowhere/key", "cannot read /nowhere/key: "),
    "webhook_secrets_file": ("/nowhere/secrets", "cannot read /nowhere/secrets: "),
    "smtp_password_file": ("/nowhere/password", "cannot read /nowhere/password: "),
    "http_ca_file": ("/nowhere/ca", "cannot read /nowhere/ca: "),
    "notifications": ("off", '"off" is not allowed, want send or held'),
}


@pytest.mark.parametrize("name", NOTIFIER_WRONG)
def test_the_notifier_starts_with_no_setting_that_its_check_refuses(name, tmp_path):
    value, words = NOTIFIER_WRONG[name]
    (tmp_path / "wrong.yaml").write_text(f"name: n\n{name}: {value}\n")
    for more in (["check-config"], []):
        done = subprocess.run([str(BIN / "docket-notifier"), *more, "--config", "wrong.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and f"wrong.yaml:2:{len(name) + 3}: {name}: {words}" in done.stderr, done.stderr


@pytest.mark.parametrize("program, status", [("docket-broker", 2), ("docket-worker", 2), ("docket-notifier", 2), ("docket-mail", 64)])
def test_a_word_that_is_not_understood_is_named(program, status):
    for words, named in ((["--bogus"], "--bogus"), (["check-config", "extra"], "extra"), (["check-config", "--config"], "--config")):
        done = subprocess.run([str(BIN / program), *words], capture_output=True, text=True)
        assert done.returncode == status and done.stderr.startswith(f"{program}: cannot understand {named}\nusage: {program} "), done.stderr


def test_each_link_of_the_documentation_leads_somewhere_and_each_page_is_led_to():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    linked = set()
    for page in pages:
        for target in re.findall(r"\]\((?!https?:)([^)#: ]+)[^) ]*\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
            linked.add((page.parent / target).resolve())
    assert not [page.name for page in pages[1:] if page not in linked]


def series_of(text):
    """Names of the metrics, by their TYPE lines."""
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}


def value_of(text, series):
    return float(next(line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(series + " ")))


def test_the_broker_tells_what_it_is_asked_to_measure(stack, client):
    client.decided(client.submit(impact="down"))
    text = stack.http("broker-1", "/metrics")[1]
    wanted = "batch_units commit_seconds wait_seconds oldest_wake_seconds backlog workers credits feed_lag_seconds feed_held_by_pid".split()
    assert {f"docket_broker_{name}" for name in wanted} <= series_of(text)
    assert value_of(text, "docket_broker_workers") == 1 and value_of(text, "docket_broker_credits") > 0
    assert sum(value_of(text, f'docket_broker_wait_seconds_count{{class="{name}"}}') for name in ("p1", "untriaged", "p2", "p3", "p4")) > 0
    # Bounded labels, base units, counters in _total: on every program.
    for program in ("broker-1", "notifier-1"):
        text = stack.http(program, "/metrics")[1]
        kind = program.partition("-")[0]
        assert f'docket_build_info{{program="{kind}",version="' in text
        for name, type_ in re.findall(r"^# TYPE (\S+) (\S+)", text, re.M):
            assert name == "docket_build_info" or name.startswith(f"docket_{kind}_"), name
            assert (type_ == "counter") == name.endswith("_total"), name
            assert not re.search(r"_(ms|us|millis|kib|mb)(_|$)", name), name


def http_of(port, path):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


@contextlib.contextmanager
def worker_with_http(endpoint, tmp_path):
    port = free_port()
    config = tmp_path / "worker.yaml"
    config.write_text(f"name: counted\nbrokers: [{endpoint}]\nhttp: 127.0.0.1:{port}\n")
    process = subprocess.Popen([str(BIN / "docket-worker"), "--config", str(config)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(30)
        process.stderr.close()


SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? ([+-]?(?:[0-9.]+(?:e[+-]?[0-9]+)?|Inf)|NaN)')
UNITS_THAT_ARE_NOT_BASE = re.compile(r"_(ms|us|ns|millis\w*|micros\w*|minutes|hours|days|k?ib|[kmg]b|percent)(_|$)")


def assert_is_prometheus_text(text):
    """The rules of the text format 0.0.4, line by line, and of its names: what a scraper refuses, or takes for something else."""
    types, helped, seen, family = {}, set(), set(), None
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family, words = line.split(" ", 3)[2:]
            assert family not in helped and words.strip(), line
            helped.add(family)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and name not in types and kind in ("counter", "gauge", "histogram"), line
            assert (kind == "counter") == name.endswith("_total"), line
            assert not UNITS_THAT_ARE_NOT_BASE.search(name), line
            types[name] = kind
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            name, labels, value = sample.groups()
            tails = ("_bucket", "_sum", "_count") if types.get(family) == "histogram" else ("",)
            assert name in [family + tail for tail in tails] and family in types, f"not below its HELP and TYPE: {line}"
            assert (name.endswith("_bucket") and types[family] == "histogram") == any(label.startswith('le="') for label in (labels or "").split(",")), line
            assert types[family] == "gauge" or float(value) >= 0, line
            series = (name, frozenset((labels or "").rstrip(",").split(",")))
            assert series not in seen, f"twice: {line}"
            seen.add(series)
    assert types and helped == set(types)


def test_what_each_program_tells_to_prometheus_is_as_its_format_says(workerless, tmp_path):
    with worker_with_http(workerless.env["DOCKET_WORKERS"].split(",")[0], tmp_path) as (_, port):
        wait_until(lambda: http_of(port, "/metrics")[0] == 200)
        for program, text in (
            ("worker", http_of(port, "/metrics")[1]),
            ("broker", workerless.http("broker-1", "/metrics")[1]),
            ("notifier", workerless.http("notifier-1", "/metrics")[1]),
        ):
            assert f"docket_{program}_" in text
            assert_is_prometheus_text(text)


def test_a_worker_serves_metrics_where_its_settings_say_so(workerless, tmp_path):
    client = workerless.client()
    with worker_with_http(workerless.env["DOCKET_WORKERS"].split(",")[0], tmp_path) as (_, port):
        wait_until(lambda: http_of(port, "/readyz")[0] == 200)
        assert http_of(port, "/healthz") == (200, "ok\n")
        client.decided(client.submit())
        text = http_of(port, "/metrics")[1]
        assert value_of(text, 'docket_worker_works_total{result="decided"}') >= 1
        assert value_of(text, "docket_worker_decide_seconds_count") >= 1
        second = subprocess.run([str(BIN / "docket-worker"), "--config", str(tmp_path / "worker.yaml")], capture_output=True, text=True, timeout=60)
        assert second.returncode == 1 and f"cannot bind 127.0.0.1:{port}" in second.stderr
    client.close()


def test_a_worker_without_a_broker_is_alive_and_not_ready(tmp_path):
    with worker_with_http(f"tcp://127.0.0.1:{free_port()}", tmp_path) as (_, port):
        wait_until(lambda: http_of(port, "/healthz")[0] == 200)
        assert http_of(port, "/readyz") == (503, "cannot serve: ready at no broker\n")


@pytest.mark.parametrize("program", ("broker-1", "notifier-1"))
def test_sighup_reads_the_settings_again_and_a_bad_file_changes_nothing(workerless, program):
    config = workerless.config(program)
    before = config.read_text()

    def reloaded(text, event):
        """Signals with that text as the file; the new log lines, once the event is among them."""
        seen = len(workerless.log(program))
        config.write_text(text)
        workerless.kill(program, signal.SIGHUP)
        return wait_until(lambda: (new := workerless.log(program)[seen:]) if f"event={event} " in workerless.log(program)[seen:] else None)

    try:
        assert "level=debug" in reloaded(before.replace('log_level: "info"', 'log_level: "debug"'), "settings_reloaded")
        assert "log_level" in reloaded(before.replace('log_level: "info"', 'log_level: "loud"'), "settings_refused")
        assert "setting=name" in reloaded(before.replace(f'name: "{program}"', 'name: "other"', 1), "setting_needs_restart")
        assert workerless.http(program, "/healthz")[0] == 200
    finally:
        reloaded(before, "settings_reloaded")


def test_sigterm_ends_in_order():
    """A signal in the middle of a poll must not end the loop: what is under way is finished first."""
    stack = Stack()
    try:
        client = stack.client()
        for program in ("worker-1", "notifier-1", "broker-1"):
            for n in range(20):
                client.send("ticket.submit", key=f"{program}-{n}", customer="acme", title="t", problem="p")
            stack.kill(program, signal.SIGTERM)
            wait_until(lambda: not alive(stack.pid(program)))
            log = stack.log(program)
            assert "event=stopping " in log or "event=leaving " in log, program
            assert log.rstrip().splitlines()[-1].split("event=")[1].startswith("stopped "), program
            after = re.split(r"event=(?:stopping|leaving) ", log)[1]
            assert "level=warn" not in after and "level=error" not in after, log  # what is ordinary wakes nobody
        client.close()
    finally:
        stack.close()


def serves(stack, program):
    with contextlib.suppress(OSError):
        return stack.http(program, "/readyz")[0] == 200


@pytest.mark.parametrize("reader", ("gone", "stuck"))
def test_a_log_that_nobody_reads_stops_nobody(reader):
    """Who reads the log may have died, or stand still with the pipe full; what could not be written is counted in the log itself."""
    stack, running = Stack(), {}
    try:
        for program in ("broker-1", "worker-1", "notifier-1"):
            stack.kill(program)
            ours, its = os.pipe()
            fcntl.fcntl(its, fcntl.F_SETPIPE_SZ, 4096)
            os.write(its, b"x" * 4096)
            if reader == "gone":
                os.close(ours)
            running[program] = subprocess.Popen([BIN / ("docket-" + program[:-2]), "--config", stack.config(program)], stdin=subprocess.DEVNULL, stdout=its, stderr=its), ours
            os.close(its)
        wait_until(lambda: [serves(stack, program) for program in ("broker-1", "notifier-1")] == [True, True])
        client = stack.client()
        client.decided(client.submit(contact={"email": "carla@localhost"}), 30)
        client.close()
        wait_until(lambda: any("carla@localhost" in mail for mail in stack.mails()))
        for program in ("broker-1", "notifier-1"):
            running[program][0].send_signal(signal.SIGHUP)
        wait_until(lambda: all(stack.http(program, "/healthz")[0] == 200 for program in ("broker-1", "notifier-1")))
        if reader == "stuck":
            os.read(running["broker-1"][1], 4096)
            running["broker-1"][0].send_signal(signal.SIGHUP)
            assert re.search(rb"level=warn .*event=log_lines_lost lines=[1-9]", os.read(running["broker-1"][1], 4096))
        for process, _ in running.values():
            process.terminate()
        assert [process.wait(30) for process, _ in running.values()] == [0, 0, 0]
    finally:
        for process, _ in running.values():
            process.kill()
            process.wait()
        stack.close()


def test_one_ticket_s_events_come_in_one_page_however_many_others_lie_between(workerless):
    client = workerless.client()
    tracking = client.submit()
    workerless.value("SELECT setval('event_seq', nextval('event_seq') + 300000)")
    client.call("ticket.comment", key="far-away", tracking=tracking, text="later", public=False, as_={"name": "ada", "role": "staff"})
    page = client.call("events.since", cursor="", limit=10, filter={"tracking": tracking}, wait_ms=5000)
    kinds = [event["kind"] for event in page["events"]]
    assert kinds == ["posted", "commented"], kinds
    client.close()


def test_a_customer_with_few_tickets_is_read_by_these_however_many_others_lie_between(workerless):
    client = workerless.client()
    first, second = client.submit(customer="rare"), client.submit(customer="rare")
    cursor = client.call("events.since", cursor="", limit=1, filter={"customer": "rare"}, wait_ms=5000)["cursor"]
    workerless.value("SELECT setval('event_seq', nextval('event_seq') + 300000)")
    client.call("ticket.comment", key="rare-1", tracking=first, text="later", public=True, as_=ADA)
    client.submit(customer="other")
    client.call("ticket.comment", key="rare-2", tracking=second, text="inside", public=False, as_=ADA)

    def page(cursor, **filters):
        body = client.call("events.since", cursor=cursor, limit=10, filter={"customer": "rare", **filters}, wait_ms=5000)
        return [(event["kind"], event["tracking"]) for event in body["events"]], body["cursor"]

    whole = [("posted", first), ("posted", second), ("commented", first), ("commented", second)]
    seen, after = wait_until(lambda: (got := page(""))[0] == whole and got)
    assert page(cursor)[0] == seen[1:] and page("", public=True)[0] == seen[:3] and page("", kinds=["commented"])[0] == seen[2:]
    client.call("ticket.comment", key="rare-3", tracking=first, text="last", public=True, as_=ADA)
    assert page(after)[0] == [("commented", first)]
    client.close()


def plan(db, statement, *values):
    """How the reader runs it on a table so large that an index is worth it."""
    db.execute("SET plan_cache_mode = force_custom_plan; SET enable_seqscan = off; SET jit = off")
    db.execute(f"PREPARE asked AS {(ROOT / f'broker/sql/{statement}.sql').read_text()}")
    rows = db.execute(sql.SQL("EXPLAIN EXECUTE asked ({})").format(sql.SQL(", ").join(sql.Literal(value) for value in values))).fetchall()
    db.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)


def test_what_could_walk_a_whole_table_has_an_index(workerless):
    with workerless.db() as db:
        few = plan(db, "customer_size", "rare", 2000)
        assert "tickets_customer" in few and "Seq Scan" not in few and "Sort" not in few
        events = plan(db, "read_events_few", 0, 10**9, 100, "rare", None, None, None, None)
        assert "tickets_customer" in events and "events_pkey" in events and "events_seq" not in events and "Seq Scan" not in events
        for beginning in ("0123abcd", None):
            process = plan(db, "process_get", beginning)
            assert "Seq Scan" not in process, process
        assert "process_log_hash" in plan(db, "process_get", "0123abcd")


def test_the_broker_tells_how_many_dead_letters_lie(workerless):
    def told():
        return value_of(workerless.http("broker-1", "/metrics")[1], "docket_broker_dead_letters")

    assert told() == 0
    with workerless.db() as db:
        db.execute("INSERT INTO dead_letters (ticket, at, attempt, failures, code, message) SELECT n, docket_now(), 1, 3, 'timeout', 'late' FROM generate_series(1, 3) n")
        wait_until(lambda: told() == 3)
        db.execute("DELETE FROM dead_letters WHERE ticket <= 3")
        wait_until(lambda: told() == 0)


def test_a_full_broker_refuses_requests_and_still_tells_how_it_is():
    stack = Stack(workers=0)
    try:
        config = stack.config("broker-1")
        config.write_text(config.read_text() + "requests_max: 2\n")
        stack.kill("broker-1")
        stack.up()
        client, ops = stack.client(), stack.client()
        for _ in range(2):
            client.send("events.since", cursor="", filter={"customer": "nobody"}, wait_ms=20000)
        wait_until(lambda: ops.call("stats")["requests_open"] == 3)
        assert ops.refused("ticket.list").code == "busy" and ops.refused("no.such").code == "busy"
        assert ops.call("ping")["ready"] and ops.call("stats")["requests_open"] == 3
        client.close()
        ops.close()
    finally:
        stack.close()


def test_each_metric_of_the_alert_rules_is_served(workerless, tmp_path):
    rules = (ROOT / "deploy/prometheus/docket.rules.yaml").read_text()
    used = set(re.findall(r"\bdocket_(?:broker|worker|notifier)_[a-z_]+", " ".join(re.findall(r"expr: (.*)", rules))))
    with worker_with_http(workerless.env["DOCKET_WORKERS"].split(",")[0], tmp_path) as (_, port):
        wait_until(lambda: http_of(port, "/readyz")[0] == 200)
        text = http_of(port, "/metrics")[1] + workerless.http("broker-1", "/metrics")[1] + workerless.http("notifier-1", "/metrics")[1]
    assert len(used) > 8
    for name in used:
        assert re.search(rf"^{name}[{{ ]", text, re.M), name
    for label, value in re.findall(r'\{(\w+)="(\w+)"', " ".join(re.findall(r"expr: (.*)", rules))):
        assert f'{label}="{value}"' in text, (label, value)
    # Each has a row in the page that tells what to do.
    told = (ROOT / "docs/operations.md").read_text()
    for alert in re.findall(r"alert: (\w+)", rules):
        assert f"| {alert} |" in told, alert


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool here")
def test_the_alert_rules_say_in_each_night_what_they_should(tmp_path):
    done = subprocess.run(["promtool", "test", "rules", ROOT / "tests/system/docket.rules.test.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- what somebody on call reads ----


@pytest.mark.parametrize("program", ("docket-broker", "docket-worker", "docket-notifier"))
def test_a_program_that_cannot_start_says_why_in_one_line_and_ends_with_1(program, tmp_path):
    done = subprocess.run([BIN / program, "--config", tmp_path / "none.yaml"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{program}: {tmp_path}/none.yaml: cannot be read: No such file or directory\n"


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_tells_the_exit_statuses(program):
    done = subprocess.run([BIN / program, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and re.search(r"^Exit status: 0 ", done.stdout, re.M)


def test_a_broker_without_its_database_or_schema_does_not_start_and_a_notifier_waits_and_says_what_is_missing(tmp_path):
    home = tempfile.mkdtemp(prefix="docket-test-")
    dsn = subprocess.run([ROOT / "tests/private-pg", "start", home], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    port = free_port()
    broker, notifier = tmp_path / "broker.yaml", tmp_path / "notifier.yaml"
    ports = "".join(f"{name}: tcp://127.0.0.1:{free_port()}\n" for name in ("clients", "workers", "pokes"))
    broker.write_text(f'dsn: "{dsn}"\n{ports}http: ""\n')
    notifier.write_text(f'dsn: "{dsn}"\nfeed: tcp://127.0.0.1:{free_port()}\nhttp: 127.0.0.1:{port}\n')
    try:
        done = subprocess.run([BIN / "docket-broker", "--config", broker], capture_output=True, text=True)
        assert done.returncode == 1 and "the database has schema 0, this docket-broker needs" in done.stderr and done.stderr.count("\n") == 1
        with open(tmp_path / "log", "w") as log:
            process = subprocess.Popen([BIN / "docket-notifier", "--config", notifier], stdin=subprocess.DEVNULL, stderr=log)
        try:
            wait_until(lambda: "run docket-broker migrate" in http_of(port, "/readyz")[1])
            assert http_of(port, "/readyz")[0] == 503 and http_of(port, "/healthz")[0] == 200
            assert subprocess.run([BIN / "docket-broker", "migrate", "--config", broker], capture_output=True).returncode == 0
            wait_until(lambda: http_of(port, "/readyz") == (200, "ready\n"), 20)
            told = (tmp_path / "log").read_text()
            assert "event=database_away since_s=0 tries=1" in told and "event=database_back " in told
        finally:
            process.terminate()
            assert process.wait(30) == 0
    finally:
        subprocess.run([ROOT / "tests/private-pg", "stop", home], cwd=ROOT, check=True)
    done = subprocess.run([BIN / "docket-broker", "--config", broker], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("docket-broker: the database: connection to server"), done.stderr


def test_a_database_that_is_away_is_told_once_not_with_each_try(workerless):
    def lines(program, event):
        return [line for line in workerless.log(program).splitlines() if f"event={event} " in line]

    before = {program: len(lines(program, "database_away")) for program in ("broker-1", "notifier-1")}
    workerless.kill("postgres")
    for program in before:
        status, text = wait_until(lambda: (got := workerless.http(program, "/readyz"))[0] == 503 and "connection" in got[1] and got)  # noqa: B023
        assert text.startswith("cannot serve: ") and text.count("\n") == 1
    workerless.up()
    for program, count in before.items():
        wait_until(lambda: workerless.http(program, "/readyz")[0] == 200, 30)  # noqa: B023
        back = wait_until(lambda: lines(program, "database_back"))[-1]  # noqa: B023
        seconds = int(re.search(r"after_s=(\d+)", back)[1])
        assert 1 <= len(lines(program, "database_away")) - count <= 1 + seconds // 5, workerless.log(program)


def test_a_worker_whose_broker_is_silent_says_so_and_how_long(tmp_path):
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with worker_with_http(endpoint, tmp_path) as (process, _):
        line = next(line for line in process.stderr if "event=broker_silent" in line)
    assert "level=warn" in line and f"broker={endpoint} since_s=" in line


def test_no_line_of_a_log_has_a_field_twice(workerless):
    for program in ("broker-1", "notifier-1"):
        for line in workerless.log(program).splitlines():
            names = re.findall(r"(?:^| )([a-z_]+)=", re.sub(r'"(?:[^"\\]|\\.)*"', '""', line))
            assert len(names) == len(set(names)), line


def test_a_ticket_waits_since_it_woke_whoever_holds_it_now(workerless, tmp_path):
    client = workerless.client()
    tracking = client.submit()
    client.close()
    began = time.monotonic()
    workerless.kill("broker-1")
    workerless.up()
    seconds = time.monotonic() - began
    client = workerless.client()
    with worker_with_http(workerless.env["DOCKET_WORKERS"].split(",")[0], tmp_path):
        client.decided(tracking, 30)
        text = workerless.http("broker-1", "/metrics")[1]
    client.close()
    # Not since the new broker took it over.
    assert sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("docket_broker_wait_seconds_sum")) > seconds
