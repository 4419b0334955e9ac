"""Who must be told what by when: a pure function of facts, dates and packs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.core.law.made import AUTHORITY, CITED, EVER, NOW, both, case, dated, library, no, regime, stage, yes
from tocsin.law.asking import questions
from tocsin.law.conditions import Compare
from tocsin.law.counting import Deadline
from tocsin.law.obligations import obligations
from tocsin.law.regime import FactKind, Guideline, Period, Regime, Rerouting, Switch
from tocsin.model.law import Case, Confidence, Obligation, Recipient, Status, Truth

HOUR = timedelta(hours=1)


def one(case_: Case, *regimes: Regime, **how: Any) -> Obligation:
    (found,) = obligations(case_, library(*regimes), **how)
    return found


class TestTruth:
    def test_what_is_owed_says_who_to_whom_by_when_and_why(self) -> None:
        owed = one(case(harm=True), regime())
        assert (owed.id, owed.truth, owed.status) == ("x.act.notify", Truth.YES, Status.BINDING)
        assert owed.recipients == (AUTHORITY,)
        assert owed.operational_due == owed.legal_latest == NOW + 71 * HOUR
        assert (owed.anchor, owed.anchor_at) == ("aware.provider", NOW - HOUR)
        assert owed.reason.because[0].text == "harm: yes (harm = yes, said by yilmaz)"
        assert owed.citations
        assert owed.pack_digest == "digest of x.act"

    def test_an_open_question_leaves_it_possible_with_the_earliest_instant(self) -> None:
        owed = one(case(), regime())
        assert (owed.truth, owed.operational_due) == (Truth.UNKNOWN, NOW + 71 * HOUR)

    def test_what_is_not_owed_is_shown_only_with_its_explanation(self) -> None:
        assert obligations(case(harm=False), library(regime())) == ()
        owed = one(case(harm=False), regime(), explain_no=True)
        assert owed.truth is Truth.NO
        assert owed.reason.because[0].truth is Truth.NO

    def test_without_an_anchor_the_clock_has_not_started(self) -> None:
        owed = one(case(None, harm=True), regime())
        assert (owed.operational_due, owed.legal_latest, owed.anchor_at) == (None, None, None)
        assert owed.anchor == "aware.provider"
        assert owed.label == "72 hours"

    def test_a_stage_has_its_own_condition(self) -> None:
        two = regime("x.act", stage("notify"), stage("explain", when=yes("public")))
        assert [o.stage for o in obligations(case(harm=True, public=False), library(two))] == ["notify"]
        assert [o.truth for o in obligations(case(harm=True), library(two))] == [Truth.UNKNOWN, Truth.YES]

    def test_the_most_urgent_comes_first_and_what_does_not_bind_last(self) -> None:
        slow = regime("a.slow", stage("s", dated(90)))
        fast = regime("b.fast", stage("s", dated(24)))
        shadow = regime("c.shadow", stage("s", dated(1)), periods=(Period(Status.DORMANT, EVER),))
        vague = regime("d.vague", stage("s", dated(0, "none")))
        for order in permutations((slow, fast, shadow, vague)):
            found = obligations(case(harm=True), library(*order))
            assert [o.regime for o in found] == ["b.fast", "a.slow", "d.vague", "c.shadow"]


class TestStatus:
    PERIODS = (
        Period(Status.PROPOSAL, date(2020, 1, 1), date(2026, 1, 1), note="a proposal"),
        Period(Status.DORMANT, date(2026, 1, 1), date(2027, 3, 1)),
        Period(Status.BINDING, date(2027, 3, 1)),
    )

    @pytest.mark.parametrize(
        ("day", "status"),
        [
            (date(2025, 12, 31), Status.PROPOSAL),
            (date(2026, 1, 1), Status.DORMANT),
            (date(2027, 2, 28), Status.DORMANT),
            (date(2027, 3, 1), Status.BINDING),
        ],
    )
    def test_the_rule_is_that_of_the_day_on_which_the_clock_starts(self, day: date, status: Status) -> None:
        aware = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        then = replace(case(harm=True), anchors={"aware.provider": aware})
        assert one(then, regime(periods=self.PERIODS)).status is status

    def test_before_every_period_there_is_nothing(self) -> None:
        old = replace(case(harm=True), anchors={"aware.provider": datetime(2019, 12, 31, tzinfo=UTC)})
        assert obligations(old, library(regime(periods=self.PERIODS)), explain_no=True) == ()

    def test_the_day_is_that_of_the_authority(self) -> None:
        midnight = replace(
            case(harm=True, countries=("DE", "PT")),
            anchors={"aware.provider": datetime(2027, 2, 28, 23, 30, tzinfo=UTC)},
        )
        found = obligations(midnight, library(regime(periods=self.PERIODS, register="watch")))
        assert {o.id: o.status for o in found} == {
            "x.act.notify@DE": Status.BINDING,  # 00:30 on 1 March in Berlin
            "x.act.notify@PT": Status.DORMANT,
        }

    def test_a_period_whose_condition_is_open_counts(self) -> None:
        periods = (Period(Status.BINDING, EVER, when=yes("big")),)
        assert one(case(harm=True), regime(periods=periods)).truth is Truth.UNKNOWN
        assert one(case(harm=True, big=True), regime(periods=periods)).truth is Truth.YES
        assert obligations(case(harm=True, big=False), library(regime(periods=periods)), explain_no=True) == ()

    def test_a_certain_period_goes_before_an_open_one(self) -> None:
        periods = (Period(Status.BINDING, EVER, when=yes("big")), Period(Status.DORMANT, EVER))
        assert one(case(harm=True), regime(periods=periods)).status is Status.DORMANT

    def test_a_period_may_hold_in_single_countries_only(self) -> None:
        late = Period(Status.DORMANT, EVER, countries=("PT",), note="not transposed yet")
        act = regime(periods=(late, Period(Status.BINDING, EVER)), register="watch")
        found = obligations(case(harm=True, countries=("DE", "PT")), library(act))
        assert {o.id: o.status for o in found} == {
            "x.act.notify@DE": Status.BINDING,
            "x.act.notify@PT": Status.DORMANT,
        }
        assert found[-1].notes == ("not transposed yet",)

    @pytest.mark.parametrize(
        ("countries", "status"),
        [
            (("PT",), Status.DORMANT),
            (("PT-11",), Status.DORMANT),
            (("DE", "PT"), Status.BINDING),
            (("DE",), Status.BINDING),
            ((), Status.BINDING),
        ],
    )
    def test_a_duty_that_is_one_for_all_countries_binds_where_any_of_them_binds(
        self, countries: tuple[str, ...], status: Status
    ) -> None:
        act = regime(periods=(Period(Status.DORMANT, EVER, countries=("PT",)), Period(Status.BINDING, EVER)))
        assert one(case(harm=True, countries=countries), act).status is status


class TestDeadlines:
    FASTER = stage("notify", dated(10, "days"), dated(24, "hours", when=yes("death")))

    def test_the_faster_case_is_owed_when_it_holds(self) -> None:
        assert one(case(harm=True, death=True), regime("x", self.FASTER)).label == "24 hours"
        assert one(case(harm=True, death=False), regime("x", self.FASTER)).label == "10 days"

    def test_while_it_is_open_the_slower_one_warns_of_it(self) -> None:
        owed = one(case(harm=True), regime("x", self.FASTER))
        assert owed.label == "10 days"
        assert owed.notes == ("could be due earlier, 2027-03-02 11:00 UTC (24 hours): a question is open",)

    def test_while_it_is_open_which_one_holds_the_duty_stays_with_what_would_be_owed(self) -> None:
        either = stage("notify", dated(24, when=yes("death")), dated(72, when=no("death")))
        assert one(case(harm=True), regime("x", either)).label == "24 hours"
        assert one(case(harm=True, death=False), regime("x", either)).label == "72 hours"
        owed = one(case(harm=True), regime("x", replace(either, owed="latest")))
        assert owed.label == "72 hours"
        assert owed.notes == ("could be due earlier, 2027-03-02 11:00 UTC (24 hours): a question is open",)

    def test_where_no_deadline_can_hold_there_is_no_duty(self) -> None:
        only = stage("notify", dated(24, when=yes("death")))
        assert obligations(case(harm=True, death=False), library(regime("x", only)), explain_no=True) == ()

    def test_what_a_guideline_expects_may_depend_on_the_case(self) -> None:
        vague = stage(
            "notify",
            dated(0, "none"),
            benchmarks=(
                Guideline(Deadline("hours", 72, "calendar"), "usually"),
                Guideline(Deadline("hours", 24, "calendar"), "after a death", when=yes("death")),
            ),
        )
        act = regime("x", vague)
        assert [b.label for b in one(case(harm=True, death=False), act).benchmarks] == ["usually"]
        found = one(case(harm=True, death=True), act).benchmarks
        assert [(b.label, b.at) for b in found][1:] == [("after a death", NOW + 23 * HOUR)]
        assert len(one(case(harm=True), act).benchmarks) == 2
        assert act.facts == {"harm", "death"}

    def test_without_an_anchor_the_shorter_of_two_certain_ones_is_named(self) -> None:
        assert one(case(None, harm=True, death=True), regime("x", self.FASTER)).label == "24 hours"

    def test_values_are_dated_and_the_one_of_the_anchor_counts(self) -> None:
        old = dated(96, valid_to=date(2027, 3, 1))
        new = dated(72, valid_from=date(2027, 3, 1))
        assert one(case(harm=True), regime("x", stage("s", old, new))).label == "72 hours"
        assert one(case(48, harm=True), regime("x", stage("s", old, new))).label == "96 hours"

    def test_another_stage_starts_a_clock_by_its_submission_to_the_same_country(self) -> None:
        final = stage("final", dated(1, "months"), anchors=("submitted.notify",))
        act = regime("x", stage(), final, register="watch")
        filed = replace(case(harm=True, countries=("DE", "PT")))
        filed = replace(filed, anchors={**filed.anchors, "submitted.x.notify@DE": NOW})
        found = {o.id: o for o in obligations(filed, library(act))}
        assert found["x.notify@DE"].discharged_at == NOW
        assert found["x.notify@PT"].discharged_at is None
        assert found["x.final@DE"].operational_due == datetime(2027, 4, 1, 21, 59, 59, tzinfo=UTC)
        assert found["x.final@PT"].operational_due is None

    def test_a_decision_is_shown_with_the_duty(self) -> None:
        decided = replace(case(harm=True), decisions={"x.act.notify": "no risk"})
        assert one(decided, regime()).decision == "no risk"


class TestRecipients:
    def test_each_country_with_a_register_is_a_duty_of_its_own(self) -> None:
        found = obligations(case(harm=True, countries=("DE", "PT", "DE", "XX")), library(regime(register="watch")))
        assert [(o.id, o.recipients[0].name, o.timezone) for o in found] == [
            ("x.act.notify@DE", "watch of DE", "Europe/Berlin"),
            ("x.act.notify@PT", "watch of PT", "Europe/Lisbon"),
        ]

    def test_a_region_counts_as_its_country(self) -> None:
        assert one(case(harm=True, countries=("DE-BY",)), regime(register="watch")).id == "x.act.notify@DE"

    def test_without_a_known_country_it_says_so_and_stays_unconfirmed(self) -> None:
        owed = one(case(harm=True, countries=("XX",)), regime(register="watch"))
        assert "no country of the incident is known" in owed.recipients[0].name
        assert owed.recipients[0].confidence is Confidence.UNCONFIRMED

    def test_a_lex_specialis_displaces(self) -> None:
        elsewhere = Rerouting(yes("device"), "displaced", "the device law alone")
        act = regime(reroutings=(elsewhere,))
        owed = one(case(harm=True, device=True), act, explain_no=True)
        assert owed.truth is Truth.NO
        assert owed.reason.because[0].text == "the device law alone"
        assert one(case(harm=True, device=False), act).truth is Truth.YES

    def test_while_it_is_open_whether_other_law_takes_over_a_duty_is_possible(self) -> None:
        act = regime(reroutings=(Rerouting(yes("device"), "displaced", "the device law alone"),))
        owed = one(case(harm=True), act)
        assert owed.truth is Truth.UNKNOWN
        assert owed.operational_due is not None, "its clock is shown all the same"
        doubt = owed.reason.because[-1]
        assert doubt.text == "not known yet whether other law takes it over: the device law alone"
        assert [question.fact for question in questions(case(harm=True), library(act))] == ["device"]

    def test_what_is_taken_away_goes_to_no_other_authority(self) -> None:
        office = Rerouting(yes("large"), "recipients", "the office instead", (Recipient("the office", "EU"),))
        elsewhere = Rerouting(yes("device"), "displaced", "the device law alone")
        for order in ((office, elsewhere), (elsewhere, office)):
            act = regime(register="watch", reroutings=order)
            assert not obligations(case(harm=True, large=True, device=True), library(act))

    def test_another_authority_may_be_competent(self) -> None:
        office = Recipient("the office", "EU", "", Confidence.P)
        act = regime(
            register="watch", reroutings=(Rerouting(yes("large"), "recipients", "the office instead", (office,)),)
        )
        owed = one(case(harm=True, large=True), act)
        assert (owed.recipients, owed.notes) == ((office,), ("the office instead",))

    def test_an_authority_with_a_seat_of_its_own_counts_there(self) -> None:
        office = Recipient("the office", "PT", "", Confidence.P)
        days = stage("notify", dated(1, "days"))
        owed = one(case(harm=True, countries=("DE",)), regime("x.act", days, recipients=(office,)))
        assert (owed.id, owed.timezone) == ("x.act.notify", "Europe/Lisbon")
        assert owed.operational_due == datetime(2027, 3, 2, 23, 59, 59, tzinfo=UTC)

    def test_another_act_may_name_somebody_else_in_the_same_countries(self) -> None:
        chosen = Recipient("the authority chosen for that purpose", "", "", Confidence.P)
        special = Rerouting(yes("device"), "recipients", "the device law names it", (chosen,))
        act = regime(register="watch", reroutings=(special,))
        found = obligations(case(harm=True, device=True, countries=("DE", "PT")), library(act))
        assert [(o.id, o.recipients) for o in found] == [
            ("x.act.notify@DE", (chosen,)),
            ("x.act.notify@PT", (chosen,)),
        ]


class TestSwitches:
    SWITCH = Switch(
        "whose",
        "Whose awareness?",
        "provider",
        {"provider": "the provider's", "either": "the earlier one"},
        {"provider": ("aware.provider",), "either": ("aware.provider", "aware.deployer")},
    )

    def test_the_conservative_reading_is_the_default_and_is_told(self) -> None:
        known = replace(case(2, harm=True))
        known = replace(known, anchors={**known.anchors, "aware.deployer": NOW - 5 * HOUR})
        act = regime(switches=(self.SWITCH,))
        assert one(known, act).anchor_at == NOW - 2 * HOUR
        assert one(known, act).notes == ("contested: Whose awareness? Read here as: the provider's",)
        other = one(known, act, switches={"whose": "either"})
        assert (other.anchor, other.anchor_at) == ("aware.deployer", NOW - 5 * HOUR)


class TestQuestions:
    def test_those_that_decide_most_come_first(self) -> None:
        acts = (
            regime("a", applies=both(yes("harm"), yes("public"))),
            regime("b", applies=yes("harm")),
            regime("c", stage("s", dated(5)), applies=both(yes("harm"), no("small"))),
        )
        asked = questions(case(), library(*acts))
        assert [q.fact for q in asked] == ["harm", "small", "public"]
        assert asked[0].decides == ("a.notify", "b.notify", "c.s")
        assert asked[0].earliest_due == NOW + 4 * HOUR
        assert asked[0].choices == ("yes", "no")

    def test_what_no_longer_decides_anything_is_not_asked(self) -> None:
        act = regime(applies=both(yes("harm"), yes("public")))
        assert questions(case(harm=False), library(act)) == ()
        assert [q.fact for q in questions(case(harm=True), library(act))] == ["public"]
        assert questions(case(harm=True, public=True), library(act)) == ()

    def test_a_fact_that_only_moves_a_deadline_is_asked_too(self) -> None:
        asked = questions(case(harm=True), library(regime("x", TestDeadlines.FASTER)))
        assert [(q.fact, q.decides) for q in asked] == [("death", ("x.notify",))]

    def test_a_set_whose_members_are_counted_is_asked_for(self) -> None:
        act = regime(applies=Compare("limits", "at_least", 2))
        whole = library(act)
        limits = FactKind("limits", "set", "Which?", "look", ("a", "b", "c"), CITED)
        (asked,) = questions(case(), replace(whole, facts={"limits": limits}))
        assert (asked.fact, asked.choices, asked.decides) == ("limits", ("a", "b", "c"), ("x.act.notify",))

    def test_where_two_answers_are_needed_each_is_still_asked(self) -> None:
        act = regime(applies=both(yes("harm"), yes("public")))
        asked = questions(case(), library(act))
        assert {q.fact for q in asked} == {"harm", "public"}
        assert all(q.earliest_due == NOW + 71 * HOUR for q in asked)


def test_facts_of_a_regime_are_found_in_all_its_parts() -> None:
    act = regime(
        "x",
        stage("s", dated(1, when=yes("a")), when=yes("b")),
        applies=yes("c"),
        periods=(Period(Status.BINDING, EVER, when=yes("d")),),
        reroutings=(Rerouting(yes("e"), "displaced", "t"),),
    )
    assert act.facts == {"a", "b", "c", "d", "e"}


def test_a_fact_that_is_corrected_moves_the_deadline_earlier() -> None:
    act = regime("x", TestDeadlines.FASTER)
    before, after = (one(case(harm=True, death=death), act).operational_due for death in (False, True))
    assert before is not None
    assert after is not None
    assert after < before
