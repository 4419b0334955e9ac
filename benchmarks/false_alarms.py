"""False alarms and delays of the fairness detectors, on the code that runs in production.

1,000 streams without change, 100 windows of 500 rows, for each detector: rows that are independent, and 50 people who repeat in every
window with ICC 0.3 and the unit column set. Then the delay to find a gap. The named rival is the two-proportion z-test at p < 0.05
per window, the rule that dashboards use; it is computed on the same counts. Four fifths is simulated where its null ends (24 % against
30 %), and its rival is a ratio below 0.8 in a window. Equalized odds has two populations, of either label, in each window.

    python benchmarks/false_alarms.py [streams]
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import complete
from tocsin.detect.streams.counts import Group, GroupCounts
from tocsin.model.detector import Setting
from tocsin.model.telemetry import Window, Windowing

KINDS = ("group_parity", "equal_opportunity", "predictive_equality", "four_fifths", "equalized_odds")
WINDOWS, ROWS, BUCKETS = 100, 500, 256
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SHARE = {"group_parity": 1.0, "equal_opportunity": 0.4, "predictive_equality": 0.6, "four_fifths": 1.0}
RATE = {"group_parity": 0.3, "equal_opportunity": 0.7, "predictive_equality": 0.1, "four_fifths": 0.3}
GAP = {"four_fifths": 0.06}
"""The gap at which the null of a kind ends, where that is not zero."""
PARTS = {"equalized_odds": (("TPR ", "equal_opportunity"), ("FPR ", "predictive_equality"))}
DELAYS = (
    ("group_parity", "independent", 0, False),
    ("equal_opportunity", "independent", 0, False),
    ("group_parity", "250 people repeat, ICC 0.3, the smaller group is lower", 250, False),
    ("group_parity", "250 people repeat, ICC 0.3, the larger group is lower", 250, True),
    ("group_parity", "50 people repeat, ICC 0.3, the smaller group is lower", 50, False),
    ("four_fifths", "independent, from equal rates of 0.3", 0, False),
    ("four_fifths", "250 people repeat, ICC 0.3, the smaller group is lower", 250, False),
    ("equalized_odds", "independent, the true positive rate falls", 0, False),
)
"""Detector, what the rows are, people (0: independent rows), and whose rate falls. The larger group's fall is found sooner: a person
of the smaller group weighs more in its rate, and the heaviest person sets how much can be bet."""
RESULT = Path(__file__).parent / "results" / "false_alarms.md"


def built(kind: str, *, units: bool) -> Any:
    """The detector with its defaults, two groups named."""
    chosen = detector_kinds()[kind]
    given = {"group": "g", "groups": ["a", "b"], "unit": "auto" if units else "rows"}
    return chosen.build(Setting(kind, "s", complete(chosen, given), Windowing(every=timedelta(hours=1)), bytes(32), {}))


def state(rows: np.ndarray, hits: np.ndarray, *, united: bool) -> GroupCounts:
    """The window state that `observe` gives for these counts: int[2 groups, m buckets]."""
    groups = {name: Group(np.stack([rows[i], hits[i]]).astype(np.int64), (), ()) for i, name in enumerate("ab")}
    return GroupCounts(rows.shape[1], groups, 0, int(rows.sum()) if united else 0)


def iid(rng: np.random.Generator, kind: str, gap: float) -> GroupCounts:
    """A window of independent rows, 70/30; the second group's rate is `gap` lower."""
    total = rng.binomial(ROWS, SHARE[kind])
    rows = np.array([[rng.binomial(total, 0.7)], [0]])
    rows[1] = total - rows[0]
    rates = np.array([[RATE[kind]], [RATE[kind] - gap]])
    return state(rows, rng.binomial(rows, np.clip(rates, 0.001, 0.999)), united=False)


