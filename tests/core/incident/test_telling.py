"""The timeline, and findings in order of weight."""

from __future__ import annotations

import msgspec
import pytest

from tests.core.incident.made import READY, action, at, events, incident, joined, opening, verified
from tocsin.incident.folding import KINDS
from tocsin.incident.telling import _WORDS, ranked, timeline
from tocsin.model.finding import Level


def test_each_event_is_a_line_with_its_number_time_and_author() -> None:
    lines = timeline(events(opening(), *READY, name="INC-2026-0001", who="larsen"))
    assert [line.sequence for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line.at for line in lines] == [at(n) for n in range(6)]
    assert {line.who for line in lines} == {"larsen"}
    assert [line.text for line in lines] == [
        "opened: The rate differs by sex",
        "acknowledged",
        f"contained is {at(3).isoformat()}",
        "cause: release 2.3.0 reads part-time work as risk",
        "corrective action: release 2.2.0 back in service",
        "fix checked for finding f1: the gap is rejected",
    ]


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("finding_joined", {"finding": msgspec.to_builtins(joined(count=1_200))}, "finding joined: finding f1 (1,200)"),
        ("severity_set", {"severity": "sev1", "reason": "press"}, "severity set to sev1: press"),
        ("date_set", {"name": "occurred", "at": "T", "why": "log"}, "occurred is T: log"),
        ("date_set", {"name": "occurred", "at": "T", "why": ""}, "occurred is T"),
        ("fact_recorded", {"name": "death", "value": None}, "fact death = unknown"),
        ("fact_recorded", {"name": "death", "value": False}, "fact death = no"),
        ("fact_recorded", {"name": "people_affected", "value": 7}, "fact people_affected = 7"),
        ("obligation_decided", {"obligation": "o", "reason": "r"}, "decided that o is not owed: r"),
        ("role_assigned", {"role": "legal", "person": "yilmaz"}, "legal is yilmaz"),
        ("phase_changed", {"phase": "contained", "reason": "off"}, "phase is contained: off"),
        ("incident_linked", {"relation": "duplicate_of", "other": "X"}, "duplicate of X"),
        ("incident_split", {"into": "X", "findings": ["a", "b"]}, "2 findings moved to X"),
        ("incident_split", {"into": "X", "findings": ["a"]}, "1 finding moved to X"),
        ("playbook_started", {"playbook": "bias", "digest": "d"}, "playbook bias started"),
        ("step_completed", {"step": "s", "outcome": "done"}, "step done: s: done"),
        ("step_completed", {"step": "s", "name": "Stop it", "outcome": "done"}, "step done: Stop it: done"),
        ("report_prepared", {"form": "f", "version": 2, "gaps": ["g"]}, "report f version 2 prepared, 1 gap"),
        ("report_prepared", {"form": "f", "version": 2, "gaps": []}, "report f version 2 prepared, no gaps"),
        ("report_filed", {"form": "f", "version": 2, "recipient": "CNIL"}, "report f version 2 handed to CNIL"),
        ("end_attested", {"how": "read"}, "the end was verified: read"),
        ("incident_closed", {"reason": "proven"}, "closed: proven"),
        ("incident_reopened", {"reason": "again"}, "reopened: again"),
        ("note_added", {"text": "n"}, "note: n"),
        ("evidence_sealed", {"what": "w", "bytes": 1_234}, "evidence sealed: w (1,234 bytes)"),
        ("evidence_erased", {"pieces": 1, "reason": "Art. 17 GDPR"}, "evidence erased (1 piece): Art. 17 GDPR"),
        ("of_a_later_release", {}, "of a later release"),
    ],
)
def test_every_kind_in_words(kind: str, data: dict[str, object], text: str) -> None:
    (line,) = timeline(events((kind, data)))
    assert line.text == text


def test_every_kind_of_event_has_its_words() -> None:
    assert set(_WORDS) == set(KINDS)


def test_what_opened_the_incident_comes_before_sightings_and_each_by_number() -> None:
    made = [
        joined("few", Level.SIGHTING, key="a", count=2),
        joined("many", Level.SIGHTING, key="b", count=90),
        joined("alarm", Level.ALARM, key="c", count=5),
        joined("hit", Level.SEVERE, key="d", count=6),
    ]
    state = incident(findings=[msgspec.to_builtins(f) for f in made])
    assert [f.id for f in ranked(state)] == ["hit", "alarm", "many", "few"]
    assert ranked(incident(findings=[], source="person")) == ()


def test_proofs_that_fail_say_so() -> None:
    (_, line) = timeline(events(action(at(1)), verified(passed=False, statement="300 more rows are needed")))
    assert line.text.endswith("300 more rows are needed")
