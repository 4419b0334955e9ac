"""Labels that come later than the predictions that they judge, in a log of their own.

A label finds its prediction by id. The prediction's row is stored once more, now with the label, in a segment that is marked as
late: detectors that read labels count such rows and no others, all others pass over them, so that no prediction counts twice. The
row's time is when the label was known, if the log says so, and else when the prediction was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.adapters.telemetry.chunks import Bad, Lines
from tocsin.adapters.telemetry.identities import Batches, Hashes, hashed
from tocsin.adapters.telemetry.mapping import Mapped
from tocsin.adapters.telemetry.schema import schema
from tocsin.model.errors import BadInput, Place
from tocsin.model.policy import ColumnMapping, System, TelemetryMapping
from tocsin.model.telemetry import Segment

Places = np.ndarray[tuple[int], np.dtype[np.int64]]
NEVER = ColumnMapping(constant="1970-01-01T00:00:00Z")
"""Stands for the time that a log of labels does not tell."""
CACHED = 4
NO_PREDICTION = "id: no prediction with this id"
NO_LABEL = "label: missing"
LABELLED = "id: the prediction has a label already"


def mapping(system: System, telemetry: TelemetryMapping) -> TelemetryMapping:
    """How the log of labels is read. Raises BadInput when the system does not say."""
    if not telemetry.labels:
        place = Place(f"systems/{system.id}.yaml", field="telemetry.labels")
        raise BadInput.at(
            place, "the system does not say how labels are logged", "add `labels: {id: COLUMN, label: COLUMN}`"
        )
    return replace(telemetry, columns={"time": NEVER, **telemetry.labels}, only={})


@dataclass(frozen=True, slots=True)
class _Index:
    """Where each prediction stands: sorted hashes of ids, and for each the segment's place and the row."""

    hashes: Hashes
    segment: Places
    row: Places

    def find(self, ids: pa.Array) -> Places:
        """For each id the place in the index; -1 where there is none."""
        wanted = hashed(ids)
        place = np.searchsorted(self.hashes, wanted)
        inside = np.minimum(place, max(len(self.hashes) - 1, 0))
        there = (wanted != 0) & (self.hashes[inside] == wanted) if len(self.hashes) else np.zeros(len(wanted), bool)
        return np.where(there, inside, -1)


class Joining:
    """Gives labels the rest of their rows: predictions of these segments, with the columns of the system."""

    def __init__(self, batches: Batches, telemetry: TelemetryMapping, segments: Sequence[Segment]) -> None:
        self._batches, self._segments = batches, segments
        self._schema = schema(telemetry.table, telemetry.columns)
        self._timed = "time" in telemetry.labels
        self._index: _Index | None = None
        self._read = lru_cache(CACHED)(self._segment)

    def __call__(self, labels: Mapped) -> Mapped:
        """The labelled rows in the order of the labels; labels without a prediction, or with a labelled one, are bad."""
        if self._index is None:
            self._index = _indexed(self._batches, self._segments)
        told = labels.rows.column("label").is_valid().to_numpy(zero_copy_only=False)
        places = self._index.find(labels.rows.column("id"))
        known = np.flatnonzero(told & (places >= 0))
        rows = self._taken(self._index, places[known])
        asked = labels.rows.take(pa.array(known))
        same = np.asarray(pc.equal(rows.column("id"), asked.column("id")).to_numpy(zero_copy_only=False), bool)
        fresh = rows.column("label").is_null().to_numpy(zero_copy_only=False)
        good = same & fresh
        reasons = dict.fromkeys(np.flatnonzero(places < 0).tolist(), NO_PREDICTION)
        reasons |= dict.fromkeys(np.flatnonzero(~told).tolist(), NO_LABEL)
        reasons |= dict.fromkeys(known[~same].tolist(), NO_PREDICTION) | dict.fromkeys(
            known[same & ~fresh].tolist(), LABELLED
        )
        bad = tuple(_bad(labels, row, reason) for row, reason in sorted(reasons.items()))
        chosen = pa.array(good)
        done = self._labelled(rows.filter(chosen), asked.filter(chosen))
        lines: Lines = labels.lines[known[good]]
        return Mapped(done, lines, (*labels.bad, *bad))

    def _labelled(self, rows: pa.RecordBatch, labels: pa.RecordBatch) -> pa.RecordBatch:
        told = {"label": labels.column("label")} | ({"time": labels.column("time")} if self._timed else {})
        arrays = [told.get(field.name, rows.column(field.name)) for field in self._schema]
        return pa.record_batch(arrays, schema=self._schema)

    def _taken(self, index: _Index, places: Places) -> pa.RecordBatch:
        """The rows at these places of the index, in that order."""
        segment, row = index.segment[places], index.row[places]
        order = np.argsort(segment, kind="stable")
        taken = (self._read(int(one)).take(pa.array(row[segment == one])) for one in np.unique(segment))
        tables = [self._schema.empty_table(), *taken]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        joined = pa.concat_tables(tables).unify_dictionaries().take(pa.array(back)).combine_chunks()
        batches = joined.to_batches()
        return batches[0] if batches else pa.record_batch(self._schema.empty_table().to_pydict(), schema=self._schema)

    def _segment(self, place: int) -> pa.Table:
        """A segment's rows with the system's columns, as far as it has them."""
        batches = self._batches([self._segments[place]], self._schema.names)
        return pa.Table.from_batches([_shaped(batch, self._schema) for batch in batches], self._schema)


def _indexed(batches: Batches, segments: Sequence[Segment]) -> _Index:
    hashes, owner, row = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for place, segment in enumerate(segments):
        own = [hashed(batch.column("id")) for batch in batches([segment], ["id"])]
        hashes += own
        count = sum(map(len, own))
        owner.append(np.full(count, place, np.int64))
        row.append(np.arange(count, dtype=np.int64))
    joined = np.concatenate(hashes)
    order = np.argsort(joined, kind="stable")
    return _Index(joined[order], np.concatenate(owner)[order], np.concatenate(row)[order])


def _shaped(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    """The batch with just these columns; one that it lacks is null, one of another type is cast."""
    arrays = [batch.column(field.name) for field in wanted]
    cast = [
        array if array.type == field.type else array.cast(field.type)
        for array, field in zip(arrays, wanted, strict=True)
    ]
    return pa.record_batch(cast, schema=wanted)


_REMEDIES: Mapping[str, str] = {
    NO_PREDICTION: "ingest its prediction and then this file again: what waits in quarantine is read once more",
    NO_LABEL: "log a row when its label is known",
    LABELLED: "a label that was recorded stands: log a correction as an incident of its own",
}


def _bad(labels: Mapped, row: int, reason: str) -> Bad:
    told = labels.rows.slice(row, 1).to_pylist()[0]
    raw = ", ".join(f"{name}={told[name]}" for name in ("id", "label"))
    return Bad(int(labels.lines[row]), f"{reason}: {told['id']!r}", _REMEDIES[reason], raw, reason)
