"""From the numbers of a drift to a finding that explains itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, sqrt
from typing import NamedTuple

import numpy as np

from tocsin.detect.comparing.intervals import Interval, stability
from tocsin.detect.streams import confidence, telling
from tocsin.detect.streams.bound import Bound
from tocsin.detect.streams.drifting.cutting import Cut, apart, quantiles
from tocsin.detect.streams.drifting.directions import CELL, RANK, Along
from tocsin.detect.streams.drifting.keys import MISSING, Floats, Whole
from tocsin.detect.streams.drifting.looking import Looked
from tocsin.detect.streams.drifting.sequence import DriftSequence
from tocsin.detect.streams.drifting.tally import Tally
from tocsin.detect.streams.reference import Direction, Normal
from tocsin.detect.streams.since import Dated, dated
from tocsin.model.event import Json
from tocsin.model.finding import Category, Effect, Finding, Level, RowRef, Since, Strength
from tocsin.model.telemetry import Window

MOVED = 3
"""Cells that a finding names: those whose shares changed most."""


class Found(NamedTuple):
    """What alarmed: everything known after the window, and the bet that is worth most."""

    after: DriftSequence
    cut: Cut
    along: Along
    side: Direction
    normals: tuple[Normal, ...]
    """What was normal in each window that is remembered."""
    tolerance: float
    strength: Strength

    @property
    def normal(self) -> Normal:
        """What is normal now."""
        return self.normals[-1]

    @property
    def limits(self) -> Floats:
        """The mean beyond which the direction has moved, window by window."""
        return np.array([normal.limit(self.side, self.tolerance) for normal in self.normals])

    def usual(self, first: int) -> float:
        """The mean that was normal in the windows from number `first` on."""
        late = [
            (sum(m.counts), n.mean) for m, n in zip(self.after.history, self.normals, strict=True) if m.index >= first
        ]
        return sum(rows * mean for rows, mean in late) / sum(rows for rows, _ in late)

    @property
    def up(self) -> bool:
        """Whether the bet is on a rise."""
        return self.side == "up"


class _Recent(NamedTuple):
    """What was seen since the change began: rows per cell, and the design effect."""

    counts: Floats
    design: float

    @property
    def rows(self) -> int:
        return int(self.counts.sum())


def direction_said(cut: Cut, name: str, side: Direction) -> str:
    """A direction in words."""
    if name.startswith(CELL):
        return f'{"more" if side == "up" else "less"} of "{cut.names[int(name.removeprefix(CELL))]}"'
    words = ("higher values", "lower values") if name == RANK else ("wider spread", "narrower spread")
    return words[side == "down"]


def psi(before: Sequence[int], now: Sequence[int]) -> float:
    """The population stability index without the noise of the samples; cells that both lack are left out."""
    return stability(*_both(before, now), telling.DISPLAY_ALPHA).interval.value


def finding(watcher: Bound, subject: str, looked: Looked, found: Found, state: Tally, window: Window) -> Finding:
    """The finding of an alarm."""
    since = telling.since(found.after, _since(found), window)
    recent = _recent(found, since)
    key = subject
    index = stability(*_both(found.after.before, recent.counts), telling.DISPLAY_ALPHA, recent.design)
    moved = _moved(found, recent)
    mean = float(recent.counts @ found.along.values) / max(recent.rows, 1)
    return Finding(
        id=telling.finding_id(watcher.system, watcher.id, key, window.index),
        system=watcher.system,
        detector=watcher.id,
        key=key,
        category=Category.MODEL_FAILURE,
        level=Level.ALARM,
        title=f"{subject} drifted: {_title(found, recent, state)}",
        window=window,
        strength=found.strength,
        count=recent.rows,
        rows=_rows(found, state, recent),
        explanation=(
            f"Since about {since.start:%Y-%m-%d %H:%M} UTC {subject} has {direction_said(found.cut, found.along.name, found.side)} "
            f"than in the reference, on {recent.rows:,} rows: population stability index {index.interval.value:.3f} "
            f"({index.interval.low:.3f} to {index.interval.high:.3f}). {_capital(moved)}. {looked.harm}"
        ),
        effect=_effect(found, recent, subject, found.usual(since.window)),
        since=since,
        blind_spots=looked.blind_spots,
        next_steps=looked.next_steps,
        tags=looked.tags,
        details=_details(found, recent, mean, index.interval, state),
    )


def _both(before: Sequence[int] | Floats, now: Sequence[int] | Floats) -> tuple[Whole, Whole]:
    """Counts per cell of both sides, without the cells that neither has."""
    one, other = np.array(before, np.int64), np.array(now, np.int64)
    kept = (one > 0) | (other > 0)
    return one[kept], other[kept]


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _since(found: Found) -> Dated:
    """When the mean of the direction began to stray beyond the limit: likelihood of a normal mean over each tail of windows."""
    counts = np.array([moment.counts for moment in found.after.history], float)
    rows, amount = counts.sum(axis=1), counts @ found.along.values
    tail_rows, beyond = (np.cumsum(part[::-1])[::-1] for part in (rows, amount - found.limits * rows))
    strayed = beyond * (1 if found.up else -1)
    design = float(np.median([moment.design for moment in found.after.history]))
    spread = max(_variance(np.array(found.after.before, float), found.along.values), 1e-6) * design
    return dated(np.maximum(strayed, 0.0) ** 2 / (2 * spread * np.maximum(tail_rows, 1.0)))


def _variance(counts: Floats, values: Floats) -> float:
    shares = counts / max(float(counts.sum()), 1.0)
    return float(shares @ (values - shares @ values) ** 2)


def _recent(found: Found, since: Since) -> _Recent:
    late = [moment for moment in found.after.history if moment.index >= since.window]
    design = float(np.median([moment.design for moment in late]))
    return _Recent(np.array([moment.counts for moment in late], float).sum(axis=0), design)


def _shares(found: Found, recent: _Recent) -> tuple[Floats, Floats]:
    before = np.array(found.after.before, float)
    return before / max(before.sum(), 1.0), recent.counts / max(recent.rows, 1)


def _moved(found: Found, recent: _Recent) -> str:
    """The cells whose shares changed most, in words."""
    before, now = _shares(found, recent)
    places = np.argsort(-np.abs(now - before), kind="stable")[:MOVED]
    told = [f"{found.cut.names[place]} {now[place]:.1%} (was {before[place]:.1%})" for place in places.tolist()]
    return f"what moved most: {'; '.join(told)}"


def _title(found: Found, recent: _Recent, state: Tally) -> str:
    """What happened, in a few words with numbers."""
    name = found.along.name
    if name.startswith(CELL):
        cell = int(name.removeprefix(CELL))
        before, now = _shares(found, recent)
        return f"{found.cut.names[cell]} {now[cell]:.1%}, was {before[cell]:.1%}"
    seen = _quantiles(state)
    if not seen or not found.cut.quantiles:
        return direction_said(found.cut, name, found.side)
    told, was = direction_said(found.cut, name, found.side), found.cut.quantiles
    if name == RANK:
        median, usual = apart([seen[1], was[1]])
        return f"{told}, median {median}, was {usual}"
    low, high, below, above = apart([seen[0], seen[2], was[0], was[2]])
    return f"{told}, the middle 80 % from {low} to {high}, was {below} to {above}"


def _quantiles(state: Tally) -> tuple[float, ...]:
    cells, counts = state.marginal()
    known = cells != MISSING
    return quantiles(cells[known], counts[known], state.level)


def _effect(found: Found, recent: _Recent, subject: str, usual: float) -> Effect:
    """How far the direction moved: a share in percent, otherwise in standard deviations of the reference."""
    values, rows = found.along.values, max(recent.rows, 1)
    mean = float(recent.counts @ values) / rows
    radius = confidence.multiplier(rows, telling.DISPLAY_ALPHA) * sqrt(
        recent.design * _variance(recent.counts, values) / rows
    )
    if found.along.name.startswith(CELL):
        name = f"share of {found.cut.names[int(found.along.name.removeprefix(CELL))]} in {subject}"
        low, value, high = (100 * min(max(bound, 0.0), 1.0) for bound in (mean - radius, mean, mean + radius))
        return Effect(name, value, low, high, 1 - telling.DISPLAY_ALPHA, "percent")
    one = sqrt(max(_variance(np.array(found.after.before, float), values), 1e-12))
    low, value, high = ((bound - usual) / one for bound in (mean - radius, mean, mean + radius))
    what = "shift" if found.along.name == RANK else "change of spread"
    unit = "standard deviations of the rank" if found.along.name == RANK else "standard deviations"
    return Effect(f"{what} of {subject}", value, low, high, 1 - telling.DISPLAY_ALPHA, unit)


def _rows(found: Found, state: Tally, recent: _Recent) -> tuple[RowRef, ...]:
    """Rows of the window from the cell that gained most."""
    before, now = _shares(found, recent)
    return state.refs(*found.cut.span(int(np.argmax(now - before))))


def _details(found: Found, recent: _Recent, mean: float, index: Interval, state: Tally) -> Mapping[str, Json]:
    """The numbers behind the words; `cut` lets a proof of a fix count the same cells again."""
    before, now = _shares(found, recent)
    told: dict[str, Json] = {
        "direction": found.along.name,
        "side": found.side,
        "mode": found.normal.mode,
        "normal": round(found.normal.mean, 6),
        "limit": float(found.limits[-1]),
        "mean": mean,
        "psi": round(index.value, 6),
        "psi_low": round(index.low, 6),
        "psi_high": round(index.high, 6),
        "design_effect": round(recent.design, 3),
        "shares": {
            name: [round(float(a), 6), round(float(b), 6)]
            for name, a, b in zip(found.cut.names, before, now, strict=True)
        },
        "cut": found.cut.told(),
    }
    seen = _quantiles(state)
    if seen and found.cut.quantiles:
        told["quantiles"] = {"was": _json(found.cut.quantiles), "now": _json(seen)}
    return told


def _json(numbers: Sequence[float]) -> list[Json]:
    """The numbers as JSON has them: it knows no infinity."""
    return [one if isfinite(one) else str(one) for one in numbers]
