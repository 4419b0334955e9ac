"""Group parity: is the rate of positive decisions the same for every group, up to the tolerance?"""

from tocsin.detect.streams.groups import PARAMETERS, build
from tocsin.detect.streams.telling import Comparison, Part
from tocsin.model.detector import DetectorKind
from tocsin.model.finding import Category

PART = Part(
    label=None,
    rate="rate of positive decisions",
    noun="The rate of positive decisions",
    harm="People of one group get the positive decision less often.",
)

COMPARISON = Comparison(
    name="group_parity",
    parts=(PART,),
    blind_spots=(
        "A difference in merit between the groups looks the same as bias: compare with equal opportunity, which uses labels.",
        "Groups inside the groups (intersections) are compared where `crossed_with` asks for it only.",
        "A shock that hits one group only for the length of a window counts as a change.",
    ),
    next_steps=(
        "Compare the release dates of the model with the date of the change.",
        "Look at the features that moved for the disadvantaged group, proxies first.",
        "Check equal opportunity on labelled rows: does the gap remain among the qualified?",
    ),
    tags=("nist.ai_rmf.MEASURE-2.11",),
)

DETECTOR = DetectorKind(
    name="group_parity",
    title="Group parity",
    category=Category.BIAS,
    table="predictions",
    parameters=PARAMETERS,
    claims="An alarm says: in the traffic served, one group's rate of positive decisions exceeds another's by more than the tolerance.",
    blind_spots=COMPARISON.blind_spots,
    sources=(
        "Clerico, arXiv:2412.02640",
        "Turner & Grünwald, arXiv:2203.09785",
        "Shin, Ramdas & Rinaldo, arXiv:2203.03532",
    ),
    build=lambda setting: build(COMPARISON, setting),
    required=("decision",),
)
