"""The detector of model extraction: the bounds it rests on, what it finds and tells, what it leaves alone, and the proof of a fix."""

from __future__ import annotations

from itertools import product
from math import comb, exp, log
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.detect.samples import SALT, detector, placed, window
from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import misfits
from tocsin.detect.streams.buckets import keyed
from tocsin.detect.streams.clients import CELLS, REGIONS
from tocsin.detect.streams.copying import CopyWatch, Learned, rarefied, surprise
from tocsin.model.errors import BadInput
from tocsin.model.finding import Category, Finding, Level

KIND = detector_kinds()["extraction"]
REFERENCE = 8
calm = settings(max_examples=60, deadline=None)
Rows = tuple[list[str | None], Any, Any]
"""Units, scores, and values of x and y (float[2, n])."""


def watcher(**parameters: Any) -> CopyWatch:
    chosen = {"columns": ["feature.x", "feature.y"], "windows_of_reference": REFERENCE, **parameters}
    found = detector("extraction", **chosen)
    assert isinstance(found, CopyWatch)
    return found


def fleet(rng: np.random.Generator, rows: int = 600) -> Rows:
    """Twenty clients, the busiest with a fifth of the rows; inputs of a few octaves; a tenth of the scores near the threshold."""
    weight = 1 / np.arange(3, 23)
    units: list[str | None] = [f"c{n}" for n in rng.choice(20, rows, p=weight / weight.sum())]
    return units, rng.uniform(0, 1, rows), np.exp(rng.normal(3, 0.5, (2, rows)))


def joined(left: Rows, right: Rows) -> Rows:
    return left[0] + right[0], np.append(left[1], right[1]), np.append(left[2], right[2], axis=1)


def searching(rng: np.random.Generator, rows: int = 80, unit: str = "mallory") -> Rows:
    """All of the scores near the threshold, ordinary inputs."""
    return [unit] * rows, rng.uniform(0.46, 0.54, rows), np.exp(rng.normal(3, 0.5, (2, rows)))


def everywhere(rng: np.random.Generator, rows: int = 120, unit: str = "mallory") -> Rows:
    """Inputs of all magnitudes and signs, ordinary scores."""
    signs = rng.choice([-1, 1], (2, rows))
    return [unit] * rows, rng.uniform(0, 1, rows), signs * np.exp(rng.uniform(-9, 9, (2, rows)))


def batch(rows: Rows, index: int) -> pa.RecordBatch:
    units, score, inputs = rows
    columns = {"feature.x": pa.array(inputs[0]), "feature.y": pa.array(inputs[1]), "score": pa.array(score)}
    return placed({**columns, "unit": pa.array(units, pa.string())}, first=10_000 * index)


def played(watch: CopyWatch, stream: list[Rows]) -> tuple[list[Finding], list[Any]]:
    sequence, findings, told = watch.begin(), [], []
    for index, rows in enumerate(stream):
        state = watch.observe(watch.zero(), batch(rows, index))
        found = watch.evaluate(sequence, state, window(index, len(rows[0])))
        sequence = watch.sequence_from_bytes(watch.sequence_to_bytes(found.sequence))
        findings += found.findings
        told.append(found.statistics)
    return findings, told


def usual(windows: int, seed: int = 5) -> list[Rows]:
    rng = np.random.default_rng(seed)
    return [fleet(rng) for _ in range(windows)]


def attacked(attack: Any, at: int = REFERENCE, after: int = 3) -> list[Rows]:
    """The fleet, and from window `at` on an attacker among it."""
    stream, rng = usual(at + after), np.random.default_rng(6)
    return stream[:at] + [joined(rows, attack(rng)) for rows in stream[at:]]


