"""Alerts climb until somebody acknowledges: policies of seconds on a whole stack."""

import contextlib
import datetime
import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import zoneinfo

import icalendar
import pytest
from helpers import ADA, BEN, BIN, ROOT, Refused, Stack, alive, id_of, ticket_of, wait_until
from test_links import link_in, mails_to, press, visit

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
  second:
    zone: Europe/Berlin
    layers: [{rotation: daily, start: 2020-01-06, handover: "09:00", people: [ben, cy]}]
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
  night:
    levels:
      - {after: 0m, tell: [oncall:primary]}
      - {after: 2s, tell: [team:noc]}
      - {after: 10m, tell: [lead]}
    repeat: {every: 30m, loops: 1}
    last_resort: {tell: [ops], every: 1h}
    unack: {after: 30m, grace: 15m}
  remind:
    levels: [{after: 0m, tell: [oncall:primary]}]
    repeat: {every: 1h, loops: 1}
    last_resort: {tell: [ops], every: 1h}
    unack: {after: 1s, grace: 10m}
match:
  - {queue: night, policy: night}
  - {queue: remind, policy: remind}
  - {cause: far, policy: unreachable}
  - {kind: missed, policy: missed}
  - {policy: p1}
notices:
  warning: {first: [assignee, queue], urgency: normal}
  tell: {first: [assignee, queue], urgency: normal}
"""

RULES = """
- rule: night
  when: {all: [{field: impact, is: down}, {field: title, contains: night}]}
  then: {priority: 1, queue: night}
- rule: remind
  when: {field: title, contains: remind}
  then: {priority: 1, queue: remind}
- rule: p1
  when: {all: [{field: impact, is: down}, {not: {field: title, contains: night}}]}
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
    with open(folder / "packages.yaml", "a") as packages:
        packages.write("\nquick:\n  targets: {3: {response: 2s}}\n")
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


def told(desk, tracking, kind):
    """Who is told so, whether at once or in the next summary of what is over their limit."""
    with desk.db() as db:
        rows = db.execute("SELECT DISTINCT recipient FROM deliveries WHERE ticket = %s AND kind = %s ORDER BY 1", (id_of(tracking), kind)).fetchall()
    return [recipient for recipient, in rows]


def alert_of(desk, tracking):
    return desk.value("SELECT min(id) FROM alerts WHERE ticket = %s", id_of(tracking))


def test_a_process_that_comes_while_a_step_is_under_way_takes_nothing_away_from_it(desk, caller):
    """The step's policy is of the process before: the notifier read what was freed."""
    tracking = caller.submit(impact="down")
    wait_until(lambda: pages(desk, tracking) == ["ada"])
    pids = [desk.pid(f"notifier-{n}") for n in (1, 2)]
    used = [desk.log(f"notifier-{n}").count("process_used n=") for n in (1, 2)]
    with desk.db() as db, db.transaction():
        db.execute("LOCK TABLE outbox IN EXCLUSIVE MODE")  # the next level's step waits for it
        waits = "SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, 'docket-notifier') AND wait_event_type = 'Lock'"
        wait_until(lambda: desk.value(waits) > 0)
        files = caller.call("process.get")["files"]
        caller.call("process.apply", files={**files, "staff.yaml": files["staff.yaml"] + b"# again\n"}, as_={"name": "root", "role": "admin"})
        wait_until(lambda: all(desk.log(f"notifier-{n}").count("process_used n=") > used[n - 1] for n in (1, 2)))
    wait_until(lambda: {"ben", "cy"} <= set(pages(desk, tracking)))
    assert [desk.pid(f"notifier-{n}") for n in (1, 2)] == pids and all(alive(pid) for pid in pids)
    caller.call("ticket.resolve", tracking=tracking, text="Done.", as_=ADA)


def test_a_p1_pages_who_is_on_call_then_the_team(desk, caller):
    tracking = caller.submit(impact="down")
    wait_until(lambda: pages(desk, tracking) == ["ada"])
    wait_until(lambda: sorted(pages(desk, tracking)) == ["ada", "ben", "cy"])
    steps = desk.value("SELECT array_agg((round, level, told)::text ORDER BY id) FROM escalations WHERE alert = %s", alert_of(desk, tracking))
    assert steps == ["(0,0,1)", "(0,1,2)"]
    caller.call("ticket.take", tracking=tracking, as_=ADA)
    wait_until(lambda: sorted(pages(desk, tracking, "Over")) == ["ada", "ben", "cy"])


def test_an_acknowledged_alert_pages_nobody_any_more(desk, caller):
    tracking = caller.submit(impact="down")
    wait_until(lambda: pages(desk, tracking) == ["ada"])
    alert = alert_of(desk, tracking)
    done = desk.docket("alert", "ack", str(alert), "--as", "ben")
    assert done.returncode == 0 and f"alert {alert} is acknowledged" in done.stdout, done.stderr
    shown = caller.call("alert.show", alert=alert)
    assert (shown["alert"]["state"], shown["alert"]["acked_by"]) == ("acknowledged", "ben")
    assert shown["alert"]["next_at"] is None or shown["alert"]["next_at"] > shown["alert"]["acked_at"]
    # The second level would have been told two seconds after the first; the reminder comes later than that.
    wait_until(lambda: pages(desk, tracking, "No progress") == ["ben"])
    assert pages(desk, tracking) == ["ada"]
    again = caller.call("alert.ack", alert=alert, as_=BEN)
    assert (again["state"], again["generation"], again["duplicate"]) == ("acknowledged", 1, False)
    caller.call("ticket.take", tracking=tracking, as_=BEN)
    wait_until(lambda: told(desk, tracking, "alert_over") == ["ada", "ben"])
    assert caller.call("alert.ack", alert=alert, as_=ADA)["state"] == "resolved"
    assert [a["alert"] for a in caller.call("alert.list", tracking=tracking)["alerts"]] == []
    assert [a["alert"] for a in caller.call("alert.list", tracking=tracking, state="all")["alerts"]] == [alert]


