"""Alerts under races and deaths: no page begins after an acknowledgement was answered, no step is made twice, none is forgotten."""

import pathlib
import random
import shutil
import tempfile
import threading
import time

import pytest
from helpers import ADA, ROOT, SLOW, Stack, wait_until

ALERTS, PEOPLE = 10000, 40
STAFF = "people:\n" + "".join(f"  p{n}: {{email: p{n}@desk.example}}\n" for n in range(PEOPLE))
# A policy for each person, by the first word of the cause, so that no address is the bottleneck.
ESCALATION = "policies:\n" + "".join(
    f"  q{n}:\n    levels:\n" + "".join(f"      - {{after: {s}s, tell: [person:p{n}]}}\n" for s in range(6)) +
    "    repeat: {every: 1h, loops: 1}\n    last_resort: {tell: [ops], every: 1h}\n" for n in range(PEOPLE)) + "match:\n" + "".join(
    f"  - {{cause: c{n}, policy: q{n}}}\n" for n in range(PEOPLE))


@pytest.fixture(scope="module")
def desk():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="docket-test-")) / "process"
    shutil.copytree(ROOT / "deploy/process", folder)
    (folder / "escalation.yaml").write_text(ESCALATION)
    (folder / "staff.yaml").write_text(STAFF)
    running = Stack(process=folder, notifiers=2)
    yield running
    running.close()
    shutil.rmtree(folder.parent)


def open_alerts(desk, word, count):
    with desk.db() as db:
        rows = db.execute("INSERT INTO alerts (cause, kind, priority, opened_at, body) SELECT 'c' || n %% %s || ':' || %s || n, 'alert', 1, docket_now(), 'race' "
                          "FROM generate_series(1, %s) n RETURNING id", (PEOPLE, word, count)).fetchall()
    return [number for number, in rows]


def acknowledge(desk, numbers, answered, length):
    """Each at a moment of its own, over one connection; when the answer came."""
    client = desk.client(timeout=60)
    begun = time.monotonic()
    moments = sorted((random.uniform(0, length), number) for number in numbers)
    for moment, number in moments:
        time.sleep(max(0.0, begun + moment - time.monotonic()))
        client.call("alert.ack", alert=number, as_=ADA)
        answered[number] = int(time.time() * 1_000_000)
    client.close()


@pytest.mark.limit(240)
def test_no_page_begins_after_the_answer_and_no_step_is_made_twice(desk):
    numbers = open_alerts(desk, "race-", ALERTS)
    answered, threads = {}, []
    for part in range(4):
        threads.append(threading.Thread(target=acknowledge, args=(desk, numbers[part::4], answered, 25)))
        threads[-1].start()
    for n in (1, 2, 1, 2, 1, 2, 1, 2):
        time.sleep(2.5)
        desk.kill(f"notifier-{n}")
        desk.up()
    for thread in threads:
        thread.join()
    assert len(answered) == ALERTS
    wait_until(lambda: desk.value("SELECT count(*) FROM deliveries WHERE state < 2") == 0, 60)
    time.sleep(2 * SLOW)
    with desk.db() as db:
        begun = db.execute("SELECT d.alert, a.started_at FROM attempts a JOIN deliveries d ON d.id = a.delivery WHERE d.kind = 'alert'").fetchall()
        twice = db.execute("SELECT count(*) FROM (SELECT FROM deliveries WHERE alert IS NOT NULL GROUP BY alert, generation, address HAVING count(*) > 1) x").fetchone()[0]
        steps = db.execute("SELECT count(*), count(DISTINCT alert) FROM escalations").fetchone()
    late = [(alert, at - answered[alert]) for alert, at in begun if at > answered[alert]]
    print(f"{len(begun)} attempts, {steps[0]} steps of {steps[1]} alerts, {len(late)} begun after the answer")
    assert late == [] and twice == 0
    assert len(begun) > ALERTS / 5


@pytest.mark.limit(240)
def test_every_level_of_every_alert_is_told_once_whatever_is_killed(desk):
    numbers = open_alerts(desk, "climb-", 300)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(random.uniform(0.3, 1.2))
        victim = random.choice(["notifier-1", "notifier-2", "broker-1", "postgres" if random.random() < 0.3 else "notifier-1"])
        desk.kill(victim)
        desk.up()
    wait_until(lambda: desk.value("SELECT count(*) FROM escalations WHERE alert = ANY(%s) AND what = 0 AND round = 0", numbers) == 6 * len(numbers), 90)
    with desk.db() as db:
        told = db.execute("SELECT alert, count(*), count(DISTINCT (generation, round, level)) FROM escalations WHERE alert = ANY(%s) GROUP BY alert", (numbers,)).fetchall()
        gaps = db.execute("SELECT min(e.at - p.at) FROM escalations e JOIN escalations p USING (alert, generation, what, round) "
                          "WHERE e.level = p.level + 1 AND alert = ANY(%s)", (numbers,)).fetchone()[0]
    assert all(count == distinct for _, count, distinct in told) and len(told) == len(numbers)
    # A step may be late, and the next one then comes sooner after it, but never before its own time.
    assert gaps >= 0
    wait_until(lambda: desk.value("SELECT count(*) FROM deliveries WHERE alert = ANY(%s) AND state < 2", numbers) == 0, 90)
    assert desk.value("SELECT count(*) FROM alerts WHERE state = 0 AND next_at IS NULL") == 0
