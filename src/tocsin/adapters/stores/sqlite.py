"""The ledger in one SQLite file: WAL, synchronous=FULL, one writer at a time, group commit.

Cost of an append: one INSERT into a table with three indexes and its share of one fsync. Threads that append at the same
moment share a transaction: one commits for all who wait, each in a savepoint of its own, so that one caller's conflict is nobody
else's, and then hands the turn to the first of those who came meanwhile. A waiting thread is woken once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tocsin.ledger.encoding import decode, encode
from tocsin.ledger.tree import leaf_hash
from tocsin.ledger.verification import GENESIS, Row, chain_hash
from tocsin.model.errors import Conflict, EnvironmentFault, TocsinError
from tocsin.model.event import ANY_VERSION, Append, Event, Recorded

APPLICATION_ID = 0x546F6373
SCHEMA_VERSION = 1
SCHEMA = f"""
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY,
  stream   TEXT    NOT NULL,
  version  INTEGER NOT NULL,
  kind     TEXT    NOT NULL,
  data     BLOB    NOT NULL,
  leaf     BLOB    NOT NULL,
  chain    BLOB    NOT NULL,
  UNIQUE (stream, version)
) STRICT;
CREATE INDEX events_by_kind ON events (kind, sequence);
CREATE INDEX first_events ON events (stream) WHERE version = 1;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""
INSERT = "INSERT INTO events (sequence, stream, version, kind, data, leaf, chain) VALUES (?, ?, ?, ?, ?, ?, ?)"
COLUMNS = "sequence, stream, version, kind, data, leaf, chain"


def _taken() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True)
class _Request:
    """What one caller wants appended, and what became of it."""

    appends: Sequence[Append]
    turn: threading.Lock = field(default_factory=_taken)
    """Released once: when it is done, or when it is this caller's turn to commit."""
    done: bool = False
    recorded: list[Recorded] = field(default_factory=list)
    error: Exception | None = None


