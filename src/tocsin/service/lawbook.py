"""The library of regimes as counsel reads it: what there is, what it is today, and every part of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tocsin.content.loaders import law as library_loader
from tocsin.content.loaders import vectors
from tocsin.document.checking import near
from tocsin.law.regime import Place, Regime
from tocsin.law.vectors import differences
from tocsin.model.errors import UsageFault
from tocsin.model.law import Confidence, Recipient


@dataclass(frozen=True, slots=True)
class Checked:
    """How many regimes and cases were looked at, and where a regime says something else than was counted by hand."""

    regimes: int
    cases: int
    faults: tuple[str, ...]
    packs: str
    """The digest of all packs."""


WORST_FIRST = (Confidence.UNCONFIRMED, Confidence.S, Confidence.Q, Confidence.P)


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
class Shown:
    """A regime with those whom it names, by country."""

    regime: Regime
    recipients: tuple[Recipient, ...]
    facts: tuple[str, ...]


def listed(day: date) -> tuple[Listed, ...]:
    """Every regime, by id."""
    return tuple(_line(regime, day) for regime in library_loader.load().regimes)


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
    return Shown(regime, named, tuple(sorted(regime.facts)))


def check() -> Checked:
    """Read every pack, and compare what each says of its cases with what was counted by hand.

    Raises:
        BadInput: a pack, its cases or an authority cannot be read; every mistake is told.
    """
    library = library_loader.load()
    cases = [(regime, vector) for regime in library.regimes for vector in vectors.load(regime.id)]
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
    read = {cited.confidence for cited in regime.citations.values()}
    worst = next(confidence for confidence in WORST_FIRST if confidence in read)
    return Listed(
        regime.id,
        regime.title,
        regime.jurisdiction,
        regime.who,
        tuple(status) or ("not in force",),
        len(regime.stages),
        worst,
    )
