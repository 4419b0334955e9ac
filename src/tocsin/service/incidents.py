"""What people do to incidents: declare, show, date, answer, assign, link, split, close. Each is one compare-and-swap."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import msgspec

from tocsin.classify.classifying import classify, differs
from tocsin.content.loaders import taxonomies
from tocsin.incident import deciding, matters
from tocsin.incident.deciding import Wish
from tocsin.incident.folding import PREFIX, fold, stream
from tocsin.incident.telling import Line
from tocsin.incident.telling import timeline as told
from tocsin.model.errors import Conflict, Refused, UsageFault
from tocsin.model.event import Append, Event, Json
from tocsin.model.finding import Category
from tocsin.model.incident import Incident, JoinedFinding, Phase
from tocsin.model.policy import Severity
from tocsin.service.desk import Desk

RETRIES = 50
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Summary:
    """A line of the list of incidents."""

    id: str
    title: str
    system: str
    category: str
    severity: str
    phase: str
    opened_at: datetime
    findings: int
    duplicate_of: str = ""


def find(desk: Desk, incident_id: str, as_of: datetime | None = None) -> Incident:
    """The incident's state, now or as it was known at `as_of`. Raises UsageFault with the nearest ids when there is none."""
    events = desk.ledger.read(stream(incident_id))
    state = fold(event for event in events if as_of is None or event.event.at <= as_of)
    if state is None:
        ids = [name.removeprefix(PREFIX) for name in desk.ledger.streams(PREFIX)]
        close = difflib.get_close_matches(incident_id, ids, n=3, cutoff=0.4)
        raise UsageFault(
            f"no incident {incident_id!r}",
            f"did you mean {', '.join(close)}?" if close else "see: tocsin incident list",
        )
    return state


def every(desk: Desk) -> list[Incident]:
    """All incidents, in order of opening."""
    states = (fold(desk.ledger.read(name)) for name in desk.ledger.streams(PREFIX))
    return [state for state in states if state is not None]


def listing(desk: Desk, *, open_only: bool = False, system: str | None = None) -> tuple[Summary, ...]:
    """The incidents, the gravest and then the latest first."""
    chosen = [i for i in every(desk) if not (open_only and i.phase is Phase.CLOSED) and system in (None, i.system)]
    return tuple(sorted(map(summary, chosen), key=lambda s: (s.severity or "sev9", -s.opened_at.timestamp())))


def summary(incident: Incident) -> Summary:
    """The incident in a line."""
    severity = str(incident.classification.severity) if incident.classification else ""
    fields = (incident.id, incident.title, incident.system, str(incident.category), severity, str(incident.phase))
    return Summary(*fields, incident.opened_at, len(incident.findings), matters.merged_into(incident))


def declare(
    desk: Desk,
    system_id: str,
    title: str,
    category: Category,
    dates: Mapping[str, datetime] | None = None,
    facts: Mapping[str, Json] | None = None,
) -> Incident:
    """Open an incident that a person noticed; who declares it is aware from now on.

    Raises:
        UsageFault: no such system, an empty title, or no such date.
        Refused: a date lies in the future or contradicts another.
    """
    system = desk.system(system_id)
    if not title.strip():
        raise UsageFault("an incident needs a title", "say in a few words what happened")
    now = desk.clock()
    aware = dict.fromkeys(deciding.aware_names(system.organization_role), now)
    given = {"detected": now, **aware, **(dates or {})}
    deciding.check_dates(given, now)
    key = f"{matters.DECLARED}{title.strip()}"
    opening = open_event(desk, system_id, title.strip(), category, key, "person", (), given)
    events = [opening] + [_fact_event(desk, name, value, "declaration") for name, value in (facts or {}).items()]
    return reclassified(desk, opened(desk, events))


def opened(desk: Desk, events: Sequence[Event], also: Callable[[str], Sequence[Append]] = lambda _: ()) -> str:
    """Append the opening events under the next free id, in one transaction with what goes with it, and give the id."""
    for _ in range(100):
        incident_id = next_id(desk)
        try:
            desk.ledger.append(Append(stream(incident_id), 0, events), *also(incident_id))
        except Conflict:
            continue  # somebody else took the number, or changed what goes with it, in this instant
        return incident_id
    raise Conflict("incidents are being opened too fast", "try again")


