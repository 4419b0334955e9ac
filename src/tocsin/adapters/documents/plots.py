"""Plots over a sequence of places: lines, bands and marks as inline SVG, with a title and a description in words.

Lines differ by their dashes as well as by their colour, and each is named at its end; a table beside the plot holds the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, isfinite, log10

from tocsin.adapters.documents.page import text
from tocsin.model.chart import Chart, Line, Values

WIDTH, HEIGHT = 760, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 12, 30
TICKS = 4
LABELS_MAX = 6
LABEL_HEIGHT = 14
SMALLEST = 1e-200


class Grid:
    """Where values and places lie on the picture."""

    def __init__(self, places: int, values: Sequence[float]) -> None:
        low, high = min(values, default=0.0), max(values, default=1.0)
        rough = (high - low) / TICKS or abs(high)
        step = _step(rough if rough > SMALLEST else 1.0)
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        last = max(last, first + 1)
        self.ticks = [n * step for n in range(first, last + 1)]
        self.wide = (WIDTH - LEFT - RIGHT) / max(places - 1, 1)

    def x(self, place: int) -> float:
        """Pixels from the left."""
        return LEFT + self.wide * place

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.ticks[-1] - value) / (self.ticks[-1] - self.ticks[0])


STANDALONE = """
text{fill:#111827;font:11px 'Libertinus Serif'}.rule{stroke:#d1d5db}path{fill:none;stroke-width:2}
.l0{stroke:#1d4ed8}.l1{stroke:#111827;stroke-dasharray:6 4}.l2{stroke:#6b7280;stroke-dasharray:2 3}.l3{stroke:#9f1239;stroke-dasharray:10 4}
.band{fill-opacity:.15}.f0{fill:#1d4ed8}.f1{fill:#111827}.f2{fill:#6b7280}.f3{fill:#9f1239}.mark{fill:#9f1239;stroke:#ffffff}
"""
"""Colours of a picture that stands in no page."""


def svg(chart: Chart, style: str = "") -> str:
    """The picture; with a style of its own it stands for itself."""
    values = [v for line in chart.lines for part in (line.values, line.low, line.high) for v in part if _known(v)]
    grid = Grid(len(chart.places), [v for v in values if v is not None])
    own = f"<style>{style}</style>" if style else ""
    space = ' xmlns="http://www.w3.org/2000/svg"' if style else ""
    parts = [
        f'<svg class="plot" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"{space}>{own}',
        f"<title>{text(chart.title)}</title><desc>{text(chart.told)}</desc>",
        *_axes(grid, chart.places, chart.unit),
        *(_band(grid, line) for line in chart.lines if line.low),
        *(_path(grid, line) for line in chart.lines),
        *_names(grid, chart.lines),
        *_marks(grid, chart.lines[0].values, chart.marks),
    ]
    return "".join([*parts, "</svg>"])


def _known(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _step(rough: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    unit = 10.0 ** floor(log10(rough))
    return next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough - 1e-12)


def _axes(grid: Grid, places: Sequence[str], unit: str) -> Iterator[str]:
    for tick in grid.ticks:
        y = grid.y(tick)
        yield f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text(_number(tick, unit))}</text>'
    for n in range(0, len(places), max(1, ceil(len(places) / LABELS_MAX))):
        yield f'<text x="{grid.x(n):.1f}" y="{HEIGHT - 10}" text-anchor="middle">{text(places[n])}</text>'


def _number(value: float, unit: str) -> str:
    return f"{value * 100:.4g}%" if unit == "share" else f"{value:.4g} {unit}".strip()


def _path(grid: Grid, line: Line) -> str:
    told, pen = [], "M"
    for place, value in enumerate(line.values):
        if value is None or not isfinite(value):
            pen = "M"
            continue
        told.append(f"{pen}{grid.x(place):.1f} {grid.y(value):.1f}")
        pen = "L"
    return f'<path class="l{line.style}" d="{"".join(told)}"/>' if told else ""


def _band(grid: Grid, line: Line) -> str:
    """The area between the bounds, where both are known."""
    bounds = zip(line.low, line.high, strict=True)
    known = [(grid.x(n), low, high) for n, (low, high) in enumerate(bounds) if low is not None and high is not None]
    there = [f"{x:.1f},{grid.y(high):.1f}" for x, _, high in known]
    back = [f"{x:.1f},{grid.y(low):.1f}" for x, low, _ in reversed(known)]
    return f'<polygon class="band f{line.style}" points="{" ".join([*there, *back])}"/>' if known else ""


def _names(grid: Grid, drawn: Sequence[Line]) -> Iterator[str]:
    """The name of each line at its end, pushed down where two would overlap; a stroke shows its colour and dashes."""
    ends = [(grid.y(known[-1]), line) for line in drawn if (known := [v for v in line.values if v is not None])]
    free = float(TOP)
    for end, line in sorted(ends, key=lambda one: one[0]):
        y = max(end, free)
        free = y + LABEL_HEIGHT
        x = WIDTH - RIGHT + 8
        yield f'<path class="l{line.style}" d="M{x} {y:.1f}L{x + 18} {y:.1f}"/>'
        yield f'<text x="{x + 24}" y="{y + 4:.1f}">{text(line.name)}</text>'


def _marks(grid: Grid, values: Values, marks: Sequence[int]) -> Iterator[str]:
    for place in marks:
        value = values[place]
        if value is not None:
            yield f'<circle class="mark" cx="{grid.x(place):.1f}" cy="{grid.y(value):.1f}" r="5"/>'
