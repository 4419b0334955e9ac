"""What became of a column: its distribution, its missing values, its new values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tocsin.detect.comparing.cells import Counts, Numbers, Scale, boundaries, cuts, quantile, read, runs
from tocsin.detect.comparing.effects import Pending, Tolerances
from tocsin.detect.comparing.intervals import Interval, apart, design_effect, quantile_of, rate, stability
from tocsin.detect.comparing.plan import PARTS, Column, Kind
from tocsin.detect.comparing.tally import Grid, Tally, Values

QUANTILES = {0.5: "median", 0.1: "10th percentile", 0.9: "90th percentile"}
PSI = "PSI"
OTHER = "(other)"
COUNT_MIN = 5
"""Values with fewer rows on both sides together are taken as one."""
SHOWN = 12
"""Values that a plot shows."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Shares of both sides, bar by bar."""

    labels: tuple[str, ...] = ()
    reference: tuple[float, ...] = ()
    current: tuple[float, ...] = ()


class Found(NamedTuple):
    """What was found of a column, before verdicts."""

    effects: tuple[Pending, ...]
    notes: tuple[str, ...]
    plot: Plot = Plot()


class Sides(NamedTuple):
    """Something of the reference and of the current data."""

    reference: float
    current: float


@dataclass(frozen=True, slots=True)
class _Asked:
    """One column with what bears on it."""

    column: Column
    reference: Tally
    current: Tally
    accepted: Tolerances
    designs: Sides = field(default=Sides(1.0, 1.0))

    @property
    def design(self) -> float:
        return max(self.designs)


def compared(column: Column, reference: Tally, current: Tally, accepted: Tolerances) -> Found:
    """Everything that can be said of the column."""
    designs = Sides(*(_design(tally.clusters.get(column.name)) for tally in (reference, current)))
    asked = _Asked(column, reference, current, accepted, designs)
    return _values(asked) if column.kind is Kind.CATEGORY else _numbers(asked)


def _design(grid: Grid | None) -> float:
    return 1.0 if grid is None else design_effect(grid)


def _numbers(asked: _Asked) -> Found:
    name = asked.column.name
    first, second = (read(tally.numbers[name]) for tally in (asked.reference, asked.current))
    notes = [
        f"{side.infinite:,} infinite values in the {word}, left out of the distribution"
        for side, word in ((first, "reference"), (second, "current data"))
        if side.infinite
    ]
    absent = _missing(asked, Sides(first.missing, second.missing))
    if not first.known or not second.known:
        return Found((absent,), (*notes, _nothing(first.known, second.known)))
    starts = cuts(first.ordered, PARTS)
    effects = [*_shifts(asked, first, second), absent]
    if len(starts) > 1:
        effects.insert(0, _psi(asked, runs(first.ordered, starts), runs(second.ordered, starts)))
    else:
        notes.append(f"constant in the reference: {quantile(first.ordered, asked.column.scale, 0.5)[0]:.6g}")
    return Found(tuple(effects), tuple(notes), _bars(first, second, starts, asked.column.scale))


def _nothing(first: int, second: int) -> str:
    where = "on both sides" if not first and not second else "in the reference" if not first else "in the current data"
    return f"no values {where}"


def _psi(asked: _Asked, first: Counts, second: Counts) -> Pending:
    seen = stability(first, second, 0.05).raw
    return Pending(
        asked.column.name,
        PSI,
        "index",
        None,
        seen,
        asked.accepted.psi,
        lambda alpha: stability(first, second, alpha, asked.design).interval,
    )


def _shifts(asked: _Asked, first: Numbers, second: Numbers) -> list[Pending]:
    by = asked.column.scale
    low, high = quantile(first.ordered, by, 0.1, 0.9)
    effects = []
    for share, word in QUANTILES.items():

        def interval(alpha: float, share: float = share) -> Interval:
            sides = zip((first, second), asked.designs, strict=True)
            return apart(*(quantile_of(side.ordered, by, share, alpha, design) for side, design in sides))

        before, after = (float(quantile(side.ordered, by, share)[0]) for side in (first, second))
        tolerance = asked.accepted.shift * float(high - low)
        effects.append(Pending(asked.column.name, word, "column", before, after, tolerance, interval))
    return effects


def _missing(asked: _Asked, missing: Sides) -> Pending:
    rows = Sides(asked.reference.rows, asked.current.rows)
    return Pending(
        asked.column.name,
        "missing",
        "share",
        missing.reference / rows.reference,
        missing.current / rows.current,
        asked.accepted.rate,
        partial(_difference, rows, missing, asked.designs),
    )


