"""The packs against worked examples and authorities of the research folder; skipped where that is not beside the repository."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.shared import shared
from tocsin.content.loaders import law, vectors
from tocsin.law.obligations import obligations
from tocsin.model.law import Case, Confidence, Fact, Obligation, Truth

pytestmark = pytest.mark.shared

LIBRARY = law.load()
Example = Mapping[str, Any]
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
"""For examples without any date."""

HARMS = {
    "3_49_a": "serious_health_harm",
    "3_49_b": "critical_infrastructure_disruption",
    "3_49_c": "fundamental_rights_infringement",
    "unanticipated_serious_deterioration": "unanticipated_serious_deterioration",
}
NOT_SAID = {
    **dict.fromkeys(HARMS.values(), False),
    "serious_property_harm": False,
    "serious_environment_harm": False,
    "widespread_infringement": False,
    "ai_office_competence": False,
    "provider_under_equivalent_regime": False,
    "breach_communication_excepted": False,
    "incident_ongoing": False,
    "medical_device": False,
    "public_health_threat": False,
    "cra_product_excluded": False,
    "sector_accident_reporting": False,
    "placed_on_market_on": "2026-01-15",
    "significant_design_change_on": "2026-01-15",
    "death": False,
}
"""What an example passes over in silence is not so."""
DEVICE = {"organization_kinds": ["eu_device_manufacturer"], "device_serious_incident": True}
ROLES: Mapping[str, Mapping[str, Any]] = {
    "provider": {"organization_is_provider": True},
    "deployer": {"organization_is_deployer": True},
    "provider_deployer": {"organization_is_provider": True, "organization_is_deployer": True},
    "provider_and_manufacturer": {"organization_is_provider": True, "medical_device": True, **DEVICE},
    "manufacturer": DEVICE,
    "controller": {"organization_is_controller": True},
    "financial_entity": {"dora_critical_services": True, "dora_malicious_access": True},
    "important_entity": {
        "organization_kinds": ["eu_important_entity"],
        "cyber_incident": True,
        "nis2_significant": True,
        "personal_data_breach": True,
    },
    "manufacturer_pde": {
        "organization_kinds": ["eu_digital_manufacturer"],
        "actively_exploited_vulnerability": True,
        "cra_severe_incident": True,
    },
    "critical_entity": {
        "organization_kinds": ["eu_critical_entity"],
        "cer_duty_started": True,
        "essential_service_disrupted": True,
    },
    "gpai_sr_provider": {"organization_kinds": ["eu_systemic_model_provider"]},
    "manufacturer_consumer_product": {"organization_kinds": ["eu_consumer_manufacturer"], "product_accident": True},
    "ecs_provider": {
        "organization_kinds": ["eu_telecom_provider"],
        "personal_data_breach": True,
        "breach_information_missing": True,
    },
    "ehr_manufacturer": {"organization_kinds": ["eu_ehr_manufacturer"], "ehr_serious_incident": True},
    "qualified_tsp": {"organization_kinds": ["eu_qualified_trust_service"], "trust_service_breach": True},
}
ENTITIES = {"credit_institution": "eu_credit_institution", "payment_institution": "eu_financial_entity"}
SAME = {
    "placed": "placed_on_market_on",
    "significant_design_change": "significant_design_change_on",
    "public_authority_use": "public_authority_use",
    "provider_under_equivalent_regime": "provider_under_equivalent_regime",
    "death": "death",
    "provider_reachable": "provider_reachable",
    "personal_data_breach": "personal_data_breach",
    "risk": "breach_risk",
    "cop_signatory": "gpai_code_signatory",
    "gpai_same_undertaking": "ai_office_competence",
    "ict_incident_major": "dora_critical_services",
    "critical_service_affected": "dora_critical_services",
}
"""Fact of an example -> fact of the packs, with the same values."""
DATES = {
    "aware": ("aware", "aware.provider", "aware.deployer", "aware.controller"),
    "processor_aware": ("aware.processor",),
    "threat_aware": ("aware.threat",),
    "classified_major": ("classified",),
    "corrective_measure_available": ("measure_available",),
    "resolved": ("resolved",),
    "detected": ("detected",),
    "occurred": ("occurred",),
}
STAGES = {
    ("eu.aiact.art26_5", "inform_provider"): ("eu.aiact.art26_5", "inform"),
    ("eu.aiact.art73", "report_by_deployer"): ("eu.aiact.art26_5", "report_by_deployer"),
    ("eu.aiact.art73", "report(before death)"): ("eu.aiact.art73", "report"),
    ("eu.aiact.art73", "report(after death)"): ("eu.aiact.art73", "report"),
    ("eu.gdpr.art34", "data_subjects"): ("eu.gdpr.art34", "communicate"),
    ("eu.gdpr.art33_2", "processor_to_controller"): ("eu.gdpr.art33_2", "inform"),
    ("eu.mdr.art87", "2d"): ("eu.mdr.art87", "report"),
    ("eu.gpai_cop.m9_3", "intermediate_1"): ("eu.gpai_cop.m9_3", "intermediate"),
}
"""Where a stage has another name here, or stands in another pack."""
NOT_OWED = ("not_applicable", "not_required", "not_major")
UNMAPPED = {"EU-47": "speaks of exposure to fines, which packs tell as text"}
DIFFERENT = {
    ("EU-35", "report(after death)", "latest"): datetime.fromisoformat("2028-03-13T23:59:59+01:00"),
}
"""Where the packs say something else, and what: ten days from 1 March end on Saturday 11 March, which moves to Monday 13 March. The
example's 15 March is the end under another reading, ten days from the awareness of the death."""


