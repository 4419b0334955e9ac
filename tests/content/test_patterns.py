"""Every pattern finds its positive samples and none of its negative ones, with both engines, and shows nothing that identifies a person."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from tocsin.content.loaders import patterns, taxonomies
from tocsin.content.loaders.patterns import ALL_ROLES, PatternFile
from tocsin.detect.text.engine import Engine, hyperscan, scan
from tocsin.detect.text.masks import masked, unknown
from tocsin.detect.text.patterns import Pattern, Patterns
from tocsin.detect.text.validators import VALIDATORS

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
    assert file.validator in VALIDATORS
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
    for kind in ("personal_data", "secret", "injection"):
        assert len(patterns.load().of(kind).items) >= 5  # type: ignore[arg-type]


def _unbounded(pattern: Pattern) -> list[str]:
    """Repeats without a limit: they make a search cost more than the text is long."""
    return re.findall(r"(?<!\\)(?:[*+]|\{\d+,\})(?!\?*\))", re.sub(r"\[[^\]]*\]", "x", pattern.expression))


@pytest.mark.parametrize("file", EACH)
def test_every_repeat_is_bounded(file: PatternFile) -> None:
    assert _unbounded(BY_ID[file.id]) == []


@pytest.mark.parametrize("file", EACH)
def test_no_match_is_empty_or_longer_than_it_may_be(file: PatternFile) -> None:
    pattern = BY_ID[file.id]
    assert pattern.compiled.search(b"") is None
    for text in file.positive:
        for match in pattern.compiled.finditer(text.encode()):
            assert 0 < len(match.group()) <= pattern.reach


def test_the_digest_names_everything_that_decides() -> None:
    every = patterns.load()
    assert every.digest != every.of("secret").digest
    assert every.digest == Patterns(every.items).digest
