"""Times and rates of incident response, as functions over folded incidents and their duties. Nothing is counted elsewhere.

Durations are None while the step they lead to has not happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles

from tocsin.model.incident import Incident
from tocsin.model.law import Obligation, Status, Truth

STEPS = ("detect", "acknowledge", "contain", "remediate", "close")


@dataclass(frozen=True, slots=True)
class Times:
    """How long one incident took from step to step: to detect from its start, everything else from detection."""

    incident: str
    detect: timedelta | None
    acknowledge: timedelta | None
    contain: timedelta | None
    remediate: timedelta | None
    close: timedelta | None


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Binding duties with a date: how many were met in time, met late, and are overdue without being met."""

    in_time: int
    late: int
    overdue: int

    @property
    def rate(self) -> float | None:
        """The share met in time; None when none has come due."""
        whole = self.in_time + self.late + self.overdue
        return self.in_time / whole if whole else None


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the slow end of a duration."""

    count: int
    median: timedelta
    slow: timedelta
    """The 90th percentile; the largest when there are fewer than ten."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All incidents in numbers."""

    incidents: int
    open: int
    by_category: Mapping[str, int]
    by_severity: Mapping[str, int]
    by_month: Mapping[str, int]
    times: tuple[Times, ...]
    spreads: Mapping[str, Spread]
    punctuality: Punctuality


def times(incident: Incident) -> Times:
    """The times of one incident."""
    begun = incident.dates.get("started") or incident.dates.get("occurred")
    detected = incident.dates.get("detected", incident.opened_at)
    proven = (
        max((a.effective_from for a in incident.actions if a.effective_from), default=None)
        if _proven(incident)
        else None
    )
    return Times(
        incident.id,
        _between(begun, detected),
        _between(detected, incident.acknowledged_at),
        _between(detected, incident.dates.get("contained")),
        _between(detected, proven),
        _between(detected, incident.closed_at),
    )


def punctuality(obligations: Iterable[Obligation], now: datetime) -> Punctuality:
    """Whether binding duties that are certain were met: by their last lawful instant."""
    in_time = late = overdue = 0
    for owed in obligations:
        if (
            owed.status is not Status.BINDING
            or owed.truth is not Truth.YES
            or owed.legal_latest is None
            or owed.decision
        ):
            continue
        if owed.discharged_at is None:
            overdue += now > owed.legal_latest
        elif owed.discharged_at <= owed.legal_latest:
            in_time += 1
        else:
            late += 1
    return Punctuality(in_time, late, overdue)


def figures(incidents: Sequence[Incident], obligations: Iterable[Obligation], now: datetime) -> Figures:
    """All incidents in numbers, at `now`."""
    all_times = tuple(times(incident) for incident in incidents)
    severities = [str(i.classification.severity) for i in incidents if i.classification]
    return Figures(
        len(incidents),
        sum(incident.closed_at is None for incident in incidents),
        dict(sorted(Counter(str(incident.category) for incident in incidents).items())),
        dict(sorted(Counter(severities).items())),
        dict(sorted(Counter(f"{incident.opened_at:%Y-%m}" for incident in incidents).items())),
        all_times,
        {step: spread for step in STEPS if (spread := _spread([getattr(t, step) for t in all_times]))},
        punctuality(obligations, now),
    )


def _proven(incident: Incident) -> bool:
    clearances = incident.clearances.values()
    return bool(incident.attested) or (bool(clearances) and all(clearance.passed for clearance in clearances))


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    return end - start if start and end else None


def _spread(values: Sequence[timedelta | None]) -> Spread | None:
    known = sorted(value.total_seconds() for value in values if value is not None)
    if not known:
        return None
    slow = quantiles(known, n=10)[-1] if len(known) >= 10 else known[-1]
    return Spread(len(known), timedelta(seconds=median(known)), timedelta(seconds=slow))