class SqliteLedger:
    """A `model.event.Ledger` in the file at `path`, made if it is not there.

    Safe for many threads and processes. `timeout_s` is how long an append waits for another process's transaction.

    Raises:
        EnvironmentFault: the file cannot be opened, is no ledger, or was made by a newer Tocsin.
    """

    def __init__(self, path: Path, *, timeout_s: float = 10.0) -> None:
        self.path = path
        self._timeout_s = timeout_s
        self._queue: list[_Request] = []
        self._queued = threading.Lock()
        self._committing = False
        with _plainly(path):
            self._connection = self._connect()
            self._prepare()

    def append(self, *appends: Append) -> list[Recorded]:
        """Write all appends in one transaction, durably, or none; see `model.event.Ledger.append`."""
        request = _Request(appends)
        with self._queued:
            self._queue.append(request)
            first, self._committing = not self._committing, True
        if not first:
            self._wait(request)
        if not request.done:
            self._commit()
        if request.error:
            raise request.error
        return request.recorded

    def read(self, stream: str, after: int = 0) -> list[Recorded]:
        """The events of the stream after that version, in order."""
        return list(self._select("WHERE stream = ? AND version > ? ORDER BY version", (stream, after)))

    def scan(self, after: int = 0, kinds: Sequence[str] = (), prefix: str = "") -> Iterator[Recorded]:
        """Events in ledger order; memory does not grow with their number."""
        where = "WHERE sequence > ?"
        parameters: list[object] = [after]
        if kinds:
            where += f" AND kind IN ({', '.join('?' * len(kinds))})"
            parameters += kinds
        if prefix:
            where += " AND stream >= ? AND stream < ?"
            parameters += [prefix, _successor(prefix)]
        return self._select(f"{where} ORDER BY sequence", parameters)

    def streams(self, prefix: str = "") -> list[str]:
        """Names of the streams that start with `prefix`, in order of their first event."""
        query = "SELECT stream FROM events WHERE version = 1 AND stream >= ? AND stream < ? ORDER BY sequence"
        return [stream for (stream,) in self._rows(query, (prefix, _successor(prefix)))]

    def version(self, stream: str) -> int:
        """Number of events in the stream."""
        ((version,),) = self._rows("SELECT coalesce(max(version), 0) FROM events WHERE stream = ?", (stream,))
        return int(version)

    def size(self) -> int:
        """Number of events in the ledger."""
        ((size,),) = self._rows("SELECT coalesce(max(sequence), 0) FROM events")
        return int(size)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """The events as stored, in order, for verification."""
        query = f"SELECT {COLUMNS} FROM events WHERE sequence > ? ORDER BY sequence"  # noqa: S608 - constants
        return map(Row._make, self._rows(query, (after,)))

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _prepare(self) -> None:
        """Make the schema in an empty file; refuse a file that is something else or newer."""
        self._connection.execute("BEGIN IMMEDIATE")
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0 and application == 0:
            for statement in filter(str.strip, SCHEMA.split(";")):
                self._connection.execute(statement)
        self._connection.execute("COMMIT")
        if application not in (0, APPLICATION_ID) or (tables and application == 0):
            raise EnvironmentFault(
                f"{self.path} is a database but not a Tocsin ledger", "restore the ledger from a backup"
            )
        if version > SCHEMA_VERSION:
            raise EnvironmentFault(
                f"{self.path} was made by a newer Tocsin (format {version}, this one reads up to {SCHEMA_VERSION})",
                "upgrade Tocsin; nothing was changed",
            )

    def _wait(self, request: _Request) -> None:
        """Wait until the request is done or it is its caller's turn; who is interrupted meanwhile leaves the queue."""
        woken = False
        try:
            woken = request.turn.acquire()
        finally:
            if not woken:
                with self._queued:
                    mine = not request.turn.locked() and not request.done
                    self._queue = [other for other in self._queue if other is not request]
                    if mine:
                        self._pass_on()

    def _commit(self) -> None:
        """Commit for all who wait."""
        with self._queued:
            requests, self._queue = self._queue, []
        try:
            self._write(requests)
        finally:
            with self._queued:
                self._pass_on()

    def _pass_on(self) -> None:
        """Give the turn to the first in the queue, if there is anybody."""
        self._committing = bool(self._queue)
        if self._queue:
            self._queue[0].turn.release()

    def _write(self, requests: Sequence[_Request]) -> None:
        """Commit all requests in one transaction; a request that fails takes only itself out of it.

        When the transaction as a whole fails, every request of it fails with the same error.
        """
        try:
            with _plainly(self.path), self._transaction():
                query = "SELECT sequence, chain FROM events ORDER BY sequence DESC LIMIT 1"
                sequence, chain = self._connection.execute(query).fetchone() or (0, GENESIS)
                for request in requests:
                    sequence, chain = self._write_one(request, sequence, chain)
        except EnvironmentFault as error:
            for request in requests:
                request.error = error
        finally:
            for request in requests:
                request.done = True
                request.turn.release()

    def _write_one(self, request: _Request, sequence: int, chain: bytes) -> tuple[int, bytes]:
        """Insert one request's events; on a conflict undo them and keep the tail where it was."""
        execute = self._connection.execute
        execute("SAVEPOINT request")
        rows: list[tuple[int, str, int, str, bytes, bytes, bytes]] = []
        try:
            for append in request.appends:
                version = self._checked_version(append, rows)
                for event in append.events:
                    sequence, version = sequence + 1, version + 1
                    data = encode(append.stream, version, event)
                    leaf = leaf_hash(data)
                    chain = chain_hash(chain, leaf)
                    rows.append((sequence, append.stream, version, event.kind, data, leaf, chain))
                    request.recorded.append(Recorded(sequence, append.stream, version, event, leaf.hex()))
            self._connection.executemany(INSERT, rows)
        except (TocsinError, AssertionError, TypeError, ValueError) as error:
            request.error, request.recorded = error, []
            execute("ROLLBACK TO request")
            first = rows[0] if rows else None
            sequence, chain = (first[0] - 1, self._chain_at(first[0] - 1)) if first else (sequence, chain)
        execute("RELEASE request")
        return sequence, chain

    def _checked_version(self, append: Append, rows: Sequence[tuple[int, str, int, str, bytes, bytes, bytes]]) -> int:
        """The stream's present version, this request's own events included. Raises Conflict when it is not the expected one."""
        own = [row[2] for row in rows if row[1] == append.stream]
        query = "SELECT coalesce(max(version), 0) FROM events WHERE stream = ?"
        version = own[-1] if own else int(self._connection.execute(query, (append.stream,)).fetchone()[0])
        if append.expected not in (ANY_VERSION, version):
            raise Conflict(
                f"{append.stream} is at version {version}, not {append.expected}: somebody else changed it first",
                "read it again and repeat the change",
            )
        return version

    def _chain_at(self, sequence: int) -> bytes:
        row = self._connection.execute("SELECT chain FROM events WHERE sequence = ?", (sequence,)).fetchone()
        return row[0] if row else GENESIS

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A write transaction: all of the block, or, when anything goes wrong, nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _select(self, where: str, parameters: Sequence[object]) -> Iterator[Recorded]:
        query = f"SELECT {COLUMNS} FROM events {where}"  # noqa: S608 - callers pass placeholders only
        for row in self._rows(query, parameters):
            yield _recorded(Row._make(row))

    def _rows(self, query: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query on a connection of its own, so that a long read never holds up an append."""
        with _plainly(self.path), closing(self._connect()) as connection:
            yield from connection.execute(query, parameters)


def _recorded(row: Row) -> Recorded:
    envelope = decode(row.data)
    event = Event(envelope.kind, envelope.at, envelope.author, envelope.data)
    return Recorded(row.sequence, row.stream, row.version, event, row.leaf.hex())


def _successor(prefix: str) -> str:
    """The smallest text greater than all that start with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else "\U0010ffff"


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk say into what a person can act on."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise EnvironmentFault(*_explained(path, str(error))) from error
    except sqlite3.DatabaseError as error:
        raise EnvironmentFault(
            f"{path} is damaged or not a ledger ({error})", "restore it from a backup or an export"
        ) from error
    except OSError as error:
        raise EnvironmentFault(f"{path}: {error.strerror}", "free space or mend permissions, then try again") from error


def _explained(path: Path, message: str) -> tuple[str, str]:
    if "locked" in message or "busy" in message:
        return f"{path} is in use by another process", "wait for it to finish and try again; nothing was written"
    if "full" in message:
        return f"the disk that holds {path} is full", "free space and try again; what was acknowledged is kept"
    if "unable to open" in message or "readonly" in message:
        return f"{path} cannot be opened for writing", "check that the folder exists and who owns it"
    return f"{path}: {message}", "check the disk; what was acknowledged is kept"
