"""Who reads a message reads it in a language and a zone of their own, where staff.yaml or the customer's record has them."""

import email
import email.policy
import re

import pytest
from helpers import ADA, Stack, wait_until
from test_links import link_in, link_to, mails_to, press, visit

STAFF = """people:
  ada: {name: Ada Lovelace, email: ada@localhost, locale: de, zone: Europe/Vienna}
  ben: {name: Ben, email: ben@localhost, locale: en, zone: America/New_York}
"""
ESCALATION = """policies:
  both:
    levels: [{after: 0m, tell: [person:ada, person:ben]}]
    repeat: {every: 1h, loops: 1}
    last_resort: {tell: [ops], every: 1h}
match:
  - {policy: both}
"""
SAID = """- rule: said in three languages
  when: {field: title, is: Said}
  then:
    tell:
      customer: {hu: Dolgozunk rajta., en: We are at it., de: Wir sind dran.}
      staff: {en: Look at it., de: Seht nach.}
"""


@pytest.fixture(scope="module")
def desk():
    running = Stack()
    process = running.home / "h/etc/process"
    (process / "staff.yaml").write_text(STAFF)
    (process / "escalation.yaml").write_text(ESCALATION)
    (process / "rules/05-said.yaml").write_text(SAID)
    before = running.log("notifier-1").count("process_used n=")
    done = running.docket("process", "apply", str(process), "--comment", "two")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: running.log("notifier-1").count("process_used n=") > before)
    yield running
    running.close()


def text_to(stack, address, tracking, words=""):
    def found():
        mails = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
        texts = [mail.get_body(("plain",)).get_content() for mail in mails if address in mail["To"] and tracking in mail["Subject"]]
        return [text for text in texts if words in text]
    return wait_until(found)[0]


def test_each_reads_their_own_language_and_wall_clock(desk):
    client = desk.client()
    client.call("customer.put", customer={"id": "akme", "name": "C", "package": "standard", "locale": "de", "zone": "Asia/Kathmandu", "contacts": [
        {"name": "Zoë", "email": "zoe@acme.example"}, {"name": "Sam", "email": "sam@acme.example", "locale": "en"}]}, as_=ADA)
    tracking = client.submit(customer="akme", impact="down")
    ada, ben, zoe, sam = (text_to(desk, address, tracking) for address in ("ada@localhost", "ben@localhost", "zoe@acme.example", "sam@acme.example"))
    assert ada.startswith("Priorität 1: Echo") and "Priority" not in ada and "Priority 1: Echo" in ben
    assert "Kunde akme" in ada and ("+01:00" in ada or "+02:00" in ada)
    assert "Customer akme" in ben and ("-05:00" in ben or "-04:00" in ben)
    assert "Vorgangsnummer" in zoe and "+05:45" in zoe
    charsets = {part.get_content_charset() for mail in mails_to(desk, "zoe@acme.example") for part in mail.walk() if not part.is_multipart()}
    assert charsets == {"utf-8"}, "calendars read no other"
    assert "tracking number" in sam and "+05:45" in sam

    # So are the pages behind their links, whatever the browser says; a time is of their wall clock.
    asks = {"Accept-Language": "fr"}
    page = visit(link_to(desk, "ada@localhost"), headers=asks)[2]
    assert '<html lang="de"' in page and "Priorität 1: Echo" in page, page
    _, page = press(link_to(desk, "ben@localhost"), do="acknowledge")
    assert '<html lang="en"' in page and re.search("-0[45]:00", page), page
    client.call("ticket.resolve", tracking=tracking, text="Done.", as_=ADA)
    assert '<html lang="en"' in visit(link_to(desk, "sam@acme.example"), headers=asks)[2]
    _, page = press(link_to(desk, "zoe@acme.example"), do="approve")
    assert '<html lang="de"' in page and "+05:45" in page, page
    client.close()


