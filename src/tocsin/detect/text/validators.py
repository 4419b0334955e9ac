"""Confirm a match by the structure of what was matched. Each gives the spans inside the match that are real, or none.

Sources: Luhn, ISO/IEC 7812-1; IBAN, ISO 13616 (mod 97 of ISO 7064); SSN areas, Social Security Administration POMS RM 10201;
German tax id, section 139b Abgabenordnung with the check digit of ISO/IEC 7064 mod 11,10. Other numbers: python-stdnum.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec

from tocsin.detect.text.validators_chains import CHAINS
from tocsin.detect.text.validators_forms import FORMS
from tocsin.detect.text.validators_ids import CHECKS, Check, luhn
from tocsin.detect.text.validators_secrets import SECRETS
from tocsin.detect.text.validators_stdnum import steady

Span = tuple[int, int]
Validator = Callable[[str], list[Span]]
"""What an expression matched -> the spans in it that are confirmed, in order, apart."""

CARD_LENGTHS = (19, 16, 15, 14, 13)
IBAN_REGISTRY = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
    "YE30"
)
"""Countries and lengths of ISO 13616, as SWIFT publishes them."""
IBAN_LENGTHS = {country[:2]: int(country[2:]) for country in IBAN_REGISTRY.split()}
SSN_SHOWN = ("078-05-1120", "219-09-9999")
"""Numbers that became known from advertisements and are no person's any more."""
_DIGIT = re.compile(r"\d")
_IBAN_HEAD = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}")
_RESERVED_DOMAIN = re.compile(r"(^|\.)(example\.(com|org|net)|example|test|invalid|localhost)$")


def whole(found: str) -> list[Span]:
    """The match as it is."""
    return [(0, len(found))]


def card(found: str) -> list[Span]:
    """Payment cards in a run of digits, which may hold other numbers beside them: by prefix, length and Luhn digit.

    Digits may be parted by single spaces or hyphens; a card begins and ends where a group does.
    """
    if found.isdecimal():  # one group, so one card or none
        alone = len(found) in CARD_LENGTHS and _branded(found, len(found)) and luhn(found)
        return whole(found) if alone else []
    places = [match.start() for match in _DIGIT.finditer(found)]
    digits = "".join(found[place] for place in places)
    spans, at = [], 0
    while at <= len(digits) - CARD_LENGTHS[-1]:
        length = next((n for n in CARD_LENGTHS if _card_at(places, digits, at, n)), 0)
        if length:
            spans.append((places[at], places[at + length - 1] + 1))
        at += length or 1
    return spans


def _card_at(places: list[int], digits: str, at: int, length: int) -> bool:
    last = at + length - 1
    if last >= len(digits) or not _branded(digits[at : at + length], length):
        return False
    begins = at == 0 or places[at] - places[at - 1] > 1
    ends = last == len(digits) - 1 or places[last + 1] - places[last] > 1
    return begins and ends and luhn(digits[at : at + length])


def _branded(number: str, length: int) -> bool:
    """Whether prefix and length are those of a payment card scheme."""
    if number[0] == "4":
        return length in (13, 16, 19)
    four = int(number[:4])
    if 5100 <= four <= 5599 or 2221 <= four <= 2720:
        return length == 16
    if number[:2] in ("34", "37"):
        return length == 15
    if number[:2] in ("30", "36", "38", "39"):
        return length == 14
    return length in (16, 19) and (number[:2] in ("35", "62", "65") or four == 6011 or 6440 <= four <= 6499)


def iban(found: str) -> list[Span]:
    """IBANs in a run of letters and digits: each begins a group, has its country's length, ends a group, and is 1 mod 97."""
    spans: list[Span] = []
    for begin in _IBAN_HEAD.finditer(found):
        if begin.start() >= (spans[-1][1] if spans else 0):
            end = _iban_end(found, begin.start())
            spans += [(begin.start(), end)] if end else []
    return spans


def _iban_end(found: str, start: int) -> int:
    """Where the IBAN that begins here ends; 0 if none does."""
    length = IBAN_LENGTHS.get(found[start : start + 2], 0)
    places = [place for place in range(start, min(len(found), start + 2 * length)) if found[place] != " "][:length]
    end = places[-1] + 1 if places and len(places) == length else 0
    if not end or (end < len(found) and found[end] != " "):
        return 0
    kept = "".join(found[place] for place in places)
    return end if int("".join(str(int(c, 36)) for c in kept[4:] + kept[:4])) % 97 == 1 else 0


