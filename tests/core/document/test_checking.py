"""A document against its model: every mistake at once, each with its place, in plain words, with a suggestion."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from tocsin.document.checking import Country, Duration, Identifier, Strict, Text, Zone, checked
from tocsin.model.errors import BadInput, Problem


class Letter(StrEnum):
    RESPONSIBLE = "responsible"
    ACCOUNTABLE = "accountable"


class Member(Strict):
    id: Identifier
    name: Text
    age: int = Field(30, ge=0, le=150)


class Window(Strict):
    rows: int | None = None
    every: Duration | None = None

    @model_validator(mode="after")
    def _one(self) -> Window:
        if (self.rows is None) == (self.every is None):
            raise ValueError("needs either `rows` or `every`")
        return self


class Club(Strict):
    title: Text
    founded: date
    kind: Literal["chess", "choir"] = "chess"
    members: tuple[Member, ...] = Field(min_length=1)
    duties: dict[str, Letter] = Field(default_factory=dict)
    by_room: dict[str, Member] = Field(default_factory=dict)
    open: bool = True
    fee: float = 0.0
    zone: Zone = "UTC"
    country: Country = "DE"
    window: Window | None = None
    meets: datetime | None = None
    extra: dict[str, Any] = Field(default_factory=dict, alias="with")


GOOD = """\
title: A club
founded: 2026-11-24
members:
  - {id: ada, name: Ada}
"""


def mistakes(text: str) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        checked(text, "club.yaml", Club)
    return list(caught.value.problems())


def mistake(line: str) -> Problem:
    """The one mistake of a good document with one more line."""
    (problem,) = mistakes(GOOD + line)
    return problem


def test_a_good_document_becomes_a_value() -> None:
    club = checked(GOOD, "club.yaml", Club)
    assert club.founded == date(2026, 11, 24)
    assert club.members == (Member(id="ada", name="Ada"),)


def test_bytes_and_text_give_the_same_value() -> None:
    assert checked(GOOD.encode(), "club.yaml", Club) == checked(GOOD, "club.yaml", Club)


def test_values_are_frozen() -> None:
    club = checked(GOOD, "club.yaml", Club)
    with pytest.raises(ValidationError):
        club.title = "another"  # type: ignore[misc]


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    text = """\
titel: A club
founded: yesterday
kind: chest
members:
  - id: Ada
    name: ""
  - id: bob
    age: "30"
    nmae: Bob
