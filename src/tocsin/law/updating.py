"""What changes for a case when the packs change: the duties that appear, fall away, or are owed otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tocsin.law.clocks import FAR
from tocsin.law.regime import Library
from tocsin.model.law import Obligation

What = Literal["appears", "falls away", "changes"]
CERTAINTY = {"yes": "owed", "no": "not owed", "unknown": "possible"}


@dataclass(frozen=True, slots=True)
class Altered:
    """A part of a duty that is not what it was."""

    part: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """A duty that appears, falls away or changes. `earlier` is by how much its operational instant moved forward; negative: later."""

    obligation: str
    title: str
    what: What
    parts: tuple[Altered, ...]
    due: datetime | None
    earlier: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Packs:
    """Which regimes are in one library and not in the other, and which are in both and differ, by id."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def packs(old: Library, new: Library) -> Packs:
    """How the two libraries differ, whatever the case."""
    before, after = ({regime.id: regime.digest for regime in library.regimes} for library in (old, new))
    return Packs(
        tuple(sorted(set(after) - set(before))),
        tuple(sorted(set(before) - set(after))),
        tuple(sorted(name for name in set(before) & set(after) if before[name] != after[name])),
    )


def changes(before: Sequence[Obligation], after: Sequence[Obligation]) -> tuple[Change, ...]:
    """What is different, the duties with the earliest instant first."""
    old, new = ({owed.id: owed for owed in duties} for duties in (before, after))
    found = [*_one_sided(old, new, "falls away"), *_one_sided(new, old, "appears"), *_both(old, new)]
    return tuple(sorted(found, key=lambda change: (change.due or FAR, change.obligation)))


def _one_sided(here: dict[str, Obligation], there: dict[str, Obligation], what: What) -> Iterator[Change]:
    for name in here.keys() - there.keys():
        owed = here[name]
        told = tuple(
            Altered(part, text, "") if what == "falls away" else Altered(part, "", text) for part, text in _view(owed)
        )
        yield Change(name, owed.title, what, told, owed.operational_due)


def _both(old: dict[str, Obligation], new: dict[str, Obligation]) -> Iterator[Change]:
    for name in old.keys() & new.keys():
        was, now = old[name], new[name]
        pairs = zip(_view(was), _view(now), strict=True)
        altered = tuple(Altered(part, before, after) for (part, before), (_, after) in pairs if before != after)
        if altered:
            yield Change(name, now.title, "changes", altered, now.operational_due, _earlier(was, now))


def _earlier(was: Obligation, now: Obligation) -> timedelta | None:
    if was.operational_due is None or now.operational_due is None or was.operational_due == now.operational_due:
        return None
    return was.operational_due - now.operational_due


def _view(owed: Obligation) -> list[tuple[str, str]]:
    """The parts of a duty that somebody acts on, in words."""
    sources = [f"{c.instrument}, {c.pinpoint} [{c.confidence}]" for c in owed.citations]
    return [
        ("verdict", f"{CERTAINTY[owed.truth]}, {owed.status}"),
        ("due", _instant(owed.operational_due)),
        ("latest", _instant(owed.legal_latest)),
        ("deadline", owed.label),
        ("to", "; ".join(recipient.name for recipient in owed.recipients)),
        ("form", owed.form),
        ("content", "; ".join(owed.content)),
        ("sources", "; ".join(sources)),
    ]


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
