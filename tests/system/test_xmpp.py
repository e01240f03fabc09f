"""XMPP against a real Prosody, with people who use another client than ours: messages, receipts, rooms, answers, lost connections."""

import contextlib
import random
import re
import signal
import socket
import subprocess
import time

import msgpack
import prosody
import pytest
from helpers import ADA, BIN, Stack, alive, ticket_of, wait_until

ROOM = "ops@rooms.localhost"
DELIVERED = 3

ESCALATION = """
policies:
  p1: {levels: [{after: 0m, tell: [person:ada]}], repeat: {every: 1h, loops: 1}, last_resort: {tell: [ops], every: 1h}}
  room: {levels: [{after: 0m, tell: [person:opsroom]}], repeat: {every: 1h, loops: 1}, last_resort: {tell: [ops], every: 1h}}
  deaf: {levels: [{after: 0m, tell: [person:deaf]}], repeat: {every: 1h, loops: 1}, last_resort: {tell: [ops], every: 1h}}
match:
  - {cause: room, policy: room}
  - {cause: deaf, policy: deaf}
  - {cause: minor, policy: deaf}
  - {policy: p1}
"""

RULES = """
- rule: room
  when: {field: title, contains: to-the-room}
  then: {priority: 2, alert: room}
- rule: deaf
  when: {field: title, contains: to-the-deaf}
  then: {priority: 2, alert: deaf}
- rule: minor
  when: {field: title, contains: of-little-weight}
  then: {priority: 3, alert: minor}
"""


class Desk:
    def __init__(self, folder):
        self.server = prosody.Prosody("bot", "ada", "deaf", "zoe", "mallory")
        self.stack = Stack()
        self.client = self.stack.client()
        password = folder / "password"
        password.write_text(prosody.PASSWORD + "\n")
        password.chmod(0o600)
        path = self.stack.config("notifier-1")
        self.stack.kill("notifier-1")
        path.write_text(path.read_text() + f"xmpp_jid: bot@localhost/n1\nxmpp_password_file: {password}\nxmpp_server: '127.0.0.1:{self.server.port}'\n"
                        f"xmpp_ca_file: {self.server.cert}\nxmpp_rooms: ['{ROOM}']\nsmtp_timeout: 2s\n")
        process = self.stack.home / "h/etc/process"
        people = ("  ada: {name: Ada, xmpp: ada@localhost}\n  opsroom: {name: Room, xmpp: " + ROOM + "}\n"
                  "  deaf: {name: Deaf, xmpp: deaf@localhost, email: deaf@localhost}\n")
        (process / "staff.yaml").write_text(re.sub(r"^people:.*\n", lambda _: "people:\n" + people, (process / "staff.yaml").read_text(), flags=re.M))
        (process / "escalation.yaml").write_text(ESCALATION)
        (process / "rules/00-xmpp.yaml").write_text(RULES)
        done = self.stack.docket("process", "apply", str(process), "--comment", "xmpp")
        assert done.returncode == 0, done.stderr
        self.ada = prosody.Person(self.server, "ada", room=ROOM)
        self.deaf = prosody.Person(self.server, "deaf", confirms=False)
        self.zoe = prosody.Person(self.server, "zoe")
        self.stack.up()
        wait_until(lambda: self.log("xmpp_up"), 30)

    def log(self, event):
        return [line for line in self.stack.log("notifier-1").splitlines() if f"event={event}" in line]

    def sql(self, query, *args):
        with self.stack.db() as connection:
            return connection.execute(query, args).fetchall()

    def rows(self, address, kind="%"):
        return self.sql("SELECT state, attempts, coalesce(reply, ''), kind, id FROM deliveries WHERE address = %s AND kind LIKE %s ORDER BY id", address, kind)

    def child(self):
        """The pid of docket-xmpp."""
        done = subprocess.run(["pgrep", "-P", str(self.stack.pid("notifier-1")), "docket-xmpp"], capture_output=True, text=True)
        return int(done.stdout.split()[0]) if done.stdout.split() else 0

    def alert(self, tracking):
        return wait_until(lambda: self.client.call("alert.list", tracking=tracking)["alerts"])[0]["alert"]

    def state(self, alert):
        return self.client.call("alert.show", alert=alert)["alert"]

    def close(self):
        for person in (self.ada, self.deaf, self.zoe):
            person.leave()
        self.stack.close()
        self.server.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    one = Desk(tmp_path_factory.mktemp("xmpp"))
    yield one
    one.close()


