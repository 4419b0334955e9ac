"""The scoring of the Numenta Anomaly Benchmark, by hand, on series small enough to follow."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime, timedelta
from math import exp
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.house.sources import ROOT

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def nab() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nab_benchmark", ROOT / "benchmarks" / "nab.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def series(nab: ModuleType, count: int, *windows: tuple[int, int], name: str = "one") -> Any:
    times = [BEGIN + timedelta(minutes=5 * n) for n in range(count)]
    return nab.Series(name, times, np.zeros(count), list(windows))


def scored(nab: ModuleType, one: Any, alarms: list[int]) -> float:
    scores = np.zeros(len(one.values))
    scores[alarms] = 1.0
    return float(nab.best([one], {one.name: scores})[0])


def sigmoid(position: float) -> float:
    return 2 / (1 + exp(5 * position)) - 1


def test_an_alarm_is_worth_more_the_earlier_it_comes_in_its_window(nab: ModuleType) -> None:
    worth, window = nab.worths(series(nab, 1_000, (400, 499)))
    assert window[[399, 400, 499, 500]].tolist() == [-1, 0, 0, -1]
    assert worth[400] == pytest.approx(1.0)
    assert worth[450] == pytest.approx(sigmoid(-0.5) / sigmoid(-1.0))
    assert worth[499] == pytest.approx(sigmoid(-0.01) / sigmoid(-1.0))
    assert np.all(np.diff(worth[400:500]) < 0)


def test_a_false_alarm_costs_less_just_behind_a_window(nab: ModuleType) -> None:
    worth, _ = nab.worths(series(nab, 1_000, (400, 499)))
    assert worth[399] == pytest.approx(-0.11)
    assert worth[500] == pytest.approx(0.11 * sigmoid(1 / 99))
    assert worth[500] > worth[550] > worth[900] == pytest.approx(-0.11)


@pytest.mark.parametrize(
    ("alarms", "score"),
    [([], 0.0), ([400], 100.0), ([400, 401, 402], 100.0), ([200, 400], 100 * (2 - 0.11) / 2), ([10, 50], 0.0)],
)
def test_the_whole_score(nab: ModuleType, alarms: list[int], score: float) -> None:
    """Rows before 150 are probation and count nothing; several alarms in a window count once."""
    assert scored(nab, series(nab, 1_000, (400, 499)), alarms) == pytest.approx(score)


def test_a_useless_alarm_is_dropped_by_the_best_threshold(nab: ModuleType) -> None:
    one = series(nab, 1_000, (400, 499))
    scores = np.zeros(1_000)
    scores[400], scores[200] = 0.9, 0.4
    score, threshold = nab.best([one], {"one": scores})
    assert (score, threshold) == (pytest.approx(100), pytest.approx(0.9))


def test_one_threshold_serves_all_series(nab: ModuleType) -> None:
    one, other = series(nab, 1_000, (400, 499)), series(nab, 1_000, (600, 699), name="other")
    scores = {"one": np.zeros(1_000), "other": np.zeros(1_000)}
    scores["one"][400], scores["other"][600] = 0.9, 0.2
    scores["one"][range(200, 300, 4)] = 0.5
    score, threshold = nab.best([one, other], scores)
    assert threshold == pytest.approx(0.9)
    assert score == pytest.approx(50), "the second window is given up: 25 false alarms would cost more"


def test_probation_is_a_seventh_and_at_most_750_rows(nab: ModuleType) -> None:
    assert series(nab, 1_000).probation == 150
    assert series(nab, 20_000).probation == 750


def test_the_folder_is_read_as_it_is_laid_out(nab: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "data" / "real").mkdir(parents=True)
    lines = [f"2026-01-01 0{n}:00:00,{n}.5" for n in range(5)]
    (tmp_path / "data" / "real" / "a.csv").write_text("\n".join(["timestamp,value", *lines]) + "\n")
    marks = {"real/a.csv": [["2026-01-01 01:00:00.000000", "2026-01-01 03:00:00.000000"]]}
    (tmp_path / "combined_windows.json").write_text(json.dumps(marks))
    (one,) = list(nab.read(tmp_path))
    assert (one.name, one.windows, one.values.tolist()) == ("real/a.csv", [(1, 3)], [0.5, 1.5, 2.5, 3.5, 4.5])


@pytest.mark.parametrize("noise", ["normal", "log-normal", "Poisson 5", "a daily wave and noise", "autocorrelated 0.7"])
def test_noise_is_what_it_is_called(nab: ModuleType, noise: str) -> None:
    values = nab.drawn(noise, 4_000, 24, np.random.default_rng(2))
    assert len(values) == 4_000
    expected = {"normal": 1.0, "log-normal": 2.16, "Poisson 5": 5**0.5, "autocorrelated 0.7": 1.4}
    if noise in expected:
        assert values.std() == pytest.approx(expected[noise], rel=0.25)
    else:
        assert np.corrcoef(values[:-24], values[24:])[0, 1] > 0.9


def test_the_rival_surprises_at_what_is_far_from_the_past(nab: ModuleType) -> None:
    values = np.append(np.random.default_rng(3).normal(0, 1, 500), 8.0)
    found = nab.windowed_gaussian(values)
    assert found[-1] > 0.999_999 > found[400:500].max()
    assert np.all((found >= 0) & (found <= 1))
