"""Which findings are one matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.incident.made import CLOSED, CONTAINED, at, finding, incident, joined, since
from tocsin.incident import matters
from tocsin.model.finding import Category, Level
from tocsin.model.incident import Incident

WITHIN = timedelta(days=2)


def attack(category: Category = Category.ADVERSARIAL_ATTACK, **changes: Any) -> Any:
    return finding(category=category, detector="prompt_injection", key="ignore:user", **changes)


@pytest.mark.parametrize(
    ("category", "key", "matter"),
    [
        (Category.BIAS, "sex:f<m", "bias:sex"),
        (Category.BIAS, "age", "bias:age"),
        (Category.DATA_LEAKAGE, "iban:assistant", "attack"),
        (Category.ADVERSARIAL_ATTACK, "rate", "attack"),
        (Category.AGENT_MISUSE, "x", "attack"),
        (Category.MISUSE, "x", "attack"),
        (Category.MODEL_FAILURE, "rate", "model_failure:group_parity:sex"),
    ],
)
def test_the_matter_is_a_family_of_causes(category: Category, key: str, matter: str) -> None:
    assert matters.matter(finding(category=category, key=key)) == matter


def test_the_gravest_consequence_names_the_incident() -> None:
    assert matters.grave([Category.ADVERSARIAL_ATTACK, Category.DATA_LEAKAGE]) is Category.DATA_LEAKAGE
    assert matters.grave([Category.MISUSE, Category.BIAS]) is Category.MISUSE
    assert matters.grave([Category.BIAS]) is Category.BIAS


class TestHome:
    def test_an_open_incident_of_the_same_matter(self) -> None:
        assert matters.home(finding("g"), [incident()], WITHIN) == incident()

    @pytest.mark.parametrize(
        "other",
        [
            incident(system="support"),
            incident(key="bias:age"),
            incident(CLOSED),
            incident(("incident_linked", {"relation": "duplicate_of", "other": "INC-2026-0002"})),
        ],
        ids=["another system", "another attribute", "closed", "merged"],
    )
    def test_nothing_else(self, other: Incident) -> None:
        assert matters.home(finding("g"), [other], WITHIN) is None

    def test_until_long_after_the_harm_was_contained(self) -> None:
        contained = incident(CONTAINED)  # at hour 3; its finding was last seen in hour 1
        assert matters.home(finding(hours=3 + 48), [contained], WITHIN) is contained
        assert matters.home(finding(hours=3 + 49), [contained], WITHIN) is None
        assert matters.home(finding(hours=500), [incident()], WITHIN) is not None

    def test_what_goes_on_after_containment_keeps_the_matter_alive(self) -> None:
        going_on = ("finding_joined", {"finding": msgspec.to_builtins(joined(last_at=at(100)))})
        assert matters.home(finding(hours=148), [incident(CONTAINED, going_on)], WITHIN) is not None

    def test_the_latest_of_several(self) -> None:
        late = incident(name="INC-2026-0002")
        late = replace(late, opened_at=at(9))
        assert matters.home(finding(), [late, incident()], WITHIN) == late

    def test_an_incident_that_a_person_declared_takes_in_its_family(self) -> None:
        declared = incident(key="declared:data in an answer", category="data_leakage", findings=[], source="person")
        assert matters.home(attack(), [declared], WITHIN) is declared
        assert matters.home(finding(), [declared], WITHIN) is None

    def test_the_exact_matter_goes_before_the_declared_family(self) -> None:
        declared = incident(key="declared:unfair", findings=[], source="person", name="INC-2026-0002")
        assert matters.home(finding(), [declared, incident()], WITHIN) == incident()

    def test_what_was_split_off_takes_in_nothing(self) -> None:
        assert matters.home(finding(), [incident(key="split:INC-2026-0001:age")], WITHIN) is None


def test_a_new_incident_repeats_the_latest_closed_one() -> None:
    first, second = incident(CLOSED), incident(CLOSED, name="INC-2026-0002")
    second = replace(second, opened_at=at(9))
    assert matters.predecessor(finding(), [second, first, incident(name="INC-2026-0003")]) == second
    assert matters.predecessor(finding(key="age:a<b"), [first]) is None


@pytest.mark.parametrize(("level", "opens"), list(zip(Level, (False, True, True), strict=True)))
def test_alarms_and_severe_hits_open_and_sightings_do_not(level: Level, opens: bool) -> None:
    assert matters.opens(finding(level=level)) is opens


class TestForerunners:
    def test_sightings_of_the_matter_since_the_earliest_change(self) -> None:
        alarm = attack(name="alarm", hours=9, since=since(5, 3))
        seen = [attack(name=f"s{hour}", level=Level.SIGHTING, hours=hour) for hour in range(12)]
        assert [f.id for f in matters.forerunners(alarm, seen, [])] == [f"s{hour}" for hour in range(3, 10)]

    def test_without_a_change_only_the_same_window(self) -> None:
        hit = attack(name="hit", level=Level.SEVERE, hours=4)
        seen = [attack(name=f"s{hour}", level=Level.SIGHTING, hours=hour) for hour in range(6)]
        assert [f.id for f in matters.forerunners(hit, seen, [])] == ["s4"]

    def test_no_other_matter_system_or_level(self) -> None:
        alarm = attack(name="alarm", hours=4, since=since(0, 0))
        others = [
            finding("bias", Level.SIGHTING),
            attack(name="elsewhere", level=Level.SIGHTING, system="other"),
            attack(name="loud", level=Level.ALARM),
        ]
        assert matters.forerunners(alarm, others, []) == []

    def test_what_an_earlier_incident_saw_is_not_counted_again(self) -> None:
        alarm = attack(name="alarm", hours=9, since=since(5, 0))
        earlier = incident(CLOSED, key="attack", findings=[msgspec.to_builtins(joined(last_at=at(6)))])
        seen = [attack(name=f"s{hour}", level=Level.SIGHTING, hours=hour) for hour in range(10)]
        assert [f.id for f in matters.forerunners(alarm, seen, [earlier])] == ["s6", "s7", "s8", "s9"]


class TestJoining:
    def test_a_new_finding_is_kept_with_where_it_came_from(self) -> None:
        kept = matters.joined(finding(tags=("t",), hours=2), None, at(9))
        assert (kept.id, kept.detector, kept.category, kept.key) == ("f1", "group_parity:sex", Category.BIAS, "sex:f<m")
        assert (kept.joined_at, kept.last_at, kept.tags) == (at(9), at(3), ("t",))

    def test_an_alarm_counts_from_the_change_on_so_its_count_replaces(self) -> None:
        kept = matters.joined(finding("f2", count=70), joined(count=10), at(9))
        assert (kept.id, kept.count, kept.joined_at) == ("f1", 70, at(1))

    @pytest.mark.parametrize("level", [Level.SIGHTING, Level.SEVERE])
    def test_sightings_and_hits_of_other_windows_add_up(self, level: Level) -> None:
        assert matters.joined(finding("f2", level, count=70), joined(count=10), at(9)).count == 80

    def test_levels_and_strengths_only_rise(self) -> None:
        kept = matters.joined(finding("f2", Level.SIGHTING), joined(level="severe", strength=90.0), at(9))
        assert (kept.level, kept.strength) == ("severe", 90.0)

    def test_the_same_is_of_one_detector_and_one_key(self) -> None:
        known = [joined("a", detector="d"), joined("b", key="k"), joined("c")]
        assert matters.same(finding(), known) == known[2]
        assert matters.same(finding(key="none"), known) is None

    @given(st.lists(st.tuples(st.integers(1, 99), st.sampled_from(Level), st.integers(0, 50)), min_size=2, max_size=6))
    def test_put_together_in_any_order_counts_and_ends_are_the_same(self, parts: list[tuple[int, Level, int]]) -> None:
        findings = [joined(f"f{n}", level, count=c, last_at=at(h)) for n, (c, level, h) in enumerate(parts)]

        def folded(order: list[Any]) -> Any:
            whole = order[0]
            for part in order[1:]:
                whole = matters.together(whole, part)
            return whole

        one, other = folded(findings), folded(findings[::-1])
        assert (one.count, one.level, one.last_at) == (other.count, other.level, other.last_at)
        assert one.count == sum(count for count, _, _ in parts)
