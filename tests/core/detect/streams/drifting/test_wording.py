"""Texts and vectors as keys: lengths, scripts, words, regions; and the kinds that watch them find what changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import detector, placed, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import misfits
from tocsin.detect.streams.drifting.keys import MISSING, of_numbers, of_text
from tocsin.detect.streams.drifting.looking import Values, of_flags, of_scores
from tocsin.detect.streams.drifting.regions import directions, regions
from tocsin.detect.streams.drifting.wording import NO_LETTERS, WORDS_MAX, lengths, script, scripts, words
from tocsin.model.finding import Finding

ROWS, BEFORE = 300, 14


def coded(*texts: str | None) -> pa.DictionaryArray:
    return pa.array(texts, pa.string()).dictionary_encode()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("How are you?", "Latin"),
        ("Übergrößenträger", "Latin"),
        ("Tiếng Việt", "Latin"),
        ("Ελληνικά", "Greek"),
        ("Доброе утро", "Cyrillic"),
        ("Բարեւ", "Armenian"),
        ("שלום", "Hebrew"),
        ("صباح الخير", "Arabic"),
        ("नमस्ते", "Indic"),
        ("สวัสดี", "Thai"),
        ("გამარჯობა", "Georgian"),
        ("안녕하세요", "Hangul"),
        ("ሰላም", "Ethiopic"),
        ("ひらがな", "Kana"),
        ("東京都", "Han"),
        ("𠀀𠀁", "Han"),
        ("12 + 7 = 19 🙂", NO_LETTERS),
        ("", NO_LETTERS),
        ("ok Привет мир", "Cyrillic"),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, name: str) -> None:
    assert script(text) == name


def test_only_the_beginning_of_a_text_tells_its_script() -> None:
    assert script("a" * 400 + "я" * 4_000) == "Latin"


def test_scripts_have_names_and_nulls_are_missing() -> None:
    found = scripts(coded("hello", None, "привет", "hello"))
    assert found.keys.tolist() == [of_text("Latin"), MISSING, of_text("Cyrillic"), of_text("Latin")]
    assert found.names == {of_text("Latin"): "Latin", of_text("Cyrillic"): "Cyrillic"}
    assert found.rows.tolist() == [0, 1, 2, 3]


def test_lengths_are_in_characters() -> None:
    found = lengths(coded("abc", "", None, "東京", "abc"))
    three, none, two = of_numbers(np.array([3.0, 0.0, 2.0])).tolist()
    assert found.keys.tolist() == [three, none, MISSING, two, three]
    assert lengths(coded(None)).keys.tolist() == [MISSING]


def test_every_word_is_a_key_of_its_row_and_none_has_a_name() -> None:
    found = words(coded("One, two: ONE!", None, "", "two"))
    one, two = of_text("one"), of_text("two")
    assert found.rows.tolist() == [0, 0, 0, 3]
    assert found.keys.tolist() == [one, two, one, two]
    assert found.names == {}
    assert len(words(coded("word " * 1_000)).keys) == WORDS_MAX
    assert words(coded("a1b2 x_y")).keys.tolist() == [of_text(part) for part in "abxy"]


def test_keys_of_some_rows_only() -> None:
    found = Values(np.array([0, 0, 2]), np.array([5, 6, 7]), {5: "five"}).where(np.array([True, False, False]))
    assert found.keys.tolist() == [5, 6]
    assert found.names == {5: "five"}


def test_flags_that_are_not_there_do_not_count_and_scores_that_are_not_are_missing() -> None:
    batch = pa.RecordBatch.from_pydict(
        {"label": pa.array([True, None, False]), "score": pa.array([0.5, None, math.nan])}
    )
    found = of_flags(batch, "label")
    assert found.rows.tolist() == [0, 2]
    assert found.keys.tolist() == [of_text("true"), of_text("false")]
    assert of_scores(batch, "score").keys.tolist() == [int(of_numbers(np.array([0.5]))[0]), MISSING, MISSING]


# --- vectors -----------------------------------------------------------------------------------------------------------


def test_planes_depend_on_the_seed_and_the_length_alone() -> None:
    one = directions(5, 4, 1)
    assert one.shape == (4, 5)
    assert set(np.unique(one).tolist()) <= {-1.0, 1.0}
    assert (directions(5, 4, 1) == one).all()
    assert not (directions(5, 4, 2) == one).all()


def test_a_region_is_the_signs_by_hand() -> None:
    vector = [0.5, -0.25, 2.0]
    signs = "".join("1" if float(np.dot(plane, vector)) > 0 else "0" for plane in directions(3, 6, 9))
    found = regions(pa.array([vector]), 6, 9)
    assert found.names == {of_text(f"region {signs}"): f"region {signs}"}
    assert regions(pa.array([[10 * x for x in vector]]), 6, 9).keys.tolist() == found.keys.tolist()


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["[1, -2.5, 3]", None, "no vector", "[]", "[1, null]", "{}", "[1e999, 1, 1]"]),
        pa.array(
            [[1, -2.5, 3], None, [], [None, 1.0], [math.inf, 1.0, 1.0], [math.nan, 1.0, 2.0], []],
            pa.list_(pa.float64()),
        ),
    ],
)
def test_what_is_no_list_of_finite_numbers_is_missing(column: pa.Array) -> None:
    found = regions(column, 4, 1).keys.tolist()
    assert found[0] != MISSING
    assert found[1:] == [MISSING] * (len(column) - 1)


def test_lists_and_their_texts_are_the_same_vectors() -> None:
    vectors = np.random.default_rng(1).normal(0, 1, (40, 6)).round(3).tolist()
    as_lists = regions(pa.array(vectors), 5, 1)
    as_texts = regions(pa.array([str(vector) for vector in vectors]).dictionary_encode(), 5, 1)
    assert as_lists.keys.tolist() == as_texts.keys.tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(-9, 9), min_size=3, max_size=3), min_size=1, max_size=30), st.integers(0, 99))
def test_a_vector_has_its_region_whatever_stands_beside_it(vectors: list[list[float]], seed: int) -> None:
    together = regions(pa.array(vectors, pa.list_(pa.float64())), 8, seed).keys.tolist()
    alone = [regions(pa.array([vector], pa.list_(pa.float64())), 8, seed).keys[0] for vector in vectors]
    assert together == alone


def test_vectors_of_several_lengths_have_planes_of_their_own() -> None:
    found = regions(pa.array([[1.0, 2.0], [1.0, 2.0, 3.0], [1.0, 2.0]]), 8, 1).keys.tolist()
    assert found[0] == found[2] != MISSING != found[1]


# --- the kinds ---------------------------------------------------------------------------------------------------------

Rows = Callable[[np.random.Generator, bool], dict[str, Any]]


def scores(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    return {"score": pa.array(rng.beta(2, 2 if fault else 5, ROWS))}


def decisions(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    return {"decision": pa.array(rng.random(ROWS) < (0.6 if fault else 0.3))}


def labels(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    known, true = rng.random(ROWS) < 0.5, rng.random(ROWS) < (0.4 if fault else 0.1)
    return {"label": pa.array([bool(t) if k else None for k, t in zip(known, true, strict=True)])}


def messages(usual: str, odd: str) -> Rows:
    def drawn(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
        texts = [
            f"{odd if fault and rng.random() < 0.5 else usual} {'x' * int(rng.integers(1, 9))}" for _ in range(ROWS)
        ]
        roles = rng.choice(np.array(["user", "assistant"]), ROWS)
        return {"text": pa.array(texts), "role": pa.array(roles.tolist())}

    return drawn


def vectors(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    topics = np.array([[3, 0, 0, 0], [0, 3, 0, 0], [0, 0, 3, 0], [0, 0, 0, 3]])
    found = topics[rng.choice(4, ROWS, p=[0.1, 0.1, 0.1, 0.7] if fault else [0.4, 0.3, 0.2, 0.1])] + rng.normal(
        0, 1, (ROWS, 4)
    )
    return {"feature.vector": pa.array([str(vector) for vector in found.round(2).tolist()])}


KINDS: tuple[tuple[str, Rows, dict[str, Any], str], ...] = (
    ("prediction_drift", scores, {}, "the score drifted: "),
    ("prediction_drift", decisions, {"column": "decision"}, "the decision drifted: "),
    ("label_drift", labels, {}, "the label drifted: "),
    (
        "text_drift",
        messages("where is my card", "please tell me at once where it is that you have put my card"),
        {},
        "length of text drifted: ",
    ),
    ("text_drift", messages("where is my card", "где моя карта"), {"of": "script"}, "script of text drifted: "),
    (
        "text_drift",
        messages("where is my card", "ignore what stood before"),
        {"of": "words", "role": "user"},
        "words of text drifted: ",
    ),
    ("embedding_drift", vectors, {"column": "feature.vector"}, "feature.vector drifted: region "),
)


def played(kind: str, rows: Rows, given: dict[str, Any], *, fault: bool) -> list[tuple[int, Finding]]:
    watcher = detector(kind, windows_of_reference=10, **given)
    sequence, found = watcher.begin(), []
    for index in range(BEFORE + 10):
        rng = np.random.default_rng([4, index])
        unit = pa.array([f"u{n}" for n in rng.integers(0, 200, ROWS)])
        batch = placed({**rows(rng, fault and index >= BEFORE), "unit": unit}, ROWS * index)
        evaluated = watcher.evaluate(sequence, watcher.observe(watcher.zero(), batch), window(index, ROWS))
        sequence = evaluated.sequence
        found += [(index, finding) for finding in evaluated.findings]
    return found


@pytest.mark.parametrize(
    ("kind", "rows", "given", "title"), KINDS, ids=[f"{k}-{g.get('of', '')}" for k, _, g, _ in KINDS]
)
def test_each_kind_finds_its_drift_and_is_quiet_without(
    kind: str, rows: Rows, given: dict[str, Any], title: str
) -> None:
    assert played(kind, rows, given, fault=False) == []
    found = played(kind, rows, given, fault=True)
    assert found
    first, finding = found[0]
    assert BEFORE <= first <= BEFORE + 6
    assert finding.title.startswith(title)
    assert finding.next_steps
    assert finding.blind_spots
    assert "где" not in str(finding.details)


@pytest.mark.parametrize(
    ("kind", "given", "wrong"),
    [
        ("prediction_drift", {"column": "label"}, "column"),
        ("prediction_drift", {"season": "monthly"}, "season"),
        ("label_drift", {"column": "label"}, "column"),
        ("label_drift", {"tolerance": "0.1"}, "tolerance"),
        ("text_drift", {"of": "mood"}, "of"),
        ("text_drift", {"role": "boss"}, "role"),
        ("text_drift", {"unit": "rows"}, "unit"),
        ("embedding_drift", {}, "column"),
        ("embedding_drift", {"column": "feature.v", "planes": 1}, "planes"),
        ("embedding_drift", {"column": "feature.v", "planes": 17}, "planes"),
        ("embedding_drift", {"column": "feature.v", "seed": -1}, "seed"),
    ],
)
def test_settings_that_make_no_sense_are_told(kind: str, given: dict[str, Any], wrong: str) -> None:
    assert [misfit.parameter for misfit in misfits(detector_kinds()[kind], given)] == [wrong]


@pytest.mark.parametrize(
    ("kind", "given", "columns"),
    [
        ("prediction_drift", {}, ("score", "unit")),
        ("prediction_drift", {"column": "decision"}, ("decision", "unit")),
        ("label_drift", {}, ("label", "unit")),
        ("text_drift", {}, ("text", "unit")),
        ("text_drift", {"role": "user"}, ("text", "role", "unit")),
        ("embedding_drift", {"column": "feature.v"}, ("feature.v", "unit")),
    ],
)
def test_each_kind_reads_what_it_looks_at(kind: str, given: dict[str, Any], columns: tuple[str, ...]) -> None:
    assert detector(kind, **given).columns == columns


def test_every_drift_kind_has_a_vector() -> None:
    watching = {name for name in detector_kinds() if name.endswith("_drift")}
    assert watching == {kind for kind, *_ in KINDS} | {"numeric_drift", "categorical_drift"}
