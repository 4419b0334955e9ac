"""A small library of invented law, so that each rule of the engine is seen by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tocsin.law.conditions import ALWAYS, All, Compare, Condition, Not
from tocsin.law.counting import NO_HOLIDAYS, Deadline
from tocsin.law.regime import Dated, FactKind, Library, Period, Place, Regime, Stage
from tocsin.model.law import Case, Citation, Confidence, Fact, Recipient, Status

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
UNION = "XX"
"""Where the invented law holds."""
EVER = date(2000, 1, 1)
CITED = Citation("Act", "s. 1", "https://example.org/act", date(2026, 11, 23), Confidence.P)
AUTHORITY = Recipient("the authority", confidence=Confidence.P)


def yes(name: str) -> Condition:
    """The fact is a plain yes."""
    return Compare(name, "is", True)


def no(name: str) -> Condition:
    """The fact is not a yes."""
    return Not(yes(name))


def both(*parts: Condition) -> Condition:
    """All of them."""
    return All(parts)


def dated(amount: int = 72, unit: Any = "hours", when: Condition = ALWAYS, **changes: Any) -> Dated:
    """A deadline that is as old as anything here."""
    fields: dict[str, Any] = {"valid_from": EVER, "when": when}
    return Dated(Deadline(unit, amount, "calendar"), f"{amount} {unit}", **fields | changes)


def stage(name: str = "notify", *deadlines: Dated, **changes: Any) -> Stage:
    """A stage whose clock awareness of the provider starts."""
    fields: dict[str, Any] = {"anchors": ("aware.provider",), "cite": ("s1",)}
    return Stage(name, f"to {name}", deadlines=deadlines or (dated(),), **fields | changes)


def regime(name: str = "x.act", *stages: Stage, **changes: Any) -> Regime:
    """A regime that binds whoever harms."""
    fields: dict[str, Any] = {
        "title": name,
        "instrument": "Act",
        "jurisdiction": UNION,
        "who": "the provider",
        "periods": (Period(Status.BINDING, EVER),),
        "applies": yes("harm"),
        "stages": stages or (stage(),),
        "register": "",
        "recipients": (AUTHORITY,),
        "citations": {"s1": CITED},
        "cite": ("s1",),
        "digest": f"digest of {name}",
    }
    return Regime(name, **fields | changes)


def library(*regimes: Regime) -> Library:
    """These regimes, a union of two countries, and every fact that is used."""
    names = sorted({name for one in regimes for name in one.facts})
    facts = {name: FactKind(name, "truth", f"{name}?", "look", (), CITED) for name in names}
    places = {
        code: Place(code, zone, NO_HOLIDAYS, {"watch": (Recipient(f"watch of {code}", code, "", Confidence.P),)}, UNION)
        for code, zone in (("DE", "Europe/Berlin"), ("PT", "Europe/Lisbon"))
    }
    places[UNION] = Place(UNION, "Europe/Brussels", NO_HOLIDAYS, {})
    return Library(regimes, facts, places, "digest", date(2026, 11, 23))


def case(hours_aware: float | None = 1, countries: tuple[str, ...] = ("DE",), **values: Any) -> Case:
    """A case of now; the provider has been aware for so many hours."""
    anchors = {} if hours_aware is None else {"aware.provider": NOW - timedelta(hours=hours_aware)}
    return Case(
        {name: Fact(name, value, "s", "yilmaz", NOW) for name, value in values.items()}, anchors, countries, NOW
    )
