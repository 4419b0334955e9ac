"""Report: fill a form from what is recorded, seal the exact bytes, record the filing. Versions are compared in `service.comparing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from tocsin.adapters.documents import pdf
from tocsin.adapters.files import told, write_atomically
from tocsin.content.loaders import forms
from tocsin.incident.deciding import Wish
from tocsin.model.errors import Conflict, Refused, UsageFault
from tocsin.model.incident import Incident, ReportMade
from tocsin.model.law import Obligation, Truth
from tocsin.report.forms import Filled, Form, Stage, answered, fill
from tocsin.report.structured import structured
from tocsin.service import duties, filling, incidents, responding
from tocsin.service.desk import Desk

JSON, PDF, SUBMISSION = "application/json", "application/pdf", "application/vnd.tocsin.submission+json"
SUFFIXES = {PDF: ".pdf", JSON: ".json", SUBMISSION: ".submission.json"}
"""The files of a version: to be read, to be compared, and (where the form has one) the JSON that its authorities take."""


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


def prepare(
    desk: Desk, incident_id: str, form_id: str, stage: Stage = "initial", country: str = "", out: Path | None = None
) -> Prepared:
    """Fill the form, write its files to `out`, and seal the bytes.

    Raises:
        UsageFault: no such incident or form, or no duty of the incident uses the form.
    """
    incident, form = incidents.find(desk, incident_id), forms.load(form_id)
    number = 1 + max((made.version for made in incident.reports if made.form == form_id), default=0)
    duty = duty_of(desk, incident, form, stage, country)
    filled = filled_now(desk, incident, form, stage, duty, number)
    contents = _contents(form, filled, desk.clock())
    what = f"{form_id} version {number}"
    pointers = {media: responding.seal(desk, incident_id, data, media, what) for media, data in contents.items()}
    wish = {"form": form_id, "version": number, "files": pointers, "gaps": list(filled.gaps()), "stage": stage}
    name = duty.id if duty else ""
    prepared = Wish("report_prepared", {**wish, "obligation": name})

    def decide(now: Incident) -> list[Wish]:
        if any((made.form, made.version) == (form_id, number) for made in now.reports):
            raise Conflict(f"version {number} of {form_id} was prepared in this instant", "prepare it again")
        return [prepared]

    incidents.act(desk, incident_id, decide)
    written = _written(out or desk.root / "reports", _base(incident_id, form_id, number), contents)
    sources = tuple(field.source for field in filled.open_fields())
    sealed = tuple(pointers.values())
    return Prepared(incident_id, form_id, number, stage, name, written, sealed, filled.gaps(), sources)


def filled_now(
    desk: Desk, incident: Incident, form: Form, stage: Stage, duty: Obligation | None, number: int
) -> Filled:
    """The form as the record fills it at this moment."""
    values = filling.values(desk, incident, duty, stage)
    return fill(form, values, stage, filling.heading(desk, incident, duty, number))


def _contents(form: Form, filled: Filled, at: datetime) -> dict[str, bytes]:
    """Media type -> bytes. The instant stands in the PDF, which its standard wants."""
    body = {**msgspec.to_builtins(filled), "gaps": list(filled.gaps()), "prepared_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    contents = {PDF: pdf.report(body), JSON: _pretty(body)}
    return contents | ({SUBMISSION: _pretty(structured(form, filled))} if form.schema else {})


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2)


def _base(incident_id: str, form_id: str, number: int) -> str:
    return f"{incident_id}-{form_id.split('/', maxsplit=1)[0]}-v{number}"


def _written(folder: Path, base: str, contents: Mapping[str, bytes]) -> tuple[str, ...]:
    """Write each content as a file that only its owner may read."""
    paths = [folder / f"{base}{SUFFIXES[media]}" for media in contents]
    for path, data in zip(paths, contents.values(), strict=True):
        with told(path):
            write_atomically(path, data, mode=0o600)
    return tuple(map(str, paths))


def answer(desk: Desk, incident_id: str, form_id: str, source: str, text: str) -> Incident:
    """Give a field what no record fills; every version from now on carries it, and who said so stands in the ledger.

    Raises:
        UsageFault: no such incident, form or field, or a text that does not suit the field.
    """
    given = answered(forms.load(form_id), source, text)
    return incidents.set_fact(desk, incident_id, f"{filling.ANSWER}{source}", given, f"answered for {form_id}")


def filed(
    desk: Desk,
    incident_id: str,
    form_id: str,
    version: int,
    at: datetime,
    recipient: str,
    because: str = "",
    file: Path | None = None,
) -> Incident:
    """Record that a version was handed in: it discharges its obligation from then on.

    Raises:
        UsageFault: no such version, no recipient, or a time without a zone, in the future, or before the version was made.
        Refused: it was filed already, it has gaps and no reason was given for filing it all the same, or `file` is not what was sealed.
    """
    if at.tzinfo is None or at > desk.clock():
        raise UsageFault("the time of filing needs a zone and cannot lie in the future", "write it with its offset")
    if not recipient.strip():
        raise UsageFault("a filing needs its recipient", "name the authority with --recipient")

    def decide(incident: Incident) -> list[Wish]:
        made = made_version(incident, form_id, version)
        _check_filing(made, at, because)
        data = {"form": form_id, "version": version, "at": at.isoformat(), "recipient": recipient, "because": because}
        if file:
            data["handed_in"] = _sealed_as(desk, made, file)
        wishes = [Wish("report_filed", data)]
        if made.obligation:
            submitted = {"name": f"submitted.{made.obligation}", "at": at.isoformat(), "why": f"filed with {recipient}"}
            wishes.append(Wish("date_set", submitted))
        return wishes

    return incidents.act(desk, incident_id, decide)


def _sealed_as(desk: Desk, made: ReportMade, file: Path) -> str:
    """The pointer under which the bytes of the file were sealed."""
    with told(file):
        data = file.read_bytes()
    for pointer in made.files.values():
        if desk.evidence.unseal(pointer) == data:
            return pointer
    raise Refused(
        f"{file} is not what was sealed as version {made.version} of {made.form}",
        remedy="hand in a sealed file, or prepare a version that says the same",
    )


def made_version(incident: Incident, form_id: str, version: int) -> ReportMade:
    """The version as it was prepared. Raises UsageFault with those that there are."""
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


def duty_of(desk: Desk, incident: Incident, form: Form, stage: Stage, country: str) -> Obligation | None:
    """The obligation that this report serves, in that country if one is named; None when nothing owes it (yet).

    Among several it is one of this stage, not yet discharged, and with a deadline, as far as there is one.
    """
    owed = [o for o in duties.of(desk, incident).obligations if o.form == form.id and o.truth is not Truth.NO]
    chosen = [o for o in owed if not country or o.id.endswith(f"@{country}")]
    if country and not chosen:
        known = ", ".join(o.id for o in owed) or "none"
        raise UsageFault(f"nothing is owed in {country!r} on this form", f"duties with it: {known}")

    def rank(duty: Obligation) -> tuple[bool, bool, bool]:
        other_stage = bool(form.serves) and form.serves.get(duty.stage) != stage
        return other_stage, duty.discharged_at is not None, duty.operational_due is None

    return min(chosen, key=rank, default=None)
