"""From the numbers of an alarm to a finding that explains itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import exp
from typing import NamedTuple, Protocol

import numpy as np

from tocsin.detect.streams import confidence
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams.contrast import Floats
from tocsin.detect.streams.since import Dated
from tocsin.model.event import Json
from tocsin.model.finding import Effect, Since, Strength
from tocsin.model.telemetry import Window

DISPLAY_ALPHA = 0.05
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SEPARATOR = ">"
"""Between the two groups of a statement; a group with it in its name would be ambiguous and is not compared."""
Pair = tuple[tuple[int, int], tuple[int, int]]
"""(rows, outcomes) of the higher and of the lower group."""
LOG_MAX = 700.0
"""Above this an exponential overflows; an e-value is shown as at most e^700."""


class Part(NamedTuple):
    """A rate that is compared between groups."""

    label: bool | None
    """Rows with this label only; None: all rows."""
    rate: str
    """The rate in words, e.g. `false positive rate`."""
    noun: str
    harm: str
    mark: str = ""
    """What its series carry before the group's name, where a detector compares several rates."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What sets one detector of rates apart from another: which rates it compares, how, and its words."""

    name: str
    parts: tuple[Part, ...]
    blind_spots: tuple[str, ...]
    next_steps: tuple[str, ...]
    tags: tuple[str, ...]
    relative: bool = False
    """Whether the lower rate is held against a share of the higher one, not against the higher one less a tolerance."""


class Statement(NamedTuple):
    """`high` has a higher rate than `low` by more than the tolerance: the alternative of one test."""

    high: str
    low: str

    def __str__(self) -> str:
        return f"{self.high}{SEPARATOR}{self.low}"


def statement(name: str) -> Statement:
    """The statement of that name."""
    high, low = name.split(SEPARATOR, 1)
    return Statement(high, low)


def finding_id(system: str, detector: str, key: str, window: int) -> str:
    """The stable id of a finding."""
    return sha256("\x1f".join((system, detector, key, str(window))).encode()).hexdigest()[:16]


def strength(log_e: float, log_threshold: float, guarantee: str) -> Strength:
    """An e-value and its threshold."""
    return Strength("e_value", exp(min(log_e, LOG_MAX)), exp(min(log_threshold, LOG_MAX)), guarantee)


class Moment(Protocol):
    """A window of the past."""

    @property
    def index(self) -> int:
        """Its number in the stream."""
        ...

    @property
    def start(self) -> int:
        """Its beginning in microseconds."""
        ...


class Remembering(Protocol):
    """A sequence that remembers its last windows."""

    @property
    def history(self) -> Sequence[Moment]:
        """The oldest first, at most `sequences.HISTORY`."""
        ...


def since(sequence: Remembering, found: Dated, window: Window) -> Since:
    """The dating of a change in the words of windows."""
    best, earliest, latest = (sequence.history[place] for place in found)
    note = "small changes are dated poorly"
    if found.earliest == 0 and len(sequence.history) == sequences.HISTORY:
        note = f"at least {sequences.HISTORY} windows ago; {note}"
    return Since(best.index, instant(best.start), instant(earliest.start), min(instant(latest.start), window.end), note)


def gap_title(part: Part, by: str, pair: Statement, counts: Pair) -> str:
    """The alarm in a line."""
    high, low = (k / max(n, 1) for n, k in counts)
    return f"{part.noun} differs by {by}: {pair.low} {low:.1%}, {pair.high} {high:.1%}"


def ratio_effect(rate: str, ratio: confidence.Interval) -> Effect:
    """A ratio of rates in percent."""
    low, value, high = (bound * 100 for bound in (ratio.low, ratio.value, ratio.high))
    return Effect(f"{rate} as a share of the other's", value, low, high, 1 - DISPLAY_ALPHA, "percent")


def ratio_explanation(part: Part, pair: Statement, counts: Pair, asked: float, begin: datetime) -> str:
    """The alarm of a ratio in two sentences."""
    (n_high, k_high), (n_low, k_low) = counts
    share = (k_low / max(n_low, 1)) / max(k_high / max(n_high, 1), 1e-9)
    return (
        f"The {part.rate} of {pair.low} is {share:.1%} of that of {pair.high}, where at least {asked:.0%} is asked "
        f"({k_low:,} of {n_low:,} against {k_high:,} of {n_high:,}) since about {begin:%Y-%m-%d %H:%M} UTC. {part.harm}"
    )


def gap_effect(rate: str, gap: confidence.Interval) -> Effect:
    """A difference of rates in percentage points."""
    low, value, high = (bound * 100 for bound in (gap.low, gap.value, gap.high))
    return Effect(f"gap in {rate}", value, low, high, 1 - DISPLAY_ALPHA, "percentage points")


def gap_explanation(words: Part, pair: Statement, counts: Pair, begin: datetime) -> str:
    """The alarm in two sentences."""
    (n_high, k_high), (n_low, k_low) = counts
    points = (k_high / max(n_high, 1) - k_low / max(n_low, 1)) * 100
    return (
        f"The {words.rate} of {pair.high} is {points:.1f} percentage points above that of {pair.low} "
        f"({k_high:,} of {n_high:,} against {k_low:,} of {n_low:,}) since about {begin:%Y-%m-%d %H:%M} UTC. {words.harm}"
    )


def gap_details(pair: Statement, counts: Pair) -> Mapping[str, Json]:
    """The numbers behind the words."""
    (n_high, k_high), (n_low, k_low) = counts
    return {"high": pair.high, "low": pair.low} | {
        "rows_high": n_high,
        "outcomes_high": k_high,
        "rows_low": n_low,
        "outcomes_low": k_low,
    }


def summed(table: Floats) -> tuple[int, int]:
    """(rows, outcomes) over the windows of a history."""
    rows, outcomes = np.asarray(table).sum(axis=0)
    return int(rows), int(outcomes)


def micros(at: datetime) -> int:
    """Microseconds since the epoch."""
    return (at - EPOCH) // timedelta(microseconds=1)


def instant(since_epoch: int) -> datetime:
    """The instant that many microseconds after the epoch."""
    return EPOCH + timedelta(microseconds=since_epoch)
