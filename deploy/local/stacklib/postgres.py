"""The private PostgreSQL: a cluster of its own, reached over a Unix socket only, with durable settings.

PostgreSQL refuses to run as root. As root the server runs as `postgres` or `nobody`; when the home lies in a folder which that
user cannot enter (mktemp -d makes such folders), the server keeps one capability, to pass through folders, and no other."""

import os
import pathlib
import pwd
import shutil
import subprocess

from .plan import StackError
from .procs import Proc, wait_until

VERSION = 15
BIN = pathlib.Path(f"/usr/lib/postgresql/{VERSION}/bin")

SETTINGS = """
# Written by deploy/local/stack. Durable: a commit that was answered is on the disk.
listen_addresses = ''
fsync = on
synchronous_commit = on
full_page_writes = on
wal_sync_method = fdatasync
max_connections = 100
shared_buffers = 512MB
wal_buffers = 32MB
min_wal_size = 256MB
max_wal_size = 4GB
checkpoint_completion_target = 0.9
bgwriter_delay = 20ms
bgwriter_lru_maxpages = 1000
autovacuum_naptime = 10s
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] '
"""

# Who may log in: the operating system says who it is. No password lies anywhere.
HBA = "local all all peer map=stack\n"


def _server_user():
    """The user that the server runs as: None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StackError("running as root, and there is neither a user postgres nor nobody for the server")


def _can_enter(path, user):
    """Whether user may pass through all folders above path (owner and others; groups are left out to be safe)."""
    for folder in path.parents:
        info = folder.stat()
        bit = 0o100 if info.st_uid == user.pw_uid else 0o001
        if not info.st_mode & bit:
            return False
    return True


def _capability():
    """Docker gives root dac_override but not dac_read_search; either lets the server through."""
    status = pathlib.Path("/proc/self/status").read_text()
    held = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff")), 16)
    for bit, name in ((2, "dac_read_search"), (1, "dac_override")):
        if held >> bit & 1:
            return name
    return None


class Postgres:
    def __init__(self, plan):
        self.plan = plan
        self.data = plan.path("postgres")
        self.socket_dir = pathlib.Path(plan.socket_dir)
        self.proc = Proc(plan, "postgres")
        self.user = _server_user()

    def _as_user(self, command):
        if self.user is None:
            return command
        prefix = ["setpriv", f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups"]
        if not (_can_enter(self.data, self.user) and _can_enter(self.socket_dir, self.user)):
            capability = _capability()
            if capability is None:
                raise StackError(f"user {self.user.pw_name} cannot enter {self.data}: give execute permission on its parents")
            prefix += [f"--inh-caps=-all,+{capability}", f"--ambient-caps=-all,+{capability}", f"--bounding-set=-all,+{capability}"]
        return prefix + command

    def _own(self, path, mode):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _init(self):
        self._own(self.data, 0o700)
        command = [str(BIN / "initdb"), "-D", str(self.data), "-U", "docket", "-E", "UTF8", "--locale=C.UTF-8",
                   "-A", "peer", "--no-instructions"]
        done = subprocess.run(self._as_user(command), cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StackError(f"initdb failed: {done.stderr.strip()}")
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(SETTINGS)
        (self.data / "pg_hba.conf").write_text(HBA)
        users = {pwd.getpwuid(os.geteuid()).pw_name} | ({self.user.pw_name} if self.user else set())
        (self.data / "pg_ident.conf").write_text("".join(f'stack "{name}" docket\n' for name in sorted(users)))
        (self.data / "stack-initialised").write_text("")

    def _sql(self, database, text):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return subprocess.run(
            [str(BIN / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket_dir), "-U", "docket", "-d", database, "-c", text],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)

    def _answers(self):
        return self._sql("postgres", "SELECT 1").returncode == 0

    def start(self, seconds):
        """Starts the server if it does not run and waits until it answers (also through a crash recovery)."""
        if self.proc.pid():
            if not wait_until(self._answers, seconds, 0.1):
                raise StackError(f"postgres runs but does not answer; {self.proc.log} ends with\n{self.proc.tail()}")
            return
        if not BIN.is_dir():
            raise StackError(f"PostgreSQL {VERSION} is not installed ({BIN}); `make deps` installs it")
        self._own(self.socket_dir, 0o755)
        if not (self.data / "stack-initialised").exists():
            if self.data.exists():
                shutil.rmtree(self.data)  # a first `up` that was interrupted
            self._init()
        command = [str(BIN / "postgres"), "-D", str(self.data), "-k", str(self.socket_dir)]

        # After kill -9 its children need a moment to leave; until then a new server refuses to start.
        def running():
            if not self.proc.pid():
                self.proc.start(self._as_user(command), "/")
                wait_until(lambda: not self.proc.pid() or self._answers(), 5, 0.05)
            return self.proc.pid() and self._answers()

        if not wait_until(running, seconds, 0.2):
            raise StackError(f"postgres did not start; {self.proc.log} ends with\n{self.proc.tail()}")
        known = self._sql("postgres", "SELECT 1 FROM pg_database WHERE datname = 'docket'")
        if known.returncode == 0 and not known.stdout.strip():
            made = self._sql("postgres", "CREATE DATABASE docket")
            if made.returncode != 0:
                raise StackError(f"cannot create the database: {made.stderr.strip()}")
