"""How a match is shown without showing it: its kind and shape, and nothing that identifies a person.

A mask is text with placeholders: {digits} how many digits, {last2} the last two characters, {length} how many characters,
{tld} the last label of a domain, {country} the first two letters. Two final digits of a card leave a hundred million cards.
"""

from __future__ import annotations

from string import Formatter

PLACEHOLDERS = ("digits", "last2", "length", "tld", "country")


def masked(mask: str, found: str) -> str:
    """The mask for what was found; a placeholder that is not known is an error of the pattern, told by `unknown`."""
    letters = [c for c in found if c.isalnum()]
    shape = {
        "digits": str(sum(c.isdigit() for c in found)),
        "last2": "".join(letters[-2:]),
        "length": str(len(found)),
        "tld": found.rpartition(".")[2].lower(),
        "country": "".join(letters[:2]),
    }
    return f"[{mask.format_map(shape)}]"


def unknown(mask: str) -> list[str]:
    """Placeholders that no mask has."""
    return [name for _, name, _, _ in Formatter().parse(mask) if name is not None and name not in PLACEHOLDERS]
