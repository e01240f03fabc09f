"""A private Prosody: TLS with a certificate of its own, accounts, a service of rooms, all on loopback and under one folder; and a person with
an independent client (slixmpp) in a thread of its own."""

import asyncio
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading

import slixmpp
from helpers import free_port, wait_until

PASSWORD = "s3cret"


class Prosody:
    def __init__(self, *accounts, certified="localhost"):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="docket-prosody-"))
        self.port, self.accounts = free_port(), accounts
        self.cert, key = self.home / "localhost.crt", self.home / "localhost.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={certified}", "-addext",
                        f"subjectAltName=DNS:{certified},DNS:rooms.{certified}", "-keyout", str(key), "-out", str(self.cert)], check=True, capture_output=True)
        store = self.home / "data/localhost/accounts"
        store.mkdir(parents=True)
        for account in accounts:
            (store / f"{account}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};\n')
        (self.home / "prosody.cfg.lua").write_text(f"""
daemonize = false; run_as_root = false; pidfile = "{self.home}/prosody.pid"; data_path = "{self.home}/data"
log = {{ info = "{self.home}/log" }}; authentication = "internal_plain"; c2s_require_encryption = true;
c2s_interfaces = {{ "127.0.0.1" }}; c2s_ports = {{ {self.port} }}; s2s_ports = {{}}; http_ports = {{}}; https_ports = {{}}; c2s_direct_tls_ports = {{}}
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "offline" }}; modules_disabled = {{ "s2s", "posix" }}
ssl = {{ certificate = "{self.cert}"; key = "{key}" }}
VirtualHost "localhost"
Component "rooms.localhost" "muc"
    restrict_room_creation = false; muc_room_locking = false; muc_room_default_public = true
""")
        self.owner = 65534 if os.geteuid() == 0 else None
        if self.owner:
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, self.owner, self.owner)
        self.process = None
        self.start()

    def start(self):
        extra = {"user": self.owner, "group": self.owner, "extra_groups": []} if self.owner else {}
        self.process = subprocess.Popen(["prosody", "--config", str(self.home / "prosody.cfg.lua"), "-F"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.home, **extra)
        wait_until(self.greets, 30)

    def greets(self):
        assert self.process.poll() is None, (self.home / "log").read_text() if (self.home / "log").exists() else "prosody ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Person(slixmpp.ClientXMPP):
    """heard: (from, type, text) of each message. Receipts are given as long as `confirms`."""

    def __init__(self, server, name, confirms=True, room=None):
        self.heard, self.ready, self.room = [], threading.Event(), room
        self.loop_ = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=(server, name, confirms), daemon=True)
        self.thread.start()
        assert self.ready.wait(30), f"{name} cannot connect"

    def _run(self, server, name, confirms):
        asyncio.set_event_loop(self.loop_)
        super().__init__(f"{name}@localhost/phone", PASSWORD)
        self.loop = self.loop_
        self.ca_certs = str(server.cert)
        self.register_plugin("xep_0045")
        if confirms:
            self.register_plugin("xep_0184")
        self.add_event_handler("session_start", self._on_start)
        self.add_event_handler("message", lambda m: m["body"] and self.heard.append((str(m["from"]), m["type"], m["body"])))
        self.default_port, self.dns_service = server.port, None
        self.connect(("127.0.0.1", server.port))
        self.loop_.run_forever()

    async def _on_start(self, _):
        self.send_presence()
        if self.room:
            await self.plugin["xep_0045"].join_muc_wait(slixmpp.JID(self.room), self.boundjid.user, maxstanzas=0)
        self.ready.set()

    def say(self, to, text, kind="chat"):
        self.loop_.call_soon_threadsafe(lambda: self.send_message(mto=to, mbody=text, mtype=kind))

    def raw(self, stanza):
        """Sends what is no stanza of a good client."""
        self.loop_.call_soon_threadsafe(lambda: self.send_raw(stanza))

    def kick(self, room, nick):
        """Puts somebody out of a room of ours; returns once it is done."""
        asyncio.run_coroutine_threadsafe(self.plugin["xep_0045"].set_role(slixmpp.JID(room), nick, "none"), self.loop_).result(20)

    def texts(self, word=""):
        return [text for _, _, text in self.heard if word in text]

    def leave(self):
        async def end():
            await self.disconnect(wait=0.1)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)
            self.loop_.stop()
        asyncio.run_coroutine_threadsafe(end(), self.loop_)
        self.thread.join(1)
