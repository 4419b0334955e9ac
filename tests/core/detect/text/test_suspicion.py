"""The sieve: exact about runs and rows wherever they lie, in arrays of any form."""

from __future__ import annotations

import base64
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.text import suspicion
from tocsin.detect.text.decoders import LEET, LURES, Mark
from tocsin.detect.text.suspicion import CHUNK_BYTES, RUN_ASKED, suspects

SECRET = base64.b64encode(b"a secret word").rstrip(b"=")
PARTS = st.one_of(
    st.sampled_from([b" ", b".", b"word ", SECRET, SECRET + b"== ", b"\n", b"a", b"Q", "é".encode()]),
    st.binary(max_size=6),
)
ROWS = st.lists(st.lists(PARTS, max_size=8).map(b"".join), max_size=6)


def column(rows: list[bytes]) -> pa.Array:
    return pa.array(rows, pa.large_binary())


def of(mark: Mark, rows: list[bytes]) -> set[int]:
    return {row for row, marks in suspects(column(rows)).items() if marks & mark}


@pytest.mark.parametrize("shift", range(20))
def test_a_run_is_seen_wherever_it_begins(shift: int) -> None:
    assert of(Mark.RUN, [b"." * shift + SECRET + b"."]) == {0}
    assert of(Mark.RUN, [b"x" * shift, SECRET, b"y"]) == {1}
    assert of(Mark.RUN, [b"." * shift + SECRET[:15]]) == set()


@given(ROWS)
def test_a_row_is_suspected_of_a_run_as_if_it_stood_alone(rows: list[bytes]) -> None:
    together = of(Mark.RUN, rows)
    assert together == {number for number, row in enumerate(rows) if of(Mark.RUN, [row])}
    for number, row in enumerate(rows):
        if number in together:
            assert re.search(rb"[A-Za-z0-9+/_-]{16}", row)


@given(ROWS, st.integers(0, 6))
def test_slices_are_as_good_as_arrays(rows: list[bytes], first: int) -> None:
    whole = suspects(column(rows))
    part = suspects(column(rows)[first:])
    assert dict(part) == {row - first: marks for row, marks in whole.items() if row >= first}


@pytest.mark.parametrize("place", [*range(-20, 4, 3), 8])
def test_nothing_is_lost_between_chunks(place: int) -> None:
    text = b"." * (CHUNK_BYTES + place) + SECRET + b" %41 &#65; \\x41 \xe2\x80\x8b " + "аx erongi".encode()
    marks = suspects(column([b"ok", text, b"ok"]))
    wanted = Mark.RUN | Mark.PERCENT | Mark.AMPERSAND | Mark.BACKSLASH | Mark.UNSEEN | Mark.LOOKALIKE | Mark.REVERSED
    assert dict(marks) == {1: wanted}


def test_a_long_run_is_suspected_unread() -> None:
    """Reading it twice would cost more than it saves."""
    noise = bytes(range(128, 256)) * 64
    shown = base64.b64encode(noise)
    assert of(Mark.RUN, [shown]) == {0}
    assert of(Mark.RUN, [shown[: RUN_ASKED // 2]]) == set()


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("50% of it", None),
        ("100%", None),
        ("a%20b", Mark.PERCENT),
        ("R & D", None),
        ("&nbsp;", Mark.AMPERSAND),
        ("\\n \\t", None),
        ("\\u0041", Mark.BACKSLASH),
        ("“quoted” – and … so", None),
        ("a\u200bb", Mark.UNSEEN),
        ("\u202egnp", Mark.UNSEEN),
        ("\ufeffstart", Mark.UNSEEN),
        ("h\U000e0069", Mark.UNSEEN),
        ("привет мир", None),
        ("pаypal", Mark.LOOKALIKE),
        ("ｐay", Mark.LOOKALIKE),
        ("١٢٣", Mark.LOOKALIKE),
        ("日本語の文", None),
        ("naïve café 👍🏽", None),
    ],
)
def test_what_is_suspected_and_of_what(text: str, mark: Mark | None) -> None:
    assert dict(suspects(column([text.encode()]))) == ({0: mark} if mark else {})


@pytest.mark.parametrize("lure", LURES)
def test_every_lure_is_seen_in_leetspeak_if_it_can_be_so_written(lure: str) -> None:
    shown = "".join(LEET[char][0] if char in LEET else char for char in lure)
    assert of(Mark.LEET, [lure.encode(), lure.upper().encode(), shown.encode(), shown.upper().encode()]) == {2, 3}


def test_without_hyperscan_the_same_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [b"1gn0r3 previous", b"erongi", b"VTABER", b"ignore previous", b"drowssap cnffjbeq p4ssword"]
    with_it = dict(suspects(column(rows)))
    assert with_it[4] == Mark.LEET | Mark.ROT13 | Mark.REVERSED
    monkeypatch.setattr(suspicion, "_there", lambda: False)
    assert dict(suspects(column(rows))) == with_it


def test_empty_columns_hold_nothing() -> None:
    assert not suspects(column([]))
    assert not suspects(column([b"", b""]))
