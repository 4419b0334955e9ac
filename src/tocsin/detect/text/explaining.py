"""Why the injection model says what it says of one text: the worst window, and the words in it that weigh most."""

from __future__ import annotations

from itertools import accumulate
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from tocsin.detect.text.features import ORDERS, Words, folded, words
from tocsin.detect.text.injection import HEADS, UNTRUSTED, Model, score
from tocsin.detect.text.windows import Windows, breadth, windows

REACH = {"pair": 1, "gap pair": 2, "triple": 2, "stem pair": 1}
"""How many words behind the first a feature holds."""


class Reason(NamedTuple):
    """A piece of the window, in small letters, and what it adds to the logarithm of the odds."""

    words: str
    feature: str
    weight: float


class Explanation(NamedTuple):
    """The score, the head that gave it, where its window lies (characters), and the strongest reasons, the strongest first."""

    probability: float
    head: str
    start: int
    end: int
    reasons: tuple[Reason, ...]


def explain(text: str, role: str, model: Model, most: int = 5) -> Explanation:
    """Why `score` gives this text what it does. Slower than scoring; meant for findings that somebody reads."""
    probability = float(score([text], [role], model)[0])
    column = folded([text])
    found = words(column)
    if not len(found.row):
        return Explanation(probability, HEADS[0], 0, 0, ())
    every = windows(found.row, found.opens)
    best = [_best(found, every, model, role, head) for head in range(len(HEADS))]
    usable = best if role in UNTRUSTED else best[:1]
    _, head, first, behind = max(usable)
    line = column[0].as_py().lower()
    reasons = _reasons(found, line, slice(first, behind), model, head)
    slope = model.curves.get(role, model.curves["user"])[head].slope / sqrt(behind - first)
    named = tuple(Reason(said, feature, round(weight * slope, 3)) for weight, said, feature in reasons[:most])
    places = _places(text)
    low = int(np.searchsorted(places, found.start[first], "right")) - 1
    high = int(np.searchsorted(places, found.start[behind - 1] + found.length[behind - 1], "left"))
    return Explanation(probability, HEADS[head], max(low, 0), min(high, len(text)), named)


def _best(found: Words, every: Windows, model: Model, role: str, head: int) -> tuple[float, int, int, int]:
    """The logit of the worst window of a head, the head, and the words from and to."""
    curve, first = model.curves.get(role, model.curves["user"])[head], every.start[every.first]
    behind = first + every.words
    total = np.append(0, np.cumsum(np.sum([_weight(found, model, head, n) for n in range(len(ORDERS))], axis=0)))
    sums = (total[behind] - total[first]) / breadth(every.words)
    place = int(np.argmax(sums))
    return curve.slope * (float(sums[place]) - curve.middle), head, int(first[place]), int(behind[place])


def _weight(found: Words, model: Model, head: int, order: int) -> Any:
    return model.tables[head].take((found.hashes[order] >> model.shift).view(np.int64)).astype(np.int64)


def _reasons(found: Words, line: bytes, window: slice, model: Model, head: int) -> list[tuple[int, str, str]]:
    """(weight, words, feature) of the window's features that speak for it, equal words once with the sum of what they add."""
    summed: dict[tuple[str, str], int] = {}
    for order, feature in enumerate(ORDERS):
        weights = _weight(found, model, head, order)
        for place in range(window.start, window.stop):
            last = min(place + REACH.get(feature, 0), len(found.start) - 1)
            low = found.start[place] - (4 if feature in ("before", "opening") else 0)
            said = line[max(low, 0) : found.start[last] + found.length[last]].decode("utf-8", "replace")
            summed[said, feature] = summed.get((said, feature), 0) + int(weights[place])
    return sorted(((weight, *name) for name, weight in summed.items() if weight > 0), reverse=True)


def _places(text: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where each character of the text lies in its folded bytes, and the end; exact unless characters were joined."""
    if text.isascii():
        return np.arange(len(text) + 1)
    lengths = (len(line) for line in folded(list(text)).to_pylist())
    return np.fromiter(accumulate(lengths, initial=0), np.int64)
