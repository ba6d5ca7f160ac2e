"""A SQLite file and the threads that work on it."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from storage.errors import StoreError
from storage.sqlite.calls import Item, Job, Merged, T
from storage.sqlite.connections import check_version, connect_reader, connect_writer
from storage.sqlite.lane import Lane
from storage.sqlite.lock import FileLock
from storage.sqlite.reader import Reader
from storage.sqlite.schema import migrate_open
from storage.sqlite.statements import Statement, fetch_all
from storage.sqlite.writer import Writer

BATCH: Final = 512
"""Jobs to one transaction, at most: beyond it the first job of a batch waits longer than its sync saves."""

PACE_S: Final = 0.004
"""Time between two transactions while several write. A commit that wakes two threads and the disk for one message costs
three times what a message costs in company, and who talks to many does not notice 4 ms."""

WAITING: Final = 10_000
"""Jobs that may wait before more are refused: about a second of writing."""

READERS: Final = 2
_READ_CHUNK: Final = 32


class Database:
    """One SQLite database, opened by this process alone.

    `write` jobs run in the order of their calls, and their awaiters resume in commit order, after the commit; `read`
    jobs run beside them and see every write that was returned before. Belongs to the loop that opened it.
    """

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock
        self._writes = Lane(limit=WAITING, chunk=BATCH, pace_s=PACE_S)
        self._reads = Lane(limit=WAITING, chunk=_READ_CHUNK)
        self._connections: list[sqlite3.Connection] = []
        self._threads: list[threading.Thread] = []

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
            self._spawn(f"reader-{number}", Reader(connection, self._reads.inbox, self._reads.post).run)

    def _spawn(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=f"sqlite-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    async def write(self, job: Job[T], *, ended: Callable[[], None] | None = None) -> T:
        """Run `job` in a transaction and return its result once that is durable.

        The job may be run more than once, so it must have no effect but on the connection. An exception undoes the
        job alone. Raises `server.unavailable` if too many jobs wait or the disk refuses. `ended` is called on the loop
        when the job is over, also if it failed or its awaiter was cancelled, and before anyone learns of the outcome.
        """
        return await self._writes.call(job, ended=ended)

    async def merge(self, merged: Merged[Item, T], item: Item, *, patience_s: float = 0) -> T:
        """Do one item of a merged job, with the obligations of `write`.

        A statement costs its thread the interpreter lock, and a busy loop gives that back after milliseconds: what
        is written often is written for all who wait with a handful of statements. An item with patience lets so much
        time pass after the commit before it, or goes with the next job: a commit of its own costs more than itself.
        """
        return await self._writes.merge(merged, item, patience_s=patience_s)

    async def read(self, job: Job[T]) -> T:
        """Run `job` on a read-only connection; each statement sees the latest commit."""
        return await self._reads.call(job)

    async def merge_read(self, merged: Merged[Item, T], item: Item, *, patience_s: float = 0) -> T:
        """Do one item of a merged job that only reads; to wake a thread for it costs more than to read."""
        return await self._reads.merge(merged, item, patience_s=patience_s)

    async def fetch_one(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """Return the first row of a query, or None."""
        bound = statement.bind(values)
        return await self._reads.call(lambda connection: connection.execute(*bound).fetchone())

    async def fetch_all(self, statement: Statement, values: Mapping[str, Any]) -> list[Any]:
        """Return all rows of a query of numbers and text."""
        return await self._reads.call(lambda connection: fetch_all(connection, statement, values))

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
        await asyncio.to_thread(_disconnect, self._connections)
        self._lock.release()


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join()


def _disconnect(connections: Sequence[sqlite3.Connection]) -> None:
    # The writer last: the last connection to close folds the write-ahead log into the file and removes it.
    for connection in reversed(connections):
        connection.close()


def _claim(path: Path) -> FileLock:
    check_version()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock.acquire(path.with_name(path.name + ".lock"))
        # Made here for its mode, which SQLite gives to the log beside it: there are people's messages in it.
        path.touch(mode=0o600)
        return lock
    except OSError as exc:
        raise StoreError(f"Cannot write in the data directory {path.parent}: {exc.strerror}.") from exc


def _connect(path: Path) -> list[sqlite3.Connection]:
    """Return the migrated writer and then the readers."""
    try:
        with contextlib.ExitStack() as opened:
            writer = opened.enter_context(contextlib.closing(connect_writer(path)))
            migrate_open(writer, path)
            readers = [opened.enter_context(contextlib.closing(connect_reader(path))) for _ in range(READERS)]
            opened.pop_all()
            return [writer, *readers]
    except sqlite3.Error as exc:
        raise StoreError(f"Cannot open the database {path}: {exc}.") from exc
