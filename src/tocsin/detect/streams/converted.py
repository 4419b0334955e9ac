"""A watched rate whose rows are not counted one by one: its own window state becomes rows and outcomes when the window closes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pyarrow as pa

from tocsin.detect.streams.bound import GUARANTEE
from tocsin.detect.streams.counts import GroupCounts
from tocsin.detect.streams.measure import Measure
from tocsin.detect.streams.sequence import ContrastSequence
from tocsin.detect.streams.watch import REFERENCE, WATCHING, Watch
from tocsin.model.detector import DetectorKind, Evaluated, Parameter, Setting
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Finding
from tocsin.model.telemetry import Table, Window, Windowing

NOT_OFFERED: Mapping[str, Json] = {"by": None, "segments": [], "unit": "auto"}
"""What a watched rate can do when rows are counted one by one."""


class Form(NamedTuple):
    """A window state: a commutative monoid with versioned bytes, and the counts that it comes to."""

    zero: Any
    observe: Callable[[pa.RecordBatch, Watch], Any]
    merge: Callable[[Any, Any], Any]
    to_bytes: Callable[[Any], bytes]
    from_bytes: Callable[[bytes], Any]
    counts: Callable[[Any, Watch], GroupCounts]


@dataclass(frozen=True, slots=True)
class Converted:
    """A `model.detector.Detector` over a form's states and `ContrastSequence`."""

    watch: Watch
    form: Form

    @property
    def id(self) -> str:
        """Its id in the system file."""
        return self.watch.id

    @property
    def system(self) -> str:
        """The system that is watched."""
        return self.watch.system

    @property
    def category(self) -> Category:
        """The category of its findings."""
        return self.watch.category

    @property
    def table(self) -> Table:
        """The table that it reads."""
        return self.watch.table

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `observe` needs."""
        return self.watch.measure.columns(self.watch.setting.parameters)

    @property
    def windowing(self) -> Windowing:
        """How the stream is cut."""
        return self.watch.windowing

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result."""
        return self.watch.specification

    def zero(self) -> Any:
        """No rows."""
        return self.form.zero

    def observe(self, state: Any, batch: pa.RecordBatch) -> Any:
        """The state after these rows."""
        return self.form.merge(state, self.form.observe(batch, self.watch)) if batch.num_rows else state

    def merge(self, left: Any, right: Any) -> Any:
        """The state of both sets of rows."""
        return self.form.merge(left, right)

    def to_bytes(self, state: Any) -> bytes:
        """Versioned bytes."""
        return self.form.to_bytes(state)

    def from_bytes(self, data: bytes) -> Any:
        """The inverse of `to_bytes`."""
        return self.form.from_bytes(data)

    def begin(self) -> ContrastSequence:
        """No window yet."""
        return self.watch.begin()

    def evaluate(self, sequence: ContrastSequence, state: Any, window: Window) -> Evaluated[ContrastSequence]:
        """Judge a closed window."""
        return self.watch.evaluate(sequence, self.form.counts(state, self.watch), window)

    def sequence_to_bytes(self, sequence: ContrastSequence) -> bytes:
        """Versioned bytes."""
        return self.watch.sequence_to_bytes(sequence)

    def sequence_from_bytes(self, data: bytes) -> ContrastSequence:
        """The inverse of `sequence_to_bytes`."""
        return self.watch.sequence_from_bytes(data)

    def clearance(self, finding: Finding, windows: Iterable[Any], alpha: float) -> Clearance:
        """Whether the rows after a fix prove the rate back half of the way that it had strayed, or more."""
        return self.watch.clearance(finding, [self.form.counts(state, self.watch) for state in windows], alpha)


def kind(
    measure: Measure, form: Form, title: str, claims: str, *own: Parameter, sources: tuple[str, ...]
) -> DetectorKind:
    """The kind that watches this measure through this form; `own` are its parameters beside the common ones, `limit` among them."""

    def built(setting: Setting) -> Converted:
        return Converted(Watch(replace(setting, parameters={**setting.parameters, **NOT_OFFERED}), measure), form)

    return DetectorKind(
        name=measure.name,
        title=title,
        category=measure.category,
        table=measure.table,
        parameters=(*own, *REFERENCE, *(p for p in WATCHING if p.name not in NOT_OFFERED), *GUARANTEE),
        claims=claims,
        blind_spots=measure.blind_spots,
        sources=(*sources, "Shin, Ramdas & Rinaldo, arXiv:2203.03532"),
        build=built,
        either=True,
    )
