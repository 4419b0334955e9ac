"""The packs: each is cited and dated, and each rule is hit and narrowly missed by a vector."""

from __future__ import annotations

from datetime import date

import pytest

from tocsin.content.loaders import law, vectors
from tocsin.law.obligations import NO_CLOCK
from tocsin.law.regime import Regime
from tocsin.law.vectors import Vector, differences, owed
from tocsin.model.law import Confidence, Status, Truth

LIBRARY = law.load()
KINDS = "organization_kinds"
NAMES = {"uk": "gb"}
"""Where the id says what people say, and the place's code is another."""
VECTORS = [(regime, vector) for regime in LIBRARY.regimes for vector in vectors.load(regime.id)]
CASES = [pytest.param(regime, vector, id=f"{regime.id}: {vector.name}") for regime, vector in VECTORS]
REGIMES = [pytest.param(regime, id=regime.id) for regime in LIBRARY.regimes]


@pytest.mark.parametrize(("regime", "vector"), CASES)
def test_each_vector_gives_what_was_counted_by_hand(regime: Regime, vector: Vector) -> None:
    assert differences(vector, regime, LIBRARY) == []


@pytest.mark.parametrize(("regime", "vector"), CASES)
def test_vectors_speak_of_stages_and_facts_that_exist(regime: Regime, vector: Vector) -> None:
    stages = {stage.id for stage in regime.stages}
    assert {name.split("@")[0] for name in (*vector.expect, *vector.not_owed)} <= stages
    assert set(vector.case.facts) <= set(LIBRARY.facts)
    assert vector.expect or vector.not_owed
    assert len(vector.why) > 10


@pytest.mark.parametrize(("regime", "vector"), CASES)
def test_every_instant_is_explained_and_the_latest_is_never_before_the_operational(
    regime: Regime, vector: Vector
) -> None:
    for one in owed(vector, regime, LIBRARY).values():
        if one.operational_due is None or one.legal_latest is None:
            continue
        assert one.operational_due <= one.legal_latest
        instants = {step.instant for step in one.trace}
        assert {one.operational_due, one.legal_latest, one.anchor_at} <= instants | {None}


@pytest.mark.parametrize("regime", REGIMES)
def test_each_stage_deadline_and_status_is_reached_and_each_pack_narrowly_missed(regime: Regime) -> None:
    hits: set[str] = set()
    labels: set[str] = set()
    statuses: set[Status] = set()
    missed = False
    for vector in vectors.load(regime.id):
        missed |= bool(vector.not_owed)
        for name, one in owed(vector, regime, LIBRARY).items():
            if one.truth is Truth.YES and name in vector.expect:
                hits.add(one.stage)
                labels.add(one.label)
                statuses.add(one.status)
    assert hits == {stage.id for stage in regime.stages}
    clockless = {NO_CLOCK for stage in regime.stages if not stage.deadlines}
    assert labels == clockless | {dated.label for stage in regime.stages for dated in stage.deadlines}
    assert statuses == {period.status for period in regime.periods}
    assert missed


@pytest.mark.parametrize("regime", REGIMES)
def test_the_day_before_it_is_in_force_there_is_nothing(regime: Regime) -> None:
    first = min(period.valid_from for period in regime.periods)
    names = [v for v in vectors.load(regime.id) if max(v.case.anchors.values()).date() < first]
    assert names, f"a vector before {first}"
    assert all(set(vector.not_owed) and not vector.expect for vector in names)


@pytest.mark.parametrize("regime", REGIMES)
def test_every_part_is_cited_with_a_date_and_a_confidence(regime: Regime) -> None:
    assert regime.cite
    for stage in regime.stages:
        assert stage.cite, stage.id
    used = {*regime.cite, *(key for stage in regime.stages for key in stage.cite)}
    used |= {key for stage in regime.stages for dated in stage.deadlines for key in dated.cite}
    used |= {key for rerouting in regime.reroutings for key in rerouting.cite}
    assert used == set(regime.citations), "no citation is missing and none is left over"
    for cited in regime.citations.values():
        assert cited.url.startswith("https://")
        assert cited.read_on <= date.today()  # noqa: DTZ011 - a date of a pack
        assert cited.confidence in Confidence


@pytest.mark.parametrize("regime", REGIMES)
def test_no_recipient_is_said_to_be_read_in_the_text_when_the_duty_was_not(regime: Regime) -> None:
    claims = [(stage.cite, stage.recipients) for stage in regime.stages]
    for cite, recipients in [*claims, (tuple(regime.citations), regime.recipients)]:
        read = {regime.citations[key].confidence for key in cite}
        allowed = {Confidence.S, Confidence.UNCONFIRMED} | read | ({Confidence.Q} if Confidence.P in read else set())
        assert [one.name for one in recipients if one.confidence not in allowed] == []


@pytest.mark.parametrize("regime", REGIMES)
def test_no_two_vectors_say_the_same(regime: Regime) -> None:
    names = [vector.name for vector in vectors.load(regime.id)]
    said = [(vector.case, sorted(vector.expect)) for vector in vectors.load(regime.id)]
    assert len(set(names)) == len(names)
    assert all(said.count(one) == 1 for one in said)


@pytest.mark.parametrize("regime", REGIMES)
def test_ids_are_those_of_the_folders_and_the_changelog_stands_beside(regime: Regime) -> None:
    assert NAMES.get(regime.id.split(".")[0], regime.id.split(".")[0]) == regime.jurisdiction.split("-")[0].lower()
    assert regime.jurisdiction
    assert regime.who
    assert regime.penalties


def test_the_same_library_has_the_same_digest() -> None:
    assert law.load().digest == LIBRARY.digest
    assert len(LIBRARY.digest) == 64


@pytest.mark.parametrize("name", sorted(LIBRARY.facts))
def test_each_fact_is_a_question_with_help_and_a_source(name: str) -> None:
    fact = LIBRARY.facts[name]
    assert fact.text.endswith("?")
    assert len(fact.help) > 20
    assert fact.citation is not None
    assert (fact.type in ("choice", "set")) == bool(fact.choices) or name == KINDS
    assert set(fact.meanings) <= set(fact.choices)


@pytest.mark.parametrize("code", sorted(LIBRARY.places))
def test_each_place_has_a_zone_a_calendar_and_authorities_with_their_confidence(code: str) -> None:
    place = LIBRARY.places[code]
    assert "/" in place.zone
    assert not all(place.calendar.working(date(2026, 1, day)) for day in range(1, 8))
    assert place.within in ("", *LIBRARY.places)
    for recipients in place.registers.values():
        assert recipients
        assert all(recipient.name and recipient.country == code for recipient in recipients)
