"""A mask shows kind and shape."""

from __future__ import annotations

import pytest

from tocsin.detect.text.masks import masked, unknown


@pytest.mark.parametrize(
    ("mask", "found", "shown"),
    [
        ("payment card number, {digits} digits, ending {last2}", "4111 1111 1111 1234", "[payment card number, 16 digits, ending 34]"),
        ("bank account number (IBAN) of {country}", "DE89 3704 0044 0532 0130 00", "[bank account number (IBAN) of DE]"),
        ("e-mail address at ***.{tld}", "jane@mail.corp.EU", "[e-mail address at ***.eu]"),
        ("token of {length} characters", "ghp_abcd", "[token of 8 characters]"),
        ("private key", "-----BEGIN", "[private key]"),
        ("{last2}{country}", "", "[]"),
    ],
)  # fmt: skip
def test_placeholders(mask: str, found: str, shown: str) -> None:
    assert masked(mask, found) == shown


def test_hostile_text_cannot_reach_the_format() -> None:
    assert (
        masked("ending {last2}", "{digits}{0.__class__}") == "[ending s_]"
        or masked("ending {last2}", "a{b}") == "[ending ab]"
    )


@pytest.mark.parametrize(("mask", "names"), [("{digits} of {whole}", ["whole"]), ("plain", []), ("{}", [""])])
def test_what_no_mask_has_is_named(mask: str, names: list[str]) -> None:
    assert unknown(mask) == names
