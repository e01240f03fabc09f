"""Each op with a key is done once: asked at two brokers at the same time, again and again until it is answered, while brokers are killed. What it
did is counted in the end, not what was answered."""

import os
import pathlib
import random
import shutil
import tempfile
import threading
import time

import pytest
from helpers import ADA, ROOT, Client, Stack, id_of, ticket_of, wait_until

SECONDS = float(os.environ.get("ONCE_SECONDS", "6"))
ADMIN = {"name": "root", "role": "admin"}
DAY_US = 86_400_000_000
STAFF = "people:\n  ada: {name: Ada, email: ada@desk.example}\n  ben: {name: Ben, email: ben@desk.example}\nteams:\n  noc: {members: [ada, ben], lead: ben}\n"
# What failed and is tried again fails again in the same moment: so a second retry under the same key would find what to do, and is counted.
FAILS_AGAIN = """
CREATE TABLE retries (what text NOT NULL);
CREATE FUNCTION dies_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO retries VALUES ('wake ' || NEW.ticket);
    UPDATE desk SET dead = true, owner = NULL, wake_at = NULL, rank = NULL, lane = NULL WHERE ticket = NEW.ticket;
    INSERT INTO dead_letters (ticket, at, attempt, failures, code, message) VALUES (NEW.ticket, docket_now(), NEW.attempt, 5, 'died', 'as before');
    RETURN NULL;
END $$;
CREATE TRIGGER dies_again AFTER UPDATE ON desk FOR EACH ROW WHEN (OLD.dead AND NOT NEW.dead) EXECUTE FUNCTION dies_again();
CREATE FUNCTION fails_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO retries VALUES (NEW.reason);
    UPDATE deliveries SET state = 4 WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER fails_again AFTER UPDATE ON deliveries FOR EACH ROW WHEN (OLD.state = 4 AND NEW.state IN (0, 8)) EXECUTE FUNCTION fails_again();
"""
DIE = """
WITH d AS (UPDATE desk SET dead = true, owner = NULL, wake_at = NULL, rank = NULL, lane = NULL, attempt = attempt + 1 WHERE ticket = %s RETURNING ticket, attempt),
a AS (INSERT INTO alerts (ticket, cause, kind, state, priority, opened_at, since_at, next_at, body)
      SELECT ticket, 'dead:' || ticket, 'dead', 0, 3, docket_now(), docket_now(), 0, '\\x80' FROM d)
INSERT INTO dead_letters (ticket, at, attempt, failures, code, message) SELECT ticket, docket_now(), attempt, 5, 'died', 'again and again' FROM d RETURNING ticket
"""
FAILED = """
INSERT INTO deliveries (ticket, version, generation, audience, state, created_at, next_at, ended_at, kind, channel, recipient, address)
VALUES (%s, 1, 0, 1, 4, docket_now(), docket_now(), docket_now(), 'received', 'email', 'x', 'x@localhost') RETURNING id
"""
ONCALL = "schedules:\n  primary:\n    layers: [{rotation: daily, start: 2020-01-06, people: [ada, ben]}]\n"


@pytest.fixture(scope="module")
def pair():
    home = pathlib.Path(tempfile.mkdtemp(prefix="docket-test-"))
    process = home / "process"
    shutil.copytree(ROOT / "deploy/process", process)
    (process / "staff.yaml").write_text(STAFF)
    (process / "oncall.yaml").write_text(ONCALL)
    with (process / "packages.yaml").open("a") as packages:
        packages.write("\nhasty:\n  targets: {3: {response: 1s}, 4: {response: 1s}}\n")
    running = Stack(process=process, brokers=2, workers=2, notifiers=0)
    with running.db() as db:
        db.execute(FAILS_AGAIN)
    yield running
    running.close()
    shutil.rmtree(home)


class Twin(threading.Thread):
    """One request, asked at a broker until it succeeds; its twin asks the other one."""

    def __init__(self, endpoints, op, body):
        super().__init__(daemon=True)
        self.endpoints, self.op, self.body, self.answer, self.fault = endpoints, op, body, None, None
        self.start()

    def run(self):
        client, until = Client(self.endpoints[0]), time.monotonic() + 60 + SECONDS
        while time.monotonic() < until:
            client.send(self.op, **self.body)
            answer = client.receive(2)
            if answer and answer["id"] == client.last and answer["ok"]:
                self.answer = answer["body"]
                break
            if answer and not answer["ok"] and not answer["error"]["retry"]:
                self.fault = answer["error"]
                break
            if answer is None:
                client.close()
                self.endpoints = self.endpoints[1:] + self.endpoints[:1]
                client = Client(self.endpoints[0])
            else:
                time.sleep(0.02)
        client.close()


