"""What one decision tells one reader of one ticket is one mail: its priority, its promises and what it asks, in the receipt where that had not
gone yet; and nothing is asked twice. A process's own templates keep what they say."""

import random
import re

import pytest
from helpers import ADA, Stack, id_of, wait_until
from test_links import link_in, press, visit
from test_mail import mails_to, somebody

QUESTIONS = {"equipment": "Which equipment is involved", "configuration": "How is it configured", "details": "What happens exactly"}
POOR = {"title": "Echo", "problem": "On one phone."}


@pytest.fixture(scope="module")
def desk():
    running = Stack()
    yield running
    running.verify()
    running.close()


@pytest.fixture
def client(desk):
    one = desk.client()
    yield one
    one.close()


def texts(desk, address):
    return {mail["X-Docket-Kind"]: mail.get_body(("plain",)).get_content().replace("\r\n", "\n") for mail in mails_to(desk, address)}


def outbox(desk, tracking):
    with desk.db() as db:
        return dict(db.execute("SELECT kind, state FROM outbox WHERE ticket = %s AND audience = 1", (id_of(tracking),)).fetchall())


def told(desk, client, held, **fields):
    """What a posting's contact reads, with the receipt before the decision (held: worker-1) or after (held: notifier-1)."""
    address = somebody()
    desk.kill(held)
    try:
        tracking = client.submit(**POOR, contact={"email": address}, **fields)
        if held == "worker-1":
            wait_until(lambda: mails_to(desk, address))
        else:
            client.decided(tracking)
    finally:
        desk.up()
    wait_until(lambda: len(outbox(desk, tracking)) == 3 and set(outbox(desk, tracking).values()) <= {2, 4})
    wait_until(lambda: desk.value("SELECT count(*) FROM deliveries WHERE ticket = %s AND state < 2", id_of(tracking)) == 0)
    return tracking, texts(desk, address)


def test_a_decision_that_came_before_the_receipt_went_is_one_mail_with_it(desk, client):
    tracking, mails = told(desk, client, "notifier-1")
    assert list(mails) == ["received"], mails
    text = mails["received"]
    assert "Your tracking number is " + tracking in text and "has priority 3" in text
    assert all(text.count(question) == 1 for question in QUESTIONS.values()), text
    assert "does not tell us yet" not in text and "the equipment concerned" not in text, "not asked twice"
    assert outbox(desk, tracking) == {"received": 2, "triaged": 4, "asked": 4}
    why = desk.docket("notification", "why", tracking).stdout
    assert why.count("in delivery") >= 2, why


def test_what_is_missing_and_not_asked_for_stays_in_the_receipt(desk, client):
    process = desk.home / "h/etc/process"
    rules = process / "rules/40-facts.yaml"
    before = rules.read_text()
    rules.write_text("- rule: only one\n  when: {field: equipment, exists: false}\n  then: {ask: equipment}\n")
    applied(desk, process)
    try:
        _, mails = told(desk, client, "notifier-1")
        text = mails["received"]
        assert "does not tell us yet:\n- the configuration of the equipment\nIf" in text and text.count(QUESTIONS["equipment"]) == 1, text
        assert "the equipment concerned" not in text
    finally:
        rules.write_text(before)
        applied(desk, process)


def test_a_decision_after_the_receipt_is_one_mail_and_the_receipt_asks_nothing(desk, client):
    _, mails = told(desk, client, "worker-1")
    assert sorted(mails) == ["received", "triaged"], mails
    assert "does not tell us yet:\n- the equipment concerned\n- the configuration" in mails["received"]
    assert "please" not in mails["received"].partition("does not tell us yet")[2].partition("You can simply")[0], "that is for the questions"
    assert "has priority 3" in mails["triaged"] and all(mails["triaged"].count(question) == 1 for question in QUESTIONS.values()), mails["triaged"]


def applied(desk, process):
    used = desk.log("notifier-1").count("process_used n=")
    done = desk.docket("process", "apply", str(process), "--comment", f"{random.getrandbits(40):x}")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: desk.log("notifier-1").count("process_used n=") > used)


@pytest.mark.parametrize("own", ["triaged", "received_triaged", "asked"])
def test_own_templates_that_do_not_know_of_questions_lose_none(desk, client, own):
    process = desk.home / "h/etc/process"
    file = process / f"templates/en/{own}.txt"
    before = file.read_text()
    file.write_text("Subject: [{{tracking}}] ours\n\nOur own words.\n" + ("{{#body.questions}}\n* {{.}}\n{{/body.questions}}\n" if own == "asked" else ""))
    applied(desk, process)
    try:
        tracking, mails = told(desk, client, "notifier-1")
        assert sorted(mails) == ["asked", "received"], mails
        assert all(mails["asked"].count(question) == 1 for question in QUESTIONS.values()), mails["asked"]
        assert outbox(desk, tracking) == {"received": 2, "triaged": 4, "asked": 2}
        assert ("Our own words" in mails["asked"]) == (own == "asked") and ("Our own words" in mails["received"]) == (own == "received_triaged")
        _, mails = told(desk, client, "worker-1")
        assert sorted(mails) == ["asked", "received", "triaged"], mails
        assert ("Our own words" in mails["triaged"]) == (own == "triaged")
    finally:
        file.write_text(before)
        applied(desk, process)


