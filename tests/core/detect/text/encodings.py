"""The ways in which the tests hide a text, written here by the standard library and not by the decoders."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable, Mapping
from urllib.parse import quote

Hide = Callable[[str], str]
LEETSPEAK = str.maketrans("aeiost", "431057")
CYRILLIC = str.maketrans("aeocpxyiAEOCPXK", "аеосрхуіАЕОСРХК")
BOLD = {ord("a") + n: 0x1D41A + n for n in range(26)} | {ord("A") + n: 0x1D400 + n for n in range(26)}
BOLD |= {ord("0") + n: 0x1D7CE + n for n in range(10)}
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _escapes(text: str) -> str:
    """As JSON and Java write characters: beyond U+FFFF two surrogates."""
    data = text.encode("utf-16-be")
    return "".join(f"\\u{data[at : at + 2].hex()}" for at in range(0, len(data), 2))


def _selectors(text: str) -> str:
    return "😀" + "".join(chr(0xFE00 + b if b < 16 else 0xE0100 + b - 16) for b in text.encode())


ANYTHING: Mapping[str, tuple[str, Hide]] = {
    "base64": ("base64", _base64),
    "base64 without padding": ("base64", lambda text: _base64(text).rstrip("=")),
    "base64, url-safe": ("base64", lambda text: base64.urlsafe_b64encode(text.encode()).decode()),
    "base64 in lines": ("base64", lambda text: base64.encodebytes((text + " " * 60).encode()).decode().strip()),
    "base64 of UTF-16": ("base64", lambda text: base64.b64encode(text.encode("utf-16-le")).decode()),
    "base32": ("base32", lambda text: base64.b32encode(text.encode()).decode()),
    "base32 without padding": ("base32", lambda text: base64.b32encode(text.encode()).decode().rstrip("=")),
    "hex": ("hex", lambda text: text.encode().hex()),
    "hex in capitals": ("hex", lambda text: "0x" + text.encode().hex().upper()),
    "percent, all": ("url", lambda text: "".join(f"%{b:02X}" for b in text.encode())),
    "percent, small": ("url", lambda text: "".join(f"%{b:02x}" for b in text.encode())),
    "percent, where needed": ("url", quote),
    "entities, decimal": ("html", lambda text: "".join(f"&#{ord(c)};" for c in text)),
    "entities, hex": ("html", lambda text: "".join(f"&#x{ord(c):X};" for c in text)),
    "entities without semicolon": ("html", lambda text: "".join(f"&#{ord(c)}" for c in text)),
    "escapes of bytes": ("escape", lambda text: "".join(f"\\x{b:02x}" for b in text.encode())),
    "escapes of characters": ("escape", _escapes),
    "tags": ("tags", lambda text: "".join(chr(0xE0000 + ord(c)) for c in text)),
    "selectors": ("selectors", _selectors),
    "zero width, everywhere": ("invisible", "\u200b".join),
    "zero width, every third": (
        "invisible",
        lambda text: "".join(c + "\u2060" * (n % 3 == 1) for n, c in enumerate(text)),
    ),
    "soft hyphens": ("invisible", "\u00ad".join),
    "mathematical letters": ("homoglyph", lambda text: text.translate(BOLD)),
    "fullwidth": ("homoglyph", lambda text: text.translate(WIDE)),
}
"""Ways for any text: the name that findings give it, and how to write it."""
WORDING: Mapping[str, tuple[str, Hide]] = {
    "Cyrillic letters": ("homoglyph", lambda text: text.translate(CYRILLIC)),
    "leetspeak": ("leet", lambda text: text.translate(LEETSPEAK)),
    "rot13": ("rot13", lambda text: codecs.encode(text, "rot13")),
    "backwards": ("reversed", lambda text: text[::-1]),
}
"""Ways for letters; digits stay, so a card number stays one."""
