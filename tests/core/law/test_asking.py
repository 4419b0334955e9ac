"""Which question comes first, and which is not asked at all."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from tests.core.law.made import CITED, NOW, both, case, library, regime, stage, yes
from tocsin.law.asking import KINDS, questions
from tocsin.law.conditions import Any, Compare, Condition, decisive, judge
from tocsin.law.regime import FactKind, Library, Place, Regime
from tocsin.model.law import Case, Fact, Truth

MEANINGS = {"bank": "a bank", "clinic": "a clinic", "school": "a school"}


def asked(of: Case, *regimes: Regime) -> list[str]:
    return [question.fact for question in questions(of, with_kinds(*regimes))]


def with_kinds(*regimes: Regime) -> Library:
    made = library(*regimes)
    kinds = FactKind(KINDS, "set", "Which?", "Look.", tuple(MEANINGS), meanings=MEANINGS)
    sizes = {"size": FactKind("size", "set", "Which?", "Look.", ("a", "b", "c"))}
    return replace(made, facts={**made.facts, KINDS: kinds, **sizes})


def kind(name: str) -> Condition:
    return Compare(KINDS, "contains", name)


class TestOrder:
    def test_what_decides_most_comes_first(self) -> None:
        both_ = [regime("a", applies=both(yes("x"), yes("y"))), regime("b", applies=both(yes("y"), yes("z")))]
        assert asked(case(), *both_) == ["y", "x", "z"]

    def test_of_equals_the_one_with_the_earliest_instant(self) -> None:
        from tests.core.law.made import dated

        slow, fast = (
            regime("a", stage("n", dated(72)), applies=yes("a")),
            regime("b", stage("n", dated(4)), applies=yes("b")),
        )
        assert asked(case(), slow, fast) == ["b", "a"]

    def test_places_and_kinds_come_first_however_little_they_decide(self) -> None:
        many = [regime(f"r{n}", applies=yes("harm")) for n in range(5)]
        bank = regime("bank", applies=both(kind("bank"), yes("harm")))
        assert asked(case(), *many, bank) == [KINDS, "harm"]
        elsewhere = replace(bank, jurisdiction="YY")
        made = with_kinds(*many, elsewhere)
        vague = replace(case(), countries=())
        assert [q.fact for q in questions(vague, made)] == ["countries"]


class TestSilence:
    def test_what_hangs_on_the_kind_of_organization_waits_for_it(self) -> None:
        bank = regime(applies=both(kind("bank"), yes("harm")))
        assert asked(case(), bank) == [KINDS]
        assert asked(case(**{KINDS: ["bank"]}), bank) == ["harm"]
        assert asked(case(**{KINDS: ["clinic"]}), bank) == []
        assert asked(case(**{KINDS: []}), bank) == []

    def test_only_kinds_that_make_a_difference_are_offered_with_their_meaning(self) -> None:
        made = with_kinds(regime("a", applies=kind("bank")), regime("b", applies=kind("school")))
        (question,) = questions(case(), made)
        assert question.choices == ("bank", "school")
        assert question.meanings == {"bank": "a bank", "school": "a school"}
        assert question.decides == ("a.notify", "b.notify")

    def test_what_decides_nothing_alone_is_not_asked_while_something_else_does(self) -> None:
        """Whether it was x or y matters only if there was harm; and harm alone may end it."""
        act = regime(applies=both(yes("harm"), Any((yes("x"), yes("y")))))
        assert asked(case(), act) == ["harm"]
        assert asked(case(harm=True), act) == ["x", "y"]
        assert asked(case(harm=True, x=False), act) == ["y"]

    def test_where_only_several_answers_together_decide_they_are_asked(self) -> None:
        act = regime(applies=both(Any((yes("a"), yes("b"))), Any((yes("c"), yes("d")))))
        assert asked(case(), act) == ["a", "b", "c", "d"]
        assert all(not question.decides for question in questions(case(), with_kinds(act)))

    def test_law_of_places_that_are_not_touched_is_not_asked_about(self) -> None:
        made = with_kinds(regime("a", applies=yes("a")), regime("b", applies=yes("b"), jurisdiction="YY"))
        made = replace(made, places={**made.places, "YY": Place("YY", "UTC", made.places["DE"].calendar, {})})
        assert [question.fact for question in questions(case(), made)] == ["a"]
        assert [question.fact for question in questions(case(countries=("YY",)), made)] == ["b"]


class TestCounts:
    @pytest.mark.parametrize(
        ("answer", "truth"), [(["a"], Truth.NO), (["a", "b"], Truth.YES), (["a", "b", "c"], Truth.YES)]
    )
    def test_a_question_about_how_many_is_decided_by_a_list(self, answer: list[str], truth: Truth) -> None:
        act = regime(applies=Compare("size", "at_least", 2))
        (question,) = questions(case(), with_kinds(act))
        assert (question.fact, question.decides) == ("size", ("x.act.notify",))
        facts = {"size": Fact("size", answer, "s", "a", NOW)}
        assert judge(act.applies, facts).truth is truth


class TestDecisive:
    def test_it_is_the_innermost_part_that_decided(self) -> None:
        facts = case(a=True, b=False).facts
        assert decisive(judge(both(yes("a"), both(yes("b"), yes("c"))), facts)).text.startswith("b: no")

    def test_of_what_is_open_it_is_the_first_open_part(self) -> None:
        assert decisive(judge(both(yes("a"), yes("b")), case(a=True).facts)).text == "b: not known yet"


def test_the_order_of_regimes_changes_no_word_of_a_question() -> None:
    """Each regime has sources of its own; a date that several wait for cites the first of them by id."""
    acts = [
        replace(
            regime(name, stage("n", anchors=("determined",))), citations={"s1": replace(CITED, pinpoint=f"s. {name}")}
        )
        for name in ("b", "a", "c")
    ]
    told = [questions(case(harm=True), library(*order)) for order in permutations(acts)]
    assert told.count(told[0]) == 6
    assert told[0][0].fact == "date.determined"
    assert told[0][0].citation is not None
    assert told[0][0].citation.pinpoint == "s. a"
    places = [questions(case(countries=()), library(*order)) for order in permutations(acts)]
    assert places.count(places[0]) == 6
    assert places[0][0].decides == ("a.n", "b.n", "c.n")
