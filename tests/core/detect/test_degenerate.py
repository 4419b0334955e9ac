"""Input that is no use to anybody, for every detector: a clear answer each time, and no traceback.

Constant columns, one group only, nothing but nulls, nothing but infinities, ten thousand categories, windows of one row.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, hostile, placed, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.streams.sequence import Process, joined
from tocsin.model.finding import Level

KINDS = sorted(detector_kinds())
WINDOWS, ROWS = 14, 60


def _like(kind: str, count: int) -> pa.RecordBatch:
    """Rows of the kind's table, for their columns and types."""
    return hostile(kind, np.random.default_rng(1), count)


def _filled(kind: str, value: dict[str, Any], count: int = ROWS) -> pa.RecordBatch:
    """Rows in which every column of a type holds the value given for that type."""
    batch = _like(kind, count)
    columns = {}
    for field in batch.schema:
        if field.name.startswith("_"):
            continue
        plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        filled = value.get(str(plain))
        columns[field.name] = pa.array(filled if isinstance(filled, list) else [filled] * count, plain)
    return placed(columns)


CONSTANT = {"string": "same", "double": 0.5, "bool": True, "int64": 1}
INFINITE = {"string": "same", "double": float("inf"), "bool": True, "int64": 1}
NOT_A_NUMBER = {"string": "", "double": float("nan"), "bool": False, "int64": 0}
NOTHING: dict[str, Any] = {}
AGAINST_ZERO = ("calibration", "calibration_within_groups")
"""Labels that always differ from the score are a fault from the first window on."""


def _judged(kind: str, batch: pa.RecordBatch, windows: int = WINDOWS) -> tuple[list[Any], Any]:
    watcher = detector(kind)
    sequence, findings, statistics = watcher.begin(), [], {}
    for index in range(windows):
        state = watcher.observe(watcher.zero(), batch)
        assert watcher.to_bytes(watcher.from_bytes(watcher.to_bytes(state))) == watcher.to_bytes(state)
        evaluated = watcher.evaluate(sequence, state, window(index, batch.num_rows))
        sequence = watcher.sequence_from_bytes(watcher.sequence_to_bytes(evaluated.sequence))
        findings += [finding for finding in evaluated.findings if finding.level is Level.ALARM]
        statistics = evaluated.statistics
    msgspec.json.encode(statistics)
    return findings, statistics


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "value", [CONSTANT, INFINITE, NOT_A_NUMBER, NOTHING], ids=["constant", "infinite", "nan", "null"]
)
def test_a_stream_that_never_changes_never_alarms(kind: str, value: dict[str, Any]) -> None:
    findings, _ = _judged(kind, _filled(kind, value))
    assert findings == [] or kind in AGAINST_ZERO


@pytest.mark.parametrize("kind", KINDS)
def test_windows_of_one_row_are_no_evidence(kind: str) -> None:
    findings, _ = _judged(kind, _like(kind, 1), 2)
    assert findings == []


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_categories_stay_bounded(kind: str) -> None:
    many = {**CONSTANT, "string": [f"value {n}" for n in range(10_000)]}
    batch = _filled(kind, many, 10_000)
    findings, _ = _judged(kind, batch, 3)
    watcher = detector(kind)
    state = watcher.observe(watcher.zero(), batch)
    assert len(watcher.to_bytes(state)) < 1 << 20
    assert findings == [] or kind in AGAINST_ZERO


@pytest.mark.parametrize("kind", KINDS)
def test_a_reference_shorter_than_one_window_waits(kind: str) -> None:
    if "windows_of_reference" not in {parameter.name for parameter in detector_kinds()[kind].parameters}:
        pytest.skip("compares with no reference")
    watcher = detector(kind)
    sequence = watcher.begin()
    state = watcher.observe(watcher.zero(), _like(kind, 200))
    evaluated = watcher.evaluate(sequence, state, window(0, 200))
    assert evaluated.findings == ()
    processes = getattr(evaluated.sequence, "processes", {})
    assert all(process.windows == 0 for process in processes.values()) or "reference" not in (evaluated.statistics)


# --- how the budget is shared ---------------------------------------------------------------------------------------


def _shares(processes: dict[str, Process]) -> dict[str, float]:
    return {name: round(process.share, 6) for name, process in processes.items()}


def test_those_that_are_all_named_at_the_start_share_everything() -> None:
    assert _shares(joined({}, ["a", "b"], 3, closed=True)) == {"a": 0.5, "b": 0.5}


def test_otherwise_a_tenth_is_kept_for_those_that_come_later_however_many() -> None:
    processes = joined({}, ["a", "b"], 3, closed=False)
    assert _shares(processes) == {"a": 0.45, "b": 0.45}
    for index in range(200):
        processes = joined(processes, [f"late {index}"], 3, closed=False)
    assert 0.9 < sum(process.share for process in processes.values()) <= 1.0


def test_nobody_new_changes_nothing() -> None:
    known = joined({}, ["a"], 3, closed=True)
    assert joined(known, [], 3, closed=True) == known
