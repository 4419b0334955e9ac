"""What one part of the policy says of another: people, roles, RACI letters, severities, playbooks, dates."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from tocsin.adapters.workspace.mistakes import choices, twice, unknown
from tocsin.adapters.workspace.schema import PolicyFile
from tocsin.document.reading import Document, Path
from tocsin.model.errors import Problem
from tocsin.model.finding import Category
from tocsin.model.incident import Gravity
from tocsin.model.policy import ACTIVITIES, Severity


class Input(NamedTuple):
    """An input of the severity matrix: the texts it may be, or its type."""

    type: type
    values: tuple[str, ...] = ()


INPUTS: Mapping[str, Input] = {
    "category": Input(str, tuple(Category)),
    "gravity": Input(str, tuple(Gravity)),
    "criticality": Input(str, ("low", "medium", "high")),
    "findings": Input(int),
    "people_affected": Input(int),
    "ongoing": Input(bool),
    "personal_data": Input(bool),
    "special_category_data": Input(bool),
}
"""What a row of the severity matrix may ask for; `classify` gives these values to every incident."""


def policy_references(file: PolicyFile, document: Document, playbooks: Collection[str] | None) -> Iterator[Problem]:
    """Mistakes between the parts of a policy. `playbooks` are those there are; None: not checked."""
    people = [person.id for person in file.people]
    yield from twice(document, [(("people", index, "id"), name) for index, name in enumerate(people)], "person")
    yield from twice(document, [(("roles", index, "id"), role.id) for index, role in enumerate(file.roles)], "role")
    yield from unknown(document, ("owner",), file.owner, people, "person")
    for index, role in enumerate(file.roles):
        for number, person in enumerate(role.people):
            yield from unknown(document, ("roles", index, "people", number), person, people, "person")
    yield from _accountable(file, document)
    yield from _severity(file, document)
    yield from _playbooks(file, document, playbooks)
    yield from _dates(file, document)


def _accountable(file: PolicyFile, document: Document) -> Iterator[Problem]:
    """Activities for which not exactly one role is accountable."""
    for activity in ACTIVITIES:
        accountable = [index for index, role in enumerate(file.roles) if role.duties.get(activity) == "accountable"]
        if not accountable:
            what = f"nobody is accountable for the activity {activity!r}"
            yield Problem(document.place(("roles",)), what, "make exactly one role accountable")
        for index in accountable[1:]:
            first = file.roles[accountable[0]].id
            what = f"a second role is accountable for the activity {activity!r}; the first is {first!r}"
            yield Problem(
                document.place(("roles", index, "duties", activity)), what, "make exactly one role accountable"
            )


def _severity(file: PolicyFile, document: Document) -> Iterator[Problem]:
    for index, rule in enumerate(file.severity):
        for name, wanted in rule.when.items():
            yield from _condition(document, ("severity", index, "when", name), name, wanted)
    if file.severity[-1].when:
        place = document.place(("severity", len(file.severity) - 1))
        what = "the severity matrix leaves incidents without a severity: its last row has conditions"
        yield Problem(place, what, "add a last row with `when: {}`")
    for severity in Severity:
        if severity not in file.targets:
            what = f"{severity.value!r} has no response targets"
            yield Problem(
                document.place(("targets", severity.value)), what, "add acknowledge, contain and update_every"
            )


def _condition(document: Document, path: Path, name: str, wanted: Any) -> Iterator[Problem]:
    """What keeps a condition of the matrix from ever holding."""
    if name not in INPUTS:
        what = f"the severity matrix has no input {name!r}"
        yield Problem(document.place(path, key=True), what, choices(name, INPUTS))
        return
    kind = INPUTS[name]
    if isinstance(wanted, dict):
        number = wanted.get("at_least")
        if set(wanted) != {"at_least"} or not isinstance(number, int | float) or kind.type is not int:
            remedy = f"write {name}: {{at_least: 100}}" if kind.type is int else _permitted(kind)
            yield Problem(document.place(path), f"{name} cannot be compared in this way", remedy)
        return
    for index, value in enumerate(wanted if isinstance(wanted, list) else [wanted]):
        where = (*path, index) if isinstance(wanted, list) else path
        if type(value) is not kind.type:
            yield Problem(document.place(where), f"{name} is never {value!r}", _permitted(kind))
        elif kind.values and value not in kind.values:
            yield Problem(document.place(where), f"{name} is never {value!r}", choices(str(value), kind.values))
    if wanted == []:
        yield Problem(document.place(path), f"{name} is never one of an empty list", _permitted(kind))


def _permitted(kind: Input) -> str:
    if kind.values:
        return f"it is one of: {', '.join(kind.values)}"
    return "it is true or false" if kind.type is bool else "it is a whole number, or {at_least: 100}"


def _playbooks(file: PolicyFile, document: Document, playbooks: Collection[str] | None) -> Iterator[Problem]:
    for category in Category:
        if category not in file.playbooks:
            what = f"the category {category.value!r} has no playbook"
            yield Problem(document.place(("playbooks", category.value)), what, "name one")
        elif playbooks is not None:
            yield from unknown(document, ("playbooks", category.value), file.playbooks[category], playbooks, "playbook")


def _dates(file: PolicyFile, document: Document) -> Iterator[Problem]:
    if file.approved_on and file.review_by and file.review_by <= file.approved_on:
        what = f"the review is due on {file.review_by}, not after the approval on {file.approved_on}"
        yield Problem(document.place(("review_by",)), what, "set a later date")
