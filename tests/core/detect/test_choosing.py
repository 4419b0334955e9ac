"""Detectors for systems that name none: what the columns allow, and never one that could not run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.govern.workspaces import CHAT, POLICY, SYSTEM
from tocsin.content.discovery import detector_kinds
from tocsin.detect.choosing import chosen, completed, told
from tocsin.detect.parameters import misfits
from tocsin.model.policy import ColumnMapping, System, TelemetryMapping, Workspace
from tocsin.model.telemetry import TABLES, Table

KINDS = detector_kinds()


def mapped(table: Table, *columns: str) -> TelemetryMapping:
    return TelemetryMapping(table, {name: ColumnMapping(column=name) for name in columns})


def ids(telemetry: TelemetryMapping) -> list[str]:
    return [choice.id for choice in chosen(telemetry)]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (("time",), []),
        (("time", "label", "group.sex"), []),
        (("time", "decision"), []),
        (("time", "decision", "label"), ["error_rate"]),
        (("time", "score", "label"), ["calibration"]),
        (("time", "decision", "score"), ["estimated_error"]),
        (("time", "decision", "group.sex", "group.age"), ["group_parity:age", "group_parity:sex"]),
        (("time", "decision", "label", "group.sex"), ["error_rate", "equalized_odds:sex"]),
    ],
)
def test_predictions_are_watched_by_what_their_columns_allow(columns: tuple[str, ...], found: list[str]) -> None:
    assert ids(mapped("predictions", *columns)) == found


def test_messages_are_watched_by_what_their_columns_allow() -> None:
    assert ids(mapped("interactions", "time", "role")) == []
    assert ids(mapped("interactions", "time", "role", "text")) == ["prompt_injection", "personal_data", "refusals"]
    assert "slow_answers" in ids(mapped("interactions", "time", "role", "latency_ms"))
    assert ids(mapped("interactions", "time", "role", "tokens_in", "cost")) == ["tokens"]


def test_features_and_scores_of_a_model_are_watched_for_drift() -> None:
    columns = {name: ColumnMapping(column=name) for name in ("time", "score", "feature.income")}
    columns["feature.contract"] = ColumnMapping(column="contract", type="text")
    found = chosen(TelemetryMapping("predictions", columns))
    assert [(one.kind, one.id) for one in found] == [
        ("prediction_drift", "prediction_drift"),
        ("categorical_drift", "categorical_drift:contract"),
        ("numeric_drift", "numeric_drift:income"),
    ]
    assert found[2].parameters == {"column": "feature.income", "tolerance": 0.1, "tolerance_in": "psi"}
    assert all(misfits(KINDS[one.kind], one.parameters) == [] for one in found)


def test_of_many_features_the_first_twenty_are_watched() -> None:
    many = ids(mapped("predictions", "time", *(f"feature.f{n:02}" for n in range(50))))
    assert many == [f"numeric_drift:f{n:02}" for n in range(20)]


def test_scores_without_features_are_left_to_what_needs_them() -> None:
    assert ids(mapped("predictions", "time", "score")) == []
    assert ids(mapped("predictions", "time", "score", "label")) == ["calibration"]


def test_traces_need_no_mapping() -> None:
    found = ids(TelemetryMapping("interactions", {}, "otlp"))
    assert {"prompt_injection", "failed_calls", "slow_answers"} <= set(found)


@pytest.mark.parametrize("table", ["predictions", "interactions"])
def test_whatever_is_chosen_can_run(table: Table) -> None:
    columns = [column.name for column in TABLES[table]] + (["group.sex"] if table == "predictions" else [])
    found = chosen(mapped(table, *columns))
    assert len({choice.id for choice in found}) == len(found) >= 4
    for choice in found:
        kind = KINDS[choice.kind]
        assert misfits(kind, choice.parameters) == []
        assert kind.table == table or kind.either
        assert set(kind.required) <= set(columns)


def house(*systems: System) -> Workspace:
    return Workspace("house", POLICY, {system.id: system for system in systems})


def test_only_systems_that_name_none_and_map_telemetry_are_completed() -> None:
    bare = replace(SYSTEM, id="bare", detectors=())
    deaf = replace(CHAT, id="deaf", detectors=(), telemetry=None)
    at = house(SYSTEM, bare, deaf)
    systems = completed(at).systems
    assert systems["model"] == SYSTEM
    assert systems["deaf"].detectors == ()
    assert [choice.id for choice in systems["bare"].detectors] == [
        "error_rate",
        "equalized_odds:sex",
        "numeric_drift:income",
    ]
    assert told(at) == (
        "bare names no detectors: its columns choose error_rate, equalized_odds:sex, numeric_drift:income.",
    )
    assert told(completed(at)) == ()
