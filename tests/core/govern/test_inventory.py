"""Each gap of the inventory: found when it is there, not found when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.govern.workspaces import CHAT, POLICY, SYSTEM, TODAY, found, ids
from tocsin.govern.inventory import EU_MEMBERS, covered, high_risk
from tocsin.govern.readiness import gaps
from tocsin.model.policy import Person, System, TelemetryMapping, Workspace


def without(system: System, *columns: str) -> System:
    """The system without these columns in its mapping."""
    assert system.telemetry is not None
    kept = {name: column for name, column in system.telemetry.columns.items() if name not in columns}
    return replace(system, telemetry=replace(system.telemetry, columns=kept))


def test_an_inventory_without_systems() -> None:
    (gap,) = gaps(Workspace("house", POLICY, {}), TODAY)
    assert (gap.id, gap.weight, gap.file) == ("inventory.empty", "high", "systems")


def test_a_gap_names_the_file_of_its_system() -> None:
    (gap,) = found(replace(SYSTEM, detectors=()), CHAT)
    assert (gap.file, gap.field) == ("systems/model.yaml", "detectors")
    assert gap.what.startswith("model: ")


def test_a_system_without_telemetry_is_one_gap_not_many() -> None:
    (gap,) = found(replace(SYSTEM, telemetry=None, detectors=(), models=()))
    assert (gap.id, gap.weight) == ("system.no_telemetry", "high")


def test_watching_answers_to_the_duty_of_the_role() -> None:
    (gap,) = found(replace(SYSTEM, telemetry=None))
    assert "EU AI Act Art. 72" in gap.answers
    (gap,) = found(replace(SYSTEM, telemetry=None, organization_role="deployer"))
    assert "EU AI Act Art. 26(5)" in gap.answers
    (gap,) = found(replace(SYSTEM, telemetry=None, eu_ai_act_route="none"))
    assert not any(answer.startswith("EU AI Act") for answer in gap.answers)


def test_a_system_that_no_detector_watches() -> None:
    assert ids(replace(SYSTEM, detectors=())) == ["system.no_detectors"]


def test_a_system_without_versions() -> None:
    assert ids(replace(SYSTEM, models=())) == ["system.no_versions"]


@pytest.mark.parametrize("system", [SYSTEM, CHAT])
def test_rows_that_do_not_say_whom_they_concern(system: System) -> None:
    assert ids(without(system, "unit")) == ["system.no_unit"]


def test_messages_that_belong_to_no_conversation() -> None:
    assert ids(without(CHAT, "session")) == ["system.no_session"]


def test_no_group_is_heavy_for_a_high_risk_system_and_light_for_another() -> None:
    bare = without(SYSTEM, "group.sex")
    (gap,) = found(bare)
    assert (gap.id, gap.weight) == ("system.no_groups", "high")
    (gap,) = found(replace(bare, eu_ai_act_route="none"))
    assert (gap.id, gap.weight) == ("system.no_groups", "low")


def test_no_label() -> None:
    assert ids(without(SYSTEM, "label")) == ["system.no_label"]


def test_trace_files_name_their_columns_themselves() -> None:
    assert ids(replace(CHAT, telemetry=TelemetryMapping("interactions", {}, "otlp"))) == []


def test_a_prohibited_practice() -> None:
    (gap,) = found(replace(SYSTEM, eu_ai_act_route="prohibited"))
    assert (gap.id, gap.weight, gap.answers) == ("system.prohibited", "high", ("EU AI Act Art. 5",))


def test_a_high_risk_system_of_low_criticality() -> None:
    assert ids(replace(SYSTEM, criticality="low")) == ["system.criticality"]
    assert ids(replace(SYSTEM, criticality="low", eu_ai_act_route="none")) == []


def test_a_high_risk_system_that_does_not_say_whom_it_concerns() -> None:
    assert ids(replace(SYSTEM, affected_people="")) == ["system.affected_people"]
    assert ids(replace(CHAT, affected_people="")) == []


def test_an_owner_whom_the_policy_does_not_know() -> None:
    assert ids(replace(SYSTEM, owner="zoe")) == ["system.no_owner"]


def test_an_owner_without_a_role() -> None:
    eve = Person("eve", "Eve", phone="3")
    assert ids(replace(SYSTEM, owner="eve"), people=(*POLICY.people, eve)) == ["system.owner_without_role"]


def test_a_country_whose_law_the_policy_does_not_name() -> None:
    (gap,) = found(replace(SYSTEM, operates_in=("DE", "US-CA")))
    assert (gap.id, gap.remedy) == ("system.country", "add US-CA to `jurisdictions`")


def test_a_jurisdiction_in_which_nothing_operates() -> None:
    (gap,) = found(jurisdictions=("EU", "DE", "JP"))
    assert (gap.id, gap.weight, gap.what) == ("jurisdiction.idle", "low", "no system operates in JP")


def test_union_law_without_a_system_in_the_union() -> None:
    japanese = replace(SYSTEM, operates_in=("JP",))
    assert ids(japanese, jurisdictions=("EU", "JP")) == ["jurisdiction.idle"]


@pytest.mark.parametrize(
    ("country", "jurisdictions", "expected"),
    [
        ("DE", ("DE",), True),
        ("DE", ("EU",), True),
        ("NO", ("EU",), False),
        ("GB", ("EU",), False),
        ("US-CA", ("US-CA",), True),
        ("US-CA", ("US",), True),
        ("US", ("US-CA",), False),
        ("US-NY", ("US-CA",), False),
        ("FR-75", ("EU",), True),
        ("EU", ("EU",), True),
        ("DE", (), False),
    ],
)
def test_a_country_is_covered_by_itself_its_state_or_the_union(
    country: str, jurisdictions: tuple[str, ...], expected: bool
) -> None:
    assert covered(country, jurisdictions) == expected


def test_the_union_has_27_members() -> None:
    assert len(EU_MEMBERS) == 27
    assert not EU_MEMBERS & {"GB", "NO", "CH", "EU"}


@pytest.mark.parametrize(
    ("route", "expected"),
    [("annex_iii.1", True), ("annex_i_a", True), ("annex_i_b", True), ("transparency", False), ("none", False)],
)
def test_which_routes_are_high_risk(route: str, expected: bool) -> None:
    assert high_risk(replace(SYSTEM, eu_ai_act_route=route)) == expected
