"""Ten incidents as they were: `law ask` reaches a full answer, with no more than the necessary questions."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.house.sources import ROOT
from tocsin.content.loaders import law, stories
from tocsin.law.asking import ALARMING, DATE, KINDS, questions
from tocsin.law.interviewing import Story, Told, interview, otherwise
from tocsin.law.obligations import obligations
from tocsin.law.places import lies_in
from tocsin.model.law import Fact, Truth

LIBRARY = law.load()
STORIES = stories.load()
EACH = [pytest.param(story, id=story.title) for story in STORIES]
PAGE = ROOT / "docs" / "reference" / "law-stories.md"
QUESTIONS_MAX = 15
NEEDLESS_MAX = 1
OWED = {
    "A bank's assistant gives away account numbers": {"eu.gdpr.art33.notification", "eu.gdpr.art34.communicate"},
    "A credit model declines women": {"eu.aiact.art73.report", "eu.aiact.art26_5.suspend"},
    "A hospital's triage aid ranks a stroke as harmless": {"eu.aiact.art26_5.inform"},
    "A supplier mixes the documents of two clients": {"eu.gdpr.art33_2.inform"},
    "A shop's chatbot invents a discount": set(),
    "A retailer in Texas shows social security numbers": {"us.tx.521_053.attorney_general", "us.tx.521_053.residents"},
    "A bank in New York is attacked through its assistant": {"us.bank_36h.notice", "us.ny.dfs_500.notice"},
    "A frontier model deceives its own controls": {"us.ca.sb53.oes"},
    "A Korean service leaks chats": {"kr.pipa.authority", "kr.pipa.subjects", "kr.network_act.report"},
    "An insurer in London and Dublin": {"eu.gdpr.art33.notification", "uk.gdpr.art33.notification"},
}
"""What a person who reads the story finds in the law, at the least; nothing else of alarm where the set is empty."""


def told(story: Story) -> Told:
    return interview(story, LIBRARY)


@pytest.mark.parametrize("story", EACH)
def test_a_story_speaks_of_facts_and_places_that_exist(story: Story) -> None:
    for name, value in {**story.known, **story.truth}.items():
        assert name in LIBRARY.facts
        assert LIBRARY.facts[name].takes(value)
    assert all(code in LIBRARY.places for code in story.countries)
    assert max(story.dates.values()) <= story.as_of


@pytest.mark.parametrize("story", EACH)
def test_in_the_end_nothing_is_open(story: Story) -> None:
    one = told(story)
    left = [question.fact for question in questions(one.case, LIBRARY)]
    assert [name for name in left if not name.startswith(DATE)] == []
    assert {name.removeprefix(DATE) for name in left} & set(story.later) == set()
    assert not [o.id for o in one.owed if o.truth is Truth.UNKNOWN and o.status in ALARMING]


@pytest.mark.parametrize("story", EACH)
def test_it_arrives_at_what_the_law_asks(story: Story) -> None:
    owed = {f"{o.regime}.{o.stage}" for o in told(story).owed if o.truth is Truth.YES and o.status in ALARMING}
    wanted = OWED[story.title]
    assert wanted <= owed
    assert bool(owed) == bool(wanted)


@pytest.mark.parametrize("story", EACH)
def test_no_more_is_asked_than_is_necessary(story: Story) -> None:
    """Each answer is needed in the end: without it something would be open. One in ten stories may have one that is not."""
    one = told(story)
    asked = [question.fact for question in one.path]
    assert len(asked) == len(set(asked)) <= QUESTIONS_MAX
    assert len(one.needless) <= NEEDLESS_MAX
    assert not set(asked) & set(story.known), "what the inventory says is not asked"


def test_ten_stories_ask_less_than_one_questionnaire() -> None:
    paths = [told(story) for story in STORIES]
    assert len(paths) == 10
    assert sum(len(one.needless) for one in paths) <= 2
    assert sum(len(one.path) for one in paths) < len(LIBRARY.facts)


@pytest.mark.parametrize("story", EACH)
def test_nothing_is_asked_for_the_law_of_another_place(story: Story) -> None:
    touched = {r.id for r in LIBRARY.regimes if any(lies_in(code, r.jurisdiction, LIBRARY) for code in story.countries)}
    for question in told(story).path:
        users = {r.id for r in LIBRARY.users.get(question.fact, ())}
        assert question.fact.startswith(DATE) or users & touched
        decided = {o.partition("@")[0].rsplit(".", 1)[0] for o in question.decides}
        assert decided <= touched


@pytest.mark.parametrize("story", EACH)
def test_each_question_decided_something_when_it_was_asked(story: Story) -> None:
    assert all(question.decides for question in told(story).path)


@pytest.mark.parametrize("story", EACH)
def test_the_kind_of_organization_is_asked_first_where_nobody_said_it(story: Story) -> None:
    path = [question.fact for question in told(story).path]
    assert KINDS not in path[1:]
    assert (KINDS in path) == (KINDS not in story.known)


@pytest.mark.parametrize("story", EACH)
def test_answers_along_the_path_only_narrow(story: Story) -> None:
    one, case = told(story), replace(told(story).case, facts={})
    possible = []
    for name, fact in one.case.facts.items():
        case = replace(case, facts={**case.facts, name: fact})
        possible.append({o.id for o in obligations(case, LIBRARY)})
    assert all(after <= before for before, after in pairwise(possible))


@pytest.mark.parametrize("kind", sorted(LIBRARY.facts.values(), key=lambda kind: kind.name), ids=lambda kind: kind.name)
def test_what_a_story_does_not_speak_of_has_an_answer(kind: object) -> None:
    fact = LIBRARY.facts[kind.name]  # type: ignore[attr-defined]
    assert fact.takes(otherwise(fact))


@pytest.mark.parametrize("story", EACH)
def test_the_page_counts_its_questions(story: Story) -> None:
    one = told(story)
    text = PAGE.read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| {story.title} |"))
    assert [cell.strip() for cell in row.split("|")[3:5]] == [str(len(one.path)), str(len(one.needless))]
    part = text.split(f"## {story.title}\n")[1].split("\n## ")[0]
    assert all(f"{number}. {question.text}" in part for number, question in enumerate(one.path, start=1))


def test_a_needless_answer_is_found() -> None:
    """With an answer more than is needed, that one is told."""
    story = next(s for s in STORIES if s.title.startswith("A shop's chatbot"))
    assert told(story).needless == ()
    longer = replace(story, known={**story.known, "death": False})
    case = told(longer).case
    assert isinstance(case.facts["death"], Fact)
    assert told(longer).needless == (), "what was known before was not asked for"
