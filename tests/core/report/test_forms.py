"""A form is filled as far as the record goes; what is missing is a gap with its reason, never a blank."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.report.made import field, filled, form, whole
from tocsin.model.errors import UsageFault
from tocsin.report.forms import Required, Stage, answered, differences

AT = datetime(2026, 10, 15, 14, 1, 30, tzinfo=timezone(timedelta(hours=2)))
YES_NO = ("Yes", "No")


class TestValues:
    @pytest.mark.parametrize(
        ("kind", "value", "shown"),
        [
            ("text", "  Nordhafen  ", "Nordhafen"),
            ("long", "one\ntwo", "one\ntwo"),
            ("number", 412, "412"),
            ("number", "3.5", "3.5"),
            ("number", -1, "-1"),
            ("number", 0, "0"),
            ("date", AT, "2026-10-15"),
            ("date", date(2026, 10, 15), "2026-10-15"),
            ("datetime", AT, "2026-10-15 14:01+02:00"),
            ("datetime", AT.astimezone(UTC), "2026-10-15 12:01+00:00"),
            ("text", True, "Yes"),
            ("text", False, "No"),
        ],
    )
    def test_a_value_stands_as_its_reader_writes_it(self, kind: Any, value: Any, shown: str) -> None:
        made = filled(field(type=kind), value)
        assert (made.value, made.gap) == (shown, "")

    def test_false_ticks_no(self) -> None:
        made = filled(field(type="choice", options=YES_NO), False)
        assert (made.value, made.ticked) == ("No", ("No",))

    def test_a_field_keeps_its_number_label_options_and_source(self) -> None:
        made = filled(field(no="4.2c", label="Reviewed?", type="choice", options=YES_NO), "Yes")
        assert (made.no, made.label, made.type, made.options) == ("4.2c", "Reviewed?", "choice", YES_NO)
        assert (made.source, made.ticked) == ("what", ("Yes",))

    def test_what_is_not_among_the_options_is_a_gap_and_ticks_nothing(self) -> None:
        made = filled(field(type="choice", options=YES_NO), "perhaps")
        assert (made.value, made.ticked, made.gap) == ("", (), "'perhaps' is not one of the options")

    @pytest.mark.parametrize("value", ["many", "1,000", "1e3", "nan", "12 people", "٣"])
    def test_what_is_no_number_is_a_gap(self, value: str) -> None:
        made = filled(field(type="number", required="optional"), value)
        assert (made.value, made.gap) == ("", f"{value!r} is not a number")

    @pytest.mark.parametrize("value", [None, "", "  \n "])
    def test_nothing_is_a_gap_that_says_so(self, value: str | None) -> None:
        made = filled(field(), value)
        assert (made.value, made.gap) == ("", "not known yet")


class TestBoxes:
    BOXES = field(type="boxes", options=("Death", "Harm to property", "Other"))

    def test_boxes_stand_in_the_order_of_the_form(self) -> None:
        made = filled(self.BOXES, ["Other", "Death"])
        assert (made.ticked, made.value, made.gap) == (("Death", "Other"), "Death; Other", "")

    @pytest.mark.parametrize("value", [None, [], ["no such box"]])
    def test_no_box_is_a_gap(self, value: list[str] | None) -> None:
        made = filled(self.BOXES, value)
        assert (made.ticked, made.gap) == ((), "no box can be ticked yet: the facts are open")

    def test_no_box_is_no_gap_where_none_is_needed(self) -> None:
        assert filled(field(type="boxes", options=("Death",), required="optional"), []).gap == ""


STAGES: tuple[Stage, ...] = ("initial", "follow_up", "combined", "final")
NEEDS: list[tuple[Required, set[Stage]]] = [
    ("always", {"initial", "follow_up", "combined", "final"}),
    ("initial", {"initial"}),
    ("follow_up", {"follow_up", "final"}),
    ("final", {"combined", "final"}),
    ("optional", set()),
]


@pytest.mark.parametrize(("required", "stages"), NEEDS)
def test_what_a_stage_may_lack_is_no_gap_there(required: Required, stages: set[Stage]) -> None:
    assert {stage for stage in STAGES if filled(field(required=required), None, stage).gap} == stages


class TestWholeForm:
    def test_gaps_are_told_by_number_and_label_in_order(self) -> None:
        fields = [field(), field(no="2", label="When", source="when"), field(no="3", label="Who", source="who")]
        made = whole(fields, {"when": "today"})
        assert made.gaps() == ("1.1 What: not known yet", "3 Who: not known yet")
        assert [entry.source for entry in made.open_fields()] == ["what", "who"]

    def test_the_form_says_what_it_is_and_how_its_source_was_read(self) -> None:
        made = whole([field()], {})
        assert (made.form, made.title, made.version, made.status) == ("r/f", "A form", "1.0", "draft")
        assert made.source == "Commission draft, template 1.0.0 (source read: Q)"
        assert (made.notices, made.heading, made.stage) == (("a notice",), {"Incident": "INC-2026-0001"}, "initial")

    @given(st.dictionaries(st.sampled_from(["what", "when", "who"]), st.text() | st.integers() | st.none()))
    def test_every_field_has_a_value_or_a_gap(self, values: dict[str, Any]) -> None:
        made = whole([field(), field(no="2", source="when"), field(no="3", source="who")], values)
        for entry in made.sections[0].fields:
            assert bool(entry.value) != bool(entry.gap)


class TestDifferences:
    def test_the_same_twice_differs_in_nothing(self) -> None:
        made = whole([field()], {"what": "a"})
        assert differences(made, made) == ()

    def test_a_changed_value_is_told_with_both(self) -> None:
        old, new = whole([field()], {"what": "a"}), whole([field()], {"what": "b"})
        assert differences(old, new) == (("1.1 What", "a", "b"),)

    def test_a_gap_that_was_filled_is_told_as_such(self) -> None:
        old, new = whole([field()], {}), whole([field()], {"what": "b"})
        assert differences(old, new) == (("1.1 What", "[gap: not known yet]", "b"),)

    def test_a_field_that_came_and_one_that_went(self) -> None:
        old = whole([field()], {"what": "a"})
        new = whole([field(no="2", label="New", source="new")], {"new": "n"})
        assert differences(old, new) == (("2 New", "", "n"), ("1.1 What", "a", ""))


FIELDS = [
    field(),
    field(no="2", label="How many", source="many", type="number"),
    field(no="3", label="Reviewed?", source="reviewed", type="choice", options=YES_NO),
    field(no="4", label="When", source="when", type="date"),
    field(no="5", label="Harm", source="harm", type="boxes", options=("Death",)),
    field(no="6", label="Type", source="report.type", type="choice", options=("Initial",)),
]


class TestAnswers:
    @pytest.mark.parametrize(("source", "text"), [("what", " a text "), ("many", "12"), ("reviewed", "Yes")])
    def test_an_answer_is_kept_as_it_will_stand(self, source: str, text: str) -> None:
        assert answered(form(*FIELDS), source, text) == text.strip()

    @pytest.mark.parametrize("source", ["when", "harm", "report.type", "no.such"])
    def test_what_follows_the_record_cannot_be_answered(self, source: str) -> None:
        with pytest.raises(UsageFault, match=rf"r/f has no field '{source}' to answer") as told:
            answered(form(*FIELDS), source, "x")
        assert told.value.remedy == "there are: what, many, reviewed; others follow the record"

    @pytest.mark.parametrize(
        ("source", "text", "what", "remedy"),
        [
            ("what", "  ", "1.1 What: the answer is empty", "write it as the form wants it"),
            ("many", "some", "2 How many: 'some' is not a number", "write it as the form wants it"),
            ("reviewed", "yes", "3 Reviewed?: 'yes' is not one of the options", "choose one of: Yes, No"),
        ],
    )
    def test_an_answer_that_does_not_suit_is_refused(self, source: str, text: str, what: str, remedy: str) -> None:
        with pytest.raises(UsageFault) as told:
            answered(form(*FIELDS), source, text)
        assert (told.value.what, told.value.remedy) == (what, remedy)
