"""What the law asks of an incident: obligations, open questions, and decisions that something is not owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.content.loaders import law as library_loader
from tocsin.document.checking import near
from tocsin.incident.deciding import Wish
from tocsin.law import asking
from tocsin.law import obligations as law
from tocsin.law.places import reached
from tocsin.model.errors import UsageFault
from tocsin.model.event import Json
from tocsin.model.incident import Incident, Phase
from tocsin.model.law import STATEMENT, Case, Fact, Obligation, Question, Status, Truth
from tocsin.model.policy import System
from tocsin.service import answers, incidents, keeping
from tocsin.service.desk import Desk


@dataclass(frozen=True, slots=True)
class Target:
    """One of the policy's own clocks."""

    name: str
    due: datetime
    met_at: datetime | None


@dataclass(frozen=True, slots=True)
class Duties:
    """What one incident owes by law and by the policy, judged at `as_of`."""

    incident: str
    title: str
    as_of: datetime
    obligations: tuple[Obligation, ...]
    targets: tuple[Target, ...]
    open_questions: int
    packs: str
    statement: str = STATEMENT


@dataclass(frozen=True, slots=True)
class Asked:
    """The open questions of one incident."""

    incident: str
    as_of: datetime
    questions: tuple[Question, ...]
    packs: str
    statement: str = STATEMENT


@dataclass(frozen=True, slots=True)
class Explained:
    """One duty of an incident, and the questions that would still decide it."""

    incident: str
    title: str
    as_of: datetime
    obligation: Obligation
    questions: tuple[Question, ...]
    packs: str
    statement: str = STATEMENT


def due(
    desk: Desk, incident_ids: Sequence[str] = (), as_of: datetime | None = None, *, explain_no: bool = False
) -> tuple[Duties, ...]:
    """The duties of these incidents, or of all open ones; with `as_of` in the past, as they were known then.

    Raises:
        UsageFault: no such incident, or a time without a zone.
    """
    if as_of is not None and as_of.tzinfo is None:
        raise UsageFault(f"{as_of} has no zone", "add one, for instance 2026-11-24T09:00+01:00")
    ids = incident_ids or [i.id for i in incidents.every(desk) if i.phase is not Phase.CLOSED]
    return tuple(of(desk, incidents.find(desk, name, as_of), as_of, explain_no=explain_no) for name in ids)


def of(desk: Desk, incident: Incident, as_of: datetime | None = None, *, explain_no: bool = False) -> Duties:
    """The duties of one incident; with `explain_no` also what the law of the places that it touches does not ask, and why."""
    library, case = library_loader.load(), case_of(desk, incident, as_of)
    keeping.keep(desk.root)
    touched = [r for r in library.regimes if reached(case, r.jurisdiction, library) is not Truth.NO]
    near_by = replace(library, regimes=tuple(touched))
    owed = law.obligations(case, near_by, explain_no=explain_no)
    asked = len(asking.questions(case, library))
    return Duties(incident.id, incident.title, case.as_of, owed, _targets(desk, incident), asked, library.digest)


def ask(desk: Desk, incident_id: str) -> Asked:
    """The open questions, the most decisive first."""
    library, case = library_loader.load(), case_of(desk, incidents.find(desk, incident_id))
    return Asked(incident_id, case.as_of, asking.questions(case, library), library.digest)


def explain(desk: Desk, incident_id: str, obligation: str, as_of: datetime | None = None) -> Explained:
    """One duty with everything that it rests on, whether it is owed or not.

    Raises:
        UsageFault: no such incident or duty; names the nearest.
    """
    library = library_loader.load()
    incident = incidents.find(desk, incident_id, as_of)
    case = case_of(desk, incident, as_of)
    regimes = tuple(r for r in library.regimes if obligation.startswith(f"{r.id}."))
    alone = replace(library, regimes=regimes)
    found = {owed.id: owed for owed in law.obligations(case, alone, explain_no=True)}
    several = [name for name in found if name.partition("@")[0] == obligation]
    if several and obligation not in found:
        if len(several) > 1:
            raise UsageFault(f"{obligation} is owed to several authorities", f"name one: {', '.join(several)}")
        obligation = several[0]
    if obligation not in found:
        ids = list(found) or [owed.id for owed in law.obligations(case, library, explain_no=True)]
        raise UsageFault(
            f"{incident_id} has no duty {obligation!r}{near(obligation, ids)}", "see: tocsin law due --all"
        )
    questions = tuple(q for q in asking.questions(case, alone) if obligation in q.decides)
    return Explained(incident_id, incident.title, case.as_of, found[obligation], questions, library.digest)


