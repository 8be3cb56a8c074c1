"""What one heavy flow does to others on the same core: delay and loss of thin flows, alone and beside it."""

import argparse

import generator
import servers
import tables

TITLE = "Fairness: thin flows beside a heavy one"

BYSTANDERS = 20
# Packets a second of the heavy flow; 0 is as many as go.
LOADS = {"50,000 a second": 50_000, "150,000 a second": 150_000, "as many as go": 0}
KEY = ("load", "direction", "when", "way")


def measure(number: int, options: argparse.Namespace) -> list[dict]:
    """One round. For each load, way and server a row of the heavy flow, and four of the bystanders."""
    rows = []
    for load, rate in LOADS.items():
        if not load.startswith(options.prefix):
            continue
        for direction in ("up", "down"):
            more = ["--flows=1", "--size=1100", "--burst=32", f"--rate={rate}", f"--direction={direction}", f"--bystanders={BYSTANDERS}"]
            for server in servers.in_turn(number, options):
                with servers.running(server, options) as running:
                    result = generator.bench(options, running, more)
                rows += of_one({"load": load, "direction": direction, "server": server.name}, result)
                generator.tell(number, (load, direction, server.name, felt(result)), result)
    return rows


def of_one(place: dict, result: dict) -> list[dict]:
    """The rows of one run."""
    heavy = {**place, "when": "heavy", "way": place["direction"], **{key: value for key, value in result.items() if key not in ("server", "bystanders", "direction")}}
    others = result.get("bystanders", {})
    return [heavy] + [{**place, "when": when, "way": way, **others[when][way]} for when in ("alone", "beside") if when in others
                      for way in ("up", "down")]


def felt(result: dict) -> str:
    """A word for whoever waits."""
    if "bystanders" not in result:
        return ""
    ways = (f"{way} {one['delayMicros']['p99']:.0f} µs {one['lost'] * 100:.2f} %" for way, one in result["bystanders"]["beside"].items())
    return ", ".join(ways)


def page(rounds: list[list[dict]]) -> list[str]:
    """A table of what bystanders feel, and a sentence with the bound."""
    of = tables.grouped(rounds, KEY)
    lines = [f"{BYSTANDERS} clients, each with 50 packets of 160 bytes a second both ways (a voice), share the server's one core with a "
             "heavy flow of 1100 bytes in bursts of 32. Delay is until the kernel has the packet for its receiver.", ""]
    rows = []
    for (load, direction, when, way), servers_of in of.items():
        if when != "beside":
            continue
        for name, mine in servers_of.items():
            alone = of.get((load, direction, "alone", way), {}).get(name, [])
            heavy = of.get((load, direction, "heavy", direction), {}).get(name, [])
            rows.append([f"{load}, {direction}", way, name, *figures(mine), figures(alone)[1], thousands(heavy)])
    lines += tables.markdown(["heavy flow", "bystanders", "server", "median µs", "p99 µs", "p99.9 µs", "lost %", "p99 µs alone", "heavy flow's packets a second"], rows)
    return lines + ["", *bound(rounds)]


def figures(rows: list[dict]) -> list[str]:
    good = [row for row in rows if row.get("received")]
    delays = [tables.shown(tables.spread([row["delayMicros"][which] for row in good]), 0) for which in ("p50", "p99", "p999")]
    return [*delays, tables.shown(tables.spread([row["lost"] * 100 for row in rows if "lost" in row]), 2)]


def thousands(rows: list[dict]) -> str:
    rate = tables.spread([row["packetsPerSecond"] for row in rows if row.get("packetsPerSecond")])
    return f"{rate[0]:,.0f}" if rate else "; ".join(sorted({row.get("error", "") for row in rows}))


def bound(rounds: list[list[dict]]) -> list[str]:
    """The worst of all rounds, for each server."""
    lines = []
    for name in dict.fromkeys(row["server"] for taken in rounds for row in taken):
        beside = [row for taken in rounds for row in taken if row["server"] == name and row["when"] == "beside" and row.get("received")]
        for way in ("up", "down"):
            mine = [row for row in beside if row["way"] == way]
            if mine:
                worst = max(row["delayMicros"]["p99"] for row in mine)
                lost = max(row["lost"] for row in mine)
                lines.append(f"* {name}, {way}: whatever the heavy flow did, p99 of the others stayed at or below {worst / 1000:.1f} ms, their loss at or below {lost * 100:.1f} %.")
    return lines
