"""Is the policy complete, current and staffed? Each gap with what it leaves unanswered and what to do.

A gap is no mistake: the workspace works with it. Mistakes are found when its files are read (`adapters.workspace`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from tocsin.govern.inventory import system_gaps
from tocsin.govern.words import Gap, Weight
from tocsin.model.finding import Category
from tocsin.model.policy import ACTIVITIES, Activity, Policy, Responsibility, Role, Severity, Workspace

REVIEW_SOON = timedelta(days=60)
"""How early a review is announced: a board that meets every other month can still decide in time."""
REVIEW_CYCLE_MAX = timedelta(days=366)
"""The longest a policy may stand without review: law and models change faster than that."""
_ORDER: dict[Weight, int] = {"high": 0, "medium": 1, "low": 2}


def gaps(
    workspace: Workspace,
    today: date,
    adopted: Mapping[str, str] | None = None,
    playbook_roles: Mapping[str, Collection[str]] | None = None,
) -> tuple[Gap, ...]:
    """Every gap of policy and inventory on that day, the heaviest first.

    `adopted` is what the ledger knows: version of the policy -> digest of the text with which it was first adopted.
    `playbook_roles` is what playbooks ask for: name -> the roles to which they give steps.
    """
    policy = workspace.policy
    found = [gap for rule in _RULES for gap in rule(policy, today)]
    found += _version(policy, adopted or {})
    found += _playbook_roles(policy, playbook_roles or {})
    found += system_gaps(workspace)
    return tuple(sorted(found, key=lambda gap: (_ORDER[gap.weight], gap.file, gap.field, gap.id)))


def _approval(policy: Policy, today: date) -> Iterator[Gap]:
    answers = ("ISO/IEC 42001 5.2", "NIST AI RMF GOVERN 2.3")
    if not policy.approved_by or not policy.approved_on:
        yield Gap(
            "approval.missing",
            "high",
            f"version {policy.version} is not approved",
            "have the management body approve it, then fill in `approved_by` and `approved_on`",
            answers,
            field="approved_by" if not policy.approved_by else "approved_on",
        )
    elif policy.approved_on > today:
        what = f"version {policy.version} is approved from {policy.approved_on} on, which lies ahead"
        yield Gap("approval.ahead", "medium", what, "correct the date, or wait", answers, field="approved_on")


def _review(policy: Policy, today: date) -> Iterator[Gap]:
    answers = ("ISO/IEC 42001 9.3", "NIST AI RMF GOVERN 1.5")
    if policy.review_by is None:
        remedy = "set `review_by`, at most a year after the approval"
        yield Gap("review.missing", "high", "nobody has said when it is reviewed", remedy, answers, field="review_by")
        return
    remedy = "review it, record the new approval and set the next date"
    if policy.review_by < today:
        what = f"the review was due on {policy.review_by}, {(today - policy.review_by).days} days ago"
        yield Gap("review.overdue", "high", what, remedy, answers, field="review_by")
    elif policy.review_by <= today + REVIEW_SOON:
        what = f"the review is due on {policy.review_by}, in {(policy.review_by - today).days} days"
        yield Gap("review.soon", "low", what, remedy, answers, field="review_by")
    if policy.approved_on and policy.review_by > policy.approved_on + REVIEW_CYCLE_MAX:
        what = f"approved on {policy.approved_on}, reviewed only by {policy.review_by}"
        yield Gap("review.rare", "medium", what, "review it at least once a year", answers, field="review_by")


def _version(policy: Policy, adopted: Mapping[str, str]) -> Iterator[Gap]:
    if adopted.get(policy.version, policy.digest) != policy.digest:
        what = f"version {policy.version} was adopted before with another text: whoever approved it approved that text"
        answers = ("ISO/IEC 42001 7.5", "NIST AI RMF GOVERN 1.5")
        yield Gap("version.reused", "medium", what, "raise `version`, and have it approved", answers, field="version")


def _placeholders(policy: Policy, today: date) -> Iterator[Gap]:  # noqa: ARG001 - all rules are alike
    """Words of the empty template that nobody has replaced yet."""
    texts = {"organization": policy.organization, "approved_by": policy.approved_by}
    texts |= {f"people.{index}.name": person.name for index, person in enumerate(policy.people)}
    for field, text in texts.items():
        if text.startswith("YOUR ") or text == "THE BOARD":
            what, remedy = f"it still says {text!r}", "fill it in"
            yield Gap("policy.placeholder", "high", what, remedy, ("ISO/IEC 42001 5.2",), field=field)


_ROLES = ("ISO/IEC 42001 5.3", "NIST AI RMF GOVERN 2.1")


def _staffing(policy: Policy, today: date) -> Iterator[Gap]:  # noqa: ARG001 - all rules are alike
    for index, role in enumerate(policy.roles):
        field = f"roles.{index}"
        if not role.people:
            acts = {"responsible", "accountable"} & set(role.duties.values())
            what = f"nobody fills the role {role.title!r}"
            yield Gap(
                "role.unfilled", "high" if acts else "medium", what, "name people", _ROLES, field=f"{field}.people"
            )
        if not role.duties:
            what = f"the role {role.title!r} has no duty in any activity"
            yield Gap("role.idle", "low", what, "give it a RACI letter, or remove it", _ROLES, field=f"{field}.duties")


def _raci(policy: Policy, today: date) -> Iterator[Gap]:  # noqa: ARG001
    for activity in ACTIVITIES:
        accountable = _with(policy, activity, "accountable")
        if len(accountable) != 1:
            who = ", ".join(role.title for role in accountable) or "nobody"
            remedy = "make exactly one role accountable"
            yield Gap("raci.accountable", "high", f"{activity}: {who} is accountable", remedy, _ROLES, field="roles")
        if not _with(policy, activity, "responsible"):
            weight: Weight = "low" if accountable else "high"
            what = f"{activity}: no role is responsible" + (
                ", the accountable one does it alone" if accountable else ""
            )
            yield Gap("raci.responsible", weight, what, "make a role responsible", _ROLES, field="roles")


def _reachable(policy: Policy, today: date) -> Iterator[Gap]:  # noqa: ARG001
    """Whether somebody who answers incidents can be called, and somebody else when that person is away."""
    answering = [role for letter in _ACT for role in _with(policy, "respond", letter)]
    people = {person for role in answering for person in role.people}
    answers = ("ISO/IEC 42001 5.3", "NIST AI RMF MANAGE 4.1")
    if len(people) == 1:
        what = "one person alone answers incidents; nobody stands in"
        yield Gap(
            "respond.alone", "medium", what, "name a second person in a role that responds", answers, field="roles"
        )
    for index, person in enumerate(policy.people):
        if person.id in people and not (person.phone or person.email):
            what, remedy = f"{person.name} answers incidents but cannot be reached", "add a phone number"
            yield Gap("respond.unreachable", "high", what, remedy, answers, field=f"people.{index}.phone")
        elif person.id in people and not person.phone:
            what, remedy = f"{person.name} answers incidents but has no phone number", "add one for the night"
            yield Gap("respond.no_phone", "low", what, remedy, answers, field=f"people.{index}.phone")


_ACT: tuple[Literal["responsible", "accountable"], ...] = ("responsible", "accountable")


def _severity(policy: Policy, today: date) -> Iterator[Gap]:  # noqa: ARG001
    answers = ("ISO/IEC 42001 8.1", "NIST AI RMF MANAGE 1.3")
    for index, rule in enumerate(policy.severity[:-1]):
        if not rule.when:
            what = f"the rows after row {index + 1} of the severity matrix are never reached: it always holds"
            yield Gap("severity.unreachable", "medium", what, "move it to the end", answers, field=f"severity.{index}")
    given = {rule.severity for rule in policy.severity}
    for severity in Severity:
        if severity not in policy.targets:
            what = f"{severity} has no response times"
            yield Gap("severity.no_targets", "high", what, "add them", answers, field=f"targets.{severity}")
        if severity not in given:
            what = f"no row of the severity matrix gives {severity}"
            yield Gap(
                "severity.unused", "low", what, "add a row, or see that it is meant so", answers, field="severity"
            )
    yield from _targets(policy)


def _targets(policy: Policy) -> Iterator[Gap]:
    """Response times that are longer for the graver severity."""
    ranked = [severity for severity in Severity if severity in policy.targets]
    for graver, lesser in pairwise(ranked):
        for name in ("acknowledge", "contain", "update_every"):
            long, short = getattr(policy.targets[graver], name), getattr(policy.targets[lesser], name)
            if long > short:
                what = f"{graver} leaves more time to {name.replace('_', ' ')} than {lesser}"
                answers = ("ISO/IEC 42001 8.1", "NIST AI RMF MANAGE 1.3")
                yield Gap("severity.inverted", "medium", what, "swap them", answers, field=f"targets.{graver}.{name}")


def _playbooks(policy: Policy, today: date) -> Iterator[Gap]:  # noqa: ARG001
    for category in Category:
        if category not in policy.playbooks:
            what = f"{category} has no playbook"
            answers = ("ISO/IEC 42001 10.2", "NIST AI RMF MANAGE 2.3")
            yield Gap("playbook.missing", "high", what, "name one", answers, field=f"playbooks.{category}")


def _playbook_roles(policy: Policy, asked: Mapping[str, Collection[str]]) -> Iterator[Gap]:
    """Roles to which the chosen playbooks give steps and which the policy does not have."""
    known, chosen = {role.id for role in policy.roles}, set(policy.playbooks.values())
    for role in sorted({role for name in chosen for role in asked.get(name, ())} - known):
        names = ", ".join(sorted(name for name in chosen if role in asked.get(name, ())))
        what = f"playbooks give steps to the role {role!r}, which the policy does not have ({names})"
        answers = ("ISO/IEC 42001 5.3", "NIST AI RMF MANAGE 2.3")
        yield Gap("playbook.role", "medium", what, f"add a role with the id {role}", answers, field="roles")


def _with(policy: Policy, activity: Activity, letter: Responsibility) -> list[Role]:
    return [role for role in policy.roles if role.duties.get(activity) == letter]


_RULES: tuple[Callable[[Policy, date], Iterator[Gap]], ...] = (
    _placeholders,
    _approval,
    _review,
    _staffing,
    _raci,
    _reachable,
    _severity,
    _playbooks,
)
