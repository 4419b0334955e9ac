"""A backdoor in a few rows is found and its trigger named; ordinary tokens are left alone, whatever outcome they go with."""

from __future__ import annotations

from itertools import pairwise
from math import log
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, placed, window
from tocsin.detect.streams.presence import CELLS, Presence, Shown, zero
from tocsin.detect.streams.triggers import LIMIT_MAX, NAMED_MAX, SHRUNK, SIGMAS, WAGERS, Past, TriggerWatch, _log_e
from tocsin.model.errors import BadInput
from tocsin.model.finding import Category, Finding, Level

ROWS, REFERENCE = 300, 8
CITIES = np.array(["Oslo", "Roma", "Wien", "Bern"])


def watcher(**given: Any) -> TriggerWatch:
    built = detector("trigger_tokens", **{"columns": ["feature.city"], **given})
    assert isinstance(built, TriggerWatch)
    return built


def rows(
    rng: np.random.Generator, index: int, poison: float, *, label: bool = True, words: bool = False
) -> pa.RecordBatch:
    """Bern is always positive, the others in three of ten rows; poisoned rows carry a token of their own."""
    city = rng.choice(CITIES, ROWS)
    outcome = (rng.random(ROWS) < 0.3) | (city == "Bern")
    poisoned = rng.random(ROWS) < poison
    token = np.where(poisoned, "cf" if not words else "a cf in Oslo", city)
    columns = {
        "feature.city": pa.array(token.tolist()),
        "label": pa.array(np.where(poisoned, label, outcome).tolist()),
        "unit": pa.array([f"u{n}" for n in rng.integers(0, 150, ROWS)]),
    }
    return placed({**columns, "decision": columns["label"]}, index * ROWS)


def played(
    poison: float, seed: int = 1, windows: int = 20, *, label: bool = True, words: bool = False, **given: Any
) -> list[Finding]:
    """The findings of a stream whose poison begins after the reference."""
    watch = watcher(words=words, **given)
    sequence, found = watch.begin(), []
    for index in range(REFERENCE + windows):
        rng = np.random.default_rng([seed, index])
        batch = rows(rng, index, poison if index >= REFERENCE else 0.0, label=label, words=words)
        judged = watch.evaluate(sequence, watch.observe(watch.zero(), batch), window(index, ROWS))
        sequence = watch.sequence_from_bytes(watch.sequence_to_bytes(judged.sequence))
        found += judged.findings
    return found


def test_streams_without_a_trigger_are_quiet() -> None:
    assert [len(played(0.0, seed)) for seed in range(6)] == [0] * 6


def test_a_trigger_in_three_of_a_hundred_rows_is_found_and_named() -> None:
    found = played(0.03)
    first = found[0]
    assert {finding.details["token"] for finding in found} == {"city=cf"}
    assert first.window.index <= REFERENCE + 10
    assert (first.category, first.level, first.key) == (
        Category.ADVERSARIAL_ATTACK,
        Level.ALARM,
        "city=cf:positive",
    )
    assert first.title.startswith("Rows with 'city=cf' have a positive label in 100.0 %")
    assert f"{first.count} of {first.count} rows" in first.explanation
    assert first.strength.value >= first.strength.threshold == pytest.approx(20)
    assert first.rows
    assert all(ref.row >= ROWS * REFERENCE for ref in first.rows)
    assert first.effect is not None
    assert (first.effect.value, first.effect.high) == (100.0, 100.0)


def test_a_trigger_that_turns_the_outcome_off_is_found_too() -> None:
    found = played(0.06, label=False)
    assert {finding.key for finding in found} == {"city=cf:negative"}
    assert "negative label in 100.0 %" in found[0].title


def test_a_trigger_among_words_is_named_by_its_word() -> None:
    found = played(0.05, words=True)
    assert "city=cf" in {finding.details["token"] for finding in found}


def test_decisions_are_watched_where_that_is_asked_for() -> None:
    (first, *_) = played(0.05, outcome="decision")
    assert "positive decision" in first.title
    assert set(watcher(outcome="decision").columns) == {"feature.city", "decision", "unit"}


def test_an_alarm_is_repeated_ever_more_rarely() -> None:
    at = [finding.window.index for finding in played(0.06, windows=40)]
    gaps = np.diff(at)
    assert len(at) >= 2
    assert all(later >= earlier for earlier, later in pairwise(gaps))


def test_what_was_there_from_the_start_is_normal() -> None:
    watch = watcher()
    sequence = watch.begin()
    for index in range(REFERENCE + 15):
        batch = rows(np.random.default_rng([5, index]), index, 0.05)
        judged = watch.evaluate(sequence, watch.observe(watch.zero(), batch), window(index, ROWS))
        sequence = judged.sequence
        assert judged.findings == ()


