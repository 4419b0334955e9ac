"""A gitleaks.toml of the user means here what it means there."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

import pytest

from tests.shared import shared
from tocsin.content.loaders import gitleaks
from tocsin.content.loaders.gitleaks import Loaded
from tocsin.detect.text.engine import Engine, hyperscan, scan
from tocsin.detect.text.patterns import FIRST_GROUP, Patterns
from tocsin.model.errors import BadInput

ENGINES: list[Engine] = ["plain"] if hyperscan is None else ["plain", "hyperscan"]
both = pytest.mark.parametrize("which", ENGINES)
RULES = r"""
title = "own rules"

[allowlist]
regexes = ['''^hidden''']
stopwords = ["sample"]

[[rules]]
id = "acme-key"
description = "An Acme key"
regex = '''(?i)acme[ =:]{1,3}([a-z0-9]{12})(?:\s|$)'''
entropy = 2.0
keywords = ["acme"]

[[rules]]
id = "acme-two"
regex = '''two-(x+)-([a-z0-9]{6})'''
secretGroup = 2
[[rules.allowlists]]
regexTarget = "line"
regexes = ['''# nosecret''']
[[rules.allowlists]]
condition = "AND"
stopwords = ["dummy"]
regexes = ['''^dummy1''']
[[rules.allowlists]]
condition = "AND"
paths = ['''\.md$''']
stopwords = ["abc123"]

[[rules]]
id = "generic-one"
regex = '''token=([A-Za-z0-9]{8,})'''

[[rules]]
id = "only-a-path"
path = '''\.p12$'''

[[rules]]
id = "in-a-path"
path = '''\.xml$'''
regex = '''secret'''
"""


def loaded(text: str = RULES) -> Loaded:
    return gitleaks.read(text.encode(), "rules.toml")


def found(text: str, which: Engine = "auto") -> list[tuple[str, str]]:
    rules = loaded().patterns
    return [(rules.items[hit.pattern].id, text[hit.start : hit.end]) for hit in scan([text], rules, which).hits]


def test_what_is_read() -> None:
    rules = loaded()
    assert [pattern.id for pattern in rules.patterns.items] == ["acme-key", "acme-two", "generic-one"]
    assert [name for name, _ in rules.left_out] == ["only-a-path", "in-a-path"]
    assert all(reason for _, reason in rules.left_out)
    first, second, third = rules.patterns.items
    assert (first.title, first.keywords, first.group) == ("An Acme key", ("acme",), FIRST_GROUP)
    assert first.entropy == math.nextafter(2.0, 9)
    assert (second.group, second.title) == (2, "acme-two")
    assert (third.precedence, third.confidence) == ("generic", gitleaks.CONFIDENCE_GENERIC)


@both
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ACME = a1b2c3d4e5f6", [("acme-key", "a1b2c3d4e5f6")]),
        ("acme: a1b2c3d4e5f6 and more", [("acme-key", "a1b2c3d4e5f6")]),
        ("acme: aaaaaaaaaaaa", []),
        ("acme: hiddenb2c3d4", []),
        ("acme: samplea2b3c4", []),
        ("two-xxx-abc123", [("acme-two", "abc123")]),
        ("two-xxx-abc123 # nosecret", []),
        ("two-xxx-abc123\n# nosecret", [("acme-two", "abc123")]),
        ("two-xxx-dummy1", []),
        ("two-xxx-dummy2", [("acme-two", "dummy2")]),
        ("token=ABCDEFGHIJ", []),
        ("token=ABCDEFGHI1", [("generic-one", "ABCDEFGHI1")]),
    ],
)
def test_what_is_found(text: str, expected: list[tuple[str, str]], which: Engine) -> None:
    assert found(text, which) == expected


@both
def test_a_match_that_is_allowed_is_not_tried_again_from_its_middle(which: Engine) -> None:
    rules = gitleaks.read(
        b"[[rules]]\nid='key'\nregex='''[a-z]{0,20}key=([a-z0-9]{6})'''\n[[rules.allowlists]]\nregexTarget='match'\nregexes=['monkey']\n",
        "rules.toml",
    ).patterns
    assert scan(["monkey=abc123"], rules, which).hits == ()
    assert len(scan(["some key=abc123"], rules, which).hits) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[rules]\n", "rules.toml:1"),
        ("rules = 5\n", "rules"),
        ("[[rules]]\nregex = 'x'\n", "rules.0.id"),
        ("[[rules]]\nid = 'a'\nregex = '('\n", "rules.a"),
        ("[[rules]]\nid = 'a'\nregex = '\\pL'\n", "no equal"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nsecretGroup = 3\n", "secretGroup 3"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nsecretGroup = -1\n", "secretGroup"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\nregexes = ['[']\n", "rules.a"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\nregexTarget = 'file'\n", "regexTarget"),
        ("[extend]\nuseDefault = true\n", "build on others"),
        ("[extend]\npath = 'other.toml'\n", "build on others"),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, says: str) -> None:
    with pytest.raises(BadInput) as raised:
        loaded(text)
    assert says in str(raised.value)
    assert "rules.toml" in str(raised.value)


def test_bytes_that_are_no_text_are_told() -> None:
    with pytest.raises(BadInput, match="UTF-8"):
        gitleaks.read(b"\xff\xfe", "rules.toml")


def test_two_mistakes_are_told_at_once() -> None:
    with pytest.raises(BadInput) as raised:
        loaded("[[rules]]\nid='a'\nregex='('\n[[rules]]\nid='b'\nregex='['\n")
    assert len(str(raised.value).splitlines()) >= 2


def test_rules_can_be_disabled_and_lists_aimed_at_rules() -> None:
    aimed = RULES.replace(
        "[allowlist]", "[extend]\ndisabledRules = ['acme-two']\n[[allowlists]]\ntargetRules = ['acme-key']"
    )
    rules = loaded(aimed)
    assert ("acme-two", "it is disabled in the file") in rules.left_out
    key, generic = rules.patterns.items
    assert len(key.allow) == 1
    assert all("sample" not in allowance.words for allowance in generic.allow)


def _rules_of(name: str, every: Patterns) -> Patterns:
    """The rules that gitleaks' own file of that name makes; the file names are not ids."""
    wanted = name.replace("_", "-").replace("privatekey", "private-key").replace("hashicorp-vault", "vault").lower()
    own = tuple(
        pattern for pattern in every.items if pattern.id.startswith(wanted.replace("octopusdeploy", "octopus-deploy"))
    )
    return Patterns(own or tuple(pattern for pattern in every.items if "meraki" in pattern.id))


