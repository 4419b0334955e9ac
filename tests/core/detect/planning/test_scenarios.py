"""Scenarios: every kind of a known class has one, its threshold is the statement's, and other detectors say why not."""

from __future__ import annotations

from datetime import UTC, datetime
from math import log
from typing import Any

import numpy as np
import pytest

from tests.core.detect.planning.made import TWO, watcher
from tocsin.detect.planning.scenarios import HIGH, LOW, Assumed, Scenario, apart, scenario, seen, supposed
from tocsin.detect.planning.traffic import Traffic
from tocsin.detect.streams.counts import ALL
from tocsin.detect.streams.sequence import LATE_SHARE
from tocsin.model.telemetry import Window

RNG = np.random.default_rng
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def planned(detector: Any, **assumed: Any) -> Scenario:
    found = scenario(detector, supposed(detector, {}, Assumed(**{"rows": 500, "rate": 0.05} | assumed)))
    assert isinstance(found, Scenario), found
    return found


def threshold(found: Scenario, statements: int) -> float:
    """What the first alarm of one of so many statements needs, as the detector itself says."""
    state = found.begin(RNG(1))(RNG(2), None)
    after = found.detector.evaluate(found.detector.begin(), state, Window(0, BEGIN, BEGIN)).sequence
    assert len(after.processes) == statements
    return float(np.exp(found.detector.log_threshold(next(iter(after.processes.values())))))


class TestWatch:
    def test_a_limit_is_what_is_accepted(self) -> None:
        found = planned(watcher("error_rate", limit=0.06, tolerance=0.01))
        assert (found.normal, found.sign, found.lead, found.unit) == (0.05, 1, 0, "share")
        assert found.accepted == pytest.approx(0.07)
        assert found.change(0.02).level == pytest.approx(0.09)
        assert found.room == pytest.approx(0.93)
        assert threshold(found, 1) == pytest.approx(20)

    def test_without_a_limit_its_own_past_is(self) -> None:
        found = planned(watcher("error_rate"))
        assert (found.lead, found.accepted) == (30, 0.05)
        assert "30 windows say what is normal" in found.notes[0]

    def test_a_rate_that_may_not_fall(self) -> None:
        found = planned(watcher("recall", limit=0.8), rate=0.85)
        assert found.sign == -1
        assert found.change(0.1).level == pytest.approx(0.7)
        assert found.room == pytest.approx(0.8)

    def test_amounts_are_in_their_own_unit(self) -> None:
        found = planned(
            watcher("mean", column="score", floor=10.0, ceiling=110.0, limit=50.0, unit_name="euro"), rate=0.3
        )
        assert (found.normal, found.accepted, found.scale, found.unit) == (40.0, 50.0, 100.0, "euro")
        state = found.begin(RNG(1))(RNG(2), 110.0)
        assert state.outcomes(ALL) == state.rows(ALL) << 20, "at the ceiling every amount is whole"
        assert "slowest case" in found.notes[0]

    def test_series_share_the_budget(self) -> None:
        series = {name: Traffic(100, 0.05) for name in ("a", "b", "c")}
        found = scenario(watcher("error_rate", limit=0.05, by="group.g"), series)
        assert isinstance(found, Scenario)
        assert threshold(found, 1) == pytest.approx(20 * 3 / (1 - LATE_SHARE))
        assert "one of 3 series" in found.notes[0]
        assert found.about == "error rate of b"

    def test_no_room_for_a_change_is_said(self) -> None:
        found = scenario(watcher("error_rate", limit=0.9, tolerance=0.2), {ALL: Traffic(500, 0.05)})
        assert found == "what is accepted leaves no room for a change"

    def test_a_change_costs_what_the_formula_says(self) -> None:
        found = planned(watcher("error_rate", limit=0.05, guarantee="sr", windows_per_false_alarm=2000))
        divergence = 0.1 * log(2) + 0.9 * log(0.9 / 0.95)
        assert found.cost(0.05) == pytest.approx(log(2000) / divergence)
        clustered = planned(
            watcher("error_rate", limit=0.05, guarantee="sr", windows_per_false_alarm=2000), units=250, correlation=0.3
        )
        assert clustered.cost(0.05) == pytest.approx(found.cost(0.05) * Traffic(500, 0.05, 0.3, 250).design())


