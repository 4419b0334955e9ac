"""Playbooks in OASIS CACAO 2.0 (security-playbooks-v2.0-cs01): a small own model, and every mistake of a file at once.

Supported step types: start, end, action, if-condition, parallel. Conditions are `fact = true|false|number|word`. What Tocsin needs beyond
CACAO (short name, role, evidence, whether it is mandatory, a built-in action) stands in one step extension.
SOURCE: OASIS CACAO Security Playbooks 2.0, sections 3 (playbooks) and 4 (workflows).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tocsin.model.errors import BadInput, Place, Problem

SPEC = "cacao-2.0"
ID = re.compile(r"[a-z-]+--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CONDITION = re.compile(r"([a-z][a-z0-9_]*)\s*=\s*([a-z0-9_.-]+)")
REQUIRED = ("type", "spec_version", "id", "name", "created_by", "created", "modified", "workflow_start", "workflow")
TYPES = ("start", "end", "action", "if-condition", "parallel")
TARGETS = ("on_completion", "on_success", "on_true", "on_false")
UNSUPPORTED = ("on_failure", "timeout", "delay")
"""Properties of CACAO that would change the walk: refused, because passing over them in silence would lose steps."""
RUNS = (
    *("acknowledge", "seal_evidence", "contain", "law_questions", "prepare_report"),
    *("record_cause", "record_action", "verify_remediation"),
)
"""Built-in actions that a step may name."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `condition` is (fact, wanted) for if-condition; `branches` are next steps of parallel."""

    id: str
    type: str
    name: str
    why: str = ""
    slug: str = ""
    role: str = ""
    evidence: str = ""
    mandatory: bool = False
    run: str = ""
    condition: tuple[str, Any] | None = None
    on_true: str = ""
    on_false: str = ""
    next: str = ""
    branches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Playbook:
    """A checked playbook; `key` is its file's name."""

    key: str
    id: str
    name: str
    description: str
    start: str
    steps: Mapping[str, Step]
    digest: str

    def actions(self) -> tuple[Step, ...]:
        """The action steps in the order of the walk."""
        return tuple(step for step in self.walk() if step.type == "action")

    def walk(self) -> Iterator[Step]:
        """Every step once, in the order in which a reader meets them."""
        seen: set[str] = set()
        waiting = [self.start]
        while waiting:
            current = waiting.pop(0)
            if current and current not in seen:
                seen.add(current)
                step = self.steps[current]
                yield step
                waiting = [*step.branches, step.on_true, step.on_false, step.next, *waiting]


def parsed(data: Mapping[str, Any], key: str, digest: str) -> Playbook:
    """The playbook in this JSON object.

    Raises:
        BadInput: it is not CACAO 2.0 as far as it is supported; every mistake with the path of its field.
    """
    wrong = list(_envelope(data))
    workflow = data.get("workflow")
    if not isinstance(workflow, dict):
        raise _bad(key, wrong or [("workflow", "must be an object of steps")])
    wrong += [mistake for name, body in workflow.items() for mistake in _step_mistakes(name, body, workflow)]
    start = str(data.get("workflow_start"))
    wrong += _begin_mistakes(start, workflow)
    wrong += _agent_mistakes(workflow, data.get("agent_definitions"))
    if wrong:
        raise _bad(key, wrong)
    steps = {name: _step(name, body) for name, body in workflow.items()}
    playbook = Playbook(key, data["id"], str(data["name"]), str(data.get("description", "")), start, steps, digest)
    wrong = list(_graph(playbook))
    if wrong:
        raise _bad(key, wrong)
    return playbook


def _bad(key: str, wrong: list[tuple[str, str]]) -> BadInput:
    remedy = "see CACAO 2.0 and docs/playbooks.md"
    return BadInput(Problem(Place(f"playbooks/{key}.json", field=field), what, remedy) for field, what in wrong)