def ssn(found: str) -> list[Span]:
    """A US social security number whose area, group and serial were ever given out."""
    area, group, serial = (int(part) for part in re.split(r"[- ]", found))
    real = area not in (0, 666) and area < 900 and group and serial
    return whole(found) if real and found not in SSN_SHOWN else []


def ipv4(found: str) -> list[Span]:
    """A public IPv4 address."""
    parts = [int(part) for part in found.split(".")]
    private = (
        parts[0] in (0, 10, 127)
        or parts[0] >= 224
        or parts[:2] == [192, 168]
        or (parts[0] == 172 and 16 <= parts[1] <= 31)
    )
    documentation = tuple(parts[:3]) in {(192, 0, 2), (198, 51, 100), (203, 0, 113)} or parts[:2] == [169, 254]
    return [] if max(parts) > 255 or private or documentation else whole(found)


def mail(found: str) -> list[Span]:
    """An e-mail address whose domain is not one reserved for documentation (RFC 2606)."""
    domain = found.rsplit("@", 1)[1].lower()
    return [] if _RESERVED_DOMAIN.search(domain) else whole(found)


def phone(found: str) -> list[Span]:
    """A telephone number of 8 to 15 digits (ITU-T E.164) that is not made of one or two digits."""
    digits = [c for c in found if c.isdigit()]
    return whole(found) if 8 <= len(digits) <= 15 and len(set(digits)) > 2 else []


def date(found: str) -> list[Span]:
    """A date that can be: the month and the day are in range, in either order where the year comes last."""
    parts = [int(part) for part in re.split(r"[./-]", found)]
    year_first = parts[0] > 31
    first, second = (parts[1], parts[2]) if year_first else (parts[0], parts[1])
    straight = 1 <= first <= 12 and 1 <= second <= 31
    return whole(found) if straight or (not year_first and 1 <= second <= 12 and 1 <= first <= 31) else []


def german_tax_id(found: str) -> list[Span]:
    """A German tax identification number: of the first ten digits one stands two or three times, and the last is the check digit."""
    digits = [int(c) for c in found if c.isdigit()]
    repeated = sorted(n for n in Counter(digits[:10]).values() if n > 1)
    product = 10
    for digit in digits[:10]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    right = (11 - product) % 10 == digits[10]
    return whole(found) if right and repeated in ([2], [3]) else []


def ssn_labelled(found: str) -> list[Span]:
    """A US social security number as people write it, in an area that was or may be given out."""
    digits = "".join(c for c in found if c.isdigit())
    shown = f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"
    real = len(digits) == 9 and digits[:3] not in ("000", "666") and digits[3:5] != "00" and digits[5:] != "0000"
    return whole(found) if real and len(set(digits)) > 2 and shown not in SSN_SHOWN else []


def iban_small(found: str) -> list[Span]:
    """An IBAN that somebody wrote in small letters."""
    return iban(found.upper())


def _asked(check: Check, *, bare: bool) -> Validator:
    """A validator of the match as it stands, or of its letters and digits; what has not even the form of it is none."""

    def confirmed(found: str) -> list[Span]:
        text = "".join(c for c in found.upper() if c.isalnum() and c.isascii()) if bare else found
        try:
            return whole(found) if text and check(text) else []
        except (ValueError, KeyError, IndexError):
            return []

    return confirmed


VALIDATORS: dict[str, Validator] = {
    "none": whole,
    "card": card,
    "iban": iban,
    "ssn": ssn,
    "ipv4": ipv4,
    "mail": mail,
    "phone": phone,
    "date": date,
    "german_tax_id": german_tax_id,
    "ssn_labelled": ssn_labelled,
    "iban_small": iban_small,
    **{name: _asked(check, bare=True) for name, check in CHECKS.items()},
    **{name: _asked(check, bare=False) for name, check in {**CHAINS, **FORMS, **SECRETS}.items()},
}
STDNUM = re.compile(r"stdnum(?:\.[a-z][a-z0-9_]{1,30}){1,2}")


@lru_cache(maxsize=512)
def validator(name: str) -> Validator:
    """The check of this name: one of `VALIDATORS`, or a module of python-stdnum such as `stdnum.de.idnr`.

    Raises:
        KeyError: there is none of this name.
    """
    if name in VALIDATORS:
        return VALIDATORS[name]
    if not STDNUM.fullmatch(name) or not _there(name):
        raise KeyError(name)
    return _asked(lambda found: bool(steady(name).is_valid(found)), bare=False)


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package of a country
        return False
