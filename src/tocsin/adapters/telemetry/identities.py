"""Which row ids a system has seen: sorted 64-bit hashes beside the segments, 8 bytes a row, rebuilt whenever they do not fit.

Two different ids share a hash with probability below n²/2⁶⁵ for n rows (3·10⁻⁶ at ten million); such a row is quarantined as a
duplicate, with its line, and nothing is lost silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa

from tocsin.adapters.files import told, write_atomically
from tocsin.model.telemetry import Segment

Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]


class Batches(Protocol):
    """Reads columns of segments."""

    def __call__(self, segments: Sequence[Segment], columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        """Record batches of the columns."""
        ...


def hashed(ids: pa.Array) -> Hashes:
    """The hash of each id; a null hashes to 0, which no id does."""
    if ids.null_count == len(ids):
        return np.zeros(len(ids), np.uint64)
    return np.fromiter((0 if i is None else _hash(i) for i in ids.to_pylist()), np.uint64, len(ids))


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") | 1


class Identities:
    """The ids of the rows of the segments that were admitted, and of those added since."""

    def __init__(self, path: Path, batches: Batches) -> None:
        self._path = path
        self._batches = batches
        self._base: Hashes = np.array([], np.uint64)
        self._recent: list[Hashes] = []
        self._begun = False
        self._admitted: set[str] = set()
        self._kept_rows = 0

    def admit(self, segments: Sequence[Segment]) -> None:
        """Count the ids of these segments as seen, those admitted before aside."""
        if not self._begun:
            self._begun = True
            self._recall({segment.id for segment in segments})
        new = [segment for segment in segments if segment.id not in self._admitted]
        if new:
            self.add(np.concatenate([hashed(batch.column("id")) for batch in self._batches(new, ["id"])]))
            self._admitted |= {segment.id for segment in new}

    def repeated(self, hashes: Hashes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """For each hash: whether the id was seen before, in the segments or earlier in this array. Null ids never are."""
        _, first = np.unique(hashes, return_index=True)
        again = np.ones(len(hashes), bool)
        again[first] = False
        for known in (self._base, *self._recent):
            place = np.searchsorted(known, hashes)
            inside = place < len(known)
            again[inside] |= known[place[inside]] == hashes[inside]
        return np.asarray(again & (hashes != 0))

    def add(self, hashes: Hashes) -> None:
        """Count these ids as seen. New ones are merged into the rest when they are an eighth of it: n log n in sum."""
        self._recent.append(_sorted([hashes[hashes != 0]]))
        if 8 * sum(map(len, self._recent)) > len(self._base):
            self._base, self._recent = _sorted([self._base, *self._recent]), []

    def keep(self, segments: Sequence[Segment]) -> None:
        """Write the ids beside the segments, all of which were admitted or added, once they have grown by an eighth.

        A crash before, or a file that is lost, only costs reading the segments' ids again.
        """
        rows = len(self._base) + sum(map(len, self._recent))
        if 8 * (rows - self._kept_rows) <= self._kept_rows:
            return
        hashes, self._base, self._recent = _sorted([self._base, *self._recent]), np.array([], np.uint64), []
        self._base = hashes
        sink = BytesIO()
        np.savez(sink, hashes=hashes, segments=np.array(sorted(segment.id for segment in segments)))
        with told(self._path):
            write_atomically(self._path, sink.getvalue())

    def _recall(self, segments: set[str]) -> None:
        """Begin with the ids on disk if they belong to some of these segments and to no other."""
        try:
            with self._path.open("rb") as file, np.load(file) as kept:
                covered, hashes = set(map(str, kept["segments"])), kept["hashes"]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return
        if covered <= segments and hashes.dtype == np.uint64:
            self._base, self._admitted, self._kept_rows = hashes, covered, len(hashes)


def _sorted(parts: Sequence[Hashes]) -> Hashes:
    """All hashes in order, in one new array; nothing else of their size is made."""
    joined = np.concatenate(parts) if parts else np.array([], np.uint64)
    joined.sort()
    return joined
