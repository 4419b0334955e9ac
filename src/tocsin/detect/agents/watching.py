"""Detectors that watch what happens in sessions: each says what it notes of a message, and what the notes of a window mean.

A flag of a rule that the policy states as a limit, or of a flow that no ordinary work shows, is severe and opens an incident. Any
other is a sighting: counted, shown, and no incident by itself. The share of flagged messages is watched by a change-time process,
so that many small things are found as one, and found once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.agents import trail
from tocsin.detect.agents.rows import COLUMNS, Rows
from tocsin.detect.agents.trail import Cell, Trail
from tocsin.detect.streams import confidence, telling
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams.bound import GUARANTEE, Bound
from tocsin.detect.streams.clearing import rate_cleared
from tocsin.detect.streams.contrast import BETS, Counts, rate_log_e
from tocsin.detect.streams.sequence import ContrastSequence, Seen
from tocsin.model.detector import DetectorKind, Evaluated, Parameter, Setting
from tocsin.model.errors import BadInput, Place
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Effect, Finding, Level, Strength
from tocsin.model.telemetry import Table, Window

RATE = "rate"
ROWS_SHOWN = 20
SHOWN = 5
DIGESTS_KEPT = 50
FLAGGED_MIN = 3
KNOWN_MAX = 1_000
"""Names that a detector remembers from window to window; beyond, it says that it learns no more."""
Known = Mapping[str, str]

TOLERATED: tuple[Parameter, ...] = (
    Parameter("tolerated_rate", float, 0.002, "the share of messages that may be flagged", low=1e-6, high=0.5),
    Parameter(
        "cleared_below", float, 0.005, "after a fix, the share of flagged messages must be proven smaller", low=1e-5
    ),
    Parameter("buckets", int, 1024, "buckets that sessions are hashed to", low=16, high=4096),
    *GUARANTEE,
)
"""The parameters that all detectors of sessions share."""


class Flag(NamedTuple):
    """What a rule has to say about cells: its name, what it is called, a sentence, and how grave it is."""

    rule: str
    title: str
    sentence: str
    level: Level
    confidence: float
    cells: tuple[Cell, ...]
    shown: str = ""

    @property
    def value(self) -> str:
        """What the flag is about: that it comes back refutes a fix."""
        return self.cells[0].value


class Judged(NamedTuple):
    """What a window's cells mean, and what is known after it."""

    flags: tuple[Flag, ...]
    known: Known


Observe = Callable[[Rows, "SessionWatch"], tuple[list[int], Iterable[Cell]]]
"""The rows that are watched, and what is noted of the batch."""
Judge = Callable[[Trail, Known, "SessionWatch"], Judged]


@dataclass(frozen=True, slots=True)
class Subject:
    """What sets one detector of sessions apart from another."""

    name: str
    title: str
    category: Category
    noun: str
    """Flagged messages in words, e.g. `calls beyond a limit`."""
    claims: str
    parameters: tuple[Parameter, ...]
    observe: Observe
    judge: Judge
    blind_spots: tuple[str, ...]
    next_steps: tuple[str, ...]
    sources: tuple[str, ...]
    tags: tuple[str, ...]
    content: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """The content that it needs, by the name of its loader, and what it takes of it."""
    required: tuple[str, ...] = ("role", "session")
    columns: tuple[str, ...] = COLUMNS
    check: Callable[[Mapping[str, Any]], tuple[str, str] | None] = lambda _: None
    """What is wrong with the parameters together, as in `DetectorKind`."""
    remembers: bool = False
    """Whether it judges by what it saw before: then a fix is refuted by the very item, however it would be judged now."""