RECIPIENTS = {"EU-08b": "chose for that purpose", "EU-31": "AI Office", "EU-37": "Safety Business Gateway"}
"""Words of the recipient in the packs, for each example that names one."""


def examples() -> list[Example]:
    """All of them, except those that cannot be mapped."""
    read = json.loads(shared("law/vectors-eu.json").read_text(encoding="utf-8"))
    assert {one["id"] for one in read} > set(UNMAPPED)
    return [one for one in read if one["id"] not in UNMAPPED]


def expected(example: Example) -> Iterator[tuple[str, str, Example]]:
    """Regime, stage and what the example says of it; without a stage that of the first one."""
    for wanted in example["expect"]:
        regime = re.sub(r"\.(15d|10d|2d)$", "", wanted["regime"])
        stage = wanted.get("stage") or LIBRARY.by_id[regime].stages[0].id
        yield *STAGES.get((regime, stage), (regime, stage)), wanted


def answers(told: Example) -> dict[str, Any]:
    """The example's facts in the words of the packs."""
    said: dict[str, Any] = {**NOT_SAID, **ROLES[told["role"]]}
    said |= {ours: told[theirs] for theirs, ours in SAME.items() if told.get(theirs) is not None}
    said |= {HARMS[told["harm"]]: True} if told.get("harm") else {}
    kinds = list(said.get("organization_kinds", []))
    kinds += [ENTITIES[told["entity_type"]]] if "entity_type" in told else []
    if told.get("provider_under_equivalent_regime"):
        kinds.append("eu_essential_entity")
        said |= {"cyber_incident": True, "nis2_significant": True}
    if "processor" in (told.get("controller_or_processor"), "processor" * ("processor_aware" in told)):
        said["organization_is_processor"] = True
    if told.get("ict_incident_major") is False or told.get("critical_service_affected") is False:
        said["dora_recurring"] = False
    said["public_health_threat"] = "threat_aware" in told
    said["model_cyber_breach"] = told.get("trigger") == "serious_cyber_breach"
    route = str(told.get("route", "none"))
    said["eu_ai_act_route"] = route.lower().removesuffix(".mdr").removesuffix(".machinery")
    return {**said, "organization_kinds": kinds}


def dates(example: Example) -> dict[str, datetime]:
    """The example's instants by our anchors; filings for each regime that it speaks of."""
    told = example["facts"]
    found = {
        anchor: datetime.fromisoformat(told[name])
        for name, anchors in DATES.items()
        if name in told
        for anchor in anchors
    }
    for name in (key for key in told if key.endswith("_submitted")):
        stage = name.removesuffix("_submitted")
        for regime, _, _ in expected(example):
            found[f"submitted.{regime}.{stage}"] = datetime.fromisoformat(told[name])
    return found


def case(example: Example, wanted: Example) -> Case:
    """The example as a case."""
    told = example["facts"]
    said = answers(told)
    if wanted.get("stage") == "report(after death)":
        said["death"] = True
    anchors = dates(example)
    as_of = max(anchors.values(), default=NOW)
    country = {"UK": "GB"}.get(told.get("country", ""), told.get("member_state", "DE"))
    facts = {name: Fact(name, value, "example", "example", as_of) for name, value in said.items()}
    return Case(facts, anchors, (country,), as_of)


