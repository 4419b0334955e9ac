"""Which place a country code means, whether a case touches a jurisdiction, and whom a stage tells where."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.core.law.made import AUTHORITY, UNION, case, library, regime, stage
from tocsin.law.counting import NO_HOLIDAYS, Calendar
from tocsin.law.places import UNNAMED, addressed, known, lies_in, reached, reason
from tocsin.law.regime import Library, Place
from tocsin.model.law import Case, Recipient, Truth

FOUNDING = Calendar("founding", "1", lambda year: frozenset({date(year, 7, 4)}))
SUNNY = Recipient("the clerk of Sunny", "US-SU")


def states(base: Library | None = None) -> Library:
    """The invented union, and a federation of which one state has law of its own."""
    made = base or library(regime())
    federation = Place("US", "America/New_York", FOUNDING, {})
    sunny = Place("US-SU", "America/Los_Angeles", NO_HOLIDAYS, {"watch": (SUNNY,)}, "US")
    return replace(made, places={**made.places, "US": federation, "US-SU": sunny})


@pytest.mark.parametrize(
    ("code", "place"), [("US-SU", "US-SU"), ("US-RAINY", "US"), ("US", "US"), ("DE-BY", "DE"), ("ZZ", ""), ("", "")]
)
def test_a_subdivision_without_law_of_its_own_is_its_country(code: str, place: str) -> None:
    assert known(code, states()) == place


@pytest.mark.parametrize(
    ("code", "jurisdiction", "inside"),
    [
        ("US-SU", "US", True),
        ("US-SU", "US-SU", True),
        ("US", "US-SU", False),
        ("US-RAINY", "US", True),
        ("US-RAINY", "US-SU", False),
        ("PT", UNION, True),
        ("PT", "DE", False),
        ("ZZ", UNION, False),
    ],
)
def test_a_place_lies_in_itself_and_in_what_it_is_part_of(code: str, jurisdiction: str, inside: bool) -> None:
    assert lies_in(code, jurisdiction, states()) is inside


@pytest.mark.parametrize(
    ("countries", "jurisdiction", "truth"),
    [
        (("US-SU",), "US-SU", Truth.YES),
        (("US-SU",), "US", Truth.YES),
        (("PT", "US-SU"), "US-SU", Truth.YES),
        (("US-RAINY",), "US-SU", Truth.NO),
        (("PT",), "US-SU", Truth.NO),
        ((), "US-SU", Truth.UNKNOWN),
        (("US",), "US-SU", Truth.UNKNOWN),
        (("US", "US-RAINY"), "US-SU", Truth.NO),
        (("US",), "US", Truth.YES),
        (("PT",), "US", Truth.NO),
        (("US",), "XY", Truth.NO),
    ],
)
def test_only_the_country_named_leaves_its_states_open(countries: Any, jurisdiction: str, truth: Truth) -> None:
    assert reached(case(countries=countries), jurisdiction, states()) is truth


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (Truth.YES, "US is touched"),
        (Truth.NO, "US is not touched"),
        (Truth.UNKNOWN, "US may be touched: not known yet"),
    ],
)
def test_the_gate_is_a_line_of_the_explanation(truth: Truth, words: str) -> None:
    assert (reason("US", truth).text, reason("US", truth).truth) == (words, truth)


class TestWhomAStageTells:
    def told(self, case_: Case, **changes: Any) -> list[tuple[str, str, str, tuple[Recipient, ...]]]:
        duty = regime("x.act", stage("notify"), **changes)
        found = addressed(case_, duty, duty.stages[0], states())
        return [(place.country, place.zone, place.calendar.id, whom) for place, whom in found]

    def test_without_a_register_the_clock_is_that_of_the_place_of_the_case(self) -> None:
        rows = self.told(case(countries=("PT", "US-SU")), jurisdiction="US")
        assert rows == [("", "America/Los_Angeles", "founding", (AUTHORITY,))]

    def test_the_days_off_are_those_of_the_jurisdiction_and_never_of_a_part_of_it(self) -> None:
        assert self.told(case(countries=("US-SU",)), jurisdiction="US-SU")[0][2] == "none"
        assert self.told(case(countries=("US-RAINY",)), jurisdiction="US")[0][1:3] == ("America/New_York", "founding")

    def test_a_zone_that_the_law_fixes_goes_before(self) -> None:
        rows = self.told(case(countries=("US-SU",)), jurisdiction="US", zone="America/Chicago")
        assert rows[0][1] == "America/Chicago"

    def test_without_a_country_the_clock_is_that_of_the_jurisdiction(self) -> None:
        assert self.told(case(countries=()), jurisdiction="US")[0][:2] == ("", "America/New_York")

    def test_a_register_names_one_recipient_for_each_country_once(self) -> None:
        rows = self.told(case(countries=("PT", "DE-BY", "DE", "US-SU")), register="watch")
        assert [(country, whom[0].name) for country, _, _, whom in rows] == [
            ("PT", "watch of PT"),
            ("DE", "watch of DE"),
        ]

    @pytest.mark.parametrize("countries", [(), ("US-SU",)])
    def test_where_the_register_names_nobody_that_is_said(self, countries: tuple[str, ...]) -> None:
        assert self.told(case(countries=countries), register="watch") == [("", "Europe/Brussels", "none", (UNNAMED,))]

    def test_a_stage_with_recipients_of_its_own_asks_no_register(self) -> None:
        duty = regime("x.act", stage("notify", recipients=(SUNNY,)), register="watch")
        ((place, whom),) = addressed(case(countries=("PT", "DE")), duty, duty.stages[0], states())
        assert (place.country, whom) == ("", (SUNNY,))
