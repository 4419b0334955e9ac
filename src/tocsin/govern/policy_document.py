"""The policy as the document that a board signs: sections as data, and as Markdown.

The standing text is content (`content/policies/`); the tables come from the policy and the inventory, so that what is signed is
what is executed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tocsin.govern.policy_tables import TABLES, Source, Table, name_of, spoken, spoken_day
from tocsin.model.finding import Category
from tocsin.model.policy import Policy, Workspace


@dataclass(frozen=True, slots=True)
class StandingText:
    """A section's standing text. In it `{name}` stands for a value of the policy."""

    id: str
    title: str
    paragraphs: tuple[str, ...]
    tables: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the document: its number from 1, and the clauses that it answers."""

    number: int
    title: str
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """The document. `digest` is the SHA-256 of the policy file's bytes: what the signature stands for."""

    title: str
    organization: str
    version: str
    digest: str
    facts: tuple[tuple[str, str], ...]
    """The front page's lines: (name, value)."""
    sections: tuple[Section, ...]


PLACEHOLDERS = frozenset({"organization", "purpose", "version", "owner", "join_within", "timezone", "review_by"})
"""What a standing text may put between braces."""


def policy_document(
    workspace: Workspace, text: Sequence[StandingText], meanings: Mapping[Category, str]
) -> PolicyDocument:
    """The policy of the workspace as a document. `meanings` says what each category of incident means."""
    policy, source = workspace.policy, Source(workspace, meanings)
    values = _values(policy)
    sections = tuple(
        Section(
            number,
            standing.title,
            tuple(_filled(paragraph, values) for paragraph in standing.paragraphs),
            tuple(TABLES[name](source) for name in standing.tables),
            standing.answers,
        )
        for number, standing in enumerate(text, start=1)
    )
    facts = (
        ("Version", policy.version),
        ("Owner", values["owner"]),
        ("Approved", f"{spoken_day(policy.approved_on)} by {policy.approved_by}" if policy.approved_by else "not yet"),
        ("Review by", values["review_by"]),
    )
    return PolicyDocument(policy.title, policy.organization, policy.version, policy.digest, facts, sections)


def markdown(document: PolicyDocument) -> str:
    """The document as CommonMark with tables. Text of the policy stays text: nothing in it can become markup."""
    lines = [f"# {_plain(document.title)}", "", f"**{_plain(document.organization)}**", ""]
    lines += [f"- {name}: {_plain(value)}" for name, value in document.facts]
    for section in document.sections:
        lines += ["", f"## {section.number} {section.title}"]
        for paragraph in section.paragraphs:
            lines += ["", _line(paragraph)]
        for table in section.tables:
            lines += ["", *_table(table)]
        lines += ["", f"*Answers: {'; '.join(section.answers)}.*"]
    lines += ["", "---", "", f"SHA-256 of the policy file: `{document.digest}`"]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> list[str]:
    if len(table.header) == 1:
        return [f"- {_line(row[0])}" for row in table.rows]
    rows = [table.header, ("---",) * len(table.header), *table.rows]
    return [f"| {' | '.join(cell if row[0] == '---' else _plain(cell) for cell in row)} |" for row in rows]


_MARKUP = re.compile(r"([\\`*\[\]<>|&])")
_LINE_START = re.compile(r"^(\d*)([#+~=.)-])")


def _plain(text: str) -> str:
    """Text as Markdown that shows exactly that text, inside a line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _line(text: str) -> str:
    """Text as Markdown that shows exactly that text, at the start of a line."""
    return _LINE_START.sub(r"\1\\\2", _plain(text))


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], " ".join(text.split()))


def _values(policy: Policy) -> dict[str, str]:
    return {
        "organization": policy.organization,
        "purpose": " ".join(policy.purpose.split()),
        "version": policy.version,
        "owner": name_of(policy, policy.owner),
        "join_within": spoken(policy.join_within),
        "timezone": policy.timezone,
        "review_by": spoken_day(policy.review_by),
    }
