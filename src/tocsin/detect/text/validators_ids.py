"""Check digits of numbers that python-stdnum does not know, each as its authority published it (the patterns name the source).

A check is asked about letters and digits in upper case, without the punctuation between them. The Latin letters of a number have the
values that its authority gives them: 10 to 35 where nothing else is said, as in ISO/IEC 7064 and ICAO Doc 9303.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

Check = Callable[[str], bool]
Values = Mapping[str, int]

LETTERS: Values = {c: n for n, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
ORDINALS: Values = {c: n for n, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1)}
HEALTH_INDEX: Values = {**LETTERS, **{c: n for n, c in enumerate("ABCDEFGHJKLMNPQRSTUVWXYZ", 1)}}
"""Letters of the New Zealand health index, which has no I and no O."""
TAIWAN: Values = {c: n for n, c in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", 10)}
VEHICLE: Values = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "012345678912345678123457923456789"), strict=True)
)
"""ISO 3779 and 49 CFR 565.15: no I, O and Q."""
_DOUBLED = {str(d): 2 * d - 9 if d > 4 else 2 * d for d in range(10)}
"""The digits of twice a digit, added up."""
_TURNED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
"""Verhoeff's permutation of the digits."""
SINGAPORE = {
    "S": (0, "JZIHGFEDCBA"),
    "T": (4, "JZIHGFEDCBA"),
    "F": (0, "XWUTRQPNMLK"),
    "G": (4, "XWUTRQPNMLK"),
    "M": (3, "XWUTRQPNJLK"),
}
"""What is added to the weighted sum, and the letters by remainder mod 11."""


@dataclass(frozen=True, slots=True)
class Linear:
    """The weighted sum of all characters, check digit included, leaves this rest."""

    weights: tuple[int, ...]
    modulus: int
    rest: int = 0

    def __call__(self, found: str) -> bool:
        """Whether it holds; characters beyond the weights do not count."""
        if len(found) < len(self.weights) or any(c not in LETTERS for c in found):
            return False
        return total(self.weights, (LETTERS[c] for c in found)) % self.modulus == self.rest


def total(weights: Iterable[int], digits: Iterable[int]) -> int:
    """The weighted sum, as far as both reach."""
    return sum(weight * digit for weight, digit in zip(weights, digits, strict=False))


def luhn(found: str) -> bool:
    """ISO/IEC 7812-1 annex B, over the digits alone."""
    digits = found if found.isdecimal() else "".join(filter(str.isdecimal, found))
    doubled = sum(map(_DOUBLED.__getitem__, digits[-2::-2])) + sum(map(int, digits[::-2]))
    return doubled % 10 == 0 and len(set(digits)) > 1


def spelled(found: str) -> list[int]:
    """The digits; a letter counts as the two digits of its place in the alphabet."""
    return [int(d) for c in found for d in (c if c.isdigit() else f"{ORDINALS[c]:02d}")]


def crossed(digits: Sequence[int], weights: Sequence[int]) -> bool:
    """Whether the digit behind the weighted ones is the sum of the digits of their products, mod 10."""
    return sum(sum(divmod(w * d, 10)) for w, d in zip(weights, digits, strict=False)) % 10 == digits[len(weights)]


def de_pension(found: str) -> bool:
    """VKVV s. 4; the date of birth has a day from 1 to 31, or one with 50 added, and a month."""
    return (
        1 <= int(found[2:4]) % 50 <= 31
        and 1 <= int(found[4:6]) <= 12
        and crossed(spelled(found), (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1))
    )


def de_health(found: str) -> bool:
    """SGB V s. 290."""
    return crossed(spelled(found), (1, 2) * 5)


def de_institution(found: str) -> bool:
    """SGB V s. 293: the third to eighth digit are weighted."""
    return crossed([int(c) for c in found[2:]], (2, 1) * 3)


def es_affiliation(found: str) -> bool:
    """RD 84/1996: province and number mod 97; short numbers are filled up."""
    province, number, rest = int(found[:2]), int(found[2:-2]), int(found[-2:])
    joined = province * 10_000_000 + number if number < 10_000_000 else int(found[:-2])
    return 1 <= province <= 66 and joined % 97 == rest


def hu_personal(found: str) -> bool:
    """Act XX of 1996: weights rise for people born before 1997 and fall for those born later."""
    digits = [int(c) for c in found]
    rising = total(range(1, 11), digits) % 11
    falling = total(range(10, 0, -1), digits) % 11
    return digits[10] in (rising, falling) and dated(found[1:7])


def dated(found: str) -> bool:
    """Whether six digits are year, month and day of a date in this century or the last."""
    year, month, day = int(found[:2]), int(found[2:4]), int(found[4:6])
    try:
        return bool(date(2000 + year, month, day))
    except ValueError:
        return False


def verhoeff(found: str) -> bool:
    """Verhoeff's check digit, over the dihedral group of order ten."""
    state = 0
    for place, character in enumerate(reversed(found)):
        digit = int(character)
        for _ in range(place % 8):
            digit = _TURNED[digit]
        state = _combined(state, digit)
    return state == 0


def _combined(a: int, b: int) -> int:
    """Two turns (0 to 4) or reflections (5 to 9) of a pentagon, one after the other."""
    if a < 5:
        return (a + b) % 5 if b < 5 else (a + b) % 5 + 5
    return (a - b) % 5 + 5 if b < 5 else (a - b) % 5


def lu_matricule(found: str) -> bool:
    """Law of 19 June 2013: a Luhn digit and a Verhoeff digit, both over the first eleven."""
    return luhn(found[:12]) and verhoeff(found[:11] + found[12])