def answer(desk: Desk, incident_id: str, name: str, text: str, source: str = "") -> Incident:
    """Record the answer to a question, read by the fact's type.

    Raises:
        UsageFault: no such fact, or an answer of another type.
        Refused: the answer contradicts another one.
    """
    library = library_loader.load()
    value = answers.countries(text) if name == asking.COUNTRIES else answers.read(library.facts, name, text)
    case = case_of(desk, incidents.find(desk, incident_id))
    given = Fact(name, value, source, desk.author, case.as_of)
    answers.check(library, {**case.facts, name: given}, name)
    return incidents.set_fact(desk, incident_id, name, value, source)


def decide_not_owed(desk: Desk, incident_id: str, obligation: str, reason: str) -> Incident:
    """Record that an obligation is not owed, with the reason; the author and the time are the event's.

    Raises:
        UsageFault: no such obligation, or no reason.
    """
    ids = [owed.id for owed in of(desk, incidents.find(desk, incident_id)).obligations]
    if obligation not in ids:
        raise UsageFault(
            f"{incident_id} has no obligation {obligation!r}{near(obligation, ids)}", "see: tocsin law due"
        )
    if not reason.strip():
        raise UsageFault("a decision needs its reason", "add --because TEXT")
    return incidents.act(
        desk, incident_id, lambda _: [Wish("obligation_decided", {"obligation": obligation, "reason": reason})]
    )


def unmet(desk: Desk, incident: Incident) -> list[str]:
    """What the law still asks before the incident may be closed: binding duties neither fulfilled nor decided.

    What the organization must be able to show is kept, not filed: it holds nothing up.
    """
    return [
        f"{o.title}: owed {o.label}; file it, or record why it is not owed (tocsin law decide {incident.id} {o.id})"
        for o in of(desk, incident).obligations
        if o.status is Status.BINDING and o.truth is Truth.YES and o.kind != "evidence"
        if not o.discharged_at and not o.decision
    ]


def case_of(desk: Desk, incident: Incident, as_of: datetime | None = None) -> Case:
    """The incident as the law sees it: facts of the inventory below those of the incident, and the separate dates as anchors."""
    system = desk.system(incident.system)
    facts = {**standing_facts(system, incident.opened_at), **incident.facts}
    named = facts["countries"].value if "countries" in facts else None
    countries = tuple(part.strip() for part in named.split(",")) if named else system.operates_in
    return Case(facts, dict(incident.dates), countries, as_of or desk.clock(), dict(incident.decisions))


def standing_facts(system: System, at: datetime) -> dict[str, Fact]:
    """What the inventory says, as facts: the organization's role, the route, and what the system file states."""
    role = system.organization_role
    values: dict[str, Json] = {
        "organization_is_provider": role in ("provider", "both"),
        "organization_is_deployer": role in ("deployer", "both"),
        "eu_ai_act_route": system.eu_ai_act_route,
        **system.facts,
    }
    return {name: Fact(name, value, f"systems/{system.id}.yaml", system.owner, at) for name, value in values.items()}


def _targets(desk: Desk, incident: Incident) -> tuple[Target, ...]:
    if incident.classification is None:
        return ()
    target = desk.workspace.policy.targets[incident.classification.severity]
    contained = incident.dates.get("contained")
    return (
        Target("acknowledge", incident.opened_at + target.acknowledge, incident.acknowledged_at),
        Target("contain", incident.opened_at + target.contain, contained),
    )