class TestGroups:
    def test_two_named_groups_share_the_budget_evenly(self) -> None:
        found = planned(watcher("group_parity", **TWO), rate=0.3, shares=(0.7, 0.3))
        assert (found.normal, found.accepted, found.sign) == (0.0, 0.0, 1)
        assert threshold(found, 2) == pytest.approx(40)
        assert found.about == "gap in rate of positive decisions between a and b"
        assert found.notes == ("no unit is known: rows count as independent",)

    def test_a_pair_of_many_has_the_threshold_of_all_pairs(self) -> None:
        found = planned(watcher("group_parity", group="g"), rate=0.3, shares=(0.4, 0.3, 0.2, 0.1))
        assert threshold(found, 2) == pytest.approx(20 * 12 / (1 - LATE_SHARE))
        assert "group 1 and group 4" in found.about

    def test_the_smaller_group_falls(self) -> None:
        found = planned(watcher("group_parity", **TWO), rate=0.3, shares=(0.7, 0.3), rows=100_000)
        before, after = (found.begin(RNG(1))(RNG(2), level) for level in (None, 0.1))
        rates = [state.outcomes(g) / state.rows(g) for state in (before, after) for g in (HIGH, LOW)]
        assert rates == pytest.approx([0.3, 0.3, 0.3, 0.2], abs=0.01)
        assert after.united == 0

    def test_four_fifths_is_a_ratio(self) -> None:
        found = planned(watcher("four_fifths", **TWO), rate=0.3, shares=(0.5, 0.5), rows=100_000)
        assert (found.normal, found.accepted, found.sign) == (1.0, 0.8, -1)
        state = found.begin(RNG(1))(RNG(2), 0.5)
        assert state.outcomes(LOW) / state.rows(LOW) == pytest.approx(0.15, abs=0.01)

    def test_of_two_rates_the_first_one_moves(self) -> None:
        found = planned(watcher("equalized_odds", **TWO), rate=0.4, shares=(0.5, 0.5), rows=200_000)
        state = found.begin(RNG(1))(RNG(2), 0.2)
        rates = {name: state.outcomes(name) / state.rows(name) for name in state.groups}
        assert rates == pytest.approx({"TPR high": 0.4, "TPR low": 0.2, "FPR high": 0.4, "FPR low": 0.4}, abs=0.01)

    def test_with_units_people_are_in_buckets(self) -> None:
        found = planned(watcher("group_parity", **TWO), rate=0.3, shares=(0.7, 0.3), units=250, correlation=0.2)
        state = found.begin(RNG(1))(RNG(2), None)
        assert (state.buckets, state.united, found.notes) == (256, 1, ())

    def test_one_group_is_no_comparison(self) -> None:
        assert "two groups" in str(scenario(watcher("group_parity", group="g"), {"a": Traffic(100, 0.3)}))

    @pytest.mark.parametrize(
        ("rate", "level", "relative", "wanted"),
        [(0.3, 0.1, False, (0.3, 0.2)), (0.05, 0.1, False, (0.15, 0.05)), (0.5, 0.6, True, (0.5, 0.3))],
    )
    def test_two_rates_apart(self, rate: float, level: float, relative: bool, wanted: tuple[float, float]) -> None:
        assert apart(rate, level, relative=relative) == pytest.approx(wanted)


def test_other_detectors_say_why_there_is_no_plan() -> None:
    assert "simulated" in str(scenario(object(), {}))
    assert "no rows" in str(scenario(watcher("error_rate"), {}))
    assert seen(watcher("error_rate"), ["a state of another kind"]) == {}


class TestSupposed:
    def test_what_is_said_prevails_over_what_was_seen(self) -> None:
        detector, known = watcher("error_rate"), {ALL: Traffic(1_000, 0.2, 0.05, 0, (0.5, 0.5), 0.1)}
        assert supposed(detector, known, Assumed()) == known
        changed = supposed(detector, known, Assumed(rows=500, rate=0.1, shock=0.0))[ALL]
        assert changed == Traffic(500, 0.1, 0.05, 0, (0.5, 0.5), 0.0)
        assert supposed(detector, known, Assumed(units=40))[ALL] == Traffic(1_000, 0.2, 0.1, 40, (), 0.1)
        assert supposed(detector, known, Assumed(correlation=0.3))[ALL].units == 500

    def test_rows_and_units_are_of_all_groups_together(self) -> None:
        known = {"a": Traffic(300, 0.2), "b": Traffic(100, 0.3)}
        changed = supposed(watcher("group_parity", **TWO), known, Assumed(rows=800, units=200))
        assert [(t.rows, t.units) for t in changed.values()] == [(600, 150), (200, 50)]

    def test_groups_of_other_sizes(self) -> None:
        known = {"a": Traffic(300, 0.2), "b": Traffic(100, 0.2)}
        changed = supposed(watcher("group_parity", **TWO), known, Assumed(shares=(0.9, 0.1)))
        assert [(name, t.rows) for name, t in changed.items()] == [("a", pytest.approx(360)), ("b", pytest.approx(40))]
