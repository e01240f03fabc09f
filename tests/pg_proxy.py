"""A proxy between a program and PostgreSQL's Unix socket that can keep the server's words back, and cut a session so that the program
notices and the server does not (half-open). It reads nothing but the name that a session gives itself."""

import os
import pathlib
import socket
import tempfile
import threading

import psycopg


class Session:
    """One connection: two threads, a direction each."""

    def __init__(self, proxy, program, server):
        self.proxy, self.program, self.server, self.name, self.kept = proxy, program, server, "", b""
        for pump in (self.upward, self.downward):
            threading.Thread(target=pump, daemon=True).start()

    def upward(self):
        """Program to server. The first message names the session."""
        while data := receive(self.program):
            if b"application_name\0" in data[:1000] and not self.name:
                self.name = data.partition(b"application_name\0")[2].partition(b"\0")[0].decode()
            send(self.server, data)
        if not self.proxy.half_open:
            close(self.server)

    def downward(self):
        """Server to program, unless the proxy is deaf to this session."""
        while data := receive(self.server):
            with self.proxy.changed:
                self.proxy.changed.wait_for(lambda: self.name != self.proxy.deaf)
            send(self.program, data)
        close(self.program)


def receive(connection):
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def send(connection, data):
    try:
        connection.sendall(data)
    except OSError:
        pass


def close(connection):
    for step in (lambda: connection.shutdown(socket.SHUT_RDWR), connection.close):
        try:
            step()
        except OSError:
            pass


class PgProxy:
    def __init__(self, dsn):
        given = psycopg.conninfo.conninfo_to_dict(dsn)
        self.target = f"{given['host']}/.s.PGSQL.{given.get('port', 5432)}"
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="docket-proxy-"))
        self.dsn = psycopg.conninfo.make_conninfo(dsn, host=str(self.home))
        self.deaf, self.half_open, self.sessions, self.changed = None, False, [], threading.Condition()
        self.path = self.home / self.target.rpartition("/")[2]
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                program, _ = self.listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.target)
            except OSError:
                return
            self.sessions.append(Session(self, program, server))

    def keep_back(self, name):
        """From now on the session of that name hears nothing from the server. None: all hear again."""
        with self.changed:
            self.deaf = name
            self.changed.notify_all()

    def cut(self, name, half_open=False):
        """Ends the program's side of the sessions of that name; half open: the server does not hear of it."""
        self.half_open = half_open
        for session in [session for session in self.sessions if session.name == name]:
            self.sessions.remove(session)
            close(session.program)
        self.keep_back(None)

    def close(self):
        self.half_open = False
        close(self.listener)
        for session in self.sessions:
            close(session.program), close(session.server)
        os.unlink(self.path)
        self.home.rmdir()
