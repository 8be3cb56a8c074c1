"""From rounds to tables: medians with their spread, ratios to the base, Markdown."""

import statistics

import servers

Spread = tuple[float, float, float]


def spread(values: list[float]) -> Spread | None:
    """Median, smallest, largest."""
    return (statistics.median(values), min(values), max(values)) if values else None


def shown(values: Spread | None, digits: int) -> str:
    """The median, and in brackets the spread where there is one."""
    if values is None:
        return ""
    median, low, high = (f"{value:,.{digits}f}" for value in values)
    return f"{median} ({low}–{high})" if low != high else median


def ratios(mine: list[dict], base: list[dict], of: str) -> Spread | None:
    """Of what each round measured to what the base had in the same round."""
    pairs = zip(mine, base)
    return spread([one[of] / other[of] for one, other in pairs if one.get(of) and other.get(of)])


def grouped(rounds: list[list[dict]], key: tuple[str, ...]) -> dict[tuple, dict[str, list[dict]]]:
    """For each value of `key` and each server its row of every round; {} where a round has none."""
    keys = dict.fromkeys(tuple(row[name] for name in key) for taken in rounds for row in taken)
    names = dict.fromkeys(row["server"] for taken in rounds for row in taken)
    by_place = [{(tuple(row[name] for name in key), row["server"]): row for row in taken} for taken in rounds]
    return {one: {name: [rows.get((one, name), {}) for rows in by_place] for name in names
                  if any((one, name) in rows for rows in by_place)} for one in keys}


def summarise(rounds: list[list[dict]], key: tuple[str, ...]) -> dict[tuple, dict[str, dict]]:
    """For each measurement and server of a relayed load: cost, ratio, loss, p99 and rate, each as a spread."""
    return {one: {name: relayed_summary(mine, of.get(servers.BASE, [])) for name, mine in of.items()}
            for one, of in grouped(rounds, key).items()}


def relayed_summary(mine: list[dict], base: list[dict]) -> dict:
    good = [row for row in mine if row.get("serverNanosPerPacket")]
    return {
        "cost": spread([row["serverNanosPerPacket"] / 1000 for row in good]),
        "ratio": ratios(mine, base, "serverNanosPerPacket"),
        "lost": spread([row["lost"] * 100 for row in good]),
        "p99": spread([row["delayMicros"]["p99"] for row in good]),
        "rate": spread([row["packetsPerSecond"] for row in good]),
        "limited": any(row.get("generatorWasTheLimit") for row in good),
        "errors": sorted({row["error"] for row in mine if "error" in row}),
    }


def relayed(summary: dict[tuple, dict[str, dict]], heads: tuple[str, ...]) -> list[str]:
    """The table of relayed loads; `heads` names what the keys are made of."""
    rows = []
    for key, of in summary.items():
        for name, one in of.items():
            if one["cost"] is None:
                rows.append([*key, name, "; ".join(one["errors"]) or "nothing came through", "", "", "", ""])
                continue
            limit = " (the generator’s limit)" if one["limited"] else ""
            rows.append([*key, name, shown(one["cost"], 2), shown(one["ratio"], 2), shown(one["lost"], 2), shown(one["p99"], 0),
                         f"{one['rate'][0]:,.0f}{limit}"])
    return markdown([*heads, "server", "µs a packet", "ratio", "lost %", "p99 delay µs", "packets a second"], rows)


def markdown(heads: list[str], rows: list[list[str]]) -> list[str]:
    """A table."""
    line = lambda cells: f"| {' | '.join(str(cell) for cell in cells)} |"
    return [line(heads), "|" + "---|" * len(heads), *map(line, rows)]
