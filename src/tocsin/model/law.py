"""Facts, regimes and obligations: the words of reporting law."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from tocsin.model.event import Json


class Truth(StrEnum):
    """Kleene's strong three values."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """What a regime is at a date: only `binding` alarms; `dormant` runs as a rehearsal, its clocks shown as shadow."""

    BINDING = "binding"
    DORMANT = "dormant"
    BENCHMARK = "benchmark"
    PROPOSAL = "proposal"
    EXPIRED = "expired"


class Confidence(StrEnum):
    """How well the source was read: P primary text, Q official text quoted verbatim, S secondary, UNCONFIRMED nobody yet."""

    P = "P"
    Q = "Q"
    S = "S"
    UNCONFIRMED = "UNCONFIRMED"


ANCHORS: Mapping[str, str] = {
    "occurred": "it happened",
    "started": "it began",
    "detected": "it was detected",
    "aware": "the organization became aware of it",
    "causal_link": "a causal link with the system was established, or its reasonable likelihood",
    "reasonable_belief": "there were facts enough to believe it reasonably",
    "determined": "it was determined that it is such an incident",
    "determined_material": "it was determined to be material",
    "classified": "it was classified",
    "confirmed": "it was confirmed",
    "notice_received": "the notice or the information was received",
    "measure_available": "a corrective or mitigating measure became available",
    "paid": "the ransom was paid",
    "decided": "the adverse decision was made",
    "requested": "the authority asked",
    "submitted": "the earlier report was filed",
    "escalated": "it was escalated",
    "contained": "it was contained",
    "resolved": "it was resolved",
}
"""Instants that start clocks, as in "when ...". They are separate and never substituted for each other. `aware` alone is the organization's
knowledge; per role it is written `aware.provider`, `aware.deployer`, `aware.controller`, `aware.processor`; `submitted` is per stage,
`submitted.<stage id>`."""


STATEMENT = (
    "This is not legal advice. It applies published rules to the facts that were entered; counsel decides. Each citation carries "
    "how well its source was read: P primary text, Q official text quoted, S secondary, UNCONFIRMED by nobody yet."
)
"""Stands beside whatever the law room says, in text and in JSON."""


def worst(read: Iterable[Confidence]) -> Confidence:
    """The least of these confidences; UNCONFIRMED of none."""
    found = set(read)
    return next((level for level in reversed(Confidence) if level in found), Confidence.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class Citation:
    """Instrument, pinpoint, official address, when somebody read it, and how well."""

    instrument: str
    pinpoint: str
    url: str
    read_on: date
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Fact:
    """What is held to be true, by whom, since when.

    `value` is True, False, a number, text, a list of choices, None for unknown, or "not_applicable", which fulfils no comparison.
    """

    name: str
    value: Json
    source: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """An unanswered fact, or a date that is missing, and what it decides."""

    fact: str
    """The fact's name; `date.<anchor>` for a date; `countries`."""
    text: str
    help: str
    type: str
    choices: tuple[str, ...]
    decides: tuple[str, ...]
    """Ids of the obligations that would become certain or fall away."""
    earliest_due: datetime | None
    citation: Citation | None
    meanings: Mapping[str, str] = field(default_factory=dict)
    """Choice -> what it means, where its name does not say it all."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A node of the explanation tree: a sentence, its truth, and what it rests on."""

    text: str
    truth: Truth
    because: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class CountingStep:
    """One line of the counting trace, that counsel can follow by hand."""

    text: str
    instant: datetime | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who must be told: an authority, an operator or the persons concerned; per country where they differ."""

    name: str
    country: str = ""
    channel: str = ""
    confidence: Confidence = Confidence.UNCONFIRMED


Duty = Literal["report", "notice", "act", "evidence"]
"""A report to an authority, a notice to persons or partners, something to do, or something to be able to show."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What a guideline expects where the law names no number, or a later one: shown, never due, never alarming."""

    label: str
    at: datetime | None
    """None until the clock starts."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """Who must tell whom what by when, and why. `operational_due` drives alarms; `legal_latest` is the last lawful instant.

    Both are None where the law says "without undue delay" and names no number: no instant is invented.
    """

    id: str
    """`<regime id>.<stage id>`, with `@<country>` appended where recipients differ by country."""
    regime: str
    stage: str
    title: str
    status: Status
    truth: Truth
    """YES: owed; UNKNOWN: possible, the earliest instant it could have is shown; NO is kept only for explanation."""
    who: str
    recipients: tuple[Recipient, ...]
    operational_due: datetime | None
    legal_latest: datetime | None
    timezone: str
    """The authority's zone."""
    label: str
    """The deadline in words, e.g. `72 hours after awareness`."""
    trace: tuple[CountingStep, ...]
    reason: Reason
    citations: tuple[Citation, ...]
    form: str = ""
    content: tuple[str, ...] = ()
    anchor: str = ""
    anchor_at: datetime | None = None
    discharged_at: datetime | None = None
    decision: str = ""
    """`not_reportable: <reason>` when somebody decided so, with author and time in the ledger."""
    notes: tuple[str, ...] = ()
    pack_digest: str = ""
    calendar: str = ""
    """The days off that were counted with, and the version of their data."""
    kind: Duty = "report"
    benchmarks: tuple[Benchmark, ...] = ()

    @property
    def confidence(self) -> Confidence:
        """How well the least well read of its sources was read."""
        return worst(cited.confidence for cited in self.citations)


@dataclass(frozen=True, slots=True)
class Case:
    """What the law is asked about: facts, anchors, what was already submitted, and which instant it is judged at."""

    facts: Mapping[str, Fact]
    anchors: Mapping[str, datetime]
    countries: tuple[str, ...]
    as_of: datetime
    decisions: Mapping[str, str] = field(default_factory=dict)
    """Obligation id -> reason why it was decided to be not reportable."""


PackStatus = Literal["loaded", "broken"]
