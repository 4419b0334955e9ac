"""`tocsin.watch`: the findings of `tocsin detect` from frames in memory, however they are cut, sharded, stopped and resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tocsin
from tests.cli.test_compare import Page
from tests.cli.test_detect_streams import LOANS, Desk, decisions
from tests.service.test_api import Streamed
from tocsin.adapters.workspace.reading import read_salt
from tocsin.model.errors import BadInput, TocsinError, UsageFault
from tocsin.model.finding import Finding
from tocsin.service.streaming import Findings, Watch

BEGIN = datetime(2026, 3, 1)  # noqa: DTZ001 - as people have them in frames
SALT = bytes(32)
Frame = dict[str, Any]


def frame(first_hour: int, hours: int, gap: float = 0.0, rows: int = 120, seed: int = 1) -> Frame:
    """Decisions, so many an hour; women are approved less often by the gap."""
    g = np.random.default_rng((seed, first_hour))
    count = hours * rows
    sex = g.choice(["f", "m"], count)
    at = [BEGIN + timedelta(hours=first_hour + n / rows) for n in range(count)]
    approved = g.random(count) < 0.6 - gap * (sex == "f")
    return {
        "at": at,
        "approved": approved.tolist(),
        "sex": sex.tolist(),
        "who": [f"p{n}" for n in g.integers(0, 90, count)],
    }


def watching(**changes: Any) -> Watch:
    settings_ = {"time": "at", "decision": "approved", "group": "sex", "unit": "who", "window": "6h", "salt": SALT}
    return tocsin.watch(**settings_ | changes)


def part(rows: Frame, start: int, stop: int) -> Frame:
    return {name: values[start:stop] for name, values in rows.items()}


def told(found: list[Finding]) -> list[tuple[str, int, float]]:
    return [(f.id, f.window.index, f.strength.value) for f in found]


FAULTY = [frame(hour, 24, 0.25 if hour >= 96 else 0.0) for hour in range(0, 192, 24)]
WHOLE = {name: [value for one in FAULTY for value in one[name]] for name in FAULTY[0]}


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    watch = watching()
    return [finding for one in FAULTY for finding in watch.update(one)]


class TestThreeLines:
    def test_a_gap_is_found(self, found: list[Finding]) -> None:
        assert found[0].title.startswith("The rate of positive decisions differs by sex: f 3")
        assert found[0].window.start.replace(tzinfo=None) >= BEGIN + timedelta(hours=96)
        assert found[0].since is not None
        assert found[0].since.start.replace(tzinfo=None) == BEGIN + timedelta(hours=96)

    def test_columns_choose_the_detectors(self) -> None:
        assert watching().detectors == ("group_parity:sex",)
        assert watching(label="repaid").detectors == ("error_rate", "equalized_odds:sex")
        assert tocsin.watch(time="at", label="y", score="p").detectors == ("calibration",)
        assert watching(group=["sex", "age"]).detectors == ("group_parity:age", "group_parity:sex")

    def test_detectors_are_named_as_in_a_system_file(self) -> None:
        named = [
            {"kind": "group_parity", "with": {"group": "sex", "tolerance": 0.1}},
            {
                "kind": "rate",
                "id": "rich",
                "window": {"rows": 50},
                "with": {"column": "feature.income", "above": 9, "limit": 0.1},
            },
        ]
        watch = watching(detectors=named, columns={"feature.income": "income"})
        assert watch.detectors == ("group_parity:sex", "rich")
        assert tocsin.watch(time="at", decision="d", label="y", detectors=["error_rate", "recall"]).detectors == (
            "error_rate",
            "recall",
        )

    def test_messages_are_watched_too(self) -> None:
        watch = tocsin.watch(
            time="at",
            table="interactions",
            columns={"role": "who", "text": "said", "latency_ms": "ms"},
            detectors=[{"kind": "slow_answers", "with": {"limit": 0.05, "promised_ms": 900}}],
            window=100,
        )
        rows = {
            "at": [BEGIN + timedelta(seconds=n) for n in range(400)],
            "who": ["assistant"] * 400,
            "said": ["hello"] * 400,
            "ms": [2_000.0] * 400,
        }
        assert watch.update(rows)[0].title.startswith("The share of slow answers rose to 100")


class TestFrames:
    @pytest.mark.parametrize(
        "kind", [dict, pa.table, lambda rows: Streamed(pa.table(rows)), lambda rows: pa.table(rows).to_batches()[0]]
    )
    def test_every_kind_of_frame_gives_the_same(self, kind: Callable[[Frame], Any], found: list[Finding]) -> None:
        watch = watching()
        assert told([f for one in FAULTY for f in watch.update(kind(one))]) == told(found)

    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_frames_of_pandas_and_polars(self, library: str, found: list[Finding]) -> None:
        frames = pytest.importorskip(library)
        watch = watching()
        assert told([f for one in FAULTY for f in watch.update(frames.DataFrame(one))]) == told(found)

    def test_categories_and_numbers_are_read_as_on_ingest(self, found: list[Finding]) -> None:
        watch = watching()
        for one in FAULTY:
            table = pa.table(one)
            table = table.set_column(
                1, "approved", pa.array(["yes" if a else "no" for a in one["approved"]]).dictionary_encode()
            )
            last = watch.update(table)
        assert told(last) == told(found[-len(last) :] if last else [])

    def test_rows_that_do_not_fit_are_counted(self) -> None:
        watch, rows = watching(), frame(0, 12)
        rows["approved"] = ["perhaps", *("yes" if a else "no" for a in rows["approved"][1:])]
        watch.update(rows)
        assert sum(watch.left_out.values()) == 1
        assert "decision" in next(iter(watch.left_out))

    @pytest.mark.parametrize(
        ("given", "error", "what"),
        [
            (42, UsageFault, "the frame is a int"),
            ({"at": [BEGIN], "approved": [True, False]}, UsageFault, "the columns of the frame make no table"),
            ({"at": [BEGIN, "noon"]}, UsageFault, "the columns of the frame make no table"),
            ({"at": [BEGIN], "approved": [True], "who": ["a"]}, UsageFault, "the frame has no column sex"),
            ({"at": ["noon"], "approved": [True], "sex": ["f"], "who": ["a"]}, BadInput, "no row fits"),
            ({"at": [None], "approved": [True], "sex": ["f"], "who": ["a"]}, BadInput, "every row needs time"),
        ],
    )
    def test_what_is_no_frame_is_told(self, given: Any, error: type[TocsinError], what: str) -> None:
        with pytest.raises(error, match=what):
            watching().update(given)

    def test_no_rows_are_no_news(self) -> None:
        watch = watching()
        assert watch.update(part(WHOLE, 0, 0)) == []
        assert watch.report().overview.upto is None


class TestHowRowsAreCut:
    @given(cuts=st.lists(st.integers(0, len(WHOLE["at"])), max_size=6))
    @settings(max_examples=8, deadline=None)
    def test_any_cut_into_frames_gives_the_same(self, cuts: list[int], found: list[Finding]) -> None:
        edges = [0, *sorted(cuts), len(WHOLE["at"])]
        watch = watching()
        parts = [part(WHOLE, a, b) for a, b in pairwise(edges)]
        assert told([f for one in parts for f in watch.update(one)]) == told(found)

    def test_windows_of_rows_wait_until_they_are_full(self) -> None:
        watch = watching(window=500)
        assert [len(watch.update(part(WHOLE, n, n + 100))) for n in range(0, 500, 100)] == [0] * 5
        assert "1 windows judged" in repr(watch)
        rest = [f for n in range(500, len(WHOLE["at"]), 700) for f in watch.update(part(WHOLE, n, n + 700))]
        once = watching(window=500).update(WHOLE)
        assert told(rest) == told(once)
        assert once

    def test_a_window_closes_when_a_row_of_a_later_one_is_there(self) -> None:
        watch = watching()
        watch.update(frame(0, 6))
        assert "0 windows" in repr(watch)
        watch.update(frame(6, 1))
        assert "1 windows" in repr(watch)

    def test_windows_are_closed_on_demand(self) -> None:
        watch = watching()
        watch.update(frame(0, 6))
        watch.close(datetime(2026, 3, 1, 6, tzinfo=UTC))
        assert "1 windows" in repr(watch)

    def test_late_rows_count_in_the_next_window(self) -> None:
        watch = watching()
        watch.update(frame(0, 13))
        watch.update(frame(2, 1))
        watch.close(datetime(2026, 3, 2, tzinfo=UTC))
        groups = [sum(rows for rows, _ in told["groups"].values()) for _, told in watch._streams[0].history]
        assert groups == [720, 720, 240], "an hour of its own and one that came late"

    def test_a_clock_in_the_future_closes_nothing(self) -> None:
        watch, rows = watching(), frame(0, 1)
        rows["at"] = [BEGIN.replace(year=2150), *rows["at"][1:]]
        watch.update(rows)
        watch.update(frame(1, 1))
        assert "0 windows" not in repr(watch), "what lies in the past is judged"
        assert all(w.end < datetime(2100, 1, 1, tzinfo=UTC) for w, _ in watch._streams[0].history)


class TestShards:
    def test_shards_together_are_the_whole(self, found: list[Finding]) -> None:
        watch = watching()
        shards = [watch.shard() for _ in range(3)]
        for n, one in enumerate(FAULTY):
            for place, shard in enumerate(shards):
                shard.update({name: values[place::3] for name, values in one.items()})
            assert n or shards[0].latest > 0
        seen = watch.merge(*shards)
        assert [(f.window.index, f.strength.value) for f in seen] == [(f.window.index, f.strength.value) for f in found]

    def test_bytes_of_a_shard_do_not_depend_on_its_frames(self) -> None:
        watch = watching()
        one, other = watch.shard(), watch.shard()
        for piece in (part(WHOLE, 0, 1_000), part(WHOLE, 1_000, 3_000)):
            one.update(piece)
        for piece in (part(WHOLE, 1_000, 3_000), part(WHOLE, 0, 1_000)):
            other.update(piece)
        assert one.to_bytes() == other.to_bytes()

    def test_a_shard_travels_as_bytes(self, found: list[Finding]) -> None:
        here, there = watching(), watching()
        shard = there.shard()
        for one in FAULTY:
            shard.update(one)
        assert told(here.merge(here.shard(shard.to_bytes()))) == told(found)

    @pytest.mark.parametrize(
        ("data", "what"),
        [
            (b"", "no state of a shard"),
            (b"\x00\x01", "no state of a shard"),
            (watching(window="1d").shard().to_bytes(), "counted for another watch"),
            (watching(salt=b"x" * 32).shard().to_bytes(), "counted for another watch"),
        ],
    )
    def test_bytes_of_something_else_are_refused(self, data: bytes, what: str) -> None:
        with pytest.raises(BadInput, match=what):
            watching().shard(data)

    def test_windows_of_rows_have_no_shards(self) -> None:
        with pytest.raises(UsageFault, match="windows of rows cannot be counted apart: group_parity:sex"):
            watching(window=100).shard()


class TestResuming:
    @pytest.mark.parametrize("window", ["6h", 500])
    def test_it_goes_on_where_it_was(self, window: Any) -> None:
        once, seen, watch = watching(window=window), [], watching(window=window)
        for n in range(0, len(WHOLE["at"]), 1_777):
            seen += watch.update(part(WHOLE, n, n + 1_777))
            watch = tocsin.resume(watch.to_bytes())
        assert told(seen) == told(once.update(WHOLE))
        assert watch.report() == once.report()

    def test_bytes_are_the_same_after_a_round_trip(self) -> None:
        watch = watching()
        watch.update(WHOLE)
        kept = tocsin.resume(watch.to_bytes())
        assert kept.report() == watch.report()
        assert tocsin.resume(kept.to_bytes()).to_bytes() == kept.to_bytes()

    @pytest.mark.parametrize(
        "data", [b"", b"nothing", b"\x91\x05", watching().to_bytes()[:-3], b"\x97\x02" + watching().to_bytes()[2:]]
    )
    def test_damaged_bytes_are_refused(self, data: bytes) -> None:
        with pytest.raises(BadInput, match="no state of a watch"):
            tocsin.resume(data)


class TestMistakes:
    @pytest.mark.parametrize(
        ("changes", "what"),
        [
            ({"detectors": ["grup_parity"]}, "no detector 'grup_parity'"),
            ({"detectors": [{"kind": "group_parity", "with": {"group": "age"}}]}, "the group 'age' is not mapped"),
            ({"detectors": [{"kind": "error_rate"}]}, "error_rate needs the column 'label'"),
            (
                {"detectors": [{"kind": "group_parity", "with": {"group": "sex", "tolerance": 9}}]},
                "tolerance must lie between",
            ),
            ({"window": "often"}, "window"),
            ({"window": 3}, "rows"),
            ({"zone": "Mars/Crater"}, "Mars/Crater"),
            ({"columns": {"group.": "x"}}, "group"),
            ({"table": "events"}, "table"),
        ],
    )
    def test_a_setting_that_does_not_fit_is_told(self, changes: dict[str, Any], what: str) -> None:
        with pytest.raises(BadInput) as caught:
            watching(**changes)
        assert what in str(caught.value)

    def test_columns_that_allow_nothing(self) -> None:
        with pytest.raises(UsageFault, match="these columns allow no detector"):
            tocsin.watch(time="at")

    def test_what_needs_a_workspace(self) -> None:
        with pytest.raises(UsageFault, match="registered"):
            tocsin.watch(
                time="at",
                table="interactions",
                columns={"role": "r", "text": "t", "session": "s"},
                detectors=["registered_text"],
            )


class TestShown:
    def test_a_report_is_the_one_of_the_command(self) -> None:
        watch = watching(name="loans")
        watch.update(WHOLE)
        report = watch.report()
        page = Page(report.html())
        assert "Monitoring of loans" in page.words
        assert "Each on its own: of 1 detector, at most 0.05 on average ever alarm falsely." in page.words
        assert report.pdf().startswith(b"%PDF")
        assert report.overview.sheets[0].state == "alarm"

    def test_a_notebook_shows_a_part_of_a_page(self, found: list[Finding]) -> None:
        watch = watching(name="<script>alert(1)</script>")
        watch.update(WHOLE)
        for shown in (watch._repr_html_(), watch.report()._repr_html_(), Findings(found)._repr_html_()):
            assert "<html" not in shown
            assert "<script" not in shown
        assert "<svg" in watch._repr_html_()
        assert "stroke:#1d4ed8" in watch._repr_html_(), "a picture in a notebook brings its colours"
        assert "differs by sex" in Findings(found)._repr_html_()


def test_it_finds_what_detect_finds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows through a workspace with the same salt: the same findings, number for number."""
    body = LOANS.replace("{rows: 200}", "{every: 4h}").replace("{rows: 400}", "{rows: 300}")
    desk = Desk(tmp_path, capsys, "loans", body)
    pieces = [decisions(0, 4_000, fault=False), decisions(4_000, 2_001, fault=True)]
    wanted: dict[str, Any] = {}
    for rows in pieces:
        desk.log(rows)
        for name, one in desk.detect().items():
            wanted.setdefault(name, []).extend(one["findings"])
    columns = {
        "id": "id",
        "feature.income": "income",
        "feature.channel": {"column": "channel", "type": "text"},
        "group.region": "region",
    }
    named = [
        {
            "kind": "error_rate",
            "window": {"every": "4h"},
            "with": {"windows_of_reference": 15, "segments": ["group.region", "feature.channel"]},
        },
        {"kind": "missing_values", "window": {"every": "4h"}, "with": {"column": "feature.income", "limit": 0.1}},
        {
            "kind": "rate",
            "id": "rich",
            "window": {"every": "4h"},
            "with": {"column": "feature.income", "above": 5000, "windows_of_reference": 15},
        },
        {"kind": "calibration_within_groups", "window": {"rows": 300}, "with": {"group": "region", "tolerance": 0.05}},
    ]
    watch = tocsin.watch(
        time="at", decision="approved", label="repaid", score="score", unit="person",
        columns=columns, detectors=named, name="loans", salt=read_salt(desk.root),
    )  # fmt: skip
    seen: dict[str, list[Finding]] = {name: [] for name in watch.detectors}
    for rows in pieces:
        for finding in watch.update(pa.Table.from_pylist(rows)):
            seen[finding.detector].append(finding)
    assert set(seen) == set(wanted)
    assert seen["error_rate"]
    for name, findings in seen.items():
        assert [(f.id, f.title, f.strength.value, f.window.index) for f in findings] == [
            (f["id"], f["title"], pytest.approx(f["strength"]["value"]), f["window"]["index"]) for f in wanted[name]
        ]
    plain = json.loads(desk("monitor", "report", "-s", "loans", "--json")[1])
    assert [sheet.windows for sheet in watch.report().overview.sheets] == [
        sheet["windows"] for sheet in plain["sheets"]
    ]
