"""Calibration: do scores mean what they say, sum of (label - score) = 0? The test of what `estimated_error` assumes."""

from tocsin.detect.streams import labelled
from tocsin.detect.streams.watch import kind
from tocsin.model.finding import Category

MEASURE = labelled.calibration(
    "calibration",
    Category.MODEL_FAILURE,
    harm="Scores are no longer probabilities: what is decided or estimated from them is off.",
    tag="nist.ai_rmf.MEASURE-2.5",
)

DETECTOR = kind(
    MEASURE,
    "Calibration",
    "An alarm says: in the traffic served, outcomes are more (or less) frequent than the scores say, beyond the tolerance.",
    labelled.CENTRE,
    sources=("Dawid, JASA 77 (1982) 605 (calibration)",),
    required=("score", "label"),
)
