"""`monitor` at the command line: the plan of a system and of a detector that does not exist yet, and every kind of nonsense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pypdf
import pytest

from tests.cli.test_compare import Page
from tests.cli.test_detect_streams import LOANS, Desk, decisions
from tocsin.cli import app
from tocsin.detect.planning import power
from tocsin.model.errors import EXIT_OK, EXIT_USAGE


@pytest.fixture(autouse=True)
def _few_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "STREAMS", 12)
    monkeypatch.setattr(power, "STREAMS_FEW", 8)


@pytest.fixture
def loans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys, "loans", LOANS)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = app.run(["monitor", *words])
    return code, *capsys.readouterr()


PLAN = ("plan", "--rows", "500", "--rate", "0.05", "--within", "12")


class TestWithoutAWorkspace:
    def test_a_rate_against_its_limit(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, err = run(capsys, *PLAN, "--windows-per-day", "4")
        assert (code, err) == (EXIT_OK, "")
        assert "Error rate. Windows of 6 hours; 500 rows that count in each, as assumed." in out
        assert "Normal is 5.00%; accepted is up to 5.00%." in out
        assert "Smallest change that can be found: error rate at" in out
        assert "within 12 windows (3 days)" in out
        assert "windows of 3 hours" in out or "windows of 4 hours" in out

    def test_json_has_the_numbers(self, capsys: pytest.CaptureFixture[str]) -> None:
        told = json.loads(run(capsys, *PLAN, "--effect", "0.05", "--effect", "0.02", "--json")[1])
        (one,) = told["detectors"]
        delays = one["power"]["delays"]
        assert [delay["level"] for delay in delays] == [0.07, 0.1]
        assert 1 <= delays[1]["median"] <= 3 < delays[0]["median"] <= 12
        assert (one["kind"], one["window_rows"], told["within"]) == ("error_rate", 500, 12)
        assert one["advice"]["target"] == 0.07

    def test_groups(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = (
            "plan",
            "--rows",
            "500",
            "--rate",
            "0.3",
            "--share",
            "0.7",
            "--share",
            "0.3",
            "--within",
            "12",
            "--effect",
            "0.1",
        )
        code, out, _ = run(capsys, *words)
        assert code == EXIT_OK
        assert "Gap in rate of positive decisions between group 1 and group 2." in out
        assert "no unit is known: rows count as independent" in out
        united = run(capsys, *words, "--icc", "0.1")[1]
        assert "no unit is known" not in united

    def test_own_past_and_another_kind(self, capsys: pytest.CaptureFixture[str]) -> None:
        out = run(capsys, *PLAN, "--own", "--effect", "0.1")[1]
        assert "the first 30 windows say what is normal" in out
        told = run(capsys, *PLAN[:4], "0.9", "--kind", "recall", "--limit", "0.85", "--within", "5", "--effect", "0.2")[
            1
        ]
        assert "accepted is down to 85.00%" in told

    def test_the_page_holds_a_plot_and_its_table(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "plan.html"
        code, out, _ = run(capsys, *PLAN, "--html", str(path))
        assert code == EXIT_OK
        assert f"Written: {path}" in out
        page = Page(path.read_text(encoding="utf-8"))
        assert {"svg", "title", "desc", "table", "caption"} <= set(page.tags)
        assert "Windows until a change of the error rate is found" in page.words
        again = tmp_path / "again.html"
        run(capsys, *PLAN, "--html", str(again))
        assert again.read_bytes() == path.read_bytes()

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (("plan",), "give --rows and --rate"),
            (("plan", "--rows", "0.2", "--rate", "0.1"), "rows in a window is 0.2"),
            (("plan", "--rows", "500", "--rate", "1.5"), "the rate is 1.5 — it must lie between"),
            (("plan", "--rows", "500", "--rate", "nan"), "the rate is nan"),
            ((*PLAN, "--icc", "1"), "the correlation of the rows of a unit is 1"),
            ((*PLAN, "--units", "0"), "units is 0"),
            ((*PLAN[:5], "--within", "0"), "the number of windows"),
            ((*PLAN, "--effect", "-0.1"), "the size of a change is -0.1"),
            ((*PLAN, "--share", "0.5"), "name two groups or more"),
            ((*PLAN, "--share", "0.9", "--share", "0.9"), "no more than 1 in all"),
            ((*PLAN, "--kind", "eror_rate"), "'eror_rate' is no kind of detector that can be planned — there are: "),
            ((*PLAN, "--kind", "rate"), "rate needs 'column'"),
            ((*PLAN, "--kind", "prompt_injection"), "that can be planned"),
            ((*PLAN, "--limit", "2"), "limit must lie between"),
            ((*PLAN, "--own", "--limit", "0.1"), "--own and --limit do not go together"),
            ((*PLAN, "--windows-per-day", "0"), "windows a day is 0"),
            ((*PLAN, "--guarantee", "none"), "guarantee must be one of"),
            ((*PLAN, "--effect", "0.99"), "a change of 0.99 beyond 0.05"),
        ],
    )
    def test_nonsense_is_told(self, words: tuple[str, ...], what: str, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, err = run(capsys, *words)
        assert (code, out) == (EXIT_USAGE, "")
        assert what in err


class TestOfASystem:
    def test_every_detector_from_its_settings_and_telemetry(self, loans: Desk) -> None:
        loans.log(decisions(0, 6_000, fault=False))
        code, out, err = loans("monitor", "plan", "-s", "loans", "--within", "8", "--json")
        assert (code, err) == (EXIT_OK, "")
        told = {one["detector"]: one for one in json.loads(out)["detectors"]}
        assert set(told) == {"error_rate", "missing_values:feature.income", "rich", "calibration_within_groups:region"}
        error = told["error_rate"]
        assert error["windows_seen"] == 29, "the last one is not whole"
        assert error["power"]["normal"] == pytest.approx(0.1, abs=0.02)
        assert error["power"]["rows"] == pytest.approx(200)
        assert error["power"]["lead"] == 15
        assert error["window_hours"] == pytest.approx(200 / 60, rel=0.01)
        missing = told["missing_values:feature.income"]["power"]
        assert (missing["accepted"], missing["lead"]) == (0.1, 0)
        within = told["calibration_within_groups:region"]["power"]
        assert within["unit"] == "(label minus score)"
        assert "one of 2 series" in " ".join(within["notes"])

    def test_what_is_said_prevails(self, loans: Desk) -> None:
        loans.log(decisions(0, 3_000, fault=False))
        words = (
            "monitor",
            "plan",
            "-s",
            "loans",
            "--within",
            "5",
            "--effect",
            "0.1",
            "--rows",
            "1000",
            "--rate",
            "0.02",
            "--json",
        )
        told = json.loads(loans(*words)[1])["detectors"][0]["power"]
        assert (told["rows"], told["normal"]) == (pytest.approx(1000), 0.02)

    def test_the_budget_of_the_policy_is_the_guarantee(self, loans: Desk) -> None:
        policy = loans.root / "policy.yaml"
        policy.write_text(policy.read_text() + "\nfalse_alarms: {one_in: 30d, windows: 500, per: workspace}\n")
        loans.log(decisions(0, 2_000, fault=False))
        out = loans("monitor", "plan", "-s", "loans", "--within", "3", "--effect", "0.2")[1]
        assert "at most one false alarm in 30 days on average across all 4 detectors" in " ".join(out.split())

    def test_without_telemetry_the_volumes_are_asked_for(self, loans: Desk) -> None:
        code, out, err = loans("monitor", "plan", "-s", "loans")
        assert (code, out) == (EXIT_USAGE, "")
        assert "nothing is known of how many rows loans has — ingest telemetry, or give --rows and --rate" in err
        code, out, _ = loans("monitor", "plan", "-s", "loans", "--rows", "300", "--rate", "0.1", "--within", "3")
        assert code == EXIT_OK
        assert "as assumed" in out

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (("-s", "nobody"), "no system 'nobody'"),
            (("-s", "loans", "--kind", "recall"), "--kind and --system do not go together"),
            (("-s", "loans", "--limit", "0.2"), "--limit and --system do not go together"),
            (("-s", "loans", "--own"), "--own and --system do not go together"),
        ],
    )
    def test_nonsense_is_told(self, loans: Desk, words: tuple[str, ...], what: str) -> None:
        code, out, err = loans("monitor", "plan", *words)
        assert (code, out) == (EXIT_USAGE, "")
        assert what in err


def test_a_detector_without_a_plan_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = LOANS.split("detectors:")[0] + "detectors:\n  - kind: error_rate\n    window: {every: 1d}\n"
    desk = Desk(tmp_path, capsys, "loans", body.replace("label: repaid", "label: {column: repaid, optional: true}"))
    rows: list[dict[str, Any]] = decisions(0, 4_000, fault=False)
    for row in rows:
        row["repaid"] = None
    desk.log(rows)
    code, out, _ = desk("monitor", "plan", "-s", "loans")
    assert code == EXIT_OK
    assert "No plan: no rows of it were seen; say how many and at which rate." in out


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose error rate rose, with a row in quarantine."""
    root = tmp_path_factory.mktemp("judged")
    desk = Desk(root, _Silent(), "loans", LOANS)  # type: ignore[arg-type]
    desk.log(decisions(0, 4_000, fault=False))
    bad = decisions(4_000, 2_001, fault=True)
    bad[7]["at"] = "no time"
    desk.log(bad)
    desk("detect")
    return root


