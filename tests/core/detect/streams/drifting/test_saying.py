"""The words and numbers of a drift, from sequences made by hand."""

from __future__ import annotations

from math import log, sqrt
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.core.detect.samples import detector, window
from tocsin.detect.streams import confidence
from tocsin.detect.streams.drifting import saying
from tocsin.detect.streams.drifting.cutting import NONE, OTHER, Cut
from tocsin.detect.streams.drifting.directions import along
from tocsin.detect.streams.drifting.keys import of_numbers, of_text
from tocsin.detect.streams.drifting.sequence import DriftSequence, Moment, from_bytes, to_bytes
from tocsin.detect.streams.drifting.tally import Tally
from tocsin.detect.streams.profile import Profile
from tocsin.detect.streams.reference import Normal
from tocsin.detect.streams.sequence import HISTORY, begun
from tocsin.detect.streams.telling import micros
from tocsin.model.errors import BadInput
from tocsin.model.finding import Finding, Strength

EDGES = tuple(int(key) for key in of_numbers(np.array([10.0, 20.0])))
NUMBERS = Cut(
    EDGES, (0, 1, 2), ("below 10", "10 to 20", "20 and more", NONE), (0.25, 0.5, 0.25, 0.0), True, 4.0, (5, 15, 25)
)
CITIES = Cut((5, 6, 8, 9), (2, 0, 2, 1, 2), ("Oslo", "Roma", OTHER, NONE), (0.6, 0.3, 0.1, 0.0), False, 4.0)
BEFORE = {NUMBERS: (2_500, 5_000, 2_500, 0), CITIES: (6_000, 3_000, 1_000, 0)}
STRENGTH = Strength("e_value", 50.0, 20.0, "a promise")


def moments(*counts: tuple[int, ...], design: float = 1.0) -> tuple[Moment, ...]:
    return tuple(Moment(n, micros(window(n).start), design, told) for n, told in enumerate(counts))


def finding(
    made: Cut, name: str, side: Any, *counts: tuple[int, ...], design: float = 1.0, state: Tally | None = None
) -> Finding:
    after = DriftSequence(cut=made, before=BEFORE[made], history=moments(*counts, design=design))
    direction = next(one for one in along(made) if one.name == name)
    mean = float(np.array(BEFORE[made]) @ direction.values) / 10_000
    normals = (Normal("own", mean, 0.01, 0.01),) * len(counts)
    found = saying.Found(after, made, direction, side, normals, 0.0, STRENGTH)
    kind = "numeric_drift" if made.ordered else "categorical_drift"
    watcher: Any = detector(kind)
    latest = window(len(counts) - 1, 1_000)
    return saying.finding(watcher, "feature.x", watcher.looked, found, state or Tally(), latest)


SAME, HIGHER, WIDER = (250, 500, 250, 0), (150, 450, 400, 0), (350, 300, 350, 0)


@pytest.mark.parametrize(
    ("made", "name", "side", "said"),
    [
        (NUMBERS, "rank", "up", "higher values"),
        (NUMBERS, "rank", "down", "lower values"),
        (NUMBERS, "spread", "up", "wider spread"),
        (NUMBERS, "spread", "down", "narrower spread"),
        (NUMBERS, "cell:2", "up", 'more of "20 and more"'),
        (NUMBERS, "cell:3", "up", 'more of "(missing)"'),
        (CITIES, "cell:0", "down", 'less of "Oslo"'),
        (CITIES, "cell:2", "up", 'more of "(other)"'),
    ],
)
def test_directions_in_words(made: Cut, name: str, side: Any, said: str) -> None:
    assert saying.direction_said(made, name, side) == said


def test_the_index_of_the_same_counts_is_zero_and_of_others_as_by_hand() -> None:
    assert saying.psi((500, 500), (50, 50)) == 0
    assert saying.psi((500, 500, 0), (50, 50, 0)) == 0
    raw = (0.7 - 0.5) * log(0.7 / 0.5) + (0.3 - 0.5) * log(0.3 / 0.5)
    noise = 1 / 1_000_000 + 1 / 500_000
    assert saying.psi((500_000, 500_000), (350_000, 150_000)) == pytest.approx(raw - noise, rel=1e-6)
    assert saying.psi((500, 500, 0), (50, 40, 10)) > 0.2


def test_a_shift_is_dated_to_the_window_in_which_it_began() -> None:
    told = finding(NUMBERS, "rank", "up", *[SAME] * 6, *[HIGHER] * 4)
    assert told.since is not None
    assert told.since.window == 6
    assert told.since.start == window(6).start
    assert told.since.earliest >= window(5).start
    assert told.count == 4_000
    assert told.explanation.startswith("Since about 2026-10-01 06:00 UTC feature.x has higher values")


def test_a_change_older_than_the_memory_is_said_to_be() -> None:
    told = finding(NUMBERS, "rank", "up", *[HIGHER] * HISTORY)
    assert told.since is not None
    assert told.since.window == 0
    assert told.since.note.startswith(f"at least {HISTORY} windows ago")


