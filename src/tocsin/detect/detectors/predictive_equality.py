"""Predictive equality: among those who do not deserve the positive decision, is every group spared equally often (equal FPR)?"""

from tocsin.detect.streams.groups import PARAMETERS, build
from tocsin.detect.streams.telling import Comparison, Part
from tocsin.model.detector import DetectorKind
from tocsin.model.finding import Category

PART = Part(
    label=False,
    rate="false positive rate",
    noun="The false positive rate",
    harm="Where the positive decision is a burden, people of one group bear it wrongly more often.",
)

COMPARISON = Comparison(
    name="predictive_equality",
    parts=(PART,),
    blind_spots=(
        "Labels that carry the same bias as the decision hide it.",
        "Where the positive decision is a benefit, a higher false positive rate favours the group: read the direction.",
        "A row counts with the label that it came with: rows that are logged when their label is known count in the windows of that time.",
    ),
    next_steps=(
        "Compare the release dates of the model with the date of the change.",
        "Read a sample of the rows: wrongly flagged, of the group with the higher rate.",
        "Check where the labels come from, and whether that differs by group.",
    ),
    tags=("nist.ai_rmf.MEASURE-2.11",),
)

DETECTOR = DetectorKind(
    name="predictive_equality",
    title="Predictive equality",
    category=Category.BIAS,
    table="predictions",
    parameters=PARAMETERS,
    claims="An alarm says that, in the traffic served, one group's false positive rate exceeds another's by more than the tolerance.",
    blind_spots=COMPARISON.blind_spots,
    sources=("Chouldechova, arXiv:1703.00056", "Clerico, arXiv:2412.02640", "Turner & Grünwald, arXiv:2203.09785"),
    build=lambda setting: build(COMPARISON, setting),
    required=("decision", "label"),
)
