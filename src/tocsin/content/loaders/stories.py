"""Incidents as they were, for the path of questions through each: `content/stories/law.yaml`."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from typing import Any

from pydantic import AwareDatetime, Field

from tocsin.document.checking import Country, Strict, checked
from tocsin.law.interviewing import Story
from tocsin.model.event import Json


class _StoryFile(Strict):
    title: str
    text: str
    countries: tuple[Country, ...]
    known: dict[str, Any] = Field(default_factory=dict)
    truth: dict[str, Any] = Field(default_factory=dict)
    dates: dict[str, AwareDatetime] = Field(min_length=1)
    later: dict[str, AwareDatetime] = Field(default_factory=dict)
    as_of: AwareDatetime


class _StoriesFile(Strict):
    stories: tuple[_StoryFile, ...] = Field(min_length=1)


def load() -> tuple[Story, ...]:
    """The shipped stories. Raises BadInput with every mistake."""
    name = "stories/law.yaml"
    file = checked(files("tocsin.content").joinpath(name).read_bytes(), name, _StoriesFile)
    return tuple(
        Story(s.title, s.text, s.countries, _plain(s.known), _plain(s.truth), s.dates, s.later, s.as_of)
        for s in file.stories
    )


def _plain(values: dict[str, Any]) -> dict[str, Json]:
    """Dates as the text that answers have."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
