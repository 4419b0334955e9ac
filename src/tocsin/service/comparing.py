"""Compare: what changed between two versions of a report, or between one and what the record says now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from tocsin.content.loaders import forms
from tocsin.model.errors import UsageFault
from tocsin.model.incident import Incident, ReportMade
from tocsin.report.forms import Filled, Stage, differences
from tocsin.service import incidents, reporting
from tocsin.service.desk import Desk

FILED, NOW = "filed", "now"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared. `evidence` points to the sealed bytes it was read from; what is only recorded has none."""

    version: int | None
    stage: Stage
    filed_at: datetime | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that changed."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, and every field in which they differ, in the form's order."""

    incident: str
    form: str
    old: Side
    new: Side
    changed: tuple[Difference, ...] = field(default=())


def diff(desk: Desk, incident_id: str, form_id: str, old: str = "", new: str = NOW) -> Comparison:
    """What changed from `old` to `new`: each is the number of a version, `filed` for the one filed last, or `now`.

    Versions are read from the sealed bytes. Without `old` it is the version that was filed last, or else the newest.

    Raises:
        UsageFault: no such version, none filed, none prepared, or something else than a number, `filed` or `now`.
    """
    incident = incidents.find(desk, incident_id)
    form_id = forms.load(form_id).id
    versions = sorted((m for m in incident.reports if m.form == form_id), key=lambda made: made.version)
    if not versions:
        raise UsageFault(f"no version of {form_id} was prepared for {incident_id}", "see: tocsin report prepare")
    (before, filled_before), (after, filled_after) = (
        _side(desk, incident, versions, word) for word in (old or _first(versions), new)
    )
    changed = tuple(Difference(*row) for row in differences(filled_before, filled_after))
    return Comparison(incident_id, form_id, before, after, changed)


def _first(versions: list[ReportMade]) -> str:
    return FILED if any(made.filed_at for made in versions) else str(versions[-1].version)


def _side(desk: Desk, incident: Incident, versions: list[ReportMade], word: str) -> tuple[Side, Filled]:
    if word == NOW:
        return _now(desk, incident, versions[-1])
    made = _version(incident, versions, word)
    pointer = made.files[reporting.JSON]
    filled = msgspec.json.decode(desk.evidence.unseal(pointer), type=Filled, strict=False)
    return Side(made.version, filled.stage, made.filed_at, pointer), filled


def _version(incident: Incident, versions: list[ReportMade], word: str) -> ReportMade:
    if word == FILED:
        filed = [made for made in versions if made.filed_at]
        if not filed:
            raise UsageFault(f"no version of {versions[0].form} was filed", "name a version by its number")
        return max(filed, key=lambda made: (made.filed_at, made.version))
    if not word.isdecimal():
        raise UsageFault(f"{word!r} is no version", f"write a number, {FILED!r} or {NOW!r}")
    return reporting.made_version(incident, versions[0].form, int(word))


def _now(desk: Desk, incident: Incident, newest: ReportMade) -> tuple[Side, Filled]:
    """The form as the record fills it now, of the same kind and for the same country as the newest version."""
    form, stage = forms.load(newest.form), msgspec.convert(newest.stage, Stage)
    country = newest.obligation.partition("@")[2]
    owing = reporting.duty_of(desk, incident, form, stage, country)
    return Side(None, stage), reporting.filled_now(desk, incident, form, stage, owing, newest.version + 1)
