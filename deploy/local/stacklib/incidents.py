"""A log of real incidents as requests of DKT/1: what is posted, and which ops bring a ticket into the state that a row tells. Pure: reads a
file, talks to nobody. Columns: examples/demo/README.md."""

import collections
import csv
import re

NEEDED = {"number", "incident_state", "caller_id", "location", "category", "u_symptom", "impact", "urgency"}

# (impact, urgency) of the log, 1 high to 3 low, to the impact of a ticket.
IMPACT = {
    ("1", "1"): "critical", ("1", "2"): "degraded", ("2", "1"): "degraded", ("1", "3"): "impaired", ("2", "2"): "impaired",
    ("3", "1"): "impaired", ("2", "3"): "question", ("3", "2"): "request", ("3", "3"): "question",
}
OPEN = {"new", "triaged", "reopened", "in_progress"}
WAITING = {"waiting_customer", "waiting_vendor"}


class LogError(Exception):
    """The file is not such a log."""


def read(path):
    """Incidents in the order of the file: {number: [row, …]}."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = NEEDED - set(reader.fieldnames or [])
            if missing:
                raise LogError(f"{path}: no column {', '.join(sorted(missing))}")
            incidents = collections.OrderedDict()
            for row in reader:
                incidents.setdefault(row["number"], []).append(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LogError(f"{path}: {error}") from None
    if not incidents:
        raise LogError(f"{path}: no incident in it")
    return incidents


def slug(text):
    """"Location 143" as an id."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-").lower()[:64] or "unknown"


def _known(value):
    return None if value in (None, "", "?") else value


def _local_address(name):
    return slug(name) + "@localhost"


def posting(rows):
    """The body of ticket.submit for an incident's first row."""
    row = rows[0]
    symptom = _known(row["u_symptom"]) or "unknown symptom"
    told = [(title, _known(row.get(column))) for title, column in (
        ("Category", "category"), ("Subcategory", "subcategory"), ("Symptom", "u_symptom"), ("Opened", "opened_at"), ("Impact", "impact"), ("Urgency", "urgency"))]
    item = _known(row.get("cmdb_ci"))
    body = {
        "key": "demo-" + row["number"],
        "customer": slug(row["location"]),
        "title": f"{_known(row['category']) or 'Uncategorised'}: {symptom}",
        "problem": f"{row['number']}, reported by {row['caller_id']}.\n" + "".join(f"{title}: {value}\n" for title, value in told if value),
        "impact": IMPACT.get((row["impact"][:1], row["urgency"][:1]), "impaired"),
        "contact": {"name": row["caller_id"], "email": _local_address(row["caller_id"])},
        "attributes": {"incident": row["number"]},
        "channel": "phone" if row.get("contact_type") == "Phone" else "ticket",
    }
    if item:
        body["equipment"] = {"item": item}
    return body


def _staff(row):
    name = _known(row.get("assigned_to")) or _known(row.get("sys_updated_by")) or "desk"
    return {"name": slug(name), "role": "staff"}


def _customer(row):
    return {"name": slug(row["caller_id"]), "role": "customer"}


class Follower:
    """Follows one incident: knows the state its ticket is in by the ops so far, gives the ops for the next row."""

    def __init__(self):
        self.state = "new"

    def _do(self, op, actor, state=None, **body):
        self.state = state or self.state
        return ("ticket." + op, {"as": actor, **body})

    def steps(self, row):
        """[(op, body without tracking and key), …] for one row."""
        handler = {
            "New": self._noted, "Active": self._active, "Awaiting User Info": self._customer_asked, "Awaiting Evidence": self._customer_asked,
            "Awaiting Vendor": self._vendor_asked, "Awaiting Problem": self._vendor_asked, "Resolved": self._resolved, "Closed": self._closed,
        }.get(row["incident_state"], self._noted)
        return list(handler(row))

    def _noted(self, row):
        yield self._do("comment", _staff(row), text=f"State {row['incident_state']}, {row.get('sys_updated_at', '')}", public=False)

    def _back_to_work(self, row):
        """What a row implies that finds a solved ticket at work again."""
        if self.state in ("resolved", "closed"):
            yield self._do("reopen", _customer(row), "reopened", reason="It is not solved.")

    def _active(self, row):
        yield from self._back_to_work(row)
        if self.state == "in_progress":
            yield self._do("comment", _staff(row), text="We are still working on it.", public=True)
        else:
            yield self._do("take", _staff(row), "in_progress")

    def _customer_asked(self, row):
        yield from self._back_to_work(row)
        if self.state == "waiting_customer":
            yield self._do("comment", _staff(row), text="We still need your answer.", public=True)
        else:
            yield self._do("wait", _staff(row), "waiting_customer", on="customer", reason="Please tell us more about the circumstances.")

    def _vendor_asked(self, row):
        yield from self._back_to_work(row)
        if self.state == "waiting_vendor":
            yield self._do("comment", _staff(row), text="The cause is still being looked for.", public=True)
        else:
            yield self._do("wait", _staff(row), "waiting_vendor", on="vendor", reason="The cause lies in a known problem.",
                           vendor=_known(row.get("vendor")) or "problem management", proposal="We pass it on and keep you informed.")

    def _resolved(self, row):
        if self.state in OPEN | WAITING:
            yield self._do("resolve", _staff(row), "resolved", text=f"Solved ({_known(row.get('closed_code')) or 'no code'}). Please approve.")
        else:
            yield from self._noted(row)

    def _closed(self, row):
        if self.state in OPEN | WAITING:
            yield from self._resolved(row)
        if self.state == "resolved":
            yield self._do("approve", _customer(row), "closed", text="It works again.")
        else:
            yield from self._noted(row)
