"""Each gap of a policy: found when it is there, not found when it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.core.govern.workspaces import POLICY, TODAY, found, ids, workspace
from tocsin.govern.readiness import REVIEW_SOON, gaps
from tocsin.model.finding import Category
from tocsin.model.policy import ACTIVITIES, Person, ResponseTargets, Role, Severity, SeverityRule

MANAGER, TEAM = POLICY.roles


def test_a_complete_policy_has_no_gap() -> None:
    assert found() == []


@pytest.mark.parametrize(
    "missing", [{"approved_by": ""}, {"approved_on": None}, {"approved_by": "", "approved_on": None}]
)
def test_a_version_that_nobody_approved(missing: dict[str, object]) -> None:
    (gap,) = found(**missing)
    assert (gap.id, gap.weight) == ("approval.missing", "high")
    assert gap.what == "version 1.0 is not approved"
    assert gap.field in missing


def test_an_approval_that_lies_ahead() -> None:
    assert ids(approved_on=TODAY + timedelta(days=1)) == ["approval.ahead"]
    assert ids(approved_on=TODAY) == []


def test_a_text_that_changed_under_its_version() -> None:
    (gap,) = gaps(workspace(), TODAY, {"1.0": "e" * 64})
    assert (gap.id, gap.weight, gap.field) == ("version.reused", "medium", "version")
    assert gaps(workspace(), TODAY, {"1.0": POLICY.digest, "0.9": "e" * 64}) == ()


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (-1, ["review.overdue"]),
        (0, ["review.soon"]),
        (REVIEW_SOON.days, ["review.soon"]),
        (REVIEW_SOON.days + 1, []),
    ],
)
def test_a_review_is_announced_and_then_overdue(days: int, expected: list[str]) -> None:
    assert ids(review_by=TODAY + timedelta(days=days)) == expected


def test_an_overdue_review_says_since_when() -> None:
    (gap,) = found(review_by=date(2026, 11, 1))
    assert gap.what == "the review was due on 2026-11-01, 23 days ago"


def test_a_policy_without_review_date() -> None:
    assert ids(review_by=None) == ["review.missing"]


def test_a_review_must_come_within_a_year() -> None:
    assert ids(approved_on=date(2026, 9, 1), review_by=date(2027, 9, 2)) == []
    assert ids(approved_on=date(2026, 9, 1), review_by=date(2027, 9, 3)) == ["review.rare"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"organization": "YOUR ORGANIZATION"}, "organization"),
        ({"approved_by": "THE BOARD"}, "approved_by"),
        ({"people": (Person("ada", "YOUR NAME", phone="1"), POLICY.people[1])}, "people.0.name"),
    ],
)
def test_words_of_the_empty_template(change: dict[str, object], field: str) -> None:
    (gap,) = found(**change)
    assert (gap.id, gap.field, gap.weight) == ("policy.placeholder", field, "high")


def test_a_role_that_nobody_fills_weighs_more_when_it_acts() -> None:
    (gap,) = found(roles=(MANAGER, replace(TEAM, people=())))
    assert (gap.id, gap.weight, gap.field) == ("role.unfilled", "high", "roles.1.people")
    idle = Role("press", "Press", (), {"report": "informed"})
    (gap,) = found(roles=(MANAGER, TEAM, idle))
    assert (gap.id, gap.weight, gap.field) == ("role.unfilled", "medium", "roles.2.people")


def test_a_role_without_any_duty() -> None:
    assert ids(roles=(MANAGER, TEAM, Role("press", "Press", ("ada",), {}))) == ["role.idle"]


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_an_activity_without_accountable(activity: str) -> None:
    duties = {name: letter for name, letter in MANAGER.duties.items() if name != activity}
    team = replace(TEAM, people=("ada", "ben"))
    (gap,) = found(roles=(replace(MANAGER, duties=duties), team))
    assert (gap.id, gap.weight) == ("raci.accountable", "high")
    assert gap.what == f"{activity}: nobody is accountable"


def test_an_activity_with_two_accountable() -> None:
    second = replace(TEAM, duties={**TEAM.duties, "report": "accountable"})
    told = found(roles=(MANAGER, second))
    assert [gap.id for gap in told] == ["raci.accountable", "raci.responsible"]
    assert told[0].what == "report: Manager, Team is accountable"


def test_an_activity_without_responsible_is_light_while_somebody_is_accountable() -> None:
    duties = {name: letter for name, letter in TEAM.duties.items() if name != "review"}
    (gap,) = found(roles=(MANAGER, replace(TEAM, duties=duties)))
    assert (gap.id, gap.weight) == ("raci.responsible", "low")


def test_an_activity_that_nobody_answers_for() -> None:
    def without(role: Role) -> Role:
        return replace(role, duties={name: letter for name, letter in role.duties.items() if name != "detect"})

    told = found(roles=(without(MANAGER), without(TEAM)))
    assert [(gap.id, gap.weight) for gap in told] == [("raci.accountable", "high"), ("raci.responsible", "high")]


def test_one_person_alone_answers_incidents() -> None:
    alone = (replace(MANAGER, people=("ada",)), replace(TEAM, people=("ada",)))
    assert ids(roles=alone) == ["respond.alone"]


def test_somebody_who_answers_incidents_must_be_reachable() -> None:
    ada, ben = POLICY.people
    (gap,) = found(people=(replace(ada, phone="", email=""), ben))
    assert (gap.id, gap.weight, gap.field) == ("respond.unreachable", "high", "people.0.phone")
    (gap,) = found(people=(ada, replace(ben, phone="")))
    assert (gap.id, gap.weight, gap.field) == ("respond.no_phone", "low", "people.1.phone")


def test_somebody_who_does_not_answer_incidents_needs_no_phone() -> None:
    assert ids(people=(*POLICY.people, Person("eve", "Eve"))) == []


def test_a_severity_without_response_times() -> None:
    targets = {severity: target for severity, target in POLICY.targets.items() if severity is not Severity.SEV2}
    (gap,) = found(targets=targets)
    assert (gap.id, gap.field) == ("severity.no_targets", "targets.sev2")


def test_a_graver_severity_with_more_time() -> None:
    slow = ResponseTargets(timedelta(hours=3), timedelta(days=1), timedelta(hours=2))
    (gap,) = found(targets={**POLICY.targets, Severity.SEV1: slow})
    assert (gap.id, gap.field) == ("severity.inverted", "targets.sev1.acknowledge")
    assert gap.what == "sev1 leaves more time to acknowledge than sev2"


def test_rows_of_the_matrix_behind_one_that_always_holds() -> None:
    rows = (POLICY.severity[0], SeverityRule(Severity.SEV2, {}, "all"), *POLICY.severity[2:])
    (gap,) = found(severity=rows)
    assert (gap.id, gap.field) == ("severity.unreachable", "severity.1")


def test_a_severity_that_no_row_gives() -> None:
    rows = (POLICY.severity[0], POLICY.severity[1], POLICY.severity[3])
    (gap,) = found(severity=rows)
    assert (gap.id, gap.weight, gap.what) == ("severity.unused", "low", "no row of the severity matrix gives sev3")


@pytest.mark.parametrize("category", list(Category))
def test_a_category_without_playbook(category: Category) -> None:
    playbooks = {one: name for one, name in POLICY.playbooks.items() if one is not category}
    (gap,) = found(playbooks=playbooks)
    assert (gap.id, gap.weight, gap.field) == ("playbook.missing", "high", f"playbooks.{category}")


def test_a_playbook_that_gives_steps_to_a_role_that_is_not_there() -> None:
    asked = {"bias": {"manager", "lawyer"}, "misuse": {"lawyer"}, "unchosen": {"nobody"}}
    (gap,) = gaps(workspace(), TODAY, None, asked)
    assert (gap.id, gap.weight) == ("playbook.role", "medium")
    assert gap.what == "playbooks give steps to the role 'lawyer', which the policy does not have (bias, misuse)"
    assert gaps(workspace(), TODAY, None, {"bias": {"manager", "team"}}) == ()


def test_the_heaviest_gap_comes_first() -> None:
    weights = [gap.weight for gap in found(approved_by="", review_by=TODAY + timedelta(days=5), roles=(MANAGER,))]
    assert weights == sorted(weights, key=["high", "medium", "low"].index)
    assert set(weights) == {"high", "low"}


def test_every_gap_has_a_remedy_and_names_the_clauses_that_stay_unanswered() -> None:
    broken = found(
        approved_by="",
        review_by=None,
        roles=(replace(MANAGER, people=()),),
        severity=(SeverityRule(Severity.SEV4, {}, "all"),),
        targets={},
        playbooks={},
        organization="YOUR ORGANIZATION",
    )
    assert len({gap.id for gap in broken}) >= 8
    for gap in broken:
        assert gap.remedy
        assert gap.answers
        assert all(answer.startswith(("ISO/IEC 42001 ", "NIST AI RMF ", "EU AI Act Art. ")) for answer in gap.answers)


def test_the_same_policy_has_the_same_gaps_on_the_same_day() -> None:
    assert found(approved_by="", roles=(MANAGER,)) == found(approved_by="", roles=(MANAGER,))
