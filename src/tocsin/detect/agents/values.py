"""Values that travel: addresses, hosts, files and accounts that stand in texts, normalized so that two spellings are one.

They are found by the engine of all patterns, so a hostile text costs time in proportion to its length.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tocsin.detect.text.engine import scan
from tocsin.detect.text.patterns import Pattern, Patterns

VALUES_MAX = 64
"""Values taken of one text."""
PAYLOAD_MIN = 24
"""A query, fragment or path segment with a run of so many characters can carry data away."""

_FORMS = {
    "account": r"(?<![A-Za-z0-9])(?:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?|0x[0-9a-fA-F]{40})(?![A-Za-z0-9])",
    "address": r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)",
    "email": r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}",
    "file": r"(?<![\w/:.])(?:~|\.{0,2})/[\w.@-]{1,80}(?:/[\w.@-]{1,80}){1,12}",
    "url": r"(?:https?|ftp|wss?)://[^\s\"'<>()\[\]{}\\]{3,2048}",
}
_HOST = re.compile(r"^[a-z]+://(?:[^/@]{0,256}@)?(\[[0-9a-f:.]{2,45}\]|[^/:?#]{1,253})", re.IGNORECASE)
_RUN = re.compile(rf"[A-Za-z0-9+/=_.~-]{{{PAYLOAD_MIN},2048}}|[0-9A-Fa-f]{{{PAYLOAD_MIN},2048}}")

NOUNS = {
    "url": "web address",
    "email": "e-mail address",
    "address": "IP address",
    "account": "account or wallet",
    "file": "path of a file",
}


class Value(NamedTuple):
    """What was found: its kind, and its normal form."""

    kind: str
    text: str


class Link(NamedTuple):
    """An address on the web: its host, and whether it can carry data away."""

    host: str
    carries: bool


def values(texts: Sequence[str]) -> Iterator[tuple[int, Value]]:
    """The values that stand in each text, in order; of web addresses the address and, by itself, the host."""
    for row, kind, found in _found(texts, VALUES):
        yield row, Value(kind, _normal(found))
        if kind == "url" and (host := host_of(found)):
            yield row, Value("url", host)


def links(texts: Sequence[str]) -> Iterator[tuple[int, Link]]:
    """The web addresses in each text, in order."""
    for row, _, found in _found(texts, URLS):
        if host := host_of(found):
            yield row, Link(host, _carries(found))


def host_of(url: str) -> str:
    """The host of an address in lower case, without a port; empty where there is none."""
    match = _HOST.match(url)
    return match.group(1).rstrip(".").lower() if match else ""


def shown_host(host: str) -> str:
    """A host as it may be shown: its last two labels, since the others can carry data."""
    labels = host.split(".")
    return host if len(labels) <= 2 or host.replace(".", "").isdigit() else "*." + ".".join(labels[-2:])


def _form(kind: str) -> Pattern:
    """What the engine looks for."""
    return Pattern(
        kind,
        NOUNS[kind],
        "tool_call",
        _FORMS[kind],
        "none",
        "specific",
        (),
        1.0,
        (),
        NOUNS[kind],
        (),
        ignore_case=kind == "url",
    )


VALUES = Patterns(tuple(map(_form, sorted(NOUNS))))
URLS = Patterns((_form("url"),))


def _found(texts: Sequence[str], patterns: Patterns) -> Iterator[tuple[int, str, str]]:
    """Row, kind and wording of everything found, no more than are taken of each text."""
    taken: Counter[int] = Counter()
    for hit in scan(texts, patterns).hits:
        taken[hit.row] += 1
        if taken[hit.row] <= VALUES_MAX:
            yield hit.row, patterns.items[hit.pattern].id, texts[hit.row][hit.start : hit.end]


def _normal(found: str) -> str:
    return found.rstrip(".,;:!?").replace(" ", "").casefold()


def _carries(url: str) -> bool:
    """Whether the address has a part that can hold data: a filled query or fragment, or a long run in its path or host."""
    host, _, rest = url.partition("://")[2].partition("/")
    path, marker, query = rest.partition("?")
    anchor = path.partition("#")[2]
    said = query or anchor
    if marker or anchor:
        return len(said.partition("=")[2] or said) >= 8 or _RUN.search(said) is not None
    return any(_RUN.fullmatch(part) and not part.isalpha() for part in path.split("/")) or any(
        len(label) >= PAYLOAD_MIN + 8 for label in host.split(".")
    )
