"""`tocsin completion`."""

from __future__ import annotations

from typing import Literal

from tocsin.cli.app import build
from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import emit


def completion(shell: Literal["bash", "zsh", "fish", "powershell"], *, shared: Shared = DEFAULT) -> None:
    """Print the completion script of a shell.

    Put it where the shell looks for completions, or run: eval "$(tocsin completion bash)"

    Parameters
    ----------
    shell
        The shell.
    """
    script = build().generate_completion(prog_name="tocsin", shell=shell)
    emit({"shell": shell, "script": script}, shared, lambda _: print(script))
