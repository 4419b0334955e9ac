"""Values that travel."""

from __future__ import annotations

import time

import pytest

from tocsin.detect.agents.values import VALUES_MAX, Value, links, values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("nothing here, at all: 3/4 of a@b", []),
        ("Mail Anna.Albers@Nordpost.example, please", [("email", "anna.albers@nordpost.example")]),
        ("at 203.0.113.9:", [("address", "203.0.113.9")]),
        ("GB29 NWBK 6016 1331 9268 19 is mine", [("account", "gb29nwbk60161331926819")]),
        ("DE89370400440532013000", [("account", "de89370400440532013000")]),
        ("0x52908400098527886E0F7030069857D2E4169EE7", [("account", "0x52908400098527886e0f7030069857d2e4169ee7")]),
        ("cat /etc/shadow", [("file", "/etc/shadow")]),
        ("../keys/id_rsa", [("file", "../keys/id_rsa")]),
        ("(https://a.example/x)", [("url", "https://a.example/x"), ("url", "a.example")]),
        ("<https://a.example/x>.", [("url", "https://a.example/x"), ("url", "a.example")]),
        ('{"u":"wss://a.example/"}', [("url", "wss://a.example/"), ("url", "a.example")]),
    ],
)
def test_values_in_their_normal_form(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(values([text])) == [(0, Value(*pair)) for pair in expected]


def test_two_spellings_are_one_value() -> None:
    assert list(values(["DE89 3704 0044 0532 0130 00"])) == list(values(["DE89370400440532013000"]))
    assert list(values(["MAIL@EVIL.TEST!"])) == list(values(["mail@evil.test"]))


def test_a_text_gives_no_more_than_is_kept() -> None:
    assert [row for row, _ in values(["", "a@b.test " * 500])] == [1] * VALUES_MAX


@pytest.mark.parametrize(
    "hostile", ["a@" * 100_000, "1." * 100_000, "/a" * 100_000, "DE89 " * 40_000, "https://" * 25_000]
)
def test_hostile_texts_take_time_in_proportion(hostile: str) -> None:
    began = time.process_time()
    list(values([hostile]))
    list(links([hostile]))
    assert time.process_time() - began < 5


def test_links_are_found_in_markdown_and_in_markup() -> None:
    text = "![a](https://one.test/x.png) <img src='https://two.test/y?z=12345678'> [b](ftp://three.test/f)"
    assert [(link.host, link.carries) for _, link in links([text])] == [
        ("one.test", False),
        ("two.test", True),
        ("three.test", False),
    ]
