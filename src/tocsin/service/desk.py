"""The desk: what a use case works at. Opened by a door, it holds the workspace, the stores, the clock and who is acting."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

from tocsin.adapters.evidence.sealed import EvidenceStore
from tocsin.adapters.stores.sqlite import SqliteLedger
from tocsin.adapters.telemetry.segments import SegmentStore
from tocsin.adapters.workspace.reading import read_salt, read_workspace
from tocsin.detect.choosing import completed
from tocsin.model.errors import UsageFault
from tocsin.model.event import Event, Json
from tocsin.model.policy import System, Workspace
from tocsin.service.clock import wall_clock

SELF = "tocsin"
"""The author of what no person did."""


@dataclass(frozen=True, slots=True)
class Desk(AbstractContextManager["Desk"]):
    """Everything a use case may touch. Close it (or use `with`) to release the ledger."""

    root: Path
    workspace: Workspace
    ledger: SqliteLedger
    telemetry: SegmentStore
    evidence: EvidenceStore
    salt: bytes
    clock: Callable[[], datetime]
    author: str

    def event(self, kind: str, author: str | None = None, /, **data: Json) -> Event:
        """An event that happens now, by whoever sits at the desk unless another author is named."""
        return Event(kind, self.clock(), author or self.author, data)

    def system(self, system_id: str) -> System:
        """The system of that id. Raises UsageFault with the ids that exist."""
        try:
            return self.workspace.systems[system_id]
        except KeyError:
            known = ", ".join(sorted(self.workspace.systems)) or "none yet"
            raise UsageFault(
                f"no system {system_id!r} in {self.root / 'systems'}", f"the systems are: {known}"
            ) from None

    def acting(self, author: str) -> Desk:
        """The same desk with another person at it."""
        return replace(self, author=author)

    def close(self) -> None:
        """Release the ledger."""
        self.ledger.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_desk(root: Path, author: str = SELF, clock: Callable[[], datetime] = wall_clock) -> Desk:
    """The desk of the workspace at `root`.

    Raises:
        UsageFault: there is no workspace at `root`.
        BadInput: its policy or a system file has mistakes; all of them are told.
        EnvironmentFault: the ledger cannot be opened, or a newer Tocsin made the workspace.
    """
    workspace = completed(read_workspace(root))
    inner = root / ".tocsin"
    return Desk(
        root=root,
        workspace=workspace,
        ledger=SqliteLedger(inner / "ledger.db"),
        telemetry=SegmentStore(inner / "segments"),
        evidence=EvidenceStore(inner / "evidence"),
        salt=read_salt(root),
        clock=clock,
        author=author,
    )
