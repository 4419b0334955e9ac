"""Answers as people write them: read by type, refused when they do not fit or contradict another."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.service.banks import ASSISTANT, CREDIT, bank
from tocsin.content.loaders import law
from tocsin.document.fields import COUNTRIES
from tocsin.law.conditions import NOT_APPLICABLE, comparisons
from tocsin.law.regime import FactKind
from tocsin.model.errors import BadInput, Refused, UsageFault
from tocsin.model.finding import Category
from tocsin.model.law import Fact
from tocsin.service import answers, duties, incidents, workspaces
from tocsin.service.desk import Desk

LIBRARY = law.load()
AT = datetime(2026, 11, 25, tzinfo=UTC)
COLOURS = {"colour": FactKind("colour", "set", "Which colours?", "Look.", ("red", "green", "blue"))}


def facts(**values: object) -> dict[str, Fact]:
    return {name: Fact(name, value, "the log", "okafor", AT) for name, value in values.items()}


def declared(desk: Desk) -> str:
    return incidents.declare(desk, ASSISTANT, "An IBAN in an answer", Category.DATA_LEAKAGE).id


class TestSets:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("red", ["red"]),
            ("Blue, RED", ["blue", "red"]),
            ("red,red", ["red"]),
            ("none", []),
            ("None", []),
            ("?", None),
            ("n/a", NOT_APPLICABLE),
        ],
    )
    def test_several_are_separated_by_commas(self, text: str, value: object) -> None:
        assert answers.read(COLOURS, "colour", text) == value

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (
                "gren",
                "must be one of red, green, blue (several separated by commas), or none, not 'gren'; did you mean",
            ),
            ("red, bleu", "not 'red, bleu'; did you mean 'blue'?"),
            ("red,", "must be one of"),
            ("", "must be one of"),
            ("none, red", "must be one of"),
        ],
    )
    def test_what_is_none_of_them_is_told_with_the_nearest(self, text: str, says: str) -> None:
        with pytest.raises(UsageFault) as told:
            answers.read(COLOURS, "colour", text)
        assert says in str(told.value)
        assert "Which colours?" in str(told.value)


@pytest.mark.parametrize("text", ["not_applicable", "Not applicable", "N/A"])
def test_not_applicable_is_an_answer_to_everything(text: str) -> None:
    for name in ("death", "people_affected", "breach_risk", "data_kinds", "placed_on_market_on"):
        assert answers.read(LIBRARY.facts, name, text) == NOT_APPLICABLE


@pytest.mark.parametrize("name", sorted(LIBRARY.facts))
def test_every_fact_can_be_unknown_and_refuses_what_is_not_of_its_type(name: str) -> None:
    assert answers.read(LIBRARY.facts, name, "unknown") is None
    if LIBRARY.facts[name].type != "text":
        with pytest.raises(UsageFault, match=name):
            answers.read(LIBRARY.facts, name, "\u2603 neither this nor that")


@pytest.mark.parametrize("name", sorted(name for name, fact in LIBRARY.facts.items() if fact.choices))
def test_every_choice_that_is_offered_is_taken(name: str) -> None:
    fact = LIBRARY.facts[name]
    for choice in fact.choices:
        assert answers.read(LIBRARY.facts, name, choice) == ([choice] if fact.type == "set" else choice)


def test_a_date_is_sent_where_dates_are_recorded() -> None:
    with pytest.raises(UsageFault, match=r"record it with --date aware\.provider=2026-11-24T09:00\+01:00"):
        answers.read(LIBRARY.facts, "date.aware.provider", "2026-11-24")


class TestCountries:
    @pytest.mark.parametrize(
        ("text", "value"),
        [("DE", "DE"), ("DE, US-CA", "DE,US-CA"), ("DE,DE,FR", "DE,FR"), ("unknown", None), ("KE", "KE")],
    )
    def test_codes_are_recorded_once_each(self, text: str, value: object) -> None:
        assert answers.countries(text) == value

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("UK", "countries: 'UK' must be an ISO 3166 code such as DE or US-CA, or EU; did you mean 'GB'?"),
            ("de", "did you mean 'DE'?"),
            ("DE, Germany", "'Germany' must be an ISO 3166 code"),
            ("", "'' must be"),
            ("XX", "'XX' must be"),
        ],
    )
    def test_what_is_no_country_is_told(self, text: str, says: str) -> None:
        with pytest.raises(UsageFault) as told:
            answers.countries(text)
        assert says in str(told.value)

    def test_the_answer_that_is_asked_for_can_be_given(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = declared(desk)
            duties.answer(desk, name, "countries", "PT, US-CA", "the log")
            assert duties.case_of(desk, incidents.find(desk, name)).countries == ("PT", "US-CA")

    def test_every_place_of_the_library_is_a_country(self) -> None:
        assert {code.partition("-")[0] for code in LIBRARY.places} <= COUNTRIES | {"EU"}


class TestContradictions:
    @pytest.mark.parametrize("condition", LIBRARY.contradictions, ids=lambda condition: condition.text)
    def test_each_speaks_of_several_facts_and_says_why(self, condition: object) -> None:
        assert len({compared.fact for compared in comparisons(condition)}) >= 2  # type: ignore[arg-type]
        assert condition.text  # type: ignore[attr-defined]

    def test_the_other_answer_is_told_with_its_author_and_source(self) -> None:
        with pytest.raises(Refused) as told:
            answers.check(LIBRARY, facts(personal_data_breach=True, personal_data=False), "personal_data_breach")
        assert told.value.what == (
            "personal_data_breach=yes contradicts another answer: a breach of personal data needs personal data"
        )
        assert told.value.missing == ("personal_data is no, said by okafor (the log)",)

    @pytest.mark.parametrize(
        ("given", "name"),
        [
            ({"death": True, "harm_occurred": False}, "harm_occurred"),
            ({"serious_health_harm": True, "harm_occurred": False}, "serious_health_harm"),
            ({"data_kinds": ["health", "contact"], "special_category_data": False}, "data_kinds"),
            ({"large_frontier_developer": True, "frontier_model": False}, "frontier_model"),
        ],
    )
    def test_whoever_comes_later_is_refused(self, given: dict[str, object], name: str) -> None:
        with pytest.raises(Refused, match="contradicts another answer"):
            answers.check(LIBRARY, facts(**given), name)

    @pytest.mark.parametrize(
        "given",
        [
            {"death": True},
            {"death": True, "harm_occurred": True},
            {"death": True, "harm_occurred": None},
            {"death": False, "harm_occurred": False},
            {"data_kinds": ["contact"], "special_category_data": False},
        ],
    )
    def test_what_can_stand_together_is_taken(self, given: dict[str, object]) -> None:
        for name in given:
            answers.check(LIBRARY, facts(**given), name)

    def test_other_answers_that_contradict_each_other_do_not_block_this_one(self) -> None:
        answers.check(LIBRARY, facts(death=True, harm_occurred=False, people_affected=3), "people_affected")

    def test_nothing_is_recorded_of_a_contradiction(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            name = declared(desk)
            duties.answer(desk, name, "death", "yes", "the police")
            size = desk.ledger.size()
            with pytest.raises(Refused, match="a death is harm to somebody"):
                duties.answer(desk, name, "harm_occurred", "no")
            assert desk.ledger.size() == size

    def test_the_inventory_can_be_contradicted_by_nobody_unnoticed(self, tmp_path: Path) -> None:
        """The assistant's file says that it processes personal data; an answer that it does not stands against a breach."""
        with bank(tmp_path) as (desk, _):
            name = declared(desk)
            duties.answer(desk, name, "personal_data_breach", "yes")
            with pytest.raises(Refused, match="a breach of personal data needs personal data"):
                duties.answer(desk, name, "personal_data", "no")


