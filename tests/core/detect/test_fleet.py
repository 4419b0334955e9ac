"""Fleets: the budget adds up whatever the detectors have in common, and every promise is told as a number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given as fed
from hypothesis import strategies as st

from tests.core.govern.workspaces import POLICY, SYSTEM
from tocsin.content.discovery import detector_kinds
from tocsin.detect import fleet
from tocsin.detect.streams.wrappers import log_statistic, start, step
from tocsin.model.policy import DetectorChoice, FalseAlarms, System, Workspace
from tocsin.model.telemetry import Windowing

KINDS = detector_kinds()
QUARTER = FalseAlarms(timedelta(days=90), 2_000, "workspace")
DAILY, HOURLY, ROWS = Windowing(every=timedelta(days=1)), Windowing(every=timedelta(hours=1)), Windowing(rows=100)


def choice(number: int, windowing: Windowing = DAILY, **parameters: Any) -> DetectorChoice:
    return DetectorChoice("group_parity", f"parity-{number}", {"group": "sex", **parameters}, windowing)


def house(budget: FalseAlarms | None, *systems: System) -> Workspace:
    return Workspace("house", replace(POLICY, false_alarms=budget), {system.id: system for system in systems})


def system(*choices: DetectorChoice, name: str = "model", owner: str = "ada") -> System:
    return replace(SYSTEM, id=name, owner=owner, detectors=choices)


# --- the arithmetic -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("streams", "windowing", "windows"),
    [
        (1, DAILY, 90),
        (4, DAILY, 360),
        (4, HOURLY, 8_640),
        (5, DAILY, 720),
        (4, ROWS, 8_000),
        (1, Windowing(every=timedelta(days=30)), 10),
        (2, Windowing(every=timedelta(days=7)), 26),
    ],
)
def test_the_threshold_is_windows_in_the_time_times_detectors(streams: int, windowing: Windowing, windows: int) -> None:
    assert fleet.threshold(QUARTER, streams, windowing) == windows


@fed(st.integers(1, 5_000))
def test_detectors_are_rounded_up_to_a_power_of_two(streams: int) -> None:
    found = fleet.rounded(streams)
    assert streams <= found < 2 * streams or found == streams == 1
    assert found & (found - 1) == 0


@fed(st.lists(st.sampled_from([DAILY, HOURLY, Windowing(every=timedelta(hours=7)), ROWS]), min_size=1, max_size=40))
def test_the_shares_add_up_to_at_most_one_alarm(cut: list[Windowing]) -> None:
    """Expected false alarms in the budget's time: windows over threshold, summed over the detectors."""
    expected = 0.0
    for windowing in cut:
        seen = QUARTER.one_in / windowing.every if windowing.every else QUARTER.windows
        expected += seen / fleet.threshold(QUARTER, len(cut), windowing)
    assert expected <= 1 + 1e-9


# --- who shares -----------------------------------------------------------------------------------------------------


def test_without_a_budget_every_detector_keeps_its_own() -> None:
    alone = house(None, system(choice(1)))
    assert fleet.given(alone, KINDS, alone.systems["model"], choice(1)) == {"group": "sex"}
    assert fleet.promise(alone, KINDS, alone.systems["model"], choice(1)) == ""
    assert fleet.told(alone, KINDS) == ("Each on its own: of 1 detector, at most 0.05 on average ever alarm falsely.",)


@pytest.mark.parametrize("own", [{"guarantee": "pfa"}, {"alpha": 0.01}, {"windows_per_false_alarm": 500}])
def test_a_detector_that_chose_for_itself_shares_nothing(own: dict[str, Any]) -> None:
    chose, shares = choice(1, **own), choice(2)
    at = house(QUARTER, system(chose, shares))
    model = at.systems["model"]
    assert fleet.given(at, KINDS, model, chose) == {"group": "sex", **own}
    assert fleet.promise(at, KINDS, model, chose) == ""
    assert fleet.given(at, KINDS, model, shares)["windows_per_false_alarm"] == 90
    assert len(fleet.told(at, KINDS)) == 2


def test_all_detectors_of_the_workspace_share_one_budget() -> None:
    at = house(QUARTER, system(choice(1), choice(2, HOURLY)), system(choice(3), name="other", owner="ben"))
    given = [fleet.given(at, KINDS, one, each) for one in at.systems.values() for each in one.detectors]
    assert [(one["guarantee"], one["windows_per_false_alarm"]) for one in given] == [
        ("sr", 360),
        ("sr", 8_640),
        ("sr", 360),
    ]
    assert fleet.told(at, KINDS) == (
        "At most one false alarm in 90 days on average across all 3 detectors that share the budget, however they depend on each other.",
    )


