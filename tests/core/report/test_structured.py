"""The JSON that authorities take: each value at its path, as a code, a number or an instant in UTC; what is not known is absent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.report.made import SOURCE, field, form
from tocsin.report.forms import Export, Field, Schema, Stage, fill
from tocsin.report.structured import code, structured

CONSTANTS: dict[str, Any] = {"owner.kind": "OWNER", "parties[].kind": "PARTY", "impact.assets.sales": {}}
CRITERIA = ("data losses", "reputational impact")


def _at(path: str, no: str = "1", **changes: Any) -> Field:
    export = {key: changes.pop(key) for key in ("kind", "codes", "alternatives") if key in changes}
    return field(no=no, source=f"s{no}", export=Export(path, **export), **changes)


def _json(*fields: Field, stage: Stage = "initial", **values: Any) -> dict[str, Any]:
    made = form(*fields)
    schema = Schema("S-1", SOURCE, CONSTANTS)
    whole = type(made)(*(getattr(made, name) for name in made.__slots__[:8]), {}, schema)
    return structured(whole, fill(whole, values, stage, {}))


class TestCodes:
    @pytest.mark.parametrize(
        ("option", "made"),
        [
            ("initial notification", "initial_notification"),
            ("crypto-asset service provider", "crypto-asset_service_provider"),
            ("Other (please specify)", "other"),
            ("process failure: other (please specify)", "process_failure_other"),
            ("(D)DoS", "ddos"),
            ("Social engineering (including phishing)", "social_engineering_including_phishing"),
            ("authority/agency/ law enforcement body", "authority_agency_law_enforcement_body"),
            ("human error: skills & knowledge", "human_error_skills_knowledge"),
            ("system failure / malfunction", "system_failure_malfunction"),
            ("Police/Law Enforcement", "police_law_enforcement"),
        ],
    )
    def test_a_code_is_the_words_in_lower_case_joined(self, option: str, made: str) -> None:
        assert code(option, {}) == made

    def test_a_code_that_is_listed_goes_before(self) -> None:
        assert code("ICT risk", {"ICT risk": "ICT_risk"}) == "ICT_risk"


class TestValues:
    @pytest.mark.parametrize(
        ("changes", "value", "written"),
        [
            ({}, "a text", "a text"),
            ({"type": "number"}, "12", 12),
            ({"type": "number"}, "12.5", 12.5),
            ({"type": "number"}, 0, 0),
            ({"type": "datetime"}, "2026-11-02 13:00+01:00", "2026-11-02T12:00:00Z"),
            ({"type": "datetime"}, "2026-03-01T00:30+02:00", "2026-02-28T22:30:00Z"),
            ({"type": "choice", "options": ("Yes", "No"), "kind": "truth"}, "Yes", True),
            ({"type": "choice", "options": ("Yes", "No"), "kind": "truth"}, "No", False),
            ({"type": "choice", "options": ("IT Security", "staff")}, "IT Security", "it_security"),
            ({"type": "boxes", "options": ("Data Leak", "(D)DoS")}, "(D)DoS; Data Leak", ["data_leak", "ddos"]),
            ({"kind": "list"}, "DE, FR,AT", ["DE", "FR", "AT"]),
        ],
    )
    def test_each_type_has_its_form(self, changes: dict[str, Any], value: Any, written: Any) -> None:
        assert _json(_at("a", **changes), s1=value) == {"a": written}

    def test_what_is_not_known_and_what_does_not_suit_is_absent(self) -> None:
        fields = [_at("a.b"), _at("a.n", "2", type="number"), field(no="3", source="s3")]
        assert _json(*fields, s2="many", s3="stands only in the form") == {}

    @pytest.mark.parametrize(
        ("stage", "told"),
        [
            ("initial", ["always", "optional"]),
            ("follow_up", ["always", "later", "optional"]),
            ("final", ["always", "final", "later", "optional"]),
            ("combined", ["always", "final", "later", "optional"]),
            ("withdrawn", ["always", "optional"]),
        ],
    )
    def test_what_only_a_later_report_asks_for_is_not_told_yet(self, stage: Stage, told: list[str]) -> None:
        needs: list[Any] = ["always", "later", "final", "optional"]
        fields = [_at(need, str(number), required=need) for number, need in enumerate(needs)]
        made = _json(*fields, stage=stage, **{f"s{number}": "x" for number in range(4)})
        assert sorted(made) == told


class TestPaths:
    def test_members_of_one_object_stand_together(self) -> None:
        assert _json(_at("a.b.c"), _at("a.b.d", "2"), s1="1", s2="2") == {"a": {"b": {"c": "1", "d": "2"}}}

    def test_empty_brackets_are_the_only_item_of_a_list(self) -> None:
        made = _json(_at("parties[].name"), _at("parties[].code", "2"), s1="N", s2="C")
        assert made == {"parties": [{"name": "N", "code": "C", "kind": "PARTY"}]}

    def test_constants_stand_where_there_is_something_to_say(self) -> None:
        assert _json(_at("owner.name"), s1="N") == {"owner": {"name": "N", "kind": "OWNER"}}

    @pytest.mark.parametrize(
        ("path", "made"),
        [
            ("impact.assets.clients", {"clients": "1", "sales": {}}),
            ("impact.assets.sales.number", {"sales": {"number": "1"}}),
        ],
    )
    def test_a_member_that_may_not_lack_stands_empty_where_nothing_was_said(self, path: str, made: Any) -> None:
        assert _json(_at(path), s1="1") == {"impact": {"assets": made}}

    def test_nothing_stands_around_a_constant_alone(self) -> None:
        assert _json(_at("impact.other"), s1="1") == {"impact": {"other": "1"}}

    def test_boxes_make_items_and_later_fields_stand_in_theirs(self) -> None:
        fields = [
            _at("a.kinds[kind]", type="boxes", options=CRITERIA),
            _at("a.kinds[kind=data_losses].what", "2"),
            _at("a.kinds[kind=reputational_impact].what", "3"),
        ]
        made = _json(*fields, s1="data losses; reputational impact", s2="lost", s3="press")
        items = [{"kind": "data_losses", "what": "lost"}, {"kind": "reputational_impact", "what": "press"}]
        assert made == {"a": {"kinds": items}}

    @pytest.mark.parametrize(
        ("ticked", "made"), [("reputational impact", [{"kind": "reputational_impact"}]), ("", None)]
    )
    def test_nothing_stands_below_a_box_that_nobody_ticked(self, ticked: str, made: Any) -> None:
        fields = [_at("kinds[kind]", type="boxes", options=CRITERIA), _at("kinds[kind=data_losses].what", "2")]
        assert _json(*fields, s1=ticked, s2="lost").get("kinds") == made

    @pytest.mark.parametrize(("value", "at"), [("A1", "code"), ("0123456789", "id")])
    def test_the_form_of_a_value_may_decide_its_path(self, value: str, at: str) -> None:
        assert _json(_at("who.code", alternatives={r"\d{10}": "who.id"}), s1=value) == {"who": {at: value}}
