"""Expressions of RE2 mean for `re` what they mean there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.detect.text.re2 import POSIX, translated


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("abc", "abc"),
        ("(?i)abc", "(?i:abc)"),
        ("ab(?i)cd", "ab(?i:cd)"),
        ("(ab(?i)cd)ef", "(ab(?i:cd))ef"),
        ("a(?i)b|c", "a(?i:b)|(?i:c)"),
        ("(a(?i)b|c)d", "(a(?i:b)|(?i:c))d"),
        ("(?i)a(?-i)b", "(?i:a(?-i:b))"),
        ("(?i:ab)c", "(?i:ab)c"),
        ("a$", r"a\Z"),
        (r"a\$", r"a\$"),
        ("[$|(]", r"[$\|(]"),
        (r"(?:x|\z)", r"(?:x|\Z)"),
        (r"\Qa.b\Ec", r"a\.bc"),
        (r"\Qa+", r"a\+"),
        ("[[:alpha:]_]", "[A-Za-z_]"),
        ("[]a]", r"[\]a]"),
        ("[^]a]", r"[^\]a]"),
        ("[a[b]", r"[a\[b]"),
        (r"[\]\\]x", r"[\]\\]x"),
        ("(?<name>a)", "(?P<name>a)"),
        ("(?P<name>a)", "(?P<name>a)"),
        ("(?=a)", "(?=a)"),
    ],
)
def test_what_is_said(expression: str, said: str) -> None:
    assert translated(expression) == said
    re.compile(said)


@pytest.mark.parametrize(
    ("expression", "matches", "not_these"),
    [
        ("p8e-(?i)[a-z]{3}", ["p8e-ABC", "p8e-abc"], ["P8E-abc", "p8e-a1c"]),
        ("x(?i)a|b", ["xA", "xa", "B"], ["XA"]),
        ("(?s)a.c", ["a\nc"], ["ac"]),
        ("(?i)k(?-i:E)y", ["KEY", "kEY"], ["key"]),
        ("^a$", ["a"], ["a\n", "ba"]),
        ("[[:digit:][:upper:]]{2}", ["A1", "9Z"], ["a1"]),
        (r"\bq\z", ["q", "a q"], ["q\n"]),
        ("(?m)^b$", ["a\nb"], []),
    ],
)
def test_what_is_matched(expression: str, matches: list[str], not_these: list[str]) -> None:
    compiled = re.compile(translated(expression))
    assert all(compiled.search(text) for text in matches)
    assert not any(compiled.search(text) for text in not_these)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (r"\pL+", r"\\p has no equal"),
        (r"\x{1F600}", "no equal"),
        ("[[:^alpha:]]", "no class of bytes"),
        ("[[:letters:]]", "no class of bytes"),
        ("(?U)a+", "flag U"),
    ],
)
def test_what_has_no_equal_is_told(expression: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        translated(expression)


@pytest.mark.parametrize("name", POSIX)
def test_every_class_of_posix_compiles_and_is_not_empty(name: str) -> None:
    compiled = re.compile(translated(f"[[:{name}:]]").encode())
    assert any(compiled.fullmatch(bytes([byte])) for byte in range(128))


@given(st.text("abc[](){}|\\^$?:i*+-.", max_size=14))
def test_nothing_makes_it_fail_otherwise_than_by_saying_so(expression: str) -> None:
    """What is no expression before is none behind, and the translation itself only ever raises ValueError."""
    try:
        said = translated(expression)
        re.compile(said)
    except (ValueError, re.error):
        return
    assert said.count("(") >= expression.count("(") - expression.count("\\(")
