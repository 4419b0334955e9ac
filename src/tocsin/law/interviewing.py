"""The path of questions through one incident: always the first that is asked, answered truthfully, until none is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.law.asking import COUNTRIES, DATE, questions
from tocsin.law.obligations import obligations
from tocsin.law.regime import FactKind, Library
from tocsin.model.event import Json
from tocsin.model.law import Case, Fact, Obligation, Question

STEPS_MAX = 200
"""No path is longer: there are fewer facts."""


@dataclass(frozen=True, slots=True)
class Story:
    """An incident as it was. `known` is what the inventory says before anybody is asked; what `truth` leaves out is no or none."""

    title: str
    text: str
    countries: tuple[str, ...]
    known: Mapping[str, Json]
    truth: Mapping[str, Json]
    dates: Mapping[str, datetime]
    """Instants known at the beginning."""
    later: Mapping[str, datetime]
    """Instants that somebody knows when asked for; any other has not come yet."""
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """The questions in the order in which they were asked, the answers, and the case and its duties in the end."""

    path: tuple[Question, ...]
    case: Case
    owed: tuple[Obligation, ...]
    needless: tuple[str, ...]
    """Facts that were asked for and that later answers made needless: without them everything were as certain."""


def interview(story: Story, library: Library) -> Told:
    """Ask until nothing is open that has an answer."""
    case = Case({}, story.dates, story.countries, story.as_of)
    for name, value in story.known.items():
        case = _with(case, name, value)
    path: list[Question] = []
    for _ in range(STEPS_MAX):
        asked = next((q for q in questions(case, library) if _answerable(q, story)), None)
        if asked is None:
            break
        path.append(asked)
        case = _answered(case, asked, story, library)
    owed = obligations(case, library)
    names = (q.fact for q in path if not q.fact.startswith(DATE) and q.fact != COUNTRIES)
    needless = tuple(name for name in names if _certain(_without(case, name), library) == _certain(case, library))
    return Told(tuple(path), case, owed, needless)


def otherwise(kind: FactKind) -> Json:
    """The answer to what a story does not speak of: no, none, nothing, the first choice, long ago."""
    plain: dict[str, Json] = {"truth": False, "number": 0, "text": "none", "set": [], "date": "2001-01-01"}
    return kind.choices[0] if kind.type == "choice" else plain[kind.type]


def _answerable(question: Question, story: Story) -> bool:
    return not question.fact.startswith(DATE) or question.fact.removeprefix(DATE) in story.later


def _answered(case: Case, question: Question, story: Story, library: Library) -> Case:
    if question.fact.startswith(DATE):
        anchor = question.fact.removeprefix(DATE)
        return replace(case, anchors={**case.anchors, anchor: story.later[anchor]})
    kind = library.facts[question.fact]
    return _with(case, question.fact, story.truth.get(question.fact, otherwise(kind)))


def _with(case: Case, name: str, value: Json) -> Case:
    return replace(case, facts={**case.facts, name: Fact(name, value, "story", "story", case.as_of)})


def _without(case: Case, name: str) -> Case:
    return replace(case, facts={key: fact for key, fact in case.facts.items() if key != name})


def _certain(case: Case, library: Library) -> frozenset[object]:
    """What is owed by when, with what is still open about it."""
    return frozenset(
        (o.id, o.truth, o.status, o.operational_due, o.recipients, o.notes) for o in obligations(case, library)
    )
