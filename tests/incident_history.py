#!/usr/bin/python3
"""incident_log.csv as a history for `docket-worker simulate`: a JSON line for each incident (docs/process.md, "Histories").

    tests/incident_history.py LOG.csv > history.jsonl

The ops that bring a ticket through the states of the log are those of the demonstration; here they become the events that such ops
leave, at the times of the log (which tells no zone: taken as UTC)."""

import datetime
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "deploy/local"))

from stacklib import incidents  # noqa: E402

KINDS = {"comment": "commented", "take": "taken", "wait": "waiting", "resolve": "resolved", "approve": "approved", "reopen": "reopened"}
PUBLIC = {"waiting", "resolved", "approved", "reopened"}


def instant(text):
    return int(datetime.datetime.strptime(text, "%d-%m-%Y %H:%M").replace(tzinfo=datetime.timezone.utc).timestamp()) * 1_000_000


def events(rows, posted_at):
    follower, at = incidents.Follower(), posted_at
    for n, row in enumerate(rows):
        at = max(at, instant(row["sys_updated_at"]))
        if n == 0 and row["incident_state"] == "New":
            continue
        for op, body in follower.steps(row):
            body = dict(body)
            kind = KINDS[op.removeprefix("ticket.")]
            yield {"at": at, "kind": kind, "as": body.pop("as"), "public": body.pop("public", kind in PUBLIC), "body": body}


def history(rows):
    ticket = incidents.posting(rows)
    ticket.pop("key")
    posted_at = instant(rows[0]["opened_at"])
    was = {"priority": int(rows[-1]["priority"][0]), "missed": rows[-1]["made_sla"] != "TRUE"}
    return {"posted_at": posted_at, "ticket": ticket, "customer": None, "events": list(events(rows, posted_at)), "was": was}


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        log = incidents.read(sys.argv[1])
    except incidents.LogError as error:
        print(f"incident_history: {error}", file=sys.stderr)
        return 1
    for rows in log.values():
        print(json.dumps(history(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
