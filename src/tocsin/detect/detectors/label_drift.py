"""Label drift: has the share of what turns out to be true changed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tocsin.detect.streams.drifting.drift import kind
from tocsin.detect.streams.drifting.looking import HIDDEN, Looked, Values, of_flags
from tocsin.detect.streams.labelled import LATE, SOME


def _values(batch: pa.RecordBatch, _: Mapping[str, Any]) -> Values:
    return of_flags(batch, "label")


LOOKED = Looked(
    name="label_drift",
    table="predictions",
    columns=lambda _: ("label",),
    values=_values,
    ordered=lambda _: False,
    subject=lambda _: "the label",
    harm="What the model predicts has become more or less frequent: thresholds and calibrated scores no longer fit.",
    blind_spots=(*HIDDEN, LATE, SOME),
    next_steps=(
        "Ask whether the world changed or the labelling: a new team, a new definition, a source of labels that is late?",
        "Look at calibration since that date, and fit it anew if the change is real.",
    ),
)

DETECTOR = kind(
    LOOKED,
    "Label drift",
    "An alarm says: among the rows that have a label, positive ones are more or less frequent than in the reference, beyond the tolerance.",
    required=("label",),
)
