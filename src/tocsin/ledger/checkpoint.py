"""Signed checkpoints: a C2SP tlog-checkpoint in a C2SP signed note, signed with Ed25519.

The text is three lines (origin, number of events, root in base64), a blank line, and one signature line per key. Whoever holds a
checkpoint of last month can show that the ledger of today has the same beginning. https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from tocsin.model.errors import Refused

ED25519 = b"\x01"
"""The signature type byte of Ed25519 in a key id and a verifier key (C2SP signed-note)."""


class Signer(Protocol):
    """Signs with a private key that stays where it is."""

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature."""
        ...


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named public key: what an auditor pins. Written as `name+keyid+base64(0x01 || key)` (C2SP signed-note vkey)."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || 0x0A || 0x01 || key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def text(self) -> str:
        """The key as one line."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, line: str) -> VerifierKey:
        """The key in the line. Raises Refused when it is not one."""
        try:
            name, key_id, encoded = line.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise Refused(f"{line.strip()[:60]!r} is not a verifier key", remedy="expected name+id+key") from None
        key = cls(name, raw[1:])
        if raw[:1] != ED25519 or len(key.public) != 32 or key.key_id.hex() != key_id:
            raise Refused(f"the verifier key of {name!r} is damaged or not Ed25519")
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a tree: whose, how many events, which root."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """A signature in a note, with the name and id of the key that made it."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint and the signatures under it; nothing is said about their truth until `signed_by` was asked."""

    checkpoint: Checkpoint
    signatures: tuple[SignatureLine, ...]


def signed(checkpoint: Checkpoint, key: VerifierKey, signer: Signer) -> str:
    """The checkpoint as a signed note."""
    body = checkpoint.body()
    blob = base64.b64encode(key.key_id + signer.sign(body.encode())).decode()
    return f"{body}\n\u2014 {key.name} {blob}\n"


def parse(note: str) -> SignedCheckpoint:
    """The checkpoint in a signed note. Raises Refused when the text is not one."""
    try:
        body, signatures = note.split("\n\n", 1)
        origin, size, root, *_ = body.split("\n")
        head = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
        lines = tuple(_signature(line) for line in signatures.splitlines() if line)
    except (ValueError, binascii.Error):
        raise Refused(
            "this is not a signed checkpoint", remedy="it must be the untouched output of `tocsin checkpoint`"
        ) from None
    if not lines or len(head.root) != 32 or head.size < 0:
        raise Refused("this checkpoint has no signature or a damaged root")
    return SignedCheckpoint(head, lines)


def _signature(line: str) -> SignatureLine:
    dash, name, blob = line.split(" ")
    raw = base64.b64decode(blob, validate=True)
    if dash != "\u2014" or len(raw) != 68:
        raise ValueError(line)
    return SignatureLine(name, raw[:4], raw[4:])


def signed_by(note: SignedCheckpoint, key: VerifierKey) -> bool:
    """Whether one of the note's signatures is this key's and holds."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 40 ms that an unsigned verification need not pay
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    public = Ed25519PublicKey.from_public_bytes(key.public)
    for line in note.signatures:
        if line.name == key.name and line.key_id == key.key_id:
            try:
                public.verify(line.signature, note.checkpoint.body().encode())
            except InvalidSignature:
                continue
            return True
    return False
