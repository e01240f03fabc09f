"""The shipped templates: both languages whole, every kind rendered with hostile texts, faults told with their line."""

import json
import re
import shutil
import subprocess

import pytest
import yaml
from helpers import ADA, BIN, ROOT, ticket_of, wait_until
from test_links import link_in, link_to, mails_to, press

TEMPLATES = ROOT / "deploy/process/templates"
TAG = re.compile(r"\{\{\{?\s*([#^/&>]?)\s*([\w.]+)\s*\}?\}\}")
HOSTILE = ["x\r\nBcc: victim@localhost\r\n\r\nboo", "<script>alert(1)</script>", "{{tracking}} {{> foot}} {{{x}}}", "\u202egnp.exe\u2066", "a" * 65536,
           "\x1b[31mred\x07", "'; DROP TABLE tickets; --", "ﷺ\U0001f4a9\u0000"[:-1], "=?utf-8?q?x?="]


def tags(path):
    return sorted(TAG.findall(path.read_text()))


@pytest.mark.parametrize("name", sorted(path.name for path in (TEMPLATES / "en").glob("*.*")))
def test_each_template_says_the_same_in_every_language(name):
    for locale in TEMPLATES.iterdir():
        other = locale / name
        assert other.exists(), f"{locale.name}/{name} is not translated"
        if name == "words.txt":
            keys = [re.findall(r"^([a-z_0-9]+):", path.read_text(), re.M) for path in (TEMPLATES / "en" / name, other)]
            # What process.yaml says in its own language is said in each other one as well.
            process = yaml.safe_load((ROOT / "deploy/process/process.yaml").read_text())
            said = [f"question_{name}" for name in process["questions"]] + [f"priority_{n}" for n in process["priorities"]]
            assert keys[1] == keys[0] + (said if locale.name != "en" else [])
        elif name.endswith(".txt") and name != "digest.txt":  # plurals differ
            assert set(tags(other)) == set(tags(TEMPLATES / "en" / name)), f"{locale.name}/{name}"


