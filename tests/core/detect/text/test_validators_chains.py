"""Addresses of ledgers: those of the specifications hold; a changed character does not."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.text import validators_chains as chains
from tocsin.detect.text.validators import VALIDATORS
from tocsin.detect.text.validators_chains import BITCOIN, CHAINS, base58, keccak256

PUBLISHED = [
    ("base58_checked", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("base58_checked", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
    ("bech32_checked", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("bech32_checked", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"),
    ("bech32_checked", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),
    ("ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    ("ethereum", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"),
    ("ethereum", "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"),
    ("ethereum", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"),
    (
        "monero",
        "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
    ),
    ("ripple", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
    ("stellar", "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H"),
    ("tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
]


@pytest.mark.parametrize(("name", "address"), PUBLISHED)
def test_published_addresses_hold(name: str, address: str) -> None:
    assert CHAINS[name](address)


@pytest.mark.parametrize(("name", "address"), PUBLISHED)
def test_two_characters_changed_do_not(name: str, address: str) -> None:
    swapped = address[:-8] + address[-7] + address[-8] + address[-6:]
    assert swapped == address or VALIDATORS[name](swapped) == []


@pytest.mark.parametrize(("name", "address"), PUBLISHED)
def test_the_case_of_a_letter_counts_where_the_form_has_both(name: str, address: str) -> None:
    place = next(n for n, c in enumerate(address) if n > 5 and c.isalpha())
    changed = address[:place] + address[place].swapcase() + address[place + 1 :]
    assert VALIDATORS[name](changed) == []


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    ],
)
def test_keccak_of_known_inputs(data: bytes, digest: str) -> None:
    assert keccak256(data).hex() == digest


@pytest.mark.parametrize("length", [0, 1, 134, 135, 136, 137, 271, 272, 273])
def test_keccak_pads_at_every_edge_of_a_block(length: int) -> None:
    digests = {keccak256(b"x" * n) for n in (length, length + 1, length + 2)}
    assert len(digests) == 3
    assert all(len(digest) == 32 for digest in digests)


@given(st.binary(max_size=40))
def test_base58_gives_back_the_bytes(data: bytes) -> None:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BITCOIN[digit] + text
    zeros = len(data) - len(data.lstrip(b"\0"))
    assert base58("1" * zeros + text) == data


@given(st.text(BITCOIN, min_size=26, max_size=34))
def test_a_random_text_is_no_address(text: str) -> None:
    assert VALIDATORS["base58_checked"](text) == []
    assert VALIDATORS["tron"](text) == []


@given(st.text(string.ascii_letters + string.digits, max_size=100))
def test_what_is_no_address_is_none_and_no_error(text: str) -> None:
    for name in CHAINS:
        if name not in ("ethereum", "solana"):
            assert VALIDATORS[name](text) == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", True),
        ("9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM", True),
        ("1" * 43, False),
        ("9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYt", False),
    ],
)
def test_an_address_of_solana_is_32_bytes(text: str, right: bool) -> None:
    assert chains.solana(text) is right


@pytest.mark.parametrize(
    "text",
    ["0x" + "0" * 40, "0x" + "ab" * 20, "0x" + "12345" * 8],
)
def test_of_one_case_an_address_of_ethereum_needs_variety(text: str) -> None:
    assert not chains.ethereum(text)


@pytest.mark.parametrize("text", ["bc1", "1qqqqqqq", "bc1Qqqqqqq", "bc1bbbbbbb", "nothing"])
def test_what_is_no_bech32(text: str) -> None:
    assert not chains.bech32_checked(text)
