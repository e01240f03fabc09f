"""What people are told by mail."""

import email
import email.policy
import random

import pytest
from helpers import ADA, id_of, wait_until


def parsed(stack):
    return [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]


def mails_to(stack, address, word=""):
    return [mail for mail in parsed(stack) if address in mail["To"] and word in mail["Subject"] + mail.get_body(("plain",)).get_content()]


def somebody():
    return f"p{random.getrandbits(48):x}@localhost"


def test_the_receipt_with_the_tracking_number_goes_to_the_contact_once(stack, client):
    address = somebody()
    tracking = client.submit(contact={"name": "Zoë Ångström", "email": address}, title="Überall Rauschen ☎")
    mail = wait_until(lambda: mails_to(stack, address, tracking))[0]
    assert tracking in mail["Subject"] and mail["Message-ID"] and mail["Auto-Submitted"]
    client.decided(tracking)
    client.call("ticket.comment", tracking=tracking, text="We look at it.", public=True, as_=ADA)
    wait_until(lambda: mails_to(stack, address, "We look at it."))
    received = [mail for mail in mails_to(stack, address) if mail["Auto-Submitted"].startswith("auto-replied")]
    assert len(received) == 1


def test_contacts_of_the_customer_are_told_when_the_ticket_names_none(stack, client):
    address, name = somebody(), f"cust-{random.getrandbits(40):x}"
    client.call("customer.put", customer={"id": name, "name": "C", "package": "standard", "contacts": [{"name": "C", "email": address, "for": ["all"]}]}, as_=ADA)
    tracking = client.submit(customer=name)
    assert wait_until(lambda: mails_to(stack, address, tracking))


def test_a_p1_alerts_staff(stack, client):
    tracking = client.submit(impact="down")
    assert wait_until(lambda: mails_to(stack, "staff@localhost", tracking))


def test_internal_words_reach_no_customer(stack, client):
    address = somebody()
    tracking = client.submit(contact={"email": address})
    client.call("ticket.comment", tracking=tracking, text="secret-plumbing", public=False, as_=ADA)
    client.call("ticket.comment", tracking=tracking, text="all-is-well", public=True, as_=ADA)
    wait_until(lambda: mails_to(stack, address, "all-is-well"))
    assert not mails_to(stack, address, "secret-plumbing")


def test_a_hostile_title_makes_no_header(stack, client):
    """It is refused; one that was stored before that ends with its line."""
    address, title = somebody(), "x\r\nBcc: victim@localhost\r\n\r\nboo"
    assert client.refused("ticket.submit", key=address, customer="acme", title=title, problem="x").field == "title"
    tracking = client.submit(contact={"email": address})
    client.decided(tracking)
    with stack.db() as db:
        db.execute("UPDATE tickets SET title = %s WHERE id = %s", (title, id_of(tracking)))
    client.call("ticket.comment", tracking=tracking, text="more-of-it", public=True, as_=ADA)
    mail = wait_until(lambda: mails_to(stack, address, "more-of-it"))[0]
    assert mail["Bcc"] is None and mail["Delivered-To"] == address


@pytest.mark.parametrize("text", ["=?utf-8?q?x=0D=0ABcc:_victim@localhost=0D=0A?=", "=?utf-8?b?eA0KQmNjOiBhQGI=?="])
def test_a_name_and_a_title_that_would_be_decoded_to_headers_are_words(stack, client, text):
    address = somebody()
    client.submit(contact={"email": address, "name": text}, title=text)
    mail = wait_until(lambda: mails_to(stack, address))[0]
    assert "\r" not in mail["Subject"] and "\n" not in mail["Subject"] and mail["Bcc"] is None and not mail.defects
    assert not set("\r\n") & set(mail["To"].addresses[0].display_name) and mail["To"].addresses[0].addr_spec == address


def test_waiting_resolving_and_closing_are_told(stack, client):
    address = somebody()
    tracking = client.submit(contact={"email": address})
    client.decided(tracking)
    client.call("ticket.wait", tracking=tracking, on="customer", reason="which-firmware", as_=ADA)
    client.call("ticket.resolve", tracking=tracking, text="it-was-the-cable", as_=ADA)
    client.call("ticket.approve", tracking=tracking, as_={"name": "c", "role": "customer"})
    wait_until(lambda: mails_to(stack, address, "which-firmware") and mails_to(stack, address, "it-was-the-cable"))
    wait_until(lambda: len(mails_to(stack, address, tracking)) >= 4)


