"""Equalized odds: do groups have equal true positive rates and equal false positive rates?

One process per statement "a > b": the mean of the e-processes of the two rates. It is an e-process of the null that neither rate of a
exceeds that of b by more than the tolerance, so asking for both costs a factor of two of evidence at most. The finding names the rate
that says more.
"""

from tocsin.detect.streams.groups import PARAMETERS, build
from tocsin.detect.streams.telling import Comparison, Part
from tocsin.model.detector import DetectorKind
from tocsin.model.finding import Category

COMPARISON = Comparison(
    name="equalized_odds",
    parts=(
        Part(
            label=True,
            rate="true positive rate",
            noun="The true positive rate",
            harm="Those who deserve the positive decision do not get it equally often.",
            mark="TPR ",
        ),
        Part(
            label=False,
            rate="false positive rate",
            noun="The false positive rate",
            harm="Those who do not deserve the positive decision do not get it equally often.",
            mark="FPR ",
        ),
    ),
    blind_spots=(
        "Labels that carry the same bias as the decision hide it.",
        "Where labels exist only for accepted cases, the rates describe those cases only.",
        "Names the rate that says more; the other one may differ as well.",
        "A row counts with the label that it came with: rows that are logged when their label is known count in the windows of that time.",
    ),
    next_steps=(
        "Compare the release dates of the model with the date of the change.",
        "If both rates moved the same way look at the threshold of the group; if one did, at the features of those with that label.",
        "Check where the labels come from, and whether that differs by group.",
    ),
    tags=("nist.ai_rmf.MEASURE-2.11",),
)

DETECTOR = DetectorKind(
    name="equalized_odds",
    title="Equalized odds",
    category=Category.BIAS,
    table="predictions",
    parameters=PARAMETERS,
    claims="An alarm says: in the traffic served, a group's true or false positive rate exceeds another's by more than the tolerance.",
    blind_spots=COMPARISON.blind_spots,
    sources=(
        "Hardt, Price & Srebro, arXiv:1610.02413",
        "Vovk & Wang, arXiv:1912.06116 (the mean of e-values)",
        "Turner & Grünwald, arXiv:2203.09785",
    ),
    build=lambda setting: build(COMPARISON, setting),
    required=("decision", "label"),
)
