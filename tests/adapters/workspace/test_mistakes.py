"""References to nothing and names that stand twice."""

from __future__ import annotations

from tocsin.adapters.workspace.mistakes import choices, twice, unknown
from tocsin.document.reading import read

DOCUMENT = read("people:\n  - id: ada\n  - id: ben\n  - id: ada\nowner: bne\n", "policy.yaml")


def names() -> list[tuple[tuple[str | int, ...], str]]:
    return [(("people", index, "id"), person["id"]) for index, person in enumerate(DOCUMENT.value["people"])]


def test_a_name_that_is_known_is_no_problem() -> None:
    assert list(unknown(DOCUMENT, ("owner",), "ada", {"ada", "ben"}, "person")) == []


def test_an_unknown_name_is_told_with_its_place_and_the_nearest() -> None:
    (problem,) = unknown(DOCUMENT, ("owner",), "bne", {"ada", "ben"}, "person")
    assert str(problem) == "policy.yaml:5:8 (owner): there is no person 'bne' — did you mean 'ben'?"


def test_a_name_like_no_other_lists_all_in_order() -> None:
    assert choices("zoe", ["ben", "ada"]) == "there are: ada, ben"
    assert choices("zoe", []) == "there is none yet"


def test_a_name_that_stands_twice_is_told_once_at_its_last_place() -> None:
    (problem,) = twice(DOCUMENT, names(), "person")
    assert str(problem) == "policy.yaml:4:9 (people.2.id): the person 'ada' stands here 2 times — rename or remove one"


def test_names_that_stand_once_are_no_problem() -> None:
    assert list(twice(DOCUMENT, names()[:2], "person")) == []
