"""What docket-worker answers about a process without a broker: test, explain, simulate, whatif."""

import collections
import csv
import io
import json
import os
import pathlib
import random
import re
import resource
import secrets
import shutil
import subprocess
import sys

import pytest
import yaml
from helpers import BIN, ROOT

SHIPPED = ROOT / "deploy/process"


def worker(*args, text=None):
    return subprocess.run([f"{BIN}/docket-worker", *map(str, args)], input=text, capture_output=True, text=True, timeout=60)


@pytest.fixture()
def process(tmp_path):
    """A copy of the shipped process without its cases, to change."""
    copy = tmp_path / "process"
    shutil.copytree(SHIPPED, copy)
    shutil.rmtree(copy / "tests")
    (copy / "tests").mkdir()
    return copy


def cases(process, text):
    (process / "tests/mine.yaml").write_text(text)
    return worker("test", process)


def test_the_shipped_process_passes_its_own_cases():
    done = worker("test", SHIPPED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout and " 0 failed" in done.stdout
    assert int(done.stdout.split()[-6]) >= 20


class Words(yaml.SafeLoader):
    """`on` is a key."""


Words.yaml_implicit_resolvers = {letter: [row for row in rows if row[0] != "tag:yaml.org,2002:bool"] for letter, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()}
# What may be left out and changes nothing: a ticket that becomes priority 1 alerts by itself, and who asks `impact: question` is found by two rules.
LEFT_OUT = {("impact says down", "then", "alert"), ("no calls at all", "then", "alert"), ("reply tells of an outage", "then", "alert"),
            ("impact says request or question", "when", "in", 1)}


def parts_of(node, path=()):
    """The paths to what may be taken out of a rule: each action, event, alternative, value."""
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
        if len(node) > 1 and (isinstance(node, list) or path == ("then",)):
            yield (*path, key)
        if isinstance(inner, (dict, list)) and key not in ("tell", "tag"):
            yield from parts_of(inner, (*path, key))


def test_each_part_of_each_shipped_rule_is_asked_for_by_a_case(tmp_path):
    shutil.copytree(SHIPPED, tmp_path / "process")
    count = 0
    for file in sorted((tmp_path / "process/rules").glob("*.yaml")):
        text = file.read_text()
        rules = yaml.load(text, Words)
        for i, rule in enumerate(rules):
            for path in [(), *([("when",)] if "when" in rule else []), *parts_of(rule)]:
                if "default" in rule or (rule["rule"], *path) in LEFT_OUT:
                    continue
                less = yaml.load(text, Words)
                inner = less
                for key in (i, *path)[:-1]:
                    inner = inner[key]
                del inner[(i, *path)[-1]]
                file.write_text(json.dumps(less).replace('"true"', "true").replace('"false"', "false") + "\n")
                done = worker("test", tmp_path / "process")
                assert done.returncode == 1 and " passed, " in done.stdout, (rule["rule"], path, done.stderr)
                count += 1
        file.write_text(text)
    assert count > 60 and worker("test", tmp_path / "process").returncode == 0


def test_a_case_that_fails_says_what_was_wanted_and_what_was_there(process):
    done = cases(process, """
- case: a hope
  package: gold
  ticket: {title: No dial tone on any phone, problem: All are dead since nine.}
  expect: {priority: 2, tags: [quality], response: {due: 2026-03-02T10:00:00Z, state: running}}
  steps:
    - {after: 10m, do: approve}
- case: a truth
  ticket: {title: Echo, problem: There is an echo.}
  expect: {priority: 3}
""")
    assert done.returncode == 1
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "FAIL tests/mine.yaml: a hope" in lines and "ok tests/mine.yaml: a truth" in lines
    assert lines[lines.index("priority want 2") + 1] == "got 1"
    assert lines[lines.index("tags want quality") + 1].startswith('got ["outage"')
    assert lines[lines.index("response.due want 2026-03-02T10:00:00Z") + 1] == "got 2026-03-02T09:05:00Z"
    assert "approve is not possible while the ticket is triaged" in done.stdout
    assert lines[-1] == "2 cases, 1 passed, 1 failed"


def test_cases_that_are_not_of_the_form_are_told_with_their_place(process):
    done = cases(process, """
- case: misspelt
  ticket: {title: Echo, problem: There is an echo.}
  expcet: {priority: 3}
- case: late
  ticket: {title: Echo, problem: There is an echo.}
  steps:
    - {after: soon, expect: {priority: 3}}
- case: odd
  ticket: {title: Echo, problem: There is an echo.}
  steps:
    - {after: 1h, do: shrug}
""")
    assert done.returncode == 1
    assert "tests/mine.yaml:4:" in done.stderr and "expect" in done.stderr
    assert "tests/mine.yaml:8:" in done.stderr and "soon" in done.stderr
    assert "tests/mine.yaml:12:" in done.stderr and "shrug" in done.stderr


def test_what_a_case_can_never_expect_is_told_with_its_place(process):
    done = cases(process, """
- case: never
  ticket: {title: Echo, problem: p}
  expect: {refused: true, state: opened, response: {stat: met, due: soon}}
  steps: [{after: 1h, do: take, expect: {refused: maybe}}]
- case: no such op
  ticket: {title: Echo, problem: p}
  steps: [{after: 1h, do: resolv, text: Done.}]
""")
    assert done.returncode == 1
    ops = "take, assign, release, comment, reply, update, prioritize, wait, resume, cannot_resolve, agree, decline, meeting, resolve, approve, reject, close, reopen"
    assert done.stderr.splitlines() == [
        "tests/mine.yaml:4:21: refused: nothing is asked for here that could be, want do: OP",
        'tests/mine.yaml:4:34: state: "opened" is none (did you mean reopened?); allowed are new, triaged, in_progress, waiting_customer, waiting_vendor, resolved, closed, reopened',
        "tests/mine.yaml:4:53: stat: is not known in response (did you mean state?); allowed are state, due, met, left, worked, paused, cycle", 'tests/mine.yaml:4:69: response.due: "soon" is no instant, want e.g. 2026-03-02T09:00:00Z',
        'tests/mine.yaml:5:51: refused: "maybe" is not allowed, want true or false', f'tests/mine.yaml:8:27: do: there is no op "resolv" (did you mean resolve?); allowed are {ops}'], done.stderr


def test_a_case_expects_which_question_was_asked_and_which_clock_warned(process):
    (process / "packages.yaml").write_text("""
standard: {warnings: [{at: 50%, tell: boards}, {before: 15m}]}
""")
    ticket = "{title: Line noise, problem: It began at nine and has not changed since., impact: degraded, equipment: {sbc: S9}}"
    done = cases(process, f"""
- case: a truth
  package: standard
  ticket: {ticket}
  expect: {{asked: configuration, warned: []}}
  steps:
    - {{after: 30m, expect: {{asked: [], told: [], warned: [response 50%]}}}}
    - {{after: 15m, expect: {{told: [staff warning response 75%], warned: [response 75%]}}}}
    - {{after: 15m, do: take, as: ada, expect: {{warned: [update 50%]}}}}
    - {{after: 45m, expect: {{warned: [update 87%], told: [staff warning update 87%]}}}}
- case: a hope
  package: standard
  ticket: {ticket}
  expect: {{asked: [details, configuration]}}
  steps:
    - {{after: 30m, expect: {{warned: []}}}}
    - {{after: 1m, expect: {{asked: details, warned: response 50%}}}}
""")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and done.stderr == "" and lines[0] == "ok tests/mine.yaml: a truth", done.stdout + done.stderr
    assert lines[2:] == [
        "posted (line 11)", "asked want details, configuration", "got configuration",
        "step 1 (line 16), 2026-03-02T09:30:00Z: time passes", "warned want nothing", "got response 50%",
        "step 2 (line 17), 2026-03-02T09:31:00Z: time passes", "asked want details", "got nothing", "warned want response 50%", "got nothing",
        "2 cases, 1 passed, 1 failed"], done.stdout


def test_a_case_expects_no_question_and_no_warning_that_there_is_none_of(process):
    told = told_of(process, f"""- case: a
  ticket: {TICKET}
  expect: {{asked: [equipmnt], warned: [response 80, update 70%]}}
""")
    warnings = "response 50%, response 80%, update 50%, update 80%, resolution 50%, resolution 80%"
    assert told == ['3:20: asked: "equipmnt" is none (did you mean equipment?); allowed are equipment, configuration, details',
                    f'3:40: warned: "response 80" is none (did you mean response 80%?); allowed are {warnings}', f'3:53: warned: "update 70%" is none (did you mean update 50%?); allowed are {warnings}']
    text = (process / "process.yaml").read_text()
    (process / "process.yaml").write_text(text.replace("warnings: [{at: 50%, tell: boards}, {at: 80%}]", "warnings: []"))
    assert told_of(process, f"- case: a\n  ticket: {TICKET}\n  expect: {{warned: response 50%}}\n") == ['3:20: warned: "response 50%" is none; allowed are none']


def test_a_step_makes_moves_and_cancels_a_meeting_that_begins(process):
    done = cases(process, """
- case: a
  package: gold
  ticket: {title: Echo, problem: p}
  steps:
    - {after: 1h, do: meeting, medium: phone, attendees: [a@b.example], begins: 1d, reminder_s: 3600, expect: {told: [customer meeting]}}
    - {after: 1h, do: meeting, medium: im, attendees: [a@b.example], begins: 2026-03-02T12:00:00Z}
    - {after: 30m, do: meeting, meeting: m1, begins: 2h}
    - {at: 2026-03-02T11:44:59Z, expect: {told: []}}
    - {at: 2026-03-02T11:45:00Z, expect: {told: [customer meeting reminder, staff meeting reminder]}}
    - {at: 2026-03-02T12:29:59Z, expect: {told: []}}
    - {at: 2026-03-02T12:30:00Z, expect: {told: [customer meeting reminder, staff meeting reminder]}}
    - {at: 2026-03-02T12:40:00Z, do: meeting, medium: im, attendees: [a@b.example], begins: 1h}
    - {at: 2026-03-02T12:41:00Z, do: meeting, meeting: m3, cancel: true}
    - {at: 2026-03-02T14:00:00Z, expect: {told: []}}
- case: by what the package has not
  package: silver
  ticket: {title: Echo, problem: p}
  steps:
    - {after: 1h, do: meeting, medium: im, attendees: [a@b.example], begins: 1d}
    - {after: 1h, do: meeting, meeting: m1, medium: phone, expect: {refused: true}}
    - {at: 2026-03-03T09:44:59Z}
    - {at: 2026-03-03T09:45:00Z, expect: {told: [customer meeting reminder, staff meeting reminder]}}
""")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("step, at, told", [
    ("{after: 1h, do: take, begins: 1h}", "1h}", "begins: nothing does here but a meeting, want do: meeting"),
    ("{after: 1h, begins: 2h}", "2h}", "begins: nothing does here but a meeting, want do: meeting"),
    ("{after: 1h, do: meeting, medium: im, attendees: [a@b.example], begins: soon}", "soon", 'begins: "soon" is no time and no instant, want e.g. 2h, 1d or 2026-03-02T09:00:00Z'),
    ("{after: 1h, do: meeting, medium: im, attendees: [a@b.example], begins: [1h]}", "[1h", "begins: is a list, want text or a number"),
    ("{after: 1h, do: meeting, meeting: m2, begins: 1h}", "m2", 'meeting: the ticket has none of the name "m2" (did you mean m1?); allowed is m1'),
])
def test_a_meeting_that_begins_nowhere_or_is_none_is_told_with_its_place(process, step, at, told):
    first = "{after: 1h, do: meeting, medium: phone, attendees: [a@b.example], begins: 1d}"
    text = f"- case: a\n  ticket: {TICKET}\n  package: gold\n  steps:\n    - {first}\n    - {step}\n"
    assert told_of(process, text) == [f"6:{7 + step.index(at)}: {told}"]


def told_of(process, text):
    """What is wrong with the cases, without the name of their file."""
    done = cases(process, text)
    assert done.returncode == 1
    return [line.removeprefix("tests/mine.yaml:") for line in done.stderr.splitlines()]


TICKET = "{title: No tone, problem: Since nine.}"
CASE = f"{{case: NAME, ticket: {TICKET}, expect: {{priority: 3}}}}"
STEP = "{after: 1h, do: take, as: ada, expect: {state: in_progress}}"


@pytest.mark.parametrize("text, told", [
    ("case: a\n", f"1:1: the file: is a map, want a list like [{CASE}]"),
    ("- no case\n", f"1:3: a case: is text, want a map like {CASE}"),
    (f"- {{ticket: {TICKET}}}\n", "1:3: a case without a name, want case: NAME"),
    ("- {case: a}\n", f"1:3: a case without a ticket, want ticket: {TICKET}"),
    ("- {case: a, ticket: none}\n", f"1:21: ticket: is text, want a map like {TICKET}"),
    (f"- {{case: a, customer: acme, ticket: {TICKET}}}\n", "1:23: customer: is text, want a map like {id: acme, name: Acme, package: gold}"),
    (f"- {{case: a, package: goldd, ticket: {TICKET}}}\n", '1:22: package: "goldd" is not in packages.yaml (did you mean gold?); allowed are standard, silver, gold'),
    (f"- {{case: a, package: [gold], ticket: {TICKET}}}\n", "1:22: package: is a list, want text or a number"),
    (f"- {{case: a, at: [1], ticket: {TICKET}}}\n", "1:17: at: is a list, want text or a number"),
    (f"- {{case: a, expect: 3, ticket: {TICKET}}}\n", "1:21: expect: is text, want a map like {priority: 3, state: triaged}"),
    (f"- {{case: a, expect: {{priority: [3]}}, ticket: {TICKET}}}\n", "1:32: priority: is a list, want text or a number"),
    (f"- {{case: a, expect: {{state: [new]}}, ticket: {TICKET}}}\n", "1:29: state: is a list, want text or a number"),
    (f"- {{case: a, expect: {{tags: {{a: b}}}}, ticket: {TICKET}}}\n", "1:28: tags: is a map, want a list like [outage, sip]"),
    (f"- {{case: a, expect: {{tags: [[a]]}}, ticket: {TICKET}}}\n", "1:29: tags: is a list, want text or a number"),
    (f"- {{case: a, expect: {{told: {{a: b}}}}, ticket: {TICKET}}}\n", "1:28: told: is a map, want a list like [customer received, staff alert p1]"),
    (f"- {{case: a, expect: {{asked: {{a: b}}}}, ticket: {TICKET}}}\n", "1:29: asked: is a map, want a list like [equipment, details]"),
    (f"- {{case: a, expect: {{warned: [[a]]}}, ticket: {TICKET}}}\n", "1:31: warned: is a list, want text or a number"),
    (f"- {{case: a, expect: {{attributes: emea}}, ticket: {TICKET}}}\n", "1:34: attributes: is text, want a map like {region: emea}"),
    (f"- {{case: a, expect: {{response: met}}, ticket: {TICKET}}}\n", "1:32: response: is text, want a map like {state: met, due: 2026-03-02T09:00:00Z}"),
    (f"- {{case: a, ticket: {TICKET}, steps: 1h}}\n", f"1:68: steps: is text, want a list like [{STEP}]"),
    (f"- {{case: a, ticket: {TICKET}, steps: [1h]}}\n", f"1:69: a step: is text, want a map like {STEP}"),
    (f"- {{case: a, ticket: {TICKET}, steps: [{{after: 1h, do: [take]}}]}}\n", "1:85: do: is a list, want text or a number"),
    (f"- {{case: a, ticket: {TICKET}, steps: [{{after: 1h, do: take, role: [staff]}}]}}\n", "1:97: role: is a list, want text or a number"),
    (f"- {{case: a, ticket: {TICKET}}}\n- {{case: b, ticket: {TICKET}}}\n- {{case: a, ticket: {TICKET}}}\n", '3:10: case: "a" is the name of another one, tests/mine.yaml:1'),
    (f'- {{case: "a\\e[2J", ticket: {TICKET}}}\n', '1:10: case: "a?[2J" is not allowed, want one line, without control characters'),
])
def test_what_is_no_case_is_told_with_what_one_looks_like(process, text, told):
    assert told_of(process, text) == [told]


def test_attributes_of_any_kind_are_expected(process):
    ticket = "{title: No tone, problem: Since nine., attributes: {sites: [bonn, rome], map: {b: 1.5, a: {c: d}}, n: 2.5}}"
    done = cases(process, f"- {{case: a, ticket: {ticket}, expect: {{attributes: {{sites: [bonn, rome], map: {{a: {{c: d}}, b: 1.5}}, n: 2.5}}}}}}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    done = cases(process, f"- {{case: a, ticket: {ticket}, expect: {{attributes: {{sites: [rome], map: {{a: 1}}, none: [1]}}}}}}\n")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[2:8] == ['sites want ["rome"]', 'got ["bonn", "rome"]', 'map want {"a": 1}', 'got {"b": 1.5, "a": {"c": "d"}}', "none want [1]", "got nothing"], done.stdout


def test_a_rule_that_chooses_a_calendar_is_verified_too(process, tmp_path):
    (process / "rules/05.yaml").write_text("- {rule: c, then: {calendar: 24x7}}\n")
    line = {"ticket": {"title": "Echo", "problem": "p"}, "customer": None, "posted_at": "2026-03-02T09:00:00Z", "until_at": "2026-03-02T12:00:00Z",
            "events": [{"at": "2026-03-02T10:00:00Z", "kind": "taken", "as": {"name": "ada", "role": "staff"}, "body": {}}]}
    (tmp_path / "h.jsonl").write_text(json.dumps(line) + "\n")
    done = worker("simulate", process, tmp_path / "h.jsonl", "--verify")
    assert done.returncode == 0 and "1 tickets replayed" in done.stderr, done.stderr


def test_a_simulated_ticket_has_what_a_broker_gives_it_and_each_event_a_run_of_its_own(process, tmp_path):
    """As in life: a rule that stops at the posting does not swallow a reply of an outage, whatever is decided together."""
    for name in (process / "rules").glob("*.yaml"):
        name.unlink()
    (process / "rules/1.yaml").write_text(
        "- {rule: a, when: {all: [{field: customer.id, is: acme}, {field: channel, is: ticket}]}, then: {priority: 4, stop: true}}\n"
        "- {rule: b, on: [posted, reply], when: {any: [{field: text, contains: down}, {field: reply.text, contains: down}]}, then: {priority: 1}}\n"
        "- {rule: z, default: true, then: {priority: 3}}\n")
    line = {"ticket": {"title": "Down", "problem": "p"}, "customer": {"id": "acme", "name": "Acme", "package": "gold"}, "posted_at": "2026-03-02T09:00:00Z"}
    reply = {"at": "2026-03-02T10:00:00Z", "kind": "commented", "as": {"name": "kim", "role": "customer"}, "public": True, "body": {"text": "All is down."}}
    (tmp_path / "h.jsonl").write_text(json.dumps({**line, "events": []}) + "\n" + json.dumps({**line, "events": [reply]}) + "\n")
    done = worker("simulate", process, tmp_path / "h.jsonl", "--csv")
    assert done.returncode == 0 and [row["priority"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["4", "1"], done.stdout + done.stderr


def test_explain_takes_a_ticket_and_its_customer(process):
    (process / "rules/05.yaml").write_text("- {rule: mine, when: {all: [{field: customer.id, is: acme}, {field: customer.locale, is: de}, {field: customer.package, is: gold}]}, then: {tag: a}}\n")
    ticket, customer = {"title": "No tone", "problem": "Since nine."}, {"id": "acme", "name": "Acme", "package": "gold", "locale": "de"}

    def matched(given):
        done = worker("explain", process, "-", "--json", text=json.dumps(given))
        assert done.returncode == 0, done.stderr
        return {rule["rule"]: rule["matched"] for rule in json.loads(done.stdout)["rules"]}

    assert matched({"ticket": ticket, "customer": customer})["mine"] and not matched({"ticket": ticket, "customer": customer})["customer is not known"]
    assert not matched(ticket)["mine"] and matched({"ticket": ticket, "customer": None})["customer is not known"]
    shown = {**ticket, "tracking": "DKT-0000-0000-0001-E", "state": "triaged", "priority": 3, "version": 2, "posted_at": 1772442000000000, "package": "gold", "customer": "acme",
             "events": [{"version": 2, "at": 1772442000000001, "kind": "triaged", "as": None, "public": False, "body": {}}]}
    assert matched({"ticket": shown, "customer": customer})["mine"] and not matched(shown)["mine"]
    for given, told in (({"ticket": ticket, "customer": {**customer, "package": "goldd"}}, "1:114: customer.package: \"goldd\" is not in packages.yaml (did you mean gold?)"),
                        ({"ticket": ticket, "customer": {"id": "acme"}}, "customer.name: is required"), ({"ticket": ticket, "customr": {}}, "customr: is not known beside a ticket; allowed is customer"),
                        ({"ticket": {"titel": "x"}, "customer": None}, "titel: not a field of ticket.submit")):
        done = worker("explain", process, "-", text=json.dumps(given))
        assert done.returncode == 1 and told in done.stderr, done.stderr


def test_two_cases_of_one_name_in_two_files_are_told(process):
    (process / "tests/other.yaml").write_text(f"- {{case: a, ticket: {TICKET}}}\n")
    done = cases(process, f"- {{case: a, ticket: {TICKET}}}\n")
    assert done.returncode == 1 and done.stderr == 'tests/other.yaml:1:10: case: "a" is the name of another one, tests/mine.yaml:1\n'


def test_a_desk_that_refuses_whom_it_does_not_know_posts_nothing_for_them(process):
    (process / "process.yaml").write_text((process / "process.yaml").read_text().replace("unknown_customers: accept", "unknown_customers: refuse"))
    done = cases(process, f"- {{case: unknown, ticket: {TICKET}, expect: {{refused: true}}}}\n- {{case: known, package: gold, ticket: {TICKET}, expect: {{priority: 3}}}}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    done = cases(process, f"- {{case: unknown, ticket: {TICKET}, expect: {{priority: 3}}}}\n")
    assert done.returncode == 1 and "the customer is not on file, and this desk refuses unknown customers" in done.stdout, done.stdout


def test_a_customer_whom_nobody_knows_has_the_package_that_serves_them(process):
    (process / "rules/05.yaml").write_text("- {rule: s, when: {field: customer.package, is: standard}, then: {tag: served}}\n")
    done = cases(process, f"- {{case: unknown, ticket: {TICKET}, expect: {{tags: [served]}}}}\n- {{case: gold, package: gold, ticket: {TICKET}, expect: {{without_tags: [served]}}}}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    done = worker("explain", process, "-", "--json", text='{"title": "No tone", "problem": "Since nine."}')
    assert done.returncode == 0 and any(rule["rule"] == "s" and rule["matched"] for rule in json.loads(done.stdout)["rules"]), done.stdout + done.stderr


def test_a_rule_that_wakes_a_ticket_again_and_again_ends(process):
    (process / "rules/05-loop.yaml").write_text("- rule: loop\n  on: [posted, due]\n  then: {wake_in: 60s}\n")
    text = "- case: loops\n  ticket: {title: Echo, problem: p}\n  steps:\n    - {after: %s, expect: {state: triaged}}\n"
    assert cases(process, text % "2d").returncode == 0
    done = cases(process, text % "365d")
    assert done.returncode == 1 and "tests/mine.yaml:4:7: the ticket wakes by itself more than 10000 times until then: the step is too long, or a rule's wake_in too short" in done.stderr


def test_spans_are_those_of_the_steps_time(process):
    done = cases(process, """
- case: nothing woke the ticket in between
  at: 2026-03-06T15:30:00Z
  ticket: {title: Echo, problem: There is an echo on all lines of the house since nine.}
  steps:
    - {at: 2026-03-06T16:30:00Z, expect: {response: {worked: 1h, left: 5h}}}
    - {at: 2026-03-09T09:15:00Z, expect: {response: {worked: 1h 45m}}}
""".replace("1h 45m", "105m"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_reads_the_cases_too(process):
    (process / "tests").mkdir(exist_ok=True)
    (process / "tests" / "mine.yaml").write_text("- case: misspelt\n  tickt: {}\n")
    done = worker("check", process)
    assert done.returncode == 1 and "tests/mine.yaml:2:3: tickt: is not known in a case (did you mean ticket?)" in done.stderr and "ok" not in done.stdout
    (process / "tests" / "mine.yaml").write_text("- case: it fails\n  ticket: {title: Echo, problem: x}\n  expect: {priority: 1}\n")
    assert worker("check", process).returncode == 0, "which cases fail is said by test"


def test_check_reads_the_calendars_of_people_too(process):
    """A schedule's file that cannot be read means that nobody is called: process.apply refuses it, so does check."""
    (process / "staff.yaml").write_text("people:\n  ada: {email: a@b.example}\nteams: {}\n")
    (process / "oncall.yaml").write_text("schedules:\n  noc:\n    layers: [{import: holidays/roster.ics}]\n")
    (process / "holidays").mkdir()
    (process / "holidays/roster.ics").write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260302T090000Z\nDTEND:20260303T090000Z\nSUMMARY:nobody\nEND:VEVENT\nEND:VCALENDAR\n")
    done = worker("check", process)
    assert done.returncode == 1 and "holidays/roster.ics:" in done.stderr and "ok" not in done.stdout, done


def test_a_turn_that_takes_no_time_is_warned_of_by_both_checks(process):
    (process / "staff.yaml").write_text("people:\n  ada: {email: a@b.example}\nteams: {}\n")
    (process / "oncall.yaml").write_text("schedules:\n  noc:\n    layers: [{import: oncall/roster.ics}]\n")
    (process / "oncall").mkdir()
    (process / "oncall/roster.ics").write_text("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260302T090000Z\nSUMMARY:ada\nEND:VEVENT\nEND:VCALENDAR\n")
    for done in (worker("check", process), subprocess.run([BIN / "docket-notifier", "check", process], capture_output=True, text=True)):
        assert done.returncode == 0 and done.stderr.count("warning: oncall/roster.ics:2:1: VEVENT: takes no time") == 1, done


@pytest.mark.parametrize("name", ["process.yaml", "calendars.yaml", "packages.yaml"])
def test_a_file_that_cannot_be_read_brings_no_faults_about_its_names(process, name):
    (process / name).write_text("\tx: 1\n")
    done = worker("check", process)
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stderr.splitlines() if not line.startswith("warning")] == [name], done.stderr


def test_what_is_no_file_is_told_by_its_name(process, tmp_path):
    packages, none = process / "packages.yaml", tmp_path / "none"
    packages.unlink()
    packages.mkdir()
    assert worker("check", process).stderr == f"{process}: packages.yaml: is a folder, want a file\n"
    assert worker("check", none).stderr == f"{none}: cannot be read: No such file or directory\n"


def test_a_number_that_nobody_can_be_called_at_and_a_message_that_nobody_sends_are_told(process):
    (process / "staff.yaml").write_text('people:\n  ada: {email: a@b.example, phone: mon}\n  ben: {sms: "+4315551234", webhook: hooks.example}\nteams: {}\n')
    with open(process / "escalation.yaml", "a") as escalation:
        escalation.write("  warnig: {first: [queue], urgency: low}\n")
    done = worker("check", process)
    assert done.returncode == 1 and [line for line in done.stderr.splitlines() if not line.startswith("warning")] == [
        'staff.yaml:2:36: phone: "mon" is not a telephone number: want digits, as +43 1 5551234, 0800 1234 or 4711 ext. 12',
        'staff.yaml:3:38: webhook: "hooks.example" is not a URL: want https://HOST/PATH'], done.stderr
    (process / "staff.yaml").write_text("people: {}\nteams: {}\n")
    done = worker("check", process)
    assert done.returncode == 0 and 'notices: "warnig" is no kind of message (did you mean warning?)' in done.stderr, done.stderr


def test_zones_are_told_where_they_are_named(process):
    policy = (process / "process.yaml").read_text().splitlines()
    (process / "process.yaml").write_text("\n".join(["zone: Europe/Berln"] + [line for line in policy if not line.startswith("zone:")]) + "\n")
    (process / "calendars.yaml").write_text("office: {hours: {mon: [09:00-10:00]}}\nother: {hours: {mon: [09:00-10:00]}}\nthird: {zone: X/Y, hours: {mon: [09:00-10:00]}}\n")
    (process / "staff.yaml").write_text('people:\n  ada: {email: a@b.example, zone: Europe/Rom}\nteams: {}\n')
    done = worker("check", process)
    faults = [line.split(": ")[0] for line in done.stderr.splitlines() if not line.startswith("warning")]
    assert done.returncode == 1 and faults == ["calendars.yaml:3:15", "process.yaml:1:7", "staff.yaml:2:3"], done.stderr


def test_a_case_takes_no_ticket_that_the_broker_would_refuse(process):
    done = cases(process, """
- case: misspelt
  ticket: {titel: Echo, problem: There is an echo.}
- case: no such word
  ticket: {title: Echo, problem: There is an echo., impact: dwn, channel: fax}
- case: no such package
  package: platinum
  ticket: {title: Echo, problem: There is an echo.}
- case: posted by telephone, and taken
  ticket: {title: Echo, problem: There is an echo., channel: phone, take: true}
  expect: {state: in_progress, response: {state: met}}
""")
    assert done.returncode == 1 and "3 failed" in done.stdout and "1 passed" in done.stdout
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == ["tests/mine.yaml:3:11", "tests/mine.yaml:3:12", "tests/mine.yaml:5:61", "tests/mine.yaml:5:75", "tests/mine.yaml:7:12"], done.stderr
    assert "title: is required for ticket.submit" in done.stderr and 'impact: "dwn" is not known (did you mean down?); allowed are down, critical, degraded' in done.stderr
    assert "titel: not a field of ticket.submit (did you mean title?); allowed are key, as, customer, title" in done.stderr


def test_a_case_takes_no_step_and_no_customer_that_the_broker_would_refuse(process):
    steps = ["{after: 1h, do: wait, on: custmer}", "{after: 1h, do: prioritize, priority: 7}", "{after: 1h, do: wait, reason: r}", "{after: 1h, do: take, text: mine}",
             "{after: 1h, do: take, role: customer}", "{after: 1h, do: update, set: {title: ''}}", "{after: 1h, text: nobody does it}"]
    wrong = ["".join(f"""
- case: step {i}
  ticket: {{title: Echo, problem: There is an echo.}}
  steps:
    - {step}""" for i, step in enumerate(steps)), """
- case: customer
  customer: {id: no blanks, zome: Europe/Berlin}
  ticket: {title: Echo, problem: 7, contact: {email: nobody}, posted_at: 5}
- case: words may be left out
  customer: {locale: de, package: gold}
  ticket: {title: Echo, problem: There is an echo.}
  steps:
    - {after: 1h, do: wait, on: customer, until: 1h, expect: {state: waiting_customer}}
    - {after: 1h, do: wait, on: vendor, vendor: Acme, expect: {state: waiting_vendor}}
    - {after: 1h, do: agree, role: staff, expect: {state: in_progress}}
    - {after: 1h, do: meeting, medium: phone, attendees: [a@b.example], where: Room 1}
"""]
    done = cases(process, "".join(wrong))
    assert done.returncode == 1 and f"{len(steps) + 2} cases, 1 passed" in done.stdout, done.stdout + done.stderr
    assert [line.partition(": ")[2] for line in done.stderr.splitlines()] == [
        'on: "custmer" is not known (did you mean customer?); allowed are customer, vendor', "priority: 7 is outside 1–4", "on: is required for ticket.wait",
        "text: not a field of ticket.take; allowed are key, as, tracking, if_version", "ticket.take is not for the role customer; it is for staff, admin",
        "set.title: must not be empty", "text: is not known in a step; allowed are after, at, do, as, role, until, begins, expect",
        "customer.zome: not a field (did you mean zone?); allowed are id, name, package, contacts, locale, zone", "problem: want text, got an integer", "contact.email: not a mail address: want name@host, in ASCII",
        "posted_at: belongs to the case, as `at`"], done.stderr
    assert "tests/mine.yaml:5:33: on:" in done.stderr and "tests/mine.yaml:32:54: contact.email" in done.stderr, done.stderr


WHOLE = {  # what is wrong with no field, but with all of them together; a step, the same in a history, what is told, at which column
    "{after: 1h, do: wait, on: vendor}": ("waiting", "staff", {"on": "vendor"}, "vendor: is required when waiting for a vendor", 7),
    "{after: 1h, do: wait, on: customer, vendor: Acme}": ("waiting", "staff", {"on": "customer", "vendor": "Acme"}, "vendor and proposal belong to on: vendor", 51),
    "{after: 1h, do: comment, text: t, answer: accepted}": ("commented", "staff", {"text": "t", "answer": "accepted"}, "meeting: who answered what to which: meeting, attendee and answer go together", 7),
    "{after: 1h, do: update, role: customer, set: {queue: noc}}": ("updated", "customer", {"set": {"queue": "noc"}}, "set.queue is not for the role customer, which may set title, equipment, configuration and attributes", 60),
    "{after: 1h, do: meeting, attendees: [a@b.example]}": (None, None, None, "medium: is required for a new meeting", 7),
    "{after: 1h, do: meeting, medium: phone}": (None, None, None, "attendees: is required for a new meeting", 7),
    "{after: 1h, do: meeting, cancel: true}": (None, None, None, "meeting: which one is cancelled?", 7),
    "{after: 1h, do: wait, on: customer, until: 0m}": (None, None, None, "until_at: lies in the past", 7),
    "{after: 1h, do: take, as: [ada, eve]}": (None, None, None, "as.name: want text, got a list", 33),
}


def test_a_case_takes_no_step_whose_fields_a_broker_would_refuse_together(process):
    done = cases(process, "".join(f"- case: step {i}\n  ticket: {{title: Echo, problem: p}}\n  steps:\n    - {step}\n" for i, step in enumerate(WHOLE)))
    want = [f"tests/mine.yaml:{4 * i + 4}:{column}: {words}" for i, (*_, words, column) in enumerate(WHOLE.values())]
    assert done.returncode == 1 and done.stderr.splitlines() == want, done.stderr
    done = cases(process, """
- case: the package has none
  package: standard
  ticket: {title: Echo, problem: p}
  steps: [{after: 1h, do: meeting, medium: phone, attendees: [a@b.example], expect: {refused: true}}]
""")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_history_has_no_event_that_a_broker_would_refuse(process):
    at, lines, want = 1_772_442_000_000_000, [], []
    for kind, role, body, words, _ in (row for row in WHOLE.values() if row[0]):
        lines.append((kind, role, body))
        want.append(f"-:{len(lines)}: events[0].body.{words}")
    lines.append(("taken", "customer", {}))
    want.append(f"-:{len(lines)}: events[0].as.role: ticket.take is not for the role customer; it is for staff, admin")
    text = [json.dumps({"ticket": {"title": "Echo", "problem": "p"}, "posted_at": at, "events": [{"at": at, "kind": kind, "as": {"name": "ada", "role": role}, "body": body}]})
            for kind, role, body in lines]
    text.append(json.dumps({"ticket": {"title": "Echo", "problem": "p", "take": True}, "posted_at": at}))
    want.append(f"-:{len(text)}: take: only staff may post and take: as {{name, role: staff}} is missing")
    text.append(text[0].replace('"title"', '"tracking": "DKT-0000-0000-0001-E", "title"'))  # a broker took it once
    done = worker("simulate", process, "-", text="\n".join(text) + "\n")
    assert done.returncode == 1 and done.stderr.splitlines() == want, done.stderr


def test_a_line_that_is_no_json_is_told_by_one_place(process):
    good = '{"ticket": {"title": "Echo", "problem": "p"}, "posted_at": 1772442000000000}'
    text = good + '\n{"ticket" {}}\n{"ticket": {}\n[1]\n'
    want = ["-:2:11: not JSON: ':' expected near '{'", "-:3:13: not JSON: '}' expected near end of file"]
    done = worker("simulate", process, "-", text=text)
    assert done.returncode == 1 and done.stderr.splitlines() == [*want, "-:4: want one JSON object a line: {ticket, posted_at, events, …}"], done.stderr
    done = worker("whatif", process, process, "-", text=text.replace(good, '{"title": "Echo", "problem": "p"}'))
    assert done.returncode == 1 and done.stderr.splitlines() == [*want, "-:4: want one ticket a line, a JSON object"], done.stderr


FORMS = {  # a file, and what stands in it where WRONG is, which is not of its kind
    "process.yaml": ["WRONG", "approval_reminders: WRONG", "priorities: WRONG", "questions: WRONG", "targets: WRONG", "targets: {1: WRONG}", "warnings: WRONG", "warnings: [WRONG]"],
    "calendars.yaml": ["WRONG", "a: WRONG", "a: {hours: WRONG}", "a: {hours: {mon: WRONG}}", *(f"a: {{hours: {{mon: [09:00-17:00]}}, {key}: WRONG}}" for key in ("holidays", "special", "holiday_files"))],
    "packages.yaml": ["WRONG", "a: WRONG", *(f"a: {{{key}: WRONG}}" for key in ("channels", "meetings", "targets", "warnings"))],
    "rules/05-mine.yaml": ["WRONG", "[WRONG]", *(f"[{{rule: a, {inside}}}]" for inside in ("then: WRONG", "then: {tell: WRONG}", "then: {attribute: WRONG}", "when: WRONG, then: {queue: q}",
        "when: {all: WRONG}, then: {queue: q}", "when: {field: impact, in: WRONG}, then: {queue: q}"))],
    "staff.yaml": ["WRONG", "people: WRONG", "people: {a: WRONG}", "teams: WRONG", "teams: {a: WRONG}"],
    "escalation.yaml": ["WRONG", "channels: WRONG", "policies: WRONG", "policies: {a: WRONG}", *(f"policies: {{a: {{{key}: WRONG}}}}" for key in ("levels", "repeat", "last_resort", "unack")),
        "policies: {a: {levels: [WRONG]}}", "match: WRONG", "match: [WRONG]", "notices: WRONG", "notices: {warning: WRONG}"],
    "oncall.yaml": ["WRONG", "schedules: WRONG", "schedules: {a: WRONG}", "schedules: {a: {layers: WRONG}}", "schedules: {a: {layers: [WRONG]}}"],
    "notify.yaml": ["WRONG", "limits: WRONG", "limits: {phone: WRONG}", "holds: WRONG", "holds: [WRONG]"],
    "webhooks.yaml": ["WRONG", "endpoints: WRONG", "endpoints: [WRONG]"],
}


@pytest.mark.parametrize("name", FORMS)
def test_where_a_map_or_a_list_is_wanted_its_form_is_shown_and_taken(process, name):
    def told(text):
        (process / name).write_text(text)
        return worker("check", process).stderr

    for text in FORMS[name]:
        shown = re.search(r"want a (?:map|list) like (.*)", told(text.replace("WRONG", "15m")))
        assert shown, text
        if "…" not in shown[1]:
            wrong = told(text.replace("WRONG", shown[1]))
            assert " like " not in wrong and "not known" not in wrong, (text, wrong)


def test_words_that_count_as_a_rejection_do_what_reject_does(process):
    policy = (process / "process.yaml").read_text()
    (process / "process.yaml").write_text(policy.replace("on_reply_when_resolved: ask", "on_reply_when_resolved: reject"))
    steps = """
  ticket: {title: severely degraded, problem: Two calls an hour are choppy.}
  package: gold
  steps:
    - {after: 10m, do: take, as: ada}
    - {after: 10m, do: resolve, as: ada, text: Done.}
    - {after: 10m, do: %s, text: Still broken., expect: {state: in_progress, assignee: ada, response: {cycle: 1, state: met}, resolution: {state: running, worked: 20m}}}
"""
    done = cases(process, "".join(f"- case: {op}{steps % op}" for op in ("reply", "reject")))
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_cases_at_all_is_no_success(process):
    assert worker("test", process).returncode == 1
    assert worker("test", SHIPPED, "--only", "no case has this name").returncode == 1


def test_explain_takes_no_instant_that_it_cannot_read(process, tmp_path):
    ticket = tmp_path / "ticket.json"
    ticket.write_text(json.dumps({"title": "Echo", "problem": "x" * 50, "posted_at": "2026-03-06T15:00:00Z"}))
    assert re.search(r"due 2026-03-09T13:00:00(Z|\+00:00)", worker("explain", process, ticket).stdout)
    ticket.write_text(json.dumps({"title": "Echo", "problem": "x" * 50, "posted_at": "yesterday"}))
    done = worker("explain", process, ticket)
    assert done.returncode == 1 and "posted_at: want an instant" in done.stderr


def test_explain_takes_no_ticket_that_the_broker_would_refuse(process, tmp_path):
    ticket = tmp_path / "ticket.json"
    ticket.write_text('{\n "titel": "Echo",\n "problem": 7, "contact": {"email": "nobody"},\n "impact": "dwn", "package": "platin"\n}')
    done = worker("explain", process, ticket)
    assert done.returncode == 1 and not done.stdout
    assert [line.removeprefix(f"{ticket}:") for line in done.stderr.splitlines()] == [
        "1:1: title: is required for ticket.submit",
        "2:2: titel: not a field of ticket.submit (did you mean title?); allowed are key, as, customer, title, problem, equipment, configuration, contact, channel, impact, "
        "attributes, correlation, take, posted_at",
        "3:13: problem: want text, got an integer", "3:37: contact.email: not a mail address: want name@host, in ASCII",
        '4:12: impact: "dwn" is not known (did you mean down?); allowed are down, critical, degraded, impaired, request, question', '4:30: package: "platin" is not in packages.yaml; allowed are standard, silver, gold'], done.stderr
    ticket.write_text('{"title": "Echo",\n "problem": "x",, }')
    assert worker("explain", process, tmp_path).stderr == f"docket-worker: {tmp_path}: Is a directory\n"
    assert worker("explain", process, ticket).stderr == f"{ticket}:2:17: not JSON: string or '}}' expected near ','\n"
    # JSON that is no YAML: the fault has no line, and is told all the same.
    done = worker("explain", process, "-", text='{"title": "Echo \\ud83d\\ude00", "problem": "x", "impact": "dwn"}')
    assert done.returncode == 1 and done.stderr.endswith('impact: "dwn" is not known (did you mean down?); allowed are down, critical, degraded, impaired, request, question\n'), done.stderr
    assert worker("explain", process, "-", text='{"title": "Echo \\ud83d\\ude00", "problem": "x", "package": "gold"}').returncode == 0
    # What a broker gave is taken whole, also with fields of a newer one.
    stored = {"tracking": "DKT-0000-0000-0001-E", "state": "new", "posted_at": 1772442000000000, "title": "Echo", "problem": "x", "fresh": 1, "clocks": []}
    assert worker("explain", process, "-", text=json.dumps(stored)).returncode == 0
    assert worker("explain", process, "-", text=json.dumps({"ticket": stored})).returncode == 0
    wide = {**stored, "title": "two\nlines" + "x" * 300, "impact": "of a newer one", "package": "gone"}
    assert worker("explain", process, "-", text=json.dumps({"ticket": wide})).returncode == 0
    line = {"posted_at": 1772442000000000, "ticket": wide, "events": []}
    assert worker("simulate", process, "-", text=json.dumps(line)).returncode == 0
    del line["ticket"]["tracking"]
    assert worker("simulate", process, "-", text=json.dumps(line)).returncode == 1


# ---- whatif ----


def test_whatif_tells_what_would_move_and_be_late(process, tmp_path):
    new = tmp_path / "new"
    shutil.copytree(process, new)
    (new / "process.yaml").write_text((process / "process.yaml").read_text().replace("response: 6h working", "response: 1h working"))
    lines = [json.dumps({"title": title, "problem": "x" * 50, "posted_at": "2026-03-06T15:00:00Z", "now": now})
             for title, now in (("Echo", "2026-03-06T15:30:00Z"), ("Echo", "2026-03-09T09:30:00Z"), ("All phones are down", "2026-03-06T15:01:00Z"))]
    done = worker("whatif", process, new, "-", text="\n".join(lines))
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    assert "response 1: is running due 2026-03-09T13:00:00Z would be running due 2026-03-06T16:00:00Z" in rows[0]
    assert "would be missed due 2026-03-06T16:00:00Z  LATE" in rows[1]
    assert rows[2:] == ["3 tickets looked at, 2 would move, 1 would be late"]
    assert worker("whatif", process, process, "-", text="\n".join(lines)).stdout == "3 tickets looked at, 0 would move, 0 would be late\n"
    broken = worker("whatif", process, new, "-", text="{}\n{\n")
    assert broken.returncode == 1 and "-:2:" in broken.stderr


# ---- simulate: real incidents, counted again by other means ----

DAY, HOUR = 86400, 3600
# The shipped promises, in seconds, and whether they count opening time (weekdays 9 to 17, UTC): response, update.
PROMISES = {1: ((300, False), (1800, False)), 2: ((HOUR, False), (2 * HOUR, False)), 3: ((6 * HOUR, True), (8 * HOUR, True)), 4: ((24 * HOUR, True), (24 * HOUR, True))}


def opened(at):
    """Opening seconds from the epoch (a Thursday) until then."""
    days, rest = divmod(int(at), DAY)
    weeks, day = divmod(days + 3, 7)  # whole weeks since Monday, 29 December 1969
    whole = weeks * 5 + min(day, 5) - 3  # the three days before the epoch do not count
    return whole * 8 * HOUR + (max(0, min(rest - 9 * HOUR, 8 * HOUR)) if day < 5 else 0)


def due(start, seconds, working):
    if not working:
        return start + seconds
    low, high = start, start + 60 * DAY
    while low < high:  # the first instant by which so much has been open
        middle = (low + high) // 2
        low, high = (low, middle) if opened(middle) - opened(start) >= seconds else (middle + 1, high)
    return low


def used(start, end, working):
    return opened(end) - opened(start) if working else end - start


class Clock:
    """One promise of one ticket, event by event."""

    def __init__(self, promise, start):
        self.promise, self.working = promise
        self.met = self.missed = 0
        self.begin(start)

    def begin(self, at, paused=False):
        self.since, self.used, self.paused, self.running, self.gone = at, 0, paused, True, False

    def late(self, at):
        return self.gone or (not self.paused and due(self.since, max(0, self.promise - self.used), self.working) < at)

    def pause(self, at):
        if self.running and not self.paused:
            self.gone = self.gone or due(self.since, max(0, self.promise - self.used), self.working) <= at
            self.used += used(self.since, at, self.working)
            self.paused, self.since = True, at

    def resume(self, at):
        if self.running and self.paused:
            self.paused, self.since = False, at

    def end(self, at):
        if self.running:
            late = self.late(at)
            self.missed, self.met, self.running = self.missed + late, self.met + (not late), False


def expected_counts(line):
    """(promised, met, missed, open) of response and update, by the words of the process and nothing of the program."""
    priority, start = line["priority"], line["posted_at"] // 1_000_000
    response, update = (Clock(promise, start) for promise in PROMISES[priority])
    resolved, waits, last = False, False, start
    for event in line["events"]:
        at, kind, body = event["at"] // 1_000_000, event["kind"], event["body"]
        last = at
        words = event["public"] and kind in ("commented", "resolved") or kind == "waiting"
        if kind == "taken" and priority != 4 or words and not (kind == "waiting" and body["on"] == "vendor"):
            response.end(at)
        if words and update.running:
            update.end(at)
            update.begin(at, paused=kind == "resolved" or (kind == "waiting" and body["on"] == "customer") or (kind == "commented" and (resolved or waits)))
        if kind in ("taken", "waiting") and not (kind == "waiting" and body["on"] == "customer"):
            update.resume(at)
        if kind == "approved":
            response.end(at), update.end(at)
        if kind == "reopened":
            response.end(at), update.end(at)
            response.begin(at), update.begin(at)
        resolved = kind == "resolved" or (resolved and kind == "commented")
        waits = kind == "waiting" and body["on"] == "customer" or (kind == "commented" and waits)
    counts = []
    for clock in (response, update):
        over = clock.running and (clock.gone or (not clock.paused and due(clock.since, max(0, clock.promise - clock.used), clock.working) <= last))
        counts.append((clock.met + clock.missed + clock.running, clock.met, clock.missed + over, clock.running and not over))
    return counts


def logs():
    """The excerpt that is shipped, and the whole log where it is there (DOCKET_INCIDENT_LOG, or beside the checkout)."""
    whole = pathlib.Path(os.environ.get("DOCKET_INCIDENT_LOG", ROOT.parent / "shared/data/incident_log.csv"))
    return [ROOT / "examples/demo/incident_log.csv"] + ([whole] if whole.exists() else [])


@pytest.mark.parametrize("log", logs(), ids=lambda path: f"{path.parent.name}")
def test_real_incidents_replayed_give_what_an_independent_count_gives(log, tmp_path):
    made = subprocess.run([sys.executable, ROOT / "tests/incident_history.py", log], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    history = [json.loads(line) for line in made.stdout.splitlines()]
    table = worker("simulate", SHIPPED, "-", "--csv", text=made.stdout)
    assert table.returncode == 0, table.stderr
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    assert len(rows) == len(history) == len({line["ticket"]["attributes"]["incident"] for line in history})
    sums = collections.Counter()
    for line, row in zip(history, rows):
        line["priority"] = int(row["priority"])
        assert line["priority"] == {"critical": 1, "degraded": 2, "impaired": 3, "request": 4, "question": 4}[line["ticket"]["impact"]] or line["priority"] == 1
        for clock, want in zip(("response", "update"), expected_counts(line)):
            got = tuple(int(row[f"{clock}_{what}"]) for what in ("promised", "met", "missed", "open"))
            assert got == tuple(map(int, want)), (clock, line, row)
            for what, count in zip(("promised", "met", "missed", "open"), got):
                sums[line["priority"], clock, what] += count
    whole = json.loads(worker("simulate", SHIPPED, "-", "--json", text=made.stdout).stdout)
    assert whole["tickets"] == len(history)
    for row in whole["priorities"]:
        for clock in ("response", "update"):
            for what in ("promised", "met", "missed", "open"):
                assert row[clock][what] == sums[row["priority"], clock, what]
    again = worker("simulate", SHIPPED, "-", "--verify", text=made.stdout)
    assert again.returncode == 0, again.stderr
    assert f"{len(history)} tickets replayed step by step" in again.stderr
    assert "late by" in again.stdout and "priority as it was" in again.stdout


POSTED_US = 1_772_442_000_000_000  # Monday, 2026-03-02T09:00:00Z


def happened(at, kind, name, public=True, **body):
    return {"at": at, "kind": kind, "as": {"name": name, "role": "customer" if name == "kim" else "staff"}, "public": public, "body": body}


def test_what_fell_before_a_reply_raised_the_priority_is_judged_by_what_counted_then(tmp_path):
    """A worker that was there judged it so; what is decided at once, or late, gives no other verdict."""
    minute = 60_000_000
    taken, down, up = happened(POSTED_US + 60 * minute, "taken", "ada"), happened(POSTED_US + 180 * minute, "commented", "kim", text="Now everything is down!"), \
        happened(POSTED_US + 200 * minute, "prioritized", "lea", public=False, priority=4, reason="It was the cable.")
    rows = [([taken, down], 1, (1, 0)), ([down, taken], 1, (0, 1)), ([taken, down, up], 4, (1, 0))]
    (tmp_path / "h.jsonl").write_text("".join(json.dumps({
        "ticket": {"title": "Echo", "problem": "On one phone.", "impact": "impaired"}, "posted_at": POSTED_US, "until_at": POSTED_US + 300 * minute,
        "events": sorted(events, key=lambda one: one["at"]) if events[0] is taken else [down, {**taken, "at": down["at"] + minute}]}) + "\n" for events, _, _ in rows))
    done = worker("simulate", SHIPPED, tmp_path / "h.jsonl", "--csv")
    assert done.returncode == 0, done.stderr
    for got, (_, priority, (met, missed)) in zip(csv.DictReader(io.StringIO(done.stdout)), rows, strict=True):
        assert (int(got["priority"]), int(got["response_met"]), int(got["response_missed"])) == (priority, met, missed), got
    done = worker("simulate", SHIPPED, tmp_path / "h.jsonl", "--verify")
    assert done.returncode == 0, done.stderr


def random_life(dice):
    """A ticket's history: people do what its state allows, at times from at once to days apart."""
    second, at, events, state = 1_000_000, POSTED_US + dice.randrange(7 * 86_400) * 1_000_000, [], "open"
    posted_at = at
    for i in range(dice.randrange(9)):
        at += second * dice.choice((dice.randrange(1, 600), dice.randrange(7_200), dice.randrange(86_400), dice.randrange(4 * 86_400), 0 if i else 60))
        what = dice.choice(("taken", "note", "words", "reply", "worse", "priority", "priority", "customer", "vendor", "resolved", "updated") if state == "open" else
                             ("reply", "worse", "approved", "rejected", "note", "words"))
        if what == "approved":
            events.append(happened(at, "approved", "kim"))
            break
        state = {"resolved": "resolved", "rejected": "open"}.get(what, state)
        events.append({
            "taken": lambda: happened(at, "taken", "ada"), "note": lambda: happened(at, "commented", "ada", False, text="Seen."),
            "words": lambda: happened(at, "commented", "ada", text="We look."), "reply": lambda: happened(at, "commented", "kim", text="Hello?"),
            "worse": lambda: happened(at, "commented", "kim", text="Now everything is down, a total outage!"),
            "priority": lambda: happened(at, "prioritized", "lea", False, priority=dice.randrange(1, 5), reason="So."),
            "customer": lambda: happened(at, "waiting", "ada", on="customer", reason="Logs."), "vendor": lambda: happened(at, "waiting", "ada", on="vendor", vendor="V", reason="Logs."),
            "resolved": lambda: happened(at, "resolved", "ada", text="Done."), "rejected": lambda: happened(at, "rejected", "kim", reason="No."),
            "updated": lambda: happened(at, "updated", "ada", False, set={"attributes": {"a": "b"}})}[what]())
    ticket = {"title": dice.choice(("Echo", "No calls at all", "How do I add one?")), "problem": dice.choice(("On one phone.", "Everything is down.", "Choppy."))}
    if (impact := dice.choice((None, "down", "degraded", "impaired", "request", "question"))) is not None:
        ticket["impact"] = impact
    return {"ticket": ticket, "posted_at": posted_at, "customer": dice.choice((None, {"id": "acme", "name": "Acme", "package": "gold"})),
            "events": events, "until_at": at + dice.randrange(1, 3 * 86_400) * second}


def test_random_lives_whose_priority_moves_give_the_same_step_by_step(tmp_path):
    seed = int(os.environ.get("DOCKET_SEED") or secrets.randbits(32))
    dice = random.Random(seed)
    (tmp_path / "h.jsonl").write_text("".join(json.dumps(random_life(dice)) + "\n" for _ in range(2000)))
    done = worker("simulate", SHIPPED, tmp_path / "h.jsonl", "--verify")
    assert done.returncode == 0 and "2000 tickets replayed step by step: the same" in done.stderr, f"DOCKET_SEED={seed}\n{done.stderr}"


SEES = """
- {rule: twice, on: [reply, updated], when: {all: [{field: priority, is: 3}, {not: {field: tags, contains: heard}}]}, then: {tag: heard}}
- {rule: again, on: reply, when: {field: tags, contains: heard}, then: {priority: 2, queue: noc}}
- {rule: night, on: reply, when: {all: [{not: {time.open: office}}, {field: kind, is: question}]}, then: {priority: 2}}
- {rule: old, on: reply, when: {all: [{field: queue, is: noc}, {field: age_s, more: 7200}]}, then: {priority: 1}}
"""


def test_random_lives_whose_rules_look_at_what_others_gave_are_the_same_step_by_step(process, tmp_path):
    """What is decided at once, or late: a reply's rules see the ticket as the posting's left it, and the time at which it came."""
    (process / "rules/15-sees.yaml").write_text(SEES)
    seed = int(os.environ.get("DOCKET_SEED") or secrets.randbits(32))
    dice = random.Random(seed)
    (tmp_path / "h.jsonl").write_text("".join(json.dumps(random_life(dice)) + "\n" for _ in range(2000)))
    done = worker("simulate", process, tmp_path / "h.jsonl", "--verify")
    assert done.returncode == 0 and "2000 tickets replayed step by step: the same" in done.stderr, f"DOCKET_SEED={seed}\n{done.stderr}"


@pytest.mark.parametrize("form", ["--json", "--csv", "--verify"])
def test_simulate_says_the_same_however_many_processes_work(form, tmp_path):
    made = subprocess.run([sys.executable, ROOT / "tests/incident_history.py", ROOT / "examples/demo/incident_log.csv"], capture_output=True, text=True, check=True)
    good = made.stdout.splitlines(keepends=True)
    lines = (good * 2000)[:1500]
    for at in (0, 255, 256, *range(700, 730), 1499):  # at the ends of what a process takes at once, and more than are told
        lines[at] = f"wrong {at}\n"
    history = tmp_path / "history.jsonl"
    history.write_text("".join(lines) + "\n  \n" + good[0].rstrip("\n"))
    alone = worker("simulate", SHIPPED, history, form, "--jobs", 1)
    assert alone.returncode == 1 and f"{history}:1:5: " in alone.stderr and f"{history}:257:5: " in alone.stderr and "… and 14 more" in alone.stderr
    for jobs in (2, 5):
        done = worker("simulate", SHIPPED, history, form, "--jobs", jobs)
        assert (done.returncode, done.stdout, done.stderr) == (1, alone.stdout, alone.stderr)
    history.write_text("".join(good * (1 + 2_000_000 // len(made.stdout))))  # large enough for more than one
    told, again = (worker("simulate", SHIPPED, path, form, text=history.read_text()) for path in (history, "-"))
    assert (told.returncode, told.stdout) == (0, again.stdout)


def test_simulate_says_what_rules_of_due_it_does_not_run(process, tmp_path):
    history = tmp_path / "history.jsonl"
    history.write_text("".join(json.dumps({"ticket": {"title": title, "problem": "p"}, "posted_at": POSTED_US, "until_at": POSTED_US + 7_200_000_000}) + "\n" for title in ("Echo", "Later", "Later on")))
    (process / "rules/15-later.yaml").write_text("- {rule: later, when: {field: title, contains: later}, then: {wake_in: 1h}}\n")
    assert json.loads(worker("simulate", process, history, "--json").stdout)["wake_in"] == 0 and "wake_in" not in worker("simulate", process, history).stdout
    (process / "rules/16-due.yaml").write_text("- {rule: due, on: due, then: {priority: 1}}\n")
    for jobs in 1, 2:
        assert json.loads(worker("simulate", process, history, "--json", "--jobs", jobs).stdout)["wake_in"] == 2
    assert worker("simulate", process, history).stdout.splitlines()[-1] == "not in it: what rules on: [due] do; 2 tickets were to be looked at again by a wake_in"
    assert [row["wake_in"] for row in csv.DictReader(io.StringIO(worker("simulate", process, history, "--csv").stdout))] == ["0", "1", "1"]
    done = worker("simulate", process, history, "--verify")
    assert done.returncode == 1 and done.stderr.count(", without the rules on: [due]") == 2, done.stderr


def test_simulate_refuses_a_number_of_jobs_that_is_none_and_a_file_that_is_not_there(tmp_path):
    for jobs in ("0", "65", "two", "-1"):
        assert worker("simulate", SHIPPED, tmp_path, "--jobs", jobs).returncode == 2
    gone = worker("simulate", SHIPPED, tmp_path / "gone", "--jobs", 2)
    assert gone.returncode == 1 and "gone: No such file" in gone.stderr and gone.stdout == ""


def test_lines_that_cannot_be_read_to_their_end_are_not_taken_as_all(tmp_path):
    for words in (("simulate", SHIPPED), ("whatif", SHIPPED, SHIPPED)):
        done = worker(*words, tmp_path)
        assert done.returncode == 1 and done.stderr == f"docket-worker: {tmp_path}: Is a directory\n", (words, done)
    folder = os.open(tmp_path, os.O_RDONLY)
    done = subprocess.run([f"{BIN}/docket-worker", "due", "--process", SHIPPED, "--batch"], stdin=folder, capture_output=True, text=True, timeout=60)
    os.close(folder)
    assert done.returncode == 1 and done.stderr == "docket-worker: -: Is a directory\n"


def test_simulate_that_cannot_start_all_its_processes_ends_those_that_it_started(tmp_path):
    history = tmp_path / "history.jsonl"
    history.write_text("wrong\n" * 100_000)  # what a process says of it is more than a pipe holds

    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (15, 15))

    done = subprocess.run([f"{BIN}/docket-worker", "simulate", SHIPPED, history, "--jobs", "20"], capture_output=True, text=True, timeout=60, preexec_fn=few_files)
    assert done.returncode == 1
    assert re.fullmatch(rf"docket-worker: {re.escape(str(history))}: process \d+ of 20 to read it cannot be started: Too many open files\n", done.stderr), done.stderr


def test_simulate_tells_the_line_that_is_wrong():
    good = '{"posted_at": 1456708560000000, "ticket": {"title": "Echo", "problem": "An echo."}, "events": []}'
    done = worker("simulate", SHIPPED, "-", text=f'{good}\n{{"ticket": 3}}\n{good[:-3]}[{{"at": 1}}]}}\n')
    assert done.returncode == 1
    assert "-:2: ticket: want a map" in done.stderr and "-:3:" in done.stderr
    assert done.stdout.count("response") >= 1  # the good line is summed up all the same


KINDS = "posted, triaged, decided, commented, updated, taken, assigned, released, prioritized, waiting, resumed, cannot_resolve, agreed, declined, meeting, resolved, approved, " \
    "rejected, reopened, closed, linked, repeated, asked, warned, missed"
EVENT = {"at": "2016-03-01T09:00:00Z", "kind": "commented", "as": {"name": "ada", "role": "staff"}, "public": True, "body": {"text": "t"}}


@pytest.mark.parametrize("line, told", [
    ({"events": [EVENT, {**EVENT, "kind": "commentd"}]}, f'events[1].kind: "commentd" is no kind of event (did you mean commented?); allowed are {KINDS}'),
    ({"events": [{**EVENT, "kind": "shrugged"}]}, f'events[0].kind: "shrugged" is no kind of event; allowed are {KINDS}'),
    ({"events": [{"at": 1456820000000000}]}, f'events[0].kind: "" is no kind of event; allowed are {KINDS}'),
    ({"events": [{**EVENT, "as": {"name": "ada", "role": "stff"}}]}, 'events[0].as.role: "stff" is none of staff, customer, system, admin'),
    ({"events": [{**EVENT, "as": "ada"}]}, "events[0].as: want a map {name, role}, got text"),
    ({"events": [{**EVENT, "public": "yes"}]}, "events[0].public: want true or false, got text"),
    ({"events": [{**EVENT, "pulic": True}]}, "events[0].pulic: not a field of an event (did you mean public?); allowed are at, kind, as, public, body, version, cursor, tracking, customer"),
    ({"events": [{**EVENT, "kind": "waiting", "body": {"on": "custmer"}}]}, 'events[0].body.on: "custmer" is not known (did you mean customer?); allowed are customer, vendor'),
    ({"events": [{**EVENT, "kind": "prioritized", "body": {"reason": "r"}}]}, "events[0].body.priority: is required for prioritized"),
    ({"events": [{**EVENT, "kind": "prioritized", "body": {"priority": 5}}]}, "events[0].body.priority: 5 is outside 1–4"),
    ({"events": {}}, "events: want a list, got a map"),
    ({"events": ["commented"]}, "events[0]: want a map, got text"),
    ({"evnts": []}, "evnts: not a field of a history (did you mean events?); allowed are ticket, posted_at, customer, events, until_at, was"),
    ({"was": {"prioritty": 1}}, "was.prioritty: not a field of was (did you mean priority?); allowed are priority, missed"),
    ({"customer": "acme"}, "customer: want the record of customer.put, or null, got text"),
    ({"ticket": {"titel": "Echo", "problem": "An echo."}}, "titel: not a field of ticket.submit (did you mean title?); allowed are key, as, customer, title, problem, equipment, "
     "configuration, contact, channel, impact, attributes, correlation, take, posted_at"),
    ({"ticket": {"title": "Echo"}}, "problem: is required for ticket.submit"),
    ({"ticket": {"title": "Echo", "problem": "An echo.", "impact": "dwn\x1b[2J"}}, 'impact: "dwn?[2J" is not known; allowed are down, critical, degraded, impaired, request, question'),
], ids=lambda value: value if isinstance(value, str) else "")
def test_simulate_refuses_a_word_that_it_does_not_know(line, told):
    good = {"posted_at": 1456708560000000, "ticket": {"title": "Echo", "problem": "An echo."}, "events": [EVENT, {**EVENT, "kind": "missed"}]}
    done = worker("simulate", SHIPPED, "-", "--json", text=f"{json.dumps(good)}\n\n{json.dumps({**good, **line})}\n")
    assert (done.returncode, done.stderr) == (1, f"-:3: {told}\n") and json.loads(done.stdout)["tickets"] == 1


def test_whatif_calls_a_ticket_by_its_number(process, tmp_path):
    would = tmp_path / "would"
    shutil.copytree(process, would)
    (would / "rules/99-default.yaml").write_text("- {rule: default, default: true, then: {priority: 2}}\n")
    listed = {"tracking": "DKT-4Q7K-M2P9-ZX3A-H", "state": "in_progress", "priority": 4, "posted_at": 1772442000000000, "title": "Noise", "clocks": [], "updated_at": 1772442000000000}
    done = worker("whatif", process, would, "-", text=json.dumps(listed))
    assert done.returncode == 0 and done.stdout.startswith("DKT-4Q7K-M2P9-ZX3A-H  priority 3 would be 2\n"), done.stdout + done.stderr


def test_simulate_takes_what_a_broker_gave_also_of_a_newer_one():
    ticket = {"tracking": "DKT-0000-0000-0001-E", "title": "Echo", "problem": "An echo.", "state": "closed", "priority": 3, "clocks": [], "fresh": 1, "links": []}
    line = {"posted_at": 1456708560000000, "ticket": ticket, "customer": None, "events": [{**EVENT, "version": 2, "cursor": "x", "tracking": "y", "customer": "acme"}], "until_at": None}
    done = worker("simulate", SHIPPED, "-", "--json", text=json.dumps({k: v for k, v in line.items() if v is not None}))
    assert (done.returncode, done.stderr) == (0, "") and json.loads(done.stdout)["tickets"] == 1


def test_explain_and_whatif_refuse_a_word_that_they_do_not_know(process):
    stored = {"tracking": "DKT-0000-0000-0001-E", "state": "new", "posted_at": 1772442000000000, "title": "Echo", "problem": "x"}
    event = {"version": 2, "at": 1772442000000000, "kind": "commentd", "as": None, "public": False, "body": {}}
    done = worker("explain", process, "-", text=json.dumps({"ticket": stored, "events": [event]}, indent=1))
    assert done.returncode == 1 and re.fullmatch(r'-:13:12: events\[0\]\.kind: "commentd" is no kind of event \(did you mean commented\?\); allowed are .*\n', done.stderr), done.stderr
    lines = [stored, {"ticket": stored, "events": [event]}, {"title": "Echo", "problem": "x", "impact": "dwn", "chanel": "im"}, 7]
    done = worker("whatif", process, process, "-", text="".join(json.dumps(line) + "\n" for line in lines))
    assert done.returncode == 1 and done.stdout.startswith("1 tickets looked at"), done.stdout
    assert [line.partition("; ")[0] for line in done.stderr.splitlines()] == [
        '-:2: events[0].kind: "commentd" is no kind of event (did you mean commented?)', '-:3: impact: "dwn" is not known (did you mean down?)',
        "-:3: chanel: not a field of ticket.submit (did you mean channel?)", "-:4: want one ticket a line, a JSON object"], done.stderr


def test_silence_closes_by_package_and_kept_words_start_no_clock(process):
    policy = (process / "process.yaml").read_text()
    (process / "process.yaml").write_text(policy.replace("on_reply_when_resolved: ask", "on_reply_when_resolved: keep"))
    packages = (process / "packages.yaml").read_text()
    (process / "packages.yaml").write_text(packages + "\nquick:\n  close_unanswered_after: 3d\nasked:\n  close_unanswered_after: ~\n")
    done = cases(process, """
- case: this package closes after three days of silence
  package: quick
  ticket: {title: Registration fails sometimes, problem: Twice a day.}
  steps:
    - {after: 1h, do: resolve, as: ada, text: Done.}
    - {at: 2026-03-05T09:59:59Z, expect: {state: resolved}}
    - {at: 2026-03-05T10:00:00Z, expect: {state: closed, told: [customer closed]}}
- case: the others never
  package: asked
  ticket: {title: Registration fails sometimes, problem: Twice a day.}
  steps:
    - {after: 1h, do: resolve, as: ada, text: Done.}
    - {at: 2026-06-05T10:00:00Z, expect: {state: resolved}}
- case: words on a resolved ticket mean nothing where they are kept
  package: asked
  ticket: {title: Registration fails sometimes, problem: Twice a day.}
  steps:
    - {after: 1h, do: resolve, as: ada, text: Done.}
    - {after: 1h, do: reply, text: Thanks., expect: {state: resolved, update: {state: paused}}}
""")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 cases, 3 passed" in done.stdout


def test_what_a_ticket_waits_for_is_kept_also_where_nothing_is_promised(process):
    """How often an approval was asked for, and a rule's wake_in, live from one decision to the next, whatever wakes the ticket between."""
    packages = (process / "packages.yaml").read_text()
    nothing = "{response: ~, update: ~, resolution: ~}"
    (process / "packages.yaml").write_text(packages + f"\nfree:\n  targets: {{1: {nothing}, 2: {nothing}, 3: {nothing}, 4: {nothing}}}\n")
    (process / "rules/00.yaml").write_text("""
- {rule: look, when: {field: title, is: look}, then: {wake_in: 2h}}
- {rule: looked, on: [due], then: {tag: looked}}
""")
    done = cases(process, """
- case: an approval is asked for again once
  package: free
  ticket: {title: Registration fails sometimes, problem: Twice a day.}
  expect: {response: ~, update: ~, resolution: ~}
  steps:
    - {after: 1h, do: resolve, as: ada, text: Done.}
    - {at: 2026-03-04T11:00:00Z, expect: {told: [customer asked approval]}}
    - {after: 1h, do: comment, as: ada, text: No word yet., expect: {told: [], response: ~}}
- case: a rule that waits runs in time, once
  package: free
  ticket: {title: look, problem: Registration fails sometimes.}
  steps:
    - {after: 1h, do: comment, as: ada, text: Later.}
    - {after: 61m, expect: {tags: [looked]}}
""")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 cases, 2 passed" in done.stdout


def test_a_priority_1_that_is_opened_again_alerts_again(process):
    """Its response is promised at once again; nobody else would hear of it before that is missed."""
    done = cases(process, """
- case: by the customer's op, and by words
  package: gold
  ticket: {title: Number of a new colleague, problem: Please add it.}
  steps:
    - {after: 1m, do: prioritize, as: ada, priority: 1, expect: {told: [staff alert p1]}}
    - {after: 1m, do: take, as: ada, expect: {told: []}}
    - {after: 1m, do: close, as: ada, reason: withdrawn}
    - {after: 1m, do: reopen, reason: It is back., role: customer, expect: {told: [customer reopened, staff alert p1], response: {state: running}}}
    - {after: 1m, do: take, as: ada, expect: {told: []}}
    - {after: 1m, do: close, as: ada, reason: withdrawn}
    - {after: 1m, do: reply, text: Again., expect: {state: reopened, told: [staff alert p1]}}
""")
    assert done.returncode == 0, done.stdout + done.stderr
