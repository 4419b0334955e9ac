"""False alarms and delays of the drift detectors.

Streams without change: independent rows; people who come back or are new in every window, with ICC 0.3 and the unit column set; people
who come and go; shocks common to a window; a season of a day and one of 168 hours; fifty categories; regions of embeddings. Then the
delay to find a shift or a change of scale. Cells, directions and references are those of production; windows are judged many at once,
and the first stream of every row is judged by the detector itself as well: the first alarm must be the same.

    python benchmarks/drift_alarms.py [streams]
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from _traffic import BUCKETS, built, first_alarm, interval, quantiles, window
from tocsin.detect.streams.contrast import BETS
from tocsin.detect.streams.drifting import cutting
from tocsin.detect.streams.drifting.directions import along
from tocsin.detect.streams.drifting.drift import BETA, _weighted
from tocsin.detect.streams.drifting.keys import of_numbers, of_text
from tocsin.detect.streams.drifting.regions import regions
from tocsin.detect.streams.drifting.tally import Tally
from tocsin.detect.streams.reference import LAMBDAS
from tocsin.detect.streams.wrappers import LATER, log_statistic, start, step

ROWS, REFERENCE, WINDOWS, CHANGE, AFTER, DELAYS = 500, 30, 100, 50, 100, 100
RESULT = Path(__file__).parent / "results" / "drift_alarms.md"
CATEGORIES = np.array([of_text(f"v{n}") for n in range(50)])
ZIPF = 1 / np.arange(1, 51)


@dataclass(frozen=True)
class Traffic:
    """How rows come about: values of 250 people with lognormal activity, standard normal over all."""

    icc: float = 0.0
    fresh: bool = False
    churn: float = 0.0
    shock: float = 0.0
    season: str = "none"
    kind: str = "numeric_drift"
    given: dict[str, Any] = field(default_factory=dict)


def rates(traffic: Traffic, hour: int) -> float:
    """What the season adds: a wave of the day, and on workdays office hours."""
    if traffic.season == "none":
        return 0.0
    wave = 0.7 * math.sin(2 * math.pi * hour / 24)
    work = (hour // 24 + 3) % 7 < 5
    if traffic.season == "hour_of_day":
        return wave
    return (wave + 0.5 * (8 <= hour % 24 < 18)) if work else 0.3 * wave - 0.4


def values(rng: np.random.Generator, traffic: Traffic, windows: int) -> tuple[np.ndarray, np.ndarray]:
    """float[T, rows] values and int[T, rows] buckets."""
    people = 250
    weight, own, home = rng.lognormal(0, 1, people), rng.normal(0, 1, people), rng.integers(0, BUCKETS, people)
    found, bucket = rng.normal(0, 1, (windows, ROWS)), rng.integers(0, BUCKETS, (windows, ROWS))
    for place in range(windows if traffic.icc else 0):
        who = np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(ROWS)).clip(0, people - 1)
        found[place] = math.sqrt(traffic.icc) * own[who] + math.sqrt(1 - traffic.icc) * found[place]
        bucket[place] = home[who]
        gone = rng.random(people) < (1.0 if traffic.fresh else traffic.churn)
        count = int(gone.sum())
        weight[gone], own[gone] = rng.lognormal(0, 1, count), rng.normal(0, 1, count)
        home[gone] = rng.integers(0, BUCKETS, count)
    hours = np.array([rates(traffic, hour) for hour in range(windows)])
    return found + (hours + traffic.shock * rng.normal(0, 1, windows))[:, None], bucket


def keys(rng: np.random.Generator, traffic: Traffic, found: np.ndarray) -> np.ndarray:
    """int64[T, rows]: what the detector makes of the values."""
    if traffic.kind == "numeric_drift":
        return of_numbers(found.ravel()).reshape(found.shape)
    if traffic.kind == "categorical_drift":
        upto = np.cumsum(ZIPF) / ZIPF.sum()
        shares = np.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in np.linspace(-6, 6, 2_001)])
        uniform = np.interp(found, np.linspace(-6, 6, 2_001), shares)
        return CATEGORIES[np.searchsorted(upto, uniform).clip(0, 49)]
    topics = np.random.default_rng(5).normal(0, 1, (6, 16))
    topic = np.digitize(found.ravel(), [-1, -0.4, 0, 0.4, 1])
    vectors = topics[topic] + rng.normal(0, 1, (found.size, 16))
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 16)
    return regions(column, 8, 1).keys.reshape(found.shape)


def tallies(
    seed: list[int], traffic: Traffic, windows: int, change: int = -1, moved: Callable[[Any], Any] = abs
) -> list[Tally]:
    """The window states of one stream; from window `change` on values are `moved`."""
    rng = np.random.default_rng(seed)
    found, bucket = values(rng, traffic, windows)
    if change >= 0:
        found[change:] = moved(found[change:])
    coded = keys(rng, traffic, found)
    states = []
    for one, at in zip(coded, bucket, strict=True):
        cells, place = np.unique(one, return_inverse=True)
        pair, counts = np.unique(place * BUCKETS + at, return_counts=True)
        states.append(Tally(0, cells[pair // BUCKETS], pair % BUCKETS, counts.astype(np.int64), (), ROWS))
    return states


def log_es(watcher: Any, states: list[Tally]) -> np.ndarray:
    """float[T, bets] of the windows after the reference, from the pieces of production."""
    sequence, place = watcher.begin(), 0
    while sequence.profile.windows < watcher._needed:
        sequence = watcher.evaluate(sequence, states[place], window(place, ROWS)).sequence
        place += 1
    made, judged = sequence.cut, states[place:]
    cells = [cutting.placed(made, state, BUCKETS) for state in judged]
    moves, said = along(made), []
    normals = [
        sequence.profile.normals(
            watcher._features(window(place + n, ROWS)), watcher.get("reference_mode"), BETA / (2 * len(moves))
        )
        for n in range(len(judged))
    ]
    for number, one in enumerate(moves):
        table = np.stack([_weighted(made, counted, one, None) for counted in cells])
        for side in ("up", "down"):
            limit = np.array([normal[number].limit(side, 0.0) for normal in normals])[:, None]
            amount, mean = (table[:, 1], limit) if side == "up" else (table[:, 0] - table[:, 1], 1 - limit)
            if normals[0][number].spread:
                spread = normals[0][number].spread * np.sqrt(
                    np.maximum(1, normals[0][number].rows / table[:, 0].sum(axis=1))
                )
                u = (amount.sum(axis=1) / table[:, 0].sum(axis=1) - mean[:, 0]) / spread
                said.append(np.outer(u, LAMBDAS) - LAMBDAS**2 / 2)
                continue
            z = (amount - mean * table[:, 0]) / (mean * np.maximum(round(made.largest) or 1, table[:, 0]))
            said.append(np.stack([np.log1p(bet * z).sum(axis=1) for bet in BETS], axis=1) * (mean < 1))
    return np.concatenate(said, axis=1)


def alarm(watcher: Any, states: list[Tally]) -> int | None:
    """The first window after the reference that alarms."""
    found = log_es(watcher, states)
    log_a = start(found.shape[1])
    for place, log_e in enumerate(found, 1):
        log_a = step(log_a, log_e, place, "pfa", LATER)
        if log_statistic(log_a, place, "pfa", LATER) >= math.log(20):
            return place - 1
    return None


def before(watcher: Any) -> int:
    """Windows that are cut on and those of the reference."""
    return int(watcher._cut_windows + watcher._needed)


def detector(traffic: Traffic) -> Any:
    """The detector for this traffic."""
    return built(
        traffic.kind, column="feature.x", windows_of_reference=REFERENCE, season=traffic.season, **traffic.given
    )


NULLS: tuple[tuple[str, Traffic, int, float], ...] = (
    ("independent rows", Traffic(), WINDOWS, 1),
    ("new people, ICC 0.3", Traffic(icc=0.3, fresh=True), WINDOWS, 1),
    ("the same people, ICC 0.3", Traffic(icc=0.3), WINDOWS, 1),
    ("5 % of the people replaced, ICC 0.3", Traffic(icc=0.3, churn=0.05), WINDOWS, 1),
    ("shock sd 0.2 a window, new people, ICC 0.1", Traffic(icc=0.1, fresh=True, shock=0.2), WINDOWS, 1),
    ("season of 24 hours, `hour_of_day`", Traffic(season="hour_of_day"), WINDOWS, 1),
    ("season of 168 hours, `hour_of_week`", Traffic(season="hour_of_week"), WINDOWS, 1),
    ("season of 168 hours, `hour_of_week`", Traffic(season="hour_of_week"), 336, 0.3),
    ("50 categories, the same people, ICC 0.3", Traffic(icc=0.3, kind="categorical_drift"), WINDOWS, 0.3),
    ("regions of embeddings, independent rows", Traffic(kind="embedding_drift"), WINDOWS, 0.2),
)
"""What, traffic, windows, and the share of the streams that are simulated."""
MOVES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("0.1 sd", lambda x: x + 0.1),
    ("0.2 sd", lambda x: x + 0.2),
    ("0.3 sd", lambda x: x + 0.3),
    ("scale 1.3", lambda x: x * 1.3),
)
CHANGES: tuple[tuple[str, Traffic, tuple[str, ...]], ...] = (
    ("independent rows", Traffic(), ("14/24", "4/6", "2/3", "-")),
    ("new people, ICC 0.3", Traffic(icc=0.3, fresh=True), ("22/47", "5/7", "3/3", "2/3")),
    ("the same people, ICC 0.3", Traffic(icc=0.3), ("20/33", "5/7", "3/3", "2/3")),
    ("season of 168 hours, `hour_of_week`", Traffic(season="hour_of_week"), ("-", "-", "-", "-")),
    ("50 categories, the same people, ICC 0.3", Traffic(icc=0.3, kind="categorical_drift"), ("-", "-", "-", "-")),
)
"""The last column is the bar: the design's simulation before the code was written, median and 90th percentile."""


