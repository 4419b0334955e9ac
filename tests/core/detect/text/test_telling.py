"""What is told of a match: characters, masks, keyed digests; and texts with masks in place of values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.detect.text.made import pattern, patterns
from tocsin.detect.text.engine import matched, scan
from tocsin.detect.text.telling import Found, digest, found, redacted

SET = patterns(
    pattern("key", r"key-[0-9]{4}", mask="key ending {last2}", entity="API_KEY"),
    pattern("card", r"card-[0-9]", kind="personal_data", roles=("assistant",)),
)


def told(text: str, role: str = "user", salt: bytes = b"s") -> list[Found]:
    return [one for row in matched([text], SET) for one in found(row, SET.items, role, salt)]


def test_a_finding_says_what_where_and_how_sure_and_shows_a_mask() -> None:
    (one,) = told("grüße 🙂 key-1234")
    assert one == Found("API_KEY", "secret", 8, 16, 0.9, "key", "[key ending 34]", digest(b"key-1234", b"s"))


def test_a_pattern_counts_only_in_its_roles() -> None:
    assert [one.rule for one in told("card-1 key-1234")] == ["key"]
    assert [one.rule for one in told("card-1 key-1234", "assistant")] == ["card", "key"]
    assert told("card-1 key-1234", "tool") == []


@pytest.mark.parametrize("other", [b"4111-1111 1111.1111", b"4111111111111111", b"(4111)1111/1111_1111"])
def test_a_value_written_otherwise_is_the_same(other: bytes) -> None:
    assert digest(other, b"salt") == digest(b"4111 1111 1111 1111", b"salt")
    assert digest(other, b"salt") != digest(other, b"other salt")
    assert len(digest(other, b"x" * 100)) == 32


def test_masks_stand_in_place_of_values_of_these_categories_only() -> None:
    text = "é key-1234, card-1."
    findings = told(text, "assistant")
    assert redacted(text, findings, frozenset({"secret"})) == "é [key ending 34], card-1."
    assert redacted(text, findings, frozenset({"secret", "personal_data"})) == "é [key ending 34], [card]."
    assert redacted(text, findings, frozenset()) == text


@given(st.lists(st.sampled_from(["key-1234", "é", " ", "\n", "🙂", "x", "key-99"]), max_size=12).map("".join))
def test_no_value_survives_and_everything_else_does(text: str) -> None:
    masked = redacted(text, told(text), frozenset({"secret"}))
    assert "key-1234" not in masked
    assert masked.replace("[key ending 34]", "key-1234") == text


pieces = st.sampled_from(["key-1234", "card-7", "é", "日本", "🙂", " ", "\n", "\x00", "-", "key-", "99"])


@given(st.lists(st.lists(pieces, max_size=8).map("".join), max_size=30))
def test_rows_found_are_the_hits_of_a_scan(rows: list[str]) -> None:
    hits = [
        (row.number, match.pattern, *place, match.score) for row in matched(rows, SET) for match, place in row.placed()
    ]
    assert hits == [tuple(hit) for hit in scan(rows, SET).hits]


@given(st.lists(pieces, max_size=20).map("".join))
def test_offsets_in_characters_cut_the_bytes_that_were_found(text: str) -> None:
    for row in matched([text], SET):
        assert row.text == text.encode()
        for match, (start, end) in row.placed():
            assert text[start:end].encode() == row.text[match.start : match.end]


def test_rows_with_nothing_in_them_are_passed_over() -> None:
    rows = ["", None, "key-1234", "nothing"] * 10
    assert [row.number for row in matched(rows, SET)] == list(range(2, 40, 4))
    assert not any(row.truncated for row in matched(rows, SET))


@pytest.mark.parametrize("text", ["key-1234" * 40_000, "é" + " key-1234" * 40_000])
def test_a_row_that_is_cut_says_so_and_tells_what_was_found_before(text: str) -> None:
    (row,) = matched([text], SET)
    assert row.truncated == (len(row.found) < 40_000)
    assert len(list(row.placed())) == len(row.found) > 100


@pytest.mark.parametrize(
    ("mask", "shown"),
    [
        ("token", "[token]"),
        ("{length}{length}", "[88]"),
        ("{last2} at the beginning", "[34 at the beginning]"),
        ("braces {{kept}}", "[braces {kept}]"),
    ],
)
def test_masks_of_every_shape_are_filled_in(mask: str, shown: str) -> None:
    made = patterns(pattern("key", "key-[0-9]{4}", mask=mask))
    (row,) = matched(["key-1234"], made)
    (one,) = found(row, made.items, "user", b"s")
    assert one.shown == shown
