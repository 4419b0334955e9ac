"""Tocsin: the AI incident response policy that runs.

import tocsin
found = tocsin.compare(reference, current, decision="approved", group="sex")
print(found.beyond)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.detect.comparing.report import Comparison

__version__ = "0.1.0"
__all__ = ["__version__", "compare"]


def compare(
    reference: Any,
    current: Any,
    *,
    decision: str = "",
    label: str = "",
    group: str | Sequence[str] = (),
    score: str = "",
    unit: str = "",
    positive: str = "",
    psi: float = 0.1,
    rate: float = 0.02,
    shift: float = 0.1,
    confidence: float = 0.95,
) -> Comparison:
    """Two sets of rows side by side: every column, performance and groups, with intervals; as `tocsin compare`.

    Each is a pandas, Polars or Arrow frame, a dictionary of columns, or the path of a file or folder. The named columns play their
    part; psi, shift and rate are what is accepted.

    Raises:
        UsageFault: a name that is in neither, or something that is no frame.
        BadInput: a label or decision that is neither yes nor no, or a file that cannot be read.
    """
    from tocsin.detect.comparing.effects import Tolerances
    from tocsin.detect.comparing.plan import Roles
    from tocsin.service import contrasting

    groups = (group,) if isinstance(group, str) and group else tuple(group)
    roles = Roles(label, decision, score, unit, groups, positive)
    return contrasting.compare(reference, current, roles, Tolerances(psi, shift, rate), confidence)
