"""False alarms of the detector of model extraction, and how many questions three attacks have asked when they are found.

The clients' activity is log-normal (sigma 1.5) and each has a centre of its own. One client attacks after the reference: with random
inputs, by bisecting between two inputs of different decision, or with small changes to one input of the fleet.

    python benchmarks/extraction_alarms.py [streams]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from _traffic import built, interval, quantiles, window
from tocsin.model.telemetry import ROW, SEGMENT

ROWS, CLIENTS, WINDOWS, REFERENCE, ASKED, AFTER, ATTACKS = 1_000, 60, 60, 10, 100, 10, 40
NAMES = ("feature.income", "feature.age", "feature.amount")
RESULT = Path(__file__).parent / "results" / "extraction_alarms.md"
Inputs = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Attack = Callable[[np.random.Generator, Inputs], Inputs]


def score(inputs: Inputs) -> Any:
    """The model: float[n] from float[n, 3] in standard units."""
    return 1 / (1 + np.exp(-(1.5 * inputs[:, 0] - inputs[:, 1] + 0.8 * inputs[:, 2] + 0.5)))


def batch(inputs: Inputs, who: Any, first: int) -> pa.RecordBatch:
    """Predictions of these clients."""
    shown = (30_000 * np.exp(0.6 * inputs[:, 0]), 45 + 12 * inputs[:, 1], 200 * np.exp(inputs[:, 2]))
    columns: dict[str, Any] = dict(zip(NAMES, map(pa.array, shown), strict=True))
    segment = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(who), np.int32)), pa.array(["a" * 64]))
    rows = pa.array(np.arange(first, first + len(who), dtype=np.int64))
    unit = pa.array([f"c{number}" for number in who])
    return pa.RecordBatch.from_pydict(
        {**columns, "unit": unit, "score": pa.array(score(inputs)), SEGMENT: segment, ROW: rows}
    )


def randomly(rng: np.random.Generator, _: Inputs) -> Inputs:
    """All over a box of four standard deviations."""
    return rng.uniform(-4, 4, (ASKED, 3))


def searching(rng: np.random.Generator, _: Inputs) -> Inputs:
    """Ten halvings between an input that is refused and one that is granted, again and again."""
    asked = []
    while len(asked) < ASKED:
        low, high = rng.normal(0, 1, 3), rng.normal(0, 1, 3)
        if (score(low[None])[0] > 0.5) == (score(high[None])[0] > 0.5):
            continue
        for _step in range(10):
            middle = (low + high) / 2
            asked.append(middle)
            same = (score(middle[None])[0] > 0.5) == (score(low[None])[0] > 0.5)
            low, high = (middle, high) if same else (low, middle)
    return np.array(asked[:ASKED])


def perturbing(rng: np.random.Generator, fleet: Inputs) -> Inputs:
    """One input of the fleet, changed by a fiftieth of a standard deviation."""
    return fleet[rng.integers(len(fleet))] + rng.normal(0, 0.02, (ASKED, 3))


ATTACKERS: tuple[tuple[str, Attack], ...] = (
    ("random inputs", randomly),
    ("search of the threshold", searching),
    ("small changes to one input", perturbing),
)


def played(seed: list[int], icc: float, windows: int, attack: Attack | None = None) -> int | None:
    """The first window after the reference in which somebody (or, with an attack, the attacker) is found."""
    rng = np.random.default_rng(seed)
    watcher = built("extraction", columns=list(NAMES), windows_of_reference=REFERENCE)
    centre, weight, sequence = rng.normal(0, 1, (CLIENTS, 3)), rng.lognormal(0, 1.5, CLIENTS), watcher.begin()
    for place in range(REFERENCE + windows):
        who = rng.choice(CLIENTS, ROWS, p=weight / weight.sum())
        inputs = np.sqrt(icc) * centre[who] + np.sqrt(1 - icc) * rng.normal(0, 1, (ROWS, 3))
        if attack and place >= REFERENCE:
            inputs, who = np.concatenate([inputs, attack(rng, inputs)]), np.append(who, np.full(ASKED, CLIENTS))
        state = watcher.observe(watcher.zero(), batch(inputs, who, 10_000 * place))
        evaluated = watcher.evaluate(sequence, state, window(place, len(who)))
        sequence = evaluated.sequence
        if evaluated.findings:
            return place - REFERENCE
    return None


def main() -> None:
    """Simulate, print, and keep the result."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    begin = time.process_time()
    lines = [
        "## False alarms of the detector of model extraction",
        "",
        f"`python benchmarks/extraction_alarms.py {streams}`, numpy {version('numpy')}: default settings, three columns,",
        f"windows of {ROWS} rows of {CLIENTS} clients with log-normal activity (sigma 1.5), {REFERENCE} windows of reference",
        f"and {WINDOWS} more without an attack.",
        "",
        "| clients | streams | with a false alarm | 95 % interval |",
        "|---|---|---|---|",
    ]
    for what, icc, part in (("with a centre of their own, ICC 0.3", 0.3, 1), ("alike", 0.0, 4)):
        count = max(streams // part, 1)
        alarms = sum(played([seed, 1], icc, WINDOWS) is not None for seed in range(count))
        low, high = interval(alarms, count)
        lines.append(f"| {what} | {count} | {alarms / count:.1%} | {low:.1%} to {high:.1%} |")
        print(lines[-1], f"{time.process_time() - begin:.0f} s", flush=True)
    lines += [
        "",
        f"Questions asked by the attacker, {ASKED} a window, when he is found (median / 90th percentile of {ATTACKS} streams,",
        f"ICC 0.3; `inf`: not within {ASKED * AFTER:,}):",
        "",
        "| attack | questions | found |",
        "|---|---|---|",
    ]
    for what, attack in ATTACKERS:
        at = [played([seed, 2], 0.3, AFTER, attack) for seed in range(ATTACKS)]
        asked = [float("inf") if one is None else ASKED * (one + 1.0) for one in at]
        found = sum(one is not None for one in at)
        lines.append(f"| {what} | {quantiles(asked)} | {found} of {ATTACKS} |")
        print(lines[-1], f"{time.process_time() - begin:.0f} s", flush=True)
    lines += ["", f"CPU {time.process_time() - begin:.0f} s."]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
