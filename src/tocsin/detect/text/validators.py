"""Confirm a match by the structure of what was matched. Each gives the spans inside the match that are real, or none.

Sources: Luhn, ISO/IEC 7812-1; IBAN, ISO 13616 (mod 97 of ISO 7064); SSN areas, Social Security Administration POMS RM 10201.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable

Span = tuple[int, int]
Validator = Callable[[str, int, int], list[Span]]
"""(text, start, end of the match) -> the spans that are confirmed."""

CARD_LENGTHS = (19, 16, 15, 14, 13)
IBAN_LENGTHS = {
    "AD": 24,
    "AT": 20,
    "BE": 16,
    "BG": 22,
    "CH": 21,
    "CY": 28,
    "CZ": 24,
    "DE": 22,
    "DK": 18,
    "EE": 20,
    "ES": 24,
    "FI": 18,
    "FR": 27,
    "GB": 22,
    "GR": 27,
    "HR": 21,
    "HU": 28,
    "IE": 22,
    "IS": 26,
    "IT": 27,
    "LI": 21,
    "LT": 20,
    "LU": 20,
    "LV": 21,
    "MC": 27,
    "MT": 31,
    "NL": 18,
    "NO": 15,
    "PL": 28,
    "PT": 25,
    "RO": 24,
    "SE": 24,
    "SI": 19,
    "SK": 24,
    "SM": 27,
    "TR": 26,
    "AE": 23,
    "SA": 24,
    "IL": 23,
    "BR": 29,
    "UA": 29,
    "RS": 22,
    "BA": 20,
    "AL": 28,
    "MD": 24,
    "GE": 22,
    "KZ": 20,
    "QA": 29,
}
ENTROPY_BITS_MIN = 3.0
DOCUMENTATION = re.compile(
    r"example|sample|dummy|placeholder|changeme|your[_-]|xxxx|1234567890|abcdef0123|test[_-]?key", re.IGNORECASE
)
_DIGIT = re.compile(r"\d")


def whole(text: str, start: int, end: int) -> list[Span]:  # noqa: ARG001 - every validator takes all three
    """The match as it is."""
    return [(start, end)]


def card(text: str, start: int, end: int) -> list[Span]:
    """Payment cards in a run of digits, which may hold other numbers beside them: by prefix, length and Luhn digit.

    Digits may be parted by single spaces or hyphens; a card begins and ends where a group does.
    """
    places = [match.start() for match in _DIGIT.finditer(text, start, end)]
    digits = "".join(text[place] for place in places)
    spans, at = [], 0
    while at <= len(digits) - CARD_LENGTHS[-1]:
        found = next((n for n in CARD_LENGTHS if _card_at(places, digits, at, n)), 0)
        if found:
            spans.append((places[at], places[at + found - 1] + 1))
        at += found or 1
    return spans


def _card_at(places: list[int], digits: str, at: int, length: int) -> bool:
    last = at + length - 1
    if last >= len(digits) or not _branded(digits[at : at + length]) or not luhn(digits[at : at + length]):
        return False
    begins = at == 0 or places[at] - places[at - 1] > 1
    ends = last == len(digits) - 1 or places[last + 1] - places[last] > 1
    return begins and ends


def _branded(number: str) -> bool:
    """Whether prefix and length are those of a payment card scheme."""
    four, length = int(number[:4]), len(number)
    if number[0] == "4":
        return length in (13, 16, 19)
    if 5100 <= four <= 5599 or 2221 <= four <= 2720:
        return length == 16
    if number[:2] in ("34", "37"):
        return length == 15
    if number[:2] in ("30", "36", "38", "39"):
        return length == 14
    return length in (16, 19) and (number[:2] in ("35", "62", "65") or four == 6011 or 6440 <= four <= 6499)


def luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of those before it; a run of one digit is not accepted."""
    total = sum(d if i % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(map(int, reversed(digits))))
    return total % 10 == 0 and len(set(digits)) > 1


def iban(text: str, start: int, end: int) -> list[Span]:
    """An IBAN at the start of the match: length by country, then mod 97 = 1."""
    length = IBAN_LENGTHS.get(text[start : start + 2].upper(), 0)
    kept, last = "", start
    for place in range(start, end):
        if text[place].isalnum():
            kept, last = kept + text[place].upper(), place + 1
        if len(kept) == length:
            break
    if not length or len(kept) != length or (last < len(text) and text[last].isalnum()):
        return []
    number = "".join(str(int(character, 36)) for character in kept[4:] + kept[:4])
    return [(start, last)] if int(number) % 97 == 1 else []


def ssn(text: str, start: int, end: int) -> list[Span]:
    """A US social security number whose area, group and serial were ever given out."""
    area, group, serial = (int(part) for part in re.split(r"[- ]", text[start:end]))
    real = area not in (0, 666) and area < 900 and group and serial
    return [(start, end)] if real and text[start:end] != "078-05-1120" else []


def ipv4(text: str, start: int, end: int) -> list[Span]:
    """A public IPv4 address."""
    parts = [int(part) for part in text[start:end].split(".")]
    private = (
        parts[0] in (0, 10, 127)
        or parts[0] >= 224
        or parts[:2] == [192, 168]
        or (parts[0] == 172 and 16 <= parts[1] <= 31)
    )
    documentation = tuple(parts[:3]) in {(192, 0, 2), (198, 51, 100), (203, 0, 113)} or parts[:2] == [169, 254]
    return [] if max(parts) > 255 or private or documentation else [(start, end)]


def mail(text: str, start: int, end: int) -> list[Span]:
    """An e-mail address whose domain is not one reserved for documentation (RFC 2606)."""
    domain = text[start:end].rsplit("@", 1)[1].lower()
    reserved = domain.endswith((".example", ".test", ".invalid", ".localhost")) or re.search(
        r"(^|\.)example\.(com|org|net)$", domain
    )
    return [] if reserved else [(start, end)]


def phone(text: str, start: int, end: int) -> list[Span]:
    """A telephone number of 8 to 15 digits (ITU-T E.164) that is not one repeated digit."""
    digits = [c for c in text[start:end] if c.isdigit()]
    return [(start, end)] if 8 <= len(digits) <= 15 and len(set(digits)) > 2 else []


def secret(text: str, start: int, end: int) -> list[Span]:
    """A token that looks random and is no placeholder of a manual."""
    token = text[start:end]
    return [] if entropy(token) < ENTROPY_BITS_MIN or DOCUMENTATION.search(token) else [(start, end)]


def entropy(token: str) -> float:
    """Shannon entropy in bits per character."""
    return -sum(n / len(token) * math.log2(n / len(token)) for n in Counter(token).values()) if token else 0.0


VALIDATORS: dict[str, Validator] = {
    "none": whole,
    "card": card,
    "iban": iban,
    "ssn": ssn,
    "ipv4": ipv4,
    "mail": mail,
    "phone": phone,
    "secret": secret,
}
