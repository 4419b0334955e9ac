"""What to simulate for which detector: its own code on a single statement, with the share of the budget that the statement has.

A new class of detectors is planned for by registering its scenario; kinds of a known class need nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from math import log
from typing import Any, NamedTuple

import numpy as np

from tocsin.detect.planning.traffic import Stream, Traffic, observed
from tocsin.detect.streams.bound import Counting
from tocsin.detect.streams.converted import Converted
from tocsin.detect.streams.counts import ALL, Group, GroupCounts
from tocsin.detect.streams.groups import PAIRS_OF_ALL_MAX, GroupContrast
from tocsin.detect.streams.sequence import LATE_SHARE
from tocsin.detect.streams.watch import SEGMENT_MARK, Watch

START = 6.0
"""What `pfa` spends on not knowing when the change began, on the scale of log e-values; for judging sizes only."""
HIGH, LOW = "high", "low"
RATE_MIN = 0.001
DIGITS = 9
BUCKETS_MIN, GROUP_ROWS_MIN = 30, 5
"""What a window should hold: buckets that are not empty, and rows of the smallest group."""

Windows = Callable[[np.random.Generator, float | None], GroupCounts]
"""One more window of a stream: as before the change (None), or with the change at this level."""
Series = Mapping[str, Traffic]


class Change(NamedTuple):
    """A level after the change, in users' units, and how far beyond what is accepted it lies."""

    level: float
    beyond: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """One statement of a detector to simulate."""

    detector: Any
    """The detector, told to test this statement alone."""
    about: str
    unit: str
    """`share`, or the unit in which levels are counted."""
    normal: float
    """The level before the change."""
    accepted: float
    """The level from which on a change counts: normal or the limit, and the tolerance."""
    sign: int
    """Which way is bad: 1 up, -1 down."""
    scale: float
    """Users' units for the whole of the scale from 0 to 1."""
    room: float
    """How far beyond what is accepted a level can lie, in users' units."""
    rows: float
    """Rows of a window that count."""
    lead: int
    """Windows of reference before anything is judged."""
    begin: Callable[[np.random.Generator], Windows]
    cost: Callable[[float], float]
    """Rows that a change so far beyond costs before it is found, roughly: deff ln(A) / KL, doubled for two groups."""
    target: float
    """The distance beyond what is accepted that windows are sized for, unless somebody says which matters."""
    rows_min: float
    """Rows that a window should have at least."""
    claim: str
    """The guarantee of the whole detector, in words."""
    notes: tuple[str, ...] = ()

    def change(self, beyond: float) -> Change:
        """The change that lies so far beyond what is accepted."""
        return Change(round(self.accepted + self.sign * beyond, DIGITS), round(beyond, DIGITS))


@singledispatch
def scenario(_: object, __: Series) -> Scenario | str:
    """What to simulate for the detector on this traffic, or the reason why nothing is."""
    return "it tells what it sees when it sees it, or its delay cannot be simulated from counts"


