"""False discoveries: how many of the positive decisions turn out wrong (one minus the precision)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.labelled import performance
from tocsin.detect.streams.measure import Amounts, flag
from tocsin.detect.streams.watch import kind, limit_of


def _false(batch: pa.RecordBatch, _: Mapping[str, Any]) -> Amounts:
    (decided, decision), (labelled, label) = flag(batch, "decision"), flag(batch, "label")
    return Amounts(decided & labelled & decision, (~label).astype(float))


MEASURE = performance(
    "false_discovery",
    "share of false discoveries",
    _false,
    harm="Positive decisions can be trusted less.",
    blind_spot="A lower rate of true cases raises it although the model is the same.",
)

DETECTOR = kind(
    MEASURE,
    "False discoveries",
    "An alarm says: in the traffic served, more of the positive decisions are wrong than the limit or the past allows.",
    limit_of("the share of wrong positive decisions that is accepted"),
    required=("decision", "label"),
)
