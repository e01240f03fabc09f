"""docket-mail: mails as mail programs write them, given to it as a mail server does; what becomes of them, and the exit status that the
mail server gets."""

import base64
import email
import email.message
import email.policy
import os
import pathlib
import random
import re
import subprocess
import time

import icalendar
import pytest
from helpers import ADA, BIN, SLOW, ticket_of, wait_until

KEPT, NO_MESSAGE, TOO_LARGE, LATER, REFUSED, CONFIGURATION = 0, 65, 69, 75, 77, 78


def nonce():
    return f"{random.getrandbits(48):012x}"


class Post:
    """A mail server with one alias that pipes to docket-mail."""

    def __init__(self, stack, **settings):
        self.stack = stack
        text = (stack.home / "h/etc/docket-mail.yaml").read_text()
        for name, value in settings.items():
            text = re.sub(rf"^{name}:.*\n", "", text, flags=re.M) + f"{name}: {value}\n"
        self.config = stack.home / f"mail-{nonce()}.yaml"
        self.config.write_text(text)

    def give(self, message, sender="someone@acme.example", recipient="desk@localhost"):
        """(exit status, standard error)"""
        data = message if isinstance(message, bytes) else bytes(message) if isinstance(message, email.message.Message) else message.encode()
        environment = {**os.environ, "SENDER": sender, "RECIPIENT": recipient}
        done = subprocess.run([str(BIN / "docket-mail"), "--config", str(self.config)], input=data, capture_output=True, env=environment,
                              timeout=90 * SLOW)
        return done.returncode, done.stderr.decode(errors="replace")


@pytest.fixture
def post(stack):
    return Post(stack)


@pytest.fixture
def customer(client):
    """A customer with one contact: (id, address)."""
    name = f"c{nonce()}"
    address = f"zoe-{name}@acme.example"
    client.call("customer.put", customer={"id": name, "name": "ACME", "package": "standard", "contacts": [
        {"name": "Other", "email": f"other-{address}"}, {"name": "Zoë", "email": address}]}, as_=ADA)
    return name, address


def mail(from_, subject="No dial tone", text="Since 9:40 all phones are silent.\n", **headers):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = from_, "desk@localhost", subject
    message["Message-ID"] = f"<{nonce()}@acme.example>"
    message["Date"] = "Wed, 04 Mar 2026 10:00:00 +0100"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


VOUCHED = {"Authentication_Results": "mx.localhost; dmarc=pass header.from=acme.example"}


def tickets_of(client, customer):
    return client.call("ticket.list", customer=customer)["tickets"]


def only_ticket(client, customer):
    tickets = tickets_of(client, customer)
    assert len(tickets) == 1, tickets
    return ticket_of(client.show(tickets[0]["tracking"]))


def comments(client, tracking):
    return [event for event in client.show(tracking)["events"] if event["kind"] == "commented"]


def reply_address(stack, address, count=1):
    """Reply-To of the count-th mail to address."""
    def found():
        mails = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
        mails = [mail for mail in mails if address in mail["To"] and mail["Reply-To"]]
        return len(mails) >= count and mails[count - 1]["Reply-To"]
    return wait_until(found)


# ---- new tickets ----


def test_a_mail_of_a_contact_is_a_ticket_once(stack, client, post, customer):
    name, address = customer
    message = mail(f"Zoë <{address}>", **VOUCHED)
    assert post.give(message)[0] == KEPT
    ticket = only_ticket(client, name)
    assert ticket["title"] == "No dial tone" and "all phones are silent" in ticket["problem"]
    assert ticket["contact"]["email"] == address and ticket["attributes"]["mail"]["verified"] is True
    assert message["Message-ID"].strip("<>") in ticket["attributes"]["mail"]["message_id"]
    assert post.give(message)[0] == KEPT  # the mail server was not sure
    assert len(tickets_of(client, name)) == 1
    assert reply_address(stack, address).startswith("desk+")


def test_mails_without_a_message_id_are_told_apart_by_when_they_were_written(client, post, customer):
    """A switch says the same each time its link goes down."""
    name, address = customer
    for day in (4, 5, 5):
        message = mail(address, "Link down", "Port 7 is down.\n")
        del message["Message-ID"]
        message.replace_header("Date", f"Wed, {day:02} Mar 2026 10:00:00 +0100")
        assert post.give(message)[0] == KEPT
    assert len(tickets_of(client, name)) == 2  # the last came twice


@pytest.mark.parametrize("subject, title", [
    ("=?iso-8859-1?q?No=85_dial=96tone?=", "No dialtone"), ("=?utf-8?q?No_dial=0Atone?=", "No dial tone"), ("=?utf-8?b?Tm/igKhkaWFs4oCpdG9uZQ==?=", "No   dial   tone"), ("=?utf-8?q?_=1B=0A_?=", "(no subject)"),
])
def test_a_subject_of_what_is_no_line_is_a_title_all_the_same(client, post, customer, subject, title):
    name, address = customer
    message = bytes(mail(f'" " <{address}>', **VOUCHED)).replace(b"Subject: No dial tone", b"Subject: " + subject.encode())
    assert post.give(message)[0] == KEPT
    assert only_ticket(client, name)["title"] == title