def test_acknowledged_without_progress_it_is_opened_again(desk, caller):
    tracking = caller.submit(impact="down")
    wait_until(lambda: pages(desk, tracking) == ["ada"])
    alert = alert_of(desk, tracking)
    caller.call("alert.ack", alert=alert, as_=BEN)
    wait_until(lambda: pages(desk, tracking) == ["ada", "ada"])
    shown = caller.call("alert.show", alert=alert)
    assert (shown["alert"]["state"], shown["alert"]["generation"], shown["alert"]["acked_by"]) == ("open", 2, None)
    assert [s["what"] for s in shown["steps"]][:3] == ["page", "reminder", "page"]
    stale = caller.refused("alert.ack", alert=alert, generation=1, as_=BEN)
    assert (stale.code, stale.field) == ("conflict", "generation")
    assert caller.call("alert.ack", alert=alert, generation=2, as_=BEN)["state"] == "acknowledged"
    assert caller.call("alert.unack", alert=alert, as_=BEN)["generation"] == 3
    assert caller.refused("alert.unack", alert=alert, as_=BEN).code == "conflict"
    assert caller.call("alert.resolve", alert=alert, as_=BEN)["state"] == "resolved"
    wait_until(lambda: "ada" in told(desk, tracking, "alert_over"))


def test_a_reminder_is_answered_by_its_link_and_by_that_of_the_page(desk, caller):
    tracking = caller.submit(title="remind me", impact="request")
    alert = wait_until(lambda: caller.call("alert.list", tracking=tracking)["alerts"])[0]["alert"]

    def link(word):
        return next((link_in(mail) for mail in mails_to(desk, "ada@desk.example") if tracking in mail["Subject"] and mail["Subject"].startswith(word)), None)
    page = wait_until(lambda: link("P1"))
    assert "Acknowledged by Ada" in press(page, do="acknowledge")[1]
    reminded = lambda: desk.value("SELECT coalesce(reminded_at, 0) FROM alerts WHERE id = %s", alert)  # noqa: E731
    for which in ("No progress", "P1"):
        acked_at = caller.call("alert.show", alert=alert)["alert"]["acked_at"]
        wait_until(reminded)
        again = wait_until(lambda which=which: link(which))
        status, _, text = visit(again)
        assert status == 200 and 'value="acknowledge"' in text and "Acknowledged by Ada" in text
        status, text = press(again, do="acknowledge")
        assert status == 200 and caller.call("alert.show", alert=alert)["alert"]["acked_at"] > acked_at
    caller.call("alert.resolve", alert=alert, as_=ADA)


def test_the_same_key_acknowledges_once(desk, caller):
    tracking = caller.submit(impact="down")
    alert = wait_until(lambda: desk.value("SELECT max(id) FROM alerts WHERE ticket = %s", id_of(tracking)))
    first = caller.call("alert.ack", alert=alert, key="ack-once", as_=BEN)
    second = caller.call("alert.ack", alert=alert, key="ack-once", as_=BEN)
    assert first == {**second, "duplicate": False} and second["duplicate"]
    assert caller.refused("alert.resolve", alert=alert, key="ack-once", as_=BEN).code == "conflict"
    assert caller.refused("alert.ack", alert=10**12, as_=BEN).code == "not_found"
    assert caller.refused("alert.ack", alert=alert, as_={"name": "c", "role": "customer"}).code == "forbidden"
    caller.call("ticket.close", tracking=tracking, reason="withdrawn", text="x", as_=BEN)
    wait_until(lambda: caller.call("alert.show", alert=alert)["alert"]["state"] == "resolved")


def test_nobody_reachable_is_the_last_resort_and_counted(desk, caller):
    tracking = caller.submit(title="somebody far away", impact="degraded")
    wait_until(lambda: pages(desk, tracking, "P2") == ["ops"])
    alert = alert_of(desk, tracking)
    steps = caller.call("alert.show", alert=alert)["steps"]
    assert [(s["what"], s["told"]) for s in steps] == [("last_resort", 1)]
    counted = "".join(desk.http(f"notifier-{n}", "/metrics")[1] for n in (1, 2))
    assert any(line.startswith("docket_notifier_alerts_nobody_reachable_total") and float(line.split()[-1]) > 0 for line in counted.splitlines())
    caller.call("alert.resolve", alert=alert, as_=ADA)


def test_people_for_whom_a_step_has_no_room_are_logged_and_counted(desk, caller, folder):
    """They were told nothing, and nobody heard so. Only a queue's team can be too many by then: a level that names so many is refused."""
    names = [f"p{i}" for i in range(205)]
    (folder / "staff.yaml").write_text(STAFF.replace("teams:", "".join(f"  {name}: {{email: {name}@desk.example}}\n" for name in names) + "teams:")
                                       + f"  crowd: {{members: [{', '.join(names)}]}}\n")
    crowd = "policies:\n  crowd:\n    levels: [{after: 0m, tell: [WHO]}]\n    repeat: {every: 1h, loops: 1}\n    last_resort: {tell: [ops], every: 1h}\n"
    plan = ESCALATION.replace("match:", "match:\n  - {queue: crowd, policy: crowd}")
    (folder / "escalation.yaml").write_text(plan.replace("policies:\n", crowd.replace("WHO", "team:crowd")))
    done = desk.docket("process", "apply", str(folder))
    assert done.returncode == 1 and "crowd: level 1 tells 205 people, want at most 200" in done.stderr, done
    (folder / "escalation.yaml").write_text(plan.replace("policies:\n", crowd.replace("WHO", "queue")))
    (folder / "rules/0.yaml").write_text("- rule: crowd\n  when: {field: title, contains: crowd}\n  then: {priority: 1, queue: crowd, stop: true}\n")
    used = [desk.log(f"notifier-{n}").count("event=process_used") for n in (1, 2)]
    done = desk.docket("process", "apply", str(folder))
    assert done.returncode == 0 and "crowd: level 1 tells 205 people of what is in a queue of crowd" in done.stdout + done.stderr, done
    try:
        wait_until(lambda: all(desk.log(f"notifier-{n}").count("event=process_used") > used[n - 1] for n in (1, 2)))
        wait_until(caller.workers_run_the_newest)
        tracking = caller.submit(title="a crowd", impact="down")
        alert = wait_until(lambda: alert_of(desk, tracking))
        steps = wait_until(lambda: caller.call("alert.show", alert=alert)["steps"])
        caller.call("alert.resolve", alert=alert, as_=ADA)
        assert [(s["what"], s["told"]) for s in steps][:1] == [("page", 200)], steps
        wait_until(lambda: [n for n in (1, 2) if f'event=pages_left_out list=crowd what="p1:{tracking}" people=5 ways=0' in desk.log(f"notifier-{n}")])
        counted = "".join(desk.http(f"notifier-{n}", "/metrics")[1] for n in (1, 2))
        assert 'docket_notifier_pages_left_out_total{what="person"} 5\n' in counted
    finally:
        assert desk.docket("process", "apply", str(desk.home / "h/etc/process")).returncode == 0


