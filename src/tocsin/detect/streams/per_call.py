"""What one call uses: a number that is seldom negative and often heavy in its tail, so that its mean is cut off at a ceiling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from tocsin.detect.streams.contrast import Floats
from tocsin.detect.streams.measure import Amounts, Flags, Measure, between
from tocsin.detect.streams.watch import kind, limit_of
from tocsin.model.detector import DetectorKind, Parameter
from tocsin.model.finding import Category

Used = Callable[[pa.RecordBatch], tuple[Flags, Floats]]
"""(known, how much) of each call."""


def per_call(
    name: str, title: str, noun: str, used: Used, columns: tuple[str, ...], ceiling: Parameter, unit: Parameter
) -> DetectorKind:
    """The detector of the mean of what a call uses, between nothing and the ceiling; `unit` names the unit, for display."""
    measure = Measure(
        name=name,
        category=Category.MISUSE,
        table="interactions",
        noun=noun,
        columns=lambda _: columns,
        amounts=lambda batch, parameters: _amounts(used(batch), parameters),
        fraction=True,
        span=_span,
        unit=lambda parameters: str(parameters[unit.name]),
        harm="Every call uses more than is normal, and somebody pays for it.",
        blind_spots=(
            "The statement is about the mean of calls cut off at the ceiling, not about the bill: see `budget` for that.",
            "Few enormous calls count as calls at the ceiling; a ceiling far above the mean makes the detector slow.",
            "More calls of the usual size are not seen here: see `volume` and `budget`.",
        ),
        next_steps=(
            "Look at releases of prompts, models and prices since that date.",
            "Look at the longest calls of the sample: loops, pasted documents, or one account that is used by others?",
            "Watch `by: unit` or `by: model` where one of them is suspected.",
        ),
        tags=("owasp.llm.LLM10",),
    )
    claims = (
        f"An alarm says: in the traffic served, the {noun} is above the limit or what it was at first, beyond the tolerance. "
        "Formula: x = min(use, ceiling) / ceiling for every call with a known use, and the mean of x is bet against."
    )
    return kind(
        measure,
        title,
        claims,
        limit_of(f"the {noun} that is accepted", low=None, high=None),
        ceiling,
        unit,
        sources=("OWASP LLM10:2025 Unbounded Consumption",),
        required=columns[:1],
        check=_check,
    )


def _amounts(used: tuple[Flags, Floats], parameters: Mapping[str, Any]) -> Amounts:
    known, amount = used
    return Amounts(known, between(np.where(known, amount, 0.0), *_span(parameters)))


def _span(parameters: Mapping[str, Any]) -> tuple[float, float]:
    return 0.0, float(parameters["ceiling"])


def _check(parameters: Mapping[str, Any]) -> tuple[str, str] | None:
    limit, (_, ceiling) = parameters["limit"], _span(parameters)
    if limit is not None and not 0 < limit < ceiling:
        return "limit", f"the limit must lie between 0 and the ceiling ({ceiling:g})"
    return None
