"""What is printed: tables of any width, hostile text in one place, the reader's zone, JSON."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console

from tocsin.cli import output
from tocsin.cli.options import Shared
from tocsin.model.errors import UsageFault
from tocsin.model.progress import silent


def _screen(monkeypatch: pytest.MonkeyPatch, width: int, *, colours: bool = False) -> io.StringIO:
    """A terminal of so many columns, and what stands on it."""
    shown = io.StringIO()
    colour = "standard" if colours else None
    made = Console(file=shown, width=width, highlight=False, force_terminal=colours, color_system=colour)
    monkeypatch.setattr(output, "console", lambda **_: made)
    return shown


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("word", ["Kreditvergabe", "東京の融資審査モデル", "e\u0301le\u0300ve"])
def test_a_table_stays_within_the_terminal_and_loses_no_character(
    monkeypatch: pytest.MonkeyPatch, width: int, word: str
) -> None:
    shown = _screen(monkeypatch, width)
    output.table(("name", "what it says"), [("INC-2026-0001", f"{word} " * 12)])
    lines = shown.getvalue().splitlines()
    assert max(cell_len(line) for line in lines) <= width
    kept = "".join(shown.getvalue().split())
    assert sum(kept.count(c) for c in set(word)) >= 12 * len(word)


def test_numbers_stand_under_each_other_on_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _screen(monkeypatch, 40)
    output.table(("system", "rows"), [("a", 7), ("b", 1200)], right=["rows"])
    seven, many = (line for line in shown.getvalue().splitlines() if line[:1] in "ab" and line.strip())
    assert seven.index("7") == many.index("1200") + 3


def test_an_empty_cell_is_empty_and_not_none(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _screen(monkeypatch, 40)
    output.table(("a", "b"), [("x", None)])
    assert "None" not in shown.getvalue()


HOSTILE = ("\x1b[2J", "\x1b]0;title\x07", "\u202e", "\u2066", "\x9b", "\u200b", "\u2028", "\r", "\x7f")


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_no_way_of_printing_lets_a_hidden_character_through(monkeypatch: pytest.MonkeyPatch, hostile: str) -> None:
    shown = _screen(monkeypatch, 80)
    text = f"before{hostile}after"
    output.say(text)
    output.heading(text)
    output.table(("column",), [(text,)])
    output.pairs([("name", text)])
    assert not set(shown.getvalue()) & (set(hostile) - set("[2J]0;title"))
    assert shown.getvalue().count("after") == 4


def test_markup_in_evidence_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _screen(monkeypatch, 80, colours=True)
    output.say("[red]x[/red] [link=https://example.org]y[/link]")
    output.table(("column",), [("[bold]z[/bold]",)])
    assert "[red]x[/red] [link=https://example.org]y[/link]" in shown.getvalue()
    assert "[bold]z[/bold]" in shown.getvalue()


def test_names_are_aligned_and_empty_values_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _screen(monkeypatch, 80)
    output.pairs([("state", "open"), ("owner", None), ("severity", "high"), ("links", ())])
    assert shown.getvalue() == "  state     open\n  severity  high\n"


def test_hostile_text_is_escaped_in_json_and_reads_back_as_it_was() -> None:
    told = output.json_text({"text": "a\x1b[2J\nb"})
    assert "\x1b" not in told
    assert json.loads(told) == {"text": "a\x1b[2J\nb"}


def test_an_unknown_zone_is_told_with_an_example() -> None:
    for zone in ("Europe/Nowhere", "../../etc/passwd", "/etc/localtime"):
        with pytest.raises(UsageFault, match="Europe/Berlin"):
            output.viewer(zone)
    assert output.viewer("Asia/Tokyo") == ZoneInfo("Asia/Tokyo")
    assert output.viewer(None) is None


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert output.moment(first, "Europe/Berlin") == "2026-10-25 02:30 CEST"
    assert output.moment(second, "Europe/Berlin") == "2026-10-25 02:30 CET"


@pytest.mark.parametrize("shared", [Shared(quiet=True), Shared(json=True), Shared()])
def test_nobody_who_looks_means_no_bars(shared: Shared, capsys: pytest.CaptureFixture[str]) -> None:
    with output.bars(shared) as progress:
        assert progress is silent
    assert capsys.readouterr() == ("", "")


def test_a_result_is_either_json_or_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    output.emit({"b": 1, "a": str(tmp_path)}, Shared(json=True), lambda _: pytest.fail("shown as well"))
    assert json.loads(capsys.readouterr().out) == {"a": str(tmp_path), "b": 1}
    seen: list[int] = []
    output.emit(3, Shared(), seen.append)
    assert seen == [3]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("short", "short"),
        ("  a line that is too long", "  a line that is\n    too long"),
        ("  tocsin incident show INC-2026-0001", "  tocsin incident show INC-2026-0001"),
        ("averyveryveryverylongword", "averyveryveryverylongword"),
        ("the rate is 0.0125 of all", "the rate is 0.0125\n  of all"),
    ],
)
def test_prose_is_broken_between_words_and_commands_stay_whole(line: str, shown: str) -> None:
    assert output._broken(line, 18) == shown


@pytest.mark.parametrize(("number", "text"), [(0, "no gaps"), (1, "1 gap"), (2, "2 gaps"), (2_000, "2,000 gaps")])
def test_numbers_and_nouns_agree(number: int, text: str) -> None:
    assert output.counted(number, "gap") == text
    assert output.counted(2, "duty", "duties") == "2 duties"


def test_bars_begin_with_the_first_word_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    class Bars:
        def __enter__(self) -> Bars:
            begun.append("begun")
            return self

        def __exit__(self, *_: object) -> None:
            begun.append("ended")

        def add_task(self, what: str, total: int | None) -> str:
            begun.append(f"{what} of {total}")
            return what

        def update(self, task: str, completed: int, total: int | None) -> None:
            begun.append(f"{task}: {completed} of {total}")

    monkeypatch.setattr(output.sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(output, "_bars", Bars)
    with output.bars(Shared()) as tell:
        assert begun == []
        tell("reading", 1, 9)
        tell("reading", 2, 9)
    assert begun == ["begun", "reading of 9", "reading: 1 of 9", "reading: 2 of 9", "ended"]
    with output.bars(Shared()):
        pass
    assert len(begun) == 5
