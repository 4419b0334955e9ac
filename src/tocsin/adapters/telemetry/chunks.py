"""What readers give: pieces of a file as columns, with the line of each row and the lines that could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

RAW_MAX = 2_000
"""Characters of a bad line that quarantine keeps."""

Lines = np.ndarray[tuple[int], np.dtype[np.int64]]
NO_LINES: Lines = np.array([], np.int64)


class Bad(NamedTuple):
    """A row that cannot be used: its 1-based line (row for Parquet), the reason, the remedy, and the beginning of its text.

    `kind` is the reason without any value of the row: it is what the ledger counts, and the ledger holds no personal data.
    """

    line: int
    reason: str
    remedy: str
    raw: str
    kind: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of a file: the wanted source columns that it has, of equal length, the line of each row, and the bad lines among them.

    `names` are columns that the file has, for a helpful message: all of them, or some when there are very many. `raw` gives the
    text of the row at an index, for quarantine.
    """

    columns: Mapping[str, pa.Array]
    lines: Lines
    bad: tuple[Bad, ...]
    names: Sequence[str]
    raw: Callable[[int], str]


Read = Callable[[BinaryIO, str, AbstractSet[str]], Iterator[Chunk]]
"""The stream, the file's name for messages, and the source columns that are wanted; a file may lack some of them.

Memory is bounded whatever the length of the file. Chunks are the same each time the same bytes are read.
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """A format. `recognizes` looks at the name (lower case, without compression suffix) and the first bytes: 0 no, 1 the name
    says so, 2 it may well be by its content, 3 nothing else begins like this.
    """

    name: str
    recognizes: Callable[[str, bytes], int]
    read: Read
    doc: str
    canonical: bool = False
    """Whether its columns are already those of the table, so that no mapping is needed."""
    sparse: bool = False
    """Whether a row may leave a column out, so that only the whole file tells which columns it has."""
    table: str | None = None
    """The only table that its rows fit, if there is one."""


NONE: Lines = np.array([], np.int64)


def only_bad(bad: Sequence[Bad], names: Sequence[str] = ()) -> Chunk:
    """A chunk without rows."""
    return Chunk({}, NONE, tuple(bad), names, str)


def filtered(chunk: Chunk, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Chunk:
    """The rows of the chunk that are kept; its bad lines stay."""
    places, raw, mask = np.flatnonzero(keep), chunk.raw, pa.array(keep)
    columns = {name: column.filter(mask) for name, column in chunk.columns.items()}
    return replace(chunk, columns=columns, lines=chunk.lines[keep], raw=lambda row: raw(int(places[row])))


class Wanted(NamedTuple):
    """Which lines of a file are read: those after one, and some of those before."""

    after: int
    before: Lines = NO_LINES

    def of(self, chunk: Chunk) -> Chunk:
        """What the chunk has of the wanted lines, good and bad."""
        kept = self._wanted(np.array([bad.line for bad in chunk.bad], np.int64))
        bad = tuple(bad for bad, wanted in zip(chunk.bad, kept, strict=True) if wanted)
        return replace(filtered(chunk, self._wanted(chunk.lines)), bad=bad)

    def _wanted(self, lines: Lines) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return (lines > self.after) | np.isin(lines, self.before)


EVERY_LINE = Wanted(0)


def shown(raw: bytes) -> str:
    """The beginning of a raw line as text, whatever its bytes."""
    return raw[: RAW_MAX * 4].decode("utf-8", "backslashreplace")[:RAW_MAX]


def column(values: Sequence[Any]) -> pa.Array:
    """The values as one Arrow array; values of mixed kinds become text, lists and objects JSON text."""
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        array = None
    if array is None or pa.types.is_nested(array.type):
        return pa.array([_text(value) for value in values], pa.string())
    return array


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
