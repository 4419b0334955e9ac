"""Which of many changed: e-BH by hand, its false-discovery rate, and the ranking of segments."""

from __future__ import annotations

from math import inf, log

import numpy as np
import pytest

from tocsin.detect.streams.explaining import Segment, discovered, explained, named_by_ebh


def test_e_bh_takes_the_largest_set_that_its_weakest_member_carries() -> None:
    e = {"a": 200.0, "b": 40.0, "c": 30.0, "d": 1.0}
    logs = {name: log(value) for name, value in e.items()}
    assert named_by_ebh(logs, 0.05) == {"a", "b", "c"}  # 4 / (3 * 0.05) = 26.7
    assert named_by_ebh({**logs, "c": log(26.0)}, 0.05) == {"a", "b"}  # 4 / (2 * 0.05) = 40
    assert named_by_ebh({**logs, "b": log(39.0), "c": 0.0}, 0.05) == {"a"}


@pytest.mark.parametrize("logs", [{}, {"a": 0.0}, {"a": -inf, "b": -5.0}])
def test_without_evidence_nobody_is_named(logs: dict[str, float]) -> None:
    assert named_by_ebh(logs) == set()


def test_false_discoveries_stay_below_the_level() -> None:
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(300):
        noise = {f"n{i}": float(x - 0.5) for i, x in enumerate(rng.normal(0, 1, 80))}
        true = {f"t{i}": float(4 * x - 8) for i, x in enumerate(rng.normal(4, 1, 20))}
        named = named_by_ebh(noise | true, 0.05)
        shares.append(sum(name.startswith("n") for name in named) / max(len(named), 1))
    assert np.mean(shares) <= 0.05
    assert named_by_ebh(true)


def test_segments_are_ranked_by_what_they_bring_to_the_change() -> None:
    small = Segment("city=Oslo", 10, 0.9, 0.1, 20.0)
    large = Segment("city=Roma", 400, 0.2, 0.1, 20.0)
    quiet = Segment("city=Wien", 400, 0.1, 0.1, -1.0)
    assert discovered([small, quiet, large]) == [large, small]
    told = explained([large, small])
    assert told == " It is found in: city=Roma (20.0%, normally 10.0%); city=Oslo (90.0%, normally 10.0%)."
    assert explained([]) == ""


def test_a_segment_is_told_with_its_numbers() -> None:
    assert Segment("a=b", 7, 0.5, 0.25, 1e9).told() == {
        "segment": "a=b",
        "rows": 7,
        "rate": 0.5,
        "normal": 0.25,
        "e_value": pytest.approx(np.exp(700)),
    }