def owed(example: Example, regime: str, stage: str, wanted: Example) -> Obligation | None:
    """The one duty of that stage, if there is one."""
    alone = replace(LIBRARY, regimes=(LIBRARY.by_id[regime],))
    found = [one for one in obligations(case(example, wanted), alone, explain_no=True) if one.stage == stage]
    assert len(found) <= 1, "one country, one duty"
    return next(iter(found), None)


def differences(example: Example) -> Iterator[str]:
    """Where the packs say something else than the example, apart from the known differences."""
    for regime, stage, wanted in expected(example):
        found = owed(example, regime, stage, wanted)
        where = f"{example['id']} {regime}.{stage}"
        if wanted.get("status") in NOT_OWED:
            if found is not None and found.truth is not Truth.NO:
                yield f"{where}: {found.truth}, should not be owed"
            continue
        if found is None or found.truth is not Truth.YES:
            yield f"{where}: {found and found.truth}, should be owed"
            continue
        for name, is_, should in instants(found, wanted):
            if is_ != DIFFERENT.get((example["id"], str(wanted.get("stage")), name), should):
                yield f"{where}: {name} is {is_}, should be {should}"


def instants(found: Obligation, wanted: Example) -> Iterator[tuple[str, datetime | None, datetime | None]]:
    """What is computed and what the example says, for each instant that it speaks of."""
    computed = {
        "operational_due": ("due", found.operational_due),
        "due": ("due", found.operational_due),
        "legal_latest": ("latest", found.legal_latest),
        "benchmark": ("benchmark", found.benchmarks[-1].at if found.benchmarks else None),
    }
    for key, (name, is_) in computed.items():
        if key in wanted:
            yield name, is_, datetime.fromisoformat(wanted[key]) if wanted[key] else None


def test_every_worked_example_gives_what_it_says() -> None:
    read = examples()
    assert len(read) >= 40
    assert [line for example in read for line in differences(example)] == []


def test_those_whom_an_example_names_are_told() -> None:
    named = {}
    for example in examples():
        for regime, stage, wanted in expected(example):
            if "recipient" in wanted:
                found = owed(example, regime, stage, wanted)
                named[example["id"]] = "; ".join(one.name for one in found.recipients) if found else ""
    assert set(named) == set(RECIPIENTS)
    assert [key for key, words in RECIPIENTS.items() if words not in named[key]] == []


def test_each_instant_of_the_examples_is_one_of_the_packs_own_cases() -> None:
    missing = []
    for example in examples():
        for regime, stage, wanted in expected(example):
            at = wanted.get("operational_due")
            if at and not has_case(regime, stage, datetime.fromisoformat(at)):
                missing.append(f"{example['id']} {regime}.{stage}: {at}")
    assert missing == []


def has_case(regime: str, stage: str, due: datetime) -> bool:
    """Whether a case of the pack itself expects the instant for the stage."""
    return any(
        name.split("@")[0] == stage and one.due == due
        for vector in vectors.load(regime)
        for name, one in vector.expect.items()
    )


REGISTERS = {"ai_act_msa": "market_surveillance", "dpa": "data_protection", "csirt": "csirt", "sector": "sector"}


def authorities() -> Iterator[tuple[str, str, str, Confidence]]:
    """Country, register, name and confidence of each authority that was found."""
    read = json.loads(shared("law/eu-authorities.json").read_text(encoding="utf-8"))
    for country, entry in read.items():
        for one in entry.get("authorities", ()):
            if one.get("status") != "not_applicable":
                yield country, REGISTERS[one["role"]], one["name"], Confidence(one["confidence"])


def test_every_authority_that_was_found_is_in_the_registers_with_its_confidence() -> None:
    found = list(authorities())
    assert len({country for country, *_ in found}) == 33
    missing = [
        f"{country} {register}: {name} [{confidence}]"
        for country, register, name, confidence in found
        if not any(
            one.name.startswith(name) and one.confidence is confidence
            for one in LIBRARY.places[country].registers.get(register, ())
        )
    ]
    assert missing == []


def test_every_register_of_the_authorities_is_one_that_some_pack_tells() -> None:
    told = {regime.register for regime in LIBRARY.regimes}
    told |= {stage.register for regime in LIBRARY.regimes for stage in regime.stages}
    assert {register for _, register, _, _ in authorities()} <= told
