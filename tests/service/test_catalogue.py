"""What the ledger says of a system's segments and of the files that were read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.service.desks import NOW, SYSTEM, desk
from tocsin.model.event import Append
from tocsin.model.telemetry import Segment
from tocsin.service.catalogue import Reading, entries, readings, segments, stream
from tocsin.service.desk import Desk


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as opened:
        yield opened


def record(at: Desk, kind: str, system: str = SYSTEM, **data: Any) -> None:
    at.ledger.append(Append(stream(system), at.ledger.version(stream(system)), [at.event(kind, **data)]))


def segment(at: Desk, name: str, part: int, system: str = SYSTEM) -> None:
    span = {"first": NOW - timedelta(hours=1), "last": NOW}
    record(at, "segment_recorded", system, segment=name, table="predictions", rows=7, source="file", part=part, **span)


def test_segments_come_in_the_order_in_which_they_were_recorded(at: Desk) -> None:
    segment(at, "b", 0)
    record(at, "file_ingested", source="file", rows=7, quarantined=0, duplicates=0)
    segment(at, "a", 1)
    assert segments(at.ledger, SYSTEM) == [
        Segment(name, SYSTEM, "predictions", 7, NOW - timedelta(hours=1), NOW) for name in ("b", "a")
    ]
    assert [(entry.source, entry.part, entry.sequence) for entry in entries(at.ledger, SYSTEM)] == [
        ("file", 0, 1),
        ("file", 1, 3),
    ]


def test_systems_have_their_own(at: Desk) -> None:
    segment(at, "a", 0)
    segment(at, "b", 0, "other")
    assert [found.id for found in segments(at.ledger, "other")] == ["b"]
    assert segments(at.ledger, "none") == []
    assert stream("other") == "telemetry/other"


def test_readings_of_a_file_are_the_first_and_those_after_the_mapping_changed(at: Desk) -> None:
    record(at, "rows_quarantined", source="file", rows=3, file="digest of rows", reasons={})
    record(at, "file_ingested", source="file", rows=7, quarantined=3, duplicates=1, mapping="old")
    record(at, "file_ingested", source="another", rows=1, quarantined=0, duplicates=0)
    record(at, "file_ingested", source="file+1", rows=2, quarantined=0, duplicates=0, mapping="new")
    events = at.ledger.read(stream(SYSTEM))
    assert readings(events, "file") == [
        Reading("file", 7, 3, 1, "old", "digest of rows"),
        Reading("file+1", 2, 0, 0, "new", ""),
    ]
    assert readings(events, "another") == [Reading("another", 1, 0, 0, "", "")]
    assert readings(events, "fil") == []
