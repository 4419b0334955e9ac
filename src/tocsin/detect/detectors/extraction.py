"""Extraction: a client that copies the model by searching its threshold or by asking all over the input space."""

from __future__ import annotations

from tocsin.detect.streams.copying import BLIND_SPOTS, CopyWatch
from tocsin.model.detector import DetectorKind, Parameter
from tocsin.model.finding import Category

DETECTOR = DetectorKind(
    name="extraction",
    title="Model extraction",
    category=Category.ADVERSARIAL_ATTACK,
    table="predictions",
    parameters=(
        Parameter("columns", list, [], "the inputs whose coverage is watched; none: only the threshold", column="any"),
        Parameter("threshold", float, 0.5, "the score at which the decision turns"),
        Parameter("margin", float, 0.05, "scores closer than this to the threshold are near it", low=0),
        Parameter("near_ratio", float, 3.0, "times the fleet's share near the threshold that a client may have", low=1),
        Parameter("coverage_ratio", float, 1.25, "times the fleet's coverage that a client may have", low=1),
        Parameter("questions_min", int, 50, "rows of a client in a window from which it is judged", low=10),
        Parameter("windows_of_reference", int, 10, "windows that are only learnt from", low=1, high=4_032),
        Parameter("windows_per_false_alarm", int, 2_000, "windows per accepted false alarm", low=10),
    ),
    claims=(
        "An alarm says: one client is near the threshold more than `near_ratio` times as often as the fleet and than any client of the "
        "reference, or visits more than `coverage_ratio` times as many regions of the inputs as the fleet would with as many rows. At "
        "most about one false alarm in `windows_per_false_alarm` windows for independent rows of a client; outside the budget."
    ),
    blind_spots=BLIND_SPOTS,
    sources=(
        "MITRE ATLAS AML.T0024.002 Extract AI Model",
        "Tramèr et al., arXiv:1609.02943",
        "Hoeffding, Probability Inequalities for Sums of Bounded Random Variables (1963)",
        "Dubhashi & Ranjan, Balls and Bins: A Study in Negative Dependence (1998)",
        "Hurlbert, The Nonconcept of Species Diversity (1971): rarefaction",
    ),
    build=CopyWatch,
    required=("unit",),
)
