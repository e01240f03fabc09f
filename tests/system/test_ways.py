"""An alert that climbs over every way there is: webhook, XMPP, telephone, text message; and whoever answers over one of them stops the rest."""

import json
import re

import prosody
import pytest
from helpers import wait_until
from http_server import HttpServer
from test_gateway import post
from test_gateway import Desk as GatewayDesk
from test_links import press, visit

PEOPLE = {"hook": "webhook", "ada": "xmpp", "ben": "phone", "cy": "sms", "eve": "email"}
ORDERS = {"all": ["hook", "ada", "ben", "cy", "eve"], "hook": ["hook", "ada"], "chat": ["ada", "ben"], "call": ["ben", "cy"], "text": ["cy", "hook"]}
PAUSE_S = 3


def policy(name, order):
    levels = ", ".join(f"{{after: {n * PAUSE_S}s, tell: [person:{who}]}}" for n, who in enumerate(order))
    return f"  {name}: {{levels: [{levels}], repeat: {{every: 1h, loops: 1}}, last_resort: {{tell: [ops], every: 1h}}}}\n"


ESCALATION = ("channels: {urgent: [webhook, xmpp, phone, sms, email]}\npolicies:\n" + "".join(policy(*each) for each in ORDERS.items()) +
              "match:\n" + "".join(f"  - {{queue: {name}, policy: {name}}}\n" for name in ORDERS) + "  - {policy: all}\n")
RULES = "".join(f"- rule: {name}\n  when: {{field: title, contains: by-{name}}}\n  then: {{priority: 1, queue: {name}}}\n" for name in ORDERS)


class Desk(GatewayDesk):
    """The desk of the gateway's test, with a Prosody and a receiver of webhooks beside it."""

    def __init__(self, folder):
        super().__init__(folder)
        self.chat, self.hooks = prosody.Prosody("bot", "ada"), HttpServer()
        self.ada = prosody.Person(self.chat, "ada")
        password = folder / "password"
        password.write_text(prosody.PASSWORD + "\n")
        password.chmod(0o600)
        self.stack.kill("notifier-1")
        path = self.stack.config("notifier-1")
        path.write_text(path.read_text() + f"xmpp_jid: bot@localhost/n1\nxmpp_password_file: {password}\nxmpp_server: '127.0.0.1:{self.chat.port}'\n"
                        f"xmpp_ca_file: {self.chat.cert}\n")
        addresses = {"hook": self.hooks.url("/pages"), "ada": "ada@localhost", "ben": "+43155512346", "cy": "+43155512347", "eve": "eve@localhost"}
        process = self.stack.home / "h/etc/process"
        staff = "".join(f'  {name}: {{name: {name}, {PEOPLE[name]}: "{address}"}}\n' for name, address in addresses.items())
        (process / "staff.yaml").write_text("people:\n" + staff)
        (process / "escalation.yaml").write_text(ESCALATION)
        (process / "rules/00-texts.yaml").write_text(RULES)
        done = self.stack.docket("process", "apply", str(process), "--comment", "all ways")
        assert done.returncode == 0, done.stderr
        self.stack.up()
        wait_until(lambda: "event=xmpp_up" in self.stack.log("notifier-1"), 30)

    def hooked(self, tracking):
        return [body for request in self.hooks.of("/pages") if (body := json.loads(request["body"]))["data"]["tracking"] == tracking]

    def open(self, name):
        tracking = self.client.submit(title=f"by-{name}")
        alert, = wait_until(lambda: self.client.call("alert.list", tracking=tracking)["alerts"])
        return tracking, alert["alert"]

    def close(self):
        self.ada.leave()
        super().close()
        self.chat.close()
        self.hooks.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    one = Desk(tmp_path_factory.mktemp("ways"))
    yield one
    one.close()


