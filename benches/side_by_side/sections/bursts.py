"""Whether a burst is relayed whole: 128 packets at once, then a pause."""

import argparse

import generator
import servers
import tables

TITLE = "Bursts of 128 packets"

BURST = 128
# Bursts a second: time enough to empty every queue.
BURSTS = 20
SHAPES = {
    "trains of 1100 bytes": ["--size=1100"],
    "1100 bytes one by one": ["--size=1100", "--singly"],
    "160 bytes one by one": ["--size=160", "--singly"],
}
FLOWS = (1, 8)
KEY = ("shape", "flows", "direction")


def measure(number: int, options: argparse.Namespace) -> list[dict]:
    """One round. A row for each shape, number of flows, direction and server."""
    rows = []
    for shape, words in SHAPES.items():
        if not shape.startswith(options.prefix):
            continue
        for flows in FLOWS:
            for direction in ("up", "down"):
                more = [*words, f"--burst={BURST}", f"--rate={BURST * BURSTS * flows}", f"--flows={flows}", f"--direction={direction}"]
                for server in servers.in_turn(number, options):
                    with servers.running(server, options) as running:
                        result = generator.bench(options, running, more)
                    rows.append({**result, "shape": shape, "flows": flows, "direction": direction, "server": server.name})
                    generator.tell(number, (shape, f"{flows} flows", direction, server.name), result)
    return rows


def page(rounds: list[list[dict]]) -> list[str]:
    """The table."""
    rows = []
    for (shape, flows, direction), of in tables.grouped(rounds, KEY).items():
        for name, mine in of.items():
            good = [row for row in mine if row.get("received")]
            lost = tables.shown(tables.spread([row["lost"] * 100 for row in good]), 2) or "; ".join(sorted({row.get("error", "") for row in mine}))
            p99 = tables.shown(tables.spread([row["delayMicros"]["p99"] for row in good]), 0)
            rows.append([shape, flows, direction, name, lost, p99])
    return [f"Each flow sends {BURST} packets at once, {BURSTS} times a second; flows one after the other.", "",
            *tables.markdown(["packets", "flows", "way", "server", "lost %", "p99 delay µs"], rows)]
