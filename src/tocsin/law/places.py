"""Where a regime holds, whom it names there, and whose zone and days off its clock goes by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tocsin.law.counting import NO_HOLIDAYS
from tocsin.law.regime import Library, Place, Regime, Stage
from tocsin.model.law import Case, Confidence, Reason, Recipient, Truth

NOWHERE = Place("", "UTC", NO_HOLIDAYS, {})
UNION = "EU"
UNNAMED = Recipient("the competent authority (no country of the incident is known)", confidence=Confidence.UNCONFIRMED)
Addressed = tuple[Place, tuple[Recipient, ...]]


def known(code: str, library: Library) -> str:
    """The place of a country code: itself, or the country for a subdivision that has no law of its own here; "" for none."""
    if code in library.places:
        return code
    country = code.split("-", maxsplit=1)[0]
    return country if country in library.places else ""


def lies_in(code: str, jurisdiction: str, library: Library) -> bool:
    """Whether the place is the jurisdiction, or lies within it."""
    place = known(code, library)
    while place and place != jurisdiction:
        place = library.places[place].within
    return place == jurisdiction


def reached(case: Case, jurisdiction: str, library: Library) -> Truth:
    """Whether the case touches the jurisdiction; unknown without any country, and where only the state of a province is named."""
    if any(lies_in(code, jurisdiction, library) for code in case.countries):
        return Truth.YES
    country = library.places[jurisdiction].within if jurisdiction in library.places else ""
    if not case.countries:
        return Truth.UNKNOWN
    vague = country in case.countries and not any(code.startswith(f"{country}-") for code in case.countries)
    return Truth.UNKNOWN if country and vague else Truth.NO


def reason(jurisdiction: str, truth: Truth) -> Reason:
    """The gate as a line of the explanation."""
    words = {Truth.YES: "is touched", Truth.NO: "is not touched", Truth.UNKNOWN: "may be touched: not known yet"}
    return Reason(f"{jurisdiction} {words[truth]}", truth)


def addressed(case: Case, regime: Regime, stage: Stage, library: Library) -> Iterator[Addressed]:
    """Each place with a clock of its own and whom the stage tells there: one per country where a register names them."""
    register = "" if stage.recipients else stage.register or regime.register
    if not register:
        told = stage.recipients or regime.recipients
        there = seat(told, library)
        yield (replace(there, country="") if there else _counted_at(case, regime, library)), told
        return
    inside = [code for code in case.countries if lies_in(code, regime.jurisdiction, library)]
    places = [library.places[code] for code in dict.fromkeys(known(code, library) for code in inside)]
    named = [place for place in places if register in place.registers]
    for place in named:
        yield place, place.registers[register]
    if not named:
        yield replace(library.places.get(regime.jurisdiction, NOWHERE), country=""), (UNNAMED,)


def seat(recipients: tuple[Recipient, ...], library: Library) -> Place | None:
    """The place where an authority sits that is not one of the country's (the AI Office); its zone and days off count."""
    return library.places.get(recipients[0].country) if recipients else None


def countries(case: Case, regime: Regime, place: Place, library: Library) -> frozenset[str]:
    """Whose law decides the duty at the place: its country's, or that of every country of the case in the jurisdiction."""
    if place.country and place.country != regime.jurisdiction:
        return frozenset({place.country})
    inside = (known(code, library) for code in case.countries if lies_in(code, regime.jurisdiction, library))
    return frozenset(code.split("-", maxsplit=1)[0] for code in inside)


def _counted_at(case: Case, regime: Regime, library: Library) -> Place:
    """The zone of the first place of the case inside the jurisdiction, with the days off of the jurisdiction itself.

    The Union has no days off of its own for duties in the Member States: there those of the Member State count (1182/71 Art. 2(1)).
    """
    own = library.places.get(regime.jurisdiction, NOWHERE)
    inside = (known(code, library) for code in case.countries if lies_in(code, regime.jurisdiction, library))
    place = next((library.places[code] for code in inside), own)
    calendar = place.calendar if regime.jurisdiction == UNION else own.calendar
    return replace(place, country="", calendar=calendar, zone=regime.zone or place.zone)