def render(tmp_path, kind, facts, *options):
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(facts))
    return subprocess.run([str(BIN / "docket-notifier"), "render", kind, "--ticket", str(file), *options], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def test_facts_that_are_no_json_are_told_with_their_place(tmp_path):
    file = tmp_path / "facts.json"
    for text, told in (('{"title": "x",\n "priority": 2,}\n', "2:16: not JSON: string or '}' expected near '}'"),
                       ('{"title": "x"\n', "1:13: not JSON: '}' expected near end of file"), ("[]\n", "1:1: want a map of facts")):
        file.write_text(text)
        done = subprocess.run([BIN / "docket-notifier", "render", "received", "--ticket", file], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (1, f"docket-notifier: {file}:{told}\n")
    done = subprocess.run([BIN / "docket-notifier", "render", "received", "--ticket", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"docket-notifier: {tmp_path}: cannot be read: Is a directory\n")


def facts_of(text, locale):
    body = {key: text if key in ("text", "proposal") else text[:1000] for key in ("text", "reason", "vendor", "proposal", "by", "address", "reply", "about", "channel", "told")}
    return {"tracking": "DKT-4Q7K-M2P9-ZX3A-H", "title": text[:200], "customer": text[:60], "name": text[:60], "state": "triaged", "priority": 2,
            "alert": text[:200], "locale": locale, "body": body | {"questions": [text[:100]], "missing": ["equipment"], "priority": 2},
            "members": [{"id": 1, "title": text[:200], "kind": "update", "priority": 1}] * 12, "posted_at": "2026-03-29T00:30:00Z", "zone": "Europe/Berlin"}


KINDS = ["received", "received_triaged", "receipts", "triaged", "asked", "update", "waiting", "cannot_resolve", "approval_asked", "closed", "reopened", "meeting", "tell",
         "alert", "alert_over", "alert_reminder", "missed", "warning", "task", "undelivered", "digest", "mute_ended", "inhibited", "alerts", "endpoint_disabled", "generic"]
SUMMARIES = {"digest", "receipts", "alerts"}
OF_NO_TICKET = SUMMARIES | {"mute_ended", "endpoint_disabled"}
PROMISES = [{"clock": "response", "due_at": 1774746000000000, "promise_s": 300, "working": False},
            {"clock": "update", "due_at": 1774749600000000, "starts_at": 1774748000000000, "promise_s": 1800, "working": True}]
RICH = {"tracking": "DKT-4Q7K-M2P9-ZX3A-H", "title": "Trunk 17", "customer": "acme", "name": "Kim Novak", "assignee": "ada", "state": "in_progress", "priority": 1,
        "posted_at": "2026-03-29T00:30:00Z", "zone": "Europe/Berlin", "link": "https://s.example/l/AbC", "code": "abc123", "by_mail": True, "attachments": 2, "inhibited": 3,
        "problem": "Since 02:40.", "contact": {"name": "Zo\u00eb", "phone": "+43 1 555", "email": "zoe@acme.example", "xmpp": "zoe@x.example"}, "alert_priority": 1}
POOR = {"tracking": "DKT-4Q7K-M2P9-ZX3A-H", "title": "Trunk 17", "customer": "acme", "state": "new", "posted_at": "2026-03-29T00:30:00Z"}
# What a body has always, and what it may have.
BODIES = {"received": ({}, {"missing": ["equipment", "configuration"]}), "asked": ({"questions": [{"name": "q", "text": "Q one?"}]}, {"text": "W one."}),
          "triaged": ({"priority": 2, "promises": []}, {"priority_name": "P two", "asks": True, "promises": PROMISES}),
          "update": ({"text": "W one.\nW two."}, {"by": "ada"}), "waiting": ({"on": "vendor", "reason": "W one."}, {"vendor": "Telco", "proposal": "W two."}),
          "cannot_resolve": ({"reason": "W one.", "proposal": "W two."}, {}), "approval_asked": ({"text": "W one."}, {"reminder": 2}),
          "closed": ({"close_reason": "solved"}, {"approved": True, "reason": "solved", "text": "W one."}), "reopened": ({}, {"reason": "W one."}),
          "meeting": ({"meeting": {"id": 1, "what": "made", "medium": "im", "starts_at": 1774746000000000, "ends_at": 1774749600000000}}, {"reason": "W one."}),
          "tell": ({"text": "W one."}, {}), "alert": ({"id": 7, "level": 1, "told": "Ada (xmpp)", "told_to": [{"name": "Ada", "channel": "xmpp"}]}, {"again": 1, "opened_again": True, "last_resort": True, "acked_by": "ada"}),
          "alert_over": ({"id": 7}, {"acked_by": "ada"}), "alert_reminder": ({"id": 7}, {"acked_by": "ada"}),
          "missed": ({"clock": "response", "percent": 100, "due_at": 1774746000000000}, {}), "warning": ({"clock": "response", "percent": 80, "due_at": 1774746000000000}, {}),
          "undelivered": ({"delivery": 12, "channel": "xmpp", "address": "kim@acme.example", "about": "update"}, {"reply": "R one"}),
          "endpoint_disabled": ({"address": "https://h.example/x"}, {"reply": "R one"}), "mute_ended": ({"text": "W one.", "id": 3, "by": "ada", "by_staff": True, "reason": "W two.", "count": 1, "messages": 0}, {"ended_by": "ben"}), "generic": ({}, {"text": "W one."})}
MEMBERS = [{"id": 5, "title": "Trunk 17", "kind": "alert", "priority": 1, "alert": "Priority 1: Trunk 17", "cause": "p1:DKT-1", "link": "https://s.example/l/x1"},
           {"id": 6, "title": "E", "kind": "waiting", "priority": 3, "body": {"reason": "W one.", "proposal": "W two."}, "link": "https://s.example/l/x2"},
           {"id": 7, "title": "U", "kind": "update", "body": {"text": "W one."}}, {"id": 8, "title": "Q", "kind": "asked", "body": {"questions": ["Q one?"]}}]


def message_of(kind, locale, rich):
    facts = dict(RICH if rich else POOR, locale=locale)
    always, may = BODIES.get(kind, ({}, {}))
    facts["body"] = always | may if rich else always
    if kind.startswith("alert") or kind == "inhibited":
        facts |= {"alert": "Priority 1: Trunk 17", "alert_cause": "p1:DKT-1"}
    if kind == "received_triaged":
        facts |= {"body": BODIES["received"][rich], "triaged": BODIES["triaged"][0] | (BODIES["triaged"][1] if rich else {})}
    if rich and kind in ("received_triaged", "triaged"):
        facts["asked"] = {"questions": [{"name": "equipment", "text": "Q one?"}]}
    if kind in SUMMARIES:
        facts["members"] = MEMBERS if rich else MEMBERS[:1]
    return facts | ({"tracking": None, "title": None} if kind in OF_NO_TICKET else {})


# What reads as if a name had been missing, or a blank too many written.
ODD = re.compile(r"\n\n\n|[ \t]$|  |\(\)| [,.:;]|[,:] *[,.:;]|,\)|\{\{|\}\}|^[ \t]", re.M)
ENGLISH = re.compile(r"\b(the|is|of|your|clock|due|percent|and|level|answer|Ticket|Customer|email|xmpp)\b")


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("rich", [True, False], ids=["rich", "poor"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_message_reads_well_with_all_there_is_and_with_next_to_nothing(tmp_path, kind, rich, locale):
    for suffix in ("txt", "im", "sms", "speech"):
        if kind == "alerts" and suffix in ("txt", "im"):
            continue  # only calls and text messages are joined so
        done = render(tmp_path, kind, message_of(kind, locale, rich), "--suffix", suffix)
        assert done.returncode == 0, done.stderr
        head, _, text = done.stdout.partition("\n\n")
        assert text.endswith("\n") or suffix in ("sms", "speech"), text
        assert not text.startswith("\n") and not text.endswith("\n\n") and not ODD.search(text), (ODD.search(text), done.stdout)
        assert not ODD.search(head) and not head.endswith(":"), head
        assert text.count("Trunk 17") <= 1 + (kind in ("digest", "warning", "missed")), text
        if locale == "de":
            assert not ENGLISH.search(re.sub(r"docket [a-z ]+\w*|\u201eack( take)?\u201c|--take", "", head + "\n" + text)), (ENGLISH.search(text), done.stdout)


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text_in_every_kind(tmp_path, locale, text):
    # JSON facts cannot carry a NUL, and the protocol refuses it.
    for kind in ("received", "update", "waiting", "cannot_resolve", "approval_asked", "closed", "asked", "undelivered", "alert", "digest", "receipts"):
        done = render(tmp_path, kind, facts_of(text, locale))
        assert done.returncode == 0, done.stderr
        head = done.stdout.partition("\n")[0]
        assert head.startswith("Subject: ") and not re.search(r"[\x00-\x1f\x7f]", head)
        html = render(tmp_path, kind, facts_of(text, locale), "--html").stdout
        assert "<script>" not in html and (kind != "update" or len(text) < 60000 or text in done.stdout)


def test_dates_are_of_the_readers_zone_with_its_offset(tmp_path):
    facts = facts_of("x", "de-AT")
    assert "2026-03-29 01:30 +01:00" in render(tmp_path, "received", facts).stdout
    facts["posted_at"] = "2026-03-29T01:30:00Z"
    assert "2026-03-29 03:30 +02:00" in render(tmp_path, "received", facts).stdout
    assert "2026-03-29 01:30 UTC" in render(tmp_path, "received", facts | {"zone": "Mars/Base"}).stdout


def test_questions_and_priorities_are_told_in_the_reader_s_language(tmp_path):
    asked = {"body": {"questions": [{"name": "equipment", "text": "Which one?"}, {"name": "ours", "text": "And ours?"}, "A text alone"]}}
    told = [render(tmp_path, "asked", facts_of("x", locale) | asked).stdout for locale in ("en", "de")]
    assert "- Which one?\n- And ours?\n- A text alone\n" in told[0]
    assert re.search(r"^- Um welches Gerät geht es.*\n- And ours\?\n- A text alone$", told[1], re.M)
    assert "please tell us:\n\n- Which" in told[0] and "sagen Sie uns bitte:\n\n- Um welches" in told[1]
    triaged = {"body": {"priority": 2, "priority_name": "Network severely degraded", "promises": []}}
    assert "priority 2 (Network severely degraded)" in render(tmp_path, "triaged", facts_of("x", "en") | triaged).stdout
    assert "Priorität 2 (Netz stark gestört)" in render(tmp_path, "triaged", facts_of("x", "de") | triaged).stdout
    assert "Priorität 7 (odd)" in render(tmp_path, "triaged", facts_of("x", "de") | {"body": {"priority": 7, "priority_name": "odd"}}).stdout


@pytest.mark.parametrize("locale,words", [("en", "does not tell us yet"), ("de", "nennt uns noch nicht")])
def test_a_receipt_names_what_is_missing_unless_it_is_asked_for(tmp_path, locale, words):
    facts = facts_of("x", locale) | {"alert": None, "triaged": {"priority": 3, "promises": [], "asks": False}}
    assert words in render(tmp_path, "received", facts).stdout
    facts["triaged"]["asks"] = True
    assert words not in render(tmp_path, "received", facts).stdout, "questions follow in a message of their own"
    facts["asked"] = {"questions": [{"name": "configuration", "text": "How?"}]}
    text = render(tmp_path, "received", facts).stdout
    assert words in text and text.count("\n- ") == 2, text
    facts["asked"]["questions"].append({"name": "equipment", "text": "Which?"})
    text = render(tmp_path, "received", facts).stdout
    assert words not in text and text.count("\n- ") == 2, text


def test_a_summary_says_what_was_said_and_calls_each_kind_by_its_name(tmp_path):
    members = [{"id": 1, "title": "T", "kind": "update", "body": {"text": "First look.\nAnd more."}}, {"id": 1, "title": "T", "kind": "closed", "body": {"reason": "duplicate"}},
               {"id": 1, "title": "T", "kind": "waiting", "body": {"reason": "Theirs.", "proposal": "We wait."}}, {"id": 2, "title": "U", "kind": "reopened"}]
    told = [render(tmp_path, "digest", {"locale": locale, "members": members}).stdout for locale in ("en", "de")]
    for text, words in zip(told, (("news: T", "on the same", "Proposal: We wait."), ("Neuigkeiten: T", "unter einer anderen Nummer", "Vorschlag: We wait."))):
        assert "First look.\nAnd more.\n\n* " in text and "Theirs." in text and all(word in text for word in words), text


def test_an_alert_is_called_by_its_cause_in_the_reader_s_language(tmp_path):
    for cause, stored, said in (("p1:DKT-1", "Priority 1: Down: all", "Priorität 1: Down: all"), ("p2:DKT-1", "p2: Slow", "Priorität 2: Slow"),
                                ("missed:DKT-1:response:1", "Missed response, priority 2: Slow", "Erste Reaktion versäumt: Slow"),
                                ("ours:DKT-1", "ours: Slow", "ours: Slow"), ("workers", "No worker is here: start one", "No worker is here: start one")):
        facts = facts_of("x", "de") | {"title": stored.partition(": ")[2], "alert": stored, "alert_cause": cause, "alert_priority": int(cause[1]) if cause[1].isdigit() else 2}
        text = render(tmp_path, "alert", facts).stdout
        assert f"\n{said}\n" in text, text
        assert len(re.findall(r"P2|Priorit.. 2", render(tmp_path, "alert", facts, "--suffix", "im").stdout.partition("\n\n")[2])) == (cause[:2] != "p1"), cause
        digest = render(tmp_path, "digest", facts | {"members": [{"id": 1, "kind": "alert", "alert": stored, "cause": cause}]}).stdout
        assert f": {said}\n" in digest, digest


def test_the_desk_is_told_what_to_do_about_an_approval_that_does_not_come(tmp_path):
    for locale, words in (("en", "has not approved yet"), ("de", "noch nicht zugestimmt")):
        facts = facts_of("x", locale) | {"contact": {"phone": "+43 1 555"}, "body": {"what": "approval", "times": 3}, "problem": "No tone"}
        text = render(tmp_path, "task", facts).stdout
        assert words in text and "+43 1 555" in text, text


def test_one_message_is_one_and_more_are_many(tmp_path):
    facts = facts_of("x", "en")
    assert "Summary of 12 messages" in render(tmp_path, "digest", facts).stdout and "and 2 more" in render(tmp_path, "digest", facts).stdout
    assert "Summary of 1 message\n" in render(tmp_path, "digest", facts | {"members": facts["members"][:1]}).stdout


def test_one_alert_that_is_held_back_is_one_and_more_are_many(tmp_path):
    for locale, one, many in (("en", "1 alert of another ticket is held back", "7 alerts of other tickets are held back"),
                              ("de", "1 Alarm eines anderen Vorgangs wird", "7 Alarme anderer Vorgänge werden")):
        for count, want in ((1, one), (7, many)):
            facts = facts_of("x", locale) | {"inhibited": count}
            assert want in render(tmp_path, "alert", facts).stdout and want in render(tmp_path, "inhibited", facts).stdout


def test_plurals_are_those_of_the_locale(tmp_path):
    process = tmp_path / "process"
    shutil.copytree(ROOT / "deploy/process", process)
    (process / "templates/pl").mkdir()
    (process / "templates/pl/alert.txt").write_text("Subject: x\n\n{{inhibited}} {{#inhibited_is}}{{#one}}alarm{{/one}}{{#few}}alarmy{{/few}}{{#many}}alarmów{{/many}}{{/inhibited_is}}\n")
    for count, word in ((1, "alarm"), (3, "alarmy"), (5, "alarmów"), (12, "alarmów"), (22, "alarmy")):
        done = render(tmp_path, "alert", facts_of("x", "pl-PL") | {"inhibited": count}, "--process", str(process))
        assert f"{count} {word}\n" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["alert", "alert_reminder", "alert_over"])
def test_what_is_said_of_an_alert_has_words_of_its_own_for_chat_voice_and_text_message(tmp_path, kind):
    for locale in ("en", "de", "de-AT"):
        facts = facts_of("x", locale) | {"title": "Trunk 17 is down", "alert": "P1 opened", "alert_priority": 1, "code": "abc123", "body": {"id": 7, "level": 1}}
        for suffix, limit in (("im", 2000), ("speech", 300), ("sms", 459)):
            text = render(tmp_path, kind, facts, "--suffix", suffix).stdout.partition("\n\n")[2]
            assert 0 < len(text) <= limit and "docket" not in text and "\u2026" not in text, text
            assert suffix != "speech" or "1 7" in text
            assert suffix != "im" or kind == "alert_over" or "ack 7 abc123" in text
        facts["alert"] = "Priority 1: Trunk 17 is down"
        for suffix in ("speech", "sms"):
            text = render(tmp_path, kind, facts, "--suffix", suffix).stdout.partition("\n\n")[2]
            assert len(re.findall(r"\bP1\b|Priorit(?:y|ät) 1", text)) == 1, text


def test_a_preview_is_what_the_channel_sends(tmp_path):
    spoken = render(tmp_path, "alert", facts_of("trunk 4711 " * 30, "en"), "--suffix", "speech").stdout.partition("\n\n")[2]
    assert len(spoken) <= 300 and "4 7 1 1" in spoken and "4711" not in spoken
    assert len(render(tmp_path, "update", facts_of("é" * 5000, "de"), "--suffix", "im").stdout.partition("\n\n")[2]) <= 2000
    page = render(tmp_path, "alert", facts_of("x", "en") | {"code": "abc123", "by_mail": True, "body": {"id": 7, "level": 1}}, "--suffix", "im").stdout
    assert "ack 7 abc123" in page
    done = render(tmp_path, "recieved", facts_of("x", "en"))
    assert done.returncode == 1 and "recieved" in done.stderr


def test_a_fault_in_a_template_is_told_with_its_line(tmp_path):
    process = tmp_path / "process"
    shutil.copytree(ROOT / "deploy/process", process)
    (process / "templates/en/update.txt").write_text("Subject: x\n\n{{title}}\n{{secret_note}}\n{{title}} {{titel}}, {{bdy.text}}\n")
    (process / "templates/de/closed.txt").write_text("Subject: x\n{{#title}}\n")
    (process / "templates/de/asked.txt").write_text("no subject\n")
    (process / "templates/de/alert.im").write_text("{{alert}}\n")
    (process / "templates/en/alert.speech").write_text("{{alert}}\n")
    (process / "templates/de/waiting.txt").write_text("Subject: x\n\n{{> nowhere}}\n")
    (process / "templates/de/words.txt").write_text("new: neu\nnothing here\n")
    (process / "templates/en/update.exe").write_text("x")
    (process / "templates/de/page_approve.html").write_text("{{> page_head}}\n{{#result}}{{#approved}}{{at}}{{/approved}}\n{{paid}}{{/result}}\n")
    (process / "templates/de/page_agree.html").write_text("{{> page_head}}\n\n{{assigned}}\n\n\n\n\n\n{{> page_foot}}\n")
    (process / "templates/de/page_foot.html").unlink()
    (process / "templates/de/page_nothing.html").write_text("{{> page_head}}\n{{#result}}\n")
    (process / "templates/en/page_foot.html").write_text("{{secret_note}}\n")
    (process / "templates/en/page_aprove.html").write_text("x")
    done = subprocess.run([str(BIN / "docket-notifier"), "check", str(process)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    for line in ('templates/en/update.txt:4:1: unknown variable "secret_note"', 'templates/en/update.txt:5:11: unknown variable "titel"', 'templates/en/update.txt:5:22: unknown variable "bdy.text"', "templates/de/closed.txt:2:1: section title is not closed",
                 "templates/de/asked.txt:1:1: the first line is no",
                 "templates/de/alert.im:1:1: the first line is no", "templates/en/alert.speech:1:1: the first line is no", "templates/de/waiting.txt:3:1: there is no partial nowhere",
                 "templates/de/words.txt:2:1: want a line", "templates/en/update.exe: ends with .exe",
                 'templates/de/page_approve.html:3:1: unknown variable "paid"', 'templates/de/page_agree.html:3:1: unknown variable "assigned"',
                 "templates/de/page_nothing.html:2:1: section result is not closed", "templates/en/page_aprove.html: is no page there is",
                 'templates/de/page_agree.html:9:1: partial page_foot, line 1, column 1: unknown variable "secret_note"'):
        assert line in done.stderr, done.stderr


def endless(process, name="en/approval_asked"):
    """A template that is right as far as anybody can tell before a message, and fails with each: its text passes the limit."""
    (process / "templates/en/wide.txt").write_text("{{title}}" * 7000)
    (process / f"templates/{name}.txt").write_text("Subject: x\n\n" + "{{> wide}}" * 20 + "\n")


def test_a_template_that_fails_at_last_gives_way_to_plain_words_and_ops_are_told(tmp_path, stack, client):
    process = tmp_path / "process"
    shutil.copytree(stack.home / "h/etc/process", process)
    endless(process)
    used = stack.log("notifier-1").count("event=process_used")
    done = stack.docket("process", "apply", str(process))
    assert done.returncode == 0, done.stderr
    wait_until(lambda: stack.log("notifier-1").count("event=process_used") > used)
    address = f"p{tmp_path.name.replace('_', '-')}@localhost"
    tracking = client.submit(title="Echo " * 20, contact={"email": address})
    client.decided(tracking)
    client.call("ticket.resolve", tracking=tracking, text="It was the cable.", as_=ADA)
    try:
        link = link_to(stack, address)
        mail = [mail for mail in mails_to(stack, address) if link_in(mail)][0].get_body(("plain",)).get_content()
        assert tracking in mail and "It was the cable." in mail
        alert, = wait_until(lambda: [a for a in client.call("alert.list", kind="ops")["alerts"] if a["cause"] == "template:approval_asked"])
        assert "than" in alert["text"] and "apply the process" in alert["text"]
        assert press(link, do="approve")[0] == 200 and ticket_of(client.show(tracking))["state"] == "closed"
    finally:
        assert stack.docket("process", "apply", str(stack.home / "h/etc/process")).returncode == 0
    wait_until(lambda: client.call("alert.show", alert=alert["alert"])["alert"]["state"] == "resolved")


def test_a_template_that_nothing_reads_is_told(tmp_path):
    process = tmp_path / "process"
    shutil.copytree(ROOT / "deploy/process", process)
    (process / "templates/en/recieved.txt").write_text("Subject: x\n\nx\n")
    (process / "templates/en/feet.txt").write_text("used\n")
    (process / "templates/en/update.txt").write_text("Subject: x\n\n{{> feet }}\n{{> foot}}\n")
    done = subprocess.run([str(BIN / "docket-notifier"), "check", str(process)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    told = [line for line in done.stderr.splitlines() + done.stdout.splitlines() if "templates/" in line]
    assert done.returncode == 0 and len(told) == 1 and told[0].startswith("warning: templates/en/recieved.txt: is no message"), told


def test_the_docs_list_the_names_there_are():
    names = subprocess.run([BIN / "docket-notifier", "--print-template-names"], capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs/templates.md").read_text().endswith(names), "run `make docs`"


def test_what_a_rule_tells_is_in_the_language_of_who_reads_it_wherever_it_stands(tmp_path):
    body = {"text": "We are at it.", "texts": {"en": "We are at it.", "de": "Wir sind dran.", "fr": "On y est."}}
    for locale, desk, said in (("en", "de", "We are at it."), ("de", "fr", "Wir sind dran."), ("de-AT", "fr", "Wir sind dran."), ("nl", "fr-CH", "On y est."),
                               ("nl", "", "We are at it.")):
        for kind, facts in (("tell", {"body": body}), ("update", {"body": {"text": "Done."}, "earlier": [body]}), ("generic", {"body": body}),
                            ("digest", {"members": [{"id": 1, "kind": "tell", "title": "T", "body": body}]})):
            done = render(tmp_path, kind, {"locale": locale, "desk_locale": desk, "tracking": "DKT-4Q7K-M2P9-ZX3A-H"} | facts)
            assert sum(done.stdout.count(words) for words in body["texts"].values()) == done.stdout.count(said) == 1, (kind, locale, done.stdout, done.stderr)

    # So are the plain words that stand in for a template that fails.
    process = tmp_path / "process"
    shutil.copytree(ROOT / "deploy/process", process)
    endless(process, "de/tell")
    done = render(tmp_path, "tell", {"locale": "de", "title": "Echo " * 20, "tracking": "DKT-4Q7K-M2P9-ZX3A-H", "body": body}, "--process", str(process))
    assert "This is about: tell." in done.stdout and "Wir sind dran." in done.stdout and "We are" not in done.stdout, done.stdout
