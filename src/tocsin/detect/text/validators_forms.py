"""Forms that have no check digit: addresses of networks, telephone numbers, coordinates, keys of devices.

Sources: ITU-T E.164; RFC 4291 and the IANA registry of special addresses, as Python's `ipaddress` has it; ISO 6709; IEEE 802.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from tocsin.detect.text.validators_ids import Check, Linear

_DATE = re.compile(r"(?:19|20)\d\d[-./ ]\d\d?[-./ ]\d\d?|\d\d?[-./ ]\d\d?[-./ ](?:19|20)\d\d")
_MONTH = re.compile(r"(?:0?[1-9]|1[0-2])[./](?:19|20)\d\d\b")
_YEARS = re.compile(r"(?:19|20)\d\d[- ](?:19|20)\d\d")
_AMOUNT = re.compile(r"\d{1,3}(?:[ .]000)+")


def telephone(found: str) -> bool:
    """Six to fifteen digits, an extension apart, of which three differ; no date, no two years and no round amount."""
    number = found.lower().partition("x")[0]
    digits = [c for c in number if c.isdigit()]
    other = _DATE.fullmatch(number) or _YEARS.fullmatch(number) or _AMOUNT.fullmatch(number)
    return 6 <= len(digits) <= 15 and len(set(digits)) >= 3 and not other


def national_telephone(found: str) -> bool:
    """A telephone number of nine digits or more that does not begin as a month with its year."""
    return telephone(found) and sum(c.isdigit() for c in found) >= 9 and not _MONTH.match(found)


def coordinates(found: str) -> bool:
    """Latitude to 90 degrees and longitude to 180, not both zero."""
    latitude, longitude = (float(part) for part in re.split(r"[,;] ?", found))
    return abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude != 0 or longitude != 0)


def mac(found: str) -> bool:
    """An address of one device: not all zeros, not broadcast, not multicast, and with four bytes that differ."""
    parts = re.split("[:-]", found.lower())
    return len(set(parts)) >= 4 and not int(parts[0], 16) & 1


def ipv6(found: str) -> bool:
    """An address that is routed globally."""
    try:
        return ipaddress.IPv6Address(found).is_global
    except ValueError:
        return False


def ipv4_any(found: str) -> bool:
    """Four numbers to 255."""
    try:
        return bool(ipaddress.IPv4Address(found))
    except ValueError:
        return False


def travel_document(found: str) -> bool:
    """ICAO Doc 9303 part 4: check digits of document number, date of birth and date of expiry; a filler counts nothing."""
    line = found.replace("<", "0")
    fields = ((line[:9], line[9]), (line[13:19], line[19]), (line[21:27], line[27]))
    return all(Linear((*((7, 3, 1) * 3)[: len(f)], -1), 10)(f + check) for f, check in fields)


FORMS: Mapping[str, Check] = {
    "coordinates": coordinates,
    "ipv4_any": ipv4_any,
    "ipv6": ipv6,
    "mac": mac,
    "mrz": travel_document,
    "national_telephone": national_telephone,
    "telephone": telephone,
}
"""By the name that a pattern gives; what they are asked about is the match as it stands."""
