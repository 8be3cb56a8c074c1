"""What signalling costs: idle clients in memory, messages in CPU time, beside public servers from npm."""

import argparse
import pathlib
import subprocess
import sys

import generator
import signalling_servers as signalling
import tables

TITLE = "Signalling"

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = ROOT / "target" / "bench-signalling"
GENERATOR = TARGET / "release" / "signalling"
# Messages a second that all of them can hold.
PACED = 4_000
# The generator's words for each workload.
WORKLOADS = {
    "idle": ["--rooms=5000", "--size=2", "--idle=5", "--seconds=0"],
    "one room": ["--rooms=1", "--size=16", "--window=8", f"--rate={PACED}"],
    "1,000 rooms": ["--rooms=1000", "--size=2", "--window=1", f"--rate={PACED}"],
    "to everybody": ["--rooms=1", "--size=50", "--window=1", "--broadcast"],
}
WORDS = {
    "one room": "16 clients in one room; each message is for one of them, in turn",
    "1,000 rooms": "2 clients in each of 1,000 rooms, who talk to each other",
    "to everybody": "50 clients in one room; each message is for all others, and each of its 49 copies counts",
}


def measure(number: int, options: argparse.Namespace) -> list[dict]:
    """One round. A row for each workload and server."""
    build()
    rows = []
    for workload, words in WORKLOADS.items():
        if not workload.startswith(options.prefix):
            continue
        for server in signalling.in_turn(number):
            if workload == "to everybody" and not server.broadcasts:
                continue
            try:
                with signalling.running(server, options) as running:
                    result = load(server, running, [f"--seconds={options.seconds}", *words])
            except signalling.NotStarted as why:
                result = {"error": str(why)}
            rows.append({**result, "workload": workload, "server": server.name, "version": server.version(options)})
            tell(number, workload, server.name, result)
    return rows


def build() -> None:
    """The generator; quick when it is there."""
    manifest = ROOT / "benches" / "signalling" / "Cargo.toml"
    command = ["cargo", "build", "--quiet", "--locked", "--release", "--manifest-path", manifest, "--target-dir", TARGET]
    subprocess.run(command, check=True)


def load(server: signalling.Server, running: signalling.Running, words: list[str]) -> dict:
    """What the generator says, or {"error": why not}."""
    command = [str(GENERATOR), "--json", "--protocol", server.protocol, "--server", running.address, "--server-pid", str(running.pid),
               "--key", running.key, *last_of_each(words)]
    return generator.answer(command)


def last_of_each(words: list[str]) -> list[str]:
    """A workload's own word counts before what is said for all."""
    return list({word.partition("=")[0]: word for word in words}.values())


def tell(number: int, workload: str, server: str, result: dict) -> None:
    """A line for whoever waits."""
    talk = result.get("saturated", {})
    said = f"{(talk.get('serverNanosPerMessage') or 0) / 1000:8.2f} µs  {talk.get('deliveredPerSecond') or 0:9,.0f}/s"
    if workload == "idle" and "memory" in result:
        said = f"{result['memory']['anonymousPerClient'] / 1024:8.2f} KiB"
    print(f"round {number + 1} signalling {workload:<13} {server:<22} {result.get('error') or said}", file=sys.stderr, flush=True)


def page(rounds: list[list[dict]]) -> list[str]:
    """How many of what, in three tables."""
    versions = dict.fromkeys((row["server"], row["version"]) for taken in rounds for row in taken)
    by_workload = {key[0]: of for key, of in tables.grouped(rounds, ("workload",)).items()}
    lines = ["Beside public signalling servers from npm, PeerServer (`peer`) and that of `y-webrtc`, each with its own protocol and the same load: "
             + ", ".join(f"{name} {version}" for name, version in versions) + ".", ""]
    if not any(server.package and server.is_here() for server in signalling.TABLE):
        lines += ["The public servers are left out: npm was not there to install them.", ""]
    if "idle" in by_workload:
        lines += ["### 10,000 idle clients, in rooms of two", "", *idle(by_workload["idle"]), ""]
    talks = {name: of for name, of in by_workload.items() if name in WORDS}
    if talks:
        lines += ["### Messages, as many as go", "", *saturated(talks), "", *(f"* {name}: {WORDS[name]}" for name in talks), ""]
        lines += [f"### {PACED:,} messages a second", "", *paced(talks), ""]
    return lines + [
        "One message in ten is a description of 1500 bytes, the others are candidates of 110. What a server puts off and does afterwards is part of "
        "a message's cost. A client's KiB are what the process has made for itself "
        "(`Anonymous` of `smaps_rollup`), without the kernel's buffers. *No trail* is Relayhouse without its audit trail (`audit.keep = 0`), "
        "which the others do not have. A ratio is to PeerServer in the same round. y-webrtc sends each message to everybody in its room, the sender too, "
        "and clients pass over what is for another: what arrives where it should counts. "
        "Limits raised: Relayhouse's `limits.signal_rate` and `limits.signal_burst`, PeerServer's `--concurrent_limit`; clients come from 50 to an address."]


