"""`tocsin monitor`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import bars, emit, heading, say, span, table
from tocsin.model.errors import EXIT_OK, UsageFault

WRITERS = (".html", ".htm", ".pdf")


def plan(
    *,
    system: Annotated[str | None, Parameter(name=["--system", "-s"])] = None,
    rows: Annotated[float | None, Parameter(name=["--rows", "--rows-per-window"])] = None,
    rate: float | None = None,
    windows_per_day: float | None = None,
    units: int | None = None,
    icc: float | None = None,
    share: tuple[float, ...] = (),
    shock: float | None = None,
    within: int | None = None,
    effect: tuple[float, ...] = (),
    kind: str | None = None,
    limit: float | None = None,
    tolerance: float | None = None,
    guarantee: str | None = None,
    own: Annotated[bool, Parameter(negative="")] = False,
    html: Path | None = None,
    shared: Shared = DEFAULT,
) -> int:
    """Tell how soon which change would be found, by simulation of the detectors themselves.

    With --system: its detectors with their settings and budget, on the traffic of its telemetry; what is said of the traffic here
    prevails. Without: one detector on the traffic that is described, and no workspace is needed.

    Parameters
    ----------
    system
        The system whose detectors are planned.
    rows
        Rows in a window, of all groups together.
    rate
        The rate before the change, as a share.
    windows_per_day
        Windows in a day: delays are then told in hours and days, too.
    units
        People, accounts or sessions that come back in every window; none: every row is one of its own.
    icc
        Correlation between the rows of one unit, from 0 to 0.95.
    share
        Share of the rows of each group; name it once for each.
    shock
        Standard deviation of the logarithm of what multiplies the rate of a whole window.
    within
        Windows within which a change is to be found: 30.
    effect
        Size of a change beyond what is accepted, in the detector's units; name it again for more.
    kind
        Without --system: the kind of detector; error_rate, or group_parity with --share.
    limit
        Without --system: the limit that the rate is compared with; default: the rate.
    tolerance
        Without --system: so much beyond the limit, or between groups, is accepted.
    guarantee
        Without --system: pfa or sr.
    own
        Without --system: compare with the stream's own first windows instead of a limit.
    html
        Write the plan with plots to this file, too.
    """
    from tocsin.detect.planning.power import WITHIN
    from tocsin.detect.planning.scenarios import Assumed
    from tocsin.service import planning

    assumed = Assumed(rows, rate, units, icc, share, shock)
    asked = planning.Asked(assumed, windows_per_day, WITHIN if within is None else within, effect)
    settings = {"limit": limit, "tolerance": tolerance, "guarantee": guarantee}
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    if system is not None:
        _refuse(kind=kind, own=own, **given)
        with shared.desk() as desk, bars(shared) as progress:
            made = planning.plan(desk, system, asked, progress)
    else:
        made = planning.plan_kind(*_chosen(kind, given, assumed, own=own), asked)
    if html:
        from tocsin.adapters.documents.planning import page
        from tocsin.adapters.files import told, write_atomically

        with told(html):
            write_atomically(html, page(made).encode())
    emit(made, shared, lambda _: _show(made, html))
    return EXIT_OK


def report(
    *,
    system: Annotated[str, Parameter(name=["--system", "-s"])],
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    shared: Shared = DEFAULT,
) -> int:
    """Report what the detectors of a system saw: their streams, evidence and alarms, and what they promise.

    Reads what `tocsin detect` recorded; the same ledger gives the same bytes.

    Parameters
    ----------
    system
        The system.
    out
        Write the report with plots to this file: .html or .pdf.
    """
    from tocsin.service.monitoring import overview

    if out is not None and out.suffix.lower() not in WRITERS:
        raise UsageFault(f"{out} is neither .html nor .pdf", "choose a name that ends in one of them")
    with shared.desk() as desk:
        found = overview(desk, system)
    if out is not None:
        from tocsin.adapters.documents import monitoring
        from tocsin.adapters.files import told, write_atomically

        made = monitoring.as_pdf(found) if out.suffix.lower() == ".pdf" else monitoring.page(found).encode()
        with told(out):
            write_atomically(out, made)
    emit(found, shared, lambda _: _show_report(found, out))
    return EXIT_OK


def _show_report(found: Any, out: Path | None) -> None:
    rows = (
        (sheet.detector, sheet.state, f"{sheet.windows:,}", f"{len(sheet.alarms):,}", _last(sheet))
        for sheet in found.sheets
    )
    table(("detector", "state", "windows", "alarms", "last alarm"), rows, right=("windows", "alarms"))
    for sheet in found.sheets:
        for rate in sheet.rates:
            say(f"{sheet.detector}: {rate}")
    for promise in found.false_alarms:
        say(promise)
    if out:
        say(f"Written: {out}")


def _last(sheet: Any) -> str:
    return f"{sheet.alarms[-1].at:%Y-%m-%d %H:%M} UTC  {sheet.alarms[-1].title}" if sheet.alarms else "-"


def _refuse(**given: Any) -> None:
    """Settings of a detector are those of the system's file."""
    for name in (name for name, value in given.items() if value):
        raise UsageFault(f"--{name} and --system do not go together", "a system's file says what its detectors do")


def _chosen(kind: str | None, given: dict[str, Any], assumed: Any, *, own: bool) -> tuple[str, dict[str, Any]]:
    """The kind of detector, and its parameters."""
    chosen = kind or ("group_parity" if assumed.shares else "error_rate")
    if assumed.shares:
        named = [f"group {place}" for place in range(1, len(assumed.shares) + 1)]
        return chosen, {"group": "group", "groups": named, **given}
    if own and "limit" in given:
        raise UsageFault("--own and --limit do not go together", "leave one of them out")
    limit = {} if own or assumed.rate is None or chosen != "error_rate" else {"limit": assumed.rate}
    return chosen, {**limit, **given}


def _show(made: Any, html: Path | None) -> None:
    for one in made.detectors:
        heading(f"{made.system} / {one.detector}" if made.system else one.detector)
        if one.power is None:
            say(f"  No plan: {one.reason}.")
            continue
        _show_power(one, made.within)
    if html:
        say()
        say(f"Written: {html}")


def _show_power(one: Any, within: int) -> None:
    from tocsin.adapters.documents.comparison import amount
    from tocsin.adapters.documents.planning import advised, introduced, smallest

    for line in introduced(one):
        say(f"  {line}")
    power = one.power
    columns = ("level", "beyond", "found", "half by window", "9 of 10 by window", "half within", "9 of 10 within")
    rows = (
        (
            amount(delay.level, power.unit),
            amount(delay.beyond, power.unit),
            f"{delay.found:.0%}",
            *(_windows(count, within) for count in (delay.median, delay.slow)),
            *(_time(count, one.window_hours) for count in (delay.median, delay.slow)),
        )
        for delay in power.delays
    )
    table(columns, rows, right=columns[1:])
    for line in (*smallest(one), *advised(one)):
        say(f"  {line}")


def _windows(count: int | None, within: int) -> str:
    return f"{count:,}" if count else f"> {within:,}"


def _time(count: int | None, hours: float | None) -> str:
    return "-" if not count or not hours else span(timedelta(hours=count * hours))