def test_strangers_are_refused_or_posted_for_who_is_set(stack, client, post):
    status, words = post.give(mail(f"x-{nonce()}@nowhere.example"))
    assert status == REFUSED and "not known" in words
    other = f"strangers-{nonce()}"
    assert Post(stack, strangers=other).give(mail(f"x-{nonce()}@nowhere.example"))[0] == KEPT
    assert only_ticket(client, other)["attributes"]["mail"]["verified"] is False


CORPUS = [
    ("latin1", b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe, es brummt.\r\n", "Grüße, es brummt."),
    ("windows", b"Content-Type: text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\x93quoted\x94 \x80 5\r\n", "“quoted” € 5"),
    ("koi8", b"Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4\r\n", "Привет"),
    ("iso2022", b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$s$K$A$O\x1b(B\r\n", "こんにちは"),
    ("base64", b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode("Überall ☎".encode()) + b"\r\n", "Überall ☎"),
    ("unknown charset", b"Content-Type: text/plain; charset=x-klingon\r\n\r\nplain after all\r\n", "plain after all"),
    ("bad utf-8", b"Content-Type: text/plain; charset=utf-8\r\n\r\nhalf \xc3 and \xff done\r\n", "done"),
    ("no type", b"\r\njust words\r\n", "just words"),
    ("html", b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hello <b>desk</b></p><script>evil()</script>\r\n", "Hello desk"),
    ("alternative", b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nthe plain one\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>the rich one</p>\r\n--b--\r\n', "the plain one"),
    ("alternative, the plain one empty", b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n<p>only rich</p>\r\n--b--\r\n', "only rich"),
    ("html that quotes", b"Content-Type: text/html; charset=utf-8\r\n\r\n<div>It rings.</div><div>On Wed, Mar 4, 2026 at 10:00 Desk wrote:</div><blockquote type=cite>old words</blockquote>\r\n", "It rings."),
    ("nested", b'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\nContent-Type: multipart/related; boundary="r"\r\n\r\n--r\r\nContent-Type: multipart/alternative; boundary="a"\r\n\r\n--a\r\n'
               b"Content-Type: text/html\r\n\r\n<p>deep inside</p>\r\n--a--\r\n--r\r\nContent-Type: image/png; name=logo.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--r--\r\n--m\r\n"
               b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="=?utf-8?q?Rechn=C3=BCng.pdf?="\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--m--\r\n', "deep inside"),
    ("unclosed", b'Content-Type: multipart/mixed; boundary="u"\r\n\r\n--u\r\nContent-Type: text/plain\r\n\r\nnever ended', "never ended"),
    ("attached mail", b'Content-Type: multipart/mixed; boundary="f"\r\n\r\n--f\r\nContent-Type: text/plain\r\n\r\nsee below\r\n--f\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: q@q\r\n\r\ninner secret words\r\n--f--\r\n', "see below"),
    ("Windows' signs said to be Latin-1", b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n5 \x80 for \x93x\x94\r\n", "5 € for “x”"),
    ("letters of no charset", b"\r\nGr\xfc\xdfe vom Router\r\n", "Grüße vom Router"),
    ("letters of no charset that are UTF-8", b"\r\nGr\xc3\xbc\xc3\x9fe vom Router\r\n", "Grüße vom Router"),
    ("html that says its charset alone", b"Content-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<html><head><meta http-equiv=Content-Type content='text/html; charset=koi8-r'></head><p>\xf0\xd2\xc9\xd7\xc5\xd4</p>\r\n", "Привет"),
    ("html that says Japanese alone", b"Content-Type: text/html\r\n\r\n<meta charset=iso-2022-jp><p>\x1b$B$3$s$K$A$O\x1b(B</p>\r\n", "こんにちは"),
    ("html that says to be wider than it is", b"Content-Type: text/html\r\n\r\n<meta charset=utf-16><p>plain words</p>\r\n", "plain words"),
    ("UTF-8 that says to be Latin-1", b"Content-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<meta charset=iso-8859-1><p>Gr\xc3\xbc\xc3\x9fe</p>\r\n", "Grüße"),
    ("html of a charset nobody knows", b"Content-Type: text/html\r\n\r\n<meta charset=x-klingon><p>plain after all</p>\r\n", "plain after all"),
    ("html with a log and a link", b"Content-Type: text/html; charset=utf-8\r\n\r\n<pre>a 1\n  b 2</pre><p>see <a href='https://x.example/log'>here</a></p>\r\n", "a 1\n  b 2\nsee here <https://x.example/log>"),
    ("flowed", b"Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\nhttps://x.exa \r\nmple/log\r\n", "https://x.example/log"),
    ("clear-signed", b"\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nIt rings.\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\niQEz\r\n-----END PGP SIGNATURE-----\r\n", "It rings.\n\n-- \n"),
    ("a byte that is nothing there", b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nhalf \x81 and \xfc done\r\n", "ü done"),
    ("lines of an old Mac", b"\r\none\rtwo\r\r\nthree\r\n", "one\ntwo\nthree"),
    ("an attachment of the rich alternative, as Apple Mail has it",
     b'Content-Type: multipart/alternative; boundary="a"\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\nsee there\r\n--a\r\nContent-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\nContent-Type: text/html\r\n\r\n'
     b'see there\r\n--m\r\nContent-Type: application/pdf\r\nContent-Disposition: inline; filename=plan.pdf\r\n\r\nx\r\n--m--\r\n--a--\r\n', "Not kept: plan.pdf (application/pdf, 1 bytes)"),
    ("deeper than it is read", b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i) for i in range(50)) + b"\r\ndeep words\r\n", "is cut"),
    ("flowed and quoted", b"Content-Type: text/plain; format=flowed\r\n\r\nStill broken.\r\n\r\nOn Monday Desk wrote:\r\n> old words\r\n", "Still broken."),
]


@pytest.mark.parametrize("name,body,words", CORPUS, ids=[row[0] for row in CORPUS])
def test_mails_of_all_kinds_are_read(client, post, customer, name, body, words):
    head = f"From: Zoe <{customer[1]}>\r\nSubject: =?iso-8859-1?q?St=F6rung?= {name}\r\nMessage-ID: <{nonce()}@x>\r\nMIME-Version: 1.0\r\n"
    assert post.give(head.encode() + body)[0] == KEPT
    ticket = only_ticket(client, customer[0])
    assert words in ticket["problem"] and ticket["title"] == f"Störung {name}"
    assert "evil" not in ticket["problem"] and "old words" not in ticket["problem"] and "inner secret" not in ticket["problem"]
    if name == "nested":
        assert "logo.png (image/png, 8 bytes)" in ticket["problem"] and "Rechnüng.pdf (application/pdf, 5 bytes)" in ticket["problem"]


# ---- answers ----


def test_an_answer_to_our_mail_is_the_customers_word(stack, client, post, customer):
    name, address = customer
    tracking = client.submit(customer=name, contact={"name": "Zoë", "email": address})
    client.decided(tracking)
    client.call("ticket.wait", tracking=tracking, on="customer", reason="Which firmware?", as_=ADA)
    to = reply_address(stack, address)
    assert post.give(mail(address, "whatever", "3.1.4\n\nOn Monday Desk wrote:\n> Which firmware?\n"), recipient=to)[0] == KEPT
    said = comments(client, tracking)[-1]
    assert said["public"] and said["as"] == {"name": address, "role": "customer", "verified": False} or said["as"]["role"] == "customer"
    assert said["body"]["text"].startswith("3.1.4\n\n-- \nBy mail from") and "Which firmware?" not in said["body"]["text"]
    assert ticket_of(client.show(tracking))["state"] == "in_progress"


def our_message_id(stack, address):
    """Message-ID of the first mail to address."""
    def found():
        mails = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
        return next((mail["Message-ID"] for mail in mails if address in mail["To"]), None)
    return wait_until(found)


@pytest.mark.parametrize("headers", [{"In_Reply_To": "{id}"}, {"References": "<first@acme.example> {id}"}, {"In_Reply_To": "<other@acme.example>", "References": "{id} <other@acme.example>"}])
def test_an_answer_is_found_by_its_thread_alone(stack, client, post, customer, headers):
    tracking = client.submit(customer=customer[0], contact={"email": customer[1]})
    headers = {name: value.format(id=our_message_id(stack, customer[1])) for name, value in headers.items()}
    assert post.give(mail(customer[1], "Something else", "It rings again.\n", **VOUCHED, **headers))[0] == KEPT
    event = comments(client, tracking)[-1]
    assert event["body"]["text"].startswith("It rings again.") and event["public"]
    assert len(tickets_of(client, customer[0])) == 1


def test_a_thread_that_is_somebody_elses_is_no_way_in(stack, client, post, customer):
    """Our Message-IDs can be guessed, and those of others are in the archives of lists."""
    tracking = client.submit(customer=customer[0], contact={"email": customer[1]})
    ours = our_message_id(stack, customer[1])
    number = int(re.search(r"n\.(\d+)@", ours)[1])
    other = f"c{nonce()}"
    client.call("customer.put", customer={"id": other, "name": "Other", "package": "standard", "contacts": [{"name": "Eve", "email": f"eve@{other}.example"}]}, as_=ADA)
    hostile = [ours, f"<n.{number}@LOCALHOST>", f"<n.{number - 1}@localhost> {ours}", f"<n.{'9' * 40}@localhost>", "<n.@localhost>", f"<n.{number}@localhost.evil.example>", "<" * 500 + ours]
    for n, ids in enumerate(hostile):
        assert post.give(mail(f"eve@{other}.example", f"Mine {n}", In_Reply_To=ids.split()[0], References=ids, **VOUCHED))[0] == KEPT
        assert post.give(mail(f"nobody@{other}.example", "Let me in", References=ids))[0] == REFUSED
    assert not comments(client, tracking)
    assert tickets_of(client, other)


def test_strangers_do_not_share_a_thread(stack, client, customer):
    post = Post(stack, strangers=customer[0])
    root = f"<{nonce()}@list.example>"
    one, two = (f"{name}@{nonce()}.example" for name in ("a", "b"))
    for address in (one, two, one):
        assert post.give(mail(address, "On the list", References=root))[0] == KEPT
    tickets = tickets_of(client, customer[0])
    assert sorted(ticket_of(client.show(ticket["tracking"]))["contact"]["email"] for ticket in tickets) == sorted([one, two])


def test_a_number_in_the_subject_of_a_stranger_is_a_note_that_changes_nothing(client, post, customer):
    tracking = client.submit(customer=customer[0])
    client.decided(tracking)
    client.call("ticket.wait", tracking=tracking, on="customer", reason="?", as_=ADA)
    assert post.give(mail("mallory@evil.example", f"Re: [{tracking}] x", "approved"))[0] == KEPT
    assert post.give(mail(customer[1], f"Re: [{tracking}] x", "forged, nobody vouches"))[0] == KEPT
    notes = comments(client, tracking)
    assert len(notes) == 2 and all(not note["public"] and note["as"]["role"] == "system" and "(not verified)" in note["body"]["text"] for note in notes)
    assert ticket_of(client.show(tracking))["state"] == "waiting_customer"


def test_a_number_in_the_subject_of_a_vouched_contact_is_the_customers_word(client, post, customer):
    tracking = client.submit(customer=customer[0])
    client.decided(tracking)
    client.call("ticket.wait", tracking=tracking, on="customer", reason="?", as_=ADA)
    assert post.give(mail(customer[1], f"AW: {tracking.lower()}", "here it is", **VOUCHED))[0] == KEPT
    assert comments(client, tracking)[-1]["as"]["role"] == "customer"
    assert ticket_of(client.show(tracking))["state"] == "in_progress"


def test_of_several_numbers_in_a_subject_that_of_the_senders_own_ticket_counts(stack, client, post, customer):
    """Whoever compares with a ticket of somebody else, or names one that is gone, still means his own."""
    name, address = customer
    other = client.submit(title="of another customer")
    own = client.submit(customer=name, contact={"email": address})
    for subject in (f"[{other}] as in {own}", f"{other[:4]}0000-0000-0001-E, {own}", f"{own} {other}"):
        before = len(comments(client, own))
        assert post.give(mail(address, subject, **VOUCHED))[0] == KEPT
        comment = comments(client, own)[before]
        assert comment["public"] and comment["as"]["name"] == address, subject
    assert not comments(client, other)
    assert post.give(mail(f"x-{nonce()}@nowhere.example", f"{other} {own}"))[0] == KEPT
    assert not comments(client, other)[0]["public"]  # of somebody who is no contact of either: the first


def test_approving_by_mail_needs_the_token_and_the_word(stack, client, post, customer):
    name, address = customer
    tracking = client.submit(customer=name, contact={"email": address})
    client.decided(tracking)
    client.call("ticket.resolve", tracking=tracking, text="The cable.", as_=ADA)
    to = reply_address(stack, address)
    post.give(mail(address, f"Re: [{tracking}]", "Approved", **VOUCHED))  # no token: words
    assert ticket_of(client.show(tracking))["state"] != "closed"
    client.call("ticket.resolve", tracking=tracking, text="Again.", as_=ADA) if ticket_of(client.show(tracking))["state"] != "resolved" else None
    word = mail(address, "Re", "Approved!\n\n> Please tell us\n")
    assert post.give(word, recipient=to)[0] == KEPT
    assert ticket_of(client.show(tracking))["state"] == "closed"
    assert post.give(word, recipient=to)[0] == KEPT  # again: done already
    assert [event["kind"] for event in client.show(tracking)["events"]].count("approved") == 1


BELOW = "On 04/03/2026 10:00, Support Desk wrote:\n> Please tell us\n> approved\n\napproved\n"  # as Thunderbird writes it


@pytest.mark.parametrize("text, subtype", [("<p>Approved&nbsp;</p><p>&nbsp;</p>", "html"), ("\ufeffApproved\n", "plain"), (BELOW, "plain")], ids=["Outlook", "BOM", "below"])
def test_the_word_approves_however_a_mail_program_writes_it(stack, client, post, customer, text, subtype):
    name, address = customer
    tracking = client.submit(customer=name, contact={"email": address})
    client.decided(tracking)
    client.call("ticket.resolve", tracking=tracking, text="The cable.", as_=ADA)
    message = mail(address, "Re")
    message.set_content(text, subtype=subtype)
    assert post.give(message, recipient=reply_address(stack, address))[0] == KEPT
    assert ticket_of(client.show(tracking))["state"] == "closed"


def test_a_receipt_of_reading_is_no_answer(stack, client, post, customer):
    name, address = customer
    tracking = client.submit(customer=name, contact={"email": address})
    client.decided(tracking)
    client.call("ticket.wait", tracking=tracking, on="customer", reason="?", as_=ADA)
    head = f'From: {address}\r\nSubject: Read: x\r\nMessage-ID: <{nonce()}@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n'
    receipt = head + ("--b\r\nContent-Type: text/plain\r\n\r\nYour message was read.\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
                      f"Final-Recipient: rfc822;{address}\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n--b--\r\n")
    assert post.give(receipt.encode(), recipient=reply_address(stack, address))[0] == KEPT
    assert not comments(client, tracking)[-1]["public"] and ticket_of(client.show(tracking))["state"] == "waiting_customer"
    assert post.give(receipt.replace("Read: x", "Read: y").encode())[0] == KEPT
    assert len(tickets_of(client, name)) == 1


def test_machines_never_start_a_talk(stack, client, post, customer):
    name, address = customer
    tracking = client.submit(customer=name, contact={"email": address})
    to = reply_address(stack, address)
    client.decided(tracking)
    client.call("ticket.wait", tracking=tracking, on="customer", reason="?", as_=ADA)
    away = mail(address, "Out of office", "I am away.", Auto_Submitted="auto-replied")
    assert post.give(away, sender="", recipient=to)[0] == KEPT
    assert not comments(client, tracking)[-1]["public"] and ticket_of(client.show(tracking))["state"] == "waiting_customer"
    for message in (mail(address, "x", Auto_Submitted="auto-replied"), mail(address, "x", List_Id="<all.acme.example>"), mail(address, "x", Precedence="bulk"),
                    mail(address, "x", X_Docket_Kind="received"), mail("desk@localhost", "x")):
        assert post.give(message)[0] == KEPT
    assert len(tickets_of(client, name)) == 1
    assert post.give(mail(address, "Disk full", Auto_Submitted="auto-generated"))[0] == KEPT  # a monitor posts, and hears nothing
    posted = [row for row in tickets_of(client, name) if row["tracking"] != tracking]
    assert len(posted) == 1
    monitored = posted[0]["tracking"]
    client.decided(monitored)
    receipt = wait_until(lambda: [row for row in client.show(monitored)["messages"] if row["kind"] == "received" and row["state"] == "suppressed"])
    assert "automatic" in receipt[0]["reason"]
    assert not [text for text in stack.mails() if monitored in text and "auto-replied" in text]


def test_our_own_mails_come_back_as_nothing(stack, client, post, customer):
    """A forwarding loop: what we send is given back to us."""
    name, address = customer
    client.submit(customer=name, contact={"email": address})
    reply_address(stack, address)
    ours = next(text for text in stack.mails() if address in text)
    before = client.call("stats")
    assert post.give(re.sub(r"^Delivered-To:.*\r?\n", "", ours), recipient="desk@localhost")[0] == KEPT
    assert len(tickets_of(client, name)) == 1 and not comments(client, tickets_of(client, name)[0]["tracking"])
    assert before


def test_who_forwards_a_mail_wants_it_read_whole(client, post, customer):
    text = "Please look at this.\n\n-- \nZoe\n\n-----Original Message-----\nFrom: Bob\nSent: Monday\nSubject: x\n\nAll trunks are down.\n"
    assert post.give(mail(customer[1], "FW: trunks", text))[0] == KEPT
    ticket = only_ticket(client, customer[0])
    assert ticket["title"] == "trunks" and "All trunks are down." in ticket["problem"]


def return_path(stack, address):
    """Where our first mail to address came from."""
    def found():
        for text in stack.mails():
            where = re.search(r"^Return-Path: <?(bounce\+[^<>\r\n]+)>?\r?$", text, re.M)
            if f"Delivered-To: {address}" in text and where:
                return where[1]
        return None
    return wait_until(found)


def failed(client, address):
    return client.call("notification.list", address=address, state="failed")["notifications"]


def test_an_automatic_answer_to_where_our_mail_came_from_is_no_bounce(stack, client, post, customer):
    """RFC 3834 sends vacation notes there. The address is alive; staff read the note, and nobody else."""
    tracking = client.submit(customer=customer[0], contact={"email": customer[1]})
    to = return_path(stack, customer[1])
    away = mail(customer[1], "Automatic reply", "I am away until Monday.", Auto_Submitted="auto-replied")
    assert post.give(away, sender="", recipient=to)[0] == KEPT
    note = comments(client, tracking)[-1]
    assert "away until Monday" in note["body"]["text"] and not note["public"] and note["as"]["role"] == "system"
    assert not failed(client, customer[1])


def test_a_report_that_a_server_gave_up_is_a_failure_and_one_of_a_delay_is_none(stack, client, post, customer):
    """Who gives up after days says "failed" with the status of the last try, which begins with 4."""
    tracking = client.submit(customer=customer[0], contact={"email": customer[1]})
    to = return_path(stack, customer[1])
    report = (pathlib.Path(__file__).with_name("mails") / "bounce-postfix.eml").read_text()
    late = report.replace("Action: failed", "Action: delayed").replace("Status: 5.1.1", "Status: 4.4.1")
    assert post.give(late, sender="", recipient=to)[0] == KEPT
    assert not failed(client, customer[1])
    assert post.give(report.replace("Status: 5.1.1", "Status: 4.4.7"), sender="", recipient=to)[0] == KEPT
    assert wait_until(lambda: failed(client, customer[1]))[0]["reason"] == "bounced: 5.4.7" and not comments(client, tracking)
    assert not client.call("notification.list", address=customer[1], state="suppressed")["notifications"]


def test_a_bounce_without_our_mark_is_dropped(client, post, customer):
    report = pathlib.Path(__file__).with_name("mails") / "bounce-postfix.eml"
    assert post.give(report.read_bytes(), sender="")[0] == KEPT
    assert not tickets_of(client, customer[0])


def test_a_bounce_that_came_elsewhere_is_known_by_the_mail_it_returns(stack, client, post, customer):
    """Some servers answer to the writer in the header. A Message-ID can be guessed: only with our mark beside it is it ours."""
    client.submit(customer=customer[0], contact={"email": customer[1]})
    ours = wait_until(lambda: [email.message_from_string(text, policy=email.policy.default) for text in stack.mails() if f"Delivered-To: {customer[1]}" in text])[0]
    report = (pathlib.Path(__file__).with_name("mails") / "bounce-postfix.eml").read_text().replace("gone@acme.example", customer[1])
    report = report.replace("n.42@localhost", ours["Message-ID"].strip("<>")).replace("bounce@localhost", "desk@localhost")
    assert post.give(report, sender="")[0] == KEPT and not failed(client, customer[1])
    marked = report.replace("\nSubject: [DKT", f"\nX-Docket-Delivery: {ours['X-Docket-Delivery']}\nSubject: [DKT")
    assert post.give(marked.replace(customer[1], "other@acme.example"), sender="")[0] == KEPT and not failed(client, customer[1])
    assert post.give(marked, sender="")[0] == KEPT
    assert wait_until(lambda: failed(client, customer[1]))[0]["reason"] == "bounced: 5.1.1"


def test_a_forwarded_mail_in_the_mail_is_told_of_with_its_size(client, post, customer):
    inner = mail("bob@other.example", "All trunks", "x" * 5000)
    outer = mail(customer[1], "Please see", "It is attached.\n")
    outer.add_attachment(inner)
    assert post.give(outer)[0] == KEPT
    told = re.search(r"Not kept: All trunks \(message/rfc822, (\d+) bytes\)", only_ticket(client, customer[0])["problem"])
    assert told and 5000 < int(told[1]) < 6500


def test_a_sender_in_another_script_is_known_or_learns_why_not(client, post, customer):
    address = f"zoe-{nonce()}@xn--exmple-cua.de"
    client.call("customer.put", customer={"id": customer[0], "name": "ACME", "package": "standard", "contacts": [{"email": address}]}, as_=ADA)
    assert post.give(f"From: Zoe <{address}>\nSubject: x\nMessage-ID: <{nonce()}@x>\n\nhello\n")[0] == KEPT
    assert f"By mail from Zoe <{address}>" in only_ticket(client, customer[0])["problem"]
    status, words = post.give(f"From: Zoë <zoë@example.de>\nSubject: x\nMessage-ID: <{nonce()}@x>\n\nhello\n")
    assert status == REFUSED and "beyond those of ASCII" in words


def answer_of(uid, attendee, said="ACCEPTED", method="REPLY", **headers):
    message = mail(attendee, "Accepted", "", **headers)
    message.add_alternative(f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:{uid[:9]}\r\n {uid[9:]}\r\nORGANIZER:mailto:desk@localhost\r\nDTSTART:20300101T100000Z\r\n"
                            f"ATTENDEE;CN=\"Z: a;b\";PARTSTAT={said};\r\n X-X=1:mailto:{attendee}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", subtype="calendar", params={"method": method})
    return message


@pytest.fixture
def meeting(stack, client, customer):
    """(tracking, meeting, uid) with the contact and a guest."""
    name, address = customer
    client.call("customer.put", customer={"id": name, "name": "ACME", "package": "gold", "contacts": [{"name": "Zoë", "email": address}]}, as_=ADA)
    tracking = client.submit(customer=name, contact={"email": address})
    client.decided(tracking)
    at = time.time_ns() // 1000 + 7200_000_000
    one = client.call("ticket.meeting", tracking=tracking, medium="phone", at=at, attendees=[address, "guest@acme.example"], as_=ADA)["meeting"]
    return tracking, one, f"{one}@{tracking}.docket"


def answers(client, tracking):
    return {who["attendee"]: who["answer"] for who in ticket_of(client.show(tracking))["meetings"][0]["attendees"]}


def test_answers_to_a_meeting_stand_at_it_and_change_no_state(stack, client, post, customer, meeting):
    tracking, one, uid = meeting
    to = reply_address(stack, customer[1])
    client.call("ticket.wait", tracking=tracking, on="customer", reason="your router's log", as_=ADA)
    assert answers(client, tracking) == {customer[1]: None, "guest@acme.example": None}
    assert post.give(answer_of(uid, customer[1]), recipient=to)[0] == KEPT
    assert post.give(answer_of(uid, "guest@acme.example", "DECLINED", **VOUCHED), recipient=to)[0] == KEPT
    assert answers(client, tracking) == {customer[1]: "accepted", "guest@acme.example": "declined"}
    assert post.give(answer_of(uid, customer[1], "TENTATIVE", "COUNTER"), recipient=to)[0] == KEPT
    assert answers(client, tracking)[customer[1]] == "counter"
    note = comments(client, tracking)[-1]
    assert f"Meeting {uid}: TENTATIVE, proposes 20300101T100000Z" in note["body"]["text"] and not note["public"]
    assert ticket_of(client.show(tracking))["state"] == "waiting_customer"
    shown = stack.docket("show", tracking).stdout
    assert re.search(rf"{re.escape(customer[1])}\s+counter", shown) and re.search(r"guest@acme.example\s+declined", shown)
    client.call("ticket.meeting", tracking=tracking, meeting=one, at=time.time_ns() // 1000 + 9000_000_000, as_=ADA)
    assert set(answers(client, tracking).values()) == {None}, "a meeting that moved is answered anew"


def invitations(stack, address, count):
    """The iCalendar objects of the mails to address, as another reader sees them, with their mails."""
    def found():
        mails = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
        parts = [(mail, part) for mail in mails if address in mail["To"] for part in mail.walk() if part.get_content_type() == "text/calendar"]
        return len(parts) >= count and [(mail, part, icalendar.Calendar.from_ical(part.get_content())) for mail, part in parts]
    return wait_until(found)


def reply_of(invitation, attendee, said, dialect):
    """A REPLY as the calendar of a mail program makes it of an invitation (RFC 5546, 3.2.3), to the organizer and to no other address."""
    event = invitation.walk("VEVENT")[0]
    answer, inner = icalendar.Calendar(), icalendar.Event()
    for name, value in (("PRODID", f"-//{dialect}//EN"), ("VERSION", "2.0"), ("METHOD", "REPLY")):
        answer.add(name, value)
    for name in ("UID", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY"):
        inner[name] = event[name]
    inner["ORGANIZER"] = event["ORGANIZER"]
    who = icalendar.vCalAddress(("MAILTO:" if dialect == "Outlook" else "mailto:") + attendee)
    who.params["PARTSTAT"] = icalendar.vText(said)
    inner.add("ATTENDEE", who, encode=0)
    answer.add_component(inner)
    message = mail(attendee, f"{said}: {event['SUMMARY']}", "" if dialect == "Outlook" else f"{attendee} has answered.\n")
    params = {} if dialect == "Thunderbird" else {"method": "reply" if dialect == "Gmail" else "REPLY"}
    message.add_alternative(answer.to_ical().decode(), subtype="calendar", params=params)
    if dialect == "Gmail":
        message.add_attachment(answer.to_ical(), maintype="application", subtype="ics", filename="invite.ics")
    return message, str(event["ORGANIZER"]).partition(":")[2]


@pytest.mark.parametrize("dialect", ["Outlook", "Gmail", "Thunderbird"])
def test_a_calendar_that_answers_the_organizer_is_heard_without_any_vouching(stack, client, post, customer, meeting, dialect):
    tracking, one, _ = meeting
    sent, part, invitation = invitations(stack, customer[1], 1)[0]
    event = invitation.walk("VEVENT")[0]
    assert invitation["METHOD"] == "REQUEST" and part.get_param("method") == "REQUEST"
    assert event["ORGANIZER"].params["SENT-BY"] == "mailto:desk@localhost" and "desk@localhost" in sent["From"]
    assert event["SUMMARY"] == f"[{tracking}] {ticket_of(client.show(tracking))['title']}"
    invited = event["ATTENDEE"] if isinstance(event["ATTENDEE"], list) else [event["ATTENDEE"]]
    assert {who.params["PARTSTAT"] for who in invited} == {"NEEDS-ACTION"} and f"mailto:{customer[1]}" in invited
    reply, organizer = reply_of(invitation, customer[1], "ACCEPTED", dialect)
    assert post.give(reply, sender=customer[1], recipient=organizer)[0] == KEPT
    assert answers(client, tracking)[customer[1]] == "accepted"


def test_an_answer_to_a_time_that_holds_no_more_does_not_stand_at_the_new_one(stack, client, post, customer, meeting):
    tracking, one, _ = meeting
    first = invitations(stack, customer[1], 1)[0][2]
    client.call("ticket.meeting", tracking=tracking, meeting=one, at=time.time_ns() // 1000 + 9000_000_000, as_=ADA)
    second = invitations(stack, customer[1], 2)[1][2]
    then, now = (one.walk("VEVENT")[0] for one in (first, second))
    assert now["UID"] == then["UID"] and now["ORGANIZER"] == then["ORGANIZER"] and now["SUMMARY"] == then["SUMMARY"] and now["SEQUENCE"] > then["SEQUENCE"]
    late, organizer = reply_of(first, customer[1], "ACCEPTED", "Outlook")
    assert post.give(late, sender=customer[1], recipient=organizer)[0] == KEPT
    assert answers(client, tracking)[customer[1]] is None and "ACCEPTED" in comments(client, tracking)[-1]["body"]["text"]
    assert post.give(reply_of(second, customer[1], "DECLINED", "Outlook")[0], sender=customer[1], recipient=organizer)[0] == KEPT
    assert answers(client, tracking)[customer[1]] == "declined"
    client.call("ticket.meeting", tracking=tracking, meeting=one, cancel=True, as_=ADA)
    _, part, over = invitations(stack, customer[1], 3)[2]
    event = over.walk("VEVENT")[0]
    assert over["METHOD"] == "CANCEL" == part.get_param("method") and event["STATUS"] == "CANCELLED" and event["UID"] == now["UID"] and event["SEQUENCE"] > now["SEQUENCE"]


def test_answers_that_are_not_the_invited_ones_stay_notes(stack, client, post, customer, meeting):
    tracking, one, uid = meeting
    to = reply_address(stack, customer[1])
    others = client.submit(customer=customer[0])
    spoofed = answer_of(uid, "guest@acme.example")
    spoofed.replace_header("Subject", f"Accepted [{tracking}]")
    stranger = answer_of(uid, "stranger@acme.example")
    for wrong, recipient in ((spoofed, "desk@localhost"), (stranger, to), (answer_of(f"{one}@{others}.docket", customer[1]), to),
                             (answer_of(f"nobody@{tracking}.docket", customer[1]), to), (answer_of("x" * 300, customer[1]), to),
                             (answer_of(uid, customer[1], "NEEDS-ACTION"), to), (answer_of(f"m-._'@{tracking}.docket", customer[1]), to)):
        before = len(comments(client, tracking))
        assert post.give(wrong, recipient=recipient)[0] == KEPT
        assert len(comments(client, tracking)) == before + 1 and not comments(client, tracking)[-1]["public"]
    assert set(answers(client, tracking).values()) == {None}


def test_an_alert_is_acknowledged_by_answering_its_mail(stack, client, post):
    tracking = client.submit(impact="down")
    alert = wait_until(lambda: client.call("alert.list", tracking=tracking)["alerts"])[0]["alert"]

    def page():
        mails = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
        return [mail for mail in mails if "staff@localhost" in mail["To"] and tracking in mail["Subject"] and mail["Reply-To"]]
    to = wait_until(page)[0]["Reply-To"]
    assert post.give(mail("staff@localhost", "Re", "On holiday", Auto_Submitted="auto-replied"), recipient=to)[0] == KEPT
    status, words = post.give(mail("staff@localhost", "Re", "what is this?"), recipient=to)
    assert status == REFUSED and "ack" in words
    assert client.call("alert.show", alert=alert)["alert"]["state"] == "open"
    assert post.give(mail("staff@localhost", "Re", "ack\n\n> P1"), recipient=to)[0] == KEPT
    shown = client.call("alert.show", alert=alert)
    assert shown["alert"]["state"] == "acknowledged"
    assert shown["alert"]["acked_by"] in [delivery["recipient"] for message in shown["messages"] for delivery in message["deliveries"]]


def alert_and_page(stack, client):
    """A P1: (tracking, alert, Reply-To of its first page)."""
    tracking = client.submit(impact="down")
    alert = wait_until(lambda: client.call("alert.list", tracking=tracking)["alerts"])[0]["alert"]

    def page():
        mails = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
        return [mail for mail in mails if "staff@localhost" in mail["To"] and tracking in mail["Subject"] and mail["Reply-To"]]
    mail_ = wait_until(page)[0]
    assert "ack take" in mail_.get_body(("plain",)).get_content()
    return tracking, alert, mail_["Reply-To"]


def test_ack_take_in_a_mail_takes_the_ticket_too_and_once(stack, client, post):
    tracking, alert, to = alert_and_page(stack, client)
    answer = mail("staff@localhost", "Re", "Ack  take.\n\n> P1")
    assert post.give(answer, recipient=to)[0] == KEPT and post.give(answer, recipient=to)[0] == KEPT
    shown = client.call("alert.show", alert=alert)["alert"]
    assert shown["state"] in ("acknowledged", "resolved")
    ticket = ticket_of(client.show(tracking))
    assert ticket["state"] == "in_progress" and ticket["assignee"] == "desk"
    assert [event["kind"] for event in client.show(tracking)["events"]].count("taken") == 1


def test_an_answer_to_an_old_page_does_not_acknowledge_what_was_opened_again(stack, client, post):
    _, alert, to = alert_and_page(stack, client)
    assert post.give(mail("staff@localhost", "Re", "ack"), recipient=to)[0] == KEPT
    client.call("alert.unack", alert=alert, as_=ADA)
    status, words = post.give(mail("staff@localhost", "Re", "ack"), recipient=to)
    assert status == REFUSED and "opened again" in words
    assert client.call("alert.show", alert=alert)["alert"]["state"] == "open"
    client.call("alert.resolve", alert=alert, as_=ADA)


# ---- what is refused, and when to come again ----


def test_what_is_no_mail_or_too_large_is_refused(post, customer):
    for junk in (b"", b"hello\n", b"GET / HTTP/1.1\r\n\r\n", b"From: a@b\n\nx\0y", bytes(range(256)) * 8):
        assert post.give(junk)[0] == NO_MESSAGE, junk[:20]
    head = f"From: {customer[1]}\nSubject: big\n\n".encode()
    assert post.give(head + b"x" * (25 << 20))[0] == TOO_LARGE
    assert post.give(b"From: a@b\n" + b"X: " + b"y" * 9000 + b"\n\nx")[0] == TOO_LARGE
    assert post.give(head + b"--b\n" * 1001)[0] == TOO_LARGE


def test_words_beside_large_pictures_are_kept(client, post, customer):
    message = mail(customer[1], text="It looks so.\n")
    for name in ("one.jpg", "two.jpg"):
        message.add_attachment(os.urandom(7 << 20), maintype="image", subtype="jpeg", filename=name)
    assert post.give(message)[0] == KEPT
    problem = only_ticket(client, customer[0])["problem"]
    assert "It looks so." in problem and "one.jpg (image/jpeg, 7340032 bytes), two.jpg" in problem


def test_a_huge_text_is_cut_and_kept(client, post, customer):
    assert post.give(mail(customer[1], "s" * 990, "start " + "wörter " * 200000))[0] == KEPT
    ticket = only_ticket(client, customer[0])
    assert ticket["problem"].startswith("start wörter") and "cut" in ticket["problem"] and len(ticket["problem"].encode()) <= 65536
    assert len(ticket["title"]) == 200


def test_without_a_broker_the_mail_server_tries_again(stack, customer):
    away = Post(stack, brokers="['tcp://127.0.0.1:9']", timeout="1s")
    status, words = away.give(mail(customer[1]))
    assert status == LATER and "no answer" in words


def test_wrong_settings_are_told_and_name_the_line(stack, customer):
    status, words = Post(stack, no_such="1").give(mail(customer[1]))
    assert status == CONFIGURATION and "no_such" in words and ".yaml:" in words
    status, words = Post(stack, token_key_file="/nonexistent").give(mail(customer[1]))
    assert status == CONFIGURATION and "token_key_file" in words
