"""The counts of one side: whole numbers that can be added, so that any split of the rows gives the same, in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from hashlib import sha256
from operator import mul
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.detect.comparing import hashing
from tocsin.detect.comparing.cells import CELLS, Codes, Counts, coarse, codes, counted
from tocsin.detect.comparing.plan import Column, Kind, Plan, encoded, numbers
from tocsin.model.errors import BadInput, Place

Grid = np.ndarray[tuple[int, int], np.dtype[np.int64]]

VALUES_MAX = 20_000
"""A category with more values is counted in hashed cells instead."""
FOLDED = 4_096
GROUPS_MAX = 100
MISSING = "(missing)"
NO, YES, UNKNOWN = 0, 1, 2
ANSWERS = 3
"""No, yes, not known: of the label and of the decision, nine cells."""
WORDS = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "y", "t"), YES),
    **dict.fromkeys(("0", "0.0", "false", "no", "n", "f"), NO),
}
EVERYONE = ""


class Values:
    """How often each text occurs. Past 20,000 different ones they are counted by hash, whatever the order they came in."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.cells: Counts = np.zeros(0, np.int64)
        self.missing = 0

    def add(self, counts: Iterable[tuple[str, int]]) -> None:
        """Count these as well."""
        for value, count in counts:
            if count:
                self.known[value] = self.known.get(value, 0) + count
        if len(self.known) > VALUES_MAX or len(self.cells):
            self.fold()

    def fold(self) -> None:
        """From here on count by hash."""
        cells = self.cells if len(self.cells) else np.zeros(FOLDED, np.int64)
        for value, count in self.known.items():
            cells[crc32(value.encode()) % FOLDED] += count
        self.known, self.cells = {}, cells

    def merge(self, other: Values) -> None:
        """Count what the other counted as well."""
        self.missing += other.missing
        if len(other.cells) and not len(self.cells):
            self.fold()
        if len(other.cells):
            self.cells += other.cells
        self.add(other.known.items())


class Tally:
    """What was counted of one side."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.rows = plan, 0
        self.numbers: dict[str, Counts] = {}
        self.values: dict[str, Values] = {}
        self.clusters: dict[str, Grid] = {}
        self.tables: dict[str, dict[str, Grid]] = {}
        """By group column, then by its value: int64[buckets, 9], label times three plus decision."""
        self.ranks: Grid = np.zeros((2, CELLS), np.int64)
        """The score's cells by label."""
        self._runs = {c.name: coarse(np.array(c.starts)) for c in plan.columns if c.kind is not Kind.CATEGORY}

    def observe(self, batch: pa.RecordBatch) -> None:
        """Count the rows of the batch as well. Raises BadInput for a label or decision that is neither yes nor no."""
        self.rows += batch.num_rows
        roles = self.plan.roles
        bucket = hashing.buckets(batch.column(roles.unit), self.plan.buckets) if roles.unit else None
        scored: Codes | None = None
        for column in self.plan.columns:
            if column.kind is Kind.CATEGORY:
                self._category(batch, column, bucket)
            else:
                cells = self._number(batch, column, bucket)
                scored = cells if column.name == roles.score else scored
        if not self.plan.regression and (roles.label or roles.decision):
            self._outcomes(batch, bucket, scored)

    def merge(self, other: Tally) -> None:
        """Count what the other counted as well; both follow the same plan."""
        self.rows += other.rows
        self.ranks += other.ranks
        for mine, theirs in ((self.numbers, other.numbers), (self.clusters, other.clusters)):
            _add_all(mine, theirs)
        for name, values in other.values.items():
            self.values.setdefault(name, Values()).merge(values)
        for name, table in other.tables.items():
            _add_all(self.tables.setdefault(name, {}), table)

    def digest(self) -> str:
        """SHA-256 of every count: the same for any order and any split of the same rows."""
        hashed = sha256(str(self.rows).encode() + self.ranks.tobytes())
        arrays = {**self.numbers, **{f"{name} by bucket": grid for name, grid in self.clusters.items()}}
        arrays |= {f"{name}={value}": grid for name, table in self.tables.items() for value, grid in table.items()}
        for name in sorted(arrays):
            hashed.update(name.encode() + arrays[name].astype(np.int64).tobytes())
        for name, values in sorted(self.values.items()):
            hashed.update(f"{name}{sorted(values.known.items())}{values.missing}".encode() + values.cells.tobytes())
        return hashed.hexdigest()

    def _number(self, batch: pa.RecordBatch, column: Column, bucket: Counts | None) -> Codes:
        values = numbers(batch, column)
        cells = codes(values, column.scale)
        _add(self.numbers, column.name, counted(values, cells))
        if bucket is not None:
            width, runs = len(column.starts) + 1, self._runs[column.name][cells].astype(np.int64)
            _add(self.clusters, column.name, _grid(bucket, runs, (self.plan.buckets, width)))
        return cells

    def _category(self, batch: pa.RecordBatch, column: Column, bucket: Counts | None) -> None:
        coded = encoded(batch.column(column.source[0]))
        names = coded.dictionary.to_pylist()
        local = _indices(coded)
        counts = np.bincount(local, minlength=len(names) + 1).tolist()
        values = self.values.setdefault(column.name, Values())
        values.missing += counts[-1]
        values.add(zip(names, counts, strict=False))
        if bucket is not None:
            top = {value: place for place, value in enumerate(column.top)}
            table = np.array([*(top.get(name, len(top)) for name in names), len(top) + 1])
            _add(self.clusters, column.name, _grid(bucket, table[local], (self.plan.buckets, len(top) + 2)))

    def _outcomes(self, batch: pa.RecordBatch, bucket: Counts | None, scored: Codes | None) -> None:
        roles = self.plan.roles
        label, decision = (_answers(batch, name, roles.positive) for name in (roles.label, roles.decision))
        cell = label * ANSWERS + decision
        place = (np.zeros(batch.num_rows, np.int64) if bucket is None else bucket) * ANSWERS**2 + cell
        self._table(EVERYONE, [EVERYONE], np.zeros(batch.num_rows, np.int64), place)
        coded = {name: encoded(batch.column(name)) for name in roles.groups}
        for name, column in coded.items():
            self._table(name, [*column.dictionary.to_pylist(), MISSING], _indices(column), place)
        if self.plan.crossing:
            self._table(" x ".join(roles.groups), *_crossed([coded[name] for name in roles.groups]), place)
        if scored is not None and roles.label:
            for answer in (NO, YES):
                self.ranks[answer] += np.bincount(scored[label == answer], minlength=CELLS)

    def _table(self, grouping: str, names: list[str], local: Counts, place: Counts) -> None:
        shape = (self.plan.buckets, ANSWERS**2)
        table = self.tables.setdefault(grouping, {})
        there = np.flatnonzero(np.bincount(local, minlength=len(names)))
        at = local if len(there) == len(names) else np.searchsorted(there, local)
        if len(table.keys() | {str(names[code]) for code in there.tolist()}) > GROUPS_MAX:
            what = f"more than {GROUPS_MAX} groups"
            raise BadInput.at(Place(field=grouping), what, "name a column with fewer values, such as an age band")
        grids = np.bincount(at * reduce(mul, shape) + place, minlength=len(there) * reduce(mul, shape))
        for code, grid in zip(there.tolist(), grids.reshape(len(there), *shape), strict=True):
            _add(table, str(names[code]), grid)


