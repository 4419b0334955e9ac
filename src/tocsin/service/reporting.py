"""Report: fill a form from what is recorded, seal the exact bytes, record the filing, compare versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from tocsin.adapters.documents import pdf
from tocsin.adapters.files import told, write_atomically
from tocsin.content.loaders import forms
from tocsin.incident.deciding import Wish
from tocsin.model.errors import Conflict, Refused, UsageFault
from tocsin.model.incident import Incident, ReportMade
from tocsin.model.law import Obligation, Truth
from tocsin.report.forms import Filled, Stage, answered, differences, fill
from tocsin.service import duties, filling, incidents, responding
from tocsin.service.desk import Desk

JSON, PDF = "application/json", "application/pdf"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version of a report: its files, the evidence pointers of their exact bytes, and what is missing."""

    incident: str
    form: str
    version: int
    stage: Stage
    obligation: str
    files: tuple[str, ...]
    evidence: tuple[str, ...]
    gaps: tuple[str, ...]
    answerable: tuple[str, ...] = ()
    """The sources of the gaps, in their order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that changed between two versions."""

    field: str
    before: str
    after: str


def prepare(
    desk: Desk, incident_id: str, form_id: str, stage: Stage = "initial", country: str = "", out: Path | None = None
) -> Prepared:
    """Fill the form, write it as PDF and JSON to `out`, and seal the bytes.

    Raises:
        UsageFault: no such incident or form, or no duty of the incident uses the form.
    """
    incident, form = incidents.find(desk, incident_id), forms.load(form_id)
    duty = _duty(desk, incident, form_id, country)
    number = 1 + max((made.version for made in incident.reports if made.form == form_id), default=0)
    values = filling.values(desk, incident, duty, stage)
    filled = fill(form, values, stage, filling.heading(desk, incident, duty, number))
    body = {**msgspec.to_builtins(filled), "gaps": list(filled.gaps())}
    contents = {JSON: msgspec.json.format(msgspec.json.encode(body, order="sorted"), indent=2), PDF: pdf.report(body)}
    what = f"{form_id} version {number}"
    pointers = {media: responding.seal(desk, incident_id, data, media, what) for media, data in contents.items()}
    wish = {"form": form_id, "version": number, "files": pointers, "gaps": list(filled.gaps()), "stage": stage}
    prepared = Wish("report_prepared", {**wish, "obligation": duty.id if duty else ""})

    def decide(now: Incident) -> list[Wish]:
        if any((made.form, made.version) == (form_id, number) for made in now.reports):
            raise Conflict(f"version {number} of {form_id} was prepared in this instant", "prepare it again")
        return [prepared]

    incidents.act(desk, incident_id, decide)
    folder = out or desk.root / "reports"
    base = folder / f"{incident_id}-{form_id.split('/', maxsplit=1)[0]}-v{number}"
    written = []
    for suffix, media in ((".pdf", PDF), (".json", JSON)):
        path = base.with_name(base.name + suffix)
        with told(path):
            write_atomically(path, contents[media], mode=0o600)
        written.append(str(path))
    sealed = tuple(pointers.values())
    sources = tuple(field.source for field in filled.open_fields())
    name = duty.id if duty else ""
    return Prepared(incident_id, form_id, number, stage, name, tuple(written), sealed, filled.gaps(), sources)


def answer(desk: Desk, incident_id: str, form_id: str, source: str, text: str) -> Incident:
    """Give a field what no record fills; every version from now on carries it, and who said so stands in the ledger.

    Raises:
        UsageFault: no such incident, form or field, or a text that does not suit the field.
    """
    given = answered(forms.load(form_id), source, text)
    return incidents.set_fact(desk, incident_id, f"{filling.ANSWER}{source}", given, f"answered for {form_id}")


def filed(
    desk: Desk, incident_id: str, form_id: str, version: int, at: datetime, recipient: str, because: str = ""
) -> Incident:
    """Record that a version was handed in: it discharges its obligation from then on.

    Raises:
        UsageFault: no such version, no recipient, or a time without a zone, in the future, or before the version was made.
        Refused: it was filed already, or it has gaps and no reason was given for filing it all the same.
    """
    if at.tzinfo is None or at > desk.clock():
        raise UsageFault("the time of filing needs a zone and cannot lie in the future", "write it with its offset")
    if not recipient.strip():
        raise UsageFault("a filing needs its recipient", "name the authority with --recipient")

    def decide(incident: Incident) -> list[Wish]:
        made = _made(incident, form_id, version)
        _check_filing(made, at, because)
        data = {"form": form_id, "version": version, "at": at.isoformat(), "recipient": recipient, "because": because}
        wishes = [Wish("report_filed", data)]
        if made.obligation:
            submitted = {"name": f"submitted.{made.obligation}", "at": at.isoformat(), "why": f"filed with {recipient}"}
            wishes.append(Wish("date_set", submitted))
        return wishes

    return incidents.act(desk, incident_id, decide)


def _made(incident: Incident, form_id: str, version: int) -> ReportMade:
    made = next((m for m in incident.reports if (m.form, m.version) == (form_id, version)), None)
    if made is None:
        known = ", ".join(f"{m.form} {m.version}" for m in incident.reports) or "none"
        raise UsageFault(f"{incident.id} has no version {version} of {form_id}", f"prepared were: {known}")
    return made


def _check_filing(made: ReportMade, at: datetime, because: str) -> None:
    name = f"version {made.version} of {made.form}"
    if made.filed_at:
        what = f"{name} was filed already, on {made.filed_at:%Y-%m-%d %H:%M} UTC"
        raise Refused(what, remedy="prepare and file a new version")
    if at < made.at.replace(second=0, microsecond=0):
        raise UsageFault(
            f"{name} was prepared on {made.at:%Y-%m-%d %H:%M} UTC, after that", "check the time and its zone"
        )
    if made.gaps and not because.strip():
        raise Refused(
            "the report has gaps",
            made.gaps,
            "answer them (tocsin report answer), or file it all the same with --because TEXT (an initial report may be incomplete)",
        )


def diff(desk: Desk, incident_id: str, form_id: str, old: int, new: int) -> tuple[Difference, ...]:
    """What changed between two prepared versions, from the sealed bytes. Raises UsageFault when one does not exist."""
    incident = incidents.find(desk, incident_id)
    versions = {made.version: made for made in incident.reports if made.form == form_id}
    for number in (old, new):
        if number not in versions:
            raise UsageFault(f"{incident_id} has no version {number} of {form_id}", f"there are: {sorted(versions)}")
    before, after = (_unsealed(desk, versions[number].files[JSON]) for number in (old, new))
    return tuple(Difference(*changed) for changed in differences(before, after))


def _unsealed(desk: Desk, pointer: str) -> Filled:
    return msgspec.json.decode(desk.evidence.unseal(pointer), type=Filled, strict=False)


def _duty(desk: Desk, incident: Incident, form_id: str, country: str) -> Obligation | None:
    """The obligation that the form serves, in that country if one is named; None when nothing owes it (yet)."""
    owed = [o for o in duties.of(desk, incident).obligations if o.form == form_id and o.truth is not Truth.NO]
    chosen = [o for o in owed if not country or o.id.endswith(f"@{country}")]
    if country and not chosen:
        known = ", ".join(o.id for o in owed) or "none"
        raise UsageFault(f"nothing is owed in {country!r} on this form", f"duties with it: {known}")
    return next((o for o in chosen if o.operational_due), chosen[0] if chosen else None)
