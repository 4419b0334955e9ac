"""What a row of the severity matrix may ask for is what classification gives: neither more nor less."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.core.govern.workspaces import POLICY, SYSTEM
from tocsin.adapters.workspace.policy_references import INPUTS
from tocsin.classify.classifying import classify
from tocsin.model.event import Json
from tocsin.model.finding import Category
from tocsin.model.incident import Incident, Phase
from tocsin.model.law import Fact

NOW = datetime(2026, 11, 24, tzinfo=UTC)
NOT_FOR_CONDITIONS = {"categories"}
"""A list, shown with the verdict; a condition compares with a single value."""


def inputs(**facts: Json) -> dict[str, Json]:
    """The inputs of an incident of which everything is known."""
    known = {name: Fact(name, value, "a test", "ada", NOW) for name, value in facts.items()}
    incident = Incident(
        "INC-2026-0001", 1, "model", "", Category.BIAS, "", Phase.OPEN, NOW, "ada", "person", facts=known
    )
    return dict(classify(incident, [Category.BIAS], (), SYSTEM, POLICY, {}).inputs)


def test_every_input_may_be_asked_for_and_nothing_else() -> None:
    given = inputs(personal_data=True, people_affected=3, special_category_data=False)
    assert set(given) - NOT_FOR_CONDITIONS == set(INPUTS)


def test_every_input_has_the_type_that_conditions_are_checked_for() -> None:
    given = inputs(personal_data=True, people_affected=3, special_category_data=False)
    assert {name for name, kind in INPUTS.items() if type(given[name]) is not kind.type} == set()


def test_every_text_is_one_that_conditions_may_name() -> None:
    given = inputs()
    assert all(given[name] in kind.values for name, kind in INPUTS.items() if kind.values)
