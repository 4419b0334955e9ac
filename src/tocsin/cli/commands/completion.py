"""`tocsin completion`."""

from __future__ import annotations

from typing import Literal

from tocsin.cli.app import build


def completion(shell: Literal["bash", "zsh", "fish", "powershell"]) -> None:
    """Print the completion script of a shell.

    Put it where the shell looks for completions, or run: eval "$(tocsin completion bash)"

    Parameters
    ----------
    shell
        The shell.
    """
    print(build().generate_completion(prog_name="tocsin", shell=shell))
