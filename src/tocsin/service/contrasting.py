"""Contrast: two files, or two frames, side by side, in one pass over each and flat memory. Nothing is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from tocsin.adapters.telemetry import frames
from tocsin.detect.comparing.effects import Tolerances
from tocsin.detect.comparing.plan import Plan, Roles, plan
from tocsin.detect.comparing.report import Comparison, Named, comparison
from tocsin.detect.comparing.tally import Tally
from tocsin.model.errors import UsageFault
from tocsin.model.progress import Progress, silent

SAMPLE_ROWS = 20_000
"""First rows of the reference that decide kinds and scales; every row is counted."""


class Rows(NamedTuple):
    """One side: its name, its schema, and its batches with the columns asked for, as often as asked."""

    name: str
    schema: pa.Schema
    batches: Callable[[list[str]], Iterable[pa.RecordBatch]]


def compare(
    reference: Any,
    current: Any,
    roles: Roles | None = None,
    accepted: Tolerances | None = None,
    confidence: float = 0.95,
    progress: Progress = silent,
) -> Comparison:
    """Two files or folders, or frames in memory (pandas, Polars, Arrow, a dictionary of columns).

    Raises:
        UsageFault: no such file, or an option that names no column of both.
        BadInput: a file cannot be read, or a label is neither yes nor no.
    """
    texts: set[str] = set()
    while True:
        try:
            first, second = (
                _side(data, name, frozenset(texts)) for data, name in ((reference, "reference"), (current, "current"))
            )
            return compare_rows(first, second, roles, accepted, confidence, progress)
        except frames.NotOneType as told:  # each time round one column more is text, so this ends
            if told.column in texts:
                raise
            texts.add(told.column)


def _side(data: Any, name: str, texts: frozenset[str]) -> Rows:
    if isinstance(data, str | Path):
        path = Path(data)
        return Rows(str(path), frames.schema(path, texts), lambda columns: frames.batches(path, columns, texts))
    return of_table(name, table_of(data, name))


def table_of(data: Any, name: str) -> pa.Table:
    """The frame as an Arrow table, without a copy where its library hands its memory over. Raises UsageFault when it is none."""
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, Mapping):
        try:
            return pa.table(dict(data))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            what = f"the columns of the {name} make no table: {error}"
            raise UsageFault(what, "give columns of equal length, each of one type") from None
    if hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    if hasattr(data, "__dataframe__"):
        return pa.Table.from_pandas(data, preserve_index=False)
    what = f"the {name} is a {type(data).__name__}"
    raise UsageFault(what, "give a pandas, Polars or Arrow frame, a dictionary of columns, or the path of a file")


def compare_rows(
    reference: Rows,
    current: Rows,
    roles: Roles | None = None,
    accepted: Tolerances | None = None,
    confidence: float = 0.95,
    progress: Progress = silent,
) -> Comparison:
    """Two sides of any origin. Raises what `compare` does."""
    shared = [name for name in reference.schema.names if name in current.schema.names]
    planned = plan(_first(reference, shared), current.schema, roles or Roles())
    first, second = (Named(side.name, _counted(side, planned, progress)) for side in (reference, current))
    return comparison(planned, first, second, accepted, confidence)


def _first(side: Rows, shared: list[str]) -> pa.RecordBatch:
    """The first rows, with empty columns for those that the other side does not have."""
    taken: list[pa.RecordBatch] = []
    rows = 0
    for batch in side.batches(shared) if shared else ():
        taken.append(batch.slice(0, SAMPLE_ROWS - rows))
        rows += taken[-1].num_rows
        if rows == SAMPLE_ROWS:
            break
    found = pa.Table.from_batches(taken).unify_dictionaries().combine_chunks() if taken else None
    columns = [
        found.column(field.name).combine_chunks() if found and field.name in shared else pa.nulls(rows, field.type)
        for field in side.schema
    ]
    return pa.RecordBatch.from_arrays(columns, names=side.schema.names)


def _counted(side: Rows, planned: Plan, progress: Progress) -> Tally:
    tally = Tally(planned)
    for batch in side.batches(list(planned.wanted())):
        tally.observe(batch)
        progress(side.name, tally.rows)
    return tally


def of_table(name: str, table: pa.Table) -> Rows:
    """A side that lies in memory."""
    return Rows(name, table.schema, lambda columns: _sliced(table, columns))


def _sliced(table: pa.Table, columns: list[str]) -> Iterator[pa.RecordBatch]:
    yield from table.select(columns).to_batches(max_chunksize=frames.ROWS)