def customer(desk, xmpp):
    name = f"c{random.getrandbits(48):x}"
    desk.client.call("customer.put", customer={"id": name, "name": "C", "package": "standard", "contacts": [{"name": "Zoë", "xmpp": xmpp}]}, as_=ADA)
    return name


def test_a_customer_is_told_by_chat_and_the_receipt_counts(desk):
    tracking = desk.client.submit(customer=customer(desk, "zoe@localhost"), title="Grüße <b>&amp; \ufffe ☎ ]]>")
    wait_until(lambda: desk.zoe.texts(tracking), 20)
    assert "Grüße <b>&amp;" in desk.zoe.texts(tracking)[0] and len(desk.zoe.texts(tracking)[0]) <= 2000
    assert wait_until(lambda: [row for row in desk.rows("zoe@localhost") if row[0] == DELIVERED and row[2] == "receipt"])


def test_a_page_is_acknowledged_by_answering_ack(desk):
    tracking = desk.client.submit(impact="down")
    alert = desk.alert(tracking)
    page = wait_until(lambda: desk.ada.texts(tracking), 20)[0]
    assert f"ack {alert} " in page
    desk.ada.say("bot@localhost", "ack this is a sentence, no command")
    desk.ada.say("bot@localhost", "ack")
    wait_until(lambda: desk.state(alert)["state"] == "acknowledged", 20)
    assert desk.state(alert)["acked_by"] == "ada"
    wait_until(lambda: desk.ada.texts(f"Alert {alert} is acknowledged"))


def test_a_number_and_take(desk):
    tracking = desk.client.submit(impact="down")
    alert = desk.alert(tracking)
    desk.client.decided(tracking)
    wait_until(lambda: desk.ada.texts(tracking), 20)
    desk.ada.say("bot@localhost", f"ACK {alert} take")
    wait_until(lambda: ticket_of(desk.client.show(tracking))["assignee"] == "ada", 20)
    assert desk.state(alert)["acked_by"] == "ada"


def test_somebody_else_and_a_wrong_code_acknowledge_nothing(desk):
    tracking = desk.client.submit(impact="down")
    alert = desk.alert(tracking)
    page = wait_until(lambda: desk.ada.texts(tracking), 20)[0]
    code = re.search(rf"ack {alert} (\w{{6}})", page).group(1)
    mallory = prosody.Person(desk.server, "mallory")
    mallory.say("bot@localhost", "ack")
    mallory.say("bot@localhost", f"ack {alert} {code}")
    wait_until(lambda: len(mallory.texts()) >= 2)
    mallory.leave()
    desk.ada.say("bot@localhost", f"ack {alert} {'a' if code[0] != 'a' else 'b'}{code[1:]}")
    wait_until(lambda: desk.ada.texts("code is not right"))
    assert desk.state(alert)["state"] == "open"
    desk.ada.say("bot@localhost", f"ack {alert} {code}")
    wait_until(lambda: desk.state(alert)["state"] == "acknowledged", 20)


def test_a_room_sees_the_page_and_answers_with_its_code(desk):
    tracking = desk.client.submit(title="to-the-room", impact="degraded")
    alert = desk.alert(tracking)
    page = wait_until(lambda: [text for who, kind, text in desk.ada.heard if kind == "groupchat" and tracking in text], 20)[0]
    assert wait_until(lambda: [row for row in desk.rows(ROOM) if row[0] == DELIVERED])
    desk.ada.say(ROOM, f"ack {alert}", "groupchat")
    wait_until(lambda: desk.ada.texts("In a room: ack NUMBER CODE"))
    desk.ada.say(ROOM, re.search(rf"ack {alert} \w{{6}}", page).group(0), "groupchat")
    wait_until(lambda: desk.state(alert)["state"] == "acknowledged", 20)
    assert desk.state(alert)["acked_by"] == "ada"


