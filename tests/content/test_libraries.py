"""Libraries other than the installed one, and mistakes in them with their line."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.content.loaders import law, libraries, shipped, vectors
from tocsin.law.conditions import comparisons
from tocsin.law.regime import FactKind
from tocsin.model.errors import BadInput, Problem, UsageFault

KEPT = ("eu.gdpr.art33", "eu.gdpr.art34", "eu.gdpr.art33_2", "us.tx.521_053")
Edit = Callable[[str, str, str], int]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Four of the shipped regimes, with what they need, in a folder."""
    root = tmp_path / "law"
    root.mkdir()
    for name in ("places.yaml", "authorities.yaml"):
        shutil.copy(str(shipped.SHIPPED / name), root / name)  # type: ignore[operator]
    shutil.copytree(str(shipped.SHIPPED / "facts"), root / "facts")  # type: ignore[operator]
    for name in KEPT:
        shutil.copytree(str(shipped.SHIPPED / name), root / name)  # type: ignore[operator]
    return root


@pytest.fixture
def edit(small: Path) -> Edit:
    """Replace text in one of the files; gives the line in which it stood."""

    def go(name: str, before: str, after: str) -> int:
        file = small / name
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after, 1), encoding="utf-8")
        return text[: text.index(before)].count("\n") + 1

    return go


def zipped(small: Path, out: Path, inside: str) -> Path:
    with zipfile.ZipFile(out, "w") as archive:
        for path in small.rglob("*"):
            if path.is_file():
                archive.write(path, f"{inside}{path.relative_to(small)}")
    return out


class TestWhere:
    def test_a_folder_of_packs_is_a_library(self, small: Path) -> None:
        assert {regime.id for regime in libraries.at(small).regimes} == set(KEPT)

    @pytest.mark.parametrize(
        "below",
        [
            "law",
            "content/law",
            "tocsin/content/law",
            "src/tocsin/content/law",
            "lib/python3.12/site-packages/tocsin/content/law",
            "Lib/site-packages/tocsin/content/law",
        ],
    )
    def test_so_is_what_has_one_inside(self, small: Path, tmp_path: Path, below: str) -> None:
        target = tmp_path / "older" / below
        target.parent.mkdir(parents=True)
        small.rename(target)
        assert len(libraries.at(tmp_path / "older").regimes) == len(KEPT)

    @pytest.mark.parametrize("inside", ["tocsin/content/law/", ""])
    def test_and_a_wheel(self, small: Path, tmp_path: Path, inside: str) -> None:
        wheel = zipped(small, tmp_path / "tocsin-0.1.0-py3-none-any.whl", inside)
        assert libraries.at(wheel).digest == libraries.at(small).digest

    @pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: None])
    def test_what_holds_none_is_told(self, tmp_path: Path, make: Callable[[Path], None]) -> None:
        make(tmp_path / "nothing.whl")
        with pytest.raises(UsageFault, match=r"holds no library of law — name a folder with places\.yaml"):
            libraries.at(tmp_path / "nothing.whl")


