"""Detection as its users meet it: what is judged when, what is told, and what never happens twice."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.service.desks import NOW, SYSTEM, desk
from tests.service.test_ingesting import jsonl
from tocsin.detect.windows import NONE
from tocsin.model.errors import Conflict, Refused, UsageFault
from tocsin.model.event import Append
from tocsin.model.finding import Level
from tocsin.model.policy import ColumnMapping, DetectorChoice, FalseAlarms, TelemetryMapping
from tocsin.model.telemetry import Windowing
from tocsin.service import catalogue, detecting, scanning
from tocsin.service.desk import Desk
from tocsin.service.detecting import Watched, detect, detector, findings, history, stream, window_states
from tocsin.service.ingesting import ingest

DAY = datetime(2026, 11, 1, tzinfo=UTC)
MAPPING = TelemetryMapping(
    "predictions",
    {
        name: ColumnMapping(column=column, optional=name in ("label", "group.sex", "decision", "unit", "score"))
        for name, column in {
            "time": "at",
            "id": "id",
            "model_version": "model",
            "unit": "person",
            "score": "score",
            "decision": "approved",
            "label": "repaid",
            "group.sex": "sex",
        }.items()
    },
)
HOURLY, HUNDRED = Windowing(every=timedelta(hours=1)), Windowing(rows=100)


def choice(kind: str = "group_parity", windowing: Windowing = HUNDRED, name: str = "", **given: Any) -> DetectorChoice:
    return DetectorChoice(kind, name or f"{kind}:sex", {"group": "sex"} | given, windowing)


def watching(at: Desk, *choices: DetectorChoice) -> Desk:
    """The same desk with these detectors."""
    system = replace(at.workspace.systems[SYSTEM], detectors=choices)
    return replace(at, workspace=replace(at.workspace, systems={SYSTEM: system}))


def sharing(at: Desk, budget: FalseAlarms) -> Desk:
    """The same desk whose policy has this budget."""
    policy = replace(at.workspace.policy, false_alarms=budget)
    return replace(at, workspace=replace(at.workspace, policy=policy))


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "w", MAPPING) as opened:
        yield watching(opened, choice())


def rows(
    count: int, first: int = 0, rates: Mapping[str, float] | None = None, minutes: float = 1.0, **fixed: Any
) -> list[dict[str, Any]]:
    """Rows a minute apart, of groups that take turns, with these chances of approval."""
    chances = rates or {"f": 0.5, "m": 0.5}
    names, chance, made = sorted(chances), random.Random(first), []
    for n in range(first, first + count):
        sex = names[n % len(names)]
        moment = DAY + timedelta(minutes=minutes * n)
        row = {"at": moment.isoformat(), "id": f"A{n}", "model": "1", "score": 0.5, "sex": sex}
        made.append(row | {"approved": chance.random() < chances[sex]} | fixed)
    return made


def take(at: Desk, made: Sequence[Mapping[str, Any]]) -> None:
    """Ingest these rows as a file."""
    ingest(at, SYSTEM, [jsonl(at.root / f"log-{made[0]['id']}-{len(made)}.jsonl", [dict(row) for row in made])])


def only(at: Desk, **how: Any) -> Watched:
    (system,) = detect(at, **how).systems
    (watched,) = system.detectors
    return watched


UNFAIR = {"f": 0.2, "m": 0.7}

# --- nothing to do --------------------------------------------------------------------------------------------------


def test_without_telemetry_nothing_is_judged_and_nothing_recorded(at: Desk) -> None:
    watched = only(at)
    assert (watched.windows, watched.windows_total, watched.findings, watched.statistics) == (0, 0, (), {})
    assert at.ledger.read(stream(SYSTEM)) == []


def test_a_system_without_detectors_is_passed_over(at: Desk) -> None:
    assert detect(watching(at)).systems == ()


def test_a_second_run_finds_nothing_left_and_leaves_the_ledger_alone(at: Desk) -> None:
    take(at, rows(250))
    assert only(at).windows == 2
    events = at.ledger.version(stream(SYSTEM))
    again = only(at)
    assert (again.windows, again.windows_total) == (0, 2)
    assert at.ledger.version(stream(SYSTEM)) == events


def test_an_unknown_system_is_refused_with_those_that_there_are(at: Desk) -> None:
    with pytest.raises(UsageFault, match="no system 'credits'") as caught:
        detect(at, ["credits"])
    assert caught.value.remedy == "the systems are: credit"


def test_an_unknown_detector_is_refused_with_those_that_there_are(at: Desk) -> None:
    with pytest.raises(UsageFault, match="credit has no detector 'parity'") as caught:
        detector(at, SYSTEM, "parity")
    assert caught.value.remedy == "its detectors are: group_parity:sex"


# --- labels, columns, values ----------------------------------------------------------------------------------------


def test_without_labels_windows_close_and_nothing_is_claimed(at: Desk) -> None:
    at = watching(at, choice("equal_opportunity"))
    take(at, rows(300, rates=UNFAIR))
    watched = only(at)
    assert (watched.windows, watched.findings) == (3, ())
    assert watched.statistics["totals"] == {}


def test_rows_that_come_with_their_label_later_are_judged_then(at: Desk) -> None:
    """A decision is logged without its outcome; when the outcome is known it comes as a row of its own."""
    at = watching(at, choice("equal_opportunity"))
    take(at, rows(300, rates=UNFAIR))
    only(at)
    take(at, rows(1_000, first=10_000, rates=UNFAIR, repaid=True))
    watched = only(at)
    assert watched.windows == 10
    assert [finding.key for finding in watched.findings][:1] == ["sex:m>f"]


def test_a_row_whose_id_came_before_stays_as_it_was_judged(at: Desk) -> None:
    at = watching(at, choice("equal_opportunity"))
    take(at, rows(300))
    only(at)
    labelled = rows(300, repaid=True)
    (file,) = ingest(at, SYSTEM, [jsonl(at.root / "again.jsonl", labelled)]).files
    assert (file.rows, file.duplicates) == (0, 300)
    assert only(at).windows == 0


@pytest.mark.parametrize("missing", ["sex", "approved"])
def test_rows_without_the_group_or_the_decision_are_not_counted(at: Desk, missing: str) -> None:
    take(at, [{k: v for k, v in row.items() if k != missing} for row in rows(200)])
    watched = only(at)
    assert (watched.windows, watched.findings, watched.statistics["totals"]) == (2, (), {})


def test_scores_that_are_no_numbers_do_not_matter_to_decisions(at: Desk) -> None:
    made = [row | {"score": None} for row in rows(200)]
    take(at, made)
    assert only(at).statistics["totals"].keys() == {"f", "m"}


def test_a_new_release_in_the_middle_of_a_window_goes_on_in_the_same_stream(at: Desk) -> None:
    take(at, rows(150) + rows(150, first=150, model="2"))
    watched = only(at)
    assert watched.windows == 3
    assert sum(n for n, _ in watched.statistics["totals"].values()) == 300


# --- groups ---------------------------------------------------------------------------------------------------------


def test_a_single_group_is_compared_with_nobody(at: Desk) -> None:
    take(at, rows(300, rates={"f": 0.2}))
    watched = only(at)
    assert (watched.windows, watched.findings, watched.statistics["log10_e"]) == (3, (), {})


def test_a_group_with_few_rows_is_not_compared(at: Desk) -> None:
    made = rows(300, rates={"f": 0.5, "m": 0.5})
    for row in made[::75]:
        row["sex"] = "x"
    take(at, made)
    assert set(only(at).statistics["log10_e"]) == {"f>m", "m>f"}


def test_a_group_that_appears_later_is_compared_from_then_on(at: Desk) -> None:
    take(at, rows(200))
    assert set(only(at).statistics["log10_e"]) == {"f>m", "m>f"}
    take(at, rows(2_000, first=1_000, rates={"f": 0.6, "m": 0.6, "x": 0.05}))
    watched = only(at)
    assert len(watched.statistics["log10_e"]) == 6
    assert {finding.key for finding in watched.findings} == {"sex:f>x", "sex:m>x"}


# --- windows --------------------------------------------------------------------------------------------------------


def test_hours_close_when_newer_rows_are_there_or_by_word(at: Desk) -> None:
    at = watching(at, choice(windowing=HOURLY))
    take(at, rows(150))
    assert only(at).windows == 2
    assert only(at, close_until=DAY + timedelta(hours=3)).windows == 1
    assert only(at, close_until=DAY + timedelta(hours=30)).windows == 0


def test_closing_by_word_before_the_hour_has_ended_closes_nothing(at: Desk) -> None:
    at = watching(at, choice(windowing=HOURLY))
    take(at, rows(150))
    only(at)
    assert only(at, close_until=DAY + timedelta(hours=2, minutes=59)).windows == 0


def test_the_last_rows_close_by_word(at: Desk) -> None:
    take(at, rows(250))
    assert only(at).windows == 2
    watched = only(at, close_until=DAY + timedelta(days=1))
    assert (watched.windows, watched.windows_total) == (1, 3)


def test_nights_without_rows_are_passed_over(at: Desk) -> None:
    at = watching(at, choice(windowing=HOURLY))
    take(at, rows(120) + rows(120, first=1_440) + rows(1, first=5_000))
    watched = only(at)
    assert watched.windows == 4
    indexes = [past.window.index for past in history(at, SYSTEM, "group_parity:sex")]
    assert [index - indexes[0] for index in indexes] == [0, 1, 24, 25]


def test_a_late_row_is_counted_in_the_next_window_and_reopens_none(at: Desk) -> None:
    at = watching(at, choice(windowing=HOURLY))
    take(at, rows(150))
    only(at)
    take(at, rows(30, first=-1_000, minutes=0.01) + rows(60, first=150))
    only(at)
    judged = [(past.window.index, past.window.rows) for past in history(at, SYSTEM, "group_parity:sex")]
    assert [count for _, count in judged] == [60, 60, 90]
    assert len({index for index, _ in judged}) == 3


def test_a_single_clock_in_the_far_future_does_not_close_what_is_open(at: Desk) -> None:
    at = watching(at, choice(windowing=HOURLY))
    wrong = rows(1, first=999, minutes=1)[0] | {"at": (NOW + timedelta(days=4_000)).isoformat(), "id": "future"}
    take(at, [*rows(90), wrong])
    assert only(at).windows == 2
    assert max(past.window.end for past in history(at, SYSTEM, "group_parity:sex")) <= NOW + detecting.SKEW


def test_files_in_any_order_give_the_same_windows_when_judged_at_the_end(tmp_path: Path) -> None:
    made = rows(1_000, rates=UNFAIR)
    told = []
    for name, parts in (("a", (made[:400], made[400:])), ("b", (made[400:], made[:400]))):
        with desk(tmp_path / name, MAPPING) as opened:
            here = watching(opened, choice())
            for part in parts:
                take(here, part)
            watched = only(here)
            told.append((watched.windows, watched.statistics, [(f.id, f.strength, f.effect) for f in watched.findings]))
    assert told[0] == told[1]


def test_many_windows_are_judged_a_run_at_a_time_with_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    for most in (2_000, 1):
        monkeypatch.setattr(detecting, "WINDOWS_PER_RUN", most)
        with desk(tmp_path / str(most), MAPPING) as opened:
            here = watching(opened, choice())
            take(here, rows(1_000, rates=UNFAIR))
            watched = only(here)
            told.append((watched.windows, watched.statistics, watched.findings))
    assert told[0] == told[1]
    assert told[0][0] == 10


# --- findings -------------------------------------------------------------------------------------------------------


def test_a_gap_is_found_recorded_and_listed(at: Desk) -> None:
    take(at, rows(1_000, rates=UNFAIR))
    watched = only(at)
    recorded = findings(at)
    assert [finding for finding, _ in recorded] == list(watched.findings)
    assert recorded[0][1] == NOW
    first = watched.findings[0]
    assert (first.system, first.detector, first.key, first.level) == (
        SYSTEM,
        "group_parity:sex",
        "sex:m>f",
        Level.ALARM,
    )
    assert findings(at, ["another"]) == []


def test_the_rows_of_a_finding_can_be_looked_up(at: Desk) -> None:
    take(at, rows(1_000, rates=UNFAIR))
    finding = only(at).findings[0]
    segments = catalogue.segments(at.ledger, SYSTEM)
    stored = [row for batch in at.telemetry.batches(segments, ["group.sex", "decision"]) for row in batch.to_pylist()]
    assert {ref.segment for ref in finding.rows} <= {segment.id for segment in segments}
    assert {(stored[ref.row]["group.sex"], stored[ref.row]["decision"]) for ref in finding.rows} == {("f", False)}


def test_a_fault_that_goes_on_is_told_rarely_over_runs_too(at: Desk) -> None:
    for part in range(6):
        take(at, rows(500, first=500 * part, rates=UNFAIR))
        only(at)
    told = [finding.window.index for finding, _ in findings(at)]
    assert told == sorted(set(told))
    assert 2 <= len(told) <= 6


def test_two_detectors_share_one_scan_and_keep_their_own_windows(at: Desk) -> None:
    at = watching(at, choice(), choice("equal_opportunity", Windowing(rows=50)), choice(windowing=HOURLY, name="hours"))
    take(at, rows(300, repaid=True))
    (system,) = detect(at).systems
    assert {w.detector: w.windows for w in system.detectors} == {
        "group_parity:sex": 3,
        "equal_opportunity:sex": 6,
        "hours": 4,
    }


# --- settings that change, colleagues, damage -----------------------------------------------------------------------


def test_a_detector_with_changed_settings_begins_anew_and_repeats_no_finding(at: Desk) -> None:
    take(at, rows(1_000, rates=UNFAIR))
    before = only(at)
    at = watching(at, choice(alpha=0.04))
    after = only(at)
    assert (after.windows, after.windows_total, after.began_anew) == (10, 10, True)
    ids = [finding.id for finding, _ in findings(at)]
    assert len(ids) == len(set(ids))
    assert {finding.id for finding in before.findings} <= set(ids)
    assert only(at).began_anew is False


def test_going_back_to_former_settings_goes_on_where_they_stopped(at: Desk) -> None:
    take(at, rows(500))
    only(at)
    only(watching(at, choice(alpha=0.04)))
    take(at, rows(200, first=500))
    watched = only(at)
    assert (watched.windows, watched.windows_total) == (2, 7)


def test_the_specification_is_told_apart_by_windows_and_settings(at: Desk) -> None:
    choices = [
        choice(),
        choice(windowing=HOURLY),
        choice(windowing=Windowing(rows=99)),
        choice(alpha=0.01),
        choice(name="x"),
    ]
    built = detecting.detectors(at, replace(at.system(SYSTEM), detectors=tuple(choices)))
    assert len({detecting.specification_digest(one) for one in built}) == 5


class Interfering:
    """A ledger to which a colleague's detection writes first, so many times."""

    def __init__(self, inner: Any, times: int) -> None:
        self.inner, self.times = inner, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def append(self, *appends: Append) -> Any:
        if self.times:
            self.times -= 1
            raise Conflict("somebody was faster", "try again")
        return self.inner.append(*appends)


