#!/usr/bin/env python3
"""Measures servers side by side and writes docs/benchmarks.md with its plot.

    cargo build --release && benches/side_by_side/run.py

Every server runs pinned to one core, the generator to another. In each round every server takes its
turn with every measurement, so that what the machine does meanwhile hits all alike. What counts is
the server's CPU time, as a ratio to coturn's in the same round; tables have the median of the rounds
and their spread. Numbers are kept after every section, so that a run that breaks off is not lost.
"""

import argparse
import importlib
import json
import pathlib

import servers

ROOT = pathlib.Path(__file__).resolve().parents[2]
# In the order of the page.
SECTIONS = ["relay", "bursts", "fairness", "streams", "floods", "memory", "signalling", "profile"]


def main() -> None:
    options = arguments()
    options.prefix = ""
    results = json.loads(pathlib.Path(options.page_from).read_text()) if options.page_from else measured(options)
    sections = {name: importlib.import_module(f"sections.{name}") for name in SECTIONS}
    text = page(results, sections)
    if options.write:
        (ROOT / "docs/benchmarks.md").write_text(text)
        (ROOT / "docs/benchmarks.svg").write_text(sections["relay"].picture(results["sections"]["relay"]))
    print(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relayhouse", default=str(ROOT / "target/release/relayhouse"), help="the program to measure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--only", metavar="SECTION[:PREFIX]", default="", help=f"one of {', '.join(SECTIONS)}; of it, what begins so. Prints only")
    parser.add_argument("--json", default=str(ROOT / "target/side-by-side.json"), help="where to keep every number")
    parser.add_argument("--page-from", metavar="JSON", help="measure nothing: make the page from what was kept")
    parser.add_argument("--no-write", dest="write", action="store_false", help="print only")
    options = parser.parse_args()
    options.write &= not options.only
    return options


def measured(options: argparse.Namespace) -> dict:
    """All rounds of all sections that are wanted."""
    only, _, options.prefix = options.only.partition(":")
    results = {"machine": servers.machine(), "versions": servers.versions(options), "seconds": options.seconds, "sections": {}}
    for name in SECTIONS:
        if only in ("", name):
            section = importlib.import_module(f"sections.{name}")
            results["sections"][name] = [section.measure(number, options) for number in range(options.rounds)]
            pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    return results


def page(results: dict, sections: dict) -> str:
    """All of docs/benchmarks.md."""
    machine = results["machine"]
    rounds = max(len(taken) for taken in results["sections"].values())
    lines = [
        "# Benchmarks", "",
        "Made by one command, on one machine, all servers in turn: `cargo build --release && benches/side_by_side/run.py`. "
        "In brackets the smallest and the largest of the rounds.", "",
        f"* {machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}",
        *[f"* {name}: {version}" for name, version in results["versions"].items()],
        f"* {rounds} rounds of {results['seconds']} s; loopback; server and generator each on a core of their own", "",
    ]
    for name, taken in results["sections"].items():
        lines += [f"## {sections[name].TITLE}", "", *sections[name].page(taken), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
