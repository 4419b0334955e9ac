"""Which segments a system has: what the ledger says, in the order in which they were recorded."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tocsin.model.event import Ledger, Recorded
from tocsin.model.telemetry import Segment


class Entry(NamedTuple):
    """A recorded segment: where its rows came from and its event's number in the ledger."""

    segment: Segment
    source: str
    part: int
    sequence: int


def stream(system: str) -> str:
    """The name of the system's telemetry stream."""
    return f"telemetry/{system}"


def entries(ledger: Ledger, system: str) -> list[Entry]:
    """Every recorded segment of the system, in order."""
    return entries_of(ledger.read(stream(system)), system)


def entries_of(events: list[Recorded], system: str) -> list[Entry]:
    """The recorded segments among these events of the system's stream."""
    return [_entry(event, system) for event in events if event.kind == "segment_recorded"]


def segments(ledger: Ledger, system: str) -> list[Segment]:
    """The system's segments in order."""
    return [entry.segment for entry in entries(ledger, system)]


def _entry(recorded: Recorded, system: str) -> Entry:
    data = recorded.data
    fields = {"id": data["segment"], "system": system} | {k: data[k] for k in ("table", "rows", "first", "last")}
    return Entry(msgspec.convert(fields, Segment), data["source"], data["part"], recorded.sequence)
