"""Detectors that watch a rate or a mean: quiet without change, quick with one, plain about what they compare with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, placed, window
from tocsin.detect.streams.counts import ALL, Group, GroupCounts
from tocsin.detect.streams.sequence import ContrastSequence
from tocsin.model.finding import Finding, Level

BUCKETS = 256


def _play(watcher: Any, states: list[Any]) -> tuple[list[tuple[int, Finding]], list[Any]]:
    """Findings with the window that they were made in, and the statistics of every window."""
    sequence, found, told = watcher.begin(), [], []
    for index, state in enumerate(states):
        evaluated = watcher.evaluate(sequence, state, window(index, 500))
        sequence = evaluated.sequence
        told.append(evaluated.statistics)
        found += [(index, finding) for finding in evaluated.findings]
    return found, told


def _counts(rng: np.random.Generator, rate: float, rows: int = 500, name: str = ALL) -> GroupCounts:
    """A window of independent rows as its state."""
    placed_rows = rng.multinomial(rows, np.full(BUCKETS, 1 / BUCKETS))
    table = np.stack([placed_rows, rng.binomial(placed_rows, rate)])
    return GroupCounts(BUCKETS, {name: Group(table, (), ())})


class People:
    """People who come back, each with a rate of his own; the row rate that they are served is exactly `rate`."""

    def __init__(self, rng: np.random.Generator, rate: float, icc: float, count: int = 250) -> None:
        spread = 1 / icc - 1
        self.rng, weight = rng, rng.lognormal(0, 1, count)
        self.share, own = weight / weight.sum(), rng.beta(rate * spread, (1 - rate) * spread, count)
        self.own = own * rate / float(self.share @ own)
        self.bucket = rng.integers(0, BUCKETS, count)

    def window(self, factor: float = 1.0) -> GroupCounts:
        """The state of one window of 500 rows."""
        rows = self.rng.multinomial(500, self.share)
        hits = self.rng.binomial(rows, np.clip(self.own * factor, 0, 1))
        table = [np.bincount(self.bucket, weights=w, minlength=BUCKETS) for w in (rows, hits)]
        return GroupCounts(BUCKETS, {ALL: Group(np.stack(table).astype(np.int64), (), ())}, 0, 500)


def _wrong(rng: np.random.Generator, rate: float, rows: int = 500, **columns: list[Any]) -> pa.RecordBatch:
    """Rows whose decision is wrong at this rate."""
    wrong = rng.random(rows) < rate
    label = rng.random(rows) < 0.5
    extra = {name.replace("_", ".", 1): pa.array(values, pa.string()) for name, values in columns.items()}
    unit = pa.array([f"u{n}" for n in rng.integers(0, 250, rows)])
    return placed({"decision": pa.array(label ^ wrong), "label": pa.array(label), "unit": unit, **extra})


# --- no change, and change ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{"limit": 0.05}, {}, {"guarantee": "sr"}, {"reference_mode": "population"}])
def test_unchanged_streams_stay_quiet(given: dict[str, Any]) -> None:
    """60 streams of 60 windows; the full simulation is `benchmarks/stream_alarms.py`."""
    watcher = detector("error_rate", windows_of_reference=20, **given)
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        alarms += bool(_play(watcher, [_counts(rng, 0.05) for _ in range(60)])[0])
    assert alarms <= 3


@pytest.mark.parametrize("given", [{"limit": 0.05}, {}])
def test_people_who_come_back_raise_no_false_alarm(given: dict[str, Any]) -> None:
    watcher = detector("error_rate", windows_of_reference=20, **given)
    alarms = 0
    for seed in range(40):
        people = People(np.random.default_rng(seed), 0.05, 0.3)
        alarms += bool(_play(watcher, [people.window() for _ in range(60)])[0])
    assert alarms <= 2


@pytest.mark.parametrize(
    ("given", "to", "within"),
    [
        ({"limit": 0.05}, 0.10, 3),
        ({"limit": 0.05}, 0.07, 16),
        ({}, 0.10, 4),
        ({"reference_mode": "gaussian"}, 0.12, 8),
        ({"reference_mode": "shocks"}, 0.15, 4),
        ({"reference_mode": "population"}, 0.12, 4),
        ({"unit": "window", "limit": 0.05}, 0.10, 14),
    ],
)
def test_a_rise_is_found_soon(given: dict[str, Any], to: float, within: int) -> None:
    watcher = detector("error_rate", windows_of_reference=30, **given)
    rng = np.random.default_rng(3)
    found, _ = _play(watcher, [_counts(rng, 0.05 if n < 40 else to) for n in range(70)])
    first, finding = found[0]
    assert 40 <= first < 40 + within
    assert (finding.level, finding.key) == (Level.ALARM, "all rows:up")
    assert finding.since is not None
    assert finding.since.earliest <= window(40).start <= finding.since.latest
    assert finding.effect is not None
    assert finding.effect.low < 100 * to < finding.effect.high


def test_a_fall_is_found_where_down_is_bad_and_not_elsewhere() -> None:
    rng = np.random.default_rng(1)
    states = [_counts(rng, 0.9 if n < 30 else 0.8) for n in range(45)]
    found, _ = _play(detector("recall", windows_of_reference=20), states)
    assert 30 <= found[0][0] <= 34
    assert "fell to" in found[0][1].title
    assert found[0][1].details["direction"] == "down"
    assert _play(detector("error_rate", windows_of_reference=20), states)[0] == []


def test_a_tolerated_rise_never_alarms() -> None:
    rng = np.random.default_rng(4)
    watcher = detector("error_rate", windows_of_reference=20, tolerance=0.03)
    assert _play(watcher, [_counts(rng, 0.05 if n < 20 else 0.07) for n in range(80)])[0] == []


def test_a_shock_of_the_whole_window_is_what_the_reference_learns() -> None:
    """Windows that move together by a fifth: `auto` takes the window for the observation and stays quiet."""
    alarms, modes = 0, set()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        factor = np.exp(rng.normal(0, 0.2, 90) - 0.02)
        states = [_counts(rng, 0.05 * f, 5_000) for f in factor]
        found, told = _play(detector("error_rate", windows_of_reference=30), states)
        alarms += bool(found)
        modes.add(told[-1]["normal"][ALL][0])
    assert alarms <= 3
    assert "gaussian" in modes


# --- what it says ---------------------------------------------------------------------------------------------------


def test_while_the_reference_is_gathered_nothing_is_judged_and_that_is_said() -> None:
    rng = np.random.default_rng(1)
    found, told = _play(detector("error_rate", windows_of_reference=10), [_counts(rng, 0.9) for _ in range(12)])
    assert found == []
    assert told[4]["reference"] == {"windows": {ALL: 5}, "needed": 10}
    assert told[4]["normal"] == {}
    assert told[11]["normal"][ALL][0] in ("own", "gaussian")
    assert told[11]["normal"][ALL][1] == pytest.approx(0.9, abs=0.02)


def test_the_finding_names_its_estimand_and_its_mode() -> None:
    rng = np.random.default_rng(2)
    against_limit = _play(detector("error_rate", limit=0.05), [_counts(rng, 0.2) for _ in range(3)])[0][0][1]
    assert "traffic served" in against_limit.strength.guarantee
    assert "the limit that was set" in against_limit.strength.guarantee
    assert "rows without a unit count as independent" in against_limit.strength.guarantee
    own = _play(
        detector("error_rate", windows_of_reference=10), [_counts(rng, 0.05 if n < 10 else 0.3) for n in range(14)]
    )[0][0][1]
    assert "its own first windows" in own.strength.guarantee
    assert "on top 5% that the reference itself misleads" in own.strength.guarantee
    assert "normal is" in own.title


def test_with_units_nothing_is_said_of_independent_rows() -> None:
    people = People(np.random.default_rng(5), 0.1, 0.1)
    found, _ = _play(detector("error_rate", limit=0.05), [people.window(2.0) for _ in range(20)])
    assert "independent" not in found[0][1].strength.guarantee


def test_means_are_told_in_their_own_units() -> None:
    watcher = detector("mean", column="feature.age", ceiling=100.0, unit_name="years", limit=40.0)
    rng = np.random.default_rng(6)

    def batch(mean: float) -> pa.RecordBatch:
        ages = rng.normal(mean, 10, 400)
        return placed({"feature.age": pa.array(ages), "unit": pa.nulls(400, pa.string())})

    quiet = [watcher.observe(watcher.zero(), batch(40.0)) for _ in range(30)]
    assert _play(watcher, quiet)[0] == []
    older = [watcher.observe(watcher.zero(), batch(50.0)) for _ in range(20)]
    found, _ = _play(watcher, older)
    assert "years" in found[0][1].title
    assert found[0][1].effect is not None
    assert found[0][1].effect.unit == "years"
    assert found[0][1].effect.low < 50 < found[0][1].effect.high
    assert found[0][1].key == "all rows:up"


def test_calibration_is_quiet_when_scores_are_probabilities_and_tells_which_way_they_are_off() -> None:
    rng = np.random.default_rng(7)

    def batch(shift: float) -> pa.RecordBatch:
        score = rng.uniform(0.1, 0.8, 500)
        label = rng.random(500) < score + shift
        return placed({"score": pa.array(score), "label": pa.array(label), "unit": pa.nulls(500, pa.string())})

    watcher = detector("calibration")
    assert _play(watcher, [watcher.observe(watcher.zero(), batch(0.0)) for _ in range(60)])[0] == []
    found, _ = _play(watcher, [watcher.observe(watcher.zero(), batch(0.15)) for _ in range(30)])
    assert found[0][1].key == "all rows:up"
    assert "rose to 0.1" in found[0][1].title


def test_rows_of_a_finding_are_rows_that_went_wrong() -> None:
    rng = np.random.default_rng(8)
    watcher, batches = detector("error_rate", limit=0.05), [_wrong(rng, 0.3) for _ in range(3)]
    index, finding = _play(watcher, [watcher.observe(watcher.zero(), batch) for batch in batches])[0][0]
    rows = {row["_row"]: row for row in batches[index].to_pylist()}
    assert 0 < len(finding.rows) <= 10
    assert all(rows[ref.row]["decision"] != rows[ref.row]["label"] for ref in finding.rows)


# --- series and segments --------------------------------------------------------------------------------------------


def test_with_by_the_value_that_changed_is_named_and_the_others_are_not() -> None:
    watcher = detector("label_flips", windows_of_reference=15)
    rng = np.random.default_rng(9)
    sources = np.array(["clinic", "phone", "web"])
    found = []
    sequence = watcher.begin()
    for index in range(40):
        source = sources[rng.integers(0, 3, 600)]
        chance = np.where((source == "web") & (index >= 20), 0.25, 0.05)
        label = rng.random(600) < 0.5
        columns = {
            "group.sex": pa.array(source.tolist()),
            "label": pa.array(label),
            "decision": pa.array(label ^ (rng.random(600) < chance)),
            "unit": pa.nulls(600, pa.string()),
        }
        evaluated = watcher.evaluate(sequence, watcher.observe(watcher.zero(), placed(columns)), window(index, 600))
        sequence = evaluated.sequence
        found += [(index, finding.key) for finding in evaluated.findings]
    assert 20 <= found[0][0] <= 24
    assert {key for _, key in found} == {"web:up"}


def test_a_segment_explains_an_alarm_and_never_alarms_itself() -> None:
    rng = np.random.default_rng(10)
    watcher = detector("error_rate", windows_of_reference=15, segments=["group.age", "feature.city"])
    cities, ages = np.array(["Oslo", "Roma", "Wien"]), np.array(["old", "young"])
    states = []
    for index in range(32):
        city, age = cities[rng.integers(0, 3, 800)], ages[rng.integers(0, 2, 800)]
        chance = np.where((city == "Roma") & (index >= 20), 0.25, 0.05)
        label = rng.random(800) < 0.5
        columns = {
            "decision": pa.array(label ^ (rng.random(800) < chance)),
            "label": pa.array(label),
            "unit": pa.nulls(800, pa.string()),
            "group.age": pa.array(age.tolist()),
            "feature.city": pa.array(city.tolist()),
        }
        states.append(watcher.observe(watcher.zero(), placed(columns)))
    found, _ = _play(watcher, states)
    assert {finding.key for _, finding in found} == {"all rows:up"}
    assert found[0][1].details["segments"][0]["segment"] == "feature.city=Roma"
    assert "It is found in: feature.city=Roma" in found[0][1].explanation
    assert all("Oslo" not in segment["segment"] for segment in found[0][1].details["segments"])


def test_values_that_appear_later_are_watched_with_a_smaller_share() -> None:
    watcher = detector("label_flips", limit=0.05)
    rng, sequence = np.random.default_rng(1), watcher.begin()
    for index, name in enumerate(["a", "a", "b", "c"]):
        sequence = watcher.evaluate(sequence, _counts(rng, 0.05, name=name), window(index)).sequence
    assert isinstance(sequence, ContrastSequence)
    shares = {key: process.share for key, process in sequence.processes.items()}
    assert shares["a:up"] > shares["b:up"] > shares["c:up"] > 0
    assert sum(shares.values()) <= 1


# --- hard input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_constant_column_is_quiet_and_one_odd_row_is_no_alarm(rate: float) -> None:
    rng = np.random.default_rng(1)
    states = [_counts(rng, rate) for _ in range(60)]
    odd = states[40].groups[ALL].counts.copy()
    bucket = int(np.argmax(odd[0]))
    odd[1][bucket] += 1 if rate == 0 else -1
    states[40] = GroupCounts(BUCKETS, {ALL: Group(odd, (), ())})
    kind = "error_rate" if rate == 0 else "recall"
    assert _play(detector(kind, windows_of_reference=20), states)[0] == []


@pytest.mark.parametrize("kind", ["error_rate", "missing_values", "calibration"])
def test_empty_and_tiny_windows_say_nothing_and_do_not_count_for_the_reference(kind: str) -> None:
    watcher = detector(kind, windows_of_reference=5)
    rng = np.random.default_rng(1)
    states = [watcher.zero(), _counts(rng, 0.5, 4), watcher.zero()]
    found, told = _play(watcher, states)
    assert found == []
    assert told[-1]["series"] == {}
    assert told[-1]["log10_e"] == {} or set(told[-1]["log10_e"].values()) == {0.0}


def test_ten_thousand_values_of_by_are_bounded() -> None:
    watcher = detector("label_flips", limit=0.05)
    flags = pa.array([True] * 10_000)
    columns = {"group.sex": pa.array([f"s{n}" for n in range(10_000)]), "decision": flags, "label": flags}
    state = watcher.observe(watcher.zero(), placed({**columns, "unit": pa.nulls(10_000, pa.string())}))
    assert len(state.groups) == 32
    assert state.overflow == 10_000 - 32
    assert _play(watcher, [state])[0] == []


def test_the_whole_stream_is_kept_however_many_segments_there_are() -> None:
    watcher = detector("error_rate", segments=["feature.city"], limit=0.05)
    flags = pa.array([True] * 500)
    columns = {"feature.city": pa.array([f"s{n}" for n in range(500)]), "decision": flags, "label": flags}
    state = watcher.observe(watcher.zero(), placed({**columns, "unit": pa.nulls(500, pa.string())}))
    assert state.rows(ALL) == 500
    assert len(state.groups) == 32


# --- proof of a fix -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "before", "fault", "fixed"), [("error_rate", 0.05, 0.2, 0.05), ("recall", 0.9, 0.7, 0.9)]
)
def test_a_fix_is_proven_and_a_fault_that_stays_is_not(kind: str, before: float, fault: float, fixed: float) -> None:
    rng = np.random.default_rng(11)
    watcher = detector(kind, windows_of_reference=20)
    found, _ = _play(watcher, [_counts(rng, before if n < 20 else fault) for n in range(30)])
    finding = found[0][1]
    proven = watcher.clearance(finding, [_counts(rng, fixed) for _ in range(20)], 0.05)
    assert proven.passed
    assert proven.e_value >= 20
    still = watcher.clearance(finding, [_counts(rng, fault) for _ in range(20)], 0.05)
    assert not still.passed
    assert not watcher.clearance(finding, [], 0.05).passed


def test_a_fault_that_goes_on_is_told_ever_more_rarely() -> None:
    rng = np.random.default_rng(12)
    found, _ = _play(detector("error_rate", limit=0.05), [_counts(rng, 0.2) for _ in range(80)])
    gaps = np.diff([index for index, _ in found])
    assert 3 <= len(found) <= 10
    assert gaps[-1] > gaps[0]
