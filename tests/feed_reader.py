"""A reader of the feed, written by docs/protocol.md ("The feed") alone: every event once, whoever of the publishers and brokers dies."""

import msgpack
import zmq
from helpers import Client, Refused


class FeedReader:
    """Subscribes first, then reads by events.since, then takes what the feed says. Not for two threads."""

    def __init__(self, feeds, brokers):
        self.feed = zmq.Context.instance().socket(zmq.SUB)
        self.feed.setsockopt(zmq.RCVHWM, 0)
        self.feed.setsockopt(zmq.SUBSCRIBE, b"")
        for endpoint in feeds.split(","):
            self.feed.connect(endpoint)
        self.brokers, self.client = brokers.split(","), None
        self.cursor, self.seen, self.events = "", set(), []
        self.next_n = {}  # of each publisher
        self.gaps = self.live = 0

    def take(self, event):
        if event["cursor"] in self.seen:
            return False
        self.seen.add(event["cursor"])
        self.events.append(event)
        self.cursor = event["cursor"]
        return True

    def ask(self):
        """One page after the last cursor, from whichever broker answers."""
        while True:
            try:
                self.client = self.client or Client(self.brokers[0], timeout=5)
                return self.client.call("events.since", cursor=self.cursor, limit=500)
            except Refused as refused:
                if not refused.error["retry"]:
                    raise
            except AssertionError:  # no answer
                pass
            self.client.close()
            self.client = None  # the next broker, with the same cursor
            self.brokers.append(self.brokers.pop(0))

    def page(self):
        """Takes a page; False when it was the end."""
        page = self.ask()
        for event in page["events"]:
            self.take(event)
        return bool(page["events"]) or page.get("more", False)

    def close_gap(self, event):
        """Reads what lies before this message: up to its event; a heartbeat has none, so to the end, a page each. False: not yet."""
        if not event:
            return not self.page()
        while event["cursor"] not in self.seen:
            self.page()
        return True

    def read(self, seconds):
        """What comes on the feed within so long."""
        while self.feed.poll(seconds * 1000):
            _, head, body = self.feed.recv_multipart()
            head, event = msgpack.unpackb(head), msgpack.unpackb(body)
            if head["n"] != self.next_n.get(head["publisher"]):
                self.gaps += 1
                if not self.close_gap(event):
                    continue
            elif event and self.take(event):
                self.live += 1
            self.next_n[head["publisher"]] = head["n"] + 1

    def close(self):
        self.feed.close(0)
        if self.client:
            self.client.close()
