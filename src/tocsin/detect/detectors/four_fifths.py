"""Four fifths: does every group get the positive decision at least four fifths as often as any other?

The rule of thumb of the Uniform Guidelines on Employee Selection Procedures (29 CFR 1607.4 D), as a test: the null of the statement
"a > b" is 0.8 R_a - R_b <= 0, the contrast (0.8, -1) of the one construction. Its verdict is "violated" or "not shown": what was not
shown may still be there, and near a ratio of 0.8 it takes long to show.
"""

from tocsin.detect.streams.groups import RELATIVE, build
from tocsin.detect.streams.telling import Comparison, Part
from tocsin.model.detector import DetectorKind
from tocsin.model.finding import Category

PART = Part(
    label=None,
    rate="rate of positive decisions",
    noun="The rate of positive decisions",
    harm="By the four-fifths rule that is evidence of adverse impact.",
)

COMPARISON = Comparison(
    name="four_fifths",
    parts=(PART,),
    blind_spots=(
        "Slow where the true ratio is near the one asked: watch group parity with a tolerance beside it.",
        "A difference in merit between the groups looks the same as bias: compare with equal opportunity, which uses labels.",
        "The rule speaks of rates of selection: where the positive decision is a burden, set up the decision the other way round.",
        "Groups inside the groups (intersections) are compared where `crossed_with` asks for it only.",
    ),
    next_steps=(
        "Compare the release dates of the model with the date of the change.",
        "Ask whether the criterion that selects is job-related and necessary, and whether one with less impact would serve.",
        "Look at the features that moved for the disadvantaged group, proxies first.",
    ),
    tags=("nist.ai_rmf.MEASURE-2.11",),
    relative=True,
)

DETECTOR = DetectorKind(
    name="four_fifths",
    title="Four fifths",
    category=Category.BIAS,
    table="predictions",
    parameters=RELATIVE,
    claims="An alarm says: in the traffic served, one group's rate of positive decisions is less than `ratio` of another's.",
    blind_spots=COMPARISON.blind_spots,
    sources=("29 CFR 1607.4(D)", "Clerico, arXiv:2412.02640", "Shin, Ramdas & Rinaldo, arXiv:2203.03532"),
    build=lambda setting: build(COMPARISON, setting),
    required=("decision",),
)