def next_id(desk: Desk) -> str:
    """`INC-<year>-<number>`, counted from the ledger."""
    year = desk.clock().year
    taken = [name.rsplit("-", 1)[1] for name in desk.ledger.streams(f"{PREFIX}INC-{year}-")]
    return f"INC-{year}-{max(map(int, taken), default=0) + 1:04d}"


def open_event(
    desk: Desk,
    system: str,
    title: str,
    category: Category,
    key: str,
    source: str,
    findings: Sequence[JoinedFinding],
    dates: Mapping[str, datetime],
) -> Event:
    """The event that opens an incident."""
    fields = {"system": system, "title": title, "category": str(category), "key": key, "source": source}
    kept = [msgspec.to_builtins(finding) for finding in findings]
    return desk.event(
        "incident_opened", **fields, findings=kept, dates={name: at.isoformat() for name, at in dates.items()}
    )


def act(desk: Desk, incident_id: str, decide: Callable[[Incident], Sequence[Wish]]) -> Incident:
    """Append what `decide` wishes for the present state; on a conflict decide again on the new state."""
    for _ in range(RETRIES):
        incident = find(desk, incident_id)
        wishes = decide(incident)
        if not wishes:
            return incident
        try:
            desk.ledger.append(_append(desk, incident, wishes))
        except Conflict:
            continue
        return find(desk, incident_id)
    raise Conflict(f"{incident_id} keeps changing", "try again")


def acknowledge(desk: Desk, incident_id: str) -> Incident:
    """Acknowledge: a person knows; the organization is aware in its role from now on unless it was before."""
    role = desk.system(find(desk, incident_id).system).organization_role
    return act(desk, incident_id, lambda incident: deciding.acknowledge(incident, desk.clock(), role))


def set_date(desk: Desk, incident_id: str, name: str, at: datetime, why: str = "") -> Incident:
    """Record one of the separate dates."""
    act(desk, incident_id, lambda incident: [deciding.set_date(incident, name, at, desk.clock(), why)])
    return reclassified(desk, incident_id)


def set_fact(desk: Desk, incident_id: str, name: str, value: Json, source: str = "") -> Incident:
    """Record an answer; None says that it is unknown (again)."""
    act(desk, incident_id, lambda _: [Wish("fact_recorded", {"name": name, "value": value, "source": source})])
    return reclassified(desk, incident_id)


def set_severity(desk: Desk, incident_id: str, severity: Severity, reason: str) -> Incident:
    """Overrule the matrix, with the reason. Raises UsageFault without one."""
    if not reason.strip():
        raise UsageFault("overruling the severity needs a reason", "add --because TEXT")
    reclassified(desk, incident_id)
    return act(desk, incident_id, lambda _: [Wish("severity_set", {"severity": str(severity), "reason": reason})])


def set_phase(desk: Desk, incident_id: str, phase: Phase, reason: str = "") -> Incident:
    """Go forward in the life cycle."""
    act(desk, incident_id, lambda incident: deciding.change_phase(incident, phase, desk.clock(), reason))
    return reclassified(desk, incident_id)


def assign(desk: Desk, incident_id: str, role: str, person: str) -> Incident:
    """Give a role to a person. Raises UsageFault when the policy knows neither."""
    policy = desk.workspace.policy
    roles, people = {r.id for r in policy.roles}, {p.id for p in policy.people}
    for given, known, noun in ((role, roles, "role"), (person, people, "person")):
        if given not in known:
            raise UsageFault(f"the policy knows no {noun} {given!r}", f"there are: {', '.join(sorted(known))}")
    return act(desk, incident_id, lambda _: [Wish("role_assigned", {"role": role, "person": person})])


