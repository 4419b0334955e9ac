"""The change-time wrappers: the budget is spent once, the statistic is a martingale, and the bounds hold."""

from __future__ import annotations

from itertools import product
from math import exp, inf, log

import numpy as np
import pytest

from tocsin.detect.streams.sequence import Process, begun
from tocsin.detect.streams.wrappers import (
    ANY_TIME,
    HORIZON,
    LATER,
    Spending,
    log_mean,
    log_statistic,
    promise,
    start,
    step,
)

DOWN, UP = log(0.5), log(1.5)
"""A fair coin's bet of one half."""


def play(steps: list[float], guarantee: str, spending: Spending = ANY_TIME) -> list[float]:
    """The statistic after each window, of one bet."""
    log_a, told = start(1), []
    for window, log_e in enumerate(steps, 1):
        log_a = step(log_a, np.array([log_e]), window, guarantee, spending)  # type: ignore[arg-type]
        told.append(exp(log_statistic(log_a, window, guarantee, spending)))  # type: ignore[arg-type]
    return told


@pytest.mark.parametrize("spending", [ANY_TIME, LATER])
def test_the_weights_are_a_budget_of_one(spending: Spending) -> None:
    """With e-values of one nothing is won and nothing lost: spent and unspent budget always sum to one."""
    assert sum(spending) == pytest.approx(1)
    assert play([0.0] * (HORIZON + 50), "pfa", spending) == pytest.approx([1.0] * (HORIZON + 50))


def test_against_the_past_more_is_kept_for_late_changes() -> None:
    """Sixty windows that lose a tenth of a bet and eight that double it; or the eight at once."""
    late, at_once = [log(0.9)] * 60 + [log(2)] * 8, [log(2)] * 8
    assert play(late, "pfa", LATER)[-1] > 1.5 * play(late, "pfa", ANY_TIME)[-1]
    assert play(at_once, "pfa", LATER)[-1] < play(at_once, "pfa", ANY_TIME)[-1]
    assert play(late, "sr", LATER) == play(late, "sr", ANY_TIME)


def test_the_first_windows_by_hand() -> None:
    """w1 = 0.4 + 0.2/2 + 0.4/400 = 0.501; after E = 2: 1.002, and 0.499 unspent. w2 = 0.2/6 + 0.001; after E = 3: 3.109."""
    first, second = play([log(2), log(3)], "pfa")
    assert first == pytest.approx(1.002 + 0.499)
    w2 = 0.2 / 6 + 0.001
    assert second == pytest.approx(3 * (1.002 + w2) + 0.499 - w2)


def test_the_sum_of_sr_by_hand() -> None:
    """(0 + 1) x 2 = 2, (2 + 1) x 3 = 9, (9 + 1) x 0.5 = 5."""
    assert play([log(2), log(3), log(0.5)], "sr") == pytest.approx([2, 9, 5])


@pytest.mark.parametrize("windows", [1, 5, 9])
def test_pfa_is_a_martingale_of_mean_one(windows: int) -> None:
    """Over every path of a fair game."""
    total = sum(play(list(path), "pfa")[-1] for path in product((DOWN, UP), repeat=windows))
    assert total / 2**windows == pytest.approx(1)


@pytest.mark.parametrize("windows", [1, 5, 9])
def test_sr_minus_time_is_a_martingale_of_mean_zero(windows: int) -> None:
    total = sum(play(list(path), "sr")[-1] for path in product((DOWN, UP), repeat=windows))
    assert total / 2**windows == pytest.approx(windows)


def ever(threshold: float, windows: int, guarantee: str) -> float:
    """The exact share of paths of a fair game that reach the threshold within so many windows."""
    paths = product((DOWN, UP), repeat=windows)
    return sum(max(play(list(path), guarantee)) >= threshold for path in paths) / 2**windows


@pytest.mark.parametrize("threshold", [1.5, 2, 4, 8])
def test_the_share_of_paths_that_ever_alarm_is_bounded(threshold: float) -> None:
    assert ever(threshold, 12, "pfa") <= 1 / threshold
    assert ever(4 * threshold, 12, "sr") <= 12 / (4 * threshold)


@pytest.mark.slow
@pytest.mark.parametrize("guarantee", ["pfa", "sr"])
def test_long_unchanged_streams_keep_the_bound(guarantee: str) -> None:
    """2,000 seeded streams of 300 windows; three standard errors above 5 % are allowed to chance."""
    rng = np.random.default_rng(7)
    logs = np.where(rng.random((2_000, 300)) < 0.5, log(0.7), log(1.3))
    alarms = 0
    for path in logs:
        told = play(path.tolist(), guarantee)
        alarms += max(told) >= (20 if guarantee == "pfa" else 6_000)
    assert alarms / 2_000 <= 0.05 + 3 * (0.05 * 0.95 / 2_000) ** 0.5


def test_the_mean_over_bets() -> None:
    assert log_mean(np.log([1.0, 3.0])) == pytest.approx(log(2))
    assert log_mean(np.array([-inf, log(4)])) == pytest.approx(log(2))
    assert log_mean(start(3)) == -inf
    assert log_mean(np.array([2_000.0, 2_000.0])) == pytest.approx(2_000)


def test_promises_in_words() -> None:
    assert (
        promise("pfa", 0.05, 0) == "at most 5% of unchanged streams ever raise an alarm, however long they are watched"
    )
    assert promise("sr", 0.05, 2_000).startswith(
        "at most one false alarm per 2,000 windows on average, and at most H/2,000"
    )


# --- a statement's process ------------------------------------------------------------------------------------------


def test_a_process_that_saw_nothing_is_worth_one() -> None:
    assert begun(3, 0.5).log_e_value("pfa") == 0


def test_what_is_bet_on_may_change_and_the_worth_stays() -> None:
    process = Process((log(1.0), log(3.0)), 7, 0.25, 2)
    spread = process.spread(5)
    assert spread.log_a == pytest.approx([log(2)] * 5)
    assert (spread.windows, spread.share, spread.alarms) == (7, 0.25, 2)
    for guarantee in ("pfa", "sr"):
        assert spread.log_e_value(guarantee) == pytest.approx(process.log_e_value(guarantee))
    assert process.spread(2) is process
    assert begun(2, 1.0).spread(3) == begun(3, 1.0)


def test_each_alarm_doubles_what_the_next_one_needs() -> None:
    process = begun(1, 1.0)
    assert [process.alarming(3.0, 3.0), process.alarming(2.9, 3.0)] == [True, False]
    again = process.restarted()
    assert (again.alarms, again.windows, again.log_a) == (1, 0, (-inf,))
    assert [again.alarming(5.9, 3.0), again.alarming(6.0, 3.0)] == [False, True]


def test_alarms_are_forgotten_after_a_quiet_day() -> None:
    loud = Process((0.0,), 23, 1.0, 2)
    assert loud.settled(0.0, 3.0) == loud
    quiet = Process((0.0,), 24, 1.0, 2)
    assert quiet.settled(0.0, 3.0).alarms == 0
    assert quiet.settled(3.5, 3.0).alarms == 2
