"""Equal opportunity: among those who deserve the positive decision, does every group get it equally often (equal TPR)?"""

from tocsin.detect.streams.groups import PARAMETERS, build
from tocsin.detect.streams.telling import Comparison, Part
from tocsin.model.detector import DetectorKind
from tocsin.model.finding import Category

PART = Part(
    label=True,
    rate="true positive rate",
    noun="The true positive rate",
    harm="Qualified people of one group are passed over more often.",
)

COMPARISON = Comparison(
    name="equal_opportunity",
    parts=(PART,),
    blind_spots=(
        "Labels that carry the same bias as the decision hide it.",
        "Where labels exist only for accepted cases, the rate describes those cases only.",
        "A row counts with the label that it came with: rows that are logged when their label is known count in the windows of that time.",
    ),
    next_steps=(
        "Compare the release dates of the model with the date of the change.",
        "Read a sample of the rows: qualified, refused, of the disadvantaged group.",
        "Check where the labels come from, and whether that differs by group.",
    ),
    tags=("nist.ai_rmf.MEASURE-2.11",),
)

DETECTOR = DetectorKind(
    name="equal_opportunity",
    title="Equal opportunity",
    category=Category.BIAS,
    table="predictions",
    parameters=PARAMETERS,
    claims="An alarm says that, in the traffic served, one group's true positive rate exceeds another's by more than the tolerance.",
    blind_spots=COMPARISON.blind_spots,
    sources=(
        "Hardt, Price & Srebro, arXiv:1610.02413",
        "Clerico, arXiv:2412.02640",
        "Turner & Grünwald, arXiv:2203.09785",
    ),
    build=lambda setting: build(COMPARISON, setting),
    required=("decision", "label"),
)
