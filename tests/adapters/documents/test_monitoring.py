"""The report on detectors: which words stand where, by hand; colours that everybody can tell apart."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.test_compare import Page
from tocsin.adapters.documents import monitoring, plots
from tocsin.adapters.documents.monitoring import ALARMS_SHOWN, SOURCES_SHOWN, report
from tocsin.adapters.documents.page import STYLE
from tocsin.adapters.documents.parts import Heading, Part, Table, Text
from tocsin.detect.overview import Alarm, Fact, Overview, Rate, Sheet, Source
from tocsin.model.chart import Chart, Line
from tocsin.model.finding import Level

AT = datetime(2026, 9, 9, 18, tzinfo=UTC)
ALARM = Alarm(
    finding="8d433c3ce9e3ad93",
    at=AT,
    level=Level.ALARM,
    title="The error rate rose to 18.33%",
    explanation="It is 18.33% on 720 rows.",
    since=AT - timedelta(hours=12),
    effect="error rate: 18.3 percent (13.3 to 23.4)",
    evidence="30.13, told from 20 on",
    guarantee="at most 5% ever; against the limit that was set",
)
SHEET = Sheet(
    detector="slo",
    kind="error_rate",
    title="Error rate",
    state="alarm",
    windows=44,
    facts=(Fact("windows", "every 6 hours"), Fact("mode", "against the limit that was set")),
    charts=(Chart("Evidence", "It is 2.", "", ("a", "b"), (Line("evidence", [1.0, 2.0]),)),),
    rates=(Rate("all rows", 3_960, 0.202, 0.1826, 0.2214, "share"),),
    alarms=(ALARM,),
    not_seen=("Wrong both ways counts alike.",),
)
QUIET = replace(SHEET, detector="other", state="quiet", alarms=(), rates=(), charts=())
SOURCE = Source("log.csv", 900, 100, {"no time": 60, "no role": 40}, 3, 7)
OVERVIEW = Overview("loans", "Consumer loans", AT, ("At most one false alarm in 90 days.",), (SHEET, QUIET), (SOURCE,))


def parts(**changes: Any) -> list[Part]:
    return list(report(replace(OVERVIEW, **changes)))


def texts(found: list[Part]) -> list[str]:
    return [part.words for part in found if isinstance(part, Text | Heading)]


def table(found: list[Part], caption: str) -> Table:
    (one,) = [part for part in found if isinstance(part, Table) and part.caption.startswith(caption)]
    return one


class TestFront:
    def test_what_is_in_alarm_is_said_first_and_set_apart(self) -> None:
        first, second, *_ = parts()
        assert first == Text("System loans; judged up to 2026-09-09 18:00 UTC.")
        assert second == Text("In alarm: slo.", alarm=True)

    def test_when_nothing_is_in_alarm_nothing_is_set_apart(self) -> None:
        assert not any(isinstance(part, Text) and part.alarm for part in parts(sheets=(QUIET,)))

    def test_one_line_for_each_detector(self) -> None:
        assert table(parts(), "Detectors").rows == (
            ("slo", "Error rate", "alarm", "44", "1", "2026-09-09 18:00 UTC"),
            ("other", "Error rate", "quiet", "44", "0", "-"),
        )

    def test_the_budget_is_a_number(self) -> None:
        page = Page(monitoring.page(OVERVIEW))
        assert "At most one false alarm in 90 days." in page.words
        assert "No detector states a guarantee." in Page(monitoring.page(replace(OVERVIEW, false_alarms=()))).words

    def test_without_detectors_and_windows(self) -> None:
        found = parts(sheets=(), upto=None, sources=())
        assert texts(found) == [
            "System loans; judged up to no window was judged yet.",
            "How many false alarms to expect",
        ]
        assert monitoring.as_pdf(replace(OVERVIEW, sheets=(), upto=None, sources=())).startswith(b"%PDF")


class TestSheet:
    def test_its_parts_in_order(self) -> None:
        found = texts(parts(sheets=(SHEET,), sources=()))
        assert found[3:] == [
            "Error rate: slo",
            "State: alarm.",
            "Alarms",
            "2026-09-09 18:00 UTC: The error rate rose to 18.33%",
            "What it does not guarantee",
        ]

    def test_what_holds_and_the_rates(self) -> None:
        found = parts(sheets=(SHEET,))
        assert table(found, "What holds").rows == SHEET.facts
        assert table(found, "Since the present state").rows == (("all rows", "3,960", "20.20%", "18.26%", "22.14%"),)
        assert SHEET.charts[0] in found

    def test_an_alarm_says_everything(self) -> None:
        assert table(parts(sheets=(SHEET,)), "Finding 8d433c3ce9e3ad93").rows == (
            ("what happened", "It is 18.33% on 720 rows."),
            ("since about", "2026-09-09 06:00 UTC"),
            ("effect, 95 % interval", "error rate: 18.3 percent (13.3 to 23.4)"),
            ("evidence", "30.13, told from 20 on"),
            ("guarantee and mode", "at most 5% ever; against the limit that was set"),
        )

    def test_what_is_not_known_is_left_out(self) -> None:
        bare = replace(SHEET, alarms=(replace(ALARM, since=None, effect=""),))
        names = [name for name, _ in table(parts(sheets=(bare,)), "Finding").rows]
        assert names == ["what happened", "evidence", "guarantee and mode"]

    def test_of_many_alarms_the_newest_are_shown_newest_first(self) -> None:
        many = tuple(replace(ALARM, finding=f"f{n:02}", at=AT + n * timedelta(hours=1)) for n in range(25))
        found = parts(sheets=(replace(SHEET, alarms=many),))
        shown = [part.caption for part in found if isinstance(part, Table) and part.caption.startswith("Finding")]
        assert shown == [f"Finding f{n}" for n in range(24, 24 - ALARMS_SHOWN, -1)]
        assert "Alarms, the newest 10 of 25" in texts(found)


class TestData:
    def test_what_became_of_the_rows(self) -> None:
        found = parts()
        assert "1 files; 900 rows kept, 100 put into quarantine (10.00%)." in texts(found)
        assert table(found, "Files").rows == (("log.csv", "900", "100", "no time 60; no role 40", "3", "7"),)

    def test_of_many_files_the_newest(self) -> None:
        many = tuple(replace(SOURCE, name=f"log-{n}.csv") for n in range(SOURCES_SHOWN + 5))
        found = table(parts(sources=many), "The newest 50 files")
        assert (found.rows[0][0], found.rows[-1][0]) == ("log-5.csv", "log-54.csv")

    def test_no_file_and_no_row(self) -> None:
        assert "The data" not in texts(parts(sources=()))
        assert "0 rows kept, 0 put into quarantine (none)" in " ".join(
            texts(parts(sources=(replace(SOURCE, rows=0, quarantined=0),)))
        )


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    whole = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    channels = [int(whole[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


class TestColours:
    """Text needs 4.5 to 1 and lines of plots 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11); lines differ by their dashes, too."""

    @pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
    def test_of_a_page(self, scheme: int) -> None:
        block = re.findall(r":root\{([^}]*)\}", STYLE)[scheme]
        colours = dict(re.findall(r"--(\w+):(#[0-9a-f]+)", block))
        assert {"a", "b", "ink", "paper", "warn"} <= set(colours)
        assert min(contrast(colours[name], colours["paper"]) for name in ("ink", "warn", "a", "b")) >= 4.5

    def test_of_a_picture_in_a_pdf(self) -> None:
        strokes = re.findall(r"\.l\d\{stroke:(#[0-9a-f]+)", plots.STANDALONE)
        assert len(strokes) == 4
        assert min(contrast(stroke, "#ffffff") for stroke in strokes) >= 3

    @pytest.mark.parametrize("style", [STYLE, plots.STANDALONE], ids=["page", "picture"])
    def test_lines_differ_without_their_colours(self, style: str) -> None:
        dashes = [re.search(rf"\.l{n}\{{[^}}]*?(?:dasharray:([\d ]+))?\}}", style) for n in range(4)]
        assert len({found[1] for found in dashes if found}) == 4