class Repeating:
    """So many people, the same in every window, each with a rate of his own (beta, ICC 0.3) and in one group, 70/30.

    The rates are scaled so that the row rate served to both groups is equal: the null is true of the traffic served.
    """

    def __init__(self, rng: np.random.Generator, kind: str, people: int = 50) -> None:
        self.group = np.arange(people) % 10 >= 7
        spread = 1 / 0.3 - 1
        own = rng.beta(RATE[kind] * spread, (1 - RATE[kind]) * spread, people)
        weight = rng.lognormal(0, 1, people)
        self.weight, self.own = weight / weight.sum(), own
        for side in (False, True):
            mine = self.group == side
            served = float((self.weight[mine] * own[mine]).sum() / self.weight[mine].sum())
            lower = served > RATE[kind]
            self.own[mine] *= RATE[kind] / served if lower else 1.0
            self.own[mine] = self.own[mine] if lower else 1 - (1 - self.own[mine]) * (1 - RATE[kind]) / (1 - served)
        self.bucket = rng.integers(0, BUCKETS, people)

    def window(self, rng: np.random.Generator, kind: str, gap: float = 0.0, *, of_larger: bool = False) -> GroupCounts:
        """The counts of one window; the rate of the smaller (or the larger) group is lower by the gap."""
        per_person = rng.multinomial(rng.binomial(ROWS, SHARE[kind]), self.weight)
        chance = np.where(self.group != of_larger, self.own * (1 - gap / RATE[kind]), self.own)
        hits = rng.binomial(per_person, chance)
        rows, found = np.zeros((2, BUCKETS), int), np.zeros((2, BUCKETS), int)
        np.add.at(rows, (self.group.astype(int), self.bucket), per_person)
        np.add.at(found, (self.group.astype(int), self.bucket), hits)
        return state(rows, found, united=True)


def first_alarm(watcher: Any, windows: Any, after: int = 0) -> int | None:
    """The first window that alarms, counted from `after`; None if none does."""
    sequence = watcher.begin()
    for index, counts in enumerate(windows):
        at = BEGIN + timedelta(hours=index)
        evaluated = watcher.evaluate(sequence, counts, Window(index, at, at + timedelta(hours=1), ROWS))
        sequence = evaluated.sequence
        if evaluated.findings:
            return index - after
    return None


Stream = Callable[[float], GroupCounts]
"""A window whose smaller (or larger) group is lower by this gap."""


def stream(rng: np.random.Generator, kind: str, people: int, *, of_larger: bool = False) -> Stream:
    """The windows of one stream of this kind."""
    parts = PARTS.get(kind, (("", kind),))
    known = [Repeating(rng, part, people) if people else None for _, part in parts]

    def one(gap: float) -> GroupCounts:
        made: dict[str, Group] = {}
        for place, ((mark, part), crowd) in enumerate(zip(parts, known, strict=True)):
            change = gap if place == 0 else 0.0
            counts = crowd.window(rng, part, change, of_larger=of_larger) if crowd else iid(rng, part, change)
            made |= {mark + name: group for name, group in counts.groups.items()}
        return GroupCounts(BUCKETS if people else 1, made, 0, ROWS if people else 0)

    return one


def rival(kind: str, windows: list[GroupCounts]) -> bool:
    """Whether a two-proportion z-test at p < 0.05 (of four fifths: a ratio below 0.8) alarms in any window."""
    if kind == "four_fifths":
        return any(w.outcomes("b") * w.rows("a") < 0.8 * w.outcomes("a") * w.rows("b") for w in windows)
    marks = [mark for mark, _ in PARTS.get(kind, (("", kind),))]
    for counts, mark in ((counts, mark) for counts in windows for mark in marks):
        (n1, k1), (n2, k2) = ((counts.rows(mark + g), counts.outcomes(mark + g)) for g in "ab")
        if min(n1, n2) < 5:
            continue
        pooled = (k1 + k2) / (n1 + n2)
        spread = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2)) or 1.0
        if abs(k1 / n1 - k2 / n2) / spread > 1.96:
            return True
    return False


