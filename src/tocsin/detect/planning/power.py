"""How soon a change would be found, and how small one can be: the detector's own sequence on simulated windows.

Source of the numbers is simulation with a fixed seed: the closed form D = deff ln(A) / KL was 20 % off at 500 rows a window (1,990 rows
where 2,497 are measured), because bets are fixed and windows whole. It only chooses which sizes are worth simulating, and the windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, inf, isfinite, log10, sqrt
from typing import Any, NamedTuple

import numpy as np

from tocsin.detect.planning.scenarios import Scenario, Windows
from tocsin.model.telemetry import Window

STREAMS, STREAMS_FEW = 180, 90
BEFORE = 20
"""Windows judged before the change begins."""
WITHIN = 30
"""Windows within which a change is to be found, unless said otherwise."""
LEVELS_MAX = 6
FOUND = 0.9
"""A size can be found when so many of the changes of that size are, within the horizon."""
HALVINGS = 3
SEED = 20260101
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_STEPS = tuple(m * 10.0**e for e in range(-5, 6) for m in (1, 2, 5))


@dataclass(frozen=True, slots=True)
class Delay:
    """How soon changes of one size are found, in windows from the one in which the change begins; that one is number 1."""

    level: float
    beyond: float
    found: float
    """Share of the streams in which it is found within the horizon."""
    median: int | None
    """None: more than the horizon."""
    slow: int | None
    """The 90th percentile."""
    typical: float | None
    """The median between whole windows, as of grouped data."""
    typical_low: float | None
    typical_high: float | None
    """95 % interval of `typical`, for the error of the simulation."""


@dataclass(frozen=True, slots=True)
class Power:
    """What can be expected of one statement of a detector."""

    about: str
    unit: str
    normal: float
    accepted: float
    sign: int
    """1: more is worse; -1: less is."""
    rows: float
    """Rows of a window that count."""
    lead: int
    within: int
    streams: int
    delays: tuple[Delay, ...]
    smallest: float | None
    """The smallest change, as the level after it, of which nine in ten are found within the horizon; None: there is none."""
    error: float
    """The largest relative half-width of the intervals of `typical`: what the simulation leaves open."""
    notes: tuple[str, ...]


def power(scenario: Scenario, within: int = WITHIN, sizes: Sequence[float] = ()) -> Power:
    """Simulate changes of these sizes beyond what is accepted, or of sizes that suit the traffic; `within` is in windows."""
    chosen = sorted(sizes) if sizes else _sizes(scenario, within)
    trials = Trials(scenario, STREAMS)
    delays = [trials.delay(beyond, within) for beyond in chosen]
    beyond = _smallest(Trials(scenario, STREAMS_FEW), delays, within)
    halves = [
        (d.typical_high - d.typical_low) / 2 / d.typical
        for d in delays
        if d.typical and d.typical_high and d.typical_low
    ]
    return Power(
        scenario.about,
        scenario.unit,
        scenario.normal,
        scenario.accepted,
        scenario.sign,
        scenario.rows,
        scenario.lead,
        within,
        STREAMS,
        tuple(delays),
        None if beyond is None else scenario.change(beyond).level,
        max(halves, default=0.0),
        scenario.notes,
    )


class _Ready(NamedTuple):
    """A stream at the moment at which the change begins."""

    seed: int
    windows: Windows
    sequence: Any


class Trials:
    """Streams without change up to the moment at which it begins: each size of change goes on from there."""

    def __init__(self, scenario: Scenario, streams: int) -> None:
        self.scenario = scenario
        self.streams = streams
        self._ready = [ready for seed in range(streams) if (ready := self._before(seed)) is not None]

    def delay(self, beyond: float, within: int) -> Delay:
        """How soon a change so far beyond what is accepted is found."""
        change = self.scenario.change(beyond)
        found = np.array([self._found(ready, change.level, within) for ready in self._ready])
        wide = 0.98 / sqrt(max(len(found), 1))
        return Delay(
            *change,
            found=round(float((found <= within).sum()) / max(len(found), 1), 4),
            median=_whole(found, 0.5),
            slow=_whole(found, FOUND),
            typical=_between(found, 0.5),
            typical_low=_between(found, 0.5 - wide),
            typical_high=_between(found, 0.5 + wide),
        )

    def _before(self, seed: int) -> _Ready | None:
        """The stream and the sequence after the windows without change; None when it alarmed falsely."""
        scenario, rng = self.scenario, np.random.default_rng((SEED, seed, 1))
        windows, sequence = scenario.begin(np.random.default_rng((SEED, seed))), scenario.detector.begin()
        for index in range(scenario.lead + BEFORE):
            evaluated = scenario.detector.evaluate(sequence, windows(rng, None), _window(index))
            if evaluated.findings:
                return None
            sequence = evaluated.sequence
        return _Ready(seed, windows, sequence)

    def _found(self, ready: _Ready, level: float, within: int) -> float:
        """Windows until the change is found, with the same luck for every size of change."""
        rng, sequence = np.random.default_rng((SEED, ready.seed, 2)), ready.sequence
        first = self.scenario.lead + BEFORE
        for index in range(within):
            evaluated = self.scenario.detector.evaluate(sequence, ready.windows(rng, level), _window(first + index))
            if evaluated.findings:
                return index + 1
            sequence = evaluated.sequence
        return inf


@dataclass(frozen=True, slots=True)
class Advice:
    """How the stream would best be cut."""

    target: float
    """The level after the change that it is meant for."""
    cost_rows: int
    """Rows that such a change costs before it is found, roughly."""
    rows: int
    every_hours: int | None
    """The natural period with so many rows; None where it is not known how many rows a day has."""


def advice(scenario: Scenario, rows_a_day: float | None, beyond: float | None = None) -> Advice:
    """A fifth of the rows that the change costs, which delays it by at most a quarter; rounded down to an hour or day, or 1, 2, 5.

    `beyond` is the size of the change that matters. Windows that small need enough rows still: see `Scenario.rows_min`.
    """
    cost = scenario.cost(beyond or scenario.target)
    least = scenario.rows_min if isfinite(scenario.rows_min) else 0.0
    level = scenario.change(beyond or scenario.target).level
    if rows_a_day is None:
        steps = [int(step) for step in _STEPS if step >= 1]
        return Advice(level, ceil(cost), _fitting(steps, cost / 5, least), None)
    hours = _fitting(HOURS, cost / 5 / rows_a_day * 24, least / rows_a_day * 24)
    return Advice(level, ceil(cost), round(hours * rows_a_day / 24), hours)


@dataclass(frozen=True, slots=True)
class Planned:
    """What can be expected of one detector, or why nothing can be said."""

    detector: str
    kind: str
    window_hours: float | None
    """How long a window is; None: not known."""
    window_rows: int | None
    """Set where windows are cut by rows."""
    guarantee: str = ""
    power: Power | None = None
    advice: Advice | None = None
    windows_seen: int = 0
    """Windows of telemetry that the volumes come from."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The detectors of a system, or one that is planned before there is a system."""

    system: str
    within: int
    detectors: tuple[Planned, ...]


HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 168)
"""Natural periods."""


def _fitting(steps: Sequence[int], wanted: float, least: float) -> int:
    """The largest step up to what is wanted, or the smallest that is enough."""
    enough = [step for step in steps if step >= least] or [steps[-1]]
    return max([step for step in enough if step <= wanted], default=enough[0])


def quantile(found: Sequence[float], share: float) -> float:
    """The quantile of whole numbers taken as the middles of intervals, as of grouped data; infinite beyond what was found."""
    ordered = np.sort(np.asarray(found, float))
    if not len(ordered) or not isfinite(at := float(ordered[min(ceil(share * len(ordered)), len(ordered)) - 1])):
        return inf
    below, upto = float((ordered < at).mean()), float((ordered <= at).mean())
    return at - 0.5 + (share - below) / (upto - below)


def _whole(found: Any, share: float) -> int | None:
    value = quantile(found, share)
    return int(value + 0.5) if isfinite(value) else None


def _between(found: Any, share: float) -> float | None:
    value = quantile(found, share)
    return round(value, 3) if isfinite(value) else None


def _sizes(scenario: Scenario, within: int) -> list[float]:
    """Round sizes whose delay lies between one window and a little more than the horizon, as far as a formula tells."""
    possible = [step for step in (s * scenario.scale for s in _STEPS) if step <= 0.9 * scenario.room]
    windows = {step: scenario.cost(step) / max(scenario.rows, 1e-9) for step in possible}
    fitting = [step for step in possible if windows[step] <= SLOW * within]
    quick = [step for step in fitting if windows[step] <= QUICK]
    kept = [step for step in fitting if step not in quick[1:]]
    return _rounded((kept or possible[-1:] or [scenario.room / 2])[-LEVELS_MAX:])


SLOW = 1.5
"""The formula is rough: sizes that it puts a little beyond the horizon are simulated as well."""
QUICK = 0.2
"""Sizes found in so small a part of a window are found in the first one: one of them is shown."""


def _rounded(sizes: Sequence[float]) -> list[float]:
    return [round(size, 9) for size in sizes]


def _smallest(trials: Trials, delays: Sequence[Delay], within: int) -> float | None:
    """The smallest size found often enough, by halving on the logarithmic scale; rounded up to two digits."""
    enough = [delay.beyond for delay in delays if delay.found >= FOUND]
    if not enough:
        return None
    high = min(enough)
    low = max((delay.beyond for delay in delays if delay.beyond < high), default=high / 4)
    for _ in range(HALVINGS):
        middle = sqrt(low * high)
        if trials.delay(middle, within).found >= FOUND:
            high = middle
        else:
            low = middle
    return _up(high)


def _up(value: float) -> float:
    """The value with two digits, rounded up."""
    unit = 10.0 ** (int(np.floor(log10(value))) - 1)
    return round(ceil(value / unit - 1e-9) * unit, 12)


def _window(index: int) -> Window:
    at = _BEGIN + timedelta(hours=index)
    return Window(index, at, at + timedelta(hours=1))
