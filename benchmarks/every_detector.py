"""False alarms of every stream detector, from rows to findings, on the code that runs in production.

Streams without change of 100 windows of 500 rows, after 30 of reference where a detector compares with its own past. Twice: rows that
are independent and name nobody, and 250 new people in each window, of unequal activity and with habits of their own (ICC 0.3), whose
rows name them. Group detectors have two groups 70/30; four fifths stands where its null ends (24 % against 30 %).

A detector has its row when `ROWS` says what its rows look like: parameters, and columns made from a crowd. What is counted comes from
the measure of the detector over a whole stream at once, and is checked against `observe` on the first windows of the first stream;
a detector of another kind is simply given its rows, window by window.

    python benchmarks/every_detector.py [streams [kind ...]]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from _traffic import BUCKETS, built, first_alarm, interval
from tocsin.detect.streams.cells import cells
from tocsin.detect.streams.counts import ALL, Group, GroupCounts
from tocsin.detect.streams.groups import GroupContrast
from tocsin.detect.streams.measure import texts
from tocsin.detect.streams.watch import Watch
from tocsin.model.telemetry import ROW, SEGMENT

WINDOWS, REFERENCE, SIZE, PEOPLE, ICC = 100, 30, 500, 250, 0.3
LARGER = 0.7
RESULT = Path(__file__).parent / "results" / "every_detector.md"
Columns = dict[str, Any]


class Crowd:
    """Who made each row of a stream: new people in each window, or (`alone`) somebody else in every row."""

    def __init__(self, rng: np.random.Generator, windows: int, *, alone: bool) -> None:
        self.rng, self.alone, self.rows = rng, alone, windows * SIZE
        self.window = np.repeat(np.arange(windows), SIZE)
        self.person = np.arange(self.rows)
        if not alone:
            weight = rng.lognormal(0, 1, (windows, PEOPLE))
            edges = (weight.cumsum(axis=1) / weight.sum(axis=1, keepdims=True) + np.arange(windows)[:, None]).ravel()
            edges[PEOPLE - 1 :: PEOPLE] = np.arange(1, windows + 1)
            self.person = np.searchsorted(edges, self.window + rng.random(self.rows), side="right")
        self.people = int(self.person[-1]) + 1 if alone else windows * PEOPLE
        self.first = rng.random(self.people) < LARGER
        self.bucket = rng.integers(0, BUCKETS, self.people)[self.person]

    def group(self, larger: str, smaller: str) -> np.ndarray:
        """The group of each row's person."""
        return np.where(self.first, larger, smaller)[self.person]

    def flag(self, rate: float, smaller: float | None = None) -> np.ndarray:
        """A flag per row: everyone has a rate of his own, beta-distributed around `rate` (that of the smaller group: `smaller`)."""
        mean = np.where(self.first, rate, rate if smaller is None else smaller)
        own = mean if self.alone else self.rng.beta(mean * (1 / ICC - 1), (1 - mean) * (1 / ICC - 1))
        return self.rng.random(self.rows) < own[self.person]

    def number(self) -> np.ndarray:
        """A standard normal number per row, of which each person has a part of his own."""
        each = self.rng.standard_normal(self.rows)
        if self.alone:
            return each
        return np.sqrt(ICC) * self.rng.standard_normal(self.people)[self.person] + np.sqrt(1 - ICC) * each


@dataclass(frozen=True)
class Rows:
    """What a detector is given: its parameters, and the columns of a crowd in which nothing changes."""

    columns: Callable[[Crowd], Columns]
    parameters: dict[str, Any]


def _wrong(rate: float) -> Callable[[Crowd], Columns]:
    def columns(crowd: Crowd) -> Columns:
        decision = crowd.flag(0.4)
        return {"decision": decision, "label": decision ^ crowd.flag(rate), "group.g": crowd.group("a", "b")}

    return columns


def _caught(crowd: Crowd) -> Columns:
    label = crowd.flag(0.4)
    return {"label": label, "decision": label & crowd.flag(0.8)}


def _discovered(crowd: Crowd) -> Columns:
    decision = crowd.flag(0.4)
    return {"decision": decision, "label": decision & ~crowd.flag(0.1)}


def _scored(crowd: Crowd) -> Columns:
    label = crowd.flag(0.3)
    return {"score": np.full(crowd.rows, 0.3), "label": label, "group.g": crowd.group("a", "b")}


def _sure(crowd: Crowd) -> Columns:
    score = 1 / (1 + np.exp(-2 * crowd.number()))
    return {"score": score, "decision": score > 0.5}


def _chosen(rate: float, smaller: float) -> Callable[[Crowd], Columns]:
    return lambda crowd: {"decision": crowd.flag(rate, smaller), "group.g": crowd.group("a", "b")}


