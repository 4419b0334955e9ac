"""The nouns: what they refuse to be, and how errors read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tocsin.model import errors
from tocsin.model.errors import (
    BadInput,
    Conflict,
    EnvironmentFault,
    Place,
    Problem,
    Refused,
    TocsinError,
    UsageFault,
)
from tocsin.model.event import Event, Recorded
from tocsin.model.law import ANCHORS, Confidence, Status, Truth
from tocsin.model.telemetry import INTERACTIONS, PREDICTIONS, TABLES, Windowing

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


class TestPlaces:
    @pytest.mark.parametrize(
        ("place", "text"),
        [
            (Place(), ""),
            (Place("policy.yaml"), "policy.yaml"),
            (Place("policy.yaml", 4), "policy.yaml:4"),
            (Place("policy.yaml", 4, 9), "policy.yaml:4:9"),
            (Place("policy.yaml", 4, 9, "roles.0.people"), "policy.yaml:4:9 (roles.0.people)"),
            (Place(field="roles"), "roles"),
        ],
    )
    def test_a_place_reads_as_editors_write_it(self, place: Place, text: str) -> None:
        assert str(place) == text

    @pytest.mark.parametrize(
        ("problem", "text"),
        [
            (Problem(Place("a.csv", 3), "no number", "write 1.5"), "a.csv:3: no number — write 1.5"),
            (Problem(Place("a.csv", 3), "no number"), "a.csv:3: no number"),
            (Problem(Place(), "no number", "write 1.5"), "no number — write 1.5"),
        ],
    )
    def test_a_problem_says_where_what_and_what_to_do(self, problem: Problem, text: str) -> None:
        assert str(problem) == text


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (Refused("no"), 1),
            (UsageFault("no"), 2),
            (BadInput.at(Place("a"), "no"), 3),
            (EnvironmentFault("no"), 4),
            (Conflict("no"), 5),
        ],
    )
    def test_each_kind_has_its_exit_code(self, error: TocsinError, code: int) -> None:
        assert error.exit_code == code
        assert [problem.what for problem in error.problems()] == ["no"]

    def test_exit_codes_are_all_different(self) -> None:
        codes = [value for name, value in vars(errors).items() if name.startswith("EXIT_")]
        assert len(codes) == len(set(codes)) == 8

    def test_bad_input_tells_everything_in_order_of_place(self) -> None:
        told = BadInput(
            [Problem(Place("b", 1), "third"), Problem(Place("a", 9), "second"), Problem(Place("a", 2), "first")]
        )
        assert [problem.what for problem in told.problems()] == ["first", "second", "third"]
        assert str(told).splitlines() == ["a:2: first", "a:9: second", "b:1: third"]

    def test_bad_input_without_a_problem_is_our_own_mistake(self) -> None:
        with pytest.raises(AssertionError):
            BadInput([])

    def test_a_refusal_carries_what_is_missing(self) -> None:
        assert Refused("no", ["a", "b"], "do it").missing == ("a", "b")
        assert str(Refused("no", ["a"], "do it")) == "no — do it"

    @pytest.mark.parametrize("kind", [Refused, UsageFault, BadInput, EnvironmentFault, Conflict])
    def test_all_are_one_tree(self, kind: type[TocsinError]) -> None:
        assert issubclass(kind, TocsinError)


class TestEvents:
    def test_a_naive_time_is_our_own_mistake(self) -> None:
        with pytest.raises(AssertionError, match="naive"):
            Event("note_added", AT.replace(tzinfo=None), "okafor")

    def test_a_recorded_event_shows_its_kind_and_data(self) -> None:
        recorded = Recorded(7, "s", 2, Event("note_added", AT, "okafor", {"text": "x"}), "d")
        assert (recorded.kind, recorded.data) == ("note_added", {"text": "x"})


class TestTelemetry:
    @pytest.mark.parametrize("cut", [{}, {"rows": 5, "every": timedelta(hours=1)}])
    def test_a_window_is_cut_in_one_way(self, cut: dict[str, object]) -> None:
        with pytest.raises(AssertionError):
            Windowing(**cut)  # type: ignore[arg-type]

    @pytest.mark.parametrize("columns", [PREDICTIONS, INTERACTIONS], ids=["predictions", "interactions"])
    def test_columns_are_documented_and_named_once(self, columns: tuple[object, ...]) -> None:
        names = [column.name for column in columns]  # type: ignore[attr-defined]
        assert len(names) == len(set(names))
        assert all(column.doc for column in columns)  # type: ignore[attr-defined]
        assert names[0] == "time"

    def test_only_what_nothing_can_do_without_is_required(self) -> None:
        required = {table: [column.name for column in columns if column.required] for table, columns in TABLES.items()}
        assert required == {"predictions": ["time"], "interactions": ["time", "role"]}


class TestLaw:
    def test_truth_has_three_values_and_confidence_four(self) -> None:
        assert [str(value) for value in Truth] == ["yes", "no", "unknown"]
        assert [str(value) for value in Confidence] == ["P", "Q", "S", "UNCONFIRMED"]

    def test_statuses_and_anchors_are_those_of_the_design(self) -> None:
        assert {str(status) for status in Status} == {"binding", "dormant", "benchmark", "proposal", "expired"}
        assert len(ANCHORS) == len(set(ANCHORS))
        assert {"occurred", "detected", "aware", "causal_link", "submitted", "resolved", "escalated"} <= set(ANCHORS)
