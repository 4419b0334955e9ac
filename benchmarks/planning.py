"""Delays that `tocsin monitor plan` predicts, beside those measured: rows that go through the detectors' own `observe` and `evaluate`.

The planner draws counts per bucket. Here people are drawn one by one, with a rate and an activity of their own, and rows with a unit, a
group, a label and a decision; every row is hashed and counted as in production. Medians between whole windows, as of grouped data, so
that one window more or less at the border is not a large difference.

    python benchmarks/planning.py [streams]
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from _traffic import window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import complete
from tocsin.detect.planning.power import BEFORE, Trials, quantile
from tocsin.detect.planning.scenarios import Assumed, Scenario, scenario, supposed
from tocsin.model.detector import Setting
from tocsin.model.telemetry import ROW, SEGMENT, Windowing

RESULT = Path(__file__).parent / "results" / "planning.md"
WITHIN, STREAMS = 120, 400
ALLOWED = 0.15
SHARES = (0.7, 0.3)


@dataclass(frozen=True)
class Case:
    """A detector, its traffic, and the sizes of change."""

    name: str
    kind: str
    given: dict[str, Any]
    rows: int
    rate: float
    units: int
    icc: float
    sizes: tuple[float, ...]

    def watcher(self) -> Any:
        """The detector; people have other names in each stream, and so fall into other buckets."""
        kind = detector_kinds()[self.kind]
        setting = Setting(
            self.kind, "s", complete(kind, self.given), Windowing(every=timedelta(hours=1)), bytes(32), {}
        )
        return kind.build(setting)

    @property
    def grouped(self) -> bool:
        """Whether groups are compared."""
        return "group" in self.given


def cases() -> Iterator[Case]:
    """Rate against a limit, own reference, parity, true positive rate, mean; several volumes and correlations."""
    two = {"group": "g", "groups": ["a", "b"]}
    for rows, units, icc in ((500, 0, 0.0), (500, 250, 0.1), (500, 250, 0.3), (5_000, 2_500, 0.1)):
        small = rows > 1_000
        yield Case(
            "rate, limit",
            "error_rate",
            {"limit": 0.05},
            rows,
            0.05,
            units,
            icc,
            (0.005, 0.01) if small else (0.01, 0.02, 0.05),
        )
    yield Case("rate, own past", "error_rate", {}, 500, 0.05, 0, 0.0, (0.015, 0.02, 0.05))
    yield Case("rate, own past", "error_rate", {}, 500, 0.05, 250, 0.1, (0.02, 0.05))
    yield Case("rate, own past", "error_rate", {}, 2_000, 0.05, 1_000, 0.1, (0.01, 0.02))
    for rows, units, icc in ((500, 0, 0.0), (500, 250, 0.1), (500, 250, 0.3), (2_000, 1_000, 0.1)):
        yield Case("parity", "group_parity", two, rows, 0.3, units, icc, (0.05, 0.1) if units else (0.05, 0.1, 0.15))
    yield Case("true positive rate", "equal_opportunity", two, 300, 0.7, 0, 0.0, (0.1, 0.15))
    yield Case("true positive rate", "equal_opportunity", two, 300, 0.7, 150, 0.1, (0.15,))
    mean = {"column": "score", "floor": 0.0, "ceiling": 1.0, "limit": 0.4, "direction": "up"}
    yield Case("mean", "mean", mean, 500, 0.4, 0, 0.0, (0.04, 0.1))
    yield Case("mean", "mean", mean, 500, 0.4, 250, 0.1, (0.04, 0.1))


class Crowd:
    """People one by one: group, activity, rate. Without units every row is somebody new."""

    def __init__(self, rng: np.random.Generator, case: Case) -> None:
        self.rng, self.case = rng, case
        people = case.units
        if people:
            spread = 1 / case.icc - 1
            self.weight = rng.lognormal(0, 1, people)
            self.group = rng.random(people) < SHARES[1] if case.grouped else np.zeros(people, bool)
            own = rng.beta(case.rate * spread, (1 - case.rate) * spread, people)
            for side in (False, True):
                mine = self.group == side
                served = (self.weight[mine] @ own[mine] / self.weight[mine].sum()) if mine.any() else case.rate
                own[mine] = _moved(own[mine], served, case.rate)
            self.own = own
            self.names = np.array([f"{rng.integers(1 << 60)}-{n}" for n in range(people)])

    def rows(self, size: float, index: int) -> pa.RecordBatch:
        """One window of rows, in which the rate (of the smaller group) has moved by the size; 0: not."""
        case, rng = self.case, self.rng
        count = rng.poisson(case.rows)
        if case.units:
            who = rng.choice(case.units, count, p=self.weight / self.weight.sum())
            group, rate, unit = self.group[who], self.own[who], pa.array(self.names[who])
        else:
            group = rng.random(count) < SHARES[1] if case.grouped else np.zeros(count, bool)
            rate, unit = np.full(count, case.rate), pa.nulls(count, pa.string())
        moving = group if case.grouped else np.ones(count, bool)
        after = case.rate - size if case.grouped else case.rate + size
        rate = np.where(moving, _moved(rate, case.rate, after), rate)
        yes = rng.random(count) < rate
        wrong = case.kind == "error_rate"
        columns = {
            "decision": pa.array(np.ones(count, bool) if wrong else yes),
            "label": pa.array(~yes if wrong else np.ones(count, bool)),
            "score": pa.array(yes.astype(float)),
            "unit": unit,
            "group.g": pa.array(np.where(group, "b", "a")).dictionary_encode(),
            SEGMENT: pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([f"w{index}"])),
            ROW: pa.array(np.arange(count)),
        }
        return pa.RecordBatch.from_pydict(columns)


def _moved(rates: np.ndarray, before: float, after: float) -> np.ndarray:
    if float(rates.max(initial=0)) * after / before <= 1:
        return rates * after / before
    return np.clip(1 - (1 - rates) * (1 - after) / (1 - before), 0, 1)


def predicted(case: Case) -> tuple[list[float], float]:
    """The planner's medians, and its CPU seconds."""
    begin = time.process_time()
    assumed = Assumed(
        case.rows, case.rate, case.units or None, case.icc if case.units else None, SHARES if case.grouped else ()
    )
    watcher = case.watcher()
    planned = scenario(watcher, supposed(watcher, {}, assumed))
    assert isinstance(planned, Scenario), planned
    trials = Trials(planned, 180)
    found = [trials.delay(size, WITHIN).typical or math.inf for size in case.sizes]
    return found, time.process_time() - begin


