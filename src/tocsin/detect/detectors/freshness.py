"""Freshness: whether rows keep coming, or nothing came for longer than is allowed."""

from __future__ import annotations

from tocsin.detect.streams.silence import BLIND_SPOTS, SilenceWatch
from tocsin.model.detector import DetectorKind, Parameter
from tocsin.model.finding import Category

DETECTOR = DetectorKind(
    name="freshness",
    title="Freshness",
    category=Category.MODEL_FAILURE,
    table="predictions",
    parameters=(Parameter("minutes", float, None, "so long nothing may come, in minutes", low=0.001, required=True),),
    claims="An alarm says: by the times of the rows, nothing came for longer than is allowed. No chance is involved.",
    blind_spots=BLIND_SPOTS,
    sources=("the times of the rows",),
    build=SilenceWatch,
    either=True,
)
