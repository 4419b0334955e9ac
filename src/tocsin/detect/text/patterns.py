"""A pattern: what is looked for in text, how a match is confirmed, what it means, and how it is shown without showing it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from typing import Literal

Kind = Literal["personal_data", "secret", "injection"]
Precedence = Literal["checksum", "specific", "generic"]
"""Which of two overlapping matches is kept: a checksum beats a specific form, that a generic one; then the longer."""
RANK: Mapping[str, int] = {"checksum": 0, "specific": 1, "generic": 2}


@dataclass(frozen=True)
class Pattern:
    """One pattern; `expression` is for Python's `re` on bytes: ASCII classes, bounded repeats, never an empty match.

    `anchor` is what Hyperscan looks for where it cannot take the expression (it knows no look-around) or reports it too often:
    every match of the expression must hold the end of a match of the anchor.
    """

    id: str
    title: str
    kind: Kind
    expression: str
    validator: str
    precedence: Precedence
    roles: tuple[str, ...]
    confidence: float
    severe_in: tuple[str, ...]
    mask: str
    tags: tuple[str, ...]
    anchor: str = ""
    ignore_case: bool = False
    reach: int = 256
    """No match is longer, in bytes."""
    context: str = ""
    """An expression that must stand within 80 bytes before the match."""
    languages: tuple[str, ...] = ()

    @cached_property
    def compiled(self) -> re.Pattern[bytes]:
        """The expression on bytes."""
        return re.compile(self.expression.encode(), re.IGNORECASE if self.ignore_case else 0)

    @cached_property
    def compiled_context(self) -> re.Pattern[bytes] | None:
        """The context expression, without regard to case."""
        return re.compile(self.context.encode(), re.IGNORECASE) if self.context else None


@dataclass(frozen=True)
class Patterns:
    """All patterns, in order of their ids; `digest` names the set."""

    items: tuple[Pattern, ...]

    @cached_property
    def digest(self) -> str:
        """The digest of everything that decides what is found and said."""
        body = "\x1e".join("\x1f".join(str(getattr(p, field.name)) for field in fields(p)) for p in self.items)
        return sha256(body.encode()).hexdigest()[:16]

    @cached_property
    def by_id(self) -> Mapping[str, Pattern]:
        """The patterns by id."""
        return {pattern.id: pattern for pattern in self.items}

    def of(self, *kinds: Kind) -> Patterns:
        """The patterns of these kinds."""
        return Patterns(tuple(pattern for pattern in self.items if pattern.kind in kinds))