def measured(case: Case, size: float, streams: int) -> float:
    """The median of the delays of streams of rows."""
    watcher, found = case.watcher(), []
    lead = BEFORE + (
        int(case.given.get("windows_of_reference", 30))
        if case.kind == "error_rate" and "limit" not in case.given
        else 0
    )
    for seed in range(streams):
        crowd, sequence, at = Crowd(np.random.default_rng([seed, 4711]), case), watcher.begin(), math.inf
        for index in range(lead + WITHIN):
            batch = crowd.rows(size if index >= lead else 0.0, index)
            evaluated = watcher.evaluate(
                sequence, watcher.observe(watcher.zero(), batch), window(index, batch.num_rows)
            )
            sequence = evaluated.sequence
            if evaluated.findings:
                at = index - lead + 1
                break
        if at > 0:
            found.append(at)
    return quantile(found, 0.5)


def main() -> None:
    """Predict, measure, print, and keep the result."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else STREAMS
    begin = time.process_time()
    lines = [
        "## Planned and measured delays",
        "",
        f"`python benchmarks/planning.py {streams}`, numpy {version('numpy')}: median windows until a change is found, as",
        f"`tocsin monitor plan` predicts (180 streams of counts) and as measured on {streams} streams of rows, hashed and counted by the",
        f"detector; guarantee pfa 5 %, the change after {BEFORE} judged windows, two groups 70/30. Allowed: {ALLOWED:.0%}.",
        "",
        "| detector | rows | units, correlation | change | predicted | measured | difference |",
        "|---|---|---|---|---|---|---|",
    ]
    worst, cpu = 0.0, []
    for case in cases():
        told, seconds = predicted(case)
        cpu.append(seconds)
        for size, guess in zip(case.sizes, told, strict=True):
            truth = measured(case, size, streams)
            off = guess / truth - 1
            worst = max(worst, abs(off))
            who = f"{case.units:,}, {case.icc:g}" if case.units else "independent rows"
            lines.append(f"| {case.name} | {case.rows:,} | {who} | {size:g} | {guess:.1f} | {truth:.1f} | {off:+.0%} |")
            print(lines[-1], flush=True)
    lines += ["", f"Largest difference {worst:.0%}; the planner took {max(cpu):.1f} s of CPU at most for a detector."]
    lines += ["", f"CPU {time.process_time() - begin:.0f} s."]
    print("\n".join(lines[-3:]))
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
