"""Values that travel: addresses, hosts, files and accounts that stand in a text, normalized so that two spellings are one.

Every repeat is bounded, so a hostile text costs time in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

VALUES_MAX = 64
"""Values taken of one text."""
TEXT_MAX = 200_000
"""Characters of a text that are looked at."""
PAYLOAD_MIN = 24
"""A query, fragment or path segment with a run of so many characters can carry data away."""

_EMAIL = r"(?P<email>[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4})"
_URL = r"(?P<url>(?:https?|ftp|wss?)://[^\s\"'<>()\[\]{}\\]{3,2048})"
_ADDRESS = r"(?P<address>\b(?:\d{1,3}\.){3}\d{1,3}\b)"
_ACCOUNT = r"(?P<account>\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b|\b0x[0-9a-fA-F]{40}\b)"
_PATH = r"(?P<file>(?<![\w/:.])(?:~|\.{0,2})/[\w.@-]{1,80}(?:/[\w.@-]{1,80}){1,12})"
_VALUE = re.compile("|".join((_URL, _EMAIL, _ADDRESS, _ACCOUNT, _PATH)))
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


def values(text: str) -> Iterator[Value]:
    """The values that stand in a text, in order; of web addresses the address and, by itself, the host."""
    for match in islice(_VALUE.finditer(text[:TEXT_MAX]), VALUES_MAX):
        kind = match.lastgroup or ""
        found = match.group()
        yield Value(kind, _normal(found))
        if kind == "url" and (host := host_of(found)):
            yield Value("url", host)


def links(text: str) -> Iterator[Link]:
    """The web addresses in a text, in order."""
    for match in _VALUE.finditer(text[:TEXT_MAX]):
        if match.lastgroup == "url" and (host := host_of(match.group())):
            yield Link(host, _carries(match.group()))


def host_of(url: str) -> str:
    """The host of an address in lower case, without a port; empty where there is none."""
    match = _HOST.match(url)
    return match.group(1).rstrip(".").lower() if match else ""


def shown_host(host: str) -> str:
    """A host as it may be shown: its last two labels, since the others can carry data."""
    labels = host.split(".")
    return host if len(labels) <= 2 or host.replace(".", "").isdigit() else "*." + ".".join(labels[-2:])


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
