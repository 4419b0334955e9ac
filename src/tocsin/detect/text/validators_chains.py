"""Addresses and keys of ledgers of value: the checksums that their specifications give.

Sources: Base58Check (Bitcoin wiki, Ripple's alphabet in XRPL docs), Bech32 and Bech32m (BIP 173, BIP 350), mixed-case
checksum of Ethereum (EIP-55) over Keccak-256 (the Keccak reference, version 3), CryptoNote base58 (Monero), StrKey (SEP-23).
"""

from __future__ import annotations

from base64 import b32decode
from binascii import crc_hqx
from collections.abc import Mapping
from hashlib import sha256

from tocsin.detect.text.validators_ids import Check

BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32_CONSTANTS = (1, 0x2BC830A3)
BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
KECCAK_RATE = 136
"""Bytes of the state that take input, for a digest of 256 bits."""
_LANE = (1 << 64) - 1
_MONERO_BYTES = {11: 8, 7: 5}


def base58(text: str, alphabet: str = BITCOIN) -> bytes:
    """The bytes that a base58 text stands for; leading first letters are zero bytes."""
    number = 0
    for character in text:
        number = number * 58 + alphabet.index(character)
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base58_checked(text: str, alphabet: str = BITCOIN) -> bool:
    """Whether the last four bytes are the beginning of the double SHA-256 of those before; addresses and keys alike."""
    data = base58(text, alphabet)
    return len(data) >= 21 and sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def bech32_checked(text: str) -> bool:
    """Whether a Bech32 or Bech32m checksum holds; one case throughout."""
    small = text.lower()
    prefix, _, data = small.rpartition("1")
    if text not in (small, text.upper()) or not prefix or any(c not in BECH32 for c in data):
        return False
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = 1
    for value in spread + [BECH32.index(c) for c in data]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(BECH32_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check in BECH32_CONSTANTS


def keccak256(data: bytes) -> bytes:
    """Keccak-256 with the padding of the submission, which Ethereum and Monero use; hashlib's SHA-3 pads differently."""
    padded = bytearray(data + b"\1" + bytes(-(len(data) + 1) % KECCAK_RATE))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for block in range(0, len(padded), KECCAK_RATE):
        for lane in range(KECCAK_RATE // 8):
            lanes[lane] ^= int.from_bytes(padded[block + 8 * lane : block + 8 * lane + 8], "little")
        _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _turned(lane: int, by: int) -> int:
    return (lane << by % 64 | lane >> (64 - by % 64)) & _LANE


def _permute(lanes: list[int]) -> None:
    """Keccak-f[1600] in place: theta, rho and pi, chi, iota; `lanes[x + 5 * y]`."""
    register = 1
    for _ in range(24):
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        for place in range(25):
            lanes[place] ^= columns[(place + 4) % 5] ^ _turned(columns[(place + 1) % 5], 1)
        x, y, current = 1, 0, lanes[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x + 5 * y] = lanes[x + 5 * y], _turned(current, (step + 1) * (step + 2) // 2)
        for row in range(0, 25, 5):
            old = lanes[row : row + 5]
            for x in range(5):
                lanes[row + x] = old[x] ^ (~old[(x + 1) % 5] & old[(x + 2) % 5] & _LANE)
        for bit in range(7):
            register = (register << 1 ^ (register >> 7) * 0x71) % 256
            lanes[0] ^= (register >> 1 & 1) << ((1 << bit) - 1)


def ethereum(text: str) -> bool:
    """EIP-55: upper and lower case of the forty digits say the digest of the address; one case alone says nothing and passes."""
    digits = text[2:]
    if digits in (digits.lower(), digits.upper()):
        return len(set(digits.lower())) > 6
    shown = keccak256(digits.lower().encode()).hex()
    return all(c.isdigit() or c.isupper() == (int(shown[n], 16) > 7) for n, c in enumerate(digits))


def tron(text: str) -> bool:
    """Base58Check with the version byte 0x41."""
    return base58_checked(text) and base58(text)[0] == 0x41


def ripple(text: str) -> bool:
    """Base58Check in Ripple's alphabet."""
    return all(c in RIPPLE for c in text) and base58_checked(text, RIPPLE)


def solana(text: str) -> bool:
    """Thirty-two bytes in base58; there is no checksum."""
    return len(base58(text)) == 32 and len(set(text)) > 10


def monero(text: str) -> bool:
    """CryptoNote base58: eight bytes in eleven characters; the last four bytes begin the Keccak-256 of the rest."""
    blocks = [text[n : n + 11] for n in range(0, len(text), 11)]
    parts = [(base58(b).lstrip(b"\0"), _MONERO_BYTES.get(len(b), 0)) for b in blocks]
    if any(len(part) > size for part, size in parts):
        return False
    data = b"".join(part.rjust(size, b"\0") for part, size in parts)
    return keccak256(data[:-4])[:4] == data[-4:]


def stellar(text: str) -> bool:
    """SEP-23: base32 with CRC16-XModem, low byte first."""
    data = b32decode(text)
    return crc_hqx(data[:-2], 0) == int.from_bytes(data[-2:], "little")


CHAINS: Mapping[str, Check] = {
    "base58_checked": base58_checked,
    "bech32_checked": bech32_checked,
    "ethereum": ethereum,
    "monero": monero,
    "ripple": ripple,
    "solana": solana,
    "stellar": stellar,
    "tron": tron,
}
"""By the name that a pattern gives; what they are asked about is the address as it stands."""
