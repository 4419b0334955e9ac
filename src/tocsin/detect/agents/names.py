"""Names of tools and hosts that a setting lists, with * and ? as wildcards, in any case."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache


@lru_cache(maxsize=4096)
def matches(name: str, listed: tuple[str, ...]) -> bool:
    """Whether the name is among those listed."""
    folded = name.casefold()
    return any(fnmatchcase(folded, one.casefold()) for one in listed)
