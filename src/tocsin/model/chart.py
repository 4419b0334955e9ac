"""A chart as values: named lines over places. Whoever draws it decides how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """A named line over the places; None leaves a gap. `low` and `high` are bounds around it."""

    name: str
    values: Values
    low: Values = ()
    high: Values = ()
    style: int = 0
    """0 what is measured, 1 an estimate, 2 what is normal, 3 a limit."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same places. `told` says in words what the picture shows; `marks` are places where something happened."""

    title: str
    told: str
    unit: str
    """`share` is shown as percent; any other is written behind the numbers."""
    places: tuple[str, ...]
    lines: tuple[Line, ...]
    marks: tuple[int, ...] = ()
    """On the first line."""

    def columns(self) -> list[str]:
        """The heads of the table that says the same."""
        bounds = ("from", "to")
        return [
            "",
            *(head for line in self.lines for head in (line.name, *(f"{line.name}, {b}" for b in bounds if line.low))),
        ]

    def rows(self) -> Iterator[tuple[str, Values]]:
        """Its rows: the place, and the numbers in the order of the heads."""
        parts = [part for line in self.lines for part in (line.values, *((line.low, line.high) if line.low else ()))]
        yield from ((place, tuple(part[n] for part in parts)) for n, place in enumerate(self.places))
