"""Looking where anchors end finds what reading from end to end finds; both are held to a third way, written as plainly as can be."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.text.made import pattern, patterns
from tocsin.content.loaders import patterns as shipped
from tocsin.detect.text import engine, looking
from tocsin.detect.text.engine import hyperscan, prepared, scan
from tocsin.detect.text.looking import LONGEST, most_tries
from tocsin.detect.text.patterns import Pattern
from tocsin.detect.text.validators import STDNUM, VALIDATORS, validator

needs_hyperscan = pytest.mark.skipif(hyperscan is None, reason="no wheel for this processor")
HOSTILE = [
    "1 " * 3_000,
    "1.1." * 2_000,
    "DE89 " * 1_500,
    "A1" * 3_000,
    "a@" * 3_000,
    "a@b.co " * 1_000,
    "4111 1111 1111 1111 " * 300,
    "-----BEGIN PRIVATE KEY-----" * 200,
    "eyJ" * 2_000,
    "eyJhbGciOi.eyJ" * 500,
    "ghp_" * 1_500,
    "key=" * 1_500,
    "ignore all previous instructions " * 200,
    "you are " * 800,
    "![x](http://a.b/?a={" * 300,
    "\x00" * 5_000,
    "\n" * 5_000,
    "\u200b" * 2_000,
    "é" * 3_000,
    "日本語" * 1_000,
    "🙂" * 1_000,
    "0" * 8_000,
    "f" * 8_000,
    "Zm9v" * 2_000,
    "%41" * 2_000,
    "&#65;" * 1_000,
    "(030) 1234-5678 / " * 300,
    "12/12/2024 " * 500,
    "'\"`" * 2_000,
    "\\x41" * 1_500,
    "<|im_start|>" * 500,
    "https://a.test/?q=" * 300,
]


@needs_hyperscan
@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:20]) for text in HOSTILE])
def test_hostile_texts_give_the_same_with_both_engines(text: str) -> None:
    rows = [text, f"x{text}", text[1:]]
    fast, slow = scan(rows, shipped.load(), "hyperscan"), scan(rows, shipped.load(), "plain")
    assert fast == slow
    assert all(0 <= hit.start < hit.end <= len(rows[hit.row]) for hit in fast.hits)


@needs_hyperscan
@pytest.mark.parametrize("text", HOSTILE[:12], ids=[repr(text[:20]) for text in HOSTILE[:12]])
def test_hostile_texts_among_others_in_a_column(text: str) -> None:
    rows = ["a quiet row", text, "", "card 4111 1111 1111 1111"] * 6
    fast = scan(rows, shipped.load(), "hyperscan")
    assert fast == scan(rows, shipped.load(), "plain")
    assert [hit for hit in fast.hits if hit.row == 3] == [hit._replace(row=3) for hit in fast.hits if hit.row == 23]


def reference(text: bytes, one: Pattern) -> Iterator[tuple[int, int]]:
    """Every match from the left, each begun behind the one before it."""
    low = 0
    while match := re.compile(one.expression.encode()).search(text, low):
        yield match.span()
        low = match.end()


EXPRESSIONS = [
    r"a[bc]{1,3}",
    r"\bx\d{2,4}\b",
    r"(?<!a)b{2}c?",
    r"[a-c]{2,6}-[0-9]{1,3}",
    r"(?:ab|a|b)c\d",
    r"c(?=a)a{1,4}b?",
    r"\d{2}[ -]?\d{2}(?!\d)",
    r"(?i)abc|CAB-",
]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(EXPRESSIONS), st.text("abcxABC12- \n", max_size=120))
def test_what_is_found_is_what_the_expression_finds(expression: str, text: str) -> None:
    one = pattern("one", expression, kind="injection")
    expected = list(reference(text.encode(), one))
    for which in ("plain", "hyperscan") if hyperscan else ("plain",):
        found = [(hit.start, hit.end) for hit in scan([text], patterns(one), which).hits]  # type: ignore[arg-type]
        assert found == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(EXPRESSIONS), min_size=2, max_size=4, unique=True), st.text("abcxABC12- ", max_size=80))
def test_patterns_do_not_disturb_each_other(expressions: list[str], text: str) -> None:
    items = [pattern(f"p{n}", expression, kind="injection") for n, expression in enumerate(expressions)]
    together = {(hit.pattern, hit.start, hit.end) for hit in scan([text], patterns(*items)).hits}
    apart = {(n, hit.start, hit.end) for n, item in enumerate(items) for hit in scan([text], patterns(item)).hits}
    assert together == apart


def test_a_match_without_a_limit_is_cut_at_the_longest() -> None:
    """Rules of others may hold such expressions; ours may not."""
    endless = patterns(pattern("endless", "begin[a-z ]+"))
    text = f"begin {'x' * (2 * LONGEST)}"
    for which in ("plain", "hyperscan") if hyperscan else ("plain",):
        (hit,) = scan([text], endless, which).hits  # type: ignore[arg-type]
        assert (hit.start, hit.end) == (0, LONGEST + looking.BEYOND)


def test_a_set_is_prepared_once_as_long_as_it_lives() -> None:
    mine = patterns(pattern("one", "abc"))
    assert prepared(mine) is prepared(mine)
    before = len(engine._PREPARED)
    del mine
    assert len(engine._PREPARED) < before


def test_tries_grow_with_the_text() -> None:
    assert most_tries(0) < most_tries(10_000) < most_tries(20_000)
    assert most_tries(20_000) - most_tries(10_000) == pytest.approx(10_000 / 256, abs=1)


VALID = [
    ("stdnum.at.tin", "59-119/9013"),
    ("stdnum.be.nn", "85.07.30-033 28"),
    ("stdnum.br.cpf", "390.533.447-05"),
    ("stdnum.ch.ssn", "756.9217.0769.85"),
    ("stdnum.de.idnr", "36 574 261 809"),
    ("stdnum.ee.ik", "36805280109"),
    ("stdnum.es.dni", "54362315-K"),
    ("stdnum.fi.hetu", "131052-308T"),
    ("stdnum.fr.nir", "2 95 10 99 126 111 93"),
    ("stdnum.gb.nhs", "943-476-5870"),
    ("stdnum.hr.oib", "33392005961"),
    ("stdnum.il.idnr", "3933742-3"),
    ("stdnum.in_.aadhaar", "234123412346"),
    ("stdnum.it.codicefiscale", "RCCMNL83S18D969H"),
    ("stdnum.nl.bsn", "1112.22.333"),
    ("stdnum.no.fodselsnummer", "151086 95088"),
    ("stdnum.pl.pesel", "44051401359"),
    ("stdnum.pt.nif", "501 964 843"),
    ("stdnum.se.orgnr", "1234567897"),
    ("stdnum.tr.tckimlik", "17291716060"),
    ("stdnum.us.ein", "91-1144442"),
    ("stdnum.us.ssn", "536-90-4399"),
    ("stdnum.gb.vat", "980 7806 84"),
    ("stdnum.pl.regon", "192598184"),
    ("stdnum.cz.rc", "710319/2745"),
    ("stdnum.lv.pvn", "161175-19997"),
    ("stdnum.si.emso", "0101006500006"),
    ("stdnum.cl.rut", "12531909-2"),
    ("stdnum.nz.ird", "4909185-0"),
    ("stdnum.au.tfn", "123 456 782"),
    ("stdnum.za.idnr", "7503305044089"),
    ("stdnum.cn.ric", "360426199101010071"),
    ("stdnum.isin", "US0378331005"),
    ("stdnum.imei", "35686800-004141-8"),
    ("stdnum.lei", "213800KUD8LAJWSQ9D15"),
]


@pytest.mark.parametrize(("name", "number"), VALID)
def test_numbers_of_python_stdnum_are_checked_by_the_module_of_that_name(name: str, number: str) -> None:
    check = validator(name)
    assert STDNUM.fullmatch(name)
    assert check(number) == [(0, len(number))]
    assert check("nothing of that kind") == []
    assert check("") == []


@pytest.mark.parametrize(
    "name",
    ["", "stdnum", "stdnum.", "stdnum.xx.idnr", "stdnum.de.nothing", "os", "stdnum.de.idnr.is_valid", "Luhn", "luhn "],
)
def test_nothing_else_is_a_validator(name: str) -> None:
    with pytest.raises(KeyError):
        validator(name)


@pytest.mark.parametrize("name", VALIDATORS)
def test_our_own_validators_go_by_their_names(name: str) -> None:
    assert validator(name) is VALIDATORS[name]


def test_a_validator_is_made_once() -> None:
    assert validator("stdnum.de.idnr") is validator("stdnum.de.idnr")
    assert validator("stdnum.de.idnr") is not validator("stdnum.de.vat")
