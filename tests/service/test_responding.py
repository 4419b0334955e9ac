"""The response: who may act, in which order, what steps do by themselves, and what closing still lacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread
from types import MappingProxyType

import msgspec
import pytest

from tests.service.banks import ASSISTANT, CREDIT, START, bank, found, record
from tests.service.mended import FAIR, after_the_fix, biased
from tocsin.content.loaders import playbooks
from tocsin.incident.folding import stream
from tocsin.model.errors import Refused, TocsinError, UsageFault
from tocsin.model.event import ANY_VERSION, Append
from tocsin.model.finding import Category
from tocsin.model.incident import Phase
from tocsin.respond.cacao import Playbook
from tocsin.service import duties, incidents, remediating, responding
from tocsin.service.desk import Desk, open_desk
from tocsin.service.triage import triage

NAME = "INC-2026-0001"


def _opened(desk: Desk) -> str:
    record(desk, found())
    (name,) = triage(desk).opened
    return name


def _kinds(desk: Desk) -> list[str]:
    return [event.kind for event in desk.ledger.read(stream(NAME))]


def _do(desk: Desk, *slugs: str) -> None:
    for slug in slugs:
        responding.complete(desk, NAME, slug, f"{slug} done")


class TestBeginning:
    def test_the_playbook_of_the_category_is_started_once(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            state = responding.begin(desk, NAME)
            assert (state.playbook, [due.slug for due in state.next]) == ("Bias event", ["acknowledge"])
            responding.begin(desk, NAME)
            assert _kinds(desk).count("playbook_started") == 1

    def test_a_category_without_a_playbook_says_what_to_add(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            policy = replace(desk.workspace.policy, playbooks={})
            without = replace(desk, workspace=replace(desk.workspace, policy=policy))
            with pytest.raises(Refused, match="the policy names no playbook for bias") as told:
                responding.begin(without, NAME)
            assert "below `playbooks` in policy.yaml" in told.value.remedy

    def test_a_newer_tocsin_does_not_change_a_response_under_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            began = responding.begin(desk, NAME)
            shipped = playbooks.named("bias")
            newer: dict[str, Playbook] = {"bias": replace(shipped, digest="0" * 64, name="Bias, second edition")}
            monkeypatch.setattr(playbooks, "load", lambda: MappingProxyType(newer))
            assert responding.begin(desk, NAME) == began
            _do(desk, "acknowledge")
            assert [due.slug for due in responding.begin(desk, NAME).next] == ["preserve"]

    def test_a_playbook_that_was_never_sealed_and_changed_is_refused(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            began = desk.event("playbook_started", playbook="bias", digest="0" * 64)
            desk.ledger.append(Append(stream(NAME), ANY_VERSION, [began]))
            with pytest.raises(Refused, match=f"the playbook bias changed since {NAME} started it"):
                responding.begin(desk, NAME)


class TestWho:
    def test_who_has_no_part_is_told_who_has(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            with pytest.raises(Refused, match="mallory has no part in responding") as told:
                responding.complete(desk.acting("mallory"), NAME, "acknowledge", "mine")
            assert told.value.remedy == "act as one of larsen, meyer, novak, okafor, roux, yilmaz with --as"

    def test_a_policy_without_people_says_so(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            roles = tuple(replace(role, people=()) for role in desk.workspace.policy.roles)
            policy = replace(desk.workspace.policy, roles=roles)
            empty = replace(desk, workspace=replace(desk.workspace, policy=policy))
            with pytest.raises(Refused) as told:
                responding.complete(empty, NAME, "acknowledge", "mine")
            assert told.value.remedy == "name people in the policy's roles"

    def test_tocsin_itself_completes_only_what_it_does_by_itself(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            _do(desk, "acknowledge")
            responding.complete(desk.acting("tocsin"), NAME, "preserve", "sealed")
            with pytest.raises(Refused, match="tocsin has no part in responding"):
                responding.complete(desk.acting("tocsin"), NAME, "confirm", "sure")

    def test_the_step_names_who_did_it_when_and_with_what_outcome(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            clock.move(minutes=4)
            responding.complete(desk.acting("larsen"), NAME, "acknowledge", " on it ", b"a screenshot")
            (done,) = incidents.find(desk, NAME).steps
            assert (done.by, done.at, done.outcome) == ("larsen", clock.now, "on it")
            assert desk.evidence.unseal(done.evidence) == b"a screenshot"


class TestOrder:
    def test_what_comes_first_is_named(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            with pytest.raises(Refused, match=r"Contain: .*: something comes first") as told:
                _do(desk, "contain")
            assert told.value.missing == ("Acknowledge: a person takes over",)
            assert _kinds(desk).count("step_completed") == 0

    def test_a_step_is_done_once(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            _do(desk, "acknowledge")
            with pytest.raises(Refused, match="done already, by okafor at 2026-11-02 12:00 UTC"):
                _do(desk, "acknowledge")

    def test_two_people_at_once_complete_it_once(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            responding.begin(desk, NAME)
            gate, told = Barrier(4), list[str]()

            def complete(person: str) -> None:
                with open_desk(desk.root, person, clock) as own:
                    gate.wait()
                    try:
                        responding.complete(own, NAME, "acknowledge", f"by {person}")
                    except TocsinError as error:
                        told.append(type(error).__name__)

            threads = [Thread(target=complete, args=(p,)) for p in ("okafor", "larsen", "meyer", "novak")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert _kinds(desk).count("step_completed") == 1
            assert told == ["Refused"] * 3

    @pytest.mark.parametrize("outcome", ["", "  "])
    def test_an_outcome_must_be_given(self, tmp_path: Path, outcome: str) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            with pytest.raises(UsageFault, match="the outcome is missing") as told:
                responding.complete(desk, NAME, "acknowledge", outcome)
            assert told.value.remedy == "record: who leads, and where the talk is"

    def test_an_unknown_step_is_told_the_steps(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            with pytest.raises(UsageFault, match="Bias event has no step 'dance'") as told:
                _do(desk, "dance")
            assert told.value.remedy.startswith("its steps are: acknowledge, preserve, confirm, contain, affected")

    def test_an_unknown_incident_is_told(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _), pytest.raises(UsageFault, match="INC-2026-0009"):
            responding.begin(desk, "INC-2026-0009")


class TestBuiltIn:
    def test_acknowledging_makes_the_organization_aware(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            clock.move(minutes=6)
            _do(desk, "acknowledge")
            state = incidents.find(desk, NAME)
            assert (state.phase, state.acknowledged_at) == (Phase.ACKNOWLEDGED, clock.now)
            assert state.dates["aware.provider"] == clock.now

    def test_preserving_seals_the_state_of_the_incident(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            _do(desk, "acknowledge", "preserve")
            sealed = [e.data for e in desk.ledger.read(stream(NAME)) if e.kind == "evidence_sealed"]
            state = msgspec.json.decode(desk.evidence.unseal(sealed[-1]["pointer"]))
            assert (state["id"], state["phase"]) == (NAME, "acknowledged")
            assert sealed[-1]["what"] == "state of the incident when evidence was preserved"

    def test_containing_sets_the_date_and_keeps_one_that_was_set(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            _do(desk, "acknowledge", "preserve", "confirm")
            clock.move(hours=1)
            contained = clock.now
            _do(desk, "contain")
            state = incidents.find(desk, NAME)
            assert (state.phase, state.dates["contained"]) == (Phase.CONTAINED, contained)

    def test_a_date_of_containment_that_a_person_set_stands(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            _do(desk, "acknowledge", "preserve", "confirm")
            incidents.set_date(desk, NAME, "contained", clock.now)
            at = clock.now
            clock.move(hours=3)
            _do(desk, "contain")
            assert incidents.find(desk, NAME).dates["contained"] == at

    def test_cause_action_and_proof_do_what_their_commands_do(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            assert biased(desk) == NAME
            _do(desk, "acknowledge", "preserve", "confirm", "contain", "affected", "questions", "cause")
            assert incidents.find(desk, NAME).cause == "cause done"
            with pytest.raises(Refused, match="the corrective action needs its instant") as told:
                _do(desk, "fix")
            assert told.value.remedy == f"tocsin remediate {NAME} --action TEXT --effective TIME"
            remediating.record_action(desk, NAME, "2.2.0 back", START)
            _do(desk, "fix")
            with pytest.raises(Refused, match="the fix is not proven yet") as told:
                _do(desk, "prove")
            assert "no rows after the fix yet" in told.value.missing[0]
            after_the_fix(desk, clock, FAIR)
            _do(desk, "prove")
            assert "prove done" in [done.outcome for done in incidents.find(desk, NAME).steps]

    def test_without_a_finding_the_outcome_is_the_attestation(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            incidents.declare(desk, ASSISTANT, "An answer was wrong", Category.MODEL_FAILURE)
            _do(desk, "acknowledge", "preserve", "confirm", "contain", "affected", "questions", "cause")
            remediating.record_action(desk, NAME, "prompt corrected", START)
            _do(desk, "fix", "prove")
            assert incidents.find(desk, NAME).attested == "prove done"


class TestClosing:
    def test_everything_that_is_missing_is_told_at_once(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            with pytest.raises(Refused, match=f"{NAME} cannot be closed yet") as told:
                responding.close(desk, NAME, "done")
            missing = "\n".join(told.value.missing)
            for part in ("nobody has acknowledged", "not recorded as contained", "no cause", "no corrective action",
                         "the fix is not proven", "its playbook was never started (tocsin respond)"):  # fmt: skip
                assert part in missing

    def test_mandatory_steps_and_open_questions_are_missing(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            _do(desk, "acknowledge")
            missing = responding.missing(desk, incidents.find(desk, NAME))
            assert "the mandatory step is not done: Preserve the evidence before anything is changed" in missing
            assert not any("Acknowledge" in line for line in missing)
            assert missing[-1] == "the question personal_data_breach is open, and the playbook depends on it"

    def test_a_breach_adds_its_step(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            _opened(desk)
            _do(desk, "acknowledge")
            duties.answer(desk, NAME, "personal_data_breach", "yes")
            missing = responding.missing(desk, incidents.find(desk, NAME))
            assert "the mandatory step is not done: Notify the data protection authority" in missing
            duties.answer(desk, NAME, "personal_data_breach", "no")
            assert not any("authority" in line for line in responding.missing(desk, incidents.find(desk, NAME)))

    def test_a_duplicate_is_closed_without_a_response_of_its_own(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            _opened(desk)
            other = incidents.declare(desk, CREDIT, "the same again", Category.BIAS).id
            incidents.link(desk, other, "duplicate_of", NAME)
            assert responding.close(desk, other, f"see {NAME}").closed_at == clock.now
