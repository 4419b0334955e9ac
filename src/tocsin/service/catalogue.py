"""Which segments a system has: what the ledger says, in the order in which they were recorded."""

from __future__ import annotations

from collections.abc import Sequence
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


def segments(ledger: Ledger, system: str, *, late: bool = False) -> list[Segment]:
    """The system's segments in order; `late`: also those that hold predictions once more, with their label."""
    return [entry.segment for entry in entries(ledger, system) if late or not entry.segment.late]


class Reading(NamedTuple):
    """A file that was read to its end. A second reading took the rows that the first put into quarantine."""

    source: str
    """The file's digest; of a further reading, with `+` and its number."""
    rows: int
    quarantined: int
    duplicates: int
    mapping: str
    """Digest of the mapping at that time; empty: not known."""
    quarantine: str
    """Digest of the quarantine file, if there is one."""
    left_out: int = 0
    """Rows of other systems."""


def readings(events: Sequence[Recorded], digest: str) -> list[Reading]:
    """The readings of the file of that digest, in order."""
    kept = {event.data["source"]: event.data["file"] for event in events if event.kind == "rows_quarantined"}
    found = [event.data for event in events if event.kind == "file_ingested"]
    return [
        Reading(
            data["source"],
            data["rows"],
            data["quarantined"],
            data["duplicates"],
            data.get("mapping", ""),
            kept.get(data["source"], ""),
            data.get("left_out", 0),
        )
        for data in found
        if data["source"].split("+")[0] == digest
    ]


def _entry(recorded: Recorded, system: str) -> Entry:
    data = recorded.data
    fields = {"id": data["segment"], "system": system} | {k: data[k] for k in ("table", "rows", "first", "last")}
    fields["late"] = data.get("late", False)
    return Entry(msgspec.convert(fields, Segment), data["source"], data["part"], recorded.sequence)