def test_exactly_one_alert_and_one_page_a_level_with_notifiers_killed(desk, caller):
    trackings = [caller.submit(impact="down") for _ in range(8)]
    for n in (1, 2, 1):
        time.sleep(0.7)
        desk.kill(f"notifier-{n}")
        desk.up()
    ids = [id_of(tracking) for tracking in trackings]
    wait_until(lambda: desk.value("SELECT count(*) FROM escalations e JOIN alerts a ON a.id = e.alert WHERE a.ticket = ANY(%s) AND e.level = 1", ids) == 8, 40)
    assert desk.value("SELECT count(*) FROM alerts WHERE ticket = ANY(%s)", ids) == 8
    # A step is a row, and a row is at most one message to each: repeats of an attempt carry the same Message-ID.
    assert desk.value("SELECT count(*) FROM (SELECT FROM deliveries WHERE ticket = ANY(%s) AND kind = 'alert' "
                      "GROUP BY alert, generation, recipient HAVING count(*) > 1) x", ids) == 0
    assert desk.value("SELECT count(*) FROM (SELECT FROM deliveries d JOIN outbox o USING (ticket, version, audience, kind, generation) JOIN alerts a "
                      "ON a.id = d.alert WHERE d.ticket = ANY(%s) AND a.round = 0 AND d.kind = 'alert' GROUP BY d.alert, d.recipient HAVING count(*) > 1) x", ids) == 0
    for alert in [alert_of(desk, tracking) for tracking in trackings]:
        caller.call("alert.resolve", alert=alert, as_=ADA)


def micros(text):
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1_000_000)


def test_who_is_on_call_and_who_will_be(desk, caller):
    at = micros("2030-06-10T12:00:00+00:00")
    who = {s["schedule"]: s for s in caller.call("oncall.who", at=at)["schedules"]}
    assert who["primary"]["staff"] == ["ada"] and who["second"]["staff"] in (["ben"], ["cy"])
    assert who["second"]["change_at"] == micros("2030-06-11T09:00:00+02:00")
    turns = caller.call("oncall.next", schedule="second", from_at=at, limit=3)["turns"]
    assert [t["staff"] for t in turns][0] == [t["staff"] for t in turns][2] != turns[1]["staff"]
    only = caller.call("oncall.next", staff="ben", from_at=at, until_at=at + 4 * 86400 * 10**6)["turns"]
    assert only and all(t["staff"] == ["ben"] for t in only)
    assert caller.refused("oncall.who", schedule="none").field == "schedule"
    unknown = caller.refused("oncall.next", staff="bne")
    assert (unknown.code, unknown.field) == ("invalid", "staff") and "bne" in unknown.error["message"]
    assert "ada" in desk.docket("oncall", "who", "primary").stdout


def test_the_export_is_iCalendar_as_another_reader_sees_it(desk, caller):
    since = "2030-03-25T00:00:00Z"
    text = desk.docket("oncall", "export", "second", "--from-at", since, "--until-at", "2030-04-05T00:00:00Z", "--limit", "500").stdout
    events = list(icalendar.Calendar.from_ical(text).walk("VEVENT"))
    turns = caller.call("oncall.next", schedule="second", from_at=micros("2030-03-25T00:00:00+00:00"), until_at=micros("2030-04-05T00:00:00+00:00"), limit=500)["turns"]
    assert [(str(e["SUMMARY"]), e["DTSTART"].dt, e["DTEND"].dt) for e in events] == [
        (t["staff"][0], *(datetime.datetime.fromtimestamp(t[k] / 1e6, datetime.timezone.utc) for k in ("since_at", "until_at"))) for t in turns]
    assert len({str(e["UID"]) for e in events}) == len(events)
    assert text == desk.docket("oncall", "export", "second", "--from-at", since, "--until-at", "2030-04-05T00:00:00Z", "--limit", "500").stdout


def test_an_export_has_all_turns_as_the_wall_clock_says_them(desk):
    """More than a page of them, over both changes of the clock."""
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    wanted, day = [], datetime.datetime(2030, 3, 1, 9, tzinfo=zone)
    while day < datetime.datetime(2030, 12, 1, tzinfo=zone):
        begin, end = (datetime.datetime(at.year, at.month, at.day, 9, tzinfo=zone) for at in (day, day + datetime.timedelta(days=1)))
        wanted.append((("ben", "cy")[(begin.date() - datetime.date(2020, 1, 6)).days % 2], begin, end))
        day = end
    shown = desk.docket("oncall", "export", "second", "--from-at", wanted[0][1].isoformat(), "--until-at", wanted[-1][2].isoformat())
    assert [(str(e["SUMMARY"]), e["DTSTART"].dt, e["DTEND"].dt) for e in icalendar.Calendar.from_ical(shown.stdout).walk("VEVENT")] == wanted
    assert shown.stderr == "" and shown.stdout.count("BEGIN:VCALENDAR") == shown.stdout.count("END:VCALENDAR") == 1
    few = desk.docket("oncall", "export", "second", "--from-at", wanted[0][1].isoformat(), "--limit", "3")
    assert few.stdout.count("BEGIN:VEVENT") == 3 and "more turns" in few.stderr


