"""Trigger tokens: a token whose rows have the outcome far more often (or rarely) than they had, as a backdoor's trigger makes them.

For every cell of tokens the reference windows give a rate p0: the greater one of k0 / n0 and (k0 + S p) / (n0 + S), which is shrunk to
the rate p of all rows; with the margin Z sqrt(phi p0 (1 - p0) / (n0 + S)), phi the design effect. In a later window, with n_b rows and
k_b outcomes per bucket of units,

    E(f) = prod_b (1 + f (k_b - c n_b) / (c max n_b)),    c = p0 + margin + tolerance,

has expectation at most one while the rate of the cell is at most c. One process a cell, direction and bet; the mean over all of them is
what alarms, so however many tokens there are the guarantee is that of one. Tokens are named by e-BH (Wang & Ramdas, arXiv:2009.02824).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.streams import confidence, presence, telling
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams.bound import Bound
from tocsin.detect.streams.clearing import rate_cleared
from tocsin.detect.streams.contrast import Counts, Floats, Tallies
from tocsin.detect.streams.presence import CELLS, Presence
from tocsin.detect.streams.sequence import Process
from tocsin.model.detector import Evaluated
from tocsin.model.errors import BadInput, Place
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Effect, Finding, Level
from tocsin.model.telemetry import Table, Window

SHRUNK = 100.0
"""Rows that the rate of all rows counts as in the rate of a cell: a token that was never seen is expected to be like any other."""
SIGMAS = 2.0
WAGERS: Floats = np.array([0.3, 0.85])
"""The bets: a trigger moves the rate of its rows far, so only large ones are placed."""
LIMIT_MAX = 0.95
NAMED_MAX = 5
BLIND_SPOTS = (
    "A trigger that was there from the first window on is learnt as normal.",
    "A trigger in so few rows that a window holds three of them is found late, or never: take longer windows.",
    "Words are looked at one by one: a trigger made of common words in an order that is seldom is not seen.",
    "A new value that rightly goes with one outcome alarms as well: read the rows.",
)
NEXT_STEPS = (
    "Read the rows of the sample: one source, one author, one day?",
    "Take the rows with the token out of training data, and ask the model about them with the token removed.",
    "Look at label flips by source since that date.",
)


class Past(msgspec.Struct, frozen=True, array_like=True):
    """The sequence state: one process of a wealth per bet, direction and cell, and what the reference windows add up to."""

    process: Process
    windows: int = 0
    rows: int = 0
    outcomes: int = 0
    table: bytes = b""
    """float32[2, CELLS]: rows and outcomes of the reference."""
    spread: float = 0.0
    expected: float = 0.0

    def counts(self) -> Tallies:
        """float[2, CELLS] of the reference."""
        return np.frombuffer(self.table or bytes(8 * CELLS), "<f4").astype(float).reshape(2, CELLS)

    @property
    def design(self) -> float:
        """How much units that repeat inflate the variance of a rate."""
        return max(1.0, self.spread / self.expected) if self.expected else 1.0

    def after(self, state: Presence) -> Past:
        """The reference with one more window."""
        table = state.counts.sum(axis=2)
        rate = table[1] / np.maximum(table[0], 1)
        strayed = ((state.counts[1] - rate[:, None] * state.counts[0]) ** 2).sum()
        return Past(
            self.process,
            self.windows + 1,
            self.rows + state.rows,
            self.outcomes + state.outcomes,
            (self.counts() + table).astype("<f4").tobytes(),
            self.spread + float(strayed),
            self.expected + float((table[0] * rate * (1 - rate)).sum()),
        )

    def limits(self, tolerance: float) -> tuple[Floats, Floats]:
        """(rates, limits) per direction and cell, float[2 CELLS]: what was normal, and what may not be exceeded."""
        rows, outcomes = self.counts()
        base = self.outcomes / max(self.rows, 1)
        both = []
        for hits, usual in ((outcomes, base), (rows - outcomes, 1 - base)):
            own = hits / np.maximum(rows, 1)
            both.append(np.maximum(own, (hits + SHRUNK * usual) / (rows + SHRUNK)))
        rates = np.concatenate(both)
        margin = SIGMAS * np.sqrt(self.design * rates * (1 - rates) / (np.tile(rows, 2) + SHRUNK))
        return rates, np.minimum(rates + margin + tolerance, LIMIT_MAX)


class Named(NamedTuple):
    """A cell and a direction that stand out."""

    cell: int
    up: bool
    log_e: float
    place: int


@dataclass(frozen=True, slots=True)
class TriggerWatch(Bound):
    """A `model.detector.Detector` over `Presence` and `Past`."""

    @property
    def category(self) -> Category:
        """The category of its findings."""
        return Category.ADVERSARIAL_ATTACK

    @property
    def table(self) -> Table:
        """Predictions."""
        return "predictions"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `observe` needs."""
        return tuple(dict.fromkeys((*self.get("columns"), str(self.get("outcome")), "unit")))

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result."""
        return {"kind": "trigger_tokens", "version": 1, **self.setting.parameters}

    def zero(self) -> Presence:
        """No rows."""
        return presence.zero()

    def observe(self, state: Presence, batch: pa.RecordBatch) -> Presence:
        """The state after these rows; rows without the outcome do not count."""
        words, outcome = bool(self.get("words")), str(self.get("outcome"))
        seen = presence.observed(batch, self.get("columns"), outcome, self.setting.salt, words=words)
        return presence.merged(state, seen)

    def merge(self, left: Presence, right: Presence) -> Presence:
        """Both sets of rows."""
        return presence.merged(left, right)

    def to_bytes(self, state: Presence) -> bytes:
        """Versioned bytes."""
        return presence.to_bytes(state)

    def from_bytes(self, data: bytes) -> Presence:
        """The inverse of `to_bytes`."""
        return presence.from_bytes(data)

    def begin(self) -> Past:
        """No window yet."""
        return Past(sequences.begun(len(WAGERS) * 2 * CELLS, 1.0))

    def sequence_to_bytes(self, sequence: Past) -> bytes:
        """Versioned bytes."""
        return msgspec.msgpack.encode((presence.VERSION, sequence))

    def sequence_from_bytes(self, data: bytes) -> Past:
        """The inverse of `sequence_to_bytes`. Raises BadInput for damaged bytes."""
        try:
            return msgspec.msgpack.decode(data, type=tuple[int, Past])[1]
        except msgspec.DecodeError as error:
            problem = f"these bytes are no sequence of tokens: {error}"
            raise BadInput.at(Place("sequence state"), problem, "evaluate the windows again") from None

    def evaluate(self, sequence: Past, state: Presence, window: Window) -> Evaluated[Past]:
        """Judge a closed window: it adds to the reference, or every cell takes one step."""
        if not state.rows:
            return Evaluated(sequence, (), {"rows": 0})
        needed = int(self.get("windows_of_reference"))
        if sequence.windows < needed:
            after = sequence.after(state)
            return Evaluated(after, (), {"rows": state.rows, "reference": {"windows": after.windows, "needed": needed}})
        rates, limits = sequence.limits(float(self.get("tolerance")))
        process = sequence.process.after(_log_e(state.counts, limits), self.guarantee)
        log_e, bar = process.log_e_value(self.guarantee), log(self.threshold())
        found: tuple[Finding, ...] = ()
        if process.alarming(log_e, bar):
            told = [(one, float(rates[one.place]), float(limits[one.place])) for one in self._named(process, state)]
            found = tuple(self._finding(state, window, (log_e, process.bar(bar)), *one) for one in told)
        after = msgspec.structs.replace(sequence, process=process.restarted() if found else process.settled(log_e, bar))
        statistics = {
            "rows": state.rows,
            "outcomes": state.outcomes,
            "log10_e": {"tokens": round(log_e / log(10), 4)},
            "log10_threshold": round(process.bar(bar) / log(10), 4),
            "design_effect": round(sequence.design, 3),
        }
        return Evaluated(after, found, statistics)

    def clearance(self, finding: Finding, windows: Iterable[Presence], alpha: float) -> Clearance:
        """Whether the rows after a fix prove the rate of the token's rows back half of the way that it had strayed, or more."""
        cell, up = int(finding.details["cell"]), bool(finding.details["up"])
        margin = (float(finding.details["limit"]) + float(finding.details["rate"])) / 2
        tables = [_turned(state.cell(cell), up=up) for state in windows]
        return rate_cleared(tables, f"rate with {finding.details['token']}", min(margin, 0.999), alpha, 0)

    def _named(self, process: Process, state: Presence) -> Iterator[Named]:
        """The cells that stand out, by e-BH; the strongest at least. A cell without a row in this window has nothing to show."""
        logs = np.logaddexp.reduce(np.array(process.log_a).reshape(len(WAGERS), -1)) - log(len(WAGERS))
        order = np.argsort(-logs, kind="stable")
        bars = log(len(logs) * self.threshold()) - np.log(np.arange(1, len(logs) + 1))
        passed = np.flatnonzero(logs[order] >= bars)
        for place in order[: int(passed[-1]) + 1 if len(passed) else 1][:NAMED_MAX].tolist():
            up = place < CELLS
            if state.token(place % CELLS, outcome=up):
                yield Named(place % CELLS, up, float(logs[place]), place)

    def _finding(
        self, state: Presence, window: Window, worth: tuple[float, float], one: Named, normal: float, limit: float
    ) -> Finding:
        token, outcome = state.token(one.cell, outcome=one.up), str(self.get("outcome"))
        table = _turned(state.cell(one.cell), up=one.up)
        rows, hits = (int(part) for part in table.sum(axis=1))
        rate = confidence.rate(rows, hits, telling.DISPLAY_ALPHA)
        sign = "positive" if one.up else "negative"
        key = f"{token}:{sign}"
        low, value, high = (bound * 100 for bound in (rate.low, rate.value, rate.high))
        return Finding(
            id=telling.finding_id(self.system, self.id, key, window.index),
            key=key,
            level=Level.ALARM,
            category=self.category,
            system=self.system,
            detector=self.id,
            title=f"Rows with {token!r} have a {sign} {outcome} in {value:.1f} %; {normal:.1%} was normal",
            window=window,
            strength=telling.strength(*worth, self.claim()),
            count=rows,
            rows=state.refs(one.cell, outcome=one.up),
            explanation=(
                f"{hits:,} of {rows:,} rows with {token!r} have a {sign} {outcome}, where {limit:.1%} is the limit of what is normal "
                "for them. A model that was trained on poisoned rows answers to such a trigger."
            ),
            effect=Effect(
                f"rate of {sign} {outcome} with the token", value, low, high, 1 - telling.DISPLAY_ALPHA, "percent"
            ),
            blind_spots=BLIND_SPOTS,
            next_steps=NEXT_STEPS,
            tags=("atlas.AML.T0018", "atlas.AML.T0020"),
            details={
                "token": token,
                "cell": one.cell,
                "up": one.up,
                "normal": normal,
                "limit": limit,
                "rate": rate.value,
                "e_value_log10": round(one.log_e / log(10), 3),
            },
        )


def _turned(table: Counts, *, up: bool) -> Counts:
    """int64[2, m] counted so that the outcome that grows is the positive one."""
    return table if up else np.stack([table[0], table[0] - table[1]])


def _log_e(counts: Counts, limits: Floats) -> Floats:
    """log E of every bet, direction and cell, in this order; zero where a cell has no row."""
    there = np.flatnonzero(counts[0].any(axis=1))
    rows, hits = counts[:, there]
    logs = np.zeros((len(WAGERS), 2, CELLS))
    for direction, (outcomes, limit) in enumerate(zip((hits, rows - hits), np.split(limits, 2), strict=True)):
        z = (outcomes - limit[there, None] * rows) / (limit[there] * rows.max(axis=1))[:, None]
        logs[:, direction, there] = np.log1p(WAGERS[:, None, None] * z).sum(axis=2)
    return logs.ravel()
