"""What the patterns find in collections of other people, as floors that were measured; and how broad the content is."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pytest
from benchmarks.labelled import FOUND, PLANTED, PRESIDIO, SURE, Collection, Tally, label, meets

from benchmarks import labelled
from tests.shared import shared
from tocsin.content.loaders import gitleaks, patterns
from tocsin.detect.text.engine import Hit, scan
from tocsin.detect.text.patterns import Patterns

WRITTEN = {file.id: file for file in patterns.written()}


def rows(name: str) -> list[dict[str, Any]]:
    return labelled.rows(shared(f"data/text/{name}.jsonl"))


@lru_cache
def tally(name: str) -> Tally:
    return labelled.tally(rows(name), labelled.COLLECTIONS[name])


CARD, MAIL = "4111 1111 1111 1111", "anna.albers42@nordpost-mail.eu"
MADE = Collection("made", "spans", {"CARD": ("CREDIT_CARD",), "MAIL": ("EMAIL_ADDRESS",)})


def test_a_tally_counts_labels_found_and_missed_and_findings_beside_them() -> None:
    made = [
        {"text": f"card {CARD}", "spans": [{"type": "CARD", "start": 5, "end": 24}]},
        {"text": f"{MAIL} and {MAIL}", "spans": [["MAIL", 0, 30], ["NAME", 35, 40]]},
        {"text": "a card, they say", "spans": [["CARD", 2, 6]]},
        {"text": f"no label: {CARD}", "spans": []},
    ]
    counts = labelled.tally(made, MADE)
    assert counts == (Counter(CARD=1, MAIL=1), Counter(CARD=1), Counter(CARD=1, MAIL=1))
    assert counts.recall("CARD") == counts.precision("CARD") == counts.precision("MAIL") == 0.5
    assert counts.recall() == 2 / 3
    assert counts.precision() == 0.5


def test_a_finding_of_another_kind_does_not_count_as_found() -> None:
    counts = labelled.tally([{"text": MAIL, "spans": [["CARD", 0, 30]]}], MADE)
    assert counts == (Counter(), Counter(CARD=1), Counter(MAIL=1))


def test_without_labels_and_findings_there_is_nothing_to_blame() -> None:
    counts = Tally(Counter(), Counter(), Counter())
    assert counts.recall() == counts.precision() == counts.recall("CARD") == 1


@pytest.mark.parametrize(("start", "end", "expected"), [(0, 3, False), (0, 4, True), (6, 7, True), (7, 9, False)])
def test_what_touches_meets(start: int, end: int, expected: bool) -> None:
    assert meets(Hit(0, 0, 3, 7), start, end) is expected


def test_fixtures_are_counted_by_what_they_are_and_whether_anything_is_found() -> None:
    texts = [{"label": 1, "text": f"x {CARD}"}, {"label": 1, "text": "x"}, {"label": 0, "text": MAIL}]
    assert labelled.fixtures(texts, FOUND) == {(1, True): 1, (1, False): 1, (0, True): 1}


@pytest.mark.shared
def test_the_fixtures_of_gitleaks() -> None:
    texts = rows("gitleaks_rule_fixtures")
    theirs = gitleaks.read(shared("data/text/gitleaks.toml").read_bytes(), "gitleaks.toml").patterns
    assert labelled.fixtures(texts, theirs)[1, True] >= 88
    ours = labelled.fixtures(texts, FOUND.of("secret"))
    assert ours[1, True] >= 84
    assert ours[0, True] <= 12


def secrets_in(text: str) -> list[str]:
    return [text[hit.start : hit.end] for hit in scan([text], FOUND.of("secret")).hits]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("curl -X PUT https://h.test/a \\\n  -H 'Accept: */*' \\\n  -u bot:h7Kd93jsQp", ["h7Kd93jsQp"]),
        ("curl --user kim:'h7Kd93jsQp' https://h.test", ["h7Kd93jsQp"]),
        ('curl -u ":h7Kd93jsQp" https://h.test', ["h7Kd93jsQp"]),
        ('curl -u "h7Kd93jsQp:" https://h.test', ["h7Kd93jsQp"]),
        ('curl -H "X-Auth-Token: h7Kd93jsQp" https://h.test', ["h7Kd93jsQp"]),
        ('curl -H "Authorization: Api-Token h7Kd93jsQp" https://h.test', ["h7Kd93jsQp"]),
        ('curl -H "Authorization: Basic dXNlcjE6cGFzc3dvcmQx" https://h.test', []),
        ("curl https://h.test\nsudo -u bot:h7Kd93jsQp id", []),
        ('curl -u ":" https://h.test', []),
    ],
)
def test_credentials_of_curl_are_found_as_people_write_them(text: str, expected: list[str]) -> None:
    assert secrets_in(text) == expected


@pytest.mark.parametrize("between", ["\n", "\r\n", "\\n", '\\n" +\n  "'])
def test_a_private_key_is_its_header_and_the_beginning_of_its_body(between: str) -> None:
    head, body = "-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQ"
    assert secrets_in(f"see {head}{between}{body}") == [f"{head}{between}{body}"]
    assert secrets_in(f"see {head}{between}-----END PRIVATE KEY-----") == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_credentials_of_sidekiq_need_not_look_random(scheme: str) -> None:
    assert secrets_in(f"{scheme}://cafebabe:deadbeef@gems.contribsys.com/") == ["cafebabe:deadbeef"]
    assert secrets_in(f"{scheme}://cafebabe:deadbeef@gems.acme-corp.net/") == []


@pytest.mark.parametrize("kind", PRESIDIO)
def test_structured_personal_data_of_presidio_research_are_found(kind: str) -> None:
    assert tally("presidio_generated_large").recall(kind) >= 0.98


def test_what_is_found_in_presidio_research_is_labelled() -> None:
    assert tally("presidio_generated_large").precision() >= 0.98


def test_the_edge_cases_of_datafog() -> None:
    counts = tally("datafog_corpus")
    assert counts.recall() >= 0.95
    assert counts.precision() >= 0.97


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_items_are_found(kind: str) -> None:
    assert tally("perf_corpus20k").recall(kind) >= 0.98


def test_few_findings_stand_beside_planted_items() -> None:
    texts = rows("perf_corpus20k")
    beside = 0
    for hit in scan(pa.array([row["text"] for row in texts]), FOUND).hits:
        planted = [label(span) for span in texts[hit.row]["spans"]]
        beside += hit.score >= SURE and not any(meets(hit, start, end) for _, start, end in planted)
    assert 1_000 * beside / len(texts) < 3


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
