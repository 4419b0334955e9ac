"""Names of tools and hosts that a setting lists, with * and ? as wildcards, in any case."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def matches(name: str, listed: Sequence[str]) -> bool:
    """Whether the name is among those listed."""
    folded = name.casefold()
    return any(fnmatchcase(folded, one.casefold()) for one in listed)
