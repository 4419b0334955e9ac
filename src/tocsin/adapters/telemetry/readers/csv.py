"""CSV with a header line (RFC 4180): quotes may hold newlines. Every value is text until the mapping reads it; empty is missing.

Arrow parses a block in one go. Where that cannot name the line of each record (a newline in quotes, a quote that never closes, a
lone carriage return), the block is parsed record by record, which costs about three times as much.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from tocsin.adapters.telemetry.chunks import Bad, Chunk, Reader, only_bad, shown
from tocsin.adapters.telemetry.lines import BOM, LINE_BYTES_MAX, Block, blocks, sound, texts
from tocsin.model.errors import BadInput, Place

END = "\0"
"""A line after the last: a record that swallows it has a quote that never closes."""
DELIMITERS = ",;\t|"
UNCLOSED = "a quote that never closes"
RAGGED = "another number of values than the header"


class _Header(NamedTuple):
    """The names of the columns, and what stands between values."""

    names: Sequence[str]
    delimiter: str


class _Parsed(NamedTuple):
    """Values by source column, the line of each record from 0, what could not be read, and an unfinished record's bytes."""

    columns: dict[str, pa.Array]
    lines: Sequence[int]
    bad: Sequence[Bad]
    carry: bytes


def read(stream: BinaryIO, name: str, wanted: AbstractSet[str]) -> Iterator[Chunk]:
    """The records of the stream, block by block. Raises BadInput when the header has a wanted name twice."""
    csv.field_size_limit(max(csv.field_size_limit(), LINE_BYTES_MAX))
    header: _Header | None = None
    carry, line = b"", 1
    for block, last in _with_last(blocks(stream)):
        data, bad = sound(block)
        if not carry:
            line = block.first_line
        data = carry + data
        if header is None:
            header, used = _header(data, Place(name, line))
            if header is None:
                yield only_bad(bad)
                continue
            _check_header(header.names, wanted, Place(name, line))
            data, line = data.split(b"\n", used)[-1] if data.count(b"\n") >= used else b"", line + used
        parsed = _parse(data, header, wanted, last=last)
        kept = np.asarray(parsed.lines, np.int64)
        named = [problem._replace(line=problem.line + line) for problem in parsed.bad]
        yield Chunk(parsed.columns, kept + line, (*bad, *named), header.names, texts(data, kept))
        line += data.count(b"\n") - parsed.carry.count(b"\n")
        carry = parsed.carry


def _with_last(items: Iterator[Block]) -> Iterator[tuple[Block, bool]]:
    """Each block and whether it is the last."""
    held = next(items, None)
    for item in items:
        if held is not None:
            yield held, False
        held = item
    if held is not None:
        yield held, True


def _header(data: bytes, place: Place) -> tuple[_Header | None, int]:
    """The first record that is not empty, and how many lines it and those before it take."""
    lines = data.decode("utf-8").split("\n")
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    feed = _Feed(lines)
    try:
        for record in csv.reader(feed, delimiter=delimiter):
            names = [value.strip() for value in record if value != END]
            if any(names):
                return _Header(names, delimiter), feed.at
    except csv.Error as error:
        what = f"the header cannot be read: {str(error).split(' - ')[0]}"
        raise BadInput.at(place, what, "end each line with a newline, and each quote with a quote") from error
    return None, feed.at


def _check_header(names: Sequence[str], wanted: AbstractSet[str], place: Place) -> None:
    twice = sorted(name for name in wanted if names.count(name) > 1)
    if twice:
        raise BadInput.at(place, f"the header has {', '.join(twice)} more than once", "give each column its own name")


def _parse(data: bytes, header: _Header, wanted: AbstractSet[str], *, last: bool) -> _Parsed:
    quick = _at_once(data, header, wanted) if data.count(b"\r") == data.count(b"\r\n") else None
    return quick or _by_records(data, header, wanted, last=last)


class _Ragged:
    """The lines that Arrow passes over, and whether it came past the end mark: one value more than the header has."""

    def __init__(self, lines: Any, header: _Header) -> None:
        self.lines = lines
        self.mark = END + header.delimiter * len(header.names)
        self.places: list[int] = []
        self.bad: list[Bad] = []
        self.ended = False

    def __call__(self, row: Any) -> str:
        """What Arrow calls with such a line."""
        if row.text == self.mark:
            self.ended = True
        else:
            place = row.number - 1
            what = f"{row.actual_columns} values where the header has {row.expected_columns}"
            number = int(self.lines[place]) if place < len(self.lines) else 0
            self.places.append(place)
            self.bad.append(Bad(number, what, "mend the line", shown(row.text.encode()), RAGGED))
        return "skip"


