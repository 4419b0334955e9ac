"""A detector of clients that copy a model: they search its boundary, or ask all over the input space, as no client of the fleet does.

Both are judged per client and window by an exact tail bound against a composite null that grants every client a multiple of what is
normal, because clients have habits. Near the threshold: of n rows k are near, each with probability at most r. Coverage: n rows fill k of
the J regions, in expectation at most c sum_j 1 - (1 - p_j)^n = J r (rarefaction). Rows are independent, and whether regions are filled is
negatively associated, so either has probability at most exp(-n kl(k/n, r)), with J for n in the second (Chernoff, Hoeffding).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.detect.streams import clients, telling
from tocsin.detect.streams.bound import Bound
from tocsin.detect.streams.clearing import windows_cleared
from tocsin.detect.streams.clients import CELLS, REGIONS, Clients
from tocsin.detect.streams.contrast import Counts, Floats
from tocsin.model.detector import Evaluated
from tocsin.model.errors import BadInput, Place
from tocsin.model.event import Json
from tocsin.model.finding import Category, Clearance, Effect, Finding, Level, Since, Strength
from tocsin.model.telemetry import Table, Window

BLIND_SPOTS = (
    "Who asks fewer rows in a window than `questions_min`, or spreads them over many accounts, is not seen.",
    "Small changes to one input far from the threshold look like a client with few cases: neither sign shows.",
    "Where more than a third of all scores are near the threshold, a search of it does not stand out.",
    "A copier who was there in the first windows is learnt as normal; rows without a unit are nobody's.",
)
NEXT_STEPS = (
    "Ask whose account it is: a test of your own, a new integration, or somebody who copies the model?",
    "Limit the account's rate, and answer with decisions or rounded scores instead of exact ones.",
)
HARM = "Enough such answers make a copy of the model, or show how to get past it."


class Learned(msgspec.Struct, frozen=True, array_like=True):
    """The sequence state: windows of reference seen, cells' shares of regions added up (float64), scored rows by cell (int64[2, CELLS])."""

    version: int = 1
    windows: int = 0
    cells: int = 0
    shares: bytes = bytes(8 * REGIONS)
    scored: bytes = bytes(16 * CELLS)
    told: tuple[str, ...] = ()
    """What stood out in the window before, as `sign:cell`: it is not told again."""

    @property
    def table(self) -> clients.Table:
        """int64[2, CELLS]: rows with a score, and those near."""
        return np.frombuffer(self.scored, "<i8").astype(np.int64).reshape(2, CELLS)

    @property
    def regions(self) -> Floats:
        """float64[REGIONS]: shares of the regions, each client and window with the same weight; a region never seen has a little."""
        return (np.frombuffer(self.shares, "<f8") + 1 / REGIONS) / (self.cells + 1)

    def after(self, state: Clients) -> Learned:
        """With one window more of reference."""
        shares = _shares(state)
        total = np.frombuffer(self.shares, "<f8") + shares.sum(axis=0)
        cells = self.cells + int(np.count_nonzero(state.rows))
        scored = (self.table + state.scored).astype("<i8").tobytes()
        return Learned(1, self.windows + 1, cells, total.astype("<f8").tobytes(), scored)


class Odd(NamedTuple):
    """A client that stands out: how (`near` or `coverage`), what was seen and what is granted, and minus the log of its probability."""

    sign: str
    cell: int
    rows: int
    seen: float
    granted: float
    surprise: float

    def __str__(self) -> str:
        return f"{self.sign}:{self.cell}"


def surprise(trials: int, hits: int, granted: float) -> float:
    """Minus the log of the bound on so many hits, where the mean of their probabilities is at most `granted`; in nats."""
    share = hits / trials
    if share <= granted:
        return 0.0
    rest = (1 - share) * log((1 - share) / (1 - granted)) if share < 1 else 0.0
    return trials * (share * log(share / granted) + rest) if granted else float("inf")


def rarefied(regions: Floats, rows: int) -> float:
    """How many regions so many independent rows occupy in expectation."""
    return float(-np.expm1(rows * np.log1p(-np.minimum(regions, 1 - 1e-12))).sum())


