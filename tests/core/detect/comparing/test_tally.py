"""Counting: any order and any split of the rows gives the same counts, in hashed cells too; units, labels and groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.comparing import tally as tallies
from tocsin.detect.comparing.hashing import buckets, hashed
from tocsin.detect.comparing.plan import Kind, Plan, Roles, plan
from tocsin.detect.comparing.tally import EVERYONE, MISSING, Tally, Values
from tocsin.model.errors import BadInput, UsageFault

ROLES = Roles("label", "decision", "score", "who", ("sex", "race"))


def rows(n: int, seed: int = 1) -> pa.RecordBatch:
    g = np.random.default_rng(seed)
    score = g.uniform(size=n)
    return pa.RecordBatch.from_pydict(
        {
            "age": pa.array(np.where(g.random(n) < 0.1, np.nan, g.normal(40, 10, n))),
            "city": pa.array([None if x == 7 else f"city {x}" for x in g.integers(0, 9, n)], pa.string()),
            "text": pa.array([f"{'word ' * int(x)}{i}" for i, x in enumerate(g.integers(1, 9, n))]),
            "label": pa.array([None if x == 2 else bool(x) for x in g.integers(0, 3, n)]),
            "decision": pa.array((score > 0.5).astype(np.int64)),
            "score": pa.array(score),
            "who": pa.array([f"person {x}" for x in g.integers(0, 50, n)]),
            "sex": pa.array([("f", "m", None)[x] for x in g.integers(0, 3, n)]),
            "race": pa.array([("a", "b")[x] for x in g.integers(0, 2, n)]),
        }
    )


def planned(batch: pa.RecordBatch, roles: Roles = ROLES) -> Plan:
    return plan(batch, batch.schema, roles)


def tally(made: Plan, *batches: pa.RecordBatch) -> Tally:
    found = Tally(made)
    for batch in batches:
        found.observe(batch)
    return found


BATCH = rows(600)
PLAN = planned(BATCH)


def test_kinds_come_from_the_first_rows() -> None:
    assert {c.name: c.kind for c in PLAN.columns} == {
        "age": Kind.NUMBER,
        "city": Kind.CATEGORY,
        "text": Kind.TEXT,
        "score": Kind.NUMBER,
        "sex": Kind.CATEGORY,
        "race": Kind.CATEGORY,
    }
    assert PLAN.crossing == ("sex", "race")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=4), st.permutations(range(5)))
def test_any_split_order_and_merge_gives_the_same_bytes(at: list[int], order: list[int]) -> None:
    ends = [0, *sorted([*at, 600])]
    parts = [BATCH.slice(a, b - a) for a, b in pairwise(ends)]
    whole = tally(PLAN, BATCH)
    merged = Tally(PLAN)
    for place in order:
        if place < len(parts):
            merged.merge(tally(PLAN, parts[place]))
    assert merged.digest() == whole.digest()
    assert merged.rows == 600


def test_another_row_is_another_digest() -> None:
    assert tally(PLAN, BATCH).digest() != tally(PLAN, BATCH.slice(1)).digest()
    changed = rows(600, seed=2)
    assert tally(PLAN, BATCH).digest() != tally(PLAN, changed).digest()


def test_dictionaries_and_plain_text_count_alike() -> None:
    coded = BATCH.set_column(1, "city", BATCH.column("city").dictionary_encode())
    coded = coded.set_column(6, "who", BATCH.column("who").dictionary_encode())
    assert tally(PLAN, coded).digest() == tally(PLAN, BATCH).digest()


def test_labels_and_decisions_are_counted_by_group() -> None:
    found = tally(planned(BATCH, Roles("label", "decision", groups=("sex",))), BATCH)
    data = BATCH.to_pylist()
    everyone = found.tables[EVERYONE][EVERYONE].sum(axis=0)
    caught = sum(row["label"] is True and row["decision"] == 1 for row in data)
    unknown = sum(row["label"] is None for row in data)
    assert everyone[4] == caught
    assert everyone[6:].sum() == unknown
    women = found.tables["sex"]["f"].sum(axis=0)
    assert women[[1, 4, 7]].sum() == sum(row["sex"] == "f" and row["decision"] == 1 for row in data)
    assert found.tables["sex"][MISSING].sum() == sum(row["sex"] is None for row in data)
    assert found.tables["sex"]["f"].shape == (1, 9)


def test_groups_are_crossed() -> None:
    found = tally(PLAN, BATCH)
    crossed = found.tables["sex x race"]
    assert set(crossed) == {f"{s} x {r}" for s in ("f", "m", MISSING) for r in ("a", "b")}
    assert sum(int(grid.sum()) for grid in crossed.values()) == 600
    assert crossed["f x a"].shape == (256, 9)


def test_too_many_groups_are_told_with_the_column() -> None:
    batch = pa.RecordBatch.from_pydict({"yes": [1] * 300, "id": [f"g{i}" for i in range(300)]})
    with pytest.raises(BadInput, match=r"id: more than 100 groups"):
        tally(planned(batch, Roles(decision="yes", groups=("id",))), batch)


@pytest.mark.parametrize(
    ("value", "positive", "wanted"), [("Yes", "", 1), ("n", "", 0), (">50K", ">50K", 1), ("x", "y", 0)]
)
def test_what_means_yes(value: str, positive: str, wanted: int) -> None:
    batch = pa.RecordBatch.from_pydict({"d": [value], "x": ["a"]})
    found = tally(planned(batch, Roles(decision="d", positive=positive)), batch)
    assert found.tables[EVERYONE][EVERYONE].sum(axis=0).tolist().index(1) == 6 + wanted


def test_what_is_neither_yes_nor_no_is_told_with_the_remedy() -> None:
    batch = pa.RecordBatch.from_pydict({"d": ["UP", "DOWN"]})
    with pytest.raises(BadInput, match=r"d: 'UP' is neither yes nor no — say which value means yes: --positive"):
        tally(planned(batch, Roles(decision="d")), batch)


def test_numbers_that_mean_yes() -> None:
    batch = pa.RecordBatch.from_pydict({"d": [1.0, 2.0, 2.0, float("nan")]})
    found = tally(planned(batch, Roles(decision="d", positive="2")), batch)
    cells = found.tables[EVERYONE][EVERYONE].sum(axis=0)
    assert cells[[6, 7, 8]].tolist() == [1, 2, 1]


def test_a_quantity_as_label_makes_a_column_of_errors() -> None:
    batch = pa.RecordBatch.from_pydict({"price": [1.0, 2.5, 9.0] * 9, "guess": [2.0, 2.0, 7.0] * 9})
    made = planned(batch, Roles(label="price", score="guess"))
    assert made.regression
    assert made.columns[-1].name == "|price - guess|"
    assert tally(made, batch).numbers["|price - guess|"].sum() == 27


def test_a_name_that_is_in_neither_is_refused_with_the_columns() -> None:
    with pytest.raises(UsageFault, match=r"--label: the reference has no column 'truth'") as told:
        planned(BATCH, Roles(label="truth"))
    assert "age, city" in told.value.remedy


def test_units_that_nobody_has_are_refused() -> None:
    batch = pa.RecordBatch.from_pydict({"x": [1.0, 2.0], "who": pa.nulls(2, pa.string())})
    with pytest.raises(UsageFault, match="'who' has no value in the first rows"):
        planned(batch, Roles(unit="who"))


def test_columns_of_one_side_or_of_two_types_are_left_out_and_named() -> None:
    current = pa.schema([("age", pa.string()), ("city", pa.string()), ("new", pa.int64()), ("when", pa.date32())])
    first = BATCH.select(["age", "city", "text"]).append_column("when", pa.array([None] * 600, pa.date32()))
    made = plan(first, current, Roles())
    assert dict(made.left) == {
        "age": "number in the reference, text in the current data",
        "text": "only in the reference",
        "new": "only in the current data",
        "when": "a time column",
    }
    with pytest.raises(UsageFault, match="no column in common"):
        plan(first, pa.schema([("else", pa.int64())]), Roles())


class TestValues:
    def test_many_values_are_counted_by_hash_in_any_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tallies, "VALUES_MAX", 20)
        parts = [[(f"v{i}", i + 1) for i in range(a, a + 15)] for a in (0, 10, 30)]

        def folded(order: tuple[int, ...]) -> Values:
            whole = Values()
            for place in order:
                one = Values()
                one.add(parts[place])
                whole.merge(one)
            return whole

        first, second = folded((0, 1, 2)), folded((2, 0, 1))
        assert not first.known
        assert (first.cells == second.cells).all()
        assert first.cells.sum() == sum(n for part in parts for _, n in part)

    def test_few_values_keep_their_names(self) -> None:
        values = Values()
        values.add([("a", 2), ("b", 0)])
        values.add([("a", 1)])
        assert values.known == {"a": 3}


@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=40), st.integers(0, 5))
def test_texts_hash_alike_wherever_they_stand(texts: list[Any], skip: int) -> None:
    column = pa.array(texts, pa.string())
    whole = hashed(column)
    assert hashed(column.slice(skip)).tolist() == whole[skip:].tolist()
    assert hashed(column.dictionary_encode()).tolist() == whole.tolist()
    alike = {}
    for text, value in zip(texts, whole.tolist(), strict=True):
        assert alike.setdefault(text, value) == value
    assert len(set(alike.values())) == len(alike), "different texts differ"


def test_buckets_are_even_and_rows_without_unit_share_one() -> None:
    assert set(buckets(pa.nulls(9, pa.string()), 256).tolist()) == {0}
    for column in (pa.array(range(25_600)), pa.array([str(i) for i in range(25_600)])):
        sizes = np.bincount(buckets(column, 256), minlength=256)
        assert 40 < sizes.min() < sizes.max() < 180
    same = buckets(pa.array([5] * 10), 256)
    assert len(set(same.tolist())) == 1
