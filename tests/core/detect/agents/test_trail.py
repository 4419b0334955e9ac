"""The state of sessions: it merges exactly, and stays small."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.agents import trail
from tocsin.detect.agents.trail import CELLS_MAX, Cell, Occurred, cell, grouped, merged, observed, zero
from tocsin.model.errors import BadInput

ONE = Occurred("owner", 3, 50, ("seg", 7))
LATER = Occurred("owner", 1, 90, ("seg", 2))


def totals(count: int) -> trail.Totals:
    """So many messages in the first bucket of four."""
    return np.array([count, 0, 0, 0], np.int64)


def test_the_same_thing_twice_is_one_cell() -> None:
    state = observed(totals(2), [cell("call", "g", ONE, amount=2), cell("call", "g", LATER, amount=5)])
    (one,) = state.cells.values()
    assert (one.count, one.amount, one.first, one.last, one.bucket) == (2, 7, 50, 90, 1)
    assert one.rows == (("seg", 2), ("seg", 7))


def test_groups_stand_together_in_order() -> None:
    cells = [cell(kind, group, ONE) for group in ("b", "a") for kind in ("x", "w")]
    assert {name: [one.kind for one in held] for name, held in grouped(observed(totals(0), cells)).items()} == {
        "a": ["w", "x"],
        "b": ["w", "x"],
    }


def test_too_many_cells_keep_the_smallest_groups_whole() -> None:
    names = [f"{n:08x}" for n in range(CELLS_MAX // 2 + 50)]
    cells = [cell(kind, name, ONE) for name in reversed(names) for kind in ("a", "b")]
    state = observed(totals(9), cells)
    assert len(state.cells) == CELLS_MAX
    assert state.overflow == 100
    assert set(grouped(state)) == set(names[: CELLS_MAX // 2])
    half = len(cells) // 2
    parts = merged(observed(totals(4), cells[:half]), observed(totals(5), cells[half:]))
    assert trail.to_bytes(parts) == trail.to_bytes(state)


cells = st.builds(
    Cell,
    st.sampled_from("ab"), st.sampled_from("gh"), st.sampled_from("vw"), st.just("o"),
    st.integers(0, 3), st.text(max_size=3), st.integers(1, 9), st.integers(0, 9), st.integers(0, 99), st.integers(0, 99),
    st.lists(st.tuples(st.just("s"), st.integers(0, 99)), max_size=5, unique=True).map(lambda rows: tuple(sorted(rows))),
)  # fmt: skip


@given(st.lists(cells, max_size=8), st.lists(cells, max_size=8), st.lists(cells, max_size=8))
def test_merging_is_associative_and_commutative(a: list[Cell], b: list[Cell], c: list[Cell]) -> None:
    one, two, three = (observed(totals(n), part) for n, part in enumerate((a, b, c)))
    left = trail.to_bytes(merged(merged(one, two), three))
    assert left == trail.to_bytes(merged(three, merged(two, one)))
    assert left == trail.to_bytes(observed(totals(3), [*c, *a, *b]))


def test_it_reads_back_and_refuses_what_is_no_trail() -> None:
    state = observed(totals(1), [cell("x", "g", ONE)])
    assert trail.to_bytes(trail.from_bytes(trail.to_bytes(state))) == trail.to_bytes(state)
    assert trail.to_bytes(zero(4)) == trail.to_bytes(merged(zero(4), zero(4)))
    for bad in (
        b"",
        b"\xc1",
        msgspec.msgpack.encode((99, b"", [], [], 0)),
        msgspec.msgpack.encode((1, b"123", [], [], 0)),
    ):
        with pytest.raises(BadInput, match="no trail"):
            trail.from_bytes(bad)
