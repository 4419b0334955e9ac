"""JSON lines: one object a line. Nested objects are reached by a dot: `user.id`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec
import numpy as np
import pyarrow as pa

from tocsin.adapters.telemetry.chunks import Bad, Chunk, Reader, shown
from tocsin.adapters.telemetry.lines import Block, blocks, sound

_objects = msgspec.json.Decoder(dict[str, Any])


def read(stream: BinaryIO, name: str) -> Iterator[Chunk]:  # noqa: ARG001 - every reader takes the name for its messages
    """The objects of the stream, block by block."""
    for block in blocks(stream):
        yield _chunk(block)


def _chunk(block: Block) -> Chunk:
    data, bad = sound(block)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for number, raw in enumerate(data.split(b"\n"), start=block.first_line):
        if not raw or raw.isspace():
            continue
        try:
            rows.append(_objects.decode(raw))
        except msgspec.DecodeError as error:
            bad.append(
                Bad(number, f"not a JSON object: {error}", "each line must be one whole JSON object", shown(raw))
            )
            continue
        lines.append(number)
    flat = [_flat(row) if any(type(value) is dict for value in row.values()) else row for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    return Chunk(
        {name: column([row.get(name) for row in flat]) for name in names},
        np.array(lines, dtype=np.int64),
        tuple(bad),
        block.position,
    )


def _flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects as dotted names."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


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


READER = Reader(
    name="jsonl",
    recognizes=lambda name, head: (
        name.endswith((".jsonl", ".ndjson")) or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    ),
    read=read,
    doc="JSON lines, one object a line; a dot reaches into nested objects",
)
