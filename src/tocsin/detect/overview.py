"""What detectors saw: their judged windows and findings as charts, rates and facts, for a report.

It reads what every detector leaves behind, the statistics of its windows, and so holds for kinds that are not written yet: evidence
beside what raises an alarm, counts of series or groups, and any other number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, isfinite
from typing import Any, Literal, NamedTuple

from tocsin.detect.streams import confidence
from tocsin.detect.streams.reference import BETA, MODES
from tocsin.detect.streams.telling import DISPLAY_ALPHA
from tocsin.model.chart import Chart, Line
from tocsin.model.detector import DetectorKind
from tocsin.model.event import Json
from tocsin.model.finding import Finding, Level
from tocsin.model.telemetry import Window

PLACES_MAX = 60
"""Windows are put together so that a chart has at most so many places."""
LINES_MAX = 4
SERIES_MAX = 12
FRESH = 24
"""An alarm in one of the last so many windows is the detector's state."""
LOW = -2.0
"""Powers of ten below which evidence is not drawn."""
EVIDENCE = (("log10_e", "log10_threshold"), ("surprise", "bar"))
"""Names of evidence and of what it must reach."""
QUIET = ("remembered", "top", "messages", "flagged", "truncated")
"""Numbers that are no news by themselves."""
State = Literal["alarm", "quiet", "gathering its reference", "no window yet"]
History = Sequence[tuple[Window, Mapping[str, Json]]]
"""Judged windows in order, with the statistics that the detector left."""


class Scale(NamedTuple):
    """Users' units of a share: the values that zero and one stand for."""

    low: float = 0.0
    high: float = 1.0
    unit: str = "share"
    noun: str = "rate"

    def of(self, share: float) -> float:
        """The share in users' units."""
        return self.low + share * (self.high - self.low)