def test_staff_are_called_by_their_names(desk):
    """In words for people; `as`, `assignee` and acked_by of the wire stay what they are."""
    client = desk.client()
    client.call("customer.put", customer={"id": "named", "name": "N", "package": "standard", "contacts": [{"name": "Kim", "email": "kim@acme.example"}]}, as_=ADA)
    tracking = client.submit(customer="named", impact="down")

    def mails(address):
        return [mail for mail in mails_to(desk, address) if tracking in mail["Subject"]]

    def text_with(address, words):
        return wait_until(lambda: [text for mail in mails(address) if words in (text := mail.get_body(("plain",)).get_content())])[0]

    links = {who: wait_until(lambda who=who: [link for mail in mails(f"{who}@localhost") if (link := link_in(mail))])[0] for who in ("ada", "ben")}
    assert mails("ada@localhost")[0]["To"] == "Ada Lovelace <ada@localhost>"
    press(links["ada"], do="acknowledge")
    page = visit(links["ben"])[2]
    assert "Acknowledged by Ada Lovelace" in page, page
    client.call("ticket.assign", tracking=tracking, staff="ada", as_={"name": "ben", "role": "staff"})
    client.call("ticket.comment", tracking=tracking, text="We look at it.", public=True, as_=ADA)
    over = text_with("ben@localhost", "It was acknowledged")
    assert "It was acknowledged by Ada Lovelace." in over and ", Ada Lovelace" in over, over
    assert "Ada Lovelace" in text_with("kim@acme.example", "We look at it.").splitlines()
    client.close()


def test_what_a_rule_tells_in_several_languages_each_reads_in_their_own(desk):
    client = desk.client()
    client.call("customer.put", customer={"id": "said", "name": "S", "package": "standard", "locale": "de-AT", "contacts": [
        {"email": "de@said.example"}, {"email": "en@said.example", "locale": "en"}, {"email": "nl@said.example", "locale": "nl"}]}, as_=ADA)
    tracking = client.submit(customer="said", title="Said")
    for address, said in (("de", "Wir sind dran."), ("en", "We are at it."), ("nl", "Dolgozunk rajta.")):  # nobody has Dutch, and the desk no language
        text = text_to(desk, f"{address}@said.example", tracking, said)
        assert sum(text.count(words) for words in ("Wir sind dran", "We are at it", "Dolgozunk")) == 1 and "texts" not in text, text
    client.close()


def test_the_desk_s_mailbox_reads_the_desk_s_language():
    """Who has none in staff.yaml read each customer's: a mailbox that changes its language from mail to mail."""
    stack = Stack()
    try:
        with stack.config("notifier-1").open("a") as config:
            config.write("\ndesk_locale: de\ndesk_zone: Asia/Kathmandu\n")
        (stack.home / "h/etc/process/rules/05-said.yaml").write_text(SAID)
        done = stack.docket("process", "apply", str(stack.home / "h/etc/process"))
        assert done.returncode == 0, done.stderr
        stack.kill("notifier-1")
        stack.up()
        client = stack.client()
        client.call("customer.put", customer={"id": "spoken", "name": "S", "package": "standard", "locale": "en", "zone": "America/New_York", "contacts": [{"email": "pat@acme.example"}]}, as_=ADA)
        tracking = client.submit(customer="spoken", impact="down")
        page = text_to(stack, "staff@localhost", tracking)
        assert page.startswith("Priorität 1: Echo") and "+05:45" in page, page
        assert "tracking number" in text_to(stack, "pat@acme.example", tracking)

        # Nor is there Dutch in what a rule tells: then the desk's, rather than the first.
        client.call("customer.put", customer={"id": "dutch", "name": "D", "package": "standard", "locale": "nl", "contacts": [{"email": "kees@acme.example"}]}, as_=ADA)
        tracking = client.submit(customer="dutch", title="Said")
        assert "Dolgozunk" not in text_to(stack, "kees@acme.example", tracking, "Wir sind dran.")
        text_to(stack, "staff@localhost", tracking, "Seht nach.")
        client.close()
    finally:
        stack.close()
