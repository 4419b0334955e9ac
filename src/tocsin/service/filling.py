"""Fill: every value of a form by the name of its source, from incident, inventory, policy and duty."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tocsin.model.event import Json
from tocsin.model.incident import Incident
from tocsin.model.law import Obligation
from tocsin.model.policy import Person, System
from tocsin.report.forms import Stage
from tocsin.service import detecting
from tocsin.service.desk import Desk

BOXES = {
    "death": "Death",
    "serious_health_harm": "Harm to a person's health",
    "critical_infrastructure_disruption": "Disruption of the operation of critical infrastructure",
    "fundamental_rights_infringement": "Infringement of obligations under Union law intended to protect fundamental rights",
    "serious_property_harm": "Harm to property",
    "serious_environment_harm": "Harm to environment",
}
STATUS = {
    "binding": "binding",
    "dormant": "not applicable yet: the deadline is shown as a rehearsal",
}
NEXT_REPORT = timedelta(days=14)
ANSWER = "form."
"""What a person gives for a field stands as a fact of this name and the field's source."""


def heading(desk: Desk, incident: Incident, duty: Obligation | None, version: int) -> dict[str, str]:
    """What stands above the form: incident, version, who prepared it when, and the duty that it serves with its clock."""
    here, there = ZoneInfo(desk.workspace.policy.timezone), ZoneInfo(duty.timezone if duty else "UTC")
    shown = {"Incident": f"{incident.id}, {incident.title}", "Version of this report": str(version)}
    shown["Prepared"] = f"{desk.clock().astimezone(here):%Y-%m-%d %H:%M %Z}, by {_called(desk, desk.author)}"
    if duty:
        shown |= {"Duty": duty.title, "Status of the duty": STATUS.get(duty.status, duty.status)}
        shown["To"] = "; ".join(r.name for r in duty.recipients)
        if duty.anchor_at:
            what = duty.anchor.replace("aware.", "awareness of the ").replace("_", " ")
            shown["Clock started"] = f"{duty.anchor_at.astimezone(there):%Y-%m-%d %H:%M %Z} ({what})"
        if duty.operational_due:
            shown["Due"] = f"{duty.operational_due.astimezone(there):%Y-%m-%d %H:%M %Z} ({duty.label})"
    return shown


def values(desk: Desk, incident: Incident, duty: Obligation | None, stage: Stage) -> dict[str, Json]:
    """Every value by the name of its source: incident, inventory, policy, duty. What is not recorded is None.

    Instants are in the zone of whoever reads them: the day of an incident is the day there.
    """
    system, now = desk.system(incident.system), desk.clock()
    facts = {name: fact.value for name, fact in incident.facts.items()}
    recipient = duty.recipients[0] if duty and duty.recipients else None
    recorded: dict[str, Json] = {
        "authority.country": recipient.country if recipient else None,
        "authority.name": recipient.name if recipient else None,
        "report.date": now,
        "report.next": now + NEXT_REPORT if stage in ("initial", "follow_up") else None,
        "report.duty": f"{duty.title} ({duty.id})" if duty else None,
        "incident.id": incident.id,
        "incident.title": incident.title,
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
    recorded |= {f"date.{name}": at for name, at in incident.dates.items()}
    recorded |= {f"fact.{name}": value for name, value in facts.items() if not name.startswith(ANSWER)}
    recorded |= _of_system(system, began.date()) | _of_people(desk, system) | answers
    there = ZoneInfo(duty.timezone if duty else desk.workspace.policy.timezone)
    return {name: v.astimezone(there) if isinstance(v, datetime) else v for name, v in recorded.items()}


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
    values["organisation.name"] = policy.organization
    values |= _contact("contact", contact)
    return values | (_contact("provider", contact) if own else {})


def _contact(role: str, person: Person | None) -> dict[str, Json]:
    """How a person is reached, for the field of that role; nothing where nobody is named."""
    if person is None:
        return {}
    name = "contact" if role == "provider" else "name"
    return {f"{role}.{name}": person.name, f"{role}.email": person.email or None, f"{role}.phone": person.phone or None}


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
