"""PDF for people and archives (PDF/UA-1 and PDF/A-2a, tagged) through typst. The same data gives the same bytes, wherever its own
fonts suffice.

Data goes in as JSON and is set as text, so that hostile text in it stays text. What the fonts of typst cannot show (Chinese, emoji) is
set in a font of this machine, and what that has none for is written as its code point: no character is lost in silence.
"""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import msgspec
import typst

from tocsin.model.errors import EnvironmentFault

STANDARDS: list[Literal["ua-1", "a-2a"]] = ["ua-1", "a-2a"]
LONG_WORD = 28
"""As many of the widest letters as the value column holds."""
PICTURE = "svg"
"""The key of a picture, which is no text."""
ATTEMPTS = 6
"""Hostile text may hold thousands of characters without a font, and typst names them run by run: after so many runs all are replaced."""
EVERYWHERE = 0x17F
"""The last character of Latin Extended-A: up to here the fonts of typst show everything."""
_UNSHOWN = re.compile(r"the text `\"(.*?)\"` could not be displayed", re.DOTALL)


class _Unshown(NamedTuple):
    """What no font showed, in typst's words."""

    message: str


def report(data: Any, template: str = "report.typ") -> bytes:
    """A filled form as PDF, or whatever the template sets. `prepared_at` (UTC, as `2026-11-24T09:00:00Z`) is the document's date.

    Raises:
        EnvironmentFault: typst refuses; its message names the reason.
    """
    value = msgspec.to_builtins(data)
    made = _compiled(value, frozenset(), template, own_fonts_only=True)
    unshown: frozenset[str] = frozenset()
    for _ in range(ATTEMPTS):
        if isinstance(made, bytes):
            return made
        made = _compiled(value, unshown, template, own_fonts_only=False)
        if not isinstance(made, bytes):
            unshown |= _named(made.message)
    made = _compiled(value, frozenset(_beyond(value)), template, own_fonts_only=True)
    if isinstance(made, bytes):
        return made
    raise EnvironmentFault(f"the PDF cannot be written: {made.message}", "use the JSON of the form, and report this")


def _compiled(value: Any, unshown: frozenset[str], template: str, *, own_fonts_only: bool) -> bytes | _Unshown:
    body = msgspec.json.encode(_plain(value, unshown)).decode()
    source = files("tocsin.adapters.documents").joinpath(template).read_bytes()
    try:
        pdf = typst.compile(
            source,
            None,
            format="pdf",
            sys_inputs={"data": body},
            pdf_standards=list(STANDARDS),
            ignore_system_fonts=own_fonts_only,
        )
    except (typst.TypstError, RuntimeError) as error:
        if not _named(str(error)):
            raise EnvironmentFault(
                f"the PDF cannot be written: {error}", "use the JSON of the form, and report this"
            ) from error
        return _Unshown(str(error))
    assert isinstance(pdf, bytes)
    return pdf


def _named(message: str) -> set[str]:
    """The characters that typst says it cannot show."""
    return {character for shown in _UNSHOWN.findall(message) for character in shown if ord(character) > 0x7F}


def _beyond(value: Any) -> set[str]:
    """Every character of the data that the fonts of typst may not have."""
    return {c for c in msgspec.json.encode(value).decode() if ord(c) > EVERYWHERE}


def _plain(value: Any, unshown: frozenset[str]) -> Any:
    """The value with text that a page can hold: no control or bidirectional characters, and words that can break."""
    if isinstance(value, str):
        lines = value.replace("\r\n", "\n").expandtabs(4)
        return " ".join(_breakable(word) for word in _visible(lines, unshown).split(" "))
    if isinstance(value, dict):
        return {key: item if key == PICTURE else _plain(item, unshown) for key, item in value.items()}
    return [_plain(item, unshown) for item in value] if isinstance(value, list | tuple) else value


def _visible(text: str, unshown: frozenset[str]) -> str:
    return "".join(_code_point(c) if c in unshown or _hidden(c) else c for c in text)


def _code_point(character: str) -> str:
    """As Python writes it."""
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _hidden(character: str) -> bool:
    return character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")


def _breakable(word: str) -> str:
    """A very long word with places at which a line may break."""
    if len(word) <= LONG_WORD:
        return word
    return "\u200b".join(word[at : at + LONG_WORD] for at in range(0, len(word), LONG_WORD))