@pytest.mark.parametrize(
    ("trials", "hits", "granted", "nats"),
    [
        (10, 10, 0.5, 10 * log(2)),
        (10, 5, 0.5, 0.0),
        (10, 0, 0.5, 0.0),
        (100, 50, 0.25, 100 * (0.5 * log(2) + 0.5 * log(0.5 / 0.75))),
        (10, 10, 1.0, 0.0),
        (10, 3, 1.5, 0.0),
        (10, 1, 0.0, float("inf")),
    ],
)
def test_surprise_by_hand(trials: int, hits: int, granted: float, nats: float) -> None:
    assert surprise(trials, hits, granted) == pytest.approx(nats)


@calm
@given(trials=st.integers(1, 60), hits=st.integers(0, 60), granted=st.floats(0.01, 0.99))
def test_surprise_bounds_the_exact_binomial_tail(trials: int, hits: int, granted: float) -> None:
    hits = min(hits, trials)
    tail = sum(comb(trials, k) * granted**k * (1 - granted) ** (trials - k) for k in range(hits, trials + 1))
    assert tail <= exp(-surprise(trials, hits, granted)) * (1 + 1e-9)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.7, 0.2, 0.1), (0.4, 0.3, 0.2, 0.1), (0.97, 0.01, 0.01, 0.01)])
@pytest.mark.parametrize("rows", [1, 3, 5])
def test_rarefaction_and_its_bound_hold_over_all_outcomes(shares: tuple[float, ...], rows: int) -> None:
    """Every sequence of regions with its probability: the mean is exact, and no tail of the count is above the bound."""
    chance = dict.fromkeys(range(len(shares) + 1), 0.0)
    for drawn in product(range(len(shares)), repeat=rows):
        chance[len(set(drawn))] += float(np.prod([shares[place] for place in drawn]))
    mean = sum(filled * p for filled, p in chance.items())
    assert rarefied(np.array(shares), rows) == pytest.approx(mean)
    for filled in range(1, len(shares) + 1):
        tail = sum(p for many, p in chance.items() if many >= filled)
        assert tail <= exp(-surprise(len(shares), filled, mean / len(shares))) * (1 + 1e-9)


@calm
@given(rows=st.integers(1, 500), kept=st.integers(1, REGIONS))
def test_rarefaction_grows_with_rows_and_never_beyond_the_regions_or_the_rows(rows: int, kept: int) -> None:
    shares = np.append(np.full(kept, 1 / kept), np.zeros(REGIONS - kept))
    filled = rarefied(shares, rows)
    assert filled <= min(kept, rows) * (1 + 1e-9) + 1e-6
    assert filled <= rarefied(shares, rows + 1) + 1e-9


def test_a_fleet_like_any_other_raises_nothing() -> None:
    findings, told = played(watcher(), usual(40))
    assert not findings
    assert [one["surprise"] is None for one in told] == [True] * REFERENCE + [False] * 32
    assert told[-1]["reference"] == {"windows": REFERENCE, "needed": REFERENCE}
    assert told[-1]["clients"] == 20


def test_a_search_of_the_threshold_is_found_at_once_and_told() -> None:
    findings, told = played(watcher(), attacked(searching))
    finding = findings[0]
    name = f"client-{keyed('mallory', SALT):016x}"
    assert (finding.key, finding.window.index, finding.count) == (f"near:{name}", REFERENCE, 80)
    assert (finding.category, finding.level) == (Category.ADVERSARIAL_ATTACK, Level.ALARM)
    assert finding.title == "A client searches the threshold: 100% of its 80 rows are near it"
    assert f"100.0% of the 80 scored rows of {name} are near the threshold" in finding.explanation
    assert 0.2 < float(finding.details["granted"]) < 0.5
    assert finding.effect is not None
    assert (finding.effect.value, finding.effect.unit) == (100.0, "percent")
    assert len(finding.rows) == 5
    assert all(600 <= ref.row - 10_000 * REFERENCE < 680 for ref in finding.rows), "the attacker's own rows"
    assert "mallory" not in str(msgspec.json.encode(finding))
    assert told[REFERENCE]["surprise"] == finding.details["surprise"] >= told[REFERENCE]["bar"]


