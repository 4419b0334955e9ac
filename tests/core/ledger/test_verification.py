"""Every way to tamper is found, and the event is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.ledger.checkpoint import Checkpoint
from tocsin.ledger.encoding import decode, encode
from tocsin.ledger.tree import leaf_hash, root_of
from tocsin.ledger.verification import GENESIS, Row, chain_hash, verify
from tocsin.model.errors import Refused
from tocsin.model.event import Event

AT = datetime(2026, 10, 1, tzinfo=UTC)


def _bytes(stream: str, version: int, note: object = "") -> bytes:
    return encode(stream, version, Event("note_added", AT, "okafor", {"text": note}))


def _chained(bodies: Sequence[tuple[str, int, bytes]], kind: str = "note_added") -> list[Row]:
    rows, chain = [], GENESIS
    for sequence, (stream, version, data) in enumerate(bodies, start=1):
        leaf = leaf_hash(data)
        chain = chain_hash(chain, leaf)
        rows.append(Row(sequence, stream, version, kind, data, leaf, chain))
    return rows


def _ledger(count: int = 9) -> list[Row]:
    streams = ["incident/a", "incident/b", "telemetry/x"]
    versions = dict.fromkeys(streams, 0)
    bodies = []
    for number in range(count):
        stream = streams[number % 3]
        versions[stream] += 1
        bodies.append((stream, versions[stream], _bytes(stream, versions[stream], f"text {number}")))
    return _chained(bodies)


def _head(rows: Sequence[Row]) -> Checkpoint:
    return Checkpoint("o", len(rows), root_of(row.leaf for row in rows))


def test_an_untouched_ledger_verifies_with_every_checkpoint_of_its_past() -> None:
    rows = _ledger()
    heads = [_head(rows[:size]) for size in range(10)]
    result = verify(rows, heads)
    assert result.ok
    assert (result.size, result.root, result.checkpoints) == (9, root_of(r.leaf for r in rows), 10)


def test_the_empty_ledger_verifies() -> None:
    assert verify([]).ok


def _edited(rows: list[Row]) -> list[Row]:
    rows[3] = rows[3]._replace(data=rows[3].data.replace(b"text 3", b"text 9"))
    return rows


def _edited_and_rehashed(rows: list[Row]) -> list[Row]:
    data = rows[3].data.replace(b"text 3", b"text 9")
    rows[3] = rows[3]._replace(data=data, leaf=leaf_hash(data))
    return rows


def _removed(rows: list[Row]) -> list[Row]:
    return rows[:3] + rows[4:]


def _removed_and_renumbered(rows: list[Row]) -> list[Row]:
    return rows[:3] + [row._replace(sequence=row.sequence - 1) for row in rows[4:]]


def _swapped(rows: list[Row]) -> list[Row]:
    rows[3], rows[4] = rows[4], rows[3]
    return rows


def _inserted(rows: list[Row]) -> list[Row]:
    data = _bytes("incident/a", 2, "forged")
    leaf = leaf_hash(data)
    return [*rows[:3], Row(4, "incident/a", 2, "note_added", data, leaf, chain_hash(rows[2].chain, leaf)), *rows[3:]]


def _renamed_kind(rows: list[Row]) -> list[Row]:
    rows[3] = rows[3]._replace(kind="incident_closed")
    return rows


def _moved_to_another_stream(rows: list[Row]) -> list[Row]:
    rows[3] = rows[3]._replace(stream="incident/z", version=1)
    return rows


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_edited, "bytes were changed"),
        (_edited_and_rehashed, "does not follow"),
        (_removed, "missing before it"),
        (_removed_and_renumbered, "does not follow"),
        (_swapped, "missing before it"),
        (_inserted, "reordered or inserted"),
        (_renamed_kind, "another stream, version or kind"),
        (_moved_to_another_stream, "another stream, version or kind"),
    ],
)
def test_tampering_is_found_and_the_event_named(tamper: Callable[[list[Row]], list[Row]], words: str) -> None:
    result = verify(tamper(_ledger()))
    assert not result.ok
    told = [str(fault) for fault in result.faults]
    assert any(words in line for line in told), told
    assert result.faults[0].sequence in (4, 5)


def test_one_changed_event_is_one_fault_and_not_an_avalanche() -> None:
    assert len(verify(_edited(_ledger(300))).faults) == 1


def test_a_cut_tail_shows_only_against_a_checkpoint() -> None:
    rows = _ledger()
    assert verify(rows[:6]).ok
    faults = verify(rows[:6], [_head(rows)]).faults
    assert [fault.what for fault in faults] == ["a checkpoint covers 9 events but only 6 are here: truncated"]


def test_a_history_rewritten_as_a_whole_shows_only_against_a_checkpoint() -> None:
    rows = _ledger()
    other = _chained([(r.stream, r.version, r.data.replace(b"text 3", b"text 9")) for r in rows])
    assert verify(other).ok
    assert "rewritten" in verify(other, [_head(rows)]).faults[0].what


def test_a_wrong_checkpoint_of_the_empty_ledger_is_found() -> None:
    assert not verify(_ledger(), [Checkpoint("o", 0, bytes(32))]).ok


@given(st.integers(0, 8), st.integers(0, 400), st.integers(1, 255))
def test_no_flipped_byte_of_any_event_goes_unnoticed(index: int, place: int, flip: int) -> None:
    rows = _ledger()
    data = bytearray(rows[index].data)
    data[place % len(data)] ^= flip
    rows[index] = rows[index]._replace(data=bytes(data))
    result = verify(rows)
    assert [fault.sequence for fault in result.faults] == [index + 1]


@given(st.text(max_size=30), st.text(min_size=1, max_size=12))
def test_events_with_any_text_verify_and_read_back(text: str, stream: str) -> None:
    rows = _chained([(stream, 1, _bytes(stream, 1, text))])
    assert verify(rows).ok
    assert decode(rows[0].data).data == {"text": text}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1.0, float("-inf")], {"a": float("nan")}])
def test_what_json_cannot_hold_is_never_stored(value: object) -> None:
    with pytest.raises(AssertionError, match="NaN or infinity"):
        _bytes("s", 1, value)


def test_bytes_that_are_no_event_are_refused_with_a_remedy() -> None:
    with pytest.raises(Refused, match="tocsin verify"):
        decode(b"not json")


def test_a_naive_time_never_becomes_an_event() -> None:
    with pytest.raises(AssertionError, match="naive"):
        Event("note_added", datetime(2026, 1, 1), "x")  # noqa: DTZ001 - that is the point
