"""The sequence state of contrast detectors: one change-time process per statement, with the recent past of every series.

A *series* is what counts are kept of (a group, or everything); a *statement* is what is tested ("a > b"). Both are named by text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from tocsin.detect.streams.contrast import Floats, Rates
from tocsin.detect.streams.profile import Profile
from tocsin.detect.streams.reference import Reference
from tocsin.detect.streams.wrappers import ANY_TIME, Guarantee, Spending, log_mean, log_statistic, start, step
from tocsin.model.errors import BadInput, Place

VERSION = 1
QUIET_WINDOWS = 24
LATE_SHARE = 0.1
"""Share of the budget kept for statements that become possible after the first window, when they are not all named at the start."""
HISTORY = 128
"""Windows kept for dating a change; one that began earlier is dated "at least that long ago"."""


class Past(msgspec.Struct, frozen=True, array_like=True):
    """One window of the past: its number, start in microseconds, design effect, and (place of the series, rows, outcomes)."""

    index: int
    start: int
    design: float
    counts: tuple[tuple[int, int, int | float], ...]


class Process(msgspec.Struct, frozen=True, array_like=True):
    """One statement's process: log A per bet, windows since it began, the share of alpha that is its own, and alarms so far."""

    log_a: tuple[float, ...]
    windows: int
    share: float
    alarms: int = 0

    def after(self, log_e: Floats, guarantee: Guarantee, spending: Spending = ANY_TIME) -> Process:
        """The process after one more window."""
        log_a = step(_array(self.log_a), log_e, self.windows + 1, guarantee, spending)
        return Process(tuple(float(a) for a in log_a), self.windows + 1, self.share, self.alarms)

    def spread(self, bets: int) -> Process:
        """The process with its worth spread evenly over so many bets: changing what is bet on neither makes nor loses evidence."""
        if len(self.log_a) == bets:
            return self
        return Process((log_mean(_array(self.log_a)),) * bets, self.windows, self.share, self.alarms)

    def log_e_value(self, guarantee: Guarantee, spending: Spending = ANY_TIME) -> float:
        """The logarithm of the present statistic; `spending` is that of its steps."""
        return log_statistic(_array(self.log_a), self.windows, guarantee, spending) if self.windows else 0.0

    def alarming(self, log_e: float, log_threshold: float) -> bool:
        """Whether to alarm: at the threshold, and after an alarm only when the evidence since has doubled on the log scale.

        So a fault that goes on is told again ever more rarely, and never with a weaker guarantee than the first time.
        """
        return bool(log_e >= self.bar(log_threshold))

    def bar(self, log_threshold: float) -> float:
        """What the evidence must reach for the next alarm."""
        return log_threshold * 2.0**self.alarms

    def settled(self, log_e: float, log_threshold: float) -> Process:
        """The process without its memory of alarms once it was quiet for long: a fault that returns is told at once."""
        quiet = self.alarms and self.windows >= QUIET_WINDOWS and log_e < log_threshold
        return Process(self.log_a, self.windows, self.share) if quiet else self

    def restarted(self) -> Process:
        """The process after an alarm: it begins anew."""
        return Process(_silent(len(self.log_a)), 0, self.share, self.alarms + 1)


class ContrastSequence(msgspec.Struct, frozen=True, array_like=True):
    """Everything that is known before the next window."""

    processes: dict[str, Process] = {}
    rates: dict[str, tuple[float, float]] = {}
    totals: dict[str, tuple[int, int | float]] = {}
    history: tuple[Past, ...] = ()
    largest: int = 0
    """The largest bucket of past windows, in rows."""
    series: tuple[str, ...] = ()
    """The names of the series, in the order in which they appeared: history names them by their place."""
    references: dict[str, Reference] = {}
    """What each series looked like in its first windows."""
    profiles: dict[str, Profile] = {}
    """The same at every hour, where a season is said."""

    def with_processes(self, processes: dict[str, Process]) -> ContrastSequence:
        """The same past with other processes."""
        return msgspec.structs.replace(self, processes=processes)

    def rate(self, series: str) -> Rates:
        """The faded past of a series."""
        return Rates(*self.rates.get(series, (0.0, 0.0)))

    def recent(self, series: str) -> Floats:
        """float[T, 2]: rows and outcomes of the series in the windows of the history."""
        place = self.series.index(series) if series in self.series else -1
        found = ({p: (rows, outcomes) for p, rows, outcomes in past.counts} for past in self.history)
        return np.array([counts.get(place, (0, 0)) for counts in found], float)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a closed window adds to the past."""

    index: int
    start: int
    design: float
    counts: Mapping[str, tuple[int, float]]
    largest: int = 0
    processes: Mapping[str, Process] = field(default_factory=dict)


def begun(bets: int, share: float) -> Process:
    """A process before its first window."""
    return Process(_silent(bets), 0, share)


def joined(known: dict[str, Process], new: Sequence[str], bets: int, *, closed: bool) -> dict[str, Process]:
    """The processes with new ones: the first share the budget, those that come later share what was kept back for them.

    `closed`: none will come later.
    """
    late = LATE_SHARE / (len(known) + 1) / (len(known) + 2)
    share = late if known else 1.0 if closed else 1 - LATE_SHARE
    return known | {name: begun(bets, share / len(new)) for name in new}


def advanced(sequence: ContrastSequence, seen: Seen) -> ContrastSequence:
    """The sequence after a window."""
    rates, totals = dict(sequence.rates), dict(sequence.totals)
    for series, (rows, outcomes) in seen.counts.items():
        faded = sequence.rate(series).after(rows, outcomes)
        rates[series] = (faded.rows, faded.outcomes)
        before = totals.get(series, (0, 0))
        totals[series] = (before[0] + rows, before[1] + outcomes)
    names = (*sequence.series, *sorted(name for name in seen.counts if name not in sequence.series))
    past = Past(
        seen.index, seen.start, seen.design, tuple(sorted((names.index(n), *pair) for n, pair in seen.counts.items()))
    )
    history = (*sequence.history, past)[-HISTORY:]
    largest = max(sequence.largest, seen.largest)
    return ContrastSequence(
        dict(seen.processes), rates, totals, history, largest, names, sequence.references, sequence.profiles
    )


def to_bytes(sequence: ContrastSequence) -> bytes:
    """Versioned bytes; -infinity, which no JSON holds, is fine in msgpack."""
    return msgspec.msgpack.encode((VERSION, sequence), order="deterministic")


def from_bytes(data: bytes) -> ContrastSequence:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    try:
        version, sequence = msgspec.msgpack.decode(data, type=tuple[int, ContrastSequence])
    except msgspec.DecodeError as error:
        raise BadInput.at(
            Place("sequence state"), f"these bytes are no sequence: {error}", "evaluate the windows again"
        ) from None
    if version != VERSION:
        raise BadInput.at(Place("sequence state"), f"version {version} is not known", "upgrade Tocsin")
    return sequence


def _array(values: tuple[float, ...]) -> Floats:
    return np.array(values)


def _silent(bets: int) -> tuple[float, ...]:
    return tuple(float(a) for a in start(bets))
