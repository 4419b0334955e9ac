"""One pass over stored telemetry: the window states of every detector, and the times by which rows are cut into windows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tocsin.detect import windows
from tocsin.detect.windows import Plan
from tocsin.model.detector import Detector
from tocsin.model.progress import Progress
from tocsin.model.telemetry import ROW, SEGMENT, Segment
from tocsin.service.desk import Desk

AnyDetector = Detector[Any, Any]


def scan(
    desk: Desk, segments: Sequence[Segment], planned: Sequence[tuple[AnyDetector, Plan]], progress: Progress
) -> list[dict[int, Any]]:
    """One pass over the segments: the window states of every detector."""
    states: list[dict[int, Any]] = [{} for _ in planned]
    wanted = [s for s in segments if any(_counts(plan, s) for _, plan in planned)]
    columns = sorted({column for watcher, plan in planned if plan.assigned for column in watcher.columns})
    total, done = sum(segment.rows for segment in wanted), 0
    for batch in desk.telemetry.batches(wanted, columns):
        segment = batch.column(SEGMENT)[0].as_py()
        first = batch.column(ROW)[0].as_py()
        cuts: dict[int, list[tuple[int, pa.RecordBatch]]] = {}
        for (watcher, plan), mine in zip(planned, states, strict=True):
            if segment not in plan.assigned:
                continue
            pieces = cuts.setdefault(id(plan.assigned), [])
            if not pieces:
                pieces += cut(batch, plan.assigned[segment][first : first + batch.num_rows])
            for index, part in pieces:
                mine[index] = watcher.observe(mine[index] if index in mine else watcher.zero(), part)
        done += batch.num_rows
        progress("judging", done, total)
    return states


def cut(
    batch: pa.RecordBatch, assigned: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> list[tuple[int, pa.RecordBatch]]:
    """The batch's rows by window, in order of windows."""
    order = np.argsort(assigned, kind="stable")
    found, starts = np.unique(assigned[order], return_index=True)
    ends = [*starts[1:], len(order)]
    in_order = bool((order[1:] > order[:-1]).all())
    parts = []
    for window, start, end in zip(found, starts, ends, strict=True):
        if window != windows.NONE:
            part = batch.slice(start, end - start) if in_order else batch.take(pa.array(order[start:end]))
            parts.append((int(window), part))
    return parts


def _counts(plan: Plan, segment: Segment) -> bool:
    return segment.id in plan.assigned and bool((plan.assigned[segment.id] != windows.NONE).any())


def times(desk: Desk, segments: Sequence[Segment]) -> dict[str, Any]:
    """Microseconds since the epoch per row of each segment."""
    parts: defaultdict[str, list[Any]] = defaultdict(list)
    for batch in desk.telemetry.batches(segments, ["time"]):
        parts[batch.column(SEGMENT)[0].as_py()].append(batch.column("time").cast(pa.int64()).to_numpy())
    return {name: np.concatenate(chunks) for name, chunks in parts.items()}


def in_rows(instants: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Rows with a time of at least zero, numbered in order of time and cut every `rows`."""
    names = list(instants)
    joined = np.concatenate([instants[name] for name in names]) if names else np.array([], np.int64)
    order = np.argsort(joined, kind="stable")
    order = order[joined[order] >= 0]
    index = np.full(len(joined), windows.NONE, np.int64)
    index[order] = np.arange(len(order)) // rows
    ends = np.cumsum([len(instants[name]) for name in names])
    return {name: index[end - len(instants[name]) : end] for name, end in zip(names, ends, strict=True)}
