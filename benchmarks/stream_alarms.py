"""False alarms and delays of the stream detectors that watch a rate or a mean, on the code that runs in production.

Streams without change: rows that are independent; people who come back or are new in every window, with ICC 0.3 and the unit column
set; shocks common to a window, alone and autocorrelated; people who come and go. Then the delay to find a rise. The named rival is the
rule "three standard deviations around the mean of the reference windows", computed on the same counts.

    python benchmarks/stream_alarms.py [streams]
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from _traffic import Design, built, first_alarm, interval, quantiles, state, stream, window

WINDOWS, REFERENCE, CHANGE, AFTER, DELAY_STREAMS = 100, 30, 50, 100, 300
RESULT = Path(__file__).parent / "results" / "stream_alarms.md"
OWN = Design(served=False)
NEW = replace(OWN, icc=0.1, fresh=True)
MANY = {"rows": 5_000, "people": 2_500}
NULLS: tuple[tuple[str, str, Design, dict[str, Any]], ...] = (
    ("limit", "independent rows", Design(), {"limit": 0.05}),
    ("limit", "new people, ICC 0.3", Design(icc=0.3, fresh=True), {"limit": 0.05}),
    ("limit", "the same people, ICC 0.3", Design(icc=0.3), {"limit": 0.05}),
    ("limit 0.5 %", "independent rows, 5,000 a window", Design(rate=0.005, rows=5_000), {"limit": 0.005}),
    ("limit 0.1 %", "independent rows, 5,000 a window", Design(rate=0.001, rows=5_000), {"limit": 0.001}),
    ("limit 0.1 %", "independent rows, 500 a window", Design(rate=0.001), {"limit": 0.001}),
    ("own past", "independent rows", OWN, {}),
    ("own past", "new people, ICC 0.1", NEW, {}),
    ("own past", "new people, ICC 0.3", replace(NEW, icc=0.3), {}),
    ("own past", "the same people, ICC 0.1", replace(OWN, icc=0.1), {}),
    ("own past", "the same people, ICC 0.3", replace(OWN, icc=0.3), {}),
    ("own past, 0.5 %", "independent rows, 5,000 a window", replace(OWN, rate=0.005, rows=5_000), {}),
    ("own past, 0.5 %", "independent rows, 500 a window", replace(OWN, rate=0.005), {}),
    ("own past, 0.1 %", "independent rows, 500 a window", replace(OWN, rate=0.001), {}),
    ("own past", "shock sd 0.2 a window", replace(NEW, shock=0.2), {}),
    ("own past", "shock sd 0.2, 5,000 rows", replace(NEW, shock=0.2, **MANY), {}),
    ("own past", "shock sd 0.2, carried over by 0.8", replace(NEW, shock=0.2, carry=0.8), {}),
    ("own past", "shock sd 0.2, carried over by 0.8, 5,000 rows", replace(NEW, shock=0.2, carry=0.8, **MANY), {}),
    ("own past", "shock sd 0.2, carried over by 0.95", replace(NEW, shock=0.2, carry=0.95), {}),
    ("own past", "two windows of seven 30 % higher", replace(NEW, week=0.26), {}),
    ("own past", "two windows of seven 30 % higher, 5,000 rows", replace(NEW, week=0.26, **MANY), {}),
    (
        "hours of a day",
        "a daily wave of 40 %, a fifth less at weekends",
        replace(NEW, season=0.4),
        {"season": "hour_of_day"},
    ),
    ("own past", "5 % of the people replaced, ICC 0.1", replace(OWN, icc=0.1, churn=0.05), {}),
    ("own past", "5 % of the people replaced, ICC 0.3", replace(OWN, icc=0.3, churn=0.05), {}),
    ("own past", "30 % of the people replaced, ICC 0.3", replace(OWN, icc=0.3, churn=0.3), {}),
    ("own past", "1 % of the people replaced, ICC 0.3", replace(OWN, icc=0.3, churn=0.01), {}),
    ("own past", "0.2 % of the people replaced, ICC 0.3", replace(OWN, icc=0.3, churn=0.002), {}),
)
DELAYS: tuple[tuple[str, str, Design, dict[str, Any], tuple[str, ...]], ...] = (
    ("limit", "independent rows", Design(), {"limit": 0.05}, ("18/31", "6/10", "4/5", "2/3")),
    ("limit", "the same people, ICC 0.1", Design(icc=0.1), {"limit": 0.05}, ("23/40", "8/13", "4/6", "2/3")),
    ("limit", "the same people, ICC 0.3", Design(icc=0.3), {"limit": 0.05}, ("33/61", "", "", "")),
    ("own past", "new people, ICC 0.1", NEW, {}, ("71", "11", "6", "3")),
    ("own past", "the same people, ICC 0.3", replace(OWN, icc=0.3), {}, ("63", "12", "6", "3")),
    ("own past", "shock sd 0.2, 5,000 rows", replace(NEW, shock=0.2, **MANY), {}, ("", "", "7/13", "3/5")),
    ("own past", "shocks carried over by 0.8", replace(NEW, shock=0.2, carry=0.8), {}, ("", "", "", "")),
    ("own past", "5 % replaced, ICC 0.1", replace(OWN, icc=0.1, churn=0.05), {}, ("inf", "62", "13", "5")),
)
"""The last column is the bar: the design's simulation before the code was written, median and 90th percentile."""
RISES = (0.06, 0.07, 0.08, 0.10)


