"""Power: the simulation is the detector's own, its figures are those of the benchmark tables, and windows are advised by the rule."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.detect.planning.made import TWO, watcher
from tocsin.detect.planning import power as powers
from tocsin.detect.planning.power import Trials, advice, power, quantile
from tocsin.detect.planning.scenarios import Assumed, Scenario, scenario, supposed

FEW = 60


def planned(detector: Any, **assumed: Any) -> Scenario:
    found = scenario(detector, supposed(detector, {}, Assumed(**{"rows": 500, "rate": 0.05} | assumed)))
    assert isinstance(found, Scenario), found
    return found


class TestQuantile:
    def test_by_hand(self) -> None:
        # 1 1 2 2: half of the streams are found by the border between 1 and 2
        assert quantile([2, 1, 2, 1], 0.5) == 1.5
        assert quantile([1, 1, 1, 1], 0.5) == 1.0
        assert quantile([1, 2, 3, 4], 0.75) == 3.5
        assert quantile([1, inf, inf], 0.5) == inf
        assert quantile([], 0.5) == inf

    @given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.floats(0.01, 1))
    def test_it_lies_within_half_a_window_of_the_usual_one(self, found: list[int], share: float) -> None:
        usual = float(np.quantile(found, share, method="inverted_cdf"))
        assert abs(quantile(found, share) - usual) <= 0.5

    @given(st.lists(st.integers(1, 50), min_size=2, max_size=60))
    def test_larger_shares_are_later(self, found: list[int]) -> None:
        steps = [quantile(found, share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)]
        assert all(a <= b + 1e-12 for a, b in pairwise(steps))


class TestTrials:
    def test_a_rate_above_its_limit_is_found_as_in_the_table_of_the_design(self) -> None:
        """500 independent rows, 5 % to 7 %: 6 windows half, 10 nine in ten."""
        delay = Trials(planned(watcher("error_rate", limit=0.05)), FEW).delay(0.02, 30)
        assert delay.level == 0.07
        assert delay.typical == pytest.approx(5.9, rel=0.25)
        assert delay.slow is not None
        assert 8 <= delay.slow <= 12
        assert delay.found == 1.0

    def test_the_same_question_has_the_same_answer(self) -> None:
        one, other = (Trials(planned(watcher("error_rate", limit=0.05)), 10).delay(0.05, 10) for _ in range(2))
        assert one == other

    def test_larger_changes_are_found_sooner_and_correlation_makes_it_later(self) -> None:
        alone = Trials(planned(watcher("error_rate", limit=0.05)), FEW)
        typical = [alone.delay(size, 40).typical or inf for size in (0.015, 0.03, 0.06)]
        assert typical == sorted(typical, reverse=True)
        crowd = Trials(planned(watcher("error_rate", limit=0.05), units=250, correlation=0.3), FEW)
        assert (crowd.delay(0.03, 40).typical or inf) > 1.2 * typical[1]

    def test_no_change_is_not_found(self) -> None:
        delay = Trials(planned(watcher("error_rate", limit=0.05)), 40).delay(0.0, 20)
        assert delay.found <= 0.05
        assert (delay.median, delay.slow, delay.typical, delay.typical_high) == (None, None, None, None)

    def test_nothing_is_judged_while_the_reference_is_gathered(self) -> None:
        scenario_ = planned(watcher("error_rate", windows_of_reference=10))
        delay = Trials(scenario_, 20).delay(0.1, 10)
        assert scenario_.lead == 10
        assert delay.median is not None
        assert delay.median <= 3

    def test_groups_as_in_the_benchmark(self) -> None:
        """500 rows, 70/30, 250 people of correlation 0.3: a gap of 15 points takes about 7 windows."""
        found = planned(watcher("group_parity", **TWO), rate=0.3, shares=(0.7, 0.3), units=250, correlation=0.3)
        assert Trials(found, 30).delay(0.15, 20).typical == pytest.approx(7, rel=0.25)


class TestPower:
    def test_what_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(powers, "STREAMS", 40)
        monkeypatch.setattr(powers, "STREAMS_FEW", 30)
        found = power(planned(watcher("error_rate", limit=0.05), rate=0.04), within=12)
        assert (found.normal, found.accepted, found.within, found.streams) == (0.04, 0.05, 12, 40)
        levels = [delay.level for delay in found.delays]
        assert levels == sorted(levels)
        assert 2 <= len(levels) <= powers.LEVELS_MAX
        shares = [delay.found for delay in found.delays]
        assert shares == sorted(shares), "larger changes are found more often, with the same luck"
        assert found.smallest is not None
        enough = min(delay.level for delay in found.delays if delay.found >= powers.FOUND)
        assert 0.05 < found.smallest <= enough + 1e-9
        assert 0 < found.error < 0.5

    def test_the_sizes_asked_for_are_the_ones_simulated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(powers, "STREAMS", 10)
        monkeypatch.setattr(powers, "STREAMS_FEW", 10)
        found = power(planned(watcher("recall", limit=0.8), rate=0.85), 8, (0.3, 0.2))
        assert [delay.level for delay in found.delays] == [0.6, 0.5]

    def test_too_few_rows_find_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(powers, "STREAMS", 10)
        found = power(planned(watcher("error_rate", limit=0.05), rows=5), within=2)
        assert found.smallest is None
        assert found.delays

    def test_rounding_up_to_two_digits(self) -> None:
        assert [powers._up(value) for value in (0.0101, 0.013, 0.999, 12.01, 100.0)] == [0.011, 0.013, 1.0, 13.0, 100.0]


class TestAdvice:
    def test_a_fifth_of_the_cost_rounded_down(self) -> None:
        found = planned(watcher("error_rate", limit=0.05, guarantee="sr", windows_per_false_alarm=2000))
        by_rows = advice(found, None, 0.05)
        # ln(2000) / KL(.10, .05) = 368.1 rows; a fifth is 73.6, and of 1, 2, 5 that is 50
        assert (by_rows.target, by_rows.cost_rows, by_rows.rows, by_rows.every_hours) == (0.1, 369, 50, None)

    def test_natural_periods(self) -> None:
        found = planned(watcher("error_rate", limit=0.05, guarantee="sr", windows_per_false_alarm=2000))
        # 73.6 rows at 24 rows an hour are 3.1 hours
        by_time = advice(found, 24 * 24, 0.05)
        assert (by_time.rows, by_time.every_hours) == (72, 3)
        assert advice(found, 24, 0.05).every_hours == 168, "a day's 24 rows fill no thirty buckets"

    def test_windows_hold_thirty_people_and_five_rows_of_each_group(self) -> None:
        small = planned(watcher("group_parity", **TWO), rate=0.3, shares=(0.98, 0.02))
        found = advice(small, None, 0.29)
        assert found.rows * 0.02 >= 5
        units = planned(watcher("error_rate", limit=0.05), units=10_000, correlation=0.0)
        assert advice(units, None, 0.9).rows >= 32

    def test_with_few_people_the_rule_asks_for_no_more_than_there_are(self) -> None:
        few = planned(watcher("error_rate", limit=0.05), units=10, correlation=0.1)
        assert advice(few, None).rows < 1_000_000
