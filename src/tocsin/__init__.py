"""Tocsin: the AI incident response policy that runs.

import tocsin
found = tocsin.compare(reference, current, decision="approved", group="sex")
print(found.beyond)
for found in tocsin.scan(["my card is 4111 1111 1111 1111"]):
    print(found.findings, found.scores)
watch = tocsin.watch(time="at", decision="approved", group="sex")
findings = watch.update(frame)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.detect.comparing.report import Comparison
    from tocsin.service.streaming import Watch
    from tocsin.service.texts import Scan

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "redact", "resume", "scan", "watch"]


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


def watch(
    *,
    time: str = "time",
    decision: str = "",
    label: str = "",
    score: str = "",
    unit: str = "",
    group: str | Sequence[str] = (),
    columns: Mapping[str, Any] | None = None,
    table: str = "predictions",
    detectors: Sequence[str | Mapping[str, Any]] = (),
    window: str | int = "1d",
    zone: str = "UTC",
    name: str = "stream",
    salt: bytes | None = None,
) -> Watch:
    """Detectors over a stream of frames, as `tocsin detect` runs them: `watch.update(frame)` gives the findings.

    The named columns play their part; `columns` maps any other column of telemetry to its source, as in a system's file, e.g.
    `{"feature.income": "income"}`, or those of messages with `table="interactions"`. `detectors` are kinds, or mappings as in a
    system's file; without them the columns choose. `window` is that of kinds and of chosen detectors: a length such as `6h`, or a
    number of rows. Times without an offset are in `zone`. `salt` decides how units fall into buckets; without it it is fresh.

    Raises:
        BadInput: a detector or a setting that does not exist or does not fit the columns; all mistakes at once.
        UsageFault: the columns allow no detector.
    """
    from tocsin.service import streaming

    groups = (group,) if isinstance(group, str) and group else tuple(group)
    roles = {
        "decision": decision,
        "label": label,
        "score": score,
        "unit": unit,
        **{f"group.{one}": one for one in groups},
    }
    named = {role: source for role, source in roles.items() if source}
    mapping = {"time": {"column": time, "zone": zone}, **named, **(columns or {})}
    return streaming.opened(mapping, table, detectors, window, name, salt)


def resume(data: bytes) -> Watch:
    """The watch of which `to_bytes` gave these bytes, to go on with. Raises BadInput when they are damaged."""
    from tocsin.service import streaming

    return streaming.resume(data)
