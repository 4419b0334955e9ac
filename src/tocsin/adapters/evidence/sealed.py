"""Evidence on disk, sealed with one random key per incident: destroying the key erases it, and the ledger still verifies.

Layout: `keys/<incident>.key` (32 random bytes, mode 0600) and `blobs/<incident>/<id>`, where the id is HMAC-SHA256 of the plain
bytes under the incident's key. So the same bytes sealed twice are one blob, and an id tells nothing to who lacks the key. A
blob is a 12-byte nonce and ChaCha20-Poly1305 (RFC 8439) of the zlib-compressed bytes, with the pointer as associated data.
"""

from __future__ import annotations

import hmac
import os
import re
import zlib
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tocsin.adapters.files import sync_folder, told, write_atomically
from tocsin.model.errors import Refused

KEY_BYTES = 32
NONCE_BYTES = 12
_INCIDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_POINTER = re.compile(r"evidence:([A-Za-z0-9][A-Za-z0-9._-]{0,99})/([0-9a-f]{64})")


class EvidenceStore:
    """Sealed blobs below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def seal(self, incident_id: str, data: bytes) -> str:
        """Keep the bytes sealed and give their pointer; the same bytes give the same pointer.

        Raises:
            EnvironmentFault: the disk is full or not writable; nothing half-written is left.
        """
        with told(self.root):
            key = self._key(incident_id, make=True)
            blob_id = hmac.new(key, data, sha256).hexdigest()
            pointer = f"evidence:{incident_id}/{blob_id}"
            path = self._blob(incident_id, blob_id)
            if not path.exists():
                nonce = os.urandom(NONCE_BYTES)
                write_atomically(
                    path, nonce + ChaCha20Poly1305(key).encrypt(nonce, zlib.compress(data), pointer.encode())
                )
            return pointer

    def unseal(self, pointer: str) -> bytes:
        """The bytes behind the pointer.

        Raises:
            Refused: no such evidence, its key was destroyed, or the blob was changed.
        """
        incident_id, blob_id = parse_pointer(pointer)
        with told(self.root):
            path = self._blob(incident_id, blob_id)
            if not self._key_path(incident_id).exists():
                raise Refused(f"{pointer} was erased: its key was destroyed")
            if not path.exists():
                raise Refused(f"{pointer} is missing", remedy="restore .tocsin/evidence from a backup")
            blob = path.read_bytes()
            key = self._key(incident_id, make=False)
        changed = Refused(f"{pointer} was changed after it was sealed")
        try:
            plain = ChaCha20Poly1305(key).decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], pointer.encode())
            data = zlib.decompress(plain)
        except (InvalidTag, ValueError, zlib.error):
            raise changed from None
        if (
            hmac.new(key, data, sha256).hexdigest() != blob_id
        ):  # whoever holds the key could seal other bytes in its place
            raise changed
        return data

    def erase(self, incident_id: str) -> int:
        """Destroy the incident's key, and then its blobs; gives the number of blobs that nobody can read any more."""
        count = len(self.pointers(incident_id))
        path = self._key_path(incident_id)
        with told(self.root):
            if path.exists():
                with path.open("r+b") as key:
                    key.write(os.urandom(KEY_BYTES))
                    key.flush()
                    os.fsync(key.fileno())
                path.unlink()
                sync_folder(path.parent)
            for blob in self._folder(incident_id).glob("*"):
                blob.unlink()
        return count

    def pointers(self, incident_id: str) -> tuple[str, ...]:
        """The pointers of everything sealed for the incident, sorted."""
        return tuple(
            sorted(f"evidence:{incident_id}/{blob.name}" for blob in self._folder(incident_id).glob("[0-9a-f]*"))
        )

    def state(self, pointer: str) -> str:
        """`kept`, `erased` or `missing`, without reading the blob."""
        incident_id, blob_id = parse_pointer(pointer)
        if not self._key_path(incident_id).exists():
            return "erased"
        return "kept" if self._blob(incident_id, blob_id).exists() else "missing"

    def _key(self, incident_id: str, *, make: bool) -> bytes:
        path = self._key_path(incident_id)
        if make and not path.exists():
            write_atomically(path, os.urandom(KEY_BYTES), mode=0o600, replace=False)
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise Refused(f"the key {path} is damaged", remedy="restore it from a backup")
        return key

    def _key_path(self, incident_id: str) -> Path:
        return self.root / "keys" / f"{_named(incident_id)}.key"

    def _folder(self, incident_id: str) -> Path:
        return self.root / "blobs" / _named(incident_id)

    def _blob(self, incident_id: str, blob_id: str) -> Path:
        return self._folder(incident_id) / blob_id


def parse_pointer(pointer: str) -> tuple[str, str]:
    """The incident and the blob id of a pointer. Raises Refused when the text is no pointer."""
    match = _POINTER.fullmatch(pointer)
    if not match:
        raise Refused(f"{pointer[:120]!r} is not an evidence pointer")
    return match[1], match[2]


def _named(incident_id: str) -> str:
    """The incident's id, which becomes a file name. Raises Refused for an id that could leave the folder."""
    if not _INCIDENT.fullmatch(incident_id):
        raise Refused(f"{incident_id[:120]!r} cannot be an incident's id")
    return incident_id
