"""`tocsin verify`, `tocsin checkpoint`, `tocsin export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import bars, clean, counted, emit
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED


def verify(
    place: Path | None = None,
    *,
    checkpoint: Annotated[list[Path] | None, Parameter(negative="")] = None,
    deep: Annotated[bool, Parameter(negative="")] = False,
    proof: int | None = None,
    shared: Shared = DEFAULT,
) -> int:
    """Verify the ledger, or a bundle that was exported from one.

    Exit code 1 when anything was changed, removed, inserted, reordered or cut off; each such event is named.

    Parameters
    ----------
    place
        A workspace or a bundle; default: this workspace.
    checkpoint
        A checkpoint that was kept elsewhere; may be repeated.
    deep
        Check telemetry segments and evidence, too.
    proof
        Print the proof that the event of this number stands in the ledger.
    """
    from tocsin.service import verifying

    root = place or shared.root()
    if proof is not None:
        emit(verifying.prove(root, proof), shared, _inclusion)
        return EXIT_OK
    with bars(shared) as progress:
        result = verifying.verify(root, checkpoint or (), deep=deep, progress=progress)
    emit(result, shared, _verified)
    return EXIT_OK if result.ok else EXIT_REFUSED


def _verified(result: Any) -> None:
    """Plain prints: a verifier must start at once."""
    for fault in result.faults:
        print(clean(f"WRONG: {fault}"))
    parts = [counted(result.events, "event"), counted(result.checkpoints, "checkpoint")]
    if result.segments or result.evidence:
        parts += [counted(result.segments, "segment"), f"{counted(result.evidence, 'piece')} of evidence"]
    print(f"{'Verified' if result.ok else 'NOT VERIFIED'}: {', '.join(parts)}")
    print(f"root {result.root}")


def _inclusion(proof: Any) -> None:
    print(clean(proof.event))
    print(f"leaf {proof.leaf}\nstands at {proof.sequence} of {proof.size} under root {proof.root}")
    for node in proof.proof:
        print(f"  {node}")


def checkpoint(*, out: Path | None = None, shared: Shared = DEFAULT) -> None:
    """Sign the present head of the ledger.

    Keep the checkpoint where the machine's owner cannot change it: then nobody can rewrite or cut the ledger unseen.

    Parameters
    ----------
    out
        Write it here as well.
    """
    from tocsin.service import verifying
    from tocsin.service.clock import wall_clock

    made = verifying.checkpoint(shared.root(), wall_clock, out)
    emit(made, shared, lambda c: print(f"{c.text}\nkept in {c.path}\nkey {c.key}"))


def export(out: Path, *, shared: Shared = DEFAULT) -> None:
    """Write a bundle that anybody can verify offline, with Python alone.

    Parameters
    ----------
    out
        The folder to make.
    """
    from tocsin.service import verifying
    from tocsin.service.clock import wall_clock

    made = verifying.export(shared.root(), out, wall_clock)
    emit(
        made,
        shared,
        lambda e: print(f"{counted(e.events, 'event')} in {e.path}; verify with: python {e.path}/verify.py"),
    )
