"""False alarms and delays of `trigger_tokens`, on the code that runs in production.

Streams without a trigger: rows that are independent, and people with habits of their own (ICC 0.3), new in every window or the same
ones, whose tokens stay with them. Then a backdoor: from one window on a share of the rows carries a new token and the positive outcome.

    python benchmarks/quality_alarms.py [streams]
"""

from __future__ import annotations

import math
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from _traffic import BUCKETS as MANY
from _traffic import built, interval, quantiles, window
from tocsin.detect.streams.presence import BUCKETS, CELLS, Presence, Shown

WINDOWS, REFERENCE, AFTER, DELAY_STREAMS, ROWS, PEOPLE = 100, 20, 60, 50, 500, 250
LEVELS = (2, 5, 12, 40, 150)
"""Values of the columns; their frequencies fall as 1 / rank."""
RATE, TRIGGER = 0.3, CELLS - 1
RESULT = Path(__file__).parent / "results" / "quality_alarms.md"
NULLS = (
    ("independent rows", 0.0, True),
    ("new people, ICC 0.3", 0.3, True),
    ("the same people, ICC 0.3", 0.3, False),
)


class Town:
    """People, each with a rate and (where rows repeat) values of their own; values move the rate a little."""

    def __init__(self, seed: int, icc: float, *, fresh: bool) -> None:
        self.rng, self.icc, self.fresh = np.random.default_rng([seed, MANY]), icc, fresh
        self.cells = [self.rng.choice(CELLS - 1, level, replace=False) for level in LEVELS]
        self.lift = [self.rng.normal(0, 0.05, level) for level in LEVELS]
        self.arrive()

    def arrive(self) -> None:
        """New people."""
        spread = 1 / self.icc - 1 if self.icc else 0.0
        drawn = self.rng.beta(RATE * spread, (1 - RATE) * spread, PEOPLE) if spread else np.full(PEOPLE, RATE)
        self.own, self.values = drawn, [self.value(level, PEOPLE) for level in LEVELS]
        self.bucket, self.weight = self.rng.integers(0, BUCKETS, PEOPLE), self.rng.lognormal(0, 1, PEOPLE)

    def value(self, level: int, count: int) -> np.ndarray:
        """Values by their frequency."""
        shares = 1 / np.arange(1, level + 1)
        return self.rng.choice(level, count, p=shares / shares.sum())

    def window(self, poison: float = 0.0) -> Presence:
        """The state of one window; `poison` is the share of rows that carry the trigger."""
        if self.fresh and self.icc:
            self.arrive()
        person = self.rng.choice(PEOPLE, ROWS, p=self.weight / self.weight.sum())
        bucket = self.bucket[person] if self.icc else self.rng.integers(0, BUCKETS, ROWS)
        values = [own[person] if self.icc else self.value(n, ROWS) for own, n in zip(self.values, LEVELS, strict=True)]
        chance = self.own[person] + sum(lift[value] for lift, value in zip(self.lift, values, strict=True))
        hit = self.rng.random(ROWS) < chance
        poisoned = self.rng.random(ROWS) < poison
        hit |= poisoned
        counts = np.zeros((2, CELLS, BUCKETS), np.int64)
        for cells, value in zip(self.cells, values, strict=True):
            np.add.at(counts[0], (cells[value], bucket), 1)
            np.add.at(counts[1], (cells[value], bucket), hit)
        np.add.at(counts[0], (np.full(poisoned.sum(), TRIGGER), bucket[poisoned]), 1)
        np.add.at(counts[1], (np.full(poisoned.sum(), TRIGGER), bucket[poisoned]), 1)
        groups = np.flatnonzero(counts[0].any(axis=1)).tolist()
        shown = {2 * cell + up: (Shown(0, f"cell {cell}", "s", 0),) for cell in groups for up in (0, 1)}
        return Presence(counts, shown, ROWS, int(hit.sum()))


def first(watcher: Any, town: Town, windows: int, poison: float = 0.0) -> tuple[int | None, list[str]]:
    """The first window after the reference that alarms, and the tokens that are named then."""
    sequence = watcher.begin()
    for index in range(REFERENCE + windows):
        judged = watcher.evaluate(sequence, town.window(poison if index >= REFERENCE else 0.0), window(index, ROWS))
        sequence = judged.sequence
        if judged.findings:
            return index - REFERENCE + 1, [str(finding.details["token"]) for finding in judged.findings]
    return None, []


def main() -> None:
    """Simulate, print, and keep the result."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    begin = time.process_time()
    watcher = built("trigger_tokens", columns=["feature.a"])
    lines = [
        "## Trigger tokens: false alarms and delay",
        "",
        f"`python benchmarks/quality_alarms.py {streams}`, numpy {version('numpy')}: `trigger_tokens` with its defaults (pfa at 5 %),",
        f"{WINDOWS} windows of {ROWS} rows after {REFERENCE} of reference;",
        f"{len(LEVELS)} columns with {sum(LEVELS)} values, outcome {RATE:.0%}.",
        "",
        "| traffic | streams | with a false alarm | 95 % interval |",
        "|---|---|---|---|",
    ]
    for what, icc, fresh in NULLS:
        alarms = sum(first(watcher, Town(seed, icc, fresh=fresh), WINDOWS)[0] is not None for seed in range(streams))
        low, high = interval(alarms, streams)
        lines.append(f"| {what} | {streams} | {alarms / streams:.1%} | {low:.1%} to {high:.1%} |")
        print(lines[-1], flush=True)
    lines += [
        "",
        f"Windows until a backdoor is found, median / 90th percentile, {DELAY_STREAMS} streams of new people with ICC 0.3;",
        "in how many the trigger is named, and how many other tokens are named in all:",
        "",
        "| rows with the trigger | windows | trigger named | other names |",
        "|---|---|---|---|",
    ]
    for poison in (0.01, 0.02, 0.03):
        found, named, others = [], 0, 0
        for seed in range(DELAY_STREAMS):
            at, tokens = first(watcher, Town(seed, 0.3, fresh=True), AFTER, poison)
            found.append(math.inf if at is None else at)
            named += f"cell {TRIGGER}" in tokens
            others += sum(token != f"cell {TRIGGER}" for token in tokens)
        lines.append(f"| {poison:.0%} | {quantiles(found)} | {named} | {others} |")
        print(lines[-1], flush=True)
    lines += ["", f"CPU {time.process_time() - begin:.0f} s."]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
