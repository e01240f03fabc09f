"""A machine of its own to install on, made of this one: its files under an overlay, with namespaces of its own (mounts, processes, network), so that what a
page tells root to do touches nothing here. It has what the pages take for granted: sudo, an editor, a PostgreSQL, and as much of systemctl as starts what
a unit says, as whom it says."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from helpers import BIN, ROOT

# The sources are laid over by themselves: they may lie below /tmp, or on a disk of their own, which an overlay of / does not show.
ENTER = """set -eu
base=$1 tree=$2; shift 2
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root"
mount -t proc proc "$base/root/proc"
mount -t tmpfs tmpfs "$base/root/tmp"
mount -t tmpfs tmpfs "$base/root/run"
mount --rbind /dev "$base/root/dev"
mkdir -p "$base/root/$tree"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$base/tree,workdir=$base/work-tree" "$base/root/$tree"
ip link set lo up
exec chroot "$base/root" "$@"
"""
SUDO = """#!/bin/sh
user=root
[ "$1" != -u ] || { user=$2; shift 2; }
[ "$user" != root ] || exec "$@"
exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups --reset-env "$@"
"""
# What is installed is what is built already, under whatever name.
MAKE = """#!/bin/sh
exec /usr/bin/make "$@" LTO=no DEPS=no BUILD=%s
"""
SYSTEMCTL = r"""#!/usr/bin/python3
import os, pathlib, pwd, subprocess, sys
words = [word for word in sys.argv[1:] if not word.startswith("-")]
for name in words[1:] if words[0] == "enable" else []:
    file = next(file for folder in ("/usr/local/lib", "/usr/lib") if (file := pathlib.Path(folder) / "systemd/system" / f"{name}.service").exists())
    unit = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line and not line.startswith("#"))
    user = pwd.getpwnam(unit["User"])
    if "RuntimeDirectory" in unit:
        folder = pathlib.Path("/run") / unit["RuntimeDirectory"]
        folder.mkdir(exist_ok=True)
        os.chown(folder, user.pw_uid, user.pw_gid)
        folder.chmod(int(unit["RuntimeDirectoryMode"], 8))
    with open(f"/tmp/{name}.log", "ab") as log:
        subprocess.Popen(["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", "--reset-env", *unit["ExecStart"].split()],
                         stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, umask=int(unit["UMask"], 8))
"""
POSTGRES = """
pg=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
mkdir -p /run/postgresql /var/lib/docket-pages
chown postgres:postgres /run/postgresql /var/lib/docket-pages
sudo -u postgres "$pg/initdb" -D /var/lib/docket-pages/data -A peer -E UTF8 --locale=C.UTF-8 --no-sync >/tmp/initdb.log
(cd / && sudo -u postgres "$pg/pg_ctl" -D /var/lib/docket-pages/data -l /var/lib/docket-pages/log -w -o "-k /run/postgresql" start >/dev/null)
"""


def enter(base, *command):
    return subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", base, ROOT, *command], cwd="/",
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)


class Machine:
    def __init__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="docket-machine-"))
        for folder in ("upper/usr/local/sbin", "work", "root", "tree", "work-tree"):
            (self.base / folder).mkdir(parents=True)
        self.base.chmod(0o755)
        tools = {"sudo": SUDO, "make": MAKE % os.path.relpath(BIN.parent, ROOT), "systemctl": SYSTEMCTL, "editor": "#!/bin/sh\nexit 0\n"}
        for name, text in tools.items():
            file = self.base / "upper/usr/local/sbin" / name
            file.write_text(text)
            file.chmod(0o755)

    def why_not(self):
        """Why there can be none here; None: there can."""
        if os.geteuid() != 0:
            return "an overlay of this machine needs root"
        done = enter(self.base, "true")
        return None if done.returncode == 0 else f"no overlay of this machine here: {done.stderr.strip()}"

    def run(self, script):
        """A script in the sources' folder, as root, with a fresh PostgreSQL; it ends at the first command that fails."""
        environment = "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin USER=root HOME=/root; unset DOCKET_BROKERS XDG_CONFIG_HOME\n"
        return enter(self.base, "bash", "-c", f"set -eu\n{environment}{POSTGRES}cd {ROOT}\n{script}")

    def close(self):
        shutil.rmtree(self.base, ignore_errors=True)