def test_turns_come_page_by_page_and_none_is_lost_between_them(desk, caller):
    span = {"from_at": micros("2030-03-25T10:00:00+01:00"), "until_at": micros("2030-04-25T10:00:00+02:00")}
    for which in ({}, {"schedule": "second"}, {"staff": "cy"}):
        wanted = caller.call("oncall.next", **span, **which, limit=500)
        assert wanted["cursor"] is None and wanted["turns"]
        for limit in (1, 7):
            seen, cursor = [], {}
            while cursor is not None:
                page = caller.call("oncall.next", **which, **(cursor or span), limit=limit)  # the cursor knows the span
                assert len(page["turns"]) <= limit
                seen += page["turns"]
                cursor = page["cursor"] and {"cursor": page["cursor"]}
            assert seen == wanted["turns"], (which, limit)
    first = caller.call("oncall.next", **span, schedule="second", limit=1)["cursor"]
    for wrong in ("x", "1.2", "1..2.second", first + "x", first.replace("second", "primary")[:-1], "." + first, first.partition(".")[2]):
        assert caller.refused("oncall.next", cursor=wrong).field in ("cursor", "until_at"), wrong
    assert caller.refused("oncall.next", cursor=first, schedule="primary").field == "cursor"
    assert caller.call("oncall.next", **span)["overrides"] == []
    override = caller.call("oncall.override", schedule="second", staff="lea", **span, as_=ADA)["override"]
    shown = desk.docket("oncall", "next", "--from-at", str(span["from_at"]), "--limit", "1")
    caller.call("oncall.override", override=override, cancel=True, as_=ADA)
    assert shown.stderr.count("more: --cursor") == 1 and "lea" in shown.stdout


def test_a_turn_that_has_begun_is_the_same_event_whenever_it_is_exported(desk):
    def first(since):
        text = desk.docket("oncall", "export", "second", "--from-at", since, "--until-at", "2030-04-05T00:00:00Z").stdout
        event = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]
        return str(event["UID"]), event["DTSTART"].dt, event["DTEND"].dt
    begun = datetime.datetime(2030, 3, 24, 8, tzinfo=datetime.timezone.utc)  # 09:00 in Berlin
    assert first("2030-03-24T08:00:00Z") == first("2030-03-24T10:30:00Z") == first("2030-03-25T07:59:59Z")
    assert first("2030-03-24T10:30:00Z")[1] == begun and first("2030-03-25T08:00:00Z")[0] != first("2030-03-25T07:59:59Z")[0]


def test_who_is_on_call_is_by_the_process_that_was_applied_a_moment_ago_at_every_broker(pair, folder):
    with contextlib.closing(pair.client(1)) as one, contextlib.closing(pair.client(2)) as other:
        for turn in range(6):
            who = ("ada", "ben")[turn % 2]
            (folder / "oncall.yaml").write_text(ONCALL + f"  fresh{turn}:\n    layers: [{{rotation: weekly, start: 2020-01-06, people: [{who}]}}]\n")
            files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
            one.call("process.apply", files=files, comment="fresh", as_={"name": "ada", "role": "admin"})
            for client in (other, one):
                assert {s["schedule"]: s["staff"] for s in client.call("oncall.who")["schedules"]}.get(f"fresh{turn}") == [who], (turn, client is other)


def test_what_was_exported_is_imported_as_the_same_turns_with_the_next_process(desk, caller, folder):
    span = {"from_at": micros("2030-03-25T09:00:00+01:00"), "until_at": micros("2030-04-05T09:00:00+02:00")}
    text = desk.docket("oncall", "export", "second", "--from-at", str(span["from_at"]), "--until-at", str(span["until_at"]), "--limit", "500").stdout
    (folder / "oncall").mkdir()
    (folder / "oncall/copy.ics").write_text(text, newline="")
    (folder / "oncall.yaml").write_text(ONCALL + "  copy:\n    zone: Europe/Berlin\n    gaps: allowed\n    layers: [{import: oncall/copy.ics}]\n")
    assert desk.docket("process", "apply", str(folder)).returncode == 0

    def turns(schedule):
        return [(t["from_at"], t["until_at"], t["staff"]) for t in caller.call("oncall.next", schedule=schedule, **span, limit=500)["turns"]]

    assert turns("copy") == turns("second") and len(turns("copy")) == 11
    # An event that begins and that is all is no turn, and applying says so.
    (folder / "oncall/copy.ics").write_text(text.replace("END:VCALENDAR", "BEGIN:VEVENT\r\nUID:idle\r\nDTSTART:20300401T090000Z\r\nSUMMARY:ada\r\nEND:VEVENT\r\nEND:VCALENDAR"), newline="")
    applied = desk.docket("process", "apply", str(folder))
    line = len(text.splitlines())
    assert applied.returncode == 0 and f"oncall/copy.ics:{line}:1: VEVENT: takes no time" in applied.stdout + applied.stderr, applied
    assert turns("copy") == turns("second")
    # A gap within 14 days is an alert while it is there.
    plan = (folder / "oncall.yaml").read_text()
    (folder / "oncall.yaml").write_text(plan.replace("    gaps: allowed\n", ""))
    assert desk.docket("process", "apply", str(folder)).returncode == 0
    gap = wait_until(lambda: [a for a in caller.call("alert.list", kind="ops")["alerts"] if a["cause"] == "oncall:copy"])
    assert "Nobody is on call in copy from " in gap[0]["text"]
    (folder / "oncall.yaml").write_text(plan)
    assert desk.docket("process", "apply", str(folder)).returncode == 0
    wait_until(lambda: caller.call("alert.show", alert=gap[0]["alert"])["alert"]["state"] == "resolved")
    (folder / "oncall/copy.ics").write_text(text.replace("SUMMARY:ben", "SUMMARY:zoe"), newline="")
    done = desk.docket("process", "apply", str(folder))
    assert done.returncode == 1 and 'oncall/copy.ics:11:1: the event' in done.stderr + done.stdout, done


