"""Which findings are one matter, and what each may do to an incident.

A matter is a system, a family of causes and an overlap in time. Bias findings of one system on one attribute are one matter, by
whichever metric they were found: they have one cause and one fix. Leakage, attack and agent misuse on one system are one matter:
a leak under an injected document is one incident, not two. A model failure is a matter of its own per detector.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from tocsin.model.finding import Category, Finding, Level
from tocsin.model.incident import Incident, JoinedFinding, Phase

ATTACKED = (Category.DATA_LEAKAGE, Category.AGENT_MISUSE, Category.ADVERSARIAL_ATTACK, Category.MISUSE)
"""The family of attacks, the gravest consequence first: it names the incident."""


def matter(finding: Finding) -> str:
    """The key of the matter that the finding belongs to."""
    if finding.category is Category.BIAS:
        return f"bias:{finding.key.split(':')[0]}"
    if finding.category in ATTACKED:
        return "attack"
    return f"{finding.category}:{finding.detector}"


def grave(categories: Iterable[Category]) -> Category:
    """The category that names an incident with findings of these categories."""
    found = set(categories)
    return next((category for category in ATTACKED if category in found), next(iter(sorted(found))))


def home(finding: Finding, incidents: Sequence[Incident], within: timedelta) -> Incident | None:
    """The open incident of the same matter that the finding joins; the latest if there are several."""
    open_ = [
        i for i in incidents if i.phase is not Phase.CLOSED and i.system == finding.system and i.key == matter(finding)
    ]
    near = [i for i in open_ if not _apart(finding, i, within) and not _duplicate(i)]
    return max(near, key=lambda incident: incident.opened_at, default=None)


def predecessor(finding: Finding, incidents: Sequence[Incident]) -> Incident | None:
    """The latest closed incident of the same matter: a new one is its recurrence."""
    closed = [
        i for i in incidents if i.phase is Phase.CLOSED and i.system == finding.system and i.key == matter(finding)
    ]
    return max(closed, key=lambda incident: incident.opened_at, default=None)


def opens(finding: Finding) -> bool:
    """Whether the finding may open an incident by itself."""
    return finding.level in (Level.ALARM, Level.SEVERE)


def joined(finding: Finding, known: JoinedFinding | None, at: datetime) -> JoinedFinding:
    """The finding as an incident keeps it; a finding of a key that is there already is the same one grown."""
    return JoinedFinding(
        known.id if known else finding.id,
        finding.detector,
        finding.title,
        finding.key,
        str(max(finding.level, known.level if known else finding.level, key=_rank)),
        finding.count,
        max(finding.strength.value, known.strength if known else 0.0),
        finding.strength.kind,
        known.joined_at if known else at,
        at,
    )


def same(finding: Finding, incident: Incident) -> JoinedFinding | None:
    """The finding of the incident that this one continues: same detector, same key."""
    mine = (f for f in incident.findings.values() if (f.detector, f.key) == (finding.detector, finding.key))
    return next(mine, None)


def _rank(level: str) -> int:
    return (Level.SIGHTING, Level.ALARM, Level.SEVERE).index(Level(level))


def _apart(finding: Finding, incident: Incident, within: timedelta) -> bool:
    """Whether the finding came too long after the harm was contained to be the same matter; until then it goes on."""
    contained = incident.dates.get("contained")
    if contained is None:
        return False
    last = max([contained, *(f.last_at for f in incident.findings.values())])
    return finding.window.start - last > within


def _duplicate(incident: Incident) -> bool:
    return any(relation == "duplicate_of" for relation, _ in incident.links)
