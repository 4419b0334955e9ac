"""Cause, corrective actions, and the proof: the detector that fired runs again on telemetry from after the fix."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.service.banks import ASSISTANT, CREDIT, START, bank
from tests.service.mended import FAIR, FAULT, HARDLY_BETTER, LEAK, after_the_fix, biased, leaking, said
from tocsin.incident.folding import stream
from tocsin.model.errors import Refused, UsageFault
from tocsin.model.finding import Category
from tocsin.service import incidents, remediating
from tocsin.service.desk import Desk

HOUR = timedelta(hours=1)


def _fixed(desk: Desk, name: str, at: datetime = START) -> None:
    remediating.record_cause(desk, name, "release 2.3.0 reads part-time work as risk")
    remediating.record_action(desk, name, "release 2.2.0 back in service", at, "2.2.0")


class TestProof:
    def test_a_fix_that_helps_is_cleared_with_its_error_bound(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = biased(desk)
            _fixed(desk, name)
            after_the_fix(desk, clock, FAIR)
            verdict = remediating.verify(desk, name)
            (proof,) = verdict.proofs
            assert (verdict.passed, proof.detector, proof.since) == (True, "group_parity:sex", START)
            assert (proof.clearance.alpha, proof.clearance.rows) == (0.05, 4_800)
            assert proof.clearance.estimate == pytest.approx(-0.02)
            assert proof.clearance.e_value >= 20
            assert proof.clearance.statement == (
                'Cleared: "the rate of positive decisions of male exceeds that of female by 5.0 percentage points or more" '
                "is rejected at error level 0.05 on 4,800 rows after the fix."
            )
            assert incidents.find(desk, name).clearances[proof.finding].passed

    def test_a_fix_that_does_not_help_is_refused_with_what_is_seen(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = biased(desk)
            _fixed(desk, name)
            after_the_fix(desk, clock, HARDLY_BETTER)
            verdict = remediating.verify(desk, name)
            (proof,) = verdict.proofs
            assert not verdict.passed
            assert "Not cleared: the estimate after the fix is 15.00%" in proof.clearance.statement
            assert proof.clearance.rows_needed is None
            with pytest.raises(Refused) as told:
                incidents.close(desk, name, "done")
            assert any("the estimate after the fix is 15.00%" in line for line in told.value.missing)

    def test_too_little_data_says_how_much_more_is_needed(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = biased(desk)
            _fixed(desk, name)
            after_the_fix(desk, clock, FAIR, hours=1)
            (proof,) = remediating.verify(desk, name).proofs
            assert not proof.clearance.passed
            assert proof.clearance.statement.startswith("Not yet cleared: 400 rows after the fix do not reject")
            assert proof.clearance.rows_needed is not None
            assert proof.clearance.rows_needed > 400
            assert f"about {proof.clearance.rows_needed - 400:,} more rows would do" in proof.clearance.statement

    def test_no_rows_at_all_prove_nothing(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = biased(desk)
            _fixed(desk, name)
            (proof,) = remediating.verify(desk, name).proofs
            assert "Not cleared: no rows after the fix yet" in proof.clearance.statement

    def test_rows_from_before_the_fix_do_not_count(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = biased(desk)
            after_the_fix(desk, clock, FAIR)
            _fixed(desk, name, START + 4 * HOUR)
            (proof,) = remediating.verify(desk, name).proofs
            assert (proof.since, proof.clearance.rows) == (START + 4 * HOUR, 3_200)

    def test_an_action_that_claims_to_be_older_than_the_fault_does_not_hide_it(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = biased(desk)
            _fixed(desk, name, START - 99 * HOUR)
            after_the_fix(desk, clock, FAIR, hours=1)
            (proof,) = remediating.verify(desk, name).proofs
            assert abs(proof.since - FAULT) <= HOUR  # the window in which the change is estimated to have begun
            assert not proof.clearance.passed
            assert proof.clearance.estimate > 0.1

    def test_another_action_starts_the_proof_anew(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = biased(desk)
            _fixed(desk, name)
            after_the_fix(desk, clock, FAIR)
            assert remediating.verify(desk, name).passed
            remediating.record_action(desk, name, "threshold moved", clock.now)
            assert not incidents.find(desk, name).clearances
            assert not remediating.verify(desk, name).passed

    def test_every_verification_is_in_the_ledger(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = biased(desk)
            _fixed(desk, name)
            remediating.verify(desk, name)
            after_the_fix(desk, clock, FAIR)
            remediating.verify(desk, name)
            made = [e.data for e in desk.ledger.read(stream(name)) if e.kind == "remediation_verified"]
            assert [data["clearance"]["passed"] for data in made] == [False, True]
            assert {data["since"] for data in made} == {START.isoformat()}

    def test_progress_is_told_per_finding(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = biased(desk)
            _fixed(desk, name)
            told: list[tuple[str, int, int | None]] = []
            remediating.verify(desk, name, lambda what, done, total: told.append((what, done, total)))
            assert told == [("proving", 1, 1)]


class TestText:
    def test_a_leak_is_proven_gone_by_a_bound_on_its_rate(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = leaking(desk)
            _fixed(desk, name)
            clock.move(hours=24)
            said(desk, START, 24, "Hello", rows=1_000)
            (proof,) = remediating.verify(desk, name).proofs
            assert (proof.clearance.passed, proof.clearance.rows, proof.clearance.recurrences) == (True, 24_000, 0)
            assert 'Cleared: "the share of messages with personal data or secrets is 0.50% or more"' in (
                proof.clearance.statement
            )

    def test_the_very_item_seen_again_refutes_the_fix_whatever_the_rate(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = leaking(desk)
            _fixed(desk, name)
            clock.move(hours=6)
            said(desk, START, 6, LEAK)
            (proof,) = remediating.verify(desk, name).proofs
            assert (proof.clearance.passed, proof.clearance.recurrences) == (False, 6)
            assert "6 of the very items of the finding were seen again" in proof.clearance.statement


class TestRefusals:
    def test_without_an_effective_action_nothing_is_verified(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = biased(desk)
            with pytest.raises(Refused, match="no corrective action says from when"):
                remediating.verify(desk, name)
            remediating.record_action(desk, name, "planned")
            with pytest.raises(Refused, match="no corrective action says from when"):
                remediating.verify(desk, name)

    def test_a_fix_of_tomorrow_is_verified_tomorrow(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = biased(desk)
            _fixed(desk, name, START + 24 * HOUR)
            with pytest.raises(Refused, match="takes effect on 2026-11-03 12:00 UTC, which is still to come"):
                remediating.verify(desk, name)

    def test_a_detector_that_was_removed_must_come_back(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = biased(desk)
            _fixed(desk, name)
            systems = {**desk.workspace.systems, CREDIT: replace(desk.workspace.systems[CREDIT], detectors=())}
            without = replace(desk, workspace=replace(desk.workspace, systems=systems))
            with pytest.raises(Refused, match="credit-model has no detector 'group_parity:sex'") as told:
                remediating.verify(without, name)
            assert told.value.remedy == "put it back into systems/credit-model.yaml: what fired must be what clears"

    def test_where_no_detector_fired_a_person_says_how_the_end_was_verified(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = incidents.declare(desk, ASSISTANT, "A stranger's IBAN", Category.DATA_LEAKAGE).id
            with pytest.raises(Refused, match="no finding of a detector to prove") as told:
                remediating.verify(desk, name)
            assert f"tocsin remediate {name} --attest TEXT" in told.value.remedy
            state = remediating.attest(desk, name, " 200 conversations read, none with an IBAN ")
            assert state.attested == "200 conversations read, none with an IBAN"
            with pytest.raises(UsageFault, match="say how"):
                remediating.attest(desk, name, " ")

    def test_what_a_detector_found_is_proven_and_not_attested(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _), pytest.raises(Refused, match="proven, not attested"):
            remediating.attest(desk, biased(desk), "looks fine")


class TestMerged:
    def test_findings_that_came_from_another_system_are_proven_there(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            bias, leak = biased(desk), leaking(desk)
            incidents.link(desk, leak, "duplicate_of", bias)
            _fixed(desk, bias)
            verdict = remediating.verify(desk, bias)
            assert {proof.detector for proof in verdict.proofs} == {"group_parity:sex", "personal_data"}
            assert {proof.clearance.alpha for proof in verdict.proofs} == {0.025}
            with pytest.raises(Refused) as told:
                incidents.close(desk, bias, "done")
            assert len([line for line in told.value.missing if line.startswith("finding ")]) == 2


class TestRecords:
    def test_cause_and_actions_are_kept_with_who_did_them(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = biased(desk)
            _fixed(desk, name)
            state = remediating.record_action(desk.acting("larsen"), name, " review of all refusals ")
            assert state.cause == "release 2.3.0 reads part-time work as risk"
            assert [(a.id, a.text, a.owner, a.release) for a in state.actions] == [
                ("A1", "release 2.2.0 back in service", "okafor", "2.2.0"),
                ("A2", "review of all refusals", "larsen", ""),
            ]

    def test_a_wrong_instant_is_corrected_and_the_ledger_keeps_both(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = biased(desk)
            remediating.record_action(desk, name, "2.2.0 back", START + 9_999 * HOUR)
            state = remediating.record_action(desk, name, "2.2.0 back", START, correct="A1")
            assert [(a.id, a.effective_from) for a in state.actions] == [("A1", START)]
            assert [e.kind for e in desk.ledger.read(stream(name))].count("action_recorded") == 2
            with pytest.raises(UsageFault, match="has no action 'A3' to correct") as told:
                remediating.record_action(desk, name, "t", START, correct="A3")
            assert told.value.remedy == "its actions are: A1"

    def test_what_a_closed_incident_was_closed_on_must_stand(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = biased(desk)
            incidents.acknowledge(desk, name)
            incidents.set_date(desk, name, "contained", clock.now)
            _fixed(desk, name)
            after_the_fix(desk, clock, FAIR)
            assert remediating.verify(desk, name).passed
            incidents.close(desk, name, "fix proven")
            with pytest.raises(Refused, match=f"{name} is closed") as told:
                remediating.record_action(desk, name, "another", clock.now)
            assert told.value.remedy == "reopen it first, with the reason"
            with pytest.raises(Refused, match="is closed"):
                remediating.record_cause(desk, name, "another")
            assert incidents.find(desk, name).clearances

    @pytest.mark.parametrize("text", ["", "  "])
    def test_nothing_said_is_refused(self, tmp_path: Path, text: str) -> None:
        with bank(tmp_path) as (desk, _):
            name = biased(desk)
            with pytest.raises(UsageFault, match="the cause is empty"):
                remediating.record_cause(desk, name, text)
            with pytest.raises(UsageFault, match="an action needs a text"):
                remediating.record_action(desk, name, text)

    def test_a_time_without_a_zone_is_refused(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _), pytest.raises(UsageFault, match="its time a zone"):
            remediating.record_action(desk, biased(desk), "t", START.replace(tzinfo=None))
