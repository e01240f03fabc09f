"""Fixtures of the system and fault tests."""

import os
import signal

import pytest
from helpers import SLOW, Stack
from pyworker import PyWorker

LIMIT_S = 120


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): how long this test may take")


def pytest_runtest_logreport(report):
    """Who runs us may want to know the names of what failed, as arguments of pytest."""
    path = os.environ.get("DOCKET_FAILED_TO")
    if path and report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        with open(path, "a") as names:
            names.write((report.nodeid if report.when != "teardown" else f"end of {report.nodeid}") + "\n")


@pytest.fixture(autouse=True)
def limit(request):
    """A test that hangs fails, and says where."""
    marker = request.node.get_closest_marker("limit")
    seconds = (marker.args[0] if marker else LIMIT_S) * SLOW

    def over(*_):
        raise TimeoutError(f"the test took over {seconds} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def stack():
    """One broker, worker and notifier for all tests that break nothing."""
    running = Stack()
    yield running
    running.verify()
    running.close()


@pytest.fixture(scope="module")
def pair():
    """Two brokers on one database."""
    running = Stack(brokers=2)
    yield running
    running.verify()
    running.close()


@pytest.fixture(scope="module")
def workerless():
    """A stack in which nobody decides, unless the test does."""
    running = Stack(workers=0)
    yield running
    running.close()


@pytest.fixture
def desk(workerless):
    """A client of the stack without workers."""
    client = workerless.client()
    yield client
    client.close()


@pytest.fixture
def hired(workerless):
    """Starts workers of that stack for one test."""
    workers = []

    def hire(**options):
        workers.append(PyWorker(workerless.env["DOCKET_WORKERS"].split(",")[0], **options))
        return workers[-1]

    yield hire
    for worker in workers:
        worker.leave()


@pytest.fixture
def client(stack):
    one = stack.client()
    yield one
    one.close()
