"""Verify, checkpoint, prove and export the ledger. Needs no readable policy: an auditor may hold nothing else.

Only the standard library, msgspec and, where a signature is checked, cryptography are imported: it must start at once.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from tocsin.adapters.files import told, write_atomically
from tocsin.adapters.stores.sqlite import SqliteLedger
from tocsin.ledger.checkpoint import Checkpoint, SignedCheckpoint, VerifierKey, parse, signed, signed_by
from tocsin.ledger.tree import EMPTY_ROOT, Frontier, inclusion_proof, root_of
from tocsin.ledger.verification import by_size
from tocsin.ledger.verification import verify as verify_rows
from tocsin.model.errors import BadInput, Place, Problem, Refused, UsageFault
from tocsin.model.progress import Progress, silent

ORIGIN = "tocsin.ledger"
"""The origin line is `tocsin.ledger/<first 16 hex digits of the key's SHA-256>`: unique to the workspace, and it names nobody."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification computed and what it found wrong."""

    place: str
    events: int
    root: str
    faults: tuple[str, ...]
    checkpoints: int
    segments: int
    evidence: int

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A signed head: its text, where it is kept, and the key that an auditor pins."""

    text: str
    path: str
    size: int
    root: str
    key: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle: where it is and what is in it."""

    path: str
    events: int
    root: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The proof that one event stands in the ledger under a root (RFC 9162 section 2.1.3); hashes in hex."""

    sequence: int
    size: int
    event: str
    leaf: str
    proof: tuple[str, ...]
    root: str


def verify(
    root: Path, checkpoints: Sequence[Path] = (), *, deep: bool = False, progress: Progress = silent
) -> Verified:
    """Verify the ledger of the workspace at `root`, or the exported bundle there.

    Every checkpoint kept in the workspace counts, and those in `checkpoints`, which should come from elsewhere. With `deep` the
    bytes of every telemetry segment and of every piece of evidence are checked, too.

    Raises:
        UsageFault: there is neither a ledger nor a bundle.
        BadInput: a checkpoint file cannot be read.
    """
    if (root / "events.jsonl").exists():
        return _verify_bundle(root, checkpoints, progress)
    inner = root / ".tocsin"
    if not (inner / "ledger.db").exists():
        raise UsageFault(f"no ledger in {root}", "name a workspace or an exported bundle")
    kept = sorted((inner / "checkpoints").glob("*.txt"))
    heads, faults = _read_checkpoints([*kept, *checkpoints], _public_key(inner))
    ledger = SqliteLedger(inner / "ledger.db")
    try:
        result = verify_rows(ledger.rows(), heads, progress)
        segments, evidence, wrong = _verify_files(ledger, inner, progress) if deep else (0, 0, [])
    finally:
        ledger.close()
    told_faults = (*faults, *(str(fault) for fault in result.faults), *wrong)
    return Verified(str(root), result.size, result.root.hex(), told_faults, len(heads), segments, evidence)


def checkpoint(root: Path, clock: Callable[[], datetime], out: Path | None = None) -> Checkpointed:
    """Sign the present head with the workspace's key, keep it in the workspace, and write it to `out` as well.

    Raises:
        Refused: the ledger does not verify, or does not begin with what an earlier checkpoint covers.
    """
    inner = root / ".tocsin"
    state = verify(root)
    if not state.ok:
        raise Refused("the ledger does not verify, so it is not signed", state.faults, "see `tocsin verify`")
    signer, key = _signing_key(inner)
    head = Checkpoint(key.name, state.events, bytes.fromhex(state.root))
    text = signed(head, key, signer)
    path = inner / "checkpoints" / f"{state.events:012d}-{clock().strftime('%Y%m%dT%H%M%SZ')}.txt"
    with told(path):
        write_atomically(path, text.encode(), mode=0o644)
        if out:
            write_atomically(out, text.encode(), mode=0o644)
    return Checkpointed(text, str(out or path), head.size, state.root, key.text())


def export(root: Path, out: Path, clock: Callable[[], datetime]) -> Exported:
    """Write a folder with which anybody verifies the ledger offline, without Tocsin: `python verify.py`.

    Raises:
        UsageFault: `out` exists and is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageFault(f"{out} exists already", "name a folder that does not exist yet")
    made = checkpoint(root, clock)
    ledger = SqliteLedger(root / ".tocsin" / "ledger.db")
    with told(out):
        out.mkdir(parents=True, exist_ok=True)
        try:
            with (out / "events.jsonl").open("wb") as lines:
                for row in ledger.rows():
                    if row.sequence <= made.size:
                        lines.write(row.data + b"\n")
        finally:
            ledger.close()
        for kept in sorted((root / ".tocsin" / "checkpoints").glob("*.txt")):
            write_atomically(out / "checkpoints" / kept.name, kept.read_bytes(), mode=0o644)
        write_atomically(out / "key.pub", made.key.encode() + b"\n", mode=0o644)
        script = files("tocsin.content").joinpath("bundle/verify.py").read_bytes()
        write_atomically(out / "verify.py", script, mode=0o644)
    names = tuple(sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()))
    return Exported(str(out), made.size, made.root, names)


