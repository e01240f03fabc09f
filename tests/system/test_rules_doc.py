"""docs/rules.md: each example of the page is run, and each condition, field and action of the language has one."""

import json
import os
import re
import subprocess

import pytest
import yaml
from helpers import BIN, ROOT

WORKER = BIN / "docket-worker"
PAGE = (ROOT / "docs/rules.md").read_text()
CASE_KEYS = {"at", "package", "customer", "steps", "ticket"}
ON = "[posted, reply, updated, reopened, repeated, due]"
FILES = {
    "process.yaml": "zone: UTC\npackage: standard\ncalendar: office\nquestions: {equipment: Which?}\n",
    "calendars.yaml": "office: {hours: {mon-fri: [09:00-17:00]}}\nnight: {hours: {mon-sun: ['22:00-06:00']}}\n",
    "packages.yaml": "standard: {}\ngold: {weight: 4, channels: [ticket, im, phone], meetings: [im, phone]}\n",
    "staff.yaml": "people: {ada: {email: ada@localhost}, lea: {email: lea@localhost}}\nteams: {voice: {members: [ada], queues: [noc, desk, lead]}}\n",
}
LAST = "- {rule: last, default: true, then: {priority: 3}}\n"


def section(name):
    return re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)[1]


def rows(text):
    """The cells of each table's rows, heads left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for i, row in enumerate(cells) if not row[0].startswith("---") and not (i + 1 < len(cells) and cells[i + 1][0].startswith("---"))]


def codes(cell):
    return re.findall(r"`([^`]+)`", cell)


def make(folder, rules, cases=None, **changed):
    for name, text in {**FILES, **changed, "rules/10.yaml": rules}.items():
        file = folder / name.replace("process_yaml", "process.yaml")
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
    if cases is not None:
        (folder / "tests").mkdir(exist_ok=True)
        (folder / "tests/cases.yaml").write_text(json.dumps(cases) + "\n")
    return folder


def run(*arguments):
    return subprocess.run([WORKER, *map(str, arguments)], capture_output=True, text=True)


def passes(folder):
    done = run("test", folder)
    assert done.returncode == 0, done.stdout + done.stderr


def case_of(name, fragment, expect):
    """A cell is a case, or the ticket of one; what it expects is expected at its end."""
    given = yaml.load(fragment, Loader=yaml.BaseLoader)
    case = given if set(given) & CASE_KEYS else {"ticket": yaml.safe_load(fragment)}
    if "ticket" not in case:
        case["ticket"] = {}
    case["ticket"] = {"title": "Noise", "problem": "On one phone.", **case["ticket"]}
    case = {"case": name, **case}
    (case["steps"][-1] if case.get("steps") else case)["expect"] = expect
    return case


@pytest.mark.parametrize("name", ["Conditions", "Fields"])
def test_each_condition_holds_for_the_one_and_not_for_the_other(tmp_path, name):
    rules, cases = [], []
    for i, (_, condition, yes, no) in enumerate(rows(section(name))):
        condition, tag = codes(condition)[0], f"r{i}"
        rules.append(f"- {{rule: {tag}, on: {ON}, when: {condition}, then: {{tag: {tag}}}}}\n")
        cases.append(case_of(f"{tag} {condition} holds", codes(yes)[0], {"tags": [tag]}))
        cases += [case_of(f"{tag} {condition} does not", codes(no)[0], {"without_tags": [tag]})] if no else []
    assert len(cases) > 20
    passes(make(tmp_path, "".join(rules) + LAST.replace("3}", "3, tag: blue}"), cases))


def test_each_action_does_what_it_says(tmp_path):
    for i, (action, _, example, result) in enumerate(rows(section("Actions"))):
        rules = f"- {{rule: a, then: {codes(example)[0]}}}\n- {{rule: b, when: {{field: title, is: x}}, then: {{kind: b}}}}\n" + LAST
        expect = yaml.load(codes(result)[0], Loader=yaml.BaseLoader)
        expect["priority"] = int(expect["priority"]) if "priority" in expect else 3
        if "attributes" in expect:
            expect["attributes"] = yaml.safe_load(codes(result)[0])["attributes"]
        passes(make(tmp_path / str(i), rules, [case_of(action, "{package: gold, at: 2026-03-02T09:00:00Z}", expect)]))


def test_whole_examples_pass_their_cases_without_a_warning(tmp_path):
    found = re.findall(r"```yaml\n(.*?)```\n```cases\n(.*?)```", PAGE, re.S)
    assert len(found) == PAGE.count("```yaml") >= 3
    for i, (rules, cases) in enumerate(found):
        folder = make(tmp_path / str(i), rules)
        (folder / "tests").mkdir()
        (folder / "tests/cases.yaml").write_text(cases)
        passes(folder)
        assert "rules/" not in run("check", folder).stderr


def test_each_duration_is_due_when_it_says(tmp_path):
    for i, (form, _, due) in enumerate(row for row in rows(section("Times")) if len(row) == 3):
        cases = [case_of(form, "{package: standard, at: 2026-03-02T09:00:00Z}", {"response": {"due": codes(due)[0]}})]
        process = FILES["process.yaml"] + f"targets: {{3: {{response: {codes(form)[0]}}}}}\n"
        passes(make(tmp_path / str(i), LAST, cases, **{"process.yaml": process}))


def test_each_calendar_is_open_when_it_says(tmp_path):
    found = [row for row in rows(section("Times")) if len(row) == 5]
    assert len(found) > 8
    for i, (_, calendar, start, work, due) in enumerate(found):
        file = tmp_path / "calendars.yaml"
        file.write_text(f"c: {codes(calendar)[0]}\n")
        seconds = int(work[:-1]) * {"s": 1, "m": 60, "h": 3600}[work[-1]]
        question = json.dumps({"cal": "c", "start": start, "work_seconds": seconds})
        done = subprocess.run([WORKER, "due", "--calendars", file, "--batch"], input=question + "\n", capture_output=True, text=True)
        assert json.loads(done.stdout or "{}") == {"due": due}, (calendar, done.stderr)


def test_the_commands_print_what_they_print(tmp_path):
    for name, text in re.findall(r"```file (\S+)\n(.*?)```", PAGE, re.S):
        (tmp_path / name).write_text(text)
    found = re.findall(r"^\$ (.*)\n(.*)\n", "".join(re.findall(r"```console\n(.*?)```", PAGE, re.S)), re.M)
    assert len(found) == 4
    for command, printed in found:
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"})
        assert done.stdout == printed + "\n", (command, done.stderr)


@pytest.mark.parametrize("name, status", [("What is refused", 1), ("What is warned of", 0)])
def test_each_fault_and_warning_is_told_as_written(tmp_path, name, status):
    for i, (rules, told) in enumerate(rows(section(name))):
        done = run("check", make(tmp_path / str(i), "".join(rule + "\n" for rule in codes(rules)) + LAST))
        assert done.returncode == status and f"rules/10.yaml:{codes(told)[0]}" in done.stderr, (rules, done.stderr)


def test_the_page_names_the_whole_language():
    """The tables of the source, row by row, against the page's first columns."""
    names = {name: " ".join(row[0] for row in rows(section(name))) for name in ("Conditions", "Fields", "Actions")}
    conds, fields, rules = ((ROOT / "common" / file).read_text() for file in ("process_conds.c", "process_fields.c", "process_rules.c"))
    tests = re.search(r"test_names\[RULE_TESTS\] = \{(.*?)\}", conds, re.S)[1]
    of_fields = re.search(r"field_row rows\[\] = \{\n(.*?)^\};", fields, re.S | re.M)[1]
    actions = re.search(r"\} actions\[\] = \{(.*?)^\};", rules, re.S | re.M)[1]
    for where, found in (("Conditions", re.findall(r'"([a-z.]+)"', tests)), ("Fields", re.findall(r'\{"([a-z._]+)"', of_fields)),
                         ("Actions", re.findall(r'\{"([a-z_]+)"', actions))):
        assert len(found) > 10
        for name in found:
            assert f"`{name}`" in names[where], (where, name)
