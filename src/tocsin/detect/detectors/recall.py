"""Recall: of those who should have got the positive decision, how many did (one minus the false negative rate)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.labelled import performance
from tocsin.detect.streams.measure import Amounts, flag
from tocsin.detect.streams.watch import kind, limit_of


def _caught(batch: pa.RecordBatch, _: Mapping[str, Any]) -> Amounts:
    (decided, decision), (labelled, label) = flag(batch, "decision"), flag(batch, "label")
    return Amounts(decided & labelled & label, decision.astype(float))


MEASURE = performance(
    "recall",
    "recall",
    _caught,
    direction="down",
    harm="Cases that should be caught are missed more often.",
    blind_spot="With few positive cases in a window changes are found late.",
)

DETECTOR = kind(
    MEASURE,
    "Recall",
    "An alarm says: in the traffic served, fewer of the positive cases get the positive decision than the limit or the past allows.",
    limit_of("the recall that must be kept"),
    required=("decision", "label"),
)
