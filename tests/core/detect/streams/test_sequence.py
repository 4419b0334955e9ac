"""The sequence state: small, ordered, in versioned bytes; and what an alarm is told with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp, log

import msgspec
import numpy as np
import pytest

from tests.core.detect.samples import BEGIN, window
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams import telling
from tocsin.detect.streams.confidence import Interval
from tocsin.detect.streams.contrast import DECAY
from tocsin.detect.streams.reference import Reference
from tocsin.detect.streams.sequence import HISTORY, ContrastSequence, Past, Process, Seen, advanced
from tocsin.detect.streams.since import Dated
from tocsin.detect.streams.telling import Part, Statement, statement
from tocsin.model.errors import BadInput

WORDS = Part(None, "approval rate", "The approval rate", "Some get less.")


def seen(index: int, **counts: tuple[int, int]) -> Seen:
    return Seen(index, telling.micros(BEGIN + timedelta(hours=index)), 1.0, counts, 3 * index)


def after(*windows: Seen) -> ContrastSequence:
    sequence = ContrastSequence()
    for each in windows:
        sequence = advanced(sequence, each)
    return sequence


# --- the past -------------------------------------------------------------------------------------------------------


def test_totals_add_and_rates_fade() -> None:
    sequence = after(seen(0, f=(10, 4)), seen(1, f=(20, 6), m=(5, 5)))
    assert sequence.totals == {"f": (30, 10), "m": (5, 5)}
    assert sequence.rate("f") == (10 * DECAY + 20, 4 * DECAY + 6)
    assert sequence.rate("unknown") == (0.0, 0.0)
    assert sequence.largest == 3


def test_the_recent_past_of_a_series_has_a_place_for_every_window() -> None:
    sequence = after(seen(0, f=(10, 4)), seen(1, m=(5, 5)), seen(2, a=(1, 0), f=(2, 1)))
    assert sequence.recent("f").tolist() == [[10, 4], [0, 0], [2, 1]]
    assert sequence.recent("a").tolist() == [[0, 0], [0, 0], [1, 0]]
    assert sequence.recent("nobody").tolist() == [[0, 0]] * 3
    assert sequence.series == ("f", "m", "a")


def test_the_history_is_bounded() -> None:
    sequence = after(*(seen(n, f=(1, 0)) for n in range(HISTORY + 10)))
    assert len(sequence.history) == HISTORY
    assert sequence.history[0].index == 10
    assert sequence.totals["f"] == (HISTORY + 10, 0)


def test_a_sequence_is_never_changed_in_place() -> None:
    first = after(seen(0, f=(10, 4)))
    before = sequences.to_bytes(first)
    advanced(first, seen(1, f=(9, 9), m=(1, 1)))
    first.with_processes({"x": sequences.begun(2, 1.0)})
    assert sequences.to_bytes(first) == before


def test_bytes_read_back_with_minus_infinity_and_all() -> None:
    sequence = after(seen(0, f=(10, 4))).with_processes(
        {"f>m": sequences.begun(3, 0.5), "m>f": Process((0.5,), 3, 0.5, 1)}
    )
    again = sequences.from_bytes(sequences.to_bytes(sequence))
    assert again == sequence
    assert again.processes["f>m"].log_a == (-np.inf,) * 3


def test_equal_sequences_have_equal_bytes_whatever_the_order_of_their_names() -> None:
    one = ContrastSequence(totals={"a": (1, 0), "b": (2, 1)})
    other = ContrastSequence(totals={"b": (2, 1), "a": (1, 0)})
    assert sequences.to_bytes(one) == sequences.to_bytes(other)


@pytest.mark.parametrize(
    "damaged", [b"", b"\xc1", msgspec.msgpack.encode((1, "x")), sequences.to_bytes(ContrastSequence())[:-1]]
)
def test_damaged_bytes_are_refused(damaged: bytes) -> None:
    with pytest.raises(BadInput, match="no sequence"):
        sequences.from_bytes(damaged)


def test_a_later_version_asks_for_an_upgrade() -> None:
    with pytest.raises(BadInput, match="version 2 is not known") as caught:
        sequences.from_bytes(msgspec.msgpack.encode((2, ContrastSequence())))
    assert "upgrade Tocsin" in str(caught.value)


# --- telling --------------------------------------------------------------------------------------------------------


def test_a_statement_is_named_by_its_groups() -> None:
    assert str(Statement("m", "f")) == "m>f"
    assert statement("m>f") == Statement("m", "f")


def test_the_id_of_a_finding_is_stable_and_depends_on_each_part() -> None:
    base = ("bank", "parity", "sex:m>f", 7)
    ids = {telling.finding_id(*parts) for parts in (base, ("b2", *base[1:]), ("bank", "p2", *base[2:]), (*base[:3], 8))}
    assert len(ids) == 4
    assert telling.finding_id(*base) == telling.finding_id(*base)
    assert len(telling.finding_id(*base)) == 16


def test_strength_is_an_e_value_that_never_overflows() -> None:
    told = telling.strength(log(40), log(20), "promise")
    assert (told.kind, told.value, told.threshold) == ("e_value", pytest.approx(40), pytest.approx(20))
    assert telling.strength(5_000, 4_000, "").value == exp(700)


def test_since_names_the_windows() -> None:
    sequence = after(*(seen(n, f=(1, 0)) for n in range(10)))
    found = telling.since(sequence, Dated(4, 2, 6), window(9))
    assert (found.window, found.start) == (4, BEGIN + timedelta(hours=4))
    assert (found.earliest, found.latest) == (BEGIN + timedelta(hours=2), BEGIN + timedelta(hours=6))
    assert found.note == "small changes are dated poorly"


def test_a_change_before_the_remembered_past_is_told_as_such() -> None:
    sequence = after(*(seen(n, f=(1, 0)) for n in range(HISTORY + 5)))
    assert telling.since(sequence, Dated(3, 0, 6), window(HISTORY + 5)).note.startswith("at least 128 windows ago")
    assert "at least" not in telling.since(sequence, Dated(3, 1, 6), window(HISTORY + 5)).note


def test_the_gap_in_points_and_in_words() -> None:
    effect = telling.gap_effect("approval rate", Interval(0.123, 0.05, 0.2))
    assert (effect.name, effect.unit, effect.confidence) == ("gap in approval rate", "percentage points", 0.95)
    assert (effect.low, effect.value, effect.high) == pytest.approx((5.0, 12.3, 20.0))
    text = telling.gap_explanation(WORDS, Statement("m", "f"), ((2_000, 800), (1_000, 300)), BEGIN)
    assert text == (
        "The approval rate of m is 10.0 percentage points above that of f (800 of 2,000 against 300 of 1,000) "
        "since about 2026-10-01 00:00 UTC. Some get less."
    )


def test_the_numbers_behind_the_words() -> None:
    assert telling.gap_details(Statement("m", "f"), ((20, 8), (10, 3))) == {
        "high": "m",
        "low": "f",
        "rows_high": 20,
        "outcomes_high": 8,
        "rows_low": 10,
        "outcomes_low": 3,
    }
    assert telling.summed(np.array([[3.0, 1.0], [4.0, 0.0]])) == (7, 1)


def test_instants_are_microseconds_both_ways() -> None:
    at = datetime(2026, 11, 24, 1, 2, 3, 456_789, tzinfo=UTC)
    assert telling.instant(telling.micros(at)) == at


def test_the_past_is_kept_as_plain_numbers() -> None:
    assert after(seen(3, m=(5, 2))).history == (Past(3, telling.micros(BEGIN + timedelta(hours=3)), 1.0, ((0, 5, 2),)),)


# --- references -----------------------------------------------------------------------------------------------------


def test_references_are_kept_with_the_sequence() -> None:
    kept = Reference()
    for amount in (1.0, 2.0, 0.0, 1.0, 3.0):
        kept = kept.after(np.array([[10.0, 5.0], [amount, 0.0]]), "auto", 5)
    sequence = ContrastSequence(references={"all rows": kept})
    back = sequences.from_bytes(sequences.to_bytes(sequence))
    assert back == sequence
    assert back.references["all rows"].normal == kept.normal
    assert kept.normal is not None


def test_a_window_goes_by_and_the_references_stay() -> None:
    kept = Reference(path=((10, 1.0), (10, 2.0), (10, 0.0)))
    sequence = ContrastSequence(references={"a": kept})
    after = sequences.advanced(sequence, sequences.Seen(0, 0, 1.0, {"a": (10, 1.5)}))
    assert after.references == {"a": kept}
    assert after.totals == {"a": (10, 1.5)}
    assert after.recent("a").tolist() == [[10.0, 1.5]]


def test_a_sequence_that_was_kept_before_there_were_references_is_read() -> None:
    before = [{"a>b": [[0.0], 3, 1.0, 0]}, {"a": [10.0, 1.0]}, {"a": [10, 1]}, [[0, 5, 1.0, [[0, 10, 1]]]], 4, ["a"]]
    sequence = sequences.from_bytes(msgspec.msgpack.encode((1, before)))
    assert sequence.references == {}
    assert sequence.processes["a>b"].windows == 3
    assert sequence.recent("a").tolist() == [[10.0, 1.0]]
