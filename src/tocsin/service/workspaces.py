"""Make a workspace from a template, check one, and take changed policy and system files into the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tocsin.adapters.files import write_atomically
from tocsin.adapters.stores.sqlite import SqliteLedger
from tocsin.adapters.workspace.making import awaits_workspace, made_whole
from tocsin.adapters.workspace.reading import FORMAT, fill_inner, read_files, read_workspace
from tocsin.adapters.workspace.system_references import Known
from tocsin.content.discovery import detector_kinds
from tocsin.content.loaders.law import load as load_law
from tocsin.content.loaders.playbooks import load as load_playbooks
from tocsin.content.loaders.policies import standing_text
from tocsin.content.loaders.taxonomies import load as load_taxonomies
from tocsin.content.loaders.workspaces import template as template_files
from tocsin.detect import choosing, fleet
from tocsin.govern.policy_document import PolicyDocument, policy_document
from tocsin.govern.readiness import gaps
from tocsin.govern.words import Gap
from tocsin.model.errors import BadInput, Conflict, EnvironmentFault, Problem, UsageFault
from tocsin.model.event import Append, Event, Json, Recorded
from tocsin.model.policy import Workspace
from tocsin.service.desk import Desk

STREAM = "workspace"
INNER = ".tocsin"
DEFAULT_TEMPLATE = "empty"
ATTEMPTS = 10
"""How often adoption is tried again when another process adopts at the same moment; each failure means that one succeeded."""


@dataclass(frozen=True, slots=True)
class Initialized:
    """A workspace that was made: where, from which template (empty: around the user's own files), and the files written."""

    root: str
    template: str
    files: tuple[str, ...]
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: mistakes, that make the workspace unusable, and gaps, that leave a duty unanswered."""

    workspace: Workspace | None
    problems: tuple[Problem, ...]
    gaps: tuple[Gap, ...]
    false_alarms: tuple[str, ...] = ()
    """What the detectors promise together, in sentences."""
    chosen: tuple[str, ...] = ()
    """Which detectors are chosen for systems that name none, in sentences."""

    @property
    def ok(self) -> bool:
        """Whether the workspace can be used."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Adopted:
    """What the ledger learned of the files: the policy's version if it changed, and the systems that changed or went away."""

    policy: str = ""
    systems: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()


def known() -> Known:
    """What the files of a workspace may refer to."""
    return Known(detector_kinds(), frozenset(load_playbooks()), load_law().facts)


def init(target: Path, template: str | None, author: str, clock: Callable[[], datetime]) -> Initialized:
    """Make a workspace at `target`, whole or not at all: from a template, or around the policy that stands there already.

    Raises:
        UsageFault: `target` is a workspace already or a folder with other things in it, or there is no such template.
        BadInput: the policy that stands there has mistakes.
        EnvironmentFault: the disk is full or the place may not be written.
    """
    if awaits_workspace(target):
        if template:
            raise UsageFault(
                f"{target} holds a policy already", "leave the template out to use it, or name a new folder"
            )
        return _init_around(target, author, clock)
    template = template or DEFAULT_TEMPLATE
    contents = template_files(template)
    with made_whole(target) as folder:
        for name, data in contents.items():
            (folder / name).parent.mkdir(exist_ok=True)
            write_atomically(folder / name, data, mode=0o644)
        workspace = read_files(folder)
        _begin(folder / INNER, workspace, template, author, clock())
    return Initialized(str(target), template, tuple(sorted(contents)), tuple(sorted(workspace.systems)))


def _init_around(target: Path, author: str, clock: Callable[[], datetime]) -> Initialized:
    workspace = read_files(target, known())
    with made_whole(target / INNER) as inner:
        _begin(inner, workspace, "", author, clock())
    return Initialized(str(target), "", (), tuple(sorted(workspace.systems)))


def _begin(inner: Path, workspace: Workspace, template: str, author: str, now: datetime) -> None:
    """Fill `.tocsin`: format, salt, and a ledger that begins with the workspace and what is in force in it."""
    fill_inner(inner)
    events = [Event("workspace_created", now, author, {"template": template, "format": FORMAT})]
    events += [Event(kind, now, author, data) for kind, data in _differences((), workspace)]
    ledger = SqliteLedger(inner / "ledger.db")
    try:
        ledger.append(Append(STREAM, 0, events))
    finally:
        ledger.close()


def check(root: Path, today: date) -> Checked:
    """Every mistake in the files at `root`; when there is none, every gap of the policy on that day.

    A policy that is in no workspace yet can be checked, too: a copy from version control, say.

    Raises:
        UsageFault: there is no workspace at `root`.
        EnvironmentFault: a newer Tocsin made it.
    """
    try:
        workspace = _read(root, known())
    except BadInput as error:
        return Checked(None, tuple(error.problems()), ())
    roles = {name: {step.role for step in playbook.actions()} for name, playbook in load_playbooks().items()}
    promises = fleet.told(choosing.completed(workspace), detector_kinds())
    found = gaps(workspace, today, _versions(root), roles)
    return Checked(workspace, (), found, promises, choosing.told(workspace))


def _versions(root: Path) -> dict[str, str]:
    """Version of the policy -> digest of the text with which it was first adopted; nothing where there is no ledger."""
    path = root / INNER / "ledger.db"
    if not path.exists():
        return {}
    ledger = SqliteLedger(path)
    try:
        adopted = [event.data for event in ledger.read(STREAM) if event.kind == "policy_adopted"]
    finally:
        ledger.close()
    return {data["version"]: data["digest"] for data in reversed(adopted)}


def document(root: Path) -> PolicyDocument:
    """The policy at `root` as the document that a board signs; `govern.policy_document.markdown` prints it."""
    return policy_document(_read(root, Known()), standing_text(), load_taxonomies().definitions)


def _read(root: Path, known: Known) -> Workspace:
    return read_files(root, known) if awaits_workspace(root) else read_workspace(root, known)


def adopt(desk: Desk) -> Adopted:
    """Record in the ledger which policy and which systems are in force, if their files changed since they were last recorded.

    What changed is checked first against everything it refers to, so that no command works with a detector or a fact that does
    not exist; what did not change was checked when it was recorded.

    Raises:
        BadInput: the changed files have mistakes; all of them are told and nothing is recorded.
        EnvironmentFault: the ledger does not know this workspace.
    """
    for attempt in range(ATTEMPTS):
        events = desk.ledger.read(STREAM)
        if not events:
            what = f"the ledger in {desk.root / INNER} is empty: it does not know this workspace"
            raise EnvironmentFault(what, "restore ledger.db from a backup")
        changes = list(_differences(events, desk.workspace))
        if not changes:
            return Adopted()
        if attempt == 0:
            read_files(desk.root, known())
        try:
            desk.ledger.append(Append(STREAM, len(events), [desk.event(kind, **data) for kind, data in changes]))
        except Conflict:
            continue
        return _adopted(changes)
    raise Conflict("other processes keep changing the workspace", "try again")


def _differences(events: Sequence[Recorded], workspace: Workspace) -> Iterator[tuple[str, dict[str, Json]]]:
    """The events (kind, data) that bring the recorded state to that of the files."""
    policy, systems = "", dict[str, str]()
    for event in events:
        if event.kind == "policy_adopted":
            policy = event.data["digest"]
        elif event.kind == "system_registered":
            systems[event.data["system"]] = event.data["digest"]
        elif event.kind == "system_retired":
            systems.pop(event.data["system"], None)
    if policy != workspace.policy.digest:
        yield "policy_adopted", {"version": workspace.policy.version, "digest": workspace.policy.digest}
    for name, system in sorted(workspace.systems.items()):
        if systems.get(name) != system.digest:
            yield "system_registered", {"system": name, "digest": system.digest}
    for name in sorted(systems.keys() - workspace.systems.keys()):
        yield "system_retired", {"system": name}


def _adopted(changes: Sequence[tuple[str, dict[str, Json]]]) -> Adopted:
    def of(kind: str, field: str) -> tuple[str, ...]:
        return tuple(data[field] for changed, data in changes if changed == kind)

    return Adopted(
        policy="".join(of("policy_adopted", "version")),
        systems=of("system_registered", "system"),
        retired=of("system_retired", "system"),
    )
