"""The signalling servers that are measured: how each is installed, started and asked for its version."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import servers

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ROOT / "target" / "bench-tools" / "signalling" / "node_modules"
# Public servers, alive and much used, and the WebSocket library both are built on.
PACKAGES = {"peer": "1.0.2", "y-webrtc": "10.3.0", "ws": "8.23.0"}
STARTS_WITHIN = 20
# Each client is a file of the server and of the generator.
FILES = 32_768
PORTS = range(20_000, 30_000)


class NotStarted(Exception):
    """A server that cannot be measured."""


@dataclasses.dataclass
class Running:
    address: str
    pid: int
    key: str


@dataclasses.dataclass
class Server:
    """A row of the table. `command` gets the options, the port and a folder of its own, and may do what must be done first."""

    name: str
    protocol: str
    command: Callable[[argparse.Namespace, int, str], list[str]]
    # The npm package it is; none is ours.
    package: str | None = None
    # Whether a message can reach everybody in a room.
    broadcasts: bool = True

    def is_here(self) -> bool:
        return self.package is None or (MODULES / self.package / "package.json").exists()

    def version(self, options: argparse.Namespace) -> str:
        if self.package is None:
            return servers.first_version(options.relayhouse)
        return json.loads((MODULES / self.package / "package.json").read_text())["version"]


def relayhouse(options: argparse.Namespace, port: int, folder: str, *more: str) -> list[str]:
    """As it is by default, but for how much one client may say: in one room, few clients stand for many."""
    return [options.relayhouse, "--http", f"127.0.0.1:{port}", "--data-dir", f"{folder}/data", "--set", "listen.udp=127.0.0.1:0",
            "--set", "listen.tcp=[]", "--set", "limits.signal_rate=1000000", "--set", "limits.signal_burst=1000000", *more]


def without_trail(options: argparse.Namespace, port: int, folder: str) -> list[str]:
    return relayhouse(options, port, folder, "--set", "audit.keep=0")


def peer_server(_: argparse.Namespace, port: int, __: str) -> list[str]:
    """By default it takes 5,000 clients."""
    return ["node", str(MODULES / "peer/dist/bin/peerjs.js"), "--host", "127.0.0.1", "--port", str(port), "--concurrent_limit", "20000"]


def y_webrtc(_: argparse.Namespace, port: int, __: str) -> list[str]:
    return ["env", f"PORT={port}", "node", str(MODULES / "y-webrtc/bin/server.js")]


# What all others are compared with comes first.
TABLE = [
    Server("PeerServer", "peerjs", peer_server, "peer", broadcasts=False),
    Server("y-webrtc", "y-webrtc", y_webrtc, "y-webrtc"),
    Server("relayhouse", "relayhouse", relayhouse),
    Server("relayhouse, no trail", "relayhouse", without_trail),
]
BASE = "PeerServer"


def found() -> list[Server]:
    """Those that are here, after an attempt to install the others; says which are not."""
    if not all(server.is_here() for server in TABLE):
        install()
    here = [server for server in TABLE if server.is_here()]
    missing = [server.name for server in TABLE if server not in here]
    if missing:
        print(f"not here, left out: {', '.join(missing)}", file=sys.stderr)
    return here


def install() -> None:
    """From npm, into a folder of the build."""
    if not (shutil.which("npm") and shutil.which("node")):
        print("the public signalling servers need node and npm", file=sys.stderr)
        return
    MODULES.mkdir(parents=True, exist_ok=True)
    wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
    command = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(MODULES.parent), *wanted]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(command, timeout=300, stdout=sys.stderr, check=False)


def in_turn(number: int) -> list[Server]:
    """Who is measured in a round: another one begins each time."""
    here = found()
    return here[number % len(here):] + here[:number % len(here)]


@contextlib.contextmanager
def running(server: Server, options: argparse.Namespace) -> Iterator[Running]:
    """A fresh server on a core of its own, in a folder of its own."""
    allow_files()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RELAYHOUSE_")}
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        key = made_key(options, folder, environment) if server.package is None else ""
        command = servers.pinned(0, server.command(options, port, folder))
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(port, process)
                yield Running(f"127.0.0.1:{port}", process.pid, key)
            finally:
                process.kill()


def made_key(options: argparse.Namespace, folder: str, environment: dict[str, str]) -> str:
    """An API key that makes rooms."""
    command = [options.relayhouse, "keys", "add", "--scope", "rooms", "--name", "bench", "--data-dir", f"{folder}/data"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return next(word for word in done.stdout.split() if word.startswith("rk_"))


def allow_files() -> None:
    """For ourselves, and so for whatever we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= FILES:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, max(hard, FILES)))
    except (OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port() -> int:
    """Not one of those that the kernel gives to connections: the last server's clients may still have it for a minute."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return port
    raise NotStarted("no port is free")


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Until it accepts connections."""
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise NotStarted(f"the server does not answer within {STARTS_WITHIN} s")
