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
SECRET = "sidebyside"
USER = "bench"
STARTS_WITHIN = 10


@dataclasses.dataclass
class Running:
    address: str
    # The same over TLS.
    tls: str
    pid: int
    # For the generator.
    credential: list[str]


@dataclasses.dataclass
class Server:
    """A row of the table. `command` gets the options, the port (the next one is for TLS) and a folder of its own."""

    name: str
    program: Callable[[argparse.Namespace], str]
    command: Callable[[argparse.Namespace, int, str], list[str]]
    version_of: Callable[[str], str]
    # Whether it does all that is measured, and not relaying over UDP alone.
    is_whole: bool = True
    # Knows a user instead of the secret.
    has_users: bool = False

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
                credential = ["--user", USER, "--password", SECRET] if self.has_users else ["--secret", SECRET]
                yield Running(f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}", process.pid, credential)
            finally:
                process.kill()


def relayhouse(options: argparse.Namespace, port: int, folder: str) -> list[str]:
    return [options.relayhouse, "--dev", "--listen", f"127.0.0.1:{port}", "--http", "127.0.0.1:0", "--secret", SECRET,
            "--data-dir", f"{folder}/data", "--set", "quota.allocations_per_user=0", "--set", f'listen.tls=["127.0.0.1:{port + 1}"]']


def coturn(options: argparse.Namespace, port: int, folder: str) -> list[str]:
    certificate = self_signed(folder)
    return ["turnserver", "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}", "--use-auth-secret",
            f"--static-auth-secret={SECRET}", "--realm=bench", f"--tls-listening-port={port + 1}", *certificate, "--no-dtls", "--no-cli", "--allow-loopback-peers",
            "--relay-threads=1", "--log-file=/dev/null", f"--pidfile={folder}/pid", f"--db={folder}/db", "--min-port=20000", "--max-port=60000"]


def pion(_: argparse.Namespace, port: int, folder: str) -> list[str]:
    return [pion_example(), "-public-ip=127.0.0.1", f"-port={port}", f"-users={USER}={SECRET}", "-realm=bench"]


# Where Debian's golang-github-pion-turn.v2-dev puts it.
PION = pathlib.Path("/usr/share/gocode/src/github.com/pion/turn/v2/examples/turn-server/simple")


def pion_example() -> str:
    """pion is a library: its own example server, built where Go and the library are installed."""
    built = pathlib.Path(__file__).resolve().parents[2] / "target/bench-tools/pion-simple"
    if not built.exists() and PION.exists() and shutil.which("go"):
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(built.parent / "go-cache")}
        subprocess.run(["go", "build", "-o", str(built), PION.relative_to("/usr/share/gocode/src").as_posix()], env=environment, check=True)
    return str(built)


def self_signed(folder: str) -> list[str]:
    """A certificate as coturn wants it; without the program that makes one there is no TLS."""
    if shutil.which("openssl") is None:
        return ["--no-tls"]
    key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                    "-days", "2", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return [f"--cert={certificate}", f"--pkey={key}"]


def first_version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found.group() if found else "unknown"


def debian_version(package: str) -> Callable[[str], str]:
    """For those that do not tell by themselves."""
    def version(program: str) -> str:
        done = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", package], capture_output=True, text=True)
        return f"{done.stdout} (Debian)" if done.returncode == 0 else f"{program}, of unknown version"
    return version


TABLE = [
    Server("coturn", lambda _: "turnserver", coturn, debian_version("coturn")),
    Server("relayhouse", lambda options: options.relayhouse, relayhouse, first_version),
    Server("pion", lambda _: pion_example(), pion, debian_version("golang-github-pion-turn.v2-dev"), is_whole=False, has_users=True),
]


def found(options: argparse.Namespace) -> list[Server]:
    """Those that are here; says which are not."""
    here = [server for server in TABLE if server.is_here(options)]
    missing = [server.name for server in TABLE if server not in here]
    if missing:
        print(f"not here, left out: {', '.join(missing)}", file=sys.stderr)
    return here


def in_turn(number: int, options: argparse.Namespace, relay_alone: bool = False) -> list[Server]:
    """Who is measured in a round: another one begins each time. Those that are not whole only where relaying is all."""
    here = [server for server in found(options) if server.is_whole or relay_alone]
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
    """One that is free for UDP and TCP, and the next one for TCP too."""
    while True:
        with contextlib.ExitStack() as held:
            probe = lambda kind: held.enter_context(socket.socket(socket.AF_INET, kind))
            first = probe(socket.SOCK_DGRAM)
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                probe(socket.SOCK_STREAM).bind(("127.0.0.1", port))
                probe(socket.SOCK_STREAM).bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


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
