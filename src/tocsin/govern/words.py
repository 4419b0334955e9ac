"""What a gap is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Weight = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the policy leaves open: what, how heavy, what to do, and which clauses ask for it."""

    id: str
    """Stable, e.g. `review.overdue`."""
    weight: Weight
    what: str
    remedy: str
    answers: tuple[str, ...]
    """Clauses that stay unanswered, by number: ISO/IEC 42001:2023, NIST AI RMF 1.0, the EU AI Act."""
    file: str = "policy.yaml"
    field: str = ""
