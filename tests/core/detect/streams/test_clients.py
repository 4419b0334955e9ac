"""The state of clients: who asked what is counted exactly, however rows are split, and people are named by digest only."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import SALT, placed
from tocsin.detect.streams import clients
from tocsin.detect.streams.buckets import keyed
from tocsin.detect.streams.clients import CELLS, REGIONS, SAMPLE, Clients
from tocsin.model.errors import BadInput
from tocsin.model.finding import RowRef

COLUMNS = ("feature.x", "feature.town")
calm = settings(max_examples=60, deadline=None)
asked_ = st.lists(
    st.tuples(
        st.sampled_from(["anna", "ben", "cleo", None]),
        st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
        st.one_of(st.none(), st.floats(-1e9, 1e9), st.sampled_from([0.0, -0.0, float("nan"), float("inf")])),
        st.sampled_from(["Oslo", "Roma", "", None]),
    ),
    max_size=40,
)


def rows(asked: list[Any], first: int = 0) -> pa.RecordBatch:
    """Rows of (unit, score, x, town)."""
    unit, score, x, town = zip(*asked, strict=True) if asked else ((), (), (), ())
    return placed(
        {
            "unit": pa.array(unit, pa.string()),
            "score": pa.array(score, pa.float64()),
            "feature.x": pa.array(x, pa.float64()),
            "feature.town": pa.array(town, pa.string()),
        },
        first,
    )


def counted(asked: list[Any], first: int = 0, columns: tuple[str, ...] = COLUMNS) -> Clients:
    return clients.counted(rows(asked, first), columns, 0.5, 0.05, SALT)


def cell(unit: str) -> int:
    return keyed(unit, SALT) % CELLS


def regions(values: list[float | None]) -> int:
    """How many regions these values of x fill."""
    state = counted([("anna", 0.1, value, "Oslo") for value in values])
    return int(np.count_nonzero(state.visits[cell("anna")]))


@calm
@given(left=asked_, right=asked_)
def test_any_split_gives_the_same_bytes(left: list[Any], right: list[Any]) -> None:
    both = clients.to_bytes(counted(left + right))
    one, other = counted(left), counted(right, first=len(left))
    assert clients.to_bytes(clients.merged(one, other)) == both
    assert clients.to_bytes(clients.merged(other, one)) == both
    assert clients.to_bytes(clients.merged(clients.zero(), clients.from_bytes(both))) == both


@calm
@given(asked=asked_)
def test_each_row_with_a_unit_is_counted_once(asked: list[Any]) -> None:
    state = counted(asked)
    for unit in ("anna", "ben", "cleo"):
        mine = [one for one in asked if one[0] == unit]
        assert state.rows[cell(unit)] == len(mine)
        scored = [one[1] for one in mine if one[1] is not None and not np.isnan(one[1])]
        assert state.scored[0, cell(unit)] == len(scored)
        assert state.scored[1, cell(unit)] == sum(abs(score - 0.5) < 0.05 for score in scored)
        assert len(state.sample.get(cell(unit), ())) == min(SAMPLE, len(mine))
    assert state.rows.sum() == sum(one[0] is not None for one in asked)


@calm
@given(asked=asked_)
def test_the_sample_is_of_the_clients_own_rows(asked: list[Any]) -> None:
    state = counted(asked)
    for place, sample in state.sample.items():
        assert list(sample) == sorted(sample)
        for _, digest, segment, row in sample:
            unit = asked[row][0]
            assert segment == "a" * 64
            assert (cell(unit), keyed(unit, SALT)) == (place, digest)


def test_the_three_names_fall_into_three_cells() -> None:
    assert len({cell(unit) for unit in ("anna", "ben", "cleo")}) == 3


def test_near_is_closer_than_the_margin() -> None:
    scores = [0.45, 0.46, 0.5, 0.54, 0.56, 0.0, 1.0, None, float("nan"), float("inf"), float("-inf")]
    state = counted([("anna", score, 1.0, "Oslo") for score in scores])
    assert state.scored[:, cell("anna")].tolist() == [9, 3 + (abs(0.45 - 0.5) < 0.05)]
    assert state.rows[cell("anna")] == 11


@pytest.mark.parametrize(
    ("values", "filled"),
    [
        ([32.0, 40.0, 63.9], 1),
        ([31.9, 32.0], 2),
        ([1.0, -1.0], 2),
        ([0.0, -0.0], 1),
        ([float("nan"), None], 2),
        ([None, None], 1),
        ([float("inf"), float("-inf")], 2),
    ],
)
def test_numbers_of_one_octave_are_one_region(values: list[float | None], filled: int) -> None:
    assert regions(values) == filled


def test_two_columns_make_a_region_together() -> None:
    asked = [("anna", 0.1, x, town) for x in (1.0, 2.0) for town in ("Oslo", "Roma")]
    assert np.count_nonzero(counted(asked).visits) == 4
    assert np.count_nonzero(counted(asked, columns=("feature.town",)).visits) == 2
    assert np.count_nonzero(counted(asked, columns=()).visits) == 1


def test_whole_numbers_and_columns_of_codes_count_too() -> None:
    batch = placed(
        {
            "unit": pa.array(["anna"] * 3).dictionary_encode(),
            "score": pa.array([0, 1, None], pa.int64()),
            "feature.x": pa.array([4, 5, 8], pa.int64()),
            "feature.town": pa.array(["Oslo", "Oslo", "Oslo"]).dictionary_encode(),
        }
    )
    state = clients.counted(batch, COLUMNS, 0.5, 0.05, SALT)
    assert sorted(state.visits[state.visits > 0].tolist()) == [1, 2]
    assert state.scored[:, cell("anna")].tolist() == [2, 0]


def test_scores_of_text_are_no_scores() -> None:
    batch = placed({"unit": pa.array(["anna"]), "score": pa.array(["0.5"])})
    assert clients.counted(batch, (), 0.5, 0.05, SALT).scored.sum() == 0


def test_rows_of_nobody_are_passed_over() -> None:
    nobody = counted([(None, 0.5, 1.0, "Oslo")] * 9)
    assert clients.to_bytes(nobody) == clients.to_bytes(clients.zero())
    assert not nobody.sample


def test_the_client_is_named_by_most_of_the_sampled_rows() -> None:
    segment = "a" * 64
    sample = {3: ((1, 70, segment, 9), (2, 80, segment, 4), (3, 70, segment, 2))}
    state = Clients(*clients.zero()[:2], sample)
    assert state.client(3) == (70, 2, 3)
    assert state.refs(3) == (RowRef(segment, 2), RowRef(segment, 4), RowRef(segment, 9))


def test_another_salt_scatters_clients_and_regions_anew() -> None:
    asked = [("anna", 0.5, float(x), "Oslo") for x in (1, 2, 4)]
    other = clients.counted(rows(asked), COLUMNS, 0.5, 0.05, bytes(32))
    mine = counted(asked)
    assert mine.visits.sum() == other.visits.sum() == 3
    assert clients.to_bytes(mine) != clients.to_bytes(other)


def test_no_name_stands_in_the_state() -> None:
    data = clients.to_bytes(counted([("anna.albers@nordpost.eu", 0.5, 1.0, "Oslo")] * 9))
    assert b"anna" not in data
    assert b"Oslo" not in data


def test_a_full_state_is_bounded() -> None:
    sample = {place: tuple((2**63, 2**63, "a" * 64, 2**40) for _ in range(SAMPLE)) for place in range(CELLS)}
    full = Clients(np.full((CELLS, REGIONS), 2**40), np.full((2, CELLS), 2**40), sample)
    data = clients.to_bytes(full)
    assert len(data) < 1 << 20
    assert clients.to_bytes(clients.from_bytes(data)) == data


@pytest.mark.parametrize(
    "told",
    [
        (2, b"", b"", bytes(16 * CELLS), {}),
        (1, b"\x01", b"", bytes(16 * CELLS), {}),
        (1, b"\x01\x00", bytes(16), bytes(16 * CELLS), {}),
        (1, b"", b"", bytes(8), {}),
        (1, b"", b"", bytes(16 * CELLS), {"x": 1}),
        (1, b"", b""),
    ],
)
def test_bytes_of_another_kind_are_bad_input(told: Any) -> None:
    with pytest.raises(BadInput, match="no clients"):
        clients.from_bytes(msgspec.msgpack.encode(told))


@calm
@given(asked=asked_, seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(asked: list[Any], seed: int) -> None:
    batch = rows(asked)
    shuffled = batch.take(pa.array(np.random.default_rng(seed).permutation(len(asked)), pa.int64()))
    state = clients.counted(shuffled, COLUMNS, 0.5, 0.05, SALT)
    assert clients.to_bytes(state) == clients.to_bytes(counted(asked))


@calm
@given(asked=asked_, copies=st.integers(2, 5))
def test_asking_again_fills_no_further_region(asked: list[Any], copies: int) -> None:
    once, often = counted(asked), counted(asked * copies)
    assert np.array_equal(often.visits, copies * once.visits)
    assert np.array_equal(often.scored, copies * once.scored)


@pytest.mark.parametrize("margin", [0.0, 0.01, 0.3, 2.0])
def test_a_wider_margin_holds_at_least_the_same_rows(margin: float) -> None:
    scores = np.linspace(0, 1, 101)
    batch = rows([("anna", score, 1.0, "Oslo") for score in scores])
    near = clients.counted(batch, COLUMNS, 0.5, margin, SALT).scored[1].sum()
    assert near == np.count_nonzero(np.abs(scores - 0.5) < margin)