class Fact(NamedTuple):
    """Something that is so."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Rate:
    """A series since it is what it is now: its rows, its rate, and the confidence sequence."""

    name: str
    rows: int
    value: float
    low: float
    high: float
    unit: str

    def __str__(self) -> str:
        bounds = (self.value, self.low, self.high)
        value, low, high = (f"{x:.2%}" if self.unit == "share" else f"{x:,.4g} {self.unit}" for x in bounds)
        return f"{self.name} {value} ({low} to {high}) on {self.rows:,} rows"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A finding in the words of a report."""

    finding: str
    at: datetime
    level: Level
    title: str
    explanation: str
    since: datetime | None
    effect: str
    evidence: str
    guarantee: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One detector."""

    detector: str
    kind: str
    title: str
    state: State
    windows: int
    facts: tuple[Fact, ...]
    charts: tuple[Chart, ...]
    rates: tuple[Rate, ...]
    alarms: tuple[Alarm, ...]
    not_seen: tuple[str, ...]
    """What it does not guarantee or cannot see."""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that came in from one file."""

    name: str
    rows: int
    quarantined: int
    reasons: Mapping[str, int]
    duplicates: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All detectors of a system."""

    system: str
    name: str
    upto: datetime | None
    """The end of the last judged window."""
    false_alarms: tuple[str, ...]
    """What the detectors promise together, as numbers."""
    sheets: tuple[Sheet, ...]
    sources: tuple[Source, ...] = ()


def sheet(
    watcher: Any, kind: DetectorKind, history: History, findings: Sequence[Finding], design: float, scale: Scale
) -> Sheet:
    """What one detector saw; `design` is the design effect of its windows, for the width of confidence sequences."""
    since = _regime(history, findings)
    alarmed = {finding.window.index for finding in findings if finding.level != Level.SIGHTING}
    bins = _bins([window for window, _ in history])
    marks = [any(window.index in alarmed for window, _ in history[start:stop]) for start, stop in bins]
    counted = _counted(history)
    charts = [
        *_evidence(history, bins, marks),
        *_rates(history, bins, counted, since, design, scale, _levels(watcher, history, scale)),
        *_others(history, bins),
    ]
    return Sheet(
        detector=watcher.id,
        kind=kind.name,
        title=kind.title,
        state=_state(history, alarmed),
        windows=len(history),
        facts=tuple(_facts(watcher, kind, history)),
        charts=tuple(charts),
        rates=tuple(_now(name, counted[name][since:], design, scale) for name in _largest(counted)[:SERIES_MAX]),
        alarms=tuple(_alarm(finding) for finding in findings if finding.level != Level.SIGHTING),
        not_seen=kind.blind_spots,
    )


Counts = Mapping[str, Sequence[tuple[float, float]]]
Bins = Sequence[tuple[int, int]]


def _counted(history: History) -> Counts:
    """(rows, outcomes) of every series in every window; zeros where it was absent. What is no share of rows is no rate."""
    each = [dict(told.get("series") or told.get("groups") or {}) for _, told in history if "direction" not in told]
    each = each if len(each) == len(history) else []
    names = sorted({name for counts in each for name in counts})
    names = [name for name in names if all(0 <= c[name][1] <= c[name][0] for c in each if name in c)]
    return {name: [tuple(counts.get(name, (0, 0))) for counts in each] for name in names}


def _largest(counted: Counts) -> list[str]:
    return sorted(counted, key=lambda name: (-sum(rows for rows, _ in counted[name]), name))


def _regime(history: History, findings: Sequence[Finding]) -> int:
    """Where the present state began: the place of the window from which the last alarm dates its change; else the first."""
    starts = [finding.since.window for finding in findings if finding.since]
    return next((place for place, (window, _) in enumerate(history) if starts and window.index >= starts[-1]), 0)


def _bins(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """Places from and up to, so many windows together that the chart stays readable."""
    size = max(1, ceil(len(windows) / PLACES_MAX))
    return [(start, min(start + size, len(windows))) for start in range(0, len(windows), size)]


def _places(history: History, bins: Bins) -> tuple[str, ...]:
    """The end of each bin."""
    days = all(window.end - window.start >= timedelta(days=1) for window, _ in history)
    return tuple(f"{history[stop - 1][0].end:{'%Y-%m-%d' if days else '%m-%d %H:%M'}}" for _, stop in bins)


def _state(history: History, alarmed: set[int]) -> State:
    if not history:
        return "no window yet"
    if any(window.index in alarmed for window, _ in history[-FRESH:]):
        return "alarm"
    gathered, needed = _gathered(history[-1][1])
    return "gathering its reference" if gathered < needed else "quiet"


def _gathered(told: Mapping[str, Json]) -> tuple[int, int]:
    """Windows of the reference so far, of the series that has most, and how many are needed."""
    reference = dict(told.get("reference") or {})
    windows = reference.get("windows", 0)
    so_far = max(windows.values(), default=0) if isinstance(windows, Mapping) else windows
    return int(so_far), int(reference.get("needed", 0))


def _number(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return float(value) if number else None


def _evidence(history: History, bins: Bins, marks: Sequence[bool]) -> Iterator[Chart]:
    """The strongest evidence of each bin, beside what raises an alarm."""
    for name, bar in EVIDENCE:
        pairs = [_pair(told, name, bar) for _, told in history]
        if not any(pairs):
            continue
        chosen = [max((p for p in pairs[start:stop] if p), default=None, key=lambda p: p[0]) for start, stop in bins]
        values = [None if p is None else max(p[0], LOW) for p in chosen]
        line = Line("evidence", values)
        limit = Line("alarm", [None if p is None else p[1] for p in chosen], style=3)
        last = next(p for p in reversed(pairs) if p)
        unit = " as a power of ten" if name == "log10_e" else ""
        told = (
            f"Evidence against 'nothing is wrong'{unit}: at the end {last[0]:.2f}, where {last[1]:.2f} raises an alarm; "
            f"{sum(marks)} of {len(bins)} places hold an alarm."
        )
        places = tuple(place for place, mark in enumerate(marks) if mark)
        yield Chart(f"Evidence{unit}", told, "", _places(history, bins), (line, limit), places)


def _pair(told: Mapping[str, Json], name: str, bar: str) -> tuple[float, float] | None:
    """Evidence and its bar, of what is nearest to its alarm."""
    found, limit = told.get(name), _number(told.get(bar))
    if isinstance(found, Mapping):
        known = [number for value in found.values() if (number := _number(value)) is not None]
        found = found.get(told.get("top"), max(known, default=None))
    value = _number(found)
    return None if value is None or limit is None else (value, limit)


def _rates(
    history: History, bins: Bins, counted: Counts, since: int, design: float, scale: Scale, levels: Sequence[Line]
) -> Iterator[Chart]:
    """The rate of each series: in each bin, and since the present state began with its confidence sequence."""
    names = _largest(counted)[:LINES_MAX]
    if not names:
        return
    alone = len(names) == 1
    lines = []
    for style, name in enumerate(names):
        table = counted[name]
        if alone:
            lines.append(Line("each", [_mean(table[start:stop], scale) for start, stop in bins]))
        so_far = [confidence_of(table[since:stop], design, scale) if stop > since else None for _, stop in bins]
        label = "since then" if alone else name
        values, low, high = ([None if rate is None else rate[part] for rate in so_far] for part in range(3))
        lines.append(Line(label, values, low, high, 1 if alone else style))
    known = [line for line in levels if alone]
    told = "; ".join(str(_now(name, counted[name][since:], design, scale)) for name in names)
    title = (
        f"{scale.noun[0].upper()}{scale.noun[1:]}"
        if alone
        else f"{scale.noun[0].upper()}{scale.noun[1:]} of the largest series"
    )
    begin = f"{history[since][0].start:%Y-%m-%d %H:%M}"
    heading = f"{title}, with 95 % confidence sequences since {begin} UTC"
    yield Chart(heading, f"At the end {told}.", scale.unit, _places(history, bins), (*lines, *known))


def confidence_of(
    table: Sequence[tuple[float, float]], design: float, scale: Scale
) -> tuple[float, float, float] | None:
    """(value, low, high) of the counts in users' units; None without rows."""
    rows, outcomes = (sum(part) for part in zip(*table, strict=True))
    if not rows:
        return None
    value, low, high = (scale.of(share) for share in confidence.rate(int(rows), outcomes, DISPLAY_ALPHA, design))
    return value, low, high