def test_a_page_without_a_receipt_is_unknown_and_goes_on_over_the_next_channel(desk):
    tracking = desk.client.submit(title="to-the-deaf", impact="degraded")
    desk.alert(tracking)
    wait_until(lambda: desk.deaf.texts(tracking), 20)
    wait_until(lambda: any("no device said so" in row[2] for row in desk.rows("deaf@localhost")), 30)
    wait_until(lambda: any(tracking in text and "deaf@localhost" in text for text in desk.stack.mails()), 30)


def test_an_alert_that_is_no_page_is_told_once_also_where_no_device_confirms(desk):
    """P3 is tried as a message is: unknown, it came again after 30 s, 2, 5, 15 minutes and so on, for two days."""
    tracking = desk.client.submit(title="of-little-weight")
    alert = desk.alert(tracking)
    row = wait_until(lambda: next((row for row in desk.sql("SELECT state, attempts, reply FROM deliveries WHERE alert = %s AND address = 'deaf@localhost' AND attempts > 0", alert)
                                   if row[2]), None), 30)
    assert row == (DELIVERED, 1, "the server has it")
    assert len(desk.deaf.texts(tracking)) == 1


@pytest.mark.parametrize("forged", ["<message to='bot@localhost' id='x1'><received xmlns='urn:xmpp:receipts' id='{id}'/></message>",
                                    "<message to='bot@localhost/n1' id='{id}' type='error'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
                                    "<iq to='bot@localhost/n1' id='p:{id}' type='result'/>"])
def test_what_somebody_else_says_of_a_message_counts_nothing(desk, forged):
    """Its id is a number that can be guessed: a receipt would keep the next channel from starting, an error would end the message."""
    mallory = prosody.Person(desk.server, "mallory")
    try:
        before = {row[4] for row in desk.rows("deaf@localhost")}
        tracking = desk.client.submit(title="to-the-deaf", impact="degraded")
        number, message_id = wait_until(lambda: desk.sql("SELECT id, message_id FROM deliveries WHERE address = 'deaf@localhost' AND channel = 'xmpp'"
                                                         " AND state = 1 AND message_id IS NOT NULL AND id <> ALL (%s)", list(before)), 20, 0.005)[0]
        wait_until(lambda: desk.deaf.texts(tracking), 20, 0.005)
        mallory.raw(forged.format(id=message_id))
        result, reply = wait_until(lambda: desk.sql("SELECT result, reply FROM attempts WHERE delivery = %s AND n = 1 AND result IS NOT NULL", number), 20)[0]
        assert (result, reply) == ("unknown", "the server has it, no device said so")
    finally:
        mallory.leave()


def test_stanzas_of_a_stranger_that_are_too_long_do_not_end_the_helper(desk):
    mallory, pid = prosody.Person(desk.server, "mallory"), wait_until(desk.child)
    long, odd = "x" * 70000, "x" + "\u00e4" * 200
    for stanza in (f"<message to='bot@localhost' id='x1'><received xmlns='urn:xmpp:receipts' id='{long}'/></message>",
                   f"<message to='bot@localhost/n1' id='{long}' type='error'><error type='cancel'><{long} xmlns='x'/></error></message>",
                   f"<message to='bot@localhost/n1' id='x2' type='error'><error type='cancel'><{long} xmlns='x'/></error></message>",
                   f"<message to='bot@localhost/n1' id='x3' type='error'><error type='cancel'><{odd} xmlns='x'/></error></message>",
                   f"<message to='bot@localhost' type='chat'><body>{long}</body></message>", "<message to='bot@localhost' type='chat'><body>ack</body></message>"):
        mallory.raw(stanza)
    wait_until(lambda: mallory.texts("No alert") or desk.log("xmpp_ended"))
    mallory.leave()
    assert desk.child() == pid and not desk.log("xmpp_ended")


