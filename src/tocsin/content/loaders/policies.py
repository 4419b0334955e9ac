"""The standing text of the policy document, from `content/policies/`."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from pydantic import AfterValidator, Field

from tocsin.document.checking import Identifier, Strict, Text, checked, near
from tocsin.govern.policy_document import PLACEHOLDERS, StandingText
from tocsin.govern.policy_tables import TABLES


def _table(name: str) -> str:
    if name in TABLES:
        return name
    raise ValueError(f"there is no table {name!r}{near(name, sorted(TABLES))}")


def _paragraph(text: str) -> str:
    unknown = [name for name in re.findall(r"\{(\w*)\}", text) if name not in PLACEHOLDERS]
    if unknown:
        raise ValueError(f"there is no value {{{unknown[0]}}}{near(unknown[0], sorted(PLACEHOLDERS))}")
    return text


class _SectionFile(Strict):
    id: Identifier
    title: Text
    text: tuple[Annotated[Text, AfterValidator(_paragraph)], ...] = Field(min_length=1)
    tables: tuple[Annotated[str, AfterValidator(_table)], ...] = ()
    answers: tuple[Text, ...] = Field(min_length=1)


class _PolicyTextFile(Strict):
    sections: tuple[_SectionFile, ...]


@lru_cache
def standing_text(name: str = "standard") -> tuple[StandingText, ...]:
    """The sections of the document, in order."""
    file = f"policies/{name}.yaml"
    document = checked(files("tocsin.content").joinpath(file).read_bytes(), file, _PolicyTextFile)
    return tuple(StandingText(s.id, s.title, s.text, s.tables, s.answers) for s in document.sections)
