"""What a relayed datagram costs: three workloads, both ways, saturated and paced."""

import argparse

import generator
import plot
import servers
import tables

TITLE = "Relayed datagrams"

PACED = 50_000
LOADS = {"saturated": "as many packets as go", "paced": f"{PACED:,} packets a second"}
SHAPES = {
    "heavy": {"flows": 1, "size": 1100, "burst": 32},
    "video": {"flows": 64, "size": 1100, "burst": 8},
    "audio": {"flows": 1000, "size": 160, "burst": 1},
}
# The most that a packet may cost us, as a ratio to coturn.
GOALS = {"saturated": {"heavy": 0.16, "video": 0.25, "audio": 0.55}, "paced": {"heavy": 0.20, "video": 0.35, "audio": 0.60}}
KEY = ("load", "workload", "direction")


def measure(number: int, options: argparse.Namespace) -> list[dict]:
    """One round. A row for each load, workload, direction and server."""
    rows = []
    for load in LOADS:
        for workload, shape in SHAPES.items():
            if not workload.startswith(options.prefix):
                continue
            for direction in ("up", "down"):
                more = [f"--{name}={value}" for name, value in shape.items()]
                more += [f"--direction={direction}", f"--rate={PACED if load == 'paced' else 0}"]
                for server in servers.in_turn(number, options, relay_alone=True):
                    with servers.running(server, options) as running:
                        result = generator.bench(options, running, more)
                    rows.append({**result, "load": load, "workload": workload, "direction": direction, "server": server.name})
                    generator.tell(number, (workload, load, direction, server.name), result)
    return rows


def page(rounds: list[list[dict]]) -> list[str]:
    """A table for each load, and the plot."""
    summary = tables.summarise(rounds, KEY)
    lines = ["A ratio is a server's CPU time for a relayed packet, divided by coturn's in the same round: smaller is better.", "",
             "![CPU time for a relayed packet, as a ratio to coturn](benchmarks.svg)", ""]
    for load, words in LOADS.items():
        of_load = {key[1:]: of for key, of in summary.items() if key[0] == load}
        if of_load:
            lines += [f"### {load.capitalize()}: {words}", "", *tables.relayed(of_load, ("workload", "way")), ""]
    lines += ["### Goals", "", *tables.markdown(["workload", "load", "goal", "up", "down"], goals(summary)), ""]
    return lines + [
        "heavy: 1 flow, 1100 bytes, bursts of 32. video: 64 flows, 1100 bytes, bursts of 8. audio: 1000 flows, 160 bytes, single packets. "
        "Bursts leave the generator as trains (`UDP_SEGMENT`) and are received as trains (`UDP_GRO`), as a network card does it for a wire."]


def goals(summary: dict) -> list[list[str]]:
    """For each goal what was reached."""
    rows = []
    for load, of_load in GOALS.items():
        for workload, goal in of_load.items():
            ratios = [summary.get((load, workload, way), {}).get("relayhouse", {}).get("ratio") for way in ("up", "down")]
            rows.append([workload, load, f"{goal:.2f}", *(reached(ratio, goal) for ratio in ratios)])
    return rows


def reached(ratio: tables.Spread | None, goal: float) -> str:
    if ratio is None:
        return ""
    return f"{ratio[0]:.2f}" if ratio[0] <= goal else f"{ratio[0]:.2f}, **missed**"


def picture(rounds: list[list[dict]]) -> str:
    """The plot of all of it."""
    summary = tables.summarise(rounds, KEY)
    return plot.bars({f"{workload} {direction}, {load}": of for (load, workload, direction), of in summary.items()}, servers.BASE)
