"""The writer alone, run to its end on the test's own thread, on a connection that fails where it is told to."""

import asyncio
import sqlite3
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

from core.errors import ErrorCode, HomeroomError
from storage.sqlite.calls import Call
from storage.sqlite.writer import Writer


class Connection:
    """A connection in memory that records its transactions and fails the statements it is told to, once each."""

    def __init__(self, *failing: str) -> None:
        self._inner = sqlite3.connect(":memory:", isolation_level=None)
        self._inner.execute("CREATE TABLE numbers (value INTEGER UNIQUE) STRICT")
        self._failing = list(failing)
        self.log: list[str] = []

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if not statement.startswith("INSERT"):
            self.log.append(statement)
        if statement in self._failing:
            self._failing.remove(statement)
            raise sqlite3.OperationalError("disk I/O error")
        return self._inner.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def values(self) -> list[int]:
        return [value for (value,) in self._inner.execute("SELECT value FROM numbers ORDER BY rowid")]


def insert(value: int, *, fail: bool = False) -> Call:
    """Return a call that inserts a value, and then fails if told to."""

    def job(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO numbers VALUES (?)", (value,))
        if fail:
            raise ValueError(value)
        return value

    return Call(job, asyncio.get_running_loop().create_future())


def run(connection: Connection, calls: Sequence[Call], *, batch: int = 512) -> list[Sequence[Call]]:
    """Run a writer over calls that all wait already; return what it posted."""
    inbox: SimpleQueue[Sequence[Call] | None] = SimpleQueue()
    posted: list[Sequence[Call]] = []
    inbox.put(calls)
    inbox.put(None)
    Writer(connection, inbox, posted.append, batch=batch).run()  # type: ignore[arg-type]
    return posted


def codes(calls: Sequence[Call]) -> list[ErrorCode | None]:
    """Return the refusals of calls."""
    return [call.error.code if isinstance(call.error, HomeroomError) else None for call in calls]


async def test_batches_are_bounded() -> None:
    """Ten jobs in batches of four are three transactions, posted one by one."""
    connection = Connection()
    posted = run(connection, [insert(value) for value in range(10)], batch=4)
    assert [4, 4, 2] == [len(calls) for calls in posted]
    assert ["BEGIN IMMEDIATE", "COMMIT"] * 3 == connection.log
    assert list(range(10)) == connection.values()


async def test_a_clean_batch_has_no_savepoint() -> None:
    """The cost of isolation falls on batches that need it."""
    connection = Connection()
    run(connection, [insert(1), Call(lambda c: 1 // 0, asyncio.get_running_loop().create_future()), insert(2)])
    assert ["BEGIN IMMEDIATE", "COMMIT"] == connection.log
    assert [1, 2] == connection.values()


async def test_a_job_that_fails_after_writing_is_undone_alone() -> None:
    """The batch is run again with a savepoint to each job; results are those of the second run."""
    connection = Connection()
    calls = [insert(1), insert(2, fail=True), insert(3)]
    run(connection, calls)
    assert [1, 3] == connection.values()
    assert [None, ValueError, None] == [call.error and type(call.error) for call in calls]
    assert ["BEGIN IMMEDIATE", "ROLLBACK", "BEGIN IMMEDIATE"] == connection.log[:3]


async def test_a_failing_commit_fails_its_batch_and_no_other() -> None:
    """Nobody of the batch is told that a write is stored; the writer lives on."""
    connection = Connection("COMMIT")
    calls = [insert(value) for value in range(4)]
    run(connection, calls, batch=2)
    assert [ErrorCode.SERVER_UNAVAILABLE] * 2 + [None] * 2 == codes(calls)
    assert [2, 3] == connection.values()


async def test_a_failing_commit_of_a_second_run_fails_the_batch() -> None:
    """The same holds where the batch was run job by job."""
    connection = Connection("COMMIT")
    calls = [insert(1), insert(2, fail=True)]
    run(connection, calls)
    assert [ErrorCode.SERVER_UNAVAILABLE] * 2 == codes(calls)
    assert [] == connection.values()


async def test_a_failing_begin_fails_its_batch() -> None:
    """A database locked from outside refuses, and the writer lives on."""
    connection = Connection("BEGIN IMMEDIATE")
    calls = [insert(1), insert(2)]
    run(connection, calls, batch=1)
    assert [ErrorCode.SERVER_UNAVAILABLE, None] == codes(calls)


async def test_a_lost_transaction_fails_the_batch() -> None:
    """When SQLite itself rolls back in the middle, what earlier jobs wrote is gone, and they are told so."""

    def lose(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    connection = Connection()
    calls = [insert(1), Call(lose, asyncio.get_running_loop().create_future()), insert(2)]
    run(connection, calls)
    assert [ErrorCode.SERVER_UNAVAILABLE] * 3 == codes(calls)
    assert [] == connection.values()


async def test_a_merged_job_that_fails_is_run_item_by_item() -> None:
    """One bad item does not take the others with it, even if it failed before anything was written."""

    def merged(connection: sqlite3.Connection, items: Sequence[str]) -> list[int | HomeroomError]:
        numbers = [int(item) for item in items]
        connection.executemany("INSERT INTO numbers VALUES (?)", [(number,) for number in numbers])
        return list(numbers)

    connection = Connection()
    loop = asyncio.get_running_loop()
    calls = [Call(merged, loop.create_future(), merged=True, item=item) for item in ("1", "two", "3")]
    run(connection, calls)
    assert [1, 3] == connection.values()
    assert [1, 3] == [call.value for call in calls if call.error is None]
    assert isinstance(calls[1].error, ValueError)
