"""What readers give: pieces of a file as columns, with the line of each row and the lines that could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

RAW_MAX = 2_000
"""Characters of a bad line that quarantine keeps."""


class Bad(NamedTuple):
    """A row that cannot be used: its 1-based line (row for Parquet), the reason, the remedy, and the beginning of its text."""

    line: int
    reason: str
    remedy: str
    raw: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of a file: source columns of equal length, the line of each row, the bad lines among them, and bytes read so far."""

    columns: Mapping[str, pa.Array]
    lines: np.ndarray
    bad: tuple[Bad, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Reader:
    """A format. `read` streams; `recognizes` looks at the name (lower case, without compression suffix) and the first bytes."""

    name: str
    recognizes: Callable[[str, bytes], bool]
    read: Callable[[BinaryIO, str], Iterator[Chunk]]
    doc: str
    canonical: bool = False
    """Whether its columns are already those of the table, so that no mapping is needed."""


def shown(raw: bytes) -> str:
    """The beginning of a raw line as text, whatever its bytes."""
    return raw[: RAW_MAX * 4].decode("utf-8", "backslashreplace")[:RAW_MAX]
