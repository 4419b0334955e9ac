"""The whole comparison in memory: what is found, what is not claimed, and what is said of data that is of no use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tocsin.detect.comparing.effects import Effect, Tolerances, Verdict
from tocsin.detect.comparing.plan import Roles, plan
from tocsin.detect.comparing.report import Comparison, Named, comparison
from tocsin.detect.comparing.tally import Tally
from tocsin.model.errors import UsageFault


def compare(first: dict[str, Any], second: dict[str, Any], roles: Roles | None = None, **more: Any) -> Comparison:
    sides = [pa.RecordBatch.from_pydict(side) for side in (first, second)]
    made = plan(sides[0], sides[1].schema, roles or Roles())
    tallies = [Tally(made), Tally(made)]
    for tally, batch in zip(tallies, sides, strict=True):
        tally.observe(batch)
    return comparison(made, Named("ref", tallies[0]), Named("cur", tallies[1]), **more)


def effect(found: Comparison, measure: str, about: str = "") -> Effect:
    named = [e for e in found.effects() if e.measure == measure and (not about or e.about == about)]
    assert len(named) == 1, [(e.about, e.measure) for e in found.effects()]
    return named[0]


def notes(found: Comparison, name: str = "x") -> str:
    return " / ".join(next(column for column in found.columns if column.name == name).notes)


def normal(rows: int, seed: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, rows)


def test_nothing_is_claimed_where_nothing_changed() -> None:
    found = compare({"x": normal(20_000, 1)}, {"x": normal(20_000, 2)})
    assert {e.verdict for e in found.effects()} == {Verdict.WITHIN}
    assert not found.beyond
    median = effect(found, "median")
    assert median.low < 0 < median.high


def test_a_shift_is_found_in_the_columns_own_unit() -> None:
    found = compare({"x": 30 + 10 * normal(5_000, 1)}, {"x": 35 + 10 * normal(5_000, 2)})
    median = effect(found, "median")
    assert median.value == pytest.approx(5, abs=0.8)
    assert median.low < 5 < median.high
    assert median.tolerance == pytest.approx(2.563, rel=0.05), "a tenth of the way from the 10th to the 90th percentile"
    assert median.verdict is Verdict.BEYOND
    psi = effect(found, "PSI")
    assert psi.low < 0.25 < psi.high


def test_few_rows_are_not_sure_and_say_so() -> None:
    found = compare({"x": normal(12, 1)}, {"x": normal(15, 2)})
    assert {e.verdict for e in found.effects()} == {Verdict.UNSURE}
    assert any("only 12 rows" in note for note in found.notes)


def test_verdicts_hold_together_over_many_columns() -> None:
    """Sixty columns without change, a tolerance of nothing: single intervals miss some, verdicts none."""
    first, second = ({f"x{i}": normal(2_000, seed + i) for i in range(60)} for seed in (0, 1_000))
    found = compare(first, second, accepted=Tolerances(0, 0, 0))
    missed = [e for e in found.effects() if e.low > 0 or e.high < 0]
    assert missed
    assert not found.beyond


def test_constants_infinities_and_missing_values() -> None:
    found = compare({"x": [5.5] * 90, "y": normal(90, 1)}, {"x": [5.5] * 90, "y": [np.inf, np.nan, *normal(88, 2)]})
    assert "constant" in notes(found)
    assert effect(found, "missing", "x").verdict is not Verdict.BEYOND
    assert notes(found, "y") == "1 infinite values in the current data, left out of the distribution"
    assert effect(found, "missing", "y").current == pytest.approx(1 / 90)


def test_a_constant_that_changes_is_beyond() -> None:
    values = np.concatenate([np.full(900, 3.0), np.arange(100)])
    found = compare({"x": values}, {"x": values + 40})
    assert effect(found, "median").verdict is Verdict.BEYOND
    assert effect(found, "median").value == pytest.approx(40, rel=0.01)


@pytest.mark.parametrize(
    ("first", "second", "where"),
    [(None, None, "on both sides"), (None, "a", "in the reference"), ("a", None, "in the current data")],
)
def test_all_missing_is_told(first: str | None, second: str | None, where: str) -> None:
    sides = ({"x": pa.array([value] * 50, pa.string()), "y": [1.0] * 50} for value in (first, second))
    found = compare(*sides)
    assert notes(found) == f"no values {where}"
    wanted = Verdict.BEYOND if first != second else None
    assert (effect(found, "missing", "x").verdict is Verdict.BEYOND) == bool(wanted)


def test_all_numbers_missing_is_told() -> None:
    found = compare({"x": normal(50, 1)}, {"x": [np.nan] * 50})
    assert notes(found) == "no values in the current data"
    assert effect(found, "missing").value == 1.0


def test_new_and_vanished_values_are_named() -> None:
    found = compare({"x": ["a"] * 500 + ["old"] * 20}, {"x": ["a"] * 400 + ["<b>new</b>"] * 100})
    assert "1 new: <b>new</b> (100)" in notes(found)
    assert "1 not seen any more: old" in notes(found)
    fresh = effect(found, "new values")
    assert (fresh.reference, fresh.current) == (0.0, 0.2)
    assert 0.16 < fresh.low < 0.2 < fresh.high < 0.25
    assert fresh.verdict is Verdict.BEYOND


def test_ten_thousand_values_without_change_are_no_drift() -> None:
    g = np.random.default_rng(3)
    sides = ({"x": [f"v{i}" for i in g.integers(0, 10_000, 30_000)], "y": normal(30_000, 1)} for _ in range(2))
    first, second = sides
    made = compare(first, second)
    x = next(column for column in made.columns if column.name == "x")
    psi = next((e for e in x.effects if e.measure == "PSI"), None)
    if psi is not None:  # by value or by length, neither is drift
        assert psi.verdict is not Verdict.BEYOND


def test_the_value_that_changed_most_allows_for_the_choice() -> None:
    g = np.random.default_rng(4)
    chosen = 0
    for _ in range(40):
        first, second = ({"x": g.choice([f"v{i}" for i in range(30)], 500).tolist()} for _ in range(2))
        share = next(e for e in compare(first, second).effects() if e.measure.startswith("share of"))
        chosen += not share.low <= 0 <= share.high
    assert chosen <= 5


LOANS = Roles(label="y", decision="d", score="s", groups=("sex",))


def loans(rows: int, seed: int, gap: float = 0.0, flip: float = 0.1) -> dict[str, Any]:
    g = np.random.default_rng(seed)
    sex = g.choice(["f", "m"], rows)
    y = g.random(rows) < 0.4
    d = np.where(g.random(rows) < flip, ~y, y) & ~((sex == "f") & (g.random(rows) < gap))
    return {"y": y, "d": d.astype(float), "s": np.clip(0.3 + 0.4 * y + g.normal(0, 0.2, rows), 0, 1), "sex": sex}


def test_performance_and_its_change() -> None:
    found = compare(loans(6_000, 1), loans(6_000, 2, flip=0.2), LOANS)
    error = effect(found, "error rate")
    assert (error.reference, error.current) == (pytest.approx(0.1, abs=0.02), pytest.approx(0.2, abs=0.02))
    assert error.low < 0.1 < error.high
    assert error.verdict is Verdict.BEYOND
    assert effect(found, "area under the ROC curve").verdict is not Verdict.BEYOND
    assert effect(found, "positive labels").reference == pytest.approx(0.4, abs=0.03)


def test_the_gap_between_groups_and_the_four_fifths() -> None:
    found = compare(loans(6_000, 1), loans(6_000, 2, gap=0.35), LOANS)
    gap = effect(found, "gap in positive decisions")
    assert gap.about == "sex: m over f"
    assert gap.low < 0.42 * 0.35 < gap.high
    assert gap.verdict is Verdict.BEYOND
    assert effect(found, "change of the gap in positive decisions").verdict is Verdict.BEYOND
    fifths = effect(found, "ratio of positive decisions")
    assert fifths.value == pytest.approx(0.65, abs=0.05)
    assert fifths.verdict is Verdict.BEYOND
    assert fifths.tolerance == 0.8
    rate = next(r for r in found.fairness[0].rates if (r.group, r.measure) == ("f", "positive decisions"))
    data = loans(6_000, 2, gap=0.35)
    women = data["sex"] == "f"
    assert rate.current == pytest.approx(data["d"][women].mean())
    assert rate.rows_current == women.sum()
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < rate.current < rate.high


def test_a_ratio_near_one_holds_the_four_fifths() -> None:
    fifths = effect(compare(loans(6_000, 1), loans(6_000, 2), LOANS), "ratio of positive decisions")
    assert fifths.verdict is Verdict.WITHIN


def test_a_single_group_and_small_groups_are_told() -> None:
    one = loans(200, 1) | {"sex": ["f"] * 200}
    assert compare(one, one, LOANS).fairness[0].notes[-1].startswith("a single group")
    few = loans(400, 2)
    few["sex"] = np.array(["x"] * 10 + ["f", "m"] * 195)
    told = compare(few, few, LOANS).fairness[0]
    assert told.notes[0].startswith("fewer than 30 rows of some rate, not compared there: ")
    assert "x" in told.notes[0]
    assert all("x" not in e.about.split(": ")[1].split() for e in told.effects)


def test_the_widest_gap_of_many_groups_allows_for_the_choice() -> None:
    g = np.random.default_rng(6)
    missed = 0
    for _ in range(30):
        groups = g.choice([f"g{i}" for i in range(8)], 4_000)
        side = {"d": (g.random(4_000) < 0.3).astype(float), "sex": groups}
        gap = effect(compare(side, side, Roles(decision="d", groups=("sex",))), "gap in positive decisions")
        missed += gap.low > 0
    assert missed <= 4


def test_units_widen_intervals_and_are_told() -> None:
    g = np.random.default_rng(7)
    people = g.integers(0, 300, 9_000)
    habit = g.beta(0.5, 0.5, 300)
    side = {
        "d": (g.random(9_000) < habit[people]).astype(float),
        "who": people,
        "x": habit[people] + g.normal(0, 0.01, 9_000),
    }
    plain, united = (compare(side, side, Roles(decision="d", unit=unit)) for unit in ("", "who"))
    widths = [
        [effect(found, *what).high - effect(found, *what).low for found in (plain, united)]
        for what in (("positive decisions",), ("median", "x"))
    ]
    assert all(wide > 2.5 * narrow for narrow, wide in widths)
    assert any("not taken as independent" in note for note in united.notes)
    assert any("--unit" in note for note in plain.notes)


def test_a_quantity_is_compared_by_its_errors() -> None:
    price = normal(3_000, 1, 100)
    first, second = ({"price": price, "guess": price + scale * normal(3_000, 2)} for scale in (1.0, 2.0))
    found = compare(first, second, Roles(label="price", score="guess"))
    median = effect(found, "median", "|price - guess|")
    assert median.reference == pytest.approx(0.6745, abs=0.05)
    assert median.verdict is Verdict.BEYOND


@pytest.mark.parametrize(
    ("more", "words"), [({"confidence": 1.0}, "confidence of 1.0"), ({"confidence": 0.2}, "confidence of 0.2")]
)
def test_a_confidence_that_is_none_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageFault, match=words):
        compare({"x": [1.0]}, {"x": [1.0]}, **more)


def test_no_rows_and_no_tolerance_are_refused() -> None:
    with pytest.raises(UsageFault, match="the current data cur has no rows"):
        compare({"x": [1.0]}, {"x": pa.array([], pa.float64())})
    with pytest.raises(UsageFault, match="a tolerance of nan for psi"):
        Tolerances(psi=float("nan"))
    with pytest.raises(UsageFault, match="a tolerance of -1 for rate"):
        Tolerances(rate=-1)


def test_plots_hold_shares_of_both_sides() -> None:
    found = compare({"x": normal(2_000, 1), "c": ["a", "b"] * 1_000}, {"x": normal(999, 2), "c": ["a"] * 999})
    for column in found.columns:
        assert sum(column.plot.reference) == pytest.approx(1)
        assert sum(column.plot.current) == pytest.approx(1)
        assert len(column.plot.labels) == len(column.plot.current)
    assert found.columns[0].plot.labels[0].startswith("below ")
