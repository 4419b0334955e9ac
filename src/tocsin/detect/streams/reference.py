"""What is normal (N3): a limit that was given, or one estimated from windows at the start and never treated as exact.

With N windows of rates x_i, their pooled rate mu and standard deviation s:

    own         mu + t(N-1, 1-beta) s / sqrt(N)                windows are the units: people who repeat and clusters are inside
    population  mu + 2.25 sqrt(2) se, se clustered by bucket   for a claim about a population whose members come and go
    shocks      own + 4 s_x, s_x the spread between windows beyond what rows and people explain
    gaussian    own + 0.75 s_x, and a window is one observation: u = (x - limit) / s+,  E(l) = exp(l u - l^2 / 2)

The stream is read again when it is twice and four times as long, each time with half of beta, and the lowest limit of the three
stays: later windows can make a detector faster, and a change that nobody saw cannot make it slower.

`auto` takes population where members come and go (`membership`), own where the rate does not wander (`wander`), and otherwise
shocks where windows follow each other and gaussian where they do not. It asks again after every ten windows, until it has seen 128:
thirty cannot show every shock that lasts, nor clear every calm stream. Approximate statistics, checked by simulation
(`benchmarks/stream_alarms.py`), no theorems: beta is the chance that the reference itself misleads, on top of the guarantee.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from tocsin.detect.streams.contrast import BETS, Floats, Tallies, rate_log_e
from tocsin.detect.streams.membership import Members
from tocsin.detect.streams.quantiles import chi_squared, poisson_upper, student
from tocsin.detect.streams.wander import STILL, Wander, wander

Mode = Literal["limit", "own", "population", "shocks", "gaussian"]
Direction = Literal["up", "down"]

BETA = 0.05
"""Of the first reading; half of it of each reading after."""
SPREAD_BETA = 0.05
"""The level of the upper bound of the spread."""
WINDOWS = 30
"""Reference windows by default."""
READINGS = (1, 2, 4)
"""The reference is read when it has so many times its windows."""
EVERY = 10
"""After so many windows `auto` asks again."""
KEPT = 128
"""Windows that are remembered; a longer reference is remembered whole."""
MARGIN: dict[Mode, float] = {"shocks": 4.0, "gaussian": 0.75}
"""Excess deviations that are no news."""
MEMBERS = 2.25 * sqrt(2)
"""Standard errors that are no news where members come and go: one draw of them for the reference, and one for the present."""
RARE = 30
"""With fewer outcomes than this in the whole reference the exact bound of a Poisson count is the least margin."""
LAMBDAS: Floats = np.array([0.15, 0.3, 0.6, 1.0, 1.5, 2.2, 3.2, 4.5])
MODES: dict[Mode, str] = {
    "limit": "against the limit that was set",
    "own": "against its own first windows; shocks common to a later window are not covered",
    "population": "against its own first windows with a margin for members who come and go",
    "shocks": "against its own past windows with a margin of four times the spread between windows",
    "gaussian": "against its own past windows, a window being one observation; it assumes that windows are independent",
}
"""What each mode says on a finding."""


class Normal(NamedTuple):
    """What is normal for one window: the rate expected, how much more or less is no news, and the spread of windows (gaussian)."""

    mode: Mode
    mean: float
    above: float = 0.0
    below: float = 0.0
    spread: float = 0.0
    rows: float = 0.0
    """Rows of a window that the spread belongs to."""

    def limit(self, direction: Direction, tolerance: float) -> float:
        """The rate that may not be exceeded, or (down) not be fallen below."""
        return self.mean + self.above + tolerance if direction == "up" else self.mean - self.below - tolerance


class Reading(NamedTuple):
    """What the windows up to one said: the pooled rate, and how far above and below it the true one may be."""

    mean: float
    above: float
    below: float


class Reference(msgspec.Struct, frozen=True, array_like=True):
    """The windows so far, what the first ones said of the rest, and what is normal once they are enough."""

    path: tuple[tuple[int, float], ...] = ()
    """(rows, amount) of each window."""
    within: float = 0.0
    """Sum of the variances of the windows' rates as their buckets explain them."""
    members: Members = Members()
    """Kept until the reference is complete."""
    noise: float = 0.0
    """The variance of a window's rate that rows and people explain; 0 where nothing tells it from shocks."""
    population: float = 0.0
    """The margin for members who come and go; 0 where they do not."""
    readings: tuple[Reading, ...] = ()
    normal: Normal | None = None
    largest: int = 0
    """The largest bucket so far, in rows."""

    def after(self, counts: Tallies, wanted: str, needed: int, *, quiet: bool = True) -> Reference:
        """The reference after one more window; float[2, m]: rows and amounts per bucket.

        `wanted` is a mode or `auto`. A window in which something was found (`quiet` false) says nothing about what is normal.
        """
        seen = msgspec.structs.replace(self, largest=max(self.largest, int(counts[0].max())))
        if self.normal is None:
            return seen._gathered(counts, wanted, needed)
        if not quiet or len(self.path) >= max(KEPT, needed):
            return seen
        grown = seen._grown(counts)
        if len(grown.path) in [needed * times for times in READINGS]:
            grown = grown._read()
        return grown._decided(wanted, needed) if len(grown.path) % EVERY == 0 else grown

    @property
    def windows(self) -> int:
        """Windows so far."""
        return len(self.path)

    def _grown(self, counts: Tallies) -> Reference:
        one = (int(counts[0].sum()), float(counts[1].sum()))
        return msgspec.structs.replace(self, path=(*self.path, one))

    def _gathered(self, counts: Tallies, wanted: str, needed: int) -> Reference:
        """One more window of the reference; with the last one it is read, and its buckets are forgotten."""
        rows, amount = float(counts[0].sum()), float(counts[1].sum())
        within = self.within + float(((counts[1] - amount / rows * counts[0]) ** 2).sum()) / rows**2
        members = self.members.after(counts, len(self.path), needed)
        grown = msgspec.structs.replace(self._grown(counts), within=within, members=members)
        if len(grown.path) < needed:
            return grown
        noise = (within / needed - members.lasting(needed)) * needed / (needed - 1)
        noise = noise if noise > STILL else 0.0
        asked = wanted == "population" or (wanted == "auto" and members.changing(needed))
        population = MEMBERS * members.error() if asked else 0.0
        settled = msgspec.structs.replace(grown, noise=noise, population=population, members=Members())
        return settled._read()._decided(wanted, needed)

    def _rates(self) -> tuple[Floats, float]:
        """The windows' rates, and the pooled one."""
        path = np.array(self.path)
        return path[:, 1] / path[:, 0], float(path[:, 1].sum() / path[:, 0].sum())

    def _read(self) -> Reference:
        """The reference with one more reading."""
        rates, mean = self._rates()
        beta, count = BETA / 2 ** len(self.readings), len(rates)
        margin = student(1 - beta, count - 1) * float(rates.std(ddof=1)) / sqrt(count)
        rows, amount = (sum(part) for part in zip(*self.path, strict=True))
        above, below = (max(margin, _rare(part, rows, beta)) for part in (amount, rows - amount))
        return msgspec.structs.replace(self, readings=(*self.readings, Reading(mean, above, below)))

    def _decided(self, wanted: str, needed: int) -> Reference:
        """The reference with what is normal from now on."""
        rates, mean = self._rates()
        rows = np.array(self.path)[:, 0]
        level = mean + (rates - mean) * np.sqrt(rows / rows.mean())
        seen = wander(level, self.noise, needed)
        mode = self._mode(wanted, seen)
        base = self.readings[-1] if mode in MARGIN else _narrowest(self.readings)
        more = MARGIN.get(mode, 0.0) * seen.excess
        above, below = base.above + more, base.below + more
        if self.population:
            above, below = max(above, self.population), max(below, self.population)
        count = len(rates)
        widened = seen.deviation * sqrt((count - 1) / chi_squared(SPREAD_BETA, count - 1))
        spread = widened if mode == "gaussian" else 0.0
        return msgspec.structs.replace(self, normal=Normal(mode, base.mean, above, below, spread, float(rows.mean())))

    def _mode(self, wanted: str, seen: Wander) -> Mode:
        if wanted != "auto":
            return MODE[wanted]
        if self.population:
            return "population"
        return "own" if not seen.suspected else "shocks" if seen.serial else "gaussian"


