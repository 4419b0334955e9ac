"""The parts of a document that is shown as a page and as PDF from the same words: headings, lists, tables, charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tocsin.adapters.documents import page, pdf, plots
from tocsin.adapters.documents.comparison import amount
from tocsin.model.chart import Chart


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a chapter (2) or of a part of one (3)."""

    words: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; `alarm` sets it apart."""

    words: str
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell heads its row. `numbers` are the places of columns of numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


Part = Heading | Text | Items | Table | Chart


def as_page(title: str, parts: Iterable[Part]) -> str:
    """The document for a browser; the table of a chart is folded away beneath it."""
    return page.document(title, (_shown(part) for part in parts))


def as_fragment(parts: Iterable[Part]) -> str:
    """The document without the page around it; pictures bring their colours."""
    return "\n".join(_shown(part, plots.STANDALONE) for part in parts)


def as_pdf(title: str, parts: Iterable[Part], at: datetime) -> bytes:
    """The document as PDF of this date, charts as pictures with their words. Raises EnvironmentFault as `pdf.report` does."""
    data = {"title": title, "prepared_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "parts": [_set(part) for part in parts]}
    return pdf.report(data, "monitor.typ")


def table_of(chart: Chart) -> Table:
    """The chart as a table."""
    rows = tuple((place, *(amount(value, chart.unit) for value in values)) for place, values in chart.rows())
    columns = chart.columns()
    return Table(chart.title, ("until", *columns[1:]), rows, tuple(range(1, len(columns))))


def _shown(part: Part, style: str = "") -> str:
    if isinstance(part, Heading):
        return page.heading(part.words, part.level)
    if isinstance(part, Text):
        return page.warning(part.words) if part.alarm else page.paragraph(part.words)
    if isinstance(part, Items):
        return page.items(part.lines)
    if isinstance(part, Table):
        return page.table(part.caption, part.columns, part.rows, part.numbers)
    folded = page.folded("The numbers of this plot", _shown(table_of(part)))
    return page.figure(plots.svg(part, style), f"{part.title}. {part.told}") + folded


def _set(part: Part) -> dict[str, Any]:
    """The part as data of the template."""
    if isinstance(part, Heading):
        return {"is": "heading", "words": part.words, "level": part.level}
    if isinstance(part, Text):
        return {"is": "alarm" if part.alarm else "text", "words": part.words}
    if isinstance(part, Items):
        return {"is": "items", "lines": part.lines}
    if isinstance(part, Table):
        return {
            "is": "table",
            "words": part.caption,
            "columns": part.columns,
            "rows": part.rows,
            "numbers": part.numbers,
        }
    return {"is": "chart", "words": f"{part.title}. {part.told}", pdf.PICTURE: plots.svg(part, plots.STANDALONE)}


def lines(*words: str) -> Items:
    """A list of those that say something."""
    return Items(tuple(word for word in words if word))


def facts(caption: str, pairs: Sequence[tuple[str, str]]) -> Table:
    """A table of names and values."""
    return Table(caption, ("what", "value"), tuple(pairs))
