"""Detectors of drift: one class; a `Column` says what is looked at, and how it is told.

The first windows cut the values into cells, the next ones are the reference: of every direction the mean of each window, a window being
one observation. Each later window bets on every direction, up and down; the mean of all bets is one change-time process. A bucket
of units weighs at most as much as the mean bucket of the first windows, on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.comparing.intervals import design_effect
from tocsin.detect.streams import reference, telling
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams.bound import GUARANTEE, Bound
from tocsin.detect.streams.clearing import rate_cleared
from tocsin.detect.streams.contrast import Floats, Tallies
from tocsin.detect.streams.drifting import cutting, saying, tally
from tocsin.detect.streams.drifting import sequence as states
from tocsin.detect.streams.drifting.cutting import Cells, Cut
from tocsin.detect.streams.drifting.directions import Along, accepted, along
from tocsin.detect.streams.drifting.looking import Looked
from tocsin.detect.streams.drifting.sequence import DriftSequence, Moment
from tocsin.detect.streams.drifting.tally import Tally
from tocsin.detect.streams.profile import Season, features, windows_needed
from tocsin.detect.streams.reference import Direction, Normal
from tocsin.detect.streams.seasonal import SEASONS
from tocsin.detect.streams.sequence import Process
from tocsin.detect.streams.watch import REFERENCE
from tocsin.detect.streams.wrappers import LATER
from tocsin.model.detector import DetectorKind, Evaluated, Parameter, Setting
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Finding
from tocsin.model.telemetry import Table, Window

ROWS_MIN = 5
"""A window with fewer rows is passed over."""
ROWS_CUT = 500
"""Rows that the cells are cut on: the first windows with so many together."""
CELLS_MAX = {True: 512, False: 4096}
"""Fine cells of a window: of ordered values, and of texts."""
BETA = 0.05
"""The chance that the reference misleads in any direction, shared by all of them, up and down."""
DRIFT = "drift"
UP_DOWN: tuple[Direction, ...] = ("up", "down")

HOW: tuple[Parameter, ...] = (
    Parameter("tolerance", float, 0.0, "a move up to this is accepted, in the unit of `tolerance_in`", low=0),
    Parameter(
        "tolerance_in",
        str,
        "sd",
        "sd: standard deviations of the direction; psi: a population stability index, which an alarm then proves exceeded",
        ("sd", "psi"),
    ),
    *REFERENCE,
    Parameter(
        "unit", str, "auto", "auto: the unit column, and a row without one is a unit; or window", ("auto", "window")
    ),
    Parameter("buckets", int, 256, "buckets that units are hashed to", low=16, high=4096),
    *GUARANTEE,
)
"""The parameters of every drift detector, beside the columns that it looks at."""


class Bet(NamedTuple):
    """A direction, the side that is bet on, and what is normal there."""

    along: Along
    side: Direction
    normal: Normal
    tolerance: float

    @property
    def limit(self) -> float:
        """The mean beyond which the direction has moved."""
        return self.normal.limit(self.side, self.tolerance)


@dataclass(frozen=True, slots=True)
class Drift(Bound):
    """A `model.detector.Detector` over `Tally` and `DriftSequence`."""

    looked: Looked

    @property
    def category(self) -> Category:
        """Model failure."""
        return Category.MODEL_FAILURE

    @property
    def table(self) -> Table:
        """The table that it reads."""
        return self.setting.table or self.looked.table

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `observe` needs."""
        return tuple(dict.fromkeys((*self.looked.columns(self.setting.parameters), "unit")))

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result."""
        return {"kind": self.looked.name, "version": 1, **self.setting.parameters}

    @property
    def buckets(self) -> int:
        """Buckets that units fall into; one when the window is the unit."""
        return int(self.get("buckets")) if self.get("unit") == "auto" else 1

    @property
    def ordered(self) -> bool:
        """Whether the values have an order."""
        return self.looked.ordered(self.setting.parameters)

    def zero(self) -> Tally:
        """No rows."""
        return Tally()

    def observe(self, state: Tally, batch: pa.RecordBatch) -> Tally:
        """The state after these rows."""
        found = self.looked.values(batch, self.setting.parameters)
        if not len(found.keys):
            return state
        rows, most = batch.take(pa.array(found.rows)), CELLS_MAX[self.ordered]
        seen = tally.tallied(found.keys, rows, self.buckets, self.setting.salt, most, found.names)
        return tally.merged(state, seen, most)

    def merge(self, left: Tally, right: Tally) -> Tally:
        """The counts of both."""
        return tally.merged(left, right, CELLS_MAX[self.ordered])

    def to_bytes(self, state: Tally) -> bytes:
        """Versioned bytes."""
        return tally.to_bytes(state)

    def from_bytes(self, data: bytes) -> Tally:
        """The inverse of `to_bytes`."""
        return tally.from_bytes(data)

    def begin(self) -> DriftSequence:
        """No window yet."""
        return DriftSequence()

    def sequence_to_bytes(self, sequence: DriftSequence) -> bytes:
        """Versioned bytes."""
        return states.to_bytes(sequence)

    def sequence_from_bytes(self, data: bytes) -> DriftSequence:
        """The inverse of `sequence_to_bytes`."""
        return states.from_bytes(data)

    def evaluate(self, sequence: DriftSequence, state: Tally, window: Window) -> Evaluated[DriftSequence]:
        """Judge a closed window: it is cut on, adds to the reference, or the process takes a step."""
        if state.rows < ROWS_MIN:
            return Evaluated(sequence, (), self._statistics(sequence))
        if sequence.cut is None:
            gathered = sequence.gathered.after(state, ordered=self.ordered)
            ready = gathered.rows >= ROWS_CUT and gathered.windows >= self._cut_windows
            made = cutting.cut(gathered, ordered=self.ordered) if ready else None
            kept = cutting.Gathered(gathered.windows) if ready else gathered
            after = DriftSequence(gathered=kept, cut=made)
            return Evaluated(after, (), self._statistics(after))
        cells = cutting.placed(sequence.cut, state, self.buckets)
        if sequence.profile.windows < self._needed:
            after = self._referred(sequence, sequence.cut, cells, window)
            return Evaluated(after, (), self._statistics(after))
        return self._judged(sequence, sequence.cut, state, cells, window)

    def clearance(self, finding: Finding, windows: Iterable[Tally], alpha: float) -> Clearance:
        """Whether the rows after a fix prove the direction back half of the way that it had strayed, or more."""
        told = finding.details
        made = Cut.read(str(told["cut"]))
        one = next(a for a in along(made) if a.name == told["direction"])
        side: Direction = "down" if told["side"] == "down" else "up"
        margin = (float(told["limit"]) + float(told["mean"])) / 2
        tables = [
            _sided(_weighted(made, cutting.placed(made, state, self.buckets), one, side), side)
            for state in windows
            if state.rows
        ]
        least = min(max(1 - margin if side == "down" else margin, 1e-4), 1 - 1e-4)
        noun = saying.direction_said(made, one.name, side)
        return rate_cleared(tables, f"mean along '{noun}' of {self._subject}", least, alpha, 0)

    @property
    def _subject(self) -> str:
        return self.looked.subject(self.setting.parameters)

    @property
    def _season(self) -> Season:
        return SEASONS[str(self.get("season"))]

    @property
    def _needed(self) -> int:
        """Windows of reference."""
        return windows_needed(int(self.get("windows_of_reference")), self._season, self.windowing.every)

    @property
    def _cut_windows(self) -> int:
        """Windows that are cut on, at least: a day of them where there is a season."""
        every = self.windowing.every
        return max(1, timedelta(days=1) // every) if every and self._season != "none" else 1

    def _normals(self, after: DriftSequence, best: Bet, place: int, window: Window) -> tuple[Normal, ...]:
        """What was normal of a direction in each window that is remembered."""
        if self._season == "none":
            return (best.normal,) * len(after.history)
        wanted, beta = str(self.get("reference_mode")), BETA / (2 * len(along(after.cut))) if after.cut else BETA
        half, every = (telling.micros(window.end) - telling.micros(window.start)) // 2, self.windowing.every
        times = (features(moment.start + half, self._season, every) for moment in after.history)
        return tuple(after.profile.normals(at, wanted, beta)[place] for at in times)

    def _features(self, window: Window) -> Floats:
        middle = (telling.micros(window.start) + telling.micros(window.end)) // 2
        return features(middle, self._season, self.windowing.every)

    def _referred(self, sequence: DriftSequence, made: Cut, cells: Cells, window: Window) -> DriftSequence:
        """The sequence with one more window of reference."""
        tables = np.stack([_weighted(made, cells, one, None) for one in along(made)])
        profile = sequence.profile.after(tables, self._features(window), str(self.get("reference_mode")), self._needed)
        now = cells.counts.sum(axis=0)
        before = now + np.array(sequence.before) if sequence.before else now
        counts = tuple(int(count) for count in before)
        return msgspec.structs.replace(sequence, profile=profile, before=counts)

    def _bets(self, sequence: DriftSequence, made: Cut, window: Window) -> list[Bet]:
        """Every direction, up and down, with what is normal there at the window's time."""
        directions = along(made)
        shares = np.array(sequence.before, float) / max(sum(sequence.before), 1)
        beta, wanted, at = BETA / (2 * len(directions)), str(self.get("reference_mode")), self._features(window)
        unit: Literal["sd", "psi"] = "psi" if self.get("tolerance_in") == "psi" else "sd"
        found = []
        for one, normal in zip(directions, sequence.profile.normals(at, wanted, beta), strict=True):
            tolerance = accepted(float(self.get("tolerance")), unit, one.values, shares)
            found += [Bet(one, side, normal, tolerance) for side in UP_DOWN]
        return found

    def _judged(
        self, sequence: DriftSequence, made: Cut, state: Tally, cells: Cells, window: Window
    ) -> Evaluated[DriftSequence]:
        bets = self._bets(sequence, made, window)
        said = [
            reference.log_e(
                bet.normal, bet.side, bet.tolerance, _weighted(made, cells, bet.along, bet.side), round(made.largest)
            )
            for bet in bets
        ]
        log_e = np.concatenate(said)
        process = sequence.processes.get(DRIFT, sequences.begun(1, 1.0)).spread(len(log_e))
        process = process.after(log_e, self.guarantee, LATER)
        counts = tuple(int(count) for count in cells.counts.sum(axis=0))
        design = design_effect(_whole(cells)) if self.buckets > 1 else 1.0
        moment = Moment(window.index, telling.micros(window.start), round(design, 4), counts)
        value, share = process.log_e_value(self.guarantee, LATER), log(self.threshold() / process.share)
        crossed = process.alarming(value, share)
        after = sequence.remembering(moment, {DRIFT: process.restarted() if crossed else process.settled(value, share)})
        place = _best(process, said)
        best = bets[place]
        statistics = self._statistics(after) | self._measured(after, made, best, value, process.bar(share))
        if not crossed:
            return Evaluated(after, (), statistics)
        strength = telling.strength(value, process.bar(share), self._promise(best.normal, state))
        normals = self._normals(after, best, place // len(UP_DOWN), window)
        found = saying.Found(after, made, best.along, best.side, normals, best.tolerance, strength)
        return Evaluated(after, (saying.finding(self, self._subject, self.looked, found, state, window),), statistics)

    def _promise(self, normal: Normal, state: Tally) -> str:
        words = f"{self.claim()}, {reference.MODES[normal.mode]}"
        words += f"; on top {BETA:.0%} that the reference itself misleads in any direction (approximate)"
        return words if state.united or self.buckets == 1 else f"{words}; rows without a unit count as independent"

    def _statistics(self, sequence: DriftSequence) -> dict[str, Json]:
        """How far the reference is."""
        told: dict[str, Json] = {
            "reference": {
                "cut_on": sequence.gathered.windows,
                "windows": sequence.profile.windows,
                "needed": self._needed,
            }
        }
        if sequence.cut is None and sequence.gathered.windows:
            told["waiting"] = f"{sequence.gathered.rows:,} of {ROWS_CUT} rows to cut the values into cells"
        return told

    def _measured(self, after: DriftSequence, made: Cut, best: Bet, value: float, bar: float) -> dict[str, Json]:
        """What the window says, for display and the ledger."""
        last = after.history[-1].counts
        rows, amount = sum(last), float(np.array(last) @ best.along.values)
        return {
            "series": {best.along.name: [rows, round(amount, 4)]},
            "direction": saying.direction_said(made, best.along.name, best.side),
            "normal": {best.along.name: [best.normal.mode, round(best.normal.mean, 6)]},
            "psi": round(saying.psi(after.before, last), 6),
            "log10_e": {DRIFT: round(value / log(10), 4)},
            "top": DRIFT,
            "log10_threshold": round(bar / log(10), 4),
        }


def _weighted(made: Cut, cells: Cells, one: Along, side: Direction | None) -> Tallies:
    """float[2, m]: rows and amounts of a direction per bucket, none heavier than the cut's.

    Rows that could belong to two cells count against the bet, whichever side it is on.
    """
    rows = cells.counts.sum(axis=1)
    amount = cells.counts @ one.values
    if side is not None and cells.astray.any():
        amount = amount - cells.astray @ one.values + (cells.astray.sum(axis=1) if side == "down" else 0.0)
    weight = np.minimum(1.0, made.largest / np.maximum(rows, 1.0))
    return np.stack([rows * weight, amount * weight])


def _whole(cells: Cells) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return cells.counts.astype(np.int64)


def _sided(table: Tallies, side: Direction) -> Tallies:
    """Amounts turned round where the bet is on a fall."""
    return np.stack([table[0], table[0] - table[1]]) if side == "down" else table


def _best(process: Process, said: Sequence[Floats]) -> int:
    """The place of the bet that is worth most."""
    ends = np.cumsum([len(part) for part in said])[:-1]
    return int(np.argmax([part.max() for part in np.split(np.array(process.log_a), ends)]))


def kind(
    looked: Looked,
    title: str,
    claims: str,
    *own: Parameter,
    required: tuple[str, ...] = (),
    either: bool = False,
    check: Callable[[Mapping[str, Any]], tuple[str, str] | None] = lambda _: None,
) -> DetectorKind:
    """The kind that looks at this; `own` are its parameters beside the common ones."""

    def built(setting: Setting) -> Drift:
        return Drift(setting, looked)

    return DetectorKind(
        name=looked.name,
        title=title,
        category=Category.MODEL_FAILURE,
        table=looked.table,
        parameters=(*own, *HOW),
        claims=claims,
        blind_spots=looked.blind_spots,
        sources=(
            "Clerico, arXiv:2412.02640 (bets on bounded means)",
            "Shin, Ramdas & Rinaldo, arXiv:2203.03532",
            "Lin, IEEE Trans. Inf. Theory 37 (1991) 145 (J divergence, of which PSI is the plug-in)",
        ),
        build=built,
        required=required,
        either=either,
        check=check,
    )
