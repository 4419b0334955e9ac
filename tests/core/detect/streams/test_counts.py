"""Counts per group and bucket: integers that merge exactly, bounded, in versioned bytes; and the buckets that units fall into."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import SALT, placed
from tocsin.detect.streams import counts
from tocsin.detect.streams.buckets import buckets, mixed
from tocsin.detect.streams.counts import GROUPS_MAX, SAMPLE, Group, GroupCounts
from tocsin.model.errors import BadInput
from tocsin.model.finding import RowRef
from tocsin.model.telemetry import ROW, SEGMENT

OTHER = bytes(range(1, 33))
Row = tuple[str, bool, str | None]


def counted(rows: list[Row], first: int = 0, count: int = 4) -> GroupCounts:
    batch = placed({"group": pa.array([g for g, _, _ in rows])}, first)
    group = pa.array([g for g, _, _ in rows], pa.string()).dictionary_encode()
    outcome = pa.array([o for _, o, _ in rows], pa.bool_())
    return counts.counted(group, outcome, pa.array([u for _, _, u in rows], pa.string()), batch, count, SALT)


# --- counting -------------------------------------------------------------------------------------------------------


def test_rows_and_outcomes_are_counted_per_group() -> None:
    state = counted([("f", True, None), ("m", False, None), ("f", False, None), ("f", True, None)])
    assert (state.rows("f"), state.outcomes("f"), state.rows("m"), state.outcomes("m")) == (3, 2, 1, 0)
    assert state.counts("f").tolist() == [[3, 0, 0, 0], [2, 0, 0, 0]]
    assert state.united == 0


def test_a_group_that_is_absent_has_no_rows() -> None:
    state = counts.zero(4)
    assert (state.rows("x"), state.outcomes("x"), state.refs("x", outcome=True)) == (0, 0, ())
    assert state.counts("x").tolist() == [[0] * 4] * 2


def test_a_unit_stays_in_its_bucket_and_rows_with_a_unit_are_counted() -> None:
    state = counted([("f", True, "ann"), ("m", True, "ann"), ("f", False, "ann"), ("f", True, None)], count=64)
    (bucket,) = np.flatnonzero(state.counts("m")[0])
    assert state.counts("f")[0][bucket] == 2
    assert state.united == 3


def test_samples_name_rows_of_each_outcome_in_stored_order() -> None:
    state = counted([("f", n % 3 == 0, None) for n in range(9)], first=100)
    assert state.refs("f", outcome=True) == tuple(RowRef("a" * 64, 100 + n) for n in (0, 3, 6))
    assert len(state.refs("f", outcome=False)) == 6


def test_samples_are_bounded_however_many_rows_there_are() -> None:
    state = counted([("f", False, None)] * 500)
    assert len(state.refs("f", outcome=False)) == SAMPLE
    assert counts.merged(state, counted([("f", False, None)] * 500, first=500)).rows("f") == 1_000


# --- the monoid -----------------------------------------------------------------------------------------------------

rows_of_three = st.lists(
    st.tuples(st.sampled_from("abc"), st.booleans(), st.one_of(st.none(), st.sampled_from(["u", "v", "w"]))),
    min_size=1,
    max_size=60,
)


@settings(deadline=None)
@given(rows_of_three, st.data())
def test_any_cut_merges_to_the_same_bytes(rows: list[Row], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(rows)))
    parts = [counted(rows[:cut])] + ([counted(rows[cut:], first=cut)] if cut < len(rows) else [])
    assert counts.to_bytes(counts.total(reversed(parts), 4)) == counts.to_bytes(counted(rows))


@settings(deadline=None)
@given(rows_of_three, rows_of_three, rows_of_three)
def test_merging_is_a_commutative_monoid(a: list[Row], b: list[Row], c: list[Row]) -> None:
    x, y, z = counted(a), counted(b, first=100), counted(c, first=200)

    def told(state: GroupCounts) -> bytes:
        return counts.to_bytes(state)

    assert told(counts.merged(x, y)) == told(counts.merged(y, x))
    assert told(counts.merged(counts.merged(x, y), z)) == told(counts.merged(x, counts.merged(y, z)))
    assert told(counts.merged(x, counts.zero(4))) == told(x)


def test_merging_leaves_its_arguments_alone() -> None:
    x, y = counted([("f", True, None)]), counted([("f", False, None), ("m", True, None)], first=5)
    before = counts.to_bytes(x), counts.to_bytes(y)
    counts.merged(x, y)
    assert (counts.to_bytes(x), counts.to_bytes(y)) == before


def test_of_too_many_groups_the_same_are_kept_in_any_order_and_the_rest_is_counted() -> None:
    names = [f"g{n}" for n in range(GROUPS_MAX + 20)]
    kept = sorted(names, key=lambda name: sha256(name.encode()).digest())[:GROUPS_MAX]
    parts = [counted([(name, True, None)], first=n) for n, name in enumerate(names)]
    forward, backward = counts.total(parts, 4), counts.total(reversed(parts), 4)
    assert counts.to_bytes(forward) == counts.to_bytes(backward)
    assert set(forward.groups) == set(kept)
    assert forward.overflow == 20
    assert len(counts.to_bytes(forward)) < 32 << 10


# --- bytes ----------------------------------------------------------------------------------------------------------


def test_bytes_read_back() -> None:
    state = counted([("f", True, "u"), ("Ünï", False, None)])
    again = counts.from_bytes(counts.to_bytes(state))
    assert counts.to_bytes(again) == counts.to_bytes(state)
    assert again.counts("f").dtype == np.int64
    assert again.united == 1


def test_the_bytes_are_pinned() -> None:
    """What was written once must be read in ten years: this digest may change only with the version."""
    digest = sha256(counts.to_bytes(counted([("f", True, "u"), ("m", False, None)]))).hexdigest()
    assert digest[:16] == "37f9936f2672a210"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode((2, 4, 0, 0, [])),
        msgspec.msgpack.encode((1, 4, 0, 0, [("f", b"123", (), ())])),
        msgspec.msgpack.encode((1, 4, 0, 0, [("f", bytes(8), (), ())])),
        msgspec.msgpack.encode((1, 4, "none", 0, [])),
    ],
)
def test_damaged_or_unknown_bytes_are_refused_with_a_remedy(damaged: bytes) -> None:
    with pytest.raises(BadInput, match="no group counts") as caught:
        counts.from_bytes(damaged)
    assert "count the window again" in str(caught.value)


# --- sums and the design effect -------------------------------------------------------------------------------------


def test_folding_sums_over_buckets() -> None:
    assert counts.folded(np.array([[3, 0, 4], [1, 0, 2]])) == (7, 3)


def test_the_design_effect_by_hand() -> None:
    """Two people of four rows, one always approved, one never: rate 1/2, sum of squares 2^2 + 2^2 = 8, spread 8/4 = 2."""
    assert counts.design(np.array([[4, 4], [4, 0]])) == 4
    assert counts.design(np.array([[1, 1, 1, 1], [1, 0, 1, 0]])) == 1
    assert counts.design(np.array([[5], [0]])) == 1
    assert counts.design(np.zeros((2, 3), np.int64)) == 1


# --- buckets --------------------------------------------------------------------------------------------------------


def test_a_unit_has_one_bucket_whoever_stands_beside_it_and_however_it_is_encoded() -> None:
    alone = buckets(pa.array(["ann"]), 256, SALT)[0]
    many = pa.array([f"u{n}" for n in range(500)] + ["ann"])
    assert buckets(many, 256, SALT)[-1] == alone
    assert (buckets(many.dictionary_encode(), 256, SALT) == buckets(many, 256, SALT)).all()
    assert (buckets(many.cast(pa.large_string()), 256, SALT) == buckets(many, 256, SALT)).all()


def test_the_salt_decides_and_nobody_without_it_can_choose_his_bucket() -> None:
    units = pa.array([f"u{n}" for n in range(200)])
    assert (buckets(units, 256, SALT) == buckets(units, 256, SALT)).all()
    assert (buckets(units, 256, SALT) != buckets(units, 256, OTHER)).mean() > 0.9


def test_buckets_are_filled_evenly() -> None:
    """20,000 units in 256 buckets: chi-square has mean 255 and standard deviation 22.6."""
    found = np.bincount(buckets(pa.array([f"u{n}" for n in range(20_000)]), 256, SALT), minlength=256)
    expected = 20_000 / 256
    assert abs(float(((found - expected) ** 2 / expected).sum()) - 255) < 4 * 22.6


def test_rows_without_a_unit_share_a_bucket() -> None:
    assert buckets(pa.array([None, "ann", None]), 256, SALT)[[0, 2]].tolist() == [0, 0]
    assert buckets(pa.nulls(3, pa.string()), 256, SALT).tolist() == [0, 0, 0]
    assert buckets(pa.array([], pa.string()), 256, SALT).tolist() == []


def test_one_bucket_needs_no_hash() -> None:
    assert buckets(pa.array(["a", "b", None]), 1, SALT).tolist() == [0, 0, 0]


def test_the_order_of_a_sample_depends_on_the_place_of_the_row_and_the_salt_alone() -> None:
    batch = placed({"x": pa.array(range(50))}, first=10)
    whole = mixed(batch.column(SEGMENT), batch.column(ROW), SALT)
    part = batch.slice(20, 5)
    assert (mixed(part.column(SEGMENT), part.column(ROW), SALT) == whole[20:25]).all()
    assert len(set(whole.tolist())) == 50
    assert (mixed(batch.column(SEGMENT), batch.column(ROW), OTHER) != whole).all()
    elsewhere = placed({"x": pa.array(range(50))}, first=10, segment="b" * 64)
    assert (mixed(elsewhere.column(SEGMENT), elsewhere.column(ROW), SALT) != whole).all()


def test_a_group_is_counts_and_two_samples() -> None:
    assert Group._fields == ("counts", "negative", "positive")
