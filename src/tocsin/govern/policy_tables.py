"""The tables of the policy document, each made from the policy or the inventory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from tocsin.model.finding import Category
from tocsin.model.policy import ACTIVITIES, DetectorChoice, Policy, Severity, Workspace
from tocsin.model.telemetry import Windowing


class Source(NamedTuple):
    """What tables are made from: the workspace, and what each category of incident means."""

    workspace: Workspace
    meanings: Mapping[Category, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header; a table of one column reads as a list."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def spoken(length: timedelta) -> str:
    """A length of time in words: `15 minutes`, `2 hours`, `1 week`."""
    seconds = length.total_seconds()
    for name, size in (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {name}{'s' * (count != 1)}"
    return f"{seconds:g} seconds"


def spoken_day(day: date | None) -> str:
    """A day in words; says so when it is not set."""
    return f"{day.day} {day:%B %Y}" if day else "a date that is not set yet"


def name_of(policy: Policy, person_id: str) -> str:
    """The person's name."""
    return next((person.name for person in policy.people if person.id == person_id), person_id)


def _scope(source: Source) -> Table:
    return Table(("Scope",), tuple((line,) for line in source.workspace.policy.scope))


def _systems(source: Source) -> Table:
    header = ("System", "Purpose", "Owner", "Our role", "AI Act route", "Where", "Criticality")
    return Table(
        header,
        tuple(
            (
                system.name,
                system.purpose,
                name_of(source.workspace.policy, system.owner),
                system.organization_role,
                system.eu_ai_act_route.replace("_", " "),
                ", ".join(system.operates_in),
                system.criticality,
            )
            for system in source.workspace.systems.values()
        ),
    )


def _categories(source: Source) -> Table:
    rows = tuple((_words(name), source.meanings.get(name, "")) for name in Category)
    return Table(("Category", "Meaning"), rows)


def _detectors(source: Source) -> Table:
    rows = [
        (system.name, _words(choice.kind), _window(choice.windowing), _settings(choice))
        for system in source.workspace.systems.values()
        for choice in system.detectors
    ]
    return Table(("System", "Detector", "Looks every", "Settings"), tuple(rows))


def _window(windowing: Windowing) -> str:
    return spoken(windowing.every) if windowing.every else f"{windowing.rows} rows"


def _settings(choice: DetectorChoice) -> str:
    return ", ".join(f"{_words(name)} {_value(value)}" for name, value in choice.parameters.items()) or "standard"


def _severity(source: Source) -> Table:
    rows = tuple((_words(rule.severity), _conditions(rule.when), rule.why) for rule in source.workspace.policy.severity)
    return Table(("Severity", "When", "Because"), rows)


def _conditions(when: Mapping[str, Any]) -> str:
    return " and ".join(f"{_words(name)} is {_value(value)}" for name, value in when.items()) or "always"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return " and ".join(f"{_words(name)} {_value(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return " or ".join(_value(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _words(str(value))


def _targets(source: Source) -> Table:
    targets = source.workspace.policy.targets
    rows = tuple(
        (_words(severity), spoken(one.acknowledge), spoken(one.contain), spoken(one.update_every))
        for severity in Severity
        if (one := targets.get(severity))
    )
    return Table(("Severity", "Acknowledged within", "Contained within", "Update every"), rows)


def _playbooks(source: Source) -> Table:
    rows = tuple((_words(category), name) for category, name in source.workspace.policy.playbooks.items())
    return Table(("Category", "Playbook"), rows)


def _jurisdictions(source: Source) -> Table:
    return Table(("Jurisdiction",), tuple((code,) for code in source.workspace.policy.jurisdictions))


def _raci(source: Source) -> Table:
    rows = tuple(
        (role.title, *(role.duties[name][0].upper() if name in role.duties else "" for name in ACTIVITIES))
        for role in source.workspace.policy.roles
    )
    return Table(("Role", *(name.capitalize() for name in ACTIVITIES)), rows)


def _people(source: Source) -> Table:
    policy = source.workspace.policy
    rows = tuple(
        (role.title, ", ".join(name_of(policy, person) for person in role.people) or "nobody") for role in policy.roles
    )
    return Table(("Role", "Filled by"), rows)


def _approval(source: Source) -> Table:
    policy = source.workspace.policy
    approved = (policy.approved_by or "", spoken_day(policy.approved_on) if policy.approved_on else "", "")
    return Table(("Approved by", "Date", "Signature"), (approved,))


def _words(name: str) -> str:
    return name.replace("_", " ")


TABLES: dict[str, Callable[[Source], Table]] = {
    "scope": _scope,
    "systems": _systems,
    "categories": _categories,
    "detectors": _detectors,
    "severity": _severity,
    "targets": _targets,
    "playbooks": _playbooks,
    "jurisdictions": _jurisdictions,
    "raci": _raci,
    "people": _people,
    "approval": _approval,
}
"""The tables that a section may name."""
