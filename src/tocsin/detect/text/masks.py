"""How a match is shown without showing it: its kind and shape, and nothing that identifies a person.

A mask is text with placeholders: {digits} how many digits, {last2} the last two characters, {length} how many characters,
{tld} the last label of a domain, {country} the first two letters. Two final digits of a card leave a hundred million cards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from string import Formatter

_SHAPE: Mapping[str, Callable[[str], str]] = {
    "digits": lambda found: str(sum(c.isdigit() for c in found)),
    "last2": lambda found: "".join(c for c in found if c.isalnum())[-2:],
    "length": lambda found: str(len(found)),
    "tld": lambda found: found.rpartition(".")[2].lower(),
    "country": lambda found: "".join(c for c in found if c.isalnum())[:2],
}
PLACEHOLDERS = tuple(_SHAPE)


def masked(mask: str, found: str) -> str:
    """The mask for what was found; a placeholder that is not known is an error of the pattern, told by `unknown`."""
    parts = _parts(mask)
    return _filled(parts, found) if len(parts) > 1 else parts[0]


def _filled(parts: tuple[str, ...], found: str) -> str:
    """Text and placeholders in turn, filled in."""
    return "".join(_SHAPE[part](found) if n % 2 else part for n, part in enumerate(parts))


@lru_cache(maxsize=2048)
def _parts(mask: str) -> tuple[str, ...]:
    """The mask in brackets, cut into text, placeholder, text, and so on."""
    parts = [""]
    for text, name, _, _ in Formatter().parse(f"[{mask}]"):
        parts[-1] += text
        parts += [name, ""] if name is not None else []
    return tuple(parts)


def unknown(mask: str) -> list[str]:
    """Placeholders that no mask has."""
    return [name for _, name, _, _ in Formatter().parse(mask) if name is not None and name not in PLACEHOLDERS]
