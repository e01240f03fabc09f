"""Telephone and text messages: Docket against the sample gateway, which is the contract in code."""

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from helpers import ROOT, Stack, id_of, ticket_of, wait_until

SECRET = base64.b64encode(b"s" * 32).decode()
NUMBERS = {"ada": "+43155512345", "ben": "+43155512346", "cy": "+43155512347"}

ESCALATION = """
policies:
  p1: {levels: [{after: 0m, tell: [person:ada]}], repeat: {every: 1h, loops: 1}, last_resort: {tell: [ops], every: 1h}}
  texts: {levels: [{after: 0m, tell: [person:ben]}], repeat: {every: 1h, loops: 1}, last_resort: {tell: [ops], every: 1h}}
  storm: {levels: [{after: 0m, tell: [person:cy]}, {after: 6s, tell: [person:cy]}], repeat: {every: 1h, loops: 1}, last_resort: {tell: [ops], every: 1h}}
match:
  - {cause: texts, policy: texts}
  - {cause: storm, policy: storm}
  - {policy: p1}
"""


class Desk:
    def __init__(self, folder):
        self.file, secret, secrets = folder / "calls.jsonl", folder / "gateway.secret", folder / "secrets"
        self.file.touch()
        secret.write_text(f"whsec_{SECRET}\n")
        secrets.write_text(f"127.0.0.1 whsec_{SECRET}\n")
        secrets.chmod(0o600)
        self.gateway = subprocess.Popen([sys.executable, str(ROOT / "examples/gateway/gateway.py"), "--listen", "127.0.0.1:0", "--secret-file", str(secret),
                                         "--calls", "file", "--texts", "file", "--file", str(self.file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = "http://" + self.gateway.stdout.readline().split()[-1] + "/"
        self.stack = Stack()
        self.client = self.stack.client()
        path = self.stack.config("notifier-1")
        self.stack.kill("notifier-1")
        path.write_text(path.read_text() + f"gateway_url: {self.url}\nwebhook_secrets_file: {secrets}\nhttp_allow: [127.0.0.1]\n")
        process = self.stack.home / "h/etc/process"
        people = f'  ada: {{name: Ada, phone: "{NUMBERS["ada"]}", email: ada@localhost}}\n  ben: {{name: Ben, sms: "{NUMBERS["ben"]}"}}\n  cy: {{name: Cy, phone: "{NUMBERS["cy"]}"}}\n'
        (process / "staff.yaml").write_text(re.sub(r"^people:.*\n", lambda _: "people:\n" + people, (process / "staff.yaml").read_text(), flags=re.M))
        (process / "escalation.yaml").write_text(ESCALATION)
        (process / "rules/00-texts.yaml").write_text("- rule: texts\n  when: {field: title, contains: by-text}\n  then: {priority: 2, alert: texts}\n")
        (process / "rules/01-storm.yaml").write_text("- rule: storm\n  when: {field: title, contains: in-a-storm}\n  then: {priority: 1, alert: storm}\n")
        notify = process / "notify.yaml"
        notify.write_text(notify.read_text().replace("summary_after: 2m", "summary_after: 3s"))
        done = self.stack.docket("process", "apply", str(process), "--comment", "gateway")
        assert done.returncode == 0, done.stderr
        self.stack.up()

    def calls(self, tracking):
        """What the gateway took about the ticket of this number; speech spells digits."""
        return [call for line in self.file.read_text().splitlines() if (call := json.loads(line))["data"]["tracking"] == tracking]

    def page(self, **fields):
        """(tracking, alert, the call)"""
        tracking = self.client.submit(**fields)
        alert = wait_until(lambda: self.client.call("alert.list", tracking=tracking)["alerts"])[0]["alert"]
        return tracking, alert, wait_until(lambda: self.calls(tracking), 20)[0]

    def state(self, alert):
        return self.client.call("alert.show", alert=alert)["alert"]

    def close(self):
        self.stack.close()
        self.gateway.kill()
        self.gateway.wait()


def post(url, body, headers=None):
    """(status, answer) as a gateway says it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    one = Desk(tmp_path_factory.mktemp("gateway"))
    yield one
    one.close()


def test_a_p1_calls_and_a_key_acknowledges(desk):
    tracking, alert, call = desk.page(impact="down", title="Exchange 42 is silent")
    assert call["gateway"]["kind"] == "call" and call["gateway"]["to"] == NUMBERS["ada"] and call["gateway"]["keys"]["1"] == "acknowledge"
    assert "Exchange 4 2 is silent" in call["data"]["text"] and "Press 1" in call["data"]["text"] and len(call["data"]["text"]) <= 600
    status, answer = post(call["gateway"]["callback"], {"result": "answered", "key": "1"})
    assert status == 200 and "Acknowledged" in answer["say"]
    assert desk.state(alert)["state"] == "acknowledged" and desk.state(alert)["acked_by"] == "ada"
    assert post(call["gateway"]["callback"], {"result": "answered", "key": "1"})[0] == 200
    assert len(desk.calls(tracking)) == 1


def test_key_two_takes_the_ticket_too(desk):
    tracking, alert, call = desk.page(impact="down")
    desk.client.decided(tracking)
    assert "yours" in post(call["gateway"]["callback"], {"result": "answered", "key": "2"})[1]["say"]
    assert ticket_of(desk.client.show(tracking))["assignee"] == "ada"


def test_nobody_took_the_call_so_the_next_channel_starts(desk):
    tracking, alert, call = desk.page(impact="down")
    wait_until(lambda: desk.stack.value("SELECT count(*) FROM deliveries WHERE alert = %s AND channel = 'phone' AND state = 3", alert))
    assert not [text for text in desk.stack.mails() if "ada@localhost" in text and tracking in text]
    assert post(call["gateway"]["callback"], {"result": "no_answer"})[0] == 200
    wait_until(lambda: [text for text in desk.stack.mails() if "ada@localhost" in text and tracking in text], 20)
    assert desk.state(alert)["state"] == "open"
    assert "no_answer" in desk.stack.value("SELECT reason FROM deliveries WHERE alert = %s AND channel = 'phone'", alert)


def test_answered_without_a_key_is_noted_and_acknowledges_nothing(desk):
    _, alert, call = desk.page(impact="down")
    wait_until(lambda: desk.stack.value("SELECT count(*) FROM deliveries WHERE alert = %s AND channel = 'phone' AND state = 3", alert))
    assert post(call["gateway"]["callback"], {"result": "answered"}) == (200, {"say": "Noted."})
    assert desk.state(alert)["state"] == "open"
    assert desk.stack.value("SELECT reply FROM deliveries WHERE alert = %s AND channel = 'phone'", alert) == "answered"


def test_a_key_pressed_after_all_is_over_says_so(desk):
    tracking, alert, call = desk.page(impact="down")
    desk.client.decided(tracking)
    desk.client.call("alert.resolve", alert=alert, as_={"name": "ben", "role": "staff"})
    press = lambda key: post(call["gateway"]["callback"], {"result": "answered", "key": key})
    assert press("1") == (200, {"say": "It is resolved already. Thank you."})
    desk.client.call("ticket.close", tracking=tracking, reason="withdrawn", text="It rang by mistake.", as_={"name": "ben", "role": "staff"})
    assert press("2") == (200, {"say": "It is resolved already, and the ticket cannot be taken."})
    assert desk.state(alert)["state"] == "resolved" and ticket_of(desk.client.show(tracking))["assignee"] is None


def test_a_key_that_is_no_text_is_refused_not_taken_for_none(desk):
    """Else who pressed 1 hears "Noted." from a gateway that sends numbers, and is called again and again."""
    _, alert, call = desk.page(impact="down")
    assert post(call["gateway"]["callback"], {"result": "answered", "key": 1})[0] == 400
    assert post(call["gateway"]["callback"], {"result": "answered", "key": None}) == (200, {"say": "Noted."})
    assert desk.state(alert)["state"] == "open"


def test_a_text_message(desk):
    tracking, _, text = desk.page(title="by-text")
    assert text["gateway"]["kind"] == "sms" and text["gateway"]["to"] == NUMBERS["ben"] and "keys" not in text["gateway"]
    assert tracking in text["data"]["text"] and len(text["data"]["text"]) <= 459


def test_more_texts_than_a_telephone_bears_come_as_one_summary(desk):
    one = [desk.client.submit(title="by-text") for _ in range(6)]
    told = lambda: [call["type"] for call in map(json.loads, desk.file.read_text().splitlines()) if call["gateway"]["to"] == NUMBERS["ben"]]
    wait_until(lambda: "alert.digest" in str(told()) or "digest" in str(told()), 30)
    assert len([kind for kind in told() if "digest" not in kind]) <= 3, "three in a quarter of an hour"
    wait_until(lambda: not desk.stack.value("SELECT count(*) FROM deliveries WHERE channel = 'sms' AND ticket = ANY (%s) AND kind = 'alert' AND state NOT IN (3, 7)",
                                            [id_of(tracking) for tracking in one]))


def test_pages_of_p1_over_the_limit_are_joined_into_one_call_that_acknowledges_all(desk):
    """Each incident's first call comes at once, limit or not; their next ones are one call that tells how many and the worst."""
    incidents = [desk.client.submit(title=f"in-a-storm {n}") for n in range(5)]
    calls = lambda: [call for call in map(json.loads, desk.file.read_text().splitlines()) if call["gateway"]["to"] == NUMBERS["cy"]]
    alerts = [wait_until(lambda tracking=tracking: desk.client.call("alert.list", tracking=tracking)["alerts"])[0]["alert"] for tracking in incidents]
    wait_until(lambda: len({call["data"].get("tracking") for call in calls()} & set(incidents)) == 5, 20)
    joined, = wait_until(lambda: [call for call in calls() if call["type"] == "alert.alerts"], 40)
    assert len(calls()) == 6, "three in a quarter of an hour are over, so nothing of the second step goes alone"
    text = joined["data"]["text"]
    assert "5 alerts of priority 1" in text and "in-a-storm 0" in text and len(text) <= 600, text
    assert joined["gateway"]["keys"] == {"1": "acknowledge all"}
    wait_until(lambda: desk.stack.value("SELECT count(*) FROM deliveries WHERE alert = ANY (%s) AND kind = 'alert' AND state = 7", alerts) == 5)
    status, answer = post(joined["gateway"]["callback"], {"result": "answered", "key": "2"})
    assert status == 200 and "Acknowledged" in answer["say"]
    assert {(desk.state(alert)["state"], desk.state(alert)["acked_by"]) for alert in alerts} == {("acknowledged", "cy")}
    assert post(joined["gateway"]["callback"], {"result": "answered", "key": "1"})[0] == 200
    assert not [ticket for tracking in incidents if (ticket := ticket_of(desk.client.show(tracking))["assignee"])], "none was named, so none is taken"


def test_a_call_nobody_took_counts_also_before_the_gateways_own_answer_is_written(desk):
    """It may be quicker than its own 2xx, or that was lost: the next channel starts all the same."""
    tracking, alert, call = desk.page(impact="down")
    wait_until(lambda: desk.stack.value("SELECT count(*) FROM deliveries WHERE alert = %s AND channel = 'phone' AND state = 3", alert))
    with desk.stack.db() as db:
        db.execute("UPDATE deliveries SET state = 1, token = 1, lease_until = docket_now() + 60000000 WHERE alert = %s AND channel = 'phone'", (alert,))
    assert post(call["gateway"]["callback"], {"result": "busy"})[0] == 200
    wait_until(lambda: [text for text in desk.stack.mails() if "ada@localhost" in text and tracking in text], 20)
    assert desk.stack.value("SELECT reason FROM deliveries WHERE alert = %s AND channel = 'phone'", alert) == "the call reached nobody: busy"


def test_a_key_pressed_late_does_not_answer_an_alert_that_was_opened_again(desk):
    tracking, alert, call = desk.page(impact="down")
    assert post(call["gateway"]["callback"], {"result": "answered", "key": "1"})[0] == 200
    assert desk.client.call("alert.unack", alert=alert, as_={"name": "ben", "role": "staff"})["state"] == "open"
    again = wait_until(lambda: len(desk.calls(tracking)) == 2 and desk.calls(tracking)[1], 20)
    assert post(call["gateway"]["callback"], {"result": "answered", "key": "1"})[0] == 409
    assert desk.state(alert)["state"] == "open"
    assert post(again["gateway"]["callback"], {"result": "answered", "key": "1"})[0] == 200
    assert desk.state(alert)["state"] == "acknowledged"


def test_callbacks_of_others_and_nonsense_change_nothing(desk):
    _, alert, call = desk.page(impact="down")
    url = call["gateway"]["callback"]
    for bad in (url[:-1], url[:-1] + ("a" if url[-1] != "a" else "b"), url.rpartition("/")[0] + "/", url + "x"):
        assert post(bad, {"result": "answered", "key": "1"})[0] == 404, bad
    for body in (b"", b"{", {"result": "maybe"}, {"key": "1"}, [1], {"result": 1}):
        assert post(url, body)[0] == 400, body
    post(url, {"result": "busy", "key": "1"})  # nobody took it, so nobody pressed
    assert desk.state(alert)["state"] == "open"


def test_the_sample_refuses_what_docket_did_not_sign(desk):
    assert post(desk.url, {"gateway": {"kind": "call", "to": "+43155512345"}, "data": {}})[0] == 401


# ---- the drivers of the sample ----


def sample(folder, *options):
    """The sample alone with these options; (process, url)."""
    (folder / "secret").write_text(f"whsec_{SECRET}\n")
    run = subprocess.Popen([sys.executable, str(ROOT / "examples/gateway/gateway.py"), "--listen", "127.0.0.1:0", "--secret-file", str(folder / "secret"), *options],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return run, "http://" + run.stdout.readline().split()[-1] + "/"


def signed(url, message, message_id):
    body, now = json.dumps(message).encode(), str(int(time.time()))
    mac = hmac.new(base64.b64decode(SECRET), f"{message_id}.{now}.".encode() + body, hashlib.sha256).digest()
    return post(url, body, {"webhook-id": message_id, "webhook-timestamp": now, "webhook-signature": "v1," + base64.b64encode(mac).decode()})


def test_the_sample_writes_one_call_file_for_asterisk_whatever_the_text_says(tmp_path):
    (tmp_path / "spool").mkdir()
    run, url = sample(tmp_path, "--calls", "asterisk", "--spool", str(tmp_path / "spool"))
    try:
        message = {"gateway": {"kind": "call", "to": "+43155512345", "callback": "http://desk/g/abc"}, "data": {"text": "P1\r\nChannel: Local/evil\nSetvar: X=1 \u260e"}}
        assert [signed(url, message, "n1")[0], signed(url, message, "n1")[0]] == [202, 200]
        file, = (tmp_path / "spool").glob("*.call")
        lines = file.read_text().splitlines()
        assert lines[0] == "Channel: PJSIP/+43155512345@trunk" and "MaxRetries: 0" in lines and len(lines) == 8
        assert lines[-2:] == ["Setvar: DOCKET_TEXT=P1 Channel: Local/evil Setvar: X=1 \u260e", "Setvar: DOCKET_CALLBACK=http://desk/g/abc"]
        assert signed(url, {**message, "gateway": {**message["gateway"], "to": "+1 555@evil"}}, "n2")[0] == 410
    finally:
        run.kill()
        run.wait()


@pytest.mark.skipif(not (shutil.which("gammu-smsd") and shutil.which("gammu-smsd-inject")), reason="gammu-smsd is not installed")
def test_gammu_s_daemon_sends_what_the_sample_was_given_with_its_dummy_modem(tmp_path):
    for name in ("phone", "in", "out", "sent", "err"):
        (tmp_path / name).mkdir()
    config = tmp_path / "smsdrc"
    config.write_text(f"[gammu]\nmodel = dummy\nconnection = none\ndevice = {tmp_path}/phone\n[smsd]\nservice = files\nlogfile = {tmp_path}/log\n"
                      f"inboxpath = {tmp_path}/in/\noutboxpath = {tmp_path}/out/\nsentsmspath = {tmp_path}/sent/\nerrorsmspath = {tmp_path}/err/\nloopsleep = 1\n")
    daemon = subprocess.Popen(["gammu-smsd", "-c", str(config)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run, url = sample(tmp_path, "--texts", "gammu", "--gammu-config", str(config))
    try:
        text = "P1 DKT-1: \u00dcber die Leitung geht nichts \u260e " + "x" * 380
        assert signed(url, {"gateway": {"kind": "sms", "to": "+43155512345"}, "data": {"text": text}}, "n1") == (202, {"message": "taken"})
        sent = wait_until(lambda: not list((tmp_path / "out").iterdir()) and list((tmp_path / "sent").iterdir()), 40)
        assert len(sent) == 1 and "+43155512345" in sent[0].name
        parts = {}
        for number, block in re.findall(r"^\[SMSBackup(\d+)\]$(.*?)(?=^\[|\Z)", sent[0].read_text(errors="replace"), flags=re.M | re.S):
            parts[number] = bytes.fromhex("".join(re.findall(r"^Text\d\d = ([0-9A-F]+)$", block, flags=re.M))).decode("utf-16-be")
        assert len(parts) > 1 and "".join(parts[number] for number in sorted(parts)) == text
    finally:
        for process in (run, daemon):
            process.kill()
            process.wait()