class Past(msgspec.Struct, frozen=True, array_like=True):
    """The sequence state: the process on the rate, and what is known by name."""

    rate: ContrastSequence
    known: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class SessionWatch(Bound):
    """A `model.detector.Detector` over `Trail` and `Past`."""

    subject: Subject
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def category(self) -> Category:
        """The category of its findings."""
        return self.subject.category

    @property
    def table(self) -> Table:
        """Interactions."""
        return "interactions"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `observe` needs."""
        return self.subject.columns

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result, the content included."""
        digests = {name: content.digest for name, content in self.content.items()}
        return {"kind": self.subject.name, "version": 1, **digests, **self.setting.parameters}

    def zero(self) -> Trail:
        """No messages."""
        return trail.zero(int(self.get("buckets")))

    def observe(self, state: Trail, batch: pa.RecordBatch) -> Trail:
        """The state after these messages."""
        rows = Rows(batch, self.setting.salt, len(state.totals))
        watched, cells = self.subject.observe(rows, self)
        return trail.merged(state, trail.observed(rows.totals(watched), cells))

    def merge(self, left: Trail, right: Trail) -> Trail:
        """Both sets of messages."""
        return trail.merged(left, right)

    def to_bytes(self, state: Trail) -> bytes:
        """Versioned bytes."""
        return trail.to_bytes(state)

    def from_bytes(self, data: bytes) -> Trail:
        """The inverse of `to_bytes`."""
        return trail.from_bytes(data)

    def begin(self) -> Past:
        """No window yet, and nothing known."""
        return Past(ContrastSequence({RATE: sequences.begun(len(BETS), 1.0)}))

    def sequence_to_bytes(self, sequence: Past) -> bytes:
        """Versioned bytes."""
        return msgspec.msgpack.encode((sequences.to_bytes(sequence.rate), sorted(sequence.known.items())))

    def sequence_from_bytes(self, data: bytes) -> Past:
        """The inverse of `sequence_to_bytes`. Raises BadInput for damaged bytes."""
        try:
            rate, known = msgspec.msgpack.decode(data, type=tuple[bytes, list[tuple[str, str]]])
        except msgspec.DecodeError as error:
            problem = f"these bytes are no sequence of sessions: {error}"
            raise BadInput.at(Place("sequence state"), problem, "evaluate the windows again") from None
        return Past(sequences.from_bytes(rate), dict(known))

    def evaluate(self, sequence: Past, state: Trail, window: Window) -> Evaluated[Past]:
        """Judge a closed window: what its sessions show, and one step of the process on the share of flagged messages."""
        judged = self.subject.judge(state, sequence.known, self)
        counts, limit = self._counts(state, judged.flags), float(self.get("tolerated_rate"))
        past = sequence.rate
        process = past.processes[RATE].after(rate_log_e(counts, limit, past.largest), self.guarantee)
        log_e, bar = process.log_e_value(self.guarantee), log(self.threshold())
        present = {RATE: (int(counts[0].sum()), int(counts[1].sum()))}
        largest = int(counts[0].max())
        seen = Seen(window.index, telling.micros(window.start), 1.0, present, largest, {RATE: process})
        after = sequences.advanced(past, seen)
        findings = [self._found(flags, window) for flags in _by_rule(judged.flags)]
        if process.alarming(log_e, bar) and telling.summed(after.recent(RATE))[1] >= FLAGGED_MIN:
            findings.append(self._alarm(after, judged.flags, window, log_e))
            process = process.restarted()
        after = after.with_processes({RATE: process.settled(log_e, bar)})
        statistics = self._statistics(after, present[RATE], judged, state, log_e)
        return Evaluated(Past(after, dict(judged.known)), tuple(findings), statistics)

    def clearance(self, finding: Finding, windows: Iterable[Trail], alpha: float) -> Clearance:
        """Whether the messages after a fix prove the share of flagged ones small, with none of the finding's own items among them."""
        own = set(finding.details.get("values", ()))
        states = list(windows)
        judged = [self.subject.judge(state, {}, self).flags for state in states]
        again = sum(flag.value in own for flags in judged for flag in flags if flag.rule == finding.details.get("rule"))
        if self.subject.remembers:
            again = sum(cell.count for state in states for cell in state.cells.values() if cell.value in own)
        counts = [self._counts(state, flags) for state, flags in zip(states, judged, strict=True)]
        rate = f"share of messages with {self.subject.noun}"
        return rate_cleared(counts, rate, float(self.get("cleared_below")), alpha, again)

    def _counts(self, state: Trail, flags: Sequence[Flag]) -> Counts:
        """int64[2, m]: watched and flagged messages per bucket; no more are flagged than were watched."""
        flagged = np.zeros_like(state.totals)
        for flag in flags:
            flagged[flag.cells[0].bucket] += 1
        return np.stack([state.totals, np.minimum(flagged, state.totals)])

    def _statistics(
        self, after: ContrastSequence, present: tuple[int, int], judged: Judged, state: Trail, log_e: float
    ) -> Mapping[str, Json]:
        rules = defaultdict[str, int](int)
        for flag in judged.flags:
            rules[flag.rule] += 1
        return {
            "messages": present[0],
            "flagged": present[1],
            "rules": dict(sorted(rules.items())),
            "totals": {RATE: list(after.totals[RATE])},
            "log10_e": {RATE: round(log_e / log(10), 4)},
            "log10_threshold": round(log(self.threshold()) / log(10), 4),
            "known": len(judged.known),
            "not_kept": state.overflow,
        }

    def _found(self, flags: Sequence[Flag], window: Window) -> Finding:
        """One finding for everything that a rule has to say about a window."""
        first = flags[0]
        more = f" and {len(flags) - 1:,} more of the kind" if len(flags) > 1 else ""
        when = f"between {window.start:%Y-%m-%d %H:%M} and {window.end:%H:%M} UTC"
        strength = Strength("score", first.confidence, first.confidence, "the confidence stated for the rule")
        values = sorted({flag.value for flag in flags})[:DIGESTS_KEPT]
        return self._told(
            flags,
            window,
            key=first.rule,
            level=first.level,
            title=first.title,
            strength=strength,
            count=len(flags),
            explanation=f"{first.sentence}{more}, {when}.",
            details={"rule": first.rule, "values": values},
        )

    def _alarm(self, after: ContrastSequence, flags: Sequence[Flag], window: Window, log_e: float) -> Finding:
        rows, flagged = telling.summed(after.recent(RATE))
        share = confidence.rate(rows, flagged, telling.DISPLAY_ALPHA)
        limit = float(self.get("tolerated_rate"))
        strength = telling.strength(log_e, log(self.threshold()), self.claim())
        title = f"{self.subject.noun.capitalize()}: {share.value:.2%} of messages, {limit:.2%} is tolerated"
        explained = f"{flagged:,} of {rows:,} recent messages are flagged, where {limit:.2%} is tolerated."
        low, value, high = (bound * 1e3 for bound in (share.low, share.value, share.high))
        name = f"share with {self.subject.noun}"
        effect = Effect(name, value, low, high, 1 - telling.DISPLAY_ALPHA, "per 1,000 messages")
        return self._told(
            flags,
            window,
            key=RATE,
            level=Level.ALARM,
            title=title,
            strength=strength,
            count=flagged,
            explanation=explained,
            effect=effect,
            details={"rule": RATE, "values": []},
        )

    def _told(self, flags: Sequence[Flag], window: Window, *, key: str, **about: Any) -> Finding:
        """The finding, with what all findings of the detector share."""
        shared: dict[str, Any] = {
            "blind_spots": self.subject.blind_spots,
            "next_steps": self.subject.next_steps,
            "masked": tuple(sorted({flag.shown for flag in flags if flag.shown})[:SHOWN]),
            "rows": trail.refs((cell for flag in flags for cell in flag.cells), ROWS_SHOWN),
            "tags": self.subject.tags,
            "category": self.category,
        }
        name = telling.finding_id(self.system, self.id, key, window.index)
        return Finding(id=name, system=self.system, detector=self.id, key=key, window=window, **shared, **about)