def test_overrides_and_absences_change_who_is_called_and_gaps_are_refused(desk, caller):
    week = {"from_at": micros("2031-01-06T00:00:00+00:00"), "until_at": micros("2031-01-13T00:00:00+00:00")}
    at = week["from_at"] + 10**6

    def primary():
        return caller.call("oncall.who", schedule="primary", at=at)["schedules"][0]["staff"]

    refused = caller.refused("staff.away", staff="ada", **week, as_=ADA)
    assert refused.code == "conflict" and "primary from 2031-01-06T00:00:00Z to 2031-01-13T00:00:00Z" in str(refused)
    assert caller.refused("staff.away", staff="ada", to="nobody", **week, as_=ADA).field == "to"
    away = caller.call("staff.away", staff="ada", to="ben", **week, as_=ADA)
    assert away["handed_over"] == [{"schedule": "primary", **week}] and primary() == ["ben"]
    assert caller.refused("staff.away", staff="ben", to="ada", **week, as_=ADA).code == "conflict"
    other = caller.call("oncall.override", schedule="primary", staff="cy", **week, key="o1", as_=ADA)
    assert primary() == ["cy"]
    assert caller.call("oncall.override", schedule="primary", staff="cy", **week, key="o1", as_=ADA) == {**other, "duplicate": True}
    assert [o["override"] for o in caller.call("oncall.next", schedule="primary", from_at=at)["overrides"]] == [away["override"], other["override"]]
    caller.call("oncall.override", override=other["override"], cancel=True, as_=ADA)
    assert primary() == ["ben"]
    assert caller.refused("oncall.override", override=other["override"], cancel=True, as_=ADA).code == "not_found"
    caller.call("oncall.override", override=away["override"], cancel=True, as_=ADA)
    assert primary() == ["ada"]


def test_an_override_that_changes_nothing_is_told_as_that(desk, caller):
    """Ada has all turns of primary in these weeks. What is put down all the same counts if the plan changes."""
    week = {"from_at": micros("2031-03-03T00:00:00+00:00"), "until_at": micros("2031-03-10T00:00:00+00:00")}
    made, expected = [], [
        ({"staff": "ada"}, ["staff: ada is on call in primary then anyway: this changes nothing"]),
        ({"staff": "cy", "replaces": "ben"}, ["replaces: ben is not on call in primary then: this changes nothing"]),
        ({"staff": "ada", "replaces": "ada"}, ["staff: ada is on call in primary then anyway: this changes nothing"]),
        ({"staff": "cy", "replaces": "ada"}, None),
    ]
    for i, (body, warnings) in enumerate(expected):
        answer = caller.call("oncall.override", schedule="primary", **week, **body, key=f"nothing-{i}", as_=ADA)
        assert answer.get("warnings") == warnings, (body, answer)
        made.append((body, answer))
    for i, (body, answer) in enumerate(made):
        assert caller.call("oncall.override", schedule="primary", **week, **body, key=f"nothing-{i}", as_=ADA) == {**answer, "duplicate": True}
    done = desk.docket("oncall", "override", "primary", "--staff", "cy", "--from-at", "2031-03-04T00:00:00Z", "--until-at", "2031-03-05T00:00:00Z")
    assert done.returncode == 0 and done.stderr == "warning: staff: cy is on call in primary then anyway: this changes nothing\n", done
    for number in [int(done.stdout.split()[1]), *(answer["override"] for _, answer in made)]:
        caller.call("oncall.override", override=number, cancel=True, as_=ADA)


def test_a_key_wins_over_what_would_be_a_gap_by_now(desk, caller):
    """Absences and overrides that were made are answered again as they were, also when the plan would not let them pass any more."""
    week = {"from_at": micros("2031-02-03T00:00:00+00:00"), "until_at": micros("2031-02-10T00:00:00+00:00")}
    away = {"staff": "ada", "to": "ben", **week, "key": "away-1", "as_": ADA}
    first = caller.call("staff.away", **away)
    assert first["handed_over"] == [{"schedule": "primary", **week}]
    assert caller.call("staff.away", **away) == {**first, "duplicate": True}
    caller.call("oncall.override", override=first["override"], cancel=True, as_=ADA)
    assert caller.call("staff.away", **away) == {**first, "duplicate": True}
    # Lea was to be away, and then took the turn instead: away once more, she would leave a gap.
    absence = {"staff": "lea", **week, "key": "away-2", "as_": ADA}
    second = caller.call("staff.away", **absence)
    caller.call("oncall.override", override=second["override"], cancel=True, as_=ADA)
    turn = {"schedule": "primary", "staff": "lea", **week, "key": "turn-1", "as_": ADA}
    third = caller.call("oncall.override", **turn)
    assert caller.refused("staff.away", **{**absence, "key": "away-3"}).code == "conflict"
    assert caller.call("staff.away", **absence) == {**second, "duplicate": True}
    assert caller.call("oncall.override", **turn) == {**third, "duplicate": True}
    # Another content is told as such, whatever else is wrong with it.
    for wrong in {**absence, "to": "nobody"}, {**turn, "schedule": "nowhere", "key": "away-2"}:
        assert caller.refused("staff.away" if "to" in wrong else "oncall.override", **wrong).field == "key"
    caller.call("oncall.override", override=third["override"], cancel=True, as_=ADA)


def test_a_key_wins_over_a_package_that_is_gone(desk, caller, folder):
    packages = (folder / "packages.yaml").read_text()
    (folder / "packages.yaml").write_text(packages + "brief: {channels: [ticket]}\n")
    assert desk.docket("process", "apply", str(folder)).returncode == 0
    body = {"customer": {"id": "passing", "name": "Passing", "package": "brief"}, "key": "put-1", "as_": ADA}
    put = wait_until(lambda: put_or_none(caller, body))
    (folder / "packages.yaml").write_text(packages)
    assert desk.docket("process", "apply", str(folder)).returncode == 0
    wait_until(lambda: put_or_none(caller, {**body, "key": f"put-{time.monotonic()}"}) is None)
    assert caller.call("customer.put", **body) == {**put, "duplicate": True}
    assert caller.refused("customer.put", **{**body, "key": "put-2"}).field == "customer.package"


