"""Tocsin: the AI incident response policy that runs.

import tocsin
found = tocsin.compare(reference, current, decision="approved", group="sex")
print(found.beyond)
for found in tocsin.scan(["my card is 4111 1111 1111 1111"]):
    print(found.findings, found.scores)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.detect.comparing.report import Comparison
    from tocsin.service.texts import Scan

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "redact", "scan"]


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


def scan(texts: Any, roles: Sequence[str] | str = "user") -> list[Scan]:
    """What stands in each of the texts: personal data, secrets and attack wording, and how much like an attack each reads.

    `texts` is a list of str, bytes or None, or an Arrow array of them; `roles` says whose message each is: system, user, assistant,
    tool or retrieved; one for all or one for each.

    Raises:
        UsageFault: a role is unknown, there are not as many roles as texts, or `texts` is a single text.
    """
    from tocsin.service import texts as service

    return service.scan(texts, roles)


def redact(texts: Sequence[str], roles: Sequence[str] | str = "user") -> list[str]:
    """The texts with personal data and secrets replaced by what they are: `[e-mail address at ***.eu]`. Raises as `scan` does."""
    from tocsin.service import texts as service

    return service.redact(texts, roles)
