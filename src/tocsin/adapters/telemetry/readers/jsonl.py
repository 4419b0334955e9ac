"""JSON lines: one object a line. Nested objects are reached by a dot: `user.id`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, BinaryIO

import msgspec
import numpy as np

from tocsin.adapters.telemetry.chunks import Bad, Chunk, Reader, column, shown
from tocsin.adapters.telemetry.lines import BOM, Block, blocks, sound, texts

NAMES_FROM_ROWS = 100
NAMES_MAX = 200
REMEDY = "each line must be one whole JSON object"
_objects = msgspec.json.Decoder(dict[str, Any])


def read(stream: BinaryIO, name: str, wanted: AbstractSet[str]) -> Iterator[Chunk]:  # noqa: ARG001 - all readers are alike
    """The objects of the stream, block by block."""
    fields = _Fields(wanted)
    for block in blocks(stream):
        yield _chunk(block, fields)


class _Fields:
    """The wanted columns as a typed decoder: keys that nobody wants are skipped, not built."""

    def __init__(self, wanted: AbstractSet[str]) -> None:
        keys = dict.fromkeys(key for name in sorted(wanted) for key in (name, name.split(".")[0]))
        self.attributes = {key: f"c{index}" for index, key in enumerate(keys)}
        renamed = {attribute: key for key, attribute in self.attributes.items()}
        self.row = msgspec.defstruct(
            "Row", [(attribute, Any, msgspec.UNSET) for attribute in renamed], rename=renamed, gc=False
        )
        self.decoder = msgspec.json.Decoder(self.row)
        self.columns: dict[str, Callable[[Any], Any]] = {name: self._getter(name) for name in wanted}

    def of(self, row: dict[str, Any]) -> Any:
        """An object that another decoder read."""
        return self.row(**{self.attributes[key]: value for key, value in row.items() if key in self.attributes})

    def _getter(self, name: str) -> Callable[[Any], Any]:
        """What reads the column from a row: the key as it is, or the path that its dots describe."""
        whole = attrgetter(self.attributes[name])
        top, *path = name.split(".")
        if not path:
            return whole
        first = attrgetter(self.attributes[top])

        def get(row: Any) -> Any:
            value = whole(row)
            return _at(first(row), path) if value is msgspec.UNSET else value

        return get


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return msgspec.UNSET
        value = value[step]
    return value


@dataclass(frozen=True, slots=True)
class _Rows:
    """Decoded lines, the number of each, and the text of each."""

    rows: Sequence[Any]
    lines: Sequence[int]
    bad: Sequence[Bad]


def _chunk(block: Block, fields: _Fields) -> Chunk:
    data, bad = sound(block)
    decoded = _at_once(data, block.first_line, fields) or _line_by_line(data, block.first_line, fields)
    columns = {}
    for name, get in fields.columns.items():
        values = list(map(get, decoded.rows))
        absent = values.count(msgspec.UNSET)
        if absent < len(values):
            columns[name] = column([None if v is msgspec.UNSET else v for v in values] if absent else values)
    numbers = np.array(decoded.lines, dtype=np.int64)
    names = list(columns) if len(columns) == len(fields.columns) else _names(data)
    return Chunk(columns, numbers, (*bad, *decoded.bad), names, texts(data, numbers - block.first_line))


def _at_once(data: bytes, first_line: int, fields: _Fields) -> _Rows | None:
    """All lines in one go; None when one of them is blank or no object."""
    try:
        rows = fields.decoder.decode_lines(data)
    except (msgspec.DecodeError, RecursionError):
        return None
    count = data.count(b"\n") + (not data.endswith(b"\n"))
    return _Rows(rows, range(first_line, first_line + count), ()) if len(rows) == count else None


def _line_by_line(data: bytes, first_line: int, fields: _Fields) -> _Rows:
    rows, lines, bad = [], [], []
    for number, raw in enumerate(data.split(b"\n"), start=first_line):
        if not raw or raw.isspace():
            continue
        try:
            rows.append(_row(raw, fields))
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            bad.append(Bad(number, f"not a JSON object: {why}", REMEDY, shown(raw), "not a JSON object"))
            continue
        lines.append(number)
    return _Rows(rows, lines, bad)


def _row(raw: bytes, fields: _Fields) -> Any:
    """A line as a row. NaN and Infinity, which JSON has not but many loggers write, are let through to be told by name."""
    try:
        return fields.decoder.decode(raw)
    except msgspec.DecodeError:
        if b"NaN" not in raw and b"Infinity" not in raw:
            raise
        value = json.loads(raw)
        if not isinstance(value, dict):
            raise
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half of a surrogate pair is no text
        return fields.of(value)


def _names(data: bytes) -> list[str]:
    """Keys of the first rows, nested ones with dots."""
    names: dict[str, None] = {}
    for raw in data.split(b"\n", NAMES_FROM_ROWS)[:NAMES_FROM_ROWS]:
        try:
            names |= dict.fromkeys(_flat(_objects.decode(raw)))
        except (msgspec.DecodeError, RecursionError):
            continue
    return list(names)[:NAMES_MAX]


def _flat(row: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def _recognizes(name: str, head: bytes) -> int:
    if head.removeprefix(BOM).lstrip().startswith(b"{"):
        return 2
    return int(name.endswith((".jsonl", ".ndjson")))


READER = Reader(
    name="jsonl",
    recognizes=_recognizes,
    read=read,
    doc="JSON lines, one object a line; a dot reaches into nested objects",
    sparse=True,
)
