"""What the law asks of the bank's incidents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.service.banks import ASSISTANT, CREDIT, START, bank, found, record
from tocsin.model.errors import UsageFault
from tocsin.model.finding import Category
from tocsin.model.law import Status, Truth
from tocsin.service import duties, incidents
from tocsin.service.desk import Desk
from tocsin.service.triage import triage

HOUR = timedelta(hours=1)
LEAK = {
    "organization_is_controller": "yes",
    "organization_is_processor": "no",
    "personal_data_breach": "yes",
    "breach_risk": "high",
    "breach_communication_excepted": "no",
    "organization_kinds": "none",
}


def leak(desk: Desk, answers: dict[str, str] | None = None) -> str:
    """A declared leak with these answers."""
    name = incidents.declare(desk, ASSISTANT, "An IBAN in an answer", Category.DATA_LEAKAGE).id
    for fact, value in (answers if answers is not None else LEAK).items():
        duties.answer(desk, name, fact, value, "the data protection officer")
    return name


class TestDue:
    def test_a_breach_is_owed_to_each_authority_within_72_hours(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            (told,) = duties.due(desk, [leak(desk)])
            notices = {o.id: o for o in told.obligations if o.stage == "notification"}
            assert set(notices) == {f"eu.gdpr.art33.notification@{code}" for code in ("DE", "FR", "NL")}
            for owed in notices.values():
                assert (owed.truth, owed.status, owed.operational_due) == (Truth.YES, Status.BINDING, START + 72 * HOUR)
            assert "not legal advice" in told.statement
            assert len(told.packs) == 64

    def test_the_credit_models_clock_is_a_rehearsal(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            record(desk, found())
            triage(desk)
            duties.answer(desk, "INC-2026-0001", "fundamental_rights_infringement", "yes")
            duties.answer(desk, "INC-2026-0001", "organization_kinds", "none")
            incidents.acknowledge(desk, "INC-2026-0001")
            (told,) = duties.due(desk)
            ai_act = [o for o in told.obligations if o.regime.startswith("eu.aiact")]
            assert ai_act
            assert {o.status for o in ai_act} == {Status.DORMANT}

    def test_only_open_incidents_are_asked_unless_one_is_named(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            assert duties.due(desk) == ()
            with pytest.raises(UsageFault, match="no incident"):
                duties.due(desk, ["INC-2026-0001"])

    def test_as_of_shows_what_was_known_then(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = leak(desk, {})
            then = clock.now
            clock.move(hours=5)
            for fact, value in LEAK.items():
                duties.answer(desk, name, fact, value)
            (before,), (now,) = duties.due(desk, [name], then), duties.due(desk, [name])
            truths = [{o.truth for o in told.obligations if o.stage == "notification"} for told in (before, now)]
            assert truths == [{Truth.UNKNOWN}, {Truth.YES}]
            assert (before.as_of, now.as_of) == (then, clock.now)
            assert before.open_questions > now.open_questions

    def test_a_time_without_a_zone_is_refused(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _), pytest.raises(UsageFault, match="no zone"):
            duties.due(desk, [], datetime(2026, 11, 2))  # noqa: DTZ001 - the point

    def test_an_earlier_awareness_moves_the_clock_earlier(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk)
            incidents.set_date(desk, name, "aware.controller", START - 10 * HOUR, "the branch knew")
            (told,) = duties.due(desk, [name])
            assert {o.operational_due for o in told.obligations if o.stage == "notification"} == {START + 62 * HOUR}

    def test_countries_of_the_incident_go_before_those_of_the_system(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk)
            incidents.set_fact(desk, name, "countries", "IT, ES", "the log")
            (told,) = duties.due(desk, [name])
            assert {o.id[-2:] for o in told.obligations if o.stage == "notification"} == {"IT", "ES"}
            incidents.set_fact(desk, name, "countries", None, "unknown again")
            (told,) = duties.due(desk, [name])
            assert {o.id[-2:] for o in told.obligations if o.stage == "notification"} == {"DE", "FR", "NL"}

    def test_the_policys_own_clocks_run_beside(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = leak(desk)
            clock.move(minutes=10)
            incidents.acknowledge(desk, name)
            (told,) = duties.due(desk, [name])
            assert [(t.name, t.due, t.met_at) for t in told.targets] == [
                ("acknowledge", START + timedelta(minutes=15), clock.now),
                ("contain", START + 2 * HOUR, None),
            ]


class TestAsking:
    def test_the_first_question_decides_most(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            told = duties.ask(desk, leak(desk, {"organization_kinds": "none"}))
            asked = told.questions
            assert told.statement.startswith("This is not legal advice.")
            counts = [len(question.decides) for question in asked]
            assert counts == sorted(counts, reverse=True)
            assert asked[0].fact == "personal_data_breach"
            assert asked[0].earliest_due == START + 72 * HOUR
            assert all(question.help and question.citation for question in asked)

    def test_an_answered_question_is_not_asked_again(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk, {"personal_data_breach": "no"})
            assert "breach_risk" not in [question.fact for question in duties.ask(desk, name).questions]

    def test_where_it_happened_and_what_the_organization_is_come_first(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk, {"countries": "DE, US", "organization_kinds": "unknown"})
            facts = [question.fact for question in duties.ask(desk, name).questions]
            assert facts[:2] == ["countries", "organization_kinds"]

    def test_law_of_other_places_is_not_asked_about(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            told = duties.ask(desk, leak(desk, {"countries": "DE"}))
            assert {duty.split(".")[0] for question in told.questions for duty in question.decides} == {"eu"}
            kinds = [question for question in told.questions if question.fact == "organization_kinds"]
            assert not [choice for question in kinds for choice in question.choices if choice.startswith("us_")]


class TestExplaining:
    def test_a_duty_is_told_with_its_reasons_and_what_would_decide_it(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk, {"personal_data_breach": "yes"})
            told = duties.explain(desk, name, "eu.gdpr.art33.notification@DE")
            assert (told.obligation.truth, told.obligation.operational_due) == (Truth.UNKNOWN, START + 72 * HOUR)
            assert [question.fact for question in told.questions] == ["breach_risk"]
            assert told.obligation.trace
            assert told.obligation.confidence == "P"
            assert told.statement.startswith("This is not legal advice.")

    def test_what_is_not_owed_is_explained_as_well(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk, LEAK | {"breach_risk": "unlikely"})
            told = duties.explain(desk, name, "eu.gdpr.art33.notification@DE")
            assert told.obligation.truth is Truth.NO
            assert told.questions == ()

    def test_it_can_be_explained_as_it_was_known_before(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = leak(desk, {})
            then = clock.now
            clock.move(hours=1)
            duties.answer(desk, name, "personal_data_breach", "no")
            before = duties.explain(desk, name, "eu.gdpr.art33.register@FR", then)
            now = duties.explain(desk, name, "eu.gdpr.art33.register@FR")
            assert (before.obligation.truth, now.obligation.truth) == (Truth.UNKNOWN, Truth.NO)

    def test_the_country_may_be_left_out_where_there_is_one(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk, LEAK | {"countries": "PT"})
            assert duties.explain(desk, name, "eu.gdpr.art33.register").obligation.id == "eu.gdpr.art33.register@PT"

    @pytest.mark.parametrize(
        ("duty", "says"),
        [
            ("eu.gdpr.art33.notification", "several authorities — name one: eu.gdpr.art33.notification@DE, "),
            ("eu.gdpr.art33.notifikation@DE", "did you mean 'eu.gdpr.art33.notification@DE'"),
            ("eu.gdpr.art33", "no duty 'eu.gdpr.art33'"),
            ("nonsense", "no duty 'nonsense' — see: tocsin law due --all"),
        ],
    )
    def test_a_duty_that_is_not_there_is_told_with_the_nearest(self, tmp_path: Path, duty: str, says: str) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk)
            with pytest.raises(UsageFault) as told:
                duties.explain(desk, name, duty)
            assert says in str(told.value)


class TestAnswering:
    @pytest.mark.parametrize(
        ("fact", "text", "value"),
        [
            ("death", "yes", True),
            ("death", "N", False),
            ("death", "TRUE", True),
            ("death", "?", None),
            ("death", "unknown", None),
            ("people_affected", "412", 412),
            ("people_affected", "4.5", 4.5),
            ("placed_on_market_on", "2026-03-01", "2026-03-01"),
            ("breach_risk", "HIGH", "high"),
            ("eu_ai_act_route", " annex_iii.5b ", "annex_iii.5b"),
        ],
    )
    def test_answers_are_read_by_the_type_of_the_question(
        self, tmp_path: Path, fact: str, text: str, value: object
    ) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk, {})
            assert duties.answer(desk, name, fact, text, "counsel").facts[fact].value == value

    @pytest.mark.parametrize(
        ("fact", "text", "says"),
        [
            ("death", "maybe", "must be yes, no or unknown"),
            ("people_affected", "many", "must be a number"),
            ("people_affected", "nan", "must be a number"),
            ("placed_on_market_on", "1.3.2026", "must be a date"),
            ("breach_risk", "hgh", "must be one of unlikely, risk, high"),
        ],
    )
    def test_what_does_not_fit_is_refused_and_nothing_is_recorded(
        self, tmp_path: Path, fact: str, text: str, says: str
    ) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk, {})
            size = desk.ledger.size()
            with pytest.raises(UsageFault, match=says):
                duties.answer(desk, name, fact, text)
            assert desk.ledger.size() == size

    def test_a_question_nobody_asks_is_told_with_the_nearest(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _), pytest.raises(UsageFault, match="personal_data_breach"):
            duties.answer(desk, leak(desk, {}), "personal_data_breech", "yes")


class TestDeciding:
    def test_not_reportable_is_a_recorded_decision(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk)
            duty = "eu.gdpr.art33.notification@DE"
            state = duties.decide_not_owed(desk, name, duty, "the data was test data")
            assert state.decisions == {duty: "the data was test data"}
            (told,) = duties.due(desk, [name])
            assert next(o for o in told.obligations if o.id == duty).decision == "the data was test data"
            assert not [line for line in duties.unmet(desk, state) if duty in line]

    def test_it_needs_an_obligation_and_a_reason(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk)
            with pytest.raises(UsageFault, match="no obligation"):
                duties.decide_not_owed(desk, name, "eu.gdpr.art33.notification@XX", "r")
            with pytest.raises(UsageFault, match="reason"):
                duties.decide_not_owed(desk, name, "eu.gdpr.art33.notification@DE", " ")

    def test_what_is_unmet_names_the_way_out(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk)
            lines = duties.unmet(desk, incidents.find(desk, name))
            assert len(lines) == 7  # three notices, three registers, one communication
            assert all(f"tocsin law decide {name} eu.gdpr." in line for line in lines)
            incidents.set_date(desk, name, "submitted.eu.gdpr.art33.notification@DE", START, "portal")
            assert len(duties.unmet(desk, incidents.find(desk, name))) == 6

    def test_what_is_only_to_be_shown_holds_nothing_up(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = leak(desk, {"organization_is_deployer": "yes", "personal_data_breach": "no"})
            incidents.set_fact(desk, name, "countries", "US-TX", "the customer's address")
            (told,) = duties.due(desk, [name])
            shown = [o for o in told.obligations if o.truth is Truth.YES]
            assert [(o.id, o.kind, o.operational_due) for o in shown] == [("us.tx.traiga.evidence", "evidence", None)]
            assert duties.unmet(desk, incidents.find(desk, name)) == []


def test_a_proposal_is_shown_with_its_clock_and_holds_nothing_up(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, clock):
        answers = {"organization_kinds": "us_circia_covered_entity", "cyber_incident": "yes", "ransom_paid": "no"}
        name = leak(desk, answers | {"personal_data_breach": "no"})
        incidents.set_fact(desk, name, "countries", "US-VA", "the data centre")
        clock.move(hours=1)
        incidents.set_date(desk, name, "reasonable_belief", START, "the forensic report")
        (told,) = duties.due(desk, [name])
        (proposed,) = (o for o in told.obligations if o.id == "us.circia.incident")
        assert (proposed.status, proposed.truth) == (Status.PROPOSAL, Truth.YES)
        assert proposed.operational_due == START + 72 * HOUR
        assert not [line for line in duties.unmet(desk, incidents.find(desk, name)) if "circia" in line]


def test_the_inventory_answers_what_it_knows(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        facts = duties.standing_facts(desk.system(CREDIT), datetime(2026, 11, 2, tzinfo=UTC))
        assert facts["eu_ai_act_route"].value.startswith("annex_iii")
        assert facts["organization_is_provider"].source == f"systems/{CREDIT}.yaml"
