"""Events, findings and incidents for the tests of this room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tocsin.incident.folding import fold, stream
from tocsin.model.event import Event, Recorded
from tocsin.model.finding import Category, Clearance, Finding, Level, RowRef, Since, Strength
from tocsin.model.incident import Incident, JoinedFinding
from tocsin.model.telemetry import Window

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    """So many hours after the beginning."""
    return T0 + hours * HOUR


def joined(name: str = "f1", level: Level = Level.ALARM, **changes: Any) -> JoinedFinding:
    """A finding as an incident keeps it."""
    fields: dict[str, Any] = {
        "id": name,
        "detector": "group_parity:sex",
        "category": Category.BIAS,
        "title": f"finding {name}",
        "key": "sex:f<m",
        "level": str(level),
        "count": 10,
        "strength": 40.0,
        "strength_kind": "e_value",
        "tags": ("oecd.fairness",),
        "joined_at": at(1),
        "last_at": at(1),
    }
    return JoinedFinding(**fields | changes)


def finding(name: str = "f1", level: Level = Level.ALARM, hours: float = 0, **changes: Any) -> Finding:
    """A finding of a window of one hour that begins so many hours after the beginning."""
    fields: dict[str, Any] = {
        "id": name,
        "system": "credit",
        "detector": "group_parity:sex",
        "category": Category.BIAS,
        "key": "sex:f<m",
        "level": level,
        "title": f"finding {name}",
        "window": Window(int(hours), at(hours), at(hours + 1), 500),
        "strength": Strength("e_value", 40.0, 20.0, "at most 5 % of unchanged streams ever alarm"),
        "count": 10,
        "rows": (RowRef("aa", 1),),
        "explanation": "The rate differs.",
    }
    return Finding(**fields | changes)


def since(hours: float, earliest: float) -> Since:
    """A change at so many hours that may have been as early as the other."""
    return Since(int(hours), at(hours), at(earliest), at(hours))


def events(*kinds: tuple[str, dict[str, Any]], name: str = "INC-2026-0001", who: str = "okafor") -> list[Recorded]:
    """Events of one incident, an hour apart, versions from 1."""
    return [
        Recorded(number, stream(name), number, Event(kind, at(number - 1), who, data), f"{number:064x}")
        for number, (kind, data) in enumerate(kinds, start=1)
    ]


def opening(**changes: Any) -> tuple[str, dict[str, Any]]:
    """The event that opens an incident of bias with one finding."""
    data: dict[str, Any] = {
        "system": "credit",
        "title": "The rate differs by sex",
        "category": "bias",
        "key": "bias:sex",
        "source": "detector",
        "findings": [msgspec.to_builtins(joined())],
        "dates": {"occurred": T0.isoformat(), "detected": at(1).isoformat()},
    }
    return "incident_opened", data | changes


def incident(*kinds: tuple[str, dict[str, Any]], name: str = "INC-2026-0001", **changes: Any) -> Incident:
    """The incident after its opening and these events."""
    state = fold(events(opening(**changes), *kinds, name=name))
    assert state is not None
    return state


def clearance(*, passed: bool = True, statement: str = "the gap is rejected") -> Clearance:
    """A proof, or one that failed."""
    return Clearance(passed, statement, 0.05, 0.05, 0.0, -0.01, 0.01, 50.0 if passed else 2.0, 1_000)


ACKNOWLEDGED = ("incident_acknowledged", {})
CONTAINED = ("date_set", {"name": "contained", "at": at(3).isoformat()})
CAUSE = ("cause_recorded", {"cause": "release 2.3.0 reads part-time work as risk"})
CLOSED = ("incident_closed", {"reason": "proven"})


def action(effective: datetime | None = None, name: str = "A1") -> tuple[str, dict[str, Any]]:
    """A corrective action."""
    text = {"id": name, "text": "release 2.2.0 back in service", "owner": "larsen", "release": "2.2.0"}
    return "action_recorded", {"action": text | {"effective_from": effective.isoformat() if effective else None}}


def verified(
    name: str = "f1", *, passed: bool = True, statement: str = "the gap is rejected"
) -> tuple[str, dict[str, Any]]:
    """A proof of one finding."""
    return "remediation_verified", {
        "finding": name,
        "clearance": msgspec.to_builtins(clearance(passed=passed, statement=statement)),
    }


READY = (ACKNOWLEDGED, CONTAINED, CAUSE, action(at(4)), verified())
"""Everything that the incident itself needs before it may be closed."""
