"""The shipped forms: read whole, true to the published field list, and every field can be filled by somebody."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from tests.shared import shared
from tocsin.content.loaders import forms, law
from tocsin.model.errors import UsageFault
from tocsin.model.law import ANCHORS
from tocsin.report.forms import NEEDED, SEPARATOR, Field, Form, Stage, answerable, fill
from tocsin.report.structured import structured
from tocsin.service.filling import BOXES

ART73 = "eu.aiact.art73/draft-template-1.0.0"


def _forms() -> list[Form]:
    return [forms.load(name) for name in forms.names()]


def test_the_form_of_article_73_is_there() -> None:
    assert ART73 in forms.names()


def test_an_unknown_form_is_told_what_there_is() -> None:
    with pytest.raises(UsageFault, match="there is no form 'eu/none'") as told:
        forms.load("eu/none")
    assert ART73 in told.value.remedy


@pytest.mark.parametrize("form", _forms(), ids=lambda form: form.id)
class TestEveryForm:
    def test_its_id_is_its_place(self, form: Form) -> None:
        regime, _, name = form.id.partition("/")
        assert files("tocsin.content").joinpath("law", regime, "forms", f"{name}.yaml").is_file()

    def test_it_says_where_it_comes_from(self, form: Form) -> None:
        assert form.source.url.startswith("https://")
        assert form.source.instrument
        assert form.status
        assert len(form.digest) == 64

    def test_no_field_stands_twice(self, form: Form) -> None:
        labels = [(field.no, field.label) for section in form.sections for field in section.fields]
        assert len(set(labels)) == len(labels)

    def test_fields_belong_to_their_section_or_are_numbered_through_the_form(self, form: Form) -> None:
        assert all(section.fields for section in form.sections)
        inside = [f.no.split(".")[0] == section.no for section in form.sections for f in section.fields]
        through = [int(f.no.strip("iv").split(".")[0]) for f in form.fields()]
        assert all(inside) or through == sorted(set(through))

    def test_options_stand_where_one_chooses(self, form: Form) -> None:
        for field in form.fields():
            assert bool(field.options) == (field.type in ("choice", "boxes"))
            assert len(set(field.options)) == len(field.options)
            assert not any(SEPARATOR in option for option in field.options)
            assert set(field.by_stage.values()) <= set(field.options)

    def test_conditions_are_told_and_rest_on_a_field_of_the_form(self, form: Form) -> None:
        options = {field.source: field.options for field in form.fields()}
        for field in form.fields():
            source, wanted = field.given
            assert set(wanted) <= set(options.get(source, ()))
            assert bool(source) == bool(wanted)
            assert field.needed_if or not source
            assert not field.otherwise or field.otherwise != field.source

    def test_a_source_means_one_thing(self, form: Form) -> None:
        kinds: dict[str, set[tuple[str, ...]]] = {}
        for field in form.fields():
            if answerable(field):
                kinds.setdefault(field.source, set()).add((field.type.replace("long", "text"), *field.options))
        assert {source: found for source, found in kinds.items() if len(found) > 1} == {}

    def test_what_the_record_fills_is_known_to_the_law(self, form: Form) -> None:
        named = {field.source.split(".", 1)[1].split(".")[0] for field in form.fields() if field.source[:5] == "date."}
        assert named <= set(ANCHORS)
        facts = {field.source.removeprefix("fact.") for field in form.fields() if field.source[:5] == "fact."}
        assert facts <= set(law.load().facts)

    @pytest.mark.parametrize("stage", NEEDED)
    def test_every_field_can_be_filled(self, form: Form, stage: Stage) -> None:
        filled = fill(form, _answers(form), stage, {})
        assert [gap for gap in filled.gaps() if "asked for only" not in gap] == []
        assert structured(form, filled) if form.schema else True


def _answers(form: Form) -> dict[str, Any]:
    """A value for every field. Where fields ask for different options of one choice, the first is chosen."""
    values = {field.source: _example(field) for field in form.fields()}
    types = {field.source: field.type for field in form.fields()}
    wanted: dict[str, list[str]] = {}
    for field in form.fields():
        wanted.setdefault(field.given[0], []).extend(field.given[1][:1])
    for source in set(wanted) - {""}:
        options = dict.fromkeys(wanted[source])
        values[source] = "; ".join(options) if types[source] == "boxes" else next(iter(options))
    return values


EXAMPLES = {
    r"\d{1,3}:([01]\d|2[0-3]):[0-5]\d": "2:06:30",
    r"(100\.0|\d{1,2}\.\d)": "12.5",
    r"[A-Z0-9]{18}[0-9]{2}": "5299000J2N45DDNE4Y28",
    r"[A-Z]{3}": "EUR",
    r"[A-Z]{2}(, ?[A-Z]{2})*": "DE, FR",
    r"CVE-\d{4}-\d{4,}": "CVE-2026-12345",
    r"EUVD-\d{4}-\d+": "EUVD-2026-12345",
    r"\d+": "412",
}
"""A value of every pattern that a form has."""
PLAIN = {"number": "412", "date": "2026-11-24", "datetime": "2026-11-24T09:00+01:00"}


def _example(field: Field) -> Any:
    if field.source.startswith("date."):
        return datetime(2026, 11, 24, 9, tzinfo=UTC)
    if field.options:
        return field.options[0]
    return EXAMPLES[field.pattern] if field.pattern else PLAIN.get(field.type, "said")


def _published(name: str) -> Any:
    return json.loads(shared(f"law/forms/{name}.json").read_text(encoding="utf-8"))


def test_every_form_that_a_stage_names_is_there() -> None:
    named = {stage.form for regime in law.load().regimes for stage in regime.stages if stage.form}
    assert named <= set(forms.names())


def test_a_form_serves_stages_that_name_it() -> None:
    for regime in law.load().regimes:
        for stage in regime.stages:
            serves = forms.load(stage.form).serves if stage.form else {}
            assert not serves or stage.id in serves, f"{stage.form} does not say which report {stage.id} is"


class TestDora:
    FORM = "eu.dora.art19/its-2025-302"

    def test_its_76_fields_have_the_numbers_names_and_options_of_the_annexes(self) -> None:
        published = _published("dora-its-2025-302")["major_incident"]
        fields = forms.load(self.FORM).fields()
        assert len(fields) == 76
        assert [(f.no, f.label) for f in fields] == [(entry["no"], entry["name"]) for entry in published]
        for field, entry in zip(fields, published, strict=True):
            assert list(field.options) == (["Yes", "No"] if entry["type"] == "bool" else entry["options"])
            assert (field.type == "boxes") == (entry["type"] == "multi")
            assert (field.type == "datetime") == (entry["type"] == "datetime_utc")

    @pytest.mark.parametrize(
        ("column", "stage"), [("initial", "initial"), ("intermediate", "follow_up"), ("final", "final")]
    )
    def test_each_stage_requires_what_its_column_requires(self, column: str, stage: Stage) -> None:
        published = _published("dora-its-2025-302")["major_incident"]
        wanted = {entry["no"] for entry in published if entry[column] == "yes"}
        unconditional = {f.no for f in forms.load(self.FORM).fields() if not f.needed_if}
        assert {f.no for f in forms.load(self.FORM).fields() if f.required in NEEDED[stage]} & unconditional == wanted
        conditional = {entry["no"] for entry in published if entry[column].startswith("conditional")} - {"2.10"}
        asked = {f.no for f in forms.load(self.FORM).fields() if f.required in NEEDED[stage] and f.needed_if}
        assert asked == conditional

    def test_a_cyber_threat_has_the_20_fields_of_its_annexes(self) -> None:
        published = _published("dora-its-2025-302")["cyber_threat"]
        fields = forms.load("eu.dora.art19/cyber-threat-2025-302").fields()
        assert [(f.no, f.label) for f in fields] == [(entry["no"], entry["name"]) for entry in published]
        assert {f.no for f in fields if not f.needed_if} == {e["no"] for e in published if e["mandatory"] == "yes"}
        entities = next(f for f in forms.load(self.FORM).fields() if f.no == "1.4").options
        assert next(f for f in fields if f.no == "3").options == entities

    def test_every_field_has_its_own_place_in_the_json(self) -> None:
        places = [field.export.path for field in forms.load(self.FORM).fields() if field.export]
        assert len(places) == len(set(places)) == 76

    def test_the_members_of_the_json_are_those_of_the_schema(self) -> None:
        ends = {f.no: f.export.path.rpartition(".")[2] for f in forms.load(self.FORM).fields() if f.export}
        assert ends == dict(line.split() for line in MEMBERS.strip().splitlines())


MEMBERS = """
1.1 incidentSubmission
1.2 name
1.3 code
1.4 affectedEntityType
1.5 name
1.6 LEI
1.7 name
1.8 email
1.9 phone
1.10 name
1.11 email
1.12 phone
1.13 name
1.14 LEI
1.15 reportCurrency
2.1 financialEntityCode
2.2 detectionDateTime
2.3 classificationDateTime
2.4 incidentDescription
2.5 classificationTypes[classificationCriterion]
2.6 countryCodeMaterialityThresholds
2.7 incidentDiscovery
2.8 originatesFromThirdPartyProvider
2.9 isBusinessContinuityActivated
2.10 otherInformation
3.1 competentAuthorityCode
3.2 incidentOccurrenceDateTime
3.3 serviceRestorationDateTime
3.4 number
3.5 percentage
3.6 number
3.7 percentage
3.8 hasImpactOnRelevantClients
3.9 number
3.10 percentage
3.11 valueOfAffectedTransactions
3.12 numbersActualEstimate
3.13 reputationalImpactType
3.14 reputationalImpactDescription
3.15 incidentDuration
3.16 serviceDowntime
3.17 informationDurationServiceDowntimeActualOrEstimate
3.18 memberStatesImpactType
3.19 memberStatesImpactTypeDescription
3.20 dataLosseMaterialityThresholds
3.21 dataLossesDescription
3.22 criticalServicesAffected
3.23 incidentClassification
3.24 otherIncidentClassification
3.25 threatTechniques
3.26 otherThreatTechniques
3.27 affectedFunctionalAreas
3.28 isAffectedInfrastructureComponents
3.29 affectedInfrastructureComponents
3.30 isImpactOnFinancialInterest
3.31 reportingToOtherAuthorities
3.32 reportingToOtherAuthoritiesOther
3.33 isTemporaryActionsMeasuresForRecovery
3.34 descriptionOfTemporaryActionsMeasuresForRecovery
3.35 indicatorsOfCompromise
4.1 rootCauseHLClassification
4.2 rootCausesDetailedClassification
4.3 rootCausesAdditionalClassification
4.4 rootCausesOther
4.5 rootCausesInformation
4.6 incidentResolutionSummary
4.7 rootCauseAddressingDateTime
4.8 incidentResolutionDateTime
4.9 incidentResolutionVsPlannedImplementation
4.10 assessmentOfRiskToCriticalFunctions
4.11 informationRelevantToResolutionAuthorities
4.12 economicImpactMaterialityThreshold
4.13 grossAmountIndirectDirectCosts
4.14 financialRecoveriesAmount
4.15 recurringNonMajorIncidentsDescription
4.16 recurringIncidentDate
"""
"""Field of the annexes -> member of IR-1.2, read from the schema by hand."""


class TestGdpr:
    FORM = "eu.gdpr.art33/edpb-draft-1.0"

    def test_its_100_fields_stand_in_seven_sections_with_their_names_and_options(self) -> None:
        published = _published("edpb-breach-template-v1")["fields"]
        fields = forms.load(self.FORM).fields()
        assert (len(fields), len(forms.load(self.FORM).sections)) == (100, 7)
        for field, entry in zip(fields, published, strict=True):
            assert (field.no, field.label) == (str(entry["no"]), entry["name"].rstrip("*").replace("  ", " "))
            if field.no not in ("29", "45", "118", "123"):
                assert list(field.options) == entry["options"], field.no

    def test_what_is_mandatory_is_a_gap_and_what_is_optional_is_none(self) -> None:
        published = {str(entry["no"]): entry["mandatory"] for entry in _published("edpb-breach-template-v1")["fields"]}
        for field in forms.load(self.FORM).fields():
            assert (published[field.no] == "no") == (field.required == "optional"), field.no
            if published[field.no] == "yes" and not field.needed_if:
                assert field.required == "always"

    def test_awareness_is_that_of_the_controller(self) -> None:
        sources = {field.no: field.source for field in forms.load(self.FORM).fields()}
        assert sources["48"] == "date.aware.controller"

    def test_an_initial_report_is_a_new_and_incomplete_notification(self) -> None:
        kind, completeness = forms.load(self.FORM).fields()[:2]
        assert (kind.by_stage["initial"], completeness.by_stage["initial"]) == ("New Notification", "Incomplete")
        assert (kind.by_stage["final"], completeness.by_stage["final"]) == ("Follow-Up Notification", "Complete")
        assert completeness.by_stage["withdrawn"] == "Withdraw"


class TestCra:
    @pytest.mark.parametrize(("form", "kind", "count"), [("vuln", "aev", 30), ("incident", "si", 27)])
    def test_the_fields_of_the_platform_with_their_status_per_stage(self, form: str, kind: str, count: int) -> None:
        published = {e["no"]: e for e in _published("cra-srp-fields")["fields"] if e["applies"] in ("both", kind)}
        fields = {field.no: field for field in forms.load(f"eu.cra.art14.{form}/srp").fields()}
        assert list(fields) == list(published)
        assert len(fields) == count
        for no, entry in published.items():
            asked = {s for s in ("initial", "follow_up", "final") if fields[no].required in NEEDED[s]}  # type: ignore[index]
            columns = {"initial": "early_warning", "follow_up": "notification", "final": "final"}
            assert {s for s, column in columns.items() if entry[column].startswith("required")} <= asked, no
            if "required" not in (entry["early_warning"], entry["notification"]) and no not in ("16", "17"):
                assert "follow_up" not in asked

    def test_measures_are_asked_for_after_72_hours_as_article_14_does(self) -> None:
        for name in ("vuln", "incident"):
            fields = {field.no: field.required for field in forms.load(f"eu.cra.art14.{name}/srp").fields()}
            assert (fields["16"], fields["17"]) == ("later", "later")

    def test_texts_have_the_length_that_the_platform_takes(self) -> None:
        lengths = {field.no: field.longest for field in forms.load("eu.cra.art14.vuln/srp").fields() if field.longest}
        assert (lengths["2"], lengths["3"], lengths["16"], lengths["v27"], lengths["v30"]) == (
            255,
            4000,
            2000,
            100,
            800,
        )


class TestGpai:
    def test_it_has_the_ten_fields_and_what_evidences_the_clock(self) -> None:
        form = forms.load("eu.aiact.art55_1c/gpai-template-2025-11-04")
        published = {str(entry["no"]) for entry in _published("gpai-serious-incident-template")["fields"]}
        assert {section.no for section in form.sections} == published | {"11"}
        assert [(f.source, f.type) for f in form.sections[-1].fields] == [
            ("date.aware", "datetime"),
            ("report.date", "datetime"),
        ]


def test_a_form_says_openly_what_nobody_has_confirmed() -> None:
    for name in ("us.hipaa.hhs_500/breach-report", "kr.pipa/leak-report"):
        assert "UNCONFIRMED" in forms.load(name).status


class TestArticle73:
    def test_its_numbers_and_options_are_those_of_the_draft(self) -> None:
        published = json.loads(shared("law/forms/aiact-art73-draft-template.json").read_text(encoding="utf-8"))
        numbers = {field.no.rstrip("abc") if field.no.startswith("4.2") else field.no for field in _fields()}
        assert {entry["no"] for entry in published["fields"]} == numbers
        options = {field.no: list(field.options) for field in _fields() if field.no in ("1.2e", "1.2g", "1.3.1")}
        assert options == {entry["no"]: entry["options"] for entry in published["fields"] if "options" in entry}

    def test_there_are_eight_boxes(self) -> None:
        (boxes,) = [field for field in _fields() if field.type == "boxes"]
        assert len(boxes.options) == 8
        assert set(BOXES.values()) < set(boxes.options)

    def test_every_stage_has_its_type_of_report(self) -> None:
        (kind,) = [field for field in _fields() if field.source == "report.type"]
        assert set(kind.by_stage) == set(NEEDED)
        assert sorted(kind.by_stage.values()) == sorted(kind.options)

    def test_it_says_that_it_is_a_draft_and_admits_nothing(self) -> None:
        form = forms.load(ART73)
        assert "Not yet binding" in form.status
        assert any("not an admission of liability" in notice for notice in form.notices)

    def test_every_box_is_ticked_by_a_fact_that_the_law_asks_for(self) -> None:
        assert set(BOXES) <= set(law.load().facts)


def _fields() -> list:  # type: ignore[type-arg]
    return [field for section in forms.load(ART73).sections for field in section.fields]
