"""What is normal (N3): a limit that was given, or one estimated from windows at the start and never treated as exact.

With N reference windows of rates x_i, their pooled rate mu and standard deviation s:

    own         mu + t(N-1, 1-beta) s / sqrt(N)                windows are the units: people who repeat and clusters are inside
    population  mu + 2 sqrt(2) se, cluster-robust se over buckets  for a claim about a population whose members come and go
    shocks      own + 3 s_x, s_x the spread between windows beyond what their buckets explain
    gaussian    own, and a window is one observation: u = (x - limit) / s+,  E(l) = exp(l u - l^2 / 2)

`auto` takes own unless the windows move together (s_x is above a tenth of mu and more than chance); then gaussian when they look
independent of each other, else shocks. Approximate statistics, checked by simulation (`benchmarks/false_alarms.py`), no theorems:
beta is the chance that the reference itself misleads, and comes on top of the guarantee.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from tocsin.detect.streams.contrast import BETS, Floats, Tallies, rate_log_e
from tocsin.detect.streams.quantiles import chi_squared, poisson_upper, student

Mode = Literal["limit", "own", "population", "shocks", "gaussian"]
Direction = Literal["up", "down"]

BETA = 0.025
WINDOWS = 30
"""Reference windows by default."""
SHOCK_SHARE = 0.1
"""Windows move together when their excess spread is above this share of the rate."""
SHOCKS = 3.0
RARE = 30
"""With fewer outcomes than this in the whole reference the exact bound of a Poisson count is the least margin."""
FOLD = 64
"""Buckets kept of the reference for the population's margin."""
LAMBDAS: Floats = np.array([0.15, 0.3, 0.6, 1.0, 1.5, 2.2, 3.2, 4.5])
MODES: dict[Mode, str] = {
    "limit": "against the limit that was set",
    "own": "against its own first windows; shocks common to a later window are not covered",
    "population": "against its own first windows with a margin for members who come and go",
    "shocks": "against its own first windows with a margin of three times the spread between windows",
    "gaussian": "against its own first windows, a window being one observation; it assumes that windows are independent",
}
"""What each mode says on a finding."""


class Reference(msgspec.Struct, frozen=True, array_like=True):
    """Sums over reference windows: enough for every mode, and small."""

    windows: int = 0
    rows: int = 0
    amount: float = 0.0
    squares: float = 0.0
    sums: float = 0.0
    lagged: float = 0.0
    first: float = 0.0
    last: float = 0.0
    within: float = 0.0
    """Sum of the windows' variances of the rate as their buckets explain them."""
    largest: int = 0
    """The largest bucket so far, in rows; the only part that goes on after the reference."""
    folded: tuple[tuple[int, float], ...] = ()
    """(rows, amount) per folded bucket, where the population's margin asks for it."""

    def after(self, counts: Tallies, *, folding: bool = False) -> Reference:
        """The sums after one more window; float[2, m]: rows and amounts per bucket."""
        rows, amount = float(counts[0].sum()), float(counts[1].sum())
        rate = amount / rows
        within = float(((counts[1] - rate * counts[0]) ** 2).sum()) / rows**2
        return Reference(
            self.windows + 1,
            self.rows + int(rows),
            self.amount + amount,
            self.squares + rate**2,
            self.sums + rate,
            self.lagged + self.last * rate if self.windows else 0.0,
            self.first if self.windows else rate,
            rate,
            self.within + within,
            max(self.largest, int(counts[0].max())),
            self._fold(counts) if folding else (),
        )

    def seeing(self, largest: int) -> Reference:
        """The reference when a later window was seen."""
        return msgspec.structs.replace(self, largest=max(self.largest, largest))

    @property
    def mean(self) -> float:
        """The pooled rate."""
        return self.amount / self.rows

    @property
    def variance(self) -> float:
        """The variance of the windows' rates."""
        spread = self.squares - self.sums**2 / self.windows
        return max(spread, 0.0) / (self.windows - 1)

    @property
    def excess(self) -> float:
        """The standard deviation between windows beyond what their buckets explain."""
        return sqrt(max(self.variance - self.within / self.windows, 0.0))

    @property
    def autocorrelation(self) -> float:
        """Between a window and the next."""
        n, centre = self.windows, self.sums / self.windows
        spread = self.squares - n * centre**2
        together = self.lagged - centre * (2 * self.sums - self.first - self.last) + (n - 1) * centre**2
        return together / spread if spread > 0 else 0.0

    def margin_population(self) -> float:
        """Two and a half standard errors, clustered by bucket: one draw of members for the reference, one for the present."""
        table = np.array(self.folded, float)
        residual = table[:, 1] - self.mean * table[:, 0]
        return 2 * sqrt(2 * float((residual**2).sum())) / self.rows

    def _fold(self, counts: Tallies) -> tuple[tuple[int, float], ...]:
        count = min(FOLD, counts.shape[1])
        now = counts.reshape(2, -1, count).sum(axis=1).T if counts.shape[1] % count == 0 else counts.T
        before = np.array(self.folded, float) if self.folded else 0.0
        return tuple((int(rows), float(amount)) for rows, amount in now + before)


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


def normal_of(reference: Reference, wanted: str) -> Normal:
    """What the reference says; `wanted` is a mode or `auto`."""
    mode = chosen(reference) if wanted == "auto" else wanted
    n, mean = reference.windows, reference.mean
    margin = student(1 - BETA, n - 1) * sqrt(reference.variance / n)
    spread = 0.0
    if mode == "population":
        margin = reference.margin_population()
    elif mode == "shocks":
        margin += SHOCKS * reference.excess
    elif mode == "gaussian":
        spread = sqrt(reference.variance * (n - 1) / chi_squared(2 * BETA, n - 1))
    above = max(margin, _rare(reference.amount, reference.rows))
    below = max(margin, _rare(reference.rows - reference.amount, reference.rows))
    return Normal(MODE[mode], mean, above, below, spread, reference.rows / n)


def _rare(amount: float, rows: int) -> float:
    """The least margin where so few outcomes were seen that their spread says nothing."""
    return (poisson_upper(amount, 1 - BETA) - amount) / rows if amount < RARE else 0.0


def chosen(reference: Reference) -> Mode:
    """The mode that `auto` takes."""
    n = reference.windows
    together = reference.excess > SHOCK_SHARE * reference.mean
    expected = reference.within / n
    if not together or (n - 1) * reference.variance <= expected * chi_squared(1 - 2 * BETA, n - 1):
        return "own"
    return "gaussian" if reference.autocorrelation < 2 / sqrt(n) else "shocks"


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


MODE: dict[str, Mode] = {name: name for name in MODES}
