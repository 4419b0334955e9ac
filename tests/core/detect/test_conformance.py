"""What every detector must do. A detector is tested here by being in the folder `detect/detectors/`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import detector, hostile, window
from tocsin.content.discovery import detector_kinds
from tocsin.model.errors import BadInput
from tocsin.model.finding import Finding

KINDS = sorted(detector_kinds())
STATE_BYTES_MAX = 1 << 20
SEQUENCE_BYTES_MAX = 32 << 10
seeds = st.integers(0, 2**32 - 1)
calm = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _observed(kind: str, batches: list[pa.RecordBatch]) -> Any:
    watcher = detector(kind)
    state = watcher.zero()
    for batch in batches:
        state = watcher.observe(state, batch)
    return state


def _cut(batch: pa.RecordBatch, rng: np.random.Generator) -> list[pa.RecordBatch]:
    cuts = np.sort(rng.integers(0, batch.num_rows + 1, 3))
    edges = [0, *cuts.tolist(), batch.num_rows]
    return [batch.slice(start, end - start) for start, end in pairwise(edges)]


@pytest.mark.parametrize("kind", KINDS)
@calm
@given(seed=seeds)
def test_any_split_order_and_merge_tree_gives_the_same_bytes(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    watcher = detector(kind)
    batch = hostile(kind, rng, 120)
    whole = watcher.to_bytes(_observed(kind, [batch]))
    shuffled = batch.take(pa.array(rng.permutation(batch.num_rows)))
    states = [watcher.observe(watcher.zero(), part) for part in _cut(shuffled, rng)]
    while len(states) > 1:
        one, other = states.pop(int(rng.integers(len(states)))), states.pop(int(rng.integers(len(states))))
        states.append(watcher.merge(one, other))
    assert watcher.to_bytes(states[0]) == whole
    assert watcher.to_bytes(_observed(kind, _cut(batch, rng))) == whole


@pytest.mark.parametrize("kind", KINDS)
@calm
@given(seed=seeds)
def test_merge_is_associative_commutative_and_zero_is_its_identity(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    watcher = detector(kind)
    a, b, c = (_observed(kind, [hostile(kind, rng, 40)]) for _ in range(3))

    def told(state: Any) -> bytes:
        return watcher.to_bytes(state)

    assert told(watcher.merge(a, watcher.merge(b, c))) == told(watcher.merge(watcher.merge(a, b), c))
    assert told(watcher.merge(a, b)) == told(watcher.merge(b, a))
    assert told(watcher.merge(a, watcher.zero())) == told(a)


@pytest.mark.parametrize("kind", KINDS)
@calm
@given(seed=seeds)
def test_states_read_back_from_their_bytes(kind: str, seed: int) -> None:
    watcher = detector(kind)
    data = watcher.to_bytes(_observed(kind, [hostile(kind, np.random.default_rng(seed), 60)]))
    assert watcher.to_bytes(watcher.from_bytes(data)) == data
    assert len(data) <= STATE_BYTES_MAX


@pytest.mark.parametrize("kind", KINDS)
@calm
@given(noise=st.binary(max_size=60))
def test_bytes_that_are_no_state_are_bad_input_and_no_traceback(kind: str, noise: bytes) -> None:
    watcher = detector(kind)
    for read in (watcher.from_bytes, watcher.sequence_from_bytes):
        with pytest.raises(BadInput):
            read(b"\xc1" + noise)


@pytest.mark.parametrize("kind", KINDS)
def test_neither_state_nor_rows_are_changed_by_observing(kind: str) -> None:
    rng = np.random.default_rng(3)
    watcher = detector(kind)
    batch, state = hostile(kind, rng, 50), _observed(kind, [hostile(kind, rng, 50)])
    before_rows, before_state = repr(batch.to_pylist()), watcher.to_bytes(state)
    watcher.observe(state, batch)
    watcher.merge(state, state)
    watcher.evaluate(watcher.begin(), state, window(0))
    assert (repr(batch.to_pylist()), watcher.to_bytes(state)) == (before_rows, before_state)


def _played(kind: str, windows: int) -> tuple[list[Finding], list[bytes], list[Any]]:
    """Findings, sequence bytes and statistics of a stream of hostile windows."""
    watcher = detector(kind)
    sequence, findings, kept, statistics = watcher.begin(), [], [], []
    rng = np.random.default_rng(11)
    for index in range(windows):
        state = watcher.observe(watcher.zero(), hostile(kind, rng, 80))
        evaluated = watcher.evaluate(sequence, state, window(index, 80))
        kept.append(watcher.sequence_to_bytes(evaluated.sequence))
        sequence = watcher.sequence_from_bytes(kept[-1])
        findings += evaluated.findings
        statistics.append(evaluated.statistics)
    return findings, kept, statistics


@pytest.mark.parametrize("kind", KINDS)
def test_a_replay_gives_the_same_findings_and_the_same_bytes(kind: str) -> None:
    assert _played(kind, 30) == _played(kind, 30)


@pytest.mark.parametrize("kind", KINDS)
def test_sequences_read_back_from_their_bytes(kind: str) -> None:
    watcher = detector(kind)
    _, kept, _ = _played(kind, 12)
    for data in kept:
        assert watcher.sequence_to_bytes(watcher.sequence_from_bytes(data)) == data


@pytest.mark.parametrize("kind", KINDS)
def test_the_sequence_stays_small_however_long_the_stream(kind: str) -> None:
    _, kept, _ = _played(kind, 160)
    assert len(kept[-1]) <= SEQUENCE_BYTES_MAX
    assert len(kept[-1]) <= 1.5 * len(kept[-20]) + 64


@pytest.mark.parametrize("kind", KINDS)
def test_findings_and_statistics_are_json_and_read_back(kind: str) -> None:
    findings, _, statistics = _played(kind, 40)
    for finding in findings:
        assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding
        assert finding.explanation
        assert finding.blind_spots
        assert finding.next_steps
        assert len(finding.rows) <= 100
    msgspec.json.encode(statistics)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_findings_are_unique_and_depend_on_the_window(kind: str) -> None:
    findings, _, _ = _played(kind, 40)
    ids = [finding.id for finding in findings]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", KINDS)
def test_empty_windows_are_harmless(kind: str) -> None:
    watcher = detector(kind)
    sequence = watcher.begin()
    for index in range(5):
        evaluated = watcher.evaluate(sequence, watcher.zero(), window(index))
        assert evaluated.findings == ()
        sequence = evaluated.sequence
    assert watcher.to_bytes(
        watcher.observe(watcher.zero(), hostile(kind, np.random.default_rng(0), 0))
    ) == watcher.to_bytes(watcher.zero())


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_claims_and_cannot_see(kind: str) -> None:
    declared = detector_kinds()[kind]
    assert declared.name == kind
    assert declared.claims
    assert declared.blind_spots
    assert declared.sources
    assert all(parameter.doc for parameter in declared.parameters)
    assert set(detector(kind).columns) >= set(declared.required)


@pytest.mark.parametrize("kind", KINDS)
def test_the_specification_tells_settings_apart(kind: str) -> None:
    changed: dict[str, Any] = {"alpha": 0.01, "windows_per_false_alarm": 99, "minutes": 99.0}
    assert detector(kind).specification != detector(kind, **changed).specification
