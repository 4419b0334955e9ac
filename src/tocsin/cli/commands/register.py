"""`tocsin register`: texts that must not come out, and canaries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import counted, emit, say, table


def text(
    file: Path,
    *,
    system: Annotated[str, Parameter(name=["--system", "-s"])],
    name: Annotated[str, Parameter(name="--id")],
    kind: str = "system_prompt",
    shared: Shared = DEFAULT,
) -> None:
    """Register a text that must not come out of a system. Only keyed hashes of it are kept.

    Parameters
    ----------
    file
        The text, in UTF-8.
    system
        The system that must not say it.
    name
        An id for it; findings name it.
    kind
        system_prompt, reference or corpus; a corpus may be quoted in short, so that only its share is watched.
    """
    from tocsin.service import registering

    with shared.desk() as desk:
        entry = registering.add(desk, system, name, kind, file)
    emit(entry, shared, lambda one: say(f"Registered {one.id} for {one.system}: {counted(one.stretches, 'stretch')}."))


def canary(
    *,
    system: Annotated[str, Parameter(name=["--system", "-s"])],
    name: Annotated[str, Parameter(name="--id")],
    shared: Shared = DEFAULT,
) -> None:
    """Make a canary: a token to plant in a prompt or a document. It is shown once.

    Parameters
    ----------
    system
        The system in which it is planted.
    name
        An id for it: say where it is planted. Findings name it.
    """
    from os import urandom

    from tocsin.service import registering

    with shared.desk() as desk:
        entry = registering.canary(desk, system, name, urandom)
    emit(entry, shared, _made)


def _made(entry: Any) -> None:
    say(entry.token, "bold")
    say("Plant it where nobody but the system reads, for instance in the system prompt. It is not shown again.")


def list_(*, shared: Shared = DEFAULT) -> None:
    """List what is registered; nothing of the texts is shown."""
    from tocsin.service import registering

    with shared.desk() as desk:
        found = registering.entries(desk)
    emit(found, shared, _listed)


def _listed(found: list[Any]) -> None:
    rows = [(one.id, one.kind, one.system, f"{one.stretches:,}" if one.stretches else "") for one in found]
    table(("id", "kind", "system", "stretches"), rows) if rows else say("Nothing is registered.")


def forget(name: str, *, shared: Shared = DEFAULT) -> None:
    """Forget a registered text or canary; what was found with it stays.

    Parameters
    ----------
    name
        Its id.
    """
    from tocsin.service import registering

    with shared.desk() as desk:
        registering.remove(desk, name)
    emit({"id": name}, shared, lambda one: say(f"Forgot {one['id']}."))
