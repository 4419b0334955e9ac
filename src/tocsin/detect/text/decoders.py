"""The table of encodings: where a text may hold one, what it says, and how a known token reads in it.

Adding an encoding is adding a row to `DECODERS`: the decoding pass and the search for canaries both go through it. A decoder gives
pieces of a text, in order and apart from each other; what is not mostly text (an image, a key, a word that only looks like base64) is
no piece. All of them take time in proportion to the bytes.
"""

from __future__ import annotations

import binascii
import codecs
import re
from base64 import b32decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntFlag
from functools import partial
from html import unescape
from typing import NamedTuple

from tocsin.detect.text.lookalikes import lookalikes

RUN_MIN = 16
"""Characters of a run that may be base64 or hex: the twelve or eight bytes within are the shortest thing worth hiding."""
TEXT_SHARE = 0.9
"""The share of decoded bytes that must be text."""
PARTS_BELOW = 4_096
"""A shorter run that is no base64 as a whole is tried in the parts between its slashes, dashes and underscores."""


class Mark(IntFlag):
    """What stands in a text that has a reason to be decoded; found for all texts at once, see `suspicion`."""

    RUN = 1
    PERCENT = 2
    AMPERSAND = 4
    BACKSLASH = 8
    UNSEEN = 16
    LOOKALIKE = 32
    LEET = 64
    ROT13 = 128
    REVERSED = 256


class Piece(NamedTuple):
    """An encoded stretch of a text, as byte offsets, and what it says."""

    start: int
    end: int
    said: bytes


class Decoder(NamedTuple):
    """One encoding. `alone`: a guess at the whole text, so its result stands by itself; `attacks`: it can hide wording only."""

    name: str
    mark: Mark
    pieces: Callable[[bytes], Iterable[Piece]]
    written: Callable[[bytes], Iterable[bytes]] = lambda _: ()
    """How a token reads in it, where that does not depend on what stands around it."""
    alone: bool = False
    attacks: bool = False


def _replaced(expression: re.Pattern[bytes], said: Callable[[bytes], bytes | None], text: bytes) -> Iterator[Piece]:
    """What the expression finds, where it says something else than it shows."""
    for match in expression.finditer(text):
        meant = said(match[0])
        if meant is not None and meant != match[0]:
            yield Piece(match.start(), match.end(), meant)


def _clusters(escape: bytes, first: bytes) -> re.Pattern[bytes]:
    """Escapes, and what stands between two of them if that is short and has no space."""
    return re.compile(rb"(?:%b)(?:[^\s%b]{0,64}(?:%b))*" % (escape, first, escape))


def mostly_text(data: bytes) -> bytes | None:
    """The data as UTF-8 if it is mostly text; UTF-16, as Windows likes to encode it, too. None where it is not."""
    if len(data) >= 4 and not data[1::2].strip(b"\0") and 0 not in data[::2]:
        return data[::2]
    if len(data.translate(None, _CONTROLS)) < TEXT_SHARE * len(data):
        return None
    said = data.decode("utf-8", "ignore").encode()
    return said if said and len(said) >= TEXT_SHARE * len(data) else None


_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\r") + b"\x7f"