def nulls(traffic: Traffic, windows: int, streams: int) -> int:
    """Streams with an alarm; the detector itself judges the first one."""
    watcher = detector(traffic)
    alarms = 0
    for seed in range(streams):
        states = tallies([seed, 1], traffic, before(watcher) + windows)
        at = alarm(watcher, states)
        if seed == 0:
            told = first_alarm(watcher, states, ROWS)
            assert at == (None if told is None else told - before(watcher)), (at, told)
        alarms += at is not None
    return alarms


def delay(traffic: Traffic, moved: Callable[[Any], Any], streams: int) -> str:
    """Windows from the change to the alarm, the first one counted as 1; false starts are left out."""
    watcher, found = detector(traffic), []
    for seed in range(streams):
        begin = before(watcher)
        at = alarm(watcher, tallies([seed, 2], traffic, begin + CHANGE + AFTER, begin + CHANGE, moved))
        if at is None or at >= CHANGE:
            found.append(math.inf if at is None else at - CHANGE + 1)
    return quantiles(found)


def main() -> None:
    """Simulate, print, and keep the result."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    begin = time.process_time()
    lines = [
        "## False alarms of the drift detectors",
        "",
        f"`python benchmarks/drift_alarms.py {streams}`, numpy {version('numpy')}: default guarantee (pfa at 5 %), hours of {ROWS} rows of",
        f"250 people, {REFERENCE} windows of reference; of a day's season 168, of a week's 672.",
        "",
        "| traffic without change | windows | streams | with a false alarm | 95 % interval |",
        "|---|---|---|---|---|",
    ]
    for what, traffic, windows, share in NULLS:
        count = max(1, round(streams * share))
        alarms = nulls(traffic, windows, count)
        low, high = interval(alarms, count)
        lines.append(f"| {what} | {windows} | {count} | {alarms / count:.1%} | {low:.1%} to {high:.1%} |")
        print(lines[-1], f"{time.process_time() - begin:.0f} s", flush=True)
    lines += [
        "",
        f"Windows from the change to the alarm, median / 90th percentile, {DELAYS} streams (in brackets the design's figure):",
        "",
    ]
    lines += [f"| traffic | {' | '.join(name for name, _ in MOVES)} |", "|---|" + "---|" * len(MOVES)]
    for what, traffic, bars in CHANGES:
        count = DELAYS if traffic.season == "none" and traffic.kind == "numeric_drift" else DELAYS // 3
        told = [f"{delay(traffic, moved, count)} ({bar})" for (_, moved), bar in zip(MOVES, bars, strict=True)]
        lines.append(f"| {what}{'' if count == DELAYS else f', {count} streams'} | {' | '.join(told)} |")
        print(lines[-1], f"{time.process_time() - begin:.0f} s", flush=True)
    lines += ["", f"CPU {time.process_time() - begin:.0f} s."]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