def test_what_goes_on_is_told_once() -> None:
    findings, _ = played(watcher(), attacked(searching, after=6))
    assert [finding.window.index for finding in findings] == [REFERENCE]


def test_what_comes_back_is_told_again() -> None:
    stream, rng = usual(REFERENCE + 3), np.random.default_rng(6)
    for place in (REFERENCE, REFERENCE + 2):
        stream[place] = joined(stream[place], searching(rng))
    findings, _ = played(watcher(), stream)
    assert [finding.window.index for finding in findings] == [REFERENCE, REFERENCE + 2]
    assert len({finding.id for finding in findings}) == 2
    assert len({finding.key for finding in findings}) == 1


def test_questions_all_over_the_input_space_are_found_and_told() -> None:
    findings, _ = played(watcher(), attacked(everywhere))
    finding = findings[0]
    assert finding.key == f"coverage:client-{keyed('mallory', SALT):016x}"
    assert finding.title.startswith("A client asks all over the input space: ")
    assert finding.effect is not None
    assert finding.effect.unit == "regions"
    assert finding.effect.value == finding.details["seen"] > float(finding.details["granted"]) > 10
    assert finding.count == 120


def test_without_columns_only_the_threshold_is_watched() -> None:
    assert not played(watcher(columns=[]), attacked(everywhere))[0]
    assert played(watcher(columns=[]), attacked(searching))[0]
    assert watcher(columns=[]).columns == ("unit", "score")
    assert watcher(columns=["score"]).columns == ("unit", "score")


def test_small_changes_far_from_the_threshold_are_a_blind_spot_that_is_told() -> None:
    def perturbing(rng: np.random.Generator) -> Rows:
        return ["mallory"] * 100, np.full(100, 0.9), np.full((2, 100), 20.0) + rng.normal(0, 0.01, (2, 100))

    assert not played(watcher(), attacked(perturbing))[0]
    assert any("Small changes" in said for said in KIND.blind_spots)


def test_too_few_questions_are_not_judged() -> None:
    assert not played(watcher(), attacked(lambda rng: searching(rng, rows=49)))[0]
    assert played(watcher(questions_min=40), attacked(lambda rng: searching(rng, rows=49)))[0]


def test_the_habit_of_a_client_of_the_reference_is_granted() -> None:
    """Who searched in the first windows already is normal; the same without him is not."""
    assert not played(watcher(), attacked(searching, at=0, after=REFERENCE + 4))[0]


def test_a_change_of_the_whole_fleet_accuses_nobody() -> None:
    """The others of the window are asked as well: when all of them move, none stands out."""
    stream, rng = usual(REFERENCE + 4), np.random.default_rng(8)
    moved = [(rows[0], rng.uniform(0.4, 0.6, 600), 50 * everywhere(rng, 600)[2]) for rows in stream[REFERENCE:]]
    findings, told = played(watcher(), stream[:REFERENCE] + moved)
    assert not findings
    assert told[-1]["judged"] > 1


def test_two_attackers_are_two_findings() -> None:
    stream = attacked(lambda rng: joined(searching(rng), everywhere(rng, unit="trudy")), after=1)
    keys = sorted(finding.key for finding in played(watcher(), stream)[0])
    assert keys == [f"coverage:client-{keyed('trudy', SALT):016x}", f"near:client-{keyed('mallory', SALT):016x}"]


def test_who_shares_a_cell_is_told_apart_by_the_sample() -> None:
    twin = next(f"t{n}" for n in range(100_000) if keyed(f"t{n}", SALT) % CELLS == keyed("mallory", SALT) % CELLS)
    stream = attacked(lambda rng: joined(searching(rng), searching(rng, rows=60, unit=twin)), after=1)
    (finding,) = played(watcher(), stream)[0]
    assert finding.count == 140
    digests = {keyed("mallory", SALT), keyed(twin, SALT)}
    assert finding.details["client"] in {f"client-{digest:016x}" for digest in digests}
    assert "Of 5 sampled rows" in finding.explanation
    assert finding.explanation.endswith("others share its cell.")


