"""Texts from files that nobody prepared: JSONL, a column of CSV or Parquet, plain text. What is wrong is told and stops nothing.

A plain file is one text; a large one is read in pieces of about a megabyte that end at a line feed. Memory is bounded by the batch and
the longest line. Bytes that are no UTF-8 become the mark of replacement, so that offsets mean the same to everybody. All but Parquet
may be in gzip or UTF-16.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from tocsin.adapters.unpacking import readable
from tocsin.model.errors import BadInput, EnvironmentFault, Place, UsageFault

Kind = Literal["auto", "jsonl", "csv", "parquet", "text"]
ROLES = ("system", "user", "assistant", "tool", "retrieved")
BATCH_ROWS, BATCH_BYTES = 4_096, 4 << 20
PIECE_BYTES = 1 << 20
LINE_BYTES_MAX = 64 << 20
"""A longer line is passed over and told."""
_CONTINUATION = bytes(range(0x80, 0xC0))
_KINDS: dict[str, Kind] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


class Text(NamedTuple):
    """One text: what it is called, its bytes (None: there is none), its role, its line in the file, and what is wrong with it."""

    id: str
    data: bytes | None
    role: str
    line: int
    problem: str = ""
    first: int = -1
    """Of a piece of a plain file: how many characters stand before it; `line` is then where it begins. -1: it is a record."""

    def places(self, starts: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Line and column, from 1, of offsets in ascending order; of a record its line and no column."""
        if self.first < 0 or self.data is None:
            yield from ((self.line, 0) for _ in starts)
            return
        text, line, at = self.data.decode(), self.line, 0
        for start in starts:
            line += text.count("\n", at, start)
            at = start
            yield line, start - text.rfind("\n", 0, start)


class Columns(NamedTuple):
    """How the text, the role and the id are called."""

    text: str = "text"
    role: str = "role"
    id: str = "id"


def batches(path: Path | None, stream: BinaryIO, kind: Kind, columns: Columns, role: str) -> Iterator[list[Text]]:
    """The texts of a file (or of standard input, where `path` is None), some thousand at a time.

    Raises:
        BadInput: the file as a whole is not what it should be, or has no such column.
    """
    name = str(path) if path else "-"
    chosen = kind if kind != "auto" or path is None else _by_name(path)
    if chosen == "parquet":
        return _batched(_parquet(stream, columns, role, name))
    problems = list[str]()
    ready = readable(stream, problems)
    if chosen == "auto":
        chosen = _guessed(ready.peek(1)[:1])
    if chosen == "jsonl":
        texts = _jsonl(ready, columns, role, name)
    elif chosen == "csv":
        texts = _csv(ready, columns, role, name)
    else:
        texts = _plain(ready, role, name)
    return _batched(_ended(texts, problems, role, name))


def opened(path: Path) -> BinaryIO:
    """The file. Raises UsageFault when there is none and EnvironmentFault when it cannot be opened."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise UsageFault(f"no file {path}", "name files, or - for standard input") from None
    except IsADirectoryError:
        raise UsageFault(f"{path} is a folder", "name its files") from None
    except OSError as error:
        raise EnvironmentFault(f"{path}: {error.strerror}", "make it readable") from error


def _by_name(path: Path) -> Kind:
    """What a file is by the ending of its name, `.gz` aside."""
    bare = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return _KINDS.get(bare.suffix.lower(), "text")


def _ended(texts: Iterator[Text], problems: Sequence[str], role: str, name: str) -> Iterator[Text]:
    """The texts and, as one without text behind the last, what kept the file from being read to its end."""
    line = 1
    try:
        for text in texts:
            line = text.line
            yield text
    except BadInput:
        if problems:
            raise BadInput.at(Place(name), problems[0], "give a whole file") from None
        raise
    for problem in problems:
        yield Text(name, None, role, line, problem)


def _guessed(head: bytes) -> Kind:
    return "jsonl" if head == b"{" else "text"


def _batched(texts: Iterable[Text]) -> Iterator[list[Text]]:
    batch: list[Text] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text.data or b"")
        if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Each line with its number and whether it is too long; of one that is, only the beginning."""
    number = 0
    while line := stream.readline(LINE_BYTES_MAX):
        number += 1
        long = len(line) == LINE_BYTES_MAX and not line.endswith(b"\n")
        rest = line
        while long and rest and not rest.endswith(b"\n"):
            rest = stream.readline(PIECE_BYTES)
        yield number, line[:100] if long else line, long


def _jsonl(stream: BinaryIO, columns: Columns, role: str, name: str) -> Iterator[Text]:
    for number, line, long in _lines(stream):
        place = f"{name}:{number}"
        if long:
            yield Text(place, None, role, number, f"a line of more than {LINE_BYTES_MAX >> 20} MiB")
        elif line.strip():
            yield _of_json(line, columns, role, number, place)