def _by_rule(flags: Iterable[Flag]) -> list[list[Flag]]:
    """The flags of each rule and level, in order of their names; the gravest of a rule speaks for the rule."""
    rules: defaultdict[str, list[Flag]] = defaultdict(list)
    for flag in flags:
        rules[flag.rule].append(flag)
    gravity = {Level.SEVERE: 0, Level.ALARM: 1, Level.SIGHTING: 2}
    return [sorted(rules[name], key=lambda flag: (gravity[flag.level], flag.cells[0].key)) for name in sorted(rules)]


def remembered(known: Known, new: Mapping[str, str]) -> Known:
    """What is known with what is new, never more than `KNOWN_MAX` names: what was known first stays."""
    both = dict(known)
    for name in sorted(new):
        if name in both or len(both) < KNOWN_MAX:
            both[name] = new[name]
    return both


def kind(subject: Subject) -> DetectorKind:
    """The declaration of the detector."""
    return DetectorKind(
        name=subject.name,
        title=subject.title,
        category=subject.category,
        table="interactions",
        parameters=(*subject.parameters, *TOLERATED),
        claims=subject.claims,
        blind_spots=subject.blind_spots,
        sources=subject.sources,
        build=lambda setting: _build(subject, setting),
        content=tuple(subject.content),
        required=subject.required,
        check=subject.check,
    )


def _build(subject: Subject, setting: Setting) -> SessionWatch:
    return SessionWatch(setting, subject, {name: take(setting.content[name]) for name, take in subject.content.items()})
