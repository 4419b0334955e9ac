"""`tocsin compare`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import bars, counted, emit, heading, say, table
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED


def compare(
    reference: Path,
    current: Path,
    *,
    label: str = "",
    decision: str = "",
    score: str = "",
    group: tuple[str, ...] = (),
    unit: str = "",
    positive: str = "",
    confidence: float = 0.95,
    psi: float = 0.1,
    shift: float = 0.1,
    rate: float = 0.02,
    html: Path | None = None,
    every: Annotated[bool, Parameter(negative="")] = False,
    shared: Shared = DEFAULT,
) -> int:
    """Compare two files of rows, column by column and group by group, with intervals.

    Reads Parquet, CSV and JSON lines, or folders of them; needs no workspace and records nothing. Exit code 1 when an effect is
    beyond its tolerance for sure, 0 when none is.

    Parameters
    ----------
    reference
        What is normal: a file or folder.
    current
        What is compared with it.
    label
        Column of what turned out true: yes or no; with --score a quantity, too.
    decision
        Column of what was decided: yes or no.
    score
        Column of the score behind the decision.
    group
        Column of groups to compare; name it again for more, which are crossed as well.
    unit
        Column of the person or account behind a row: intervals then allow for those who come back.
    positive
        The value of label and decision that means yes; default: true, yes, y, t, 1.
    confidence
        Of each interval, and of all verdicts together.
    psi
        So much is accepted of a population stability index.
    shift
        So much is accepted of a quantile's shift, in shares of the reference's distance from the 10th to the 90th percentile.
    rate
        So much is accepted of a difference of rates.
    html
        Write the report with plots to this file, too.
    every
        Show every effect, not only those that are not within tolerance.
    """
    from tocsin.adapters.files import told, write_atomically
    from tocsin.detect.comparing.effects import Tolerances
    from tocsin.detect.comparing.plan import Roles
    from tocsin.service.contrasting import compare as run

    roles = Roles(label, decision, score, unit, group, positive)
    with bars(shared) as progress:
        found = run(reference, current, roles, Tolerances(psi, shift, rate), confidence, progress)
    if html:
        from tocsin.adapters.documents.comparison import page

        with told(html):
            write_atomically(html, page(found).encode())
    emit(found, shared, lambda _: _show(found, html, every=every))
    return EXIT_REFUSED if found.beyond else EXIT_OK


def _show(found: Any, html: Path | None, *, every: bool) -> None:
    for side, word in ((found.reference, "reference"), (found.current, "current")):
        say(f"{word:<9}  {side.name}: {counted(side.rows, 'row')}")
    effects = list(found.effects())
    shown = [effect for effect in effects if every or effect.verdict != "within tolerance"]
    heading(f"{counted(len(effects), 'effect')}, {len(found.beyond):,} beyond tolerance")
    if shown:
        columns = ("about", "measure", "reference", "current", "effect", "interval", "tolerance", "")
        table(columns, _rows(shown), right=columns[2:7])
    if len(shown) < len(effects):
        say(f"{counted(len(effects) - len(shown), 'effect')} within tolerance; --every shows them")
    for about, note in _notes(found):
        say(f"{about}: {note}")
    say()
    for note in found.notes:
        say(note)
    if html:
        say(f"Written: {html}")


def _rows(effects: Iterable[Any]) -> Iterable[tuple[str, ...]]:
    from tocsin.adapters.documents.comparison import amount

    for e in effects:
        numbers = (amount(value, e.unit) for value in (e.reference, e.current, e.value))
        span = f"{amount(e.low, e.unit)} to {amount(e.high, e.unit)}"
        yield (e.about, e.measure, *numbers, span, amount(e.tolerance, e.unit), e.verdict.value)


def _notes(found: Any) -> Iterable[tuple[str, str]]:
    for part in (*found.columns, *found.fairness):
        yield from ((part.name, note) for note in part.notes)
    yield from ((left.name, f"not compared: {left.reason}") for left in found.left_out)
