"""The embedded stack keeps what docs say of it."""

import os
import re
import pathlib
import signal

import pytest
from helpers import Stack, alive, wait_until


@pytest.fixture
def own():
    running = Stack()
    yield running
    running.close()


def test_names_ports_and_health_are_as_documented(stack):
    for name in ("BROKERS", "WORKERS", "FEED", "DSN", "PUBLIC_URL", "HTTP_BROKER_1", "HTTP_NOTIFIER_1", "PID_POSTGRES", "PID_BROKER_1", "PID_WORKER_1", "PID_NOTIFIER_1"):
        assert stack.env["DOCKET_" + name], name
    for program in ("broker-1", "notifier-1"):
        assert stack.http(program, "/readyz")[0] == stack.http(program, "/healthz")[0] == 200
        assert "docket_build_info" in stack.http(program, "/metrics")[1]
    assert stack._stack("status").returncode == 0
    assert stack.value("SHOW fsync") == stack.value("SHOW synchronous_commit") == "on" and stack.value("SHOW listen_addresses") == ""


def test_up_again_starts_only_what_is_down_and_keeps_all_else(own):
    before = dict(own.env)
    tracking = own.client().submit()
    configuration = own.config("broker-1").read_text()
    own.kill("broker-1")
    own.kill("worker-1")
    assert own._stack("status", check=False).returncode == 1
    own.up()
    changed = {name for name in before if own.env[name] != before[name]}
    assert changed == {"DOCKET_PID_BROKER_1", "DOCKET_PID_WORKER_1"}
    assert own.config("broker-1").read_text() == configuration
    client = own.client()
    assert client.decided(tracking)["tracking"] == tracking
    client.close()


def test_postgres_killed_comes_back_with_everything(own):
    tracking = own.client().submit()
    own.kill("postgres")
    own.up()
    client = own.client()
    assert wait_until(lambda: client.decided(tracking))["tracking"] == tracking
    client.close()
    own.verify()
    lost = set(re.findall(r"event=database_lost (\S+)", own.log("notifier-1")))
    assert {"session=tell", "session=unpack", "session=feed"} <= lost and all(which.startswith("session=") for which in lost)


def test_down_stops_all_and_signals_no_stranger(own):
    pids = [int(value) for name, value in own.env.items() if name.startswith("DOCKET_PID_")]
    # A pid file whose process is somebody else by now: ours, with another start time.
    file = own.home / "h/run/worker-1.pid"
    file.write_text(file.read_text().replace(f'"pid": {own.pid("worker-1")}', f'"pid": {os.getpid()}'))
    own._stack("down")
    worker = own.pid("worker-1")
    assert [pid for pid in pids if alive(pid)] == [worker]
    os.kill(worker, signal.SIGTERM)
    wait_until(lambda: not alive(worker))
    assert not list(pathlib.Path(own.home / "h/run").glob("broker*.pid"))


def test_sigterm_ends_each_program_in_time_and_without_loss(own):
    client = own.client()
    tracking = client.submit()
    for name in ("worker-1", "notifier-1", "broker-1"):
        own.kill(name, signal.SIGTERM)
        wait_until(lambda name=name: not alive(own.pid(name)), 10)
    own.up()
    again = own.client()
    assert again.decided(tracking)
    again.close()
    client.close()
