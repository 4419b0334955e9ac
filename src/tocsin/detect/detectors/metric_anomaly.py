"""Metric anomaly: a value a window (mean latency, sum of cost, number of rows) that its own last two weeks do not explain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tocsin.detect.streams.metric import BLIND_SPOTS, MetricWatch
from tocsin.model.detector import DetectorKind, Parameter
from tocsin.model.finding import Category


def _check(parameters: Mapping[str, Any]) -> tuple[str, str] | None:
    if parameters["statistic"] != "rows" and not parameters["column"]:
        return "column", "name the column of numbers, or set statistic to rows"
    if parameters["statistic"] == "rows" and parameters["column"]:
        return "column", "rows are counted without a column: leave it out"
    return None


DETECTOR = DetectorKind(
    name="metric_anomaly",
    title="Metric anomaly",
    category=Category.MODEL_FAILURE,
    table="interactions",
    parameters=(
        Parameter("column", str, None, "the column of numbers; none where rows are counted", column="number"),
        Parameter("statistic", str, "mean", "what is watched of a window", ("mean", "sum", "rows")),
        Parameter("unit_name", str, "", "the unit of the numbers, for display"),
        Parameter("season", str, "auto", "auto: a day, or a week of windows of a day; or none", ("auto", "none")),
        Parameter("windows_of_reference", int, 48, "windows that are only learnt from", low=20, high=4_032),
        Parameter(
            "windows_per_false_alarm", int, 2_000, "windows per accepted false alarm (measured, no guarantee)", low=10
        ),
    ),
    claims=(
        "An alarm says: this window jumps, strays from the same time of the day before or is restless, as the past two weeks hardly ever "
        "did. About one false alarm in `windows_per_false_alarm` windows or fewer: measured, not guaranteed, and outside the budget."
    ),
    blind_spots=BLIND_SPOTS,
    sources=(
        "Fisher, Statistical Methods for Research Workers (1932), section 21.1",
        "Siffer et al., Anomaly Detection in Streams with Extreme Value Theory, KDD 2017",
        "Lavin & Ahmad, Evaluating Real-Time Anomaly Detection Algorithms, arXiv:1510.03336",
    ),
    build=MetricWatch,
    either=True,
    check=_check,
)