def test_what_the_desk_asks_stands_in_the_mail(stack, client):
    """The words of process.yaml, one line each; in the built-in plain text too."""
    address = somebody()
    client.submit(contact={"email": address}, title="No dial tone", problem="It is dead.")
    mail = wait_until(lambda: mails_to(stack, address, "Which equipment is involved"))[0]
    text = mail.get_body(("plain",)).get_content()
    assert "- Which equipment is involved" in text and "- How is it configured" in text and "- What happens exactly" in text
    assert not [line for line in text.splitlines() if line.strip() == "-"], text


def test_a_page_says_whom_to_ask_about_what_and_its_link_can_be_pressed(stack, client):
    """Somebody reads it at night on a telephone: no second look into another program."""
    problem = "No dial tone since 02:40.\n  SIP/2.0 503  <none>\n" + "long " * 1000
    tracking = client.submit(impact="down", title="All phones dead", problem=problem, contact={"name": "Zoë", "phone": "+43 1 555 77", "email": somebody()})
    page = wait_until(lambda: mails_to(stack, "staff@localhost", tracking))[0]
    text, html = (page.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    assert "Zoë +43 1 555 77" in text and "No dial tone since 02:40." in text and text.rstrip().endswith("…") and len(text) < 3500
    assert text.count("All phones dead") == 1, "the title once"
    link = text.partition("Acknowledge, or acknowledge and take: ")[2].split()[0]
    assert f'<a href="{link}">{link}</a>' in html and "No dial tone since 02:40.<br>" in html
    assert "<br>\n&nbsp;&nbsp;SIP/2.0 503 &nbsp;&lt;none&gt;<br>" in html, "columns stay where no style sheet is read"
    assert 'lang="en"' in html and html.count("<a ") == 1
    alert = client.call("alert.list", tracking=tracking)["alerts"][0]["alert"]
    client.call("ticket.take", tracking=tracking, as_=ADA)
    client.call("ticket.wait", tracking=tracking, on="customer", reason="Which?", as_=ADA)
    wait_until(lambda: client.call("alert.show", alert=alert)["alert"]["state"] == "resolved")


def test_what_waits_for_the_customer_is_said_otherwise_to_staff(stack, client):
    address = somebody()
    tracking = client.submit(contact={"email": address})
    client.decided(tracking)
    client.call("ticket.wait", tracking=tracking, on="customer", reason="Which?", as_=ADA)
    assert wait_until(lambda: mails_to(stack, address, "waiting for you"))
    client.call("ticket.prioritize", tracking=tracking, priority=1, reason="worse", as_=ADA)
    page = wait_until(lambda: mails_to(stack, "staff@localhost", tracking))[0].get_body(("plain",)).get_content()
    assert "waiting for the customer" in page and "waiting for you" not in page


def test_a_customer_reads_that_an_answer_by_mail_is_read_and_no_link_of_a_customer_is_pressed(stack, client):
    address = somebody()
    tracking = client.submit(contact={"email": address}, title="See https://evil.example/login")
    mail = wait_until(lambda: mails_to(stack, address, tracking))[0]
    assert "simply answer this mail" in mail.get_body(("plain",)).get_content() and mail["Reply-To"]
    assert "<a " not in mail.get_body(("html",)).get_content()


@pytest.mark.parametrize("locale,words", [("en", "Reason: you withdrew it"), ("de", "Grund: von Ihnen zurückgezogen")])
def test_why_a_ticket_was_closed_is_said_in_the_readers_words(stack, client, locale, words):
    name, address = f"c{random.getrandbits(40):x}", somebody()
    client.call("customer.put", customer={"id": name, "name": "C", "package": "standard", "locale": locale}, as_=ADA)
    tracking = client.submit(customer=name, contact={"email": address})
    client.decided(tracking)
    client.call("ticket.close", tracking=tracking, reason="withdrawn", text="As you said.", as_=ADA)
    assert wait_until(lambda: mails_to(stack, address, words))
