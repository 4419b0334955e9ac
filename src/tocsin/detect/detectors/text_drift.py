"""Text drift: have the lengths, the scripts or the words of messages changed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.drifting.drift import kind
from tocsin.detect.streams.drifting.looking import HIDDEN, Looked, Values
from tocsin.detect.streams.drifting.wording import lengths, scripts, words
from tocsin.detect.streams.measure import of_texts, texts
from tocsin.model.detector import Parameter
from tocsin.model.telemetry import ROLES

_OF = {"length": lengths, "script": scripts, "words": words}


def _values(batch: pa.RecordBatch, parameters: Mapping[str, Any]) -> Values:
    column, role = str(parameters["column"]), parameters["role"]
    found = _OF[str(parameters["of"])](texts(batch, column))
    return found.where(of_texts(batch, "role", lambda said: said == role)[1]) if role else found


LOOKED = Looked(
    name="text_drift",
    table="interactions",
    columns=lambda parameters: (str(parameters["column"]), *(("role",) if parameters["role"] else ())),
    values=_values,
    ordered=lambda parameters: parameters["of"] == "length",
    subject=lambda parameters: f"{parameters['of']} of {parameters['column']}",
    harm="People ask, or the model answers, differently than when it was tested.",
    blind_spots=(
        *HIDDEN,
        "Languages of one script do not differ in script: watch the words as well.",
        "Of the words of a text the first 200 count; which words are frequent is not written down, rows of the sample show them.",
        "A change of meaning in the same words is not seen: watch embeddings.",
    ),
    next_steps=(
        "Read the rows of the sample beside some from before the change.",
        "Look for a release, a campaign, a new channel or a new group of people on that date.",
        "Test the system on messages like the new ones.",
    ),
)

DETECTOR = kind(
    LOOKED,
    "Text drift",
    "An alarm says: in the traffic served, texts are longer or shorter, in other scripts, or of other words than in the reference, "
    "beyond the tolerance.",
    Parameter("column", str, "text", "the column of texts", column="text"),
    Parameter("of", str, "length", "what of a text is watched: its length, its script or its words", tuple(_OF)),
    Parameter("role", str, None, "watch messages of this role only", ROLES),
    either=True,
)
