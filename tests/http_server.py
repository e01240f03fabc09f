"""An HTTP server that does what a test tells it, path by path: any status and headers, slow, in drips, half an answer, a hang-up after any
byte. It keeps what it took."""

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class _Connection(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(OSError, ValueError):
            while self.one():
                pass

    def one(self):
        line = self.rfile.readline(65536).decode()
        if not line:
            return False
        method, path, _ = line.split()
        headers = {}
        while (line := self.rfile.readline(65536).decode().strip()):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", "0")))
        owner = self.server.owner
        script = owner.take(path, {"method": method, "path": path, "headers": headers, "body": body, "at": time.time()})
        owner.enter(path)
        try:
            return self.play(script)
        finally:
            owner.leave(path)

    def play(self, script):
        for step in script:
            if callable(step):
                step()
            elif isinstance(step, (int, float)):
                time.sleep(step)
            elif step in ("hang", "reset"):
                if step == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            else:
                self.wfile.write(step)
                self.wfile.flush()
        return b"Connection: close" not in b"".join(step for step in script if isinstance(step, bytes))


class HttpServer:
    """answers: path to a list of scripts; each request takes the next one, the last one stays. A script is a list of bytes, pauses in
    seconds, "hang", "reset" (the connection is reset, not closed)."""

    def __init__(self, certificate=None):
        self.answers, self.requests, self.lock = {}, [], threading.Lock()
        self.now, self.most = {}, {}  # by path: requests under way, and the most there ever were
        self.most_at_once = 0  # of all paths together

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads, request_queue_size = True, True, 200

        self.server = Server(("127.0.0.1", 0), _Connection)
        self.server.owner = self
        self.port = self.server.server_address[1]
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def take(self, path, request):
        with self.lock:
            self.requests.append(request)
            scripts = self.answers.get(path, [[OK]])
            return scripts.pop(0) if len(scripts) > 1 else scripts[0]

    def enter(self, path):
        with self.lock:
            self.now[path] = self.now.get(path, 0) + 1
            self.most[path] = max(self.most.get(path, 0), self.now[path])
            self.most_at_once = max(self.most_at_once, sum(self.now.values()))

    def leave(self, path):
        with self.lock:
            self.now[path] -= 1

    def of(self, path):
        with self.lock:
            return [request for request in self.requests if request["path"] == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def status(code, *headers, body=b"said"):
    """A whole answer."""
    lines = [f"HTTP/1.1 {code} Words", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
