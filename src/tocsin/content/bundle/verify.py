"""Verify this bundle offline, with Python 3.8+ and nothing else:  python verify.py

It reads events.jsonl, computes the Merkle tree of RFC 6962 over the lines exactly as they are, and compares its roots with
the signed checkpoints. With the `cryptography` package installed it checks the Ed25519 signatures, too; without it, it says
that it did not. Compare the key below with the one that you were given another way: a forger would ship his own.
"""

import base64
import hashlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


def read_checkpoint(path):
    """(size, root, signed text, signature lines) of a C2SP checkpoint."""
    text = path.read_text(encoding="utf-8")
    body, _, signatures = text.partition("\n\n")
    _, size, root = body.split("\n")[:3]
    return int(size), base64.b64decode(root), (body + "\n").encode(), signatures.splitlines()


def roots_at(sizes):
    """{size: root of the first `size` events} and the number of events."""
    stack, size, found = [], 0, {}
    with (HERE / "events.jsonl").open("rb") as lines:
        for line in lines:
            node, level = hashlib.sha256(b"\x00" + line.rstrip(b"\n")).digest(), size
            while level & 1:
                node = hashlib.sha256(b"\x01" + stack.pop() + node).digest()
                level >>= 1
            stack.append(node)
            size += 1
            if size in sizes:
                root = stack[-1]
                for left in reversed(stack[:-1]):
                    root = hashlib.sha256(b"\x01" + left + root).digest()
                found[size] = root
    found[0] = hashlib.sha256(b"").digest()
    return found, size


def signature_holds(key_line, body, signatures):
    """True, False, or None when it cannot be checked here."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return None
    name, _, encoded = key_line.strip().split("+", 2)
    public = base64.b64decode(encoded)[1:]
    for line in signatures:
        parts = line.split(" ")
        if len(parts) == 3 and parts[1] == name:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(parts[2])[4:], body)
            except InvalidSignature:
                continue
            return True
    return False


def main():
    """Verify, say what was found, and give the exit code."""
    key = (HERE / "key.pub").read_text(encoding="utf-8")
    heads = [(path, *read_checkpoint(path)) for path in sorted((HERE / "checkpoints").glob("*.txt"))]
    roots, events = roots_at({size for _, size, *_ in heads})
    wrong = [] if heads else ["there is no checkpoint"]
    for path, size, root, body, signatures in heads:
        holds = signature_holds(key, body, signatures)
        if size > events:
            wrong.append(f"{path.name} covers {size} events, only {events} are here: truncated")
        elif roots[size] != root:
            wrong.append(f"{path.name}: the first {size} events are not those that were signed")
        elif holds is False:
            wrong.append(f"{path.name}: not signed by the key in key.pub")
        else:
            print(f"{path.name}: {size} events, root {root.hex()}, signature {'holds' if holds else 'NOT CHECKED'}")
    print(f"key: {key.strip()}")
    for line in wrong:
        print(f"WRONG: {line}")
    print("verified" if not wrong else "NOT VERIFIED", f"({events} events)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
