"""A private Postfix under one folder: an SMTP port on loopback, aliases that pipe to a program, all that goes out to a sink. It needs root, as
Postfix does; its daemons and the program run as unprivileged users."""

import os
import pathlib
import shutil
import smtplib
import socket
import subprocess
import tempfile

from helpers import free_port, wait_until

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
myhostname = mx.localhost
mydestination = localhost
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps = texthash:{home}/aliases
alias_database =
local_recipient_maps =
recipient_delimiter = +
relayhost = [127.0.0.1]:{sink}
smtp_dns_support_level = disabled
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
message_size_limit = 20480000
"""

# As docs/channels.md says: commands run as the owner of their alias file, who alone may read the key.
OWNER = "daemon"


def available():
    return os.geteuid() == 0 and shutil.which("postfix")


class Postfix:
    def __init__(self, command, sink):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="docket-postfix-"))
        self.home.chmod(0o755)
        self.port = free_port()
        for folder in ("etc", "queue", "data"):
            (self.home / folder).mkdir()
        shutil.chown(self.home / "data", "postfix", "postfix")
        aliases = self.home / "aliases"
        aliases.write_text(f'desk "|{command}"\nbounce "|{command}"\n')
        shutil.chown(aliases, OWNER)
        (self.home / "etc/main.cf").write_text(MAIN.format(home=self.home, sink=sink))
        (self.home / "etc/master.cf").write_text(MASTER.format(port=self.port))
        self.run("start")
        wait_until(self.greets, 30)

    def run(self, command):
        return subprocess.run(["postfix", "-c", str(self.home / "etc"), command], stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False

    def log(self):
        return (self.home / "maillog").read_text(errors="replace")

    def give(self, message, sender, recipient):
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as smtp:
            smtp.sendmail(sender, [recipient], message)

    def close(self):
        self.run("abort")
        shutil.rmtree(self.home, ignore_errors=True)
