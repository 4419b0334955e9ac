"""The library of regimes as counsel reads it: what there is, what it is today, and every part of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tocsin.content.loaders import law as library_loader
from tocsin.content.loaders import libraries, vectors
from tocsin.content.loaders.shipped import SHIPPED
from tocsin.document.checking import near
from tocsin.law.places import lies_in
from tocsin.law.regime import Place, Regime
from tocsin.law.vectors import differences
from tocsin.model.errors import BadInput, UsageFault
from tocsin.model.law import STATEMENT, Confidence, Recipient, worst


@dataclass(frozen=True, slots=True)
class Checked:
    """How many regimes and cases were looked at, and where a regime says something else than was counted by hand."""

    regimes: int
    cases: int
    faults: tuple[str, ...]
    packs: str
    """The digest of all packs."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A regime in a line. `status` is that of its periods on the day, several where it depends on the case."""

    id: str
    title: str
    jurisdiction: str
    who: str
    status: tuple[str, ...]
    stages: int
    confidence: Confidence
    """Of its least well read citation."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The regimes, what each is on a day, and the digest of all packs."""

    on: date
    regimes: tuple[Listed, ...]
    packs: str
    statement: str = STATEMENT


@dataclass(frozen=True, slots=True)
class Shown:
    """A regime with those whom it names, by country, and how well the least well read of its sources was read."""

    regime: Regime
    recipients: tuple[Recipient, ...]
    facts: tuple[str, ...]
    confidence: Confidence
    statement: str = STATEMENT


def listed(day: date, jurisdiction: str = "") -> Listing:
    """Every regime, or those of a jurisdiction with the states in it, by id. Raises UsageFault for an unknown jurisdiction."""
    library = library_loader.load()
    if jurisdiction and jurisdiction not in library.places:
        hint = near(jurisdiction, library.places)
        raise UsageFault(f"the library knows no jurisdiction {jurisdiction!r}{hint}", "see: tocsin law list")
    found = [r for r in library.regimes if not jurisdiction or lies_in(r.jurisdiction, jurisdiction, library)]
    return Listing(day, tuple(_line(regime, day) for regime in found), library.digest)


def shown(regime_id: str) -> Shown:
    """One regime with everything in it. Raises UsageFault with the nearest id."""
    library = library_loader.load()
    by_id = {regime.id: regime for regime in library.regimes}
    if regime_id not in by_id:
        raise UsageFault(f"there is no regime {regime_id!r}{near(regime_id, list(by_id))}", "see: tocsin law list")
    regime = by_id[regime_id]
    named = (
        tuple(r for place in library.places.values() for r in _at(place, regime))
        if regime.register
        else regime.recipients
    )
    return Shown(regime, named, tuple(sorted(regime.facts)), _confidence(regime))


def check(folder: Path | None = None) -> Checked:
    """Read every pack of a library, and compare what each says of its cases with what was counted by hand.

    Raises:
        UsageFault: the folder holds no library.
        BadInput: a pack, its cases or an authority cannot be read, or a case speaks of what does not exist; every mistake is told.
    """
    root = libraries.root(folder) if folder else SHIPPED
    library = libraries.at(folder) if folder else library_loader.load()
    wrong = [problem for regime in library.regimes for problem in vectors.mistakes(regime, library, root)]
    if wrong:
        raise BadInput(wrong)
    cases = [(regime, vector) for regime in library.regimes for vector in vectors.load(regime.id, root)]
    faults = tuple(
        f"{regime.id}, {vector.name!r}: {line}"
        for regime, vector in cases
        for line in differences(vector, regime, library)
    )
    return Checked(len(library.regimes), len(cases), faults, library.digest)


def _at(place: Place, regime: Regime) -> tuple[Recipient, ...]:
    return place.registers.get(regime.register, ())


def _line(regime: Regime, day: date) -> Listed:
    status = dict.fromkeys(str(period.status) for period in regime.periods if period.covers(day))
    return Listed(
        regime.id,
        regime.title,
        regime.jurisdiction,
        regime.who,
        tuple(status) or ("not in force",),
        len(regime.stages),
        _confidence(regime),
    )


def _confidence(regime: Regime) -> Confidence:
    return worst(cited.confidence for cited in regime.citations.values())
