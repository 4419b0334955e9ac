"""The standing text of the policy document: what its file may say."""

from __future__ import annotations

import pytest

from tocsin.content.loaders.policies import _PolicyTextFile, standing_text
from tocsin.document.checking import checked
from tocsin.model.errors import BadInput

SECTION = "sections:\n  - {{id: {id}, title: One, text: [{text}], tables: [{table}], answers: [{answers}]}}\n"


def problems(**changes: str) -> list[str]:
    fields = {"id": "one", "text": "A text.", "table": "scope", "answers": "ISO/IEC 42001 5.2"} | changes
    try:
        checked(SECTION.format(**fields), "policies/x.yaml", _PolicyTextFile)
    except BadInput as error:
        return [f"{problem.place.field}: {problem.what}" for problem in error.problems()]
    return []


def test_a_section_with_a_text_a_table_and_its_clauses() -> None:
    assert problems() == []
    assert problems(text="'By {owner} until {review_by}'") == []


def test_a_table_that_does_not_exist() -> None:
    assert problems(table="rasci") == [
        "sections.0.tables.0: there is no table 'rasci'; did you mean 'raci'? (it says 'rasci')"
    ]


@pytest.mark.parametrize(("name", "hint"), [("ownr", "; did you mean 'owner'?"), ("xyz", ""), ("", "")])
def test_a_value_that_does_not_exist(name: str, hint: str) -> None:
    (told,) = problems(text=f"'By {{{name}}}'")
    assert told.startswith(f"sections.0.text.0: there is no value {{{name}}}{hint}")


def test_a_section_that_answers_nothing() -> None:
    assert problems(answers="") == ["sections.0.answers: must be a list with at least one entry"]


def test_every_section_is_there_once_and_says_something() -> None:
    sections = standing_text()
    assert len({section.id for section in sections}) == len(sections)
    assert len({section.title for section in sections}) == len(sections)
    assert all(paragraph.strip() for section in sections for paragraph in section.paragraphs)


def test_the_text_is_read_once() -> None:
    assert standing_text() is standing_text()


def test_an_unknown_text_is_our_own_mistake() -> None:
    with pytest.raises(FileNotFoundError):
        standing_text("no-such-text")
