"""Ids of taxonomies are data: each that is used exists, and each has its source."""

from __future__ import annotations

import re

import pytest

from tocsin.content.loaders import patterns, taxonomies
from tocsin.detect.streams import telling
from tocsin.model.finding import Category

KNOWN = taxonomies.load()


@pytest.mark.parametrize("category", list(Category))
def test_each_category_is_defined_and_meets_other_taxonomies(category: Category) -> None:
    assert len(KNOWN.definitions[category].split()) > 8
    assert KNOWN.crosswalk[category]
    assert all(tag in KNOWN.names for tag in KNOWN.crosswalk[category])


def test_the_great_taxonomies_are_there() -> None:
    prefixes = {tag.rpartition(".")[0] for tag in KNOWN.names}
    assert any(prefix.startswith("atlas") for prefix in prefixes)
    assert {"owasp.llm", "owasp.agentic"} <= prefixes
    assert any(tag.startswith("nist.ai_rmf.") for tag in KNOWN.names)
    assert all(source.startswith("https://") for source in KNOWN.sources.values())


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("owasp.llm.LLM01", "Prompt Injection"),
        ("owasp.llm.LLM07", "System Prompt Leakage"),
        ("owasp.agentic.ASI02", "Tool Misuse and Exploitation"),
        ("nist.aml.NISTAML.018", "Prompt injection"),
    ],
)
def test_names_are_the_owners(tag: str, name: str) -> None:
    assert KNOWN.name(tag) == name


def test_an_unknown_id_stands_for_itself() -> None:
    assert KNOWN.name("acme.X1") == "acme.X1"


def test_atlas_ids_have_their_form() -> None:
    atlas = [tag.removeprefix("atlas.") for tag in KNOWN.names if tag.startswith("atlas.")]
    assert len(atlas) > 50
    assert all(re.fullmatch(r"AML\.(T|TA|CS|M)\d{4}(\.\d{3})?", name) for name in atlas)


def test_every_tag_of_a_pattern_exists() -> None:
    used = {tag for pattern in patterns.load().items for tag in pattern.tags}
    assert used
    assert used <= set(KNOWN.names)


def test_findings_of_streams_are_told_apart() -> None:
    assert len({telling.finding_id("s", "d", key, window) for key in "ab" for window in range(9)}) == 18
