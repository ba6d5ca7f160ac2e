"""A SQLite file and the threads that work on it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from storage.errors import StoreError
from storage.sqlite.lane import Call, Inbox, Item, Job, Lane, Merged
from storage.sqlite.lock import FileLock
from storage.sqlite.schema import migrate_open
from storage.sqlite.statements import Statement, as_one_value
from storage.sqlite.writer import Writer, as_refusal

T = TypeVar("T")

BATCH: Final = 512
"""Jobs to one transaction, at most: beyond it the first job of a batch waits longer than its sync saves."""

WAITING: Final = 10_000
"""Jobs that may wait before more are refused: about a second of writing."""

READERS: Final = 2
_READ_CHUNK: Final = 8
_OLDEST_SQLITE: Final = (3, 38, 0)


class Database:
    """One SQLite database, opened by this process alone.

    `write` jobs run in the order of their calls, and their awaiters resume in commit order, after the commit; `read`
    jobs run beside them and see every write that was returned before. Belongs to the loop that opened it.
    """

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock
        self._writes = Lane(limit=WAITING, chunk=BATCH)
        self._reads = Lane(limit=WAITING, chunk=_READ_CHUNK)
        self._connections: list[sqlite3.Connection] = []
        self._threads: list[threading.Thread] = []
        self._one_value: dict[str, str] = {}

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open, and create or migrate as needed. Raises StoreError with one line that says what to mend."""
        lock = await asyncio.to_thread(_claim, path)
        database = cls(path, lock)
        try:
            connections = await asyncio.to_thread(_connect, path)
        except BaseException:
            lock.release()
            raise
        database._start(connections)
        return database

    def _start(self, connections: Sequence[sqlite3.Connection]) -> None:
        self._connections = list(connections)
        writer = Writer(connections[0], self._writes.inbox, self._writes.post, batch=BATCH)
        self._spawn("writer", writer.run)
        for number, connection in enumerate(connections[1:], 1):
            self._spawn(f"reader-{number}", _reading(connection, self._reads.inbox, self._reads.post))

    def _spawn(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=f"sqlite-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    async def write(self, job: Job[T]) -> T:
        """Run `job` in a transaction and return its result once that is durable.

        The job may be run more than once, so it must have no effect but on the connection. An exception undoes the
        job alone. Raises `server.unavailable` if too many jobs wait or the disk refuses.
        """
        return await self._writes.call(job)

    async def merge(self, merged: Merged[Item, T], item: Item) -> T:
        """Do one item of a merged job, with the obligations of `write`.

        A statement costs its thread the interpreter lock, and a busy loop gives that back after milliseconds: what
        is written often is written for all who wait with a handful of statements.
        """
        return await self._writes.merge(merged, item)

    async def read(self, job: Job[T]) -> T:
        """Run `job` on a read-only connection; each statement sees the latest commit."""
        return await self._reads.call(job)

    async def fetch_one(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """Return the first row of a query, or None."""
        bound = statement.bind(values)
        return await self._reads.call(lambda connection: connection.execute(*bound).fetchone())

    async def fetch_all(self, statement: Statement, values: Mapping[str, Any]) -> list[Any]:
        """Return all rows of a query of numbers and text."""
        text, bound = statement.bind(values)
        return await self._reads.call(lambda connection: self._fetch_all(connection, text, bound))

    def _fetch_all(self, connection: sqlite3.Connection, text: str, values: Sequence[Any]) -> list[Any]:
        if text not in self._one_value:
            columns = connection.execute(f"SELECT * FROM ({text}) LIMIT 0", values).description  # noqa: S608
            self._one_value[text] = as_one_value(text, len(columns))
        (rows,) = connection.execute(self._one_value[text], values).fetchone()
        found: list[Any] = orjson.loads(rows)
        return found

    async def execute(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Run one writing statement as a job of its own; return the number of rows it changed."""
        bound = statement.bind(values)
        return await self._writes.call(lambda connection: connection.execute(*bound).rowcount)

    async def close(self) -> None:
        """Finish what waits, then close. Idempotent."""
        if not self._threads:
            return
        self._writes.close(workers=1)
        self._reads.close(workers=READERS)
        threads, self._threads = self._threads, []
        await asyncio.to_thread(_join, threads)
        self._writes.resolve()
        self._reads.resolve()
        await asyncio.to_thread(_disconnect, self._connections)
        self._lock.release()


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join()


def _disconnect(connections: Sequence[sqlite3.Connection]) -> None:
    # The writer last: the last connection to close folds the write-ahead log into the file and removes it.
    for connection in reversed(connections):
        connection.close()


def _reading(
    connection: sqlite3.Connection, inbox: Inbox, post: Callable[[Sequence[Call]], None]
) -> Callable[[], None]:
    def run() -> None:
        while (calls := inbox.get()) is not None:
            for call in calls:
                _read(connection, call)
            post(calls)

    return run


def _read(connection: sqlite3.Connection, call: Call) -> None:
    try:
        call.value = call.job(connection)
    except BaseException as exc:
        call.error = as_refusal(exc)


def _claim(path: Path) -> FileLock:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: Homeroom needs 3.38 or newer.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock.acquire(path.with_name(path.name + ".lock"))
    except OSError as exc:
        raise StoreError(f"Cannot write in the data directory {path.parent}: {exc.strerror}.") from exc


def _connect(path: Path) -> list[sqlite3.Connection]:
    """Return the migrated writer and then the readers."""
    try:
        writer = connect(path)
        migrate_open(writer, path)
        return [writer, *(_connect_reader(path) for _ in range(READERS))]
    except sqlite3.Error as exc:
        raise StoreError(f"Cannot open the database {path}: {exc}.") from exc


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection that writes durably: an ok commit has reached the disk."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # 16 MiB of log before it is folded in: fewer, larger checkpoints than SQLite's 4 MiB.
    connection.execute("PRAGMA wal_autocheckpoint = 4000").fetchall()
    connection.execute("PRAGMA journal_size_limit = 67108864").fetchall()
    _size(connection)
    return connection


def _connect_reader(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=5.0
    )
    connection.execute("PRAGMA query_only = ON")
    _size(connection)
    return connection


def _size(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA cache_size = -32768")  # 32 MiB
    connection.execute("PRAGMA mmap_size = 268435456").fetchall()
    connection.execute("PRAGMA temp_store = MEMORY")
