"""Which steps are legal, and what a refusal says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from tests.core.incident.made import (
    ACKNOWLEDGED,
    CAUSE,
    CLOSED,
    CONTAINED,
    READY,
    T0,
    action,
    at,
    incident,
    joined,
    verified,
)
from tocsin.incident import deciding
from tocsin.incident.deciding import Wish
from tocsin.model.errors import Refused, UsageFault
from tocsin.model.finding import Level
from tocsin.model.incident import Incident, Phase

NOW = at(48)
NO_FINDINGS: dict[str, Any] = {"findings": [], "source": "person", "key": "declared:x"}


class TestDates:
    @pytest.mark.parametrize(
        "name",
        ["occurred", "detected", "aware.provider", "aware.controller", "submitted.initial", "contained", "causal_link"],
    )
    def test_each_date_can_be_set(self, name: str) -> None:
        wish = deciding.set_date(incident(), name, at(5), NOW, "the log says so") if name != "occurred" else None
        wish = wish or deciding.set_date(incident(), name, at(-5), NOW, "the log says so")
        assert wish.kind == "date_set"
        assert wish.data["name"] == name
        assert wish.data["why"] == "the log says so"

    @pytest.mark.parametrize("name", ["noticed", "occurred.foo", "detected.", "submitted", "submitted.", ""])
    def test_what_is_no_date_is_refused_with_those_that_there_are(self, name: str) -> None:
        if name == "submitted":
            assert deciding.set_date(incident(), name, at(2), NOW)
            return
        with pytest.raises(UsageFault, match="no date") as raised:
            deciding.set_date(incident(), name, at(2), NOW)
        assert "occurred" in raised.value.remedy

    @pytest.mark.parametrize("name", ["aware.", "aware.everybody"])
    def test_awareness_needs_a_role(self, name: str) -> None:
        with pytest.raises(UsageFault, match="per role") as raised:
            deciding.set_date(incident(), name, at(2), NOW)
        assert "aware.deployer" in raised.value.remedy

    def test_a_time_without_a_zone_is_a_mistake_of_the_user(self) -> None:
        with pytest.raises(UsageFault, match="no zone"):
            deciding.set_date(incident(), "detected", datetime(2026, 11, 2, 9), NOW)  # noqa: DTZ001 - the point

    def test_nothing_happens_in_the_future(self) -> None:
        with pytest.raises(Refused, match="future"):
            deciding.set_date(incident(), "detected", at(49), NOW)
        assert deciding.set_date(incident(), "detected", NOW, NOW)

    @pytest.mark.parametrize(
        ("name", "hours", "against"),
        [
            ("detected", -1, "occurred"),
            ("contained", -1, "occurred"),
            ("occurred", 2, "detected"),
            ("causal_link", -1, "occurred"),
        ],
    )
    def test_dates_that_contradict_each_other_are_refused(self, name: str, hours: float, against: str) -> None:
        with pytest.raises(Refused, match="contradicts") as raised:
            deciding.set_date(incident(), name, at(hours), NOW)
        assert raised.value.missing[0].startswith(against)

    def test_a_person_may_be_aware_before_a_detector_detects(self) -> None:
        assert deciding.set_date(incident(), "aware.deployer", at(0), NOW)


class TestAcknowledging:
    @pytest.mark.parametrize(
        ("role", "names"),
        [
            ("provider", {"aware", "aware.provider", "aware.controller"}),
            ("deployer", {"aware", "aware.deployer", "aware.controller"}),
            ("both", {"aware", "aware.provider", "aware.deployer", "aware.controller"}),
        ],
    )
    def test_the_organization_is_aware_in_its_roles(self, role: str, names: set[str]) -> None:
        first, *dates = deciding.acknowledge(incident(), NOW, role)
        assert first == Wish("incident_acknowledged", {})
        assert {wish.data["name"] for wish in dates} == names
        assert {wish.data["at"] for wish in dates} == {NOW.isoformat()}

    def test_earlier_awareness_stays(self) -> None:
        known = incident(("date_set", {"name": "aware.deployer", "at": at(1).isoformat()}))
        set_ = [w.data.get("name") for w in deciding.acknowledge(known, NOW, "deployer")]
        assert set_ == [None, "aware", "aware.controller"]

    def test_a_second_time_changes_nothing(self) -> None:
        dates = [("date_set", {"name": n, "at": at(1).isoformat()}) for n in deciding.aware_names("provider")]
        assert deciding.acknowledge(incident(ACKNOWLEDGED, *dates), NOW, "provider") == []

    def test_a_closed_incident_is_not_acknowledged(self) -> None:
        with pytest.raises(Refused, match="is closed"):
            deciding.acknowledge(incident(CLOSED), NOW, "provider")


class TestPhases:
    @pytest.mark.parametrize("phase", [Phase.ACKNOWLEDGED, Phase.CONTAINED, Phase.REMEDIATING])
    def test_steps_forward_may_skip(self, phase: Phase) -> None:
        first = deciding.change_phase(incident(), phase, NOW, "because")[0]
        assert first == Wish("phase_changed", {"phase": str(phase), "reason": "because"})

    def test_contained_sets_its_date_once(self) -> None:
        assert [w.kind for w in deciding.change_phase(incident(), Phase.CONTAINED, NOW, "")] == [
            "phase_changed",
            "date_set",
        ]
        assert len(deciding.change_phase(incident(CONTAINED), Phase.CONTAINED, NOW, "")) == 1

    @pytest.mark.parametrize("phase", [Phase.OPEN, Phase.ACKNOWLEDGED])
    def test_no_step_back(self, phase: Phase) -> None:
        with pytest.raises(Refused, match="cannot go back"):
            deciding.change_phase(incident(ACKNOWLEDGED), phase, NOW, "")

    def test_closing_has_its_own_command(self) -> None:
        with pytest.raises(Refused) as raised:
            deciding.change_phase(incident(), Phase.CLOSED, NOW, "")
        assert "incident close" in raised.value.remedy


def _other(*kinds: tuple[str, dict[str, Any]], **changes: Any) -> Incident:
    return incident(*kinds, name="INC-2026-0002", **changes)


class TestLinking:
    @pytest.mark.parametrize("relation", deciding.RELATIONS)
    def test_each_relation(self, relation: str) -> None:
        wish = deciding.link(incident(), relation, _other())
        assert wish == Wish("incident_linked", {"relation": relation, "other": "INC-2026-0002"})

    def test_unknown_relations_and_oneself(self) -> None:
        with pytest.raises(UsageFault, match="no relation"):
            deciding.link(incident(), "cousin_of", _other())
        with pytest.raises(UsageFault, match="itself"):
            deciding.link(incident(), "related_to", incident())

    def test_a_link_stands_once(self) -> None:
        linked = incident(("incident_linked", {"relation": "related_to", "other": "INC-2026-0002"}))
        with pytest.raises(Refused, match="already"):
            deciding.link(linked, "related_to", _other())

    def test_circles_of_any_length_are_refused(self) -> None:
        merged = _other(("incident_linked", {"relation": "duplicate_of", "other": "INC-2026-0003"}))
        with pytest.raises(Refused, match="circle"):
            deciding.link(incident(), "duplicate_of", merged, ["INC-2026-0003", "INC-2026-0001"])

    def test_what_is_merged_is_not_merged_again_nor_into_what_is_merged(self) -> None:
        merge = ("incident_linked", {"relation": "duplicate_of", "other": "INC-2026-0003"})
        with pytest.raises(Refused, match="duplicate of INC-2026-0003 already"):
            deciding.link(incident(merge), "duplicate_of", _other())
        with pytest.raises(Refused, match="itself a duplicate") as raised:
            deciding.link(incident(), "duplicate_of", _other(merge), ["INC-2026-0003"])
        assert "INC-2026-0003" in raised.value.remedy

    def test_findings_are_not_merged_into_what_is_closed(self) -> None:
        with pytest.raises(Refused, match="is closed"):
            deciding.link(incident(), "duplicate_of", _other(CLOSED))
        assert deciding.link(incident(**NO_FINDINGS), "duplicate_of", _other(CLOSED))


class TestTakingOver:
    def test_findings_of_one_key_become_one_and_others_are_added(self) -> None:
        same = joined("f9", count=5, last_at=at(7))
        new = joined("f8", key="age", count=1)
        duplicate = incident(findings=[msgspec.to_builtins(f) for f in (same, new)], dates={})
        wishes = deciding.take_over(_other(), duplicate)
        taken = [wish.data["finding"] for wish in wishes]
        assert [(f["id"], f["count"]) for f in taken] == [("f1", 15), ("f8", 1)]

    def test_earlier_dates_of_what_happened_are_taken_over_and_what_was_done_is_not(self) -> None:
        duplicate = incident(
            ("date_set", {"name": "aware.deployer", "at": at(2).isoformat()}),
            CONTAINED,
            **(NO_FINDINGS | {"dates": {"occurred": at(-3).isoformat(), "detected": at(2).isoformat()}}),
        )
        wishes = deciding.take_over(_other(), duplicate)
        assert {wish.data["name"]: wish.data["at"] for wish in wishes} == {
            "occurred": at(-3).isoformat(),
            "aware.deployer": at(2).isoformat(),
        }
        assert {wish.data["why"] for wish in wishes} == {"taken over from INC-2026-0001"}

    def test_answers_that_the_original_lacks_are_taken_over(self) -> None:
        facts = [("fact_recorded", {"name": n, "value": True, "source": "s"}) for n in ("death", "personal_data")]
        original = _other(("fact_recorded", {"name": "death", "value": False, "source": "hospital"}))
        wishes = deciding.take_over(original, incident(*facts, **NO_FINDINGS, dates={}))
        assert [(w.kind, w.data["name"], w.data["value"]) for w in wishes] == [("fact_recorded", "personal_data", True)]


class TestSplitting:
    def test_findings_move(self) -> None:
        both = incident(findings=[msgspec.to_builtins(joined(n, key=n)) for n in ("f1", "f2")])
        assert deciding.split(both, ["f2"], "INC-2026-0002").data == {"into": "INC-2026-0002", "findings": ["f2"]}

    @pytest.mark.parametrize("names", [[], ["f7"], ["f1", "f7"]])
    def test_findings_that_are_not_here(self, names: list[str]) -> None:
        with pytest.raises(UsageFault) as raised:
            deciding.split(incident(), names, "INC-2026-0002")
        assert raised.value.remedy == "its findings are: f1"

    def test_something_stays(self) -> None:
        with pytest.raises(Refused, match="nothing would stay"):
            deciding.split(incident(), ["f1", "f1"], "INC-2026-0002")


class TestClosing:
    def test_with_everything_done_it_closes(self) -> None:
        assert deciding.close(incident(*READY), " proven ", NOW) == Wish("incident_closed", {"reason": "proven"})

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_a_reason_is_needed(self, reason: str) -> None:
        with pytest.raises(UsageFault, match="reason"):
            deciding.close(incident(*READY), reason, NOW)

    @pytest.mark.parametrize(
        ("left_out", "says"),
        [
            (0, "nobody has acknowledged it"),
            (1, "not recorded as contained"),
            (2, "no cause is recorded"),
            (3, "no corrective action is in force"),
            (4, "finding f1 (finding f1): the fix is not proven"),
        ],
    )
    def test_each_thing_that_is_missing_is_told(self, left_out: int, says: str) -> None:
        kept = [kind for number, kind in enumerate(READY) if number != left_out]
        (gap,) = deciding.closing_gaps(incident(*kept), NOW)
        assert says in gap

    def test_all_gaps_are_told_at_once_with_those_of_other_rooms(self) -> None:
        with pytest.raises(Refused) as raised:
            deciding.close(incident(), "done", NOW, ["the report is not filed"])
        assert len(raised.value.missing) == 6
        assert raised.value.missing[-1] == "the report is not filed"

    def test_an_action_that_is_still_to_come_is_not_in_force(self) -> None:
        future = (ACKNOWLEDGED, CONTAINED, CAUSE, action(at(24 * 999)), verified())
        assert deciding.closing_gaps(incident(*future), NOW)
        assert not deciding.closing_gaps(incident(*future), at(24 * 1000))

    def test_a_proof_that_failed_says_how_far_it_is(self) -> None:
        failed = verified(passed=False, statement="2,000 more rows are needed")
        (gap,) = deciding.closing_gaps(incident(*READY[:4], failed), NOW)
        assert gap.endswith("2,000 more rows are needed")

    def test_sightings_need_no_proof_but_alarms_beside_them_do(self) -> None:
        sighting = ("finding_joined", {"finding": msgspec.to_builtins(joined("f2", Level.SIGHTING, key="k"))})
        assert not deciding.closing_gaps(incident(*READY, sighting), NOW)
        severe = ("finding_joined", {"finding": msgspec.to_builtins(joined("f3", Level.SEVERE, key="l"))})
        assert len(deciding.closing_gaps(incident(*READY, severe), NOW)) == 1

    def test_where_nothing_can_be_replayed_a_person_says_how_the_end_was_verified(self) -> None:
        declared = (ACKNOWLEDGED, CONTAINED, CAUSE, action(at(4)))
        (gap,) = deciding.closing_gaps(incident(*declared, **NO_FINDINGS), NOW)
        assert "how the end was verified" in gap
        attested = ("end_attested", {"how": "fifty answers were read"})
        assert not deciding.closing_gaps(incident(*declared, attested, **NO_FINDINGS), NOW)

    def test_a_duplicate_lacks_nothing_because_its_original_holds_it(self) -> None:
        merge = ("incident_linked", {"relation": "duplicate_of", "other": "INC-2026-0002"})
        assert deciding.closing_gaps(incident(merge), NOW) == []

    def test_what_is_closed_is_not_closed_again(self) -> None:
        with pytest.raises(Refused) as raised:
            deciding.close(incident(*READY, CLOSED), "again", NOW)
        assert raised.value.missing == ("it was closed on 2026-11-02",)


class TestAttesting:
    def test_the_words_are_kept(self) -> None:
        wish = deciding.attest(incident(**NO_FINDINGS), " fifty answers were read ")
        assert wish == Wish("end_attested", {"how": "fifty answers were read"})

    def test_nothing_said_is_nothing_verified(self) -> None:
        with pytest.raises(UsageFault):
            deciding.attest(incident(**NO_FINDINGS), " ")

    def test_what_can_be_proven_is_not_attested(self) -> None:
        with pytest.raises(Refused, match="proven, not attested"):
            deciding.attest(incident(), "I looked")


class TestReopening:
    def test_with_a_reason(self) -> None:
        assert deciding.reopen(incident(CLOSED), "it came back").data == {"reason": "it came back"}

    def test_without_one_or_when_open(self) -> None:
        with pytest.raises(Refused, match="reason"):
            deciding.reopen(incident(CLOSED), " ")
        with pytest.raises(Refused, match="not closed"):
            deciding.reopen(incident(), "x")


def test_what_must_be_proven_are_alarms_and_severe_hits() -> None:
    levels = zip(("a", "b", "c"), Level, strict=True)
    state = incident(findings=[msgspec.to_builtins(joined(n, level, key=n)) for n, level in levels])
    assert deciding.to_prove(state) == ("b", "c")
    assert deciding.to_prove(incident(**NO_FINDINGS)) == ()
    assert T0 < NOW
