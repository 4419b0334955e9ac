"""Respond: walk the playbook of the incident's category. Built-in actions do what their step says."""

from __future__ import annotations

import msgspec

from tocsin.content.loaders import playbooks
from tocsin.incident.deciding import Wish, to_prove
from tocsin.incident.folding import stream
from tocsin.incident.matters import merged_into
from tocsin.model.errors import Refused, UsageFault
from tocsin.model.incident import Incident, Phase
from tocsin.model.policy import Activity, Policy
from tocsin.respond.cacao import Playbook, Step
from tocsin.respond.walking import Progress, found, progress
from tocsin.service import duties, incidents, remediating
from tocsin.service.desk import SELF, Desk

ACTING = ("responsible", "accountable")
VERBS: tuple[Activity, ...] = ("respond", "report", "remediate")


def begin(desk: Desk, incident_id: str) -> Progress:
    """Start the playbook of the incident's category, unless it was started already, and show where it stands."""
    incident = incidents.find(desk, incident_id)
    if not incident.playbook:
        playbook = playbooks.named(_chosen(desk.workspace.policy, incident))
        pointer = seal(
            desk, incident_id, playbooks.source(playbook.key), "application/json", f"playbook {playbook.key}"
        )
        fields = {"playbook": playbook.key, "digest": playbook.digest, "pointer": pointer}
        started = Wish("playbook_started", fields)
        incident = incidents.act(desk, incident_id, lambda i: [] if i.playbook else [started])
    return where(desk, incident)


def where(desk: Desk, incident: Incident) -> Progress:
    """Where the response stands."""
    facts = {
        name: fact.value
        for name, fact in duties.standing_facts(desk.system(incident.system), incident.opened_at).items()
    }
    facts |= {name: fact.value for name, fact in incident.facts.items()}
    return progress(_playbook(desk, incident), incident.steps, facts)


def complete(desk: Desk, incident_id: str, given: str, outcome: str, evidence: bytes = b"") -> Progress:
    """Complete a step: do what it has built in, seal the evidence, record the outcome.

    Raises:
        UsageFault: no such step, or no outcome.
        Refused: another step comes first, it was done already, or the person has no part in responding.
    """
    begin(desk, incident_id)
    incident = incidents.find(desk, incident_id)
    step = _wanted(_playbook(desk, incident), given)
    _check_person(desk.workspace.policy, desk.author, step)
    _check_order(where(desk, incident), incident, step)
    if not outcome.strip():
        raise UsageFault(f"{step.name}: the outcome is missing", f"record: {step.evidence or 'what was done'}")
    _run(desk, incident_id, step, outcome)
    pointer = (
        seal(desk, incident_id, evidence, "application/octet-stream", f"evidence of step {step.slug}")
        if evidence
        else ""
    )
    done = Wish("step_completed", {"step": step.id, "name": step.name, "outcome": outcome.strip(), "evidence": pointer})

    def decide(now: Incident) -> list[Wish]:
        _check_not_done(now, step)  # another person may have completed it in this instant
        return [done]

    return where(desk, incidents.act(desk, incident_id, decide))


def missing(desk: Desk, incident: Incident) -> list[str]:
    """Mandatory steps that are not done, as reasons why the incident cannot be closed."""
    if not incident.playbook:
        return ["its playbook was never started (tocsin respond)"]
    state = where(desk, incident)
    open_ = [f"the question {fact} is open, and the playbook depends on it" for fact in state.questions]
    return [*(f"the mandatory step is not done: {name}" for name in state.mandatory_missing), *open_]


def close(desk: Desk, incident_id: str, reason: str) -> Incident:
    """Close the incident once everything is done, told and proven. Raises Refused with all that is missing."""
    incident = incidents.find(desk, incident_id)
    more = [] if merged_into(incident) else [*missing(desk, incident), *duties.unmet(desk, incident)]
    return incidents.close(desk, incident_id, reason, more)


