"""Pages for a browser: every text is escaped, plots say in words what they show, and bars are as tall as their shares."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.adapters.documents import page
from tocsin.adapters.documents.comparison import amount


class Balanced(HTMLParser):
    """Whether every tag is closed, and which there are."""

    VOID = ("meta", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@given(st.text())
def test_no_text_makes_a_tag_or_hides_itself(value: str) -> None:
    made = page.text(value)
    assert not set(made) & set("<>\"'")
    parsed = Balanced(f"<p>{made}</p>")
    assert parsed.seen == ["p"]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x1f]", made)


def test_what_can_be_shown_is_shown_as_it_is() -> None:
    assert unescape(page.text('a < b & "c" – ü 漢')) == 'a < b & "c" – ü 漢'
    assert page.text("a\u202eb\x07") == "a\\u202eb\\x07"
    assert page.text(12) == "12"


@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=4))
def test_a_document_is_balanced_whatever_is_in_it(title: str, words: list[str]) -> None:
    rows = [(word, word, 1) for word in words]
    parts = [
        page.heading(title),
        page.paragraph(title),
        page.items(words),
        page.table(title, ("a", "b", "c"), rows, numbers=(2,)),
        page.bars(title, words, [0.5] * len(words), [0.25] * len(words), ("one", "two")),
    ]
    parsed = Balanced(page.document(title, parts))
    assert parsed.open == []
    assert parsed.seen.count("tr") == len(words) + 1
    assert parsed.seen.count("rect") == 2 * len(words)
    assert "script" not in parsed.seen


def test_an_empty_list_is_nothing() -> None:
    assert page.items([]) == ""
    assert page.items(["<a>"]) == "<ul><li>&lt;a&gt;</li></ul>"


def test_cells_of_numbers_and_of_alarm_are_marked() -> None:
    made = page.table("t", ("name", "n", "verdict"), [("x", "1", "beyond tolerance"), ("y", "2", "not sure")], (1,))
    assert '<th scope="row">x</th><td class="n">1</td><td class="beyond">beyond tolerance</td>' in made
    assert "<td>not sure</td>" in made
    assert made.count('scope="col"') == 3


def bars(first: list[float], second: list[float]) -> ET.Element:
    labels = [f"label {i}" for i in range(len(first))]
    return ET.fromstring(page.bars("Income", labels, first, second, ("before", "after")))


def test_bars_are_as_tall_as_their_shares() -> None:
    drawn = bars([0.5, 0.25], [0.125, 0.0])
    tall = [float(rect.attrib["height"]) for rect in drawn.iter("rect")]
    assert tall == pytest.approx([110, 27.5, 55, 0], abs=0.06)
    feet = {float(r.attrib["y"]) + float(r.attrib["height"]) for r in drawn.iter("rect")}
    assert all(foot == pytest.approx(page.HEIGHT, abs=0.11) for foot in feet)
    assert [r.attrib["class"] for r in drawn.iter("rect")] == ["a", "b", "a", "b"]


def test_a_plot_is_told_in_words() -> None:
    drawn = bars([0.5, 0.25], [0.125, 0.0])
    assert drawn.attrib["role"] == "img"
    assert drawn.findtext("title") == "Income"
    assert drawn.findtext("desc") == "Shares, before and after: label 0 50.0% and 12.5%; label 1 25.0% and 0.0%"


def test_long_labels_are_cut_on_the_axis_and_whole_in_the_words() -> None:
    name = "a very long name of a category"
    drawn = ET.fromstring(page.bars("x", [name], [1.0], [1.0], ("a", "b")))
    shown = [element.text or "" for element in drawn.iter("text")]
    assert shown == [name[:17] + "…"]
    assert name in (drawn.findtext("desc") or "")


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.12345, "share", "12.35%"),
        (0.12346, "index", "0.1235"),
        (12345.6, "column", "1.235e+04"),
        (None, "share", "-"),
        (-0.5, "share", "-50.00%"),
        (0.8, "ratio", "0.8"),
    ],
)
def test_amounts_are_written_in_their_unit(value: float | None, unit: str, shown: str) -> None:
    assert amount(value, unit) == shown


def test_pictures_folded_parts_and_warnings_escape_their_words() -> None:
    hostile = "<b>x</b>\u202e"
    assert page.figure("<svg></svg>", hostile).startswith("<figure><svg></svg><figcaption>&lt;b&gt;x")
    assert page.folded(hostile, "<p>inside</p>").endswith("</summary><p>inside</p></details>")
    assert page.warning(hostile).startswith('<p class="beyond">&lt;b&gt;')
    for made in (page.figure("", hostile), page.folded(hostile, ""), page.warning(hostile)):
        assert "<b>" not in made
        assert "\u202e" not in made
