"""How a pattern is looked for, told in a few numbers, so that a process that starts need not derive it from the expression again."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from tocsin.detect.text import anchors, gates
from tocsin.detect.text.anchors import Anchor


class Sought(NamedTuple):
    """The anchor, and what decides where it is looked for. All lengths are bytes."""

    digest: str
    """Of the anchor's expression: another anchor, another digest."""
    nearest: int
    farthest: int
    """The match begins so far before the end of the anchor."""
    width: int
    """The longest match."""
    literal: int
    """The longest literal in the anchor."""
    before: int = 0
    after: int = 0
    """How far a match reaches around digits that it holds; both are zero where that is not certain, see `gates.margins`."""

    @property
    def near_digits(self) -> bool:
        """Whether it is enough to look near digits."""
        return self.before > 0


def anchor(expression: str, given: str, ignore_case: bool) -> Anchor:
    """The anchor that was written by hand, or the one that follows from the expression."""
    if given:
        return anchors.given(given, ignore_case, anchors.width(expression), expression)
    return anchors.derived(expression, ignore_case)


def sought(expression: str, given: str, ignore_case: bool) -> Sought:
    """What `Sought` tells of an expression and the anchor that may be given for it."""
    found = anchor(expression, given, ignore_case)
    digest = sha256(found.expression.encode()).hexdigest()[:12]
    margins = gates.margins(expression, ignore_case) or (0, 0)
    literal = gates.literal(found.expression)
    return Sought(digest, found.nearest, found.farthest, anchors.width(expression), literal, *margins)
