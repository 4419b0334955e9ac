"""Which groups stand apart: from the statements that were shown to the few names that a report may print.

All pairs are tested, and each rejected statement is true with the family's guarantee. Testing every group against "the rest" instead
names innocent groups, because one that strays moves everybody else's rest (3 % to 65 % of streams in simulation). So a group is
named when it differs from at least half of the others; and from the largest one, unless that is itself what strays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple

from tocsin.detect.streams.telling import Statement
from tocsin.model.event import Json


class Named(NamedTuple):
    """A group that stands apart, to which side, and from whom."""

    group: str
    side: Literal["lower", "higher"]
    others: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.group} is {self.side} than {', '.join(self.others)}"

    def told(self) -> Json:
        """For the details of a finding."""
        return {"group": self.group, "side": self.side, "others": list(self.others)}


def named(shown: Iterable[Statement], groups: Collection[str], largest: str) -> list[Named]:
    """The groups that the statements name, those that differ from most others first. `largest` is the one with the most rows."""
    apart: dict[tuple[str, Literal["lower", "higher"]], set[str]] = {}
    for high, low in shown:
        apart.setdefault((low, "lower"), set()).add(high)
        apart.setdefault((high, "higher"), set()).add(low)
    everyone = [Named(group, side, tuple(sorted(others))) for (group, side), others in apart.items()]
    most = [one for one in everyone if 2 * len(one.others) >= len(groups) - 1]
    strays = any(one.group == largest for one in most)
    few = [one for one in everyone if one not in most and largest in one.others and not strays]
    return sorted(most + few, key=lambda one: (-len(one.others), one.group, one.side))
