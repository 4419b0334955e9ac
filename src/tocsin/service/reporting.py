"""Report: fill a form from what is recorded, seal the exact bytes, record the filing, compare versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from tocsin.adapters.documents import pdf
from tocsin.adapters.files import told, write_atomically
from tocsin.content.loaders import forms
from tocsin.incident.deciding import Wish
from tocsin.model.errors import Conflict, Refused, UsageFault
from tocsin.model.event import Json
from tocsin.model.incident import Incident, ReportMade
from tocsin.model.law import Obligation, Truth
from tocsin.model.policy import Person, System
from tocsin.report.forms import Filled, Stage, answered, differences, fill
from tocsin.service import detecting, duties, incidents, responding
from tocsin.service.desk import Desk

JSON, PDF = "application/json", "application/pdf"
BOXES = {
    "death": "Death",
    "serious_health_harm": "Harm to a person's health",
    "critical_infrastructure_disruption": "Disruption of the operation of critical infrastructure",
    "fundamental_rights_infringement": "Infringement of obligations under Union law intended to protect fundamental rights",
    "serious_property_harm": "Harm to property",
    "serious_environment_harm": "Harm to environment",
}
TYPES: dict[Stage, str] = {
    "initial": "Initial",
    "follow_up": "Follow up",
    "combined": "Combined initial and final",
    "final": "Final (Reportable incident)",
}
STATUS = {
    "binding": "binding",
    "dormant": "not applicable yet: the deadline is shown as a rehearsal",
}
NEXT_REPORT = timedelta(days=14)
ANSWER = "form."
"""What a person gives for a field stands as a fact of this name and the field's source."""


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
    values = _in_zone(_values(desk, incident, duty, stage), duty.timezone if duty else desk.workspace.policy.timezone)
    filled = fill(form, values, stage, _heading(desk, incident, duty, number))
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
    return incidents.set_fact(desk, incident_id, f"{ANSWER}{source}", given, f"answered for {form_id}")


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


def _heading(desk: Desk, incident: Incident, duty: Obligation | None, version: int) -> dict[str, str]:
    here, there = ZoneInfo(desk.workspace.policy.timezone), ZoneInfo(duty.timezone if duty else "UTC")
    heading = {"Incident": f"{incident.id}, {incident.title}", "Version of this report": str(version)}
    heading["Prepared"] = f"{desk.clock().astimezone(here):%Y-%m-%d %H:%M %Z}, by {_called(desk, desk.author)}"
    if duty:
        heading |= {"Duty": duty.title, "Status of the duty": STATUS.get(duty.status, duty.status)}
        heading["To"] = "; ".join(r.name for r in duty.recipients)
        if duty.anchor_at:
            what = duty.anchor.replace("aware.", "awareness of the ").replace("_", " ")
            heading["Clock started"] = f"{duty.anchor_at.astimezone(there):%Y-%m-%d %H:%M %Z} ({what})"
        if duty.operational_due:
            heading["Due"] = f"{duty.operational_due.astimezone(there):%Y-%m-%d %H:%M %Z} ({duty.label})"
    return heading


def _in_zone(values: Mapping[str, Json], zone: str) -> dict[str, Json]:
    """The values with instants in the zone of whoever reads them: the day of an incident is the day there."""
    there = ZoneInfo(zone)
    return {name: v.astimezone(there) if isinstance(v, datetime) else v for name, v in values.items()}


def _values(desk: Desk, incident: Incident, duty: Obligation | None, stage: Stage) -> dict[str, Json]:
    """Every value by the name of its source: incident, inventory, policy, duty. What is not recorded is None."""
    system, now = desk.system(incident.system), desk.clock()
    facts = {name: fact.value for name, fact in incident.facts.items()}
    recipient = duty.recipients[0] if duty and duty.recipients else None
    values: dict[str, Json] = {
        "authority.country": recipient.country if recipient else None,
        "authority.name": recipient.name if recipient else None,
        "report.date": now,
        "report.type": TYPES[stage],
        "report.next": now + NEXT_REPORT if stage in ("initial", "follow_up") else None,
        "date.occurred": incident.dates.get("occurred"),
        "date.detected": incident.dates.get("detected"),
        "date.aware": incident.dates.get("aware.provider"),
        "classification.boxes": [box for fact, box in BOXES.items() if facts.get(fact) is True],
        "incident.nature": _nature(desk, incident),
        "incident.people_affected": facts.get("people_affected"),
        "incident.remedial_actions": _actions(incident),
        "incident.initial_reporter": _reporter(desk, incident),
        "analysis.preliminary": incident.cause or None,
        "analysis.actions": _actions(incident),
        "analysis.cause": incident.cause or None,
    }
    began = incident.dates.get("started") or incident.dates.get("occurred") or incident.opened_at
    answers = {name.removeprefix(ANSWER): value for name, value in facts.items() if name.startswith(ANSWER)}
    return values | _of_system(system, began.date()) | _of_people(desk, system) | answers


def _of_system(system: System, day: date) -> dict[str, Json]:
    """The inventory's particulars, with the version that was in service on the day on which the incident began."""
    released = [model for model in system.models if model.released is None or model.released <= day]
    latest = max(released, key=lambda model: model.released or date.min, default=None)
    return {
        "system.id": system.id,
        "system.name": system.name,
        "system.purpose": system.purpose,
        "system.route": system.eu_ai_act_route.replace("annex_iii.", "AI Act, Annex III, point ").replace("_", " "),
        "system.model": system.name if latest else None,
        "system.version": latest.version if latest else None,
        "system.eu_database_id": system.facts.get("eu_database_id"),
    }


def _of_people(desk: Desk, system: System) -> dict[str, Json]:
    """The provider's and the submitter's particulars, as far as the policy knows them."""
    policy = desk.workspace.policy
    people = {person.id: person for person in policy.people}
    accountable = next((r for r in policy.roles if r.duties.get("report") == "accountable" and r.people), None)
    contact = people.get(accountable.people[0]) if accountable else None
    own = system.organization_role in ("provider", "both")
    values: dict[str, Json] = {
        "submitter.role": "Provider" if own else "Deployer",
        "submitter.name": contact and contact.name,
    }
    values["provider.organisation"] = system.provider
    return values | (_contact(contact) if own and contact else {})


def _contact(person: Person) -> dict[str, Json]:
    return {"provider.contact": person.name, "provider.email": person.email, "provider.phone": person.phone}


def _nature(desk: Desk, incident: Incident) -> str:
    made = {finding.id: finding for finding, _ in detecting.findings(desk)}
    told_ = [made[name].explanation for name in incident.findings if name in made]
    return "\n".join([incident.title, *told_])


def _actions(incident: Incident) -> str | None:
    lines = [
        f"{a.text} (effective {a.effective_from:%Y-%m-%d %H:%M} UTC)" if a.effective_from else a.text
        for a in incident.actions
    ]
    return "\n".join(lines) or None


def _reporter(desk: Desk, incident: Incident) -> str:
    if incident.source == "detector":
        return "Automatic detection by the organization's own monitoring"
    return _called(desk, incident.opened_by)


def _called(desk: Desk, person: str) -> str:
    """The person's name as the policy has it."""
    return next((known.name for known in desk.workspace.policy.people if known.id == person), person)
