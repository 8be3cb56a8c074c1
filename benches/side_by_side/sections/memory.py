"""What an allocation costs that does nothing: memory, and whether the packets of others pay for it."""

import argparse

import generator
import servers
import tables

TITLE = "Ten thousand allocations"

MANY = 10_000
PACED = 20_000
SHAPES = {
    "video": {"flows": 16, "size": 1100, "burst": 8},
    "audio": {"flows": 64, "size": 160, "burst": 1},
}
KEY = ("workload", "direction", "beside")


def measure(number: int, options: argparse.Namespace) -> list[dict]:
    """One round. A row for the idle allocations of each server, and one for each load alone and in company."""
    rows = []
    if "idle".startswith(options.prefix):
        for server in servers.in_turn(number, options):
            rows.append(one(number, options, server, ("idle", "", MANY), ["--load=idle", f"--flows={MANY}"]))
    for workload, shape in SHAPES.items():
        for direction in ("up", "down"):
            if workload.startswith(options.prefix):
                shaped = [f"--{name}={value}" for name, value in shape.items()] + [f"--direction={direction}", f"--rate={PACED}"]
                for server in servers.in_turn(number, options):
                    rows += [one(number, options, server, (workload, direction, beside), [*shaped, f"--beside={beside}"])
                             for beside in (0, MANY)]
    return rows


def one(number: int, options: argparse.Namespace, server: servers.Server, key: tuple, more: list[str]) -> dict:
    with servers.running(server, options) as running:
        result = generator.bench(options, running, more)
    generator.tell(number, ("memory", *map(str, key), server.name), result)
    return {**result, **dict(zip(KEY, key)), "server": server.name}


def page(rounds: list[list[dict]]) -> list[str]:
    """A table of memory and one of packets."""
    measured = tables.grouped(rounds, KEY)
    idle = measured.pop(("idle", "", MANY), {})
    return [*([*memory(idle), ""] if idle else []), *([*packets(measured), ""] if measured else []),
            f"Memory is the server's own (anonymous pages), not what the kernel keeps for its sockets: of {MANY:,} allocations with a permission and a channel "
            f"each, what came on top of a server that had just started. Packets are those of {SHAPES['audio']['flows']} or {SHAPES['video']['flows']} "
            f"allocations, {PACED:,} a second, alone and beside {MANY:,} idle ones."]


def memory(idle: dict[str, list[dict]]) -> list[str]:
    """Who needs how much."""
    rows = []
    for name, mine in idle.items():
        good = [row for row in mine if row.get("serverBytesPerAllocation")]
        failed = "; ".join(sorted({row["error"] for row in mine if "error" in row}))
        rows.append([name, tables.shown(tables.spread([row["serverBytesPerAllocation"] for row in good]), 0) or failed,
                     tables.shown(tables.spread([row["serverBytesBefore"] / 2**20 for row in good]), 1),
                     tables.shown(tables.spread([row["serverBytesAfter"] / 2**20 for row in good]), 1),
                     tables.shown(tables.spread([row["serverLoad"] * 100 for row in good]), 2)])
    return tables.markdown(["server", "bytes an allocation", "MiB before", "MiB after", "% of a CPU while idle"], rows)


def packets(measured: dict[tuple, dict[str, list[dict]]]) -> list[str]:
    """What company costs."""
    rows = []
    for (workload, direction, beside), of in measured.items():
        if beside:
            for name, mine in of.items():
                alone = measured.get((workload, direction, 0), {}).get(name, [])
                rows.append([workload, direction, name, cost(alone), cost(mine),
                             tables.shown(tables.ratios(mine, alone, "serverNanosPerPacket"), 2),
                             tables.shown(tables.spread([row["delayMicros"]["p99"] for row in alone if "delayMicros" in row]), 0),
                             tables.shown(tables.spread([row["delayMicros"]["p99"] for row in mine if "delayMicros" in row]), 0)])
    return tables.markdown(["workload", "way", "server", "µs a packet alone", f"beside {MANY:,}", "ratio", "p99 delay µs alone", f"beside {MANY:,}"], rows)


def cost(rows: list[dict]) -> str:
    failed = "; ".join(sorted({row["error"] for row in rows if "error" in row}))
    return tables.shown(tables.spread([row["serverNanosPerPacket"] / 1000 for row in rows if row.get("serverNanosPerPacket")]), 2) or failed
