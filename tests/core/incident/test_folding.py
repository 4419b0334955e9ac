"""An incident is the fold of its events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.incident.made import (
    ACKNOWLEDGED,
    CAUSE,
    CLOSED,
    READY,
    T0,
    action,
    at,
    events,
    incident,
    joined,
    opening,
    verified,
)
from tocsin.incident.folding import KINDS, fold, instant, stream
from tocsin.model.finding import Category, Level
from tocsin.model.incident import Classification, Gravity, Phase
from tocsin.model.policy import Severity

VERDICT = Classification(
    Category.BIAS, Gravity.INCIDENT, ("c:possible",), Severity.SEV2, {"gravity": "incident"}, ("why",), ("t",)
)


def classified(verdict: Classification = VERDICT) -> tuple[str, dict[str, Any]]:
    return "incident_classified", {"classification": msgspec.to_builtins(verdict)}


def test_an_opening_gives_a_state_with_its_dates_and_findings() -> None:
    state = incident()
    assert (state.id, state.version, state.phase, state.source) == ("INC-2026-0001", 1, Phase.OPEN, "detector")
    assert (state.category, state.key, state.system) == (Category.BIAS, "bias:sex", "credit")
    assert state.dates == {"occurred": T0, "detected": at(1)}
    assert (state.opened_at, state.opened_by) == (T0, "okafor")
    assert state.findings == {"f1": joined()}


def test_events_without_an_opening_are_no_incident() -> None:
    assert fold([]) is None
    assert fold(events(ACKNOWLEDGED, CAUSE)) is None


def test_unknown_kinds_are_skipped_and_counted_as_versions() -> None:
    state = incident(("something_of_a_later_release", {"x": 1}), CAUSE)
    assert state.cause
    assert state.version == 3


def test_a_fold_can_go_on_from_a_state() -> None:
    all_ = events(opening(), *READY, CLOSED)
    whole = fold(all_)
    for cut in range(len(all_) + 1):
        assert fold(all_[cut:], fold(all_[:cut])) == whole


def test_acknowledging_keeps_the_first_instant_and_a_later_phase() -> None:
    state = incident(ACKNOWLEDGED, ("phase_changed", {"phase": "contained"}), ACKNOWLEDGED)
    assert state.acknowledged_at == at(1)
    assert state.phase is Phase.CONTAINED


def test_a_finding_of_a_known_id_replaces_what_was_known() -> None:
    grown = joined(count=70, last_at=at(5))
    state = incident(("finding_joined", {"finding": msgspec.to_builtins(grown)}))
    assert state.findings == {"f1": grown}


def test_a_finding_that_comes_again_is_no_longer_proven() -> None:
    again = ("finding_joined", {"finding": msgspec.to_builtins(joined(count=11))})
    other = ("finding_joined", {"finding": msgspec.to_builtins(joined("f2", key="sex:m<f"))})
    assert incident(verified(), again).clearances == {}
    assert list(incident(verified(), other).clearances) == ["f1"]


def test_a_new_action_takes_all_proofs_back() -> None:
    assert incident(action(at(2)), verified()).clearances["f1"].passed
    assert incident(action(at(2)), verified(), action(at(3), "A2")).clearances == {}
    attested = ("end_attested", {"how": "two people checked fifty answers"})
    assert incident(attested).attested == "two people checked fifty answers"
    assert incident(attested, action(at(3))).attested == ""


def test_an_action_of_the_same_id_replaces_the_earlier_one() -> None:
    state = incident(action(None), action(at(4)))
    assert [(a.id, a.effective_from) for a in state.actions] == [("A1", at(4))]


def test_a_date_is_set_and_corrected() -> None:
    first, second = ({"name": "aware.deployer", "at": at(h).isoformat()} for h in (2, 1))
    assert incident(("date_set", first), ("date_set", second)).dates["aware.deployer"] == at(1)


def test_a_fact_is_kept_with_its_author_and_its_history() -> None:
    facts = (
        {"name": "death", "value": None, "source": "call"},
        {"name": "death", "value": False, "source": "hospital"},
    )
    state = incident(*(("fact_recorded", fact) for fact in facts))
    assert [(f.value, f.author, f.at) for f in state.fact_history] == [
        (None, "okafor", at(1)),
        (False, "okafor", at(2)),
    ]
    assert state.facts["death"] == state.fact_history[-1]


def test_the_verdict_names_the_category() -> None:
    state = incident(classified(replace(VERDICT, category=Category.DATA_LEAKAGE)))
    assert state.category is Category.DATA_LEAKAGE
    assert state.classification == replace(VERDICT, category=Category.DATA_LEAKAGE)


def test_a_person_overrules_the_matrix_and_stays_overruling() -> None:
    overruling = ("severity_set", {"severity": "sev1", "reason": "the press knows"})
    state = incident(classified(), overruling, classified(replace(VERDICT, severity=Severity.SEV3, tags=("u",))))
    verdict = state.classification
    assert verdict is not None
    assert (verdict.severity, verdict.tags) == (Severity.SEV1, ("u",))
    assert verdict.inputs["severity_overruled_by"] == "okafor"
    assert verdict.why[-1] == "set by okafor: the press knows"


def test_a_split_moves_findings_out_and_links() -> None:
    more = ("finding_joined", {"finding": msgspec.to_builtins(joined("f2", key="k"))})
    state = incident(more, ("incident_split", {"into": "INC-2026-0002", "findings": ["f1"]}))
    assert list(state.findings) == ["f2"]
    assert state.links == (("split_into", "INC-2026-0002"),)


def test_reports_are_prepared_and_filed_by_version() -> None:
    prepared = [
        (
            "report_prepared",
            {"form": "f", "version": n, "files": {"application/pdf": "p"}, "gaps": ["g"], "stage": "initial"},
        )
        for n in (1, 2)
    ]
    state = incident(
        *prepared, ("report_filed", {"form": "f", "version": 2, "at": at(9).isoformat(), "recipient": "BNetzA"})
    )
    assert [(made.version, made.filed_at, made.gaps, made.stage) for made in state.reports] == [
        (1, None, ("g",), "initial"),
        (2, at(9), ("g",), "initial"),
    ]


def test_steps_roles_decisions_notes_and_links_are_kept_in_order() -> None:
    state = incident(
        ("playbook_started", {"playbook": "bias", "digest": "d"}),
        ("step_completed", {"step": "action--1", "outcome": "done", "evidence": "e"}),
        ("role_assigned", {"role": "legal", "person": "yilmaz"}),
        ("obligation_decided", {"obligation": "eu.gdpr.art33.notify@DE", "reason": "no risk"}),
        ("note_added", {"text": "the vendor was called"}),
        ("incident_linked", {"relation": "related_to", "other": "INC-2026-0009"}),
    )
    assert (state.playbook, state.playbook_digest) == ("bias", "d")
    assert [(s.step, s.outcome, s.by, s.at, s.evidence) for s in state.steps] == [
        ("action--1", "done", "okafor", at(2), "e")
    ]
    assert state.assignments == {"legal": "yilmaz"}
    assert state.decisions == {"eu.gdpr.art33.notify@DE": "no risk"}
    assert state.notes == ((at(5), "okafor", "the vendor was called"),)
    assert state.links == (("related_to", "INC-2026-0009"),)


@pytest.mark.parametrize(("before", "phase"), [((), Phase.ACKNOWLEDGED), ((action(at(1)),), Phase.REMEDIATING)])
def test_reopening_goes_back_to_where_work_begins(before: tuple[Any, ...], phase: Phase) -> None:
    closed = incident(*before, CLOSED)
    assert closed.phase is Phase.CLOSED
    assert closed.closed_at == at(1 + len(before))
    again = incident(*before, CLOSED, ("incident_reopened", {"reason": "it came back"}))
    assert (again.phase, again.closed_at) == (phase, None)


def test_every_kind_of_event_is_named_once() -> None:
    assert len(KINDS) == len(set(KINDS))
    assert {"incident_opened", "evidence_sealed", "end_attested"} <= set(KINDS)


def test_streams_and_instants() -> None:
    assert stream("INC-2026-0007") == "incident/INC-2026-0007"
    assert instant(T0.isoformat()) == instant(T0) == T0


@given(st.lists(st.sampled_from([*READY, CLOSED, ("unknown", {}), ("note_added", {"text": "n"})]), max_size=12))
def test_any_order_of_events_folds_and_counts(kinds: list[tuple[str, dict[str, Any]]]) -> None:
    state = incident(*kinds)
    assert state.version == 1 + len(kinds)
    assert len(state.notes) == sum(kind == "note_added" for kind, _ in kinds)
    assert state.findings["f1"].level == Level.ALARM
