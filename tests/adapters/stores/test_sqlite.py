"""SQLite's own ways to fail, and crashes at every instant."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tocsin.adapters.stores import sqlite
from tocsin.adapters.stores.sqlite import SqliteLedger
from tocsin.ledger.verification import verify
from tocsin.model.errors import Conflict, EnvironmentFault
from tocsin.model.event import Append, Event

AT = datetime(2026, 10, 1, 12, tzinfo=UTC)


def _event(text: str = "x") -> Event:
    return Event("note_added", AT, "okafor", {"text": text})


def test_another_file_is_told_apart_from_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(EnvironmentFault, match="damaged or not a ledger"):
        SqliteLedger(path)


def test_another_database_is_told_apart_from_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE notes (text)")
    other.close()
    with pytest.raises(EnvironmentFault, match="not a Tocsin ledger"):
        SqliteLedger(path)


def test_a_ledger_of_a_newer_tocsin_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    SqliteLedger(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(EnvironmentFault, match="newer Tocsin"):
        SqliteLedger(path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cannot be opened"):
        SqliteLedger(tmp_path / "none" / "ledger.db")


def test_a_ledger_locked_by_another_process_is_told_and_usable_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path, timeout_s=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(EnvironmentFault, match="in use by another process"):
        ledger.append(Append("s", 0, [_event()]))
    other.execute("ROLLBACK")
    other.close()
    ledger.append(Append("s", 0, [_event()]))
    assert verify(ledger.rows()).ok
    ledger.close()


def test_a_full_disk_writes_nothing_and_the_ledger_goes_on_when_there_is_room(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.append(Append("s", 0, [_event()]))
    (pages,) = ledger._connection.execute("PRAGMA page_count").fetchone()
    ledger._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(EnvironmentFault, match="full"):
        ledger.append(Append("big", 0, [_event("y" * 50_000)]))
    assert ledger.size() == 1
    ledger._connection.execute("PRAGMA max_page_count = 1000000")
    ledger.append(Append("big", 0, [_event("y" * 50_000)]))
    assert verify(ledger.rows()).ok
    ledger.close()


def test_two_ledgers_on_one_file_take_turns(tmp_path: Path) -> None:
    one, other = SqliteLedger(tmp_path / "ledger.db"), SqliteLedger(tmp_path / "ledger.db")
    for turn in range(10):
        (one if turn % 2 else other).append(Append("s", turn, [_event()]))
    with pytest.raises(Conflict):
        one.append(Append("s", 9, [_event()]))
    assert verify(other.rows()).ok
    one.close()
    other.close()


def test_a_conflict_in_a_shared_commit_leaves_the_chain_whole(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    good, bad, last = (sqlite._Request([Append("s", expected, [_event()])]) for expected in (0, 7, 1))
    ledger._write([good, bad, last])
    assert isinstance(bad.error, Conflict)
    assert (good.error, last.error) == (None, None)
    assert (ledger.version("s"), verify(ledger.rows()).ok) == (2, True)
    ledger.close()


def _run(folder: Path, chance: random.Random) -> tuple[list[list[str]], Path]:
    """A life of the ledger up to a crash: acknowledged transactions in order, and the files as the crash left them."""
    ledger = SqliteLedger(folder / "ledger.db")
    acknowledged: list[list[str]] = []
    for turn in range(chance.randint(1, 8)):
        texts = [f"{turn}.{number}" for number in range(chance.randint(1, 5))]
        ledger.append(Append(f"s{chance.randint(0, 2)}", -1, [_event(text) for text in texts]))
        acknowledged.append(texts)
        if chance.random() < 0.15:
            ledger._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    crashed = folder / "crashed"
    crashed.mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        if (folder / name).exists():
            shutil.copy(folder / name, crashed / name)
    _torn(crashed / "ledger.db-wal", chance)
    ledger.close()
    return acknowledged, crashed


def _torn(wal: Path, chance: random.Random) -> None:
    """What a power cut leaves behind the last commit: bytes of a transaction that never finished."""
    if wal.exists() and chance.random() < 0.7:
        with wal.open("ab") as tail:
            tail.write(chance.randbytes(chance.randint(1, 9_000)))


SEEDS = 2_000


def test_no_crash_loses_what_was_acknowledged_or_doubles_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A seeded simulation of lives and crashes; the seed is in the message."""
    base = tmp_path_factory.mktemp("crashes")
    for seed in range(SEEDS):
        folder = base / str(seed)
        folder.mkdir()
        acknowledged, crashed = _run(folder, random.Random(seed))
        survivor = SqliteLedger(crashed / "ledger.db")
        texts = [recorded.event.data["text"] for recorded in survivor.scan()]
        assert texts == [text for transaction in acknowledged for text in transaction], f"seed {seed}"
        assert verify(survivor.rows()).ok, f"seed {seed}"
        survivor.append(Append("after", 0, [_event()]))
        assert verify(survivor.rows()).ok, f"seed {seed}"
        survivor.close()
        shutil.rmtree(folder)


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tocsin.adapters.stores.sqlite import SqliteLedger
from tocsin.model.event import Append, Event
ledger = SqliteLedger(Path(sys.argv[1]))
number = ledger.version("s")
while True:
    ledger.append(Append("s", number, [Event("note_added", datetime.now(UTC), "w", {"n": number + 1})]))
    number += 1
    print(number, flush=True)