class Asked:
    """What is asked for, and how often it was done."""

    def __init__(self, stack, chance):
        self.stack, self.client, self.chance = stack, stack.client(1), chance
        self.customer = f"once-{chance.getrandbits(40):x}"
        self.record({"id": self.customer, "name": "Once", "package": "gold", "contacts": []})

    def record(self, record, **more):
        return self.client.call("customer.put", customer=record, as_=ADA, **more)

    def ticket(self, **fields):
        tracking = self.client.submit(customer=self.customer, **fields)
        self.client.decided(tracking)
        return tracking

    def events(self, tracking, kind):
        return lambda: sum(event["kind"] == kind for event in ticket_of(self.client.show(tracking))["events"])

    def rows(self, query, *args):
        return lambda: self.stack.value(query, *args)

    # Each gives (op, body, how often it was done).

    def link(self):
        one, other = self.ticket(), self.ticket()
        return "ticket.link", {"tracking": one, "to": other, "as_link": "related", "as_": ADA}, self.events(one, "linked")

    def duplicate(self):
        main, other = self.ticket(), self.ticket()
        return "ticket.link", {"tracking": other, "to": main, "as_link": "duplicate", "as_": ADA}, self.events(other, "linked")

    def meeting(self):
        one = self.ticket()
        return ("ticket.meeting", {"tracking": one, "medium": "phone", "at": time.time_ns() // 1000 + DAY_US, "attendees": ["a@localhost"], "as_": ADA},
                self.rows("SELECT count(*) FROM meetings WHERE ticket = %s", id_of(one)))

    def moved_meeting(self):
        one = self.ticket()
        at = time.time_ns() // 1000 + DAY_US
        meeting = self.client.call("ticket.meeting", tracking=one, medium="phone", at=at, attendees=["a@localhost"], as_=ADA)["meeting"]
        count = self.events(one, "meeting")
        return "ticket.meeting", {"tracking": one, "meeting": meeting, "at": at + DAY_US, "as_": ADA}, lambda: count() - 1

    def comments(self):
        several = [self.ticket() for _ in range(3)]
        counts = [self.events(one, "commented") for one in several]
        return "ticket.comment", {"tracking": several, "text": "all", "as_": ADA}, lambda: max(count() for count in counts) if min(count() for count in counts) == 1 else 0

    def mute(self):
        reason = f"mute {self.chance.getrandbits(40):x}"
        return ("notification.mute", {"reason": reason, "until_at": time.time_ns() // 1000 + DAY_US, "customer": self.customer, "as_": ADA},
                lambda: sum(mute["reason"] == reason for mute in self.client.call("notification.mutes")["mutes"]))

    def override(self):
        begins, reason = time.time_ns() // 1000 + self.chance.randrange(1000) * DAY_US // 10, f"override {self.chance.getrandbits(40):x}"
        return ("oncall.override", {"schedule": "primary", "staff": "ben", "from_at": begins, "until_at": begins + 3_600_000_000, "reason": reason, "as_": ADA},
                self.rows("SELECT count(*) FROM oncall_overrides WHERE reason = %s", reason))

    def away(self):
        begins, reason = time.time_ns() // 1000 + self.chance.randrange(1000) * DAY_US // 10, f"away {self.chance.getrandbits(40):x}"
        return ("staff.away", {"staff": "ada", "to": "ben", "from_at": begins, "until_at": begins + 3_600_000_000, "reason": reason, "as_": ADA},
                self.rows("SELECT count(DISTINCT made_at) FROM oncall_overrides WHERE reason = %s", reason))

    def open_tickets(self):
        customer = f"moves-{self.chance.getrandbits(40):x}"
        self.record({"id": customer, "name": "Moves", "package": "silver", "contacts": []})
        several = [self.client.submit(customer=customer) for _ in range(20)]
        for one in several:
            self.client.decided(one)

        def moved():
            wait_until(lambda: self.stack.value("SELECT count(*) FROM moves") == 0, 30)
            counts = [sum(event["kind"] == "updated" for event in ticket_of(self.client.show(one))["events"]) for one in several]
            assert counts == [1] * len(several), counts
            return 1
        return "customer.put", {"customer": {"id": customer, "name": "Moves", "package": "gold", "contacts": []}, "open_tickets": True, "as_": ADA}, moved

    def excuse(self):
        customer = f"late-{self.chance.getrandbits(40):x}"
        self.record({"id": customer, "name": "Late", "package": "hasty", "contacts": []})
        one = self.client.submit(customer=customer)
        wait_until(lambda: self.client.call("deadline.list", customer=customer, verdict="missed")["deadlines"])
        return ("deadline.excuse", {"tracking": one, "clock": "response", "reason": "theirs", "as_": ADMIN},
                self.rows("SELECT count(*) FROM excuses WHERE ticket = %s", id_of(one)))

    def dead_retry(self):
        one = self.ticket()
        number = self.stack.value(DIE, id_of(one))
        return "dead.retry", {"tracking": one, "as_": ADA}, self.retries(f"wake {number}")

    def notice(self, op, does, which=None):
        number, reason = self.stack.value(FAILED, id_of(self.ticket())), f"again {self.chance.getrandbits(40):x}"
        return f"notification.{op}", {**(which or {"notification": number}), "reason": reason, "as_": ADA}, self.retries(f"{does} by ada: {reason}")

    def notice_retry(self):
        return self.notice("retry", "sent again")

    def notice_discard(self):
        return self.notice("discard", "discarded")

    def all_notices_retry(self):
        op, body, count = self.notice("retry", "sent again", {"all": True})
        return op, body, lambda: count() / self.stack.value("SELECT count(*) FROM deliveries WHERE state = 4")

    def retries(self, what):
        return self.rows("SELECT count(*) FROM retries WHERE what = %s", what)

    def process(self):
        comment = f"process {self.chance.getrandbits(40):x}"
        files = self.client.call("process.get")["files"]
        files["staff.yaml"] = STAFF.encode() + f"# {comment}\n".encode()
        return "process.apply", {"files": files, "comment": comment, "as_": ADMIN}, self.rows("SELECT count(*) FROM process_log WHERE comment = %s", comment)


def without_duplicate(value):
    """The answer but for whether it is the first, and the warnings of a process, which are of whoever looks."""
    if isinstance(value, list):
        return [without_duplicate(item) for item in value]
    return {name: without_duplicate(item) for name, item in value.items() if name not in ("duplicate", "warnings")} if isinstance(value, dict) else value


KINDS = ["link", "duplicate", "meeting", "moved_meeting", "comments", "mute", "override", "away", "open_tickets", "excuse", "process", "dead_retry",
         "notice_retry", "notice_discard", "all_notices_retry"]


@pytest.mark.limit(240)
def test_each_op_with_a_key_is_done_once_whatever_is_killed(pair):
    chance = random.Random()
    endpoints = pair.env["DOCKET_BROKERS"].split(",")
    asked = Asked(pair, chance)
    wanted = [(kind, *getattr(asked, kind)()) for kind in KINDS for _ in range(2)]
    twins = []
    until = time.monotonic() + SECONDS
    for kind, op, body, _ in chance.sample(wanted, len(wanted)):
        body = {**body, "key": f"{kind}-{chance.getrandbits(64):x}"}
        twins.append((kind, [Twin(endpoints[n:] + endpoints[:n], op, body) for n in range(2)]))
        if chance.random() < 0.3:
            pair.kill(f"broker-{chance.randint(1, 2)}")
            pair.up()
    while time.monotonic() < until and any(twin.is_alive() for _, both in twins for twin in both):
        pair.kill(f"broker-{chance.randint(1, 2)}")
        time.sleep(0.3 * chance.random())
        pair.up()
    for kind, both in twins:
        for twin in both:
            twin.join()
            assert twin.fault is None and twin.answer is not None, (kind, twin.fault)
        first, second = (without_duplicate(twin.answer) for twin in both)
        assert first == second or kind == "open_tickets", (kind, first, second)
        assert sum(twin.answer.get("duplicate") is False for twin in both) <= 1, (kind, [twin.answer for twin in both])
    asked.client.close()
    asked.client = wait_until(lambda: pair.client(1))
    for kind, _, _, count in wanted:
        assert count() == 1, kind
    asked.client.close()
    wait_until(pair.is_settled, 60, 0.2)
    pair.verify()
