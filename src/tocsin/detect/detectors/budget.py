"""Budget: what one person or account may use in a window, in calls, tokens and cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tocsin.detect.agents.rows import COLUMNS, Rows
from tocsin.detect.agents.spent import Limit, beyond, spent
from tocsin.detect.agents.trail import Cell, Trail, cell
from tocsin.detect.agents.watching import Judged, Known, SessionWatch, Subject, kind
from tocsin.model.detector import Parameter
from tocsin.model.finding import Category

LIMITS = (
    Limit("questions", "questions_max", "More questions of a person than the budget allows", "questions"),
    Limit("tokens", "tokens_max", "More tokens of a person than the budget allows", "tokens"),
    Limit("cost", "cost_max", "More cost of a person than the budget allows", "of cost"),
)


def _observe(rows: Rows, _: SessionWatch) -> tuple[list[int], Iterable[Cell]]:
    return rows.of("user", "assistant", "tool"), (*_questions(rows), *spent(rows, rows.person))


def _questions(rows: Rows) -> Iterator[Cell]:
    for row in rows.of("user"):
        person = rows.person(row)
        yield cell("questions", person, rows.at(row)._replace(owner=person), value="questions")


def _judge(state: Trail, known: Known, watch: SessionWatch) -> Judged:
    return Judged(beyond(state, LIMITS, watch, "One person"), known)


def _check(parameters: Mapping[str, Any]) -> tuple[str, str] | None:
    if all(parameters[limit.parameter] is None for limit in LIMITS):
        return "cost_max", f"set at least one of {', '.join(limit.parameter for limit in LIMITS)}"
    return None


SUBJECT = Subject(
    name="budget",
    title="Budget of a person",
    category=Category.MISUSE,
    noun="people beyond their budget",
    claims="A severe hit says that one person used more in a window than the policy allows. Formula: the sum over the person's rows.",
    parameters=(
        Parameter("questions_max", int, None, "questions of one person in a window", low=1),
        Parameter("tokens_max", int, None, "tokens read and written for one person in a window", low=1),
        Parameter("cost_max", float, None, "cost of one person in a window, in the currency of the telemetry", low=0),
    ),
    observe=_observe,
    judge=_judge,
    blind_spots=(
        "Somebody with many accounts has as many budgets; where telemetry has no unit column, a session stands for a person.",
        "The window is the period of the budget: take a day for a daily one. A budget of a month needs a window of a month.",
        "With thousands of people in a window some are not judged; the statistics say how much was not kept.",
    ),
    next_steps=(
        "Limit the account, and ask its owner: an integration, a loop, a stolen key?",
        "Look for findings of probing and runaway agents of the same person.",
    ),
    sources=("OWASP LLM10:2025 Unbounded Consumption",),
    tags=("owasp.llm.LLM10",),
    required=("role", "unit"),
    columns=(*COLUMNS, "tokens_in", "tokens_out", "cost"),
    check=_check,
)
DETECTOR = kind(SUBJECT)
