"""Shingles: texts as sets of hashed stretches, to say how much of one stands in another, and which are nearly the same.

SOURCE: Broder, On the resemblance and containment of documents, 1997; Schleimer, Wilkerson & Aiken, Winnowing, 2003 (why
a sample that depends on the text alone meets itself again).
"""

from __future__ import annotations

import re
from hashlib import blake2b

import numpy as np

Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]
LENGTH = 32
"""Bytes of a shingle, counted after normalization: about six words; shorter stretches stand in innocent texts as well."""
WORDS = 3
_MULTIPLIER = 0x9E3779B97F4A7C15
_INVERSE = pow(_MULTIPLIER, -1, 1 << 64)
_APART = re.compile(r"[\W_]+")


def normal(text: str) -> bytes:
    """The text as it is compared: folded case, words by one space, in UTF-8."""
    return _APART.sub(" ", text.casefold()).strip().encode()


def shingles(text: bytes, length: int = LENGTH, key: int = 0) -> Hashes:
    """A 64-bit hash, keyed by 64 bits, of each stretch of `length` bytes, in order; none of a shorter text. Time is linear in the text.

    Prefix sums of c_i B^i modulo 2^64: the difference over a stretch, divided by B^start (B is odd), does not depend on where it
    stands; the splitmix64 finalizer spreads it.
    """
    data = np.frombuffer(text, np.uint8).astype(np.uint64) + np.uint64(1)
    if len(data) < length:
        return np.zeros(0, np.uint64)
    up = _powers(_MULTIPLIER, len(data))
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(data * up, dtype=np.uint64)))
    z = (sums[length:] - sums[:-length]) * _powers(_INVERSE, len(data) - length + 1) ^ np.uint64(key)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def fingerprint(text: str) -> str:
    """A short name that nearly equal texts share: the smallest hash among their stretches of three words.

    Two texts share it with the probability of their resemblance (the share of stretches that they have in common).
    """
    words = normal(text).split()
    stretches = {b" ".join(words[i : i + WORDS]) for i in range(max(len(words) - WORDS + 1, 1))}
    return min(blake2b(stretch, digest_size=8).hexdigest() for stretch in stretches)


def _powers(base: int, count: int) -> Hashes:
    """base^0 ... base^(count-1) modulo 2^64."""
    return np.concatenate((np.ones(1, np.uint64), np.full(count - 1, base, np.uint64))).cumprod(dtype=np.uint64)
