"""Asia, the Pacific and Africa: instants that must not be mixed up, contested readings, and what never alarms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tocsin.content.loaders import law
from tocsin.law.asking import questions
from tocsin.law.obligations import obligations
from tocsin.model.event import Json
from tocsin.model.law import Case, Fact, Obligation, Status, Truth

LIBRARY = law.load()
NOW = datetime(2026, 12, 1, tzinfo=UTC)
BREACH: Mapping[str, Json] = {
    "organization_is_controller": True,
    "organization_is_processor": False,
    "organization_is_provider": True,
    "organization_is_deployer": False,
    "personal_data_breach": True,
    "cyber_incident": False,
    "breach_risk": "high",
    "people_affected": 40,
    "data_kinds": ["biometric"],
    "organization_kinds": [],
}


def _case(country: str, dates: Mapping[str, str], **more: Json) -> Case:
    facts = {name: Fact(name, value, "test", "test", NOW) for name, value in {**BREACH, **more}.items()}
    return Case(facts, {name: datetime.fromisoformat(at) for name, at in dates.items()}, (country,), NOW)


def _owed(case: Case, switches: Mapping[str, str] | None = None) -> dict[str, Obligation]:
    return {one.id: one for one in obligations(case, LIBRARY, switches)}


def test_detection_and_confirmation_start_two_clocks_in_vietnam() -> None:
    dates = {"detected": "2026-11-25T08:00+07:00", "confirmed": "2026-11-27T16:00+07:00"}
    owed = _owed(_case("VN", dates, vn_consequences=["rights_uncontrolled"]))
    assert owed["vn.pdp.agency"].operational_due == datetime.fromisoformat("2026-11-28T08:00+07:00")
    assert owed["vn.ai_law.preliminary"].operational_due == datetime.fromisoformat("2026-11-30T16:00+07:00")


def test_detection_alone_starts_no_clock_of_the_vietnamese_ai_law() -> None:
    owed = _owed(_case("VN", {"detected": "2026-11-25T08:00+07:00"}, vn_consequences=["life_health"]))
    assert owed["vn.ai_law.preliminary"].truth is Truth.YES
    assert owed["vn.ai_law.preliminary"].operational_due is None
    asked = [question.fact for question in questions(_case("VN", {}, vn_consequences=["life_health"]), LIBRARY)]
    assert {"date.confirmed", "date.detected"} <= set(asked)


def test_the_awareness_of_a_processor_is_not_the_controllers() -> None:
    dates = {"aware.processor": "2026-11-26T20:00+03:00"}
    owed = _owed(_case("KE", dates, organization_is_processor=True))
    assert owed["ke.dpa.controller"].operational_due == datetime.fromisoformat("2026-11-28T20:00+03:00")
    assert owed["ke.dpa.commissioner"].operational_due is None


@pytest.mark.parametrize(
    ("country", "obligation", "switch", "later"),
    [("ID", "id.pdp.agency", "id_start", "awareness"), ("MY", "my.pdpa.commissioner", "my_start", "informed")],
)
def test_where_the_law_does_not_say_what_starts_the_hours_the_safe_reading_is_the_default(
    country: str, obligation: str, switch: str, later: str
) -> None:
    case = _case(country, {"occurred": "2026-11-22T02:00+08:00", "aware.controller": "2026-11-23T09:30+08:00"})
    safe, chosen = _owed(case)[obligation], _owed(case, {switch: later})[obligation]
    assert safe.operational_due == datetime.fromisoformat("2026-11-25T02:00+08:00")
    assert chosen.operational_due == datetime.fromisoformat("2026-11-26T09:30+08:00")
    assert any("contested" in note for note in safe.notes)


@pytest.mark.parametrize(
    ("country", "obligation", "status"),
    [
        ("HK", "hk.pdpo.notice", Status.BENCHMARK),
        ("TW", "tw.pdpa.draft.authority", Status.PROPOSAL),
        ("IN", "in.dpdp.detailed", Status.DORMANT),
        ("TW", "tw.pdpa.subjects", Status.BINDING),
    ],
)
def test_what_does_not_bind_is_told_as_what_it_is(country: str, obligation: str, status: Status) -> None:
    case = _case(country, {"aware.controller": "2026-11-23T09:30+08:00"}, people_affected=100)
    assert _owed(case)[obligation].status is status


@pytest.mark.parametrize("country", ["ZA", "AE", "NZ", "IL"])
def test_where_the_law_names_no_number_no_instant_is_invented(country: str) -> None:
    dates = {"aware": "2026-11-23T09:30+02:00", "aware.controller": "2026-11-23T09:30+02:00"}
    owed = _owed(_case(country, dates, il_security_level="high"))
    told = [one for one in owed.values() if one.truth is Truth.YES]
    assert told
    assert all(one.operational_due is None and one.legal_latest is None for one in told)


def test_a_day_of_knowing_that_counts_is_due_earlier_and_arguable_a_day_later() -> None:
    case = _case(
        "JP", {"aware.controller": "2026-11-27T17:00+09:00"}, data_unreadable=False, unlawful_act_suspected=True
    )
    final = _owed(case)["jp.appi.final"]
    assert final.operational_due == datetime.fromisoformat("2027-01-25T23:59:59+09:00")
    assert final.legal_latest == datetime.fromisoformat("2027-01-26T23:59:59+09:00")


def test_the_gravest_chinese_grade_is_not_asked_of_who_operates_no_network_there() -> None:
    asked = {question.fact for question in questions(_case("CN", {}), LIBRARY)}
    assert "cn_incident_grade" not in asked
    operator = _case("CN", {}, organization_kinds=["cn_network_operator"])
    assert "cn_incident_grade" in {question.fact for question in questions(operator, LIBRARY)}
