"""What drift detectors look at: one key per row of every type of column, and settings that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.core.detect.samples import detector, placed
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import misfits
from tocsin.detect.streams.drifting.keys import MISSING, of_numbers, of_text
from tocsin.detect.streams.drifting.looking import of_categories


def cells(kind: str, column: str, values: pa.Array) -> dict[int, int]:
    watcher = detector(kind, column=column)
    batch = placed({column: values, "unit": pa.nulls(len(values), pa.string())})
    found, counts = watcher.observe(watcher.zero(), batch).marginal()
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def key(number: float) -> int:
    return int(of_numbers(np.array([number]))[0])


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (pa.array([1.0, 1.0, None, float("nan")]), {key(1): 2, MISSING: 2}),
        (pa.array([7, None, 7], pa.int64()), {key(7): 2, MISSING: 1}),
        (pa.array([float("inf"), float("-inf")]), {key(-np.inf): 1, key(np.inf): 1}),
        (pa.array([None, None], pa.float64()), {MISSING: 2}),
        (pa.array(["1", "2"]), {MISSING: 2}),
        (pa.array([0.0, -0.0]), {0: 2}),
    ],
)
def test_every_number_has_its_key_and_what_is_none_is_missing(values: pa.Array, found: dict[int, int]) -> None:
    assert cells("numeric_drift", "feature.age", values) == found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (pa.array(["a", "b", "a", None]), {of_text("a"): 2, of_text("b"): 1, MISSING: 1}),
        (pa.array(["a", None]).dictionary_encode(), {of_text("a"): 1, MISSING: 1}),
        (pa.array(["", "Ünï", "東京"]), {of_text(""): 1, of_text("Ünï"): 1, of_text("東京"): 1}),
        (pa.array([True, False, True]), {of_text("true"): 2, of_text("false"): 1}),
        (pa.array([None], pa.string()), {MISSING: 1}),
    ],
)
def test_every_text_has_its_key(values: pa.Array, found: dict[int, int]) -> None:
    assert cells("categorical_drift", "feature.city", values) == found


def test_the_texts_behind_the_keys_are_those_that_occur() -> None:
    coded = pa.array(["a", "b", "c", None]).dictionary_encode().slice(1, 3)
    keys, names = of_categories(coded)
    assert keys.tolist() == [of_text("b"), of_text("c"), MISSING]
    assert names == {of_text("b"): "b", of_text("c"): "c"}


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, "column"),
        ({"column": "feature.age", "tolerance": -0.1}, "tolerance"),
        ({"column": "feature.age", "tolerance_in": "kl"}, "tolerance_in"),
        ({"column": "feature.age", "windows_of_reference": 4}, "windows_of_reference"),
        ({"column": "feature.age", "reference_mode": "none"}, "reference_mode"),
        ({"column": "feature.age", "buckets": 8}, "buckets"),
        ({"column": "feature.age", "limit": 0.1}, "limit"),
    ],
)
@pytest.mark.parametrize("kind", ["numeric_drift", "categorical_drift"])
def test_settings_that_make_no_sense_are_told(kind: str, given: dict[str, Any], wrong: str) -> None:
    assert [misfit.parameter for misfit in misfits(detector_kinds()[kind], given)] == [wrong]


def test_whatever_decides_the_result_is_in_the_specification() -> None:
    plain = detector("numeric_drift").specification
    for changed in ({"tolerance": 0.1}, {"tolerance_in": "psi"}, {"unit": "window"}, {"reference_mode": "own"}):
        assert detector("numeric_drift", **changed).specification != plain
    assert plain["kind"] == "numeric_drift"
    assert detector("numeric_drift").columns == ("feature.age", "unit")
