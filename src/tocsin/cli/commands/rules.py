"""`tocsin rules`."""

from __future__ import annotations

from typing import Any, Literal

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, say, table


def rules(
    *,
    kind: Literal["", "personal_data", "secret", "injection", "tool_call"] = "",
    role: Literal["", "system", "user", "assistant", "tool", "retrieved"] = "",
    shared: Shared = DEFAULT,
) -> None:
    """List the rules of text detection, and how far each can be trusted. Needs no workspace.

    Parameters
    ----------
    kind
        Only rules of this kind.
    role
        As measured in messages of this role; default: all roles together.
    """
    from tocsin.service import rules as service

    emit(service.listed(kind, role), shared, _list)


def _list(found: Any) -> None:
    cells = (
        (
            r.id,
            r.kind,
            r.title,
            r.confidence,
            f"{r.precision:.3f}",
            f"{r.precision_low:.3f}",
            f"{r.alarms:g} (at most {r.alarms_high:g})",
        )
        for r in found.rules
    )
    heads = ("rule", "kind", "finds", "confidence", "precision", "at least", "false per 1,000")
    table(heads, cells, right=("confidence", "precision", "at least"))
    say(
        f"{counted(len(found.rules), 'rule')}. Precision where {found.base:.0%} of the texts hold an item; bounds of 95 %.",
        "bold",
    )
    if found.unmeasured:
        say(f"Not measured: {', '.join(found.unmeasured)}.")
