"""Columns of a file into columns of a table, and the rows that do not fit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tocsin.adapters.telemetry.chunks import Chunk, column
from tocsin.adapters.telemetry.mapping import Mapped, Plan, mapped, missing_columns, plan, refused
from tocsin.adapters.telemetry.schema import TYPES, required, schema
from tocsin.model.policy import ColumnMapping, TelemetryMapping
from tocsin.model.telemetry import INTERACTIONS, PREDICTIONS

NOON = "2026-11-01T12:00:00Z"
PREDICTED = Plan(
    "predictions",
    {
        "time": ColumnMapping(column="at"),
        "score": ColumnMapping(column="p"),
        "group.sex": ColumnMapping(column="sex"),
        "feature.income": ColumnMapping(column="income"),
        "feature.city": ColumnMapping(column="city", type="text"),
        "model_version": ColumnMapping(constant="2.3.0"),
    },
)
SPOKEN = Plan("interactions", {"time": ColumnMapping(column="at"), "role": ColumnMapping(column="who")})


def chunk(**columns: list[Any]) -> Chunk:
    count = len(next(iter(columns.values())))
    arrays = {name: column(values) for name, values in columns.items()}
    return Chunk(arrays, np.arange(10, 10 + count), (), list(columns), lambda index: f"text of row {index}")


def told(result: Mapped) -> list[tuple[int, str]]:
    return [(bad.line, bad.reason) for bad in result.bad]


def test_rows_have_the_schema_of_the_table() -> None:
    result = mapped(chunk(at=[NOON], p=["0.5"], sex=["f"], income=[1000], city=["Kiel"]), PREDICTED)
    assert result.rows.schema == schema("predictions", PREDICTED.columns)
    assert [field.name for field in result.rows.schema] == [
        *[known.name for known in PREDICTIONS],
        "feature.city",
        "feature.income",
        "group.sex",
    ]
    (row,) = result.rows.to_pylist()
    assert row["time"] == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert {name: value for name, value in row.items() if value is not None and name != "time"} == {
        "model_version": "2.3.0",
        "score": 0.5,
        "group.sex": "f",
        "feature.income": 1000.0,
        "feature.city": "Kiel",
    }


def test_columns_of_the_interactions_table() -> None:
    result = mapped(chunk(at=[NOON], who=["user"]), SPOKEN)
    assert [field.name for field in result.rows.schema] == [known.name for known in INTERACTIONS]
    assert all(field.type == TYPES[known.type] for field, known in zip(result.rows.schema, INTERACTIONS, strict=True))


def test_a_source_column_that_the_chunk_lacks_is_null() -> None:
    assert mapped(chunk(at=[NOON]), PREDICTED).rows.column("score").to_pylist() == [None]


def test_rows_that_do_not_fit_are_named_with_their_first_mistake() -> None:
    result = mapped(
        chunk(
            at=[NOON, "soon", NOON, None],
            p=["high", "high", "0.5", "0.5"],
            sex=["f"] * 4,
            income=[1] * 4,
            city=["x"] * 4,
        ),
        PREDICTED,
    )
    assert result.lines.tolist() == [12]
    assert result.rows.num_rows == 1
    assert told(result) == [
        (10, "score: not a number: 'high'"),
        (11, "time: not a time: 'soon'"),
        (13, "time: missing"),
    ]
    assert [bad.raw for bad in result.bad] == ["text of row 0", "text of row 1", "text of row 3"]
    assert [bad.kind for bad in result.bad] == ["score: not a number", "time: not a time", "time: missing"]


def test_a_long_value_is_told_by_its_beginning() -> None:
    (bad,) = mapped(chunk(at=[NOON], p=["9" * 50 + "x" * 5_000]), PREDICTED).bad
    assert len(bad.reason) < 100


def test_an_unknown_role_is_rejected_with_the_known_ones() -> None:
    result = mapped(chunk(at=[NOON] * 4, who=["user", "robot", None, "tool"]), SPOKEN)
    assert told(result) == [(11, "role: not a role: 'robot'"), (12, "role: missing")]
    assert result.bad[0].remedy == "roles are: system, user, assistant, tool, retrieved"
    assert result.rows.column("role").to_pylist() == ["user", "tool"]


def test_required_columns_are_those_of_the_table() -> None:
    assert required("predictions") == ("time",)
    assert required("interactions") == ("time", "role")


@pytest.mark.parametrize("constant", [0.5, "0.5", 1, True])
def test_a_constant_stands_in_every_row(constant: Any) -> None:
    where = Plan("predictions", {"time": ColumnMapping(column="at"), "score": ColumnMapping(constant=constant)})
    assert mapped(chunk(at=[NOON, NOON]), where).rows.column("score").to_pylist() == [float(constant)] * 2


def test_a_chunk_without_rows_maps_to_none() -> None:
    empty = Chunk({"at": pa.array([], pa.string())}, np.array([], np.int64), (), ["at"], str)
    assert mapped(empty, PREDICTED).rows.num_rows == 0


def test_a_plan_wants_its_source_columns() -> None:
    assert PREDICTED.wanted() == {"at", "p", "sex", "income", "city"}


def test_canonical_readers_need_no_mapping_and_take_additions() -> None:
    telemetry = TelemetryMapping("interactions", {"unit": ColumnMapping(column="attributes.tenant")})
    made = plan(telemetry, canonical=True)
    assert made.columns["text"] == ColumnMapping(column="text", optional=True)
    assert made.columns["unit"].column == "attributes.tenant"
    assert set(made.columns) == {known.name for known in INTERACTIONS}
    assert plan(telemetry, canonical=False).columns == telemetry.columns


def test_missing_columns_are_those_that_must_be_there() -> None:
    columns = {"time": ColumnMapping(column="at"), "label": ColumnMapping(column="truth", optional=True)}
    columns["score"] = ColumnMapping(constant=1)
    assert missing_columns(Plan("predictions", columns), {"p"}) == {"time": "at"}
    assert missing_columns(Plan("predictions", columns), {"at"}) == {}


def test_the_error_for_missing_columns_names_the_nearest_or_all() -> None:
    problems = refused("log.csv", {"time": "decided_at", "unit": "zzz"}, ["decided-at", "person"]).problems()
    assert [str(problem.place) for problem in problems] == ["log.csv (time)", "log.csv (unit)"]
    assert problems[0].remedy.startswith("did you mean 'decided-at'?")
    assert problems[1].remedy.startswith("it has: decided-at, person. Say `optional: true`")


def test_the_error_for_missing_columns_stays_short() -> None:
    (problem,) = refused("log.csv", {"unit": "zzz"}, [f"column-{n}" for n in range(1_000)]).problems()
    assert len(problem.remedy) < 600
    assert "column-29, ..." in problem.remedy


def shared_log(**only: tuple[str, ...]) -> Plan:
    return Plan("predictions", {"time": ColumnMapping(column="at")}, only)


def test_rows_of_another_system_are_left_out_and_counted() -> None:
    log = chunk(at=[NOON, "soon", NOON, NOON], app=["credit", "chat", "chat", "credit"])
    result = mapped(log, shared_log(app=("credit",)))
    assert (result.rows.num_rows, result.lines.tolist(), result.left_out) == (2, [10, 13], 2)
    assert not result.bad


def test_a_bad_row_among_those_of_the_system_keeps_its_line_and_text() -> None:
    log = chunk(at=[NOON, NOON, "soon"], app=["chat", "credit", "credit"])
    (bad,) = mapped(log, shared_log(app=("credit",))).bad
    assert (bad.line, bad.raw) == (12, "text of row 2")


@pytest.mark.parametrize(
    ("only", "left"), [({"app": ("credit", "loan")}, 1), ({"app": ("credit",), "stage": ("live",)}, 3)]
)
def test_any_of_the_values_and_all_of_the_columns(only: dict[str, tuple[str, ...]], left: int) -> None:
    log = chunk(at=[NOON] * 4, app=["credit", "loan", "chat", "credit"], stage=["live", "live", "live", None])
    assert mapped(log, shared_log(**only)).left_out == left


def test_values_that_are_no_text_are_compared_as_text() -> None:
    assert mapped(chunk(at=[NOON, NOON], tenant=[7, 8]), shared_log(tenant=("7",))).left_out == 1
    assert mapped(chunk(at=[NOON, NOON], live=[True, False]), shared_log(live=("true",))).left_out == 1


def test_without_the_column_no_row_is_of_the_system() -> None:
    assert mapped(chunk(at=[NOON, NOON]), shared_log(app=("credit",))).left_out == 2
    assert "app" in shared_log(app=("credit",)).wanted()
