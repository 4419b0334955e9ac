"""Vectors for every watching detector: rows on which it stays quiet, and the fault that it is there for, found and told in its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, placed, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.streams.watch import Watch
from tocsin.model.finding import Category, Finding

ROWS, BEFORE, AFTER = 400, 24, 16
Rows = Callable[[np.random.Generator, bool], dict[str, Any]]
"""Columns of one window, sound or (True) with the fault."""


@dataclass(frozen=True)
class Vector:
    """A fault: the kind that finds it, its rows, and what the finding says."""

    kind: str
    rows: Rows
    key: str
    noun: str
    category: Category = Category.MODEL_FAILURE
    parameters: dict[str, Any] = field(default_factory=dict)


def _labelled(rng: np.random.Generator, wrong_when_true: float, wrong_when_false: float) -> dict[str, Any]:
    label = rng.random(ROWS) < 0.4
    wrong = rng.random(ROWS) < np.where(label, wrong_when_true, wrong_when_false)
    return {
        "decision": pa.array(label ^ wrong),
        "label": pa.array(label),
    }


def model_gets_worse(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Twice as many wrong decisions."""
    chance = 0.2 if fault else 0.08
    return _labelled(rng, chance, chance)


def model_misses_cases(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Positive cases are missed; negative ones are decided as before."""
    return _labelled(rng, 0.3 if fault else 0.1, 0.1)


def model_cries_wolf(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Negative cases are accused; positive ones are decided as before."""
    return _labelled(rng, 0.1, 0.25 if fault else 0.08)


def prices_are_off(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """A regression whose error doubles."""
    actual = rng.uniform(100, 200, ROWS)
    predicted = actual + rng.normal(0, 24 if fault else 10, ROWS)
    return {
        "score": pa.array(predicted),
        "feature.age": pa.array(actual),
    }


def scores_grow_unsure(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Scores move to the middle: by themselves they say that decisions will be wrong more often."""
    sharp = rng.beta(2, 2, ROWS) if fault else rng.beta(0.5, 0.5, ROWS)
    return {
        "score": pa.array(sharp),
        "decision": pa.array(sharp >= 0.5),
    }


def outcomes_outrun_scores(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """The outcome becomes more frequent than the scores say."""
    score = rng.uniform(0.1, 0.7, ROWS)
    label = rng.random(ROWS) < score + (0.2 if fault else 0.0)
    return {
        "score": pa.array(score),
        "label": pa.array(label),
    }


def one_group_outruns_its_scores(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """The same for women only."""
    sex = rng.choice(np.array(["female", "male"]), ROWS)
    score = rng.uniform(0.1, 0.7, ROWS)
    off = np.where((sex == "female") & fault, 0.25, 0.0)
    return {
        "group.sex": pa.array(sex.tolist()),
        "score": pa.array(score),
        "label": pa.array(rng.random(ROWS) < score + off),
    }


def one_source_lies(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Labels of one source are turned round in a third of its rows."""
    source = rng.choice(np.array(["clinic", "web"]), ROWS)
    flipped = rng.random(ROWS) < np.where((source == "web") & fault, 0.35, 0.05)
    label = rng.random(ROWS) < 0.5
    return {
        "group.sex": pa.array(source.tolist()),
        "label": pa.array(label),
        "decision": pa.array(label ^ flipped),
    }


def supplier_stops(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """A column that is empty ever so often is empty in a fifth of all rows."""
    empty = rng.random(ROWS) < (0.2 if fault else 0.02)
    return {"feature.age": pa.array(np.where(empty, np.nan, rng.uniform(18, 90, ROWS)))}


def clock_in_the_age(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """A year of birth where the age should be, and an infinity."""
    ages = rng.uniform(18, 90, ROWS)
    ages[rng.random(ROWS) < (0.06 if fault else 0.004)] = 1974.0
    ages[0] = np.inf
    return {"feature.age": pa.array(ages)}


def new_city(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """A city that the model was not trained on."""
    known = rng.choice(np.array(["Oslo", "Roma"]), ROWS)
    odd = rng.random(ROWS) < (0.1 if fault else 0.005)
    return {"feature.city": pa.array(np.where(odd, "Wien", known).tolist())}


def older_people(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """The people become older by seven years."""
    return {"feature.age": pa.array(rng.normal(47 if fault else 40, 12, ROWS))}


def _interactions(rng: np.random.Generator, **columns: Any) -> dict[str, Any]:
    roles = rng.choice(np.array(["assistant", "user"]), ROWS)
    return {"role": pa.array(roles.tolist()), **columns}


def provider_is_slow(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Answers take twice as long."""
    taken = rng.lognormal(7.2, 0.6, ROWS) * (2 if fault else 1)
    return _interactions(rng, latency_ms=pa.array(taken))


def provider_fails(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Time-outs."""
    failed = rng.random(ROWS) < (0.08 if fault else 0.01)
    return _interactions(rng, error=pa.array(["Timeout" if one else None for one in failed], pa.string()))


def assistant_declines(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """A new system prompt makes the assistant decline."""
    declined = rng.random(ROWS) < (0.2 if fault else 0.04)
    return _interactions(rng, text=pa.array(["I'm sorry, I can't do that." if one else "Done." for one in declined]))


def assistant_stops_declining(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """A jailbroken assistant no longer declines anything."""
    declined = rng.random(ROWS) < (0.0 if fault else 0.15)
    return _interactions(rng, text=pa.array(["I cannot help with that." if one else "Sure." for one in declined]))


def supplier_writes_words(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Amounts that come as words in a tenth of all rows."""
    odd = rng.random(ROWS) < (0.1 if fault else 0.005)
    return {"feature.city": pa.array(np.where(odd, "about forty", "40.5").tolist())}


def model_becomes_dear(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Calls cost twice as much; a few were always dear."""
    cost = rng.lognormal(-4, 1, ROWS) * (2 if fault else 1)
    return _interactions(rng, cost=pa.array(cost))


def prompt_grows(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """A system prompt that is a thousand tokens longer."""
    read = rng.integers(500, 1500, ROWS) + (1000 if fault else 0)
    return _interactions(rng, tokens_in=pa.array(read), tokens_out=pa.array(rng.integers(10, 400, ROWS)))


def agent_runs_wild(rng: np.random.Generator, fault: bool) -> dict[str, Any]:
    """Three times as many calls of the tool that sends mail."""
    mails = rng.random(ROWS) < (0.15 if fault else 0.05)
    return {
        "role": pa.array(np.where(mails, "tool", "assistant").tolist()),
        "tool_name": pa.array(["mail" if one else None for one in mails], pa.string()),
    }


UP, DOWN = "all rows:up", "all rows:down"
AGE, CITY = {"column": "feature.age"}, {"column": "feature.city"}
VECTORS = (
    Vector("error_rate", model_gets_worse, UP, "error rate"),
    Vector("error_rate", model_gets_worse, UP, "error rate", parameters={"limit": 0.1}),
    Vector("recall", model_misses_cases, DOWN, "recall"),
    Vector("false_discovery", model_cries_wolf, UP, "share of false discoveries"),
    Vector("regression_error", prices_are_off, UP, "mean absolute error"),
    Vector("estimated_error", scores_grow_unsure, UP, "error rate that the scores imply"),
    Vector("calibration", outcomes_outrun_scores, UP, "calibration error"),
    Vector("calibration_within_groups", one_group_outruns_its_scores, "female:up", "calibration error", Category.BIAS),
    Vector("label_flips", one_source_lies, "web:up", "share of labels that contradict", Category.ADVERSARIAL_ATTACK),
    Vector("missing_values", supplier_stops, UP, "share of missing values"),
    Vector("out_of_range", clock_in_the_age, UP, "share of impossible values"),
    Vector("new_categories", new_city, UP, "share of unknown categories"),
    Vector("mean", older_people, UP, "mean", parameters={"unit_name": "years"}),
    Vector("rate", older_people, UP, "rate", parameters={**AGE, "above": 50.0}),
    Vector("rate", older_people, DOWN, "rate", parameters={**AGE, "above": None, "below": 40.0, "direction": "down"}),
    Vector("rate", new_city, UP, "rate", parameters={**CITY, "above": None, "values": ["Wien"], "limit": 0.02}),
    Vector("slow_answers", provider_is_slow, UP, "share of slow answers", parameters={"promised_ms": 3000.0}),
    Vector("failed_calls", provider_fails, UP, "share of failed calls"),
    Vector("refusals", assistant_declines, UP, "share of refusals"),
    Vector("refusals", assistant_stops_declining, DOWN, "share of refusals"),
    Vector("types", supplier_writes_words, UP, "share of values of another type"),
    Vector("cost", model_becomes_dear, UP, "mean cost of a call", Category.MISUSE, {"ceiling": 0.2}),
    Vector("cost", model_becomes_dear, UP, "mean cost of a call", Category.MISUSE, {"ceiling": 0.2, "limit": 0.035}),
    Vector("tokens", prompt_grows, UP, "mean number of tokens", Category.MISUSE, {"ceiling": 8_000.0}),
    Vector("tool_calls", agent_runs_wild, UP, "share of tool calls", Category.AGENT_MISUSE, {"tools": ["mail"]}),
)


def _played(vector: Vector, seed: int, *, fault: bool) -> list[tuple[int, Finding]]:
    """Sound windows, then windows with the fault or without."""
    watcher = detector(vector.kind, windows_of_reference=BEFORE, **vector.parameters)
    sequence, found = watcher.begin(), []
    for index in range(BEFORE + AFTER):
        rng = np.random.default_rng([seed, index])
        columns = vector.rows(rng, fault and index >= BEFORE)
        unit = pa.array([f"u{n}" for n in rng.integers(0, 300, ROWS)])
        state = watcher.observe(watcher.zero(), placed({**columns, "unit": unit}, ROWS * index))
        evaluated = watcher.evaluate(sequence, state, window(index, ROWS))
        sequence = evaluated.sequence
        found += [(index, finding) for finding in evaluated.findings]
    return found


def _name(vector: Vector) -> str:
    return f"{vector.kind}-{vector.rows.__name__}"


@pytest.mark.parametrize("vector", VECTORS, ids=_name)
def test_sound_rows_are_quiet(vector: Vector) -> None:
    assert sum(bool(_played(vector, seed, fault=False)) for seed in range(3)) == 0


@pytest.mark.parametrize("vector", VECTORS, ids=_name)
def test_the_fault_is_found_and_told_in_words(vector: Vector) -> None:
    found = _played(vector, 7, fault=True)
    assert found, vector
    first, finding = found[0]
    assert BEFORE <= first <= BEFORE + 8
    assert {one.key for _, one in found} == {vector.key}
    assert vector.noun in finding.title
    assert finding.category is vector.category
    assert ("fell" if vector.key.endswith("down") else "rose") in finding.title
    assert finding.next_steps
    assert finding.blind_spots
    assert finding.since is not None
    assert finding.since.start >= window(BEFORE - 3).start
    assert all(row.row >= ROWS * BEFORE for row in finding.rows)


def test_every_watching_kind_has_a_vector() -> None:
    watching = {name for name in detector_kinds() if isinstance(detector(name), Watch)}
    assert watching == {vector.kind for vector in VECTORS}


@pytest.mark.parametrize("vector", VECTORS, ids=_name)
def test_the_kind_declares_what_its_rows_need(vector: Vector) -> None:
    columns = set(vector.rows(np.random.default_rng(1), False))
    assert set(detector(vector.kind, **vector.parameters).columns) - columns <= {"unit", "role", "tool_name", "text"}
