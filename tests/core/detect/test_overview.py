"""An overview reads what detectors leave behind: charts, rates and facts, by hand, and for kinds that are not written yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.detect.planning.made import TWO, watcher
from tests.core.incident.made import finding as made
from tocsin.content.discovery import detector_kinds
from tocsin.detect import overview
from tocsin.detect.overview import PLACES_MAX, Scale, Sheet, confidence_of, sheet
from tocsin.detect.streams import confidence
from tocsin.detect.streams.reference import BETA
from tocsin.model.chart import Chart
from tocsin.model.finding import Effect, Finding, Level, Since, Strength
from tocsin.model.telemetry import Window

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def history(told: list[dict[str, Any]], every: timedelta = HOUR) -> list[tuple[Window, dict[str, Any]]]:
    return [(Window(n, BEGIN + n * every, BEGIN + (n + 1) * every, 100), one) for n, one in enumerate(told)]


def steady(count: int, **more: Any) -> list[dict[str, Any]]:
    """Windows of 100 rows, 5 of them wrong, without evidence."""
    counts = {
        "series": {"all rows": [100, 5]},
        "log10_e": {"all rows:up": -0.2},
        "log10_threshold": 1.3,
        "top": "all rows:up",
    }
    return [counts | more for _ in range(count)]


def alarm(index: int, since: int, level: Level = Level.ALARM, every: timedelta = HOUR, **changes: Any) -> Finding:
    window = Window(index, BEGIN + index * every, BEGIN + (index + 1) * every, 100)
    begin = BEGIN + since * every
    fields = {
        "window": window,
        "since": Since(since, begin, begin, begin),
        "strength": Strength("e_value", 25.0, 20.0, "a promise"),
        "effect": Effect("error rate", 12.3456, 10.0, 14.0, 0.95, "percent"),
        "details": {},
    }
    return made(f"f{index}", level, **fields | changes)


def seen(
    told: list[dict[str, Any]], *findings: Finding, detector: Any = None, every: timedelta = HOUR, **how: Any
) -> Sheet:
    detector = detector or watcher("error_rate", limit=0.08)
    kind = detector_kinds()[detector.specification["kind"]]
    fields = {"design": 1.0, "scale": Scale(noun="error rate")} | how
    return sheet(detector, kind, history(told, every), findings, **fields)


def chart(found: Sheet, title: str) -> Chart:
    (one,) = [one for one in found.charts if one.title.startswith(title)]
    return one


def fact(found: Sheet, name: str) -> str:
    return next((value for known, value in found.facts if known == name), "")


class TestState:
    @pytest.mark.parametrize(
        ("told", "findings", "wanted"),
        [
            ([], (), "no window yet"),
            (steady(3), (), "quiet"),
            (steady(30), (alarm(29, 20),), "alarm"),
            (steady(30), (alarm(6, 2),), "alarm"),
            (steady(30), (alarm(5, 2),), "quiet"),
            (steady(30), (alarm(29, 20, level=Level.SIGHTING),), "quiet"),
            (
                steady(3, log10_e={}, reference={"windows": {"all rows": 3}, "needed": 30}),
                (),
                "gathering its reference",
            ),
            (steady(3, reference={"windows": {"all rows": 30}, "needed": 30}), (), "quiet"),
        ],
    )
    def test_what_the_detector_is_in(
        self, told: list[dict[str, Any]], findings: tuple[Finding, ...], wanted: str
    ) -> None:
        assert seen(told, *findings).state == wanted


class TestEvidence:
    def test_evidence_stands_beside_what_raises_an_alarm(self) -> None:
        told = [*steady(2), *steady(1, log10_e={"all rows:up": 2.5}, log10_threshold=2.6)]
        found = chart(seen(told, alarm(1, 0)), "Evidence as a power of ten")
        assert [line.name for line in found.lines] == ["evidence", "alarm"]
        assert found.lines[0].values == [-0.2, -0.2, 2.5]
        assert found.lines[1].values == [1.3, 1.3, 2.6]
        assert found.marks == (1,)
        assert "at the end 2.50, where 2.60 raises an alarm; 1 of 3 places hold an alarm" in found.told

    def test_the_nearest_to_its_alarm_is_drawn(self) -> None:
        told = steady(1, log10_e={"a": 5.0, "b": 1.0}, top="b")
        assert chart(seen(told), "Evidence").lines[0].values == [1.0]
        assert chart(seen(steady(1, log10_e={"a": 5.0, "b": 1.0}, top="gone")), "Evidence").lines[0].values == [5.0]

    def test_very_low_evidence_does_not_squeeze_the_picture(self) -> None:
        assert chart(seen(steady(1, log10_e={"all rows:up": -80.0})), "Evidence").lines[0].values == [overview.LOW]

    @pytest.mark.parametrize(
        "told",
        [
            {},
            {"log10_e": {}, "log10_threshold": 1.3},
            {"log10_e": {"a": 1.0}, "log10_threshold": None},
            {"log10_e": {"a": None}},
        ],
    )
    def test_without_evidence_there_is_no_chart(self, told: dict[str, Any]) -> None:
        assert [one for one in seen([told]).charts if "Evidence" in one.title] == []

    def test_another_measure_of_evidence(self) -> None:
        told = [{"surprise": 1.0, "bar": None}, {"surprise": 3.0, "bar": 9.0}]
        assert chart(seen(told), "Evidence").lines[0].values == [None, 3.0]


class TestRates:
    def test_each_window_and_since_then_with_its_confidence_sequence(self) -> None:
        found = chart(seen(steady(4)), "Error rate, with 95 % confidence sequences since 2026-09-01 00:00 UTC")
        each, since, limit = found.lines
        assert each.values == [0.05] * 4
        assert since.values == [0.05] * 4
        wanted = [confidence.rate(100 * n, 5 * n, 0.05) for n in (1, 2, 3, 4)]
        assert since.low == pytest.approx([one.low for one in wanted])
        assert since.high == pytest.approx([one.high for one in wanted])
        assert (limit.name, limit.values) == ("limit", [0.08] * 4)
        assert "at the end all rows 5.00%" in found.told.lower()

    def test_after_an_alarm_it_begins_where_the_change_began(self) -> None:
        told = steady(10) + steady(10, series={"all rows": [100, 20]})
        found = seen(told, alarm(13, 10))
        since = chart(found, "Error rate").lines[1]
        assert since.values[:10] == [None] * 10
        assert since.values[10:] == [0.2] * 10
        (rate,) = found.rates
        assert (rate.name, rate.rows, rate.value) == ("all rows", 1_000, 0.2)
        assert rate.low < 0.2 < rate.high
        assert str(rate).startswith("all rows 20.00% (")

    def test_people_who_repeat_widen_it(self) -> None:
        narrow, wide = (seen(steady(20), design=design).rates[0] for design in (1.0, 4.0))
        assert wide.high - wide.value == pytest.approx(2 * (narrow.high - narrow.value))

    def test_users_units(self) -> None:
        found = seen(steady(3), scale=Scale(10.0, 110.0, "ms", "mean"), detector=watcher("error_rate"))
        assert chart(found, "Mean").unit == "ms"
        assert found.rates[0].value == pytest.approx(15.0)
        assert str(found.rates[0]).startswith("all rows 15 ms (")

    def test_groups_are_drawn_together_and_the_rest_stand_in_the_table(self) -> None:
        groups = {f"g{n}": [100 - n, 30] for n in range(7)}
        found = seen([{"groups": groups}] * 3, detector=watcher("group_parity", **TWO))
        lines = chart(found, "Error rate of the largest series").lines
        assert [line.name for line in lines] == ["g0", "g1", "g2", "g3"]
        assert [line.style for line in lines] == [0, 1, 2, 3]
        assert [rate.name for rate in found.rates] == [f"g{n}" for n in range(7)]

    def test_a_group_that_comes_late_and_one_that_goes(self) -> None:
        told = [{"groups": {"a": [50, 5]}}, {"groups": {"b": [10, 1]}}, {"groups": {}}]
        found = seen(told, detector=watcher("group_parity", **TWO))
        a, b = chart(found, "Error rate").lines
        assert a.values == [0.1, 0.1, 0.1]
        assert b.values == [None, 0.1, 0.1]

    def test_normal_is_drawn_where_it_is_told(self) -> None:
        found = seen(steady(2) + steady(1, normal={"all rows": ["own", 0.06]}), detector=watcher("error_rate"))
        assert chart(found, "Error rate").lines[-1].values == [None, None, 0.06]

    @given(st.lists(st.tuples(st.integers(0, 1_000), st.floats(0, 1)), min_size=1, max_size=20))
    def test_a_rate_lies_within_its_bounds(self, counts: list[tuple[int, float]]) -> None:
        table = [(rows, rows * share) for rows, share in counts]
        found = confidence_of(table, 1.0, Scale())
        assert (found is None) == (sum(rows for rows, _ in counts) == 0)
        if found:
            assert 0 <= found[1] <= found[0] + 1e-9 <= found[2] + 2e-9 <= 1 + 3e-9


class TestPlaces:
    @given(st.integers(1, 500))
    def test_windows_are_put_together(self, count: int) -> None:
        found = chart(seen(steady(count)), "Error rate")
        assert len(found.places) <= PLACES_MAX
        assert all(len(line.values) == len(found.places) for line in found.lines)

    def test_an_alarm_inside_a_bin_is_marked(self) -> None:
        found = chart(seen(steady(120), alarm(61, 60)), "Evidence")
        assert found.marks == (30,)

    @pytest.mark.parametrize(("every", "wanted"), [(HOUR, "09-01 01:00"), (DAY, "2026-09-02")])
    def test_places_are_ends_of_windows(self, every: timedelta, wanted: str) -> None:
        assert chart(seen(steady(3), every=every), "Error rate").places[0] == wanted


class TestFacts:
    def test_windows_guarantee_and_how_far(self) -> None:
        found = seen(steady(3))
        assert fact(found, "windows") == "every hour"
        assert "at most 5% of unchanged streams ever raise an alarm" in fact(found, "guarantee")
        assert fact(found, "judged") == "3 windows up to 2026-09-01 03:00 UTC"
        assert fact(found, "mode") == "against the limit that was set"
        assert found.not_seen == detector_kinds()["error_rate"].blind_spots

    @pytest.mark.parametrize(
        ("more", "name", "wanted"),
        [
            (
                {"normal": {"all rows": ["own", 0.05]}},
                "mode of all rows",
                f"shocks common to a later window are not covered; {BETA:.1%} come on top",
            ),
            ({"normal": {"a": ["gaussian", 0.05]}}, "mode of a", "a window being one observation"),
            ({"normal": {"a": ["a new mode", 0.05]}}, "mode of a", "a new mode"),
            ({"reference": {"windows": {"all rows": 7}, "needed": 30}}, "reference", "7 of 30 windows"),
            ({"reference": {"windows": 7, "needed": 30}}, "reference", "7 of 30 windows"),
            ({"independent_rows": True}, "unit", "rows count as independent"),
            ({"waiting": ["x", "y"]}, "waiting", "too few rows in the last window: x, y"),
            ({"waiting": "7 of 500 rows to cut the values"}, "waiting", "7 of 500 rows to cut the values"),
            ({"verdicts": {"a>b": "violated"}}, "verdict on a>b", "violated"),
        ],
    )
    def test_what_the_last_window_tells(self, more: dict[str, Any], name: str, wanted: str) -> None:
        assert wanted in fact(seen(steady(2, **more), detector=watcher("error_rate")), name)

    def test_alarms_explain_themselves(self) -> None:
        (told,) = seen(steady(3), alarm(2, 1), alarm(1, 1, level=Level.SIGHTING)).alarms
        assert (told.finding, told.at, told.since) == ("f2", BEGIN + 3 * HOUR, BEGIN + HOUR)
        assert told.effect == "error rate: 12.3 percent (10 to 14)"
        assert (told.evidence, told.guarantee) == ("25, told from 20 on", "a promise")
        bare = seen(steady(3), replace(alarm(2, 1), effect=None, since=None)).alarms[0]
        assert (bare.effect, bare.since) == ("", None)


class TestOtherDetectors:
    """Kinds that keep other numbers, as those that are written later will."""

    def test_any_number_is_drawn(self) -> None:
        told = [{"distance": 0.1, "rows_late": 3, "flag": True, "text": "x"}, {"distance": None, "rows_late": 4}]
        charts = {one.title: one for one in seen(told).charts}
        assert set(charts) == {"Distance", "Rows late"}
        assert charts["Distance"].lines[0].values == [0.1, None]
        assert charts["Rows late"].told == "Rows late of each window: at the end 4."

    def test_what_says_nothing_has_no_chart(self) -> None:
        found = seen([{"messages": 4, "flagged": 1}, {}])
        assert (found.charts, found.rates, found.state) == ((), (), "quiet")

    @pytest.mark.parametrize(
        "told",
        [
            {"series": {"trend": [100, -3.5]}},
            {"series": {"spread": [100, 130.0]}},
            {"series": {"trend": [100, 5]}, "direction": "up"},
        ],
    )
    def test_what_is_no_share_of_rows_is_no_rate(self, told: dict[str, Any]) -> None:
        found = seen([told, told])
        assert (found.rates, found.charts) == ((), ())

    def test_numbers_that_are_none_are_left_out(self) -> None:
        assert seen([{"distance": float("inf")}, {"distance": float("nan")}]).charts == ()