def test_a_run_that_comes_second_goes_on_from_there(at: Desk) -> None:
    take(at, rows(300))
    watched = only(replace(at, ledger=Interfering(at.ledger, detecting.RETRIES - 1)))
    assert (watched.windows, watched.windows_total) == (3, 3)


def test_a_run_that_is_always_second_while_nobody_gets_on_gives_up_with_a_word(at: Desk) -> None:
    take(at, rows(300))
    with pytest.raises(Conflict, match="other processes keep judging credit"):
        detect(replace(at, ledger=Interfering(at.ledger, detecting.RETRIES + 1)))


def test_a_segment_that_was_changed_is_refused_and_nothing_is_recorded(at: Desk) -> None:
    take(at, rows(300))
    (segment,) = catalogue.segments(at.ledger, SYSTEM)
    (path,) = (at.root / ".tocsin" / "segments").rglob(f"*{segment.id}*")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with desk(at.root, MAPPING) as reopened, pytest.raises(Refused, match=segment.id[:12]):
        detect(watching(reopened, choice()))
    assert at.ledger.read(stream(SYSTEM)) == []


# --- what plots and proofs read -------------------------------------------------------------------------------------


def test_history_is_that_of_the_present_specification(at: Desk) -> None:
    take(at, rows(300))
    only(at)
    assert [past.window.index for past in history(at, SYSTEM, "group_parity:sex")] == [0, 1, 2]
    assert history(watching(at, choice(alpha=0.01)), SYSTEM, "group_parity:sex") == []