def bets(normal: Normal) -> int:
    """How many bets are placed against it."""
    return len(LAMBDAS) if normal.spread else len(BETS)


def log_e(normal: Normal, direction: Direction, tolerance: float, counts: Tallies, largest: int) -> Floats:
    """log E per bet against "the rate is within the limit"; float[2, m] rows and amounts per bucket of a window with rows."""
    limit = normal.limit(direction, tolerance)
    if direction == "down":
        counts, limit = np.stack([counts[0], counts[0] - counts[1]]), 1 - limit
    if limit >= 1:
        return np.zeros(bets(normal))
    if not normal.spread:
        return rate_log_e(counts, limit, largest)
    rows = float(counts[0].sum())
    spread = normal.spread * sqrt(max(1.0, normal.rows / rows))
    u = (float(counts[1].sum()) / rows - limit) / spread
    return LAMBDAS * u - LAMBDAS**2 / 2


def _narrowest(readings: tuple[Reading, ...]) -> Reading:
    """The first mean with the narrowest limits of all readings, which it never leaves: a level of its own is no narrower limit."""
    mean = readings[0].mean
    upper = min(one.mean + one.above for one in readings)
    lower = max(one.mean - one.below for one in readings)
    return Reading(mean, max(upper - mean, 0.0), max(mean - lower, 0.0))


def _rare(amount: float, rows: int, beta: float) -> float:
    """The least margin where so few outcomes were seen that their spread says nothing."""
    return (poisson_upper(amount, 1 - beta) - amount) / rows if amount < RARE else 0.0


MODE: dict[str, Mode] = {name: name for name in MODES}
