"""Comparing groups: which rows count, which statements are tested with which share of alpha, and what an alarm says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, placed, predictions, window
from tocsin.detect.streams.contrast import BETS
from tocsin.detect.streams.counts import Group, GroupCounts
from tocsin.detect.streams.groups import PAIRS_OF_ALL_MAX
from tocsin.detect.streams.oddsratio import ODDS, ROWS_MAX
from tocsin.detect.streams.sequence import LATE_SHARE
from tocsin.detect.streams.telling import statement
from tocsin.model.finding import Finding, Level, RowRef

KINDS = ("group_parity", "equal_opportunity", "predictive_equality")


def rows(group: list[Any], decision: list[Any], label: list[Any], unit: list[Any] | None = None) -> pa.RecordBatch:
    return placed(
        {
            "group.sex": pa.array(group, pa.string()),
            "decision": pa.array(decision, pa.bool_()),
            "label": pa.array(label, pa.bool_()),
            "unit": pa.array(unit or [None] * len(group), pa.string()),
        }
    )


def counted(units: int = 0, **groups: tuple[int, int]) -> GroupCounts:
    """A window of (rows, outcomes) per group; `units` rows carry one. All rows stand in bucket 0 unless there are units."""
    made = {}
    for place, (name, (n, k)) in enumerate(groups.items()):
        table = np.zeros((2, 256), np.int64)
        if units:
            table[0, place::9][:n], table[1, place::9][:k] = 1, 1
            table[:, place + 200] += np.array([n, k]) - table.sum(axis=1)
        else:
            table[:, 0] = n, k
        made[name] = Group(table, (), ())
    return GroupCounts(256, made, 0, units)


def play(watcher: Any, states: list[GroupCounts], sequence: Any = None) -> tuple[Any, list[Finding], list[Any]]:
    sequence, found, statistics = sequence or watcher.begin(), [], []
    for index, state in enumerate(states):
        evaluated = watcher.evaluate(sequence, state, window(index))
        sequence = evaluated.sequence
        found += evaluated.findings
        statistics.append(evaluated.statistics)
    return sequence, found, statistics


# --- which rows count -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "f", "m"),
    [("group_parity", (4, 2), (3, 2)), ("equal_opportunity", (2, 1), (1, 1)), ("predictive_equality", (1, 1), (1, 0))],
)
def test_each_detector_counts_its_own_rows(kind: str, f: tuple[int, int], m: tuple[int, int]) -> None:
    batch = rows(
        ["f", "f", "f", "f", "m", "m", "m", None, "f"],
        [True, False, True, False, True, True, False, True, None],
        [True, True, False, None, True, None, False, True, True],
    )
    watcher = detector(kind)
    state = watcher.observe(watcher.zero(), batch)
    assert (state.rows("f"), state.outcomes("f")) == f
    assert (state.rows("m"), state.outcomes("m")) == m


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_which_none_counts_change_nothing(kind: str) -> None:
    watcher = detector(kind)
    before = watcher.observe(watcher.zero(), rows(["f"], [True], [True]))
    assert watcher.observe(before, rows([None, "m"], [True, None], [True, True])) is before


def test_flags_may_come_as_numbers() -> None:
    batch = placed({"group.sex": pa.array(["f", "f"]), "decision": pa.array([1, 0]), "unit": pa.nulls(2, pa.string())})
    watcher = detector("group_parity")
    state = watcher.observe(watcher.zero(), batch)
    assert (state.rows("f"), state.outcomes("f")) == (2, 1)


@pytest.mark.parametrize(("unit", "buckets"), [("auto", 256), ("rows", 1), ("window", 1)])
def test_units_are_hashed_only_where_they_are_used(unit: str, buckets: int) -> None:
    watcher = detector("group_parity", unit=unit)
    state = watcher.observe(watcher.zero(), rows(["f", "m"], [True, False], [None, None], ["u", "v"]))
    assert state.buckets == buckets
    assert state.united == (2 if unit == "auto" else 0)


def test_columns_are_what_the_detector_reads() -> None:
    assert detector("group_parity").columns == ("group.sex", "decision", "unit")
    assert detector("equal_opportunity", group="race").columns == ("group.race", "decision", "label", "unit")


# --- which statements -----------------------------------------------------------------------------------------------


def shares(sequence: Any) -> dict[str, float]:
    return {name: process.share for name, process in sequence.processes.items()}


def test_two_named_groups_share_the_whole_of_alpha() -> None:
    sequence, _, _ = play(detector("group_parity", groups=["f", "m"]), [counted(f=(9, 3), m=(9, 3))])
    assert shares(sequence) == {"f>m": 0.5, "m>f": 0.5}


def test_groups_that_show_themselves_leave_a_share_for_those_to_come() -> None:
    first = counted(f=(9, 3), m=(9, 3))
    sequence, _, _ = play(detector("group_parity"), [first, counted(f=(9, 3), m=(9, 3), x=(9, 3))])
    assert shares(sequence)["f>m"] == pytest.approx((1 - LATE_SHARE) / 2)
    late = {name: share for name, share in shares(sequence).items() if "x" in name}
    assert set(late) == {"f>x", "x>f", "m>x", "x>m"}
    assert sum(late.values()) == pytest.approx(LATE_SHARE / 3 / 4)


def test_shares_never_exceed_the_whole_however_groups_come_and_go() -> None:
    rng = np.random.default_rng(1)
    for named in (None, [f"g{n}" for n in range(14)]):
        states = [
            counted(
                **{f"g{n}": (int(rng.integers(5, 40)), 3) for n in rng.choice(14, rng.integers(1, 14), replace=False)}
            )
            for _ in range(60)
        ]
        sequence, _, _ = play(detector("group_parity", groups=named), states)
        assert sum(shares(sequence).values()) <= 1 + 1e-12


def test_groups_that_are_not_named_are_not_compared() -> None:
    sequence, _, statistics = play(
        detector("group_parity", groups=["f", "m"]), [counted(f=(9, 1), m=(9, 1), x=(99, 99))]
    )
    assert set(sequence.processes) == {"f>m", "m>f"}
    assert statistics[0]["totals"]["x"] == [99, 99]


def test_a_single_group_is_compared_with_nobody() -> None:
    sequence, found, statistics = play(detector("group_parity"), [counted(f=(500, 400))] * 5)
    assert (dict(sequence.processes), found) == ({}, [])
    assert (statistics[-1]["top"], statistics[-1]["log10_threshold"]) == ("", None)
    assert statistics[-1]["totals"] == {"f": [2_500, 2_000]}


def test_a_group_joins_when_it_has_enough_rows_and_not_before() -> None:
    few = [counted(f=(50, 20), m=(50, 20), x=(4, 4))] * 3
    sequence, _, _ = play(detector("group_parity"), few)
    assert not any("x" in name for name in sequence.processes)
    sequence, _, _ = play(detector("group_parity"), [*few, counted(f=(50, 20), m=(50, 20), x=(5, 5))])
    assert any("x" in name for name in sequence.processes)


def test_a_name_that_holds_the_sign_between_two_groups_is_not_compared() -> None:
    watcher = detector("group_parity")
    state = watcher.observe(watcher.zero(), rows(["f>m"] * 9 + ["f"] * 9 + ["m"] * 9, [True] * 27, [None] * 27))
    sequence, _, _ = play(watcher, [state])
    assert set(sequence.processes) == {"f>m", "m>f"}
    assert sequence.totals["f>m"] == (9, 9)


def test_many_groups_are_compared_with_the_largest_of_the_first_window_and_stay_so() -> None:
    names = [f"g{n}" for n in range(PAIRS_OF_ALL_MAX + 2)]
    first = dict.fromkeys(names, (50, 20)) | {"g4": (51, 20)}
    later = dict.fromkeys(names, (50, 20)) | {"g7": (90, 20)}
    sequence, _, _ = play(detector("group_parity"), [counted(**first), counted(**later), counted(**later)])
    assert len(sequence.processes) == 2 * (len(names) - 1)
    assert all("g4" in statement(name) for name in sequence.processes)


# --- windows that say nothing ---------------------------------------------------------------------------------------


def test_a_window_without_rows_leaves_every_process_as_it_was() -> None:
    """Nights without traffic, days without labels: evidence is neither lost nor diluted."""
    watcher = detector("group_parity", groups=["f", "m"])
    busy = counted(units=80, f=(40, 8), m=(40, 14))
    without, _, _ = play(watcher, [busy] * 6)
    between = [state for _ in range(6) for state in (busy, watcher.zero(), watcher.zero())]
    with_nights, _, statistics = play(watcher, between)
    assert with_nights.processes == without.processes
    assert statistics[-1]["log10_e"] == statistics[-3]["log10_e"]
    assert len(without.processes["m>f"].log_a) == len(BETS)


def test_a_statement_waits_while_one_of_its_groups_has_too_few_rows() -> None:
    watcher = detector("group_parity", groups=["f", "m", "x"])
    sequence, _, _ = play(watcher, [counted(f=(50, 20), m=(50, 20), x=(4, 0))] * 3)
    assert sequence.processes["f>m"].windows == 3
    assert sequence.processes["f>x"].windows == 0


def test_when_units_come_and_go_the_evidence_so_far_is_kept() -> None:
    watcher = detector("group_parity", groups=["f", "m"])
    sequence, _, before = play(watcher, [counted(f=(200, 60), m=(200, 68))] * 3)
    assert len(sequence.processes["m>f"].log_a) == len(ODDS)
    after, _, statistics = play(watcher, [counted(units=20, f=(10, 5), m=(10, 5))], sequence)
    process = after.processes["m>f"]
    assert (len(process.log_a), process.windows) == (len(BETS), 4)
    assert statistics[0]["log10_e"]["m>f"] == pytest.approx(before[-1]["log10_e"]["m>f"], abs=0.3)
    assert (statistics[0]["independent_rows"], before[-1]["independent_rows"]) == (False, True)


def test_very_large_windows_of_rows_use_the_row_form_with_as_many_bets() -> None:
    huge = counted(f=(ROWS_MAX, 30_000), m=(ROWS_MAX, 30_600))
    sequence, _, _ = play(detector("group_parity", groups=["f", "m"]), [counted(f=(90, 30), m=(90, 30)), huge])
    assert len(sequence.processes["m>f"].log_a) == len(ODDS)
    assert sequence.processes["m>f"].log_e_value("pfa") > sequence.processes["f>m"].log_e_value("pfa")


# --- what an alarm says ---------------------------------------------------------------------------------------------


def alarm(kind: str = "group_parity", units: int = 0, windows: int = 20, **parameters: Any) -> Finding:
    rng = np.random.default_rng(12)
    watcher = detector(kind, **parameters)
    fair = [predictions(rng, 600, {"f": 0.3, "m": 0.3}, units=units) for _ in range(10)]
    unfair = [predictions(rng, 600, {"f": 0.2, "m": 0.5}, units=units, first=600 * n) for n in range(windows)]
    states = [watcher.observe(watcher.zero(), batch) for batch in fair + unfair]
    return play(watcher, states)[1][0]


def test_the_finding_explains_itself() -> None:
    finding = alarm()
    assert (finding.system, finding.detector, finding.key) == ("bank", "group_parity", "sex:m>f")
    assert finding.level == Level.ALARM
    assert finding.title.startswith("The rate of positive decisions differs by sex: f 2")
    assert finding.since is not None
    assert finding.since.earliest <= window(10).start <= finding.since.latest
    assert "percentage points above that of f (" in finding.explanation
    assert f"since about {finding.since.start:%Y-%m-%d %H:%M} UTC" in finding.explanation
    assert finding.explanation.endswith("People of one group get the positive decision less often.")
    assert finding.strength.threshold == pytest.approx(20 / 0.45)
    assert finding.strength.value >= finding.strength.threshold
    assert finding.effect is not None
    assert finding.effect.low < 30 < finding.effect.high
    assert finding.count == finding.details["rows_low"]
    assert finding.details["independent_rows"] is True
    assert all(isinstance(ref, RowRef) for ref in finding.rows)
    assert finding.blind_spots
    assert finding.next_steps
    assert finding.tags


@pytest.mark.parametrize(
    ("kind", "noun"), [("equal_opportunity", "true positive"), ("predictive_equality", "false positive")]
)
def test_each_detector_speaks_of_its_own_rate(kind: str, noun: str) -> None:
    finding = alarm(kind)
    assert noun in finding.title
    assert noun in finding.explanation
    assert finding.effect is not None
    assert noun in finding.effect.name


def test_rows_show_the_harm_of_each_kind() -> None:
    """A higher false positive rate harms the group that is `high`; a lower rate of good decisions the one that is `low`."""
    rng = np.random.default_rng(3)
    batches = [predictions(rng, 600, {"f": 0.2, "m": 0.5}, first=600 * n) for n in range(20)]
    for kind, group, decision in (
        ("group_parity", "f", False),
        ("equal_opportunity", "f", False),
        ("predictive_equality", "m", True),
    ):
        watcher = detector(kind)
        finding = play(watcher, [watcher.observe(watcher.zero(), batch) for batch in batches])[1][0]
        all_rows = {row["_row"]: row for batch in batches for row in batch.to_pylist()}
        shown = [all_rows[ref.row] for ref in finding.rows]
        assert shown
        assert {(row["group.sex"], row["decision"]) for row in shown} == {(group, decision)}


def test_repeating_people_widen_the_interval_and_are_said_so() -> None:
    finding = alarm(units=300)
    assert "no unit" not in finding.strength.guarantee
    assert finding.details["design_effect"] >= 1
    assert finding.details["independent_rows"] is False


def test_the_guarantee_is_the_one_that_was_chosen() -> None:
    assert "at most 1% of unchanged streams" in alarm(alpha=0.01).strength.guarantee
    told = alarm(guarantee="sr", windows_per_false_alarm=500)
    assert "one false alarm per 500 windows" in told.strength.guarantee
    assert told.strength.threshold == pytest.approx(500 / 0.45)


def test_a_tolerance_moves_the_alarm_and_stands_in_the_finding() -> None:
    found = alarm(tolerance=0.1)
    assert found.details["tolerance"] == 0.1
    assert found.strength.value < alarm().strength.value


@pytest.mark.parametrize(("unit", "windows"), [("rows", 5), ("window", 120)])
def test_the_other_units_find_a_large_gap_too_and_a_window_as_unit_takes_long(unit: str, windows: int) -> None:
    assert alarm(unit=unit, windows=windows).key == "sex:m>f"


def test_what_a_repeated_alarm_needed_is_told_with_it() -> None:
    """Each alarm doubles the logarithm of what the next one needs: 40, 40^2, 40^4."""
    states = [counted(f=(200, 40), m=(200, 90))] * 12
    _, found, statistics = play(detector("group_parity", groups=["f", "m"]), states)
    assert [f.strength.threshold for f in found[:3]] == pytest.approx([40, 40**2, 40**4])
    assert all(f.strength.value >= f.strength.threshold for f in found)
    quiet = [told["log10_e"][told["top"]] < told["log10_threshold"] for told in statistics]
    assert quiet.count(False) == len(found)
    assert {told["top"] for told in statistics} == {"m>f"}


def test_statistics_show_the_strongest_evidence_beside_its_threshold() -> None:
    _, _, statistics = play(detector("group_parity", groups=["f", "m"]), [counted(f=(200, 60), m=(200, 80))])
    told = statistics[0]
    assert told["top"] == "m>f"
    assert told["log10_threshold"] == pytest.approx(np.log10(40), abs=1e-4)
    assert told["groups"] == {"f": [200, 60], "m": [200, 80]}
    assert set(told["log10_e"]) == {"m>f", "f>m"}


# --- four fifths ----------------------------------------------------------------------------------------------------


def test_four_fifths_stays_silent_where_the_share_is_reached_and_says_so() -> None:
    _, found, statistics = play(detector("four_fifths", groups=["f", "m"]), [counted(f=(300, 75), m=(300, 90))] * 60)
    assert found == []
    assert statistics[-1]["verdicts"] == {"f>m": "not shown", "m>f": "not shown"}
    assert play(detector("group_parity", groups=["f", "m"]), [counted(f=(300, 75), m=(300, 90))] * 60)[1]


@pytest.mark.parametrize("units", [0, 120])
def test_four_fifths_tells_a_share_that_is_missed(units: int) -> None:
    states = [counted(units=units, f=(300, 40), m=(300, 110))] * 60
    _, found, statistics = play(detector("four_fifths", groups=["f", "m"]), states)
    finding = found[0]
    assert finding.key == "sex:m>f"
    assert "f is 36.4% of that of m, where at least 80% is asked (" in finding.explanation
    assert finding.effect is not None
    assert (finding.effect.unit, round(finding.effect.value, 1)) == ("percent", 36.4)
    assert finding.effect.low < 36.4 < finding.effect.high < 100
    assert finding.details["ratio"] == 0.8
    assert "tolerance" not in finding.details
    assert statistics[-1]["verdicts"] == {"f>m": "not shown", "m>f": "violated"}
    assert finding.since is not None
    assert finding.since.start == window(0).start


def test_another_share_may_be_asked() -> None:
    states = [counted(f=(300, 75), m=(300, 90))] * 60
    assert play(detector("four_fifths", groups=["f", "m"], ratio=0.95), states)[1]


def test_a_fix_of_four_fifths_is_proven_as_a_share() -> None:
    watcher = detector("four_fifths", groups=["f", "m"])
    finding = play(watcher, [counted(f=(300, 40), m=(300, 110))] * 30)[1][0]
    mended = watcher.clearance(finding, [counted(f=(300, 88), m=(300, 90))] * 40, 0.05)
    assert mended.passed
    assert '"the rate of positive decisions of f is 80.0% of that of m or less" is rejected' in mended.statement
    assert not watcher.clearance(finding, [counted(f=(300, 60), m=(300, 90))] * 40, 0.05).passed


# --- equalized odds -------------------------------------------------------------------------------------------------


def odds(f: tuple[tuple[int, int], tuple[int, int]], m: tuple[tuple[int, int], tuple[int, int]]) -> GroupCounts:
    """A window with ((rows, decisions) of positive labels, those of negative labels) per group."""
    named = {"TPR f": f[0], "FPR f": f[1], "TPR m": m[0], "FPR m": m[1]}
    return counted(**named)


@pytest.mark.parametrize(
    ("f", "m", "rate"),
    [
        (((150, 60), (150, 15)), ((150, 105), (150, 15)), "true positive rate"),
        (((150, 90), (150, 15)), ((150, 90), (150, 60)), "false positive rate"),
    ],
)
def test_equalized_odds_names_the_rate_that_differs(f: Any, m: Any, rate: str) -> None:
    watcher = detector("equalized_odds", groups=["f", "m"])
    finding = play(watcher, [odds(f, m)] * 12)[1][0]
    assert (finding.key, finding.details["rate"]) == ("sex:m>f", rate)
    assert rate in finding.explanation.lower()
    mended = odds(((150, 90), (150, 15)), ((150, 90), (150, 15)))
    assert watcher.clearance(finding, [odds(f, m)] * 60, 0.05).passed is False
    cleared = watcher.clearance(finding, [mended] * 60, 0.05)
    assert cleared.passed
    assert rate in cleared.statement


def test_equal_odds_stay_silent_whatever_the_base_rates_are() -> None:
    """Parity differs because one group deserves more; the odds do not."""
    states = [odds(((50, 40), (250, 25)), ((250, 200), (50, 5)))] * 40
    assert play(detector("equalized_odds", groups=["f", "m"]), states)[1] == []
    parity = [counted(f=(300, 65), m=(300, 205))] * 40
    assert play(detector("group_parity", groups=["f", "m"]), parity)[1]


def test_the_process_of_equalized_odds_is_the_mean_of_those_of_the_two_rates() -> None:
    state = odds(((150, 60), (150, 15)), ((150, 80), (150, 20)))
    both, _, told = play(detector("equalized_odds", groups=["f", "m"]), [state] * 3)
    alone = {}
    for kind, mark in (("equal_opportunity", "TPR "), ("predictive_equality", "FPR ")):
        mine = counted(**{name: (state.rows(mark + name), state.outcomes(mark + name)) for name in ("f", "m")})
        alone[kind] = play(detector(kind, groups=["f", "m"]), [mine] * 3)[2][-1]["log10_e"]["m>f"]
    mean = np.log10(sum(10**value for value in alone.values()) / 2)
    assert told[-1]["log10_e"]["m>f"] == pytest.approx(mean, abs=1e-3)
    assert len(both.processes["m>f"].log_a) == 2 * len(ODDS)


def test_a_rate_without_enough_rows_waits_and_the_other_goes_on() -> None:
    states = [odds(((4, 0), (150, 15)), ((150, 80), (150, 45)))] * 10
    sequence, found, told = play(detector("equalized_odds", groups=["f", "m"]), states)
    assert found[0].details["rate"] == "false positive rate"
    silent = odds(((4, 0), (4, 1)), ((150, 80), (150, 45)))
    after, _, told = play(detector("equalized_odds", groups=["f", "m"]), [silent], sequence)
    assert after.processes == sequence.processes
    assert told[-1]["waiting"] == ["f"]


def test_equalized_odds_counts_each_labelled_row_once() -> None:
    batch = rows(["f", "f", "m", "m", "m"], [True, False, True, True, False], [True, False, False, None, True])
    watcher = detector("equalized_odds")
    state = watcher.observe(watcher.zero(), batch)
    seen = {name: (state.rows(name), state.outcomes(name)) for name in sorted(state.groups)}
    assert seen == {"FPR f": (1, 0), "FPR m": (1, 1), "TPR f": (1, 1), "TPR m": (1, 0)}


# --- intersections, small cells, and names --------------------------------------------------------------------------


def crossed(seed: int, rates: dict[tuple[str, str], float], count: int = 800) -> pa.RecordBatch:
    rng = np.random.default_rng(seed)
    places = rng.integers(0, len(rates), count)
    keys = list(rates)
    return placed(
        {
            "group.sex": pa.array([keys[n][0] for n in places]),
            "group.age": pa.array([keys[n][1] for n in places]),
            "decision": pa.array(rng.random(count) < np.array(list(rates.values()))[places]),
            "unit": pa.nulls(count, pa.string()),
        },
        first=seed * count,
    )


def test_a_harm_that_only_an_intersection_shows_is_found_and_named() -> None:
    """Old women and young men lose what the others win: neither sex nor age differs, their cells do."""
    rates = {("f", "old"): 0.2, ("f", "young"): 0.4, ("m", "old"): 0.4, ("m", "young"): 0.2}
    batches = [crossed(seed, rates) for seed in range(14)]
    for parameters in ({"group": "sex"}, {"group": "age"}):
        watcher = detector("group_parity", **parameters)
        assert play(watcher, [watcher.observe(watcher.zero(), batch) for batch in batches])[1] == []
    watcher = detector("group_parity", crossed_with=["age"])
    assert watcher.columns == ("group.sex", "group.age", "decision", "unit")
    found = play(watcher, [watcher.observe(watcher.zero(), batch) for batch in batches])[1]
    assert {statement(finding.key.split(":")[1]).low for finding in found} == {"f & old", "m & young"}
    assert found[0].key.startswith("sex & age:")
    assert found[0].title.startswith("The rate of positive decisions differs by sex & age: ")


def test_the_one_cell_that_strays_is_named_once_it_is_shown() -> None:
    rates = {("f", "old"): 0.1, ("f", "young"): 0.4, ("m", "old"): 0.4, ("m", "young"): 0.4}
    watcher = detector("group_parity", crossed_with=["age"])
    states = [watcher.observe(watcher.zero(), crossed(seed, rates)) for seed in range(14)]
    last = play(watcher, states)[1][-1]
    (name,) = last.details["named"]
    assert (name["group"], name["side"]) == ("f & old", "lower")
    assert name["others"] == ["f & young", "m & old", "m & young"]
    assert last.explanation.endswith("Shown so far: f & old is lower than f & young, m & old, m & young.")


def test_with_two_groups_the_finding_itself_is_the_name() -> None:
    assert alarm().details["named"] == []


def test_small_cells_wait_as_long_as_was_asked_and_are_told() -> None:
    states = [counted(f=(40, 5), m=(300, 200))] * 6
    _, found, statistics = play(detector("group_parity", rows_min=50), states)
    assert (found, statistics[-1]["log10_e"], statistics[-1]["waiting"]) == ([], {}, ["f"])
    _, found, statistics = play(detector("group_parity", rows_min=40), states)
    assert found
    assert "waiting" not in statistics[-1]


def test_naming_an_attribute_twice_changes_nothing() -> None:
    assert detector("group_parity", crossed_with=["sex"]).columns == ("group.sex", "decision", "unit")