def prove(root: Path, sequence: int) -> Inclusion:
    """The proof that event `sequence` stands in the ledger under its root. Raises UsageFault if there is no such event."""
    ledger = SqliteLedger(root / ".tocsin" / "ledger.db")
    try:
        rows = list(ledger.rows())
    finally:
        ledger.close()
    if not 1 <= sequence <= len(rows):
        raise UsageFault(f"there is no event {sequence}", f"the ledger holds events 1 to {len(rows)}")
    leaves = [sha256(b"\x00" + row.data).digest() for row in rows]
    proof = inclusion_proof(sequence - 1, len(leaves), lambda start, end: root_of(leaves[start:end]))
    event = rows[sequence - 1].data.decode()
    head = root_of(leaves)
    return Inclusion(
        sequence, len(leaves), event, leaves[sequence - 1].hex(), tuple(p.hex() for p in proof), head.hex()
    )


def _verify_bundle(root: Path, checkpoints: Sequence[Path], progress: Progress) -> Verified:
    """Verify a bundle: its events must give the root of every checkpoint in it."""
    key_file = root / "key.pub"
    key = VerifierKey.parse(key_file.read_text(encoding="utf-8")) if key_file.exists() else None
    heads, faults = _read_checkpoints([*sorted((root / "checkpoints").glob("*.txt")), *checkpoints], key)
    due = by_size(heads)
    frontier, found = Frontier(), list(faults)
    if not heads:
        found.append("the bundle holds no checkpoint, so its end cannot be verified")
    with (root / "events.jsonl").open("rb") as lines:
        for line in lines:
            frontier.add(sha256(b"\x00" + line.rstrip(b"\n")).digest())
            if any(head.root != frontier.root() for head in due.pop(frontier.size, ())):
                what = f"the first {frontier.size} events are not those of the checkpoint"
                found.append(f"{what}: changed, reordered or replaced")
            if frontier.size & 0xFFFF == 0:
                progress("verifying", frontier.size)
    found += [f"a checkpoint covers {size} events but only {frontier.size} are here: truncated" for size in due if size]
    root_hex = (frontier.root() if frontier.size else EMPTY_ROOT).hex()
    return Verified(str(root), frontier.size, root_hex, tuple(found), len(heads), 0, 0)


def _read_checkpoints(paths: Sequence[Path], key: VerifierKey | None) -> tuple[list[Checkpoint], list[str]]:
    """The heads in these files, and a fault for each that is damaged or not signed by the ledger's key."""
    heads, faults, missing = [], [], []
    for path in paths:
        if not path.exists():
            missing.append(
                Problem(Place(str(path)), "no such checkpoint", "name a file written by `tocsin checkpoint`")
            )
            continue
        try:
            note = parse(path.read_text(encoding="utf-8"))
            faults += [f"{path.name}: {wrong}" for wrong in _unsigned(note, key)]
            heads.append(note.checkpoint)
        except (Refused, UnicodeDecodeError) as error:
            faults.append(f"{path.name}: {error}")
    if missing:
        raise BadInput(missing)
    return heads, faults


def _unsigned(note: SignedCheckpoint, key: VerifierKey | None) -> list[str]:
    if key is None:
        return ["the ledger's public key is missing, so the signature cannot be checked"]
    return [] if signed_by(note, key) else [f"it is not signed by the ledger's key {key.name}"]


def _verify_files(ledger: SqliteLedger, inner: Path, progress: Progress) -> tuple[int, int, list[str]]:
    """Compare each telemetry segment with its digest, and unseal each piece of evidence whose erasure is not recorded."""
    from tocsin.adapters.evidence.sealed import EvidenceStore  # noqa: PLC0415 - see the module

    wrong, segments, evidence = [], 0, 0
    for recorded in ledger.scan(kinds=("segment_recorded",)):
        segments += 1
        digest, system = recorded.data["segment"], recorded.stream.removeprefix("telemetry/")
        path = inner / "segments" / system / f"{digest}.parquet"
        if not path.exists():
            wrong.append(f"event {recorded.sequence}: segment {digest[:12]} of {system} is missing")
        elif _digest(path) != digest:
            wrong.append(f"event {recorded.sequence}: segment {digest[:12]} of {system} was changed")
        progress("segments", segments)
    store = EvidenceStore(inner / "evidence")
    erased = {recorded.stream for recorded in ledger.scan(kinds=("evidence_erased",))}
    for recorded in ledger.scan(kinds=("evidence_sealed",)):
        evidence += 1
        try:
            store.unseal(recorded.data["pointer"])
        except Refused as fault:
            if recorded.stream not in erased:
                wrong.append(f"event {recorded.sequence}: {fault.what}")
        progress("evidence", evidence)
    return segments, evidence, wrong


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _public_key(inner: Path) -> VerifierKey | None:
    path = inner / "keys" / "ledger.pub"
    return VerifierKey.parse(path.read_text(encoding="utf-8")) if path.exists() else None


def _signing_key(inner: Path) -> tuple[_Ed25519, VerifierKey]:
    """The workspace's signing key, made at first use; its public half stands beside it."""
    path = inner / "keys" / "ledger.ed25519"
    with told(path):
        if not path.exists():
            write_atomically(path, base64.b64encode(os.urandom(32)) + b"\n", mode=0o600, replace=False)
        signer = _Ed25519(base64.b64decode(path.read_bytes()))
        key = VerifierKey(f"{ORIGIN}/{sha256(signer.public).hexdigest()[:16]}", signer.public)
        public = inner / "keys" / "ledger.pub"
        if not public.exists():
            write_atomically(public, key.text().encode() + b"\n", mode=0o644)
    return signer, key


class _Ed25519:
    """A private key in memory (RFC 8032)."""

    def __init__(self, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - see the module

        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature of the message."""
        return self._key.sign(message)