def _mean(table: Sequence[tuple[float, float]], scale: Scale) -> float | None:
    rows, outcomes = (sum(part) for part in zip(*table, strict=True))
    return scale.of(outcomes / rows) if rows else None


def _now(name: str, table: Sequence[tuple[float, float]], design: float, scale: Scale) -> Rate:
    value, low, high = confidence_of(table, design, scale) or (0.0, scale.low, scale.high)
    return Rate(name, int(sum(rows for rows, _ in table)), value, low, high, scale.unit)


def _levels(watcher: Any, history: History, scale: Scale) -> list[Line]:
    """What is normal, where it is told, and the limit, where one was set."""
    bins = _bins([window for window, _ in history])
    normals = [next(iter(dict(history[stop - 1][1].get("normal") or {}).values()), None) for _, stop in bins]
    lines = [Line("normal", [None if n is None else float(n[1]) for n in normals], style=2)] if any(normals) else []
    limit = _number(watcher.specification.get("limit"))
    if limit is not None and scale.low <= limit <= scale.high:
        lines.append(Line("limit", [limit] * len(bins), style=3))
    return lines


def _others(history: History, bins: Bins) -> Iterator[Chart]:
    """Any other number that the detector tells of its windows."""
    known = {name for pair in EVIDENCE for name in pair} | set(QUIET)
    names = {name for _, told in history for name, value in told.items() if _number(value) is not None} - known
    for name in sorted(names)[:LINES_MAX]:
        each = [_number(told.get(name)) for _, told in history]
        values = [next((v for v in reversed(each[start:stop]) if v is not None), None) for start, stop in bins]
        last = next((v for v in reversed(each) if v is not None), 0.0)
        words = name.replace("_", " ")
        told = f"{words[0].upper()}{words[1:]} of each window: at the end {last:,.4g}."
        yield Chart(words[0].upper() + words[1:], told, "", _places(history, bins), (Line(words, values),))


def _facts(watcher: Any, kind: DetectorKind, history: History) -> Iterator[Fact]:
    """Which promise holds, in which mode, and how far it is."""
    cut = watcher.windowing
    yield Fact("windows", f"of {cut.rows:,} rows" if cut.rows else f"every {_span(cut.every)}")
    yield Fact("meaning", kind.claims)
    claim = getattr(getattr(watcher, "watch", watcher), "claim", None)
    if claim and "guarantee" in watcher.specification:
        yield Fact("guarantee", str(claim()))
    if not history:
        return
    window, told = history[-1]
    yield Fact("judged", f"{len(history):,} windows up to {window.end:%Y-%m-%d %H:%M} UTC")
    yield from _modes(watcher, told)
    if waiting := told.get("waiting"):
        yield Fact(
            "waiting", waiting if isinstance(waiting, str) else f"too few rows in the last window: {', '.join(waiting)}"
        )
    for name, verdict in dict(told.get("verdicts") or {}).items():
        yield Fact(f"verdict on {name}", str(verdict))


def _modes(watcher: Any, told: Mapping[str, Json]) -> Iterator[Fact]:
    if told.get("independent_rows"):
        yield Fact("unit", "no unit is known: rows count as independent, which is indicative where people repeat")
    gathered, needed = _gathered(told)
    if needed and not told.get("normal"):
        yield Fact("reference", f"{gathered} of {needed} windows")
    for name, (mode, _) in dict(told.get("normal") or {}).items():
        more = f"; {BETA:.1%} come on top for the reference's own error (approximate)" if mode != "limit" else ""
        yield Fact(f"mode of {name}", f"{MODES.get(mode, mode)}{more}")
    if watcher.specification.get("limit") is not None and not told.get("normal"):
        yield Fact("mode", MODES["limit"])


def _span(every: timedelta) -> str:
    hours = every / timedelta(hours=1)
    return (
        "day"
        if hours == 24
        else "hour"
        if hours == 1
        else f"{hours / 24:g} days"
        if hours % 24 == 0
        else f"{hours:g} hours"
    )


def _alarm(finding: Finding) -> Alarm:
    effect, strength = finding.effect, finding.strength
    size = f"{effect.name}: {effect.value:.3g} {effect.unit} ({effect.low:.3g} to {effect.high:.3g})" if effect else ""
    return Alarm(
        finding.id,
        finding.window.end,
        finding.level,
        finding.title,
        finding.explanation,
        finding.since.start if finding.since else None,
        size,
        f"{strength.value:.4g}, told from {strength.threshold:.4g} on",
        strength.guarantee,
    )