def put_or_none(caller, body):
    """The answer of customer.put; None while the package is none of the process that the broker uses."""
    try:
        return caller.call("customer.put", **body)
    except Refused as refusal:
        assert refusal.field == "customer.package"
        return None


def test_away_the_stand_in_is_paged_and_has_the_tickets(desk, caller):
    tickets = [caller.submit() for _ in range(2)]
    for tracking in tickets:
        caller.call("ticket.assign", tracking=tracking, staff="ada", as_=BEN)
    done = desk.docket("staff", "away", "ada", "--from-at", "-1m", "--until-at", "+1h", "--to", "ben", "--tickets")
    assert done.returncode == 0 and "handed over:" in done.stdout, done.stderr
    assert all(caller.show(tracking)["assignee"] == "ben" for tracking in tickets)
    tracking = caller.submit(impact="down")
    wait_until(lambda: pages(desk, tracking)[:1] == ["ben"])
    number = int(done.stdout.split()[1])
    assert desk.docket("oncall", "override", "--override", str(number), "--cancel").returncode == 0
    caller.call("ticket.take", tracking=tracking, as_=ADA)


def test_an_absence_whose_tickets_were_handed_over_in_part_goes_on_with_the_same_key(desk, caller):
    tickets = [caller.submit() for _ in range(5)]
    for tracking in tickets:
        caller.decided(tracking)
    for tracking in tickets[:4]:
        caller.call("ticket.assign", tracking=tracking, staff="cy", as_=BEN)
    command = ("staff", "away", "cy", "--from-at", "2032-01-05T00:00:00Z", "--until-at", "2032-01-06T00:00:00Z", "--to", "ben", "--key", "leave-1")
    first = desk.docket(*command)
    assert first.returncode == 0, first.stderr
    with desk.db() as db, db.transaction():  # somebody holds one of them: it cannot change just now
        db.execute("SELECT FROM desk WHERE ticket = %s FOR UPDATE", (id_of(tickets[1]),))
        half = desk.docket(*command, "--tickets")
    assert half.returncode == 1 and "3 open tickets of cy are ben's now" in half.stdout, half
    assert f"{tickets[1]} stays cy's: " in half.stderr and "The absence stands, not all tickets are handed over." in half.stderr
    again = desk.docket(*command, "--tickets")
    assert again.returncode == 0 and "1 open ticket of cy is ben's now" in again.stdout, again
    assert [caller.show(tracking)["assignee"] for tracking in tickets] == ["ben"] * 4 + [None]
    assert first.stdout.split()[1] == again.stdout.split()[1], "one absence, whose command came three times"
    assert desk.docket("oncall", "override", "--override", first.stdout.split()[1], "--cancel").returncode == 0


def test_the_whole_story_of_a_p1_message_by_message(desk, caller):
    customer = "night-desk@customer.example"

    def subjects(address, words=""):
        return [mail["Subject"] for mail in mails_to(desk, address) if tracking in mail.get_body(("plain",)).get_content() and words in mail["Subject"]]

    # Posted at night: the receipt goes to the customer, the page to who is on call.
    tracking = caller.submit(title="All lines dead at night", impact="down", contact={"name": "Nia", "email": customer})
    wait_until(lambda: subjects(customer) and len(subjects("ada@desk.example")) == 1)
    assert subjects("ada@desk.example")[0].startswith("P1 ")
    # No answer: the second level is told, each of the team once, and who is on call not again.
    wait_until(lambda: subjects("ben@desk.example") and subjects("cy@desk.example"))
    assert [len(subjects(f"{name}@desk.example")) for name in ("ada", "ben", "cy", "lea")] == [1, 1, 1, 0]
    # Acknowledged by the link in the mail: a look changes nothing, the button acts as the one it was sent to.
    page = next(mail for mail in mails_to(desk, "ben@desk.example") if tracking in mail.get_body(("plain",)).get_content())
    link, alert = link_in(page), alert_of(desk, tracking)
    assert visit(link)[0] == 200 and caller.call("alert.show", alert=alert)["alert"]["state"] == "open"
    status, text = press(link, do="take")
    assert status == 200, text
    shown = caller.call("alert.show", alert=alert)
    assert shown["alert"]["acked_by"] == "ben" or shown["alert"]["state"] == "resolved"
    assert wait_until(lambda: ticket_of(caller.show(tracking))["assignee"]) == "ben"
    # Taken, it was heard: those who had been told are told that it is over, and nobody is called any more.
    wait_until(lambda: told(desk, tracking, "alert_over") == ["ada", "ben", "cy"])
    # Updates, resolved, approved by link, closed.
    caller.call("ticket.comment", tracking=tracking, text="The trunk is rerouted, calls work again.", public=True, as_=BEN)
    caller.call("ticket.resolve", tracking=tracking, text="A card of the gateway was replaced.", as_=BEN)
    approval = wait_until(lambda: [mail for mail in mails_to(desk, customer) if link_in(mail) and "card of the gateway" in mail.get_body(("plain",)).get_content()])
    status, text = press(link_in(approval[0]), do="approve")
    assert status == 200, text
    assert ticket_of(caller.show(tracking))["state"] == "closed"

    def kinds():
        with desk.db() as db:
            rows = db.execute("SELECT kind FROM deliveries d WHERE ticket = %s AND address = %s AND state = 3 "
                              "ORDER BY (SELECT min(started_at) FROM attempts a WHERE a.delivery = d.id)", (id_of(tracking), customer))
            return [kind for kind, in rows]

    # Triaged goes alone or with the receipt, whichever was first; the others one by one, in order.
    wait_until(lambda: "closed" in kinds() and len(subjects(customer)) == len(kinds()))
    assert [kind for kind in kinds() if kind != "triaged"] == ["received", "update", "approval_asked", "closed"]
    with desk.db() as db:
        pages_sent = db.execute("SELECT count(*) FROM deliveries WHERE ticket = %s AND kind = 'alert'", (id_of(tracking),)).fetchone()[0]
    assert pages_sent == 3
    assert [len(subjects(f"{name}@desk.example", "P1 ")) for name in ("ada", "ben", "cy", "lea")] == [1, 1, 1, 0]
    steps = caller.call("alert.show", alert=alert)["steps"]
    assert [(step["what"], step["level"], step["told"]) for step in steps] == [("page", 1, 1), ("page", 2, 2), ("over", 1, 3)]


