"""Draws the result of run.py as a picture: horizontal bars, grouped by program, programs grouped by class (SVG)."""

from xml.sax.saxutils import escape

# Okabe and Ito's colours, which colour-blind readers can tell apart; Wasmkeep always has the first.
COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#999999"]
OURS = "wasmkeep"

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 900, 130, 70, 92, 54
BAR, GAP, HEADING = 9, 7, 26
FONT = 'font-family="DejaVu Sans, Verdana, sans-serif"'


def step_for(largest):
    """A round distance of grid lines, for at most ten of them."""
    step = 0.1
    while largest / step > 10:
        for factor in (2, 2.5, 2):  # 1, 2, 5, 10
            step *= factor
            if largest / step <= 10:
                break
    return step


def text(x, y, content, size=12, anchor="start", weight="normal", colour="#222222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" {FONT} font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{colour}">{escape(content)}</text>')


def draw(rows, means, engines, about):
    """The picture, as text. rows and means as run.py's summarise() gives them; engines: the names, in order."""
    order = sorted(engines, key=lambda name: name != OURS)
    spare = COLOURS if OURS in engines else COLOURS[1:]
    colours = {name: spare[i % len(spare)] for i, name in enumerate(order)}

    largest = max([value for row in rows for value in row["multiples"].values() if value] + [1.0])
    step = step_for(largest * 1.02)
    scale = (WIDTH - LEFT - RIGHT) / (largest * 1.02)

    body, y = [], TOP
    group = BAR * len(engines) + GAP
    for mean in means:
        members = [row for row in rows if row["class"] == mean["class"]]
        if not members and mean["class"] != "all":
            continue
        y += HEADING
        body.append(text(8, y - 8, {"all": "all programs"}.get(mean["class"], mean["class"]), 13, weight="bold"))
        for row in members + [mean]:
            if row["mean"]:
                body.append(f'<rect x="0" y="{y - GAP / 2:.1f}" width="{WIDTH}" height="{group}" fill="#f0f0f0"/>')
            label = "geometric mean" if row["mean"] else row["name"]
            weight = "bold" if row["mean"] else "normal"
            body.append(text(LEFT - 8, y + (group - GAP) / 2 + 4, label, 11, "end", weight))
            for i, name in enumerate(order):
                value, top = row["multiples"][name], y + i * BAR
                if value:
                    body.append(f'<rect x="{LEFT}" y="{top:.1f}" width="{value * scale:.1f}" height="{BAR - 1}" '
                                f'fill="{colours[name]}"/>')
                    figure = f"{value:.1f}"
                else:
                    figure = row["failures"].get(name, "-")
                body.append(text(LEFT + (value or 0) * scale + 4, top + BAR - 1.5, figure, 9, colour="#444444"))
            y += group
    bottom = y
    height = bottom + BOTTOM

    grid, mark = [], 0
    while mark * step <= largest * 1.02:
        x = LEFT + mark * step * scale
        grid.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#d8d8d8"/>')
        for at in (TOP - 5, bottom + 15):
            grid.append(text(x, at, f"{mark * step:g}", 11, "middle"))
        mark += 1
    # Native is 1: what all bars are to be held against.
    x = LEFT + scale
    native = f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#222222" stroke-dasharray="4 3"/>'

    legend, x = [], LEFT
    for name in order:
        legend.append(f'<rect x="{x}" y="54" width="14" height="12" fill="{colours[name]}"/>')
        legend.append(text(x + 19, 64, name, 12))
        x += 40 + 8 * len(name)
    legend.append(f'<line x1="{x}" y1="60" x2="{x + 22}" y2="60" stroke="#222222" stroke-dasharray="4 3"/>')
    legend.append(text(x + 27, 64, "native = 1", 12))

    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(8, 22, "Time of WebAssembly programs, by engine", 16, weight="bold"),
        text(8, 40, f"{about['processor']}, {about['compiler']}, medians of {about['rounds']}, {about['date']}", 11,
             colour="#555555"),
        *legend, *[part for part in body if 'fill="#f0f0f0"' in part], *grid,
        *[part for part in body if 'fill="#f0f0f0"' not in part], native,
        text(LEFT + (WIDTH - LEFT - RIGHT) / 2, bottom + 36,
             f"{about['measure']} time in multiples of native, process start included (lower is better)", 12, "middle"),
        "</svg>", ""])
