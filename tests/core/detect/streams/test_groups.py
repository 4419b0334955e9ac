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
