"""Seasons and drift: what moves with the hour or the weekday is quiet when it is said to, and a change on top is found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.core.detect.samples import SALT, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import complete
from tocsin.detect.streams.drifting.drift import Drift
from tocsin.detect.streams.drifting.keys import of_numbers, of_text
from tocsin.detect.streams.drifting.sequence import DriftSequence
from tocsin.detect.streams.drifting.tally import Tally
from tocsin.model.detector import Setting
from tocsin.model.finding import Finding
from tocsin.model.telemetry import Windowing

ROWS, BUCKETS = 300, 64


def built(kind: str, every: timedelta | None = timedelta(hours=1), **given: Any) -> Drift:
    chosen = detector_kinds()[kind]
    column = "feature.age" if kind == "numeric_drift" else "feature.city"
    parameters = complete(chosen, {"column": column, "buckets": BUCKETS, **given})
    windowing = Windowing(every=every) if every else Windowing(rows=ROWS)
    watcher = chosen.build(Setting(kind, "s", parameters, windowing, SALT, {}))
    assert isinstance(watcher, Drift)
    return watcher


def tally(rng: np.random.Generator, keys: np.ndarray, names: dict[int, str] | None = None) -> Tally:
    """The state of these rows, in buckets by chance."""
    pairs, counts = np.unique(np.stack([keys, rng.integers(0, BUCKETS, len(keys))]), axis=1, return_counts=True)
    return Tally(0, pairs[0], pairs[1], counts.astype(np.int64), (), len(keys), names or {})


def hour_of_day(rng: np.random.Generator, hour: int, shift: float) -> Tally:
    """Values that are higher in the afternoon."""
    return tally(rng, of_numbers(rng.normal(np.sin(2 * np.pi * hour / 24) + shift, 1, ROWS)))


def hour_of_week(rng: np.random.Generator, hour: int, shift: float) -> Tally:
    """The same on workdays only."""
    work = hour // 24 % 7 < 5
    return tally(rng, of_numbers(rng.normal((np.sin(2 * np.pi * hour / 24) if work else -0.5) + shift, 1, ROWS)))


CITIES = {of_text(name): name for name in ("Oslo", "Roma", "Wien")}


def cities(rng: np.random.Generator, hour: int, shift: float) -> Tally:
    """Who asks depends on the hour."""
    wave = 0.2 * np.sin(2 * np.pi * hour / 24)
    return tally(rng, rng.choice(np.array(list(CITIES)), ROWS, p=[0.4 + wave + shift, 0.4 - wave - shift, 0.2]), CITIES)


def played(
    watcher: Drift, drawn: Any, windows: int, change: int = 10**9, shift: float = 0.0, seed: int = 1
) -> tuple[DriftSequence, list[tuple[int, Finding]]]:
    rng = np.random.default_rng(seed)
    sequence, found = watcher.begin(), []
    for hour in range(windows):
        evaluated = watcher.evaluate(sequence, drawn(rng, hour, shift if hour >= change else 0.0), window(hour, ROWS))
        sequence = evaluated.sequence
        found += [(hour, finding) for finding in evaluated.findings]
    return sequence, found


@pytest.mark.parametrize(
    ("kind", "drawn", "season", "reference", "shift"),
    [
        ("numeric_drift", hour_of_day, "hour_of_day", 168, 0.6),
        ("categorical_drift", cities, "hour_of_day", 168, 0.15),
        ("numeric_drift", hour_of_week, "hour_of_week", 672, 0.6),
    ],
)
def test_a_season_is_quiet_and_a_change_on_top_is_found(
    kind: str, drawn: Any, season: str, reference: int, shift: float
) -> None:
    begin = 24 + reference
    sequence, quiet = played(built(kind, season=season), drawn, begin + 170)
    assert quiet == []
    assert sequence.gathered.windows == 24
    assert sequence.profile.windows == reference
    _, found = played(built(kind, season=season), drawn, begin + 100, begin + 60, shift)
    assert found
    assert begin + 60 <= found[0][0] <= begin + 80
    since = found[0][1].since
    assert since is not None
    assert since.window >= begin + 50


@pytest.mark.parametrize(("kind", "drawn"), [("numeric_drift", hour_of_day), ("categorical_drift", cities)])
def test_a_season_that_nobody_told_of_is_a_change(kind: str, drawn: Any) -> None:
    _, found = played(built(kind, windows_of_reference=10, reference_mode="own"), drawn, 60)
    assert found


def test_the_sequence_of_a_week_stays_small() -> None:
    watcher = built("numeric_drift", season="hour_of_week")
    sequence, _ = played(watcher, hour_of_week, 24 + 672 + 130)
    assert len(watcher.sequence_to_bytes(sequence)) < 24 << 10
    assert watcher.sequence_from_bytes(watcher.sequence_to_bytes(sequence)) == sequence


def test_days_have_weekdays_only_and_a_window_of_rows_an_hour() -> None:
    daily = built("numeric_drift", timedelta(days=1), season="hour_of_week")
    assert (daily._needed, daily._cut_windows, len(daily._features(window(0)))) == (30, 1, 7)
    rows = built("numeric_drift", None, season="hour_of_day")
    assert (rows._needed, rows._cut_windows, len(rows._features(window(0)))) == (36, 1, 9)


# --- how many unchanged streams alarm ---------------------------------------------------------------------------------


def still(rng: np.random.Generator, _: int, shift: float) -> Tally:
    return tally(rng, of_numbers(rng.normal(shift, 1, ROWS)))


def many(rng: np.random.Generator, _: int, shift: float) -> Tally:
    """Forty values, some of them rare; the first one gains."""
    weights = 1 / np.arange(1, 41)
    weights[0] += shift
    keys = np.array([of_text(f"v{n}") for n in range(40)])
    return tally(rng, rng.choice(keys, ROWS, p=weights / weights.sum()), {of_text(f"v{n}"): f"v{n}" for n in range(40)})


@pytest.mark.parametrize(("kind", "drawn", "shift"), [("numeric_drift", still, 0.5), ("categorical_drift", many, 1.0)])
def test_few_unchanged_streams_alarm_and_all_changed_ones(kind: str, drawn: Any, shift: float) -> None:
    watcher = built(kind, windows_of_reference=20)
    unchanged = [bool(played(watcher, drawn, 70, seed=seed)[1]) for seed in range(20)]
    assert sum(unchanged) <= 2
    changed = [played(watcher, drawn, 50, 35, shift, seed=seed)[1] for seed in range(10)]
    assert all(found and 35 <= found[0][0] <= 42 for found in changed)