def seal(desk: Desk, incident_id: str, data: bytes, media_type: str, what: str) -> str:
    """Seal bytes as evidence of the incident and record the pointer."""
    pointer = desk.evidence.seal(incident_id, data)
    fields = {"pointer": pointer, "media_type": media_type, "bytes": len(data), "what": what}
    incidents.act(desk, incident_id, lambda _: [Wish("evidence_sealed", fields)])
    return pointer


def _chosen(policy: Policy, incident: Incident) -> str:
    if incident.category not in policy.playbooks:
        raise Refused(
            f"the policy names no playbook for {incident.category}",
            remedy=f"add one below `playbooks` in policy.yaml; there are {', '.join(playbooks.load())}",
        )
    return policy.playbooks[incident.category]


def _playbook(desk: Desk, incident: Incident) -> Playbook:
    """The playbook as it was when the incident started it: a newer Tocsin does not change a response under way."""
    shipped = playbooks.load().get(incident.playbook)
    if shipped and shipped.digest == incident.playbook_digest:
        return shipped
    started = next(e for e in desk.ledger.read(stream(incident.id)) if e.kind == "playbook_started")
    if "pointer" not in started.data:
        what = f"the playbook {incident.playbook} changed since {incident.id} started it"
        raise Refused(what, remedy="finish with the version of Tocsin that started it")
    return playbooks.read(desk.evidence.unseal(started.data["pointer"]), incident.playbook)


def _wanted(playbook: Playbook, given: str) -> Step:
    step = found(playbook, given)
    if step is None:
        names = ", ".join(action.slug for action in playbook.actions())
        raise UsageFault(f"{playbook.name} has no step {given!r}", f"its steps are: {names}")
    return step


def _check_person(policy: Policy, author: str, step: Step) -> None:
    """Only who responds, reports or remediates completes steps; Tocsin itself only those that it does by itself."""
    roles = [role for role in policy.roles if any(role.duties.get(verb) in ACTING for verb in VERBS)]
    people = {person for role in roles for person in role.people}
    if author not in people and not (author == SELF and step.run):
        known = (
            f"act as one of {', '.join(sorted(people))} with --as" if people else "name people in the policy's roles"
        )
        raise Refused(f"{author} has no part in responding", remedy=known)


def _check_not_done(incident: Incident, step: Step) -> None:
    earlier = next((done for done in incident.steps if done.step == step.id), None)
    if earlier:
        raise Refused(f"{step.name}: done already, by {earlier.by} at {earlier.at:%Y-%m-%d %H:%M} UTC")


def _check_order(state: Progress, incident: Incident, step: Step) -> None:
    _check_not_done(incident, step)
    ready = {due.step for due in state.next}
    if step.id not in ready:
        first = [due.name for due in state.next if due.mandatory]
        raise Refused(
            f"{step.name}: something comes first", first, "complete it, or answer the question that leads here"
        )


def _run(desk: Desk, incident_id: str, step: Step, outcome: str) -> None:
    """What a step has built in. Steps that a person does elsewhere have nothing."""
    incident = incidents.find(desk, incident_id)
    if step.run == "acknowledge":
        incidents.acknowledge(desk, incident_id)
    elif step.run == "seal_evidence":
        state = msgspec.json.format(msgspec.json.encode(incident, order="sorted"), indent=2)
        seal(desk, incident_id, state, "application/json", "state of the incident when evidence was preserved")
    elif step.run == "contain" and "contained" not in incident.dates:
        incidents.set_phase(desk, incident_id, Phase.CONTAINED, outcome)
    elif step.run == "record_cause" and not incident.cause:
        remediating.record_cause(desk, incident_id, outcome)
    elif step.run == "record_action" and not incident.actions:
        raise Refused(
            "the corrective action needs its instant",
            remedy=f"tocsin remediate {incident_id} --action TEXT --effective TIME",
        )
    elif step.run == "verify_remediation" and not to_prove(incident):
        remediating.attest(desk, incident_id, outcome)
    elif step.run == "verify_remediation":
        verdict = remediating.verify(desk, incident_id)
        if not verdict.passed:
            raise Refused(
                "the fix is not proven yet", [p.clearance.statement for p in verdict.proofs if not p.clearance.passed]
            )