def link(desk: Desk, incident_id: str, relation: str, other_id: str) -> Incident:
    """Link two incidents; `duplicate_of` merges this one into the other, which takes over findings, dates and answers."""
    for _ in range(RETRIES):
        incident, other = find(desk, incident_id), find(desk, other_id)
        wish = deciding.link(incident, relation, other, _originals(desk, other))
        taken = deciding.take_over(other, incident) if relation == "duplicate_of" else []
        try:
            desk.ledger.append(_append(desk, incident, [wish]), _append(desk, other, taken))
        except Conflict:
            continue
        if taken:
            reclassified(desk, other_id)
        return find(desk, incident_id)
    raise Conflict(f"{incident_id} and {other_id} keep changing", "try again")


def _originals(desk: Desk, incident: Incident) -> list[str]:
    """What the incident is a duplicate of, and what that is a duplicate of, and so on."""
    found: list[str] = []
    while (original := matters.merged_into(incident)) and original not in found:
        found.append(original)
        incident = find(desk, original)
    return found


def split(desk: Desk, incident_id: str, findings: Sequence[str], title: str) -> tuple[Incident, Incident]:
    """Move findings into an incident of their own; gives both. Either both are changed or neither."""
    incident = find(desk, incident_id)
    deciding.split(incident, findings, "?")
    if not title.strip():
        raise UsageFault("the new incident needs a title", "add --title TEXT")
    moved = [incident.findings[name] for name in findings]
    key = f"split:{incident.id}:{title.strip()}"
    category = matters.grave(finding.category for finding in moved)
    event = open_event(desk, incident.system, title.strip(), category, key, "person", moved, incident.dates)

    def leaving(into: str) -> Sequence[Append]:
        state = find(desk, incident_id)
        return [_append(desk, state, [deciding.split(state, findings, into)])]

    into = opened(desk, [event, desk.event("incident_linked", relation="split_from", other=incident.id)], leaving)
    return reclassified(desk, incident_id), reclassified(desk, into)


def note(desk: Desk, incident_id: str, text: str) -> Incident:
    """Add a note."""
    if not text.strip():
        raise UsageFault("the note is empty")
    return act(desk, incident_id, lambda _: [Wish("note_added", {"text": text})])


def timeline(desk: Desk, incident_id: str) -> tuple[Line, ...]:
    """What happened, in order."""
    find(desk, incident_id)
    return told(desk.ledger.read(stream(incident_id)))


def close(desk: Desk, incident_id: str, reason: str, more_missing: Sequence[str] = ()) -> Incident:
    """Close. Raises Refused with everything that is missing."""
    return act(desk, incident_id, lambda incident: [deciding.close(incident, reason, desk.clock(), more_missing)])


def reopen(desk: Desk, incident_id: str, reason: str) -> Incident:
    """Reopen a closed incident."""
    return act(desk, incident_id, lambda incident: [deciding.reopen(incident, reason)])


def reclassified(desk: Desk, incident_id: str) -> Incident:
    """The incident after its classification was brought up to date; nothing is recorded when it says the same."""
    return act(desk, incident_id, lambda incident: reclassification(desk, incident))


def reclassification(desk: Desk, incident: Incident) -> list[Wish]:
    """What brings the classification up to date; nothing when it says what it should."""
    system = desk.workspace.systems.get(incident.system)
    if system is None:
        raise Refused(f"the system {incident.system!r} is no longer in the inventory", remedy="restore its file")
    found = list(incident.findings.values())
    categories = {finding.category for finding in found} or {incident.category}
    verdict = classify(
        replace(incident, category=matters.grave(categories)),
        categories,
        [tag for finding in found for tag in finding.tags],
        system,
        desk.workspace.policy,
        taxonomies.load().crosswalk,
    )
    same = not differs(incident.classification, verdict)
    return [] if same else [Wish("incident_classified", {"classification": msgspec.to_builtins(verdict)})]


def _append(desk: Desk, incident: Incident, wishes: Sequence[Wish]) -> Append:
    """The wishes as events, for the incident as it was seen."""
    events = [desk.event(wish.kind, **wish.data) for wish in wishes]
    return Append(stream(incident.id), incident.version, events)


def _fact_event(desk: Desk, name: str, value: Json, source: str) -> Event:
    return desk.event("fact_recorded", name=name, value=value, source=source)
