"""Law of the Union, the United Kingdom and Switzerland: what holds between packs, and that their cases meet every kind of day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tocsin.content.loaders import law, vectors
from tocsin.law.obligations import obligations
from tocsin.law.regime import Regime
from tocsin.law.vectors import Vector
from tocsin.model.event import Json
from tocsin.model.law import Case, Fact, Obligation, Status, Truth

LIBRARY = law.load()
HERE = [regime for regime in LIBRARY.regimes if regime.id.split(".")[0] in ("eu", "uk", "ch")]
IDS = {regime.id for regime in HERE}
AWARE = datetime(2028, 3, 1, 9, tzinfo=UTC)
BIASED: dict[str, Json] = {
    "organization_is_provider": True,
    "eu_ai_act_route": "annex_iii.4",
    "placed_on_market_on": "2028-01-10",
    "fundamental_rights_infringement": True,
    "death": False,
    "widespread_infringement": False,
    "critical_infrastructure_disruption": False,
    "medical_device": False,
}
ATTACKED: dict[str, Json] = {"cyber_incident": True, "nis2_significant": True, "nis2_recipients_affected": False}
LEAKED: dict[str, Json] = {"organization_is_controller": True, "personal_data_breach": True, "breach_risk": "high"}


def owed(facts: dict[str, Json], *countries: str, aware: datetime = AWARE) -> list[Obligation]:
    """What such a case certainly owes by the packs of here."""
    said = {name: Fact(name, value, "test", "test", aware) for name, value in facts.items()}
    anchors = dict.fromkeys(("aware", "aware.provider", "aware.controller", "classified"), aware)
    found = obligations(Case(said, anchors, countries, aware), LIBRARY)
    return [one for one in found if one.regime in IDS and one.truth is Truth.YES]


def regimes(facts: dict[str, Json], *countries: str) -> set[str]:
    """The packs of which something certainly binds."""
    return {one.regime for one in owed(facts, *countries) if one.status is Status.BINDING}


class TestBetweenPacks:
    def test_a_report_goes_to_the_ai_office_or_to_the_member_states_and_never_to_both(self) -> None:
        assert regimes({**BIASED, "ai_office_competence": False}, "DE", "FR") == {"eu.aiact.art73"}
        assert regimes({**BIASED, "ai_office_competence": True}, "DE", "FR") == {"eu.aiact.art75_1a"}

    def test_one_report_to_the_ai_office_and_one_to_each_member_state(self) -> None:
        national = [o.id for o in owed({**BIASED, "ai_office_competence": False}, "DE", "FR") if o.stage == "report"]
        assert sorted(national) == ["eu.aiact.art73.report@DE", "eu.aiact.art73.report@FR"]
        central = [o.id for o in owed({**BIASED, "ai_office_competence": True}, "DE", "FR") if o.stage == "report"]
        assert central == ["eu.aiact.art75_1a.report"]

    def test_one_reading_of_whose_awareness_counts_serves_both_reports(self) -> None:
        deployer = AWARE - timedelta(days=3)
        for competent, regime in ((False, "eu.aiact.art73"), (True, "eu.aiact.art75_1a")):
            facts = {**BIASED, "ai_office_competence": competent}
            said = {name: Fact(name, value, "test", "test", AWARE) for name, value in facts.items()}
            case = Case(said, {"aware.provider": AWARE, "aware.deployer": deployer}, ("DE",), AWARE)
            for reading, start in (("provider", AWARE), ("either", deployer)):
                found = obligations(case, LIBRARY, {"art73_awareness": reading})
                assert {o.anchor_at for o in found if o.regime == regime and o.stage == "report"} == {start}

    @pytest.mark.parametrize("kind", ["eu_credit_institution", "eu_financial_entity", "eu_trading_venue"])
    def test_dora_takes_the_place_of_nis2(self, kind: str) -> None:
        facts = {**ATTACKED, "dora_critical_services": True, "dora_malicious_access": True}
        assert regimes({**facts, "organization_kinds": ["eu_essential_entity"]}, "BE") == {"eu.nis2.art23"}
        assert regimes({**facts, "organization_kinds": ["eu_essential_entity", kind]}, "BE") == {"eu.dora.art19"}

    def test_nis2_binds_where_it_is_transposed_and_is_a_rehearsal_elsewhere(self) -> None:
        facts = {**ATTACKED, "organization_kinds": ["eu_important_entity"]}
        found = owed(facts, "DE", "IE", "NO", "BE", aware=datetime(2026, 11, 25, 9, tzinfo=UTC))
        status = {o.id.split("@")[1]: o.status for o in found if o.stage == "early_warning"}
        assert status == {
            "DE": Status.BINDING,
            "BE": Status.BINDING,
            "IE": Status.DORMANT,
            "NO": Status.DORMANT,
        }

    @pytest.mark.parametrize("days", [0, 365, 3650])
    def test_proposals_never_alarm(self, days: int) -> None:
        facts = {**LEAKED, **ATTACKED, "organization_kinds": ["gb_managed_service"]}
        found = owed(facts, "DE", "GB", aware=AWARE + timedelta(days=days))
        proposed = [one for one in found if one.regime in ("eu.gdpr.com_2025_837", "uk.csr_bill")]
        assert {one.regime for one in proposed} == {"eu.gdpr.com_2025_837", "uk.csr_bill"}
        assert {one.status for one in proposed} == {Status.PROPOSAL}
        assert "eu.gdpr.art33" in {one.regime for one in found if one.status is Status.BINDING}

    def test_seventy_two_hours_mean_the_same_in_the_union_and_the_united_kingdom(self) -> None:
        found = {o.id: o for o in owed(LEAKED, "FR", "GB") if o.stage == "notification"}
        union, kingdom = found["eu.gdpr.art33.notification@FR"], found["uk.gdpr.art33.notification@GB"]
        assert union.operational_due == kingdom.operational_due == AWARE + timedelta(hours=72)
        assert union.legal_latest == kingdom.legal_latest == AWARE + timedelta(hours=73)


def periods() -> Iterator[tuple[Regime, Vector, datetime, datetime, datetime]]:
    """Each clock of each case: its regime and case, its start, its end and its last lawful end, in the authority's zone."""
    for regime in HERE:
        for vector in vectors.load(regime.id):
            for name, one in vector.expect.items():
                if one.due:
                    place = LIBRARY.places[name.partition("@")[2] or next(iter(vector.case.countries))]
                    zone = ZoneInfo(place.zone)
                    start = min(vector.case.anchors.values()).astimezone(zone)
                    yield regime, vector, start, one.due.astimezone(zone), (one.latest or one.due).astimezone(zone)