@calm
@given(seed=st.integers(0, 2**32 - 1))
def test_any_sharding_of_an_attack_gives_the_same_finding(seed: int) -> None:
    """Rows in any order and in any shards: the finding, its rows and its figures are the same to the last bit."""
    watch, rng = watcher(), np.random.default_rng(seed)
    *before, last = attacked(searching, after=1)
    sequence = watch.begin()
    for index, rows in enumerate(before):
        sequence = watch.evaluate(sequence, watch.observe(watch.zero(), batch(rows, index)), window(index)).sequence
    whole = batch(last, REFERENCE)
    shuffled = whole.take(pa.array(rng.permutation(whole.num_rows)))
    size = int(rng.integers(60, 400))
    state = watch.zero()
    for start in range(0, whole.num_rows, size):
        state = watch.merge(watch.observe(watch.zero(), shuffled.slice(start, size)), state)
    found = watch.evaluate(sequence, state, window(REFERENCE))
    expected = watch.evaluate(sequence, watch.observe(watch.zero(), whole), window(REFERENCE))
    assert found == expected
    assert len(found.findings) == 1


@pytest.mark.parametrize("near", [0.05, 0.1, 0.25])
def test_clients_alike_alarm_less_often_than_is_said(near: float) -> None:
    """At the edge of the null, every client granted what he does, an alarm has at most the probability that is said."""
    rng = np.random.default_rng(9)
    bar = log(2 * 20)
    crossed = sum(surprise(100, int(hits), near) >= bar for hits in rng.binomial(100, near, 20_000))
    assert crossed <= 20_000 * exp(-bar)


def test_more_clients_ask_for_more_evidence() -> None:
    """The bar is the log of two signs times judged clients times windows per false alarm."""
    _, told = played(watcher(windows_per_false_alarm=1_000), usual(REFERENCE + 1))
    judged = told[-1]["judged"]
    assert judged >= 2
    assert told[-1]["bar"] == pytest.approx(log(2 * judged * 1_000), abs=1e-4)
    _, stricter = played(watcher(windows_per_false_alarm=1_000, questions_min=10), usual(REFERENCE + 1))
    assert stricter[-1]["judged"] > judged
    assert stricter[-1]["bar"] > told[-1]["bar"]


@pytest.mark.parametrize(("ratio", "found"), [(1.0, True), (3.0, True), (5.0, True), (20.0, False)])
def test_the_ratio_says_how_much_a_client_may_differ(ratio: float, found: bool) -> None:
    """A tenth of the fleet's scores are near; five times that can be exceeded, and twenty times cannot."""
    findings, _ = played(watcher(near_ratio=ratio), attacked(searching, after=1))
    assert bool(findings) == found


def test_a_lone_client_is_held_against_the_reference() -> None:
    stream = [*usual(REFERENCE), searching(np.random.default_rng(3))]
    (finding,) = played(watcher(), stream)[0]
    assert finding.key.startswith("near:")


def test_missing_scores_are_not_counted_as_far_from_the_threshold() -> None:
    """The fleet without scores in most rows has the same share near the threshold as with all of them."""
    rng = np.random.default_rng(2)
    units, score, inputs = fleet(rng, 4_000)
    watch = watcher()
    full = watch.observe(watch.zero(), batch((units, score, inputs), 0))
    thinned = np.where(rng.random(4_000) < 0.7, np.nan, score)
    thin = watch.observe(watch.zero(), batch((units, thinned, inputs), 0))
    shares = [state.scored[1].sum() / state.scored[0].sum() for state in (full, thin)]
    assert thin.scored[0].sum() == np.count_nonzero(~np.isnan(thinned))
    assert shares[0] == pytest.approx(shares[1], abs=0.03)
    assert full.rows.tolist() == thin.rows.tolist()


