"""Where the injection model looks: sentences, their ends, and the windows over them."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.text.features import Words, folded, words
from tocsin.detect.text.windows import BLOCK, SIZES, WORDS_MAX, WORDS_MIN, Windows, blocks, breadth, few, windows


def told(text: str) -> list[str]:
    """The words with which sentences begin, besides the first."""
    found = words(folded([text]))
    line = folded([text])[0].as_py()
    every = zip(found.start, found.length, found.opens, strict=True)
    return [line[start : start + length].decode() for start, length, opens in every if opens][1:]


def at(row: np.ndarray, ends: set[int]) -> np.ndarray:
    """Sentences that begin with rows and at these places."""
    return (np.diff(row, prepend=-1) != 0) | np.isin(np.arange(len(row)), sorted(ends))


def cut(texts: list[str]) -> tuple[Words, Windows]:
    found = words(folded(texts))
    return found, windows(found.row, found.opens)


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "begin"),
        [
            ("One here. Two there! Three? Four", ["Two", "Three", "Four"]),
            ("a note: do this; then that", ["do", "then"]),
            ("line one\nline two\r\nline three", ["line", "line"]),
            ("visit www.example.com at 10:30 and pay 3.50", []),
            ("he said (in short) no, and 'left' \"it\"", []),
            ("<p>Alone</p> <b>too</b>", ["Alone", "p", "b", "too", "b"]),
            ("| cell | other |", ["other"]),
            ('{"a": "one", "b": [2]}', ["one", "2"]),
            ("the end.", []),
            ("the end...", []),
            ("the end...\n\n  again", ["again"]),
            ("what?!no", ["no"]),
            ("", []),
            (". . .", []),
        ],
    )
    def test_a_sentence_begins_behind_a_mark_that_ends_one(self, text: str, begin: list[str]) -> None:
        assert told(text) == begin

    def test_a_row_begins_with_a_sentence(self) -> None:
        found = words(folded(["the end", "begin. here", "\n", "and on"]))
        assert found.opens.tolist() == [True, False, True, True, True, False]
        assert found.row.tolist() == [0, 0, 1, 1, 3, 3]

    @given(texts=st.lists(st.text("ab .\n:<é忽", max_size=40), max_size=6))
    def test_sentences_are_the_same_alone_and_together(self, texts: list[str]) -> None:
        together = words(folded(texts)).opens.tolist()
        assert together == [opens for text in texts for opens in words(folded([text])).opens.tolist()]


class TestWindows:
    def test_windows_hold_one_sentence_two_and_all_that_fit(self) -> None:
        _, found = cut(["one two. three four five. six. seven eight"])
        assert found.start.tolist() == [0, 2, 5, 6]
        assert list(zip(found.first.tolist(), found.behind.tolist(), strict=True)) == [
            *((0, 1), (0, 2), (0, 4)),
            *((1, 2), (1, 3), (1, 4)),
            *((2, 3), (2, 4), (2, 4)),
            *((3, 4), (3, 4), (3, 4)),
        ]
        assert found.words.tolist() == [2, 5, 8, 3, 4, 6, 1, 3, 3, 2, 2, 2]

    def test_a_long_sentence_is_cut(self) -> None:
        _, found = cut(["word " * 60 + ". next one"])
        assert found.start.tolist() == [0, 24, 48, 60]
        assert found.words[::SIZES].tolist() == [24, 24, 12, 2]
        assert found.words[2::SIZES].tolist() == [48, 38, 14, 2]

    def test_windows_stay_in_their_row(self) -> None:
        _, found = cut(["a b c", "", "d e. f g", "h"])
        assert found.row.tolist() == [0] * 3 + [2] * 6 + [3] * 3
        assert found.words.tolist() == [3, 3, 3, 2, 4, 4, 2, 2, 2, 1, 1, 1]

    def test_no_words_no_windows(self) -> None:
        _, found = cut(["", "..."])
        assert [len(part) for part in found] == [0, 0, 0, 0, 0]

    @given(
        counts=st.lists(st.integers(0, 130), min_size=1, max_size=6),
        ends=st.sets(st.integers(0, 400), max_size=40),
    )
    def test_every_word_is_in_windows_of_its_row_and_none_is_too_wide(self, counts: list[int], ends: set[int]) -> None:
        row = np.repeat(np.arange(len(counts)), counts)
        found = windows(row, at(row, ends))
        seen = np.zeros(len(row), bool)
        for own, first, behind, size in zip(found.row, found.first, found.behind, found.words, strict=True):
            start = found.start[first]
            assert 0 < size <= WORDS_MAX
            assert set(row[start : start + size].tolist()) == {own}
            assert start + size == (found.start[behind] if behind < len(found.start) else len(row))
            seen[start : start + size] = True
        assert seen.all()
        assert len(found.row) == SIZES * len(found.start)

    @given(counts=st.lists(st.integers(0, 99), min_size=1, max_size=5), ends=st.sets(st.integers(0, 300), max_size=30))
    def test_a_block_ends_at_the_sentence_or_behind_its_most_words(self, counts: list[int], ends: set[int]) -> None:
        row = np.repeat(np.arange(len(counts)), counts)
        expected, since = [], 0
        for place in range(len(row)):
            new = place == 0 or row[place] != row[place - 1] or place in ends
            since = 0 if new else since + 1
            if since % BLOCK == 0:
                expected.append(place)
        found = windows(row, at(row, ends))
        assert found.start.tolist() == expected


class TestFew:
    @given(count=st.integers(1, 150), ends=st.sets(st.integers(0, 149), max_size=60))
    def test_the_blocks_and_windows_of_one_text_are_the_same_in_plain_python(self, count: int, ends: set[int]) -> None:
        row = np.zeros(count, np.int64)
        opens = at(row, ends)
        bounds, spans = few(opens.tolist())
        found = windows(row, opens)
        assert bounds == [*found.start.tolist(), count]
        assert spans == list(zip(found.first.tolist(), found.behind.tolist(), strict=True))
        assert [bounds[behind] - bounds[first] for first, behind in spans] == found.words.tolist()

    def test_sentences_alone_in_pairs_and_all_that_fit(self) -> None:
        assert few([True, False, True, True]) == (
            [0, 2, 3, 4],
            [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (1, 3), (2, 3), (2, 3), (2, 3)],
        )

    def test_a_long_sentence_is_cut_as_well(self) -> None:
        bounds, spans = few([True] + [False] * 59)
        assert bounds == [0, 24, 48, 60]
        assert spans[:3] == [(0, 1), (0, 2), (0, 2)]


class TestBlocks:
    @given(counts=st.lists(st.integers(1, 70), min_size=1, max_size=6), ends=st.sets(st.integers(0, 400), max_size=40))
    def test_the_first_block_of_each_row_is_known(self, counts: list[int], ends: set[int]) -> None:
        row = np.repeat(np.arange(len(counts)), counts)
        first = np.cumsum(counts) - counts
        found = blocks(first, at(row, ends))
        assert found.start[found.begin].tolist() == first.tolist()
        owner = row[found.start]
        assert np.flatnonzero(np.diff(owner, prepend=-1)).tolist() == found.begin.tolist()
        assert found.behind.shape == found.words.shape == (SIZES, len(found.start))
        assert (owner[found.behind - 1] == owner).all()


class TestBreadth:
    def test_a_window_counts_by_the_root_of_its_words_and_a_piece_not_at_all(self) -> None:
        _, found = cut(["one two. three four five. six. seven eight"])
        assert breadth(found.words).tolist() == [
            *(inf, sqrt(5), sqrt(8)),
            *(inf, 2.0, sqrt(6)),
            *(inf, inf, inf),
            *(inf, inf, inf),
        ]
        assert WORDS_MIN == 4