class TestKept:
    def test_what_is_packed_is_the_same_library(self, tmp_path: Path) -> None:
        copy = tmp_path / "copy.zip"
        copy.write_bytes(libraries.packed())
        library = libraries.kept(copy, law.load().digest)
        assert library.regimes == law.load().regimes
        assert library.facts == law.load().facts

    def test_the_same_library_is_packed_into_the_same_bytes(self) -> None:
        assert libraries.packed() == libraries.packed()

    def test_a_copy_that_was_changed_is_refused(self, small: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copy.zip"
        copy.write_bytes(libraries.packed(small))
        with pytest.raises(BadInput, match=r"copy\.zip: the packs in it have the digest [0-9a-f]{16} — it was changed"):
            libraries.kept(copy, "0" * 64)


class TestDigest:
    @pytest.mark.parametrize(
        ("name", "before", "after"),
        [
            ("eu.gdpr.art33/pack.yaml", "amount: 72", "amount: 96"),
            ("facts/eu.yaml", "Did a person die", "Did anybody die"),
            ("places.yaml", "Europe/Lisbon", "Atlantic/Azores"),
            ("authorities.yaml", "confidence: S", "confidence: P"),
        ],
    )
    def test_it_changes_with_every_document(self, small: Path, edit: Edit, name: str, before: str, after: str) -> None:
        digest = libraries.at(small).digest
        edit(name, before, after)
        assert libraries.at(small).digest != digest

    def test_cases_and_forms_have_no_part_in_it(self, small: Path) -> None:
        digest = libraries.at(small).digest
        (small / "eu.gdpr.art33" / "vectors.yaml").unlink()
        assert libraries.at(small).digest == digest


class TestPackMistakes:
    @pytest.mark.parametrize(
        ("before", "after", "field", "says"),
        [
            (
                "{fact: personal_data_breach}",
                "{fact: personal_data_breech}",
                "applies",
                "no fact 'personal_data_breech'; did you mean 'personal_data_breach'?",
            ),
            (
                "not: {fact: breach_risk, is: unlikely}",
                "not: {fact: breach_risk, is: unlikly}",
                "stages.0.when",
                "breach_risk has no choice 'unlikly'; did you mean 'unlikely'?",
            ),
            (
                "not: {fact: breach_risk, is: unlikely}",
                "not: {fact: breach_risk, at_least: 2}",
                "stages.0.when",
                "breach_risk is a choice: it cannot be compared with 'at_least'; there are: is, in",
            ),
            (
                "{fact: organization_is_controller}",
                "{fact: organization_is_controller, is: 1}",
                "applies",
                "organization_is_controller is a truth: it cannot be compared with 1",
            ),
            ("cite: [art33_1, art33_3, art33_4]", "cite: [art33_9]", "stages.0.cite", "no citation 'art33_9'"),
            ("jurisdiction: EU", "jurisdiction: EX", "jurisdiction", "no place 'EX'"),
            ('default: "no"', 'default: "maybe"', "switches.0", "the default 'maybe' is no option"),
        ],
    )
    def test_each_is_told_with_its_line(
        self, small: Path, edit: Edit, before: str, after: str, field: str, says: str
    ) -> None:
        changed = edit("eu.gdpr.art33/pack.yaml", before, after)
        with pytest.raises(BadInput) as told:
            libraries.at(small)
        text = str(told.value)
        assert says in text
        assert f"({field})" in text
        line = told.value.problems()[0].place.line
        assert 0 < line <= changed
        assert changed - line <= 4, "the part in which it stands"

    def test_kinds_that_shared_conditions_speak_of_are_declared_by_packs(self) -> None:
        library = law.load()
        compared = [c for regime in library.regimes for one in regime.conditions for c in comparisons(one)]
        named = {
            part
            for c in compared
            if c.fact == law.KINDS
            for part in ([c.value] if isinstance(c.value, str) else c.value)
        }
        assert named == set(library.facts[law.KINDS].choices)

    def test_the_mistakes_of_several_packs_are_told_at_once(self, small: Path, edit: Edit) -> None:
        edit("eu.gdpr.art33/pack.yaml", "{fact: personal_data_breach}", "{fact: nonsense}")
        edit("us.tx.521_053/pack.yaml", "{use: us_breach_data}", "{use: us_breach_dat}")
        with pytest.raises(BadInput) as told:
            libraries.at(small)
        files = {problem.place.file for problem in told.value.problems()}
        assert files == {"law/eu.gdpr.art33/pack.yaml", "law/us.tx.521_053/pack.yaml"}
        assert "did you mean 'us_breach_data'?" in str(told.value)


class TestCaseMistakes:
    @staticmethod
    def found(small: Path, regime: str = "eu.gdpr.art33") -> list[Problem]:
        library = libraries.at(small)
        return list(vectors.mistakes(library.by_id[regime], library, small))

    def test_the_shipped_cases_have_none(self) -> None:
        library = law.load()
        assert [p for regime in library.regimes for p in vectors.mistakes(regime, library)] == []

    @pytest.mark.parametrize(
        ("before", "after", "says"),
        [
            ("breach_risk: unlikely}", "breech_risk: unlikely}", "no fact 'breech_risk' — did you mean 'breach_risk'?"),
            ("breach_risk: unlikely}", "breach_risk: low}", "must be one of unlikely, risk, high (it says 'low')"),
            ("personal_data_breach: false}", "personal_data_breach: 0}", "must be true or false (it says 0)"),
            ("countries: [FI, PT]", "countries: [FI, UK]", "no country 'UK'"),
            ("notification@FI:", "notificaton@FI:", "has no stage 'notificaton@FI' — did you mean 'notification'?"),
            ("not_owed: [notification@ES]", "not_owed: [register@ES]", "expected, and expected not to be owed"),
            ("aware.controller: 2026-11-25T15:10", "awair.controller: 2026-11-25T15:10", "no date 'awair.controller'"),
        ],
    )
    def test_each_is_told_with_its_line(self, small: Path, edit: Edit, before: str, after: str, says: str) -> None:
        changed = edit("eu.gdpr.art33/vectors.yaml", before, after)
        (problem,) = self.found(small)
        assert says in str(problem)
        assert abs(problem.place.line - changed) <= 2

    def test_a_time_without_a_zone_is_told_with_its_line(self, small: Path, edit: Edit) -> None:
        line = edit("eu.gdpr.art33/vectors.yaml", "2026-11-27T17:40+01:00", "2026-11-27T17:40")
        with pytest.raises(
            BadInput, match=rf"vectors\.yaml:{line}:\d+ \(.*\): must be a date and time with its offset"
        ):
            vectors.load("eu.gdpr.art33", small)


class TestValues:
    @pytest.mark.parametrize(
        ("kind", "right", "wrong"),
        [
            ("truth", [True, False, None, "not_applicable"], [1, "yes", []]),
            ("number", [0, 1.5, None], [True, "3", []]),
            ("text", ["", "a"], [1, True]),
            ("date", ["2026-11-24"], ["24.11.2026", 20261124.0, True]),
            ("choice", ["a", "b"], ["c", ["a"], True]),
            ("set", [[], ["a"], ["a", "b"]], ["a", ["a", "c"], True]),
        ],
    )
    def test_a_fact_takes_values_of_its_type_only(self, kind: str, right: list[object], wrong: list[object]) -> None:
        fact = FactKind("f", kind, "F?", "Look.", ("a", "b") if kind in ("choice", "set") else ())  # type: ignore[arg-type]
        assert all(fact.takes(value) for value in right)
        assert not any(fact.takes(value) for value in wrong)
        assert fact.wanted
