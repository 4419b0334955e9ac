"""The policy as the document that a board signs: what is in it, and that text stays text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.govern.workspaces import CHAT, POLICY, SYSTEM, workspace
from tocsin.govern.policy_document import PLACEHOLDERS, PolicyDocument, StandingText, markdown, policy_document
from tocsin.govern.policy_tables import TABLES, spoken
from tocsin.model.finding import Category
from tocsin.model.policy import Severity, Workspace

ALL = (
    StandingText("purpose", "Purpose", ("{purpose}",), (), ("ISO/IEC 42001 5.2",)),
    StandingText("tables", "Tables", ("All of them.",), tuple(TABLES), ("ISO/IEC 42001 4.3",)),
)
MEANINGS = dict.fromkeys(Category, "a meaning")


def made(house: Workspace | None = None, *paragraphs: str) -> PolicyDocument:
    text = (StandingText("one", "One", paragraphs, (), ("x",)),) if paragraphs else ALL
    return policy_document(house or workspace(), text, MEANINGS)


def table(name: str, house: Workspace | None = None) -> list[tuple[str, ...]]:
    """The rows of a table."""
    return list(made(house).sections[1].tables[list(TABLES).index(name)].rows)


def test_the_front_page_says_which_version_whose_and_until_when() -> None:
    document = made()
    assert (document.title, document.organization, document.version) == (POLICY.title, "A test house", "1.0")
    assert dict(document.facts) == {
        "Version": "1.0",
        "Owner": "Ada Adler",
        "Approved": "1 September 2026 by The board",
        "Review by": "1 September 2027",
    }


def test_a_policy_that_is_not_approved_says_so() -> None:
    document = made(workspace(approved_by="", approved_on=None, review_by=None))
    assert dict(document.facts)["Approved"] == "not yet"
    assert dict(document.facts)["Review by"] == "a date that is not set yet"


def test_sections_are_numbered_and_keep_the_clauses_that_they_answer() -> None:
    document = made()
    assert [(section.number, section.title) for section in document.sections] == [(1, "Purpose"), (2, "Tables")]
    assert document.sections[0].answers == ("ISO/IEC 42001 5.2",)


@pytest.mark.parametrize("name", sorted(PLACEHOLDERS))
def test_every_placeholder_is_filled(name: str) -> None:
    (section,) = made(None, f"before {{{name}}} after").sections
    assert "{" not in section.paragraphs[0]
    assert len(section.paragraphs[0]) > len("before  after")


def test_braces_in_the_users_own_text_are_not_filled() -> None:
    document = made(workspace(purpose="To keep {version} as it is."))
    assert document.sections[0].paragraphs == ("To keep {version} as it is.",)


def test_the_inventory_is_in_the_document() -> None:
    assert table("systems") == [
        ("Model", "To decide", "Ada Adler", "provider", "annex iii.5", "DE, FR", "high"),
        ("Chat", "To decide", "Ada Adler", "deployer", "transparency", "DE, FR", "high"),
    ]


def test_what_watches_is_in_the_document() -> None:
    assert table("detectors") == [
        ("Model", "group parity", "100 rows", "group sex"),
        ("Chat", "prompt injection", "1 hour", "standard"),
    ]


def test_the_severity_matrix_reads_as_sentences() -> None:
    assert table("severity") == [
        ("sev1", "gravity is serious incident", "serious"),
        ("sev2", "category is bias or data leakage and people affected is at least 100", "many"),
        ("sev3", "personal data is yes", "personal data"),
        ("sev4", "always", "the rest"),
    ]


def test_response_times_read_as_words() -> None:
    assert table("targets")[0] == ("sev1", "1 hour", "1 day", "2 hours")
    assert [row[0] for row in table("targets")] == [str(severity) for severity in Severity]


def test_the_raci_matrix_has_a_letter_per_role_and_activity() -> None:
    assert table("raci") == [("Manager", "A", "A", "A", "A", "A", "A"), ("Team", "R", "R", "R", "R", "R", "R")]


def test_a_role_that_nobody_fills_says_nobody() -> None:
    roles = (POLICY.roles[0], replace(POLICY.roles[1], people=()))
    assert table("people", workspace(roles=roles)) == [("Manager", "Ada Adler, Ben Bauer"), ("Team", "nobody")]


def test_every_category_is_explained() -> None:
    assert [row[0] for row in table("categories")] == [str(category).replace("_", " ") for category in Category]


def test_the_approval_leaves_room_for_a_signature() -> None:
    assert table("approval") == [("The board", "1 September 2026", "")]
    assert table("approval", workspace(approved_by="", approved_on=None)) == [("", "", "")]


def test_every_table_is_as_wide_as_its_header() -> None:
    for one in made().sections[1].tables:
        assert all(len(row) == len(one.header) for row in one.rows)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=30), "30 seconds"),
        (timedelta(seconds=1.5), "1.5 seconds"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=10), "10 days"),
        (timedelta(weeks=4), "4 weeks"),
    ],
)
def test_a_length_of_time_in_the_largest_whole_unit(length: timedelta, words: str) -> None:
    assert spoken(length) == words


def test_markdown_has_headings_tables_clauses_and_the_digest() -> None:
    text = markdown(made())
    assert text.startswith("# AI incident response policy\n")
    assert "\n## 1 Purpose\n\nTo answer incidents.\n" in text
    assert "| Role | Detect | Classify | Respond | Report | Remediate | Review |\n| --- |" in text
    assert "*Answers: ISO/IEC 42001 5.2.*" in text
    assert text.endswith(f"`{'d' * 64}`\n")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a | b", "a \\| b"),
        ("<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"),
        ("[x](http://evil.example)", "\\[x\\](http://evil.example)"),
        ("*bold* `code`", "\\*bold\\* \\`code\\`"),
        ("# heading", "\\# heading"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("2) item", "2\\) item"),
        ("=====", "\\====="),
        ("two\n\n# lines", "two # lines"),
        ("back\\slash", "back\\\\slash"),
        ("AT&amp;T", "AT\\&amp;T"),
        ("Version 2.1 is fine", "Version 2.1 is fine"),
    ],
)
def test_text_of_the_policy_cannot_become_markup(given: str, shown: str) -> None:
    text = markdown(made(workspace(purpose=given)))
    assert f"\n\n{shown}\n" in text


@given(st.text(max_size=80))
def test_no_text_breaks_the_structure_of_the_document(text: str) -> None:
    house = workspace(replace(SYSTEM, name=text, purpose=text), CHAT, title=text, purpose=text, scope=(text,))
    lines = markdown(made(house)).splitlines()
    assert sum(line.startswith("## ") for line in lines) == 2
    assert sum(line.startswith("# ") for line in lines) == 1
    system_row = lines[lines.index("| System | Purpose | Owner | Our role | AI Act route | Where | Criticality |") + 2]
    assert system_row.replace("\\\\", "").replace("\\|", "").count("|") == 8