@pytest.fixture(scope="module")
def theirs() -> Patterns:
    return gitleaks.read(shared("data/text/gitleaks.toml").read_bytes(), "gitleaks.toml").patterns


@pytest.mark.shared
def test_the_rules_of_gitleaks_are_read_whole(theirs: Patterns) -> None:
    left_out = gitleaks.read(shared("data/text/gitleaks.toml").read_bytes(), "gitleaks.toml").left_out
    assert len(theirs.items) + len(left_out) == 222
    assert len(left_out) == 5
    for pattern in theirs.items:
        re.compile(pattern.expression.encode())


@pytest.mark.shared
def test_their_own_true_and_false_positives(theirs: Patterns) -> None:
    """Of 89 true ones a rule for one is not in the file; of 289 false ones one is for another rule of the same file."""
    lines = shared("data/text/gitleaks_rule_fixtures.jsonl").read_text(encoding="utf-8").split("\n")
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line]
    table = Counter((row["label"], bool(scan([row["text"]], _rules_of(row["rule"], theirs)).hits)) for row in rows)
    assert table == {(1, True): 88, (1, False): 1, (0, False): 288, (0, True): 1}


@pytest.mark.shared
@pytest.mark.skipif(hyperscan is None, reason="no Hyperscan here")
def test_both_engines_find_the_same_with_their_rules(theirs: Patterns) -> None:
    lines = shared("data/text/gitleaks_rule_fixtures.jsonl").read_text(encoding="utf-8").split("\n")
    texts = [json.loads(line)["text"] for line in lines if line]
    assert scan(texts, theirs, "hyperscan") == scan(texts, theirs, "plain")
