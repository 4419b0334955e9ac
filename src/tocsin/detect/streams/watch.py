"""Detectors that watch a rate or a mean: against a limit, or against what the stream itself was at first.

One class; `Measure` says what is measured. Series are the whole stream, or the values of a column with `by`; each is a statement of its
own and they share the budget. Segments (values of the columns in `segments`) are followed too, never alarm, and explain an alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import log
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.streams import confidence, counts, explaining, reference, seasonal, telling
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams.bound import GUARANTEE, Counting
from tocsin.detect.streams.clearing import rate_cleared
from tocsin.detect.streams.contrast import Tallies
from tocsin.detect.streams.counts import ALL, GroupCounts
from tocsin.detect.streams.explaining import Segment, explained
from tocsin.detect.streams.measure import Measure, texts
from tocsin.detect.streams.profile import Profile
from tocsin.detect.streams.reference import MODES, Direction, Normal, Reference
from tocsin.detect.streams.seasonal import SEASONS, Seasonal
from tocsin.detect.streams.sequence import ContrastSequence, Process, Seen
from tocsin.detect.streams.since import rate_since
from tocsin.detect.streams.wrappers import ANY_TIME, LATER, Spending
from tocsin.model.detector import DetectorKind, Evaluated, Parameter, Setting
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Effect, Finding, Level, RowRef
from tocsin.model.telemetry import GROUP, Table, Window

ROWS_MIN = 5
"""A series is passed over in a window in which it has fewer rows."""
SEGMENT_MARK = "|"
"""Before the name of a segment; a value of `by` that begins with it is not watched."""
MARGIN_MIN = 1e-4

REFERENCE: tuple[Parameter, ...] = (
    Parameter(
        "windows_of_reference", int, reference.WINDOWS, "windows that say what is normal when no limit is set", low=5
    ),
    Parameter(
        "reference_mode",
        str,
        "auto",
        "how far later windows may stray: own, population (members come and go), shocks, gaussian; auto decides, again and again",
        ("auto", "own", "population", "shocks", "gaussian"),
    ),
    Parameter(
        "season",
        str,
        "none",
        "what moves with the time (UTC) is normal: hour_of_day needs a week of reference, hour_of_week four",
        tuple(SEASONS),
    ),
)
WATCHING: tuple[Parameter, ...] = (
    Parameter("tolerance", float, 0.0, "so much beyond what is normal is accepted, in units of the measure", low=0),
    Parameter("by", str, None, "watch each value of this column by itself", column="text"),
    Parameter("segments", list, [], "columns whose values are searched for an explanation of an alarm", column="text"),
    Parameter(
        "unit", str, "auto", "auto: the unit column, and a row without one is a unit; or window", ("auto", "window")
    ),
    Parameter("buckets", int, 256, "buckets that units are hashed to", low=16, high=4096),
)


def limit_of(meaning: str, low: float | None = 1e-6, high: float | None = 0.999999) -> Parameter:
    """The parameter `limit` of a detector whose stream may also be compared with its own past."""
    about = f"{meaning}; without it the stream is compared with its own first windows"
    return Parameter("limit", float, None, about, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Watch(Counting):
    """A `model.detector.Detector` over `GroupCounts` and `ContrastSequence`."""

    measure: Measure

    def __post_init__(self) -> None:
        seasonal.seasonal(self.setting)

    @property
    def category(self) -> Category:
        """The category of its findings."""
        return self.measure.category

    @property
    def table(self) -> Table:
        """The table that it reads."""
        return self.setting.table or self.measure.table

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `observe` needs."""
        others = (*([self.get("by")] if self.get("by") else []), *self.get("segments"), "unit")
        return tuple(dict.fromkeys((*self.measure.columns(self.setting.parameters), *others)))

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result."""
        return {"kind": self.measure.name, "version": 2, **self.setting.parameters}

    def observe(self, state: GroupCounts, batch: pa.RecordBatch) -> GroupCounts:
        """The state after these rows; a row that does not count for the measure is passed over."""
        seen, amount = self.measure.amounts(batch, self.setting.parameters)
        index = pa.array(np.flatnonzero(seen))
        if not len(index):
            return state
        rows = batch.take(index)
        whole = pa.array(np.rint(amount[seen] * self.measure.full).astype(np.int64))
        by = self.get("by")
        if by:
            state = self._counted(state, rows, whole, texts(rows, by), "")
        else:
            one = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(index), np.int32)), pa.array([ALL]))
            state = self._counted(state, rows, whole, one, "")
        for column in self.get("segments"):
            state = self._counted(state, rows, whole, texts(rows, column), f"{SEGMENT_MARK}{column}=")
        return state

    def evaluate(self, sequence: ContrastSequence, state: GroupCounts, window: Window) -> Evaluated[ContrastSequence]:
        """Judge a closed window: a series either adds to its reference, or its processes take one step."""
        tables = {name: self._table(state, name) for name in sorted(state.groups) if state.rows(name) >= ROWS_MIN}
        start = telling.micros(window.start)
        normals = {name: normal for name in tables if (normal := self._normal(sequence, name, start))}
        processes = self._processes(sequence, tables)
        for name, normal in normals.items():
            for direction in self._directions:
                key = f"{name}:{direction}"
                largest = sequence.references.get(name, Reference()).largest
                log_e = reference.log_e(normal, direction, self._tolerance, tables[name], largest)
                processes[key] = processes[key].spread(len(log_e)).after(log_e, self.guarantee, self._spending)
        references = dict(sequence.references)
        for name, table in tables.items():
            references[name] = self._remembered(references.get(name, Reference()), name, table, processes)
        main = [name for name in tables if _watched(name)]
        present = {name: (int(tables[name][0].sum()), round(float(tables[name][1].sum()), 4)) for name in main}
        design = max([1.0, *(counts.design(tables[name]) for name in main if self.buckets > 1)])
        seen = Seen(window.index, start, design, present, 0, processes)
        profiles = sequence.profiles | self._profiled(sequence.profiles, tables, start)
        after = msgspec.structs.replace(sequences.advanced(sequence, seen), references=references, profiles=profiles)
        logs = {key: p.log_e_value(self.guarantee, self._spending) for key, p in processes.items() if _watched(key)}
        crossed = [key for key in logs if processes[key].alarming(logs[key], self.log_threshold(processes[key]))]
        findings = tuple(self._finding(after, state, window, key, logs[key], normals) for key in crossed)
        statistics = self._statistics(after, present, logs)
        settled = {key: p.settled(logs.get(key, 0.0), self.log_threshold(p)) for key, p in processes.items()}
        restarted = {key: processes[key].restarted() for key in crossed}
        return Evaluated(after.with_processes(settled | restarted), findings, statistics)

    def clearance(self, finding: Finding, windows: Iterable[GroupCounts], alpha: float) -> Clearance:
        """Whether the rows after a fix prove the measure back half of the way that it had strayed, or more."""
        series, down = str(finding.details["series"]), finding.details["direction"] == "down"
        limit, rate_seen = float(finding.details["limit"]), float(finding.details["rate"])
        margin = (limit + rate_seen) / 2
        tables = [self._table(state, series) for state in windows if state.rows(series)]
        if self._seasonal:
            tables = tables[: len(tables) - len(tables) % self._seasonal.period]
            margin += float(finding.details["limit_of_period"]) - limit
        tables = [np.stack([t[0], t[0] - t[1]]) if down else t for t in tables]
        margin = min(max(1 - margin if down else margin, MARGIN_MIN), 1 - MARGIN_MIN)
        rate = f"{self.measure.noun}, counted as what it lacks of its greatest value," if down else self.measure.noun
        return rate_cleared(tables, rate, margin, alpha, 0)

    @property
    def _directions(self) -> tuple[Direction, ...]:
        wanted = self.setting.parameters.get("direction") or self.measure.direction
        return ("up", "down") if wanted == "both" else ("up",) if wanted == "up" else ("down",)

    @property
    def needed(self) -> int:
        """Windows of reference."""
        return self._seasonal.needed if self._seasonal else int(self.get("windows_of_reference"))

    @property
    def _seasonal(self) -> Seasonal | None:
        return seasonal.seasonal(self.setting)

    def _mode(self, name: str) -> str:
        return "own" if name.startswith(SEGMENT_MARK) else str(self.get("reference_mode"))

    @property
    def _span(self) -> tuple[float, float]:
        return self.measure.span(self.setting.parameters)

    @property
    def _spending(self) -> Spending:
        return LATER if self.get("limit") is None else ANY_TIME

    @property
    def _tolerance(self) -> float:
        low, high = self._span
        return float(self.get("tolerance")) / (high - low)

    def _counted(
        self, state: GroupCounts, rows: pa.RecordBatch, whole: pa.Array, names: pa.DictionaryArray, prefix: str
    ) -> GroupCounts:
        known = pa.array(np.flatnonzero(names.indices.is_valid().to_numpy(zero_copy_only=False)))
        if not len(known):
            return state
        values = pa.array([f"{prefix}{value}" for value in names.dictionary.to_pylist()], pa.string())
        kept, chosen = pa.DictionaryArray.from_arrays(names.indices.take(known), values), rows.take(known)
        unit = chosen.column("unit").cast(pa.string())
        seen = counts.counted(
            kept, whole.take(known), unit, chosen, self.buckets, self.setting.salt, each=True, full=self.measure.full
        )
        return counts.merged(state, seen)

    def _table(self, state: GroupCounts, name: str) -> Tallies:
        """float[2, m]: rows and amounts from 0 to 1 per bucket."""
        table = state.counts(name).astype(float)
        return table if self.measure.full == 1 else np.stack([table[0], table[1] / self.measure.full])

    def _normal(self, sequence: ContrastSequence, name: str, start: int) -> Normal | None:
        """What is normal for the series in the window that starts then; None while its reference is being gathered."""
        limit = self.get("limit")
        if limit is not None:
            low, high = self._span
            return Normal("limit", (float(limit) - low) / (high - low))
        if self._seasonal:
            return self._seasonal.normal(sequence.profiles.get(name, Profile()), start, self._mode(name))
        return sequence.references.get(name, Reference()).normal

    def _remembered(self, before: Reference, name: str, table: Tallies, processes: Mapping[str, Process]) -> Reference:
        """The reference after this window, which says nothing about what is normal while a fault is known."""
        if self.get("limit") is not None or self._seasonal:
            return msgspec.structs.replace(before, largest=max(before.largest, int(table[0].max())))
        alarms = [processes[key].alarms for key in (f"{name}:{way}" for way in self._directions) if key in processes]
        return before.after(table, self._mode(name), self.needed, quiet=not any(alarms))

    def _profiled(self, before: Mapping[str, Profile], tables: Mapping[str, Tallies], start: int) -> dict[str, Profile]:
        """The profiles of these series after this window; none where there is no season."""
        season = self._seasonal
        known = {name: before.get(name, Profile()) for name in tables} if season else {}
        return {name: season.after(known[name], tables[name], start, self._mode(name)) for name in known if season}

    def _past(self, after: ContrastSequence, name: str, normal: Normal) -> list[Normal]:
        """What was normal of a series in each window that is remembered."""
        found = (self._normal(after, name, past.start) if self._seasonal else None for past in after.history)
        return [one or normal for one in found]

    def _processes(self, sequence: ContrastSequence, tables: Mapping[str, Tallies]) -> dict[str, Process]:
        """The processes before this window, with new ones for the series that are seen for the first time."""
        known = sequence.processes
        keys = [f"{name}:{direction}" for name in tables for direction in self._directions]
        new = [key for key in keys if key not in known]
        begun = {key: sequences.begun(1, 1.0) for key in new if not _watched(key)}
        mine = {key: process for key, process in known.items() if _watched(key)}
        watched = [key for key in new if _watched(key)]
        return known | begun | (sequences.joined(mine, watched, 1, closed=not self.get("by")) if watched else {})

    def _statistics(
        self, after: ContrastSequence, present: Mapping[str, tuple[int, float]], logs: Mapping[str, float]
    ) -> Mapping[str, Json]:
        bars = {key: self.bar(after.processes[key]) for key in logs}
        top = max(logs, key=lambda key: logs[key] / bars[key], default="")
        needed, start = self.needed, after.history[-1].start
        kept: Mapping[str, Reference | Profile] = after.profiles if self._seasonal else after.references
        gathered = {name: min(one.windows, needed) for name, one in sorted(kept.items()) if _watched(name)}
        told: dict[str, Json] = {
            "series": {name: list(pair) for name, pair in sorted(present.items())},
            "log10_e": {key: round(value / log(10), 4) for key, value in sorted(logs.items())},
            "top": top,
            "log10_threshold": round(bars[top] / log(10), 4) if top else None,
        }
        if self.measure.unit(self.setting.parameters) == "share":
            told["totals"] = {name: list(pair) for name, pair in sorted(after.totals.items())}
        if self.get("limit") is None:
            told["reference"] = {"windows": gathered, "needed": needed}
            told["normal"] = {
                name: [normal.mode, round(self._shown(normal.mean), 6)]
                for name in gathered
                if (normal := self._normal(after, name, start))
            }
        return told

    def _shown(self, share: float) -> float:
        """A share in users' units."""
        low, high = self._span
        return low + share * (high - low)

    def _said(self, share: float) -> str:
        unit = self.measure.unit(self.setting.parameters)
        return f"{share:.2%}" if unit == "share" else f"{self._shown(share):,.4g} {unit}".strip()

    def _finding(
        self,
        after: ContrastSequence,
        state: GroupCounts,
        window: Window,
        key: str,
        log_e: float,
        normals: Mapping[str, Normal],
    ) -> Finding:
        series, _, direction = key.rpartition(":")
        down = direction == "down"
        side: Direction = "down" if down else "up"
        past = self._past(after, series, normals[series])
        limits = np.array([one.limit(side, self._tolerance) for one in past])
        design = float(np.median([past.design for past in after.history]))
        recent = after.recent(series)
        turned = np.stack([recent[:, 0], recent[:, 0] - recent[:, 1]], axis=1) if down else recent
        since = telling.since(after, rate_since(turned, 1 - limits if down else limits, design), window)
        first = next(place for place, past in enumerate(after.history) if past.index >= since.window)
        rows, amount = recent[first:].sum(axis=0)
        rate = confidence.rate(int(rows), float(amount), telling.DISPLAY_ALPHA, design)
        normal = seasonal.together(past[first:], recent[first:, 0]) if self._seasonal else past[-1]
        limit = normal.limit(side, self._tolerance)
        segments = self._segments(after, state, direction)
        where = "" if series == ALL else f" of {series}"
        verb = "fell" if down else "rose"
        noun = self.measure.noun
        return Finding(
            id=telling.finding_id(self.system, self.id, key, window.index),
            system=self.system,
            detector=self.id,
            key=key,
            category=self.category,
            level=Level.ALARM,
            title=f"The {noun}{where} {verb} to {self._said(rate.value)}; normal is {self._said(normal.mean)}",
            window=window,
            strength=telling.strength(log_e, self.bar(after.processes[key]), self._promise(normal, state)),
            count=int(rows),
            rows=self._rows(state, series, down=down),
            explanation=(
                f"The {noun}{where} is {self._said(rate.value)} on {int(rows):,} rows since about {since.start:%Y-%m-%d %H:%M} UTC, "
                f"where {self._said(limit)} is the limit of what is normal{self._hours}. {self.measure.harm}{explained(segments)}"
            ),
            effect=self._effect(rate),
            since=since,
            blind_spots=self.measure.blind_spots,
            next_steps=self.measure.next_steps,
            tags=self.measure.tags,
            details={
                "series": series,
                "direction": direction,
                "mode": normal.mode,
                "normal": normal.mean,
                "limit": limit,
                "rate": rate.value,
                "design_effect": round(design, 3),
                "segments": [segment.told() for segment in segments],
                **self._seasonal_details(after, series, side),
            },
        )

    @property
    def _hours(self) -> str:
        return f" at these hours ({self._seasonal.said})" if self._seasonal else ""

    def _seasonal_details(self, after: ContrastSequence, series: str, side: Direction) -> dict[str, Json]:
        """The season, and the mean limit of all its hours."""
        season = self._seasonal
        if not season:
            return {}
        profile, start, mode = after.profiles[series], after.history[-1].start, self._mode(series)
        mean = season.limit(profile, start, mode, side, self._tolerance)
        return {"season": season.season, "limit_of_period": mean}

    def _promise(self, normal: Normal, state: GroupCounts) -> str:
        """The guarantee with its estimand, the mode in force, and what comes on top of it."""
        hours = f"{self._seasonal.said}, " if self._seasonal else ""
        words = f"{self.claim()}, {hours}{MODES[normal.mode]}"
        if normal.mode != "limit":
            words += f"; on top {reference.BETA:.0%} that the reference itself misleads (approximate)"
        return words if state.united or self.buckets == 1 else f"{words}; rows without a unit count as independent"

    def _effect(self, rate: confidence.Interval) -> Effect:
        unit = self.measure.unit(self.setting.parameters)
        low, value, high = (
            bound * 100 if unit == "share" else self._shown(bound) for bound in (rate.low, rate.value, rate.high)
        )
        return Effect(
            self.measure.noun, value, low, high, 1 - telling.DISPLAY_ALPHA, "percent" if unit == "share" else unit
        )

    def _rows(self, state: GroupCounts, series: str, *, down: bool) -> tuple[RowRef, ...]:
        return state.refs(series, outcome=not down)

    def _segments(self, after: ContrastSequence, state: GroupCounts, direction: str) -> list[Segment]:
        """The segments that strayed from their own normal, with false-discovery control."""
        found = []
        for name in sorted(state.groups):
            process = after.processes.get(f"{name}:{direction}")
            normal = self._normal(after, name, after.history[-1].start)
            if process and normal and name.startswith(SEGMENT_MARK):
                rows, amount = (float(part) for part in self._table(state, name).sum(axis=1))
                log_e = process.log_e_value(self.guarantee, self._spending)
                found.append(Segment(name[1:], int(rows), amount / max(rows, 1), normal.mean, log_e))
        return explaining.discovered(found)


def _watched(name: str) -> bool:
    return not name.startswith(SEGMENT_MARK)


def kind(
    measure: Measure,
    title: str,
    claims: str,
    *own: Parameter,
    sources: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    either: bool = False,
    check: Callable[[Mapping[str, Any]], tuple[str, str] | None] = lambda _: None,
    by: str = "",
) -> DetectorKind:
    """The kind that watches this measure; `own` are its parameters beside the common ones, `limit` among them.

    `by` names the parameter that holds the group whose values are watched one by one.
    """

    def built(setting: Setting) -> Watch:
        if not by:
            return Watch(setting, measure)
        chosen = {**setting.parameters, "by": f"{GROUP}{setting.parameters[by]}"}
        return Watch(replace(setting, parameters=chosen), measure)

    return DetectorKind(
        name=measure.name,
        title=title,
        category=measure.category,
        table=measure.table,
        parameters=(*own, *REFERENCE, *WATCHING, *GUARANTEE),
        claims=claims,
        blind_spots=measure.blind_spots,
        sources=(*sources, "Clerico, arXiv:2412.02640", "Shin, Ramdas & Rinaldo, arXiv:2203.03532"),
        build=built,
        required=required,
        either=either,
        check=check,
    )
