"""Embedding drift: do vectors fall into other regions of their space than they did?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.drifting.drift import kind
from tocsin.detect.streams.drifting.looking import HIDDEN, Looked, Values
from tocsin.detect.streams.drifting.regions import regions
from tocsin.model.detector import Parameter


def _values(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Values:
    return regions(batch.column(str(parameters["column"])), int(parameters["planes"]), int(parameters["seed"]))


LOOKED = Looked(
    name="embedding_drift",
    table="predictions",
    columns=lambda parameters: (str(parameters["column"]),),
    values=_values,
    ordered=lambda _: False,
    subject=lambda parameters: str(parameters["column"]),
    harm="The model sees, or says, things of other kinds than those that it was tested on.",
    blind_spots=(
        *HIDDEN,
        "Regions are cut by planes through the origin at random: a move inside a region is not seen; another seed cuts elsewhere.",
        "A new embedding model moves everything: change the seed with it, and the reference begins anew.",
        "Vectors of different lengths are cut by different planes.",
    ),
    next_steps=(
        "Read the rows of the sample: they lie in the region that gained.",
        "Ask whether the embedding model or the text before it changed on that date.",
        "Look at drift of the texts, and at performance, since that date.",
    ),
)

DETECTOR = kind(
    LOOKED,
    "Embedding drift",
    "An alarm says: in the traffic served, a region of the space of embeddings holds more or fewer vectors than in the reference, "
    "beyond the tolerance.",
    Parameter(
        "column",
        str,
        None,
        "the column of vectors: lists of numbers, or texts like [0.1, -0.2]",
        column="text",
        required=True,
    ),
    Parameter("planes", int, 8, "random planes that cut the space into regions", low=2, high=16),
    Parameter("seed", int, 1, "which planes", low=0),
    either=True,
)