_SELECTORS = re.compile(rb"(?:\xf3\xa0[\x84-\x87][\x80-\xbf]|\xef\xb8[\x80-\x8f]){4,}")
_TAGS = re.compile(rb"(?:\xf3\xa0[\x80\x81][\x80-\xbf])+")
_UNSEEN = rb"\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4\xa6-\xaf]|\xef\xbb\xbf|\xc2\xad|\xcd\x8f|\xe1\xa0\x8e"
_UNSEEN_ONE = re.compile(_UNSEEN)
_UNSEEN_INSIDE = re.compile(rb"(?<=[ -~])(?:%b)+(?=[ -~])(?:[ -~]{1,8}(?:%b)+(?=[ -~]))*" % (_UNSEEN, _UNSEEN))
"""Between ASCII only: Persian, Hindi and emoji need theirs."""
_PERCENT = _clusters(rb"%[0-9A-Fa-f]{2}", rb"%")
_PERCENT_ONE = re.compile(rb"%([0-9A-Fa-f]{2})")
_ENTITY = _clusters(rb"&(?:#[0-9]{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};)", rb"&")
_ESCAPE = rb"\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\U[0-9A-Fa-f]{8}"
_ESCAPES = _clusters(_ESCAPE, rb"\\")
_ESCAPE_ONE = re.compile(_ESCAPE)
_PAIR = re.compile(rb"\\u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_HEX = re.compile(rb"(?<![0-9A-Za-z])(?:0[xX])?(?:[0-9A-Fa-f]{2}){%d,}(?![0-9A-Za-z])" % (RUN_MIN // 2))
_BASE32 = re.compile(rb"(?<![0-9A-Za-z+/])[A-Z2-7]{%d,}={0,6}(?![0-9A-Za-z+/])" % RUN_MIN)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{%d,}={0,2}" % RUN_MIN)
_NEXT_LINE = re.compile(rb"\r?\n([A-Za-z0-9+/]{4,1024}={0,2})(?![A-Za-z0-9+/=])")
LINE_MIN = 60
"""Base64 in lines has at least so many characters in each but the last; mail and certificates have 76 and 64."""
_PART = re.compile(rb"[A-Za-z0-9]{%d,}" % RUN_MIN)
_FOREIGN = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{0,64}(?:[\x80-\xff]+[!-~]{0,64})+")
_LEET_WORD = re.compile(rb"(?<![A-Za-z0-9@$!|])[A-Za-z]{0,24}[0-9@$!|][A-Za-z0-9@$!|]{0,24}")
_LEET = bytes.maketrans(b"0134578@$!|", b"oieastbasil")
_LINE = re.compile(rb"[^\n]+")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")

LURES = (
    *(
        "ignore",
        "disregard",
        "previous",
        "instruction",
        "system prompt",
        "jailbreak",
        "override",
        "unrestricted",
        "bypass",
    ),
    *("password", "secret key", "api key", "credit card", "card number", "bearer"),
)
"""Words that make it worth reading a line backwards, by rot13 or as leetspeak: one of them must stand in it, so written."""


def turned(text: bytes) -> bytes:
    """The characters in reverse order."""
    return text[::-1] if text.isascii() else text.decode("utf-8", "replace")[::-1].encode()


def rot13(text: bytes) -> bytes:
    """Every ASCII letter moved by half the alphabet."""
    return text.translate(_ROT13)


_ROT13 = bytes(codecs.encode(chr(c), "rot13").encode()[0] if c < 128 else c for c in range(256))
LURES_BY: Mapping[Mark, tuple[bytes, ...]] = {
    Mark.LEET: tuple(lure.encode() for lure in LURES),
    Mark.ROT13: tuple(rot13(lure.encode()) for lure in LURES),
    Mark.REVERSED: tuple(lure.encode()[::-1] for lure in LURES),
}
"""How the lures are written; for leetspeak, of which each letter has several forms, how they read."""
LEET = {"a": "4@", "b": "8", "e": "3", "i": "1!", "l": "1|", "o": "0", "s": "5$", "t": "7"}
"""What stands for a letter in leetspeak."""


def _lines(mark: Mark, said: Callable[[bytes], bytes], text: bytes) -> Iterator[Piece]:
    """The lines with a lure, read so."""
    lowered = text.lower()
    if any(lure in lowered for lure in LURES_BY[mark]):
        for match in _LINE.finditer(text):
            if any(lure in lowered[match.start() : match.end()] for lure in LURES_BY[mark]):
                yield Piece(match.start(), match.end(), said(match[0]))


def _tagged(text: bytes) -> bytes:
    """U+E0020 to U+E007E stand for ASCII; the others say nothing."""
    return bytes(code - 0xE0000 for code in map(ord, text.decode("utf-8", "ignore")) if 0xE0020 <= code < 0xE007F)


def _selected(text: bytes) -> bytes | None:
    """Variation selectors count bytes: the first sixteen are U+FE00 and on, the others U+E0100 and on."""
    codes = (ord(c) for c in text.decode("utf-8", "ignore"))
    return mostly_text(bytes(code - 0xFE00 if code < 0xFE10 else (code - 0xE0100 + 16) & 255 for code in codes))


def _unseen_away(text: bytes) -> bytes:
    return _UNSEEN_ONE.sub(b"", text)


def _percent(text: bytes) -> bytes | None:
    plain = _PERCENT_ONE.sub(lambda match: bytes([int(match[1], 16)]), text.replace(b"+", b" "))
    return mostly_text(plain)


def _unescaped(text: bytes) -> bytes:
    return unescape(text.decode("utf-8", "replace")).encode("utf-8", "replace")


def _escaped(text: bytes) -> bytes | None:
    return mostly_text(_ESCAPE_ONE.sub(_escape, _PAIR.sub(_astral, text)))


def _astral(match: re.Match[bytes]) -> bytes:
    """Two surrogates, as JSON and Java write what lies beyond U+FFFF."""
    high, low = int(match[1], 16), int(match[2], 16)
    return chr(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF)).encode()


def _escape(match: re.Match[bytes]) -> bytes:
    code = int(match[0][2:].strip(b"{}"), 16)
    if match[0][1:2] == b"x":
        return bytes([code])
    return chr(code).encode("utf-8", "replace") if code < 0x110000 else b"?"


def _hex(text: bytes) -> bytes | None:
    return mostly_text(bytes.fromhex(text[2:].decode() if text[:2].lower() == b"0x" else text.decode()))


