"""A detector of anomalies in a metric: a series with one value a window, held against its own last two weeks.

Most alarms of such detectors are repetitions. So an alarm must surprise more than what is still fresh: the largest surprise before it,
fading by half in about a period.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import exp, isfinite

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.streams import sums, surprise, telling
from tocsin.detect.streams.bound import Bound
from tocsin.detect.streams.clearing import windows_cleared
from tocsin.detect.streams.contrast import Floats
from tocsin.detect.streams.measure import numbers
from tocsin.detect.streams.sums import Sums
from tocsin.model.detector import Evaluated
from tocsin.model.errors import BadInput, Place
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Effect, Finding, Level, Since, Strength
from tocsin.model.telemetry import Table, Window

DAY, WEEK = timedelta(days=1), timedelta(days=7)
USUAL = (0.01, 0.99)
"""The quantiles of the past between which a value is called usual."""
BLIND_SPOTS = (
    "What grows slowly is learnt: nothing surprises. Watch the mean against a limit as well.",
    "The rate of false alarms is measured on ordinary noise, not guaranteed: it rests on how tails go on beyond what was seen.",
    "Very skewed values (log-normal ones) alarm up to three times as often as is said: watch their logarithm.",
    "A fault in the first windows is learnt as normal.",
)
NEXT_STEPS = (
    "Look at releases, incidents of providers and jobs that began about that time.",
    "Look at the rows with the smallest and largest values that the finding names.",
)


class Past(msgspec.Struct, frozen=True, array_like=True):
    """The sequence state: the last values (float32, little-endian), the fading surprise, and the window that was last."""

    version: int = 1
    values: bytes = b""
    fresh: float = 0.0
    last: int = -1


@dataclass(frozen=True, slots=True)
class MetricWatch(Bound):
    """A `model.detector.Detector` over `Sums` and `Past`."""

    @property
    def category(self) -> Category:
        """The category of its findings."""
        return Category.MODEL_FAILURE

    @property
    def table(self) -> Table:
        """The table that it reads."""
        return self.setting.table or "interactions"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `observe` needs: counting rows needs none."""
        return (str(self.get("column")),) if self.get("column") else ("time",)

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result."""
        return {"kind": "metric_anomaly", "version": 1, **self.setting.parameters}

    @property
    def period(self) -> int:
        """Windows in a day, or in a week where windows are days; 0 where there is no such rhythm."""
        every = self.windowing.every
        if every is None or self.get("season") == "none":
            return 0
        span = DAY if every < DAY else WEEK
        return span // every if span % every == timedelta() else 0

    def zero(self) -> Sums:
        """No rows."""
        return Sums()

    def observe(self, state: Sums, batch: pa.RecordBatch) -> Sums:
        """The state after these rows; a row without a number is passed over."""
        column = self.get("column")
        known, values = (
            numbers(batch, str(column)) if column else (np.zeros(batch.num_rows, bool), np.zeros(batch.num_rows))
        )
        return sums.merged(state, sums.counted(known, values, batch)) if batch.num_rows else state

    def merge(self, left: Sums, right: Sums) -> Sums:
        """The sums of both."""
        return sums.merged(left, right)

    def to_bytes(self, state: Sums) -> bytes:
        """Versioned bytes."""
        return sums.to_bytes(state)

    def from_bytes(self, data: bytes) -> Sums:
        """The inverse of `to_bytes`."""
        return sums.from_bytes(data)

    def begin(self) -> Past:
        """No window yet."""
        return Past()

    def sequence_to_bytes(self, sequence: Past) -> bytes:
        """Versioned bytes: four for each value remembered."""
        return msgspec.msgpack.encode(sequence)

    def sequence_from_bytes(self, data: bytes) -> Past:
        """The inverse of `sequence_to_bytes`."""
        try:
            past = msgspec.msgpack.decode(data, type=Past)
            if past.version != 1 or len(past.values) % 4 or not isfinite(past.fresh):
                raise ValueError(f"version {past.version}, {len(past.values)} bytes")
        except (msgspec.DecodeError, ValueError) as error:
            raise BadInput.at(
                Place("sequence state"), f"these bytes are no past of a metric: {error}", "run detect from the start"
            ) from None
        return past

    def evaluate(self, sequence: Past, state: Sums, window: Window) -> Evaluated[Past]:
        """Judge a closed window. One without a value is passed over: the same time of the period before stands for it."""
        value = self._value(state)
        before = np.frombuffer(sequence.values, "<f4")
        if value is None:
            return Evaluated(sequence, (), {"value": None, "remembered": len(before)})
        missed = min(max(window.index - sequence.last - 1, 0), surprise.MEMORY) if len(before) else 0
        series = np.concatenate([before, self._missing(before, missed), [np.float32(value)]])
        series = series[-surprise.remembered(self.period) :]
        found, bar = 0.0, float("inf")
        if len(before) >= int(self.get("windows_of_reference")):
            found = surprise.surprise(series.astype(float), self.period)
            bar = surprise.bar(float(self.get("windows_per_false_alarm")), self.period)
        fading = surprise.fading(self.period)
        fresh = sequence.fresh * fading ** (missed + 1)
        after = Past(1, series.astype("<f4").tobytes(), max(found, fresh), window.index)
        statistics: dict[str, Json] = {
            "value": round(value, 6),
            "surprise": round(found, 4),
            "bar": round(bar, 4) if isfinite(bar) else None,
            "remembered": len(series),
        }
        alarmed = found >= bar and found > fresh
        findings = (self._finding(series[:-1].astype(float), value, found, bar, state, window),) if alarmed else ()
        return Evaluated(after, findings, statistics)

    def clearance(self, finding: Finding, windows: Iterable[Sums], alpha: float) -> Clearance:
        """Whether the windows after a fix prove that unusual values have become rare; a window counts as a row."""
        low, high = float(finding.details["usual_low"]), float(finding.details["usual_high"])
        values = (value for state in windows if (value := self._value(state)) is not None)
        share = f"share of windows in which the {self._noun} is unusual"
        return windows_cleared([not low <= value <= high for value in values], share, alpha)

    @property
    def _noun(self) -> str:
        kind, column = str(self.get("statistic")), self.get("column")
        return "number of rows" if kind == "rows" else f"{kind} of {column}"

    def _value(self, state: Sums) -> float | None:
        kind = self.get("statistic")
        if kind == "mean":
            return state.mean
        return float(state.every) if kind == "rows" else state.sum

    def _missing(self, before: Floats, count: int) -> Floats:
        """What stands for so many windows without a value: the period before, or the last value where there is none."""
        last = before[-max(self.period, 1) :]
        return np.resize(last, count) if len(last) == max(self.period, 1) else np.repeat(before[-1:], count)

    def _finding(self, past: Floats, value: float, found: float, bar: float, state: Sums, window: Window) -> Finding:
        low, high = (float(bound) for bound in np.quantile(past, USUAL))
        windows = int(self.get("windows_per_false_alarm"))
        unit = str(self.get("unit_name"))
        key = self._noun
        told = f"{value:,.5g} {unit}".strip()
        usual = f"{low:,.5g} to {high:,.5g} {unit}".strip()
        up = value > float(np.median(past))
        begin = window.start
        return Finding(
            telling.finding_id(self.system, self.id, key, window.index),
            self.system,
            self.id,
            self.category,
            key,
            Level.ALARM,
            title=f"The {self._noun} is unusual: {told}; 98 % of the past lies within {usual}",
            window=window,
            strength=Strength(
                "score",
                1 - exp(-found),
                1 - exp(-bar),
                f"about one false alarm in {windows:,} windows or fewer (measured on ordinary noise, no guarantee); "
                "a statement about the traffic served",
            ),
            count=max(state.rows, state.every),
            rows=sums.refs(state.high if up else state.low),
            explanation=(
                f"The {self._noun} is {told} in the window from {begin:%Y-%m-%d %H:%M} UTC. "
                f"{self._why(past, value)} By surprise this is {found:.1f} nats, where {bar:.1f} make an alarm."
            ),
            effect=Effect(self._noun, value, value, value, 1.0, unit),
            since=Since(window.index, begin, begin, begin, "the window itself"),
            blind_spots=BLIND_SPOTS,
            next_steps=NEXT_STEPS,
            details={"value": value, "usual_low": low, "usual_high": high, "surprise": round(found, 4), "bar": bar},
        )

    def _why(self, past: Floats, value: float) -> str:
        """The three things that are looked at, in words."""
        said = [f"It moved by {value - past[-1]:+,.4g} from the window before."]
        if 1 < self.period < len(past):
            then = float(past[-self.period])
            rhythm = "day" if self.windowing.every and self.windowing.every < DAY else "week"
            said.append(f"At the same time of the {rhythm} before, it was {then:,.5g}.")
        return " ".join(said)
