"""The table of look-alikes: made of Unicode's own data and names."""

from __future__ import annotations

import unicodedata

import pytest

from tocsin.detect.text.lookalikes import lookalikes


def read(text: str) -> str:
    return text.translate(lookalikes())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("аеорсухіјѕһԁԛԝѵӏү", "aeopcyxijshdqwvly"),
        ("АВЕКМНОРСТУХІЈЅԌѴԚԜ", "ABEKMHOPCTYXIJSGVQW"),
        ("αγεηικνορτυχω", "ayeniKvoptuxw".replace("K", "k")),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
        ("օսհոց", "ouhng"),
        ("ɑɡıȷ", "agij"),
        ("ᴀʙᴄᴅᴇ", "abcde"),
        ("ｐａｓｓ＠１２３．ｄｅ", "pass@123.de"),
        ("𝐩𝑎𝒔𝓼 𝕨𝔬𝖗𝘥 𝚡", "pass word x"),
        ("ⓟⓐⓢⓢ ⁴²", "pass 42"),
        ("٤١١١ ۴۱ ४१ ໑ 𝟜𝟙", "4111 41 41 1 41"),
        ("ℐℊℕ", "IgN"),
    ],
)
def test_what_looks_like_ascii_is_read_as_it(text: str, said: str) -> None:
    assert read(text) == said


@pytest.mark.parametrize(
    "text", ["ascii stays: @#1aZ", "éüñçå", "ждшщъыэюя", "ΔΘΛΞΠΣΦΨΩ", "漢字かな", "“quotes” – dashes … ™ ½ ﬁ"]
)
def test_what_does_not_stays(text: str) -> None:
    assert read(text) == text


def test_every_entry_is_one_printable_ascii_character_for_one_that_is_not() -> None:
    for code, meant in lookalikes().items():
        assert code >= 0x80
        assert len(meant) == 1
        assert meant.isascii()
        assert meant.isprintable()


def test_every_digit_of_every_script_is_its_value() -> None:
    digits = [code for code in range(0x80, 0x1FBFA) if unicodedata.decimal(chr(code), None) is not None]
    assert len(digits) > 500
    assert all(lookalikes()[code] == str(unicodedata.decimal(chr(code))) for code in digits)


def test_the_table_is_made_once() -> None:
    assert lookalikes() is lookalikes()
