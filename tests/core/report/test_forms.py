"""A form is filled as far as the record goes; what is missing is a gap with its reason, never a blank."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.report.made import field, filled, form, whole
from tocsin.model.errors import UsageFault
from tocsin.report.forms import Field, FilledField, Required, Stage, answered, differences

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
    BOXES = field(type="boxes", source="classification.boxes", options=("Death", "Harm to property", "Other"))

    def test_boxes_stand_in_the_order_of_the_form(self) -> None:
        made = filled(self.BOXES, ["Other", "Death"])
        assert (made.ticked, made.value, made.gap) == (("Death", "Other"), "Death; Other", "")

    @pytest.mark.parametrize("value", [None, [], ["no such box"]])
    def test_no_box_is_a_gap(self, value: list[str] | None) -> None:
        made = filled(self.BOXES, value)
        assert (made.ticked, made.gap) == ((), "no box can be ticked yet: the facts are open")

    def test_boxes_that_a_person_ticks_are_only_not_known(self) -> None:
        assert filled(field(type="boxes", options=("Theft", "Loss")), None).gap == "not known yet"

    def test_no_box_is_no_gap_where_none_is_needed(self) -> None:
        assert filled(field(type="boxes", options=("Death",), required="optional"), []).gap == ""


STAGES: tuple[Stage, ...] = ("initial", "follow_up", "combined", "final", "withdrawn")
NEEDS: list[tuple[Required, set[Stage]]] = [
    ("always", {"initial", "follow_up", "combined", "final", "withdrawn"}),
    ("initial", {"initial"}),
    ("follow_up", {"follow_up", "final"}),
    ("later", {"follow_up", "combined", "final"}),
    ("final", {"combined", "final"}),
    ("withdrawn", {"withdrawn"}),
    ("optional", set()),
]


@pytest.mark.parametrize(("required", "stages"), NEEDS)
def test_what_a_stage_may_lack_is_no_gap_there(required: Required, stages: set[Stage]) -> None:
    assert {stage for stage in STAGES if filled(field(required=required), None, stage).gap} == stages


KIND = field(type="boxes", label="Kind", source="kind", options=("Theft", "Loss", "Other"))
WHICH = field(no="2", label="Which", source="which", needed_if="if it is another kind", given=("kind", ("Other",)))


def _second(*fields: Field, stage: Stage = "initial", **values: Any) -> FilledField:
    """The last of these fields, filled."""
    return whole(list(fields), values, stage).sections[0].fields[-1]


class TestConditions:
    """A field that is asked for only when another holds an option: a gap when it is, a contradiction when it is not."""

    @pytest.mark.parametrize(
        ("kind", "which", "value", "gap"),
        [
            (None, None, "", ""),
            (None, "a copy", "a copy", ""),
            ("Other", None, "", "not known yet"),
            ("Loss; Other", None, "", "not known yet"),
            ("Other", "a copy", "a copy", ""),
            ("Theft", None, "", ""),
            ("Theft", "a copy", "", "answered, although it is asked for only if it is another kind"),
        ],
    )
    def test_it_follows_what_the_other_field_holds(
        self, kind: str | None, which: str | None, value: str, gap: str
    ) -> None:
        made = _second(KIND, WHICH, kind=kind, which=which)
        assert (made.value, made.gap) == (value, gap)

    def test_an_empty_field_says_when_it_would_be_asked_for(self) -> None:
        assert _second(KIND, WHICH, kind="Theft").note == "asked for if it is another kind"
        assert _second(KIND, WHICH, kind="Other", which="a copy").note == ""

    def test_a_condition_that_only_a_person_can_judge_makes_no_gap(self) -> None:
        made = _second(field(needed_if="if available"))
        assert (made.gap, made.note) == ("", "asked for if available")

    def test_a_withdrawal_needs_its_reason_whatever_else_the_field_is_for(self) -> None:
        reason = field(needed_if="if there is more to say", required="withdrawn")
        assert _second(reason, stage="withdrawn").gap == "not known yet"
        assert _second(reason).gap == ""

    def test_the_condition_matters_only_where_the_stage_asks(self) -> None:
        later = replace(WHICH, required="later")
        assert _second(KIND, later, kind="Other").gap == ""
        assert _second(KIND, later, kind="Other", stage="final").gap == "not known yet"

    def test_a_choice_decides_as_boxes_do(self) -> None:
        choice = field(type="choice", label="Media?", source="media", options=YES_NO)
        states = field(no="2", label="States", source="states", needed_if="if told", given=("media", ("Yes",)))
        assert _second(choice, states, media=True).gap == "not known yet"
        assert _second(choice, states, media=False).gap == ""


class TestSources:
    def test_another_source_stands_in_where_the_first_is_empty(self) -> None:
        both = field(source="affected", otherwise="own")
        assert _second(both, own="Nordhafen").value == "Nordhafen"
        assert _second(both, own="Nordhafen", affected="Südhafen").value == "Südhafen"

    @pytest.mark.parametrize(("stage", "shown"), [("initial", "First"), ("final", "Amended"), ("follow_up", "")])
    def test_the_stage_fills_what_tells_the_stage(self, stage: Stage, shown: str) -> None:
        kind = field(source="kind", by_stage={"initial": "First", "final": "Amended"}, required="optional")
        assert _second(kind, stage=stage, kind="something else").value == shown


class TestShapes:
    @pytest.mark.parametrize(
        ("changes", "value", "gap"),
        [
            ({"longest": 3}, "four", "4 characters, and the form takes 3"),
            ({"longest": 4}, "four", ""),
            ({"pattern": r"[A-Z]{2}", "written": "a country code"}, "de", "'de' is not a country code"),
            ({"pattern": r"[A-Z]{2}", "written": "a country code"}, "DEU", "'DEU' is not a country code"),
            ({"pattern": r"[A-Z]{2}", "written": "a country code"}, "DE", ""),
            ({"pattern": r"\d+", "written": "a number"}, "٣", "'٣' is not a number"),
            ({"type": "number", "pattern": r"\d+", "written": "a whole number"}, "1.5", "'1.5' is not a whole number"),
            ({"type": "date"}, "2026-11-24", ""),
            ({"type": "date"}, "24.11.2026", "'24.11.2026' is not a day such as 2026-11-24"),
            ({"type": "date"}, "2026-11-24T09:00", "'2026-11-24T09:00' is not a day such as 2026-11-24"),
            ({"type": "datetime"}, "2026-11-24T09:00+01:00", ""),
            ({"type": "datetime"}, "2026-11-24 09:00Z", ""),
            (
                {"type": "datetime"},
                "2026-11-24T09:00",
                "'2026-11-24T09:00' is not a time with its offset such as 2026-11-24T09:00+01:00",
            ),
            (
                {"type": "datetime"},
                "today",
                "'today' is not a time with its offset such as 2026-11-24T09:00+01:00",
            ),
        ],
    )
    def test_what_the_form_cannot_take_is_a_gap_that_says_why(
        self, changes: dict[str, Any], value: str, gap: str
    ) -> None:
        made = filled(field(**changes), value)
        assert (made.gap, made.value) == (gap, "" if gap else value)

    def test_several_boxes_are_answered_in_one_text_and_stand_in_the_order_of_the_form(self) -> None:
        made = filled(KIND, "Other;Theft")
        assert (made.ticked, made.value) == (("Theft", "Other"), "Other;Theft")

    def test_one_box_that_does_not_exist_spoils_the_answer(self) -> None:
        made = filled(KIND, "Other; Fire")
        assert (made.ticked, made.gap) == ((), "'Fire' is not one of the options")


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
    field(no="7", label="Sort", source="sort", type="choice", options=("A", "B"), by_stage={"initial": "A"}),
    field(no="8", label="Aware", source="date.aware", type="datetime"),
    field(no="9", label="Malicious", source="fact.unlawful", type="choice", options=YES_NO),
]


class TestAnswers:
    @pytest.mark.parametrize(
        ("source", "text"),
        [("what", " a text "), ("many", "12"), ("reviewed", "Yes"), ("when", "2026-11-24"), ("harm", "Death")],
    )
    def test_an_answer_is_kept_as_it_will_stand(self, source: str, text: str) -> None:
        assert answered(form(*FIELDS), source, text) == text.strip()

    @pytest.mark.parametrize("source", ["report.type", "sort", "date.aware", "fact.unlawful", "no.such"])
    def test_what_follows_the_record_cannot_be_answered(self, source: str) -> None:
        with pytest.raises(UsageFault, match=rf"r/f has no field '{source}' to answer") as told:
            answered(form(*FIELDS), source, "x")
        assert told.value.remedy == "there are: what, many, reviewed, when, harm; others follow the record"

    @pytest.mark.parametrize(
        ("source", "text", "what", "remedy"),
        [
            ("what", "  ", "1.1 What: the answer is empty", "write it as the form wants it"),
            ("many", "some", "2 How many: 'some' is not a number", "write it as the form wants it"),
            ("reviewed", "yes", "3 Reviewed?: 'yes' is not one of the options", "choose one of: Yes, No"),
            (
                "harm",
                "Death; Fire",
                "5 Harm: 'Fire' is not one of the options",
                "choose one of: Death, or several with ';' between them",
            ),
            ("when", "soon", "4 When: 'soon' is not a day such as 2026-11-24", "write it as the form wants it"),
        ],
    )
    def test_an_answer_that_does_not_suit_is_refused(self, source: str, text: str, what: str, remedy: str) -> None:
        with pytest.raises(UsageFault) as told:
            answered(form(*FIELDS), source, text)
        assert (told.value.what, told.value.remedy) == (what, remedy)