def test_put_out_of_a_room_it_enters_again_and_the_page_comes(desk):
    desk.ada.kick(ROOM, "docket")
    tracking = desk.client.submit(title="to-the-room", impact="degraded")
    wait_until(lambda: [text for who, kind, text in desk.ada.heard if kind == "groupchat" and tracking in text], 30)
    assert "event=xmpp_room_left" in desk.stack.log("notifier-1")


def test_who_speaks_to_it_out_of_a_room_needs_the_code_too(desk):
    tracking = desk.client.submit(title="to-the-room", impact="degraded")
    alert = desk.alert(tracking)
    page = wait_until(lambda: [text for who, kind, text in desk.ada.heard if kind == "groupchat" and tracking in text], 20)[0]
    desk.ada.say(f"{ROOM}/docket", f"ack {alert}")
    wait_until(lambda: desk.ada.texts("In a room: ack NUMBER CODE") or desk.state(alert)["state"] != "open")
    assert desk.state(alert)["state"] == "open"
    desk.ada.say(ROOM, re.search(rf"ack {alert} \w{{6}}", page).group(0), "groupchat")
    wait_until(lambda: desk.state(alert)["state"] == "acknowledged", 20)


def test_a_flood_of_strangers_answers_is_cut_and_holds_up_nobody(desk):
    """Two strangers say `ack` as often as they can; what is over ten and one a second is neither looked up nor answered. Who was paged is heard."""
    def ignored(who):
        return float(re.search(rf'docket_notifier_answers_ignored_total{{from="{who}"}} (\S+)', desk.stack.http("notifier-1", "/metrics")[1]).group(1))

    tracking = desk.client.submit(impact="down")
    alert = desk.alert(tracking)
    wait_until(lambda: desk.ada.texts(tracking), 20)
    heard = len(desk.zoe.texts("alert"))
    mallory, many, since = prosody.Person(desk.server, "mallory"), 150, time.monotonic()
    for n in range(many):
        mallory.say("bot@localhost", f"ack {n + 1}")
        desk.zoe.say("bot@localhost", "ack")
    wait_until(lambda: ignored("strangers") > 0)
    desk.ada.say("bot@localhost", f"ack {alert}")
    wait_until(lambda: desk.state(alert)["state"] == "acknowledged", 20)
    wait_until(lambda: desk.ada.texts(f"Alert {alert} is acknowledged"))

    def answered():
        return len(mallory.texts("alert")) + len(desk.zoe.texts("alert")) - heard
    wait_until(lambda: ignored("strangers") + answered() >= 2 * many, 30)
    assert answered() <= 10 + time.monotonic() - since + 1 and ignored("known") == 0
    mallory.leave()
    assert len(desk.log("answers_ignored")) == 1


def test_nobody_by_that_name_is_for_good(desk):
    desk.client.submit(customer=customer(desk, "nobody@localhost"))
    assert wait_until(lambda: [row for row in desk.rows("nobody@localhost") if row[0] in (4, 6)], 20)


@pytest.mark.limit(180)
def test_the_server_and_the_helper_may_die(desk):
    name = customer(desk, "zoe@localhost")
    desk.server.stop()
    wait_until(lambda: desk.log("xmpp_down"), 20)
    tracking = desk.client.submit(customer=name)
    waiting = wait_until(lambda: [row for row in desk.rows("zoe@localhost") if row[0] == 0 and row[1] >= 1], 20)
    desk.zoe.leave()
    desk.ada.leave()
    desk.server.start()
    desk.zoe, desk.ada = prosody.Person(desk.server, "zoe"), prosody.Person(desk.server, "ada", room=ROOM)
    wait_until(lambda: len(desk.log("xmpp_up")) >= 2, 40)
    with desk.stack.db() as connection:
        connection.execute("UPDATE deliveries SET next_at = docket_now() WHERE id = %s", (waiting[0][4],))
        connection.execute("UPDATE targets SET ready_at = docket_now(), blocked_until = 0 WHERE channel = 'xmpp'")
    wait_until(lambda: desk.zoe.texts(tracking), 40)
    pid = wait_until(desk.child)
    desk.stack.kill("notifier-1", signal.SIGCONT)  # it lives
    subprocess.run(["kill", "-9", str(pid)], check=True)
    again = desk.client.submit(customer=name)
    wait_until(lambda: desk.child() not in (0, pid), 20)
    wait_until(lambda: len(desk.log("xmpp_up")) >= 3, 40)
    with desk.stack.db() as connection:
        connection.execute("UPDATE deliveries SET next_at = docket_now() WHERE channel = 'xmpp' AND state = 0")
        connection.execute("UPDATE targets SET ready_at = docket_now(), blocked_until = 0 WHERE channel = 'xmpp'")
    wait_until(lambda: desk.zoe.texts(again), 40)
    pid = desk.child()
    desk.stack.kill("notifier-1")
    wait_until(lambda: not alive(pid))  # the helper ends with its notifier
    desk.stack.up()


