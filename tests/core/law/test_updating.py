"""What changes for a case when packs change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.law.made import CITED, NOW, case, dated, library, no, regime, stage, yes
from tocsin.law.obligations import obligations
from tocsin.law.regime import Library, Period, Regime
from tocsin.law.updating import Change, changes, packs
from tocsin.model.law import Case, Confidence, Recipient, Status

HOUR = timedelta(hours=1)
HARM = case(harm=True)


def between(old: Regime | Sequence[Regime], new: Regime | Sequence[Regime], of: Case = HARM) -> tuple[Change, ...]:
    before, after = (library(*([one] if isinstance(one, Regime) else one)) for one in (old, new))
    return changes(obligations(of, before), obligations(of, after))


def parts(change: Change) -> dict[str, tuple[str, str]]:
    return {part.part: (part.before, part.after) for part in change.parts}


def test_the_same_packs_change_nothing() -> None:
    assert between(regime(), regime()) == ()


def test_a_shorter_period_is_told_with_by_how_much_it_is_earlier() -> None:
    (change,) = between(regime(), regime("x.act", stage("notify", dated(24))))
    assert (change.obligation, change.what, change.earlier) == ("x.act.notify", "changes", 48 * HOUR)
    assert change.due == NOW + 23 * HOUR
    assert parts(change)["due"] == ("2027-03-04T11:00:00+00:00", "2027-03-02T11:00:00+00:00")
    assert parts(change)["deadline"] == ("72 hours", "24 hours")


def test_a_longer_period_is_later() -> None:
    (change,) = between(regime(), regime("x.act", stage("notify", dated(96))))
    assert change.earlier == -24 * HOUR


def test_a_new_regime_appears_and_an_old_one_falls_away() -> None:
    (gone, come) = between(regime("a.act"), regime("b.act"))
    assert [(c.obligation, c.what) for c in (gone, come)] == [
        ("a.act.notify", "falls away"),
        ("b.act.notify", "appears"),
    ]
    assert parts(gone)["verdict"] == ("owed, binding", "")
    assert parts(come)["verdict"] == ("", "owed, binding")
    assert (gone.earlier, come.earlier) == (None, None)


def test_a_stage_that_is_added_appears_alone() -> None:
    (change,) = between(regime(), regime("x.act", stage(), stage("final", dated(30, "days"))))
    assert (change.obligation, change.what) == ("x.act.final", "appears")


def test_a_narrower_condition_makes_a_duty_fall_away_or_doubtful() -> None:
    narrower = replace(regime(), applies=yes("serious"))
    assert [c.what for c in between(regime(), narrower, case(harm=True, serious=False))] == ["falls away"]
    (change,) = between(regime(), narrower)
    assert parts(change) == {"verdict": ("owed, binding", "possible, binding")}


@pytest.mark.parametrize(
    ("changed", "part", "before", "after"),
    [
        ({"recipients": (Recipient("another", confidence=Confidence.P),)}, "to", "the authority", "another"),
        (
            {"periods": (Period(Status.DORMANT, NOW.date() - 400 * timedelta(days=1)),)},
            "verdict",
            "owed, binding",
            "owed, dormant",
        ),
        (
            {"citations": {"s1": replace(CITED, confidence=Confidence.UNCONFIRMED)}},
            "sources",
            "Act, s. 1 [P]",
            "Act, s. 1 [UNCONFIRMED]",
        ),
        ({"stages": (stage("notify", form="x.act/1"),)}, "form", "", "x.act/1"),
        ({"stages": (stage("notify", content=("what", "when")),)}, "content", "", "what; when"),
    ],
)
def test_each_part_that_somebody_acts_on_is_compared(
    changed: dict[str, object], part: str, before: str, after: str
) -> None:
    (change,) = between(regime(), replace(regime(), **changed))
    assert parts(change) == {part: (before, after)}


def test_what_nobody_acts_on_is_no_change() -> None:
    assert between(regime(), replace(regime(), notes=("a note",), penalties="a fine", digest="other")) == ()


def test_the_most_urgent_change_comes_first() -> None:
    old = [regime("a.act"), regime("b.act")]
    new = [regime("a.act", stage("notify", dated(48))), regime("b.act", stage("notify", dated(24)))]
    assert [change.obligation for change in between(old, new)] == ["b.act.notify", "a.act.notify"]


def test_a_case_that_is_not_touched_has_no_changes() -> None:
    assert between(regime(), regime("x.act", stage("notify", dated(24))), case(harm=False)) == ()
    new = replace(regime(), applies=no("harm"))
    assert [change.what for change in between(regime(), new)] == ["falls away"]


def test_packs_are_compared_by_their_digests() -> None:
    def made(**digests: str) -> Library:
        return library(*(replace(regime(name), digest=digest) for name, digest in digests.items()))

    told = packs(made(a="1", b="1", c="1"), made(b="1", c="2", d="1"))
    assert (told.added, told.removed, told.changed) == (("d",), ("a",), ("c",))
