"""One list of parts becomes a page and a PDF with the same words; hostile text stays text in both."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pypdf
import pytest

from tests.cli.test_compare import Page
from tocsin.adapters.documents import parts
from tocsin.adapters.documents.parts import Heading, Items, Part, Table, Text, as_page, as_pdf, facts, table_of
from tocsin.model.chart import Chart, Line

AT = datetime(2026, 11, 2, 12, 4, 5, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> #panic() \u202eabc"
CHART = Chart(
    "A rate", "It rises.", "share", ("Monday", "Tuesday"), (Line("each", [0.1, 0.25], [0.0, 0.2], [0.2, 0.3]),)
)
PARTS: list[Part] = [
    Heading("Chapter"),
    Text("A sentence."),
    Text("Something is wrong.", alarm=True),
    Items(("first thing", "second thing")),
    Table("Numbers", ("name", "count"), (("alpha", "1,234"), ("beta", "5")), (1,)),
    CHART,
    facts("What holds", [("window", "every hour")]),
    Heading("A part", 3),
]


def pdf_text(made: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).split())


@pytest.mark.parametrize(
    "words",
    [
        "Chapter",
        "A sentence.",
        "Something is wrong.",
        "first thing",
        "second thing",
        "Numbers",
        "1,234",
        "beta",
        "every hour",
        "A part",
    ],
)
def test_every_word_is_on_the_page_and_in_the_pdf(words: str) -> None:
    assert words in Page(as_page("Title", PARTS)).words
    assert words in pdf_text(as_pdf("Title", PARTS, AT))


class TestPage:
    def test_a_chart_has_words_a_caption_and_its_numbers(self) -> None:
        page = Page(as_page("Title", [CHART]))
        assert {"figure", "figcaption", "svg", "title", "desc", "details", "summary", "table"} <= set(page.tags)
        assert "A rate. It rises." in page.words
        assert [w for w in page.words if w.strip()][-4:] == ["Tuesday", "25.00%", "20.00%", "30.00%"]

    def test_an_alarm_is_set_apart_by_more_than_its_place(self) -> None:
        assert '<p class="beyond">Something is wrong.</p>' in as_page("Title", PARTS)

    def test_heads_are_heads(self) -> None:
        page = as_page("Title", PARTS)
        assert page.count('<th scope="col">name</th>') == 1
        assert '<th scope="row">alpha</th><td class="n">1,234</td>' in page


class TestPdf:
    def test_it_is_tagged_titled_and_dated(self) -> None:
        reader = pypdf.PdfReader(io.BytesIO(as_pdf("Title", PARTS, AT)))
        assert reader.metadata is not None
        assert reader.metadata.title == "Title"
        assert reader.metadata.creation_date == AT
        root = reader.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert root["/Lang"] == "en"

    def test_it_is_the_same_every_time(self) -> None:
        assert as_pdf("Title", PARTS, AT) == as_pdf("Title", PARTS, AT)

    def test_a_table_of_many_rows_goes_on_over_pages(self) -> None:
        rows = tuple((f"row {n}", str(n)) for n in range(200))
        made = as_pdf("Title", [Table("Long", ("name", "number"), rows, (1,))], AT)
        assert len(pypdf.PdfReader(io.BytesIO(made)).pages) > 3
        assert "row 199" in pdf_text(made)

    def test_an_empty_report_is_one_page(self) -> None:
        assert len(pypdf.PdfReader(io.BytesIO(as_pdf("Title", [], AT))).pages) == 1


@pytest.mark.parametrize(
    "part",
    [
        Heading(HOSTILE),
        Text(HOSTILE),
        Items((HOSTILE,)),
        Table(HOSTILE, (HOSTILE, "x"), ((HOSTILE, HOSTILE),)),
        Chart(HOSTILE, HOSTILE, "", (HOSTILE,), (Line(HOSTILE, [1.0]),)),
        Text("x" * 5_000),
        Text("中文 and \U0001f600"),
    ],
    ids=["heading", "text", "items", "table", "chart", "long word", "other scripts"],
)
def test_hostile_text_stays_text(part: Part) -> None:
    page = as_page(HOSTILE, [part])
    assert "<script" not in page
    assert "\u202e" not in page
    assert as_pdf("Title", [part], AT).startswith(b"%PDF")


def test_a_table_of_a_chart() -> None:
    table = table_of(CHART)
    assert table.columns == ("until", "each", "each, from", "each, to")
    assert table.rows == (("Monday", "10.00%", "0.00%", "20.00%"), ("Tuesday", "25.00%", "20.00%", "30.00%"))
    assert table.numbers == (1, 2, 3)


def test_empty_lines_are_left_out() -> None:
    assert parts.lines("a", "", "b") == Items(("a", "b"))
