"""The kinds of value that documents share: lengths of time, zones, countries, identifiers, text."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, StringConstraints

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRIES = frozenset(_CODES.split())
"""The 249 codes of ISO 3166-1 alpha-2."""
UNION = "EU"
"""The European Union: reserved for it by ISO 3166-1, and used where Union law itself is meant."""
_INSTEAD = {"UK": "GB", "EL": "GR"}
"""Codes that people and EU institutions write, and what ISO 3166 calls these countries."""
_SUBDIVISION = re.compile(r"[A-Z0-9]{1,3}")
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(seconds?|s|minutes?|min|m|hours?|h|days?|d|weeks?|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def near(wrong: str, right: Iterable[str]) -> str:
    """`; did you mean '…'?` when one of `right` resembles `wrong`; nothing otherwise."""
    word, by_case = wrong.casefold(), {name.casefold(): str(name) for name in right}
    close = difflib.get_close_matches(word, by_case, n=5, cutoff=0.6)
    best = max(
        close, key=lambda name: (difflib.SequenceMatcher(a=name, b=word).ratio(), name[:1] == word[:1]), default=""
    )
    return f"; did you mean {by_case[best]!r}?" if best else ""


def duration(value: object) -> timedelta:
    """The length of time in text such as `15m`, `2 h`, `1 day`, `4 weeks`. Raises ValueError otherwise."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match or not float(match[1]):
        raise ValueError("must be a length of time such as 15m, 2h, 1d or 4w")
    return timedelta(**{_UNITS[match[2][0]]: float(match[1])})


@lru_cache
def zones() -> frozenset[str]:
    """The IANA names of all time zones; without `localtime` and `Factory`, which mean another thing on every machine."""
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


def zone(value: object) -> str:
    """The IANA name of a time zone. Raises ValueError with the nearest name otherwise."""
    if isinstance(value, str) and value in zones():
        return value
    raise ValueError(f"must be an IANA time zone such as Europe/Berlin{near(str(value), sorted(zones()))}")


def country(value: object) -> str:
    """A country by its ISO 3166 code, with a subdivision after a hyphen (`US-CA`), or EU. Raises ValueError otherwise."""
    if is_country(value):
        return str(value)
    code, hyphen, part = str(value).upper().partition("-")
    meant = _INSTEAD.get(code, code) + hyphen + part
    hint = f"; did you mean {meant!r}?" if is_country(meant) else ""
    raise ValueError(f"must be an ISO 3166 code such as DE or US-CA, or EU{hint}")


def is_country(value: object) -> bool:
    """Whether it is an ISO 3166 code, with a subdivision after a hyphen or without, or EU."""
    code, hyphen, part = value.partition("-") if isinstance(value, str) else ("", "", "")
    return code in COUNTRIES | {UNION} and (not hyphen or bool(_SUBDIVISION.fullmatch(part)))


def identifier(value: str) -> str:
    """A name that files, streams and people use. Raises ValueError otherwise."""
    if _IDENTIFIER.fullmatch(value):
        return value
    raise ValueError("must be made of a-z, 0-9, - and _, begin with a letter or digit and have at most 64 characters")


def visible(value: str) -> str:
    """Text without control characters, which would show nothing or steer a terminal. Raises ValueError otherwise."""
    if any(unicodedata.category(sign) == "Cc" and sign not in "\n\t" for sign in value):
        raise ValueError("must not contain control characters")
    return value


Duration = Annotated[timedelta, BeforeValidator(duration)]
Zone = Annotated[str, BeforeValidator(zone)]
Country = Annotated[str, BeforeValidator(country)]
Identifier = Annotated[str, AfterValidator(identifier)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True), AfterValidator(visible)]