def _base32(text: bytes) -> bytes | None:
    bare = text.rstrip(b"=")
    whole = bare[: len(bare) - _BASE32_ODD[len(bare) % 8]]
    return mostly_text(b32decode(whole + b"=" * (-len(whole) % 8)))


_BASE32_ODD = (0, 1, 0, 1, 0, 0, 1, 0)
"""Characters at the end of a run of this length, modulo eight, that hold no whole byte: the run was cut off."""


def _base64_pieces(text: bytes) -> Iterator[Piece]:
    at = 0
    while match := _BASE64.search(text, at):
        at = _wrapped(text, match)
        run = text[match.start() : at]
        if run.islower():
            continue
        if said := _base64(run):
            yield Piece(match.start(), at, said)
        elif len(run) < PARTS_BELOW:
            yield from _parts(run, match.start())


def _parts(run: bytes, first: int) -> Iterator[Piece]:
    """What stands between the slashes, dashes and underscores of a run that begins at this place: paths hold base64, too."""
    for part in _PART.finditer(run):
        if len(part[0]) < len(run) and not part[0].islower() and (said := _base64(part[0])):
            yield Piece(first + part.start(), first + part.end(), said)


def _wrapped(text: bytes, match: re.Match[bytes]) -> int:
    """Where a run ends that goes on in further lines, as long as the first; a shorter last one belongs to it if it says text."""
    at, width = match.end(), match.end() - match.start()
    if width < LINE_MIN:
        return at
    while (line := _NEXT_LINE.match(text, at)) and len(line[1]) == width:
        at = line.end()
    if line and len(line[1]) < width:
        last = text[at - width : line.end()]
        if (said := _base64(last)) and b"\xef\xbf\xbd" not in said and len(said) == _decoded_length(last):
            return line.end()
    return at


def _decoded_length(text: bytes) -> int:
    return len(text.translate(None, b"\r\n=")) * 3 // 4


def _base64(text: bytes) -> bytes | None:
    """What base64 says, with either alphabet, padded or not; a last character that holds no whole byte is passed over."""
    bare = text.rstrip(b"=").translate(_URL_SAFE, b"\r\n")
    whole = bare[: len(bare) - (len(bare) % 4 == 1)]
    return mostly_text(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))


def _base64_written(token: bytes) -> Iterator[bytes]:
    """The token at each of the three alignments, without the characters that depend on its neighbours."""
    for shift in range(3):
        text = b64encode(b"\0" * shift + token).rstrip(b"=")
        yield text[-(-shift * 8 // 6) : (shift + len(token)) * 8 // 6]


def _folded(text: bytes) -> bytes | None:
    """The word with ASCII in place of what looks like it; None where another letter remains, so that it is a word of its language."""
    said = text.decode("utf-8", "replace").translate(lookalikes())
    return said.encode() if said.isascii() else None


def _leet(text: bytes) -> bytes:
    core = text.rstrip(b"!|")
    return core.replace(b"11", b"ll").translate(_LEET) + text[len(core) :]


def _by(expression: re.Pattern[bytes], said: Callable[[bytes], bytes | None]) -> Callable[[bytes], Iterator[Piece]]:
    return partial(_replaced, expression, said)


DECODERS: tuple[Decoder, ...] = (
    Decoder("tags", Mark.UNSEEN, _by(_TAGS, _tagged)),
    Decoder("selectors", Mark.UNSEEN, _by(_SELECTORS, _selected)),
    Decoder("invisible", Mark.UNSEEN, _by(_UNSEEN_INSIDE, _unseen_away)),
    Decoder("escape", Mark.BACKSLASH, _by(_ESCAPES, _escaped)),
    Decoder("html", Mark.AMPERSAND, _by(_ENTITY, _unescaped)),
    Decoder("url", Mark.PERCENT, _by(_PERCENT, _percent)),
    Decoder("hex", Mark.RUN, _by(_HEX, _hex), lambda token: (token.hex().encode(),)),
    Decoder("base32", Mark.RUN, _by(_BASE32, _base32)),
    Decoder("base64", Mark.RUN, _base64_pieces, _base64_written),
    Decoder("homoglyph", Mark.LOOKALIKE, _by(_FOREIGN, _folded)),
    Decoder("leet", Mark.LEET, _by(_LEET_WORD, _leet), alone=True, attacks=True),
    Decoder("rot13", Mark.ROT13, partial(_lines, Mark.ROT13, rot13), lambda token: (rot13(token),), alone=True),
    Decoder(
        "reversed", Mark.REVERSED, partial(_lines, Mark.REVERSED, turned), lambda token: (turned(token),), alone=True
    ),
)
"""In order of precedence: where two pieces meet, the one of the earlier decoder stands."""


def written(token: bytes) -> tuple[bytes, ...]:
    """Every way in which a decoder knows the token to read."""
    return tuple(form for decoder in DECODERS for form in decoder.written(token))
