"""The library of regimes as counsel reads it."""

from __future__ import annotations

from datetime import date

import pytest

from tocsin.content.loaders import law
from tocsin.model.errors import UsageFault
from tocsin.model.law import Status, worst
from tocsin.service import lawbook
from tocsin.service.lawbook import check, listed, shown

REGIMES = [regime.id for regime in law.load().regimes]


def test_every_regime_is_listed_once_in_order() -> None:
    assert [one.id for one in listed(date(2026, 11, 24)).regimes] == REGIMES == sorted(REGIMES)


@pytest.mark.parametrize(
    ("day", "status"),
    [
        (date(2018, 5, 24), ("not in force",)),
        (date(2018, 5, 25), ("binding",)),
        (date(2030, 1, 1), ("binding",)),
    ],
)
def test_a_status_is_that_of_the_day(day: date, status: tuple[str, ...]) -> None:
    assert next(one for one in listed(day).regimes if one.id == "eu.gdpr.art33").status == status


def test_a_status_that_depends_on_the_case_shows_each_that_it_can_be() -> None:
    ai_act = next(one for one in listed(date(2028, 1, 1)).regimes if one.id == "eu.aiact.art73")
    assert ai_act.status == (str(Status.DORMANT), str(Status.BINDING))


def test_confidence_is_that_of_the_least_well_read_citation() -> None:
    for one in listed(date(2026, 11, 24)).regimes:
        read = worst(cited.confidence for cited in shown(one.id).regime.citations.values())
        assert one.confidence is shown(one.id).confidence is read


def test_a_jurisdiction_is_listed_with_the_states_in_it() -> None:
    listing = listed(date(2026, 11, 24), "US")
    assert {"us.sec.8k_105", "us.ca.1798_82"} <= {one.id for one in listing.regimes}
    assert {one.jurisdiction[:2] for one in listing.regimes} == {"US"}
    assert {one.jurisdiction for one in listed(date(2026, 11, 24), "US-CA").regimes} == {"US-CA"}


def test_an_unknown_jurisdiction_names_the_nearest() -> None:
    with pytest.raises(UsageFault, match=r"no jurisdiction 'US-CX'; did you mean 'US-"):
        listed(date(2026, 11, 24), "US-CX")


def test_what_is_listed_and_shown_says_what_it_is_not() -> None:
    for statement in (listed(date(2026, 11, 24)).statement, shown("eu.gdpr.art33").statement):
        assert statement.startswith("This is not legal advice.")


@pytest.mark.parametrize("regime_id", REGIMES)
def test_a_regime_is_shown_with_whom_it_names_and_what_it_asks(regime_id: str) -> None:
    told = shown(regime_id)
    assert told.regime.id == regime_id
    assert told.recipients
    assert told.facts == tuple(sorted(told.regime.facts))


def test_registers_are_told_by_country() -> None:
    countries = {recipient.country for recipient in shown("eu.gdpr.art33").recipients}
    assert {"DE", "FR", "IE", "PT"} <= countries
    assert {recipient.country for recipient in shown("eu.gdpr.art34").recipients} == {""}


def test_an_unknown_regime_names_the_nearest() -> None:
    with pytest.raises(UsageFault, match=r"eu\.gdpr\.art33"):
        shown("eu.gdpr.art_33")


def test_the_shipped_library_agrees_with_its_cases() -> None:
    told = check()
    assert (told.faults, told.regimes) == ((), len(REGIMES))
    assert told.cases > 50
    assert told.packs == law.load().digest


def test_a_difference_names_regime_and_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lawbook, "differences", lambda vector, *_: ["notify: late"] if "weekend" in vector.name else [])
    assert any(
        fault.startswith("eu.gdpr.art33, 'seventy-two hours over a weekend': notify: late") for fault in check().faults
    )
