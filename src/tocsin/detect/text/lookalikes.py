"""Characters that look like ASCII letters and digits, and which: made from the Unicode data that Python carries.

Compatibility characters (fullwidth, mathematical, enclosed, superscript) and the digits of every script say themselves what they stand
for. Cyrillic, Greek and Armenian letters are listed by the name that Unicode gives them, beside the letter that they are taken for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

_LAST = 0x1FBFA
"""Behind it stands no character of interest."""
_ALIKE = {
    "CYRILLIC SMALL LETTER": (
        "A=a IE=e O=o ER=p ES=c U=y HA=x BYELORUSSIAN-UKRAINIAN I=i DZE=s JE=j SHHA=h KOMI DE=d QA=q WE=w IZHITSA=v "
        "PALOCHKA=l STRAIGHT U=y GHE=r"
    ),
    "CYRILLIC CAPITAL LETTER": (
        "A=A VE=B IE=E KA=K EM=M EN=H O=O ER=P ES=C TE=T U=Y HA=X BYELORUSSIAN-UKRAINIAN I=I DZE=S JE=J STRAIGHT U=Y "
        "KOMI SJE=G IZHITSA=V QA=Q WE=W"
    ),
    "GREEK SMALL LETTER": (
        "ALPHA=a GAMMA=y EPSILON=e ETA=n IOTA=i KAPPA=k NU=v OMICRON=o RHO=p TAU=t UPSILON=u CHI=x OMEGA=w"
    ),
    "GREEK CAPITAL LETTER": (
        "ALPHA=A BETA=B EPSILON=E ZETA=Z ETA=H IOTA=I KAPPA=K MU=M NU=N OMICRON=O RHO=P TAU=T UPSILON=Y CHI=X"
    ),
    "ARMENIAN SMALL LETTER": "OH=o SEH=u HO=h VO=n CO=g",
    "LATIN SMALL LETTER": "ALPHA=a SCRIPT G=g DOTLESS I=i DOTLESS J=j IOTA=i OPEN E=e",
    "LATIN LETTER SMALL CAPITAL": "A=a B=b C=c D=d E=e G=g H=h I=i J=j K=k L=l M=m N=n O=o P=p R=r T=t U=u V=v W=w Y=y Z=z",
}


@cache
def lookalikes() -> Mapping[int, str]:
    """What each such character is taken for, as `str.translate` wants it. Made once, in some hundredths of a second."""
    return dict(_compatible()) | dict(_listed())


def _compatible() -> Iterator[tuple[int, str]]:
    for code in range(0x80, _LAST):
        char = chr(code)
        digit = unicodedata.decimal(char, -1)
        if digit >= 0:
            yield code, str(digit)
        elif unicodedata.decomposition(char).startswith("<"):
            meant = unicodedata.normalize("NFKC", char)
            if len(meant) == 1 and "!" <= meant <= "~":
                yield code, meant


def _listed() -> Iterator[tuple[int, str]]:
    for script, letters in _ALIKE.items():
        for name, _, meant in (f"{one}".rpartition("=") for one in _split(letters)):
            yield ord(unicodedata.lookup(f"{script} {name}")), meant


def _split(letters: str) -> list[str]:
    """`A=a STRAIGHT U=y` as its entries: each ends behind the letter that follows an equals sign."""
    entries, words = [], list[str]()
    for word in letters.split():
        words.append(word)
        if "=" in word:
            entries.append(" ".join(words))
            words = []
    return entries