@pytest.mark.parametrize(("windowing", "sizes"), [(HUNDRED, [100, 100, 50]), (HOURLY, [60, 60, 60, 60, 10])])
def test_states_of_the_rows_since_a_fix_include_the_unfinished_window(
    at: Desk, windowing: Windowing, sizes: list[int]
) -> None:
    at = watching(at, choice(windowing=windowing))
    take(at, rows(370))
    states = window_states(at, SYSTEM, "group_parity:sex", DAY + timedelta(minutes=120))
    assert [state.rows("f") + state.rows("m") for state in states] == sizes
    assert at.ledger.read(stream(SYSTEM)) == []


def test_no_rows_since_a_fix_give_no_states(at: Desk) -> None:
    take(at, rows(100))
    assert list(window_states(at, SYSTEM, "group_parity:sex", DAY + timedelta(days=9))) == []


# --- one scan -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("windowing", [HUNDRED, HOURLY])
def test_rows_in_any_order_within_a_file_give_the_same_windows(tmp_path: Path, windowing: Windowing) -> None:
    made = rows(730, rates=UNFAIR)
    shuffled = random.Random(5).sample(made, len(made))
    told = []
    for name, log in (("sorted", made), ("shuffled", shuffled)):
        with desk(tmp_path / name, MAPPING) as opened:
            here = watching(opened, choice(windowing=windowing))
            take(here, log)
            only(here)
            told.append([(past.window, past.statistics) for past in history(here, SYSTEM, "group_parity:sex")])
    assert told[0] == told[1]
    assert told[0]


