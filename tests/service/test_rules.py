"""The listing of rules: all of them, those of a kind or role, with figures that agree with what was measured."""

from __future__ import annotations

import pytest

from tocsin.content.loaders import measured, patterns
from tocsin.service import rules


def test_every_shipped_rule_is_listed_once_with_what_was_measured() -> None:
    found = rules.listed()
    assert [rule.id for rule in found.rules] == [pattern.id for pattern in patterns.load().items]
    assert found.unmeasured == ()
    for rule in found.rules:
        assert 0 <= rule.precision_low <= rule.precision <= 1
        assert 0 <= rule.alarms <= rule.alarms_high
        assert rule.texts > 800
        assert rule.finds
        assert rule.title


@pytest.mark.parametrize("kind", ["personal_data", "secret", "injection", "tool_call"])
def test_a_kind_is_listed_alone(kind: str) -> None:
    found = rules.listed(kind)
    assert {rule.kind for rule in found.rules} == {kind}
    assert len(found.rules) == len(patterns.load().of(kind).items)  # type: ignore[arg-type]


def test_a_role_has_its_own_figures_and_only_its_rules() -> None:
    for_users = {rule.id: rule for rule in rules.listed(role="user").rules}
    assert "addressed_to_ai" not in for_users
    assert for_users["email"].texts == measured.texts()["user"]
    everywhere = {rule.id: rule for rule in rules.listed().rules}
    assert everywhere["email"].texts == sum(measured.texts().values())


def test_of_system_prompts_nothing_was_measured_and_that_is_said() -> None:
    found = rules.listed("secret", "system")
    assert found.rules == ()
    assert len(found.unmeasured) == len(patterns.load().of("secret").items)


def test_sarif_is_told_the_word_and_the_figures() -> None:
    told = rules.properties("email")
    assert told["precision"] == measured.whole("email").word  # type: ignore[union-attr]
    assert 0 < float(told["measuredPrecisionLow"]) <= float(told["measuredPrecision"]) <= 1
    assert float(told["falseAlarmsPer1000"]) >= 0
    assert rules.properties("a rule of somebody else") == {}
