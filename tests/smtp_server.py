"""An SMTP server that does what a test tells it, recipient by recipient: any status at any stage, slow answers, half answers, a
hang-up at any moment. It keeps what it took."""

import contextlib
import email
import email.policy
import socket
import socketserver
import struct
import threading
import time

GREETING, EHLO = "220 test ESMTP", "250-test\r\n250-8BITMIME\r\n250 PIPELINING"


class Hang(Exception):
    """The connection ends here, without a word."""


class _Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write((text + "\r\n").encode())

    def answer(self, stage, fallback):
        """Does what the script says for the recipient at this stage, else answers as a good server."""
        for step in self.server.owner.take(self.recipient, stage):
            if callable(step):
                step()
            elif step == "hang":
                raise Hang
            elif isinstance(step, (int, float)):
                time.sleep(step)
            elif isinstance(step, tuple):
                self.cut((fallback + "\r\n").encode(), *step)
            elif step == "half":
                self.wfile.write(fallback[:2].encode())
                raise Hang
            else:
                fallback = step
        self.say(fallback)
        return fallback.startswith(("2", "3"))

    def cut(self, answer, end, byte):
        """("hang" or "reset", so many bytes of the good answer before it)"""
        self.wfile.write(answer[:byte])
        self.wfile.flush()
        if end == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Hang

    def handle(self):
        self.server.owner.sessions += 1
        self.recipient, self.sender, self.begun = "", "", 0
        with contextlib.suppress(Hang, OSError), self.server.owner.open_one(self.connection):
            self.answer("greeting", GREETING)
            while line := self.rfile.readline():
                word = line[:4].upper().decode("ascii", "replace")
                if word == "QUIT":
                    self.say("221 bye")
                    return
                handler = getattr(self, "on_" + word.strip().lower(), None)
                handler(line.decode("utf-8", "replace").strip()) if handler else self.say("250 ok")

    def on_ehlo(self, _):
        self.answer("ehlo", EHLO)

    def on_rset(self, _):
        self.answer("rset", "250 ok")

    def on_mail(self, line):
        self.begun += 1
        if self.server.owner.messages_max and self.begun > self.server.owner.messages_max:
            self.say("421 4.7.0 too many messages in this connection")
            raise Hang
        self.sender, self.recipient = line.partition("<")[2].partition(">")[0], ""
        self.answer("mail", "250 ok")

    def on_rcpt(self, line):
        self.recipient = line.partition("<")[2].partition(">")[0]
        self.answer("rcpt", "250 ok")

    def on_data(self, _):
        if not self.answer("data", "354 go on"):
            return
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if not line:
            raise Hang
        mail = {"to": self.recipient, "from": self.sender, "bytes": b"".join(lines), "at": time.monotonic()}
        with self.server.owner.lock:
            self.server.owner.seen.append(mail)
        if self.answer("end", "250 taken"):
            with self.server.owner.lock:
                self.server.owner.mails.append(mail)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 128

    def handle_error(self, *_):
        pass


class SmtpServer:
    """seen: every message whose last dot arrived; mails: those that were answered with 250."""

    def __init__(self):
        self.lock, self.scripts, self.seen, self.mails, self.sessions = threading.Lock(), {}, [], [], 0
        self.connections, self.messages_max = set(), 0  # messages_max: of one connection, then it says goodbye; 0: as many as come
        self.server = _Server(("127.0.0.1", 0), _Session)
        self.server.owner = self
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.server.server_address[1]}"

    def script(self, address, stage, *turns):
        """What happens at that stage, attempt by attempt; each turn is a step or a list of steps, the last turn stays. Before a recipient
        is named (greeting, ehlo, mail) its address is ""."""
        self.scripts[address, stage] = [turn if isinstance(turn, list) else [turn] for turn in turns]

    def take(self, address, stage):
        with self.lock:
            turns = self.scripts.get((address, stage))
            if not turns:
                return []
            return turns.pop(0) if len(turns) > 1 else turns[0]

    @contextlib.contextmanager
    def open_one(self, connection):
        with self.lock:
            self.connections.add(connection)
        try:
            yield
        finally:
            with self.lock:
                self.connections.discard(connection)

    def drop(self):
        """Hangs up on everybody: what comes next is over a new connection."""
        with self.lock:
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def to(self, address, of="mails"):
        with self.lock:
            return [email.message_from_bytes(mail["bytes"], policy=email.policy.default)
                    for mail in getattr(self, of) if mail["to"] == address]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
