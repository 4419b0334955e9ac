"""Slow answers: how often an answer takes longer than is promised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, numbers
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category


def _amounts(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Amounts:
    known, taken = numbers(batch, "latency_ms")
    return Amounts(known, (taken > parameters["promised_ms"]).astype(float))


MEASURE = Measure(
    name="slow_answers",
    category=Category.MODEL_FAILURE,
    table="interactions",
    noun="share of slow answers",
    columns=lambda _: ("latency_ms",),
    amounts=_amounts,
    harm="People wait longer than they were promised.",
    blind_spots=(
        "Calls that never return have no latency: see failed calls.",
        "How much too slow an answer is does not matter: watch the mean as well where it does.",
    ),
    next_steps=(
        "Look at the load, at the provider's status and at releases since that date.",
        "Look at tokens and cost: longer answers take longer.",
    ),
)

DETECTOR = kind(
    MEASURE,
    "Slow answers",
    "An alarm says: answers are slower than promised more often than the limit or the stream's own past allows.",
    limit_of("the share of slow answers that is accepted"),
    Parameter("promised_ms", float, 5000.0, "an answer that takes longer is slow, in milliseconds", low=0.001),
    required=("latency_ms",),
)