def test_the_specification_holds_every_setting() -> None:
    told = watcher(near_ratio=4.0).specification
    assert (told["kind"], told["version"], told["near_ratio"]) == ("extraction", 1, 4.0)
    assert set(told) == {"kind", "version"} | {parameter.name for parameter in KIND.parameters}
    assert (watcher().table, watcher().columns) == ("predictions", ("unit", "score", "feature.x", "feature.y"))
    assert KIND.required == ("unit",)


def test_empty_windows_teach_nothing() -> None:
    nobody: Rows = ([None] * 30, np.full(30, 0.5), np.ones((2, 30)))
    _, told = played(watcher(), [nobody, *usual(2)])
    assert [one["reference"]["windows"] for one in told] == [0, 1, 2]


def test_the_reference_weighs_every_client_and_window_the_same() -> None:
    watch = watcher()
    busy: Rows = (["a"] * 90 + ["b"] * 10, np.zeros(100), np.array([[1.0] * 90 + [1_000.0] * 10, [1.0] * 100]))
    state = watch.observe(watch.zero(), batch(busy, 0))
    learned = Learned().after(state)
    shares = np.sort(learned.regions)[-2:]
    assert (learned.windows, learned.cells) == (1, 2)
    assert shares == pytest.approx([(1 + 1 / REGIONS) / 3] * 2)
    assert learned.regions.sum() == pytest.approx(1)
    assert learned.table.sum(axis=1).tolist() == [100, 0]


def test_a_fix_is_proven_by_quiet_windows_only() -> None:
    watch = watcher()
    finding = played(watch, attacked(searching))[0][0]
    states = [watch.observe(watch.zero(), batch(rows, place)) for place, rows in enumerate(usual(40))]
    going_on = [watch.observe(watch.zero(), batch(rows, 0)) for rows in attacked(searching, at=0, after=40)]
    assert watch.clearance(finding, states, 0.05).passed
    assert not watch.clearance(finding, states[:3], 0.05).passed
    assert not watch.clearance(finding, going_on, 0.05).passed
    assert not watch.clearance(finding, [watch.zero()] * 60, 0.05).passed


def test_coverage_is_cleared_in_the_same_way() -> None:
    watch = watcher()
    finding = played(watch, attacked(everywhere))[0][0]
    states = [watch.observe(watch.zero(), batch(rows, place)) for place, rows in enumerate(usual(40))]
    going_on = [watch.observe(watch.zero(), batch(rows, 0)) for rows in attacked(everywhere, at=0, after=40)]
    assert watch.clearance(finding, states, 0.05).passed
    assert not watch.clearance(finding, going_on, 0.05).passed


@pytest.mark.parametrize(
    "learned",
    [Learned(version=2), Learned(shares=b"\x00"), Learned(scored=bytes(8))],
)
def test_a_damaged_sequence_is_bad_input(learned: Learned) -> None:
    with pytest.raises(BadInput, match="no habits of clients"):
        watcher().sequence_from_bytes(msgspec.msgpack.encode(learned))


@pytest.mark.parametrize(
    ("given_", "parameter"),
    [
        ({"questions_min": 5}, "questions_min"),
        ({"near_ratio": 0.5}, "near_ratio"),
        ({"coverage_ratio": 0.9}, "coverage_ratio"),
        ({"margin": -0.1}, "margin"),
        ({"columns": "feature.x"}, "columns"),
        ({"columns": ["feature.x", "feature.x"]}, "columns"),
    ],
)
def test_settings_that_make_no_sense_are_told(given_: dict[str, Any], parameter: str) -> None:
    assert [wrong.parameter for wrong in misfits(KIND, given_)] == [parameter]
    assert not misfits(KIND, {})
