"""Accessible PDF (PDF/UA-1, tagged) through typst. The same data gives the same bytes.

Data goes in as JSON and is set as text, so that hostile text in it stays text; what no font can show is written as its code point.
"""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files
from typing import Any, Literal

import msgspec
import typst

from tocsin.model.errors import EnvironmentFault

STANDARD: Literal["ua-1"] = "ua-1"
LONG_WORD = 60
ATTEMPTS = 50
_UNSHOWN = re.compile(r"the text `\"(.*?)\"` could not be displayed", re.DOTALL)


def report(data: Any) -> bytes:
    """A filled form as PDF.

    Raises:
        EnvironmentFault: typst refuses; its message names the reason.
    """
    template = files("tocsin.adapters.documents").joinpath("report.typ").read_bytes()
    value, unshown = msgspec.to_builtins(data), set[str]()
    for _ in range(ATTEMPTS):
        body = msgspec.json.encode(_plain(value, unshown), order="sorted").decode()
        try:
            pdf = typst.compile(
                template,
                None,
                format="pdf",
                sys_inputs={"data": body},
                pdf_standards=[STANDARD],
                ignore_system_fonts=True,
            )
        except (typst.TypstError, RuntimeError) as error:
            new = _new_unshown(str(error), unshown)
            if not new:
                raise EnvironmentFault(
                    f"the PDF cannot be written: {error}", "report this with the JSON of the form"
                ) from error
            unshown |= new
        else:
            assert isinstance(pdf, bytes)
            return pdf
    raise EnvironmentFault(
        "the PDF cannot be written: too many characters that no font can show", "use the JSON of the form"
    )


def _new_unshown(message: str, known: set[str]) -> set[str]:
    """The characters that typst says it cannot show, as far as they are not known yet."""
    match = _UNSHOWN.search(message)
    return {character for character in match[1] if ord(character) > 0x7F} - known if match else set()


def _plain(value: Any, unshown: set[str]) -> Any:
    """The value with text that a page can hold: no control or bidirectional characters, and words that can break."""
    if isinstance(value, str):
        lines = value.replace("\r\n", "\n").expandtabs(4)
        return " ".join(_breakable(word) for word in _visible(lines, unshown).split(" "))
    if isinstance(value, dict):
        return {key: _plain(item, unshown) for key, item in value.items()}
    return [_plain(item, unshown) for item in value] if isinstance(value, list | tuple) else value


def _visible(text: str, unshown: set[str]) -> str:
    return "".join(f"\\u{ord(c):04x}" if c in unshown or _hidden(c) else c for c in text)


def _hidden(character: str) -> bool:
    return character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")


def _breakable(word: str) -> str:
    """A very long word with places at which a line may break."""
    if len(word) <= LONG_WORD:
        return word
    return "\u200b".join(word[at : at + LONG_WORD] for at in range(0, len(word), LONG_WORD))
