"""`compare` at the command line: the table, JSON, the page and the exit codes; hostile names stay text."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tocsin.cli import app
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK, EXIT_REFUSED, EXIT_USAGE

HOSTILE = "<script>alert(1)</script>\u202e"


class Page(HTMLParser):
    """What is on a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onload"}, "the page needs nothing else"

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def loans(path: Path, approve_women: int) -> Path:
    lines = ["approved,repaid,sex,purpose,income"]
    for i in range(2_000):
        woman = i % 2
        yes = i // 2 % 100 < (approve_women if woman else 60)
        purpose = HOSTILE if i % 5 == 0 else "car"
        lines.append(f"{int(yes)},{int(i % 3 > 0)},{'f' if woman else 'm'},{purpose},{1000 + i * 37 % 5000}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def sides(tmp_path: Path) -> list[str]:
    return [str(loans(tmp_path / name, women)) for name, women in (("ref.csv", 60), ("cur.csv", 35))]


ROLES = ("--decision", "approved", "--label", "repaid", "--group", "sex")


def test_a_gap_is_shown_and_is_exit_code_1(sides: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["compare", *sides, *ROLES]) == EXIT_REFUSED
    out = capsys.readouterr().out
    assert "sex: m over f" in out
    assert "gap in positive decisions" in out
    assert "beyond tolerance" in out
    assert "effects within tolerance; --every shows them" in out
    assert "2,000 rows" in out
    assert HOSTILE not in out, "what could drive a terminal is written out"


def test_no_change_is_exit_code_0(sides: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["compare", sides[0], sides[0], *ROLES, "--every", "--rate", "0.2"]) == EXIT_OK
    out = capsys.readouterr().out
    assert "0 beyond tolerance" in out
    assert "90th percentile" in out


def test_json_holds_what_the_table_shows(sides: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["compare", *sides, *ROLES, "--json"]) == EXIT_REFUSED
    told = json.loads(capsys.readouterr().out)
    gap = next(e for e in told["fairness"][0]["effects"] if e["measure"] == "gap in positive decisions")
    assert gap["current"] == pytest.approx(0.25)
    assert gap["low"] < 0.25 < gap["high"]
    assert gap["verdict"] == "beyond tolerance"
    assert told["reference"]["rows"] == 2_000
    assert len(told["reference"]["digest"]) == 64


def test_the_page_is_whole_needs_nothing_and_shows_hostile_names_as_text(
    sides: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out" / "report.html"
    assert app.run(["compare", *sides, *ROLES, "--html", str(target)]) == EXIT_REFUSED
    assert f"Written: {target}" in capsys.readouterr().out
    text = target.read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in page.tags
    assert any("<script>alert(1)</script>\\u202e" in word for word in page.words)
    assert page.tags.count("svg") == page.tags.count("desc") == 3, "a plot for each column, told in words"
    assert page.tags.count("caption") == page.tags.count("table") > 4
    assert '<html lang="en">' in text
    assert "default-src 'none'" in text


def test_mistakes_are_told_with_what_to_do(
    sides: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["compare", *sides, "--label", "paid"]) == EXIT_USAGE
    assert "--label: the reference has no column 'paid'" in capsys.readouterr().err
    assert app.run(["compare", *sides, "--decision", "purpose"]) == EXIT_BAD_INPUT
    assert "say which value means yes: --positive VALUE" in capsys.readouterr().err
    assert app.run(["compare", sides[0], str(tmp_path / "none.csv")]) == EXIT_USAGE
    assert "no file" in capsys.readouterr().err
    assert app.run(["compare", *sides, "--psi", "-1"]) == EXIT_USAGE
    assert "a tolerance of -1.0 for psi" in capsys.readouterr().err
