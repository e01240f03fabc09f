"""Every kind of mail, in each language, as it leaves: what docket-notifier render shows of the same facts, in valid HTML, with the headers that mail
programs and other automata go by."""

import email
import email.policy
import html.parser
import json
import re
import subprocess

import msgpack
import pytest
from helpers import ADA, BIN, Stack, id_of, wait_until
from test_joined import applied
from test_languages import STAFF
from test_templates import BODIES, KINDS

READERS = {"customer": {"en": "kim@localhost", "de": "zoe@localhost"}, "staff": {"en": "ben@localhost", "de": "ada@localhost"}}
ZONES = {"kim@localhost": "Europe/London", "zoe@localhost": "Europe/Berlin", "ben@localhost": "America/New_York", "ada@localhost": "Europe/Vienna"}
NAMES = {"kim@localhost": "Kim", "zoe@localhost": "Zoë", "ben@localhost": "Ben", "ada@localhost": "Ada Lovelace"}
STAFF_KINDS = {"alert", "alert_over", "alert_reminder", "missed", "warning", "task", "undelivered", "mute_ended", "inhibited", "endpoint_disabled"}
ALERT_KINDS = {"alert", "alert_over", "alert_reminder", "inhibited"}
OF_NO_TICKET = {"mute_ended", "endpoint_disabled"}
# received_triaged is a receipt; summaries have tests of their own (test_joined, test_outbox); alerts are calls; generic is for what has no template.
SENT = [kind for kind in KINDS if kind not in ("received_triaged", "receipts", "digest", "alerts", "generic")]
VOID = {"br", "meta", "link", "img", "hr", "input"}