def _odds(crowd: Crowd) -> Columns:
    label = crowd.flag(0.4)
    return {
        "label": label,
        "decision": np.where(label, crowd.flag(0.7), crowd.flag(0.1)),
        "group.g": crowd.group("a", "b"),
    }


def _said(column: str, rate: float, if_so: Any, if_not: Any) -> Callable[[Crowd], Columns]:
    """A column that says one of two things; of messages, with the assistant's role."""
    return lambda crowd: {
        column: np.where(crowd.flag(rate), if_so, if_not),
        **({} if column == "role" else {"role": np.full(crowd.rows, "assistant")}),
    }


_TWO = {"group": "g", "groups": ["a", "b"]}
_AGE = {"column": "feature.age"}
ROWS: dict[str, Rows] = {
    "error_rate": Rows(_wrong(0.05), {}),
    "recall": Rows(_caught, {}),
    "false_discovery": Rows(_discovered, {}),
    "regression_error": Rows(
        lambda crowd: {"score": np.zeros(crowd.rows), "feature.age": crowd.number()},
        {"actual": "feature.age", "ceiling": 3.0},
    ),
    "estimated_error": Rows(_sure, {}),
    "calibration": Rows(_scored, {}),
    "calibration_within_groups": Rows(_scored, {"group": "g"}),
    "label_flips": Rows(_wrong(0.05), {"group": "g"}),
    "missing_values": Rows(lambda crowd: {"feature.age": np.where(crowd.flag(0.05), np.nan, 40.0)}, _AGE),
    "out_of_range": Rows(
        lambda crowd: {"feature.age": np.where(crowd.flag(0.02), 200.0, 40.0)},
        {**_AGE, "lowest": 0.0, "highest": 120.0},
    ),
    "new_categories": Rows(
        lambda crowd: {"feature.city": np.where(crowd.flag(0.03), "Bergen", "Oslo")},
        {"column": "feature.city", "known": ["Oslo"]},
    ),
    "slow_answers": Rows(lambda crowd: {"latency_ms": np.exp(7.5 + 0.6 * crowd.number())}, {}),
    "cost": Rows(lambda crowd: {"cost": np.exp(crowd.number())}, {"ceiling": 10.0}),
    "tokens": Rows(
        lambda crowd: {name: np.exp(7 + crowd.number()) for name in ("tokens_in", "tokens_out")}, {"ceiling": 8_000.0}
    ),
    "types": Rows(
        lambda crowd: {"feature.city": np.where(crowd.flag(0.02), "n/a", "12")},
        {"column": "feature.city", "form": "whole"},
    ),
    "failed_calls": Rows(_said("error", 0.03, "timeout", ""), {}),
    "refusals": Rows(_said("text", 0.05, "I cannot help with that.", "Here it is."), {}),
    "tool_calls": Rows(_said("role", 0.3, "tool", "assistant"), {}),
    "rate": Rows(lambda crowd: {"feature.age": crowd.number()}, {**_AGE, "above": 1.645}),
    "mean": Rows(lambda crowd: {"feature.age": crowd.number()}, {**_AGE, "floor": -3.0, "ceiling": 3.0}),
    "group_parity": Rows(_chosen(0.3, 0.3), _TWO),
    "four_fifths": Rows(_chosen(0.3, 0.24), _TWO),
    "equal_opportunity": Rows(_odds, _TWO),
    "predictive_equality": Rows(_odds, _TWO),
    "equalized_odds": Rows(_odds, _TWO),
}
"""One line a detector: add yours here."""


def batch(crowd: Crowd, columns: Columns, rows: slice) -> pa.RecordBatch:
    """Some rows of the stream as they come from telemetry."""
    chosen = {name: pa.array(values[rows]) for name, values in columns.items()}
    unit = np.char.add("u", crowd.person[rows].astype(str))
    count = rows.stop - rows.start
    place = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["a" * 64]))
    chosen["unit"] = pa.nulls(count, pa.string()) if crowd.alone else pa.array(unit)
    return pa.RecordBatch.from_pydict({**chosen, SEGMENT: place, ROW: pa.array(np.arange(rows.start, rows.stop))})


def states(watcher: Any, crowd: Crowd, columns: Columns) -> Iterator[Any]:
    """The window states of the stream."""
    windows = crowd.rows // SIZE
    if isinstance(watcher, Watch | GroupContrast):
        tables = counted(watcher, crowd, columns)
        for index in range(windows):
            groups = {name: Group(table[:, index], (), ()) for name, table in tables.items() if table[0, index].any()}
            yield GroupCounts(BUCKETS, groups, 0, 0 if crowd.alone else SIZE)
        return
    for index in range(windows):
        yield watcher.observe(watcher.zero(), batch(crowd, columns, slice(index * SIZE, (index + 1) * SIZE)))


