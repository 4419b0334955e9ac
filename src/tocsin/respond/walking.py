"""Where a response stands: what was done, what comes next, what was passed over, and what is still mandatory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tocsin.model.event import Json
from tocsin.model.incident import StepDone
from tocsin.respond.cacao import Playbook, Step


@dataclass(frozen=True, slots=True)
class Due:
    """A step that can be done now: by which role, why, and what to record."""

    step: str
    slug: str
    name: str
    role: str
    why: str
    evidence: str
    mandatory: bool
    run: str


@dataclass(frozen=True, slots=True)
class Progress:
    """The walk so far. `questions` are facts that decide which way it goes on."""

    playbook: str
    next: tuple[Due, ...]
    done: tuple[StepDone, ...]
    skipped: tuple[str, ...]
    questions: tuple[str, ...]
    mandatory_missing: tuple[str, ...]


def progress(playbook: Playbook, done: Sequence[StepDone], facts: Mapping[str, Json]) -> Progress:
    """The walk through the playbook with these steps done and these facts; a fact without a value is unknown.

    A condition holds nobody up: while its fact is unknown its question is asked and the walk goes on after it, and what it adds
    when it holds is done beside the main way. After parallel branches the way goes on when their mandatory steps are done.
    """
    finished = {step.step for step in done}
    walk = _Walk(playbook, finished, facts)
    walk.follow(playbook.start)
    optional = [walk.due(step) for step in walk.passed if not step.mandatory]
    missing = tuple(step.name for step in walk.met if step.mandatory and step.id not in finished)
    return Progress(
        playbook.name,
        tuple(dict.fromkeys([*(walk.due(step) for step in walk.open), *optional])),
        tuple(done),
        tuple(dict.fromkeys(walk.skipped)),
        tuple(dict.fromkeys(walk.questions)),
        missing,
    )


class _Walk:
    """Follows the ways that are open. After an open mandatory step nothing comes; optional ones may be passed."""

    def __init__(self, playbook: Playbook, finished: set[str], facts: Mapping[str, Json]) -> None:
        self._playbook, self._finished, self._facts = playbook, finished, facts
        self.open: list[Step] = []
        self.passed: list[Step] = []
        self.met: list[Step] = []
        self.skipped: list[str] = []
        self.questions: list[str] = []

    def follow(self, start: str, stops: frozenset[str] = frozenset(), *, blocked: bool = False) -> bool:
        """Follow the way from a step to its end or to a stop; whether an open mandatory step stands in the way there."""
        current = start
        while current and current not in stops:
            step = self._playbook.steps[current]
            inner = stops | {step.next} if step.next else stops
            if step.type == "action":
                blocked = self._action(step, blocked=blocked)
            elif step.type == "if-condition":
                self._condition(step, inner, blocked=blocked)
            elif step.type == "parallel":
                ways = [self.follow(branch, inner, blocked=blocked) for branch in step.branches]
                blocked = blocked or any(ways)
            current = step.next
        return blocked

    def due(self, step: Step) -> Due:
        """The step as something to do."""
        return Due(step.id, step.slug, step.name, step.role, step.why, step.evidence, step.mandatory, step.run)

    def _action(self, step: Step, *, blocked: bool) -> bool:
        if step not in self.met:
            self.met.append(step)
        if step.id in self._finished:
            return blocked
        if blocked:
            return True
        if step.mandatory:
            self.open.append(step)
            return True
        self.passed.append(step)
        return False

    def _condition(self, step: Step, stops: frozenset[str], *, blocked: bool) -> None:
        assert step.condition is not None
        fact, wanted = step.condition
        value = self._facts.get(fact)
        if value is None:
            self.questions.append(fact)
            return
        way = step.on_true if value == wanted else step.on_false
        if way and way not in stops:
            self.follow(way, stops, blocked=blocked)
        else:
            self.skipped.append(step.name)


def found(playbook: Playbook, given: str) -> Step | None:
    """The action that a person means: by short name, id, or the beginning of its name if only one begins so."""
    actions, wanted = playbook.actions(), given.strip()
    exact = [step for step in actions if wanted and wanted in (step.slug, step.id)]
    near = [step for step in actions if wanted and step.name.lower().startswith(wanted.lower())]
    return next(iter(exact), None) or (near[0] if len(near) == 1 else None)
