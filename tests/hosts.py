"""Hosts of a private network on one machine: network namespaces at one switch. Needs the right to make them; `why_not()` tells what is
missing."""

import contextlib
import os
import shutil
import signal
import subprocess

PREFIX = f"dkt{os.getpid()}-"


def run(*command, check=True):
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=check)


def why_not():
    """Why there can be no such network here; None: there can."""
    if shutil.which("ip") is None:
        return "no ip command here"
    tried = run("ip", "netns", "add", PREFIX + "try", check=False)
    if tried.returncode != 0:
        return f"network namespaces cannot be made here: {tried.stderr.strip()}"
    run("ip", "netns", "del", PREFIX + "try")
    return None


class Host:
    def __init__(self, network, name, address):
        self.name, self.address, self.space, self.running = name, address, PREFIX + name, {}
        self.port = f"{network.next_port()}"
        run("ip", "netns", "add", self.space)
        run("ip", "-n", self.space, "link", "set", "lo", "up")
        run("ip", "-n", network.switch, "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        run("ip", "-n", network.switch, "link", "set", self.port, "master", "switch", "up")
        run("ip", "-n", self.space, "address", "add", f"{address}/24", "dev", "eth0")
        run("ip", "-n", self.space, "link", "set", "eth0", "up")
        self.network = network

    def plug(self, is_in):
        """Pulls the cable or puts it in: what is sent meanwhile is lost without a word."""
        run("ip", "-n", self.network.switch, "link", "set", self.port, "up" if is_in else "down")

    def does(self, *command, **options):
        """A command there, to its end."""
        return subprocess.run(["ip", "netns", "exec", self.space, *map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)

    def start(self, name, *command, log):
        with open(log, "ab") as out:
            self.running[name] = subprocess.Popen(["ip", "netns", "exec", self.space, *map(str, command)], stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def end(self, name, number=signal.SIGTERM):
        """Signals what was started under that name, and waits until it is gone."""
        process = self.running.pop(name)
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(20)
        process.kill()
        return process.wait()


class Network:
    """A switch in a namespace of its own: nothing of it is seen by the machine's network."""

    def __init__(self):
        self.switch, self.hosts, self.ports = PREFIX + "switch", [], 0
        run("ip", "netns", "add", self.switch)
        run("ip", "-n", self.switch, "link", "add", "switch", "type", "bridge")
        run("ip", "-n", self.switch, "link", "set", "switch", "up")

    def next_port(self):
        self.ports += 1
        return f"port{self.ports}"

    def host(self, name, address):
        self.hosts.append(Host(self, name, address))
        return self.hosts[-1]

    def close(self):
        for host in self.hosts:
            for name in list(host.running):
                host.end(name)
        for space in [host.space for host in self.hosts] + [self.switch]:
            run("ip", "netns", "del", space, check=False)
