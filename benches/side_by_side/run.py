#!/usr/bin/env python3
"""Measures TURN servers side by side and writes docs/benchmarks.md with its plot.

    cargo build --release && benches/side_by_side/run.py

Every server runs pinned to one core, the generator (`relayhouse bench`) to another. In each round
every server takes its turn with every workload, so that what the machine does meanwhile hits all
alike. What counts is the server's CPU time for each relayed packet, as a ratio to coturn's in the
same round; the table has the median of the rounds and their spread.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import plot
import servers
from workloads import WORKLOADS

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE = "coturn"


def main() -> None:
    options = arguments()
    found = [server for server in servers.TABLE if server.is_here(options)]
    missing = [server.name for server in servers.TABLE if server not in found]
    if missing:
        print(f"not here, left out: {', '.join(missing)}", file=sys.stderr)
    rounds = [one_round(number, found, options) for number in range(options.rounds)]
    results = {"machine": servers.machine(), "versions": {one.name: one.version(options) for one in found},
               "seconds": options.seconds, "rounds": rounds}
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    summary = summarise(rounds)
    text = page(results, summary, [one.name for one in found])
    if options.write:
        (ROOT / "docs/benchmarks.md").write_text(text)
        (ROOT / "docs/benchmarks.svg").write_text(plot.bars(summary, [one.name for one in found], BASE))
    print(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relayhouse", default=str(ROOT / "target/release/relayhouse"), help="the program to measure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--only", default="", help="workloads whose name begins so")
    parser.add_argument("--json", help="where to put every number")
    parser.add_argument("--no-write", dest="write", action="store_false", help="print only")
    return parser.parse_args()


def one_round(number: int, found: list, options: argparse.Namespace) -> list[dict]:
    measured = []
    for workload in WORKLOADS:
        if not workload.name.startswith(options.only):
            continue
        # Who begins changes from round to round.
        for server in found[number % len(found):] + found[:number % len(found)]:
            with tempfile.TemporaryDirectory() as folder, server.start(options, folder) as running:
                result = measure(workload, running, options)
            measured.append({**result, "server": server.name, "workload": workload.name, "load": workload.load,
                             "direction": workload.direction})
            print(f"round {number + 1} {workload.name:<6} {workload.load:<9} {workload.direction:<4} {server.name:<16} "
                  f"{(result.get('serverNanosPerPacket') or 0) / 1000:6.2f} µs  {result.get('lost', 0) * 100:6.2f} % lost"
                  f"{'  ' + result['error'] if 'error' in result else ''}", file=sys.stderr)
    return measured


def measure(workload, running, options: argparse.Namespace) -> dict:
    command = servers.pinned(1, [options.relayhouse, "bench", "--json", "--server", running.address, "--secret", servers.SECRET,
                                 "--server-pid", str(running.pid), "--seconds", str(options.seconds), *workload.options])
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    if done.returncode != 0:
        return {"error": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed"}
    return json.loads(done.stdout)


def summarise(rounds: list[list[dict]]) -> dict:
    """For each measurement and server: cost, loss, p99 and the ratio to the base, median with spread."""
    keys = list(dict.fromkeys((one["workload"], one["load"], one["direction"]) for one in rounds[0]))
    summary = {}
    for key in keys:
        of_key = [[one for one in taken if (one["workload"], one["load"], one["direction"]) == key] for taken in rounds]
        base = [next((one for one in taken if one["server"] == BASE), {}) for taken in of_key]
        for name in dict.fromkeys(one["server"] for one in of_key[0]):
            mine = [next(one for one in taken if one["server"] == name) for taken in of_key]
            good = [one for one in mine if one.get("serverNanosPerPacket")]
            ratios = [one["serverNanosPerPacket"] / other["serverNanosPerPacket"] for one, other in zip(mine, base)
                      if one.get("serverNanosPerPacket") and other.get("serverNanosPerPacket")]
            summary.setdefault(key, {})[name] = {
                "cost": spread([one["serverNanosPerPacket"] / 1000 for one in good]), "ratio": spread(ratios),
                "lost": spread([one["lost"] * 100 for one in good]),
                "p99": spread([one["delayMicros"]["p99"] for one in good]),
                "rate": spread([one["packetsPerSecond"] for one in good]),
                "limited": any(one.get("generatorWasTheLimit") for one in good),
                "errors": [one["error"] for one in mine if "error" in one],
            }
    return summary


def spread(values: list[float]) -> tuple[float, float, float] | None:
    return (statistics.median(values), min(values), max(values)) if values else None


def page(results: dict, summary: dict, names: list[str]) -> str:
    machine = results["machine"]
    lines = [
        "# Benchmarks", "",
        "Made by one command, on one machine, all servers in turn: `cargo build --release && benches/side_by_side/run.py`.",
        "A ratio is a server's CPU time for a relayed packet, divided by coturn's in the same round: smaller is better. "
        "In brackets the smallest and the largest of the rounds.", "",
        f"* {machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}",
        *[f"* {name}: {version}" for name, version in results["versions"].items()],
        f"* {len(results['rounds'])} rounds of {results['seconds']} s; loopback; server and generator each on a core of their own", "",
        "![CPU time for a relayed packet, as a ratio to coturn](benchmarks.svg)", "",
    ]
    for load, words in (("saturated", "as many packets as go"), ("paced", "50,000 packets a second")):
        rows = [(key, of) for key, of in summary.items() if key[1] == load]
        if not rows:
            continue
        lines += [f"## {load.capitalize()}: {words}", "",
                  "| workload | way | server | µs a packet | ratio | lost % | p99 delay µs | packets a second |",
                  "|---|---|---|---|---|---|---|---|"]
        for (workload, _, direction), of in rows:
            for name in names:
                one = of.get(name)
                if one is None:
                    continue
                if one["cost"] is None:
                    lines.append(f"| {workload} | {direction} | {name} | {'; '.join(set(one['errors'])) or 'nothing came through'} | | | | |")
                    continue
                rate = f"{one['rate'][0]:,.0f}{' (the generator’s limit)' if one['limited'] else ''}"
                lines.append(f"| {workload} | {direction} | {name} | {shown(one['cost'], 2)} | {shown(one['ratio'], 2)} | "
                             f"{shown(one['lost'], 2)} | {shown(one['p99'], 0)} | {rate} |")
        lines.append("")
    lines += ["heavy: 1 flow, 1100 bytes, bursts of 32. video: 64 flows, 1100 bytes, bursts of 8. audio: 1000 flows, 160 bytes, "
              "single packets. Bursts leave the generator as trains (`UDP_SEGMENT`) and are received as trains (`UDP_GRO`), as a network "
              "card does it for a wire.", ""]
    return "\n".join(lines)


def shown(values: tuple[float, float, float] | None, digits: int) -> str:
    if values is None:
        return ""
    median, low, high = (f"{value:,.{digits}f}" for value in values)
    return f"{median} ({low}–{high})" if low != high else median


if __name__ == "__main__":
    main()
