"""What a stack consists of: folders, ports, how many of each program. Kept in HOME/etc/stack.json, so that a second `up` finds
the same stack. Starts nothing."""

import json
import os
import pathlib
import socket
import tempfile
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[3]
BASE_DEFAULT = 7400
STEP = 20  # ports a broker or notifier may use, counted from base
COUNT_MAX = 50
KINDS = ("brokers", "workers", "notifiers")
SOCKET_PATH_MAX = 100  # sun_path holds 107 bytes; PostgreSQL adds ".lock" to the name


class StackError(Exception):
    """Trouble that is told in one line."""


def _port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Plan:
    def __init__(self, home):
        self.home = pathlib.Path(home).resolve()
        self.base_port = None
        self.brokers = self.workers = self.notifiers = None
        self.bin = None
        self.socket_dir = None
        self.fresh = True

    # ---- places ----

    @property
    def file(self):
        return self.home / "etc" / "stack.json"

    def path(self, *parts):
        return self.home.joinpath(*parts)

    # ---- reading and writing ----

    def load(self):
        try:
            kept = json.loads(self.file.read_text())
        except FileNotFoundError:
            return False
        except ValueError as error:
            raise StackError(f"{self.file}: not readable: {error}") from None
        for name in ("base_port", *KINDS, "bin", "socket_dir"):
            setattr(self, name, kept[name])
        self.fresh = False
        return True

    def save(self):
        kept = {name: getattr(self, name) for name in ("base_port", *KINDS, "bin", "socket_dir")}
        write_whole(self.file, json.dumps(kept, indent=1) + "\n")

    def settle(self, args):
        """Options over what was kept over defaults. A running stack never shrinks: fewer of a kind are refused."""
        for kind in KINDS:
            wanted, kept = getattr(args, kind), getattr(self, kind)
            if wanted is not None and not 0 <= wanted <= COUNT_MAX:
                raise StackError(f"--{kind}: {wanted}: want 0 to {COUNT_MAX}")
            if wanted is not None and kept is not None and wanted < kept:
                raise StackError(f"--{kind} {wanted}: this stack has {kept}; stop it with `down` and use another home")
            setattr(self, kind, wanted if wanted is not None else 1 if kept is None else kept)
        self.bin = str(pathlib.Path(args.bin or os.environ.get("DOCKET_BIN") or self.bin or ROOT / "build/bin").resolve())
        if self.base_port is None:
            self.base_port = self._choose_base(args.base_port)
            self.socket_dir = self._choose_socket_dir()
        elif args.base_port not in (None, self.base_port):
            raise StackError(f"--base-port {args.base_port}: this stack uses {self.base_port}")

    def ports(self, base):
        used = [base + 16]
        for n in range(1, self.brokers + 1):
            used += [base + STEP * (n - 1) + offset for offset in (1, 2, 3, 11)]
        for n in range(1, self.notifiers + 1):
            used += [base + STEP * (n - 1) + offset for offset in (4, 13, 14)]
        return used

    def _choose_base(self, wanted):
        if wanted is not None:
            if not 1024 <= wanted <= 65535 - STEP * COUNT_MAX:
                raise StackError(f"--base-port {wanted}: want 1024 to {65535 - STEP * COUNT_MAX}")
            taken = [port for port in self.ports(wanted) if not _port_is_free(port)]
            if taken:
                raise StackError(f"--base-port {wanted}: port {taken[0]} of 127.0.0.1 is in use")
            return wanted
        for base in range(BASE_DEFAULT, 32000, STEP * 10):
            if all(_port_is_free(port) for port in self.ports(base)):
                return base
        raise StackError("no free range of ports on 127.0.0.1")

    def _choose_socket_dir(self):
        inside = self.path("run", "postgres")
        if len(str(inside / ".s.PGSQL.5432")) <= SOCKET_PATH_MAX:
            return str(inside)
        # The name of a Unix socket is short; the folder of this one is removed by `down`.
        return tempfile.mkdtemp(prefix="docket-")

    # ---- addresses ----

    def _port(self, n, offset):
        return self.base_port + STEP * (n - 1) + offset

    def _endpoint(self, n, offset):
        return f"tcp://127.0.0.1:{self._port(n, offset)}"

    def clients(self, n):
        return self._endpoint(n, 1)

    def worker_endpoint(self, n):
        return self._endpoint(n, 2)

    def pokes(self, n):
        return self._endpoint(n, 3)

    def feed(self, n):
        return self._endpoint(n, 4)

    def broker_http(self, n):
        return f"127.0.0.1:{self._port(n, 11)}"

    def notifier_http(self, n):
        return f"127.0.0.1:{self._port(n, 13)}"

    def public_url(self, n=1):
        return f"http://127.0.0.1:{self._port(n, 14)}"

    @property
    def smtp_port(self):
        return self.base_port + 16

    @property
    def dsn(self):
        """A URI without a character that a shell would have to quote."""
        return f"postgresql://docket@{urllib.parse.quote(self.socket_dir, safe='')}/docket"

    def each(self, kind):
        return range(1, getattr(self, kind) + 1)


def write_whole(path, text, mode=0o644):
    """Writes a file so that a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    beside.chmod(mode)
    beside.replace(path)
