"""The plot: for each workload and way a bar per server, as a ratio to the base. Plain SVG."""

BAR, GAP, GROUP, LEFT, WIDTH = 14, 4, 18, 190, 760
COLOURS = ["#8a9691", "#0b6b66", "#c98a2b", "#5b6fb5", "#a4484a"]


def bars(summary: dict, base: str) -> str:
    names = list(dict.fromkeys(name for of in summary.values() for name in of))
    rows = [(key, of) for key, of in summary.items() if any(one["ratio"] for one in of.values())]
    top = max((one["ratio"][2] for _, of in rows for one in of.values() if one["ratio"]), default=1.0)
    scale = (WIDTH - LEFT - 90) / max(top, 1.0)
    y, parts = 50, []
    for label, of in rows:
        parts.append(f'<text x="{LEFT - 10}" y="{y + (BAR + GAP) * len(of) / 2 + 2:.0f}" text-anchor="end">{label}</text>')
        for name in names:
            ratio = of.get(name, {}).get("ratio")
            if not ratio:
                continue
            colour = COLOURS[names.index(name) % len(COLOURS)]
            width = ratio[0] * scale
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2" fill="{colour}"/>')
            parts.append(f'<text x="{LEFT + width + 6:.1f}" y="{y + BAR - 3}">{ratio[0]:.2f}</text>')
            y += BAR + GAP
        y += GROUP
    legend = "".join(f'<rect x="{LEFT + 130 * at}" y="16" width="{BAR}" height="{BAR}" rx="2" fill="{COLOURS[at % len(COLOURS)]}"/>'
                     f'<text x="{LEFT + 130 * at + 20}" y="28">{name}</text>' for at, name in enumerate(names))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="system-ui, sans-serif" font-size="12" fill="#53605c" '
            f'role="img" aria-label="CPU time for a relayed packet as a ratio to {base}"><rect width="100%" height="100%" fill="#ffffff"/>{legend}{"".join(parts)}</svg>\n')