def test_each_way_pages_in_turn_and_an_answer_over_any_stops_the_rest(desk):
    unanswered, climbing = desk.open("all")
    opened = {name: desk.open(name) for name in ("hook", "chat", "call", "text")}
    by = {}
    # By the link that the webhook carries.
    tracking, by["hook"] = opened["hook"]
    hooked = wait_until(lambda: desk.hooked(tracking))[0]
    assert hooked["type"].startswith("alert.") and hooked["data"]["recipient"] == "hook"
    link = re.search(r"http://127\.0\.0\.1:\d+/l/[A-Za-z0-9_-]+", hooked["data"]["text"]).group(0)
    assert visit(link)[0] == 200 and desk.state(by["hook"])["state"] == "open"
    assert press(link, do="acknowledge")[0] == 200
    # By answering in the chat.
    tracking, by["chat"] = opened["chat"]
    page = wait_until(lambda: desk.ada.texts(tracking), 20)[0]
    desk.ada.say("bot@localhost", re.search(rf"ack {by['chat']} \w+", page).group(0))
    # By a key on the telephone.
    tracking, by["call"] = opened["call"]
    call = wait_until(lambda: desk.calls(tracking), 20)[0]
    assert call["gateway"]["kind"] == "call" and post(call["gateway"]["callback"], {"result": "answered", "key": "1"})[0] == 200
    # By the command line, after a text message.
    tracking, by["text"] = opened["text"]
    assert wait_until(lambda: desk.calls(tracking), 20)[0]["gateway"]["kind"] == "sms"
    assert desk.stack.docket("alert", "ack", str(by["text"]), "--as", "cy").returncode == 0
    acked = {name: wait_until(lambda alert=alert: (shown := desk.state(alert))["state"] == "acknowledged" and shown) for name, alert in by.items()}
    assert {name: shown["acked_by"] for name, shown in acked.items()} == {"hook": "hook", "chat": "ada", "call": "ben", "text": "cy"}
    # Whom nobody answered for has climbed past all of them meanwhile, one way after the other.
    wait_until(lambda: any(unanswered in mail and "eve@localhost" in mail for mail in desk.stack.mails()), 30)
    assert desk.hooked(unanswered) and desk.ada.texts(unanswered) and [c["gateway"]["kind"] for c in desk.calls(unanswered)] == ["call", "sms"]
    with desk.stack.db() as db:
        ways = db.execute("SELECT channel, recipient FROM deliveries WHERE alert = %s ORDER BY id", (climbing,)).fetchall()
        after = db.execute("SELECT count(*) FROM attempts a JOIN deliveries d ON d.id = a.delivery JOIN alerts l ON l.id = d.alert "
                           "WHERE d.alert = ANY(%s) AND d.kind = 'alert' AND a.started_at > l.acked_at", (list(by.values()),)).fetchone()[0]
    assert ways == [(PEOPLE[who], who) for who in ORDERS["all"]] and after == 0
    for name, shown in acked.items():
        steps = desk.client.call("alert.show", alert=by[name])["steps"]
        assert all(step["at"] <= shown["acked_at"] for step in steps) and len(steps) < len(ORDERS["all"]), (name, steps)


def test_a_call_nobody_took_goes_on_to_the_next_level_and_its_result_is_kept(desk):
    tracking, alert = desk.open("call")
    call = wait_until(lambda: desk.calls(tracking), 20)[0]
    wait_until(lambda: desk.stack.value("SELECT count(*) FROM deliveries WHERE alert = %s AND channel = 'phone' AND state = 3", alert))
    assert post(call["gateway"]["callback"], {"result": "no_answer"})[0] == 200
    wait_until(lambda: "sms" in [each["gateway"]["kind"] for each in desk.calls(tracking)], 20)
    assert desk.state(alert)["state"] == "open"
    assert "no_answer" in desk.stack.value("SELECT coalesce(reason, '') || coalesce(reply, '') FROM deliveries WHERE alert = %s AND channel = 'phone'", alert)
    assert desk.client.call("alert.resolve", alert=alert, as_={"name": "ben", "role": "staff"})["state"] == "resolved"
