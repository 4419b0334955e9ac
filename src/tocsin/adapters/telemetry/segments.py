"""Segments: immutable Parquet files named by the SHA-256 of their bytes. The ledger says which of them exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tocsin.adapters.files import told, write_atomically
from tocsin.model.errors import Refused
from tocsin.model.finding import RowRef
from tocsin.model.telemetry import ROW, SEGMENT, Segment, Table

ROWS_MAX = 65_536


class SegmentStore:
    """The segments below `root`, one folder a system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._verified: set[str] = set()

    def write(self, system: str, table: Table, rows: pa.Table) -> Segment:
        """Write the rows as one segment, durably; the same rows give the same bytes and so the same segment.

        Raises:
            EnvironmentFault: the disk is full or not writable; nothing half-written is left.
        """
        sink = pa.BufferOutputStream()
        pq.write_table(_regular(rows), sink, compression="zstd", store_schema=True, row_group_size=ROWS_MAX)
        data = sink.getvalue().to_pybytes()
        digest = sha256(data).hexdigest()
        path = self._path(system, digest)
        with told(path):
            if not path.exists() or _digest(path) != digest:
                write_atomically(path, data)
        self._verified.add(digest)
        span = pc.min_max(rows.column("time")).as_py()
        return Segment(digest, system, table, rows.num_rows, span["min"], span["max"])

    def batches(
        self, segments: Sequence[Segment], columns: Sequence[str], rows_max: int = ROWS_MAX
    ) -> Iterator[pa.RecordBatch]:
        """The rows of the segments in stored order; see `model.telemetry.TelemetryStore`."""
        for segment in segments:
            path, row = self._path(segment.system, segment.id), 0
            self._check(path, segment.id)
            with _sound(path, segment.id):
                file = pq.ParquetFile(path)
                there = set(file.schema_arrow.names)
                read = [name for name in columns if name in there]
                for batch in file.iter_batches(batch_size=rows_max, columns=read or ["time"]):
                    yield _placed(batch, columns, segment.id, row)
                    row += batch.num_rows

    def rows(self, system: str, refs: Sequence[RowRef]) -> pa.Table:
        """The named rows with all their columns, in the order of segments and rows, each once.

        Raises:
            Refused: a segment is missing or was changed, or has no such row.
        """
        wanted: dict[str, list[int]] = {}
        for ref in refs:
            wanted.setdefault(ref.segment, []).append(ref.row)
        tables = []
        for segment_id in sorted(wanted):
            numbers = sorted(set(wanted[segment_id]))
            path = self._path(system, segment_id)
            self._check(path, segment_id)
            with _sound(path, segment_id):
                table = _taken(pq.ParquetFile(path), numbers)
            table = table.append_column(SEGMENT, pa.array([segment_id] * len(table)))
            tables.append(table.append_column(ROW, pa.array(numbers, pa.int64())))
        return pa.concat_tables(tables, promote_options="default") if tables else pa.table({})

    def _check(self, path: Path, segment_id: str) -> None:
        """Compare the file with its name, once a process. Raises Refused when it is missing or was changed."""
        if segment_id in self._verified:
            return
        if not path.exists():
            raise Refused(f"segment {segment_id[:12]} is missing: {path}", remedy="restore it from a backup")
        with told(path):
            same = _digest(path) == segment_id
        if not same:
            raise _changed(path, segment_id)
        self._verified.add(segment_id)

    def _path(self, system: str, digest: str) -> Path:
        return self.root / system / f"{digest}.parquet"


@contextmanager
def _sound(path: Path, segment_id: str) -> Iterator[None]:
    """What Arrow cannot read was changed since the file was compared with its name."""
    try:
        with told(path):
            yield
    except pa.ArrowException:
        raise _changed(path, segment_id) from None


def _changed(path: Path, segment_id: str) -> Refused:
    return Refused(f"segment {segment_id[:12]} was changed: {path}", remedy="restore it from a backup")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _taken(file: pq.ParquetFile, numbers: Sequence[int]) -> pa.Table:
    """The rows of those numbers, ascending, read batch by batch. Raises Refused for a number beyond the end."""
    found, first = [], 0
    for batch in file.iter_batches(batch_size=ROWS_MAX):
        inside = [number - first for number in numbers if first <= number < first + batch.num_rows]
        if inside:
            found.append(batch.take(pa.array(inside)))
        first += batch.num_rows
    if numbers[0] < 0 or numbers[-1] >= first:
        raise Refused(f"the segment has {first} rows, so none of number {numbers[-1]}")
    return pa.Table.from_batches(found)


def _regular(rows: pa.Table) -> pa.Table:
    """The same rows in the one layout that does not depend on how they came: whole columns, dictionaries in order of appearance."""
    arrays = []
    for column in rows.columns:
        whole = column.combine_chunks()
        if pa.types.is_dictionary(whole.type):
            whole = whole.cast(pa.string()).dictionary_encode()
        arrays.append(whole)
    return pa.Table.from_arrays(arrays, schema=rows.schema)


def _placed(batch: pa.RecordBatch, columns: Sequence[str], segment_id: str, first: int) -> pa.RecordBatch:
    """The batch with all the columns asked for, nulls where the segment lacks one, and with where each row stands."""
    count = batch.num_rows
    there = set(batch.schema.names)
    arrays = {name: batch.column(name) if name in there else pa.nulls(count) for name in columns}
    place = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([segment_id]))
    rows = pa.array(np.arange(first, first + count, dtype=np.int64))
    return pa.RecordBatch.from_pydict({**arrays, SEGMENT: place, ROW: rows})