def _add(into: dict[str, Any], key: str, counts: Any) -> None:
    into[key] = into[key] + counts if key in into else counts


def _add_all(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, counts in other.items():
        _add(into, key, counts)


def _grid(bucket: Counts, cell: Counts, shape: tuple[int, int]) -> Grid:
    return np.asarray(np.bincount(bucket * shape[1] + cell, minlength=shape[0] * shape[1]).reshape(shape))


def _indices(coded: pa.DictionaryArray) -> Counts:
    """Places in the dictionary; a missing value has the one after the last."""
    last = len(coded.dictionary)
    return np.asarray(pc.fill_null(coded.indices.cast(pa.int64()), last).to_numpy(zero_copy_only=False))


def _crossed(columns: list[pa.DictionaryArray]) -> tuple[list[str], Counts]:
    """Each combination that occurs, and which one a row has."""
    joined = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        joined = joined * (len(column.dictionary) + 1) + _indices(column)
    there, first, local = np.unique(joined, return_index=True, return_inverse=True)
    parts = [_at(column, first) for column in columns]
    return [" x ".join(row) for row in zip(*parts, strict=True)] if len(there) else [], local


def _at(column: pa.DictionaryArray, rows: Counts) -> list[str]:
    names = [*column.dictionary.to_pylist(), MISSING]
    return [names[place] for place in _indices(column)[rows].tolist()]


def _answers(batch: pa.RecordBatch, name: str, positive: str) -> Counts:
    """No, yes or unknown for each row."""
    if not name:
        return np.full(batch.num_rows, UNKNOWN, np.int64)
    coded = encoded(batch.column(name))
    table = [_answer(name, str(value), positive) for value in coded.dictionary.to_pylist()]
    return np.array([*table, UNKNOWN], np.int64)[_indices(coded)]


def _answer(name: str, value: str, positive: str) -> int:
    if positive:
        return int(value.strip().removesuffix(".0") == positive.removesuffix(".0"))
    if (found := WORDS.get(value.strip().lower())) is None:
        what = f"{value[:40]!r} is neither yes nor no"
        raise BadInput.at(Place(field=name), what, "say which value means yes: --positive VALUE")
    return found
