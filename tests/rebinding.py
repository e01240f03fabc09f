"""A host of its own (a network namespace) with a name server that changes its mind, and HTTPS at a public and at a private address: what a
webhook's name meant before must not matter. Run inside the namespace: rebinding.py CERT KEY; a line on standard output for each question and
each connection."""

import contextlib
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading

from hosts import run

PUBLIC, PRIVATE, PORT = "93.184.216.34", "10.1.2.3", 8443
# A name's answers, one a question, the last one stays.
NAMES = {"moves.example": [[PUBLIC], [PRIVATE]], "both.example": [[PRIVATE, PUBLIC]], "inside.example": [[PRIVATE, "127.0.0.1", "169.254.169.254"]]}


def say(*words):
    print(*words, flush=True)


def answer(question, name, addresses):
    head = question[:2] + struct.pack(">HHHHH", 0x8180, 1, len(addresses), 0, 0)
    records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(one) for one in addresses)
    return head + question[12:12 + len(name) + 2 + 4] + records


def serve_names():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))
    while True:
        question, client = sock.recvfrom(512)
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, kind = ".".join(labels), struct.unpack(">H", question[at + 1:at + 3])[0]
        turns = NAMES.get(name, [[]])
        addresses = (turns.pop(0) if len(turns) > 1 else turns[0]) if kind == 1 else []
        say("asked", name, kind, *addresses)
        sock.sendto(answer(question, name, addresses), client)


def serve_https(address, context):
    listener = socket.create_server((address, PORT))
    while True:
        plain, _ = listener.accept()
        say("connected", address)
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def serve(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    for address in (PUBLIC, PRIVATE, "127.0.0.1", "169.254.169.254"):
        threading.Thread(target=serve_https, args=(address, context), daemon=True).start()
    say("ready")
    serve_names()


class Host:
    """The namespace with the servers in it."""

    def __init__(self, folder):
        self.space, self.log = f"dkt{os.getpid()}-names", folder / "names.log"
        self.cert, key = folder / "names.pem", folder / "names.key"
        names = ",".join(f"DNS:{name}" for name in NAMES)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=names", "-addext", f"subjectAltName={names}",
                        "-keyout", str(key), "-out", str(self.cert)], check=True, capture_output=True)
        run("ip", "netns", "add", self.space)
        run("ip", "-n", self.space, "link", "set", "lo", "up")
        for address in (PUBLIC, PRIVATE, "169.254.169.254"):
            run("ip", "-n", self.space, "address", "add", f"{address}/32", "dev", "lo")
        self.etc = pathlib.Path("/etc/netns") / self.space  # ip netns exec lays these files over those of /etc
        self.etc.mkdir(parents=True)
        (self.etc / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        (self.etc / "nsswitch.conf").write_text("hosts: dns\n")
        self.running = []
        self.start(sys.executable, __file__, self.cert, key, log=self.log)

    def start(self, *command, log):
        with open(log, "ab") as out:
            self.running.append(subprocess.Popen(["ip", "netns", "exec", self.space, *map(str, command)], stdin=subprocess.DEVNULL, stdout=out, stderr=out))

    def said(self, word):
        return [line.split()[1:] for line in self.log.read_text().splitlines() if line.split()[0] == word]

    def close(self):
        for process in self.running:
            process.kill()
            process.wait()
        run("ip", "netns", "del", self.space)
        shutil.rmtree(self.etc)


if __name__ == "__main__":
    serve(*sys.argv[1:])
