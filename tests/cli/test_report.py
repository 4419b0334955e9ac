"""`tocsin report`: prepare, answer, file, compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.desks import INCIDENT, Typed, told, typing, workspace
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED, EXIT_USAGE

FILED = ("--at", "2026-11-03T09:00+01:00", "--recipient", "Bundesnetzagentur")


@pytest.fixture
def type_(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return typing(workspace(tmp_path), capsys)


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat()


class TestPrepare:
    def test_files_and_every_gap_are_told_with_the_name_that_answers_it(self, type_: Typed) -> None:
        code, out, _ = type_("report", "prepare", INCIDENT)
        assert code == EXIT_OK
        assert "version 1 (initial) of INC-2026-0001" in out
        assert f"{INCIDENT}-eu.aiact.art73-v1.pdf" in out
        assert "- 3.2 Operator: not known yet  [incident.operator]" in out
        assert f"tocsin report answer {INCIDENT} FIELD TEXT" in out

    def test_a_gap_that_follows_the_record_says_where_to_record_it(self, type_: Typed) -> None:
        _, out, _ = type_("report", "prepare", INCIDENT, "--form", "eu.nis2.art23/incident-report")
        assert "[tocsin incident set --date aware=...]" in out
        assert "[tocsin incident set --fact unlawful_act_suspected=...]" in out

    def test_the_json_of_a_form_is_written_beside_it(self, type_: Typed) -> None:
        _, out, _ = type_("report", "prepare", INCIDENT, "--form", "eu.dora.art19/its-2025-302", "--json")
        assert told(out)["files"][2].endswith("-eu.dora.art19-v1.submission.json")

    def test_json_holds_files_evidence_and_gaps(self, type_: Typed, tmp_path: Path) -> None:
        _, out, _ = type_("report", "prepare", INCIDENT, "--stage", "final", "--out", str(tmp_path / "o"), "--json")
        made = told(out)
        assert (made["version"], made["stage"], len(made["evidence"])) == (1, "final", 2)
        assert all(Path(path).exists() for path in made["files"])
        assert len(made["gaps"]) == len(made["answerable"])

    @pytest.mark.parametrize(
        ("argv", "says"),
        [
            (("--form", "tax"), "there is no form 'tax'"),
            (("--country", "PL"), "nothing is owed in 'PL'"),
            (("--stage", "last"), "last"),
        ],
    )
    def test_mistakes_are_usage_errors(self, type_: Typed, argv: tuple[str, ...], says: str) -> None:
        code, _, err = type_("report", "prepare", INCIDENT, *argv)
        assert code == EXIT_USAGE
        assert says in err


class TestAnswer:
    def test_an_answer_stands_in_the_next_version(self, type_: Typed) -> None:
        first = told(type_("report", "prepare", INCIDENT, "--json")[1])
        code, out, _ = type_("report", "answer", INCIDENT, "incident.operator", "Other", as_="yilmaz")
        assert (code, "incident.operator is answered" in out) == (EXIT_OK, True)
        second = told(type_("report", "prepare", INCIDENT, "--json")[1])
        assert set(first["answerable"]) - set(second["answerable"]) == {"incident.operator"}

    def test_a_choice_is_one_of_its_options(self, type_: Typed) -> None:
        code, _, err = type_("report", "answer", INCIDENT, "incident.operator", "robot")
        assert code == EXIT_USAGE
        assert "choose one of: Professional user, Other" in err

    def test_an_unknown_field_is_told_the_fields(self, type_: Typed) -> None:
        code, _, err = type_("report", "answer", INCIDENT, "operator", "Other")
        assert code == EXIT_USAGE
        assert "incident.operator" in err


class TestFiled:
    def test_a_filing_with_gaps_needs_its_reason(self, type_: Typed) -> None:
        type_("report", "prepare", INCIDENT)
        given = ("report", "filed", INCIDENT, "--version", "1", "--at", _now(), "--recipient", "Bundesnetzagentur")
        code, _, err = type_(*given)
        assert code == EXIT_REFUSED
        assert "3.2 Operator: not known yet" in err
        code, out, _ = type_(*given, "--because", "an initial report may be incomplete")
        assert (code, "version 1 filed with Bundesnetzagentur" in out) == (EXIT_OK, True)
        code, _, err = type_(*given, "--because", "again")
        assert (code, "was filed already" in err) == (EXIT_REFUSED, True)

    def test_a_file_that_was_not_sealed_is_refused(self, type_: Typed, tmp_path: Path) -> None:
        type_("report", "prepare", INCIDENT)
        other = tmp_path / "other.pdf"
        other.write_bytes(b"%PDF")
        given = ("--version", "1", "--at", _now(), "--recipient", "x", "-b", "y", "--file", str(other))
        code, _, err = type_("report", "filed", INCIDENT, *given)
        assert (code, "other.pdf is not what was sealed as version 1" in err) == (EXIT_REFUSED, True)

    def test_what_was_never_prepared_cannot_be_filed(self, type_: Typed) -> None:
        code, _, err = type_("report", "filed", INCIDENT, "--version", "3", *FILED)
        assert code == EXIT_USAGE
        assert "prepared were: none" in err

    @pytest.mark.parametrize("at", ["yesterday", "2026-11-03T09:00", "2999-01-01T00:00+00:00"])
    def test_a_time_without_a_zone_or_of_the_future_is_refused(self, type_: Typed, at: str) -> None:
        type_("report", "prepare", INCIDENT)
        code, _, err = type_("report", "filed", INCIDENT, "--version", "1", "--at", at, "--recipient", "x", "-b", "y")
        assert code == EXIT_USAGE
        assert "Traceback" not in err


class TestDiff:
    def test_what_changed_is_shown_with_both_values(self, type_: Typed) -> None:
        type_("report", "prepare", INCIDENT)
        type_("report", "answer", INCIDENT, "incident.operator", "Other")
        type_("report", "prepare", INCIDENT)
        made = told(type_("report", "diff", INCIDENT, "1", "2", "--json")[1])
        assert {"field": "3.2 Operator", "before": "[gap: not known yet]", "after": "Other"} in made["changed"]
        assert (made["old"]["version"], made["new"]["version"]) == (1, 2)
        out = type_("report", "diff", INCIDENT, "1", "2")[1]
        assert "3.2 Operator" in out
        assert "version 1 (initial) and version 2 (initial)" in out

    def test_without_versions_the_newest_is_compared_with_the_record(self, type_: Typed) -> None:
        type_("report", "prepare", INCIDENT)
        type_("report", "answer", INCIDENT, "incident.operator", "Other")
        code, out, _ = type_("report", "diff", INCIDENT)
        assert code == EXIT_OK
        assert "version 1 (initial) and the record now (initial)" in out
        assert "3.2 Operator" in out

    def test_a_filed_version_says_when(self, type_: Typed) -> None:
        type_("report", "prepare", INCIDENT)
        type_("report", "filed", INCIDENT, "--version", "1", "--at", _now(), "--recipient", "x", "--because", "y")
        assert "version 1 (initial, filed 20" in type_("report", "diff", INCIDENT)[1]

    def test_what_is_the_same_is_told_in_words(self, type_: Typed) -> None:
        type_("report", "prepare", INCIDENT)
        assert "Nothing differs." in type_("report", "diff", INCIDENT, "1", "1")[1]

    def test_a_missing_version_is_told(self, type_: Typed) -> None:
        code, _, err = type_("report", "diff", INCIDENT, "1", "2")
        assert (code, f"was prepared for {INCIDENT}" in err) == (EXIT_USAGE, True)
        type_("report", "prepare", INCIDENT)
        code, _, err = type_("report", "diff", INCIDENT, "1", "2")
        assert (code, "has no version 2" in err) == (EXIT_USAGE, True)