def test_rows_are_numbered_in_order_of_time_over_segments_and_those_before_are_left_out() -> None:
    instants = {"a": np.array([50, 10, -1, 30]), "b": np.array([20, -1, 40, 30])}
    cut = scanning.in_rows(instants, 2)
    assert cut["a"].tolist() == [2, 0, NONE, 1]
    assert cut["b"].tolist() == [0, NONE, 2, 1]
    assert scanning.in_rows({}, 2) == {}


def test_progress_counts_every_row_that_is_judged(at: Desk) -> None:
    take(at, rows(250))
    take(at, rows(150, first=250))
    told: list[tuple[str, int, int | None]] = []
    detect(at, progress=lambda what, done, total: told.append((what, done, total)))
    assert told == [("judging", 250, 400), ("judging", 400, 400)]


def test_only_segments_with_rows_to_judge_are_read(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in range(3):
        take(at, rows(100, first=100 * part))
        only(at)
    read: list[str] = []
    real = type(at.telemetry).batches

    def batches(store: Any, segments: Any, columns: Any, **how: Any) -> Any:
        read.extend(segment.id for segment in segments)
        return real(store, segments, columns, **how)

    take(at, rows(100, first=300))
    monkeypatch.setattr(type(at.telemetry), "batches", batches)
    assert only(at).windows == 1
    segments = [segment.id for segment in catalogue.segments(at.ledger, SYSTEM)]
    assert segments[-1] in read
    assert not {*segments[:2]} & {*read}


# --- a budget of false alarms for all -------------------------------------------------------------------------------

QUARTER = FalseAlarms(timedelta(days=90), 100, "workspace")


def test_a_shared_budget_sets_the_threshold_and_stands_in_the_finding(at: Desk) -> None:
    at = sharing(at, QUARTER)
    ingest(at, SYSTEM, [jsonl(at.root / "log.jsonl", rows(2_000, rates={"f": 0.3, "m": 0.7}))])
    judged = detect(at)
    first = judged.findings[0]
    assert first.strength.threshold == pytest.approx(100 / 0.45)
    assert "together, at most one false alarm in 90 days on average across all 1 detector" in first.strength.guarantee
    assert judged.false_alarms[0].startswith("At most one false alarm in 90 days")


def test_a_new_neighbour_lets_detectors_go_on_unless_the_budget_is_divided_anew(at: Desk) -> None:
    more = [choice(name=f"parity-{n}") for n in range(5)]
    ingest(at, SYSTEM, [jsonl(at.root / "log.jsonl", rows(500))])
    began = []
    for count in (3, 4, 5):
        systems = detect(watching(sharing(at, QUARTER), *more[:count])).systems
        began.append(systems[0].detectors[0].began_anew)
    assert began == [False, False, True]


def test_without_a_budget_the_promise_is_that_of_each_detector(at: Desk) -> None:
    ingest(at, SYSTEM, [jsonl(at.root / "log.jsonl", rows(300))])
    assert detect(at).false_alarms == ("Each on its own: of 1 detector, at most 0.05 on average ever alarm falsely.",)
