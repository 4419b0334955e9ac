"""Detectors that watch text: what patterns find in messages of certain roles, as sightings, severe hits and a change of rate.

One odd message is a sighting: counted, shown, never an incident by itself. A severe hit (a card number that the assistant says and
the user did not type) opens an incident at once. The share of flagged messages is watched by a change-time process, so that an
attack in a thousand small pieces is found, and found once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from tocsin.detect.streams import confidence, telling
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams.bound import GUARANTEE, Bound
from tocsin.detect.streams.buckets import buckets
from tocsin.detect.streams.clearing import rate_cleared
from tocsin.detect.streams.contrast import BETS, rate_log_e
from tocsin.detect.streams.counts import design, folded
from tocsin.detect.streams.sequence import ContrastSequence, Seen
from tocsin.detect.streams.since import rate_since
from tocsin.detect.text import tally
from tocsin.detect.text.hidden import Everything, Sight, attacks, everything
from tocsin.detect.text.injection import Model, score
from tocsin.detect.text.masks import masked
from tocsin.detect.text.patterns import Pattern, Patterns
from tocsin.detect.text.tally import Entry, Marked, Tally
from tocsin.model.detector import Evaluated, Parameter, Setting
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Effect, Finding, Level, Strength
from tocsin.model.telemetry import ROW, SEGMENT, Table, Window

SERIES = RATE = "rate"

ROWS_SHOWN = 20
TOP = 5
DIGESTS_KEPT = 50
FLAGGED_MIN = 3
"""One odd message is a sighting even where messages are so rare that its share alone is evidence; fewer alarms keep every guarantee."""

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "tolerated_rate",
        float,
        0.002,
        "the share of messages that may be flagged without meaning anything",
        low=1e-6,
        high=0.5,
    ),
    Parameter(
        "cleared_below",
        float,
        0.005,
        "after a fix, the share of flagged messages must be proven smaller than this",
        low=1e-5,
        high=0.5,
    ),
    Parameter(
        "confidence_min",
        float,
        0.5,
        "matches that are less sure are passed over: addresses at example domains and in private networks have 0.3",
        low=0.0,
        high=1.0,
    ),
    Parameter("exclude", list, [], "ids of patterns that are not looked for"),
    Parameter("buckets", int, 1024, "buckets that sessions are hashed to", low=16, high=4096),
    *GUARANTEE,
)

MODELLED = Pattern(
    id="model",
    title="Wording that the injection model takes for an attack",
    kind="injection",
    expression="",
    validator="none",
    precedence="generic",
    roles=("user", "retrieved", "tool"),
    confidence=0.8,
    severe_in=(),
    mask="text of {length} characters that the model takes for an attack",
    tags=("owasp.llm.LLM01", "atlas.AML.T0051"),
)
"""Stands for the model where rules stand for themselves. It tells only messages in which no rule found anything."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What sets one text detector apart from another."""

    name: str
    category: Category
    roles: tuple[str, ...]
    """The roles whose messages are watched."""
    compares_typed: bool
    """Whether what the user typed in the same session does not count."""
    tool_part: Literal["text", "tool_arguments"]
    """What of a tool's message is scanned: what comes in (its text) or what goes out (its arguments)."""
    noun: str
    blind_spots: tuple[str, ...]
    next_steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextWatch(Bound):
    """A `model.detector.Detector` over `Tally` and `ContrastSequence`."""

    subject: Subject
    patterns: Patterns
    model: Model | None = None
    """Judges messages in which no pattern was found; `model_from` says from which probability on they are told."""

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
        return ("role", "text", "tool_arguments", "session", "unit")

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result, the patterns included."""
        model = {"model": self.model.digest} if self.model else {}
        given = {"kind": self.subject.name, "version": 3, "patterns": self.patterns.digest}
        return given | model | dict(self.setting.parameters)

    def zero(self) -> Tally:
        """No messages."""
        return tally.zero(int(self.get("buckets")))

    def observe(self, state: Tally, batch: pa.RecordBatch) -> Tally:
        """The state after these messages."""
        messages = _Messages(batch, self.setting.salt)
        watched = messages.of(self.subject.roles)
        needed = watched | messages.of(("user",)) if self.subject.compares_typed else watched
        places = np.flatnonzero(needed)
        if not len(places):
            return state
        every = everything(messages.texts(places, self.subject.tool_part), self.patterns)
        modelled = self._modelled(every, [messages.roles[place] for place in places.tolist()])
        known = self._known()
        found: dict[str, Entry] = {}
        typed, counted, marks = set(), set(), defaultdict[int, set[str]](set)
        for sight in (*every.sights(), *modelled):
            row, pattern, said = int(places[sight.row]), known[sight.pattern], sight.value.decode("utf-8", "replace")
            if sight.score < float(self.get("confidence_min")):
                continue
            value = tally.digest(self.setting.salt, tally.normal(said))
            mark = tally.digest(self.setting.salt, messages.session(row), value)
            role = messages.roles[row]
            if self.subject.compares_typed and role == "user":
                typed.add(mark)
            elif watched[row] and role in pattern.roles:
                marks[row].add(mark)
                key = tally.digest(self.setting.salt, mark, pattern.id, role)
                shown = masked(pattern.mask, said) + (f" in {sight.via}" if sight.via else "")
                entry = Entry(pattern.id, role, value, mark, shown, 1, (messages.place(row),))
                if (row, key) not in counted:  # a message that repeats itself is one message
                    counted.add((row, key))
                    found[key] = tally.joined(found[key], entry) if key in found else entry
        owner = buckets(messages.owners, state.counts.shape[1], self.setting.salt)
        rows = (np.flatnonzero(watched), np.fromiter(marks, np.int64, len(marks)))
        counts = np.stack([np.bincount(owner[chosen], minlength=state.counts.shape[1]) for chosen in rows])
        held = ((int(owner[row]), tuple(sorted(own))) for row, own in marks.items() if self.subject.compares_typed)
        marked = {
            tally.digest(self.setting.salt, *own): Marked(bucket, own, count)
            for (bucket, own), count in Counter(held).items()
        }
        seen = Tally(counts.astype(np.int64), found, frozenset(typed), marked, 0, len(every.truncated))
        return tally.merged(state, tally.bounded(seen))

    def _modelled(self, every: Everything, roles: list[str]) -> Iterator[Sight]:
        """The messages that the model takes for attacks, as they are or decoded, without those in which a pattern was found."""
        if self.model is None or MODELLED.id in self.get("exclude"):
            return
        model, least, number = self.model, float(self.get("model_from")), len(self.patterns.items)
        told = {sight.row for sight in every.sights()}
        for row in np.flatnonzero(score(every.column, roles, model) >= least).tolist():
            if row not in told:
                told.add(row)
                yield Sight(row, number, 1.0, "", every.column[row].as_py())
        judge = lambda texts, roles: score(pa.array(texts, pa.large_binary()), roles, model)  # noqa: E731
        for one in attacks(every, roles, judge, least, number):
            if one.row not in told:
                yield Sight(one.row, number, 1.0, one.via, one.value)

    def merge(self, left: Tally, right: Tally) -> Tally:
        """Both sets of messages."""
        return tally.merged(left, right)

    def to_bytes(self, state: Tally) -> bytes:
        """Versioned bytes."""
        return tally.to_bytes(state)

    def from_bytes(self, data: bytes) -> Tally:
        """The inverse of `to_bytes`."""
        return tally.from_bytes(data)

    def begin(self) -> ContrastSequence:
        """No window yet."""
        return ContrastSequence({RATE: sequences.begun(len(BETS), 1.0)})

    def sequence_to_bytes(self, sequence: ContrastSequence) -> bytes:
        """Versioned bytes."""
        return sequences.to_bytes(sequence)

    def sequence_from_bytes(self, data: bytes) -> ContrastSequence:
        """The inverse of `sequence_to_bytes`."""
        return sequences.from_bytes(data)

    def evaluate(self, sequence: ContrastSequence, state: Tally, window: Window) -> Evaluated[ContrastSequence]:
        """Judge a closed window: sightings and severe hits of the window, and one step of the process on the rate."""
        limit, counts = float(self.get("tolerated_rate")), tally.judged(state)
        process = sequence.processes[RATE].after(rate_log_e(counts, limit, sequence.largest), self.guarantee)
        present = {SERIES: folded(counts)}
        largest = int(counts[0].max())
        seen = Seen(
            window.index,
            telling.micros(window.start),
            max(1.0, design(counts)),
            present,
            largest,
            {RATE: process},
        )
        after = sequences.advanced(sequence, seen)
        log_e = process.log_e_value(self.guarantee)
        findings = [self._found(state, window, name, role) for name, role in sorted(self._kinds(state))]
        enough = telling.summed(after.recent(SERIES))[1] >= FLAGGED_MIN
        if enough and process.alarming(log_e, self._log_threshold()):
            findings.append(self._alarm(after, state, window, log_e))
            process = process.restarted()
        after = after.with_processes({RATE: process.settled(log_e, self._log_threshold())})
        statistics = {
            "messages": present[SERIES][0],
            "flagged": present[SERIES][1],
            "totals": {SERIES: list(after.totals[SERIES])},
            "log10_e": {RATE: round(log_e / log(10), 4)},
            "log10_threshold": round(self._log_threshold() / log(10), 4),
            "patterns": dict(sorted(Counter(entry.pattern for entry in self._counting(state)).items())),
            "truncated": state.truncated,
        }
        return Evaluated(after, tuple(findings), statistics)

    def clearance(self, finding: Finding, windows: Iterable[Tally], alpha: float) -> Clearance:
        """Whether the messages after a fix prove the rate below `cleared_below`, with none of the finding's own items among them."""
        states = list(windows)
        own = set(finding.details.get("digests", ()))
        again = sum(entry.count for state in states for entry in self._counting(state) if entry.value in own)
        rate = f"share of messages with {self.subject.noun}"
        return rate_cleared(
            [tally.judged(state) for state in states], rate, float(self.get("cleared_below")), alpha, again
        )

    def _log_threshold(self) -> float:
        return log(self.threshold())

    def _counting(self, state: Tally) -> Iterator[Entry]:
        """The entries that count: all, or those that the user did not type in the same session."""
        return (
            entry
            for entry in state.entries.values()
            if not self.subject.compares_typed or entry.mark not in state.typed
        )

    def _kinds(self, state: Tally) -> set[tuple[str, str]]:
        return {(entry.pattern, entry.role) for entry in self._counting(state)}

    def _pattern(self, name: str) -> Pattern:
        return next(pattern for pattern in self._known() if pattern.id == name)

    def _known(self) -> tuple[Pattern, ...]:
        """The patterns by the places that hits name; the model comes last."""
        return (*self.patterns.items, MODELLED)

    def _found(self, state: Tally, window: Window, name: str, role: str) -> Finding:
        """What one pattern found in messages of one role: one finding, however many messages."""
        pattern = self._pattern(name)
        entries = [entry for entry in self._counting(state) if (entry.pattern, entry.role) == (name, role)]
        count, values = sum(entry.count for entry in entries), {entry.value for entry in entries}
        severe = role in pattern.severe_in
        key = f"{name}:{role}"
        return Finding(
            id=telling.finding_id(self.system, self.id, key, window.index),
            system=self.system,
            detector=self.id,
            category=self.category,
            key=key,
            level=Level.SEVERE if severe else Level.SIGHTING,
            title=f"{pattern.title} in messages of role {role}",
            window=window,
            strength=Strength(
                "score", pattern.confidence, pattern.confidence, "the rule's precision as measured on labelled text"
            ),
            count=count,
            rows=tally.refs(entries, ROWS_SHOWN),
            explanation=self._words(pattern, role, count, len(values), window),
            masked=_shown(entries),
            blind_spots=self.subject.blind_spots,
            next_steps=self.subject.next_steps,
            tags=pattern.tags,
            details={"pattern": name, "role": role, "values": len(values), "digests": sorted(values)[:DIGESTS_KEPT]},
        )

    def _words(self, pattern: Pattern, role: str, count: int, values: int, window: Window) -> str:
        typed = " that the user had not typed in the same session" if self.subject.compares_typed else ""
        when = f"between {window.start:%Y-%m-%d %H:%M} and {window.end:%H:%M} UTC"
        times = "once" if count == 1 else f"{count:,} times ({values:,} different)"
        return f"{pattern.title}{typed} stood {times} in messages of role {role} {when}."

    def _alarm(self, after: ContrastSequence, state: Tally, window: Window, log_e: float) -> Finding:
        """The share of flagged messages rose: one finding with everything that was found, ranked."""
        limit, effect_design = (
            float(self.get("tolerated_rate")),
            float(np.median([past.design for past in after.history])),
        )
        since = telling.since(after, rate_since(after.recent(SERIES), limit, effect_design), window)
        first = next(place for place, past in enumerate(after.history) if past.index >= since.window)
        rows, flagged = telling.summed(after.recent(SERIES)[first:])
        share = confidence.rate(rows, flagged, telling.DISPLAY_ALPHA, effect_design)
        entries = list(self._counting(state))
        ranked = _ranked((entry.pattern, entry.count) for entry in entries)
        top = "; ".join(f"{self._pattern(name).title} ({count})" for name, count in ranked[:TOP])
        return Finding(
            id=telling.finding_id(self.system, self.id, RATE, window.index),
            system=self.system,
            detector=self.id,
            category=self.category,
            key=RATE,
            level=Level.ALARM,
            title=f"{self.subject.noun.capitalize()}: {share.value:.2%} of messages, {limit:.2%} is tolerated",
            window=window,
            strength=telling.strength(log_e, self._log_threshold(), self.claim()),
            count=flagged,
            rows=tally.refs(entries, ROWS_SHOWN),
            explanation=(
                f"{flagged:,} of {rows:,} messages since about {since.start:%Y-%m-%d %H:%M} UTC are flagged, {share.value:.2%} where "
                f"{limit:.2%} is tolerated. In the last window: {top or 'nothing that was kept'}."
            ),
            effect=self._share(share),
            since=since,
            masked=_shown(entries),
            blind_spots=self.subject.blind_spots,
            next_steps=self.subject.next_steps,
            tags=tuple(sorted({tag for name, _ in ranked for tag in self._pattern(name).tags})),
            details={"ranked": ranked, "digests": [], "tolerated_rate": limit},
        )

    def _share(self, share: confidence.Interval) -> Effect:
        low, value, high = (bound * 1e3 for bound in (share.low, share.value, share.high))
        return Effect(
            f"share with {self.subject.noun}", value, low, high, 1 - telling.DISPLAY_ALPHA, "per 1,000 messages"
        )


