"""Detectors that compare rates between groups: parity, four fifths, equal opportunity, predictive equality and equalized odds are
settings of one class.

A detector of several rates (equalized odds) keeps one process per statement over the bets of all of them: its worth is the mean of
the e-processes of the rates, itself an e-process, and so needs no larger threshold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from math import log

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.streams import confidence, counts, naming, telling
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams.bound import GUARANTEE, Counting
from tocsin.detect.streams.cells import CROSS, cells, marked
from tocsin.detect.streams.clearing import gap_cleared
from tocsin.detect.streams.contrast import BETS, Floats, pair_centres, pair_log_e, pair_log_e_rows
from tocsin.detect.streams.counts import GroupCounts
from tocsin.detect.streams.oddsratio import ODDS, ROWS_MAX, odds_log_e
from tocsin.detect.streams.sequence import ContrastSequence, Process, Seen
from tocsin.detect.streams.since import pair_since
from tocsin.detect.streams.telling import SEPARATOR, Comparison, Part, Statement, statement
from tocsin.detect.streams.wrappers import log_mean
from tocsin.model.detector import Evaluated, Parameter, Setting
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Effect, Finding, Level, RowRef
from tocsin.model.telemetry import GROUP, Table, Window

PAIRS_OF_ALL_MAX = 8
"""Up to this many groups every ordered pair is tested; beyond, every group against the largest, both ways."""
ROWS_MIN = 5
_UNITS = ("auto", "rows", "window")
_WHO: tuple[Parameter, ...] = (
    Parameter("group", str, None, "the attribute to compare: a column `group.<name>` must be mapped", required=True),
    Parameter(
        "crossed_with",
        list,
        [],
        f"more attributes: compares the cells in which they meet, named like `female{CROSS}young` in the order given",
    ),
    Parameter("groups", list, None, "the values to compare, at least two; default: those that windows show", low=2),
)
_HOW: tuple[Parameter, ...] = (
    Parameter(
        "rows_min", int, ROWS_MIN, "a group or cell with fewer rows in a window waits in that window", low=ROWS_MIN
    ),
    Parameter(
        "unit",
        str,
        "auto",
        "auto: the unit column if there is one, else rows; rows; or window: a window is one unit",
        _UNITS,
    ),
    Parameter("buckets", int, 256, "buckets that units are hashed to", low=16, high=4096),
    *GUARANTEE,
)
PARAMETERS: tuple[Parameter, ...] = (
    *_WHO,
    Parameter("tolerance", float, 0.0, "a gap up to this is accepted, as a share (0.05: five points)", low=0, high=0.5),
    Parameter(
        "cleared_below", float, 0.05, "after a fix, the gap must be proven smaller than this", low=0.005, high=0.5
    ),
    *_HOW,
)
"""Of detectors that compare rates by their difference."""
RELATIVE: tuple[Parameter, ...] = (
    *_WHO,
    Parameter(
        "ratio",
        float,
        0.8,
        "the share of the higher rate that the lower one must reach (0.8: four fifths)",
        low=0.5,
        high=1,
    ),
    Parameter(
        "cleared_above", float, 0.8, "after a fix, the share must be proven larger than this", low=0.3, high=0.99
    ),
    *_HOW,
)
"""Of detectors that compare rates by their ratio."""


@dataclass(frozen=True, slots=True)
class GroupContrast(Counting):
    """A `model.detector.Detector` over `GroupCounts` and `ContrastSequence`."""

    comparison: Comparison

    @property
    def category(self) -> Category:
        """Bias."""
        return Category.BIAS

    @property
    def table(self) -> Table:
        """Predictions."""
        return "predictions"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `observe` needs."""
        label = ("label",) if any(part.label is not None for part in self.comparison.parts) else ()
        return (*self._attributes, "decision", *label, "unit")

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result."""
        return {"kind": self.comparison.name, "version": 3, **self.setting.parameters}

    @property
    def _attributes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(f"{GROUP}{name}" for name in (self.get("group"), *self.get("crossed_with"))))

    @property
    def _by(self) -> str:
        """The attributes in words."""
        return CROSS.join(column.removeprefix(GROUP) for column in self._attributes)

    @property
    def _null(self) -> tuple[float, float]:
        """(tolerance, ratio): what is tested is ratio x the higher rate - the lower one <= tolerance."""
        return (0.0, float(self.get("ratio"))) if self.comparison.relative else (float(self.get("tolerance")), 1.0)

    def observe(self, state: GroupCounts, batch: pa.RecordBatch) -> GroupCounts:
        """The state after these rows; rows without a group, a decision or (where needed) a label do not count."""
        group = cells(batch, self._attributes)
        for part in self.comparison.parts:
            state = self._observed(state, batch, group, part)
        return state

    def _observed(
        self, state: GroupCounts, batch: pa.RecordBatch, group: pa.DictionaryArray, part: Part
    ) -> GroupCounts:
        kept = pc.and_(pc.is_valid(group), pc.is_valid(batch.column("decision")))
        if part.label is not None:
            label = batch.column("label").cast(pa.bool_())
            kept = pc.and_(kept, pc.fill_null(pc.equal(label, part.label), fill_value=False))
        index = pc.indices_nonzero(kept)
        if not len(index):
            return state
        rows = batch.take(index)
        decision = rows.column("decision").cast(pa.bool_())
        units = rows.column("unit") if self.buckets > 1 else pa.nulls(len(index), pa.string())
        seen = counts.counted(
            marked(group, part.mark).take(index), decision, units, rows, self.buckets, self.setting.salt
        )
        return counts.merged(state, seen)

    def evaluate(self, sequence: ContrastSequence, state: GroupCounts, window: Window) -> Evaluated[ContrastSequence]:
        """Judge a closed window: the process of every statement with rows takes one step; those that cross their threshold are told.

        A statement without enough rows of both groups waits: whether there are rows does not depend on their outcomes.
        """
        by_rows = self._by_rows(state)
        stepped = {
            name: self._stepped(process, statement(name), sequence, state, by_rows=by_rows)
            for name, process in self._processes(sequence, state, by_rows=by_rows).items()
        }
        present = {name: counts.folded(group.counts) for name, group in state.groups.items()}
        largest = max((int(group.counts[0].max()) for group in state.groups.values()), default=0)
        seen = Seen(window.index, telling.micros(window.start), self._design(state), present, largest, stepped)
        after = sequences.advanced(sequence, seen)
        logs = {name: process.log_e_value(self.guarantee) for name, process in stepped.items()}
        crossed = sorted(name for name, p in stepped.items() if p.alarming(logs[name], self.log_threshold(p)))
        findings = tuple(
            self._finding(after, state, window, name, logs[name], crossed, by_rows=by_rows) for name in crossed
        )
        settled = {name: p.settled(logs[name], self.log_threshold(p)) for name, p in stepped.items()}
        restarted = {name: p.restarted() if name in crossed else settled[name] for name, p in stepped.items()}
        statistics = self._statistics(after, state, present, logs, crossed, by_rows=by_rows)
        return Evaluated(after.with_processes(restarted), findings, statistics)

    def clearance(self, finding: Finding, windows: Iterable[GroupCounts], alpha: float) -> Clearance:
        """Whether the rows after a fix prove that the gap of the finding is below `cleared_below`."""
        states = list(windows)
        by_rows = self._by_rows(counts.total(states, self.buckets))
        pair = Statement(str(finding.details["high"]), str(finding.details["low"]))
        part = next(part for part in self.comparison.parts if part.rate == finding.details.get("rate", part.rate))
        tolerance, ratio = self._null
        relative = self.comparison.relative
        margin = (
            min(float(self.get("cleared_above")), ratio)
            if relative
            else max(float(self.get("cleared_below")), tolerance)
        )
        pairs = [(state.counts(part.mark + pair.high), state.counts(part.mark + pair.low)) for state in states]
        return gap_cleared(pairs, pair, part.rate, margin, alpha, by_rows=by_rows, relative=relative)

    def _by_rows(self, state: GroupCounts) -> bool:
        """Whether every row counts as independent: so set, or no row names its unit."""
        return self.get("unit") == "rows" or (self.get("unit") == "auto" and not state.united)

    def _processes(self, sequence: ContrastSequence, state: GroupCounts, *, by_rows: bool) -> dict[str, Process]:
        """The processes before this window, with new ones for the statements that become possible with it."""
        bets = len(self._bets(by_rows=by_rows)) * len(self.comparison.parts)
        known = sequence.processes
        sizes = self._sizes(state)
        present = sorted(name for name, rows in sizes.items() if rows >= self._rows_min)
        groups = [name for name in self.get("groups") or present if SEPARATOR not in name]
        new = [str(pair) for pair in _pairs(groups, sequence, sizes) if str(pair) not in known]
        complete = bool(self.get("groups")) and len(groups) <= PAIRS_OF_ALL_MAX
        return sequences.joined(known, new, bets, closed=complete)

    def _stepped(
        self, process: Process, pair: Statement, sequence: ContrastSequence, state: GroupCounts, *, by_rows: bool
    ) -> Process:
        """The statement's process after the window; as it was when one of the two groups has too few rows for every rate."""
        silent = np.zeros(len(self._bets(by_rows=by_rows)))
        parts = self.comparison.parts
        ready = [min(state.rows(part.mark + name) for name in pair) >= self._rows_min for part in parts]
        if not any(ready):
            return process
        said = [
            self._log_e(Statement(part.mark + pair.high, part.mark + pair.low), sequence, state, by_rows=by_rows)
            if able
            else silent
            for part, able in zip(parts, ready, strict=True)
        ]
        log_e = np.concatenate(said)
        return process.spread(len(log_e)).after(log_e, self.guarantee)

    @property
    def _rows_min(self) -> int:
        return int(self.get("rows_min"))

    def _sizes(self, state: GroupCounts) -> dict[str, int]:
        """Rows of each group: of the rate with most of them, where there are several."""
        sizes: dict[str, int] = {}
        for part in self.comparison.parts:
            for name in state.groups:
                if name.startswith(part.mark):
                    group = name.removeprefix(part.mark)
                    sizes[group] = max(sizes.get(group, 0), state.rows(name))
        return sizes

    def _bets(self, *, by_rows: bool) -> Floats:
        return ODDS if by_rows and self._null == (0.0, 1.0) else BETS

    def _log_e(self, pair: Statement, sequence: ContrastSequence, state: GroupCounts, *, by_rows: bool) -> Floats:
        """log E per bet of the window against the null of a statement about two series."""
        high, low = state.counts(pair.high), state.counts(pair.low)
        a, b = counts.folded(high), counts.folded(low)
        bets = self._bets(by_rows=by_rows)
        if bets is ODDS and a[0] + b[0] <= ROWS_MAX:
            return odds_log_e(a, b)
        tolerance, ratio = self._null
        centres = pair_centres(sequence.rate(pair.high), sequence.rate(pair.low), tolerance, ratio)
        if by_rows:
            return pair_log_e_rows(a, b, centres, BETS[: len(bets)], ratio)
        return pair_log_e(high, low, centres, ratio=ratio)

    def _design(self, state: GroupCounts) -> float:
        """The design effect of the window: how much units that repeat inflate the variance of the rates."""
        return max([1.0, *(counts.design(group.counts) for group in state.groups.values() if self.buckets > 1)])

    def _statistics(
        self,
        after: ContrastSequence,
        state: GroupCounts,
        present: Mapping[str, tuple[int, int]],
        logs: Mapping[str, float],
        crossed: Collection[str],
        *,
        by_rows: bool,
    ) -> Mapping[str, Json]:
        bars = {name: self.bar(after.processes[name]) for name in logs}
        top = max(logs, key=lambda name: logs[name] / bars[name], default="")
        told: dict[str, Json] = {
            "groups": {name: list(pair) for name, pair in sorted(present.items())},
            "totals": {name: list(pair) for name, pair in sorted(after.totals.items())},
            "log10_e": {name: round(value / log(10), 4) for name, value in sorted(logs.items())},
            "top": top,
            "log10_threshold": round(bars[top] / log(10), 4) if top else None,
            "independent_rows": by_rows,
        }
        if waiting := sorted(name for name, rows in self._sizes(state).items() if rows < self._rows_min):
            told["waiting"] = list(waiting)
        if self.comparison.relative:
            shown = {str(pair) for pair in _shown(after, crossed)}
            told["verdicts"] = {name: "violated" if name in shown else "not shown" for name in sorted(logs)}
        return told

    def _finding(
        self,
        after: ContrastSequence,
        state: GroupCounts,
        window: Window,
        name: str,
        log_e: float,
        crossed: Collection[str],
        *,
        by_rows: bool,
    ) -> Finding:
        pair, words, key = statement(name), self.comparison, f"{self._by}:{name}"
        part = self._telling(after.processes[name])
        design = float(np.median([past.design for past in after.history]))
        high, low = after.recent(part.mark + pair.high), after.recent(part.mark + pair.low)
        tolerance, ratio = self._null
        since = telling.since(after, pair_since(high, low, design, ratio, tolerance), window)
        first = next(place for place, past in enumerate(after.history) if past.index >= since.window)
        a, b = telling.summed(high[first:]), telling.summed(low[first:])
        names = self._named(after, state, crossed)
        claim = self.claim()
        claim += ", if rows are independent (no unit is known: indicative where people repeat)" if by_rows else ""
        return Finding(
            id=telling.finding_id(self.system, self.id, key, window.index),
            system=self.system,
            detector=self.id,
            category=Category.BIAS,
            key=key,
            level=Level.ALARM,
            title=telling.gap_title(part, self._by, pair, (a, b)),
            window=window,
            strength=telling.strength(log_e, self.bar(after.processes[name]), claim),
            count=b[0],
            rows=self._rows(state, pair, part),
            explanation=self._explanation(part, pair, (a, b), since.start, names),
            effect=self._effect(part, (a, b), design),
            since=since,
            blind_spots=words.blind_spots,
            next_steps=words.next_steps,
            tags=words.tags,
            details={
                **telling.gap_details(pair, (a, b)),
                "group": self._by,
                "rate": part.rate,
                **({"ratio": ratio} if words.relative else {"tolerance": tolerance}),
                "named": [one.told() for one in names],
                "design_effect": round(design, 3),
                "independent_rows": by_rows,
            },
        )

    def _telling(self, process: Process) -> Part:
        """The rate that says most in the statement's process."""
        parts = self.comparison.parts
        worth = [log_mean(bets) for bets in np.split(np.array(process.log_a), len(parts))]
        return parts[int(np.argmax(worth))]

    def _named(self, after: ContrastSequence, state: GroupCounts, crossed: Collection[str]) -> list[naming.Named]:
        """The groups that stand apart; with two groups the finding names them already."""
        groups = {name for known in after.processes for name in statement(known)}
        if len(groups) <= 2:
            return []
        sizes = self._sizes(state)
        largest = max(sorted(groups), key=lambda name: sizes.get(name, 0))
        return naming.named(_shown(after, crossed), groups, largest)

    def _explanation(
        self, part: Part, pair: Statement, counted: telling.Pair, begin: datetime, names: Sequence[naming.Named]
    ) -> str:
        if self.comparison.relative:
            said = telling.ratio_explanation(part, pair, counted, self._null[1], begin)
        else:
            said = telling.gap_explanation(part, pair, counted, begin)
        return f"{said} Shown so far: {'; '.join(map(str, names))}." if names else said

    def _effect(self, part: Part, counted: telling.Pair, design: float) -> Effect:
        high, low = counted
        if self.comparison.relative:
            return telling.ratio_effect(part.rate, confidence.ratio(low, high, telling.DISPLAY_ALPHA, design))
        return telling.gap_effect(part.rate, confidence.difference(high, low, telling.DISPLAY_ALPHA, design))

    def _rows(self, state: GroupCounts, pair: Statement, part: Part) -> tuple[RowRef, ...]:
        """Rows that show the harm: refused where the outcome is wanted, accused where it is not."""
        if part.label is False:
            return state.refs(part.mark + pair.high, outcome=True)
        return state.refs(part.mark + pair.low, outcome=False)


def build(comparison: Comparison, setting: Setting) -> GroupContrast:
    """The detector for a setting."""
    return GroupContrast(setting, comparison)


def _shown(after: ContrastSequence, crossed: Collection[str]) -> list[Statement]:
    """The statements that were shown: in this window, or before and not quiet since."""
    return [statement(name) for name, process in after.processes.items() if process.alarms or name in crossed]


def _pairs(names: Sequence[str], sequence: ContrastSequence, sizes: Mapping[str, int]) -> Iterator[Statement]:
    """The statements about these groups: of a few groups all, of many those with the group that all others are compared with."""
    if len(names) <= PAIRS_OF_ALL_MAX:
        yield from (Statement(*pair) for pair in permutations(names, 2))
        return
    middle = _middle(names, sequence, sizes)
    for name in names:
        if name != middle:
            yield from (Statement(name, middle), Statement(middle, name))


def _middle(names: Sequence[str], sequence: ContrastSequence, sizes: Mapping[str, int]) -> str:
    """The group that all others are compared with: the one that most statements name already, and at first the largest."""
    named = Counter(name for known in sequence.processes for name in statement(known))
    return max(names, key=lambda name: (named[name], sizes.get(name, 0)))