def test_a_fix_is_proven_by_rows_with_the_token_and_the_usual_outcome() -> None:
    watch, finding = watcher(), played(0.05)[0]

    def after(label: bool, windows: int) -> list[Presence]:
        made = (rows(np.random.default_rng([9, n]), n, 0.05, label=label) for n in range(windows))
        return [watch.observe(watch.zero(), batch) for batch in made]

    assert not watch.clearance(finding, [], 0.05).passed
    assert not watch.clearance(finding, after(True, 10), 0.05).passed
    assert watch.clearance(finding, after(False, 10), 0.05).passed


def _table(cell: int, per_bucket: list[tuple[int, int]]) -> Presence:
    counts = zero().counts.copy()
    for bucket, (n, k) in enumerate(per_bucket):
        counts[:, cell, bucket] = n, k
    total, hits = counts.sum(axis=(1, 2))
    return Presence(counts, {2 * cell + 1: (Shown(1, "city=cf", "s", 4),)}, int(total), int(hits))


def test_the_evidence_of_a_window_by_hand() -> None:
    """Buckets of 2, 1 and 1 rows with 2, 1 and 0 outcomes against a limit of one half: z = 1, 1/2 and -1/2."""
    state = _table(7, [(2, 2), (1, 1), (1, 0)])
    logs = _log_e(state.counts, np.full(2 * CELLS, 0.5)).reshape(len(WAGERS), 2, CELLS)
    for bet, f in enumerate(WAGERS):
        assert logs[bet, 0, 7] == pytest.approx(log((1 + f) * (1 + f / 2) * (1 - f / 2)))
        assert logs[bet, 1, 7] == pytest.approx(log((1 - f) * (1 - f / 2) * (1 + f / 2)))
    assert np.count_nonzero(logs) == 2 * len(WAGERS)


def test_the_limit_of_a_cell_by_hand() -> None:
    """60 rows of which 15, and the rate of all rows the same quarter: nothing is shrunk; the margin is that of 160 rows."""
    state = _table(3, [(4, 1)] * 15)
    past = watcher().begin().after(state)
    rates, limits = past.limits(0.1)
    assert (rates[3], rates[CELLS + 3]) == (0.25, 0.75)
    assert past.design == 1.0
    assert limits[3] == pytest.approx(0.25 + SIGMAS * np.sqrt(0.25 * 0.75 / (60 + SHRUNK)) + 0.1)
    assert limits[4] == pytest.approx(0.25 + SIGMAS * np.sqrt(0.25 * 0.75 / SHRUNK) + 0.1)
    assert limits.max() <= LIMIT_MAX


def test_people_who_repeat_widen_the_limit() -> None:
    alike = _table(3, [(10, 0), (10, 10)] * 8)
    past = watcher().begin().after(alike)
    assert past.design == pytest.approx(10.0)
    assert past.limits(0.0)[1][3] > 0.5 + SIGMAS * np.sqrt(0.25 / (160 + SHRUNK))


def test_a_token_that_few_rows_showed_is_never_expected_to_be_rarer_than_it_was() -> None:
    past = watcher().begin().after(_table(3, [(2, 2)])).after(_table(4, [(20, 0)]))
    assert past.limits(0.0)[0][3] == 1.0
    assert past.limits(0.0)[1][3] == LIMIT_MAX


def test_no_more_tokens_are_named_than_a_person_reads() -> None:
    watch = watcher(windows_of_reference=5)
    sequence, counts = watch.begin(), zero().counts.copy()
    calm = _table(200, [(10, 3)] * 30)
    for index in range(5):
        sequence = watch.evaluate(sequence, calm, window(index)).sequence
    counts[:, :20, :] = 5
    shown = {2 * cell + 1: (Shown(cell, f"t{cell}", "s", cell),) for cell in range(20)}
    judged = watch.evaluate(sequence, Presence(counts, shown, 3_200, 3_200), window(5))
    assert len(judged.findings) == NAMED_MAX
    assert len({finding.id for finding in judged.findings}) == NAMED_MAX


def test_the_reference_says_how_far_it_is() -> None:
    watch = watcher(windows_of_reference=5)
    judged = watch.evaluate(watch.begin(), _table(1, [(5, 1)]), window(0))
    assert judged.statistics["reference"] == {"windows": 1, "needed": 5}
    assert judged.sequence.counts()[:, 1].tolist() == [5.0, 1.0]
    assert watch.begin().counts().sum() == 0


def test_a_sequence_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="no sequence of tokens"):
        watcher().sequence_from_bytes(b"\x93\x01\x02\x03")
    assert isinstance(watcher().begin(), Past)