def _difference(rows: Sides, outcomes: Sides, designs: Sides, alpha: float) -> Interval:
    sides = zip(rows, outcomes, designs, strict=True)
    return apart(*(rate(n / design, k / design, alpha) for n, k, design in sides))


def _bars(first: Numbers, second: Numbers, starts: Counts, by: Scale) -> Plot:
    edges = [f"{edge:.4g}" for edge in boundaries(starts, by)]
    if not edges:
        return Plot(("the constant",), (1.0,), (1.0,))
    labels = [f"below {edges[0]}", *(f"{a} to {b}" for a, b in pairwise(edges)), f"{edges[-1]} and more"]
    return _plot(labels, runs(first.ordered, starts), runs(second.ordered, starts))


def _plot(labels: list[str], first: Counts, second: Counts) -> Plot:
    shares = (tuple((counts / max(int(counts.sum()), 1)).tolist()) for counts in (first, second))
    return Plot(tuple(labels), *shares)


def _values(asked: _Asked) -> Found:
    name = asked.column.name
    before, after = (tally.values.get(name, Values()) for tally in (asked.reference, asked.current))
    absent = _missing(asked, Sides(before.missing, after.missing))
    if len(before.cells) or len(after.cells):
        return _hashed(asked, before, after, absent)
    if not before.known or not after.known:
        return Found((absent,), (_nothing(len(before.known), len(after.known)),))
    labels, first, second = aligned(before.known, after.known)
    effects = [absent]
    if len(labels) > 1:
        effects = [_psi(asked, first, second), _largest(asked, labels, first, second), absent]
    fresh = sorted((v for v in after.known if v not in before.known), key=lambda v: (-after.known[v], v))
    notes = []
    if fresh:
        effects.append(_fresh(asked, sum(after.known[value] for value in fresh), int(second.sum())))
        some = ", ".join(f"{value[:40]} ({after.known[value]:,})" for value in fresh[:5])
        notes.append(f"{len(fresh):,} new: {some}" + (" and others" if len(fresh) > 5 else ""))
    gone = sorted(v for v in before.known if v not in after.known)
    if gone:
        notes.append(f"{len(gone):,} not seen any more: {', '.join(value[:40] for value in gone[:5])}")
    if len(labels) == 1 and not fresh and not gone:
        notes.append(f"constant on both sides: {labels[0][:40]}")
    most = np.argsort(-np.maximum(first, second), kind="stable")[:SHOWN]
    return Found(tuple(effects), tuple(notes), _plot([labels[at] for at in most], first[most], second[most]))


def aligned(first: Mapping[str, int], second: Mapping[str, int]) -> tuple[list[str], Counts, Counts]:
    """Values in order of their names with their counts on both sides; rare ones together as the last."""
    every = sorted(first.keys() | second.keys())
    counts = np.array([[side.get(value, 0) for value in every] for side in (first, second)], np.int64)
    rare = counts.sum(axis=0) < COUNT_MIN
    if rare.sum() < 2:
        return every, counts[0], counts[1]
    kept = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    return [*np.array(every, object)[~rare], OTHER], kept[0], kept[1]


def _largest(asked: _Asked, labels: list[str], first: Counts, second: Counts) -> Pending:
    """The value whose share changed most; its interval allows for having been chosen."""
    rows = Sides(int(first.sum()), int(second.sum()))
    at = int(np.argmax(np.abs(second / rows.current - first / rows.reference)))
    outcomes = Sides(int(first[at]), int(second[at]))
    return Pending(
        asked.column.name,
        f"share of {labels[at][:40]}",
        "share",
        outcomes.reference / rows.reference,
        outcomes.current / rows.current,
        asked.accepted.rate,
        lambda alpha: _difference(rows, outcomes, asked.designs, alpha / len(labels)),
    )


def _fresh(asked: _Asked, count: int, rows: int) -> Pending:
    design, share = asked.designs.current, count / rows
    return Pending(
        asked.column.name,
        "new values",
        "share",
        0.0,
        share,
        asked.accepted.rate,
        lambda alpha: rate(rows / design, count / design, alpha),
    )


def _hashed(asked: _Asked, before: Values, after: Values, absent: Pending) -> Found:
    """Too many values to name: both sides by hash, so that new ones cannot be told."""
    sides = []
    for values in (before, after):
        both = Values()
        both.merge(values)
        both.fold()
        sides.append(both.cells)
    note = "more than 20,000 different values, counted by hash; new ones cannot be told"
    return Found((_psi(asked, *sides), absent), (note,))
