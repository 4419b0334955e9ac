"""How fast the ledger verifies and appends.

Verification of a million events in CPU seconds; durable appends per second, in bulk and by sixteen and sixty-four threads that share
commits. The named rival is the plain way: one INSERT and one commit per event on the same SQLite with the same durability.

    python benchmarks/ledger.py [events]
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tocsin.adapters.stores.sqlite import SqliteLedger
from tocsin.ledger.verification import verify
from tocsin.model.event import ANY_VERSION, Append, Event

RESULT = Path(__file__).parent / "results" / "ledger.md"
AT = datetime(2026, 10, 1, tzinfo=UTC)
BODY = {"detector": "group_parity:sex", "state": "a" * 64, "index": 7, "log10_e": {"a>b": 0.1234}}
EVENT = Event("window_evaluated", AT, "tocsin", BODY)


def bulk(ledger: SqliteLedger, events: int, size: int) -> float:
    """Wall seconds to append the events, `size` in a transaction."""
    begin = time.perf_counter()
    for number in range(events // size):
        ledger.append(Append(f"detect/s{number % 7}", ANY_VERSION, [EVENT] * size))
    return time.perf_counter() - begin


def threaded(ledger: SqliteLedger, threads: int, each: int) -> float:
    """Wall seconds for threads that append one event at a time."""

    def write(number: int) -> None:
        for turn in range(each):
            ledger.append(Append(f"own/{threads}/{number}", turn, [EVENT]))

    running = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    begin = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return time.perf_counter() - begin


def rival(folder: Path, events: int) -> float:
    """Wall seconds for one commit per event on plain SQLite, WAL and synchronous=FULL."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE events (sequence INTEGER PRIMARY KEY, stream TEXT, data BLOB)")
    begin = time.perf_counter()
    for _ in range(events):
        connection.execute("INSERT INTO events (stream, data) VALUES (?, ?)", ("s", b"x" * 300))
    took = time.perf_counter() - begin
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (events,)
    connection.close()
    return took


def main() -> None:
    """Measure, print, and keep the result."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        ledger = SqliteLedger(Path(folder) / "ledger.db")
        filled = bulk(ledger, events, 1_000)
        begin = time.process_time()
        result = verify(ledger.rows())
        cpu = time.process_time() - begin
        assert result.ok
        assert result.size == events
        hundred, each = 200_000, 500
        by_hundred = hundred / bulk(ledger, hundred, 100)
        by_threads = {count: count * each / threaded(ledger, count, each) for count in (16, 64)}
        assert verify(ledger.rows()).ok
        ledger.close()
        plain = 2_000 / rival(Path(folder), 2_000)
    lines = [
        "## Ledger",
        "",
        f"`python benchmarks/ledger.py {events}`, SQLite {sqlite3.sqlite_version}, msgspec {version('msgspec')}, 300-byte events.",
        "",
        "| what | measured |",
        "|---|---|",
        f"| verify {events:,} events, every hash recomputed | {cpu:.2f} s CPU ({cpu / events * 1e6:.2f} µs an event) |",
        f"| durable appends, 1,000 events in a transaction | {events / filled:,.0f} events/s |",
        f"| durable appends, 100 events in a transaction | {by_hundred:,.0f} events/s |",
        *(
            f"| durable appends, {count} threads, one event each, shared commits | {speed:,.0f} events/s |"
            for count, speed in by_threads.items()
        ),
        f"| rival: plain SQLite, one commit per event | {plain:,.0f} events/s |",
        f"| ratio of shared commits to the rival | {by_threads[16] / plain:.1f} and {by_threads[64] / plain:.1f} |",
        "",
        f"Root of the {events:,} events: `{result.root.hex()[:16]}`.",
    ]
    print("\n".join(lines))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