def _of_json(line: bytes, columns: Columns, role: str, number: int, place: str) -> Text:
    try:
        value = json.loads(line.decode("utf-8-sig", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        return Text(place, None, role, number, f"no JSON: {error}"[:200])
    if not isinstance(value, dict):
        return Text(place, None, role, number, "a JSON object is needed")
    return _made(value, columns, role, number, place)


def _made(value: dict[str, Any], columns: Columns, role: str, number: int, place: str) -> Text:
    """The text of a record; whatever else it holds is of no interest."""
    named = value.get(columns.id)
    name = str(named) if isinstance(named, str | int) and named != "" else place
    given = value.get(columns.role)
    said = given if isinstance(given, str) and given in ROLES else role
    odd = f"unknown role {str(given)[:20]!r}, taken as {role}" if given not in (None, "", said) else ""
    text = value.get(columns.text)
    if text is None:
        return Text(name, None, said, number, odd or ("" if columns.text in value else f"no {columns.text!r} in it"))
    if not isinstance(text, str | bytes):
        return Text(name, None, said, number, f"{columns.text!r} is no text")
    data, wrong = _sound(text) if isinstance(text, bytes) else _encoded(text)
    return Text(name, data, said, number, odd or wrong)


def _encoded(text: str) -> tuple[bytes, str]:
    """The text as UTF-8, and what was wrong with it; a lone surrogate, or a byte that was none, becomes one question mark."""
    try:
        return text.encode(), "binary: scanned as it is" if "\0" in text else ""
    except UnicodeEncodeError as error:
        return text.encode("utf-8", "replace"), f"no Unicode at character {error.start}: that is passed over"


def _sound(data: bytes) -> tuple[bytes, str]:
    """The bytes as UTF-8, and what was wrong with them."""
    odd = "binary: scanned as it is" if b"\0" in data else ""
    if data.isascii():
        return data, odd
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data.decode("utf-8", "replace").encode(), odd or f"no UTF-8 at byte {error.start}: that is passed over"
    return data, odd


def _csv(stream: BinaryIO, columns: Columns, role: str, name: str) -> Iterator[Text]:
    csv.field_size_limit(LINE_BYTES_MAX)
    lines = (line.decode("utf-8", "surrogateescape") for line in iter(partial(stream.readline, LINE_BYTES_MAX), b""))
    first = next(lines, "").removeprefix("\ufeff")
    delimiter = max(",;\t|", key=first.count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    _needed(columns.text, header, name)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        number = reader.line_num + 2
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Text(f"{name}:{number}", None, role, number, f"no CSV: {error}")
            continue
        if values:
            yield _made(dict(zip(header, values, strict=False)), columns, role, number, f"{name}:{number}")


def _parquet(stream: BinaryIO, columns: Columns, role: str, name: str) -> Iterator[Text]:
    try:
        file = parquet.ParquetFile(stream)
        names = file.schema_arrow.names
        _needed(columns.text, names, name)
        number = 0
        for batch in file.iter_batches(BATCH_ROWS, columns=[column for column in columns if column in names]):
            for value in batch.to_pylist():
                number += 1
                yield _made(value, columns, role, number, f"{name}:{number}")
    except (pa.ArrowException, OSError) as error:
        raise BadInput.at(Place(name), f"this is no Parquet: {error}"[:200], "name the format with --input") from None


def _needed(column: str, there: Iterable[str], name: str) -> None:
    names = list(there)
    if column not in names:
        known = ", ".join(islice(names, 20))
        raise BadInput.at(Place(name), f"no column {column!r}", f"name one with --column; there are {known}")


def _plain(stream: BinaryIO, role: str, name: str) -> Iterator[Text]:
    line, first, left = 1, 0, b""
    while piece := left + stream.read(PIECE_BYTES - len(left)):
        left = b""
        if len(piece) == PIECE_BYTES:
            piece, left = _whole(piece + stream.readline(PIECE_BYTES))
        data, wrong = _sound(piece)
        yield Text(name, data, role, line, wrong, first)
        line += data.count(b"\n")
        first += len(data.translate(None, _CONTINUATION))


def _whole(piece: bytes) -> tuple[bytes, bytes]:
    """The piece up to its last whole character, and the rest, of at most three bytes."""
    for back in (1, 2, 3):
        byte = piece[-back]
        if byte >= 0xC0:
            needed = 2 + (byte >= 0xE0) + (byte >= 0xF0)
            return (piece[:-back], piece[-back:]) if back < needed else (piece, b"")
    return piece, b""
