"""The taxonomies that incidents are tagged with, and which of their ids each category meets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TypeVar

from pydantic import Field

from tocsin.document.checking import Strict, checked
from tocsin.model.errors import BadInput, Place, Problem
from tocsin.model.finding import Category

FOLDER = "taxonomies"
Model = TypeVar("Model", bound=Strict)


class _CategoryFile(Strict):
    id: Category
    name: str
    definition: str
    tags: tuple[str, ...]


class _CategoriesFile(Strict):
    categories: tuple[_CategoryFile, ...] = Field(min_length=1)


class _TaxonomyFile(Strict):
    id: str
    name: str
    source: str
    entries: dict[str, str]


class _TaxonomiesFile(Strict):
    taxonomies: tuple[_TaxonomyFile, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Taxonomies:
    """Names of ids (`owasp.llm.LLM01` -> Prompt Injection), ids per category, and the definition of each category."""

    names: Mapping[str, str]
    sources: Mapping[str, str]
    crosswalk: Mapping[str, tuple[str, ...]]
    definitions: Mapping[Category, str]

    def name(self, tag: str) -> str:
        """The name of an id, or the id itself when it is not known."""
        return self.names.get(tag, tag)


@lru_cache
def load() -> Taxonomies:
    """The shipped taxonomies. Raises BadInput when a category names an id that no taxonomy has."""
    categories = _read("categories.yaml", _CategoriesFile).categories
    taxonomies = _read("taxonomies.yaml", _TaxonomiesFile).taxonomies
    names = {f"{taxonomy.id}.{entry}": name for taxonomy in taxonomies for entry, name in taxonomy.entries.items()}
    unknown = [(category.id, tag) for category in categories for tag in category.tags if tag not in names]
    if unknown:
        place = Place(f"{FOLDER}/categories.yaml")
        raise BadInput(
            Problem(place, f"{category}: no taxonomy has {tag}", "correct the id") for category, tag in unknown
        )
    return Taxonomies(
        names,
        {taxonomy.name: taxonomy.source for taxonomy in taxonomies},
        {str(category.id): category.tags for category in categories},
        {category.id: category.definition for category in categories},
    )


def _read(name: str, model: type[Model]) -> Model:
    return checked(files("tocsin.content").joinpath(FOLDER, name).read_bytes(), f"{FOLDER}/{name}", model)
