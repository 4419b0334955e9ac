"""Rules of somebody else: a `gitleaks.toml` as it is, with keywords, entropy, groups and allowlists. What has no meaning for text is told.

Source: the configuration page of gitleaks (README, `config/config.go` and `detect/detect.go` of 8.25). Paths and commits mean nothing
here: rules that need a path are left out, and an allowlist that needs one permits nothing.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tocsin.detect.text import anchors
from tocsin.detect.text.allowing import Allowance, Target
from tocsin.detect.text.patterns import FIRST_GROUP, Pattern, Patterns
from tocsin.detect.text.re2 import translated
from tocsin.model.errors import BadInput, Place, Problem

CONFIDENCE, CONFIDENCE_GENERIC = 0.8, 0.5
"""Rules of others come without a measured precision: these are assumptions."""
_WHERE = re.compile(r"\(at line (\d+), column (\d+)\)")
_TARGETS: Mapping[str, Target] = {"": "value", "secret": "value", "match": "match", "line": "line"}
Texts = tuple[str, ...]


class Loaded(NamedTuple):
    """The rules, and the ids of those that were left out with the reason."""

    patterns: Patterns
    left_out: tuple[tuple[str, str], ...]


class _Given(BaseModel):
    """Fields that gitleaks knows; others, of newer versions or of its other uses, are passed over."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class _Allowlist(_Given):
    condition: Literal["", "OR", "AND", "or", "and", "||", "&&"] = ""
    paths: Texts = ()
    commits: Texts = ()
    regexes: Texts = ()
    target: Annotated[Literal["", "secret", "match", "line"], Field(alias="regexTarget")] = ""
    stopwords: Texts = ()
    rules: Annotated[Texts, Field(alias="targetRules")] = ()


class _Rule(_Given):
    id: str
    description: str = ""
    regex: str = ""
    path: str = ""
    entropy: float = 0.0
    group: Annotated[int, Field(alias="secretGroup", ge=0)] = 0
    keywords: Texts = ()
    allowlist: _Allowlist | None = None
    allowlists: tuple[_Allowlist, ...] = ()
    required: tuple[Any, ...] = ()


class _Extend(_Given):
    default: Annotated[bool, Field(alias="useDefault")] = False
    path: str = ""
    url: str = ""
    disabled: Annotated[Texts, Field(alias="disabledRules")] = ()


class _File(_Given):
    rules: tuple[_Rule, ...] = ()
    allowlist: _Allowlist | None = None
    allowlists: tuple[_Allowlist, ...] = ()
    extend: _Extend = _Extend()


def read(data: bytes, file: str) -> Loaded:
    """The rules of the file, in order of their ids.

    Raises:
        BadInput: it is no such file, holds an expression that is none, or builds on another file.
    """
    given = _parsed(data, file)
    if given.extend.default or given.extend.path or given.extend.url:
        raise BadInput.at(
            Place(file, field="extend"),
            "the rules build on others that are not in this file",
            "give the file with all rules",
        )
    everywhere = [given.allowlist] if given.allowlist else []
    everywhere += given.allowlists
    patterns, left_out, problems = list[Pattern](), list[tuple[str, str]](), list[Problem]()
    for rule in given.rules:
        if reason := _unusable(rule, given.extend.disabled):
            left_out.append((rule.id, reason))
            continue
        own = [each for each in everywhere if not each.rules or rule.id in each.rules]
        try:
            patterns.append(_pattern(rule, own))
        except (re.error, ValueError) as error:
            problems.append(
                Problem(Place(file, field=f"rules.{rule.id}"), f"no expression that is understood: {error}", "")
            )
    if problems:
        raise BadInput(problems)
    return Loaded(Patterns(tuple(sorted(patterns, key=lambda pattern: pattern.id))), tuple(left_out))


def _parsed(data: bytes, file: str) -> _File:
    try:
        return _File.model_validate(tomllib.loads(data.decode("utf-8-sig")))
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))
        place = Place(file, int(where[1]), int(where[2])) if where else Place(file)
        raise BadInput.at(place, f"this is no TOML: {_WHERE.sub('', str(error)).strip()}", "correct it") from None
    except UnicodeDecodeError as error:
        raise BadInput.at(
            Place(file), f"this is no UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8"
        ) from None
    except ValidationError as error:
        raise BadInput(
            {
                Problem(
                    Place(file, field=".".join(map(str, one["loc"]))), one["msg"].replace("Input should", "must"), ""
                )
                for one in error.errors(include_url=False)
            }
        ) from None


def _unusable(rule: _Rule, disabled: Iterable[str]) -> str:
    """Why a rule has no meaning for text; empty if it has one."""
    if rule.id in disabled:
        return "it is disabled in the file"
    if not rule.regex:
        return "it has no expression, only a path"
    if rule.path:
        return "it is for files of certain paths"
    return "it needs other rules near it" if rule.required else ""


def _pattern(rule: _Rule, everywhere: Iterable[_Allowlist]) -> Pattern:
    expression = translated(rule.regex)
    compiled = re.compile(expression.encode())
    if rule.group > compiled.groups:
        raise ValueError(f"secretGroup {rule.group}, and the expression has {compiled.groups}")
    anchors.derived(expression, False)
    generic = rule.id.startswith("generic")
    own = [*([rule.allowlist] if rule.allowlist else []), *rule.allowlists, *everywhere]
    allow = [allowance for each in own for allowance in _allowance(each)]
    if generic:  # as gitleaks does: a generic secret without a digit is none
        allow.append(Allowance(expressions=(r"\A[^0-9]*\Z",)))
    return Pattern(
        id=rule.id,
        title=rule.description or rule.id,
        kind="secret",
        expression=expression,
        validator="none",
        precedence="generic" if generic else "specific",
        roles=("system", "user", "assistant", "tool", "retrieved"),
        confidence=CONFIDENCE_GENERIC if generic else CONFIDENCE,
        severe_in=(),
        mask=f"secret, rule {rule.id}".replace("{", "(").replace("}", ")"),
        tags=("owasp.llm.LLM02",),
        group=rule.group or (FIRST_GROUP if compiled.groups else 0),
        keywords=tuple(word.lower() for word in rule.keywords),
        entropy=math.nextafter(rule.entropy, 9.0) if rule.entropy else 0.0,
        allow=tuple(allow),
        again=False,
    )


def _allowance(given: _Allowlist) -> Iterator[Allowance]:
    every = given.condition in ("AND", "and", "&&")
    if every and (given.paths or given.commits):
        return  # no text has a path
    if given.stopwords or given.regexes:
        expressions = tuple(translated(expression) for expression in given.regexes)
        for expression in expressions:
            re.compile(expression.encode())
        yield Allowance(given.stopwords, expressions, _TARGETS[given.target], every)
