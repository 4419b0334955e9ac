"""Performance without labels: the error rate that calibrated scores imply, E[error] = 1 - p for a positive decision, p otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, flag, numbers
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.finding import Category


def _amounts(batch: pa.RecordBatch, _: Mapping[str, Any]) -> Amounts:
    (decided, decision), (scored, score) = flag(batch, "decision"), numbers(batch, "score")
    counts = decided & scored & (score >= 0) & (score <= 1)
    return Amounts(counts, np.where(decision, 1 - score, score))


MEASURE = Measure(
    name="estimated_error",
    category=Category.MODEL_FAILURE,
    table="predictions",
    noun="error rate that the scores imply",
    columns=lambda _: ("decision", "score"),
    amounts=_amounts,
    fraction=True,
    harm="By its own scores the model is wrong more often; no label has confirmed it yet.",
    blind_spots=(
        "It believes the scores: when the world changes so that scores are no longer probabilities (concept drift), it sees nothing.",
        "The detector `calibration` tests that assumption as soon as labels arrive; run both.",
        "Rows whose score is not between 0 and 1 do not count.",
    ),
    next_steps=(
        "Get labels for a sample of the rows and look at calibration and error rate.",
        "Look at drift of the features since the date of the change.",
        "Compare the release dates of the model with the date of the change.",
    ),
    tags=("nist.ai_rmf.MEASURE-2.5",),
)

DETECTOR = kind(
    MEASURE,
    "Estimated error",
    "An alarm says: if scores are probabilities, the expected error rate of the traffic served is above the limit or its own past.",
    limit_of("the expected error rate that is accepted"),
    sources=("Garg et al., arXiv:2201.04234 (performance from unlabelled data)",),
    required=("decision", "score"),
)
