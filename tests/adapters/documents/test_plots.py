"""Plots: every value lies where its axis says, gaps stay gaps, names do not overlap, and words say what the picture shows."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.adapters.documents import plots
from tocsin.adapters.documents.plots import BOTTOM, HEIGHT, LEFT, RIGHT, STANDALONE, TOP, WIDTH, Grid, svg
from tocsin.model.chart import Chart, Line

HOSTILE = "<script>alert(1)</script>\u202e&"
PLACES = ["Monday", "Tuesday", "Wednesday", "Thursday"]
numbers = st.floats(-1e9, 1e9, allow_nan=False)


def drawn(*given: Line, marks: tuple[int, ...] = (), unit: str = "", places: list[str] = PLACES) -> ET.Element:
    return ET.fromstring(svg(Chart("A title", "what it shows", unit, tuple(places), given, marks)))


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path)]


def texts(picture: ET.Element) -> list[str]:
    return [str(element.text) for element in picture.iter("text")]


def test_title_and_description_come_first() -> None:
    picture = drawn(Line("a", [1, 2, 3, 4]))
    assert [child.tag for child in picture][:2] == ["title", "desc"]
    assert picture.attrib["role"] == "img"
    assert [picture.findtext("title"), picture.findtext("desc")] == ["A title", "what it shows"]


def test_values_lie_where_the_axis_says() -> None:
    picture = drawn(Line("a", [0, 10, 5, 0]))
    path = picture.findall("path")[0].attrib
    bottom, top = HEIGHT - BOTTOM, TOP
    assert path["class"] == "l0"
    wide = (WIDTH - LEFT - RIGHT) / 3
    wanted = [(LEFT, bottom), (LEFT + wide, top), (LEFT + 2 * wide, (bottom + top) / 2), (WIDTH - RIGHT, bottom)]
    assert points(path["d"]) == [pytest.approx(point, abs=0.06) for point in wanted]


def test_a_gap_lifts_the_pen() -> None:
    path = drawn(Line("a", [1, None, 3, float("nan")])).findall("path")[0].attrib["d"]
    assert path.count("M") == 2
    assert "L" not in path


def test_a_band_goes_there_and_back() -> None:
    picture = drawn(Line("a", [2, 2, 2, 2], [1, 1, None, 1], [3, 3, 3, 3]))
    corners = picture.findall("polygon")[0].attrib["points"].split()
    assert len(corners) == 6, "the place without a bound is left out"
    ys = [float(corner.split(",")[1]) for corner in corners]
    assert ys[:3] == [TOP] * 3
    assert ys[3:] == [HEIGHT - BOTTOM] * 3


def test_marks_stand_on_the_first_line() -> None:
    picture = drawn(Line("a", [0, 10, None, 0]), Line("b", [5, 5, 5, 5]), marks=(1, 2))
    (mark,) = picture.findall("circle")
    assert float(mark.attrib["cy"]) == TOP


@pytest.mark.parametrize(
    ("values", "unit", "wanted"),
    [
        ([0.0, 0.2], "share", ["0%", "5%", "10%", "15%", "20%"]),
        ([0.0, 40.0], "ms", ["0 ms", "10 ms", "20 ms", "30 ms", "40 ms"]),
        ([3.0, 3.0], "", ["0", "5"]),
        ([0.0, 0.0], "", ["0", "1"]),
        ([-1.0, 1.0], "", ["-1", "-0.5", "0", "0.5", "1"]),
        ([1e-7, 2e-7], "", ["1e-07", "1.5e-07", "2e-07"]),
    ],
)
def test_ticks_are_round_numbers(values: list[float], unit: str, wanted: list[str]) -> None:
    found = texts(drawn(Line("line", values), unit=unit, places=["x", "y"]))
    assert [word for word in found if word not in ("x", "y", "line")] == wanted


@given(st.lists(numbers, min_size=1, max_size=40))
def test_every_value_is_inside(values: list[float]) -> None:
    grid = Grid(len(values), values)
    assert all(TOP - 1e-6 <= grid.y(value) <= HEIGHT - BOTTOM + 1e-6 for value in values)
    assert all(LEFT <= grid.x(place) <= WIDTH - RIGHT + 1e-6 for place in range(len(values)))
    steps = [b - a for a, b in pairwise(grid.ticks)]
    assert max(steps) == pytest.approx(min(steps), rel=1e-3)
    assert 1 <= len(steps) <= plots.TICKS + 2


def test_names_do_not_lie_on_each_other() -> None:
    picture = drawn(*(Line(f"line {n}", [1, 2, 3, 4 + n / 1000], style=n) for n in range(4)))
    heights = [float(e.attrib["y"]) for e in picture.iter("text") if str(e.text).startswith("line")]
    assert all(b - a >= plots.LABEL_HEIGHT for a, b in pairwise(heights))
    assert {path.attrib["class"] for path in picture.findall("path")} == {"l0", "l1", "l2", "l3"}


def test_many_places_are_labelled_sparsely() -> None:
    places = [f"day {n}" for n in range(100)]
    found = [word for word in texts(drawn(Line("a", [float(n) for n in range(100)]), places=places)) if "day" in word]
    assert found[0] == "day 0"
    assert 3 <= len(found) <= plots.LABELS_MAX


def test_one_place_and_no_value_are_drawn_too() -> None:
    assert drawn(Line("a", [5.0]), places=["only"]).findall("path")
    empty = drawn(Line("a", [None, None]), places=["x", "y"])
    assert empty.findall("path") == []
    assert "a" not in texts(empty)


def test_hostile_text_stays_text() -> None:
    raw = svg(Chart(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), (Line(HOSTILE, [1.0]),)))
    assert "<script" not in raw
    assert "\u202e" not in raw
    assert str(ET.fromstring(raw).findtext("title")).startswith("<script>")


def test_the_same_values_give_the_same_bytes() -> None:
    chart = Chart("t", "d", "", tuple(PLACES), (Line("a", [0.1, 0.2, 0.3, 0.4]),))
    assert svg(chart) == svg(chart)


def test_a_picture_that_stands_for_itself_brings_its_colours() -> None:
    chart = Chart("t", "d", "", tuple(PLACES), (Line("a", [1, 2, 3, 4], [0, 1, 2, 3], [2, 3, 4, 5], style=3),))
    alone = svg(chart, STANDALONE)
    root = ET.fromstring(alone)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    used = {name for element in root.iter() for name in element.attrib.get("class", "").split()} - {"plot"}
    assert {"l3", "f3", "band", "rule"} <= used
    assert all(f".{name}{{" in STANDALONE for name in used)
    assert "var(" not in alone, "a picture knows no variables of a page"


def test_a_chart_says_the_same_as_a_table() -> None:
    chart = Chart("t", "d", "", ("x", "y"), (Line("a", [1, None], [0, 0], [2, 2]), Line("b", [3, 4])))
    assert chart.columns() == ["", "a", "a, from", "a, to", "b"]
    assert list(chart.rows()) == [("x", (1, 0, 2, 3)), ("y", (None, 0, 2, 4))]