"""


@pytest.mark.slow
def test_killed_seventy_times_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    path, chance, acknowledged = tmp_path / "ledger.db", random.Random(7), 0
    for _ in range(70):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.03))
        writer.send_signal(signal.SIGKILL)
        lines = [first, *writer.stdout.read().splitlines()]
        writer.wait()
        whole = [int(line) for line in lines if line.strip().isdigit()]
        acknowledged = max([acknowledged, *whole[:-1], *(whole[-1:] if lines[-1:] else [])])
        writer.stdout.close()
    ledger = SqliteLedger(path)
    numbers = [recorded.event.data["n"] for recorded in ledger.read("s")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= acknowledged
    assert verify(ledger.rows()).ok
    ledger.close()


def test_who_is_interrupted_while_waiting_hands_the_turn_on(tmp_path: Path) -> None:
    """Three wait behind a slow commit; the one whose turn is next gives up; the others are written all the same."""
    ledger = SqliteLedger(tmp_path / "ledger.db")
    slow = ledger._write
    started, go = threading.Event(), threading.Event()

    def write(requests: Sequence[Any]) -> None:
        if not started.is_set():
            started.set()
            go.wait(10)
        slow(requests)

    ledger._write = write  # type: ignore[method-assign]
    first = threading.Thread(target=ledger.append, args=(Append("first", 0, [_event()]),))
    first.start()
    assert started.wait(10)
    quitter = sqlite._Request([Append("quitter", 0, [_event()])])
    ledger._queue.append(quitter)
    others = [threading.Thread(target=ledger.append, args=(Append(f"other/{n}", 0, [_event()]),)) for n in range(2)]
    for other in others:
        other.start()
    while len(ledger._queue) < 3:
        time.sleep(0.01)

    class Interrupted:
        """A lock whose waiting ends with an interrupt, just after the turn was given."""

        def __init__(self, lock: Any) -> None:
            self.lock = lock
            self.locked, self.release = lock.locked, lock.release

        def acquire(self) -> bool:
            go.set()
            first.join(10)
            raise KeyboardInterrupt

    quitter.turn = Interrupted(quitter.turn)  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        ledger._wait(quitter)
    for other in others:
        other.join(10)
    assert sorted(ledger.streams()) == ["first", "other/0", "other/1"]
    ledger.close()


def test_an_interrupted_caller_who_is_not_next_only_leaves_the_queue(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ahead, quitter = (sqlite._Request([Append(name, 0, [_event()])]) for name in ("ahead", "quitter"))
    ledger._queue, ledger._committing = [ahead, quitter], True

    class Interrupted:
        def acquire(self) -> bool:
            raise KeyboardInterrupt

        def locked(self) -> bool:
            return True

    quitter.turn = Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        ledger._wait(quitter)
    assert ledger._queue == [ahead]
    ledger.close()
