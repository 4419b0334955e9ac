"""Prediction drift: has the distribution of what the model answers changed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.drifting.drift import kind
from tocsin.detect.streams.drifting.looking import HIDDEN, Looked, Values, of_flags, of_scores
from tocsin.model.detector import Parameter


def _values(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Values:
    column = str(parameters["column"])
    return of_scores(batch, column) if column == "score" else of_flags(batch, column)


LOOKED = Looked(
    name="prediction_drift",
    table="predictions",
    columns=lambda parameters: (str(parameters["column"]),),
    values=_values,
    ordered=lambda parameters: parameters["column"] == "score",
    subject=lambda parameters: f"the {parameters['column']}",
    harm="The model answers differently than it did: its inputs have changed, or it has.",
    blind_spots=(*HIDDEN, "Inputs and model can change so that the answers stay the same: watch the features as well."),
    next_steps=(
        "Compare the release dates of the model with the date of the change.",
        "Look at drift of the features since that date: did the cases change, or the answers to them?",
        "Compare performance with labels before and after, as soon as they are there.",
    ),
)

DETECTOR = kind(
    LOOKED,
    "Prediction drift",
    "An alarm says: in the traffic served, scores (or decisions) are distributed differently than in the reference, beyond the tolerance.",
    Parameter(
        "column", str, "score", "what is watched: the score or the decision", ("score", "decision"), column="any"
    ),
)