def ru_snils(found: str) -> bool:
    """Law 27-FZ: weights nine to one, mod 101; numbers up to 001-001-998 have no check digits."""
    rest = total(range(9, 0, -1), (int(c) for c in found)) % 101 % 100
    return int(found[:9]) > 1_001_998 and rest == int(found[9:])


def br_licence(found: str) -> bool:
    """DENATRAN: two digits mod 11; a first digit of ten or more takes two from the second."""
    digits = [int(c) for c in found]
    first = total(range(9, 0, -1), digits) % 11
    less = 2 if first > 9 else 0
    second = total(range(1, 10), digits) % 11 - less
    second = second + 11 if second < 0 else second
    return len(set(digits)) > 1 and [first if first < 10 else 0, second if second < 10 else 0] == digits[9:]


def br_voter(found: str) -> bool:
    """TSE Res. 21.538: two digits mod 11, the second over the state, which is 01 to 28."""
    digits = [int(c) for c in found]
    first = total(range(2, 10), digits) % 11
    second = total((7, 8, 9), [*digits[8:10], first % 10]) % 11
    return 1 <= int(found[8:10]) <= 28 and [first % 10, second % 10] == digits[10:]


def br_pis(found: str) -> bool:
    """Caixa: weighted mod 11, where ten and eleven are written as 0."""
    digits = [int(c) for c in found]
    rest = 11 - total((3, 2, 9, 8, 7, 6, 5, 4, 3, 2), digits) % 11
    return len(set(digits)) > 1 and digits[10] == (rest if rest < 10 else 0)


def kr_foreigner(found: str) -> bool:
    """Immigration Act: as the resident number, two more, mod 10."""
    digits = [int(c) for c in found]
    return (13 - total((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), digits) % 11) % 10 == digits[12]


def sg_identity(found: str) -> bool:
    """Weighted mod 11; the letter by the series."""
    more, letters = SINGAPORE[found[0]]
    return letters[(more + total((2, 7, 6, 5, 4, 3, 2), (int(c) for c in found[1:8]))) % 11] == found[8]


def hk_identity(found: str) -> bool:
    """Weighted mod 11, where a single letter stands behind a blank that counts 36."""
    blank = 36 * 9 if len(found) == 8 else 0
    weights = range(len(found), 0, -1)
    return len(found) in (8, 9) and (blank + total(weights, (LETTERS[c] for c in found))) % 11 == 0


def nz_health(found: str) -> bool:
    """HISO 10046: weighted mod 11; a rest of zero is not given out, ten is written as 0."""
    rest = total((7, 6, 5, 4, 3, 2), (HEALTH_INDEX[c] for c in found[:6])) % 11
    return rest != 0 and (11 - rest) % 10 == int(found[6])


def vehicle(found: str) -> bool:
    """49 CFR 565.15: the ninth character is the weighted sum mod 11, X for ten."""
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = total(weights, (VEHICLE.get(c, 0) for c in found)) % 11
    return found[8] == ("X" if rest == 10 else str(rest)) and len(set(found)) > 5


def machine_readable(found: str) -> bool:
    """ICAO Doc 9303 part 3: weights 7, 3, 1; a document number without its check digit is known by some digits."""
    if len(found) == 10:
        return Linear((7, 3, 1, 7, 3, 1, 7, 3, 1, -1), 10)(found)
    return sum(c.isdigit() for c in found) >= 3


def numbered(found: str) -> bool:
    """Four digits or more, of which three differ: all that can be said of numbers without a check digit."""
    digits = [c for c in found if c.isdigit()]
    return len(digits) >= 4 and len(set(digits)) >= 3


CHECKS: Mapping[str, Check] = {
    "luhn": luhn,
    "numbered": numbered,
    "machine_readable": machine_readable,
    "vehicle": vehicle,
    "au_medicare": Linear((1, 3, 7, 9, 1, 3, 7, 9, -1), 10),
    "br_cnh": br_licence,
    "br_cns": Linear(tuple(range(15, 0, -1)), 11),
    "br_pis": br_pis,
    "br_voter": br_voter,
    "de_ik": de_institution,
    "de_kvnr": de_health,
    "de_lanr": Linear((4, 9, 4, 9, 4, 9, 1), 10),
    "de_pension": de_pension,
    "es_naf": es_affiliation,
    "hk_id": hk_identity,
    "hu_personal": hu_personal,
    "hu_taj": Linear((3, 7, 3, 7, 3, 7, 3, 7, -1), 10),
    "hu_tax_id": Linear((1, 2, 3, 4, 5, 6, 7, 8, 9, -1), 11),
    "kr_frn": kr_foreigner,
    "lu_matricule": lu_matricule,
    "mx_clabe": Linear((*((3, 7, 1) * 6)[:17], 1), 10),
    "nz_nhi": nz_health,
    "pl_id_card": Linear((7, 3, 1, 9, 7, 3, 1, 7, 3), 10),
    "pl_passport": Linear((7, 3, 9, 1, 7, 3, 1, 7, 3), 10),
    "pt_niss": Linear((29, 23, 19, 17, 13, 11, 7, 5, 3, 2, 1), 10, rest=9),
    "ru_snils": ru_snils,
    "sg_nric": sg_identity,
    "sv_dui": Linear((9, 8, 7, 6, 5, 4, 3, 2, 1), 10),
    "tw_id": lambda found: Linear((1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1), 10)(f"{TAIWAN[found[0]]}{found[1:]}"),
    "us_dea": lambda found: Linear((1, 2, 1, 2, 1, 2, -1), 10)(found[2:]),
    "us_npi": lambda found: luhn(f"80840{found}"),
    "uy_ci": Linear((2, 9, 8, 7, 6, 3, 4, 1), 10),
}
"""By the name that a pattern gives."""
