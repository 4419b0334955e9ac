"""What detectors saw, as the parts of a report: one chapter for each detector, then the data itself and what all promise together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tocsin.adapters.documents import parts
from tocsin.adapters.documents.comparison import amount
from tocsin.adapters.documents.parts import Heading, Part, Table, Text
from tocsin.detect.overview import Alarm, Overview, Sheet

ALARMS_SHOWN = 10
"""Of each detector, the newest."""
SOURCES_SHOWN = 50
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


def page(found: Overview) -> str:
    """The report for a browser."""
    return parts.as_page(title(found), report(found))


def fragment(found: Overview) -> str:
    """The report without the page around it, for a notebook."""
    return parts.as_fragment(report(found))


def as_pdf(found: Overview) -> bytes:
    """The report as PDF, dated by the last window that it holds. Raises EnvironmentFault when it cannot be set."""
    return parts.as_pdf(title(found), report(found), found.upto or BEGIN)


def title(found: Overview) -> str:
    """What the report is about."""
    return f"Monitoring of {found.name}"


def report(found: Overview) -> Iterator[Part]:
    """The whole report."""
    upto = f"{found.upto:%Y-%m-%d %H:%M} UTC" if found.upto else "no window was judged yet"
    yield Text(f"System {found.system}; judged up to {upto}.")
    alarmed = [sheet for sheet in found.sheets if sheet.state == "alarm"]
    if alarmed:
        yield Text(f"In alarm: {', '.join(sheet.detector for sheet in alarmed)}.", alarm=True)
    rows = tuple((s.detector, s.title, s.state, f"{s.windows:,}", f"{len(s.alarms):,}", _last(s)) for s in found.sheets)
    if rows:
        yield Table("Detectors", ("detector", "what", "state", "windows", "alarms", "last alarm"), rows, (3, 4))
    yield Heading("How many false alarms to expect")
    yield parts.lines(*(found.false_alarms or ("No detector states a guarantee.",)))
    for sheet in found.sheets:
        yield from _sheet(sheet)
    yield from _data(found)


def _sheet(sheet: Sheet) -> Iterator[Part]:
    yield Heading(f"{sheet.title}: {sheet.detector}")
    yield Text(f"State: {sheet.state}.", alarm=sheet.state == "alarm")
    yield parts.facts("What holds", sheet.facts)
    yield from sheet.charts
    if sheet.rates:
        heads = ("series", "rows", "rate", "from", "to")
        rows = (
            (rate.name, f"{rate.rows:,}", *(amount(value, rate.unit) for value in (rate.value, rate.low, rate.high)))
            for rate in sheet.rates
        )
        yield Table("Since the present state began, with 95 % confidence sequences", heads, tuple(rows), (1, 2, 3, 4))
    shown = sheet.alarms[-ALARMS_SHOWN:]
    if shown:
        more = f", the newest {len(shown)} of {len(sheet.alarms):,}" if len(shown) < len(sheet.alarms) else ""
        yield Heading(f"Alarms{more}", 3)
    for alarm in reversed(shown):
        yield from _alarm(alarm)
    yield Heading("What it does not guarantee", 3)
    yield parts.lines(*sheet.not_seen)


def _alarm(alarm: Alarm) -> Iterator[Part]:
    yield Text(f"{alarm.at:%Y-%m-%d %H:%M} UTC: {alarm.title}")
    since = f"{alarm.since:%Y-%m-%d %H:%M} UTC" if alarm.since else ""
    pairs = (
        ("what happened", alarm.explanation),
        ("since about", since),
        ("effect, 95 % interval", alarm.effect),
        ("evidence", alarm.evidence),
        ("guarantee and mode", alarm.guarantee),
    )
    yield parts.facts(f"Finding {alarm.finding}", [pair for pair in pairs if pair[1]])


def _data(found: Overview) -> Iterator[Part]:
    """What became of the rows that came in."""
    if not found.sources:
        return
    yield Heading("The data")
    rows, bad = (sum(each) for each in zip(*((s.rows, s.quarantined) for s in found.sources), strict=True))
    share = f"{bad / (rows + bad):.2%}" if rows + bad else "none"
    yield Text(f"{len(found.sources):,} files; {rows:,} rows kept, {bad:,} put into quarantine ({share}).")
    shown = found.sources[-SOURCES_SHOWN:]
    yield Table(
        "Files" if len(shown) == len(found.sources) else f"The newest {len(shown)} files",
        ("file", "rows", "in quarantine", "why", "duplicates", "of other systems"),
        tuple(
            (
                s.name,
                f"{s.rows:,}",
                f"{s.quarantined:,}",
                "; ".join(f"{reason} {count:,}" for reason, count in s.reasons.items()),
                f"{s.duplicates:,}",
                f"{s.left_out:,}",
            )
            for s in shown
        ),
        (1, 2, 4, 5),
    )


def _last(sheet: Sheet) -> str:
    return f"{sheet.alarms[-1].at:%Y-%m-%d %H:%M} UTC" if sheet.alarms else "-"
