"""What a reader gives for some bytes, put together."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

from tocsin.adapters.telemetry.chunks import Bad, Reader


class Whole(NamedTuple):
    """All chunks of a stream in one."""

    columns: dict[str, list[Any]]
    lines: list[int]
    bad: list[Bad]
    raws: list[str]

    def rows(self) -> list[dict[str, Any]]:
        """The rows, without what is null."""
        count = range(len(self.lines))
        return [{n: v[i] for n, v in self.columns.items() if v[i] is not None} for i in count]


def whole(reader: Reader, data: bytes, *wanted: str) -> Whole:
    """Read the bytes; each column that a chunk lacks is null there."""
    columns: dict[str, list[Any]] = {}
    lines: list[int] = []
    bad: list[Bad] = []
    raws: list[str] = []
    for chunk in reader.read(BytesIO(data), "log", frozenset(wanted)):
        for name in {*columns, *chunk.columns}:
            before = columns.setdefault(name, [None] * len(lines))
            array = chunk.columns.get(name)
            before += array.to_pylist() if array is not None else [None] * len(chunk.lines)
        raws += [chunk.raw(index) for index in range(len(chunk.lines))]
        lines += chunk.lines.tolist()
        bad += chunk.bad
    return Whole(columns, lines, bad, raws)
