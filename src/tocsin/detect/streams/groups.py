"""Detectors that compare a rate between groups: parity, equal opportunity and predictive equality are settings of one class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import log

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.streams import confidence, counts, telling
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams.bound import GUARANTEE, Counting
from tocsin.detect.streams.clearing import gap_cleared
from tocsin.detect.streams.contrast import BETS, Floats, pair_centres, pair_log_e, pair_log_e_rows
from tocsin.detect.streams.counts import GroupCounts
from tocsin.detect.streams.oddsratio import ODDS, ROWS_MAX, odds_log_e
from tocsin.detect.streams.sequence import ContrastSequence, Process, Seen
from tocsin.detect.streams.since import pair_since
from tocsin.detect.streams.telling import SEPARATOR, Comparison, Statement, statement
from tocsin.model.detector import Evaluated, Parameter, Setting
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Finding, Level, RowRef
from tocsin.model.telemetry import GROUP, Table, Window

PAIRS_OF_ALL_MAX = 8
"""Up to this many groups every ordered pair is tested; beyond, every group against the largest, both ways."""
ROWS_MIN = 5
"""A pair is passed over in a window in which one of the two has fewer rows."""
_UNITS = ("auto", "rows", "window")
PARAMETERS: tuple[Parameter, ...] = (
    Parameter("group", str, None, "the attribute to compare: a column `group.<name>` must be mapped", required=True),
    Parameter("groups", list, None, "the values to compare, at least two; default: those that windows show", low=2),
    Parameter("tolerance", float, 0.0, "a gap up to this is accepted, as a share (0.05: five points)", low=0, high=0.5),
    Parameter(
        "cleared_below", float, 0.05, "after a fix, the gap must be proven smaller than this", low=0.005, high=0.5
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
        label = ("label",) if self.comparison.label is not None else ()
        return (self._column, "decision", *label, "unit")

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result."""
        return {"kind": self.comparison.name, "version": 2, **self.setting.parameters}

    @property
    def _column(self) -> str:
        return f"{GROUP}{self.get('group')}"

    def observe(self, state: GroupCounts, batch: pa.RecordBatch) -> GroupCounts:
        """The state after these rows; rows without a group, a decision or (where needed) a label do not count."""
        group = batch.column(self._column)
        if not pa.types.is_dictionary(group.type):
            group = group.cast(pa.string()).dictionary_encode()
        kept = pc.and_(pc.is_valid(group), pc.is_valid(batch.column("decision")))
        if self.comparison.label is not None:
            label = batch.column("label").cast(pa.bool_())
            kept = pc.and_(kept, pc.fill_null(pc.equal(label, self.comparison.label), fill_value=False))
        index = pc.indices_nonzero(kept)
        if not len(index):
            return state
        rows = batch.take(index)
        decision = rows.column("decision").cast(pa.bool_())
        units = rows.column("unit") if self.buckets > 1 else pa.nulls(len(index), pa.string())
        seen = counts.counted(group.take(index), decision, units, rows, self.buckets, self.setting.salt)
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
        findings = tuple(self._finding(after, state, window, name, logs[name], by_rows=by_rows) for name in crossed)
        settled = {name: p.settled(logs[name], self.log_threshold(p)) for name, p in stepped.items()}
        restarted = {name: p.restarted() if name in crossed else settled[name] for name, p in stepped.items()}
        statistics = self._statistics(after, present, logs, by_rows=by_rows)
        return Evaluated(after.with_processes(restarted), findings, statistics)

    def clearance(self, finding: Finding, windows: Iterable[GroupCounts], alpha: float) -> Clearance:
        """Whether the rows after a fix prove that the gap of the finding is below `cleared_below`."""
        states = list(windows)
        by_rows = self._by_rows(counts.total(states, self.buckets))
        high, low = str(finding.details["high"]), str(finding.details["low"])
        margin = max(float(self.get("cleared_below")), float(self.get("tolerance")))
        pairs = [(state.counts(high), state.counts(low)) for state in states]
        return gap_cleared(pairs, (high, low), self.comparison.rate, margin, alpha, by_rows=by_rows)

    def _by_rows(self, state: GroupCounts) -> bool:
        """Whether every row counts as independent: so set, or no row names its unit."""
        return self.get("unit") == "rows" or (self.get("unit") == "auto" and not state.united)

    def _processes(self, sequence: ContrastSequence, state: GroupCounts, *, by_rows: bool) -> dict[str, Process]:
        """The processes before this window, with new ones for the statements that become possible with it."""
        bets = len(self._bets(by_rows=by_rows))
        known = sequence.processes
        present = sorted(name for name in state.groups if state.rows(name) >= ROWS_MIN)
        groups = [name for name in self.get("groups") or present if SEPARATOR not in name]
        new = [str(pair) for pair in _pairs(groups, sequence, state) if str(pair) not in known]
        complete = bool(self.get("groups")) and len(groups) <= PAIRS_OF_ALL_MAX
        return sequences.joined(known, new, bets, closed=complete)

    def _stepped(
        self, process: Process, pair: Statement, sequence: ContrastSequence, state: GroupCounts, *, by_rows: bool
    ) -> Process:
        """The statement's process after the window; as it was when one of the two groups has too few rows."""
        if min(state.rows(pair.high), state.rows(pair.low)) < ROWS_MIN:
            return process
        log_e = self._log_e(pair, sequence, state, by_rows=by_rows)
        return process.spread(len(log_e)).after(log_e, self.guarantee)

    def _bets(self, *, by_rows: bool) -> Floats:
        return ODDS if by_rows and not self.get("tolerance") else BETS

    def _log_e(self, pair: Statement, sequence: ContrastSequence, state: GroupCounts, *, by_rows: bool) -> Floats:
        """log E per bet of the window against the statement's null."""
        high, low = state.counts(pair.high), state.counts(pair.low)
        a, b = counts.folded(high), counts.folded(low)
        bets = self._bets(by_rows=by_rows)
        if bets is ODDS and a[0] + b[0] <= ROWS_MAX:
            return odds_log_e(a, b)
        centres = pair_centres(sequence.rate(pair.high), sequence.rate(pair.low), float(self.get("tolerance")))
        return pair_log_e_rows(a, b, centres, BETS[: len(bets)]) if by_rows else pair_log_e(high, low, centres)

    def _design(self, state: GroupCounts) -> float:
        """The design effect of the window: how much units that repeat inflate the variance of the rates."""
        return max([1.0, *(counts.design(group.counts) for group in state.groups.values() if self.buckets > 1)])

    def _statistics(
        self,
        after: ContrastSequence,
        present: Mapping[str, tuple[int, int]],
        logs: Mapping[str, float],
        *,
        by_rows: bool,
    ) -> Mapping[str, Json]:
        bars = {name: self.bar(after.processes[name]) for name in logs}
        top = max(logs, key=lambda name: logs[name] / bars[name], default="")
        return {
            "groups": {name: list(pair) for name, pair in sorted(present.items())},
            "totals": {name: list(pair) for name, pair in sorted(after.totals.items())},
            "log10_e": {name: round(value / log(10), 4) for name, value in sorted(logs.items())},
            "top": top,
            "log10_threshold": round(bars[top] / log(10), 4) if top else None,
            "independent_rows": by_rows,
        }

    def _finding(
        self, after: ContrastSequence, state: GroupCounts, window: Window, name: str, log_e: float, *, by_rows: bool
    ) -> Finding:
        pair, words, key = statement(name), self.comparison, f"{self.get('group')}:{name}"
        design = float(np.median([past.design for past in after.history]))
        since = telling.since(after, pair_since(after.recent(pair.high), after.recent(pair.low), design), window)
        first = next(place for place, past in enumerate(after.history) if past.index >= since.window)
        a, b = telling.summed(after.recent(pair.high)[first:]), telling.summed(after.recent(pair.low)[first:])
        claim = self.claim()
        claim += ", if rows are independent (no unit is known: indicative where people repeat)" if by_rows else ""
        return Finding(
            id=telling.finding_id(self.system, self.id, key, window.index),
            system=self.system,
            detector=self.id,
            category=Category.BIAS,
            key=key,
            level=Level.ALARM,
            title=f"{words.noun} differs by {self.get('group')}: {pair.low} {b[1] / b[0]:.1%}, {pair.high} {a[1] / a[0]:.1%}",
            window=window,
            strength=telling.strength(log_e, self.bar(after.processes[name]), claim),
            count=b[0],
            rows=self._rows(state, pair),
            explanation=telling.gap_explanation(words, pair, (a, b), since.start),
            effect=telling.gap_effect(words.rate, confidence.difference(a, b, telling.DISPLAY_ALPHA, design)),
            since=since,
            blind_spots=words.blind_spots,
            next_steps=words.next_steps,
            tags=words.tags,
            details={
                **telling.gap_details(pair, (a, b)),
                "group": self.get("group"),
                "tolerance": self.get("tolerance"),
                "design_effect": round(design, 3),
                "independent_rows": by_rows,
            },
        )

    def _rows(self, state: GroupCounts, pair: Statement) -> tuple[RowRef, ...]:
        """Rows that show the harm: refused where the outcome is wanted, accused where it is not."""
        if self.comparison.label is False:
            return state.refs(pair.high, outcome=True)
        return state.refs(pair.low, outcome=False)


def build(comparison: Comparison, setting: Setting) -> GroupContrast:
    """The detector for a setting."""
    return GroupContrast(setting, comparison)


def _pairs(names: Sequence[str], sequence: ContrastSequence, state: GroupCounts) -> Iterator[Statement]:
    """The statements about these groups: of a few groups all, of many those with the group that all others are compared with."""
    if len(names) <= PAIRS_OF_ALL_MAX:
        yield from (Statement(*pair) for pair in permutations(names, 2))
        return
    middle = _middle(names, sequence, state)
    for name in names:
        if name != middle:
            yield from (Statement(name, middle), Statement(middle, name))


def _middle(names: Sequence[str], sequence: ContrastSequence, state: GroupCounts) -> str:
    """The group that all others are compared with: the one that most statements name already, and at first the largest."""
    named = Counter(name for known in sequence.processes for name in statement(known))
    return max(names, key=lambda name: (named[name], state.rows(name)))
