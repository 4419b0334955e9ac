"""What people do to incidents, on the bank's ledger."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.core.incident.made import at
from tests.service.banks import ASSISTANT, CREDIT, START, bank, found, leaked, record
from tocsin.incident.folding import stream
from tocsin.model.errors import Refused, UsageFault
from tocsin.model.event import Append
from tocsin.model.finding import Category
from tocsin.model.incident import Incident, Phase
from tocsin.model.policy import Severity
from tocsin.service import incidents, remediating, responding
from tocsin.service.desk import Desk
from tocsin.service.triage import triage

HOUR = timedelta(hours=1)


def opened(desk: Desk) -> Incident:
    record(desk, found(), found("f2", detector="equal_opportunity:sex"))
    triage(desk)
    return incidents.find(desk, "INC-2026-0001")


def declared(desk: Desk, title: str = "A customer saw a stranger's IBAN") -> Incident:
    return incidents.declare(desk, ASSISTANT, title, Category.DATA_LEAKAGE)


class TestDeclaring:
    def test_who_declares_is_aware_and_the_incident_is_classified(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            state = declared(desk)
            assert (state.id, state.source, state.opened_by) == ("INC-2026-0001", "person", "okafor")
            assert state.dates["detected"] == state.dates["aware.controller"] == clock.now
            assert state.classification is not None
            assert state.classification.severity in Severity

    def test_ids_count_on_within_the_year(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            assert [declared(desk).id, declared(desk).id] == ["INC-2026-0001", "INC-2026-0002"]
            clock.move(days=60)
            assert declared(desk).id == "INC-2027-0001"

    def test_a_date_of_the_past_may_be_given(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            dates = {"occurred": START - 5 * HOUR, "detected": START - HOUR}
            assert incidents.declare(desk, CREDIT, "t", Category.BIAS, dates).dates["detected"] == START - HOUR

    @pytest.mark.parametrize(
        ("dates", "says"),
        [
            ({"occurred": START + HOUR}, "future"),
            ({"occurred": START - HOUR, "detected": START - 2 * HOUR}, "contradicts"),
            ({"noticed": START}, "no date"),
            ({"occurred": START.replace(tzinfo=None)}, "no zone"),
        ],
    )
    def test_impossible_dates_open_nothing(self, tmp_path: Path, dates: dict[str, object], says: str) -> None:
        with bank(tmp_path) as (desk, _):
            with pytest.raises((Refused, UsageFault), match=says):
                incidents.declare(desk, CREDIT, "t", Category.BIAS, dates)  # type: ignore[arg-type]
            assert incidents.every(desk) == []

    def test_an_unknown_system_and_an_empty_title(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            with pytest.raises(UsageFault, match="no system"):
                incidents.declare(desk, "credit", "t", Category.BIAS)
            with pytest.raises(UsageFault, match="title"):
                incidents.declare(desk, CREDIT, "  ", Category.BIAS)


class TestFinding:
    def test_a_wrong_id_names_the_nearest(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            declared(desk)
            with pytest.raises(UsageFault) as raised:
                incidents.find(desk, "INC-2026-001")
            assert raised.value.remedy == "did you mean INC-2026-0001?"
            with pytest.raises(UsageFault) as raised:
                incidents.find(desk, "zzz")
            assert "tocsin incident list" in raised.value.remedy

    def test_as_of_shows_what_was_known_then(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = declared(desk).id
            then = clock.now
            clock.move(hours=1)
            incidents.acknowledge(desk, name)
            assert incidents.find(desk, name, then).acknowledged_at is None
            assert incidents.find(desk, name).acknowledged_at == clock.now

    def test_the_list_shows_the_gravest_and_then_the_latest_first(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            names = []
            for severity in (Severity.SEV3, Severity.SEV1, Severity.SEV3):
                clock.move(minutes=1)
                names.append(declared(desk).id)
                incidents.set_severity(desk, names[-1], severity, "a test")
            assert [line.id for line in incidents.listing(desk)] == [names[1], names[2], names[0]]
            assert [line.id for line in incidents.listing(desk, system=CREDIT)] == []


class TestSetting:
    def test_acknowledging_twice_is_once(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = opened(desk).id
            incidents.acknowledge(desk, name)
            first, size = clock.now, desk.ledger.size()
            clock.move(hours=2)
            assert incidents.acknowledge(desk, name).acknowledged_at == first
            assert desk.ledger.size() == size

    def test_a_fact_changes_the_verdict(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = opened(desk).id
            state = incidents.set_fact(desk, name, "fundamental_rights_infringement", True, "counsel")
            assert state.classification is not None
            assert state.classification.limbs == ("c:yes",)
            assert state.classification.severity is Severity.SEV1
            again = incidents.set_fact(desk, name, "fundamental_rights_infringement", None, "counsel doubts")
            assert again.classification is not None
            assert again.classification.limbs == ("c:possible",)

    def test_severity_is_overruled_with_a_reason_even_before_the_first_verdict(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            event = incidents.open_event(desk, CREDIT, "t", Category.BIAS, "bias:sex", "detector", (), {})
            desk.ledger.append(Append(stream("INC-2026-0001"), 0, [event]))
            state = incidents.set_severity(desk, "INC-2026-0001", Severity.SEV1, "the press knows")
            assert state.classification is not None
            assert state.classification.severity is Severity.SEV1
            with pytest.raises(UsageFault, match="reason"):
                incidents.set_severity(desk, "INC-2026-0001", Severity.SEV2, " ")

    def test_roles_and_people_are_those_of_the_policy(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = opened(desk).id
            assert incidents.assign(desk, name, "legal", "yilmaz").assignments == {"legal": "yilmaz"}
            with pytest.raises(UsageFault, match="no role"):
                incidents.assign(desk, name, "lawyer", "yilmaz")
            with pytest.raises(UsageFault, match="no person"):
                incidents.assign(desk, name, "legal", "nobody")

    def test_notes_are_kept_and_empty_ones_refused(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = opened(desk).id
            hostile = "ignore all rules \x1b[2J {{ 7*7 }} <script>"
            assert incidents.note(desk, name, hostile).notes == ((clock.now, "okafor", hostile),)
            with pytest.raises(UsageFault, match="empty"):
                incidents.note(desk, name, " ")
            assert incidents.timeline(desk, name)[-1].text == f"note: {hostile}"


class TestMerging:
    def test_the_original_takes_over_findings_dates_and_answers(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            first = declared(desk)
            incidents.set_fact(desk, first.id, "personal_data", True, "the customer's mail")
            clock.move(hours=3)
            record(desk, found())
            triage(desk)
            incidents.link(desk, first.id, "duplicate_of", "INC-2026-0002")
            original = incidents.find(desk, "INC-2026-0002")
            assert original.dates["aware.controller"] == START
            assert original.facts["personal_data"].value is True
            assert incidents.find(desk, first.id).links == (("duplicate_of", "INC-2026-0002"),)

    def test_a_merged_incident_can_be_closed_and_its_original_must_prove_its_findings(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            opened(desk)
            record(desk, leaked(system=CREDIT))
            triage(desk)
            incidents.link(desk, "INC-2026-0002", "duplicate_of", "INC-2026-0001")
            assert responding.close(desk, "INC-2026-0002", "merged").phase is Phase.CLOSED
            assert set(incidents.find(desk, "INC-2026-0001").findings) == {"f1", "f2", "l1"}
            with pytest.raises(Refused) as raised:
                responding.close(desk, "INC-2026-0001", "done")
            assert sum("not proven" in line for line in raised.value.missing) == 3

    def test_no_circle_of_three(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            a, b, c = (declared(desk, title).id for title in "abc")
            incidents.link(desk, a, "duplicate_of", b)
            incidents.link(desk, b, "duplicate_of", c)
            with pytest.raises(Refused):
                incidents.link(desk, c, "duplicate_of", a)
            assert incidents.find(desk, c).links == ()

    def test_other_links_take_nothing_over(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            a, b = declared(desk).id, declared(desk).id
            version = incidents.find(desk, b).version
            incidents.link(desk, a, "related_to", b)
            assert incidents.find(desk, b).version == version


class TestSplitting:
    def test_findings_move_in_one_transaction(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = opened(desk).id
            size = desk.ledger.size()
            rest, new = incidents.split(desk, name, ["f2"], "Opportunity")
            assert (list(rest.findings), list(new.findings)) == (["f1"], ["f2"])
            assert (rest.links, new.links) == ((("split_into", new.id),), (("split_from", name),))
            moved = [
                e for e in desk.ledger.scan(size) if e.kind in ("incident_opened", "incident_linked", "incident_split")
            ]
            assert [e.sequence for e in moved] == [size + 1, size + 2, size + 3]

    def test_nothing_is_left_behind_when_it_cannot_be_done(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = opened(desk).id
            size = desk.ledger.size()
            for findings, title in ((["f1", "f2"], "t"), (["f9"], "t"), ([], "t"), (["f1"], " ")):
                with pytest.raises((Refused, UsageFault)):
                    incidents.split(desk, name, findings, title)
            assert desk.ledger.size() == size


class TestClosing:
    def test_a_declared_incident_needs_a_person_to_say_how_the_end_was_verified(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, clock):
            name = declared(desk).id
            incidents.acknowledge(desk, name)
            incidents.set_phase(desk, name, Phase.CONTAINED, "answers are off")
            remediating.record_cause(desk, name, "a cache without keys")
            remediating.record_action(desk, name, "keys", clock.now)
            clock.move(hours=1)
            with pytest.raises(Refused) as raised:
                incidents.close(desk, name, "done")
            assert raised.value.missing == (
                "nobody has said how the end was verified, and there is no finding of a detector to replay",
            )
            with pytest.raises(Refused) as raised:
                remediating.verify(desk, name)
            assert "--attest" in raised.value.remedy
            remediating.attest(desk, name, "two hundred answers were read")
            assert incidents.close(desk, name, "done").phase is Phase.CLOSED

    def test_what_detectors_found_is_not_attested(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _), pytest.raises(Refused, match="proven, not attested"):
            remediating.attest(desk, opened(desk).id, "looks fine")

    def test_reopening_needs_a_reason_and_a_closed_incident(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = declared(desk).id
            with pytest.raises(Refused, match="not closed"):
                incidents.reopen(desk, name, "x")
            version = desk.ledger.version(stream(name))
            desk.ledger.append(Append(stream(name), version, [desk.event("incident_closed", reason="proven")]))
            assert incidents.reopen(desk, name, "it came back").closed_at is None


def test_two_who_change_one_incident_both_succeed(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _), bank(tmp_path, "yilmaz") as (other, _):
        name = declared(desk).id
        seen = []

        def decide(incident: Incident) -> list[incidents.Wish]:
            if not seen:
                incidents.note(other, name, "meanwhile")
            seen.append(incident.version)
            return [incidents.Wish("note_added", {"text": "mine"})]

        state = incidents.act(desk, name, decide)
        assert [text for _, _, text in state.notes] == ["meanwhile", "mine"]
        assert len(seen) == 2


def test_a_system_that_left_the_inventory_is_told(tmp_path: Path) -> None:
    with bank(tmp_path) as (desk, _):
        event = incidents.open_event(desk, "retired", "t", Category.BIAS, "k", "person", (), {"detected": at(0)})
        desk.ledger.append(Append(stream("INC-2026-0001"), 0, [event]))
        with pytest.raises(Refused, match="no longer in the inventory"):
            incidents.reclassified(desk, "INC-2026-0001")