def test_own_templates_that_tell_questions_are_used_for_both(desk, client):
    process = desk.home / "h/etc/process/templates/en"
    files = {process / "triaged.txt": "Subject: [{{tracking}}] ours\n\nOur P{{body.priority}}.\n{{> ours}}\n", process / "asked.txt": "Subject: q\n\n{{body.questions}}x\n",
             process / "ours.txt": "{{#asked}}{{#questions}}\n* {{.}}\n{{/questions}}{{/asked}}\n"}
    before = {file: file.read_text() if file.exists() else None for file in files}
    try:
        for file, text in files.items():
            file.write_text(text)
        applied(desk, process.parents[1])
        _, mails = told(desk, client, "worker-1")
        assert sorted(mails) == ["received", "triaged"] and "Our P3.\n" in mails["triaged"] and "* " + QUESTIONS["details"] in mails["triaged"], mails
    finally:
        for file, text in before.items():
            file.unlink() if text is None else file.write_text(text)
        applied(desk, process.parents[1])


def test_questions_of_receipts_that_are_joined_to_a_list_become_a_message_of_their_own(desk, client):
    address = somebody()
    desk.kill("notifier-1")
    try:
        trackings = [client.submit(**POOR, contact={"email": address}) for _ in range(12)]
        for tracking in trackings:
            client.decided(tracking)
    finally:
        desk.up()

    def asked():
        return {tracking for tracking in trackings for mail in mails_to(desk, address, tracking)
                if QUESTIONS["details"] in mail.get_body(("plain",)).get_content()}
    wait_until(lambda: asked() == set(trackings))
    mails = [mail for mail in mails_to(desk, address)]
    receipts, = [mail for mail in mails if mail["X-Docket-Kind"] == "receipts"]
    assert receipts["Auto-Submitted"] == "auto-replied", "a receipt, whatever it stands for"
    assert sum(QUESTIONS["details"] in mail.get_body(("plain",)).get_content() for mail in mails) == 12


def test_questions_of_a_priority_that_goes_in_a_summary_stand_in_it(desk, client):
    address = somebody()
    tracking = client.submit(**POOR, contact={"email": address})
    client.decided(tracking)
    wait_until(lambda: {kind: state for kind, state in outbox(desk, tracking).items() if state < 2} == {})
    # What came in so short a time is over the limit of one address: as if it had been held back.
    with desk.db() as db:
        ticket = id_of(tracking)
        db.execute("UPDATE outbox SET state = 4 WHERE ticket = %s AND kind = 'asked'", (ticket,))
        version = db.execute("SELECT version FROM outbox WHERE ticket = %s AND kind = 'asked'", (ticket,)).fetchone()[0]
        db.execute("INSERT INTO outbox (ticket, version, audience, kind, created_at, state) VALUES (%s, %s, 1, 'update', docket_now(), 2)", (ticket, version))
        for kind, at in (("triaged", version), ("update", version)):
            db.execute("INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address, digest) "
                       "VALUES (%s, %s, 0, 1, %s, docket_now(), docket_now(), 'email', 'c', %s, true)", (ticket, at, kind, "sum" + address))
    mail = wait_until(lambda: mails_to(desk, "sum" + address))[0]
    text = mail.get_body(("plain",)).get_content()
    assert mail["X-Docket-Kind"] == "digest" and all(f"- {question}" in text for question in QUESTIONS.values()), text


@pytest.fixture
def soon(desk):
    """A desk whose summaries go at once, and where one mail to an address about a ticket is enough for ten minutes."""
    process = desk.home / "h/etc/process"
    notify = process / "notify.yaml"
    before = notify.read_text()
    notify.write_text("limits:\n  ticket: {ten_minutes: 1, hour: 25}\n  staff: {minute: 1, hour: 20}\n  summary_after: 1s\n")
    applied(desk, process)
    yield
    notify.write_text(before)
    applied(desk, process)


def summary_to(desk, address, word):
    return wait_until(lambda: [mail for mail in mails_to(desk, address, word) if mail["X-Docket-Kind"] == "digest"])[0]


def test_a_summary_has_the_link_of_each_step_that_is_proposed_in_it(desk, client, soon):
    address = somebody()
    tracking = client.submit(**POOR, contact={"email": address})
    client.decided(tracking)
    wait_until(lambda: mails_to(desk, address, "has priority"))
    for n in range(12):
        client.call("ticket.comment", tracking=tracking, text=f"news-{n}", public=True, as_=ADA)
    client.call("ticket.wait", tracking=tracking, on="vendor", vendor="Telco", reason="Their line.", proposal="We change the carrier.", as_=ADA)
    mail = summary_to(desk, address, "We change the carrier.")
    text, html = (mail.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    link = link_in(mail)
    assert link and text.count("/l/") == 1 and f'<a href="{link}">{link}</a>' in html, text
    assert text.index("We change the carrier.") < text.index(link)
    assert press(link, do="agree")[0] == 200
    assert [event["as"]["name"] for event in client.show(tracking)["events"] if event["kind"] == "agreed"] == [address]


def test_a_summary_to_staff_has_the_link_of_each_alert_in_it(desk, client, soon):
    marks = [f"mark{random.getrandbits(40):x}" for _ in range(4)]
    for mark in marks:
        client.submit(title=mark, problem="Half of our calls drop since noon, it is quite severe.", impact="degraded")
    mail = summary_to(desk, "staff@localhost", marks[3])
    links = re.findall(r"http://\S+/l/\S+", mail.get_body(("plain",)).get_content())
    assert len(set(links)) == len(links) >= 2, mail.get_body(("plain",)).get_content()
    page = visit(links[0])[2]
    assert any(mark in page for mark in marks) and press(links[0], do="acknowledge")[0] == 200