def _days(start: datetime, end: datetime) -> set[tuple[int, int]]:
    return {((start + timedelta(days=n)).month, (start + timedelta(days=n)).day) for n in range((end - start).days + 1)}


KINDS_OF_DAY: dict[str, Callable[[datetime, datetime, datetime], bool]] = {
    "summer time begins": lambda start, due, _: (start.dst() or timedelta()) < (due.dst() or timedelta()),
    "summer time ends": lambda start, due, _: (start.dst() or timedelta()) > (due.dst() or timedelta()),
    "a leap day": lambda start, due, _: (2, 29) in _days(start, due),
    "the end of a month": lambda start, due, _: due.month != (due + timedelta(days=1)).month and due.second == 59,
    "Christmas": lambda start, due, latest: due.date() < latest.date() and (12, 25) in _days(start, due),
    "New Year": lambda start, due, latest: due.date() < latest.date() and (due.month, due.day) == (1, 1),
    "Easter": lambda start, due, latest: due.date() == date(2028, 4, 16) and latest.date() > due.date(),
    "a weekend": lambda start, due, latest: due.weekday() >= 5 and latest.weekday() < 5,
}


@pytest.mark.parametrize("kind", KINDS_OF_DAY)
def test_some_case_passes_each_kind_of_day(kind: str) -> None:
    assert any(KINDS_OF_DAY[kind](start, due, latest) for _, _, start, due, latest in periods())


def test_some_case_ends_on_a_day_that_only_one_of_two_authorities_has_off() -> None:
    ends: dict[tuple[str, str, datetime], set[date]] = {}
    for regime, vector, _, due, latest in periods():
        ends.setdefault((regime.id, vector.name, due), set()).add(latest.date())
    assert [key for key, last in ends.items() if len(last) == 2]


def test_every_regime_of_the_union_says_what_to_keep_and_what_is_at_stake() -> None:
    assert [regime.id for regime in HERE if not regime.penalties] == []
    assert [regime.id for regime in HERE if not regime.retention] == []
