"""Checkpoints: the form of C2SP, and what a signature is worth."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin.ledger.checkpoint import Checkpoint, VerifierKey, parse, signed, signed_by
from tocsin.model.errors import Refused

SEED = bytes(range(32))
HEAD = Checkpoint("tocsin.ledger/0011223344556677", 42, bytes(range(32)))


class _Signer:
    def __init__(self, seed: bytes = SEED) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


def _key(signer: _Signer, name: str = HEAD.origin) -> VerifierKey:
    return VerifierKey(name, signer.public)


def test_a_note_is_three_lines_a_blank_and_a_signature() -> None:
    signer = _Signer()
    note = signed(HEAD, _key(signer), signer)
    origin, size, root, blank, signature, end = note.split("\n")
    assert (origin, size, base64.b64decode(root), blank, end) == (HEAD.origin, "42", HEAD.root, "", "")
    assert signature.startswith(f"\u2014 {HEAD.origin} ")


def test_a_note_reads_back_and_its_signature_holds() -> None:
    signer = _Signer()
    note = parse(signed(HEAD, _key(signer), signer))
    assert note.checkpoint == HEAD
    assert signed_by(note, _key(signer))


def test_another_key_of_the_same_name_did_not_sign() -> None:
    signer, other = _Signer(), _Signer(bytes(32))
    note = parse(signed(HEAD, _key(signer), signer))
    assert not signed_by(note, _key(other))


@pytest.mark.parametrize(("old", "new"), [("42", "43"), ("tocsin.ledger/0", "tocsin.ledger/1"), ("AAEC", "BBEC")])
def test_a_changed_text_is_not_what_was_signed(old: str, new: str) -> None:
    signer = _Signer()
    note = signed(HEAD, _key(signer), signer)
    body, signature = note.split("\n\n")
    changed = parse(body.replace(old, new, 1) + "\n\n" + signature)
    assert not signed_by(changed, _key(signer))


@pytest.mark.parametrize(
    "text",
    ["", "a\nb\nc\n\nd", "x\n1\nAAAA\n\n\u2014 x AAAA\n", "x\n-1\n" + "A" * 43 + "=\n\n\u2014 x y\n", "no blank line"],
)
def test_what_is_no_checkpoint_is_refused_in_words(text: str) -> None:
    with pytest.raises(Refused, match="checkpoint"):
        parse(text)


def test_a_verifier_key_reads_back_from_its_line() -> None:
    key = _key(_Signer())
    assert VerifierKey.parse(key.text() + "\n") == key
    assert len(key.key_id) == 4


@pytest.mark.parametrize("line", ["", "a+b", "name+00000000+AAAA", "name+zz+!!"])
def test_a_damaged_verifier_key_is_refused(line: str) -> None:
    with pytest.raises(Refused, match="verifier key"):
        VerifierKey.parse(line)


def test_a_key_under_another_name_is_refused() -> None:
    _, key_id, encoded = _key(_Signer()).text().split("+", 2)
    with pytest.raises(Refused, match="damaged"):
        VerifierKey.parse(f"somebody.else+{key_id}+{encoded}")
