"""Where a file is cut into parts depends on its rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tocsin.adapters.telemetry.chunks import Lines
from tocsin.adapters.telemetry.cutting import ROW_BYTES, Part, Size, parts

TEXTS = st.lists(st.text(st.sampled_from("aé"), max_size=30), max_size=40)


def pieces(texts: list[str], cuts: list[int]) -> Iterator[tuple[pa.RecordBatch, Lines]]:
    """The texts in batches that begin at the cuts."""
    edges = sorted({0, len(texts), *(cut % (len(texts) + 1) for cut in cuts)})
    for low, high in pairwise(edges):
        batch = pa.record_batch(
            {"text": pa.array(texts[low:high], pa.string()), "n": pa.array(range(low, high), pa.int64())}
        )
        yield batch, np.arange(low + 1, high + 1)


def told(found: list[Part]) -> list[tuple[list[str], list[int], bool]]:
    return [
        (part.rows.column("text").to_pylist() if part.rows.num_rows else [], part.lines.tolist(), part.last)
        for part in found
    ]


@given(TEXTS, st.lists(st.integers(0, 100), max_size=8), st.integers(1, 12), st.integers(1, 1_000))
def test_any_batches_of_the_same_rows_give_the_same_parts(
    texts: list[str], cuts: list[int], rows: int, size: int
) -> None:
    limit = Size(rows, size)
    assert told(list(parts(pieces(texts, cuts), limit))) == told(list(parts(pieces(texts, []), limit)))


@given(TEXTS, st.integers(1, 12), st.integers(1, 1_000))
def test_parts_hold_all_rows_in_order_within_both_limits(texts: list[str], rows: int, size: int) -> None:
    found = told(list(parts(pieces(texts, []), Size(rows, size))))
    assert [text for part, _, _ in found for text in part] == texts
    assert [line for _, lines, _ in found for line in lines] == list(range(1, len(texts) + 1))
    assert [last for _, _, last in found] == [False] * (len(found) - 1) + [True]
    for part, _, _ in found:
        assert len(part) <= rows
        assert len(part) == 1 or sum(ROW_BYTES + len(text.encode()) for text in part) <= size or not part


@given(st.integers(1, 50), st.integers(1, 10))
def test_the_last_part_is_empty_only_when_there_is_no_row(count: int, rows: int) -> None:
    found = list(parts(pieces(["x"] * count, []), Size(rows, 1 << 20)))
    assert [part.rows.num_rows for part in found] == [rows] * ((count - 1) // rows) + [(count - 1) % rows + 1]


def test_no_rows_are_one_empty_last_part() -> None:
    (part,) = parts(iter([]), Size())
    assert (part.rows.num_rows, part.lines.tolist(), part.last) == (0, [], True)


def test_a_row_that_is_larger_than_a_part_is_a_part_of_its_own() -> None:
    found = told(list(parts(pieces(["a", "x" * 5_000, "b"], []), Size(10, 1_000))))
    assert [part for part, _, _ in found] == [["a"], ["x" * 5_000], ["b"]]


def test_missing_texts_weigh_nothing() -> None:
    batch = pa.record_batch({"text": pa.array([None, None], pa.string())})
    (part,) = parts([(batch, np.array([1, 2]))], Size(10, 2 * ROW_BYTES))
    assert part.rows.num_rows == 2
