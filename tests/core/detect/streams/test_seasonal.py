"""A rate with a season: quiet at every hour, quick with a rise on top, plain about the hour that it compares with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.core.detect.samples import SALT, detector, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import complete
from tocsin.detect.streams import seasonal, telling
from tocsin.detect.streams.counts import ALL, Group, GroupCounts
from tocsin.detect.streams.profile import Profile
from tocsin.detect.streams.reference import Normal
from tocsin.detect.streams.sequence import ContrastSequence
from tocsin.detect.streams.since import rate_since
from tocsin.model.detector import Setting
from tocsin.model.errors import BadInput
from tocsin.model.finding import Finding
from tocsin.model.telemetry import Windowing

BUCKETS, ROWS, DAY, WEEK = 64, 500, 24, 168
NEVER = 10**9


def day_wave(hour: int) -> float:
    """5 % on average, 60 % less to 60 % more with the hour."""
    return 0.05 * (1 + 0.6 * float(np.sin(2 * np.pi * hour / DAY)))


def week_wave(hour: int) -> float:
    """The same on workdays, and 2 % at weekends; the samples begin on a Thursday."""
    at = telling.micros(window(hour).start) // 3_600_000_000
    return 0.02 if (at // DAY + 3) % 7 >= 5 else day_wave(hour)


def counts(rng: np.random.Generator, rate: float, name: str = ALL) -> GroupCounts:
    """A window of independent rows as its state."""
    rows = rng.multinomial(ROWS, np.full(BUCKETS, 1 / BUCKETS))
    return GroupCounts(BUCKETS, {name: Group(np.stack([rows, rng.binomial(rows, rate)]), (), ())})


def states(
    seed: int, windows: int, change: int = NEVER, rise: float = 1.5, wave: Any = day_wave, empty: tuple[int, ...] = ()
) -> list[GroupCounts]:
    """A stream; from window `change` on the rate is `rise` times that of the hour. Nothing is seen in hours that are `empty`."""
    rng = np.random.default_rng(seed)
    rates = [wave(hour) * (rise if hour >= change else 1.0) for hour in range(windows)]
    drawn = [counts(rng, rate) for rate in rates]
    return [GroupCounts(BUCKETS, {}) if hour % DAY in empty else one for hour, one in enumerate(drawn)]


def played(watcher: Any, stream: list[GroupCounts]) -> tuple[ContrastSequence, list[tuple[int, Finding]], list[Any]]:
    sequence, found, told = watcher.begin(), [], []
    for index, state in enumerate(stream):
        evaluated = watcher.evaluate(sequence, state, window(index, ROWS))
        sequence = evaluated.sequence
        told.append(evaluated.statistics)
        found += [(index, finding) for finding in evaluated.findings]
    return sequence, found, told


def watching(season: str = "hour_of_day", **given: Any) -> Any:
    chosen = {} if season == "none" else {"season": season}
    return detector("error_rate", buckets=BUCKETS, **{"windows_of_reference": 30, **chosen, **given})


# --- no change, and change ------------------------------------------------------------------------------------------


def test_a_daily_wave_is_quiet_with_its_season_and_an_alarm_without() -> None:
    watcher, plain = watching(), watching("none", reference_mode="own", windows_of_reference=DAY)
    for seed in range(20):
        stream = states(seed, 300)
        assert played(watcher, stream)[1] == []
        assert played(plain, stream[:100])[1]


@pytest.mark.parametrize("change", [WEEK + 12, WEEK + 18, WEEK + 24, WEEK + 30])
def test_a_rise_of_half_is_found_within_a_day_at_whatever_hour(change: int) -> None:
    for seed in range(3):
        stream = states(100 + seed, change + DAY, change)
        _, found, _ = played(watching(), stream)
        assert found
        assert found[0][0] >= change
        since = found[0][1].since
        assert since is not None
        assert since.earliest <= window(change).start + timedelta(hours=3)
        assert since.latest >= window(change).start - timedelta(hours=3)


def test_without_a_season_the_wave_hides_the_same_rise() -> None:
    _, found, _ = played(watching("none"), states(100, WEEK + 12 + DAY, WEEK + 12))
    assert found == []


def test_a_fall_is_found_as_well() -> None:
    watcher = detector("rate", buckets=BUCKETS, season="hour_of_day", direction="both")
    _, found, _ = played(watcher, states(7, WEEK + 2 * DAY, WEEK, 0.4))
    assert [finding.details["direction"] for _, finding in found[:1]] == ["down"]
    details = found[0][1].details
    assert details["rate"] < details["limit"] < details["normal"]


def test_hours_without_rows_only_make_the_reference_longer() -> None:
    watcher, night = watching(), (1, 2, 3, 4)
    _, found, told = played(watcher, states(3, 300, empty=night))
    assert found == []
    assert [sum(hour % DAY not in night for hour in range(count)) for count in (203, 204)] == [167, 168]
    assert told[202]["reference"] == {"windows": {ALL: 167}, "needed": 168}
    assert told[203]["reference"] == {"windows": {ALL: 168}, "needed": 168}
    assert told[202]["normal"] == {}
    change = 10 * DAY + 6
    _, found, _ = played(watcher, states(3, change + DAY, change, empty=night))
    assert found
    assert found[0][0] >= change


def test_a_week_has_four_weeks_of_reference_and_stays_small() -> None:
    watcher, change = watching("hour_of_week"), 4 * WEEK + 2 * DAY
    sequence, found, told = played(watcher, states(5, change + DAY, change, 1.8, week_wave))
    assert told[-1]["reference"] == {"windows": {ALL: 672}, "needed": 672}
    assert found
    assert found[0][0] >= change
    assert "seasonal: the same hour of the week, " in found[0][1].strength.guarantee
    data = watcher.sequence_to_bytes(sequence)
    assert len(data) < 32 << 10
    assert watcher.sequence_from_bytes(data) == sequence


# --- what is said ---------------------------------------------------------------------------------------------------


def test_a_finding_names_the_season_and_the_limit_of_its_hours() -> None:
    change = WEEK + 18
    _, found, _ = played(watching(), states(100, change + DAY, change))
    finding = found[0][1]
    assert "seasonal: the same hour of the day, against its own first windows" in finding.strength.guarantee
    assert "at these hours (seasonal: the same hour of the day)" in finding.explanation
    assert finding.details["season"] == "hour_of_day"
    since = finding.since
    assert since is not None
    hours = [day_wave(hour) for hour in range(since.window, found[0][0] + 1)]
    assert finding.details["normal"] == pytest.approx(float(np.mean(hours)), rel=0.1)
    assert finding.details["normal"] < finding.details["limit"] < 1.25 * finding.details["normal"]
    assert 0.05 < finding.details["limit_of_period"] < 0.06


def test_what_is_normal_follows_the_hour() -> None:
    _, _, told = played(watching(), states(1, WEEK + DAY))
    said = [statistics["normal"][ALL][1] for statistics in told[WEEK:]]
    assert np.allclose(said, [day_wave(hour) for hour in range(WEEK, WEEK + DAY)], atol=0.006)
    _, _, told = played(watching("none"), states(1, 40))
    assert [told[29]["normal"].keys(), told[28]["normal"]] == [{ALL}, {}]


def test_each_series_and_each_segment_has_hours_of_its_own() -> None:
    watcher, rng = watching(by="feature.city"), np.random.default_rng(2)
    stream = []
    for hour in range(WEEK + 12):
        east, west = counts(rng, day_wave(hour), "east"), counts(rng, day_wave(hour + 12), "west")
        stream.append(GroupCounts(BUCKETS, {**east.groups, **west.groups}))
    sequence, found, told = played(watcher, stream)
    assert found == []
    assert set(sequence.profiles) == {"east", "west"}
    normal = told[WEEK + 6]["normal"]
    assert normal["east"][1] == pytest.approx(0.08, abs=0.006)
    assert normal["west"][1] == pytest.approx(0.02, abs=0.006)


# --- after a fix ----------------------------------------------------------------------------------------------------


def test_a_fault_seen_at_its_peak_is_not_cleared_by_the_calm_hours_after() -> None:
    watcher, change = watching(), WEEK + 27
    finding = played(watcher, states(101, change + DAY, change))[1][0][1]
    still = states(8, 4 * DAY, 0)
    assert not watcher.clearance(finding, still[12:24], 0.05).passed
    assert not watcher.clearance(finding, still, 0.05).passed
    mended = states(9, 4 * DAY)
    assert not watcher.clearance(finding, mended[: DAY - 1], 0.05).passed
    assert watcher.clearance(finding, mended, 0.05).passed


# --- state ----------------------------------------------------------------------------------------------------------


def test_a_replay_gives_the_same_bytes_and_a_stop_in_between_changes_nothing() -> None:
    watcher, stream = watching(), states(100, WEEK + 36, WEEK + 18)
    sequence, found, _ = played(watcher, stream)
    again, found_again, _ = played(watcher, stream)
    assert watcher.sequence_to_bytes(sequence) == watcher.sequence_to_bytes(again)
    assert found == found_again
    stopped: Any = watcher.begin()
    for index, state in enumerate(stream):
        stopped = watcher.evaluate(stopped, state, window(index, ROWS)).sequence
        stopped = watcher.sequence_from_bytes(watcher.sequence_to_bytes(stopped))
    assert watcher.sequence_to_bytes(stopped) == watcher.sequence_to_bytes(sequence)


def test_a_sequence_that_was_kept_before_there_were_seasons_is_read() -> None:
    watcher = watching("none")
    sequence, _, _ = played(watcher, states(1, 40))
    version, fields = msgspec.msgpack.decode(watcher.sequence_to_bytes(sequence))
    assert fields.pop() == {}
    assert watcher.sequence_from_bytes(msgspec.msgpack.encode((version, fields))) == sequence


# --- settings -------------------------------------------------------------------------------------------------------


def setting(windowing: Windowing, **given: Any) -> Setting:
    parameters = complete(detector_kinds()["error_rate"], {"season": "hour_of_day", **given})
    return Setting("wrong_decisions", "bank", parameters, windowing, SALT, {})


@pytest.mark.parametrize(
    "windowing",
    [Windowing(rows=500), *(Windowing(every=timedelta(hours=hours)) for hours in (5, 7, 24, 48))],
)
@pytest.mark.parametrize("kind", ["error_rate", "duplicates"])
def test_windows_that_do_not_divide_a_day_are_refused(kind: str, windowing: Windowing) -> None:
    built = replace(
        setting(windowing), parameters={"limit": None, "season": "hour_of_week", "windows_of_reference": 30}
    )
    with pytest.raises(
        BadInput, match=r"system bank \(wrong_decisions\.season\).* needs the same windows in every day"
    ):
        detector_kinds()[kind].build(built)


def test_a_limit_leaves_nothing_to_a_season() -> None:
    with pytest.raises(BadInput, match="says nothing where a limit is set"):
        detector("error_rate", season="hour_of_day", limit=0.05)


@pytest.mark.parametrize(
    ("every", "season", "needed", "period"),
    [
        (timedelta(hours=1), "hour_of_day", 168, 24),
        (timedelta(hours=1), "hour_of_week", 672, 168),
        (timedelta(hours=4), "hour_of_day", 42, 6),
        (timedelta(minutes=15), "hour_of_day", 672, 96),
    ],
)
def test_the_reference_is_whole_weeks(every: timedelta, season: str, needed: int, period: int) -> None:
    found = seasonal.seasonal(setting(Windowing(every=every), season=season))
    assert found is not None
    assert (found.needed, found.period) == (needed, period)
    assert found.normal(Profile(), 0, "auto") is None
    assert seasonal.seasonal(setting(Windowing(every=every), season="none")) is None


def test_a_longer_reference_that_was_asked_for_is_kept_to() -> None:
    found = seasonal.seasonal(setting(Windowing(every=timedelta(hours=1)), windows_of_reference=200))
    assert found is not None
    assert found.needed == 200


# --- several windows together ---------------------------------------------------------------------------------------


def test_windows_together_weigh_as_many_rows_as_they_have() -> None:
    two = [Normal("own", 0.1, 0.02, 0.01), Normal("own", 0.4, 0.06, 0.05)]
    one = seasonal.together(two, np.array([300.0, 100.0]))
    assert (one.mode, one.mean) == ("own", pytest.approx(0.175))
    assert one.limit("up", 0.0) == pytest.approx((3 * 0.12 + 0.46) / 4)
    assert one.limit("down", 0.0) == pytest.approx((3 * 0.09 + 0.35) / 4)


def test_a_change_is_dated_against_the_limit_of_each_window() -> None:
    """100 rows each: 10, 40, 10, 40 outcomes are what their hours have; then 25, 70."""
    seen = np.array([[100, hits] for hits in (10, 40, 10, 40, 25, 70)], float)
    limits = np.array([0.12, 0.45] * 3)
    assert rate_since(seen, limits, 1.0).best == 4
    assert rate_since(seen, 0.45, 1.0).best == 5
    assert rate_since(seen, np.full(6, 0.285), 2.0) == rate_since(seen, 0.285, 2.0)