class TestStandingFacts:
    """What a system's file says of itself: mistakes with their line."""

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("data_kinds: [contact, helth]", "data_kinds must be a list of contact, government_id"),
            ("data_kinds: contact", "data_kinds must be a list of contact, government_id"),
            ("breach_risk: hgh", "breach_risk must be one of unlikely, risk, high (it says 'hgh')"),
            ("people_affected: many", "people_affected must be a number (it says 'many')"),
            (
                "personal_date: true",
                "no rule of the law asks for the fact 'personal_date' — did you mean 'personal_data'?",
            ),
        ],
    )
    def test_a_mistake_is_told_with_its_line(self, tmp_path: Path, line: str, says: str) -> None:
        with bank(tmp_path) as (desk, _):
            file = desk.root / "systems" / f"{CREDIT}.yaml"
            text = file.read_text(encoding="utf-8").rstrip() + f"\n  {line}\n"
            file.write_text(text, encoding="utf-8")
            told = [str(problem) for problem in workspaces.check(desk.root, AT.date()).problems]
            assert len(told) == 1
            assert f"{CREDIT}.yaml:{text.count(chr(10))}:" in told[0]
            assert says in told[0]

    def test_kinds_are_taken_as_a_list(self, tmp_path: Path) -> None:
        with bank(tmp_path) as (desk, _):
            file = desk.root / "systems" / f"{CREDIT}.yaml"
            text = file.read_text(encoding="utf-8").rstrip() + "\n  data_kinds: [contact, financial_account]\n"
            file.write_text(text, encoding="utf-8")
            assert workspaces.check(desk.root, AT.date()).ok


def test_a_contradiction_that_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    for name in ("places.yaml", "authorities.yaml"):
        (tmp_path / name).write_bytes((law.SHIPPED / name).read_bytes())  # type: ignore[operator]
    (tmp_path / "facts").mkdir()
    for file in law.SHIPPED.joinpath("facts").iterdir():
        (tmp_path / "facts" / file.name).write_bytes(file.read_bytes())
    wrong = "contradictions:\n  - all: [{fact: deth}, {fact: harm_occurred}]\n"
    (tmp_path / "facts" / "contradictions.yaml").write_text(wrong, encoding="utf-8")
    with pytest.raises(BadInput, match=r"contradictions\.yaml.*no fact 'deth'; did you mean 'death'"):
        law.load(tmp_path)
