"""Streams abreast are streams one by one: the same bits, alarms, quiet and restarts, whoever stands beside them."""

from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.streams import abreast
from tocsin.detect.streams.contrast import ABREAST, BETS, RUN, log_products, log_products_abreast, rate_log_e
from tocsin.detect.streams.sequence import QUIET_WINDOWS, Process, begun
from tocsin.detect.streams.wrappers import ANY_TIME, LATER, Guarantee, Spending

Counts = np.ndarray


def _counts(seed: int, streams: int, windows: int, buckets: int = 32, jump: int = 10_000) -> Counts:
    """int64[windows, S, 2, buckets]; every third stream rises threefold at window `jump`; some windows have no rows."""
    rng = np.random.default_rng(seed)
    rows = rng.poisson(3, (windows, streams, buckets))
    rows[rng.random((windows, streams)) < 0.1] = 0
    rate = np.full((windows, streams, 1), 0.1)
    rate[jump:, ::3] = 0.3
    return np.stack([rows, rng.binomial(rows, rate)], axis=2)


def _one_by_one(
    process: Process,
    limit: float,
    largest: int,
    counts: Counts,
    threshold: float,
    guarantee: Guarantee,
    spending: Spending,
) -> tuple[Process, int, float, bool]:
    """A window of one stream by the functions that a detector uses."""
    if counts[0].any():
        process = process.after(rate_log_e(counts, limit, largest), guarantee, spending)
    log_e, bar = process.log_e_value(guarantee, spending), log(threshold / process.share)
    alarming = process.alarming(log_e, bar)
    after = process.restarted() if alarming else process.settled(log_e, bar)
    return after, max(largest, int(counts[0].max())), log_e, alarming


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 2 * ABREAST),
    st.sampled_from(["pfa", "sr"]),
    st.sampled_from([ANY_TIME, LATER]),
)
def test_bit_for_bit(seed: int, streams: int, guarantee: Guarantee, spending: Spending) -> None:
    windows = 12
    limits = np.random.default_rng(seed).uniform(0.02, 0.2, streams)
    alone = [begun(len(BETS), 1 / (1 + place % 3)) for place in range(streams)]
    largest = [0] * streams
    together = abreast.gathered(alone, limits, np.zeros(streams, np.int64))
    for counts in _counts(seed, streams, windows, jump=4):
        told = abreast.advanced(together, counts, 20.0, guarantee, spending)
        together = told.streams
        for place in range(streams):
            alone[place], largest[place], log_e, alarming = _one_by_one(
                alone[place], limits[place], largest[place], counts[place], 20.0, guarantee, spending
            )
            assert told.log_e[place] == log_e
            assert told.alarming[place] == alarming
            assert together.process(place) == alone[place]
        assert together.largest.tolist() == largest


def test_a_risen_stream_alarms_and_its_neighbours_do_not() -> None:
    streams = 30
    together = abreast.gathered([begun(len(BETS), 1.0)] * streams, np.full(streams, 0.1), np.full(streams, 12))
    alarmed = np.zeros(streams, bool)
    for counts in _counts(5, streams, 40, jump=20):
        told = abreast.advanced(together, counts, 20.0, "pfa")
        together, alarmed = told.streams, alarmed | told.alarming
    assert alarmed[::3].all()
    assert not alarmed[1::3].any()
    assert (together.alarms[::3] > 0).all()


def test_a_stream_that_was_quiet_for_long_forgets_its_alarms() -> None:
    known = Process((-3.0,) * len(BETS), QUIET_WINDOWS - 1, 1.0, 2)
    counts = np.zeros((2, 2, 16), np.int64)
    counts[0, 0] = 5
    together = abreast.gathered([known, known], np.full(2, 0.1), np.full(2, 9))
    told = abreast.advanced(together, counts, 20.0, "pfa")
    assert told.streams.alarms.tolist() == [0, 2], "the second had no rows, and waits"
    assert told.streams.windows.tolist() == [QUIET_WINDOWS, QUIET_WINDOWS - 1]


def test_nothing_before_the_first_window() -> None:
    together = abreast.gathered([begun(len(BETS), 1.0)], np.array([0.1]), np.zeros(1, np.int64))
    told = abreast.advanced(together, np.zeros((1, 2, 8), np.int64), 20.0, "pfa")
    assert told.log_e.tolist() == [0.0]
    assert told.streams.process(0) == begun(len(BETS), 1.0)
    assert (told.streams.log_a == -inf).all()


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(1, 5), st.integers(0, 1000))
def test_products_in_runs_are_sums_of_logarithms(buckets: int, streams: int, seed: int) -> None:
    z = np.random.default_rng(seed).uniform(-1, 3, (streams, buckets))
    together = log_products_abreast(z)
    for place in range(streams):
        assert (together[place] == log_products(z[place])).all()
        assert together[place] == pytest.approx(np.log1p(np.outer(BETS, z[place])).sum(axis=1), abs=1e-11)


def test_the_largest_bets_stay_within_the_range_of_a_float() -> None:
    """A run of outcomes a million times less likely than seen, and one of nothing but losses."""
    won = log_products(np.full(RUN * 2, 1e6))
    assert won[-1] == pytest.approx(RUN * 2 * log(1 + 0.85e6))
    assert log_products(np.full(RUN, -1.0))[-1] == pytest.approx(RUN * log(0.15))
