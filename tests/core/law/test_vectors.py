"""A case that was counted by hand tells where a regime says something else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.law.made import NOW, case, library, regime
from tocsin.law.vectors import Expected, Vector, differences, owed
from tocsin.model.law import Status, Truth

DUE = NOW + timedelta(hours=71)
BOTH = frozenset({"due", "latest"})
RIGHT = Expected(due=DUE, latest=DUE, to="the authority", given=BOTH)
ACT = regime()
LIBRARY = library(ACT)


def vector(expected: Expected = RIGHT, *not_owed: str, **facts: bool) -> Vector:
    return Vector(
        "a case",
        case(**(facts or {"harm": True})),
        {"notify": expected} if facts != {"harm": False} else {},
        not_owed,
        "",
    )


def test_what_agrees_has_no_differences() -> None:
    assert differences(vector(), ACT, LIBRARY) == []
    assert differences(vector(RIGHT, "notify", harm=False), ACT, LIBRARY) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"truth": Truth.UNKNOWN}, "notify: truth is yes, should be unknown"),
        ({"status": Status.DORMANT}, "notify: status is binding, should be dormant"),
        ({"due": NOW}, f"notify: due is {DUE}, should be {NOW}"),
        ({"latest": None}, f"notify: latest is {DUE}, should be None"),
        ({"to": "somebody else"}, "notify: does not go to somebody else"),
    ],
)
def test_each_difference_in_words(change: dict[str, object], says: str) -> None:
    assert differences(vector(replace(RIGHT, **change)), ACT, LIBRARY) == [says]  # type: ignore[arg-type]


def test_what_is_not_said_is_not_compared() -> None:
    assert differences(vector(Expected(due=NOW, latest=None)), ACT, LIBRARY) == []


def test_stages_that_are_not_there_and_duties_that_should_not_be() -> None:
    missing = replace(vector(), expect={"explain": RIGHT})
    assert differences(missing, ACT, LIBRARY) == ["explain: there is no such duty"]
    assert differences(vector(RIGHT, "notify"), ACT, LIBRARY) == ["notify: yes, should not be owed"]


def test_only_the_regime_itself_is_asked() -> None:
    both = library(ACT, regime("y.act"))
    assert list(owed(vector(), ACT, both)) == ["notify"]
