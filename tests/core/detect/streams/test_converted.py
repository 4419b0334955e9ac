"""A rate whose rows are not counted one by one: everything is the watch's own, but for the state of a window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import SALT, detector, placed, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.streams.buckets import keyed, scattered
from tocsin.detect.streams.clearing import STRAYING, windows_cleared
from tocsin.detect.streams.converted import NOT_OFFERED, Converted
from tocsin.detect.streams.watch import Watch


def duplicates(**parameters: Any) -> Converted:
    found = detector("duplicates", **{"columns": ["feature.age"], "limit": 0.1, **parameters})
    assert isinstance(found, Converted)
    return found


def ages(values: list[float], first: int = 0) -> pa.RecordBatch:
    return placed({"feature.age": pa.array(values, pa.float64())}, first)


@pytest.mark.parametrize("name", ["id", "system", "category", "table", "windowing", "specification"])
def test_what_is_said_of_the_detector_is_the_watchs_own(name: str) -> None:
    watcher = duplicates()
    assert getattr(watcher, name) == getattr(watcher.watch, name)


def test_only_the_columns_of_the_measure_are_read() -> None:
    watcher = duplicates(columns=["feature.age", "decision"])
    assert watcher.columns == ("feature.age", "decision")
    assert "unit" in Watch(watcher.watch.setting, watcher.watch.measure).columns


def test_what_needs_rows_one_by_one_is_not_offered() -> None:
    offered = {parameter.name for parameter in detector_kinds()["duplicates"].parameters}
    assert offered.isdisjoint(NOT_OFFERED)
    assert {"limit", "tolerance", "buckets", "windows_of_reference", "guarantee", "alpha"} <= offered


def test_the_sequence_is_the_watchs_and_reads_back() -> None:
    watcher = duplicates()
    sequence = watcher.begin()
    for index in range(4):
        state = watcher.observe(watcher.zero(), ages([1.0, 2.0, 2.0, 3.0] * 5, first=20 * index))
        sequence = watcher.evaluate(sequence, state, window(index, 20)).sequence
    data = watcher.sequence_to_bytes(sequence)
    assert data == watcher.watch.sequence_to_bytes(sequence)
    assert watcher.sequence_from_bytes(data) == sequence


def test_the_statistics_count_the_rows_and_those_that_repeat() -> None:
    watcher = duplicates()
    state = watcher.observe(watcher.zero(), ages([1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 5.0]))
    told = watcher.evaluate(watcher.begin(), state, window(0, 8)).statistics
    assert told["series"] == {"all rows": [8, 3.0]}
    assert told["totals"] == {"all rows": [8, 3.0]}


def test_a_batch_without_rows_is_no_news() -> None:
    watcher = duplicates()
    state = watcher.observe(watcher.zero(), ages([1.0, 1.0]))
    assert watcher.observe(state, ages([])) is state
    assert watcher.to_bytes(watcher.merge(state, watcher.zero())) == watcher.to_bytes(state)
    assert watcher.from_bytes(watcher.to_bytes(state)) == state


# --- windows as rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("windows", "faulty", "passed"), [(40, 0, True), (5, 0, False), (40, 16, False), (0, 0, False)]
)
def test_a_fifth_of_faulty_windows_must_be_rejected(windows: int, faulty: int, passed: bool) -> None:
    verdict = windows_cleared([n < faulty for n in range(windows)], "share of windows with a fault", 0.05)
    assert verdict.passed is passed
    assert (verdict.margin, verdict.rows) == (STRAYING, windows)
    assert "the share of windows with a fault is 20.00% or more" in verdict.statement or not windows


def test_a_fault_that_stays_is_seldom_cleared() -> None:
    """200 streams in which a fifth of the windows stays faulty: 17 cleared ones are the 99 % limit of 5 %."""
    rng = np.random.default_rng(31)
    cleared = 0
    for _ in range(200):
        flags = (rng.random(60) < STRAYING).tolist()
        cleared += any(windows_cleared(flags[:count], "share", 0.05).passed for count in (10, 20, 30, 40, 50, 60))
    assert cleared <= 17


# --- hashes ---------------------------------------------------------------------------------------------------------


def test_keyed_hashes_depend_on_the_salt_and_stay() -> None:
    assert keyed("a", SALT) != keyed("b", SALT)
    assert keyed("a", SALT) != keyed("a", bytes(32))
    assert keyed("a", SALT) == keyed("a", SALT) < 1 << 64


def test_scattering_changes_half_of_the_bits() -> None:
    numbers = np.arange(4_000, dtype=np.uint64)
    flipped = scattered(numbers) ^ scattered(numbers ^ np.uint64(1))
    changed = np.unpackbits(flipped.view(np.uint8)).mean()
    assert changed == pytest.approx(0.5, abs=0.01)
    assert len(np.unique(scattered(numbers))) == 4_000
