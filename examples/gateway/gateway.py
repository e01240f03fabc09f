#!/usr/bin/python3
"""A gateway of telephones and text messages for Docket: it takes what docs/channels.md, "Telephone", describes, verifies who asks, and hands
it to a driver:

    asterisk   a call file for Asterisk (SIP trunk): it calls, says the text, takes a key, and tells Docket what became of it (extensions.conf)
    gammu      a text message by a GSM modem, through gammu-smsd-inject
    file       a line of JSON in a file: to look at, and for tests

    gateway.py --listen 127.0.0.1:7480 --secret-file /etc/docket/gateway.secret --calls asterisk --texts gammu

Only Debian's Python. The secret file holds one or two lines whsec_BASE64, the same as the line of this host in the notifier's
webhook_secrets_file. Put a proxy that speaks TLS before it unless Docket runs on the same host. It remembers the last ids, so that a request
that Docket repeats calls nobody twice."""

import argparse
import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

BODY_BYTES_MAX, CLOCK_S_MAX, REMEMBERED = 65536, 300, 10000
NUMBER = re.compile(r"\+[0-9]{5,15}")


def verified(secrets, headers, body, now):
    """Whether one of the secrets signed this (Standard Webhooks)."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isdigit() or abs(now - int(timestamp)) > CLOCK_S_MAX:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    wanted = ["v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode() for secret in secrets]
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one, other) for one in wanted for other in given)


def one_line(text):
    """For call files and modems: nothing that could begin a line of its own."""
    return " ".join(text.split())


def by_asterisk(args, message):
    """A call file, moved into place whole. Asterisk tries once: when to call again is Docket's to say."""
    gateway, data = message["gateway"], message["data"]
    lines = [f"Channel: {args.trunk.format(number=gateway['to'])}", "MaxRetries: 0", "WaitTime: 35", "Context: docket", "Extension: page", "Priority: 1",
             f"Setvar: DOCKET_TEXT={one_line(data['text'])}", f"Setvar: DOCKET_CALLBACK={one_line(gateway.get('callback', ''))}"]
    spool = pathlib.Path(args.spool)
    handle, name = tempfile.mkstemp(dir=spool.parent, prefix="docket-", suffix=".call")
    with os.fdopen(handle, "w") as file:
        file.write("\n".join(lines) + "\n")
    os.rename(name, spool / pathlib.Path(name).name)


def by_gammu(args, message):
    config = ["-c", args.gammu_config] if args.gammu_config else []
    subprocess.run(["gammu-smsd-inject", *config, "TEXT", message["gateway"]["to"], "-autolen", "459", "-unicode", "-text",
                    one_line(message["data"]["text"])], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=15)


def by_file(args, message):
    with open(args.file, "a", encoding="utf-8") as file:
        file.write(json.dumps(message) + "\n")


DRIVERS = {"asterisk": by_asterisk, "gammu": by_gammu, "file": by_file}


class Gateway(http.server.BaseHTTPRequestHandler):
    protocol_version, timeout = "HTTP/1.1", 20
    done = collections.OrderedDict()

    def say(self, status, words):
        body = json.dumps({"message": words}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            return self.say(413, "too large")
        body = self.rfile.read(int(length))
        if not verified(self.server.secrets, self.headers, body, time.time()):
            return self.say(401, "the signature is not right")
        try:
            message = json.loads(body)
            kind, to = message["gateway"]["kind"], message["gateway"]["to"]
            driver = DRIVERS[{"call": self.server.args.calls, "sms": self.server.args.texts}[kind]]
        except (ValueError, KeyError, TypeError):
            return self.say(400, "want gateway.kind call or sms, and gateway.to")
        if not NUMBER.fullmatch(to):
            return self.say(410, "not a telephone number")
        if self.headers["webhook-id"] in self.done:
            return self.say(200, "taken before")
        try:
            driver(self.server.args, message)
        except (OSError, subprocess.SubprocessError) as error:
            return self.say(503, f"{type(error).__name__}")
        self.done[self.headers["webhook-id"]] = True
        while len(self.done) > REMEMBERED:
            self.done.popitem(last=False)
        return self.say(202, "taken")

    def log_message(self, form, *values):
        sys.stderr.write("gateway: " + form % values + "\n")


def main():
    parser = argparse.ArgumentParser(description="A gateway of telephones and text messages for Docket.")
    parser.add_argument("--listen", default="127.0.0.1:7480", metavar="HOST:PORT")
    parser.add_argument("--secret-file", required=True)
    parser.add_argument("--calls", choices=sorted(DRIVERS), default="asterisk")
    parser.add_argument("--texts", choices=sorted(DRIVERS), default="gammu")
    parser.add_argument("--trunk", default="PJSIP/{number}@trunk", help="the channel that Asterisk calls through")
    parser.add_argument("--spool", default="/var/spool/asterisk/outgoing")
    parser.add_argument("--gammu-config", metavar="FILE", help="the daemon's configuration (default: its own, /etc/gammu-smsdrc)")
    parser.add_argument("--file", default="calls.jsonl")
    args = parser.parse_args()
    host, _, port = args.listen.rpartition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Gateway)
    server.args = args
    server.secrets = [base64.b64decode(line.strip().removeprefix("whsec_")) for line in pathlib.Path(args.secret_file).read_text().splitlines() if line.strip()]
    print(f"listening on {host}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
