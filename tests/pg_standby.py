"""A streaming standby of a stack's PostgreSQL, to be promoted: a cluster of its own beside it, which the stack's programs know as the second host of
their dsn."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import psycopg
from helpers import alive, wait_until

BIN = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))[-1]


class Standby:
    """From the moment it is made the primary's commits reach it; the stack's brokers and notifiers are started again with both hosts."""

    def __init__(self, stack):
        self.stack = stack
        for folder in (stack.home, stack.home / "h"):
            folder.chmod(0o755)  # the server's user passes through to the primary's socket
        primary = stack.home / "h/postgres"
        self.uid, self.gid = primary.stat().st_uid, primary.stat().st_gid
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="docket-standby-"))
        self.data = self.home / "data"
        os.chown(self.home, self.uid, self.gid)
        self.home.chmod(0o755)
        with (primary / "pg_hba.conf").open("a") as hba:
            hba.write("local replication all peer map=stack\n")
        self.sql("SELECT pg_reload_conf()")
        socket = stack.value("SHOW unix_socket_directories")
        self._run("pg_basebackup", "-D", self.data, "-h", socket, "-U", "docket", "-R", "-X", "stream", "-c", "fast", "--no-sync")
        self.process = self._spawn("postgres", "-D", self.data, "-k", self.home, "-c", "listen_addresses=")
        self.dsn = f"host={self.home} user=docket dbname=docket"
        wait_until(lambda: self.streams(), 30)
        self._tell_programs(f"host={socket},{self.home} user=docket dbname=docket target_session_attrs=read-write")

    def _as_server(self):
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {}

    def _run(self, program, *arguments):
        done = subprocess.run([BIN / program, *map(str, arguments)], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, **self._as_server())
        assert done.returncode == 0, done.stderr
        return done

    def _spawn(self, program, *arguments):
        with open(self.home / "log", "wb") as log:
            return subprocess.Popen([BIN / program, *map(str, arguments)], cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                    **self._as_server())

    def _tell_programs(self, dsn):
        for name in ("broker", "notifier"):
            for n in range(1, self.stack.options.get(name + "s", 1) + 1):
                config = self.stack.config(f"{name}-{n}")
                config.write_text(re.sub(r"^dsn: .*$", f'dsn: "{dsn}"', config.read_text(), flags=re.M))
                self.stack.kill(f"{name}-{n}", signal.SIGTERM)
                wait_until(lambda: not alive(self.stack.pid(f"{name}-{n}")), 20)  # noqa: B023
        self.stack.up()

    def sql(self, statement):
        with self.stack.db() as db:
            db.execute(statement)

    def streams(self):
        return self.stack.value("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == 1

    def wait_for(self):
        """From now on a commit is answered when it is here too."""
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.sql("SELECT pg_reload_conf()")
        wait_until(lambda: self.stack.value("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1)

    def cut(self):
        """What the primary commits from now on does not come here."""
        with psycopg.connect(self.dsn, autocommit=True) as db:
            db.execute("ALTER SYSTEM SET primary_conninfo = ''")
            db.execute("SELECT pg_reload_conf()")
            wait_until(lambda: db.execute("SELECT count(*) FROM pg_stat_wal_receiver").fetchone()[0] == 0)
        wait_until(lambda: not self.streams())

    def promote(self):
        """The primary dies, and this one takes its place: also for the stack's own questions."""
        self.stack.kill("postgres")
        with psycopg.connect(self.dsn, autocommit=True) as db:
            assert db.execute("SELECT pg_promote(true, 60)").fetchone()[0]
            wait_until(lambda: not db.execute("SELECT pg_is_in_recovery()").fetchone()[0])
        self.stack.env["DOCKET_DSN"] = self.dsn

    def close(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)
