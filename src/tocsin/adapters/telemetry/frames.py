"""Whole files as Arrow record batches with their own columns: Parquet, CSV, JSON lines, or a folder of one kind; for a comparison.

Nothing is mapped or kept, unlike in `ingest`. Types of CSV and JSON come from the first block; numbers are read as floats. A later
value of CSV that is no number makes its column text: the reading says so, and begins again. JSON has to keep to its types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.json as arrow_json
import pyarrow.parquet as pq

from tocsin.adapters.files import told
from tocsin.adapters.telemetry.opening import Opened, opened
from tocsin.model.errors import BadInput, Place, UsageFault

ROWS = 65_536
BLOCK_BYTES = 8 << 20
_COLUMN = re.compile(r"In CSV column #(\d+)")


class NotOneType(Exception):
    """A column of text files that is no number after all."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def files(path: Path) -> list[Path]:
    """The file, or those in the folder, by name. Raises UsageFault when there is none."""
    if not path.exists():
        raise UsageFault(f"no file {path}", "check the name")
    if not path.is_dir():
        return [path]
    inside = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(("_", ".")))
    if not inside:
        raise UsageFault(f"no file in {path}", "name a file, or a folder with files")
    return inside


def schema(path: Path, texts: AbstractSet[str] = frozenset()) -> pa.Schema:
    """The columns of the file, or of the first of the folder. Raises BadInput when it cannot be read."""
    return _schema(files(path)[0], texts)


def batches(path: Path, columns: Sequence[str], texts: AbstractSet[str] = frozenset()) -> Iterator[pa.RecordBatch]:
    """The rows, with these columns; those in `texts` are read as text whatever they look like.

    Raises:
        BadInput: a file cannot be read or has other columns than the first.
        NotOneType: a column is text after all: begin again.
    """
    for file in files(path):
        there = _schema(file, texts)
        if absent := [name for name in columns if name not in there.names]:
            what = f"no column {', '.join(absent)}"
            raise BadInput.at(Place(str(file)), what, "all files of a side need the same columns")
        with _readable(file, there.names), opened(file) as stream:
            yield from _batches(stream, there, list(columns))


def _schema(path: Path, texts: AbstractSet[str]) -> pa.Schema:
    with _readable(path, ()), opened(path) as file:
        if _is_parquet(file):
            return pq.read_schema(file.stream)
        found = _reader(file, None).schema
        twice = sorted({name for name in found.names if found.names.count(name) > 1})
        if twice:
            what = f"the header has {', '.join(twice)} more than once"
            raise BadInput.at(Place(str(path), 1), what, "rename one of them")
        return pa.schema([(f.name, pa.string() if f.name in texts else _wide(f.type)) for f in found])


def _batches(file: Opened, there: pa.Schema, columns: list[str]) -> Iterator[pa.RecordBatch]:
    if _is_parquet(file):
        text = [f.name for f in there if pa.types.is_string(f.type) and f.name in columns]
        parquet = pq.ParquetFile(file.stream, read_dictionary=text, pre_buffer=False)
        yield from parquet.iter_batches(batch_size=ROWS, columns=columns, use_threads=False)
        return
    for batch in _reader(file, there):
        yield batch.select(columns)


def _is_parquet(file: Opened) -> bool:
    return file.head.startswith(b"PAR1")


class _Bytes(RawIOBase):
    """The opened file as Arrow wants to read it."""

    def __init__(self, file: Opened) -> None:
        self._read = file.stream.read

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """That many bytes, or fewer at the end."""
        return self._read(size)


def _reader(file: Opened, types: pa.Schema | None) -> Any:
    """A reader of text in blocks, with these types or those of the first block."""
    stream = pa.PythonFile(_Bytes(file), mode="r")
    if file.head.lstrip().startswith(b"{"):
        parsing = arrow_json.ParseOptions(explicit_schema=types)
        return arrow_json.open_json(stream, arrow_json.ReadOptions(block_size=BLOCK_BYTES), parsing)
    head = file.head.split(b"\n")[0]
    delimiter = max((b",", b";", b"\t", b"|"), key=head.count).decode()
    return arrow_csv.open_csv(
        stream,
        arrow_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
        arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in file.head),
        arrow_csv.ConvertOptions(
            column_types=dict(zip(types.names, types.types, strict=True)) if types else None,
            strings_can_be_null=True,
        ),
    )


def _wide(kind: pa.DataType) -> pa.DataType:
    """What a first block shows, with room for what may come: numbers as floats, flags and empty columns as text."""
    if pa.types.is_integer(kind):
        return pa.float64()
    return pa.string() if pa.types.is_null(kind) or pa.types.is_boolean(kind) else kind


@contextmanager
def _readable(path: Path, names: Sequence[str]) -> Iterator[None]:
    """Arrow's complaints as ours: a column that is text after all, or a file that cannot be read."""
    try:
        with told(path):
            yield
    except pa.ArrowException as error:
        what = str(error).splitlines()[0]
        if (found := _COLUMN.search(what)) and int(found[1]) < len(names):
            raise NotOneType(names[int(found[1])]) from error
        remedy = "give Parquet, CSV with a header, or JSON lines"
        raise BadInput.at(Place(str(path)), f"cannot be read: {what}", remedy) from error
