"""Where a response stands: what can be done now, what was passed over, what is asked and what closing still lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.respond.made import END, action, condition, file, line, name, playbook
from tocsin.model.incident import StepDone
from tocsin.respond.cacao import Playbook
from tocsin.respond.walking import Progress, found, progress

A1, A2, A3, A4 = (name("action", number) for number in (1, 2, 3, 4))
IF, BOTH = name("if-condition", 1), name("parallel", 1)
AT = datetime(2026, 11, 2, 8, tzinfo=UTC)


def _after(made: Playbook, *done: str, **facts: Any) -> Progress:
    return progress(made, [StepDone(step, AT, "okafor", "done") for step in done], facts)


def _next(state: Progress) -> list[str]:
    return [due.slug for due in state.next]


class TestInOrder:
    def test_a_mandatory_step_holds_up_what_follows(self) -> None:
        made = playbook(line(True, True, True))
        assert _next(_after(made)) == ["s1"]
        assert _next(_after(made, A1)) == ["s2"]
        assert _next(_after(made, A1, A2)) == ["s3"]
        assert _next(_after(made, A1, A2, A3)) == []

    def test_an_optional_step_is_offered_after_the_mandatory_one_and_holds_nobody_up(self) -> None:
        made = playbook(line(False, True))
        assert _next(_after(made)) == ["s2", "s1"]
        assert _next(_after(made, A2)) == ["s1"]

    def test_an_optional_step_behind_a_mandatory_one_waits(self) -> None:
        assert _next(_after(playbook(line(True, False)))) == ["s1"]

    def test_what_is_mandatory_and_not_done_is_missing_by_name(self) -> None:
        made = playbook(line(True, False, True))
        assert _after(made).mandatory_missing == ("Step 1", "Step 3")
        assert _after(made, A1).mandatory_missing == ("Step 3",)
        assert _after(made, A1, A3).mandatory_missing == ()

    def test_a_step_that_is_due_says_who_why_and_what_to_record(self) -> None:
        (due,) = _after(playbook(line(True))).next
        assert (due.step, due.name, due.role, due.why) == (A1, "Step 1", "legal", "why 1")
        assert (due.evidence, due.mandatory, due.run) == ("proof 1", True, "")

    def test_the_state_names_its_playbook_and_what_was_done(self) -> None:
        state = _after(playbook(line(True)), A1)
        assert state.playbook == "A playbook"
        assert [(done.step, done.by) for done in state.done] == [(A1, "okafor")]


def _branching(**ways: str) -> Playbook:
    """Step 1, then a question: on yes step 2, else what `ways` say; then step 3 for all."""
    steps = {
        A1: action(1, IF),
        IF: condition("death = true", A3, on_true=A2, **ways),
        A2: action(2, A3),
        A3: action(3),
    }
    return playbook(file(steps, A1))


class TestConditions:
    def test_an_open_fact_is_asked_and_holds_nobody_up(self) -> None:
        state = _after(_branching(), A1)
        assert (_next(state), state.questions, state.skipped) == (["s3"], ("death",), ())

    def test_a_condition_that_holds_adds_its_steps(self) -> None:
        state = _after(_branching(), A1, death=True)
        assert (_next(state), state.questions) == (["s2", "s3"], ())
        assert state.mandatory_missing == ("Step 2", "Step 3")

    def test_a_condition_that_does_not_hold_is_passed_over_and_told(self) -> None:
        made = _branching()
        state = _after(made, A1, death=False)
        assert _next(state) == ["s3"]
        assert state.skipped == (made.steps[IF].name,)
        assert state.mandatory_missing == ("Step 3",)

    def test_an_answer_that_comes_late_reopens_the_way(self) -> None:
        assert _next(_after(_branching(), A1, A3)) == []
        state = _after(_branching(), A1, A3, death=True)
        assert (_next(state), state.mandatory_missing) == (["s2"], ("Step 2",))

    def test_the_other_way_is_taken_when_it_does_not_hold(self) -> None:
        steps = {
            IF: condition("death = true", END, on_true=A1, on_false=A2),
            A1: action(1),
            A2: action(2),
        }
        made = playbook(file(steps, IF))
        assert _next(_after(made, death=True)) == ["s1"]
        assert _next(_after(made, death=False)) == ["s2"]

    def test_steps_behind_an_open_mandatory_one_are_not_offered_by_a_condition(self) -> None:
        assert _next(_after(_branching(), death=True)) == ["s1"]


class TestParallel:
    def _made(self) -> Playbook:
        steps = {
            BOTH: {"type": "parallel", "next_steps": [A1, A2], "on_completion": A4},
            A1: action(1, A3),
            A3: action(3, A4),
            A2: action(2, A4),
            A4: action(4),
        }
        return playbook(file(steps, BOTH))

    def test_branches_are_open_at_the_same_time(self) -> None:
        assert _next(_after(self._made())) == ["s1", "s2"]
        assert _next(_after(self._made(), A1)) == ["s3", "s2"]

    def test_the_way_goes_on_when_every_branch_is_done(self) -> None:
        assert _next(_after(self._made(), A1, A3)) == ["s2"]
        assert _next(_after(self._made(), A2)) == ["s1"]
        assert _next(_after(self._made(), A1, A2, A3)) == ["s4"]

    def test_every_step_counts_once(self) -> None:
        assert _after(self._made()).mandatory_missing == ("Step 1", "Step 3", "Step 2", "Step 4")


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_whoever_always_does_what_is_next_comes_to_the_end(mandatory: list[bool], chance: Any) -> None:
    made, done = playbook(line(*mandatory)), []
    while due := _after(made, *done).next:
        done.append(chance.choice(due).step)
    assert sorted(done) == sorted(step.id for step in made.actions())
    assert _after(made, *done).mandatory_missing == ()


class TestFinding:
    @pytest.mark.parametrize("given_", ["s2", A2, "step 2", "Step 2", " s2 "])
    def test_a_step_is_found_by_short_name_id_or_name(self, given_: str) -> None:
        step = found(playbook(line(True, True)), given_)
        assert step is not None
        assert step.id == A2

    @pytest.mark.parametrize("given_", ["", "  ", "Step", "s9", END])
    def test_nothing_is_found_for_nothing_for_two_and_for_what_is_no_action(self, given_: str) -> None:
        assert found(playbook(line(True, True)), given_) is None

    def test_a_short_name_wins_over_the_beginning_of_a_name(self) -> None:
        steps = {A1: action(1, A2, slug="step 2"), A2: action(2)}
        step = found(playbook(file(steps, A1)), "step 2")
        assert step is not None
        assert step.id == A1
