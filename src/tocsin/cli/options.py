"""Options that many commands share, and the desk that they open."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tocsin.model.errors import UsageFault

if TYPE_CHECKING:
    from tocsin.service.desk import Desk


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Shared:
    """What every command takes."""

    workspace: Annotated[Path | None, Parameter(name=["--workspace", "-C"], env_var="TOCSIN_WORKSPACE")] = None
    "The workspace; default: this folder or the nearest one above it that is a workspace."

    json: Annotated[bool, Parameter(negative="")] = False
    "Write the result as JSON on standard output."

    as_: Annotated[str | None, Parameter(name="--as", env_var="TOCSIN_PERSON")] = None
    "Who acts: the id of a person in the policy; default: the login name."

    zone: Annotated[str | None, Parameter(env_var="TOCSIN_ZONE")] = None
    "The zone in which times are shown, such as Europe/Berlin; default: this machine's."

    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False
    "No progress bars."

    def root(self) -> Path:
        """The workspace's folder. Raises UsageFault if there is none."""
        start = self.workspace or Path.cwd()
        if self.workspace:
            return start
        for folder in [start, *start.parents]:
            if (folder / ".tocsin").is_dir() and (folder / "policy.yaml").exists():
                return folder
        raise UsageFault(
            f"{start} is not in a workspace", "make one with `tocsin init DIR`, or name one with --workspace DIR"
        )

    def author(self) -> str:
        """Who acts."""
        return self.as_ or _login()

    def desk(self) -> Desk:
        """The workspace, opened by whoever acts, with changed policy files adopted into the ledger."""
        from tocsin.service.desk import open_desk
        from tocsin.service.workspaces import adopt

        desk = open_desk(self.root(), self.author())
        adopt(desk)
        return desk


def _login() -> str:
    """The login name; `unknown` where the machine has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return os.environ.get("USER", "unknown")


DEFAULT = Shared()
