"""Calibration within groups: does a score mean the same for every group?"""

from tocsin.detect.streams import labelled
from tocsin.detect.streams.watch import kind
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category

MEASURE = labelled.calibration(
    "calibration_within_groups",
    Category.BIAS,
    harm="A score promises this group something else than it keeps.",
    tag="nist.ai_rmf.MEASURE-2.11",
)

DETECTOR = kind(
    MEASURE,
    "Calibration within groups",
    "An alarm says: in the traffic served, a group's outcomes are more (or less) frequent than its scores say, beyond the tolerance.",
    labelled.CENTRE,
    Parameter("group", str, None, "the attribute whose values are watched one by one", required=True),
    sources=("Pleiss et al., arXiv:1709.02012 (calibration within groups)",),
    required=("score", "label"),
    by="group",
)