def interval(k: int, n: int) -> tuple[float, float]:
    """The Clopper-Pearson interval at 95 %, by bisection."""

    def tail(p: float, at_least: bool) -> float:
        logs = [
            math.lgamma(n + 1)
            - math.lgamma(i + 1)
            - math.lgamma(n - i + 1)
            + i * math.log(p)
            + (n - i) * math.log1p(-p)
            for i in range(k + 1)
        ]
        below = sum(map(math.exp, logs))
        return 1 - below + math.exp(logs[k]) if at_least else below

    def root(at_least: bool) -> float:
        low, high = 1e-9, 1 - 1e-9
        for _ in range(60):
            middle = (low + high) / 2
            bigger = tail(middle, at_least) > 0.025
            low, high = (low, middle) if bigger == at_least else (middle, high)
        return low

    return (0.0 if k == 0 else root(at_least=True)), (1.0 if k == n else root(at_least=False))


def nulls(kind: str, streams: int, *, units: bool) -> tuple[int, int, str]:
    """Streams that alarm, streams on which the rival alarms, and the digest of the counts."""
    alarms = rivals = 0
    digest = sha256()
    watcher = built(kind, units=units)
    for seed in range(streams):
        rng = np.random.default_rng([seed, units, KINDS.index(kind)])
        one = stream(rng, kind, 50 if units else 0)
        windows = [one(GAP.get(kind, 0.0)) for _ in range(WINDOWS)]
        digest.update(watcher.to_bytes(windows[0]))
        alarms += first_alarm(watcher, windows) is not None
        rivals += rival(kind, windows)
    return alarms, rivals, digest.hexdigest()[:12]


def delay(kind: str, gap: float, *, people: int = 0, of_larger: bool = False, streams: int = 100) -> tuple[str, str]:
    """Median and 90th percentile of the windows from the change (after 20 windows) to the alarm; false starts are left out."""
    found = []
    watcher = built(kind, units=people > 0)
    for seed in range(streams):
        rng = np.random.default_rng([seed, 77, people])
        one = stream(rng, kind, people, of_larger=of_larger)
        windows = (one(0.0 if n < 20 else gap) for n in range(120))
        at = first_alarm(watcher, windows, after=19)
        if at is None or at > 0:
            found.append(math.inf if at is None else at)
    found.sort()
    slow = found[int(0.9 * len(found))]
    return f"{median(found):g}", f"{slow:g}"


def main() -> None:
    """Simulate, print, and keep the result."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    begin = time.process_time()
    lines = [
        "## False alarms of the fairness detectors",
        "",
        f"`python benchmarks/false_alarms.py {streams}`, numpy {version('numpy')}, default guarantee (pfa, alpha 0.05), {WINDOWS} windows",
        f"of {ROWS} rows. The rival is the two-proportion z-test at p < 0.05 in each window, on the same counts. Four fifths stands",
        "where its null ends (24 % against 30 %); its rival is a ratio below 0.8 in a window.",
        "",
        "| detector | rows | streams | with a false alarm | 95 % interval | rival: with a false alarm | counts |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        for units in (False, True):
            alarms, rivals, digest = nulls(kind, streams, units=units)
            low, high = interval(alarms, streams)
            how = "50 people repeat, ICC 0.3" if units else "independent"
            cells = (
                kind,
                how,
                str(streams),
                f"{alarms / streams:.1%}",
                f"{low:.1%} to {high:.1%}",
                f"{rivals / streams:.1%}",
            )
            line = f"| {' | '.join(cells)} | `{digest}` |"
            lines.append(line)
            print(line, flush=True)
    lines += ["", "Windows from the change to the alarm, median and 90th percentile, 100 streams, groups 70/30:", ""]
    lines += ["| detector | rows | gap 0.05 | gap 0.10 | gap 0.15 |", "|---|---|---|---|---|"]
    for kind, how, people, of_larger in DELAYS:
        cells = " | ".join(
            "{} / {}".format(*delay(kind, gap, people=people, of_larger=of_larger)) for gap in (0.05, 0.10, 0.15)
        )
        lines.append(f"| {kind} | {how} | {cells} |")
        print(lines[-1], flush=True)
    lines += ["", f"CPU {time.process_time() - begin:.0f} s."]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
