"""Proof that a fault is gone: the null is turned round. "No alarm since" proves nothing; rejecting "it is still there" does.

The windows after a fix are multiplied, not wrapped: there is one hypothesis and no change to look for. By Ville's inequality the
probability of ever clearing a fault that is still at least `margin` large is at most alpha, however often one looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil, log

import numpy as np

from tocsin.detect.streams import confidence
from tocsin.detect.streams.contrast import (
    BETS,
    Counts,
    Floats,
    Rates,
    Tallies,
    pair_centres,
    pair_log_e,
    pair_log_e_rows,
    rate_below_log_e,
)
from tocsin.model.finding import Clearance


def gap_cleared(
    pairs: Sequence[tuple[Counts, Counts]],
    names: tuple[str, str],
    rate: str,
    margin: float,
    alpha: float,
    *,
    by_rows: bool,
    relative: bool = False,
) -> Clearance:
    """Whether the windows' counts (high, low) reject "the rate of `high` exceeds that of `low` by at least `margin`".

    `relative`: "the rate of `low` is at most `margin` times that of `high`".
    """
    ratio, tolerance = (1 / margin, 0.0) if relative else (1.0, -margin)
    high, low = Rates(), Rates()
    logs = np.zeros(len(BETS))
    for table_high, table_low in pairs:
        a, b = _folded(table_high), _folded(table_low)
        centres = pair_centres(low, high, tolerance, ratio)
        if by_rows:
            logs += pair_log_e_rows(b, a, centres, ratio=ratio)
        else:
            logs += pair_log_e(table_low, table_high, centres, ratio=ratio)
        high, low = high.after(*a), low.after(*b)
    total_high, total_low = _total(t for t, _ in pairs), _total(t for _, t in pairs)
    rows = total_high[0] + total_low[0]
    if relative:
        share = confidence.ratio(total_low, total_high, alpha)
        subject = f"the {rate} of {names[1]} is {margin:.1%} of that of {names[0]} or less"
        return _verdict(logs, alpha, margin, share, rows, subject, hopeless=share.value <= margin)
    gap = confidence.difference(total_high, total_low, alpha)
    subject = f"the {rate} of {names[0]} exceeds that of {names[1]} by {margin * 100:.1f} percentage points or more"
    return _verdict(logs, alpha, margin, gap, rows, subject, hopeless=gap.value >= margin)


def rate_cleared(windows: Sequence[Tallies], rate: str, margin: float, alpha: float, recurrences: int) -> Clearance:
    """Whether the windows' counts reject "the rate is at least `margin`", and none of the finding's own items came back."""
    logs = sum((rate_below_log_e(table, margin) for table in windows), np.zeros(len(BETS)))
    rows, outcomes = _total(windows)
    share = confidence.rate(rows, outcomes, alpha)
    subject = f"the {rate} is {margin:.2%} or more"
    verdict = _verdict(np.asarray(logs), alpha, margin, share, rows, subject, hopeless=share.value >= margin)
    if not recurrences:
        return verdict
    again = f"Not cleared: {recurrences} of the very items of the finding were seen again. {verdict.statement}"
    return replace(verdict, passed=False, statement=again, recurrences=recurrences)


STRAYING = 0.2
"""After a fix, so large a share of windows with the fault must be rejected."""


def windows_cleared(faulty: Sequence[bool], share: str, alpha: float) -> Clearance:
    """Whether the windows after a fix reject "a fifth of them or more have the fault"; a window counts as a row."""
    tables = [np.array([[1.0], [float(fault)]]) for fault in faulty]
    return rate_cleared(tables, share, STRAYING, alpha, 0)


def _verdict(
    logs: Floats, alpha: float, margin: float, interval: confidence.Interval, rows: int, subject: str, *, hopeless: bool
) -> Clearance:
    log_e = float(np.logaddexp.reduce(logs) - log(len(logs)))
    passed, needed = log_e >= log(1 / alpha), None
    if passed:
        statement = f'Cleared: "{subject}" is rejected at error level {alpha:g} on {rows:,} rows after the fix.'
    elif hopeless or not rows:
        what = "no rows after the fix yet" if not rows else f"the estimate after the fix is {interval.value:.2%}"
        statement = f'Not cleared: {what}; "{subject}" cannot be rejected.'
    else:
        best = max(float(logs.max()), 1e-6)
        needed = ceil(rows * (log(1 / alpha) + log(len(logs))) / best) if best > 1e-3 else None
        more = f"; about {max(needed - rows, 1):,} more rows would do if things stay as they are" if needed else ""
        statement = f'Not yet cleared: {rows:,} rows after the fix do not reject "{subject}"{more}.'
    e_value = float(np.exp(min(log_e, 700)))
    return Clearance(
        passed, statement, alpha, margin, interval.value, interval.low, interval.high, e_value, rows, needed
    )


def _folded(table: Counts) -> tuple[int, int]:
    return int(table[0].sum()), int(table[1].sum())


def _total(tables: Iterable[Tallies]) -> tuple[int, float]:
    rows, outcomes = 0, 0.0
    for table in tables:
        rows, outcomes = rows + int(table[0].sum()), outcomes + float(table[1].sum())
    return rows, outcomes
