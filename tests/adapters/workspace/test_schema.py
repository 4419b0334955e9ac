"""The shape of the files, key by key: what is taken, what is refused, and what stands for what is left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tests.adapters.workspace.broken_workspaces import SOUND
from tocsin.adapters.workspace import schema
from tocsin.adapters.workspace.schema import (
    ROUTES,
    ColumnFile,
    DetectorFile,
    PersonFile,
    PolicyFile,
    RoleFile,
    SeverityRuleFile,
    SystemFile,
    TelemetryFile,
    WindowFile,
)
from tocsin.document.checking import Strict, checked
from tocsin.model.errors import BadInput

MODELS = [
    model
    for model in vars(schema).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model is not Strict
]
LEAST_SYSTEM = """\
id: chat
name: Chat
purpose: To answer
owner: ada
organization_role: deployer
provider: A supplier
eu_ai_act_route: none
operates_in: [DE]
"""


def system(text: str) -> SystemFile:
    return checked(LEAST_SYSTEM + text, "systems/chat.yaml", SystemFile)


def refused(text: str) -> list[str]:
    """Field and words of everything that is wrong with a system that has these lines, too."""
    with pytest.raises(BadInput) as caught:
        system(text)
    return [f"{problem.place.field}: {problem.what}" for problem in caught.value.problems()]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_says_what_it_is_for(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_part_refuses_unknown_keys(model: type[BaseModel]) -> None:
    assert model.model_config["extra"] == "forbid"
    with pytest.raises(ValidationError, match="no_such_key"):
        model.model_validate({"no_such_key": 1})


def test_the_least_system() -> None:
    least = system("")
    assert (least.telemetry, least.detectors, least.facts, least.models) == (None, (), {}, ())
    assert least.criticality == "medium"


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_taken(route: str) -> None:
    text = LEAST_SYSTEM.replace("route: none", f"route: {route}")
    assert checked(text, "f", SystemFile).eu_ai_act_route == route


@pytest.mark.parametrize("route", ["annex_iii", "annex_iii.0", "annex_iii.9", "high-risk", "None", "5", "~"])
def test_other_routes_are_not(route: str) -> None:
    with pytest.raises(BadInput, match=r"annex_iii\.<1-8>"):
        checked(LEAST_SYSTEM.replace("route: none", f"route: {route}"), "f", SystemFile)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("score", {"column": "score"}),
        ({"column": "score"}, {"column": "score"}),
        ({"column": "at", "zone": "Europe/Berlin"}, {"column": "at", "zone": "Europe/Berlin"}),
        ({"column": "score", "above": 1}, {"column": "score", "above": 1.0}),
        ({"column": "outcome", "equals": "bad"}, {"column": "outcome", "equals": "bad"}),
        ({"column": "outcome", "equals": False}, {"column": "outcome", "equals": False}),
        ({"constant": "assistant"}, {"constant": "assistant"}),
        ({"constant": 0}, {"constant": 0}),
        ({"constant": False}, {"constant": False}),
        ({"column": "x", "optional": True}, {"column": "x", "optional": True}),
    ],
)
def test_a_column_comes_from_a_source_or_is_constant(written: Any, expected: dict[str, Any]) -> None:
    assert ColumnFile.model_validate(written).model_dump(exclude_unset=True) == expected


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({}, "needs either `column` or `constant`"),
        ({"column": "a", "constant": "b"}, "needs either `column` or `constant`"),
        ({"column": "a", "above": 1, "at_least": 1}, "takes one of"),
        ({"column": "a", "above": 1, "equals": 1}, "takes one of"),
        (5, "must be the name of a source column"),
        (["a"], "must be the name of a source column"),
        (None, "must be the name of a source column"),
        ({"column": "a", "zone": "Mars/Olympus"}, "IANA"),
        ({"column": "a", "above": "1"}, "valid number"),
        ({"column": "a", "optional": "yes"}, "valid boolean"),
    ],
)
def test_a_column_that_contradicts_itself(written: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ColumnFile.model_validate(written)


def test_a_column_may_not_be_named_by_nothing() -> None:
    assert refused("telemetry: {table: interactions, columns: {time: , role: role}}") == [
        "telemetry.columns.time: must be the name of a source column, or a mapping such as {column: score, above: 0.5}"
    ]


def test_a_window_is_cut_in_one_way() -> None:
    assert WindowFile.model_validate({"rows": 10}).rows == 10
    assert WindowFile.model_validate({"every": "1h"}).every == timedelta(hours=1)
    for wrong in ({}, {"rows": 10, "every": "1h"}, {"rows": 9}, {"rows": 0}, {"rows": -5}, {"every": "0h"}):
        with pytest.raises(ValidationError):
            WindowFile.model_validate(wrong)


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ({"kind": "group_parity", "with": {"group": "sex"}}, "group_parity:sex"),
        ({"kind": "group_parity", "id": "mine", "with": {"group": "sex"}}, "mine"),
        ({"kind": "group_parity", "with": {"group": "sex", "crossed_with": ["age"]}}, "group_parity:sex+age"),
        ({"kind": "group_parity", "with": {"group": "sex", "crossed_with": 5}}, "group_parity:sex"),
        ({"kind": "personal_data"}, "personal_data"),
        ({"kind": "group_parity", "with": {"group": 5}}, "group_parity"),
    ],
)
def test_a_detector_is_called_by_its_id_or_by_its_kind_and_group(written: dict[str, Any], label: str) -> None:
    assert DetectorFile.model_validate({"window": {"rows": 10}, **written}).label == label


def test_a_detector_is_not_given_an_id_that_looks_like_another() -> None:
    (told,) = refused("detectors: [{kind: x, id: 'group_parity:sex', window: {rows: 10}}]")
    assert told.startswith("detectors.0.id: must be made of a-z, 0-9, - and _")


def test_a_detector_needs_a_window() -> None:
    assert refused("detectors: [{kind: x}]") == ["detectors.0.window: 'window' is missing"]


def test_a_table_is_one_of_two_and_a_format_one_of_five() -> None:
    told = refused("telemetry: {table: events, format: xml}")
    assert told == [
        "telemetry.table: must be one of predictions, interactions (it says 'events')",
        "telemetry.format: must be one of auto, jsonl, csv, parquet, otlp (it says 'xml')",
    ]


def test_the_format_is_found_out_unless_it_is_said() -> None:
    assert TelemetryFile.model_validate({"table": "predictions"}).format == "auto"


def test_an_id_may_not_leave_the_folder() -> None:
    for name in ("../chat", "a/b", "Chat", "", "chat.yaml"):
        with pytest.raises(BadInput):
            checked(LEAST_SYSTEM.replace("id: chat", f"id: {name!r}"), "f", SystemFile)


def test_a_person_needs_an_id_and_a_name_only() -> None:
    person = PersonFile.model_validate({"id": "ada", "name": "Ada"})
    assert (person.email, person.phone) == ("", "")


def test_a_role_may_stand_empty_but_its_letters_must_be_raci() -> None:
    assert RoleFile.model_validate({"id": "press", "title": "Press"}).duties == {}
    with pytest.raises(ValidationError):
        RoleFile.model_validate({"id": "press", "title": "Press", "duties": {"detect": "R"}})
    with pytest.raises(ValidationError):
        RoleFile.model_validate({"id": "press", "title": "Press", "duties": {"sleep": "responsible"}})


def test_a_row_of_the_matrix_without_conditions_always_holds() -> None:
    assert SeverityRuleFile.model_validate({"severity": "sev4", "why": "the rest"}).when == {}


def test_a_severity_is_one_of_four() -> None:
    with pytest.raises(ValidationError):
        SeverityRuleFile.model_validate({"severity": "sev5", "why": "x"})


@pytest.mark.parametrize("key", ["scope", "jurisdictions", "people", "roles", "severity"])
def test_a_policy_needs_at_least_one_entry_in_each_list(key: str) -> None:
    lines = [
        line for line in (SOUND / "policy.yaml").read_text().splitlines() if not line.startswith(("  ", f"{key}:"))
    ]
    with pytest.raises(BadInput) as caught:
        checked("\n".join([*lines, f"{key}: []"]), "policy.yaml", PolicyFile)
    told = {problem.place.field: problem.what for problem in caught.value.problems()}
    assert told[key] == "must be a list with at least one entry"


def test_a_policy_may_wait_for_its_approval() -> None:
    lines = (SOUND / "policy.yaml").read_text().splitlines()
    kept = "\n".join(line for line in lines if not line.startswith(("approved", "review")))
    policy = checked(kept, "policy.yaml", PolicyFile)
    assert (policy.approved_by, policy.approved_on, policy.review_by) == ("", None, None)
