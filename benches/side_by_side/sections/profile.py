"""Where the time goes: a profile of Relayhouse under the load that gains least, single packets of many flows."""

import argparse
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

import generator
import servers
import tables

# What was learnt by hand and is not measured again by each run.
WORDS = """
Why audio misses its goals: single packets of many flows are the kernel's, and what is ours to save is the first line of each way. Up, every
packet leaves from a relay socket of its own, and no call sends for two sockets; down, every packet is fetched from one. The same `sendto`, in
a loop that does nothing else, costs 3.1 µs on this machine, more than half of what coturn spends on a whole packet: a ratio below about 0.6
is out of a user-space relay's reach here, however little it does itself. Nor is the rest ours alone: when both cores are full, the
same packet costs up to a quarter more than when the generator has pauses.

Tried, measured, and left out: `io_uring` for the datagrams of many sockets with one call (5 % of a packet up when saturated, 2 % when paced); a
socket connected to each channel's peer (0.4 µs up, for twice the descriptors and a second queue for each allocation); edge-triggered epoll
and `recvmsg` in place of `recvmmsg` (nothing).

Why paced video is above its goal: paced loads cost more a packet than saturated ones because each wake-up costs some 20 µs on a core
that was idle (a cold cache, a halted virtual CPU), coturn's as ours, and eight packets share it. Sleeping on purpose so that more packets come
together would save CPU time and cost every packet delay.
"""

TITLE = "Where the time goes"

LOAD = ["--flows=1000", "--size=160", "--burst=1"]
# How long is recorded, and for how long it is tried to see the load begin.
RECORDED_S, PATIENCE_S = 2, 20
# perf now and then records next to nothing.
TRIES = 3
# Of a CPU: the load has begun.
BUSY = 0.5
NAMED = {
    "__x64_sys_sendto": "`sendto`, a datagram each",
    "__x64_sys_sendmmsg": "`sendmmsg`, many datagrams each",
    "__x64_sys_recvmmsg": "`recvmmsg`",
    "__x64_sys_epoll_wait": "`epoll_wait`",
}


def measure(number: int, options: argparse.Namespace) -> list[dict]:
    """A profile each way, in the first round alone."""
    if number > 0 or shutil.which("perf") is None:
        return []
    ours = next(server for server in servers.in_turn(0, options) if server.name == "relayhouse")
    return [{"server": ours.name, "direction": direction, **tried(ours, direction, options)} for direction in ("up", "down")]


def tried(server: servers.Server, direction: str, options: argparse.Namespace) -> dict:
    """A profile that has the relay's system calls in it."""
    found = (profile(server, direction, options) for _ in range(TRIES))
    return next((one for one in found if one.get("calls")), {"error": "perf could not record it"})


def profile(server: servers.Server, direction: str, options: argparse.Namespace) -> dict:
    """Shares of the relaying thread's time, and what a packet cost meanwhile."""
    longer = argparse.Namespace(**{**vars(options), "seconds": RECORDED_S + 3})
    more = [*LOAD, f"--direction={direction}"]
    with servers.running(server, options) as running, tempfile.TemporaryDirectory() as folder:
        result = {}
        load = threading.Thread(target=lambda: result.update(generator.bench(longer, running, more)))
        load.start()
        data = f"{folder}/perf.data"
        recorded = wait_for_load(running.pid) and record(running.pid, data)
        load.join()
        generator.tell(0, ("profile", direction, server.name), result)
        if not recorded:
            return {}
        return {"serverNanosPerPacket": result.get("serverNanosPerPacket"), "own": 100 - kernel(data), "calls": calls(data)}


def wait_for_load(pid: int) -> bool:
    end = time.monotonic() + PATIENCE_S
    before = time_of(pid)
    while time.monotonic() < end:
        time.sleep(0.5)
        now = time_of(pid)
        if now - before > 0.5 * BUSY:
            return True
        before = now
    return False


def time_of(pid: int) -> float:
    """Seconds on a CPU of all its threads."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def record(pid: int, data: str) -> bool:
    command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-g", "-p", str(pid), "-o", data, "sleep", str(RECORDED_S)]
    return subprocess.run(servers.pinned(1, command), capture_output=True).returncode == 0


def report(data: str, *how: str) -> list[tuple[float, str]]:
    """Shares in percent and what they are of."""
    command = ["perf", "report", "-i", data, "--comm", "relay-0", "-g", "none", *how]
    text = subprocess.run(command, capture_output=True, text=True).stdout
    lines = re.findall(r"^\s*([\d.]+)%\s+(?:[\d.]+%\s+)?(.*\S)", text, re.MULTILINE)
    return [(float(share), what) for share, what in lines]


def kernel(data: str) -> float:
    return sum(share for share, what in report(data, "--no-children", "--sort=dso") if "kernel" in what)


def calls(data: str) -> dict[str, float]:
    shares = report(data, "--children", "--sort=sym")
    return {name: share for share, what in shares for name in NAMED if what.split()[-1] == name}


def page(rounds: list[list[dict]]) -> list[str]:
    """A table, and what it means."""
    rows = [row for taken in rounds for row in taken if "own" in row]
    if not rows:
        return ["Not measured: `perf` was not there or was not allowed to record."]
    lines = ["Of the relaying thread, with 1000 flows of 160 bytes, single packets, as many as go (`perf record -e cpu-clock`).", ""]
    table = []
    for row in rows:
        cost = (row["serverNanosPerPacket"] or 0) / 1000
        table.append([row["direction"], "outside the kernel", f"{row['own']:.1f} %", f"{row['own'] * cost / 100:.2f}"])
        for name, share in sorted(row["calls"].items(), key=lambda item: -item[1]):
            table.append([row["direction"], NAMED[name], f"{share:.1f} %", f"{share * cost / 100:.2f}"])
    return lines + tables.markdown(["way", "what", "share", "µs a packet"], table) + [WORDS.rstrip()]