def counted(watcher: Any, crowd: Crowd, columns: Columns) -> dict[str, np.ndarray]:
    """int64[2, windows, buckets] of every series, by the detector's own measure."""
    rows = pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()})
    if isinstance(watcher, GroupContrast):
        names, codes = _coded(cells(rows, ("group.g",)))
        found = {}
        for part in watcher.comparison.parts:
            seen = np.ones(crowd.rows, bool) if part.label is None else columns["label"] == part.label
            amount = columns["decision"].astype(float)
            found |= _tables(crowd, codes, [part.mark + name for name in names], seen, amount)
        return found
    seen, amount = watcher.measure.amounts(rows, watcher.setting.parameters)
    by = watcher.get("by")
    names, codes = _coded(texts(rows, by)) if by else ([ALL], np.zeros(crowd.rows, np.int64))
    return _tables(crowd, codes, names, seen, np.where(seen, np.rint(amount * watcher.measure.full), 0.0))


def _coded(values: pa.DictionaryArray) -> tuple[list[str], np.ndarray]:
    return values.dictionary.to_pylist(), values.indices.to_numpy().astype(np.int64)


def _tables(
    crowd: Crowd, codes: np.ndarray, names: list[str], seen: np.ndarray, amount: np.ndarray
) -> dict[str, np.ndarray]:
    windows = crowd.rows // SIZE
    where = ((codes * windows + crowd.window) * BUCKETS + crowd.bucket)[seen]
    size = len(names) * windows * BUCKETS
    table = np.stack([np.bincount(where, w, size) for w in (None, amount[seen])]).astype(np.int64)
    shaped = table.reshape(2, len(names), windows, BUCKETS)
    return {name: shaped[:, place] for place, name in enumerate(names)}


def agrees(watcher: Any, crowd: Crowd, columns: Columns) -> None:
    """That what is simulated is what `observe` counts, on the first three windows."""
    for index, state in zip(range(3), states(watcher, crowd, columns), strict=False):
        real = watcher.observe(watcher.zero(), batch(crowd, columns, slice(index * SIZE, (index + 1) * SIZE)))
        if isinstance(real, GroupCounts):
            for name in {*real.groups, *state.groups}:
                told = [(one.rows(name), one.outcomes(name)) for one in (real, state)]
                assert told[0] == told[1], (watcher.id, name, told)


def alarms(kinds: list[str], streams: int, *, alone: bool) -> dict[str, int]:
    """Streams with an alarm, of each detector; the detectors of a stream share its crowd."""
    watchers = {kind: built(kind, **ROWS[kind].parameters) for kind in kinds}
    found = dict.fromkeys(kinds, 0)
    for seed in range(streams):
        crowd = Crowd(np.random.default_rng([seed, alone, 404]), WINDOWS + REFERENCE, alone=alone)
        for kind, watcher in watchers.items():
            columns = ROWS[kind].columns(crowd)
            if seed == 0:
                agrees(watcher, crowd, columns)
            first = 0 if own_past(watcher) else REFERENCE
            judged = (one for index, one in enumerate(states(watcher, crowd, columns)) if index >= first)
            found[kind] += first_alarm(watcher, judged, SIZE) is not None
    return found


def own_past(watcher: Any) -> bool:
    """Whether the detector begins with a reference."""
    parameters = watcher.setting.parameters
    return "windows_of_reference" in parameters and parameters.get("limit") is None


def main() -> None:
    """Simulate, print, and keep the result."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    kinds = sys.argv[2:] or list(ROWS)
    begin = time.process_time()
    lines = [
        "## False alarms of every stream detector",
        "",
        f"`python benchmarks/every_detector.py {streams}`, numpy {version('numpy')}: from rows to findings, default settings (pfa at 5 %),",
        f"{streams} streams without change, {WINDOWS} windows of {SIZE} rows after {REFERENCE} of reference where there is no limit.",
        f"People: {PEOPLE} new ones in each window, ICC {ICC}, their rows name them.",
        "",
        "| detector | compared with | independent rows: alarm | 95 % interval | people, ICC 0.3: alarm | 95 % interval |",
        "|---|---|---|---|---|---|",
    ]
    independent, people = (alarms(kinds, streams, alone=alone) for alone in (True, False))
    for kind in kinds:
        watcher = built(kind, **ROWS[kind].parameters)
        against = "own past" if own_past(watcher) else "limit" if isinstance(watcher, Watch) else "the other group"
        cells_ = [kind, against]
        for found in (independent[kind], people[kind]):
            low, high = interval(found, streams)
            cells_ += [f"{found / streams:.1%}", f"{low:.1%} to {high:.1%}"]
        lines.append(f"| {' | '.join(cells_)} |")
        print(lines[-1], flush=True)
    lines += ["", f"CPU {time.process_time() - begin:.0f} s."]
    if not sys.argv[2:]:
        RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
