"""The TURN servers that are measured: how each is found, started and asked for its version."""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

# What all others are compared with.
BASE = "coturn"
SECRET = "side-by-side"
STARTS_WITHIN = 10


@dataclasses.dataclass
class Running:
    address: str
    pid: int


@dataclasses.dataclass
class Server:
    """A row of the table. `command` gets the options, the port and a folder of its own."""

    name: str
    program: Callable[[argparse.Namespace], str]
    command: Callable[[argparse.Namespace, int, str], list[str]]
    version_of: Callable[[str], str]

    def is_here(self, options: argparse.Namespace) -> bool:
        return shutil.which(self.program(options)) is not None

    def version(self, options: argparse.Namespace) -> str:
        return self.version_of(self.program(options))

    @contextlib.contextmanager
    def start(self, options: argparse.Namespace, folder: str) -> Iterator[Running]:
        port = free_port()
        command = pinned(0, self.command(options, port, folder))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RELAYHOUSE_")}
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(port, process)
                yield Running(f"127.0.0.1:{port}", process.pid)
            finally:
                process.kill()


def relayhouse(options: argparse.Namespace, port: int, folder: str) -> list[str]:
    return [options.relayhouse, "--dev", "--listen", f"127.0.0.1:{port}", "--http", "127.0.0.1:0", "--secret", SECRET,
            "--data-dir", f"{folder}/data", "--set", "quota.allocations_per_user=0"]


def coturn(options: argparse.Namespace, port: int, folder: str) -> list[str]:
    return ["turnserver", "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}", "--use-auth-secret",
            f"--static-auth-secret={SECRET}", "--realm=bench", "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers",
            "--relay-threads=1", "--log-file=/dev/null", f"--pidfile={folder}/pid", f"--db={folder}/db", "--min-port=20000", "--max-port=60000"]


def first_version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found.group() if found else "unknown"


def coturn_version(program: str) -> str:
    """It does not tell by itself."""
    done = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", "coturn"], capture_output=True, text=True)
    return f"{done.stdout} (Debian)" if done.returncode == 0 else f"{program}, of unknown version"


TABLE = [
    Server("coturn", lambda _: "turnserver", coturn, coturn_version),
    Server("relayhouse", lambda options: options.relayhouse, relayhouse, first_version),
]


def found(options: argparse.Namespace) -> list[Server]:
    """Those that are here; says which are not."""
    here = [server for server in TABLE if server.is_here(options)]
    missing = [server.name for server in TABLE if server not in here]
    if missing:
        print(f"not here, left out: {', '.join(missing)}", file=sys.stderr)
    return here


def in_turn(number: int, options: argparse.Namespace) -> list[Server]:
    """Who is measured in a round: another one begins each time."""
    here = found(options)
    return here[number % len(here):] + here[:number % len(here)]


@contextlib.contextmanager
def running(server: Server, options: argparse.Namespace) -> Iterator[Running]:
    """A fresh server in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, server.start(options, folder) as started:
        yield started


def versions(options: argparse.Namespace) -> dict[str, str]:
    """Of all that are here."""
    return {server.name: server.version(options) for server in found(options)}


def pinned(core: int, command: list[str]) -> list[str]:
    """On a core of its own, where there is more than one."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[core % len(cores)]), *command] if len(cores) > 1 else command


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Until a Binding request is answered."""
    request = bytes([0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, *range(12)])
    end = time.monotonic() + STARTS_WITHIN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        client.connect(("127.0.0.1", port))
        while time.monotonic() < end and process.poll() is None:
            try:
                client.send(request)
                if client.recv(1500)[:2] == b"\x01\x01":
                    return
            except OSError:
                time.sleep(0.05)
    raise SystemExit(f"{process.args[-1]}: the server on port {port} does not answer")


def machine() -> dict:
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cpu": model.group(1) if model else platform.machine(), "cores": len(os.sched_getaffinity(0)), "kernel": platform.release()}
