"""What it costs to judge one window of a fleet: 10,000 streams x 20 detectors, and what e-BH names among alarmed streams.

The cost is that of `abreast.advanced`, which gives the bits of `Watch.evaluate` (a property test holds it to that); the named rival is
the same work stream by stream through `evaluate`, timed on 200 streams. Counts of 500 rows in 256 buckets; CPU time of one process.

Then fleets of 1,000 streams, 2, 20 or 200 of which change from 5 % to 7 % or 10 %: the streams whose own process alarms, and those that
e-BH names from the same processes. The false discovery proportion is the share of unchanged streams among those named; ever: its
largest value over 100 windows.

    python benchmarks/fleet.py [fleets]
"""

from __future__ import annotations

import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from _traffic import BUCKETS, Design, built, first_alarm, state, stream
from tocsin.detect.streams import abreast
from tocsin.detect.streams.contrast import BETS
from tocsin.detect.streams.explaining import named_by_ebh
from tocsin.detect.streams.sequence import begun

STREAMS, DETECTORS, ROWS, RATE, CHANGE, WINDOWS = (1_000, 3_000, 10_000), 20, 500, 0.05, 50, 100
RESULT = Path(__file__).parent / "results" / "fleet.md"


def counts(
    rng: np.random.Generator, streams: int, rate: np.ndarray | float = RATE, buckets: int = BUCKETS
) -> np.ndarray:
    """int64[S, 2, buckets]: independent rows."""
    rows = rng.poisson(ROWS / buckets, (streams, buckets))
    return np.stack([rows, rng.binomial(rows, np.broadcast_to(rate, (streams,))[:, None])], axis=1)


def fresh(streams: int) -> abreast.Streams:
    """Streams against a limit, before their first window."""
    return abreast.gathered([begun(len(BETS), 1.0)] * streams, np.full(streams, RATE), np.full(streams, 8))


def cost(streams: int) -> float:
    """CPU seconds that one window of all detectors takes."""
    rng = np.random.default_rng(streams)
    seen, fleets = counts(rng, streams), [fresh(streams)] * DETECTORS
    begin = time.process_time()
    for one in fleets:
        abreast.advanced(one, seen, 20.0, "pfa")
    return time.process_time() - begin


def singly() -> float:
    """CPU seconds of one window of one stream and detector through `evaluate`, with its findings and statistics."""
    watcher = built("error_rate", limit=RATE)
    tables = [list(map(state, stream(np.random.default_rng(seed), Design(), 20))) for seed in range(10)]
    begin = time.process_time()
    for windows in tables:
        first_alarm(watcher, windows, ROWS)
    return (time.process_time() - begin) / 200


def named(seed: int, changed: int, to: float) -> tuple[float, float, float, float]:
    """The FDP of those that ever alarmed and the worst of those that e-BH names, and the median delay of each, from one on."""
    rng, streams, size = np.random.default_rng([seed, changed]), 1_000, 16
    running, real = fresh(streams), np.arange(streams) < changed
    first = np.full((2, streams), np.inf)
    worst, alarmed = 0.0, np.zeros(streams, bool)
    for index in range(WINDOWS):
        rate = np.where(real & (index >= CHANGE), to, RATE)
        told = abreast.advanced(running, counts(rng, streams, rate, size), np.inf, "pfa")
        running = told.streams
        shown = np.zeros((2, streams), bool)
        shown[0] = told.log_e >= np.log(20)
        shown[1][[int(name) for name in named_by_ebh({str(n): e for n, e in enumerate(told.log_e.tolist())})]] = True
        first = np.where(shown & np.isinf(first), index - CHANGE + 1, first)
        wrong = ~(real & (index >= CHANGE))
        alarmed |= shown[0]
        worst = max(worst, (shown[1] & wrong).sum() / max(shown[1].sum(), 1))
    delays = [float(np.median(times[real])) if changed else np.inf for times in first]
    return (alarmed & ~real).sum() / max(alarmed.sum(), 1), worst, delays[0], delays[1]


def main() -> None:
    """Measure, print, and keep the result."""
    fleets = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    begin = time.process_time()
    each = singly()
    lines = [
        "## Fleets",
        "",
        f"`python benchmarks/fleet.py {fleets}`, numpy {version('numpy')}: CPU seconds to judge one window of",
        f"{DETECTORS} detectors a stream, {BUCKETS} buckets. The rival:",
        f"the same stream by stream ({each * 1e6:.0f} microseconds a stream and detector).",
        "",
        "| streams | abreast | stream by stream | ratio |",
        "|---|---|---|---|",
    ]
    for streams in STREAMS:
        spent, alone = min(cost(streams) for _ in range(2)), each * streams * DETECTORS
        lines.append(f"| {streams:,} | {spent:.2f} s | {alone:.1f} s | {alone / spent:.1f} |")
        print(lines[-1], flush=True)
    lines += [
        "",
        f"1,000 streams, {fleets} fleets, {WINDOWS} windows of {ROWS} rows, a change after {CHANGE}. The false discovery",
        "proportion (of all that ever alarmed; of those that e-BH names, at its worst window) on average over the fleets, and the median",
        "delay in windows.",
        "",
        "| changed | to | every alarm: FDP | delay | named by e-BH at 5 %: FDP | delay |",
        "|---|---|---|---|---|---|",
    ]
    for changed, to in ((0, RATE), (2, 0.07), (20, 0.07), (20, 0.1), (200, 0.07)):
        told = np.array([named(seed, changed, to) for seed in range(fleets)])
        worst, ebh, delay, late = told.mean(axis=0)[[0, 1]].tolist() + np.median(told[:, 2:], axis=0).tolist()
        cells = [str(changed), f"{to:g}", f"{worst:.1%}", f"{delay:g}", f"{ebh:.1%}", f"{late:g}"]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    lines += ["", f"CPU {time.process_time() - begin:.0f} s."]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
