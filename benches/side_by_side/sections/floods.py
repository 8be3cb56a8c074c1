"""What it costs a server when many knock: allocations a second, and floods of what needs no allocation."""

import argparse
import dataclasses

import generator
import servers
import tables

# What was learnt by hand and is not measured again by each run.
WORDS = """
Where an allocation's time goes (`perf`, busy machine): 65 % is the relay thread's, and two thirds of that the kernel's: three answers (15 % of all),
a socket with its seven options (12 %), closing it (7 %), three requests (4 %), `epoll_ctl` (2 %). Two lines of the log are 10 %. The rest is the audit
trail, in which every end of an allocation stands, with what it carried: mostly the embedded database's insertion. Others have no such trail; the table
has Relayhouse without it, too.
"""

TITLE = "Allocations and floods"

PORTS = 64
# What each datagram of a flood is.
FLOODS = {
    "Binding": ["--load=bindings", f"--flows={PORTS}", "--burst=1"],
    "401": ["--load=challenges", f"--flows={PORTS}", "--burst=1"],
    # One source, of which all but some are dropped: then no answers leave together either.
    "401, limited": ["--load=challenges", "--flows=1", "--burst=16"],
    "wrong password": ["--load=guesses", f"--flows={PORTS}", "--burst=1"],
    # Nobody answers these, so that they can come sixteen at a time without answers that leave together.
    "junk": ["--load=junk", f"--flows={PORTS}", "--burst=16", "--size=100"],
}
# What every answer to a flood should be.
EXPECTED = {"Binding": "success", "401": "401", "401, limited": "401", "wrong password": "401"}
ALLOCATIONS = ["--load=allocations", f"--flows={PORTS}"]
# Every end of an allocation is in its audit trail, which others have none of.
NO_TRAIL = "relayhouse, no audit trail"


def measure(number: int, options: argparse.Namespace) -> list[dict]:
    """One round. A row for each flood and server, and one for the allocations of each server."""
    rows = []
    for what, more in {**FLOODS, "allocations": ALLOCATIONS}.items():
        if not what.startswith(options.prefix):
            continue
        for server in contenders(what, servers.in_turn(number, options)):
            with servers.running(server, options) as running:
                result = generator.bench(options, running, more)
            rows.append({**result, "what": what, "server": server.name})
            generator.tell(number, ("floods", what, server.name), told(result))
    return rows


def contenders(what: str, found: list[servers.Server]) -> list[servers.Server]:
    """Relayhouse as it answers everybody, but for the row that is about its limit on strangers: a limit would make a flood look
    cheap."""
    if what.endswith("limited"):
        return found
    unlimited = [configured(server, server.name, "limits.unauthenticated_rate=0") for server in found]
    if what != "allocations":
        return unlimited
    return unlimited + [configured(server, NO_TRAIL, "audit.keep=0") for server in unlimited if server.name == "relayhouse"]


def configured(server: servers.Server, name: str, setting: str) -> servers.Server:
    """Relayhouse with a setting and perhaps another name; others as they are."""
    if server.name != "relayhouse":
        return server
    return dataclasses.replace(server, name=name, command=lambda *given: [*server.command(*given), "--set", setting])


def told(result: dict) -> dict:
    """With the cost of an allocation in the place of that of a packet."""
    return {"serverNanosPerPacket": result.get("serverNanosPerAllocation"), **result}


def page(rounds: list[list[dict]]) -> list[str]:
    """A table of allocations and one of floods."""
    measured = tables.grouped(rounds, ("what",))
    opened = measured.pop(("allocations",), {})
    return [
        "A ratio is a server's CPU time for the same, divided by coturn's in the same round: smaller is better.", "",
        *([*allocations(opened), ""] if opened else []),
        *([*floods(measured), ""] if measured else []),
        f"An allocation is opened as a client does it, from a port of its own: asked for without a credential, answered 401, asked for again, "
        f"and given back at once; {PORTS} are under way at a time. Floods are single datagrams from {PORTS} ports, as many as the generator can send; a "
        "datagram counts when the server has looked at it. Relayhouse answers strangers 200 times a second and address unless told otherwise: that "
        "limit is off but for the row that says so, where the rest is dropped. Junk is of 100 bytes: a third looks like a request, a third "
        "like data of a channel; nothing is answered.", WORDS.rstrip()]


def allocations(of: dict[str, list[dict]]) -> list[str]:
    """Who opens how many."""
    base = of.get(servers.BASE, [])
    rows = []
    for name, mine in of.items():
        good = [row for row in mine if row.get("serverNanosPerAllocation")]
        refused = sum(sum(row["refused"].values()) + row["unanswered"] for row in good)
        rows.append([name, tables.shown(tables.spread([row["serverNanosPerAllocation"] / 1000 for row in good]), 1),
                     tables.shown(tables.ratios(mine, base, "serverNanosPerAllocation"), 2),
                     tables.shown(tables.spread([1e9 / row["serverNanosPerAllocation"] for row in good]), 0),
                     tables.shown(tables.spread([row["allocationsPerSecond"] for row in good]), 0),
                     tables.shown(tables.spread([row["delayMicros"]["p99"] for row in good]), 0), refused, errors(mine)])
    return tables.markdown(["server", "µs of CPU an allocation", "ratio", "allocations a second of CPU", "a second, on one core", "p99 delay µs",
                            "refused", "note"], rows)


def floods(measured: dict[tuple, dict[str, list[dict]]]) -> list[str]:
    """What each datagram costs whom."""
    rows = []
    for (what,), of in measured.items():
        for name, mine in of.items():
            good = [row for row in mine if row.get("serverNanosPerPacket")]
            rows.append([what, name, tables.shown(tables.spread([row["serverNanosPerPacket"] / 1000 for row in good]), 2),
                         tables.shown(tables.ratios(mine, of.get(servers.BASE, []), "serverNanosPerPacket"), 2),
                         tables.shown(tables.spread([row["packetsPerSecond"] for row in good]), 0),
                         tables.shown(tables.spread([row["answersPerSecond"] for row in good]), 0), errors(mine) or wrong_answers(what, good)])
    return tables.markdown(["flood of", "server", "µs a datagram", "ratio", "handled a second", "answered a second", "note"], rows)


def wrong_answers(what: str, rows: list[dict]) -> str:
    """Answers that are not what such a flood should get: then the row measures something else."""
    others = {code for row in rows for code in row["answers"] if code != EXPECTED.get(what)}
    return f"also answered {', '.join(sorted(others))}" if others else ""


def errors(rows: list[dict]) -> str:
    return "; ".join(sorted({row["error"] for row in rows if "error" in row}))
