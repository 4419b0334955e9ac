"""What every ledger store must do; a store joins by its row in `STORES`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tocsin.adapters.stores.sqlite import SqliteLedger
from tocsin.ledger.verification import verify
from tocsin.model.errors import Conflict
from tocsin.model.event import ANY_VERSION, Append, Event

STORES: dict[str, Callable[[Path], Any]] = {"sqlite": lambda folder: SqliteLedger(folder / "ledger.db")}
AT = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.fixture(params=sorted(STORES))
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    store = STORES[request.param](tmp_path)
    yield store
    store.close()


def _event(text: str = "x", kind: str = "note_added") -> Event:
    return Event(kind, AT, "okafor", {"text": text})


def test_what_was_appended_reads_back_in_order(ledger: Any) -> None:
    recorded = ledger.append(
        Append("incident/a", 0, [_event("1"), _event("2")]), Append("incident/b", 0, [_event("3")])
    )
    assert [(r.sequence, r.stream, r.version) for r in recorded] == [
        (1, "incident/a", 1),
        (2, "incident/a", 2),
        (3, "incident/b", 1),
    ]
    read = ledger.read("incident/a")
    assert [(r.version, r.event.data["text"], r.event.author, r.event.at) for r in read] == [
        (1, "1", "okafor", AT),
        (2, "2", "okafor", AT),
    ]
    assert [r.digest for r in read] == [r.digest for r in recorded[:2]]


def test_a_stream_that_does_not_exist_is_empty(ledger: Any) -> None:
    assert ledger.read("incident/none") == []
    assert (ledger.version("incident/none"), ledger.size()) == (0, 0)


def test_an_append_to_a_stream_that_moved_on_conflicts_and_writes_nothing(ledger: Any) -> None:
    ledger.append(Append("s", 0, [_event()]))
    with pytest.raises(Conflict, match="version 1, not 0"):
        ledger.append(Append("other", 0, [_event()]), Append("s", 0, [_event()]))
    assert (ledger.size(), ledger.version("other")) == (1, 0)


def test_an_append_that_does_not_mind_what_came_before_goes_through(ledger: Any) -> None:
    ledger.append(Append("s", ANY_VERSION, [_event()]))
    ledger.append(Append("s", ANY_VERSION, [_event()]))
    assert ledger.version("s") == 2


def test_one_transaction_may_continue_its_own_stream(ledger: Any) -> None:
    ledger.append(Append("s", 0, [_event("1")]), Append("s", 1, [_event("2")]))
    assert [r.version for r in ledger.read("s")] == [1, 2]


@pytest.mark.parametrize(("after", "texts"), [(0, ["1", "2", "3"]), (1, ["2", "3"]), (3, []), (9, [])])
def test_a_stream_is_read_on_from_a_version(ledger: Any, after: int, texts: list[str]) -> None:
    ledger.append(Append("s", 0, [_event("1"), _event("2"), _event("3")]), Append("t", 0, [_event("4")]))
    assert [r.event.data["text"] for r in ledger.read("s", after)] == texts


def test_a_scan_gives_ledger_order_and_can_be_narrowed(ledger: Any) -> None:
    ledger.append(
        Append("incident/a", 0, [_event("1"), _event("2", "cause_recorded")]), Append("incident/b", 0, [_event("3")])
    )
    ledger.append(Append("telemetry/x", 0, [_event("4")]))

    def texts(**how: Any) -> list[str]:
        return [r.event.data["text"] for r in ledger.scan(**how)]

    assert texts() == ["1", "2", "3", "4"]
    assert texts(after=2) == ["3", "4"]
    assert texts(kinds=("cause_recorded",)) == ["2"]
    assert texts(prefix="incident/") == ["1", "2", "3"]
    assert texts(after=1, kinds=("note_added",), prefix="incident/b") == ["3"]


def test_streams_come_in_order_of_their_first_event(ledger: Any) -> None:
    for name in ("b/1", "a/1", "b/2"):
        ledger.append(Append(name, 0, [_event()]))
    ledger.append(Append("b/1", 1, [_event()]))
    assert ledger.streams() == ["b/1", "a/1", "b/2"]
    assert ledger.streams("b/") == ["b/1", "b/2"]


@pytest.mark.parametrize("name", ["a'b", "x%", "x_", "ümläut/東京", 'a"b', "a b"])
def test_names_with_any_characters_are_names(ledger: Any, name: str) -> None:
    ledger.append(Append(name, 0, [_event()]))
    assert ledger.streams(name) == [name]
    assert ledger.version(name) == 1


def test_a_prefix_is_no_pattern(ledger: Any) -> None:
    ledger.append(Append("a%", 0, [_event()]), Append("ab", 0, [_event()]))
    assert ledger.streams("a%") == ["a%"]


def test_unknown_kinds_are_returned_as_they_are(ledger: Any) -> None:
    ledger.append(Append("s", 0, [_event("x", "something_from_the_future")]))
    assert ledger.read("s")[0].kind == "something_from_the_future"


def test_many_threads_lose_nothing_and_each_conflict_is_its_own(ledger: Any) -> None:
    conflicts: list[int] = []

    def write(number: int) -> None:
        for turn in range(25):
            ledger.append(Append(f"own/{number}", turn, [_event(f"{number}.{turn}")]))
            try:
                ledger.append(Append("shared", turn, [_event(f"{number}.{turn}")]))
            except Conflict:
                conflicts.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ledger.version(f"own/{number}") == 25 for number in range(8))
    assert ledger.version("shared") + len(conflicts) == 8 * 25
    assert ledger.version("shared") <= 25
    assert verify(ledger.rows()).ok


def test_a_read_while_others_write_sees_whole_transactions(ledger: Any) -> None:
    def write() -> None:
        for turn in range(40):
            ledger.append(Append("a", turn, [_event()]), Append("b", turn, [_event()]))

    thread = threading.Thread(target=write)
    thread.start()
    seen = []
    while thread.is_alive():
        rows = list(ledger.scan())
        seen.append((sum(r.stream == "a" for r in rows), sum(r.stream == "b" for r in rows)))
    thread.join()
    assert all(a == b for a, b in seen)


def test_data_that_cannot_be_stored_takes_only_itself_out(ledger: Any) -> None:
    with pytest.raises(AssertionError, match="NaN"):
        ledger.append(Append("s", 0, [_event(), Event("x", AT, "a", {"v": float("nan")})]))
    assert ledger.size() == 0
    ledger.append(Append("s", 0, [_event()]))
    assert verify(ledger.rows()).ok
