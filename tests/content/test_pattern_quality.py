"""What the patterns find in collections of other people, as floors that were measured; and how broad the content is."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from tests.shared import shared
from tocsin.content.loaders import patterns
from tocsin.detect.text.engine import Hit, scan
from tocsin.detect.text.patterns import Patterns

FOUND = patterns.load().of("personal_data", "secret")
SURE = 0.5
"""Findings below this score are hints: addresses of documentation and of private networks."""
WRITTEN = {file.id: file for file in patterns.written()}

PRESIDIO = {
    name: (name,)
    for name in (
        "CREDIT_CARD",
        "PHONE_NUMBER",
        "EMAIL_ADDRESS",
        "US_SSN",
        "IBAN_CODE",
        "US_DRIVER_LICENSE",
        "IP_ADDRESS",
    )
}
DATAFOG = {
    "EMAIL": ("EMAIL_ADDRESS",),
    "PHONE": ("PHONE_NUMBER",),
    "SSN": ("US_SSN",),
    "CREDIT_CARD": ("CREDIT_CARD",),
    "IP_ADDRESS": ("IP_ADDRESS",),
    "ZIP_CODE": ("US_POSTCODE",),
    "DE_VAT_ID": ("DE_VAT", "EU_VAT"),
    "DE_IBAN": ("IBAN_CODE",),
}
PLANTED = {
    "CREDIT_CARD": ("CREDIT_CARD",),
    "IBAN": ("IBAN_CODE",),
    "US_SSN": ("US_SSN",),
    "EMAIL": ("EMAIL_ADDRESS",),
    "IP": ("IP_ADDRESS",),
    "PHONE": ("PHONE_NUMBER",),
    "AWS_KEY": ("AWS_ACCESS_KEY",),
    "GITHUB": ("GITHUB_TOKEN",),
    "SLACK": ("SLACK_TOKEN",),
    "OPENAI": ("OPENAI_KEY",),
    "STRIPE": ("STRIPE_SECRET_KEY",),
    "JWT": ("JSON_WEB_TOKEN",),
    "PRIVATE_KEY": ("PRIVATE_KEY",),
    "PASSWORD": ("PASSWORD",),
}


class Tally(NamedTuple):
    """Of the labelled entities those found and missed, and the findings of these kinds beside any label."""

    found: Counter[str]
    missed: Counter[str]
    beside: Counter[str]

    def recall(self, name: str) -> float:
        return self.found[name] / (self.found[name] + self.missed[name])

    @property
    def recall_of_all(self) -> float:
        return self.found.total() / (self.found.total() + self.missed.total())

    @property
    def precision_of_all(self) -> float:
        return self.found.total() / (self.found.total() + self.beside.total())


def rows(name: str) -> list[dict[str, Any]]:
    written = shared(f"data/text/{name}.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in written if line]


def label(span: Any) -> tuple[str, int, int]:
    return tuple(span) if isinstance(span, list) else (span["type"], span["start"], span["end"])  # type: ignore[return-value]


def meets(hit: Hit, start: int, end: int) -> bool:
    return hit.start < end and hit.end > start


@lru_cache
def tally(name: str, key: str, wanted: Iterable[tuple[str, tuple[str, ...]]]) -> Tally:
    kinds = dict(wanted)
    known = {entity: kind for kind, entities in kinds.items() for entity in entities}
    counts = Tally(Counter(), Counter(), Counter())
    labelled = rows(name)
    hits: Mapping[int, list[Hit]] = defaultdict(list)
    for hit in scan(pa.array([row["text"] for row in labelled]), FOUND).hits:
        hits[hit.row].append(hit)
    for number, row in enumerate(labelled):
        used: set[Hit] = set()
        for kind, start, end in map(label, row[key]):
            if kind in kinds:
                right = [
                    h for h in hits[number] if meets(h, start, end) and FOUND.items[h.pattern].entity in kinds[kind]
                ]
                used.update(right)
                (counts.found if right else counts.missed)[kind] += 1
        for hit in hits[number]:
            entity = FOUND.items[hit.pattern].entity
            if hit not in used and entity in known and hit.score >= SURE:
                counts.beside[known[entity]] += 1
    return counts


@pytest.mark.parametrize("kind", PRESIDIO)
def test_structured_personal_data_of_presidio_research_are_found(kind: str) -> None:
    assert tally("presidio_generated_large", "spans", tuple(PRESIDIO.items())).recall(kind) >= 0.98


def test_what_is_found_in_presidio_research_is_labelled() -> None:
    assert tally("presidio_generated_large", "spans", tuple(PRESIDIO.items())).precision_of_all >= 0.98


def test_the_edge_cases_of_datafog() -> None:
    counts = tally("datafog_corpus", "entities", tuple(DATAFOG.items()))
    assert counts.recall_of_all >= 0.95
    assert counts.precision_of_all >= 0.97


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_items_are_found(kind: str) -> None:
    assert tally("perf_corpus20k", "spans", tuple(PLANTED.items())).recall(kind) >= 0.98


def test_few_findings_stand_beside_planted_items() -> None:
    labelled = rows("perf_corpus20k")
    beside = 0
    for hit in scan(pa.array([row["text"] for row in labelled]), FOUND).hits:
        planted = [label(span) for span in labelled[hit.row]["spans"]]
        beside += hit.score >= SURE and not any(meets(hit, start, end) for _, start, end in planted)
    assert 1_000 * beside / len(labelled) < 3


@pytest.mark.parametrize("name", ["gsm8k_benign", "gpteacher_roleplay"])
def test_arithmetic_and_stories_hold_nothing(name: str) -> None:
    texts = [str(row[key]) for row in rows(name) for key in ("text", "response") if row.get(key)]
    assert [texts[hit.row] for hit in scan(pa.array(texts), FOUND).hits] == []


def entities(kind: Any) -> set[str]:
    return {pattern.named for pattern in FOUND.of(kind).items}


def test_how_many_kinds_there_are() -> None:
    assert len(entities("personal_data")) >= 300
    assert len(entities("secret")) >= 340


def test_most_kinds_of_personal_data_have_check_digits_or_a_structure() -> None:
    checked = {pattern.named for pattern in FOUND.of("personal_data").items if pattern.validator != "none"}
    assert len(checked) >= 180


def test_words_that_name_a_kind_are_known_in_many_languages() -> None:
    spoken = {language for pattern in FOUND.items for language in pattern.languages}
    assert spoken >= {
        "en",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "pl",
        "sv",
        "tr",
        "ru",
        "uk",
        "zh",
        "ja",
        "ko",
        "ar",
        "hi",
    }


@pytest.mark.parametrize("pattern", FOUND.items, ids=lambda pattern: pattern.id)
def test_a_kind_has_a_stable_name_and_a_source(pattern: Any) -> None:
    assert pattern.entity == pattern.entity.upper() != ""
    assert WRITTEN[pattern.id].source


def test_made_up_secrets_do_not_stand_whole_in_the_files() -> None:
    folder = files("tocsin.content").joinpath("patterns", "secrets")
    written = "\n".join(item.read_text(encoding="utf-8") for item in folder.iterdir() if item.name.endswith(".yaml"))
    tokens = [
        text[hit.start : hit.end]
        for file in WRITTEN.values()
        if file.kind == "secret" and file.validator == "secret" and not file.group
        for text in file.positive
        for hit in scan([text], Patterns((patterns.load().by_id[file.id],))).hits
    ]
    assert len(tokens) > 450
    assert [token for token in tokens if token in written and " " not in token] == []


def test_a_sample_in_parts_is_read_as_one_text() -> None:
    assert all(isinstance(text, str) for file in WRITTEN.values() for text in (*file.positive, *file.negative))
    assert any(text.startswith("ghp_") or "gho_" in text for text in WRITTEN["github_token"].positive)
