"""The gaps of the inventory: systems that nobody can watch, and countries that the policy forgot."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.govern.words import Gap, Weight
from tocsin.model.policy import Policy, System, TelemetryMapping, Workspace
from tocsin.model.telemetry import GROUP

EU_MEMBERS = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
"""The Union's members by ISO 3166 code (SOURCE: Art. 52 TEU, with Croatia and without the United Kingdom)."""
_WATCHED = ("ISO/IEC 42001 A.6.2.6", "NIST AI RMF MANAGE 4.1")
_COVERED = ("ISO/IEC 42001 4.3", "EU AI Act Art. 2")


def system_gaps(workspace: Workspace) -> Iterator[Gap]:
    """Every gap of the inventory."""
    if not workspace.systems:
        answers = ("ISO/IEC 42001 4.3", "NIST AI RMF GOVERN 1.6")
        remedy = "describe each AI system in a file of `systems/`"
        yield Gap("inventory.empty", "high", "the inventory holds no system", remedy, answers, file="systems")
    for system in workspace.systems.values():
        yield from _watching(system)
        yield from _route(system)
        yield from _people(system, workspace.policy)
        yield from _countries(system, workspace.policy)
    yield from _idle_jurisdictions(workspace)


def _gap(
    system: System, name: str, weight: Weight, what: str, remedy: str, answers: tuple[str, ...], field: str
) -> Gap:
    return Gap(f"system.{name}", weight, f"{system.id}: {what}", remedy, answers, f"systems/{system.id}.yaml", field)


def high_risk(system: System) -> bool:
    """Whether the system takes a route on which the AI Act calls it high-risk."""
    return system.eu_ai_act_route.startswith("annex")


def _watching(system: System) -> Iterator[Gap]:
    answers = _WATCHED + _duty(system)
    if system.telemetry is None:
        what, remedy = "no telemetry is mapped, so nothing can be noticed", "map its log under `telemetry`"
        yield _gap(system, "no_telemetry", "high", what, remedy, answers, "telemetry")
        return
    if not system.detectors:
        what, remedy = "nobody chose what watches it", "choose detectors for its telemetry"
        yield _gap(system, "no_detectors", "high", what, remedy, answers, "detectors")
    if not system.models:
        what = "its versions are not listed, so a change cannot be laid to a release"
        yield _gap(system, "no_versions", "low", what, "list them under `models`", answers, "models")
    if system.telemetry.format != "otlp":
        yield from _columns(system, system.telemetry)


def _duty(system: System) -> tuple[str, ...]:
    """The article by which the organization must watch the system; none when the system is not high-risk."""
    if not high_risk(system):
        return ()
    return ("EU AI Act Art. 26(5)",) if system.organization_role == "deployer" else ("EU AI Act Art. 72",)


def _columns(system: System, telemetry: TelemetryMapping) -> Iterator[Gap]:
    """Columns without which detectors can say less."""
    if "unit" not in telemetry.columns:
        what = "rows do not say whom they concern, so people who come often count as independent evidence"
        yield _gap(
            system, "no_unit", "medium", what, "map `unit`, a pseudonym is enough", _WATCHED, "telemetry.columns"
        )
    if telemetry.table == "interactions":
        if "session" not in telemetry.columns:
            what = "rows do not say to which conversation they belong, so hits cannot be joined"
            yield _gap(system, "no_session", "medium", what, "map `session`", _WATCHED, "telemetry.columns")
        return
    fairness = ("NIST AI RMF MEASURE 2.11", *_duty(system))
    if not any(name.startswith(GROUP) for name in telemetry.columns):
        weight: Weight = "high" if high_risk(system) else "low"
        what = "no group is mapped, so unfair treatment cannot be noticed"
        yield _gap(system, "no_groups", weight, what, "map `group.<name>`", fairness, "telemetry.columns")
    if "label" not in telemetry.provided:
        what = "what turned out to be true is not mapped, so errors cannot be compared"
        yield _gap(
            system, "no_label", "low", what, "map `label`, late or partial is enough", fairness, "telemetry.columns"
        )


def _route(system: System) -> Iterator[Gap]:
    if system.eu_ai_act_route == "prohibited":
        what, remedy = "the AI Act prohibits this practice", "take it out of use, or correct its route"
        yield _gap(system, "prohibited", "high", what, remedy, ("EU AI Act Art. 5",), "eu_ai_act_route")
    if high_risk(system) and system.criticality == "low":
        what = "it is high-risk by law and `low` in the severity matrix"
        answers = ("ISO/IEC 42001 6.1", "EU AI Act Art. 6")
        yield _gap(system, "criticality", "medium", what, "raise its criticality", answers, "criticality")
    if high_risk(system) and not system.affected_people:
        what = "it does not say whom its answers concern; every report asks for it"
        answers = ("NIST AI RMF MAP 5.2", "EU AI Act Art. 27(1)(c)")
        yield _gap(system, "affected_people", "low", what, "fill in `affected_people`", answers, "affected_people")


def _people(system: System, policy: Policy) -> Iterator[Gap]:
    answers = ("ISO/IEC 42001 5.3", "NIST AI RMF GOVERN 2.1")
    owner = next((person for person in policy.people if person.id == system.owner), None)
    if owner is None:
        yield _gap(system, "no_owner", "high", "its owner is nobody in the policy", "name a person", answers, "owner")
    elif not any(owner.id in role.people for role in policy.roles):
        what = f"its owner {owner.name} fills no role of the policy"
        yield _gap(system, "owner_without_role", "medium", what, "give the owner a role", answers, "owner")


def _countries(system: System, policy: Policy) -> Iterator[Gap]:
    for country in system.operates_in:
        if not covered(country, policy.jurisdictions):
            what = f"it operates in {country}, whose law the policy does not name"
            yield _gap(system, "country", "medium", what, f"add {country} to `jurisdictions`", _COVERED, "operates_in")


def covered(country: str, jurisdictions: tuple[str, ...]) -> bool:
    """Whether a country is among the jurisdictions: by its own code, by its state's, or as a member of the Union."""
    state = country.split("-", maxsplit=1)[0]
    return bool({country, state} & set(jurisdictions)) or ("EU" in jurisdictions and state in EU_MEMBERS)


def _idle_jurisdictions(workspace: Workspace) -> Iterator[Gap]:
    states = {country.split("-")[0] for system in workspace.systems.values() for country in system.operates_in}
    for jurisdiction in workspace.policy.jurisdictions if states else ():
        state = jurisdiction.split("-")[0]
        if state not in states and not (jurisdiction == "EU" and states & EU_MEMBERS):
            what = f"no system operates in {jurisdiction}"
            remedy = "remove it, or complete `operates_in` of the systems"
            yield Gap("jurisdiction.idle", "low", what, remedy, _COVERED, field="jurisdictions")
