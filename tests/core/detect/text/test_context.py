"""Words near a match, in any language, whole and without regard to case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.text.context import AFTER, BEFORE, Index

INDEX = Index(
    [
        (0, ("steuer-id", "tax id")),
        (1, ("НДС", "личный номер")),
        (2, ("身份证", "マイナンバー")),
        (3, ("né le",)),
        (4, ()),
    ]
)


@pytest.mark.parametrize(
    ("before", "after", "numbers"),
    [
        ("Steuer-ID ", "", {0}),
        ("STEUER ID: ", "", {0}),
        ("steuer_id=", "", {0}),
        ("meine Steuer-IDs ", "", set()),
        ("tax ", " id", set()),
        ("", " (tax id)", {0}),
        ("Личный номер ", "", {1}),
        ("ндс ", "", {1}),
        ("我的身份证号码是", "", {2}),
        ("マイナンバー：", "", {2}),
        ("NÉ LE ", "", {3}),
        ("né, le ", "", {3}),
        ("tax id, né le ", "", {0, 3}),
        ("nothing ", " here", set()),
    ],
)
def test_words(before: str, after: str, numbers: set[int]) -> None:
    text = f"{before}12345{after}".encode()
    start = len(before.encode())
    assert INDEX.near(text, start, start + 5) == numbers


@pytest.mark.parametrize(("gap", "near"), [(BEFORE - 10, {0}), (BEFORE - 3, set()), (BEFORE + 20, set())])
def test_how_far_before(gap: int, near: set[int]) -> None:
    text = b"tax id" + b" " * gap + b"12345"
    assert INDEX.near(text, len(text) - 5, len(text)) == near


@pytest.mark.parametrize(("gap", "near"), [(AFTER - 8, {0}), (AFTER + 1, set())])
def test_how_far_behind(gap: int, near: set[int]) -> None:
    text = b"12345" + b" " * gap + b"tax id"
    assert INDEX.near(text, 0, 5) == near


def test_a_word_that_the_edge_cuts_is_no_word() -> None:
    whole = "x" * 200 + "tax id" + " " * (BEFORE - 6)
    assert INDEX.near(whole.encode(), len(whole), len(whole)) == set(), "it may be the end of a longer word"


def test_a_cut_character_is_left_out() -> None:
    text = ("é" * 100 + " tax id ").encode() + b"12345"
    assert INDEX.near(text, len(text) - 5, len(text)) == {0}


WORDS = st.sampled_from(
    ["tax", "id", "Tax", "ID:", "steuer-id", "STEUER_ID", "7", "and", "12tax", "tax2", "_", "né", "le", "身份证"]
)


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=4))
def test_a_letter_beyond_ascii_beside_them_changes_nothing_for_other_words(before: list[str], after: list[str]) -> None:
    """ASCII is read in another way than the rest; both must give the same."""
    head, tail = " ".join([*before, ""]).encode(), " ".join(["", *after]).encode()
    plain = INDEX.near(head + b"123" + tail, len(head), len(head) + 3)
    head, tail = "é ".encode() + head, tail + " é".encode()
    assert INDEX.near(head + b"123" + tail, len(head), len(head) + 3) == plain


def test_a_phrase_is_found_wherever_it_begins() -> None:
    several = Index([(0, ("id card",)), (1, ("id",)), (2, ("id card number",)), (3, ("number",))])
    text = b"id card number 123"
    assert several.near(text, 15, 18) == {0, 1, 2, 3}
    assert several.near(b"id id card 123", 11, 14) == {0, 1}
    assert several.near(b"card id 123", 8, 11) == {1}
