"""CSV with a header line (RFC 4180): quotes may hold newlines. Every value is text until the mapping reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from csv import reader as records
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from pyarrow import csv

from tocsin.adapters.telemetry.chunks import Bad, Chunk, Reader, shown
from tocsin.adapters.telemetry.lines import Block, blocks, sound
from tocsin.model.errors import BadInput, Place

Lines = np.ndarray[tuple[int], np.dtype[np.int64]]
QUOTE, NEWLINE, RETURN = (ord(character) for character in '"\n\r')


def read(stream: BinaryIO, name: str) -> Iterator[Chunk]:
    """The records of the stream, block by block. Raises BadInput when the header has a name twice."""
    header: list[str] | None = None
    for block in blocks(stream, quoted=True):
        data, bad = sound(block)
        line = block.first_line
        if header is None:
            if not data.strip():
                yield Chunk({}, np.array([], np.int64), tuple(bad), block.position)
                continue
            header, data, line = _header(data, name, line)
        yield _chunk(Block(data, line, tuple(bad), block.position), header)


def _header(data: bytes, name: str, line: int) -> tuple[list[str], bytes, int]:
    """The names of the first record, and what follows it."""
    first, _, rest = data.partition(b"\n")
    names = [column.strip() for column in next(records([first.decode("utf-8").rstrip("\r")]), [])]
    twice = [column for column, count in Counter(names).items() if count > 1]
    if twice:
        raise BadInput.at(Place(name, line), f"the header has {', '.join(twice)} twice", "rename the columns")
    return names, rest, line + 1


def _chunk(block: Block, header: list[str]) -> Chunk:
    lines = _record_lines(block.data) + block.first_line
    bad, ragged = list(block.bad), set()

    def handle(row: Any) -> str:
        place = row.number - 1 if row.number is not None else -1
        ragged.add(place)
        number = int(lines[place]) if 0 <= place < len(lines) else 0
        what = f"{row.actual_columns} values where the header has {row.expected_columns}"
        bad.append(Bad(number, what, "mend the line", shown(row.text.encode())))
        return "skip"

    table = (
        _parsed(block.data, header, handle)
        if len(lines)
        else pa.table(dict.fromkeys(header, pa.array([], pa.string())))
    )
    kept = np.delete(lines, sorted(place for place in ragged if place >= 0))
    columns = {name: table.column(name).combine_chunks() for name in header}
    return Chunk(columns, kept[: table.num_rows], tuple(bad), block.position)


def _parsed(data: bytes, header: list[str], handle: Callable[[Any], str]) -> pa.Table:
    """The records as a table of text; an empty value is null, `""` is empty text."""
    return csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(column_names=header, use_threads=False, block_size=len(data) + 1),
        csv.ParseOptions(newlines_in_values=True, invalid_row_handler=handle),
        csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )


def _record_lines(data: bytes) -> Lines:
    """For each record that is not an empty line: the number of newlines before it."""
    raw = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(raw == NEWLINE)
    if data and not data.endswith(b"\n"):
        newlines = np.append(newlines, len(raw))
    if b'"' in data:
        quotes = np.cumsum(raw == QUOTE)
        outside = quotes[np.minimum(newlines, len(raw) - 1)] % 2 == 0
    else:
        outside = np.ones(len(newlines), bool)
    ends, numbers = newlines[outside], np.flatnonzero(outside)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    first = np.concatenate(([0], numbers[:-1] + 1)) if len(ends) else numbers
    length = ends - starts
    only_return = (
        (length == 1) & (raw[np.minimum(starts, max(len(raw) - 1, 0))] == RETURN) if len(ends) else length == 1
    )
    return np.asarray(first[(length > 0) & ~only_return], np.int64)


def _recognizes(name: str, head: bytes) -> bool:
    return name.endswith(".csv") or (b"," in head.split(b"\n")[0] and not head.startswith((b"{", b"[")))


READER = Reader("csv", _recognizes, read, "CSV with a header line; quoted values may hold newlines")
