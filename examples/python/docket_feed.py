"""Reads the feed: every event once and in order, whoever of the notifiers and brokers dies. Needs pyzmq and msgpack.

    for event in Feed(["tcp://127.0.0.1:7404"], Client(["tcp://127.0.0.1:7401"]), cursor).events():
        do(event)
        keep(event["cursor"])  # to go on there after a restart
"""
import os
import sys
import time

import msgpack
import zmq
from docket_client import Client, Refused

SILENCE = 3.0  # without even a heartbeat: nobody publishes, so events.since alone is read


class Feed:
    def __init__(self, feeds, client, cursor=""):
        self.client, self.cursor, self.next_n = client, cursor, {}
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")  # first of all: what comes while we read the past waits here
        for endpoint in feeds:
            self.socket.connect(endpoint)
        self.gaps = 0

    def events(self, until=lambda: False):
        """Gives each event after the cursor, until that says so when nothing comes."""
        while True:
            if not self.socket.poll(int(SILENCE * 1000)):
                yield from self._page()[1]
                if until():
                    return
                continue
            _, head, body = self.socket.recv_multipart()
            head, event = msgpack.unpackb(head), msgpack.unpackb(body)
            if head["n"] != self.next_n.get(head["publisher"]):  # new to us, or some are lost
                self.gaps += 1
                if event:  # what lies before it, and itself
                    while self.cursor < event["cursor"]:
                        yield from self._page()[1]
                else:  # a heartbeat: all pages there are; what an open transaction holds back comes with the next
                    more, events = self._page()
                    while events:
                        yield from events
                        more, events = self._page()
                    if more:
                        continue
            elif event and event["cursor"] > self.cursor:  # else we had it
                self.cursor = event["cursor"]
                yield event
            self.next_n[head["publisher"]] = head["n"] + 1
            if not event and until():
                return

    def _page(self):
        """(whether there may be more, events) after the cursor."""
        while True:
            try:
                page = self.client.call("events.since", cursor=self.cursor, limit=500)
            except TimeoutError:
                continue
            except Refused as refused:
                if not refused.args[0]["retry"]:
                    raise
                time.sleep(0.2)
                continue
            self.cursor = page["cursor"]
            return bool(page["events"]) or page.get("more", False), page["events"]


if __name__ == "__main__":
    brokers = os.environ.get("DOCKET_BROKERS", "tcp://127.0.0.1:7401").split(",")
    feeds = os.environ.get("DOCKET_FEED", "tcp://127.0.0.1:7404").split(",")
    for one in Feed(feeds, Client(brokers), *sys.argv[1:2]).events():
        print(one["cursor"], one["tracking"], one["version"], one["kind"], flush=True)
