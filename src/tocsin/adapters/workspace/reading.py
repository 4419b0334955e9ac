"""A workspace on disk -> a checked `Workspace`. All mistakes of all files come at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from tocsin.adapters.files import told, write_atomically
from tocsin.adapters.workspace.policy_references import policy_references
from tocsin.adapters.workspace.schema import ColumnFile, DetectorFile, PolicyFile, StreamFile, SystemFile, TelemetryFile
from tocsin.adapters.workspace.system_references import Known, stream_references, system_references
from tocsin.document.checking import fitted
from tocsin.document.reading import BYTES_MAX, Document, read
from tocsin.model.errors import BadInput, EnvironmentFault, Place, Problem, UsageFault
from tocsin.model.finding import Category
from tocsin.model.policy import (
    ColumnMapping,
    DetectorChoice,
    FalseAlarms,
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
SUFFIXES = (".yaml", ".yml")
LIKE_SUFFIXES = (".yaml", ".yml", ".json", ".toml")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(slots=True)
class _Reading:
    problems: list[Problem] = field(default_factory=list)

    def file(self, path: Path, name: str, model: type[Model]) -> tuple[Model, Document, str] | None:
        """The file as a value of `model` with its document and digest; None after its mistakes were noted."""
        try:
            data = _bytes(path, name)
            document = read(data, name)
            return fitted(document, model), document, sha256(data).hexdigest()
        except BadInput as error:
            self.problems += error.problems()
            return None


def _bytes(path: Path, name: str) -> bytes:
    """The file's bytes, never more than a document may have. Raises BadInput when it is no file or cannot be read."""
    try:
        if not path.exists():
            what = "links to a file that is not there" if path.is_symlink() else "the file is missing"
            raise BadInput.at(Place(name), what, "restore it")
        if not path.is_file():
            raise BadInput.at(Place(name), "is not a file", "put a YAML file here")
        with path.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except OSError as error:
        raise BadInput.at(Place(name), f"cannot be read: {error.strerror}", "mend its permissions") from None


def read_workspace(root: Path, known: Known | None = None) -> Workspace:
    """The workspace at `root`.

    Raises:
        UsageFault: there is no workspace.
        BadInput: its files have mistakes; all of them.
        EnvironmentFault: a newer Tocsin made it.
    """
    _check_format(root)
    return read_files(root, known)


def read_files(root: Path, known: Known | None = None) -> Workspace:
    """What `policy.yaml` and `systems/` say, whether or not they are in a workspace yet. Raises BadInput with all mistakes."""
    reading, known = _Reading(), known or Known()
    policy = _policy(reading, root, known)
    systems = _systems(reading, root, known, policy)
    if reading.problems or policy is None:
        raise BadInput(reading.problems)
    return Workspace(str(root), policy, systems)


class StreamRead(NamedTuple):
    """How a stream is read, and what watches it."""

    telemetry: TelemetryMapping
    detectors: tuple[DetectorChoice, ...]


def read_stream(data: bytes | str, name: str, known: Known) -> StreamRead:
    """A stream of no workspace, written as `telemetry` and `detectors` of a system are. Raises BadInput with all mistakes."""
    document = read(data, name)
    file = fitted(document, StreamFile)
    problems = list(stream_references(file, document, known))
    if problems:
        raise BadInput(problems)
    return StreamRead(_telemetry(file.telemetry), tuple(_choice(detector) for detector in file.detectors))


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


def fresh_salt() -> bytes:
    """A secret for a new workspace."""
    return os.urandom(SALT_BYTES)


def fill_inner(inner: Path) -> None:
    """Put the format and a fresh secret salt into a folder that is to be `.tocsin`; version control shall leave it alone."""
    with told(inner):
        inner.mkdir(exist_ok=True)
        inner.chmod(0o700)
        write_atomically(inner / ".gitignore", b"*\n", mode=0o644)
        write_atomically(inner / "salt", fresh_salt(), mode=0o600)
        write_atomically(inner / "format", f"{FORMAT}\n".encode())