class Tree(html.parser.HTMLParser):
    """Refuses what is not closed, or closed in another order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=False)
        self.open, self.seen, self.links = [], [], []
        self.feed(text)
        self.close()
        assert self.open == [], ("not closed", self.open)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_entityref(self, name):
        assert name in ("amp", "lt", "gt", "quot", "nbsp"), name

    def handle_data(self, data):
        assert "<" not in data and "&" not in data, data


@pytest.fixture(scope="module")
def desk():
    running = Stack()
    process = running.home / "h/etc/process"
    (process / "staff.yaml").write_text(STAFF)
    (process / "notify.yaml").write_text("limits:\n  customer: {minute: 1000, hour: 1000}\n  staff: {minute: 1000, hour: 1000}\n  ticket: {ten_minutes: 1000, hour: 1000}\n")
    applied(running, process)
    yield running
    running.close()


@pytest.fixture(scope="module")
def sent(desk):
    """{(audience, locale): {kind: (mail, body, facts)}} of one ticket in each language."""
    client, all_of = desk.client(), {}
    for locale in ("en", "de"):
        customer, contact = f"rendered-{locale}", READERS["customer"][locale]
        client.call("customer.put", customer={"id": customer, "name": "C", "package": "standard", "locale": locale, "zone": ZONES[contact],
                                              "contacts": [{"name": NAMES[contact], "email": contact}]}, as_=ADA)
        tracking = client.submit(customer=customer, title="Echo & <b>rauscht</b>", problem="On one phone, since noon it is, and nobody knows why.\n  a  <b>", impact="down")
        client.decided(tracking)
        ticket = id_of(tracking)
        wait_until(lambda: desk.value("SELECT count(*) FROM deliveries WHERE ticket = %s AND state IN (3, 7)", ticket) >= 1)
        alert = wait_until(lambda: desk.value("SELECT min(id) FROM alerts WHERE ticket = %s", ticket))
        for audience in ("customer", "staff"):
            all_of[audience, locale] = insert(desk, ticket, alert, audience, READERS[audience][locale])
            facts = facts_of(desk, tracking, ticket, alert, audience, locale)
            for one in all_of[audience, locale].values():
                one["facts"] = facts
    client.close()
    return all_of


def insert(desk, ticket, alert, audience, address):
    """Each kind for one reader, as the outbox would have it."""
    kinds = [kind for kind in SENT if (kind in STAFF_KINDS) == (audience == "staff")] + (["tell"] if audience == "staff" else [])
    rows = {}
    with desk.db() as db:
        for n, kind in enumerate(kinds):
            always, may = BODIES.get(kind, ({}, {}))
            body, number = always | may, 0 if kind in OF_NO_TICKET else ticket
            of_alert = alert if kind in ALERT_KINDS else None
            key = (number, 1000 + n, ticket % 1000, {"customer": 1, "staff": 2}[audience], kind)
            db.execute("INSERT INTO outbox (ticket, version, generation, audience, kind, created_at, state, body, alert) VALUES (%s, %s, %s, %s, %s, docket_now(), 2, %s, %s)",
                       (*key, msgpack.packb(body), of_alert))
            rows[kind] = {"body": body, "id": db.execute(
                "INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address, alert) "
                "VALUES (%s, %s, %s, %s, %s, docket_now(), docket_now(), 'email', %s, %s, %s) RETURNING id",
                (*key, NAMES[address] if audience == "customer" else address.partition("@")[0], address, of_alert)).fetchone()[0]}
            if n == 0:  # what alerts do not wait for is the first of the thread
                delivered(desk, rows)
    delivered(desk, rows)
    found = {mail["Message-ID"]: mail for mail in (email.message_from_string(text, policy=email.policy.default) for text in desk.mails())}
    for row in rows.values():
        row["mail"] = next(mail for key, mail in found.items() if key.startswith(f"<n.{row['id']}@"))
    return rows


def delivered(desk, rows):
    ids = [row["id"] for row in rows.values()]
    wait_until(lambda: desk.value("SELECT count(*) FROM deliveries WHERE id = ANY (%s) AND state = 3", ids) == len(ids), 30)


def facts_of(desk, tracking, ticket, alert, audience, locale):
    with desk.db() as db:
        title, problem, posted_at, state, priority, assignee = db.execute(
            "SELECT t.title, t.problem, t.posted_at, d.state, d.priority, d.assignee FROM tickets t JOIN desk d ON d.ticket = t.id WHERE t.id = %s", (ticket,)).fetchone()
        said, cause, urgency = db.execute("SELECT body, cause, priority FROM alerts WHERE id = %s", (alert,)).fetchone()
        joined = {kind: msgpack.unpackb(body) for kind, body in
                  db.execute("SELECT kind, body FROM outbox WHERE ticket = %s AND audience = 1 AND state = 4", (ticket,)).fetchall()}
    address, contact = READERS[audience][locale], READERS["customer"][locale]
    facts = {"tracking": tracking, "title": title, "customer": f"rendered-{locale}", "assignee": assignee or "", "priority": priority, "posted_at": posted_at,
             "state": ["new", "triaged", "in_progress", "waiting_customer", "waiting_vendor", "resolved", "closed", "reopened"][state],
             "name": NAMES[address], "locale": locale, "zone": ZONES[address], "to_staff": audience == "staff"}
    if audience == "staff":
        facts |= {"problem": problem.decode(), "contact": {"name": NAMES[contact], "email": contact}}
    return facts, joined, {"alert": said, "alert_cause": cause, "alert_priority": urgency}


CASES = [("customer", kind, locale) for kind in SENT if kind not in STAFF_KINDS for locale in ("en", "de")] + \
        [("staff", kind, locale) for kind in [*sorted(STAFF_KINDS), "tell"] for locale in ("en", "de")]


@pytest.mark.parametrize("audience,kind,locale", CASES)
def test_a_mail_is_what_render_shows_of_the_same_facts(desk, sent, tmp_path, audience, kind, locale):
    one = sent[audience, locale][kind]
    mail, (facts, joined, of_alert) = one["mail"], one["facts"]
    text, html_part = (mail.get_body((part,)).get_content().replace("\r\n", "\n") for part in ("plain", "html"))
    link = re.search(r"http://\S+/l/\S+", text)
    facts = facts | {"body": one["body"], "by_mail": mail["Reply-To"] is not None} | ({"link": link.group(0)} if link else {})
    facts |= of_alert if kind in ALERT_KINDS else joined if kind == "received" and "triaged" in joined else {}
    if kind in OF_NO_TICKET:
        facts = {key: value for key, value in facts.items() if key in ("name", "locale", "zone", "body", "to_staff")}
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(facts))

    def shown(*options):
        done = subprocess.run([BIN / "docket-notifier", "render", kind, "--ticket", file, "--process", desk.home / "h/etc/process", *options],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0 and not done.stderr, done.stderr
        return done.stdout
    assert f"Subject: {mail['Subject']}\n\n{text}" == shown()
    assert html_part == shown("--html")


@pytest.mark.parametrize("audience,kind,locale", CASES)
def test_both_parts_of_a_mail_say_the_same_in_html_that_is_closed(sent, audience, kind, locale):
    mail = sent[audience, locale][kind]["mail"]
    text, page = (mail.get_body((part,)).get_content().replace("\r\n", "\n") for part in ("plain", "html"))
    tree = Tree(page)
    assert page.startswith("<!DOCTYPE html>") and f'<html lang="{locale}">' in page and not {"script", "img", "b"} & set(tree.seen)
    assert [link for link in tree.links if link not in text] == []
    words = html.unescape(re.sub(r"<[^>]+>", "", page.partition("<body")[2].partition(">")[2].replace("&nbsp;", " ")))
    assert words.split() == text.split()
    assert mail.get_content_type() == "multipart/alternative" and not mail.defects


@pytest.mark.parametrize("audience,kind,locale", CASES)
def test_the_headers_of_a_mail_are_those_that_programs_go_by(sent, audience, kind, locale):
    one = sent[audience, locale][kind]
    mail, (facts, _, _) = one["mail"], one["facts"]
    domain = mail["Message-ID"].partition("@")[2].rstrip(">")
    assert mail["Message-ID"] == f"<n.{one['id']}@{domain}>" and mail["Date"] and mail["From"] and mail["To"].addresses[0].addr_spec == READERS[audience][locale]
    assert mail["Auto-Submitted"] == ("auto-replied" if kind == "received" else "auto-generated") and mail["X-Auto-Response-Suppress"] == "All"
    assert mail["X-Docket-Kind"] == kind and mail["X-Docket-Delivery"]
    assert all(len(mail.get_all(name)) == 1 for name in ("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "X-Docket-Kind"))
    if kind in OF_NO_TICKET:
        assert mail["X-Docket-Ticket"] is None and mail["In-Reply-To"] is None and mail["Reply-To"] is None
        return
    assert mail["X-Docket-Ticket"] == facts["tracking"] and facts["tracking"] in mail["Subject"]
    assert (mail["Reply-To"] is not None) == (audience == "customer" or kind in ALERT_KINDS)
    # One thread: each names the first, whatever was lost between.
    mails = [other["mail"] for other in sent[audience, locale].values() if other["mail"]["X-Docket-Ticket"]]
    roots = {other["References"].split()[0] for other in mails if other["References"]}
    assert len(roots) == 1, roots
    assert mail["Message-ID"] in roots or mail["References"].split()[-1] == mail["In-Reply-To"] and len(mail["References"].split()) <= 2
