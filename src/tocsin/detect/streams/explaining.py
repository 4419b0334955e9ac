"""Which segment explains an alarm, and which of many streams changed: e-BH, false-discovery control under any dependence.

Source: Wang & Ramdas, arXiv:2009.02824. The e-values are those of now, never running maxima (Tavyrikov et al., arXiv:2501.19360).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import NamedTuple

from tocsin.model.event import Json

LEVEL = 0.05
SHOWN = 3
LOG_MAX = 700.0


class Segment(NamedTuple):
    """A part of the stream: its rows and rate in the last window, its normal rate, and the evidence that it strayed."""

    name: str
    rows: int
    rate: float
    normal: float
    log_e: float

    @property
    def share(self) -> float:
        """How much of the whole change it brings: rows times distance from normal."""
        return self.rows * abs(self.rate - self.normal)

    def told(self) -> Mapping[str, Json]:
        """For a finding's details."""
        numbers = {"rate": self.rate, "normal": self.normal, "e_value": exp(min(self.log_e, LOG_MAX))}
        return {"segment": self.name, "rows": self.rows} | {name: round(n, 6) for name, n in numbers.items()}


def discovered(segments: Sequence[Segment], level: float = LEVEL) -> list[Segment]:
    """Those that changed, the ones that bring most of the change first; at most `level` of them wrongly, on average."""
    named = named_by_ebh({segment.name: segment.log_e for segment in segments}, level)
    return sorted((s for s in segments if s.name in named), key=lambda s: (-s.share, s.name))


def named_by_ebh(log_e: Mapping[str, float], level: float = LEVEL) -> set[str]:
    """The names whose e-values reject: the largest k whose k-th e-value is at least count / (k level)."""
    ranked = sorted(log_e, key=lambda name: (-log_e[name], name))
    passing = [k for k, name in enumerate(ranked, 1) if log_e[name] >= log(len(ranked) / (k * level))]
    return set(ranked[: max(passing, default=0)])


def explained(segments: Sequence[Segment]) -> str:
    """The segments in words, empty when there is none."""
    if not segments:
        return ""
    told = "; ".join(f"{s.name} ({s.rate:.1%}, normally {s.normal:.1%})" for s in segments[:SHOWN])
    return f" It is found in: {told}."