def test_a_certificate_of_another_name_is_no_server_of_ours(tmp_path):
    server, stack = prosody.Prosody("bot", certified="other.example"), Stack()
    try:
        password = tmp_path / "password"
        password.write_text(prosody.PASSWORD + "\n")
        password.chmod(0o600)
        stack.kill("notifier-1")
        path = stack.config("notifier-1")
        path.write_text(path.read_text() + f"xmpp_jid: bot@localhost/n1\nxmpp_password_file: {password}\nxmpp_server: '127.0.0.1:{server.port}'\n"
                        f"xmpp_ca_file: {server.cert}\n")
        stack.up()
        wait_until(lambda: stack.log("notifier-1").count("event=xmpp_down") and "bad certificate" in (server.home / "log").read_text(), 30)
        assert "event=xmpp_up" not in stack.log("notifier-1") and "Authenticated as" not in (server.home / "log").read_text()
    finally:
        stack.close()
        server.close()


def test_a_server_by_its_ipv6_address_is_reached_and_its_long_words_are_told():
    """The helper alone: this server refuses everybody, in words that are cut in the middle of a letter."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server, ours, subprocess.Popen([BIN / "docket-xmpp"], stdin=its):
        its.close()
        server.settimeout(20)
        ours.settimeout(20)
        ours.send(msgpack.packb({"op": "open", "jid": "bot@localhost", "password": "x", "server": f"[::1]:{server.getsockname()[1]}", "ca_file": "", "nick": "bot", "rooms": []}))
        peer = server.accept()[0]
        with peer:
            peer.sendall(("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='localhost' version='1.0'>"
                          "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>x" + 200 * "ä" +
                          "</text></stream:error></stream:stream>").encode())
        told = msgpack.unpackb(ours.recv(65536))
        assert told["op"] == "down" and told["reason"].endswith("xä" + 73 * "ä"), told
        ours.shutdown(socket.SHUT_RDWR)  # the helper ends with its notifier


class Helper:
    """docket-xmpp alone, with us as its notifier."""

    def __init__(self, server):
        self.ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen([BIN / "docket-xmpp"], stdin=its)
        its.close()
        self.ours.send(msgpack.packb({"op": "open", "jid": "bot@localhost/desk", "password": prosody.PASSWORD, "server": f"127.0.0.1:{server.port}",
                                      "ca_file": str(server.cert), "nick": "bot", "rooms": []}))

    def told(self, seconds=20):
        self.ours.settimeout(seconds)
        return msgpack.unpackb(self.ours.recv(65536))

    def close(self):
        self.ours.close()
        self.process.wait(20)


def test_two_of_one_resource_do_not_throw_each_other_out_each_second():
    """The server lets the newer one in and throws the older one out: which says why, and stays away for long enough that the other can work."""
    with contextlib.closing(prosody.Prosody("bot")) as server, contextlib.closing(Helper(server)) as first:
        assert first.told()["op"] == "up"
        with contextlib.closing(Helper(server)) as second:
            assert second.told()["op"] == "up"
            down = first.told()
            assert down["op"] == "down" and "another connection has our resource" in down["reason"], down
            with pytest.raises(TimeoutError):
                second.told(5)
