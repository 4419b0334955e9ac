"""Repeated rows: counted exactly whatever the order, bounded, and judged as a rate of the window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import SALT, detector, placed, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import misfits
from tocsin.detect.streams import repeats
from tocsin.detect.streams.buckets import contents
from tocsin.detect.streams.converted import Converted
from tocsin.detect.streams.counts import ALL
from tocsin.detect.streams.repeats import KEPT, Repeats
from tocsin.model.errors import BadInput

calm = settings(max_examples=60, deadline=None)
COLUMNS = {"columns": ["feature.city", "feature.age"]}
rows_ = st.lists(st.tuples(st.sampled_from(["Oslo", "Roma", None]), st.integers(0, 4)), max_size=60)


def batch(rows: list[tuple[Any, Any]], first: int = 0, segment: str = "a" * 64) -> pa.RecordBatch:
    cities, ages = ([row[n] for row in rows] for n in (0, 1))
    return placed(
        {"feature.city": pa.array(cities, pa.string()), "feature.age": pa.array(ages, pa.float64())}, first, segment
    )


def state(rows: list[tuple[Any, Any]], first: int = 0, segment: str = "a" * 64) -> Repeats:
    made = batch(rows, first, segment)
    return repeats.counted(contents(made, COLUMNS["columns"], SALT), made)


def repeated(of: Repeats) -> tuple[int, int]:
    return sum(c.times for c in of), sum(c.times - 1 for c in of)


# --- contents -------------------------------------------------------------------------------------------------------


def test_equal_rows_have_equal_hashes_and_others_have_not() -> None:
    rows = [("Oslo", 1.0), ("Oslo", 2.0), ("Oslo", 1.0), (None, 1.0), ("", 1.0), ("Oslo", None), ("Oslo", 0.0)]
    found = contents(batch(rows), COLUMNS["columns"], SALT).tolist()
    assert found[0] == found[2]
    assert len(set(found)) == 6


def test_the_order_of_columns_and_the_salt_count() -> None:
    made = batch([("Oslo", 1.0)])
    one = contents(made, ["feature.city", "feature.age"], SALT)[0]
    assert one != contents(made, ["feature.age", "feature.city"], SALT)[0]
    assert one != contents(made, ["feature.city", "feature.age"], bytes(32))[0]


@pytest.mark.parametrize(("left", "right"), [(0.0, -0.0), (float("nan"), float("nan"))])
def test_zeros_and_what_is_no_number_are_one(left: float, right: float) -> None:
    found = contents(batch([("Oslo", left), ("Oslo", right)]), COLUMNS["columns"], SALT)
    assert found[0] == found[1]


def test_types_of_text_and_numbers_do_not_matter() -> None:
    plain = placed({"x": pa.array(["a", "b", None]), "n": pa.array([1, 2, None], pa.int64())})
    coded = placed({"x": pa.array(["a", "b", None]).dictionary_encode(), "n": pa.array([1.0, 2.0, None])})
    assert contents(plain, ["x", "n"], SALT).tolist() == contents(coded, ["x", "n"], SALT).tolist()
    flags = placed({"x": pa.array([True, False, None])})
    assert len(set(contents(flags, ["x"], SALT).tolist())) == 3


# --- the state ------------------------------------------------------------------------------------------------------


@calm
@given(rows=rows_)
def test_repeats_are_rows_less_different_rows(rows: list[tuple[Any, Any]]) -> None:
    assert repeated(state(rows)) == (len(rows), len(rows) - len(set(rows)))


@calm
@given(rows=rows_, cut=st.integers(0, 60), seed=st.integers(0, 2**32 - 1))
def test_any_cut_and_order_gives_the_same_bytes(rows: list[tuple[Any, Any]], cut: int, seed: int) -> None:
    whole = repeats.to_bytes(state(rows))
    left, right = state(rows[:cut]), state(rows[cut:], first=min(cut, len(rows)))
    assert repeats.to_bytes(repeats.merged(right, left)) == whole
    made = batch(rows)
    shuffled = made.take(pa.array(np.random.default_rng(seed).permutation(len(rows))))
    assert repeats.to_bytes(repeats.counted(contents(shuffled, COLUMNS["columns"], SALT), shuffled)) == whole


def test_the_first_row_of_a_content_is_kept() -> None:
    found = repeats.merged(state([("Oslo", 1.0)] * 3, first=7, segment="b" * 64), state([("Oslo", 1.0)], first=9))
    assert [(c.times, c.segment, c.row) for c in found] == [(4, "a" * 64, 9)]


def test_of_many_contents_a_sample_is_counted_and_counted_exactly() -> None:
    rng = np.random.default_rng(4)
    ages = np.concatenate([np.arange(20_000.0), rng.choice(20_000, 5_000, replace=False)])
    rng.shuffle(ages)
    rows = [("Oslo", age) for age in ages.tolist()]
    whole = state(rows)
    parts = [state(rows[n : n + 2_500], first=n) for n in range(0, 25_000, 2_500)]
    merged = parts[0]
    for part in parts[1:]:
        merged = repeats.merged(merged, part)
    assert merged == whole
    assert len(whole) == KEPT
    counted, twice = repeated(whole)
    assert twice / counted == pytest.approx(0.2, abs=0.03)
    assert len(repeats.to_bytes(whole)) < 1 << 18


@pytest.mark.parametrize("data", [b"", b"\x92\x02\x90", b"\x92\x01\x91\x91\x01", b"\xc1"])
def test_damaged_bytes_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput, match="no repeats"):
        repeats.from_bytes(data)


def test_counts_by_bucket_add_up_and_sample_the_repeated() -> None:
    found = repeats.counts(state([("Oslo", float(n % 30)) for n in range(40)]), 16)
    assert (found.rows(ALL), found.outcomes(ALL), found.united) == (40, 10, 40)
    assert [ref.row for ref in found.refs(ALL, outcome=True)] == list(range(10))
    assert repeats.counts((), 16).groups == {}


# --- the detector ---------------------------------------------------------------------------------------------------


def windows(share: float, count: int, seed: int) -> list[pa.RecordBatch]:
    rng = np.random.default_rng(seed)
    made = []
    for index in range(count):
        ages = rng.uniform(18, 90, 300)
        again = rng.random(300) < share
        again[0] = False
        ages[again] = rng.choice(ages[~again], int(again.sum()))
        made.append(batch([("Oslo", age) for age in ages.tolist()], first=300 * index))
    return made


def played(watcher: Any, stream: list[pa.RecordBatch]) -> list[Any]:
    sequence, findings = watcher.begin(), []
    for index, made in enumerate(stream):
        found = watcher.evaluate(sequence, watcher.observe(watcher.zero(), made), window(index, made.num_rows))
        sequence = watcher.sequence_from_bytes(watcher.sequence_to_bytes(found.sequence))
        findings += found.findings
    return findings


@pytest.mark.parametrize("limit", [None, 0.05])
def test_rows_that_repeat_as_ever_are_quiet_and_a_file_sent_twice_is_not(limit: float | None) -> None:
    watcher = detector("duplicates", windows_of_reference=20, limit=limit, **COLUMNS)
    assert isinstance(watcher, Converted)
    assert played(watcher, windows(0.02, 60, 1)) == []
    found = played(watcher, windows(0.02, 30, 2) + windows(0.25, 10, 3))
    assert found[0].window.index in range(30, 34)
    assert "share of repeated rows rose to" in found[0].title
    assert found[0].rows
    assert "without a unit" not in found[0].strength.guarantee


def test_a_fix_is_proven_on_the_rows_after_it() -> None:
    watcher = detector("duplicates", limit=0.05, **COLUMNS)
    finding = played(watcher, windows(0.3, 12, 3))[0]
    after = [watcher.observe(watcher.zero(), made) for made in windows(0.01, 12, 5)]
    assert watcher.clearance(finding, after, 0.05).passed
    still = [watcher.observe(watcher.zero(), made) for made in windows(0.3, 12, 6)]
    assert not watcher.clearance(finding, still, 0.05).passed


def test_constant_and_empty_columns_repeat_themselves_and_upset_nothing() -> None:
    watcher = detector("duplicates", windows_of_reference=8, **COLUMNS)
    assert played(watcher, [batch([(None, None)] * 50, first=50 * n) for n in range(40)]) == []


def test_columns_must_be_named() -> None:
    kind = detector_kinds()["duplicates"]
    assert [wrong.parameter for wrong in misfits(kind, {})] == ["columns"]
    assert [wrong.parameter for wrong in misfits(kind, {"columns": []})] == ["columns"]
    assert "by" not in {parameter.name for parameter in kind.parameters}
    assert detector("duplicates", columns=["feature.age"]).columns == ("feature.age",)
