"""Runs the load generator against a server, and tells on the way what came of it."""

import argparse
import json
import subprocess
import sys

import servers

# Longer than any single measurement takes.
PATIENCE = 300


def bench(options: argparse.Namespace, running: servers.Running, more: list[str]) -> dict:
    """What `relayhouse bench` says about a server, or {"error": why not}."""
    command = [options.relayhouse, "bench", "--json", "--server", running.address, *running.credential,
               "--server-pid", str(running.pid), f"--seconds={options.seconds}", *more]
    return answer(command)


def answer(command: list[str]) -> dict:
    """The JSON that a generator prints, run on its core, or {"error": why not}."""
    try:
        done = subprocess.run(servers.pinned(1, command), capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {PATIENCE} s"}
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        return {"error": said[-1] if said else f"the generator ended with {done.returncode}"}
    return json.loads(done.stdout)


def tell(number: int, what: tuple[str, ...], result: dict) -> None:
    """A line for whoever waits."""
    cost = f"{(result.get('serverNanosPerPacket') or 0) / 1000:8.2f} µs  {result.get('lost', 0) * 100:6.2f} % lost"
    print(f"round {number + 1} {' '.join(f'{word:<10}' for word in what)} {result.get('error') or cost}", file=sys.stderr, flush=True)
