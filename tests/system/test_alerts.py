"""Alerts climb until somebody acknowledges: policies of seconds on a whole stack."""

import pathlib
import random
import shutil
import tempfile

import pytest
from helpers import ADA, BEN, ROOT, Stack, id_of, wait_until

STAFF = """
people:
  ada: {name: Ada, email: ada@desk.example}
  ben: {name: Ben, email: ben@desk.example}
  cy: {name: Cy, email: cy@desk.example}
  lea: {name: Lea, email: lea@desk.example}
  far: {name: Far, xmpp: far@desk.example}
teams:
  noc: {members: [cy, ben], lead: lea}
"""

ONCALL = """
schedules:
  primary:
    layers: [{rotation: weekly, start: 2020-01-06, people: [ada]}]
"""

ESCALATION = """
policies:
  p1:
    levels:
      - {after: 0m, tell: [oncall:primary]}
      - {after: 2s, tell: [team:noc]}
    repeat: {every: 30s, loops: 1}
    last_resort: {tell: [ops], every: 1h}
    unack: {after: 2s, grace: 2s}
  unreachable:
    levels: [{after: 0m, tell: [person:far]}]
    repeat: {every: 1h, loops: 1}
    last_resort: {tell: [ops], every: 1h}
  missed:
    levels: [{after: 0m, tell: [lead, desk]}]
    repeat: {every: 1h, loops: 1}
    last_resort: {tell: [ops], every: 1h}
match:
  - {cause: far, policy: unreachable}
  - {kind: missed, policy: missed}
  - {policy: p1}
notices:
  warning: {first: [assignee, queue], urgency: normal}
  tell: {first: [assignee, queue], urgency: normal}
"""

RULES = """
- rule: p1
  when: {field: impact, is: down}
  then: {priority: 1, queue: noc}
- rule: far
  when: {field: title, contains: far}
  then: {priority: 2, alert: far}
- rule: default
  default: true
  then: {priority: 3, queue: noc}
"""


def process_dir():
    """The shipped process with people, levels of seconds, and rules of its own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="docket-test-")) / "process"
    shutil.copytree(ROOT / "deploy/process", folder)
    shutil.rmtree(folder / "rules")
    shutil.rmtree(folder / "tests")
    (folder / "rules").mkdir()
    (folder / "staff.yaml").write_text(STAFF)
    (folder / "oncall.yaml").write_text(ONCALL)
    (folder / "escalation.yaml").write_text(ESCALATION)
    (folder / "rules/1.yaml").write_text(RULES)
    return folder


@pytest.fixture(scope="module")
def desk():
    folder = process_dir()
    running = Stack(process=folder, notifiers=2)
    yield running
    running.verify()
    running.close()
    shutil.rmtree(folder.parent)


@pytest.fixture
def caller(desk):
    one = desk.client()
    yield one
    one.close()


def pages(desk, tracking, word="P1"):
    """Who was mailed about this ticket's alert, in order."""
    mails = [mail for mail in desk.mails() if tracking in mail and f"Subject: {word}" in mail.replace("\r\n ", " ")]
    return [line.split("@")[0].split()[-1].strip("<") for mail in mails for line in mail.splitlines() if line.startswith("To:")]


def alert_of(desk, tracking):
    return desk.value("SELECT id FROM alerts WHERE ticket = %s ORDER BY id LIMIT 1", id_of(tracking))


def test_a_p1_pages_who_is_on_call_then_the_team(desk, caller):
    tracking = caller.submit(impact="down")
    wait_until(lambda: pages(desk, tracking) == ["ada"])
    wait_until(lambda: sorted(pages(desk, tracking)) == ["ada", "ben", "cy"])
    steps = desk.value("SELECT array_agg((round, level, told)::text ORDER BY id) FROM escalations WHERE alert = %s", alert_of(desk, tracking))
    assert steps == ["(0,0,1)", "(0,1,2)"]
    caller.call("ticket.take", tracking=tracking, as_=ADA)
    wait_until(lambda: sorted(pages(desk, tracking, "Over")) == ["ada", "ben", "cy"])