@scenario.register
def _(detector: Watch, series: Series) -> Scenario | str:
    if not series:
        return "no rows of it were seen; say how many and at which rate"
    name = sorted(series, key=lambda one: (series[one].rows, one))[len(series) // 2]
    traffic, limit = series[name], detector.get("limit")
    low, high = detector.measure.span(detector.setting.parameters)
    scale, tolerance = high - low, float(detector.get("tolerance"))
    wanted = detector.setting.parameters.get("direction") or detector.measure.direction
    sign = -1 if wanted == "down" else 1
    normal = low + scale * traffic.rate
    accepted = (normal if limit is None else float(limit)) + sign * tolerance
    share = 1.0 if len(series) == 1 else (1 - LATE_SHARE) / len(series)
    alone = _alone(detector, share, by=None, segments=[], season="none")
    room = high - accepted if sign > 0 else accepted - low
    if room <= 0:
        return "what is accepted leaves no room for a change"

    def begin(people: np.random.Generator) -> Windows:
        stream = Stream(people, traffic, detector.buckets)

        def window(rng: np.random.Generator, level: float | None) -> GroupCounts:
            rate = traffic.rate if level is None else (level - low) / scale
            return _state({ALL: stream.window(rng, rate)}, detector.measure.full)

        return window

    def cost(beyond: float) -> float:
        bound = (accepted - low) / scale
        return traffic.design() * traffic.spread * _evidence(alone) / _divergence(bound + sign * beyond / scale, bound)

    lead = 0 if limit is not None else int(detector.get("windows_of_reference"))
    return Scenario(
        detector=alone,
        about=detector.measure.noun if name == ALL else f"{detector.measure.noun} of {name}",
        unit=detector.measure.unit(detector.setting.parameters),
        normal=normal,
        accepted=accepted,
        sign=sign,
        scale=scale,
        room=room,
        rows=traffic.rows,
        lead=lead,
        begin=begin,
        cost=cost,
        target=min(abs(accepted - low) / 2 or room / 10, room / 2),
        rows_min=0.0 if detector.buckets == 1 else traffic.rows_for(BUCKETS_MIN),
        claim=detector.claim(),
        notes=_of_watch(detector, traffic, len(series)),
    )


@scenario.register
def _(detector: Converted, series: Series) -> Scenario | str:
    return scenario(detector.watch, series)


def _of_watch(detector: Watch, traffic: Traffic, count: int) -> tuple[str, ...]:
    notes = []
    if detector.get("limit") is None:
        notes.append(f"the first {detector.needed} windows say what is normal, and nothing is judged in them")
    if count > 1:
        notes.append(f"one of {count} series that share the budget, of median size")
    if detector.measure.fraction and traffic.spread == 1:
        notes.append("amounts are taken to be all or nothing, which is the slowest case")
    return tuple(notes)


@scenario.register
def _(detector: GroupContrast, series: Series) -> Scenario | str:
    part = detector.comparison.parts[0]
    groups = sorted(name.removeprefix(part.mark) for name in series if name.startswith(part.mark))
    wanted = detector.get("groups") or groups
    sizes = {name: series[part.mark + name].rows for name in groups if name in wanted}
    if len(sizes) < 2:
        return "rows of two groups at least are needed; say which share each has"
    high = max(sizes, key=lambda name: (sizes[name], name))
    low = min(sizes, key=lambda name: (sizes[name], name))
    pairs = len(sizes) * (len(sizes) - 1) if len(sizes) <= PAIRS_OF_ALL_MAX else 2 * (len(sizes) - 1)
    closed = bool(detector.get("groups")) and len(sizes) <= PAIRS_OF_ALL_MAX
    share = 2 / pairs * (1.0 if closed else 1 - LATE_SHARE)
    by_rows = detector.get("unit") == "rows" or (
        detector.get("unit") == "auto" and not any(_united(t) for t in series.values())
    )
    chosen = {
        mark.mark + side: series[mark.mark + name]
        for mark in detector.comparison.parts
        for side, name in ((HIGH, high), (LOW, low))
    }
    chosen = {
        name: replace(t, correlation=0.0, units=0, shares=(), spread=1.0) if by_rows else t
        for name, t in chosen.items()
    }
    return _of_pair(detector, share, chosen, (high, low), by_rows=by_rows)


def _united(traffic: Traffic) -> bool:
    return bool(traffic.units or any(share not in (0.0, 1.0) for share in traffic.shares))


def _of_pair(
    detector: GroupContrast, share: float, series: Series, names: tuple[str, str], *, by_rows: bool
) -> Scenario | str:
    """The scenario in which the rate of the first part of the smaller group falls, or, where it cannot fall so far, the other's rises."""
    part = detector.comparison.parts[0]
    relative = detector.comparison.relative
    accepted = float(detector.get("ratio")) if relative else float(detector.get("tolerance"))
    alone = _alone(detector, share, groups=[HIGH, LOW])
    first, second = series[part.mark + HIGH], series[part.mark + LOW]
    rate = _common(series, part.mark + HIGH)
    total, least = sum(t.rows for t in series.values()), min(t.rows for t in series.values())
    united = 0 if by_rows else 1

    def begin(people: np.random.Generator) -> Windows:
        streams = {
            name: Stream(people, replace(t, rate=_common(series, name)), 1 if by_rows else detector.buckets)
            for name, t in series.items()
        }

        def window(rng: np.random.Generator, level: float | None) -> GroupCounts:
            rates = {name: stream.traffic.rate for name, stream in streams.items()}
            if level is not None:
                rates |= dict(
                    zip((part.mark + HIGH, part.mark + LOW), apart(rate, level, relative=relative), strict=True)
                )
            return _state({name: stream.window(rng, rates[name]) for name, stream in streams.items()}, 1, united=united)

        return window

    def cost(beyond: float) -> float:
        top, bottom = apart(rate, accepted + (-beyond if relative else beyond), relative=relative)
        distance = max(top * (accepted if relative else 1.0) - bottom - (0.0 if relative else accepted), 1e-6)
        rows = first.rows + second.rows
        spread = (top * (1 - top) * rows / first.rows + bottom * (1 - bottom) * rows / second.rows) / distance**2
        return 2 * max(first.design(), second.design()) * _evidence(alone) * spread * (1 if by_rows else 2)

    noun = (
        f"{part.rate} of {names[1]} as a share of that of {names[0]}"
        if relative
        else f"gap in {part.rate} between {names[0]} and {names[1]}"
    )
    return Scenario(
        detector=alone,
        about=noun,
        unit="share",
        normal=1.0 if relative else 0.0,
        accepted=accepted,
        sign=-1 if relative else 1,
        scale=1.0,
        room=accepted if relative else max(rate, 1 - rate) - accepted,
        rows=total,
        lead=0,
        begin=begin,
        cost=cost,
        target=0.1 if relative else 0.05,
        rows_min=max(_rows_min(series, by_rows=by_rows), total * GROUP_ROWS_MIN / least),
        claim=detector.claim(),
        notes=("no unit is known: rows count as independent",) if by_rows else (),
    )


def apart(rate: float, level: float, *, relative: bool) -> tuple[float, float]:
    """Two rates with this gap, or ratio: the lower one falls from the common rate, or where it cannot, the higher one rises."""
    if relative:
        return rate, max(rate * level, RATE_MIN)
    return (rate, rate - level) if rate - level >= RATE_MIN else (min(rate + level, 1.0), rate)


def _common(series: Series, name: str) -> float:
    """The rate of both groups together, of the same part."""
    mark = name.removesuffix(HIGH).removesuffix(LOW)
    pair = [series[mark + HIGH], series[mark + LOW]]
    return sum(t.rows * t.rate for t in pair) / sum(t.rows for t in pair)


def _rows_min(series: Series, *, by_rows: bool) -> float:
    """Rows of a window in which every series fills enough buckets."""
    total = sum(t.rows for t in series.values())
    return 0.0 if by_rows else max(t.rows_for(BUCKETS_MIN) * total / t.rows for t in series.values())


def _alone(detector: Counting, share: float, **changes: Any) -> Any:
    """The detector with other parameters, and with a threshold as if its first statement had this share of the budget."""
    budget = {
        "alpha": float(detector.get("alpha")) * share,
        "windows_per_false_alarm": float(detector.get("windows_per_false_alarm")) / share,
    }
    parameters = {**detector.setting.parameters, **budget, **changes}
    return replace(detector, setting=replace(detector.setting, parameters=parameters))


def _evidence(detector: Counting) -> float:
    """What must be gathered, on the natural scale."""
    return log(detector.threshold()) + (0.0 if detector.guarantee == "sr" else START)


def _divergence(rate: float, bound: float) -> float:
    """The Kullback-Leibler divergence of flags, per row."""
    p, q = (min(max(x, 1e-9), 1 - 1e-9) for x in (rate, bound))
    return max(p * log(p / q) + (1 - p) * log((1 - p) / (1 - q)), 1e-12)


def _state(tables: Mapping[str, Any], full: int, *, united: int = 1) -> GroupCounts:
    groups = {name: Group(_whole(table, full), (), ()) for name, table in tables.items()}
    return GroupCounts(next(iter(tables.values())).shape[1], groups, 0, united)


def _whole(table: Any, full: int) -> Any:
    return np.stack([table[0], np.rint(table[1] * full)]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is assumed of the traffic, in place of what was seen or beyond it; None: nothing."""

    rows: float | None = None
    """In a window, of all groups together."""
    rate: float | None = None
    units: int | None = None
    correlation: float | None = None
    """Between the rows of a unit."""
    shares: tuple[float, ...] = ()
    """Of the groups that are compared."""
    shock: float | None = None


UNITS_PER_ROW, CORRELATION = 0.5, 0.1
"""What is assumed of units where only one of the two is said."""


def seen(detector: Any, states: Sequence[Any]) -> Series:
    """The traffic that these windows of the detector show; empty for detectors that keep other states than counts."""
    if isinstance(detector, Converted):
        return seen(detector.watch, [detector.form.counts(state, detector.watch) for state in states])
    counted = [state for state in states if isinstance(state, GroupCounts)]
    return observed(counted, detector.measure.full if isinstance(detector, Watch) else 1)


def supposed(detector: Any, series: Series, assumed: Assumed) -> Series:
    """The traffic with what is assumed of it."""
    detector = detector.watch if isinstance(detector, Converted) else detector
    if isinstance(detector, GroupContrast) and (assumed.shares or not series):
        series = _groups(detector, series, assumed)
    if isinstance(detector, Watch) and not series and assumed.rows and assumed.rate is not None:
        series = {ALL: Traffic(assumed.rows, assumed.rate)}
    series = {name: traffic for name, traffic in series.items() if not name.startswith(SEGMENT_MARK)}
    total = sum(traffic.rows for traffic in series.values())
    return {name: _supposed(traffic, total, assumed) for name, traffic in series.items()}


def _groups(detector: GroupContrast, series: Series, assumed: Assumed) -> Series:
    """Groups of the sizes assumed."""
    rows = assumed.rows or sum(traffic.rows for traffic in series.values())
    known = list(series.values())
    rate = assumed.rate if assumed.rate is not None else known[0].rate if known else None
    if not rows or rate is None or not assumed.shares:
        return series
    names = detector.get("groups") or [f"group {place}" for place in range(1, len(assumed.shares) + 1)]
    parts = detector.comparison.parts
    made = {
        (part.mark, name): rows * share / len(parts)
        for part in parts
        for name, share in zip(names, assumed.shares, strict=False)
    }
    return {mark + name: Traffic(count, rate) for (mark, name), count in made.items()}


def _supposed(traffic: Traffic, total: float, assumed: Assumed) -> Traffic:
    share = traffic.rows / total
    rows = assumed.rows * share if assumed.rows else traffic.rows
    changed = replace(traffic, rows=rows)
    if assumed.rate is not None:
        changed = replace(changed, rate=assumed.rate)
    if assumed.shock is not None:
        changed = replace(changed, shock=assumed.shock)
    if assumed.units is None and assumed.correlation is None:
        return changed
    units = assumed.units * share if assumed.units else rows * UNITS_PER_ROW
    correlation = CORRELATION if assumed.correlation is None else assumed.correlation
    return replace(changed, units=max(round(units), 1), correlation=correlation, shares=())
