"""The two-level interface of every detector. Conformance: `tests/core/detect/test_conformance.py`.

A **WindowState** is a commutative monoid: any split of a window's rows over batches, processes or machines, merged in any
order, gives the same bytes. A **SequenceState** is ordered and tiny and lives on the driver only: it takes closed windows one
after the other and says what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Finding
from tocsin.model.telemetry import Table, Window, Windowing

State = TypeVar("State")
Sequence_ = TypeVar("Sequence_")


class Evaluated(NamedTuple, Generic[Sequence_]):
    """What one window did to the sequence: the next state, the findings, and the statistics for display and the ledger."""

    sequence: Sequence_
    findings: tuple[Finding, ...]
    statistics: Mapping[str, Json]


class Detector(Protocol[State, Sequence_]):
    """A detector bound to one system and one specification. Takes values, returns values, never alters its input."""

    @property
    def id(self) -> str:
        """Unique in the system, e.g. `group_parity:race`."""
        ...

    @property
    def system(self) -> str:
        """The system that is watched."""
        ...

    @property
    def category(self) -> Category:
        """The category of its findings."""
        ...

    @property
    def table(self) -> Table:
        """The table that it reads."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The telemetry columns that `observe` needs; `_segment` and `_row` always come along."""
        ...

    @property
    def windowing(self) -> Windowing:
        """How the stream is cut."""
        ...

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result; its digest goes into the ledger."""
        ...

    def zero(self) -> State:
        """The state of a window without rows: the identity of `merge`."""
        ...

    def observe(self, state: State, batch: Any) -> State:
        """The state after these rows (a pyarrow.RecordBatch); neither argument is changed."""
        ...

    def merge(self, left: State, right: State) -> State:
        """The state of both sets of rows: associative, commutative."""
        ...

    def to_bytes(self, state: State) -> bytes:
        """Versioned bytes; equal states give equal bytes."""
        ...

    def from_bytes(self, data: bytes) -> State:
        """The inverse of `to_bytes`. Raises BadInput for an unknown version or damaged bytes."""
        ...

    def begin(self) -> Sequence_:
        """The sequence before the first window."""
        ...

    def evaluate(self, sequence: Sequence_, state: State, window: Window) -> Evaluated[Sequence_]:
        """Judge one closed window. Windows come in order, each once."""
        ...

    def sequence_to_bytes(self, sequence: Sequence_) -> bytes:
        """Versioned bytes of a few kilobytes at most."""
        ...

    def sequence_from_bytes(self, data: bytes) -> Sequence_:
        """The inverse of `sequence_to_bytes`."""
        ...

    def clearance(self, finding: Finding, windows: Iterable[State], alpha: float) -> Clearance:
        """Whether the windows after a fix prove, at error level `alpha`, that the finding's fault is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of a detector in the system file: its name, type, default, meaning and permitted values."""

    name: str
    type: type
    default: Json
    doc: str
    choices: tuple[Json, ...] = ()
    low: float | None = None
    high: float | None = None
    required: bool = False
    column: Literal["", "any", "number", "text"] = ""
    """Set where it names a telemetry column, or (a list) several, which the system must map: what their values must be."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a detector is bound to: the system, its checked parameters, its windows, the workspace's secret salt and content."""

    id: str
    """The detector's id in the system file."""
    system: str
    parameters: Mapping[str, Json]
    windowing: Windowing
    salt: bytes
    """Secret of the workspace: assigns units to buckets and keys the digests of found items. Never shown, never in the ledger."""
    content: Mapping[str, Any]
    """What the detector asked for in `DetectorKind.content`, loaded: e.g. `patterns`."""
    table: Table | None = None
    """The table of the system, for kinds that watch either."""
    shared: str = ""
    """What detectors promise together, in words, where they share a budget of false alarms; findings say it."""


@dataclass(frozen=True, slots=True)
class DetectorKind:
    """What a module in `detect/detectors/` declares as `DETECTOR`; being in the folder is the registration."""

    name: str
    title: str
    category: Category
    table: Table
    parameters: tuple[Parameter, ...]
    claims: str
    """What an alarm means, and with which guarantee."""
    blind_spots: tuple[str, ...]
    sources: tuple[str, ...]
    build: Callable[[Setting], Detector[Any, Any]]
    content: tuple[str, ...] = ()
    either: bool = False
    """Whether it watches the other table as well, where the system has that one."""
    required: tuple[str, ...] = ()
    """Canonical telemetry columns that the system's mapping must provide."""
    check: Callable[[Mapping[str, Any]], tuple[str, str] | None] = lambda _: None
    """What is wrong with the parameters together: which one, and what to write; None when nothing is."""
