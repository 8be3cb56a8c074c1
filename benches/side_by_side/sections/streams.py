"""What a packet costs that a client sends or receives over TCP or TLS."""

import argparse

import generator
import servers
import tables

TITLE = "Clients over TCP and TLS"

PACED = 30_000
LOADS = {"saturated": "as many packets as go", "paced": f"{PACED:,} packets a second"}
TRANSPORTS = ("tcp", "tls")
SHAPES = {
    "heavy": {"flows": 1, "size": 1100, "burst": 32},
    "video": {"flows": 64, "size": 1100, "burst": 8},
}
KEY = ("load", "transport", "workload", "direction")


def measure(number: int, options: argparse.Namespace) -> list[dict]:
    """One round. A row for each load, transport, workload, direction and server."""
    rows = []
    for load in LOADS:
        for transport in TRANSPORTS:
            if not transport.startswith(options.prefix):
                continue
            for workload, shape in SHAPES.items():
                for direction in ("up", "down"):
                    more = [f"--{name}={value}" for name, value in shape.items()]
                    more += [f"--transport={transport}", f"--direction={direction}", f"--rate={PACED if load == 'paced' else 0}"]
                    what = (load, transport, workload, direction)
                    rows += [{**one_server(number, server, options, what, more), **dict(zip(KEY, what)), "server": server.name}
                             for server in servers.in_turn(number, options)]
    return rows


def one_server(number: int, server: servers.Server, options: argparse.Namespace, what: tuple[str, ...], more: list[str]) -> dict:
    with servers.running(server, options) as running:
        if "tls" in what:
            running.address = running.tls
        result = generator.bench(options, running, more)
    generator.tell(number, (*what, server.name), result)
    return result


def page(rounds: list[list[dict]]) -> list[str]:
    """A table for each load."""
    summary = tables.summarise(rounds, KEY)
    lines = ["The relayed side is UDP. A ratio is a server's CPU time for a relayed packet, divided by coturn's in the same round.", ""]
    for load, words in LOADS.items():
        of_load = {key[1:]: of for key, of in summary.items() if key[0] == load}
        if of_load:
            lines += [f"### {load.capitalize()}: {words}", "", *tables.relayed(of_load, ("over", "workload", "way")), ""]
    return lines + [
        "heavy: 1 flow, 1100 bytes, bursts of 32. video: 64 flows, 1100 bytes, bursts of 8. Segments are as long as on an Ethernet (1460 bytes). "
        "Over TLS (1.3, AES-256-GCM) each message of a client is a record of its own, as browsers send them. Without a rate, up is as much as "
        "connections take, and down a peer is never more than eight bursts a flow ahead of what has arrived: what a client does not "
        "read, every server drops."]
