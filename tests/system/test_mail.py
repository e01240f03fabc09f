"""What people are told by mail."""

import email
import email.policy
import random

import pytest
from helpers import ADA, wait_until


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
    address = somebody()
    client.submit(contact={"email": address}, title="x\r\nBcc: victim@localhost\r\n\r\nboo")
    mail = wait_until(lambda: mails_to(stack, address))[0]
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
    mail = wait_until(lambda: [mail for mail in mails_to(stack, address) if mail["X-Docket-Kind"] == "asked"])[0]
    text = mail.get_body(("plain",)).get_content()
    assert "- Which equipment is involved" in text and "- How is it configured" in text and "- What happens exactly" in text
    assert not [line for line in text.splitlines() if line.strip() == "-"], text
