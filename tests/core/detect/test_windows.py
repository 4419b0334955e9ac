"""Cutting a stream: which row belongs to which window, what closes it, and where late rows go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect import windows
from tocsin.detect.windows import BEFORE_ALL, NONE, Cursor, Key, Plan, Run
from tocsin.model.telemetry import Segment, Window, Windowing

DAY = datetime(2026, 11, 1, tzinfo=UTC)
START = windows.micros(DAY)
MINUTE = 60_000_000
HOUR = 60 * MINUTE
FIRST = START // HOUR
"""The number of the first hour of the day."""
HOURLY, FIVE = Windowing(every=timedelta(hours=1)), Windowing(rows=5)
Minutes = dict[str, list[int]]


def segments(rows: Minutes) -> list[Segment]:
    """A segment per name whose rows stand so many minutes after the start of the day."""
    return [
        Segment(name, "s", "predictions", len(m), DAY + timedelta(minutes=min(m)), DAY + timedelta(minutes=max(m)))
        for name, m in rows.items()
    ]


def cut(
    windowing: Windowing,
    rows: Minutes,
    cursor: Cursor | None = None,
    watermark: int | None = None,
    most: int = 2_000,
    closing: int | None = None,
) -> Plan:
    """The plan; by default the data is complete up to its newest row. `watermark` and `closing` are minutes of the day."""
    times = {name: np.array([START + m * MINUTE for m in minutes], np.int64) for name, minutes in rows.items()}
    latest = max(max(m) for m in rows.values()) if watermark is None else watermark
    close = None if closing is None else START + closing * MINUTE
    return windows.plan(windowing, segments(rows), times, cursor or Cursor(), START + latest * MINUTE, most, close)


def hours(plan: Plan, name: str) -> list[int | None]:
    """The hour of the day of each row; None: not now."""
    return [None if w == NONE else int(w) - FIRST for w in plan.assigned[name]]


# --- windows of time ------------------------------------------------------------------------------------------------


def test_an_hour_closes_when_a_later_row_is_there() -> None:
    plan = cut(HOURLY, {"a": [0, 59, 60, 119, 130]})
    assert hours(plan, "a") == [0, 0, 1, 1, None]
    assert plan.windows == (
        Window(FIRST, DAY, DAY + timedelta(hours=1), 2),
        Window(FIRST + 1, DAY + timedelta(hours=1), DAY + timedelta(hours=2), 2),
    )
    assert plan.next_index == FIRST + 2


def test_rows_need_not_be_in_order() -> None:
    assert hours(cut(HOURLY, {"a": [130, 60, 0, 119]}), "a") == [None, 1, 0, 1]


def test_the_newest_hour_stays_open_until_it_is_closed_by_word() -> None:
    assert cut(HOURLY, {"a": [0, 59]}).windows == ()
    assert [w.rows for w in cut(HOURLY, {"a": [0, 59]}, watermark=60).windows] == [2]
    assert cut(HOURLY, {"a": [0, 59]}, watermark=59).windows == ()


def test_hours_without_rows_are_passed_over() -> None:
    plan = cut(HOURLY, {"a": [0, 5 * 60, 9 * 60]})
    assert [w.index - FIRST for w in plan.windows] == [0, 5]
    assert plan.next_index == FIRST + 9


def test_one_row_with_the_clock_of_1970_makes_one_window_not_half_a_million() -> None:
    minutes_since_1970 = START // MINUTE
    plan = cut(HOURLY, {"a": [-minutes_since_1970, 0, 60]})
    assert [w.index for w in plan.windows] == [0, FIRST]


def test_times_before_1970_have_windows_too() -> None:
    plan = cut(HOURLY, {"a": [-START // MINUTE - 30, 0, 60]})
    assert [w.index for w in plan.windows] == [-1, FIRST]
    assert plan.assigned["a"].tolist() == [-1, FIRST, NONE]


def test_a_run_closes_no_more_windows_than_it_may() -> None:
    rows = {"a": [0, 60, 600, 660, 720]}
    first = cut(HOURLY, rows, most=2)
    assert (len(first.windows), first.next_index) == (2, FIRST + 2)
    second = cut(HOURLY, rows, Cursor(first.next_index, {"a": FIRST - 10**6}), most=2)
    assert [w.index - FIRST for w in second.windows] == [10, 11]


def test_a_late_row_goes_to_the_first_open_hour_and_reopens_nothing() -> None:
    """Hours 0 and 1 are closed; then a segment comes with rows of 00:30 and 01:10, and one of 02:05."""
    cursor = Cursor(FIRST + 2, {"a": FIRST - 10**6}).seeing(["b"])
    plan = cut(HOURLY, {"b": [30, 70, 125, 180]}, cursor)
    assert hours(plan, "b") == [2, 2, 2, None]
    assert plan.windows[0].rows == 3


def test_rows_of_the_open_hour_keep_their_hour_when_later_hours_close() -> None:
    """The floor is that of the time when the segment was first seen."""
    cursor = Cursor(FIRST + 1, {"a": NONE})
    assert hours(cut(HOURLY, {"a": [0, 60, 120]}, cursor), "a") == [None, 1, None]


def test_nothing_makes_no_plan() -> None:
    plan = windows.plan(HOURLY, [], {}, Cursor(7), START, 10)
    assert plan == Plan((), {}, 7, None)


def test_which_segments_may_hold_rows_of_open_hours() -> None:
    rows = {"old": [0, 30], "across": [30, 70], "late": [10, 20], "new": [5]}
    cursor = Cursor(FIRST + 1, {"old": NONE, "across": NONE, "late": FIRST + 1})
    assert [s.id for s in windows.unread(HOURLY, segments(rows), cursor)] == ["across", "late", "new"]
    assert [s.id for s in windows.unread(HOURLY, segments(rows), Cursor(FIRST + 2, cursor.floors))] == ["new"]


# --- windows of rows ------------------------------------------------------------------------------------------------


def test_rows_are_cut_in_order_of_time_and_the_rest_waits() -> None:
    plan = cut(FIVE, {"a": list(range(12))})
    assert plan.assigned["a"].tolist() == [0] * 5 + [1] * 5 + [NONE] * 2
    assert plan.windows == (
        Window(0, DAY, DAY + timedelta(minutes=4), 5),
        Window(1, DAY + timedelta(minutes=5), DAY + timedelta(minutes=9), 5),
    )
    assert plan.last == Key(START + 9 * MINUTE, 0, 9)


def test_segments_interleave_by_time_and_equal_times_by_place() -> None:
    plan = cut(FIVE, {"a": [0, 2, 4, 4, 6], "b": [1, 3, 4, 5, 7]})
    assert plan.assigned["a"].tolist() == [0, 0, 0, 1, 1]
    assert plan.assigned["b"].tolist() == [0, 0, 1, 1, 1]


def test_what_was_consumed_is_not_counted_again() -> None:
    rows = {"a": [0, 1, 2, 3, 3, 3, 4]}
    first = cut(FIVE, rows)
    cursor = Cursor.of([Run(["a"], first.next_index, first.last)])
    rows["b"] = [3, 5, 6]
    second = cut(FIVE, rows, cursor.seeing(["b"]))
    assert second.assigned["a"].tolist() == [NONE] * 5 + [1, 1]
    assert second.assigned["b"].tolist() == [1, 1, 1]
    assert second.windows[0].index == 1


def test_late_rows_come_first_in_the_next_window() -> None:
    cursor = Cursor(1, {"a": NONE}, {"a": Key(START + 9 * MINUTE, 0, 4)}).seeing(["late"])
    plan = cut(FIVE, {"a": [5, 6, 7, 8, 9, 10, 11], "late": [0, 1, 2]}, cursor)
    assert plan.assigned["late"].tolist() == [1, 1, 1]
    assert plan.assigned["a"].tolist() == [NONE] * 5 + [1, 1]


def test_the_last_rows_close_by_word_only_when_all_are_older() -> None:
    assert cut(FIVE, {"a": [0, 1, 2]}, closing=2).windows == ()
    plan = cut(FIVE, {"a": [0, 1, 2]}, closing=3)
    assert [(w.index, w.rows) for w in plan.windows] == [(0, 3)]
    assert cut(FIVE, {"a": list(range(7))}, closing=100).next_index == 2
    assert cut(FIVE, {"a": list(range(5))}, closing=100).next_index == 1


def test_a_bounded_run_does_not_close_the_rest_by_word() -> None:
    plan = cut(FIVE, {"a": list(range(13))}, most=1, closing=100)
    assert [w.rows for w in plan.windows] == [5]


def test_nothing_left_closes_nothing() -> None:
    cursor = Cursor(1, {"a": NONE}, {"a": Key(START + 4 * MINUTE, 0, 4)})
    assert cut(FIVE, {"a": list(range(5))}, cursor, closing=100).windows == ()
    assert windows.plan(FIVE, [], {}, Cursor(3), START, 10) == Plan((), {}, 3, None)


def test_which_segments_may_hold_rows_that_are_not_consumed() -> None:
    rows = {"done": [0, 4], "half": [3, 8], "new": [1]}
    key = Key(START + 5 * MINUTE, 1, 0)
    cursor = Cursor(1, {}, {"done": key, "half": key})
    assert [s.id for s in windows.unread(FIVE, segments(rows), cursor)] == ["half", "new"]


# --- the cursor -----------------------------------------------------------------------------------------------------


def test_a_cursor_remembers_per_segment_what_was_closed_when_it_came() -> None:
    key = Key(5, 0, 1)
    runs = [Run(["a"], None, None), Run([], 3, key), Run(["b"], 4, Key(4, 9, 9)), Run(["c"], 4, None)]
    assert Cursor.of(runs[:1]) == Cursor(None, {"a": NONE}, {"a": BEFORE_ALL})
    assert Cursor.of(runs[:2]) == Cursor(3, {"a": NONE}, {"a": key})
    assert Cursor.of(runs[:3]) == Cursor(4, {"a": NONE, "b": 3}, {"a": key, "b": Key(4, 9, 9)})
    assert Cursor.of(runs) == Cursor(4, {"a": NONE, "b": 3, "c": 4}, {"a": key, "b": Key(4, 9, 9), "c": BEFORE_ALL})
    assert Cursor.of([]) == Cursor()


def test_a_run_sees_new_segments_from_the_next_window_on() -> None:
    before = Cursor(3, {"a": NONE}, {"a": Key(5, 0, 1)})
    assert before.seeing(["b"]) == Cursor(3, {"a": NONE, "b": 3}, {"a": Key(5, 0, 1), "b": BEFORE_ALL})
    assert Cursor().seeing(["a"]) == Cursor.of([Run(["a"], None, None)])
    assert before == Cursor(3, {"a": NONE}, {"a": Key(5, 0, 1)})


def test_instants_are_microseconds_both_ways() -> None:
    instant = datetime(2026, 11, 24, 1, 2, 3, 456_789, tzinfo=UTC)
    assert windows.at(windows.micros(instant)) == instant


# --- any arrival, each row once -------------------------------------------------------------------------------------


def judged(windowing: Windowing, arrivals: list[list[int]], most: int) -> list[tuple[int, int]]:
    """Ingest one segment after the other, closing what can be closed each time; (window, minute) of every counted row."""
    rows: Minutes = {}
    runs: list[Run] = []
    told: list[tuple[int, int]] = []
    for number, minutes in enumerate(arrivals):
        rows[f"s{number}"] = minutes
        new = [f"s{number}"]
        last = number == len(arrivals) - 1
        end = 10_000 if last else None
        while True:
            plan = cut(windowing, rows, Cursor.of(runs).seeing(new), watermark=end, most=most, closing=end)
            told += [
                (int(w), m)
                for name, m_ in rows.items()
                for w, m in zip(plan.assigned[name], m_, strict=True)
                if w != NONE
            ]
            runs.append(Run(new, plan.next_index, plan.last))
            new = []
            if not plan.windows:
                break
    return told


arriving = st.lists(st.lists(st.integers(0, 600), min_size=1, max_size=12), min_size=1, max_size=5)


@settings(deadline=None)
@given(arriving, st.integers(1, 4))
def test_every_row_is_counted_exactly_once_in_hours(arrivals: list[list[int]], most: int) -> None:
    told = judged(HOURLY, arrivals, most)
    assert sorted(m for _, m in told) == sorted(m for minutes in arrivals for m in minutes)
    assert all(window >= FIRST + minute // 60 for window, minute in told)


@settings(deadline=None)
@given(arriving, st.integers(1, 4))
def test_every_row_is_counted_exactly_once_in_windows_of_rows(arrivals: list[list[int]], most: int) -> None:
    told = judged(FIVE, arrivals, most)
    assert sorted(m for _, m in told) == sorted(m for minutes in arrivals for m in minutes)
    sizes = np.bincount([window for window, _ in told])
    assert (sizes[:-1] == 5).all()


@pytest.mark.parametrize("windowing", [HOURLY, FIVE])
def test_one_run_and_many_runs_cut_a_sorted_stream_alike(windowing: Windowing) -> None:
    stream = sorted(np.random.default_rng(2).integers(0, 900, 47).tolist())
    pieces = [stream[n : n + 7] for n in range(0, 47, 7)]
    assert sorted(judged(windowing, pieces, 1)) == sorted(judged(windowing, [stream], 2_000))