@dataclass(frozen=True, slots=True)
class CopyWatch(Bound):
    """A `model.detector.Detector` over `Clients` and `Learned`."""

    @property
    def category(self) -> Category:
        """The category of its findings."""
        return Category.ADVERSARIAL_ATTACK

    @property
    def table(self) -> Table:
        """The table that it reads."""
        return "predictions"

    @property
    def columns(self) -> tuple[str, ...]:
        """Who asked, what came out, and what was asked."""
        return tuple(dict.fromkeys(("unit", "score", *self._features)))

    @property
    def specification(self) -> Mapping[str, Json]:
        """Everything that decides the result."""
        return {"kind": "extraction", "version": 1, **self.setting.parameters}

    def zero(self) -> Clients:
        """No rows."""
        return clients.zero()

    def observe(self, state: Clients, batch: pa.RecordBatch) -> Clients:
        """The state after these rows."""
        threshold, margin = float(self.get("threshold")), float(self.get("margin"))
        return clients.merged(state, clients.counted(batch, self._features, threshold, margin, self.setting.salt))

    def merge(self, left: Clients, right: Clients) -> Clients:
        """The state of both sets of rows."""
        return clients.merged(left, right)

    def to_bytes(self, state: Clients) -> bytes:
        """Versioned bytes."""
        return clients.to_bytes(state)

    def from_bytes(self, data: bytes) -> Clients:
        """The inverse of `to_bytes`."""
        return clients.from_bytes(data)

    def begin(self) -> Learned:
        """No window yet."""
        return Learned()

    def sequence_to_bytes(self, sequence: Learned) -> bytes:
        """Versioned bytes."""
        return msgspec.msgpack.encode(sequence)

    def sequence_from_bytes(self, data: bytes) -> Learned:
        """The inverse of `sequence_to_bytes`."""
        try:
            learned = msgspec.msgpack.decode(data, type=Learned)
            if learned.version != 1 or len(learned.shares) != 8 * REGIONS or len(learned.scored) != 16 * CELLS:
                raise ValueError(f"version {learned.version}, {len(learned.shares)} and {len(learned.scored)} bytes")
        except (msgspec.DecodeError, ValueError) as error:
            raise BadInput.at(
                Place("sequence state"), f"these bytes are no habits of clients: {error}", "run detect from the start"
            ) from None
        return learned

    def evaluate(self, sequence: Learned, state: Clients, window: Window) -> Evaluated[Learned]:
        """Judge a closed window: learn from the first ones, hold every busy client against the fleet in the others."""
        judged = np.flatnonzero(state.rows >= int(self.get("questions_min"))).tolist()
        told: dict[str, Json] = {"clients": int(np.count_nonzero(state.rows)), "judged": len(judged)}
        if sequence.windows < int(self.get("windows_of_reference")):
            after = sequence.after(state) if state.rows.any() else sequence
            return Evaluated(after, (), {**told, "surprise": None, "bar": None, **self._gathered(after)})
        bar = log(2 * max(len(judged), 1) * int(self.get("windows_per_false_alarm")))
        shares = _shares(state)
        total = shares.sum(axis=0)
        signs = [odd for cell in judged for odd in self._signs(sequence, state, cell, total - shares[cell])]
        odd = [one for one in signs if one.surprise >= bar]
        found = tuple(self._finding(state, one, bar, window) for one in odd if str(one) not in sequence.told)
        after = msgspec.structs.replace(sequence, told=tuple(str(one) for one in odd))
        top = max((one.surprise for one in signs), default=0.0)
        return Evaluated(
            after, found, {**told, "surprise": round(top, 4), "bar": round(bar, 4), **self._gathered(after)}
        )

    def clearance(self, finding: Finding, windows: Iterable[Clients], alpha: float) -> Clearance:
        """Whether the windows after a fix prove that those in which the client goes on have become rare; a window counts as a row."""
        sign, cell, seen = str(finding.details["sign"]), int(finding.details["cell"]), float(finding.details["granted"])
        flags = [self._goes_on(state, sign, cell, seen) for state in windows if state.rows.any()]
        return windows_cleared(flags, "share of windows in which the client goes on", alpha)

    @property
    def _features(self) -> tuple[str, ...]:
        return tuple(self.get("columns"))

    def _goes_on(self, state: Clients, sign: str, cell: int, granted: float) -> bool:
        rows, near = (int(count) for count in state.scored[:, cell])
        if sign == "near":
            return rows >= int(self.get("questions_min")) and near > granted * rows
        return int(np.count_nonzero(state.visits[cell])) > granted

    def _gathered(self, learned: Learned) -> dict[str, Json]:
        return {"reference": {"windows": learned.windows, "needed": int(self.get("windows_of_reference"))}}

    def _signs(self, learned: Learned, state: Clients, cell: int, rest: Floats) -> Iterator[Odd]:
        """How one cell stands against the reference and against the others of its window, whichever grants it more.

        `rest` (float64[REGIONS]) sums the shares of the regions over the other cells.
        """
        scored, near = (int(count) for count in state.scored[:, cell])
        if scored >= int(self.get("questions_min")):
            granted = self._near_granted(learned, state.scored.sum(axis=1) - state.scored[:, cell])
            yield Odd("near", cell, scored, near / scored, granted, surprise(scored, near, granted))
        if self._features:
            rows, occupied = int(state.rows[cell]), int(np.count_nonzero(state.visits[cell]))
            fleet = np.maximum(rest, 0) / max(int(np.count_nonzero(state.rows)) - 1, 1)
            expected = max(rarefied(learned.regions, rows), rarefied(fleet, rows))
            granted = float(self.get("coverage_ratio")) * expected
            yield Odd("coverage", cell, rows, float(occupied), granted, surprise(REGIONS, occupied, granted / REGIONS))

    def _near_granted(self, learned: Learned, others: Counts) -> float:
        """The share near the threshold that a client may have: a multiple of the fleet's, or the largest of a client of the reference."""
        known = learned.table
        least = int(self.get("questions_min"))
        busy = known[0] >= least
        habit = float((known[1][busy] / known[0][busy]).max(initial=0.0))
        pooled = [known.sum(axis=1)] + [others] * int(others[0] >= least)
        fleet = max((float(near) + 0.5) / (float(rows) + 1) for rows, near in pooled)
        return min(max(float(self.get("near_ratio")) * fleet, habit), 1.0)

    def _finding(self, state: Clients, odd: Odd, bar: float, window: Window) -> Finding:
        digest, mine, sampled = state.client(odd.cell)
        client = f"client-{digest:016x}"
        title, said, effect = _words(odd, client)
        shared = (
            "" if mine == sampled else f" Of {sampled} sampled rows {mine} are this client's: others share its cell."
        )
        windows = int(self.get("windows_per_false_alarm"))
        key = f"{odd.sign}:{client}"
        return Finding(
            title=title,
            key=key,
            id=telling.finding_id(self.system, self.id, key, window.index),
            detector=self.id,
            system=self.system,
            level=Level.ALARM,
            window=window,
            category=self.category,
            strength=Strength(
                "score",
                1 - exp(-odd.surprise),
                1 - exp(-bar),
                f"at most about one false alarm in {windows:,} windows while rows of a client are independent and the reference "
                "does not mislead; a statement about the traffic served",
            ),
            count=odd.rows,
            rows=state.refs(odd.cell),
            explanation=f"In the window from {window.start:%Y-%m-%d %H:%M} UTC {said} {HARM}{shared}",
            effect=effect,
            since=Since(window.index, window.start, window.start, window.start, "the window itself"),
            blind_spots=BLIND_SPOTS,
            next_steps=NEXT_STEPS,
            tags=("atlas.AML.T0024", "atlas.AML.T0024.002"),
            details={
                "sign": odd.sign,
                "cell": odd.cell,
                "client": client,
                "seen": odd.seen,
                "granted": odd.granted,
                "surprise": round(odd.surprise, 4),
                "bar": round(bar, 4),
            },
        )


def _words(odd: Odd, client: str) -> tuple[str, str, Effect]:
    """Title, sentence and effect of what a client did."""
    if odd.sign == "near":
        percent = odd.seen * 100
        return (
            f"A client searches the threshold: {odd.seen:.0%} of its {odd.rows:,} rows are near it",
            f"{odd.seen:.1%} of the {odd.rows:,} scored rows of {client} are near the threshold, where {odd.granted:.1%} are granted.",
            Effect("share near the threshold", percent, percent, percent, 1.0, "percent"),
        )
    return (
        f"A client asks all over the input space: {odd.seen:.0f} of {REGIONS} regions in {odd.rows:,} rows",
        f"the {odd.rows:,} rows of {client} lie in {odd.seen:.0f} of {REGIONS} regions, where {odd.granted:.1f} are granted.",
        Effect("regions visited", odd.seen, odd.seen, odd.seen, 1.0, "regions"),
    )


def _shares(state: Clients) -> Floats:
    """float64[CELLS, REGIONS]: how each cell's rows are spread over the regions; zeros where there are none."""
    return np.asarray(state.visits / np.maximum(state.rows, 1)[:, None])