# ---- without a stack ----


def notifier(*arguments):
    return subprocess.run([str(BIN / "docket-notifier"), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def folder():
    made = process_dir()
    yield made
    shutil.rmtree(made.parent)


def test_check_tells_all_that_is_wrong_with_line_and_column(folder):
    assert notifier("check", str(folder)).returncode == 0
    (folder / "staff.yaml").write_text(STAFF.replace("ada@desk.example", "ada"))
    (folder / "oncall.yaml").write_text("schedules:\n  primary: {zone: Mars/Base, layers: [{rotation: 0d, start: x, people: [zoe]}]}\n  second: {layers: []}\n")
    done = notifier("check", str(folder))
    assert done.returncode == 1
    for told in ("staff.yaml:3:27: email:", "oncall.yaml:2:50: rotation:", "oncall.yaml:2:61: start:", "oncall.yaml:2:73: people: \"zoe\"",
                 "oncall.yaml:3:20: layers:"):
        assert told in done.stderr, done.stderr
    (folder / "staff.yaml").write_text(STAFF)
    (folder / "oncall.yaml").write_text(ONCALL.replace("    layers:", "    zone: Mars/Base\n    layers:", 1))
    done = notifier("check", str(folder))
    assert done.returncode == 1 and "oncall.yaml:5:14: zone:" in done.stderr, done.stderr


@pytest.mark.parametrize("tell, told", [("[assignee, lead]", 1), ("[queue]", 1), ("[queue, ops]", 0), ("[person:ada, lead]", 0)])
def test_check_warns_of_a_last_resort_that_depends_on_the_ticket(folder, tell, told):
    (folder / "escalation.yaml").write_text(ESCALATION.replace("last_resort: {tell: [ops], every: 1h}\n    unack: {after: 2s", f"last_resort: {{tell: {tell}, every: 1h}}\n    unack: {{after: 2s"))
    done = notifier("check", str(folder))
    assert done.returncode == 0 and (done.stdout + done.stderr).count("p1: its last_resort depends on the ticket") == told, done.stdout + done.stderr


def test_check_warns_of_a_policy_that_no_alert_has(folder):
    warned = "quiet: no line of match leads to it, so no alert has it, want one such as {priority: 1, policy: quiet}"
    assert "no line of match" not in notifier("check", str(folder)).stderr
    (folder / "escalation.yaml").write_text("policies: {quiet: {levels: [{after: 0m, tell: person:ada}], last_resort: {tell: [ops], every: 1h}}}\n")
    done = notifier("check", str(folder))
    assert done.returncode == 0 and f"warning: escalation.yaml:1:12: {warned}\n" in done.stderr, done.stderr
    assert "policy built-in" in notifier("simulate", str(folder), "--priority", "1").stdout


def test_check_shows_the_gaps_of_the_next_90_days(folder):
    hours = "{mon-thu: [00:00-24:00], fri: [00:00-22:00], sat-sun: [00:00-24:00]}"
    (folder / "oncall.yaml").write_text(ONCALL.replace("people: [ada]", f"people: [ada], hours: {hours}"))
    done = notifier("check", str(folder), "--from", "2026-03-02T00:00:00Z")
    gaps = [line for line in done.stderr.splitlines() if "nobody is on call" in line]
    assert done.returncode == 0 and len(gaps) == 13
    assert gaps[0] == "warning: oncall.yaml:3:3: primary: nobody is on call from 2026-03-06T22:00:00Z to 2026-03-07T00:00:00Z"
    (folder / "oncall.yaml").write_text((folder / "oncall.yaml").read_text().replace("primary:\n", "primary:\n    gaps: allowed\n"))
    assert "nobody" not in notifier("check", str(folder), "--from", "2026-03-02T00:00:00Z").stderr


def test_check_shows_each_gap_of_teams_that_follow_the_sun_as_another_reckoning_has_them(folder):
    regions = (("Europe/Vienna", 8, 16, "ada"), ("America/New_York", 9, 18, "ben"), ("Asia/Tokyo", 8, 15, "cy"))
    layers = "".join(f"      - {{rotation: daily, start: 2026-01-01, people: [{who}], zone: {zone}, hours: {{mon-sun: ['{opens:02}:00-{closes:02}:00']}}}}\n"
                     for zone, opens, closes, who in regions)
    (folder / "oncall.yaml").write_text(ONCALL + "  sun:\n    layers:\n" + layers)
    start, told, since = datetime.datetime(2026, 2, 1, tzinfo=datetime.timezone.utc), [], None
    for quarter in range(90 * 96 + 1):
        at = start + datetime.timedelta(minutes=15 * quarter)
        on = quarter == 90 * 96 or any(opens <= at.astimezone(zoneinfo.ZoneInfo(zone)).hour < closes for zone, opens, closes, _ in regions)
        if on and since:
            told.append(f"sun: nobody is on call from {since:%Y-%m-%dT%H:%M:%SZ} to {at:%Y-%m-%dT%H:%M:%SZ}")
        since = None if on else since or at
    done = notifier("check", str(folder), "--from", "2026-02-01T00:00:00Z")
    assert [line.partition(": oncall.yaml:")[2].partition(": ")[2] for line in done.stderr.splitlines() if "nobody is on call" in line] == told and len(told) == 111
    wrong = notifier("check", str(folder), "--from", "today")
    assert wrong.returncode == 2 and "--from: want an instant" in wrong.stderr


def test_simulate_tells_who_would_be_told_and_when(folder):
    done = notifier("simulate", str(folder), "--at", "2026-11-24T22:00:00Z", "--ack", "ben", "--ack-after", "1s", "--resolve-after", "1h", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    at = micros("2026-11-24T22:00:00+00:00")
    assert [(line["at"] - at, line["what"]) for line in lines[:4]] == [(0, "page"), (3 * 10**6, "reminder"), (5 * 10**6, "page"), (7 * 10**6, "page")]
    assert [told["recipient"] for told in lines[0]["told"]] == ["ada"] and [told["recipient"] for told in lines[1]["told"]] == ["ben"]
    assert [told["recipient"] for told in lines[3]["told"]] == ["cy", "ben"] and lines[-1]["what"] == "over"
    assert "policy missed, urgent" in notifier("simulate", str(folder), "--kind", "missed").stdout
    for wrong, why in ((("--priority", "7"), "--priority: want 1, 2, 3 or 4"), (("--at", "soon"), "--at: want an instant"), (("--kind", "x"), "--kind: want alert"),
                       (("--ack", "ben"), "--ack: needs --ack-after"), (("--for",), "--for: want a span"), (("--from", "1"), "--from: is not known")):
        done = notifier("simulate", str(folder), *wrong)
        assert done.returncode == 2 and why in done.stderr and "usage:" in done.stderr, done.stderr


def test_simulate_knows_who_acknowledges_no_sooner_than_the_alert_does(folder):
    """Nobody has acknowledged an alert that is open; when it is open again, only what is told in that moment still knows who had."""
    policies = (folder / "escalation.yaml").read_text().replace("tell: [oncall:primary]}", "tell: [oncall:primary, acker]}").replace("tell: [team:noc]}", "tell: [lead, acker]}")
    (folder / "escalation.yaml").write_text(policies)
    done = notifier("simulate", str(folder), "--queue", "noc", "--ack", "ben", "--ack-after", "3s", "--for", "12s", "--json")
    told = [(line["what"], line["generation"], [one["recipient"] for one in line["told"]]) for line in map(json.loads, done.stdout.splitlines())]
    assert told == [("page", 1, ["ada"]), ("page", 1, ["lea"]), ("reminder", 1, ["ben"]), ("page", 2, ["ada", "ben"]), ("page", 2, ["lea"])], told


def test_simulate_tells_nobody_that_it_is_over_who_would_not_have_heard_of_it(folder):
    """What is not urgent waits for the working hours of each: resolved before, nobody hears of it."""
    (folder / "staff.yaml").write_text(STAFF.replace("name: Ada,", "name: Ada, hours: office,"))
    (folder / "escalation.yaml").write_text("policies:\n  low: {urgency: low, levels: [{after: 1s, tell: [person:ada]}], repeat: {every: 96h, loops: 1}, last_resort: {tell: [ops], every: 96h}}\nmatch: [{policy: low}]\n")
    for after, steps in (("1h", ["page"]), ("70h", ["page", "over"])):
        done = notifier("simulate", str(folder), "--at", "2026-11-27T19:00:00Z", "--resolve-after", after, "--for", "96h", "--json")  # a Friday evening
        assert [json.loads(line)["what"] for line in done.stdout.splitlines()] == steps, done.stdout


def test_simulate_says_from_when_and_that_it_goes_on(folder):
    shutil.copy(ROOT / "deploy/process/escalation.yaml", folder)
    (folder / "oncall.yaml").write_text("schedules: {}\n")
    (folder / "staff.yaml").write_text(STAFF.replace("name: Ben,", "name: Ben, hours: office,"))
    saturday = ("--priority", "3", "--queue", "noc", "--at", "2026-11-28T10:00:00Z")
    done = notifier("simulate", str(folder), *saturday)
    assert done.stdout == "policy normal, normal\ngoes on at 2026-11-30T09:00:00Z (--for shows more)\n", done.stdout
    lines = notifier("simulate", str(folder), *saturday, "--for", "48h").stdout.splitlines()
    assert "47:00  2026-11-30T09:00:00Z  page        level 1  cy by email; ben by email; desk by email" in lines[1], lines
    urgent = notifier("simulate", str(folder), "--priority", "2", "--queue", "noc", "--at", "2026-11-28T10:00:00Z", "--resolve-after", "10m").stdout.splitlines()
    assert "ben by email; desk by email" in urgent[1] and "over" in urgent[-1], urgent


def test_a_warning_tells_who_has_the_ticket_and_a_miss_the_lead(desk, caller):
    caller.call("customer.put", customer={"id": "quick", "name": "Quick", "package": "quick", "contacts": []}, as_=ADA)
    tracking, assigned = caller.submit(customer="quick"), caller.submit(customer="quick")
    caller.call("ticket.assign", tracking=assigned, staff="lea", as_=BEN)
    wait_until(lambda: told(desk, tracking, "warning") == ["ben", "cy"] and told(desk, assigned, "warning") == ["lea"])
    wait_until(lambda: told(desk, tracking, "alert") == ["desk", "lea"])
    alert = alert_of(desk, tracking)
    assert caller.call("alert.show", alert=alert)["alert"]["cause"] == f"missed:{tracking}:response:1"
    caller.call("ticket.comment", tracking=tracking, text="We are on it.", public=True, as_=BEN)
    # Whose page waited for a summary and was withdrawn hears nothing.
    assert set(wait_until(lambda: told(desk, tracking, "alert_over"))) <= {"desk", "lea"}
    steps = caller.call("alert.show", alert=alert)["steps"]
    assert [step["what"] for step in steps] == ["page", "over"]


def test_what_was_missed_and_is_over_before_anybody_heard_of_it_is_told_all_the_same(desk, caller):
    tracking = caller.submit()
    caller.decided(tracking)
    with desk.db() as db:
        db.execute("INSERT INTO alerts (cause, ticket, kind, priority, state, opened_at, resolved_at, body) "
                   "VALUES (%s, %s, 'missed', 3, 2, docket_now(), docket_now(), 'Missed response')", (f"missed:{tracking}:response:1", id_of(tracking)))
    wait_until(lambda: told(desk, tracking, "alert_over") == ["desk", "lea"])
    with desk.db() as db:
        db.execute("DELETE FROM alerts WHERE ticket = %s", (id_of(tracking),))
