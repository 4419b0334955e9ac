"""A stream of no workspace is read with the words and the mistakes of a system's file."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tocsin.adapters.workspace.reading import read_stream
from tocsin.adapters.workspace.system_references import Known
from tocsin.content.discovery import detector_kinds
from tocsin.model.errors import BadInput

GOOD = """
telemetry:
  table: predictions
  columns: {time: at, decision: approved, group.sex: sex}
detectors:
  - {kind: group_parity, window: {every: 6h}, with: {group: sex}}
  - {kind: rate, id: mine, window: {rows: 50}, with: {column: decision}}
"""
KNOWN = Known(detectors=detector_kinds())


def test_what_is_read() -> None:
    telemetry, (parity, rate) = read_stream(GOOD, "here", KNOWN)
    assert telemetry.columns["group.sex"].column == "sex"
    assert (parity.id, parity.windowing.every, dict(parity.parameters)) == (
        "group_parity:sex",
        timedelta(hours=6),
        {"group": "sex"},
    )
    assert (rate.id, rate.windowing.rows) == ("mine", 50)


def test_detectors_may_be_left_out() -> None:
    assert read_stream(GOOD.split("detectors", maxsplit=1)[0], "here", KNOWN).detectors == ()


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("kind: group_parity", "kind: parity", "no detector 'parity'"),
        ("group: sex}", "group: age}", "the group 'age' is not mapped"),
        ("column: decision", "column: score", "the column 'score' is not mapped"),
        ("rows: 50", "rows: 5", "rows"),
        ("every: 6h", "every: soon", "every"),
        ("id: mine", "id: My Own", "must be made of"),
        ("group.sex: sex", "groop.sex: sex", "groop.sex"),
        ("telemetry:", "telemetri:", "telemetri"),
        ("table: predictions", "table: interactions", "watches predictions, this system has interactions"),
    ],
)
def test_mistakes_are_those_of_a_system(before: str, after: str, what: str) -> None:
    assert before in GOOD
    with pytest.raises(BadInput) as caught:
        read_stream(GOOD.replace(before, after), "here", KNOWN)
    assert what in str(caught.value)
    assert "here" in str(caught.value)