def _envelope(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in REQUIRED:
        if name not in data:
            yield name, "is missing"
    if data.get("type", "playbook") != "playbook":
        yield "type", f"must be 'playbook', not {data['type']!r}"
    if data.get("spec_version", SPEC) != SPEC:
        yield "spec_version", f"must be {SPEC!r}, not {data['spec_version']!r}"
    for name, prefix in (("id", "playbook--"), ("created_by", "identity--"), ("workflow_start", "")):
        value = str(data.get(name, f"{prefix}00000000-0000-0000-0000-000000000000"))
        if name in data and not (value.startswith(prefix) and ID.fullmatch(value)):
            yield name, f"must be {prefix or '<type>--'}<UUID>, not {value!r}"


def _begin_mistakes(start: str, workflow: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if start not in workflow:
        yield "workflow_start", f"there is no step {start!r}"
    elif isinstance(workflow[start], dict) and workflow[start].get("type") != "start":
        yield "workflow_start", f"must name the step of type 'start', not one of type {workflow[start].get('type')!r}"


def _agent_mistakes(workflow: Mapping[str, Any], agents: Any) -> Iterator[tuple[str, str]]:
    known = set(agents) if isinstance(agents, dict) else set()
    for name, body in workflow.items():
        agent = body.get("agent") if isinstance(body, dict) else None
        if agent is not None and str(agent) not in known:
            yield f"workflow.{name}.agent", f"there is no agent {agent!r} in agent_definitions"


def _step_mistakes(name: str, body: Any, workflow: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    where = f"workflow.{name}"
    if not isinstance(body, dict):
        yield where, "must be an object"
        return
    kind = body.get("type")
    if not ID.fullmatch(name):
        yield where, "the step's id must be <type>--<UUID>"
    if kind not in TYPES:
        yield f"{where}.type", f"{kind!r} is not supported; there are {', '.join(TYPES)}"
    yield from _target_mistakes(where, body, workflow)
    if kind == "if-condition" and not CONDITION.fullmatch(str(body.get("condition", ""))):
        yield f"{where}.condition", f"{body.get('condition')!r} must be of the form `fact = value`"
    if kind == "if-condition" and not body.get("on_true"):
        yield f"{where}.on_true", "is missing: where does the way lead when the condition holds?"
    if kind == "action":
        yield from _action_mistakes(where, body)


def _target_mistakes(where: str, body: Mapping[str, Any], workflow: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Steps that are named and not there, and ways that are not supported."""
    for field in TARGETS:
        if field in body and str(body[field]) not in workflow:
            yield f"{where}.{field}", f"there is no step {body[field]!r}"
    for field in UNSUPPORTED:
        if field in body:
            yield f"{where}.{field}", "is not supported; use an if-condition"
    targets = body.get("next_steps", [])
    if not isinstance(targets, list) or (body.get("type") == "parallel" and not targets):
        yield f"{where}.next_steps", "must be a list of steps"
        return
    for target in targets:
        if str(target) not in workflow:
            yield f"{where}.next_steps", f"there is no step {target!r}"


def _action_mistakes(where: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in ("name", "agent", "commands"):
        if not body.get(field):
            yield f"{where}.{field}", f"is missing: an action needs {', '.join(('name', 'agent', 'commands'))}"
    if not isinstance(body.get("step_extensions", {}), dict):
        yield f"{where}.step_extensions", "must be an object"
    run = _extension(body).get("run", "")
    if run and run not in RUNS:
        yield f"{where}.step_extensions", f"there is no built-in action {run!r}; there are {', '.join(RUNS)}"


def _extension(body: Mapping[str, Any]) -> Mapping[str, Any]:
    extensions = body.get("step_extensions")
    known = extensions.values() if isinstance(extensions, dict) else ()
    return next((e for e in known if isinstance(e, dict) and "slug" in e), {})


def _step(name: str, body: Mapping[str, Any]) -> Step:
    extension = _extension(body)
    match = CONDITION.fullmatch(str(body.get("condition", "")))
    return Step(
        id=name,
        type=body["type"],
        name=str(body.get("name", "")),
        why=str(body.get("description", "")),
        slug=str(extension.get("slug", "")),
        role=str(extension.get("role", "")),
        evidence=str(extension.get("evidence", "")),
        mandatory=bool(extension.get("mandatory", False)),
        run=str(extension.get("run", "")),
        condition=(match[1], _value(match[2])) if match else None,
        on_true=str(body.get("on_true", "")),
        on_false=str(body.get("on_false", "")),
        next=str(body.get("on_completion", body.get("on_success", ""))),
        branches=tuple(map(str, body.get("next_steps", ()))),
    )


def _value(text: str) -> Any:
    return int(text) if text.isdecimal() else {"true": True, "false": False}.get(text, text)


def _graph(playbook: Playbook) -> Iterator[tuple[str, str]]:
    """Steps that no way leads to, ways that do not end, circles, and short names that stand twice."""
    reached = {step.id for step in playbook.walk()}
    for name in playbook.steps:
        if name not in reached:
            yield f"workflow.{name}", "no way leads to this step"
    slugs = [step.slug for step in playbook.steps.values() if step.slug]
    for slug in sorted({slug for slug in slugs if slugs.count(slug) > 1}):
        yield "workflow", f"the short name {slug!r} stands twice"
    for step in playbook.steps.values():
        if step.type != "end" and not any((step.next, step.on_true, step.branches)):
            yield f"workflow.{step.id}", "leads nowhere: it needs on_completion"
        if _circular(playbook, step.id):
            yield f"workflow.{step.id}", "leads back to itself"


def _circular(playbook: Playbook, start: str) -> bool:
    seen: set[str] = set()
    waiting = _after(playbook.steps[start])
    while waiting:
        current = waiting.pop()
        if current == start:
            return True
        if current not in seen:
            seen.add(current)
            waiting += _after(playbook.steps[current])
    return False


def _after(step: Step) -> list[str]:
    return [name for name in (step.next, step.on_true, step.on_false, *step.branches) if name]
