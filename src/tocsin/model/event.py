"""What happened: events, their streams, and the two abilities of a ledger (append, read)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Json = Any
"""A value that JSON can hold: None, bool, int, finite float, str, list, dict with str keys."""

ANY_VERSION = -1
"""Passed as `expected` when the caller does not mind what came before."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in the past tense (`report_filed`). `at` is aware UTC; `author` is a person or `tocsin`."""

    kind: str
    at: datetime
    author: str
    data: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise AssertionError(f"event {self.kind} has a naive time")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event in the ledger: `sequence` counts all events from 1, `version` those of its stream from 1."""

    sequence: int
    stream: str
    version: int
    event: Event
    digest: str
    """Hex SHA-256 of the stored bytes as an RFC 6962 leaf."""

    @property
    def kind(self) -> str:
        """The event's kind."""
        return self.event.kind

    @property
    def data(self) -> Mapping[str, Json]:
        """The event's data."""
        return self.event.data


@dataclass(frozen=True, slots=True)
class Append:
    """Events for one stream, written only if the stream is still at version `expected` (0: does not exist yet)."""

    stream: str
    expected: int
    events: Sequence[Event]


class Ledger(Protocol):
    """One tamper-evident log of many streams. Contract: `tests/contracts/test_ledger_stores.py`."""

    def append(self, *appends: Append) -> list[Recorded]:
        """Write all appends in one transaction, durably, or none.

        Raises:
            Conflict: a stream is not at its expected version.
            EnvironmentFault: disk full, or the ledger is locked by another process for too long.
        """
        ...

    def read(self, stream: str, after: int = 0) -> list[Recorded]:
        """The events of a stream after that version, in order; empty if there are none."""
        ...

    def scan(self, after: int = 0, kinds: Sequence[str] = (), prefix: str = "") -> Iterator[Recorded]:
        """Events in ledger order after `after`, of these kinds (all if empty), of streams that start with `prefix`."""
        ...

    def streams(self, prefix: str = "") -> list[str]:
        """Names of the streams that start with `prefix`, in order of their first event."""
        ...

    def version(self, stream: str) -> int:
        """Number of events in the stream; 0 if it does not exist."""
        ...

    def size(self) -> int:
        """Number of events in the ledger."""
        ...
