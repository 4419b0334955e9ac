"""A pattern: what is looked for in text, how a match is confirmed, what it means, and how it is shown without showing it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

Kind = Literal["personal_data", "secret", "injection"]
Precedence = Literal["checksum", "specific", "generic"]
"""Which of two overlapping matches is kept: a checksum beats a specific form, that a generic one; then the longer."""
RANK: Mapping[str, int] = {"checksum": 0, "specific": 1, "generic": 2}


@dataclass(frozen=True)
class Pattern:
    """One pattern; `expression` is in the common subset of Python's `re` (ASCII classes) and Hyperscan.

    `anchor` is what Hyperscan looks for where it cannot take the expression: it must match, somewhere in the row, whenever the
    expression does.
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
    context: str = ""
    """An expression that must stand within 60 characters before the match."""
    languages: tuple[str, ...] = ()

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The expression, with ASCII classes as Hyperscan has them."""
        return re.compile(self.expression, re.ASCII | (re.IGNORECASE if self.ignore_case else 0))

    @cached_property
    def compiled_context(self) -> re.Pattern[str] | None:
        """The context expression, without regard to case."""
        return re.compile(self.context, re.IGNORECASE) if self.context else None


@dataclass(frozen=True)
class Patterns:
    """All patterns, in order of their ids; `digest` names the set."""

    items: tuple[Pattern, ...]

    @cached_property
    def digest(self) -> str:
        """The digest of everything that decides what is found."""
        body = "\x1e".join(
            "\x1f".join(
                (
                    p.id,
                    p.expression,
                    p.anchor,
                    p.validator,
                    p.precedence,
                    p.context,
                    str(p.ignore_case),
                    ",".join(p.roles),
                )
            )
            for p in self.items
        )
        return sha256(body.encode()).hexdigest()[:16]

    def of(self, *kinds: Kind) -> Patterns:
        """The patterns of these kinds."""
        return Patterns(tuple(pattern for pattern in self.items if pattern.kind in kinds))
