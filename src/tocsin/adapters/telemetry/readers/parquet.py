"""Parquet files, row group by row group. Lines are row numbers from 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tocsin.adapters.telemetry.chunks import Chunk, Reader
from tocsin.model.errors import BadInput, Place

ROWS = 65_536


def read(stream: BinaryIO, name: str) -> Iterator[Chunk]:
    """The rows of the file. Raises BadInput when it is cut off or no Parquet file."""
    try:
        file = pq.ParquetFile(stream)
        done = 0
        for batch in file.iter_batches(batch_size=ROWS):
            columns = {field.name: batch.column(index) for index, field in enumerate(batch.schema)}
            lines = np.arange(done + 1, done + batch.num_rows + 1, dtype=np.int64)
            done += batch.num_rows
            yield Chunk(columns, lines, (), stream.tell())
    except (pa.ArrowInvalid, pa.ArrowIOError, OSError) as error:
        what = str(error).split("\n")[0]
        raise BadInput.at(Place(name), f"not a whole Parquet file: {what}", "copy or write the file again") from error


READER = Reader(
    name="parquet",
    recognizes=lambda name, head: name.endswith(".parquet") or head.startswith(b"PAR1"),
    read=read,
    doc="Parquet",
)
