"""The window state of text: what merges, what stays bounded, what stays true."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.text import tally
from tocsin.detect.text.tally import ENTRIES_MAX, REFS_MAX, TYPED_MAX, Entry, Marked, Tally
from tocsin.model.errors import BadInput
from tocsin.model.finding import RowRef

BUCKETS = 4


def entry(
    value: str = "v", count: int = 1, rows: tuple[tuple[str, int], ...] = (("a", 0),), shown: str = "[iban]"
) -> Entry:
    return Entry("iban", "assistant", value, f"mark of {value}", shown, count, rows)


entries = st.dictionaries(
    st.integers(0, 12).map(lambda n: f"{n:02x}"),
    st.builds(
        entry,
        st.just("v"),
        st.integers(1, 9),
        st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), max_size=3, unique=True).map(
            lambda r: tuple(sorted(r))
        ),
        st.sampled_from(["[x]", "[y]"]),
    ),
)
marked = st.dictionaries(
    st.sampled_from(["k1", "k2", "k3"]),
    st.builds(Marked, st.just(1), st.just(("m1", "m2")), st.integers(1, 9)),
)
tallies = st.builds(
    Tally,
    st.lists(st.integers(0, 50), min_size=2 * BUCKETS, max_size=2 * BUCKETS).map(
        lambda c: np.array(c, np.int64).reshape(2, BUCKETS)
    ),
    entries,
    st.frozensets(st.sampled_from(["m1", "m2", "m3"])),
    marked,
    st.integers(0, 3),
    st.integers(0, 3),
)


def told(state: Tally) -> bytes:
    return tally.to_bytes(state)


@given(tallies, tallies, tallies)
def test_merging_is_a_commutative_monoid(a: Tally, b: Tally, c: Tally) -> None:
    assert told(tally.merged(a, b)) == told(tally.merged(b, a))
    assert told(tally.merged(a, tally.merged(b, c))) == told(tally.merged(tally.merged(a, b), c))
    assert told(tally.merged(a, tally.zero(BUCKETS))) == told(a)


@given(tallies)
def test_bytes_read_back(state: Tally) -> None:
    assert told(tally.from_bytes(told(state))) == told(state)


def many(start: int, stop: int) -> Tally:
    held = {f"{n:08x}": entry(str(n), count=2) for n in range(start, stop)}
    return Tally(np.zeros((2, BUCKETS), np.int64), held, frozenset(f"{n:08x}" for n in range(start, stop)))


def test_the_smallest_digests_are_kept_with_true_counts_and_the_rest_is_counted() -> None:
    whole = many(0, 3 * ENTRIES_MAX)
    parts = [tally.bounded(many(n, 3 * ENTRIES_MAX)) for n in (0, ENTRIES_MAX)]
    once = tally.bounded(whole)
    assert sorted(once.entries) == [f"{n:08x}" for n in range(ENTRIES_MAX)]
    assert once.overflow == 2 * 2 * ENTRIES_MAX
    both = tally.merged(*parts)
    assert len(both.entries) == ENTRIES_MAX
    assert all(both.entries[key].count == 2 for key in both.entries)
    assert len(tally.merged(many(0, TYPED_MAX), many(TYPED_MAX, 2 * TYPED_MAX)).typed) == TYPED_MAX


def test_messages_that_hold_nothing_but_what_was_typed_are_not_flagged() -> None:
    counts = np.array([[9, 9, 9, 9], [1, 5, 0, 0]], np.int64)
    held = {"a": Marked(0, ("m1",), 1), "b": Marked(1, ("m1", "m2"), 3), "c": Marked(1, ("m1",), 2)}
    some = Tally(counts, {}, frozenset({"m1"}), held)
    assert tally.judged(some).tolist() == [[9, 9, 9, 9], [0, 3, 0, 0]]
    assert tally.judged(Tally(counts, {}, frozenset({"m1"}))).tolist() == counts.tolist()
    lost = Tally(counts, {}, frozenset(), {"b": held["b"]})
    assert tally.judged(lost).tolist() == [[9, 9, 9, 9], [0, 3, 0, 0]]


def test_one_thing_seen_in_two_parts_is_one_with_its_first_rows() -> None:
    left = entry(count=3, rows=tuple(("a", n) for n in range(4)), shown="[b]")
    right = entry(count=4, rows=tuple(("a", n) for n in range(2, 9)), shown="[a]")
    assert tally.joined(left, right) == entry(count=7, rows=tuple(("a", n) for n in range(REFS_MAX)), shown="[a]")
    assert tally.joined(left, right) == tally.joined(right, left)


def test_rows_of_findings_come_in_stored_order_and_bounded() -> None:
    rows = tally.refs([entry(rows=(("b", 1), ("b", 2))), entry(rows=(("a", 7), ("b", 1)))], 3)
    assert rows == (RowRef("a", 7), RowRef("b", 1), RowRef("b", 2))
    assert tally.refs([], 3) == ()


def test_digests_are_keyed_and_tell_nothing_without_the_key() -> None:
    mine, same, other, key = (
        tally.digest(salt, *parts)
        for salt, parts in (
            (b"k" * 32, ("a", "b")),
            (b"k" * 32, ("a", "b")),
            (b"k" * 32, ("ab",)),
            (b"q" * 32, ("a", "b")),
        )
    )
    assert mine == same
    assert len({mine, other, key}) == 3
    assert len(mine) == 16


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        msgspec.msgpack.encode([tally.VERSION - 1, 1, b"\0" * 16, [], [], [], 0, 0]),
        msgspec.msgpack.encode([tally.VERSION, 3, b"\0" * 16, [], [], [], 0, 0]),
        msgspec.msgpack.encode([tally.VERSION, 1, b"\0" * 15, [], [], [], 0, 0]),
        msgspec.msgpack.encode({"version": 1}),
    ],
)
def test_damaged_bytes_and_other_versions_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="no tally"):
        tally.from_bytes(data)
