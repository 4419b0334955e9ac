"""What each watching detector counts: one vector a kind, with rows that count and rows that do not; nulls and infinities upset nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, placed
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import misfits
from tocsin.detect.streams.counts import ALL
from tocsin.detect.streams.watch import Watch

INF, NAN = float("inf"), float("nan")
F, T, N = False, True, None


def _batch(**columns: Any) -> pa.RecordBatch:
    kinds = {
        "decision": pa.bool_(),
        "label": pa.bool_(),
        "score": pa.float64(),
        "latency_ms": pa.float64(),
        "feature.age": pa.float64(),
        "cost": pa.float64(),
        "tokens_in": pa.int64(),
        "tokens_out": pa.int64(),
    }
    named = {
        name.replace("feature_", "feature.").replace("group_", "group."): values for name, values in columns.items()
    }
    arrays = {name: pa.array(values, kinds.get(name, pa.string())) for name, values in named.items()}
    count = len(next(iter(arrays.values())))
    return placed({"unit": pa.nulls(count, pa.string()), **arrays})


def _counted(kind: str, batch: pa.RecordBatch, series: str = ALL, **parameters: Any) -> tuple[int, float]:
    """Rows and amounts of the series."""
    watcher = detector(kind, **parameters)
    assert isinstance(watcher, Watch)
    state = watcher.observe(watcher.zero(), batch)
    rows, amount = state.counts(series).sum(axis=1)
    return int(rows), float(amount) / watcher.measure.full


DECISIONS = _batch(
    decision=[T, T, F, F, T, N, F], label=[T, F, T, F, N, T, T], group_sex=["a", "a", "a", "b", "b", "b", N]
)


@pytest.mark.parametrize(
    ("kind", "rows", "amount"),
    [("error_rate", 5, 3.0), ("recall", 3, 1.0), ("false_discovery", 2, 1.0)],
)
def test_decisions_and_labels(kind: str, rows: int, amount: float) -> None:
    assert _counted(kind, DECISIONS) == (rows, amount)


def test_label_flips_are_counted_by_source() -> None:
    assert _counted("label_flips", DECISIONS, "a") == (3, 2.0)
    assert _counted("label_flips", DECISIONS, "b") == (1, 0.0)
    assert _counted("label_flips", DECISIONS) == (0, 0.0)


def test_regression_error_is_cut_off_at_its_ceiling() -> None:
    batch = _batch(score=[10.0, 10.0, 10.0, N, NAN, INF, INF], feature_age=[15.0, -90.0, 10.0, 1.0, 1.0, 1.0, INF])
    assert _counted("regression_error", batch, ceiling=20.0) == (4, pytest.approx(0.25 + 1 + 0 + 1, abs=1e-5))


def test_estimated_error_believes_the_scores() -> None:
    batch = _batch(decision=[T, F, T, N, T, T], score=[0.9, 0.3, 0.6, 0.5, 1.7, NAN])
    assert _counted("estimated_error", batch) == (3, pytest.approx(0.1 + 0.3 + 0.4, abs=1e-5))


@pytest.mark.parametrize(("kind", "series"), [("calibration", ALL), ("calibration_within_groups", "a")])
def test_calibration_is_label_minus_score_moved_to_the_unit_interval(kind: str, series: str) -> None:
    batch = _batch(label=[T, F, N, T], score=[0.8, 0.4, 0.5, -1.0], group_sex=["a"] * 4)
    assert _counted(kind, batch, series) == (2, pytest.approx((0.2 + 1) / 2 + (-0.4 + 1) / 2, abs=1e-5))


AGES = _batch(
    feature_age=[10.0, 70.0, N, INF, -INF, NAN, 65.0], feature_city=["Oslo", "Roma", N, "", "Wien", "Roma", "Oslo"]
)


@pytest.mark.parametrize(
    ("kind", "parameters", "rows", "amount"),
    [
        ("rate", {"column": "feature.age", "above": 60.0}, 5, 3.0),
        ("rate", {"column": "feature.age", "above": None, "below": 60.0}, 5, 2.0),
        ("rate", {"column": "feature.age", "above": 60.0, "below": 0.0}, 5, 4.0),
        ("rate", {"column": "feature.age", "above": None, "missing": True}, 7, 2.0),
        ("rate", {"column": "feature.city", "above": None, "values": ["Roma", "Wien"]}, 6, 3.0),
        ("rate", {"column": "feature.city", "above": 3.0}, 0, 0.0),
        ("missing_values", {"column": "feature.age"}, 7, 2.0),
        ("missing_values", {"column": "feature.city"}, 7, 1.0),
        ("out_of_range", {"lowest": 0.0, "highest": 69.0}, 5, 3.0),
        ("new_categories", {"known": ["Oslo", "Roma"]}, 6, 2.0),
        ("mean", {"floor": 0.0, "ceiling": 100.0}, 5, 0.1 + 0.7 + 1 + 0 + 0.65),
    ],
)
def test_columns(kind: str, parameters: dict[str, Any], rows: int, amount: float) -> None:
    assert _counted(kind, AGES, **parameters) == (rows, pytest.approx(amount, abs=1e-5))


def test_a_flag_needs_no_condition() -> None:
    assert _counted("rate", DECISIONS, column="decision", above=None) == (6, 3.0)


CALLS = _batch(
    role=["assistant", "tool", "user", "tool", "assistant", N],
    error=[N, "Timeout", "Timeout", "", N, "X"],
    tool_name=[N, "mail", N, "search", N, "mail"],
    latency_ms=[100.0, 6000.0, N, INF, 5000.0, NAN],
    text=[
        "I'm sorry, I can't help with that.",
        N,
        "I can't log in",
        "Es tut mir leid, kann ich nicht",
        "Sure: " + "x" * 400 + " I cannot",
        "",
    ],
)


@pytest.mark.parametrize(
    ("kind", "parameters", "rows", "amount"),
    [
        ("failed_calls", {}, 4, 1.0),
        ("slow_answers", {}, 4, 2.0),
        ("slow_answers", {"promised_ms": 50.0}, 4, 4.0),
        ("tool_calls", {}, 4, 2.0),
        ("tool_calls", {"tools": ["mail"]}, 4, 1.0),
        ("refusals", {}, 2, 1.0),
    ],
)
def test_interactions(kind: str, parameters: dict[str, Any], rows: int, amount: float) -> None:
    assert _counted(kind, CALLS, **parameters) == (rows, amount)


@pytest.mark.parametrize(
    "text",
    [
        "I cannot help with that",
        "I can’t do this".replace("’", "'"),
        "Sorry, but as an AI I have no opinion",
        "Ich kann Ihnen nicht weiterhelfen",
        "Leider darf ich das nicht sagen",
        "Je ne peux pas répondre",
        "Lo siento, no puedo ayudar",
        "Mi dispiace, non posso",
    ],
)
def test_refusals_are_known_in_five_languages(text: str) -> None:
    assert _counted("refusals", _batch(role=["assistant"], text=[text])) == (1, 1.0)


@pytest.mark.parametrize("text", ["Here you are.", "You cannot be sorry enough", "Das kann ich gern tun", "Voilà"])
def test_answers_are_no_refusals(text: str) -> None:
    assert _counted("refusals", _batch(role=["assistant"], text=[text])) == (1, 0.0)


@pytest.mark.parametrize("kind", sorted(name for name in detector_kinds() if isinstance(detector(name), Watch)))
def test_columns_of_nothing_count_nothing(kind: str) -> None:
    watcher = detector(kind)
    columns = {name: pa.nulls(4, pa.string()) for name in watcher.columns}
    state = watcher.observe(watcher.zero(), placed(columns))
    assert sum(state.rows(name) for name in state.groups) == (4 if kind == "missing_values" else 0)


def test_a_row_without_a_unit_is_its_own_unit_and_people_stay_in_their_bucket() -> None:
    watcher = detector("error_rate")
    many = {"decision": pa.array([True] * 2000), "label": pa.array([True] * 2000)}
    alone = watcher.observe(watcher.zero(), placed({**many, "unit": pa.nulls(2000, pa.string())}))
    assert np.count_nonzero(alone.counts(ALL)[0]) > 240
    one = watcher.observe(watcher.zero(), placed({**many, "unit": pa.array(["u"] * 2000)}))
    assert np.count_nonzero(one.counts(ALL)[0]) == 1


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("number", ["1", " -2.5e3 ", "inf"], ["", "1,5", "forty"]),
        ("whole", ["0", "-17"], ["1.0", "1e3", ""]),
        ("time", ["2026-11-25", "2026-11-25T20:00:00+01:00"], ["25.11.2026", "2026-13-01", "now"]),
        ("flag", ["true", "NO", "1"], ["2", "maybe"]),
        ("json", ["{}", "[1, null]"], ["{", "", "[" * 9_000]),
        ("uuid", ["12345678-1234-5678-1234-567812345678"], ["1234", "x" * 36]),
    ],
)
def test_types_counts_what_cannot_be_read(form: str, good: list[str], bad: list[str]) -> None:
    batch = _batch(feature_city=[*good, *bad, N])
    assert _counted("types", batch, form=form) == (len(good) + len(bad), float(len(bad)))


def test_a_value_without_end_is_no_number_and_is_not_parsed() -> None:
    assert _counted("types", _batch(feature_city=["1" * 10_000, "1" * 10_001])) == (2, 1.0)


def test_costs_are_cut_off_at_both_ends() -> None:
    batch = _batch(cost=[0.5, 1.0, 9.0, INF, -3.0, N, NAN])
    assert _counted("cost", batch, ceiling=2.0) == (5, pytest.approx(0.25 + 0.5 + 1 + 1 + 0, abs=1e-5))


def test_tokens_are_those_read_and_written_and_either_is_enough() -> None:
    batch = _batch(tokens_in=[100, 100, N, N], tokens_out=[50, N, 900, N])
    assert _counted("tokens", batch, ceiling=1_000.0) == (3, pytest.approx(0.15 + 0.1 + 0.9, abs=1e-5))


@pytest.mark.parametrize("kind", ["cost", "tokens"])
@pytest.mark.parametrize(("limit", "said"), [(0.0, True), (10.0, True), (12.0, True), (9.9, False), (None, False)])
def test_a_limit_that_the_ceiling_hides_is_refused(kind: str, limit: float | None, said: bool) -> None:
    problems = misfits(
        detector_kinds()[kind], {"limit": limit, "ceiling": 10.0} if limit is not None else {"ceiling": 10.0}
    )
    assert bool(problems) == said
    assert all(
        problem.parameter == "limit" and "between 0 and the ceiling (10)" in problem.remedy for problem in problems
    )


def test_cost_has_no_ceiling_of_its_own() -> None:
    (problem,) = misfits(detector_kinds()["cost"], {})
    assert (problem.parameter, problem.what) == ("ceiling", "cost needs 'ceiling'")