def tables(seed: int, design: Design, windows: int, change: int = -1, to: float = 0.0) -> list[Any]:
    """The counts of one stream."""
    return list(stream(np.random.default_rng([seed, 1 if change < 0 else 2]), design, windows, change, to))


def rival(counted: list[Any]) -> bool:
    """Whether any window after the reference lies more than three standard deviations above its mean."""
    rates = np.array([table[1].sum() / table[0].sum() for table in counted])
    before, after = rates[:REFERENCE], rates[REFERENCE:]
    return bool((after > before.mean() + 3 * before.std(ddof=1)).any())


def nulls(design: Design, given: dict[str, Any], streams: int) -> tuple[int, int, str]:
    """Streams with an alarm, streams on which the rival alarms, and the modes that were chosen."""
    watcher, alarms, rivals = built("error_rate", **given), 0, 0
    modes: Counter[str] = Counter()
    for seed in range(streams):
        counted = tables(seed, design, WINDOWS + watcher.needed)
        rivals += rival(counted)
        judged = counted[REFERENCE:] if "limit" in given else counted
        alarms += first_alarm(watcher, map(state, judged), design.rows) is not None
        if "limit" not in given and seed < 100:
            modes[mode(watcher, counted)] += 1
    return alarms, rivals, ", ".join(f"{name} {count}" for name, count in modes.most_common())


def mode(watcher: Any, counted: list[Any]) -> str:
    """How the detector compares at the end."""
    sequence, told = watcher.begin(), None
    for index, table in enumerate(counted):
        told = watcher.evaluate(sequence, state(table), window(index, 0))
        sequence = told.sequence
    assert told is not None
    return str(told.statistics["normal"]["all rows"][0])


def delay(design: Design, given: dict[str, Any], to: float) -> str:
    """Windows from the change to the alarm, the first one counted as 1; false starts are left out."""
    watcher, found = built("error_rate", **given), []
    change = CHANGE if "limit" in given else CHANGE + REFERENCE
    for seed in range(DELAY_STREAMS):
        at = first_alarm(watcher, map(state, tables(seed, design, change + AFTER, change, to)), design.rows)
        if at is None or at >= change:
            found.append(math.inf if at is None else at - change + 1)
    return quantiles(found)


def main() -> None:
    """Simulate, print, and keep the result."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    begin = time.process_time()
    lines = [
        "## False alarms of detectors that watch a rate",
        "",
        f"`python benchmarks/stream_alarms.py {streams}`, numpy {version('numpy')}: `error_rate` with the default guarantee,",
        f"pfa at 5 %; true rate 5 %, {WINDOWS} windows of 500 rows and 250 people unless said,",
        f"after {REFERENCE} of reference where there is no limit, 168 for the hours of a day.",
        "Rival: any window more than three standard deviations above the mean of the reference windows.",
        "",
        "| compared with | traffic | streams | with a false alarm | 95 % interval | rival | mode at the end (of 100) |",
        "|---|---|---|---|---|---|---|",
    ]
    for what, traffic, design, given in NULLS:
        alarms, rivals, modes = nulls(design, given, streams)
        low, high = interval(alarms, streams)
        cells = (
            what,
            traffic,
            str(streams),
            f"{alarms / streams:.1%}",
            f"{low:.1%} to {high:.1%}",
            f"{rivals / streams:.1%}",
            modes,
        )
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    lines += [
        "",
        f"Windows from the change to the alarm, median / 90th percentile, {DELAY_STREAMS} streams",
        "(in brackets the design's figure):",
        "",
    ]
    lines += ["| compared with | traffic | 0.06 | 0.07 | 0.08 | 0.10 |", "|---|---|---|---|---|---|"]
    for what, traffic, design, given, bars in DELAYS:
        cells = [f"{delay(design, given, to)} ({bar or '-'})" for to, bar in zip(RISES, bars, strict=True)]
        lines.append(f"| {what} | {traffic} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    lines += ["", f"CPU {time.process_time() - begin:.0f} s."]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
