"""A workspace on disk -> a checked `Workspace`. All mistakes of all files come at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from tocsin.adapters.files import told, write_atomically
from tocsin.adapters.workspace.references import policy_references, system_references
from tocsin.adapters.workspace.schema import DetectorFile, PolicyFile, SystemFile
from tocsin.document.checking import fitted
from tocsin.document.reading import Document, read
from tocsin.model.detector import DetectorKind
from tocsin.model.errors import BadInput, EnvironmentFault, Place, Problem, UsageFault
from tocsin.model.finding import Category
from tocsin.model.policy import (
    ColumnMapping,
    DetectorChoice,
    Person,
    Policy,
    Release,
    ResponseTargets,
    Role,
    SeverityRule,
    System,
    TelemetryMapping,
    Workspace,
)
from tocsin.model.telemetry import Windowing

FORMAT = 1
SALT_BYTES = 32
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Known:
    """What the files may refer to; None: not checked."""

    detectors: Mapping[str, DetectorKind] | None = None
    playbooks: frozenset[str] | None = None
    facts: frozenset[str] | None = None


@dataclass(slots=True)
class _Reading:
    problems: list[Problem] = field(default_factory=list)

    def file(self, path: Path, name: str, model: type[Model]) -> tuple[Model, Document, str] | None:
        """The file as a value of `model` with its document and digest; None after its mistakes were noted."""
        try:
            data = path.read_bytes()
        except OSError as error:
            self.problems.append(Problem(Place(name), f"cannot be read: {error.strerror}", "mend its permissions"))
            return None
        try:
            document = read(data, name)
            return fitted(document, model), document, sha256(data).hexdigest()
        except BadInput as error:
            self.problems += error.problems()
            return None


def read_workspace(root: Path, known: Known | None = None) -> Workspace:
    """The workspace at `root`.

    Raises:
        UsageFault: there is no workspace.
        BadInput: its files have mistakes; all of them.
        EnvironmentFault: a newer Tocsin made it.
    """
    _check_format(root)
    reading, known = _Reading(), known or Known()
    policy = _policy(reading, root, known)
    systems = _systems(reading, root, known, policy)
    if reading.problems or policy is None:
        raise BadInput(reading.problems)
    return Workspace(str(root), policy, systems)


def read_salt(root: Path) -> bytes:
    """The workspace's secret salt. Raises EnvironmentFault when it is missing or damaged."""
    path = root / ".tocsin" / "salt"
    with told(path):
        salt = path.read_bytes()
    if len(salt) != SALT_BYTES:
        raise EnvironmentFault(
            f"{path} is damaged", "restore it from a backup: found items could not be recognized without it"
        )
    return salt


def make_inner(root: Path) -> None:
    """Make `.tocsin` with its format and a fresh secret salt."""
    inner = root / ".tocsin"
    with told(inner):
        inner.mkdir(mode=0o700)
        write_atomically(inner / "salt", os.urandom(SALT_BYTES), mode=0o600)
        write_atomically(inner / "format", f"{FORMAT}\n".encode())


def _check_format(root: Path) -> None:
    path = root / ".tocsin" / "format"
    if not (root / "policy.yaml").exists() or not path.exists():
        raise UsageFault(f"{root} is not a workspace", f"make one with: tocsin init {root}")
    with told(path):
        text = path.read_text(encoding="utf-8").strip()
    if not text.isdigit() or int(text) > FORMAT:
        what = f"{root} was made by a newer Tocsin (format {text[:20]!r}, this one reads {FORMAT})"
        raise EnvironmentFault(what, "upgrade Tocsin; nothing was changed")


def _policy(reading: _Reading, root: Path, known: Known) -> Policy | None:
    found = reading.file(root / "policy.yaml", "policy.yaml", PolicyFile)
    if not found:
        return None
    file, document, digest = found
    reading.problems += policy_references(file, document, known.playbooks)
    return Policy(
        **{name: getattr(file, name) for name in _SAME_IN_POLICY},
        people=tuple(Person(p.id, p.name, p.email, p.phone) for p in file.people),
        roles=tuple(Role(r.id, r.title, r.people, {**r.duties}) for r in file.roles),
        severity=tuple(SeverityRule(r.severity, r.when, r.why) for r in file.severity),
        targets={s: ResponseTargets(t.acknowledge, t.contain, t.update_every) for s, t in file.targets.items()},
        playbooks={Category(category): name for category, name in file.playbooks.items()},
        digest=digest,
    )


_SAME_IN_POLICY = (
    *("title", "version", "owner", "approved_by", "approved_on", "review_by", "organization", "purpose", "scope"),
    *("jurisdictions", "timezone", "join_within"),
)
_SAME_IN_SYSTEM = (
    *("id", "name", "purpose", "owner", "organization_role", "provider", "eu_ai_act_route", "operates_in", "vendors"),
    *("affected_people", "criticality", "facts"),
)


def _systems(reading: _Reading, root: Path, known: Known, policy: Policy | None) -> dict[str, System]:
    systems: dict[str, System] = {}
    for path in sorted((root / "systems").glob("*.y*ml")):
        name = f"systems/{path.name}"
        found = reading.file(path, name, SystemFile)
        if not found:
            continue
        file, document, digest = found
        people = {person.id for person in policy.people} if policy else None
        reading.problems += system_references(file, document, people, known.detectors, known.facts)
        if path.stem != file.id:
            what = f"the id {file.id!r} differs from the file's name"
            reading.problems.append(Problem(document.place(("id",)), what, f"rename the file to {file.id}.yaml"))
        if file.id in systems:
            reading.problems.append(
                Problem(document.place(("id",)), f"a second system has the id {file.id!r}", "rename one")
            )
        systems[file.id] = _system(file, digest)
    return systems


def _system(file: SystemFile, digest: str) -> System:
    telemetry = None
    if file.telemetry:
        columns = {name: ColumnMapping(**column.model_dump()) for name, column in file.telemetry.columns.items()}
        telemetry = TelemetryMapping(file.telemetry.table, columns, file.telemetry.format)
    return System(
        **{name: getattr(file, name) for name in _SAME_IN_SYSTEM},
        models=tuple(Release(r.version, r.released, r.notes) for r in file.models),
        telemetry=telemetry,
        detectors=tuple(_choice(detector) for detector in file.detectors),
        digest=digest,
    )


def _choice(file: DetectorFile) -> DetectorChoice:
    window = Windowing(rows=file.window.rows, every=file.window.every)
    return DetectorChoice(file.kind, detector_id(file.kind, file.id, file.parameters), file.parameters, window)


def detector_id(kind: str, given: str | None, parameters: Mapping[str, Any]) -> str:
    """The id of a detector: the one given, else its kind with the group that it compares."""
    group = parameters.get("group")
    return given or (f"{kind}:{group}" if isinstance(group, str) else kind)
