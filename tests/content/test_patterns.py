"""Every pattern finds its positive samples and none of its negative ones, with both engines, and shows nothing that identifies a person."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from re import _parser as sre  # type: ignore[attr-defined]
from string import Formatter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tocsin.content.loaders import patterns, taxonomies
from tocsin.content.loaders.patterns import ALL_ROLES, PatternFile
from tocsin.detect.text.engine import Engine, hyperscan, scan
from tocsin.detect.text.looking import LONGEST
from tocsin.detect.text.masks import masked, unknown
from tocsin.detect.text.patterns import Patterns
from tocsin.detect.text.validators import validator

FILES = patterns.written()
BY_ID = patterns.load().by_id
ENGINES: list[Engine] = ["plain"] if hyperscan is None else ["plain", "hyperscan"]
EACH = [pytest.param(file, id=file.id) for file in FILES]
POSITIVE = [pytest.param(file, text, id=f"{file.id}: {n}") for file in FILES for n, text in enumerate(file.positive)]
NEGATIVE = [pytest.param(file, text, id=f"{file.id}: {n}") for file in FILES for n, text in enumerate(file.negative)]


def alone(file: PatternFile) -> Patterns:
    return Patterns((BY_ID[file.id],))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("file", "text"), POSITIVE)
def test_positive_samples_are_found(file: PatternFile, text: str, engine: Engine) -> None:
    assert scan([text], alone(file), engine).hits


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("file", "text"), NEGATIVE)
def test_negative_samples_are_not(file: PatternFile, text: str, engine: Engine) -> None:
    assert scan([text], alone(file), engine).hits == ()


@pytest.mark.parametrize(("file", "text"), POSITIVE)
def test_a_positive_sample_is_found_among_all_patterns_as_well(file: PatternFile, text: str) -> None:
    found = scan([text], patterns.load()).hits
    kinds = {patterns.load().items[hit.pattern].kind for hit in found}
    assert file.kind in kinds


@pytest.mark.parametrize(("file", "text"), POSITIVE)
def test_the_place_of_a_sample_does_not_matter(file: PatternFile, text: str) -> None:
    around = [f"{'word ' * 40}. {text}", f"日本語 é {text}", text]
    assert {hit.row for hit in scan(around, alone(file)).hits} == {0, 1, 2}


@pytest.mark.parametrize(("file", "text"), POSITIVE)
def test_a_mask_fills_in_at_most_four_characters(file: PatternFile, text: str) -> None:
    said = [part for part, *_ in Formatter().parse(file.mask)]
    for hit in scan([text], alone(file)).hits:
        filled = masked(file.mask, text[hit.start : hit.end]).strip("[]")
        for part in said:
            filled = filled.replace(part, "", 1)
        assert len(filled) <= 4


@pytest.mark.parametrize("file", EACH)
def test_the_file_says_what_it_means(file: PatternFile) -> None:
    assert file.title[0].isupper()
    assert callable(validator(file.validator))
    assert not unknown(file.mask)
    assert set(file.roles) <= set(ALL_ROLES)
    assert set(file.severe_in) <= set(file.roles)
    assert 0.3 <= file.confidence <= 1
    assert file.tags
    assert set(file.tags) <= set(taxonomies.load().names)
    assert len(set(file.positive)) == len(file.positive)


@pytest.mark.parametrize("file", EACH)
def test_ids_are_words_that_differ_from_titles(file: PatternFile) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", file.id)


def test_ids_are_unique_and_sorted() -> None:
    ids = [file.id for file in FILES]
    assert ids == sorted(set(ids))
    assert [pattern.id for pattern in patterns.load().items] == ids


def test_each_kind_has_its_patterns() -> None:
    for kind in ("personal_data", "secret", "injection", "tool_call"):
        assert len(patterns.load().of(kind).items) >= 5  # type: ignore[arg-type]


def _repeats(tree: Any) -> Iterator[int]:
    """The upper limit of every repeat in a parsed expression, also of those inside groups, branches and look-arounds."""
    if isinstance(tree, tuple) and len(tree) == 2 and "REPEAT" in str(tree[0]):
        yield int(tree[1][1])
    if isinstance(tree, tuple | list | sre.SubPattern):
        for inner in tree:
            yield from _repeats(inner)


@pytest.mark.parametrize("file", EACH)
def test_every_repeat_is_bounded(file: PatternFile) -> None:
    """Repeats without a limit make a search cost more than the text is long."""
    pattern = BY_ID[file.id]
    for expression in filter(None, (pattern.expression, pattern.anchor)):
        assert all(limit < sre.MAXREPEAT for limit in _repeats(sre.parse(expression)))


@pytest.mark.parametrize("expression", ["a*", "(?:a+)", "(?=x(b+?))y", "a|b{2,}", "(?<!a)c*"])
def test_a_repeat_without_a_limit_would_be_noticed(expression: str) -> None:
    assert sre.MAXREPEAT in list(_repeats(sre.parse(expression)))


@pytest.mark.parametrize("file", EACH)
def test_no_expression_can_match_more_than_the_longest_match(file: PatternFile) -> None:
    """Otherwise Hyperscan's stretch ends before the match does, and the engines differ."""
    pattern = BY_ID[file.id]
    assert pattern.digits or 0 < sre.parse(pattern.expression).getwidth()[1] <= LONGEST


@pytest.mark.skipif(hyperscan is None, reason="no Hyperscan here")
def test_the_longest_image_is_found_whole_by_both_engines() -> None:
    text = f"![{'a' * 80}](https://{'p' * 200}?{'k' * 20}={{{'d' * 120})"
    image = Patterns((BY_ID["image_exfiltration"],))
    assert [(hit.start, hit.end) for hit in scan([text], image, "plain").hits] == [(0, len(text))]
    assert scan([text], image, "hyperscan") == scan([text], image, "plain")


@pytest.mark.parametrize("file", EACH)
def test_no_match_is_empty_or_longer_than_it_may_be(file: PatternFile) -> None:
    pattern = BY_ID[file.id]
    assert pattern.digits or pattern.compiled.search(b"") is None
    for text in file.positive:
        for hit in scan([text], alone(file)).hits:
            assert 0 < hit.end - hit.start <= LONGEST
            assert hit.score in (pattern.confidence, pattern.bare)


@pytest.mark.skipif(hyperscan is None, reason="no Hyperscan here")
@pytest.mark.parametrize("file", EACH)
def test_both_engines_find_the_same_in_texts_made_from_the_pattern(file: PatternFile) -> None:
    """Texts that the expression takes, cut, doubled and stuck together, beside what other patterns look for."""
    pattern = BY_ID[file.id]
    some = random.Random(file.id)
    made = [*file.positive, *file.negative]
    if pattern.expression:
        made += drawn(st.from_regex(re.compile(pattern.expression, pattern.compiled.flags | re.ASCII)), 6)
    rows = [
        "".join(some.choice(made)[some.randrange(3) :] + some.choice(["", " ", "\n", "é", "-", "."]) for _ in range(5))
        for _ in range(12)
    ]
    assert scan([*made, *rows], alone(file), "hyperscan") == scan([*made, *rows], alone(file), "plain")


def drawn(strategy: st.SearchStrategy[str], count: int) -> list[str]:
    """A few examples, the same ones each time."""
    found: list[str] = []

    @seed(7)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(strategy)
    def collect(text: str) -> None:
        found.append(text)

    collect()
    return found


def test_the_digest_names_everything_that_decides() -> None:
    every = patterns.load()
    assert every.digest != every.of("secret").digest
    assert every.digest == Patterns(every.items).digest
