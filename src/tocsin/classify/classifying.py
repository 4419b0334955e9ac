"""The verdict on an incident: category, gravity, limbs of AI Act Art. 3(49), severity; with everything it was read from.

Gravity follows the OECD's ladder (hazard, near miss, incident) with the AI Act's serious incident on top. Three-valued facts stay
three-valued: a limb is `yes`, `possible` (a question is open) or `no`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tocsin.model.event import Json
from tocsin.model.finding import Category
from tocsin.model.incident import Classification, Gravity, Incident, Phase
from tocsin.model.policy import Policy, SeverityRule, System

LIMBS: Mapping[str, tuple[str, ...]] = {
    "a": ("death", "serious_health_harm"),
    "b": ("critical_infrastructure_disruption",),
    "c": ("fundamental_rights_infringement",),
    "d": ("serious_property_harm", "serious_environment_harm"),
}
"""Limb of AI Act Art. 3(49) -> the facts any of which fills it."""
POSSIBLE_BY_CATEGORY: Mapping[Category, tuple[str, ...]] = {
    Category.BIAS: ("c",),
    Category.DATA_LEAKAGE: ("c",),
    Category.MODEL_FAILURE: ("a", "b", "d"),
    Category.AGENT_MISUSE: ("b", "d"),
    Category.ADVERSARIAL_ATTACK: (),
    Category.MISUSE: (),
}
"""Limbs that stay possible while nobody has answered, by category; the others need a reason to be asked about."""
HARMED = (Category.BIAS, Category.DATA_LEAKAGE)
"""Categories whose findings in live traffic mean that people were already treated so: an incident, not a hazard."""


def classify(
    incident: Incident,
    categories: Iterable[Category],
    tags: Iterable[str],
    system: System,
    policy: Policy,
    crosswalk: Mapping[str, Sequence[str]],
) -> Classification:
    """The classification of the incident as it is known now.

    `categories` and `tags` are those of its findings, `crosswalk` gives further taxonomy ids per category.
    """
    found = tuple(sorted(set(categories) | {incident.category}))
    facts = {name: fact.value for name, fact in incident.facts.items()}
    limbs = limb_values(facts, found)
    gravity = _gravity(incident, found, facts, limbs)
    inputs = _inputs(incident, found, gravity, system, facts)
    rule = next(rule for rule in policy.severity if holds(rule, inputs))
    all_tags = sorted({*tags, *(tag for category in found for tag in crosswalk.get(category, ()))})
    shown = tuple(f"{limb}:{value}" for limb, value in limbs.items() if value != "no")
    why = (_gravity_words(gravity, limbs), f"severity {rule.severity}: {rule.why}")
    return Classification(incident.category, gravity, shown, rule.severity, inputs, why, tuple(all_tags))


def limb_values(facts: Mapping[str, Json], categories: Sequence[Category]) -> dict[str, str]:
    """Each limb of Art. 3(49) as `yes`, `possible` or `no`."""
    values = {}
    for limb, names in LIMBS.items():
        answers = [facts.get(name) for name in names]
        open_ = any(limb in POSSIBLE_BY_CATEGORY[category] for category in categories)
        if any(answer is True for answer in answers):
            values[limb] = "yes"
        elif all(answer is False for answer in answers) or not open_:
            values[limb] = "no"
        else:
            values[limb] = "possible"
    return values


def holds(rule: SeverityRule, inputs: Mapping[str, Json]) -> bool:
    """Whether every condition of the rule holds.

    An input with several values (`categories`) fits if one of them does; one that is not known fulfils no condition.
    """
    return all(_fits(inputs.get(name), wanted) for name, wanted in rule.when.items())


def differs(old: Classification | None, new: Classification) -> bool:
    """Whether the new verdict says something else: category, gravity, limbs, severity, tags or inputs."""
    if old is None:
        return True
    kept = {name: value for name, value in old.inputs.items() if not name.startswith("severity_overruled")}
    overruled = len(kept) != len(old.inputs)
    same = (old.category, old.gravity, old.limbs, old.tags) == (new.category, new.gravity, new.limbs, new.tags)
    return not (same and (overruled or old.severity == new.severity) and kept == new.inputs)


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        low = wanted.get("at_least")
        return isinstance(value, int | float) and not isinstance(value, bool) and low is not None and value >= low
    options = wanted if isinstance(wanted, list | tuple) else (wanted,)
    values = value if isinstance(value, list | tuple) else (value,)
    return any(one in options for one in values)


def _gravity(
    incident: Incident, categories: Sequence[Category], facts: Mapping[str, Json], limbs: Mapping[str, str]
) -> Gravity:
    if "yes" in limbs.values():
        return Gravity.SERIOUS_INCIDENT
    harm = facts.get("harm_occurred")
    if harm is False:
        return Gravity.NEAR_MISS if facts.get("reached_people") is not False else Gravity.HAZARD
    if harm is True or any(category in HARMED for category in categories):
        return Gravity.INCIDENT
    return Gravity.INCIDENT if incident.source == "person" else Gravity.NEAR_MISS


def _gravity_words(gravity: Gravity, limbs: Mapping[str, str]) -> str:
    yes = [limb for limb, value in limbs.items() if value == "yes"]
    possible = [limb for limb, value in limbs.items() if value == "possible"]
    text = f"gravity {gravity}"
    text += f": limb {', '.join(yes)} of AI Act Art. 3(49) holds" if yes else ""
    return text + (f"; limb {', '.join(possible)} is possible until its question is answered" if possible else "")


def _inputs(
    incident: Incident, categories: Sequence[Category], gravity: Gravity, system: System, facts: Mapping[str, Json]
) -> dict[str, Json]:
    """The inputs of the severity matrix, all of them shown with the verdict."""
    inputs: dict[str, Json] = {
        "category": str(incident.category),
        "categories": [str(category) for category in categories],
        "gravity": str(gravity),
        "criticality": system.criticality,
        "findings": len(incident.findings),
        "ongoing": incident.phase in (Phase.OPEN, Phase.ACKNOWLEDGED) and "contained" not in incident.dates,
        "personal_data": facts.get("personal_data", system.facts.get("personal_data")),
    }
    for name in ("people_affected", "special_category_data"):
        if facts.get(name) is not None:
            inputs[name] = facts[name]
    return inputs