class TestReport:
    """What is judged, as words, JSON, a page and a PDF."""

    def run(self, root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
        return run(capsys, "report", "-s", "loans", *words, "-C", str(root))

    def test_words(self, judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, err = self.run(judged, capsys)
        assert (code, err) == (EXIT_OK, "")
        assert "error_rate" in out
        assert "alarm" in out
        assert "Each on its own: of 4 detectors, at most 0.2 on average ever alarm falsely." in out

    def test_json_holds_everything(self, judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = json.loads(self.run(judged, capsys, "--json")[1])
        sheets = {sheet["detector"]: sheet for sheet in told["sheets"]}
        error = sheets["error_rate"]
        assert (error["state"], error["windows"]) == ("alarm", 30)
        assert error["alarms"][0]["title"].startswith("The error rate rose to")
        assert error["rates"][0]["low"] < error["rates"][0]["value"] < error["rates"][0]["high"]
        assert {chart["title"].split(",")[0] for chart in error["charts"]} == {
            "Evidence as a power of ten",
            "Error rate",
        }
        assert sheets["missing_values:feature.income"]["state"] == "quiet"
        assert [source["quarantined"] for source in told["sources"]] == [0, 1]
        assert sum(told["sources"][1]["reasons"].values()) == 1
        assert told["upto"] == "2026-09-05T04:00:00Z" or told["upto"].startswith("2026-09-05")

    def test_the_page(self, judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "report.html"
        assert self.run(judged, capsys, "--out", str(path))[0] == EXIT_OK
        page = Page(path.read_text(encoding="utf-8"))
        words = [word for word in page.words if word.strip()]
        assert "In alarm: error_rate." in words
        assert page.tags.count("svg") == page.tags.count("figcaption") == page.tags.count("details") >= 8
        assert page.tags.count("title") == 1 + page.tags.count("svg") == 1 + page.tags.count("desc")
        assert page.tags.count("table") == page.tags.count("caption")
        assert "What it does not guarantee" in words
        assert "mode of all rows" in words
        again = tmp_path / "again.html"
        self.run(judged, capsys, "--out", str(again))
        assert again.read_bytes() == path.read_bytes()

    def test_the_pdf(self, judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        one, other = tmp_path / "one.pdf", tmp_path / "other.PDF"
        for path in (one, other):
            assert self.run(judged, capsys, "--out", str(path))[0] == EXIT_OK
        assert one.read_bytes() == other.read_bytes(), "the same ledger gives the same bytes"
        text = " ".join(page.extract_text() for page in pypdf.PdfReader(one).pages)
        assert "Monitoring of Watched" in text
        assert "What it does not guarantee" in text

    def test_before_anything_is_judged(self, loans: Desk) -> None:
        code, out, err = loans("monitor", "report", "-s", "loans", "-o", str(loans.root / "r.pdf"))
        assert (code, err) == (EXIT_OK, "")
        assert out.count("no window yet") == 4
        assert (loans.root / "r.pdf").stat().st_size > 1_000

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (("-s", "nobody"), "no system 'nobody'"),
            (("-s", "loans", "-o", "report.docx"), "report.docx is neither .html nor .pdf"),
        ],
    )
    def test_nonsense_is_told(self, loans: Desk, words: tuple[str, ...], what: str) -> None:
        code, out, err = loans("monitor", "report", *words)
        assert code != EXIT_OK
        assert out == ""
        assert what in err


class _Silent:
    """Stands in where a fixture of a class cannot capture."""

    def readouterr(self) -> tuple[str, str]:
        return "", ""
