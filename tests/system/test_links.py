"""Signed links: what a person without a client can do with a mail and a browser, and what a scanner, a stranger and a second press cannot."""

import base64
import contextlib
import email
import email.policy
import hashlib
import hmac
import http.client
import random
import re
import signal
import threading
import time
import urllib.parse

import browser
import pytest
from helpers import ADA, Stack, alive, ticket_of, wait_until

HOSTILE = "</p><script>alert('x')</script><img src=x onerror=alert(1)> {{tracking}} \u202e&lt;\"'"


def mails_to(stack, address):
    mails = [email.message_from_string(text, policy=email.policy.default) for text in stack.mails()]
    return [mail for mail in mails if address in mail["To"]]


def link_in(mail):
    found = re.search(r"http://127\.0\.0\.1:\d+/l/[A-Za-z0-9_-]+", mail.get_body(("plain",)).get_content())
    return found and found.group(0)


def link_to(stack, address, count=1):
    """The link of the count-th mail with one."""
    return wait_until(lambda: (links := [link for mail in mails_to(stack, address) if (link := link_in(mail))])[count - 1:] and links[count - 1])


def visit(url, method="GET", form=None, headers=None):
    """(status, headers, text) without following redirects."""
    parts = urllib.parse.urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=30)) as connection:
        body = None if form is None else form if isinstance(form, (str, bytes)) else urllib.parse.urlencode(form)
        connection.request(method, parts.path, body, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def press(url, **form):
    """A button: what the page shows after the redirect."""
    status, headers, text = visit(url, "POST", form)
    if status != 303:
        return status, text
    status, _, text = visit(urllib.parse.urljoin(url, headers["Location"]))
    return status, text


def state_of(client, tracking):
    return ticket_of(client.show(tracking))["state"]


def last_event(client, tracking, kind):
    return [event for event in client.show(tracking)["events"] if event["kind"] == kind][-1]


def resolved(stack, client, text="It was the cable.", **fields):
    """(tracking, link) of a ticket that waits for its approval."""
    address = f"p{random.getrandbits(48):x}@localhost"
    tracking = client.submit(contact={"name": "Zoë", "email": address}, **fields)
    client.decided(tracking)
    client.call("ticket.resolve", tracking=tracking, text=text, as_=ADA)
    return tracking, link_to(stack, address), address


def test_a_look_changes_nothing_and_the_button_approves_as_the_one_it_was_sent_to(stack, client):
    tracking, link, address = resolved(stack, client)
    for method in ("GET", "HEAD", "GET"):
        status, headers, text = visit(link, method)
        assert status == 200
    assert "It was the cable." in text and tracking in text and 'method="post"' in text
    assert state_of(client, tracking) == "resolved"
    status, text = press(link, do="approve")
    assert status == 200 and "solved" in text and "<form" not in text
    assert state_of(client, tracking) == "closed"
    assert last_event(client, tracking, "approved")["as"]["name"] == address
    assert last_event(client, tracking, "approved")["as"]["role"] == "customer"


def test_a_second_press_shows_the_result_and_changes_nothing(stack, client):
    tracking, link, _ = resolved(stack, client)
    press(link, do="reject", text="Still humming.")
    version = ticket_of(client.show(tracking))["version"]
    assert last_event(client, tracking, "rejected")["body"]["text"] == "Still humming."
    for button in ("reject", "approve"):
        status, text = press(link, do=button)
        assert status == 200 and "not solved yet" in text
    events = [event["kind"] for event in client.show(tracking)["events"]]
    assert "approved" not in events and events.count("rejected") == 1
    assert ticket_of(client.show(tracking))["version"] >= version


def test_an_old_link_does_not_judge_a_new_resolution(stack, client):
    tracking, first, address = resolved(stack, client)
    client.call("ticket.reject", tracking=tracking, text="no", as_={"name": "z", "role": "customer"})
    client.call("ticket.resolve", tracking=tracking, text="Another cable.", as_=ADA)
    second = link_to(stack, address, 2)
    assert first != second
    _, _, text = visit(first)
    assert "<form" not in text and "Another cable." not in text
    press(first, do="approve")
    assert state_of(client, tracking) == "resolved"
    press(second, do="approve")
    assert state_of(client, tracking) == "closed"


def test_a_comment_between_look_and_press_does_not_lose_the_press(stack, client):
    tracking, link, _ = resolved(stack, client)
    visit(link)
    client.call("ticket.comment", tracking=tracking, text="noted", public=False, as_=ADA)
    press(link, do="approve")
    assert state_of(client, tracking) == "closed"


def test_of_buttons_pressed_at_once_one_counts_and_all_are_told_which(stack, client):
    """A second browser, a finger that was not sure: whatever was pressed first, each sees that."""
    for _ in range(4):
        tracking, link, _ = resolved(stack, client)
        shown = []
        fingers = [threading.Thread(target=lambda do=do: shown.append(press(link, do=do))) for do in ("approve", "reject") * 4]
        for finger in fingers:
            finger.start()
        for finger in fingers:
            finger.join()
        kind, = [event["kind"] for event in client.show(tracking)["events"] if event["kind"] in ("approved", "rejected")]
        words = {"approved": "You told us that it is solved", "rejected": "not solved yet"}[kind]
        assert len(shown) == 8 and all(status == 200 and words in text for status, text in shown), (kind, shown)


def aged(link, key):
    """The same link, had it been made so long ago that its time ended a second ago."""
    base, token = link.rsplit("/", 1)
    body = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[:-24])
    body[13:21] = (time.time_ns() // 1000 - 1_000_000).to_bytes(8, "big")
    mac = hmac.new(bytes.fromhex(key), b"L" + body, hashlib.sha256).digest()[:24]
    return f"{base}/{base64.urlsafe_b64encode(bytes(body) + mac).rstrip(b'=').decode()}"


def test_a_link_whose_time_is_over_says_so_and_does_nothing(stack, client):
    tracking, link, _ = resolved(stack, client)
    late = aged(link, (stack.home / "h/etc/token.key").read_text().split()[0])
    status, _, text = visit(late)
    assert status == 410 and "<form" not in text and "too old" in text
    assert visit(late, "POST", {"do": "approve"})[0] == 410
    assert state_of(client, tracking) == "resolved"
    assert visit(link)[0] == 200


@pytest.mark.limit(180)
def test_a_link_is_good_as_long_as_its_key_stands_in_the_file():
    own = Stack()
    key, client = own.home / "h/etc/token.key", own.client()

    def change_key(text):
        key.write_text(text)
        own.kill("notifier-1", signal.SIGTERM)
        wait_until(lambda: not alive(own.pid("notifier-1")))
        own.up()

    try:
        old, new = key.read_text(), f"{random.getrandbits(256):064x}\n"
        one, first, _ = resolved(own, client)
        other, second, _ = resolved(own, client)
        change_key(new + old)
        assert press(first, do="approve")[0] == 200 and state_of(client, one) == "closed"
        _, third, _ = resolved(own, client)
        change_key(new)
        status, _, text = visit(second)
        assert status == 404 and "not right" in text and visit(second, "POST", {"do": "approve"})[0] == 404
        assert state_of(client, other) == "resolved" and visit(third)[0] == 200
    finally:
        client.close()
        own.close()


def test_next_steps_are_agreed_or_declined(stack, client):
    for button, kind in (("agree", "agreed"), ("decline", "declined")):
        address = f"p{random.getrandbits(48):x}@localhost"
        tracking = client.submit(contact={"email": address})
        client.decided(tracking)
        client.call("ticket.cannot_resolve", tracking=tracking, reason="The maker stopped it.", proposal="A new one by Monday.", as_=ADA)
        link = link_to(stack, address)
        _, _, text = visit(link)
        assert "The maker stopped it." in text and "A new one by Monday." in text
        assert press(link, do=button, text="by noon")[0] == 200
        assert last_event(client, tracking, kind)["body"]["text"] == "by noon"
        assert "by noon" not in visit(link)[2] and "<form" not in visit(link)[2]


def open_alert(stack, client, tracking):
    """(alert, link of its page to staff) of a P1."""
    alert = wait_until(lambda: client.call("alert.list", tracking=tracking)["alerts"])[0]
    page = wait_until(lambda: [mail for mail in mails_to(stack, "staff@localhost") if tracking in str(mail["Subject"]) and link_in(mail)])[0]
    return alert["alert"], link_in(page)


def test_an_alert_is_acknowledged_by_its_link_as_who_was_paged(stack, client):
    tracking = client.submit(impact="down")
    alert, link = open_alert(stack, client, tracking)
    status, _, text = visit(link)
    assert status == 200 and tracking in text and "Acknowledge" in text
    assert client.call("alert.show", alert=alert)["alert"]["state"] == "open"
    status, text = press(link, do="acknowledge")
    assert status == 200 and "Acknowledged" in text and "<form" not in text
    shown = client.call("alert.show", alert=alert)["alert"]
    told = [delivery["recipient"] for message in client.call("alert.show", alert=alert)["messages"] for delivery in message["deliveries"]]
    assert shown["state"] == "acknowledged" and shown["acked_by"] in told
    assert "Acknowledged" in press(link, do="acknowledge")[1]


def test_acknowledging_and_taking_in_one_step(stack, client):
    tracking = client.submit(impact="down")
    alert, link = open_alert(stack, client, tracking)
    client.decided(tracking)
    press(link, do="take")
    acked_by = client.call("alert.show", alert=alert)["alert"]["acked_by"]
    assert acked_by and ticket_of(client.show(tracking))["assignee"] == acked_by
    assert "The ticket is with" in visit(link)[2]


def test_taking_behind_acknowledging_takes_and_the_page_says_who_has_the_ticket(stack, client):
    """Both buttons were pressed, the one just before the other."""
    tracking = client.submit(impact="down")
    alert, link = open_alert(stack, client, tracking)
    client.decided(tracking)
    assert "Nobody has the ticket yet" in press(link, do="acknowledge")[1]
    assert "The ticket is with" in press(link, do="take")[1]
    acked_by = client.call("alert.show", alert=alert)["alert"]["acked_by"]
    assert ticket_of(client.show(tracking))["assignee"] == acked_by
    client.call("ticket.assign", tracking=tracking, staff="ben", as_=ADA)
    assert "The ticket is with ben" in press(link, do="take")[1], "a link acts once"


def test_what_is_no_link_or_no_button_of_it_is_refused(stack, client):
    tracking, link, _ = resolved(stack, client)
    base, token = link.rsplit("/", 1)
    turned = token[:-1] + ("A" if token[-1] != "A" else "B")
    for bad in (base + "/" + turned, base + "/" + token[:-3], base + "/", base + "/" + "A" * 90, base + "/%00", base[:-2] + "/", base + "/../metrics"):
        assert visit(bad)[0] == 404, bad
        assert visit(bad, "POST", {"do": "approve"})[0] == 404, bad
    for form in ({}, {"do": "acknowledge"}, {"do": "agree"}, {"do": "x" * 100}, "do=approve%00", {"do": "reject", "text": b"\xff\xfe"}):
        assert visit(link, "POST", form)[0] == 404, form
    assert visit(link, "POST", {"do": "reject", "text": "x" * 70000})[0] == 413
    for method in ("PUT", "OPTIONS", "TRACE"):
        status, headers, _ = visit(link, method, {"do": "approve"})
        assert status == 405 and headers["Allow"] == "GET, HEAD, POST"
    assert state_of(client, tracking) == "resolved"


def test_pages_allow_no_script_no_frame_no_referrer_and_texts_stay_texts(stack, client):
    _, link, _ = resolved(stack, client, text=HOSTILE, title=HOSTILE)
    status, headers, text = visit(link)
    assert status == 200 and "<script" not in text and "<img" not in text and "{{tracking}}" in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'") and "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert visit(urllib.parse.urljoin(link, "../style.css"))[1]["Content-Type"].startswith("text/css")


def test_a_link_in_the_customers_language(stack, client):
    name = f"c{random.getrandbits(40):x}"
    client.call("customer.put", customer={"id": name, "name": "C", "package": "standard", "locale": "de-AT"}, as_=ADA)
    _, link, _ = resolved(stack, client, customer=name)
    assert "Ja, es ist gelöst" in visit(link)[2]
    assert "stimmt nicht" in visit(link[:-3], headers={"Accept-Language": "de"})[2]


@pytest.fixture(scope="module")
def phone():
    assert browser.available(), "chromium and chromium-driver are missing: make deps"
    one = browser.Browser()
    yield one
    one.close()


def test_in_a_browser_on_a_telephone_without_scripts(stack, client, phone):
    long_word = "x" * 400
    tracking, link, _ = resolved(stack, client, text=f"{HOSTILE}\n{long_word}", title="No dial tone " + "y" * 150)
    phone.open(link)
    assert "alert('x')" in phone.text() and long_word in phone.text()
    assert phone.css("button", "background-color") != "rgba(0, 0, 0, 0)" and float(phone.css("button", "height").rstrip("px")) >= 44
    for element in phone.all("h1, p, button, textarea"):
        rect = phone.rect(element)
        assert rect["x"] >= 0 and rect["x"] + rect["width"] <= browser.WIDTH, rect
    phone.type("textarea", "It still hums: ä ☎")
    phone.press("button[value=reject]")
    wait_until(lambda: phone.all(".done"))
    assert "not solved yet" in phone.text(".done")
    assert last_event(client, tracking, "rejected")["body"]["text"] == "It still hums: ä ☎"
    assert not phone.all("form")


def test_words_of_both_directions_keep_their_own(stack, client, phone):
    tracking = client.submit(impact="down", title="\u05ea\u05e7\u05dc\u05d4 (line 2)")
    _, link = open_alert(stack, client, tracking)
    phone.open(link)
    title, head = (phone.rect(phone.all(selector)[0]) for selector in ("h1 bdi", "h1"))
    assert phone.css("h1 bdi", "unicode-bidi") == "isolate" and head["x"] < title["x"] < head["x"] + head["width"]
    assert phone.css(".said", "unicode-bidi") == "plaintext"


def test_a_browser_keeps_its_connection(stack, client):
    tracking, link, _ = resolved(stack, client)
    parts = urllib.parse.urlsplit(link)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=10)) as connection:
        for method, form, status in (("GET", None, 200), ("POST", "do=reject&text=", 303), ("GET", None, 200), ("GET", None, 200)):
            connection.request(method, parts.path, form, {"Content-Type": "application/x-www-form-urlencoded"} if form else {})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
    assert state_of(client, tracking) == "in_progress"