def test_the_effect_of_a_shift_is_in_standard_deviations_of_the_rank() -> None:
    told = finding(NUMBERS, "rank", "up", *[SAME] * 3, *[HIGHER] * 5).effect
    assert told is not None
    ranks = np.array([0.125, 0.5, 0.875, 0.5])
    sd = sqrt(0.25 * 0.375**2 * 2)
    now = np.array(HIGHER) / 1_000
    mean = float(now @ ranks)
    assert told.value == pytest.approx((mean - 0.5) / sd)
    spread = sqrt(float(now @ (ranks - mean) ** 2) / 5_000)
    radius = confidence.multiplier(5_000, 0.05) * spread / sd
    assert (told.low, told.high) == (pytest.approx(told.value - radius), pytest.approx(told.value + radius))
    assert (told.name, told.unit) == ("shift of feature.x", "standard deviations of the rank")


def test_people_who_repeat_widen_the_interval() -> None:
    one = finding(NUMBERS, "rank", "up", *[HIGHER] * 5).effect
    four = finding(NUMBERS, "rank", "up", *[HIGHER] * 5, design=4.0).effect
    assert one is not None
    assert four is not None
    assert four.high - four.value == pytest.approx(2 * (one.high - one.value))
    assert four.value == one.value


def test_the_effect_of_a_cell_is_its_share_in_percent_and_stays_one() -> None:
    told = finding(CITIES, "cell:1", "up", *[(400, 500, 100, 0)] * 3).effect
    assert told is not None
    assert (told.name, told.unit, told.value) == ("share of Roma in feature.x", "percent", 50)
    gone = finding(CITIES, "cell:0", "down", *[(1, 899, 100, 0)] * 3).effect
    assert gone is not None
    assert gone.low == 0


def test_the_title_says_what_moved() -> None:
    keys = np.array([12.0, 22.0, 32.0])
    state = Tally(0, of_numbers(keys), np.zeros(3, np.int64), np.array([100, 800, 100]))
    told = finding(NUMBERS, "rank", "up", *[HIGHER] * 3, state=state)
    assert told.title == "feature.x drifted: higher values, median 22, was 15"
    assert told.details["quantiles"] == {"was": [5, 15, 25], "now": [12.0, 22.0, 22.0]}
    told = finding(NUMBERS, "spread", "up", *[WIDER] * 3, state=state)
    assert told.title == "feature.x drifted: wider spread, the middle 80 % from 12 to 22, was 5 to 25"
    told = finding(NUMBERS, "rank", "up", *[HIGHER] * 3)
    assert told.title == "feature.x drifted: higher values"
    assert "quantiles" not in told.details
    told = finding(CITIES, "cell:1", "up", (400, 500, 100, 0))
    assert told.title == "feature.x drifted: Roma 50.0%, was 30.0%"


def test_the_cells_that_moved_most_come_first() -> None:
    told = finding(CITIES, "cell:0", "down", *[(300, 350, 350, 0)] * 2)
    assert (
        "What moved most: Oslo 30.0% (was 60.0%); (other) 35.0% (was 10.0%); Roma 35.0% (was 30.0%)."
        in told.explanation
    )
    assert told.details["shares"] == {"Oslo": [0.6, 0.3], "Roma": [0.3, 0.35], "(other)": [0.1, 0.35], NONE: [0, 0]}
    assert (told.details["direction"], told.details["side"], told.details["mode"]) == ("cell:0", "down", "own")


def test_rows_are_those_of_the_cell_that_gained() -> None:
    sample = tuple((n, "s" * 64, n, int(key)) for n, key in enumerate(of_numbers(np.array([5.0, 12.0, 25.0, 30.0]))))
    told = finding(NUMBERS, "rank", "up", *[HIGHER] * 2, state=Tally(sample=sample))
    assert [row.row for row in told.rows] == [2, 3]
    lower = finding(NUMBERS, "rank", "down", *[(400, 450, 150, 0)] * 2, state=Tally(sample=sample))
    assert [row.row for row in lower.rows] == [0]
    others = ((1, "s", 7, of_text("Bonn")),)
    assert finding(CITIES, "cell:2", "up", *[(500, 300, 200, 0)] * 2, state=Tally(sample=others)).rows == ()


def test_a_finding_is_a_matter_of_its_column_whatever_moved() -> None:
    one, other = (finding(NUMBERS, name, "up", *[WIDER] * 2) for name in ("spread", "cell:2"))
    assert one.key == other.key == "feature.x"
    assert one.id == other.id
    assert one.strength == STRENGTH
    assert one.blind_spots
    assert one.next_steps


# --- the sequence ---------------------------------------------------------------------------------------------------


def test_the_sequence_reads_back_from_its_bytes() -> None:
    full = DriftSequence(
        cut=NUMBERS,
        profile=Profile(3, 1_500.5, b"1", b"2", b"3"),
        before=(1, 2, 3, 4),
        processes={"drift": begun(3, 1.0)},
        history=moments(SAME, HIGHER, design=1.5),
    )
    assert from_bytes(to_bytes(full)) == full
    assert from_bytes(to_bytes(DriftSequence())) == DriftSequence()


def test_only_so_many_windows_are_remembered() -> None:
    sequence = DriftSequence()
    for moment in moments(*[SAME] * (HISTORY + 5)):
        sequence = sequence.remembering(moment, {})
    assert len(sequence.history) == HISTORY
    assert sequence.history[0].index == 5


def test_bytes_of_another_version_are_refused() -> None:
    with pytest.raises(BadInput, match="version 9"):
        from_bytes(msgspec.msgpack.encode((9, DriftSequence())))
    with pytest.raises(BadInput, match="no sequence of a drift detector"):
        from_bytes(to_bytes(DriftSequence())[:-1])
