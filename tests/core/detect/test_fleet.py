"""Fleets: the budget adds up whatever the detectors have in common, and every promise is told as a number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import exp, log, log10
from typing import Any

import numpy as np
import pytest
from hypothesis import given as fed
from hypothesis import strategies as st

from tests.core.govern.workspaces import POLICY, SYSTEM
from tests.core.incident.made import finding
from tocsin.content.discovery import detector_kinds
from tocsin.detect import fleet
from tocsin.detect.streams.wrappers import log_statistic, start, step
from tocsin.model.finding import Finding, Strength
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


# --- which of the alarms are real -----------------------------------------------------------------------------------


def told(key: str, e_value: float, number: int = 1) -> Finding:
    return finding(id=f"{key}-{number}", key=key, strength=Strength("e_value", e_value, 20.0, ""))


def judged(where: str, log10_e: dict[str, float], *findings: Finding) -> fleet.Judged:
    return fleet.Judged(where, {"log10_e": log10_e}, findings)


def test_of_one_alarm_or_none_nothing_is_said() -> None:
    assert fleet.named([]) == ()
    alone = judged("a/x", {"all rows:up": 9.0}, told("all rows:up", 1e9))
    assert fleet.named([alone, judged("a/y", {"all rows:up": 0.3})]) == ()
    assert fleet.named([judged("a/x", {"all rows:up": 0.1}), judged("a/y", {"all rows:up": 0.3})]) == ()
    assert fleet.named([fleet.Judged("a/text", {}, (told("seen", 1e9),)), alone]) == ()


def test_those_that_stand_out_are_named_and_a_weak_alarm_is_not() -> None:
    """Of four the first needs 4 / 0.05 = 80, the second 40: alarms at 25 that faded do not stand out."""
    quiet = judged("a/x", {"all rows:up": 0.0, "all rows:down": -0.2})
    weak = judged("a/weak", {"all rows:up": -0.5}, told("all rows:up", 25.0))
    strong = judged("b/strong", {"g:m>f": 2.0}, told("sex:g:m>f", 1e6))
    (said,) = fleet.named([quiet, weak, strong])
    assert "Of 4 statements 2 alarmed and 1 stand out" in said
    assert said.endswith(": b/strong g:m>f.")
    other = judged("b/weak", {"all rows:up": -0.4}, told("all rows:up", 30.0))
    assert fleet.named([quiet, weak, other]) == (
        "Of 4 statements 2 alarmed and 0 stand out together, at most 5% of these wrongly on average.",
    )


def test_what_a_statement_was_worth_at_its_alarms_is_multiplied_and_the_last_window_counts_once() -> None:
    other = judged("a/y", {"all rows:up": 0.0}, told("all rows:up", 20.0))
    twice = judged("a/x", {"all rows:up": 0.5}, told("all rows:up", 20.0), told("all rows:up", 20.0, 2))
    assert "a/x all rows:up" in fleet.named([twice, other])[0], "20 x 20 x 3.2 is more than 2 / 0.05"
    now = judged("a/x", {"all rows:up": round(log10(30.0), 4)}, told("all rows:up", 30.0))
    late = judged("a/y", {"all rows:up": -1.0}, told("all rows:up", 20.0))
    assert fleet.named([now, late])[0].startswith("Of 2 statements 2 alarmed and 0 stand out")


def test_alarms_that_begin_anew_multiply_to_an_e_value() -> None:
    """A fair game that begins anew whenever it reaches four is worth one on average, over all paths of ten windows."""
    total, paths = 0.0, 2**10
    for path in range(paths):
        worth = now = 1.0
        for window in range(10):
            now *= 1.5 if path >> window & 1 else 0.5
            if now >= 4:
                worth, now = worth * now, 1.0
        total += worth * now
    assert total / paths == pytest.approx(1)


def test_unchanged_fleets_are_seldom_named() -> None:
    """2,000 fleets of ten fair statements: e-values are exponentials of a normal, mean one."""
    rng = np.random.default_rng(8)
    wrong = 0
    for _ in range(2_000):
        logs = rng.normal(0, 1.5, 10) - 1.5**2 / 2
        one = [
            judged(f"s/{n}", {"up": value / log(10)}, *([told("up", exp(value))] if value > log(20) else []))
            for n, value in enumerate(logs)
        ]
        wrong += any(": s/" in sentence for sentence in fleet.named(one))
    assert wrong / 2_000 <= 0.05


def test_detectors_that_share_a_budget_per_window_have_no_e_value_to_name() -> None:
    one = system(choice(1), choice(2, guarantee="pfa"), choice(3, guarantee="sr"))
    alone, shared = house(None, one), house(QUARTER, one)
    assert [fleet.bounded(KINDS, alone, one, chosen) for chosen in one.detectors] == [True, True, False]
    assert [fleet.bounded(KINDS, shared, one, chosen) for chosen in one.detectors] == [False, True, False]
