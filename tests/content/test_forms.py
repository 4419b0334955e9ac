"""The shipped forms: read whole, true to the published field list, and every field can be filled by somebody."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from tests.shared import shared
from tocsin.content.loaders import forms, law
from tocsin.model.errors import UsageFault
from tocsin.report.forms import Form
from tocsin.service.filling import BOXES, TYPES

ART73 = "eu.aiact.art73/draft-template-1.0.0"


def _forms() -> list[Form]:
    return [forms.load(name) for name in forms.names()]


def test_the_form_of_article_73_is_there() -> None:
    assert ART73 in forms.names()


def test_an_unknown_form_is_told_what_there_is() -> None:
    with pytest.raises(UsageFault, match="there is no form 'eu/none'") as told:
        forms.load("eu/none")
    assert ART73 in told.value.remedy


@pytest.mark.parametrize("form", _forms(), ids=lambda form: form.id)
class TestEveryForm:
    def test_its_id_is_its_place(self, form: Form) -> None:
        regime, _, name = form.id.partition("/")
        assert files("tocsin.content").joinpath("law", regime, "forms", f"{name}.yaml").is_file()
        assert regime in {regime.id for regime in law.load().regimes} or (regime == "eu.aiact.art73")

    def test_it_says_where_it_comes_from(self, form: Form) -> None:
        assert form.source.url.startswith("https://")
        assert form.source.instrument
        assert form.status
        assert len(form.digest) == 64

    def test_no_field_stands_twice(self, form: Form) -> None:
        labels = [(field.no, field.label) for section in form.sections for field in section.fields]
        assert len(set(labels)) == len(labels)

    def test_fields_belong_to_their_section(self, form: Form) -> None:
        for section in form.sections:
            assert section.fields
            assert all(field.no.split(".")[0] == section.no for field in section.fields)

    def test_options_stand_where_one_chooses(self, form: Form) -> None:
        for section in form.sections:
            for field in section.fields:
                assert bool(field.options) == (field.type in ("choice", "boxes"))
                assert len(set(field.options)) == len(field.options)


class TestArticle73:
    def test_its_numbers_and_options_are_those_of_the_draft(self) -> None:
        published = json.loads(shared("law/forms/aiact-art73-draft-template.json").read_text(encoding="utf-8"))
        numbers = {field.no.rstrip("abc") if field.no.startswith("4.2") else field.no for field in _fields()}
        assert {entry["no"] for entry in published["fields"]} == numbers
        options = {field.no: list(field.options) for field in _fields() if field.no in ("1.2e", "1.2g", "1.3.1")}
        assert options == {entry["no"]: entry["options"] for entry in published["fields"] if "options" in entry}

    def test_there_are_eight_boxes(self) -> None:
        (boxes,) = [field for field in _fields() if field.type == "boxes"]
        assert len(boxes.options) == 8
        assert set(BOXES.values()) < set(boxes.options)

    def test_every_stage_has_its_type_of_report(self) -> None:
        (kind,) = [field for field in _fields() if field.source == "report.type"]
        assert set(TYPES.values()) < set(kind.options)

    def test_it_says_that_it_is_a_draft_and_admits_nothing(self) -> None:
        form = forms.load(ART73)
        assert "Not yet binding" in form.status
        assert any("not an admission of liability" in notice for notice in form.notices)

    def test_every_box_is_ticked_by_a_fact_that_the_law_asks_for(self) -> None:
        assert set(BOXES) <= set(law.load().facts)


def _fields() -> list:  # type: ignore[type-arg]
    return [field for section in forms.load(ART73).sections for field in section.fields]
