"""Verification: read every stored event, recompute everything, and name each event that is not what it was.

Nothing stored is trusted: leaf hashes and the chain are computed again from the bytes. A chain can be rewritten as a whole by
whoever owns the file; only a checkpoint from outside shows that, which is why checkpoints are part of the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from tocsin.ledger.checkpoint import Checkpoint
from tocsin.ledger.encoding import decode
from tocsin.ledger.tree import EMPTY_ROOT, Frontier
from tocsin.model.errors import Refused
from tocsin.model.progress import Progress, silent

GENESIS = bytes(32)
PROBLEMS_MAX = 1_000


class Row(NamedTuple):
    """An event as stored."""

    sequence: int
    stream: str
    version: int
    kind: str
    data: bytes
    leaf: bytes
    chain: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with which event; sequence 0 speaks of the ledger as a whole."""

    sequence: int
    stream: str
    kind: str
    what: str

    def __str__(self) -> str:
        where = f"event {self.sequence} ({self.kind or '?'} of {self.stream or '?'})" if self.sequence else "the ledger"
        return f"{where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verification:
    """The tree head that was computed and everything that was wrong; `faults` holds at most `PROBLEMS_MAX`."""

    size: int
    root: bytes
    faults: tuple[Fault, ...]
    checkpoints: int

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return not self.faults


def chain_hash(previous: bytes, leaf: bytes) -> bytes:
    """The chain's link: SHA-256(previous link || leaf hash); the first link's predecessor is 32 zero bytes."""
    return sha256(previous + leaf).digest()


def verify(rows: Iterable[Row], checkpoints: Sequence[Checkpoint] = (), progress: Progress = silent) -> Verification:
    """Recompute the ledger from its rows, in order, and compare it with itself and with each checkpoint."""
    faults: list[Fault] = []
    frontier = Frontier()
    due = by_size(checkpoints)
    versions: dict[str, int] = {}
    chain, expected = GENESIS, 1
    add, limit = frontier.add, PROBLEMS_MAX
    if any(head.root != EMPTY_ROOT for head in due.get(0, ())):
        faults.append(Fault(0, "", "", "the checkpoint of the empty ledger has another root"))
    for row in rows:
        leaf = sha256(b"\x00" + row.data).digest()
        link = sha256(chain + leaf).digest()
        version = versions.get(row.stream, 0) + 1
        versions[row.stream] = version
        if leaf != row.leaf or link != row.chain or row.sequence != expected or row.version != version:
            if len(faults) < limit:
                faults += _faults(row, leaf, chain, expected, version)
            versions[row.stream] = row.version
            link = row.chain
        elif not _names_itself(row) and len(faults) < limit:
            faults.append(
                Fault(row.sequence, row.stream, row.kind, "its bytes name another stream, version or kind than its row")
            )
        add(leaf)
        chain, expected = link, row.sequence + 1
        if row.sequence & 0xFFFF == 0:
            progress("verifying", row.sequence)
        if frontier.size in due:
            faults += [_differs(head) for head in due[frontier.size] if head.root != frontier.root()]
    faults += [_truncated(size, frontier.size) for size in sorted(due) if size > frontier.size]
    return Verification(frontier.size, frontier.root(), tuple(faults[:limit]), len(checkpoints))


def by_size(checkpoints: Iterable[Checkpoint]) -> dict[int, list[Checkpoint]]:
    """The checkpoints by the number of events that they cover: two of one size may differ, and then one of them is false."""
    found: dict[int, list[Checkpoint]] = {}
    for head in checkpoints:
        found.setdefault(head.size, []).append(head)
    return found


def _faults(row: Row, leaf: bytes, chain: bytes, expected: int, version: int) -> list[Fault]:
    """What is wrong with a row that does not fit, in the words of what somebody must have done."""
    found = []
    if row.sequence > expected:
        gap = f"event {expected} is" if row.sequence == expected + 1 else f"events {expected} to {row.sequence - 1} are"
        found.append(Fault(row.sequence, row.stream, row.kind, f"{gap} missing before it: removed"))
    elif row.sequence < expected:
        found.append(
            Fault(row.sequence, row.stream, row.kind, f"stands where event {expected} belongs: reordered or inserted")
        )
    if leaf != row.leaf:
        found.append(Fault(row.sequence, row.stream, row.kind, "its bytes were changed after it was written"))
    elif row.chain != chain_hash(chain, leaf) and row.sequence == expected:
        found.append(
            Fault(
                row.sequence,
                row.stream,
                row.kind,
                "does not follow from the event before it: replaced, reordered or inserted",
            )
        )
    if row.version != version and row.sequence == expected:
        found.append(
            Fault(row.sequence, row.stream, row.kind, f"is number {row.version} of its stream, {version} was expected")
        )
    return found


def _names_itself(row: Row) -> bool:
    """Whether the bytes end in the stream, version and kind that the row claims: the columns by which events are looked up.

    Sorted keys put these three last, so a comparison of the tail suffices; only a name that JSON escapes needs decoding.
    """
    tail = b'"kind":"%b","stream":"%b","version":%d}' % (row.kind.encode(), row.stream.encode(), row.version)
    if row.data.endswith(tail):
        return True
    try:
        envelope = decode(row.data)
    except Refused:
        return False
    return (envelope.stream, envelope.version, envelope.kind) == (row.stream, row.version, row.kind)


def _differs(head: Checkpoint) -> Fault:
    return Fault(0, "", "", f"the first {head.size} events are not those of the checkpoint: the history was rewritten")


def _truncated(covered: int, size: int) -> Fault:
    return Fault(0, "", "", f"a checkpoint covers {covered} events but only {size} are here: truncated")
