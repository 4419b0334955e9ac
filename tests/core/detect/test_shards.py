"""Window states of the watching detectors over many shards: however rows are dealt out, bytes and findings are the same."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, placed, window
from tocsin.detect.streams.counts import ALL

WATCHERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("error_rate", {"limit": 0.1, "segments": ["feature.city", "group.sex"]}),
    ("error_rate", {"limit": 0.1, "by": "group.sex"}),
    ("calibration", {"segments": ["feature.city"]}),
    ("mean", {"limit": 45.0, "ceiling": 100.0, "segments": ["group.sex"]}),
    ("recall", {"limit": 0.8, "unit": "window"}),
)


def _rows(rng: np.random.Generator, count: int, segment: str, error: float) -> pa.RecordBatch:
    label = rng.random(count) < 0.7
    columns = {
        "decision": pa.array(label ^ (rng.random(count) < error)),
        "label": pa.array(label),
        "score": pa.array(rng.random(count)),
        "feature.age": pa.array(rng.normal(50, 15, count)),
        "feature.city": pa.array(rng.choice(np.array(["Oslo", "Roma", "Wien"]), count).tolist()),
        "group.sex": pa.array(rng.choice(np.array(["female", "male"]), count).tolist()),
        "unit": pa.array([f"u{n}" if n % 3 else None for n in rng.integers(0, 200, count)], pa.string()),
    }
    return placed(columns, segment=segment)


def _dealt(batch: pa.RecordBatch, shards: int, rng: np.random.Generator) -> list[pa.RecordBatch]:
    """The rows dealt out to so many shards, in any order."""
    owner = rng.integers(0, shards, batch.num_rows)
    return [batch.take(pa.array(rng.permutation(np.flatnonzero(owner == shard)))) for shard in range(shards)]


@pytest.mark.parametrize(("kind", "parameters"), WATCHERS)
@pytest.mark.parametrize("shards", [2, 7, 40])
def test_shards_give_the_bytes_of_the_whole(kind: str, parameters: dict[str, Any], shards: int) -> None:
    rng = np.random.default_rng(shards)
    watcher = detector(kind, **parameters)
    batches = [_rows(rng, 500, letter * 64, 0.1) for letter in "ab"]
    whole = reduce(watcher.observe, batches, watcher.zero())
    parts = [part for batch in batches for part in _dealt(batch, shards, rng)]
    states = [watcher.from_bytes(watcher.to_bytes(watcher.observe(watcher.zero(), part))) for part in parts]
    rng.shuffle(states)
    assert watcher.to_bytes(reduce(watcher.merge, states)) == watcher.to_bytes(whole)


@pytest.mark.parametrize(("kind", "parameters"), WATCHERS)
def test_shards_give_the_findings_of_the_whole(kind: str, parameters: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    watcher = detector(kind, **parameters)
    one = other = watcher.begin()
    found = []
    for index in range(12):
        batch = _rows(rng, 400, "a" * 64, 0.5)
        whole = watcher.observe(watcher.zero(), batch)
        merged = reduce(watcher.merge, (watcher.observe(watcher.zero(), part) for part in _dealt(batch, 5, rng)))
        first, second = watcher.evaluate(one, whole, window(index)), watcher.evaluate(other, merged, window(index))
        one, other = first.sequence, second.sequence
        assert first.findings == second.findings
        assert watcher.sequence_to_bytes(one) == watcher.sequence_to_bytes(other)
        found += first.findings
    assert found


def test_a_window_replayed_on_an_older_sequence_gives_the_same_again() -> None:
    rng = np.random.default_rng(2)
    watcher = detector("error_rate", limit=0.1)
    sequence = watcher.begin()
    states = [watcher.observe(watcher.zero(), _rows(rng, 300, "a" * 64, 0.1)) for _ in range(6)]
    for index, state in enumerate(states):
        again = watcher.evaluate(sequence, state, window(index))
        evaluated = watcher.evaluate(sequence, state, window(index))
        assert evaluated == again
        sequence = evaluated.sequence
    assert sequence.totals[ALL][0] == sum(state.rows(ALL) for state in states)


def test_after_an_alarm_the_process_begins_anew_and_remembers_that_it_alarmed() -> None:
    rng = np.random.default_rng(3)
    watcher = detector("error_rate", limit=0.1)
    sequence, alarmed = watcher.begin(), False
    for index in range(20):
        state = watcher.observe(watcher.zero(), _rows(rng, 300, "a" * 64, 0.4))
        evaluated = watcher.evaluate(sequence, state, window(index))
        sequence = evaluated.sequence
        if evaluated.findings:
            alarmed = True
            break
    assert alarmed
    process = sequence.processes[f"{ALL}:up"]
    assert (process.windows, process.alarms) == (0, 1)
    assert watcher.bar(process) == pytest.approx(2 * watcher.log_threshold(process))
    assert sequence.references[ALL].largest > 0
