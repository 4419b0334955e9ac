"""Completion as a shell runs it."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest

from tocsin.cli import app


@pytest.fixture(scope="module")
def script() -> str:
    made = app.build().generate_completion(prog_name="tocsin", shell="bash")
    assert isinstance(made, str)
    return made


def _completed(script: str, *words: str) -> set[str]:
    """What bash offers for the last of the words."""
    shell = shutil.which("bash")
    if not shell:
        pytest.skip("bash is not installed")
    line = f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}"
    asked = f'{script}\n{line}\n_tocsin tocsin\nprintf "%s\\n" "${{COMPREPLY[@]}}"\n'
    done = subprocess.run([shell, "--norc"], input=asked, capture_output=True, text=True, check=True, timeout=30)
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("tocsin", "inc"), {"incident"}),
        (("tocsin", "re"), {"register", "report", "respond", "remediate"}),
        (("tocsin", "incident", "re"), {"reopen"}),
        (("tocsin", "report", "pre"), {"prepare"}),
        (("tocsin", "nothing-begins-like-this"), set()),
    ],
)
def test_a_word_begun_is_completed(script: str, words: tuple[str, ...], offered: set[str]) -> None:
    assert _completed(script, *words) == offered


def test_every_command_is_offered(script: str) -> None:
    assert {command.name.split()[0] for command in app.COMMANDS} <= _completed(script, "tocsin", "")


def test_options_are_completed(script: str) -> None:
    assert "--json" in _completed(script, "tocsin", "verify", "--js")
