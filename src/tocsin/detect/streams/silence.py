"""A detector of silence: a stream from which nothing came for longer than is allowed. The times of the rows decide, not chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pyarrow as pa

from tocsin.detect.streams import slots, telling
from tocsin.detect.streams.bound import Bound
from tocsin.detect.streams.clearing import windows_cleared
from tocsin.detect.streams.slots import Heard
from tocsin.model.detector import Evaluated
from tocsin.model.errors import BadInput, Place
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Effect, Finding, Level, Since, Strength
from tocsin.model.telemetry import Table, Window

MINUTE = 60_000_000
BLIND_SPOTS = (
    "While nothing at all comes, no window closes: the silence is told when the next row is there.",
    "Inside a window silence is measured to a sixty-fourth of it.",
    "A stream that thins out is not silent: see `metric_anomaly` with `statistic: rows`.",
)
NEXT_STEPS = (
    "Ask whether the system stood still, or only its log.",
    "Look for rows that come later: they count in the window that is open then.",
)


class Last(msgspec.Struct, frozen=True, array_like=True):
    """The sequence state: the last instant at which a row was seen, in microseconds; 0 before any."""

    version: int = 1
    at: int = 0


@dataclass(frozen=True, slots=True)
class SilenceWatch(Bound):
    """A `model.detector.Detector` over `Heard` and `Last`."""

    @property
    def category(self) -> Category:
        """The category of its findings."""
        return Category.MODEL_FAILURE

    @property
    def table(self) -> Table:
        """The table that it reads."""
        return self.setting.table or "predictions"

    @property
    def columns(self) -> tuple[str, ...]:
        """The time of the row."""
        return ("time",)

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result."""
        return {"kind": "freshness", "version": 1, **self.setting.parameters}

    def zero(self) -> Heard:
        """No rows."""
        return Heard()

    def observe(self, state: Heard, batch: pa.RecordBatch) -> Heard:
        """The state after these rows."""
        return slots.merged(state, slots.counted(batch, self._every))

    def merge(self, left: Heard, right: Heard) -> Heard:
        """The state of both sets of rows."""
        return slots.merged(left, right)

    def to_bytes(self, state: Heard) -> bytes:
        """Versioned bytes."""
        return slots.to_bytes(state)

    def from_bytes(self, data: bytes) -> Heard:
        """The inverse of `to_bytes`."""
        return slots.from_bytes(data)

    def begin(self) -> Last:
        """No window yet."""
        return Last()

    def sequence_to_bytes(self, sequence: Last) -> bytes:
        """Versioned bytes."""
        return msgspec.msgpack.encode(sequence)

    def sequence_from_bytes(self, data: bytes) -> Last:
        """The inverse of `sequence_to_bytes`."""
        try:
            last = msgspec.msgpack.decode(data, type=Last)
            if last.version != 1:
                raise ValueError(f"version {last.version}")
        except (msgspec.DecodeError, ValueError) as error:
            raise BadInput.at(
                Place("sequence state"), f"these bytes are no last instant: {error}", "run detect from the start"
            ) from None
        return last

    def evaluate(self, sequence: Last, state: Heard, window: Window) -> Evaluated[Last]:
        """Judge a closed window: the longest silence before its first row and inside it."""
        if not state.rows:
            return Evaluated(sequence, (), {"silent_minutes": None})
        silent = self._silent(sequence, state)
        after = Last(1, max(sequence.at, state.last))
        findings = (self._finding(sequence, state, window, silent),) if silent > self._allowed else ()
        return Evaluated(after, findings, {"silent_minutes": round(silent / MINUTE, 3), "rows": state.rows})

    def clearance(self, finding: Finding, windows: Iterable[Heard], alpha: float) -> Clearance:
        """Whether the windows after a fix prove that silent ones have become rare; a window counts as a row."""
        allowed, last, flags = float(finding.details["allowed"]) * MINUTE, Last(), []
        for state in (state for state in windows if state.rows):
            flags.append(self._silent(last, state) > allowed)
            last = Last(1, max(last.at, state.last))
        return windows_cleared(flags, "share of windows with too long a silence", alpha)

    @property
    def _every(self) -> int:
        return self.windowing.every // timedelta(microseconds=1) if self.windowing.every else 0

    @property
    def _allowed(self) -> float:
        return float(self.get("minutes")) * MINUTE

    def _inside(self, state: Heard) -> float:
        return slots.longest_silence(state) * self._every / slots.SLOTS

    def _silent(self, before: Last, state: Heard) -> float:
        """The longest silence in microseconds; rows that come late end none."""
        gap = max(state.first - before.at, 0) if before.at else 0
        return max(float(gap), self._inside(state))

    def _finding(self, before: Last, state: Heard, window: Window, silent: float) -> Finding:
        minutes, allowed = silent / MINUTE, float(self.get("minutes"))
        between = before.at > 0 and state.first - before.at >= silent
        begin = telling.instant(before.at) if between else window.start
        until = telling.instant(state.first) if between else window.end
        return Finding(
            telling.finding_id(self.system, self.id, "silence", window.index),
            self.system,
            self.id,
            self.category,
            "silence",
            Level.ALARM,
            title=f"No row came for {minutes:,.0f} minutes; {allowed:,.0f} are allowed",
            window=window,
            strength=Strength("score", 1.0, 1.0, "not a matter of chance: the rows' own times say so"),
            count=state.rows,
            rows=(),
            explanation=(
                f"Between {begin:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC nothing was logged for {minutes:,.0f} minutes. "
                "Either the system stood still or nobody watched it."
            ),
            effect=Effect("silence", minutes, minutes, minutes, 1.0, "minutes"),
            since=Since(window.index, begin, begin, begin, "the last row before the silence" if between else ""),
            blind_spots=BLIND_SPOTS,
            next_steps=NEXT_STEPS,
            details={"minutes": minutes, "allowed": allowed},
        )
