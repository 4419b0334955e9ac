"""What detectors that compare decisions and scores with labels have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from tocsin.detect.streams.measure import Amounts, Measure, flag, numbers
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category

LATE = "A row counts with the label that it came with: rows logged when their label is known count in the windows of that time."
SOME = "Labels that exist for some decisions only describe those decisions only."
UNIT_SCORES = "Rows whose score is not between 0 and 1 do not count."
RELEASES = "Compare the release dates of the model with the date of the change."
FEATURES = "Look at drift of the features and of the labels since that date."
CENTRE = Parameter("limit", float, 0.0, "the mean of label minus score that scores should have", low=-0.9, high=0.9)


def performance(
    name: str,
    noun: str,
    amounts: Callable[[pa.RecordBatch, Mapping[str, Any]], Amounts],
    *,
    harm: str,
    blind_spot: str,
    direction: Literal["up", "down"] = "up",
) -> Measure:
    """A measure of decisions against labels."""
    return Measure(
        name=name,
        category=Category.MODEL_FAILURE,
        table="predictions",
        noun=noun,
        columns=lambda _: ("decision", "label"),
        amounts=amounts,
        direction=direction,
        harm=harm,
        blind_spots=(LATE, SOME, blind_spot),
        next_steps=(RELEASES, FEATURES, "Read a sample of the rows; look at the segments that the finding names."),
        tags=("nist.ai_rmf.MEASURE-2.5",),
    )


def wrong(batch: pa.RecordBatch, _: Mapping[str, Any]) -> Amounts:
    """Rows with decision and label, and whether they differ."""
    (decided, decision), (labelled, label) = flag(batch, "decision"), flag(batch, "label")
    return Amounts(decided & labelled, (decision != label).astype(float))


def surprise(batch: pa.RecordBatch, _: Mapping[str, Any]) -> Amounts:
    """Label minus score, from -1 to 1: zero on average when scores are probabilities."""
    (labelled, label), (scored, score) = flag(batch, "label"), numbers(batch, "score")
    counts = labelled & scored & (score >= 0) & (score <= 1)
    return Amounts(counts, np.where(counts, (label - score + 1) / 2, 0.0))


def calibration(name: str, category: Category, *, harm: str, tag: str) -> Measure:
    """A measure of scores against labels."""
    return Measure(
        name=name,
        category=category,
        table="predictions",
        noun="calibration error",
        columns=lambda _: ("score", "label"),
        amounts=surprise,
        fraction=True,
        span=lambda _: (-1.0, 1.0),
        unit=lambda _: "(label minus score)",
        direction="both",
        harm=harm,
        blind_spots=("Scores too high in one range and too low in another cancel out.", SOME, UNIT_SCORES),
        next_steps=(
            "Do not rely on performance estimated without labels until this is settled.",
            "Fit the calibration anew on labelled rows from after the change.",
            "Look at drift of the labels: did the base rate move?",
        ),
        tags=(tag,),
    )
