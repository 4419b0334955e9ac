"""What tells a secret from a placeholder, from prose and from a name in a program: randomness, mixture and known words."""

from __future__ import annotations

import json
import math
import re
from base64 import b64decode, urlsafe_b64decode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

from tocsin.detect.text.validators_ids import Check

ENTROPY_BITS_MIN = 3.0
DOCUMENTED = (
    *(
        "example",
        "sample",
        "dummy",
        "placeholder",
        "changeme",
        "change_me",
        "replace",
        "insert",
        "your",
        "xxxx",
        "***",
        "...",
    ),
    *(
        "1234567",
        "abcdef01",
        "abcdef1",
        "abcdefgh",
        "00000000",
        "fake",
        "mock",
        "redacted",
        "secrethere",
        "secret_here",
    ),
    *("todo", "foobar", "deadbeef", "${", "{{", "%("),
    *(f"test{between}{noun}" for between in ("", "_", "-") for noun in ("key", "token", "secret")),
)
"""What stands in manuals where a secret would stand, in small letters; `documented` looks for it."""
_TAG = re.compile("<[a-z]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAMED = re.compile(r"[A-Za-z_]{1,40}(?:[.-][A-Za-z_]{1,40}){0,6}(?:\(.{0,40})?")
_REFERENCE = re.compile(r"\$[A-Za-z{(]|%[({]|[{<(\[]")
_PROGRAM = ("os.", "getenv", "environ", "config", "process.", "request", "self.", "params", "input(")
_PROGRAM_WITHIN = 40
"""A value that comes from elsewhere begins in one of the first ways, or names one of the second ones soon."""
_COMMON = re.compile(
    "(?:pass(?:w(?:or[dt]|d)|w0rd)?|pwd|secret|admin(?:istrator)?|root|user(?:name)?|login|guest|default|required|optional"
    "|letmein|qwerty|hunter2?|string|value|null|none|true|false|undefined)[0-9]{0,4}"
)
"""Words that stand where a password would stand."""


ARMOR_HEAD = 100
"""Characters of a key block that hold its header, what may stand behind it, and the first line."""


def entropy(token: str | bytes) -> float:
    """Shannon entropy in bits per character, or byte."""
    size = len(token)
    return math.log2(size) - sum(map(_weighed, Counter(token).values())) / size if size else 0.0


@lru_cache(maxsize=1024)
def _weighed(count: int) -> float:
    return count * math.log2(count)


def _random(found: str) -> bool:
    """Whether the entropy is `ENTROPY_BITS_MIN` or more, without counting characters where so many different ones suffice."""
    return _least_entropy(len(found), len(set(found))) >= ENTROPY_BITS_MIN or entropy(found) >= ENTROPY_BITS_MIN


@lru_cache(maxsize=4096)
def _least_entropy(size: int, different: int) -> float:
    """The least entropy of so many characters of which so many are different: all others are one and the same."""
    same = size - different + 1
    return math.log2(size) - _weighed(same) / size if size else 0.0


def _refers(found: str) -> bool:
    """Whether it says where a secret is kept."""
    small = found.lower()
    named = any(small.find(word, 0, _PROGRAM_WITHIN + len(word)) >= 0 for word in _PROGRAM)
    return named or _REFERENCE.match(found) is not None


def documented(found: str) -> bool:
    """Whether it holds what manuals write in place of a secret."""
    small = found.lower()
    return any(map(small.__contains__, DOCUMENTED)) or ("<" in small and _TAG.search(small) is not None)


def secret(found: str) -> bool:
    """A token that looks random and is no placeholder of a manual."""
    return not documented(found) and _random(found)


def armored(found: str) -> bool:
    """A key between its header and its end: the header and the first line are judged, chance words further on are not."""
    return secret(found[:ARMOR_HEAD])


def assigned(found: str) -> bool:
    """The value of an assignment that mixes letters and digits, looks random and is no name in a program."""
    mixed = not found.isalpha() and any(map(str.isdigit, found)) and any(map(str.isalpha, found))
    return mixed and secret(found) and not _NAMED.fullmatch(found) and not _refers(found)


def password(found: str) -> bool:
    """A password where only a password can stand: no placeholder, no reference to one, no word that everybody tries."""
    plain = found.lower().strip("*.-_")
    shown = len(set(found)) < 4 or _COMMON.fullmatch(plain) or documented(found)
    return not shown and not _refers(found)


def mixed_password(found: str) -> bool:
    """A password in prose or a program: mixed characters or random letters, and as above."""
    kinds = (
        any(map(str.isdigit, found)),
        any(map(str.isupper, found[1:])),
        not found[:-1].isalnum() and len(found) > 1,
    )
    mixed = sum(kinds) >= 2 and not _NAMED.fullmatch(found)
    return (mixed or _scrambled(found)) and entropy(found) >= 2.5 and password(found)


def _scrambled(found: str) -> bool:
    """Whether letters change between small and capital ones as no words and names do."""
    changes = sum(a.islower() != b.islower() for a, b in pairwise(found))
    return found.isalpha() and changes >= 5 and entropy(found) >= 3.0


def web_token(found: str) -> bool:
    """RFC 7519: the first part is a JSON object in base64url; one that cannot be read counts by its letters."""
    head = found.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (NotBase64, ValueError):
        return secret(found)
    return isinstance(header, dict) and secret(found)


def basic(found: str) -> bool:
    """RFC 7617: user and password in base64, in any encoding that holds ASCII, parted by a colon, no control characters; no placeholder."""
    try:
        user, colon, word = b64decode(found, validate=True).decode("latin-1").partition(":")
    except NotBase64:
        return False
    return bool(user and colon and word) and not _CONTROL.search(user + word) and password(word)


SECRETS: Mapping[str, Check] = {
    "assigned": assigned,
    "basic": basic,
    "jwt": web_token,
    "password": password,
    "password_strict": mixed_password,
    "armored": armored,
    "secret": secret,
}
"""By the name that a pattern gives; what they are asked about is the value as it stands."""