duties: {clean: responsibel}
fee: high
zone: Europe/Berln
country: UK
window: {rows: 5, every: 1h}
"""
    found = [(problem.place.line, problem.place.column, problem.place.field) for problem in mistakes(text)]
    assert found == [
        (1, 1, "titel"),
        (2, 10, "founded"),
        (3, 7, "kind"),
        (5, 9, "members.0.id"),
        (6, 11, "members.0.name"),
        (8, 10, "members.1.age"),
        (9, 5, "members.1.nmae"),
        (10, 17, "duties.clean"),
        (11, 6, "fee"),
        (12, 7, "zone"),
        (13, 10, "country"),
        (14, 9, "window"),
    ]


@pytest.mark.parametrize(
    ("line", "what", "remedy"),
    [
        ("kind: chest", "must be one of chess, choir (it says 'chest')", "did you mean 'chess'?"),
        ("kind: golf", "must be one of chess, choir (it says 'golf')", ""),
        ("open: maybe", "must be true or false (it says 'maybe')", ""),
        ("open: 1", "must be true or false (it says 1)", ""),
        ("fee: free", "must be a number (it says 'free')", ""),
        ("fee: '5'", "must be a number (it says '5')", ""),
        ("duties: {x: owner}", "must be one of responsible, accountable (it says 'owner')", ""),
        ("duties: [x]", "must be a mapping (lines of the form key: value)", ""),
        ("duties: x", "must be a mapping (lines of the form key: value) (it says 'x')", ""),
        ("window: {}", "needs either `rows` or `every`", ""),
        ("window: {rows: many}", "must be a whole number (it says 'many')", ""),
        ("window: {rows: 1.5}", "must be a whole number (it says 1.5)", ""),
        ("window: {rows: true}", "must be a whole number (it says True)", ""),
        ("window: {every: soon}", "must be a length of time such as 15m, 2h, 1d or 4w (it says 'soon')", ""),
        ("country: Germany", "must be an ISO 3166 code such as DE or US-CA, or EU (it says 'Germany')", ""),
        (
            "meets: someday",
            "must be a date and time with its offset such as 2026-11-24T09:30:00+01:00 (it says 'someday')",
            "",
        ),
        ("opne: true", "unknown key 'opne'", "did you mean 'open'?"),
    ],
)
def test_a_mistake_is_told_in_plain_words(line: str, what: str, remedy: str) -> None:
    problem = mistake(line)
    assert (problem.place.line, problem.what, problem.remedy) == (5, what, remedy)


@pytest.mark.parametrize(
    ("founded", "says"),
    [("24.11.2026", "'24.11.2026'"), ("2026-02-30", "'2026-02-30'"), ("20261124", "20261124"), ("true", "True")],
)
def test_a_wrong_date_shows_a_right_one(founded: str, says: str) -> None:
    (problem,) = mistakes(GOOD.replace("2026-11-24", founded))
    assert problem.what == f"must be a date such as 2026-11-24 (it says {says})"


def test_text_that_looks_like_a_number_is_asked_to_be_quoted() -> None:
    (problem,) = mistakes(GOOD.replace("A club", "2.1"))
    assert problem.what == "must be text (quote it if it looks like a number or a date) (it says 2.1)"


def test_text_may_not_be_blank() -> None:
    (problem,) = mistakes(GOOD.replace("A club", '"  "'))
    assert problem.what.startswith("must be filled in")


def test_numbers_keep_their_bounds() -> None:
    (problem,) = mistakes(GOOD.replace("name: Ada}", "name: Ada, age: 200}"))
    assert problem.what == "must be at most 150 (it says 200)"
    assert str(problem.place) == "club.yaml:4:31 (members.0.age)"


def test_a_list_where_a_mapping_is_expected_at_the_top() -> None:
    (problem,) = mistakes("- a\n- b\n")
    assert (problem.place.line, problem.what) == (1, "must be a mapping (lines of the form key: value)")


def test_a_mapping_where_a_list_is_expected() -> None:
    (problem,) = mistakes("title: x\nfounded: 2026-01-01\nmembers: {id: ada, name: Ada}\n")
    assert (problem.place.line, problem.what) == (3, "must be a list (lines that begin with -)")


def test_an_empty_list_where_an_entry_is_needed() -> None:
    (problem,) = mistakes("title: x\nfounded: 2026-01-01\nmembers: []\n")
    assert problem.what == "must be a list with at least one entry"


def test_a_missing_key_is_told_at_the_mapping_that_lacks_it() -> None:
    (problem,) = mistakes(GOOD + "  - id: bob\n")
    assert (str(problem.place), problem.what) == ("club.yaml:5:5 (members.1.name)", "'name' is missing")


def test_a_missing_key_is_told_with_what_it_is_for() -> None:
    class Room(Strict):
        seats: int = Field(description="how many people may sit")

    class House(Strict):
        rooms: tuple[Room, ...]
        hall: Room | None = None

    with pytest.raises(BadInput) as caught:
        checked("rooms: [{}]\nhall: {}\n", "f", House)
    assert [problem.remedy for problem in caught.value.problems()] == ["add it: how many people may sit"] * 2


def test_a_misspelt_key_is_one_mistake_not_two() -> None:
    (problem,) = mistakes(GOOD.replace("title:", "Titel:"))
    assert (problem.what, problem.remedy) == ("unknown key 'Titel'", "did you mean 'title'?")


def test_an_unknown_key_that_resembles_nothing_lists_what_may_stand_there() -> None:
    (problem,) = mistakes(GOOD.replace("name: Ada}", "name: Ada, shoes: 2}"))
    assert problem.remedy == "keys that may stand here: age"


def test_the_suggestion_is_never_a_key_that_is_there_already() -> None:
    assert "title" not in mistake("titl: x").remedy


def test_keys_are_suggested_by_the_names_that_stand_in_the_file_not_by_those_in_the_code() -> None:
    assert mistake("wiht: {a: 1}").remedy == "did you mean 'with'?"


def test_keys_of_models_inside_mappings_are_suggested_too() -> None:
    problem = mistake("by_room: {hall: {id: ada, name: Ada, agee: 3}}")
    assert (problem.place.field, problem.remedy) == ("by_room.hall.agee", "did you mean 'age'?")


def test_flaws_of_the_yaml_and_of_the_values_come_together() -> None:
    found = mistakes(GOOD + "fee: free\nfee: 3\n")
    assert [problem.place.line for problem in found] == [5, 6]


def test_a_value_that_is_already_told_to_be_wrong_is_not_told_to_be_of_the_wrong_type() -> None:
    problem = mistake("fee: !!python/name:os.system x")
    assert "is not allowed" in problem.what


def test_what_stands_in_the_file_is_shown_only_when_it_is_short() -> None:
    secret = "x" * 200
    assert secret not in mistake(f"fee: {secret}").what


def test_a_number_is_no_flag_and_a_text_no_number_even_inside_lists_and_options() -> None:
    class Inner(Strict):
        shares: tuple[float, ...] = ()
        named: dict[str, bool] = Field(default_factory=dict)
        limit: int | None = None

    with pytest.raises(BadInput) as caught:
        checked("shares: [0.5, '0.5']\nnamed: {x: 1}\nlimit: '3'\n", "f", Inner)
    assert [problem.place.field for problem in caught.value.problems()] == ["shares.1", "named.x", "limit"]
    assert checked("shares: [1, 0.5]\nlimit: 3\n", "f", Inner) == Inner(shares=(1.0, 0.5), limit=3)


def test_durations_come_as_lengths_of_time() -> None:
    assert checked(GOOD + "window: {every: 4 weeks}", "f", Club).window == Window(every=timedelta(weeks=4))
