"""What is normal at every hour: least squares by another way, R1 as its simplest case, shocks, members, and seasons that are no change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

import numpy as np
import pytest

from tocsin.detect.streams.profile import HARMONICS, Profile, Season, features, windows_needed
from tocsin.detect.streams.quantiles import chi_squared, poisson_upper, student
from tocsin.detect.streams.reference import MARGIN, MEMBERS
from tocsin.detect.streams.telling import micros

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE = np.ones(1)
MONDAY = datetime(2026, 10, 5, tzinfo=UTC)


def at(hours: float) -> int:
    return micros(MONDAY + timedelta(hours=hours))


def tables(means: list[float], rows: float = 500, buckets: int = 64) -> np.ndarray:
    """Tables of several means, all buckets alike."""
    return np.array([[[rows / buckets] * buckets, [mean * rows / buckets] * buckets] for mean in means])


def made(
    means: list[list[float]], x: list[np.ndarray] | None = None, rows: list[float] | None = None, wanted: str = "own"
) -> Profile:
    kept = Profile()
    for place, one in enumerate(means):
        kept = kept.after(tables(one, rows[place] if rows else 500), x[place] if x else ONE, wanted, len(means))
    return kept


def test_the_constant_alone_is_the_mean_and_its_error_with_windows_as_units() -> None:
    rates = [0.4 + 0.01 * (n % 5) for n in range(20)]
    normal = made([[rate, 1 - rate] for rate in rates]).normals(ONE, "own", 0.05)[0]
    assert normal.mean == pytest.approx(np.mean(rates))
    assert normal.above == normal.below == pytest.approx(student(0.95, 19) * np.std(rates, ddof=1) / sqrt(20))
    assert (normal.mode, normal.spread, normal.rows) == ("own", 0.0, 500)
    assert made([[rate, 1 - rate] for rate in rates]).normals(ONE, "own", 0.05)[1].mean == pytest.approx(
        1 - np.mean(rates)
    )


def test_windows_weigh_by_their_rows() -> None:
    normal = made([[0.2], [0.6]] * 5, rows=[100, 300] * 5).normals(ONE, "own", 0.05)[0]
    assert normal.mean == pytest.approx(0.5)
    variance = (5 * 100 * 0.09 + 5 * 300 * 0.01) / 9
    assert normal.above == pytest.approx(student(0.95, 9) * sqrt(variance / 2_000))


def test_the_fit_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(1)
    x = [features(at(hour), "hour_of_day", HOUR) for hour in range(96)]
    weights = rng.uniform(100, 900, 96)
    rates = 0.5 + 0.2 * np.array([one[1] for one in x]) + rng.normal(0, 0.02, 96)
    profile = made([[rate] for rate in rates], x, weights.tolist())
    whole, root = np.array(x), np.sqrt(weights)
    fit, residual, rank, _ = np.linalg.lstsq(whole * root[:, None], rates * root, rcond=None)
    for hour in (0, 7, 31):
        now = features(at(hour), "hour_of_day", HOUR)
        normal = profile.normals(now, "own", 0.01)[0]
        assert normal.mean == pytest.approx(float(now @ fit))
        variance = float(residual[0]) / (96 - rank)
        lever = float(now @ np.linalg.inv(whole.T @ (whole * weights[:, None])) @ now)
        assert normal.above == pytest.approx(student(0.99, 96 - rank) * sqrt(variance * lever))


def test_a_constant_stream_has_no_margin_but_that_of_rare_things() -> None:
    normal = made([[0.0]] * 12).normals(ONE, "auto", 0.05)[0]
    assert normal.mean == 0
    assert normal.above == pytest.approx(poisson_upper(0, 0.95) / 6_000)
    assert normal.below == 0
    full = made([[1.0]] * 12).normals(ONE, "auto", 0.05)[0]
    assert full.below == pytest.approx(poisson_upper(0, 0.95) / 6_000)


# --- windows that move together ---------------------------------------------------------------------------------------


def shaken(carry: float, size: float, seed: int, windows: int = 40) -> Profile:
    """Independent rows in 64 buckets, and a shock for each whole window."""
    rng = np.random.default_rng(seed)
    kept, shock = Profile(), 0.0
    for _ in range(windows):
        shock = carry * shock + sqrt(1 - carry**2) * rng.normal()
        rows = rng.multinomial(500, np.full(64, 1 / 64)).astype(float)
        hits = rng.binomial(rows.astype(int), min(max(0.5 + size * shock, 0), 1))
        kept = kept.after(np.stack([rows, hits])[None], ONE, "auto", windows)
    return kept


def test_calm_windows_are_seldom_taken_to_move_together() -> None:
    modes = [shaken(0, 0, seed).normals(ONE, "auto", 0.05)[0].mode for seed in range(60)]
    assert modes.count("own") >= 50


def test_shocks_are_seen_and_those_that_last_are_told_from_those_that_do_not() -> None:
    apart = [shaken(0, 0.1, seed).normals(ONE, "auto", 0.05)[0].mode for seed in range(30)]
    lasting = [shaken(0.9, 0.1, seed).normals(ONE, "auto", 0.05)[0].mode for seed in range(30)]
    assert apart.count("gaussian") >= 25
    assert lasting.count("shocks") >= 25


def test_the_margins_of_the_modes() -> None:
    profile = shaken(0, 0.1, 3)
    own, shocks, gaussian = (profile.normals(ONE, mode, 0.05)[0] for mode in ("own", "shocks", "gaussian"))
    excess = (shocks.above - own.above) / MARGIN["shocks"]
    assert 0.05 < excess < 0.2
    assert gaussian.above - own.above == pytest.approx(MARGIN["gaussian"] * excess)
    deviation = own.above / student(0.95, 39) * sqrt(40)
    assert gaussian.spread == pytest.approx(deviation * sqrt(39 / chi_squared(0.05, 39)))
    assert own.spread == shocks.spread == 0


# --- members who come and go ------------------------------------------------------------------------------------------


def crowd(stay: bool, wanted: str, windows: int = 30) -> Profile:
    """People of very different size in buckets of their own; all stay, or the busiest change from window to window."""
    rng = np.random.default_rng(5)
    size = rng.lognormal(0, 1.5, 64)
    kept = Profile()
    for window in range(windows):
        shares = size if stay else np.roll(size, window // 3)
        rows = rng.multinomial(500, shares / shares.sum()).astype(float)
        hits = rows * np.linspace(0, 1, 64)
        kept = kept.after(np.stack([rows, hits])[None], ONE, wanted, windows)
    return kept


def test_members_who_come_and_go_are_seen_and_widen_the_margin() -> None:
    changing, staying = crowd(False, "auto"), crowd(True, "auto")
    assert staying.population == ()
    assert len(changing.population) == 1
    normal = changing.normals(ONE, "auto", 0.05)[0]
    assert normal.mode == "population"
    assert normal.above >= changing.population[0]


def test_the_margin_for_members_is_that_of_a_mean_clustered_by_bucket() -> None:
    profile = crowd(True, "population")
    rng = np.random.default_rng(5)
    size = rng.lognormal(0, 1.5, 64)
    total = sum(rng.multinomial(500, size / size.sum()).astype(float) for _ in range(30))
    rate = np.linspace(0, 1, 64)
    residual = total * (rate - float(total @ rate) / total.sum())
    assert profile.population[0] == pytest.approx(MEMBERS * sqrt(float(residual @ residual)) / total.sum())
    assert profile.folded == b""


# --- seasons -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("season", "every", "count"),
    [
        ("none", HOUR, 1),
        ("hour_of_day", HOUR, 9),
        ("hour_of_day", timedelta(hours=6), 3),
        ("hour_of_day", DAY, 1),
        ("hour_of_day", None, 9),
        ("hour_of_week", HOUR, 23),
        ("hour_of_week", DAY, 7),
    ],
)
def test_waves_that_windows_are_too_long_for_are_left_out(season: Season, every: timedelta | None, count: int) -> None:
    assert len(features(at(3), season, every)) == count


def test_features_come_back_after_a_day_or_a_week() -> None:
    one = features(at(10), "hour_of_day", HOUR)
    assert features(at(34), "hour_of_day", HOUR) == pytest.approx(one)
    assert features(at(16), "hour_of_day", HOUR) != pytest.approx(one)
    week = features(at(10), "hour_of_week", HOUR)
    assert features(at(10 + 168), "hour_of_week", HOUR) == pytest.approx(week)
    assert features(at(34), "hour_of_week", HOUR) != pytest.approx(week)


def test_the_weekend_has_a_day_of_its_own_shape() -> None:
    first, last = 1 + 2 * HARMONICS, 1 + 4 * HARMONICS
    for day in range(7):
        now = features(at(24 * day + 8), "hour_of_week", HOUR)
        assert bool(now[first:last].any()) is (day >= 5)
        assert now[last:].tolist() == [float(day == other) for other in range(1, 7)]


@pytest.mark.parametrize(
    ("asked", "season", "every", "needed"),
    [
        (30, "none", HOUR, 30),
        (30, "hour_of_day", HOUR, 168),
        (300, "hour_of_day", HOUR, 300),
        (30, "hour_of_week", HOUR, 672),
        (30, "hour_of_week", DAY, 30),
        (5, "hour_of_week", DAY, 28),
        (30, "hour_of_week", None, 92),
    ],
)
def test_a_season_takes_its_time(asked: int, season: Season, every: timedelta | None, needed: int) -> None:
    assert windows_needed(asked, season, every) == needed


def seasonal(hour: int) -> float:
    """Office hours on workdays, a flat weekend."""
    day, clock = hour // 24 % 7, hour % 24
    return 0.3 + (0.25 if day < 5 and 8 <= clock < 18 else 0.0) - (0.05 if day >= 5 else 0.0)


def of_weeks(weeks: int, season: Season, **given: Any) -> Profile:
    rng = np.random.default_rng(9)
    hours = range(168 * weeks)
    rates = [[rng.binomial(500, seasonal(hour)) / 500] for hour in hours]
    return made(rates, [features(at(hour + 0.5), season, HOUR) for hour in hours], **given)


def test_a_week_with_office_hours_is_followed_and_what_is_not_is_in_the_margin() -> None:
    profile = of_weeks(4, "hour_of_week", wanted="auto")
    for hour in range(0, 168, 7):
        normal = profile.normals(features(at(hour + 0.5), "hour_of_week", HOUR), "auto", 0.05)[0]
        assert abs(normal.mean - seasonal(hour)) < 0.12
        assert normal.mode == "shocks"
    inside = sum(
        normal.mean - normal.below <= seasonal(hour) <= normal.mean + normal.above
        for hour in range(168)
        for normal in [profile.normals(features(at(hour + 0.5), "hour_of_week", HOUR), "auto", 0.05)[0]]
    )
    assert inside == 168


def test_without_a_season_the_week_is_all_shock() -> None:
    plain = of_weeks(2, "none", wanted="auto").normals(ONE, "shocks", 0.05)[0]
    at_noon = features(at(12.5), "hour_of_week", HOUR)
    week = of_weeks(2, "hour_of_week", wanted="auto").normals(at_noon, "shocks", 0.05)[0]
    assert plain.above > 2 * week.above
