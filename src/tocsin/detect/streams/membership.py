"""Who comes back: what buckets of people tell about a reference, besides its rate.

A person stays in one bucket, so two windows have as many members in common as their buckets' shares of the rows agree. With d the
shares less their mean, the *overlap* of two windows is sum_b d_b d'_b: it does not look at outcomes, and is known to about one part in
a hundred after thirty windows. *Turnover* is what is lost of it between the first third of the reference and the last. Where members
come and go the rate served wanders, however large the windows are; where they stay, or are new every time, it does not.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tocsin.detect.streams.contrast import Tallies

FOLD = 64
"""Buckets that are kept."""
OVERLAP_MIN = 0.1
"""Below this share of the spread of activity nobody to speak of comes back."""
TURNOVER_MIN = 0.05
"""Less than this over two thirds of the reference cannot be told from none."""
_ROWS, _AMOUNT, _RESIDUAL, _LAST, _EARLY, _LATE = range(6)


class Members(msgspec.Struct, frozen=True, array_like=True):
    """Sums per folded bucket over the windows of a reference."""

    sums: bytes = b""
    """float64[6, buckets]: rows, amounts, residual rates, the last window's shares, those of the first and of the last third."""
    together: float = 0.0
    """Sum of the overlaps of windows that follow each other."""
    spread: float = 0.0
    """Sum of the overlaps of windows with themselves."""

    def after(self, counts: Tallies, place: int, windows: int) -> Members:
        """The sums after window number `place` (from 0) of so many; float[2, m]: rows and amounts per bucket."""
        folded = _folded(counts)
        total, amount = folded.sum(axis=1)
        share = folded[0] / total - 1 / len(folded[0])
        sums = self.table if self.sums else np.zeros((6, len(folded[0])))
        together = self.together + (float(sums[_LAST] @ share) if place else 0.0)
        sums[_ROWS] += folded[0]
        sums[_AMOUNT] += folded[1]
        sums[_RESIDUAL] += (folded[1] - amount / total * folded[0]) / total
        sums[_LAST] = share
        third = windows // 3
        sums[_EARLY] += share if place < third else 0.0
        sums[_LATE] += share if place >= windows - third else 0.0
        return Members(sums.astype("<f8").tobytes(), together, self.spread + float(share @ share))

    @property
    def table(self) -> Tallies:
        """float64[6, buckets]."""
        return np.frombuffer(self.sums, "<f8").astype(float).reshape(6, -1)

    def turnover(self, windows: int) -> float:
        """The share of the overlap that two thirds of the reference lost; 0 where nobody to speak of comes back."""
        together = self.together / (windows - 1)
        if together <= OVERLAP_MIN * self.spread / windows:
            return 0.0
        table = self.table
        return 1 - float(table[_EARLY] @ table[_LATE]) / (windows // 3) ** 2 / together

    def changing(self, windows: int) -> bool:
        """Whether members come and go."""
        return self.turnover(windows) > TURNOVER_MIN

    def error(self) -> float:
        """The standard error of the pooled rate, clustered by bucket."""
        rows, amount = self.table[_ROWS], self.table[_AMOUNT]
        residual = amount - amount.sum() / rows.sum() * rows
        return float(np.sqrt((residual**2).sum()) / rows.sum())

    def lasting(self, windows: int) -> float:
        """The variance of a window's rate that stays from window to window: people differ, and no window moves by it."""
        return float(((self.table[_RESIDUAL] / windows) ** 2).sum())


def _folded(counts: Tallies) -> Tallies:
    return counts.reshape(2, -1, FOLD).sum(axis=1) if len(counts[0]) % FOLD == 0 else np.asarray(counts, float)
