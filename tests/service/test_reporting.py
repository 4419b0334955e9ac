"""Reports: filled from what is recorded, sealed as the very bytes on disk, filed once, and comparable version by version."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from tests.service.banks import ASSISTANT, CREDIT, START, bank, found, record
from tocsin.content.loaders import forms
from tocsin.incident.folding import stream
from tocsin.model.errors import EnvironmentFault, Refused, TocsinError, UsageFault
from tocsin.model.finding import Category
from tocsin.model.law import Obligation
from tocsin.report.forms import Stage
from tocsin.service import duties, filling, incidents, remediating
from tocsin.service.desk import Desk, open_desk
from tocsin.service.reporting import Prepared, answer, duty_of, filed, prepare
from tocsin.service.triage import triage

NAME, FORM = "INC-2026-0001", "eu.aiact.art73/draft-template-1.0.0"
DORA = "eu.dora.art19/its-2025-302"
HOUR = timedelta(hours=1)


def _opened(desk: Desk) -> None:
    record(desk, found())
    triage(desk)
    incidents.acknowledge(desk, NAME)


def _serious(desk: Desk) -> None:
    _opened(desk)
    for fact, text in (("fundamental_rights_infringement", "yes"), ("death", "no"), ("people_affected", "412")):
        duties.answer(desk, NAME, fact, text)


def _fields(made: Prepared) -> dict[str, dict[str, Any]]:
    path = next(Path(name) for name in made.files if name.endswith(".json"))
    body = json.loads(path.read_bytes())
    return {entry["source"]: entry for section in body["sections"] for entry in section["fields"]}


class TestPreparing:
    def test_the_bytes_on_disk_are_the_bytes_that_were_sealed(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            made = prepare(desk, NAME, FORM)
            paths = [Path(name) for name in made.files]
            base = desk.root / "reports" / f"{NAME}-eu.aiact.art73-v1"
            assert paths == [base.with_name(base.name + ".pdf"), base.with_name(base.name + ".json")]
            sealed = {desk.evidence.unseal(pointer) for pointer in made.evidence}
            assert sealed == {path.read_bytes() for path in paths}
            assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}

    def test_the_incident_remembers_version_stage_files_and_gaps(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            made = prepare(desk, NAME, FORM, "follow_up")
            (kept,) = incidents.find(desk, NAME).reports
            assert (kept.form, kept.version, kept.stage, kept.at, kept.author) == (
                FORM, 1, "follow_up", clock.now, "okafor")  # fmt: skip
            assert (set(kept.files), kept.gaps, kept.filed_at) == (
                {"application/pdf", "application/json"},
                made.gaps,
                None,
            )

    def test_versions_count_on_and_old_ones_stay(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            assert [prepare(desk, NAME, FORM).version for _ in range(3)] == [1, 2, 3]
            assert len(list((desk.root / "reports").iterdir())) == 6

    def test_another_folder_may_be_named(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            made = prepare(desk, NAME, FORM, out=tmp_path / "for-the-authority")
            assert {Path(name).parent for name in made.files} == {tmp_path / "for-the-authority"}

    def test_a_folder_that_cannot_be_written_is_told_and_the_seal_stays(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            (tmp_path / "file").write_text("x", encoding="utf-8")
            with pytest.raises(EnvironmentFault):
                prepare(desk, NAME, FORM, out=tmp_path / "file")
            (kept,) = incidents.find(desk, NAME).reports
            assert desk.evidence.unseal(kept.files["application/pdf"]).startswith(b"%PDF")

    def test_unknown_incident_form_and_country_are_told(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            with pytest.raises(UsageFault, match="INC-2026-0007"):
                prepare(desk, "INC-2026-0007", FORM)
            with pytest.raises(UsageFault, match="there is no form 'tax'"):
                prepare(desk, NAME, "tax")
            with pytest.raises(UsageFault, match="nothing is owed in 'PL' on this form"):
                prepare(desk, NAME, FORM, country="PL")
            assert incidents.find(desk, NAME).reports == ()


class TestContent:
    def test_fields_are_filled_from_incident_inventory_policy_and_duty(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _serious(desk)
            fields = _fields(prepare(desk, NAME, FORM, country="DE"))
            shown = {source: entry["value"] for source, entry in fields.items()}
            expected = {
                "authority.country": "DE",
                "report.date": "2026-11-02",
                "date.occurred": "2026-11-02",
                "date.aware.provider": "2026-11-02",
                "report.type": "Initial",
                "report.next": "2026-11-16",
                "classification.boxes": "Infringement of obligations under Union law intended to protect fundamental rights",
                "submitter.role": "Provider",
                "provider.organisation": "Nordhafen Bank AG",
                "provider.contact": "Deniz Yilmaz",
                "provider.email": "d.yilmaz@nordhafen.example",
                "system.name": "Consumer credit scoring",
                "system.route": "AI Act, Annex III, point 5",
                "system.version": "2.3.0",
                "incident.people_affected": "412",
                "incident.initial_reporter": "Automatic detection by the organization's own monitoring",
            }
            assert {source: shown[source] for source in expected} == expected
            assert "Bundesnetzagentur" in shown["authority.name"]

    def test_times_stand_in_the_zone_of_the_authority(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _serious(desk)
            assert (
                _fields(prepare(desk, NAME, FORM, country="DE"))["date.detected"]["value"] == "2026-11-02 13:00+01:00"
            )

    def test_the_nature_is_what_the_detectors_explain(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            assert _fields(prepare(desk, NAME, FORM))["incident.nature"]["value"] == "finding f1\nThe rate differs."

    def test_cause_and_actions_fill_the_analysis(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            remediating.record_cause(desk, NAME, "part-time work as risk")
            remediating.record_action(desk, NAME, "2.2.0 back", START)
            remediating.record_action(desk, NAME, "refusals reviewed")
            fields = _fields(prepare(desk, NAME, FORM, "final"))
            assert fields["analysis.cause"]["value"] == "part-time work as risk"
            actions = "2.2.0 back (effective 2026-11-02 12:00 UTC)\nrefusals reviewed"
            assert fields["incident.remedial_actions"]["value"] == fields["analysis.actions"]["value"] == actions

    def test_who_reported_a_declared_incident_is_named(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            incidents.declare(desk, CREDIT, "a complaint", Category.BIAS)
            assert _fields(prepare(desk, NAME, FORM))["incident.initial_reporter"]["value"] == "Chidi Okafor"

    def test_a_deployer_does_not_speak_as_the_provider(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            incidents.declare(desk, ASSISTANT, "a leak", Category.DATA_LEAKAGE)
            system = replace(desk.system(ASSISTANT), organization_role="deployer")
            systems = {**desk.workspace.systems, ASSISTANT: system}
            other = replace(desk, workspace=replace(desk.workspace, systems=systems))
            fields = _fields(prepare(other, NAME, FORM))
            assert fields["submitter.role"]["value"] == "Deployer"
            assert fields["provider.contact"]["gap"] == "not known yet"

    def test_what_nobody_said_is_a_gap_and_can_be_answered(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _serious(desk)
            first = prepare(desk, NAME, FORM, country="DE")
            assert "incident.operator" in first.answerable
            assert "3.2 Operator: not known yet" in first.gaps
            state = answer(desk.acting("yilmaz"), NAME, FORM, "incident.operator", "Professional user")
            assert state.facts["form.incident.operator"].author == "yilmaz"
            second = prepare(desk, NAME, FORM, country="DE")
            assert "incident.operator" not in second.answerable
            assert _fields(second)["incident.operator"]["ticked"] == ["Professional user"]
            assert len(second.gaps) == len(first.gaps) - 1

    def test_every_gap_of_a_final_report_can_be_closed(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _serious(desk)
            remediating.record_cause(desk, NAME, "cause")
            remediating.record_action(desk, NAME, "action", START)
            fields = _fields(first := prepare(desk, NAME, FORM, "final", "DE"))
            for source in first.answerable:
                answer(desk, NAME, FORM, source, (fields[source]["options"] or ["said"])[0])
            assert prepare(desk, NAME, FORM, "final", "DE").gaps == ()

    def test_an_answer_that_does_not_suit_changes_nothing(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            before = desk.ledger.size()
            with pytest.raises(UsageFault, match="not one of the options"):
                answer(desk, NAME, FORM, "incident.operator", "robot")
            assert desk.ledger.size() == before

    def test_the_heading_tells_duty_recipient_and_clock(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _serious(desk)
            made = prepare(desk, NAME, FORM, country="DE")
            heading = json.loads(Path(made.files[1]).read_bytes())["heading"]
            assert heading["Incident"] == f"{NAME}, finding f1"
            assert heading["Prepared"] == "2026-11-02 13:00 CET, by Chidi Okafor"
            assert heading["Status of the duty"] == "not applicable yet: the deadline is shown as a rehearsal"
            assert heading["Clock started"] == "2026-11-02 13:00 CET (awareness of the provider)"
            assert heading["Due"].startswith("2026-11-17 23:59 CET")
            assert made.obligation.endswith("@DE")


class TestWithdrawal:
    def test_a_report_that_takes_one_back_says_so_and_asks_why(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            made = prepare(desk, NAME, FORM, "withdrawn")
            assert _fields(made)["report.type"]["value"] == "Final (Non-reportable incident)"
            assert "4.2b Rationale if not reportable: not known yet" in made.gaps


class TestSubmission:
    """Where the authorities of a form take a JSON of their own, it is written and sealed beside the form."""

    def test_it_stands_beside_the_form_and_is_sealed(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            made = prepare(desk, NAME, DORA)
            assert [Path(name).name for name in made.files] == [
                f"{NAME}-eu.dora.art19-v1{suffix}" for suffix in (".pdf", ".json", ".submission.json")
            ]
            (kept,) = incidents.find(desk, NAME).reports
            sealed = desk.evidence.unseal(kept.files["application/vnd.tocsin.submission+json"])
            assert sealed == Path(made.files[2]).read_bytes()

    def test_it_says_what_is_known_in_the_members_of_its_schema(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            incidents.set_date(desk, NAME, "aware", START, "")
            incidents.set_date(desk, NAME, "classified", clock.move(hours=1), "")
            for source, text in (
                ("organisation.lei", "5299000J2N45DDNE4Y28"),
                ("organisation.financial_entity_type", "credit institution"),
                ("dora.currency", "EUR"),
                ("dora.criteria", "data losses; critical services affected"),
                ("dora.data_losses", "integrity"),
                ("dora.discovery", "monitoring systems"),
                ("dora.continuity_plan", "No"),
            ):
                answer(desk, NAME, DORA, source, text)
            made = prepare(desk, NAME, DORA)
            body = json.loads(Path(made.files[2]).read_bytes())
            assert body == {
                "incidentSubmission": "initial_notification",
                "reportCurrency": "EUR",
                "submittingEntity": {
                    "name": "Nordhafen Bank AG",
                    "LEI": "5299000J2N45DDNE4Y28",
                    "entityType": "SUBMITTING_ENTITY",
                },
                "affectedEntity": [
                    {
                        "name": "Nordhafen Bank AG",
                        "LEI": "5299000J2N45DDNE4Y28",
                        "affectedEntityType": ["credit_institution"],
                        "entityType": "AFFECTED_ENTITY",
                    }
                ],
                "primaryContact": {
                    "name": "Deniz Yilmaz",
                    "email": "d.yilmaz@nordhafen.example",
                    "phone": body["primaryContact"]["phone"],
                },
                "incident": {
                    "financialEntityCode": NAME,
                    "detectionDateTime": "2026-11-02T12:00:00Z",
                    "classificationDateTime": "2026-11-02T13:00:00Z",
                    "incidentDescription": "finding f1\nThe rate differs.",
                    "classificationTypes": [
                        {"classificationCriterion": "data_losses"},
                        {"classificationCriterion": "critical_services_affected"},
                    ],
                    "incidentDiscovery": "monitoring_systems",
                    "isBusinessContinuityActivated": False,
                },
            }
            assert {gap.split(" ")[0] for gap in made.gaps} == {"1.10", "1.11", "1.12"}
            later = json.loads(Path(prepare(desk, NAME, DORA, "follow_up").files[2]).read_bytes())
            assert later["incident"]["classificationTypes"][0] == {
                "classificationCriterion": "data_losses",
                "dataLosseMaterialityThresholds": ["integrity"],
            }

    def test_a_stage_names_the_gaps_of_its_own_columns(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            gaps = {stage: prepare(desk, NAME, DORA, stage).gaps for stage in ("initial", "follow_up", "final")}  # type: ignore[arg-type]
            assert not any(gap.startswith(("3.", "4.")) for gap in gaps["initial"])
            assert any(gap.startswith("3.23 ") for gap in gaps["follow_up"])
            assert not any(gap.startswith("4.") for gap in gaps["follow_up"])
            assert set(gaps["initial"]) < set(gaps["follow_up"]) < set(gaps["final"])

    def test_other_forms_have_none(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            assert len(prepare(desk, NAME, FORM).files) == 2


class TestDuty:
    """Among several duties of one form it is that of the stage, then one that is open, then one with a deadline."""

    def _chosen(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, stage: Stage, *owed: Obligation) -> str:
        incident = incidents.find(desk, NAME)
        whole = duties.of(desk, incident)
        monkeypatch.setattr(duties, "of", lambda *_, **__: replace(whole, obligations=owed))
        form = replace(forms.load(FORM), serves={"early": "initial", "notice": "follow_up", "final": "final"})
        found = duty_of(desk, incident, form, stage, "")
        return found.id if found else ""

    def _owed(self, desk: Desk) -> list[Obligation]:
        """Three stages; only the first has run already."""
        first = next(o for o in duties.of(desk, incidents.find(desk, NAME)).obligations if o.form == FORM)
        late = replace(first, operational_due=None)
        return [
            replace(first, id="a", stage="early"),
            replace(late, id="b", stage="notice"),
            replace(late, id="c", stage="final"),
        ]

    @pytest.mark.parametrize(("stage", "chosen"), [("initial", "a"), ("follow_up", "b"), ("final", "c")])
    def test_it_is_that_of_the_stage(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage, chosen: str
    ) -> None:
        with bank(tmp_path) as (desk, _):
            _serious(desk)
            assert self._chosen(desk, monkeypatch, stage, *self._owed(desk)) == chosen

    def test_it_is_one_that_is_not_discharged(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with bank(tmp_path) as (desk, _):
            _serious(desk)
            first = self._owed(desk)[0]
            done = replace(first, id="done", discharged_at=START)
            assert self._chosen(desk, monkeypatch, "initial", done, first) == "a"
            assert self._chosen(desk, monkeypatch, "initial", done) == "done"

    def test_it_is_one_with_a_deadline(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with bank(tmp_path) as (desk, _):
            _serious(desk)
            first = self._owed(desk)[0]
            vague = replace(first, id="vague", operational_due=None)
            assert self._chosen(desk, monkeypatch, "initial", vague, first) == "a"

    def test_there_may_be_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with bank(tmp_path) as (desk, _):
            _serious(desk)
            assert self._chosen(desk, monkeypatch, "initial") == ""


class TestFiling:
    def test_the_file_that_was_handed_in_is_one_that_was_sealed(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            made = prepare(desk, NAME, FORM)
            self._filed(desk, file=Path(made.files[0]))
            (event,) = [e for e in desk.ledger.read(stream(NAME)) if e.kind == "report_filed"]
            assert event.data["handed_in"] == made.evidence[0]

    def test_a_file_with_other_bytes_is_refused(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            path = Path(prepare(desk, NAME, FORM).files[1])
            path.write_bytes(path.read_bytes().replace(b"Initial", b"Finally"))
            with pytest.raises(Refused, match=r"v1\.json is not what was sealed as version 1"):
                self._filed(desk, file=path)
            with pytest.raises(EnvironmentFault, match="No such file"):
                self._filed(desk, file=tmp_path / "nowhere")
            assert incidents.find(desk, NAME).reports[0].filed_at is None

    def _filed(self, desk: Desk, **changes: Any) -> Any:
        given = {"version": 1, "at": desk.clock(), "recipient": "Bundesnetzagentur", "because": "initial"} | changes
        return filed(desk, NAME, FORM, **given)

    def test_a_filing_discharges_its_duty_from_then_on(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _serious(desk)
            made = prepare(desk, NAME, FORM, country="DE")
            clock.move(hours=2)
            state = self._filed(desk, at=START + HOUR)
            assert state.reports[0].filed_at == START + HOUR
            assert state.dates[f"submitted.{made.obligation}"] == START + HOUR
            (event,) = [e for e in desk.ledger.read(stream(NAME)) if e.kind == "report_filed"]
            assert (event.data["recipient"], event.data["because"]) == ("Bundesnetzagentur", "initial")

    def test_gaps_need_a_reason(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            made = prepare(desk, NAME, FORM)
            with pytest.raises(Refused, match="the report has gaps") as told:
                self._filed(desk, because=" ")
            assert told.value.missing == made.gaps
            assert "tocsin report answer" in told.value.remedy

    def test_a_version_is_filed_once(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            prepare(desk, NAME, FORM)
            self._filed(desk)
            with pytest.raises(Refused, match="was filed already, on 2026-11-02 12:00 UTC"):
                self._filed(desk)

    def test_two_people_at_once_file_it_once(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            prepare(desk, NAME, FORM)
            gate, told = Barrier(4), list[str]()

            def hand_in() -> None:
                with open_desk(desk.root, "yilmaz", clock) as own:
                    gate.wait()
                    try:
                        self._filed(own)
                    except TocsinError as error:
                        told.append(type(error).__name__)

            threads = [Thread(target=hand_in) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [e.kind for e in desk.ledger.read(stream(NAME))].count("report_filed") == 1
            assert told == ["Refused"] * 3

    @pytest.mark.parametrize(
        ("changes", "what"),
        [
            ({"version": 2}, f"{NAME} has no version 2 of {FORM}"),
            ({"recipient": " "}, "a filing needs its recipient"),
            ({"at": START + HOUR}, "cannot lie in the future"),
            ({"at": START.replace(tzinfo=None)}, "needs a zone"),
            ({"at": START - HOUR}, f"version 1 of {FORM} was prepared on 2026-11-02 12:00 UTC, after that"),
        ],
    )
    def test_mistakes_are_told_and_nothing_is_recorded(
        self, tmp_path: Path, changes: dict[str, Any], what: str
    ) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            prepare(desk, NAME, FORM)
            with pytest.raises(UsageFault, match=what):
                self._filed(desk, **changes)
            assert incidents.find(desk, NAME).reports[0].filed_at is None


def test_every_box_of_the_form_is_known_by_its_fact() -> None:
    assert filling.BOXES["death"] == "Death"
    assert len(set(filling.BOXES.values())) == len(filling.BOXES) == 6
