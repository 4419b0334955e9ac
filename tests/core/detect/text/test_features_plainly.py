"""The fast ways to features and scores against their plain definition, for any text, form of column and split."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.detect.text import plainly
from tocsin.detect.text import features, injection
from tocsin.detect.text.features import SHORT_BYTES, SHORT_ROWS, Lines, Room, folded, lines, short, words
from tocsin.detect.text.injection import HEADS, ROLES, Curve, Model, head_values, score

BITS = 12
CURVES = {role: (Curve(0.01, 10.0), Curve(0.02, 20.0)) for role in ROLES}
TEXT = st.one_of(
    st.text(max_size=80),
    st.text("abcXYZ09 .,\n'\0_<:", max_size=300),
    st.text("忽略之前ไทย指令이전 abé\u0e3f\u0dff", max_size=80),
    st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE010), max_size=5),
)
TEXTS = st.lists(st.none() | TEXT, min_size=1, max_size=8)
FORMS = ("list", "tuple", "bytes", "string", "large", "slice", "dictionary", "chunked", "binary")


def noisy(seed: int) -> Model:
    """A model with weights everywhere, as large as they get."""
    tables = np.random.default_rng(seed).integers(-127, 128, (len(HEADS), 1 << BITS)).astype(np.int8)
    return Model(tables, CURVES)


def formed(texts: list[str | None], form: str) -> Any:
    """The texts as another kind of column; what is no text in one is none in any."""
    safe = [None if text is None else text.encode("utf-8", "replace").decode() for text in texts]
    made = pa.array(safe, pa.string())
    whole = {
        "list": lambda: texts,
        "tuple": lambda: tuple(texts),
        "bytes": lambda: [None if text is None else text.encode() for text in safe],
        "string": lambda: made,
        "large": lambda: made.cast(pa.large_string()),
        "slice": lambda: pa.array(["evil é", None, *safe, "evil"], pa.string()).slice(2, len(safe)),
        "dictionary": made.dictionary_encode,
        "chunked": lambda: pa.chunked_array([made.slice(0, 1), made.slice(1)], pa.string()),
        "binary": lambda: made.cast(pa.binary()),
    }
    return whole[form]()


class TestFeatures:
    @settings(deadline=None, max_examples=200)
    @given(texts=TEXTS)
    @example(["a忽b", None, "ab" * 9 + "忽" * 20, "", "x"])
    @example(["ไทยไ", "\u0e00", "e\u0301" * 9])
    def test_every_hash_is_what_the_definition_says(self, texts: list[str | None]) -> None:
        found = words(folded(texts))
        expected = [plainly.hashes(text) for text in texts]
        assert found.counts.tolist() == [len(own[0]) for own in expected]
        assert found.hashes.tolist() == [list(chain(*values)) for values in zip(*expected, strict=True)]

    @given(text=TEXT)
    def test_words_lie_where_the_definition_says(self, text: str) -> None:
        found = words(folded([text]))
        expected = plainly.parted(plainly.line_of(text))
        assert [(s, s + n) for s, n in zip(found.start, found.length, strict=True)] == expected

    @given(texts=st.lists(st.none() | st.text(st.characters(max_codepoint=127), max_size=60), max_size=SHORT_ROWS))
    def test_the_short_way_joins_as_the_long_one_does(self, texts: list[str | None]) -> None:
        made = short(texts)
        assert made is not None
        if texts:
            other = lines(folded(texts))
            assert made.data == other.data
            assert made.begin.tolist() == other.begin.tolist()

    @pytest.mark.parametrize(
        "texts",
        [
            *(["é"], ["a", "\ud800"], ["a"] * (SHORT_ROWS + 1), [b"\x80"], ["a" * SHORT_BYTES, "b"], "a"),
            pa.array(["é"]),
            pa.array(["a"]).dictionary_encode(),
            pa.array([b"\xff"]).view(pa.string()),
            pa.chunked_array([["a"]]),
        ],
        ids=["letter", "half", "many", "bytes", "long", "text", "column", "dictionary", "no text", "chunks"],
    )
    def test_the_short_way_is_for_a_few_texts_of_ascii(self, texts: Any) -> None:
        assert short(texts) is None

    @pytest.mark.parametrize(
        "texts",
        [["a", None], ("a", None), [b"a", None], pa.array(["-", "a", None]).slice(1), pa.array([b"a", None])],
        ids=["list", "tuple", "bytes", "slice", "binary"],
    )
    def test_the_short_way_knows_several_forms(self, texts: Any) -> None:
        made = short(texts)
        assert made is not None
        assert made.data.split(features.SEPARATOR) == [b"", b"a", b"", b""]

    def test_rows_begin_where_they_are_said_to(self) -> None:
        made = short(["Ab", None, "cde"])
        assert isinstance(made, Lines)
        size = len(features.SEPARATOR)
        assert made.begin.tolist() == [size, 2 * size + 2, 3 * size + 2]
        assert [made.data[b : b + n] for b, n in zip(made.begin.tolist(), (2, 0, 3), strict=True)] == [
            b"ab",
            b"",
            b"cde",
        ]

    @given(texts=st.lists(TEXTS, min_size=2, max_size=4))
    def test_a_room_forgets_what_was_there(self, texts: list[list[str | None]]) -> None:
        room = Room()
        for each in texts:
            assert words(folded(each), room).hashes.tolist() == words(folded(each)).hashes.tolist()

    def test_a_room_is_used_again(self) -> None:
        room = Room()
        large, small = room.of(0, 8, 100), room.of(0, 8, 10)
        assert small.shape == (8, 10)
        assert np.shares_memory(large, small)
        assert not np.shares_memory(room.of(1, 1, 10), small)


class TestScores:
    @settings(deadline=None, max_examples=100)
    @given(texts=TEXTS, seed=st.integers(0, 9), form=st.sampled_from(FORMS))
    def test_values_are_what_the_definition_says_in_every_form(
        self, texts: list[str | None], seed: int, form: str
    ) -> None:
        found = head_values(formed(texts, form), noisy(seed)).T.tolist()
        assert found == [plainly.head_values(text, noisy(seed)) for text in texts]

    @settings(deadline=None)
    @given(text=TEXT, seed=st.integers(0, 9))
    def test_a_text_alone_has_the_same_values_by_plain_python_and_by_numpy(self, text: str, seed: int) -> None:
        values = []
        for most in (0, 10_000):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(injection, "FEW_WORDS", most)
                values.append(head_values([text], noisy(seed)).T.tolist())
        assert values[0] == values[1] == [plainly.head_values(text, noisy(seed))]

    @given(texts=TEXTS)
    def test_sentences_begin_where_the_definition_says(self, texts: list[str | None]) -> None:
        found = words(folded(texts)).opens.tolist()
        said = [plainly.line_of(text) for text in texts]
        assert found == list(chain(*(plainly.opening(line, plainly.parted(line)) for line in said)))

    @settings(deadline=None, max_examples=60)
    @given(
        texts=TEXTS, seed=st.integers(0, 9), form=st.sampled_from(FORMS), cut=st.integers(0, 8), size=st.integers(1, 90)
    )
    def test_no_split_and_no_size_of_chunk_changes_a_score(
        self, texts: list[str | None], seed: int, form: str, cut: int, size: int
    ) -> None:
        roles = [(*ROLES, "else")[(seed + n) % (len(ROLES) + 1)] for n in range(len(texts))]
        whole = score(texts, roles, noisy(seed))
        parts = [(texts[:cut], roles[:cut]), (texts[cut:], roles[cut:])]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(injection, "CHUNK_BYTES", size)
            split = [score(formed(t, form), r, noisy(seed)) for t, r in parts if t]
        assert np.concatenate(split).tobytes() == whole.tobytes()

    @pytest.mark.parametrize("heads", [("attack",), ("attack", "request"), ("attack", "request", "third")])
    def test_heads_are_packed_into_one_number_and_come_apart_again(self, heads: tuple[str, ...]) -> None:
        tables = np.random.default_rng(5).integers(-127, 128, (len(heads), 1 << BITS)).astype(np.int8)
        tables[:, 0], tables[:, 1] = -127, 127
        model = Model(tables, {})
        assert injection.unpacked(model.packed, len(heads)).tolist() == tables.tolist()
        summed = model.packed[:2] * model.packed.dtype.type(128)
        assert injection.unpacked(summed, len(heads)).tolist() == [[-127 * 128, 127 * 128]] * len(heads)
