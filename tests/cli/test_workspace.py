"""`tocsin init`, `check` and `policy`, as a governance lead uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin.cli import app
from tocsin.model.errors import EXIT_BAD_INPUT, EXIT_OK, EXIT_REFUSED, EXIT_USAGE

TEMPLATES = ("bank", "assistant", "hospital", "empty")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = app.run(list(argv))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


@pytest.fixture
def bank(run: Run, tmp_path: Path) -> Path:
    run("init", str(tmp_path / "bank"), "--template", "bank")
    return tmp_path / "bank"


class TestInit:
    @pytest.mark.parametrize("template", TEMPLATES)
    def test_every_template_makes_a_workspace_without_mistakes(self, run: Run, tmp_path: Path, template: str) -> None:
        code, out, _ = run("init", str(tmp_path / "w"), "-t", template)
        assert code == EXIT_OK
        assert f"from the template {template}" in out
        assert f"tocsin check -C {tmp_path / 'w'}" in out
        code, out, _ = run("check", "-C", str(tmp_path / "w"))
        assert code == EXIT_OK
        assert "No mistakes" in out

    def test_without_a_template_it_is_the_empty_one(self, run: Run, tmp_path: Path) -> None:
        made = json.loads(run("init", str(tmp_path / "w"), "--json")[1])
        assert (made["template"], made["systems"]) == ("empty", [])

    def test_a_policy_that_stands_there_is_kept(self, run: Run, bank: Path, tmp_path: Path) -> None:
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "policy.yaml").write_bytes((bank / "policy.yaml").read_bytes())
        assert run("init", str(mine))[0] == EXIT_OK
        assert (mine / "policy.yaml").read_bytes() == (bank / "policy.yaml").read_bytes()

    @pytest.mark.parametrize(
        ("prepare", "argv", "says"),
        [
            (lambda p: p.joinpath("x").touch(), ["."], "is not empty: it holds x"),
            (lambda _: None, [".", "-t", "castle"], "castle"),
            (lambda p: p.joinpath("f").touch(), ["f"], "f"),
        ],
    )
    def test_what_cannot_be_made_is_told_and_nothing_is_written(
        self, run: Run, tmp_path: Path, prepare: Callable[[Path], None], argv: list[str], says: str
    ) -> None:
        place = tmp_path / "place"
        place.mkdir()
        prepare(place)
        before = sorted(place.rglob("*"))
        code, out, err = run("init", str(place / argv[0]), *argv[1:])
        assert (code, out) == (EXIT_USAGE, "")
        assert says in err
        assert sorted(place.rglob("*")) == before

    def test_a_second_time_is_refused(self, run: Run, bank: Path) -> None:
        code, _, err = run("init", str(bank), "-t", "bank")
        assert code == EXIT_USAGE
        assert "workspace already" in err


class TestCheck:
    def test_every_mistake_at_once_with_file_line_and_column(self, run: Run, bank: Path) -> None:
        policy = bank / "policy.yaml"
        text = (
            policy.read_text(encoding="utf-8")
            .replace("owner: meyer", "owner: meier")
            .replace("bias: bias", "bias: biass")
        )
        policy.write_text(text, encoding="utf-8")
        system = bank / "systems" / "credit-model.yaml"
        system.write_text(
            system.read_text(encoding="utf-8").replace("kind: group_parity", "kind: group_party", 1), encoding="utf-8"
        )
        code, out, _ = run("check", "-C", str(bank))
        assert code == EXIT_BAD_INPUT
        told = [line for line in out.splitlines() if line.startswith("error: ")]
        assert len(told) == 3
        assert all(":" in line and ".yaml:" in line for line in told)
        assert any("meyer" in line for line in told), "the nearest person is named"
        assert any("group_parity" in line for line in told)
        assert "3 mistakes" in out

    def test_gaps_fail_only_when_asked(self, run: Run, tmp_path: Path) -> None:
        run("init", str(tmp_path / "w"))
        assert run("check", "-C", str(tmp_path / "w"))[0] == EXIT_OK
        code, out, _ = run("check", "--gaps", "-C", str(tmp_path / "w"))
        assert code == EXIT_REFUSED
        assert "Gaps" in out

    def test_json_has_places(self, run: Run, bank: Path) -> None:
        (bank / "policy.yaml").write_text("title: 5\n", encoding="utf-8")
        code, out, _ = run("check", "-C", str(bank), "--json")
        told = json.loads(out)
        assert (code, told["ok"]) == (EXIT_BAD_INPUT, False)
        assert told["problems"][0]["place"]["file"].endswith("policy.yaml")
        assert told["problems"][0]["place"]["line"] >= 1

    def test_an_unknown_key_is_an_error_with_a_suggestion(self, run: Run, bank: Path) -> None:
        policy = bank / "policy.yaml"
        policy.write_text(policy.read_text(encoding="utf-8").replace("timezone:", "timezon:"), encoding="utf-8")
        code, out, _ = run("check", "-C", str(bank))
        assert code == EXIT_BAD_INPUT
        assert "unknown key 'timezon'" in out
        assert "did you mean 'timezone'" in out


class TestPolicy:
    def test_it_prints_what_a_board_signs(self, run: Run, bank: Path) -> None:
        code, out, _ = run("policy", "-C", str(bank))
        assert code == EXIT_OK
        assert out.startswith("# AI incident response policy")
        for part in ("Nordhafen Bank AG", "Incident manager", "sev1", "credit", "Ingrid Meyer", "15 September 2027"):
            assert part in out

    def test_the_same_as_data(self, run: Run, bank: Path) -> None:
        assert json.loads(run("policy", "-C", str(bank), "--json")[1])

    def test_a_policy_with_mistakes_is_not_printed(self, run: Run, bank: Path) -> None:
        (bank / "policy.yaml").write_text("title: 5\n", encoding="utf-8")
        code, out, err = run("policy", "-C", str(bank))
        assert (code, out) == (EXIT_BAD_INPUT, "")
        assert "policy.yaml" in err
