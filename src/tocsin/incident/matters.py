"""Which findings are one matter, and what each may do to an incident.

A matter is a system, a family of causes and an overlap in time. Bias findings of one system on one attribute are one matter, by
whichever metric they were found: they have one cause and one fix. Leakage, attack and agent misuse on one system are one matter:
a leak under an injected document is one incident, not two. A model failure is a matter of its own per detector.
An incident that a person declared takes in the findings of its family: people notice what detectors then confirm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tocsin.model.finding import Category, Finding, Level
from tocsin.model.incident import Incident, JoinedFinding, Phase

ATTACKED = (Category.DATA_LEAKAGE, Category.AGENT_MISUSE, Category.ADVERSARIAL_ATTACK, Category.MISUSE)
"""The family of attacks, the gravest consequence first: it names the incident."""
DECLARED = "declared:"
"""Keys of incidents that a person declared begin so."""
RANKS = (Level.SIGHTING, Level.ALARM, Level.SEVERE)


def matter(finding: Finding) -> str:
    """The key of the matter that the finding belongs to."""
    if finding.category is Category.BIAS:
        return f"bias:{finding.key.split(':')[0]}"
    if finding.category in ATTACKED:
        return "attack"
    return f"{finding.category}:{finding.detector}"


def grave(categories: Iterable[Category]) -> Category:
    """The category that names an incident with findings of these categories, at least one."""
    found = set(categories)
    return next((category for category in ATTACKED if category in found), min(found))


def home(finding: Finding, incidents: Iterable[Incident], within: timedelta) -> Incident | None:
    """The open incident of the same matter that the finding joins.

    One of exactly this matter goes before one that was declared for the family; of several, the latest.
    """
    open_ = [i for i in incidents if i.phase is not Phase.CLOSED and not merged_into(i)]
    near = [i for i in open_ if _belongs(finding, i) and not _apart(finding, i, within)]
    return max(near, key=lambda incident: (incident.key == matter(finding), incident.opened_at), default=None)


def predecessor(finding: Finding, incidents: Iterable[Incident]) -> Incident | None:
    """The latest closed incident of the same matter: a new one is its recurrence."""
    closed = [
        i for i in incidents if i.phase is Phase.CLOSED and (i.system, i.key) == (finding.system, matter(finding))
    ]
    return max(closed, key=lambda incident: incident.opened_at, default=None)


def opens(finding: Finding) -> bool:
    """Whether the finding may open an incident by itself."""
    return finding.level in (Level.ALARM, Level.SEVERE)


def forerunners(finding: Finding, earlier: Iterable[Finding], incidents: Iterable[Incident]) -> list[Finding]:
    """The sightings of the same matter since the change that the finding speaks of: they belong to the incident that it opens.

    What another incident of the matter has seen already is not counted again.
    """
    matter_of = (finding.system, matter(finding))
    begun = finding.since.earliest if finding.since else finding.window.start
    seen = [f.last_at for i in incidents if (i.system, i.key) == matter_of for f in i.findings.values()]
    since = max([begun, *seen])
    same_matter = [f for f in earlier if (f.system, matter(f)) == matter_of and not opens(f)]
    return [f for f in same_matter if since <= f.window.start <= finding.window.start]


def joined(finding: Finding, known: JoinedFinding | None, at: datetime) -> JoinedFinding:
    """The finding as an incident keeps it; a finding of a key that is there already is the same one grown.

    An alarm counts from the change on, so its count replaces the earlier one; sightings and hits of other windows add up.
    """
    new = JoinedFinding(
        id=finding.id,
        detector=finding.detector,
        category=finding.category,
        title=finding.title,
        key=finding.key,
        level=str(finding.level),
        count=finding.count,
        strength=finding.strength.value,
        strength_kind=finding.strength.kind,
        tags=finding.tags,
        joined_at=at,
        last_at=finding.window.end,
    )
    return new if known is None else together(known, new, replaces=finding.level is Level.ALARM)


def together(known: JoinedFinding, other: JoinedFinding, *, replaces: bool = False) -> JoinedFinding:
    """Two findings of one key as one, under the first one's id; `replaces` says that the other's count holds the first's."""
    return JoinedFinding(
        id=known.id,
        detector=known.detector,
        category=other.category,
        title=other.title,
        key=known.key,
        level=str(max(Level(known.level), Level(other.level), key=RANKS.index)),
        count=other.count if replaces else known.count + other.count,
        strength=max(known.strength, other.strength),
        strength_kind=other.strength_kind,
        tags=tuple(sorted({*known.tags, *other.tags})),
        joined_at=known.joined_at,
        last_at=max(known.last_at, other.last_at),
    )


def same(finding: Finding | JoinedFinding, findings: Iterable[JoinedFinding]) -> JoinedFinding | None:
    """The one of the findings that this one continues: same detector, same key."""
    return next((f for f in findings if (f.detector, f.key) == (finding.detector, finding.key)), None)


def merged_into(incident: Incident) -> str:
    """The incident that this one is a duplicate of; empty if it stands for itself."""
    return next((other for relation, other in incident.links if relation == "duplicate_of"), "")


def _belongs(finding: Finding, incident: Incident) -> bool:
    if incident.system != finding.system:
        return False
    declared = incident.key.startswith(DECLARED) and _family(incident.category) == _family(finding.category)
    return declared or incident.key == matter(finding)


def _family(category: Category) -> str:
    return "attack" if category in ATTACKED else str(category)


def _apart(finding: Finding, incident: Incident, within: timedelta) -> bool:
    """Whether the finding came too long after the harm was contained to be the same matter; until then it goes on."""
    contained = incident.dates.get("contained")
    if contained is None:
        return False
    last = max([contained, *(f.last_at for f in incident.findings.values())])
    return finding.window.start - last > within
