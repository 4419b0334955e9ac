"""Drift from rows to findings: what is found, when, in which words; what is no drift; and how a fix is proven."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, placed, window
from tocsin.detect.streams.drifting import drift
from tocsin.detect.streams.drifting.drift import Drift
from tocsin.detect.streams.drifting.sequence import DriftSequence
from tocsin.model.finding import Category, Finding

ROWS, BEFORE, AFTER = 500, 25, 15
Columns = Callable[[np.random.Generator, bool], dict[str, Any]]


def age(mean: float = 40, spread: float = 12) -> dict[str, Any]:
    return {"mean": mean, "spread": spread}


def numbers(**changed: float) -> Columns:
    def drawn(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
        asked = age() | (changed if fault else {})
        return {"feature.age": pa.array(rng.normal(asked["mean"], asked["spread"], ROWS))}

    return drawn


def cities(*shares: float) -> Columns:
    def drawn(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
        chances = shares if fault else (0.5, 0.3, 0.2, 0.0)
        return {
            "feature.city": pa.array(rng.choice(np.array(["Oslo", "Roma", "Wien", "Bonn"]), ROWS, p=chances).tolist())
        }

    return drawn


def missing(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    gone = rng.random(ROWS) < (0.15 if fault else 0.02)
    return {"feature.age": pa.array(np.where(gone, np.nan, rng.normal(40, 12, ROWS)))}


def constant(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    return {"feature.age": pa.array(np.where(rng.random(ROWS) < 0.5, 6.0, 5.0) if fault else np.full(ROWS, 5.0))}


def infinite(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    values = rng.normal(40, 12, ROWS)
    values[: 60 if fault else 0] = np.inf
    return {"feature.age": pa.array(values)}


@dataclass(frozen=True)
class Vector:
    """A drift: who finds it, its rows, what the title says."""

    kind: str
    rows: Columns
    told: str
    unit: str = "standard deviations"
    parameters: dict[str, Any] = field(default_factory=dict)


VECTORS = {
    "numbers rise": Vector("numeric_drift", numbers(mean=44), "higher values, median"),
    "numbers fall": Vector("numeric_drift", numbers(mean=36), "lower values, median"),
    "numbers spread": Vector("numeric_drift", numbers(spread=17), "wider spread, the middle 80 %"),
    "numbers draw together": Vector("numeric_drift", numbers(spread=8), "narrower spread, the middle 80 %"),
    "values go missing": Vector("numeric_drift", missing, "(missing) 1", "percent"),
    "a constant is one no more": Vector("numeric_drift", constant, "5.004 and more", "percent"),
    "infinities": Vector("numeric_drift", infinite, "and more 2", "percent"),
    "one value gains": Vector("categorical_drift", cities(0.4, 0.4, 0.2, 0.0), "Oslo 3", "percent"),
    "one value goes": Vector("categorical_drift", cities(0.6, 0.4, 0.0, 0.0), "Wien 0.0%, was", "percent"),
    "a new value": Vector("categorical_drift", cities(0.45, 0.27, 0.18, 0.1), "(other)", "percent"),
}


@dataclass
class Played:
    """A stream that was judged."""

    watcher: Any
    sequence: DriftSequence
    found: list[tuple[int, Finding]]
    statistics: Any
    states: list[Any]


def played(
    kind: str, rows: Columns, seed: int, *, fault: bool, windows: int = BEFORE + AFTER, at: int = BEFORE, **given: Any
) -> Played:
    watcher = detector(kind, **{"windows_of_reference": 20, **given})
    run = Played(watcher, watcher.begin(), [], {}, [])
    for index in range(windows):
        rng = np.random.default_rng([seed, index])
        columns = rows(rng, fault and index >= at)
        unit = pa.array([f"u{n}" for n in rng.integers(0, 300, ROWS)])
        run.states.append(watcher.observe(watcher.zero(), placed({**columns, "unit": unit}, ROWS * index)))
        evaluated = watcher.evaluate(run.sequence, run.states[-1], window(index, ROWS))
        run.sequence, run.statistics = evaluated.sequence, evaluated.statistics
        run.found += [(index, finding) for finding in evaluated.findings]
    return run


@pytest.mark.parametrize("name", VECTORS)
def test_the_same_distribution_is_quiet(name: str) -> None:
    vector = VECTORS[name]
    assert sum(bool(played(vector.kind, vector.rows, seed, fault=False).found) for seed in range(3)) == 0


@pytest.mark.parametrize("name", VECTORS)
def test_drift_is_found_dated_and_told(name: str) -> None:
    vector = VECTORS[name]
    run = played(vector.kind, vector.rows, 7, fault=True, **vector.parameters)
    first, finding = run.found[0]
    assert BEFORE <= first <= BEFORE + 6
    assert vector.told in finding.title
    assert finding.category is Category.MODEL_FAILURE
    assert finding.key == str(run.watcher.get("column"))
    assert finding.since is not None
    assert window(BEFORE - 3).start <= finding.since.start <= window(first).start
    assert finding.since.earliest <= finding.since.start <= finding.since.latest
    assert finding.effect is not None
    assert finding.effect.unit.startswith(vector.unit)
    assert finding.effect.low <= finding.effect.value <= finding.effect.high
    assert "population stability index" in finding.explanation
    assert float(finding.details["psi_low"]) <= float(finding.details["psi"]) <= float(finding.details["psi_high"])
    assert all(row.row >= ROWS * first for row in finding.rows)
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding


def test_a_finding_names_the_cells_that_moved_most_and_rows_of_the_one_that_gained() -> None:
    run = played("categorical_drift", cities(0.2, 0.6, 0.2, 0.0), 3, fault=True)
    first, finding = run.found[0]
    assert "Roma 6" in finding.explanation
    assert "(was 2" in finding.explanation
    shares = finding.details["shares"]
    assert abs(shares["Roma"][1] - 0.6) < 0.1 > abs(shares["Roma"][0] - 0.3)
    assert finding.rows
    rows = {row.row - ROWS * first for row in finding.rows}
    columns = cities(0.2, 0.6, 0.2, 0.0)(np.random.default_rng([3, first]), True)
    assert {columns["feature.city"][row].as_py() for row in rows} == {"Roma"}


def test_the_effect_is_what_really_moved() -> None:
    run = played("numeric_drift", numbers(mean=46), 5, fault=True)
    effects = {one.effect.name: one.effect for _, one in run.found if one.effect}
    tail = effects["share of 56 and more in feature.age"]
    assert tail.low < 20.2 < tail.high
    was, now = run.found[-1][1].details["quantiles"].values()
    assert now[1] - was[1] == pytest.approx(6, abs=2)


def test_the_first_windows_are_cut_then_come_those_of_the_reference() -> None:
    run = played("numeric_drift", numbers(), 1, fault=False, windows=1)
    assert run.statistics == {"reference": {"cut_on": 1, "windows": 0, "needed": 20}}
    assert run.sequence.cut is not None
    run = played("numeric_drift", numbers(), 1, fault=False, windows=21)
    assert run.statistics["reference"] == {"cut_on": 1, "windows": 20, "needed": 20}
    assert run.sequence.processes == {}
    assert sum(run.sequence.before) == 20 * ROWS
    run = played("numeric_drift", numbers(), 1, fault=False, windows=22)
    assert run.statistics["psi"] < 0.02
    assert run.statistics["log10_threshold"] == pytest.approx(np.log10(20), abs=1e-4)
    assert run.sequence.processes[drift.DRIFT].windows == 1
    assert run.sequence.history[0].counts == pytest.approx([50] * 10 + [0], abs=50)


def test_small_windows_are_gathered_until_there_are_rows_enough_to_cut() -> None:
    watcher = detector("numeric_drift")
    sequence = watcher.begin()
    for index in range(6):
        values = np.random.default_rng(index).normal(0, 1, 90)
        batch = placed({"feature.age": pa.array(values), "unit": pa.nulls(90, pa.string())}, 90 * index)
        evaluated = watcher.evaluate(sequence, watcher.observe(watcher.zero(), batch), window(index, 90))
        sequence = evaluated.sequence
        if index < 5:
            assert evaluated.statistics["waiting"] == f"{90 * (index + 1)} of 500 rows to cut the values into cells"
            assert len(watcher.sequence_to_bytes(sequence)) < 16 << 10
    assert sequence.cut is not None
    assert sequence.gathered.windows == 6
    assert sequence.gathered.cells == ()


def test_windows_with_hardly_any_rows_are_passed_over() -> None:
    run = played("numeric_drift", numbers(), 1, fault=False)
    few = run.watcher.observe(
        run.watcher.zero(), placed({"feature.age": pa.array([1e9] * 4), "unit": pa.nulls(4, pa.string())})
    )
    evaluated = run.watcher.evaluate(run.sequence, few, window(99, 4))
    assert evaluated.sequence == run.sequence
    assert evaluated.findings == ()


def test_a_tolerance_leaves_small_drift_alone() -> None:
    small = numbers(mean=42.4)
    assert played("numeric_drift", small, 2, fault=True).found
    assert not played("numeric_drift", small, 2, fault=True, tolerance=0.3).found
    assert not played("numeric_drift", small, 2, fault=True, tolerance=0.1, tolerance_in="psi").found
    large = numbers(mean=52)
    assert played("numeric_drift", large, 2, fault=True, tolerance=0.3).found
    beyond = played("numeric_drift", large, 2, fault=True, tolerance=0.1, tolerance_in="psi").found
    assert beyond
    assert float(beyond[0][1].details["psi_low"]) > 0.1


def test_windows_that_move_together_make_a_window_one_observation() -> None:
    def shaken(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
        return {"feature.age": pa.array(rng.normal(40 + rng.normal(0, 4) + 24 * fault, 12, ROWS))}

    quiet = played("numeric_drift", shaken, 4, fault=False, windows=60)
    assert not quiet.found
    chosen = quiet.sequence.profile.normals(np.ones(1), "auto", 0.005)[0]
    assert chosen.mode in ("gaussian", "shocks")
    assert played("numeric_drift", shaken, 4, fault=True).found
    assert played("numeric_drift", shaken, 4, fault=False, windows=60, reference_mode="own").found


def test_people_who_come_and_go_widen_the_margin() -> None:
    run = played("numeric_drift", numbers(), 6, fault=False, reference_mode="population")
    kept = run.sequence.profile
    assert len(kept.population) == 5
    usual = kept.normals(np.ones(1), "population", 0.05)[0]
    assert usual.above > msgspec.structs.replace(kept, population=()).normals(np.ones(1), "own", 0.05)[0].above
    assert len(run.watcher.sequence_to_bytes(run.sequence)) < 16 << 10
    assert "who come and go" in run.watcher._promise(usual, run.states[-1])


def test_a_window_as_unit_is_one_bucket() -> None:
    run = played("numeric_drift", numbers(mean=52), 8, fault=True, unit="window")
    assert run.watcher.buckets == 1
    assert run.found
    assert set(run.states[0].buckets.tolist()) == {0}
    assert run.sequence.history[-1].design == 1.0


def test_rows_that_could_be_in_two_cells_count_against_the_bet_on_either_side() -> None:
    run = played("numeric_drift", numbers(), 9, fault=False)
    assert run.sequence.cut is not None
    made = run.sequence.cut
    cells = drift.cutting.placed(made, run.states[-1], 256)
    stray = cells._replace(astray=cells.counts)
    one = drift.along(made)[0]
    plain = drift._weighted(made, cells, one, "up")
    up, down = (drift._weighted(made, stray, one, side) for side in drift.UP_DOWN)
    assert up[1].sum() == pytest.approx(0)
    assert down[1] == pytest.approx(down[0])
    assert plain[0] == pytest.approx(up[0])
    assert (plain[0] <= made.largest + 1e-9).all()


def test_a_fix_is_proven_and_a_fault_that_stays_is_not() -> None:
    run = played("numeric_drift", numbers(mean=46), 10, fault=True)
    finding = msgspec.json.decode(msgspec.json.encode(run.found[0][1]), type=Finding)
    before, after = run.states[:BEFORE], run.states[BEFORE:]
    cleared = run.watcher.clearance(finding, before, 0.05)
    assert cleared.passed
    assert "along 'more of \"54 and more\"' of feature.age" in cleared.statement
    assert not run.watcher.clearance(finding, after, 0.05).passed
    assert not run.watcher.clearance(finding, [], 0.05).passed


def test_a_fall_is_cleared_on_its_own_side() -> None:
    run = played("categorical_drift", cities(0.34, 0.38, 0.28, 0.0), 11, fault=True)
    finding = run.found[0][1]
    assert finding.details["side"] == "down"
    assert "less of" in finding.explanation
    assert run.watcher.clearance(finding, run.states[:BEFORE], 0.05).passed
    assert not run.watcher.clearance(finding, run.states[BEFORE:], 0.05).passed


@pytest.mark.parametrize("shards", [2, 9])
def test_shards_give_the_findings_of_the_whole(shards: int) -> None:
    watcher: Drift = detector("categorical_drift", windows_of_reference=6)  # type: ignore[assignment]
    one = other = watcher.begin()
    found = []
    for index in range(14):
        rng = np.random.default_rng([12, index])
        columns = cities(0.3, 0.5, 0.2, 0.0)(rng, index >= 9)
        unit = pa.array([f"u{n}" for n in rng.integers(0, 90, ROWS)])
        batch = placed({**columns, "unit": unit}, ROWS * index)
        owner = rng.integers(0, shards, ROWS)
        parts = [batch.take(pa.array(rng.permutation(np.flatnonzero(owner == shard)))) for shard in range(shards)]
        whole = watcher.observe(watcher.zero(), batch)
        joined = reduce(watcher.merge, (watcher.observe(watcher.zero(), part) for part in parts))
        assert watcher.to_bytes(joined) == watcher.to_bytes(whole)
        first, second = watcher.evaluate(one, whole, window(index)), watcher.evaluate(other, joined, window(index))
        assert first.findings == second.findings
        one, other = first.sequence, second.sequence
        assert watcher.sequence_to_bytes(one) == watcher.sequence_to_bytes(other)
        found += first.findings
    assert found


def test_after_an_alarm_the_process_begins_anew_and_the_bar_doubles() -> None:
    run = played("numeric_drift", numbers(mean=60), 13, fault=True, windows=BEFORE + 1)
    process = run.sequence.processes[drift.DRIFT]
    assert (process.windows, process.alarms) == (0, 1)
    run = played("numeric_drift", numbers(mean=60), 13, fault=True)
    gaps = np.diff([index for index, _ in run.found])
    assert len(run.found) >= 3
    assert gaps[-1] >= gaps[0]
