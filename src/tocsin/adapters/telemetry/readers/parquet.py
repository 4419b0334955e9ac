"""Parquet files, piece by piece. Lines are row numbers from 1; a dot reaches into structs."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import partial
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tocsin.adapters.telemetry.chunks import RAW_MAX, Chunk, Reader, column
from tocsin.model.errors import BadInput, Place

ROWS = 16_384


def read(stream: BinaryIO, name: str, wanted: AbstractSet[str]) -> Iterator[Chunk]:
    """The rows of the file. Raises BadInput when it is cut off or no Parquet file."""
    if not hasattr(stream, "seek"):
        raise BadInput.at(Place(name), "a Parquet file inside another compression", "decompress it first")
    try:
        file = pq.ParquetFile(stream, buffer_size=1 << 20, pre_buffer=False)
        names = file.schema_arrow.names
        there = {n: path for n in sorted(wanted) if (path := _path(n, file.schema_arrow))}
        done = 0
        tops = list(dict.fromkeys(path[0] for path in there.values())) or names[:1]
        for batch in file.iter_batches(batch_size=ROWS, columns=tops):
            columns = {n: _plain(_at(batch, path)) for n, path in there.items()}
            lines = np.arange(done + 1, done + batch.num_rows + 1, dtype=np.int64)
            done += batch.num_rows
            yield Chunk(columns, lines, (), names, partial(_told, batch))
    except (pa.ArrowInvalid, OSError) as error:
        what = str(error).split("\n")[0]
        raise BadInput.at(Place(name), f"not a whole Parquet file: {what}", "copy or write the file again") from error


def _told(batch: pa.RecordBatch, index: int) -> str:
    return str(batch.slice(index, 1).to_pylist()[0])[:RAW_MAX]


def _path(name: str, schema: pa.Schema) -> list[str]:
    """Where the column is: by its whole name, or by its dots in structs; empty when nowhere."""
    if name in schema.names:
        return [name]
    top, *rest = name.split(".")
    if top not in schema.names:
        return []
    kind = schema.field(top).type
    for step in rest:
        if not pa.types.is_struct(kind) or kind.get_field_index(step) < 0:
            return []
        kind = kind.field(step).type
    return [top, *rest]


def _at(batch: pa.RecordBatch, path: list[str]) -> pa.Array:
    array = batch.column(path[0])
    return pc.struct_field(array, path[1:]) if len(path) > 1 else array


def _plain(array: pa.Array) -> pa.Array:
    """Lists, structs and maps as JSON text; everything else as it is."""
    return column(array.to_pylist()) if pa.types.is_nested(array.type) else array


READER = Reader(
    name="parquet",
    recognizes=lambda name, head: 3 if head.startswith(b"PAR1") else int(name.endswith((".parquet", ".pq"))),
    read=read,
    doc="Parquet",
)
