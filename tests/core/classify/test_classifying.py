"""Category, gravity, limbs of AI Act Art. 3(49) and severity, with what they were read from."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from tests.core.incident.made import ACKNOWLEDGED, CONTAINED, incident
from tests.service.desks import policy, system
from tocsin.classify.classifying import LIMBS, classify, differs, holds, limb_values
from tocsin.model.finding import Category
from tocsin.model.incident import Classification, Gravity, Incident
from tocsin.model.policy import Policy, Severity, SeverityRule

MATRIX = (
    SeverityRule(Severity.SEV1, {"gravity": "serious_incident"}, "serious"),
    SeverityRule(Severity.SEV2, {"category": ["bias", "data_leakage"], "people_affected": {"at_least": 100}}, "many"),
    SeverityRule(Severity.SEV3, {"gravity": ["incident", "near_miss"]}, "something"),
    SeverityRule(Severity.SEV4, {}, "a hazard"),
)
POLICY: Policy = replace(policy(), severity=MATRIX)


def facts(**values: Any) -> list[tuple[str, dict[str, Any]]]:
    return [("fact_recorded", {"name": name, "value": value, "source": "s"}) for name, value in values.items()]


def judged(state: Incident, *categories: Category, **given: Any) -> Classification:
    found = categories or (state.category,)
    return classify(state, found, given.get("tags", ()), system(None), POLICY, given.get("crosswalk", {}))


class TestLimbs:
    @pytest.mark.parametrize(("limb", "fact"), [(limb, fact) for limb, names in LIMBS.items() for fact in names])
    def test_each_fact_fills_its_limb_and_no_other(self, limb: str, fact: str) -> None:
        values = limb_values({fact: True}, [Category.MISUSE])
        assert {name for name, value in values.items() if value == "yes"} == {limb}

    @pytest.mark.parametrize(("first", "second"), list(product((True, False, None), repeat=2)))
    def test_limbs_of_two_facts_are_three_valued(self, first: Any, second: Any) -> None:
        value = limb_values({"death": first, "serious_health_harm": second}, [Category.MODEL_FAILURE])["a"]
        expected = "yes" if True in (first, second) else "no" if (first, second) == (False, False) else "possible"
        assert value == expected

    @pytest.mark.parametrize(
        ("category", "possible"),
        [
            (Category.BIAS, {"c"}),
            (Category.DATA_LEAKAGE, {"c"}),
            (Category.MODEL_FAILURE, {"a", "b", "d"}),
            (Category.AGENT_MISUSE, {"b", "d"}),
            (Category.ADVERSARIAL_ATTACK, set()),
            (Category.MISUSE, set()),
        ],
    )
    def test_what_stays_possible_while_nobody_answered(self, category: Category, possible: set[str]) -> None:
        values = limb_values({}, [category])
        assert {limb for limb, value in values.items() if value == "possible"} == possible

    def test_two_categories_leave_the_limbs_of_both_possible(self) -> None:
        values = limb_values({}, [Category.BIAS, Category.AGENT_MISUSE])
        assert values == {"a": "no", "b": "possible", "c": "possible", "d": "possible"}


class TestGravity:
    @pytest.mark.parametrize("fact", [fact for names in LIMBS.values() for fact in names])
    def test_a_filled_limb_is_a_serious_incident(self, fact: str) -> None:
        verdict = judged(incident(*facts(**{fact: True})))
        assert verdict.gravity is Gravity.SERIOUS_INCIDENT
        assert verdict.severity is Severity.SEV1
        assert "of AI Act Art. 3(49) holds" in verdict.why[0]

    @pytest.mark.parametrize(
        ("category", "given", "gravity"),
        [
            ("bias", {}, Gravity.INCIDENT),
            ("data_leakage", {}, Gravity.INCIDENT),
            ("adversarial_attack", {}, Gravity.NEAR_MISS),
            ("model_failure", {"harm_occurred": True}, Gravity.INCIDENT),
            ("bias", {"harm_occurred": False}, Gravity.NEAR_MISS),
            ("bias", {"harm_occurred": False, "reached_people": True}, Gravity.NEAR_MISS),
            ("bias", {"harm_occurred": False, "reached_people": False}, Gravity.HAZARD),
        ],
    )
    def test_the_ladder(self, category: str, given: dict[str, Any], gravity: Gravity) -> None:
        assert judged(incident(*facts(**given), category=category)).gravity is gravity

    def test_what_a_person_declares_is_an_incident_until_somebody_knows_better(self) -> None:
        assert judged(incident(category="misuse", source="person")).gravity is Gravity.INCIDENT

    def test_possible_limbs_are_told_and_not_counted(self) -> None:
        verdict = judged(incident())
        assert verdict.limbs == ("c:possible",)
        assert verdict.why[0] == "gravity incident; limb c is possible until its question is answered"


class TestSeverity:
    @pytest.mark.parametrize(
        ("when", "inputs", "fits"),
        [
            ({}, {}, True),
            ({"gravity": "incident"}, {"gravity": "incident"}, True),
            ({"gravity": ["incident", "near_miss"]}, {"gravity": "near_miss"}, True),
            ({"gravity": "incident"}, {"gravity": "hazard"}, False),
            ({"gravity": "incident"}, {}, False),
            ({"people_affected": {"at_least": 100}}, {"people_affected": 100}, True),
            ({"people_affected": {"at_least": 100}}, {"people_affected": 99}, False),
            ({"people_affected": {"at_least": 1}}, {"people_affected": True}, False),
            ({"people_affected": {"at_least": 1}}, {}, False),
            ({"ongoing": True}, {"ongoing": True}, True),
            ({"ongoing": True, "gravity": "incident"}, {"ongoing": True, "gravity": "hazard"}, False),
            ({"categories": "bias"}, {"categories": ["bias", "misuse"]}, True),
            ({"categories": ["data_leakage", "bias"]}, {"categories": ["bias"]}, True),
            ({"categories": "data_leakage"}, {"categories": ["bias"]}, False),
        ],
    )
    def test_a_row_holds_when_each_condition_does(self, when: Any, inputs: Any, fits: bool) -> None:
        assert holds(SeverityRule(Severity.SEV1, when, "w"), inputs) is fits

    def test_the_first_row_that_holds_decides_and_its_reason_is_told(self) -> None:
        verdict = judged(incident(*facts(people_affected=120)))
        assert verdict.severity is Severity.SEV2
        assert verdict.why[1] == "severity sev2: many"

    def test_every_input_is_shown_with_the_verdict(self) -> None:
        verdict = judged(
            incident(*facts(people_affected=7, special_category_data=True)), Category.BIAS, Category.MISUSE
        )
        assert verdict.inputs == {
            "category": "bias",
            "categories": ["bias", "misuse"],
            "gravity": "incident",
            "criticality": "medium",
            "findings": 1,
            "ongoing": True,
            "personal_data": None,
            "people_affected": 7,
            "special_category_data": True,
        }

    @pytest.mark.parametrize(("steps", "ongoing"), [((), True), ((ACKNOWLEDGED,), True), ((CONTAINED,), False)])
    def test_harm_goes_on_until_it_is_contained(self, steps: Any, ongoing: bool) -> None:
        assert judged(incident(*steps)).inputs["ongoing"] is ongoing


def test_tags_are_those_of_the_findings_and_of_their_categories() -> None:
    crosswalk = {"bias": ("nist.1",), "misuse": ("nist.2",)}
    verdict = judged(incident(), Category.BIAS, tags=("oecd.x", "nist.1"), crosswalk=crosswalk)
    assert verdict.tags == ("nist.1", "oecd.x")


class TestDiffering:
    OLD = judged(incident())

    def test_the_same_says_the_same(self) -> None:
        assert not differs(self.OLD, judged(incident()))
        assert differs(None, self.OLD)

    @pytest.mark.parametrize(
        "change",
        [
            {"category": Category.MISUSE},
            {"gravity": Gravity.HAZARD},
            {"limbs": ()},
            {"severity": Severity.SEV1},
            {"tags": ("x",)},
            {"inputs": {}},
        ],
    )
    def test_each_part_counts(self, change: dict[str, Any]) -> None:
        assert differs(self.OLD, replace(self.OLD, **change))

    def test_a_severity_that_a_person_set_does_not_differ_from_the_matrix(self) -> None:
        overruled = replace(
            self.OLD, severity=Severity.SEV1, inputs={**self.OLD.inputs, "severity_overruled_by": "okafor"}
        )
        assert not differs(overruled, self.OLD)
        assert differs(overruled, replace(self.OLD, gravity=Gravity.HAZARD))
