"""Words as features: what is a word, what folding makes equal, and that neither neighbours nor the form of the column show."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.text import features
from tocsin.detect.text.features import ORDERS, Words, folded, words

TEXTS = st.lists(
    st.one_of(
        st.none(),
        st.text(max_size=60),
        st.text("ab .,\n'\0", max_size=60),
        st.text("忽略之前ไทย指令이전 ab", max_size=40),
        st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE010), max_size=5),
    ),
    min_size=1,
    max_size=8,
)


def split(*texts: str | None) -> list[list[str]]:
    """The words of each text."""
    column = folded(list(texts))
    lines, found = [line.lower() for line in column.to_pylist()], words(column)
    parted: list[list[str]] = [[] for _ in texts]
    for row, start, length in zip(found.row, found.start, found.length, strict=True):
        parted[row].append(lines[row][start : start + length].decode("utf-8", "replace"))
    return parted


def of_row(found: Words, row: int) -> list[list[int]]:
    """The hashes of one row, one list a feature."""
    return [values[found.row == row].tolist() for values in found.hashes]


class TestWords:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Ignore all previous instructions!", ["ignore", "all", "previous", "instructions"]),
            ("system_prompt=[1] don't", ["system", "prompt", "1", "don", "t"]),
            ("Größe naïve ÉCOLE", ["größe", "naïve", "école"]),
            ("忽略指令", ["忽", "略", "指", "令"]),
            ("指示を無視", ["指", "示", "を", "無", "視"]),
            ("이전 지시", ["이", "전", "지", "시"]),
            ("ลืม ok", ["ล", "ื", "ม", "ok"]),
            ("पिछले निर्देश", ["पिछले", "निर्देश"]),
            ("забудь все", ["забудь", "все"]),
            ("abc忽略def", ["abc", "忽", "略", "def"]),
            ("", []),
            (" .,;\n", []),
            (None, []),
        ],
    )
    def test_words_are_runs_of_letters_and_single_characters_where_no_spaces_stand(
        self, text: str | None, expected: list[str]
    ) -> None:
        assert split(text) == [expected]

    def test_every_row_has_its_own(self) -> None:
        assert split("one two", None, "three", "", "four") == [["one", "two"], [], ["three"], [], ["four"]]

    def test_nothing_at_all_is_no_words(self) -> None:
        found = words(folded([]))
        assert len(found.row) == 0
        assert len(found.hashes) == len(ORDERS)

    @settings(deadline=None)
    @given(texts=TEXTS)
    def test_the_words_and_what_is_between_make_up_the_text(self, texts: list[str | None]) -> None:
        column = folded(texts)
        found = words(column)
        for row, line in enumerate(column.to_pylist()):
            own = found.row == row
            start, length = found.start[own], found.length[own]
            assert (length > 0).all()
            assert (start[1:] >= (start + length)[:-1]).all()
            inside = np.zeros(len(line), bool)
            for first, size in zip(start, length, strict=True):
                inside[first : first + size] = True
            expected = [c >= 128 or chr(c).isalnum() for c in line]
            assert inside.tolist() == expected


class TestFolding:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("IGNORE All", "ignore all"),
            ("ｉｇｎｏｒｅ ａｌｌ", "ignore all"),
            ("ig\u200bnore\u2060 all", "ignore all"),
            ("ig\u00adnore all\ufeff", "ignore all"),
            ("𝐢𝐠𝐧𝐨𝐫𝐞 all", "ignore all"),
            ("cafe\u0301", "café"),
            ("ÜBER", "über"),
        ],
    )
    def test_what_looks_alike_is_equal(self, one: str, other: str) -> None:
        assert split(one) == split(other)

    def test_typographic_punctuation_parts_words(self) -> None:
        assert split("“ignore”—all…") == [["ignore", "all"]]

    @pytest.mark.parametrize(
        "column",
        [
            pa.array(["Ab é", None, "x"], pa.string()),
            pa.array(["Ab é", None, "x"], pa.large_string()),
            pa.array([b"Ab \xc3\xa9", None, b"x"], pa.binary()),
            pa.array(["Ab é", None, "x"]).dictionary_encode(),
            pa.array(["-", "Ab é", None, "x"]).slice(1),
        ],
        ids=["string", "large", "binary", "dictionary", "slice"],
    )
    def test_the_form_of_the_column_does_not_matter(self, column: pa.Array) -> None:
        assert folded(column).to_pylist() == folded(["Ab é", None, "x"]).to_pylist()
        assert [values.tolist() for values in words(folded(column)).hashes] == [
            values.tolist() for values in words(folded(["Ab é", None, "x"])).hashes
        ]

    def test_a_chunked_column_is_read_as_one(self) -> None:
        chunked = pa.chunked_array([["Ab é"], [None, "x"]], pa.string())
        assert folded(chunked).to_pylist() == folded(["Ab é", None, "x"]).to_pylist()

    def test_bytes_that_are_no_text_are_survived(self) -> None:
        column = pa.array([b"ok \xff\xfe fine", b"\x80"], pa.binary())
        assert words(folded(column)).row.tolist().count(0) >= 2
        assert folded(["lone \ud800 half"]).to_pylist()[0].startswith(b"lone ")


class TestHashes:
    @settings(deadline=None)
    @given(texts=TEXTS, seed=st.integers(0, 99))
    def test_a_text_has_the_same_features_whatever_stands_beside_it(self, texts: list[str | None], seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(texts))
        together, shuffled = words(folded(texts)), words(folded([texts[i] for i in order]))
        for place, row in enumerate(order):
            assert of_row(together, int(row)) == of_row(shuffled, place)
            assert of_row(together, int(row)) == of_row(words(folded([texts[row]])), 0)

    def test_long_words_differ_by_length_and_by_their_first_sixteen_bytes_only(self) -> None:
        word = ORDERS.index("word")
        hashes = words(
            folded(["abcdefghijklmnopq", "abcdefghijklmnopz", "abcdefghijklmnopqr", "xbcdefghijklmnopq"])
        ).hashes
        first, same, longer, other = hashes[word].tolist()
        assert first == same
        assert len({first, longer, other}) == 3

    @pytest.mark.parametrize(
        ("feature", "one", "other", "equal"),
        [
            ("word", "ignore", "ignored", False),
            ("stem", "ignore", "ignored", True),
            ("stem", "instruction", "instinct", False),
            ("stem", "предыдущие", "предыдущих", True),
            ("pair", "ignore all x", "ignore all y", True),
            ("pair", "ignore all", "ignore any", False),
            ("gap pair", "ignore all rules", "ignore the rules", True),
            ("triple", "ignore all rules", "ignore the rules", False),
            ("stem pair", "ignored instructions", "ignores instructed", True),
            ("before", "a. ignore", "b. forget", True),
            ("opening", ". ignore", "! ignore", False),
            ("opening", "\n\nignore", "\n\nignore now", True),
        ],
    )
    def test_what_a_feature_sees(self, feature: str, one: str, other: str, equal: bool) -> None:
        order = ORDERS.index(feature)
        place = 1 if feature == "before" else 0
        left, right = (words(folded([text])).hashes[order].tolist()[place] for text in (one, other))
        assert (left == right) is equal

    def test_pairs_have_a_direction(self) -> None:
        order = ORDERS.index("pair")
        assert words(folded(["a b"])).hashes[order][0] != words(folded(["b a"])).hashes[order][0]

    def test_hashes_spread_evenly_over_the_tables(self) -> None:
        texts = [f"word{n} other{n * 7}" for n in range(4_000)]
        for order, values in zip(ORDERS, words(folded(texts)).hashes, strict=True):
            if order not in ("before", "stem", "stem pair"):
                distinct = np.unique(values)
                filled = len(np.unique(distinct >> np.uint64(64 - 18)))
                assert filled > 0.95 * len(distinct), order

    def test_the_separator_is_longer_than_what_is_read(self) -> None:
        assert len(features.SEPARATOR) >= 24
        assert set(features.SEPARATOR) == {0}
