"""What was measured of the shipped rules: all of them, as they are now, and no rule claims more than was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from tests.shared import shared
from tocsin.content.loaders import measured, patterns
from tocsin.detect.text import calibration
from tocsin.detect.text.calibration import Measured, roles

RULES = patterns.load().items
AGAIN = "run python benchmarks/pattern_rates.py FOLDER"


def test_every_rule_was_measured_as_it_is_now() -> None:
    stale = [rule.id for rule in RULES if rule.id not in measured.load()]
    assert stale == [], AGAIN


def test_no_rule_is_measured_that_does_not_exist() -> None:
    lines = [json.loads(line) for line in measured.FILE.read_bytes().splitlines()]
    assert [line["rule"] for line in lines[1:]] == [rule.id for rule in RULES], AGAIN
    assert lines[0]["copies"] >= 5


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_rule_is_surer_of_itself_than_was_measured_in_any_role(rule: patterns.Pattern) -> None:
    for role, result in measured.load()[rule.id].items():
        high = result.precision().high
        assert rule.confidence <= high, f"in texts of {role} at most {high:.2f} of the findings are right: {result}"
        assert rule.bare <= high


def test_each_rule_was_looked_at_in_the_roles_that_it_has() -> None:
    for rule in RULES:
        parts = measured.load()[rule.id]
        assert tuple(parts) == roles(rule)
        assert all(part.texts == measured.texts()[role] for role, part in parts.items())
        assert all(0 <= part.wrong <= part.texts and 0 < part.planted >= part.found for part in parts.values())


def test_thousands_of_texts_of_each_kind_of_role_were_looked_at() -> None:
    assert set(measured.texts()) == {"user", "assistant", "document"}
    assert measured.texts()["user"] > 10_000 < measured.texts()["assistant"]
    assert measured.texts()["document"] > 800


def test_planted_items_are_found() -> None:
    first = [next(iter(measured.load()[rule.id].values())) for rule in RULES]
    assert sum(one.found for one in first) / sum(one.planted for one in first) >= 0.99


def test_all_rules_of_personal_data_and_secrets_together_raise_few_false_alarms() -> None:
    parts = chain.from_iterable(measured.load()[rule.id].values() for rule in RULES if rule.kind != "tool_call")
    assert 1_000 * sum(part.wrong for part in parts) / sum(measured.texts().values()) < 1


def test_a_rule_that_changed_is_no_longer_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "digest", lambda rule: "other")
    monkeypatch.setattr(measured, "digest", lambda rule: "other" if rule.id == "email" else calibration_digest(rule))
    measured.load.cache_clear()
    try:
        assert measured.whole("email") is None
        assert measured.whole("phone") is not None
    finally:
        measured.load.cache_clear()


calibration_digest = measured.digest


def test_roles_of_a_rule_are_pooled() -> None:
    parts = measured.load()["email"]
    whole = measured.whole("email")
    assert whole == Measured(
        parts["user"].planted, parts["user"].found, sum(measured.texts().values()), sum(p.wrong for p in parts.values())
    )
    assert measured.whole("no such rule") is None


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("user", ["user"]),
        ("tool", ["document"]),
        ("retrieved", ["document"]),
        ("assistant", ["assistant"]),
        ("system", []),
    ],
)
def test_a_role_has_the_texts_that_stand_for_it(role: str, expected: list[str]) -> None:
    assert list(measured.of_role(patterns.load().by_id["email"], role)) == expected


def test_the_file_is_what_the_command_makes_of_the_planted_texts() -> None:
    import importlib.util

    path = Path(__file__).parents[2] / "benchmarks" / "pattern_rates.py"
    shared("data/text/bipia_contexts.jsonl")
    spec = importlib.util.spec_from_file_location("pattern_rates", path)
    assert spec is not None
    assert spec.loader is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(path.parent))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        patch.setattr(module, "PROMPTS", ())
        texts = list(module.ordinary(shared("data/text")))
        assert {role for role, _ in texts} == {"document"}
        assert len(texts) == measured.texts()["document"]
        wrong = module.wrongly(texts)
    said = {rule.id: part.wrong for rule in RULES if (part := measured.load()[rule.id].get("document")) and part.wrong}
    assert {rule: count["document"] for rule, count in wrong.items()} == said


def test_a_pattern_without_a_role_is_measured_nowhere() -> None:
    assert measured.of_role(replace(RULES[0], id="unknown"), "user") == {}