def _at_once(data: bytes, header: _Header, wanted: AbstractSet[str]) -> _Parsed | None:
    """The block parsed by Arrow; None when its records are not its lines."""
    lines = _full_lines(data)
    names = [str(index) for index in range(len(header.names))]
    chosen = {name: str(index) for index, name in enumerate(header.names) if name in wanted}
    if not len(lines):
        return _Parsed({name: pa.array([], pa.string()) for name in chosen}, [], [], b"")
    ragged = _Ragged(lines, header)
    marked = data + (b"" if data.endswith(b"\n") else b"\n") + ragged.mark.encode() + b"\n"
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(marked),
            arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(marked) + 1),
            arrow_csv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True, invalid_row_handler=ragged),
            arrow_csv.ConvertOptions(
                include_columns=list(chosen.values()) or names[:1],
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid:
        return None
    if not ragged.ended or table.num_rows + len(ragged.places) != len(lines):
        return None
    columns = {name: _one_array(table.column(place)) for name, place in chosen.items()}
    return _Parsed(columns, np.delete(lines, ragged.places).tolist(), ragged.bad, b"")


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([], pa.string()) if len(column) == 0 else column.combine_chunks().cast(pa.string())


def _full_lines(data: bytes) -> Any:
    """The number, from 0, of each line that is not empty."""
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw == ord("\n"))
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(raw))
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    length = ends - starts
    only_return = (
        (length == 1) & (raw[np.minimum(starts, max(len(raw) - 1, 0))] == ord("\r")) if len(raw) else length == 1
    )
    return np.flatnonzero((length > 0) & ~only_return)


class _Feed:
    """Lines for csv.reader, with the number of lines that it has taken, and `END` after the last."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines[:-1] if lines and not lines[-1] else lines
        self.at = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.at > len(self.lines):
            raise StopIteration
        self.at += 1
        return END if self.at > len(self.lines) else f"{self.lines[self.at - 1]}\n"


class _Records:
    """The records of a block, one after the other."""

    def __init__(self, data: bytes, header: _Header) -> None:
        self.feed = _Feed(data.decode("utf-8").split("\n"))
        self.width, self.delimiter = len(header.names), header.delimiter
        self.rows: list[list[str]] = []
        self.lines: list[int] = []
        self.bad: list[Bad] = []

    def ended(self) -> bool:
        """Whether every line was read."""
        return self.feed.at >= len(self.feed.lines)

    def until_trouble(self) -> tuple[int, str]:
        """Read records up to the end or the first that is broken: its line, and what is wrong or nothing."""
        start = self.feed.at
        try:
            for record in csv.reader(self.feed, delimiter=self.delimiter):
                if self.feed.at > len(self.feed.lines):
                    return start, "" if record == [END] else UNCLOSED
                self._take(start, record)
                start = self.feed.at
        except csv.Error as error:
            return start, str(error).split(" - ")[0]
        return start, ""

    def _take(self, start: int, record: list[str]) -> None:
        if record and len(record) != self.width:
            self.bad.append(self._bad(start, f"{len(record)} values where the header has {self.width}", RAGGED))
        elif record:
            self.rows.append(record)
            self.lines.append(start)

    def give_up(self, start: int, what: str) -> None:
        """Name the line as bad and go on with the next one."""
        self.bad.append(self._bad(start, what, what))
        self.feed.at = start + 1

    def _bad(self, line: int, what: str, kind: str) -> Bad:
        return Bad(line, what, "mend the line", shown(self.feed.lines[line].encode()), kind)


def _by_records(data: bytes, header: _Header, wanted: AbstractSet[str], *, last: bool) -> _Parsed:
    """The block parsed record by record. A record that the block does not end is carried to the next one, within bounds."""
    read, carry = _Records(data, header), b""
    while not read.ended():
        start, problem = read.until_trouble()
        if problem == UNCLOSED and not last:
            carry = b"\n".join(data.split(b"\n", start)[start:])
            if len(carry) <= LINE_BYTES_MAX:
                break
            carry = b""
        if problem:
            read.give_up(start, problem)
    places = {name: header.names.index(name) for name in wanted if name in header.names}
    columns = {name: pa.array([row[place] or None for row in read.rows], pa.string()) for name, place in places.items()}
    return _Parsed(columns, read.lines, read.bad, carry)


def _recognizes(name: str, head: bytes) -> int:
    first = head.removeprefix(BOM).lstrip().split(b"\n")[0]
    if b"\0" not in first and not first.startswith((b"{", b"[")) and any(mark.encode() in first for mark in DELIMITERS):
        return 2
    return int(name.endswith((".csv", ".tsv")))


READER = Reader("csv", _recognizes, read, "CSV with a header line; quoted values may hold newlines")