def idle(of: dict[str, list[dict]]) -> list[str]:
    rows = []
    for name, taken in of.items():
        taken, base = [memory(row) for row in taken], [memory(row) for row in of.get(signalling.BASE, [])]
        each = tables.spread([row["client"] / 1024 for row in taken if row])
        room = tables.spread([row["room"] / 1024 for row in taken if row])
        full = tables.spread([row["full"] / 1024 for row in taken if row])
        busy = tables.spread([row["busy"] * 100 for row in taken if row])
        rows.append([name, tables.shown(each, 1), tables.shown(tables.ratios(taken, base, "client"), 2), tables.shown(room, 1),
                     tables.shown(full, 0), tables.shown(busy, 1)])
    return tables.markdown(["server", "KiB a client", "ratio", "KiB a client for the room's record", "MiB in all (PSS)", "% of a core"], rows)


def memory(row: dict) -> dict:
    """The numbers of one idle measurement."""
    if "memory" not in row:
        return {}
    of = row["memory"]
    return {"client": of["anonymousPerClient"], "room": of["roomsAnonymousPerClient"], "full": of["full"]["proportionalKiB"],
            "busy": row.get("idleBusy", 0)}


def saturated(talks: dict[str, dict[str, list[dict]]]) -> list[str]:
    rows = []
    for workload, name, taken, base in each(talks, "saturated"):
        limit = " (the generator’s limit)" if any(row.get("generatorWasTheLimit") for row in taken) else ""
        rows.append([workload, name, *cost(taken, base), column(taken, "deliveredPerSecond", 0) + limit, column(taken, "p50", 0),
                     column(taken, "p99", 0), errors(talks[workload][name])])
    return tables.markdown(["workload", "server", "µs a message", "ratio", "messages a second", "p50 delay µs", "p99 delay µs", "errors"], rows)


def paced(talks: dict[str, dict[str, list[dict]]]) -> list[str]:
    rows = [[workload, name, *cost(taken, base), column(taken, "p50", 0), column(taken, "p99", 0), column(taken, "lost", 0)]
            for workload, name, taken, base in each(talks, "paced") if any(taken)]
    return tables.markdown(["workload", "server", "µs a message", "ratio", "p50 delay µs", "p99 delay µs", "lost"], rows)


def each(talks: dict[str, dict[str, list[dict]]], load: str):
    """Workload and server with the numbers of each round, and those of the base."""
    numbers = lambda rows: [{**row.get(load, {}), **row.get(load, {}).get("delayMicros", {})} for row in rows]
    for workload, of in talks.items():
        for name, taken in of.items():
            yield workload, name, numbers(taken), numbers(of.get(signalling.BASE, []))


def cost(taken: list[dict], base: list[dict]) -> list[str]:
    micros = tables.spread([row["serverNanosPerMessage"] / 1000 for row in taken if row.get("serverNanosPerMessage")])
    return [tables.shown(micros, 1), tables.shown(tables.ratios(taken, base, "serverNanosPerMessage"), 2)]


def column(taken: list[dict], name: str, digits: int) -> str:
    return tables.shown(tables.spread([row[name] for row in taken if row.get(name) is not None]), digits)


def errors(taken: list[dict]) -> str:
    """Refusals and broken connections, or why there is no number."""
    whys = sorted({row["error"] for row in taken if "error" in row})
    return "; ".join(whys) or str(sum(row.get("errors", 0) for row in taken))
