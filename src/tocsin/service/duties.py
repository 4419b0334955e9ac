"""What the law asks of an incident: obligations, open questions, and decisions that something is not owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tocsin.content.loaders import law as library_loader
from tocsin.document.checking import near
from tocsin.incident.deciding import Wish
from tocsin.law import asking
from tocsin.law import obligations as law
from tocsin.law.regime import FactKind
from tocsin.model.errors import UsageFault
from tocsin.model.event import Json
from tocsin.model.incident import Incident, Phase
from tocsin.model.law import Case, Fact, Obligation, Question, Status, Truth
from tocsin.model.policy import System
from tocsin.service import incidents
from tocsin.service.desk import Desk

STATEMENT = (
    "This is not legal advice. It applies published rules to the facts that were entered; counsel decides. Each citation carries "
    "how well its source was read: P primary text, Q official text quoted, S secondary, UNCONFIRMED by nobody yet."
)
YES, NO, UNKNOWN = ("yes", "y", "true"), ("no", "n", "false"), ("unknown", "?", "open")


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
    """The duties of one incident."""
    library, case = library_loader.load(), case_of(desk, incident, as_of)
    owed = law.obligations(case, library, explain_no=explain_no)
    asked = len(asking.questions(case, library))
    return Duties(incident.id, incident.title, case.as_of, owed, _targets(desk, incident), asked, library.digest)


def ask(desk: Desk, incident_id: str) -> tuple[Question, ...]:
    """The open questions, the most decisive first."""
    return asking.questions(case_of(desk, incidents.find(desk, incident_id)), library_loader.load())


def answer(desk: Desk, incident_id: str, name: str, text: str, source: str = "") -> Incident:
    """Record the answer to a question, read by the fact's type.

    Raises:
        UsageFault: no such fact, or an answer of another type.
    """
    known = library_loader.load().facts
    if name not in known:
        raise UsageFault(f"the law asks for no fact {name!r}{near(name, sorted(known))}", "see: tocsin law ask")
    return incidents.set_fact(desk, incident_id, name, parsed(known[name], text), source)


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


def parsed(kind: FactKind, text: str) -> Json:
    """The value in the text, by the fact's type; None for unknown. Raises UsageFault when it does not fit."""
    word = text.strip().lower()
    if word in UNKNOWN:
        return None
    try:
        if kind.type == "truth":
            if word in YES or word in NO:
                return word in YES
            raise ValueError(text)
        if kind.type == "number":
            return float(word) if "." in word else int(word)
        if kind.type == "date":
            return date.fromisoformat(word).isoformat()
        if kind.type == "choice" and word not in kind.choices:
            raise ValueError(text)
    except ValueError:
        wanted = {"truth": "yes, no or unknown", "number": "a number", "date": "a date such as 2026-11-24"}
        choices = wanted.get(kind.type, f"one of {', '.join(kind.choices)}")
        raise UsageFault(f"{kind.name} must be {choices}, not {text!r}", kind.text) from None
    return text.strip() if kind.type == "text" else word


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
