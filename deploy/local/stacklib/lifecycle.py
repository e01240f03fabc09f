"""up, status, down: the steps in their order."""

import fcntl
import os
import pathlib
import re
import shlex
import signal
import sys

from .plan import ROOT, Plan, StackError, write_whole
from .postgres import Postgres
from .procs import stop, wait_until
from .programs import Program, copy_process, http_get, migrate, programs


class _Lock:
    """One command at a time works on a home."""

    def __init__(self, plan):
        self.path = plan.path("run", "lock")

    def __enter__(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, "w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def _known(args):
    plan = Plan(args.home)
    if not plan.load():
        raise StackError(f"{plan.home}: no stack was started here")
    return plan


def up(args):
    plan = Plan(args.home)
    for folder in ("etc", "run", "log", "mail"):
        try:
            plan.path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StackError(f"--home {args.home}: {error.strerror}") from None
    with _Lock(plan):
        plan.load()
        plan.settle(args)
        for kind in ("broker", "worker", "notifier"):
            binary = pathlib.Path(plan.bin) / f"docket-{kind}"
            if getattr(plan, kind + "s") and not os.access(binary, os.X_OK):
                raise StackError(f"{binary} is not there; `make` builds it, --bin or DOCKET_BIN name another folder")
        plan.save()
        copy_process(plan, args.process)
        _start(plan, args.timeout)
        _write_env(plan)
    print(f"stack: up; {plan.path('stack.env')}")
    return 0


def _start(plan, seconds):
    Postgres(plan).start(seconds)
    listed = programs(plan)
    for program in listed:
        program.configure()
    missing = [program for program in listed if not program.proc.pid()]
    if any(program.kind == "broker" for program in missing):
        migrate(plan)
    for program in missing:
        program.start()
    _wait_ready(plan, listed, seconds)


def _wait_ready(plan, listed, seconds):
    waiting = list(listed)
    died = []

    def all_ready():
        waiting[:] = [program for program in waiting if not program.ready()]
        died[:] = [program for program in waiting if not program.proc.pid()]
        return died or not waiting and _workers_connected(plan)

    wait_until(all_ready, seconds, 0.05)
    for program in died or waiting:
        what = "ended" if program in died else f"is not ready after {seconds:.0f} s"
        raise StackError(f"{program.name} {what}; {program.proc.log} ends with\n{program.proc.tail()}")
    if not _workers_connected(plan):
        raise StackError(f"not all workers are connected after {seconds:.0f} s; see {plan.path('log')}")


def _workers_connected(plan):
    """Each broker's own count of workers, from its metrics."""
    for n in plan.each("brokers"):
        _, text = http_get(f"http://{plan.broker_http(n)}/metrics")
        found = re.search(r"^docket_broker_workers(?:\{[^}]*\})? (\S+)$", text, re.M)
        if found and float(found.group(1)) < plan.workers:
            return False
    return True


def _write_env(plan):
    names = {
        "DOCKET_HOME": str(plan.home),
        "DOCKET_BROKERS": ",".join(plan.clients(n) for n in plan.each("brokers")),
        "DOCKET_WORKERS": ",".join(plan.worker_endpoint(n) for n in plan.each("brokers")),
        "DOCKET_POKES": ",".join(plan.pokes(n) for n in plan.each("brokers")),
        "DOCKET_FEED": ",".join(plan.feed(n) for n in plan.each("notifiers")),
        "DOCKET_DSN": plan.dsn,
        "DOCKET_PUBLIC_URL": plan.public_url(),
        "DOCKET_MAIL": str(plan.path("mail")),
        "DOCKET_SMTP": f"smtp://127.0.0.1:{plan.smtp_port}",
        "DOCKET_PID_POSTGRES": Postgres(plan).proc.pid(),
    }
    for program in programs(plan):
        suffix = program.name.upper().replace("-", "_")
        names["DOCKET_PID_" + suffix] = program.proc.pid()
        if program.http:
            names["DOCKET_HTTP_" + suffix] = f"http://{program.http}"
    lines = (f"{name}={shlex.quote(str(value))}\n" for name, value in names.items() if value is not None)
    write_whole(plan.path("stack.env"), "".join(lines))


def status(args):
    plan = _known(args)
    healthy = True
    rows = [("postgres", Postgres(plan).proc, None)] + [(program.name, program.proc, program) for program in programs(plan)]
    for name, proc, program in rows:
        pid = proc.pid()
        ready = pid is not None and (program is None or program.ready())
        healthy = healthy and ready
        state = "up" if ready else "not ready" if pid else "down"
        print(f"{name:<14} {state:<10} {pid or '-':<8} {program.address() if program else plan.dsn}")
    return 0 if healthy else 1


def down(args):
    plan = _known(args)
    with _Lock(plan):
        listed = programs(plan)
        killed = []
        # Who gives work goes last: a notifier and a worker say goodbye to their broker, the broker to the database.
        for kinds in (("worker", "notifier"), ("broker",), ("mail",)):
            killed += stop([program.proc for program in listed if program.kind in kinds], signal.SIGTERM, args.timeout)
        killed += stop([Postgres(plan).proc], signal.SIGINT, args.timeout)
        socket_dir = pathlib.Path(plan.socket_dir)
        if plan.home not in socket_dir.parents and socket_dir.is_dir() and not any(socket_dir.iterdir()):
            socket_dir.rmdir()
        for name in killed:
            print(f"stack: {name} did not stop in {args.timeout:.0f} s and was killed", file=sys.stderr)
    print("stack: down")
    return 0