def _check_format(root: Path) -> None:
    path = root / ".tocsin" / "format"
    with told(path):
        if not path.exists():
            raise UsageFault(f"{root} is not a workspace", f"make one with: tocsin init {root}")
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    if not _NUMBER.fullmatch(text):
        raise EnvironmentFault(f"{path} is damaged: it says {text[:20]!r}", f"restore it; this Tocsin writes {FORMAT}")
    if int(text) > FORMAT:
        what = f"{root} was made by a newer Tocsin (format {text}, this one reads {FORMAT})"
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
        false_alarms=FalseAlarms(**file.false_alarms.model_dump()) if file.false_alarms else None,
        playbooks={Category(category): name for category, name in file.playbooks.items()},
        digest=digest,
    )


_SAME_IN_POLICY = (
    *("title", "version", "owner", "approved_by", "approved_on", "review_by", "organization", "purpose", "scope"),
    *("jurisdictions", "timezone", "join_within"),
)
_SAME_IN_SYSTEM = (
    *("id", "name", "purpose", "owner", "organization_role", "provider", "eu_ai_act_route", "operates_in", "vendors"),
    *("affected_people", "criticality"),
)


def _systems(reading: _Reading, root: Path, known: Known, policy: Policy | None) -> dict[str, System]:
    people = {person.id for person in policy.people} if policy else None
    systems: dict[str, System] = {}
    for path in _system_files(reading, root / "systems"):
        found = reading.file(path, f"systems/{path.name}", SystemFile)
        if not found:
            continue
        file, document, digest = found
        reading.problems += system_references(file, document, people, known)
        reading.problems += _identity(file, document, path, systems)
        systems[file.id] = _system(file, digest)
    return systems


def _system_files(reading: _Reading, folder: Path) -> list[Path]:
    """The inventory's files; a file that looks like one and would be passed over is a mistake."""
    with told(folder):
        if folder.exists() and not folder.is_dir():
            reading.problems.append(
                Problem(Place("systems"), "is not a folder", "put each system's file into a folder")
            )
            return []
        paths = sorted(folder.iterdir()) if folder.exists() else []
    shown = [path for path in paths if not path.name.startswith(".")]
    for path in shown:
        if path.suffix not in SUFFIXES and path.suffix.lower() in LIKE_SUFFIXES:
            place = Place(f"systems/{path.name}")
            reading.problems.append(
                Problem(place, "would be passed over", f"call it {path.stem}.yaml, or move it away")
            )
    return [path for path in shown if path.suffix in SUFFIXES]


def _identity(file: SystemFile, document: Document, path: Path, systems: Mapping[str, System]) -> list[Problem]:
    place, problems = document.place(("id",)), []
    if path.stem != file.id:
        what = f"the id {file.id!r} differs from the file's name"
        problems.append(Problem(place, what, f"rename the file to {file.id}.yaml, or change the id"))
    if file.id in systems:
        problems.append(Problem(place, f"a second system has the id {file.id!r}", "rename or remove one"))
    return problems


def _system(file: SystemFile, digest: str) -> System:
    return System(
        **{name: getattr(file, name) for name in _SAME_IN_SYSTEM},
        facts={name: value.isoformat() if isinstance(value, date) else value for name, value in file.facts.items()},
        models=tuple(Release(r.version, r.released, r.notes) for r in file.models),
        telemetry=_telemetry(file.telemetry) if file.telemetry else None,
        detectors=tuple(_choice(detector) for detector in file.detectors),
        digest=digest,
    )


def _telemetry(given: TelemetryFile) -> TelemetryMapping:
    labels = {name: column for name, column in (given.labels or ()) if column is not None}
    return TelemetryMapping(given.table, _mapped(given.columns), given.format, given.only, _mapped(labels))


def _mapped(columns: Mapping[str, ColumnFile]) -> dict[str, ColumnMapping]:
    return {name: ColumnMapping(**column.model_dump()) for name, column in columns.items()}


def _choice(file: DetectorFile) -> DetectorChoice:
    window = Windowing(rows=file.window.rows, every=file.window.every)
    return DetectorChoice(file.kind, file.label, file.parameters, window)
