"""New categories: how often a text is none of those that the model knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, of_texts
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category


def _amounts(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Amounts:
    known = frozenset(parameters["known"])
    filled, new = of_texts(batch, str(parameters["column"]), lambda value: value not in known)
    return Amounts(filled, new.astype(float))


MEASURE = Measure(
    name="new_categories",
    category=Category.MODEL_FAILURE,
    table="predictions",
    noun="share of unknown categories",
    columns=lambda parameters: (str(parameters["column"]),),
    amounts=_amounts,
    harm="The model decides on categories that it was not trained on.",
    blind_spots=(
        "Which categories are known must be told: the list ages with the model.",
        "A known category that changes its meaning is not seen.",
    ),
    next_steps=(
        "Read the rows of the sample: spelling, case, a new source, or truly new?",
        "Find out what the model does with an unknown category.",
    ),
)

DETECTOR = kind(
    MEASURE,
    "New categories",
    "An alarm says: unknown categories are more frequent than the limit or the stream's own past allows.",
    limit_of("the share of unknown categories that is accepted"),
    Parameter("column", str, None, "the column of text", column="text", required=True),
    Parameter("known", list, None, "the categories that the model knows", low=1, required=True),
    either=True,
)
