"""Which tokens stand in rows with which outcome: counted by hand, whatever the split, and never more than fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import SALT, placed
from tocsin.detect.streams import presence
from tocsin.detect.streams.presence import BUCKETS, CELLS, SAMPLE, SHOWN_MAX, WORDS_MAX, Presence
from tocsin.model.errors import BadInput

CITY, AGE = "feature.city", "feature.age"
COLUMNS = (CITY, AGE)


def batch(rows: list[dict[str, Any]], first: int = 0, segment: str = "a" * 64) -> pa.RecordBatch:
    types = {CITY: pa.string(), AGE: pa.float64(), "label": pa.bool_(), "unit": pa.string()}
    return placed(
        {name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()}, first, segment
    )


def row(city: str | None, label: bool | None, age: float | None = None, unit: str | None = "u") -> dict[str, Any]:
    return {CITY: city, AGE: age, "label": label, "unit": unit}


def observed(rows: list[dict[str, Any]], *, words: bool = False, columns: tuple[str, ...] = COLUMNS) -> Presence:
    return presence.observed(batch(rows), columns, "label", SALT, words=words)


def counted(state: Presence, token: str) -> tuple[int, int]:
    """Rows and outcomes of the token's cell."""
    rows, hits = state.cell(presence._cell(token, SALT)).sum(axis=1)
    return int(rows), int(hits)


def test_values_are_counted_with_their_outcome() -> None:
    state = observed([row("Oslo", True), row("Oslo", False), row("Roma", True), row("Oslo", None), row(None, True)])
    assert (state.rows, state.outcomes) == (4, 3)
    assert counted(state, "city=Oslo") == (2, 1)
    assert counted(state, "city=Roma") == (1, 1)
    assert int(state.counts[0].sum()) == 3


def test_numbers_are_values_too_and_columns_are_told_apart() -> None:
    state = observed([row("7", True, 7.0), row(None, False, 7.0)])
    assert counted(state, "city=7") == (1, 1)
    assert counted(state, f"age={pa.array([7.0]).cast(pa.string())[0]}") == (2, 1)


def test_words_count_once_a_row_in_any_case() -> None:
    state = observed([row("Buy now, BUY cf", True), row("buy later", False)], words=True, columns=(CITY,))
    assert counted(state, "city=buy") == (2, 1)
    assert counted(state, "city=cf") == (1, 1)
    assert counted(state, "city=Buy now, BUY cf") == (0, 0)


@pytest.mark.parametrize("text", ["", "...", None])
def test_rows_without_a_word_count_as_rows_only(text: str | None) -> None:
    state = observed([row(text, True)], words=True, columns=(CITY,))
    assert (state.rows, state.outcomes, int(state.counts.sum()), dict(state.samples)) == (1, 1, 0, {})


def test_of_a_text_without_end_the_first_words_are_taken() -> None:
    text = " ".join(f"w{n}" for n in range(WORDS_MAX + 50))
    state = observed([row(text, True)], words=True, columns=(CITY,))
    assert int(state.counts[0].sum()) <= WORDS_MAX
    assert counted(state, f"city=w{WORDS_MAX - 1}")[0] == 1


def test_all_rows_of_a_unit_fall_into_one_bucket_and_rows_without_one_do_not() -> None:
    same = observed([row("Oslo", True)] * 40)
    loose = observed([row("Oslo", True, unit=None)] * 400)
    cell = presence._cell("city=Oslo", SALT)
    assert np.count_nonzero(same.cell(cell)[0]) == 1
    assert np.count_nonzero(loose.cell(cell)[0]) > BUCKETS // 2


def test_the_token_and_its_rows_are_shown_by_outcome() -> None:
    state = observed([row("Oslo", True), row("Oslo", True), row("Oslo", False)])
    cell = presence._cell("city=Oslo", SALT)
    assert state.token(cell, outcome=True) == state.token(cell, outcome=False) == "city=Oslo"
    assert [ref.row for ref in state.refs(cell, outcome=True)] == [0, 1]
    assert [ref.row for ref in state.refs(cell, outcome=False)] == [2]
    assert state.token((cell + 1) % CELLS, outcome=True) == ""
    assert state.refs((cell + 1) % CELLS, outcome=True) == ()


def test_samples_are_few_and_tokens_short() -> None:
    state = observed([row("x" * 500, True)] * 50, columns=(CITY,))
    (places,) = state.samples.values()
    assert len(places) == SAMPLE
    assert all(len(place.token) == SHOWN_MAX for place in places)


def test_ten_thousand_values_stay_bounded() -> None:
    state = observed([row(f"city {n}", n % 2 == 0, float(n)) for n in range(10_000)])
    assert len(presence.to_bytes(state)) < 1 << 20
    assert int(state.counts[0].sum()) <= 20_000


ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(["Oslo", "Roma", "", "東京", "a b c", None]),
        st.sampled_from([True, False, None]),
        st.sampled_from([1.0, float("inf"), float("nan"), None]),
        st.sampled_from(["u", "v", None]),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=40)
@given(ROWS, st.integers(0, 30), st.booleans())
def test_any_split_gives_the_same_bytes(rows: list[dict[str, Any]], cut: int, words: bool) -> None:
    def part(chosen: list[dict[str, Any]], first: int) -> Presence:
        return presence.observed(batch(chosen, first), COLUMNS, "label", SALT, words=words)

    whole, left, right = part(rows, 0), part(rows[:cut], 0), part(rows[cut:], min(cut, len(rows)))
    data = presence.to_bytes(whole)
    assert presence.to_bytes(presence.merged(right, left)) == data
    assert presence.to_bytes(presence.from_bytes(data)) == data
    assert presence.to_bytes(presence.merged(whole, presence.zero())) == data


@pytest.mark.parametrize(
    "data", [b"", b"\x95\x01", b"\x96\x09\x00\x00\xc4\x00\x90\x90", b"\x96\x01\x05\x00\xc4\x00\x90\x90"]
)
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="these bytes are no tokens"):
        presence.from_bytes(data)


def test_another_salt_puts_tokens_elsewhere() -> None:
    cells = {presence._cell("city=Oslo", bytes([n]) * 32) for n in range(20)}
    assert len(cells) > 15