class _Messages:
    """A batch as messages: who said what, in which session, and where each row stands."""

    def __init__(self, batch: pa.RecordBatch, salt: bytes) -> None:
        self._batch, self._salt = batch, salt
        self.roles: list[str] = ["" if role is None else role for role in batch.column("role").to_pylist()]
        sessions, units = (_texts(batch.column(name)) for name in ("session", "unit"))
        self.owners = pa.array([s if s is not None else u for s, u in zip(sessions, units, strict=True)], pa.string())
        self._sessions = self.owners.to_pylist()

    def of(self, roles: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which messages are of these roles."""
        return np.fromiter((role in roles for role in self.roles), bool, len(self.roles))

    def texts(self, places: np.ndarray[tuple[int], np.dtype[np.int64]], tool_part: str) -> pa.Array:
        """What is scanned of these messages."""
        chosen = self._batch.take(pa.array(places))
        said, other = _texts(chosen.column("text")), _texts(chosen.column(tool_part))
        of_tool = [self.roles[int(place)] == "tool" for place in places]
        return pa.array([o if tool else s for s, o, tool in zip(said, other, of_tool, strict=True)], pa.string())

    def session(self, row: int) -> str:
        """The session of a message, or the unit, or its place when it has neither."""
        return self._sessions[row] or "/".join(map(str, self.place(row)))

    def place(self, row: int) -> tuple[str, int]:
        """Segment and row number."""
        return self._batch.column(SEGMENT)[row].as_py(), self._batch.column(ROW)[row].as_py()


def _ranked(counted: Iterable[tuple[str, int]]) -> list[list[Any]]:
    """[name, count] of each name, the most frequent first; equal ones by name, so that no order of merging shows."""
    totals = Counter[str]()
    for name, count in counted:
        totals[name] += count
    return [[name, count] for name, count in sorted(totals.items(), key=lambda item: (-item[1], item[0]))]


def _shown(entries: list[Entry]) -> tuple[str, ...]:
    """The masked forms that were seen most, each once."""
    return tuple(shown for shown, _ in _ranked((entry.shown, entry.count) for entry in entries)[:TOP])


def _texts(array: pa.Array) -> list[str | None]:
    return array.cast(pa.string()).to_pylist()  # type: ignore[no-any-return]


def build(subject: Subject, kinds: tuple[Any, ...], setting: Setting) -> TextWatch:
    """The detector for a setting, with the shipped patterns of these kinds that can occur in its roles."""
    every: Patterns = setting.content["patterns"].of(*kinds)
    chosen = _chosen(every, frozenset(setting.parameters["exclude"]), subject.roles)
    return TextWatch(setting, subject, chosen, setting.content.get("injection"))


@lru_cache(maxsize=32)
def _chosen(every: Patterns, excluded: frozenset[str], roles: tuple[str, ...]) -> Patterns:
    """Chosen once: a detector is built often, and making patterns ready is dear."""
    return Patterns(tuple(p for p in every.items if p.id not in excluded and set(p.roles) & set(roles)))