def test_each_owner_may_have_a_budget_so_that_nobody_slows_another() -> None:
    per_owner = replace(QUARTER, per="owner")
    at = house(per_owner, system(*(choice(n) for n in range(8))), system(choice(9), name="other", owner="Ben"))
    assert fleet.given(at, KINDS, at.systems["model"], choice(0))["windows_per_false_alarm"] == 720
    assert fleet.given(at, KINDS, at.systems["other"], choice(9))["windows_per_false_alarm"] == 90
    told = fleet.told(at, KINDS)
    assert [line.split(" across ")[1].split(" that ")[0] for line in told] == [
        "the 1 detector of Ben",
        "the 8 detectors of ada",
    ]


def test_what_has_no_guarantee_is_no_part_of_the_budget() -> None:
    looks = DetectorChoice("unseen_host", "unseen_host", {}, DAILY)
    without = [kind for kind in KINDS.values() if not any(p.name == "guarantee" for p in kind.parameters)]
    at = house(QUARTER, system(choice(1), *(replace(looks, kind=kind.name) for kind in without)))
    assert fleet.given(at, KINDS, at.systems["model"], choice(1))["windows_per_false_alarm"] == 90
    for kind in without:
        assert fleet.given(at, KINDS, at.systems["model"], replace(looks, kind=kind.name)) == {}


def test_a_new_neighbour_seldom_moves_a_threshold() -> None:
    found = []
    for count in range(1, 65):
        at = house(QUARTER, system(*(choice(n) for n in range(count))))
        found.append(fleet.given(at, KINDS, at.systems["model"], choice(0))["windows_per_false_alarm"])
    assert len(set(found)) == 7
    assert found == sorted(found)


def test_those_that_count_by_windows_of_their_own_are_told_too() -> None:
    at = house(None, system(choice(1, guarantee="sr", windows_per_false_alarm=5_000), choice(2, guarantee="sr")))
    assert fleet.told(at, KINDS) == ("Each on its own: a false alarm in 2,000, 5,000 windows on average, at most.",)


def test_a_time_of_hours_is_told_in_hours() -> None:
    at = house(replace(QUARTER, one_in=timedelta(hours=36)), system(choice(1)))
    assert "in 36 hours on average across all 1 detector" in fleet.told(at, KINDS)[0]


# --- the union bound, simulated -------------------------------------------------------------------------------------


def alarms(rng: np.random.Generator, detectors: int, windows: int, limit: float, shared: float) -> int:
    """False alarms of a fleet that runs e-SR at this threshold: the rows of a window are common to all with this share.

    Each detector bets on odds of 1.7 against a rate of 0.3 that is just so, and begins anew after an alarm.
    """
    rows, base, odds = 60, 0.3, 1.7
    common = int(rows * shared)
    normal = np.log(1 - base + base * odds)
    log_a, found = [start(1) for _ in range(detectors)], 0
    for window in range(1, windows + 1):
        outcomes = rng.binomial(common, base) + rng.binomial(rows - common, base, detectors)
        for place in range(detectors):
            log_e = np.array([outcomes[place] * np.log(odds) - rows * normal])
            log_a[place] = step(log_a[place], log_e, window, "sr")
            if log_statistic(log_a[place], window, "sr") >= np.log(limit):
                log_a[place], found = start(1), found + 1
    return found


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_a_fleet_keeps_its_budget_whatever_its_detectors_have_in_common(shared: float) -> None:
    """120 fleets of 8 detectors in the very time in which one false alarm is allowed."""
    budget = replace(QUARTER, windows=60)
    limit = fleet.threshold(budget, 8, ROWS)
    assert limit == 480
    rng = np.random.default_rng(6)
    found = np.array([alarms(rng, 8, 60, limit, shared) for _ in range(120)])
    error = found.std() / np.sqrt(len(found))
    assert found.mean() <= 1 + 2 * error
    assert found.mean() > 0.05


def test_at_the_threshold_of_one_a_fleet_does_not_keep_it() -> None:
    """The same fleets with each detector at the threshold that it would have alone."""
    rng = np.random.default_rng(6)
    assert np.mean([alarms(rng, 8, 60, 60, 0.5) for _ in range(60)]) > 1
