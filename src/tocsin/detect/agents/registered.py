"""Registered texts and canaries: what must not come out of a system, kept so that it can be recognized and not be read.

A text is kept as keyed hashes of its stretches (see `shingles`), thinned by the hash itself so that a large corpus stays small: the
same stretches are kept of whatever it is compared with. A canary is a random token that is planted in a prompt or a document and
means nothing: that it comes out, in whatever encoding, proves that its surroundings were read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal, NamedTuple, get_args

import numpy as np

from tocsin.detect.agents.shingles import LENGTH, Hashes, normal, shingles
from tocsin.detect.text.decoders import written
from tocsin.detect.text.decoding import undone
from tocsin.detect.text.engine import column

Kind = Literal["system_prompt", "reference", "corpus"]
KINDS: tuple[str, ...] = get_args(Kind)
KEPT_MAX = 100_000
"""Hashes kept of one text: 0.8 MB; a longer text is thinned to every second, fourth, eighth ... stretch."""
SIEVE_BITS = 22
"""Of the leading bits of hashes: half a megabyte as bits, four as bytes; a hundred thousand hashes let 2 % of others pass."""
CANARY = re.compile(r"tcn[a-z2-7]{21}")
"""A canary: three letters that say what it is, and 105 random bits."""
_APART = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Registered:
    """A text: its hashes, ascending, and the share of stretches kept (`every`: one in so many, a power of two)."""

    id: str
    kind: str
    system: str
    hashes: Hashes
    every: int


@dataclass(frozen=True)
class Canary:
    """A canary and where it was planted."""

    id: str
    system: str
    token: str


class Contained(NamedTuple):
    """How much of a registered text a text holds: the longest unbroken stretch in bytes, and the share of the whole."""

    id: str
    kind: str
    longest: int
    share: float


@dataclass(frozen=True)
class Registry:
    """Everything that is registered for a system."""

    texts: tuple[Registered, ...] = ()
    canaries: tuple[Canary, ...] = ()
    key: int = 0

    @cached_property
    def digest(self) -> str:
        """The digest of everything that decides what is recognized."""
        parts = [
            f"{one.id}\x1f{one.kind}\x1f{one.every}\x1f{sha256(one.hashes.tobytes()).hexdigest()}" for one in self.texts
        ]
        parts += [f"{one.id}\x1f{sha256(one.token.encode()).hexdigest()}" for one in self.canaries]
        return sha256("\x1e".join(parts).encode()).hexdigest()[:16]

    @cached_property
    def variants(self) -> Mapping[str, str]:
        """Every encoding of every canary, and the id of its canary."""
        return {variant: one.id for one in self.canaries for variant in encoded(one.token)}

    @cached_property
    def _sieve(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which leading bits any registered hash has: most stretches of other texts have none of them."""
        sieve = np.zeros(1 << SIEVE_BITS, bool)
        for one in self.texts:
            sieve[one.hashes >> np.uint64(64 - SIEVE_BITS)] = True
        return sieve

    def suspects(self, texts: Sequence[str]) -> list[int]:
        """The places of the texts that may hold something registered: all that do, and few others.

        All are looked at in one pass, so that a text that holds nothing costs little more than its normalization.
        """
        found = set(self._suspected_words(texts)) if self.texts else set()
        if self.canaries:
            joined = "\n".join(text.replace("\n", " ") for text in texts)
            if self._plainly(joined):
                found |= {place for place, text in enumerate(texts) if self._plainly(text)}
            found |= {
                layer.row
                for layer in undone(column(texts)).layers
                if self._plainly(layer.text.decode("utf-8", "replace"))
            }
        return sorted(found)

    def _suspected_words(self, texts: Sequence[str]) -> list[int]:
        normals = [normal(text) for text in texts]
        found = shingles(b"\n".join(normals), key=self.key)
        held = np.flatnonzero(self._sieve[found >> np.uint64(64 - SIEVE_BITS)])
        ends = np.cumsum([len(one) + 1 for one in normals])
        return [int(place) for place in np.unique(np.searchsorted(ends, held, side="right"))]

    def contained(self, text: str) -> Iterator[Contained]:
        """What of the registered texts stands in this one. Time is linear in the text and logarithmic in what is registered."""
        found = shingles(normal(text), key=self.key) if self.texts else np.zeros(0, np.uint64)
        for one in self.texts if len(found) else ():
            places = np.flatnonzero(found % np.uint64(one.every) == 0)
            held = found[places]
            inside = np.isin(held, one.hashes)
            if inside.any():
                share = len(np.unique(held[inside])) / len(one.hashes)
                yield Contained(one.id, one.kind, _longest(places, inside), share)

    def spoken(self, text: str) -> Iterator[str]:
        """The ids of the canaries that stand in a text, plainly or in encodings, each once."""
        if self.canaries:
            decoded = (layer.text.decode("utf-8", "replace") for layer in undone(column([text])).layers)
            yield from sorted(self._plainly(text).union(*map(self._plainly, decoded)))

    def _plainly(self, text: str) -> set[str]:
        """Those of which a variant stands in it, whatever parts its characters."""
        bare = _APART.sub("", text)
        forms = (text, bare, bare.casefold())
        return {name for variant, name in self.variants.items() if any(variant in form for form in forms)}


def registered(name: str, kind: str, system: str, text: str, key: int) -> Registered:
    """The text as it is kept. Texts shorter than a stretch keep nothing."""
    hashes = np.unique(shingles(normal(text), key=key))
    every = 1
    while len(hashes) > KEPT_MAX:
        every *= 2
        hashes = hashes[hashes % np.uint64(every) == 0]
    return Registered(name, kind, system, hashes, every)


def encoded(token: str) -> tuple[str, ...]:
    """A canary as it may come out: plain, and in capitals or not in each encoding that is the same wherever it stands."""
    forms = (form for one in (token, token.upper()) for form in written(one.encode()))
    return (token, *(form.decode() for form in forms))


def _longest(
    places: np.ndarray[tuple[int], np.dtype[np.int64]], inside: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> int:
    """The longest run of stretches without a strange one between them, in bytes from its first to its last."""
    edges = np.diff(np.concatenate(([False], inside, [False])).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return int((places[ends] - places[starts]).max()) + LENGTH
