"""The database as its callers see it: order, isolation, bounds, cancellation, failure."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core.errors import ErrorCode, HomeroomError
from storage.sqlite.engine import Database
from storage.sqlite.statements import Statement
from tests.unit.storage.conftest import Gate

Job = Callable[[sqlite3.Connection], int]


def insert(value: int) -> Job:
    """Return a job that inserts a value and returns it."""

    def job(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO numbers VALUES (?)", (value,))
        return value

    return job


def insert_then_fail(value: int) -> Job:
    """Return a job that refuses after it has written."""

    def job(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO numbers VALUES (?)", (value,))
        raise HomeroomError(ErrorCode.ROOM_LOCKED)

    return job


def names(directory: Path) -> set[str]:
    """Return the names of the files of a directory."""
    return {path.name for path in directory.iterdir()}


async def values(database: Database) -> list[int]:
    """Return what is in the table, in the order it was written."""
    rows = await database.read(lambda c: c.execute("SELECT value FROM numbers ORDER BY rowid").fetchall())
    return [value for (value,) in rows]


async def test_a_write_is_read_once_it_returned(database: Database) -> None:
    """Every reader thread sees it: 50 times in a row, and with more reads than readers."""
    for number in range(50):
        await database.write(insert(number))
        seen = await asyncio.gather(*(values(database) for _ in range(4)))
        assert [list(range(number + 1))] * 4 == seen


async def test_a_commit_is_synced(database: Database) -> None:
    """The writer's log is synced at each commit (2 is FULL), and foreign keys hold."""
    pragmas = ("synchronous", "foreign_keys")
    found = [await database.write(lambda c, p=p: c.execute(f"PRAGMA {p}").fetchone()[0]) for p in pragmas]  # type: ignore[misc]
    assert [2, 1] == found
    assert "wal" == await database.read(lambda c: c.execute("PRAGMA journal_mode").fetchone()[0])


async def test_readers_cannot_write(database: Database) -> None:
    """A write that strays to a reader is refused."""
    with pytest.raises(HomeroomError) as caught:
        await database.read(insert(1))
    assert ErrorCode.SERVER_UNAVAILABLE == caught.value.code


async def test_jobs_that_wait_share_a_commit(database: Database, gate: Gate) -> None:
    """64 jobs that gathered behind another are one transaction."""
    commits: list[str] = []
    database._connections[0].set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
    await gate.hold()
    await gate.batch(*(database.write(insert(value)) for value in range(64)))
    assert ["COMMIT", "COMMIT"] == commits, "one for the job that held the writer, one for the others"


async def test_one_job_given_twice_is_done_twice(database: Database, gate: Gate) -> None:
    """Only items of a merged job are put together."""

    def job(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO numbers SELECT count(*) FROM numbers")
        return 7

    await gate.hold()
    assert [7, 7] == await gate.batch(database.write(job), database.write(job))
    assert [0, 1] == await values(database)


async def test_awaiters_resume_in_commit_order(database: Database, gate: Gate) -> None:
    """Whoever was committed first goes on first: publishing in rev order relies on it."""
    resumed: list[int] = []

    async def write(value: int) -> None:
        resumed.append(await database.write(insert(value)))

    await gate.hold()
    await gate.batch(*(write(value) for value in range(200)))
    assert await values(database) == resumed
    assert list(range(200)) == resumed


async def test_merged_items_resume_in_commit_order(database: Database, gate: Gate) -> None:
    """Items of a merged job move up to the first of them, and their awaiters with them."""
    runs: list[list[int]] = []
    resumed: list[int] = []

    def insert_all(connection: sqlite3.Connection, items: Sequence[int]) -> list[int | HomeroomError]:
        runs.append(list(items))
        connection.executemany("INSERT INTO numbers VALUES (?)", [(item,) for item in items])
        return list(items)

    async def one(value: int) -> None:
        resumed.append(await database.write(insert(value)))

    async def merged(value: int) -> None:
        resumed.append(await database.merge(insert_all, value))

    await gate.hold()
    await gate.batch(one(1), merged(2), one(3), merged(4), one(5), merged(6))
    assert [[2, 4, 6]] == runs
    assert [1, 2, 4, 6, 3, 5] == resumed
    assert resumed == await values(database)


async def test_a_failing_job_harms_no_other(database: Database, gate: Gate) -> None:
    """Jobs that refuse, break a constraint or have a bug, before or after they wrote, are undone alone."""
    await gate.hold()
    outcomes = await gate.batch(
        database.write(insert(1)),
        database.write(insert_then_fail(2)),
        database.write(insert(3)),
        database.write(insert(1)),
        database.write(lambda connection: 1 // 0),
        database.write(insert(4)),
    )
    assert [1, HomeroomError, 3, sqlite3.IntegrityError, ZeroDivisionError, 4] == [
        outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes
    ]
    assert [1, 3, 4] == await values(database)


async def test_a_failing_read_harms_no_other(database: Database) -> None:
    """Reads of a moment are merged; one that fails is told alone."""
    runs: list[int] = []

    def halves(connection: sqlite3.Connection, items: Sequence[int]) -> list[int | HomeroomError]:
        runs.append(len(items))
        return [100 // item for item in items]

    outcomes = await asyncio.gather(*(database.merge_read(halves, item) for item in (2, 0, 5)), return_exceptions=True)
    assert [3, 1, 1, 1] == runs
    assert [50, 20] == [outcomes[0], outcomes[2]]
    assert isinstance(outcomes[1], ZeroDivisionError)


async def test_a_job_that_raises_stop_iteration_is_a_bug_like_any_other(database: Database) -> None:
    """Its awaiter gets an error: a future would not take it, and nobody would ever be resumed."""
    with pytest.raises(RuntimeError, match="StopIteration"):
        await database.write(lambda connection: next(iter(())))
    with pytest.raises(RuntimeError, match="StopIteration"):
        await database.read(lambda connection: next(iter(())))


async def test_a_full_disk_refuses_and_recovers(database: Database, gate: Gate) -> None:
    """Writes that do not fit are refused as retryable, nothing of them stays, and the next that fits is done."""
    await database.write(lambda c: c.execute("CREATE TABLE blobs (value BLOB) STRICT"))
    await database.write(lambda c: c.execute("PRAGMA cache_size = 5"))
    await database.write(lambda c: c.execute("PRAGMA max_page_count = 60").fetchall())

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO blobs VALUES (zeroblob(500000))")

    await gate.hold()
    outcomes = await gate.batch(database.write(insert(1)), database.write(fill), database.write(insert(2)))
    refused = [outcome for outcome in outcomes if isinstance(outcome, HomeroomError)]
    assert isinstance(outcomes[1], HomeroomError)
    assert {ErrorCode.SERVER_UNAVAILABLE} == {refusal.code for refusal in refused}
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == await values(database)
    assert 3 == await database.write(insert(3))


async def test_beyond_the_bound_jobs_are_refused(
    database: Database, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that falls behind says so at once instead of growing a queue; it takes jobs again afterwards."""
    monkeypatch.setattr(database._writes, "_limit", 4)
    await gate.hold()
    outcomes = await gate.batch(*(database.write(insert(value)) for value in range(5)))
    assert [0, 1, 2] == outcomes[:3]
    assert [True, True] == [refusal.retryable for refusal in outcomes[3:]]
    assert 9 == await database.write(insert(9))


async def test_a_cancelled_awaiter_loses_no_job(database: Database, gate: Gate) -> None:
    """What was handed over is written, and the others of its batch get their results."""
    await gate.hold()
    tasks = [asyncio.create_task(database.write(insert(value))) for value in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await gate.open()
    assert [0, 2] == [await tasks[0], await tasks[2]]
    assert [0, 1, 2] == await values(database)


async def test_the_end_of_a_job_is_heard_first(database: Database, gate: Gate) -> None:
    """`ended` runs before anyone learns of the outcome, also of a job that failed or that nobody waits for any more."""
    heard: list[str] = []

    async def write(name: str, job: Job) -> None:
        with contextlib.suppress(HomeroomError):
            await database.write(job, ended=lambda: heard.append(f"{name} ended"))
        heard.append(f"{name} resumed")

    await gate.hold()
    tasks = [asyncio.create_task(write(*each)) for each in (("a", insert(1)), ("b", insert_then_fail(2)))]
    left = asyncio.create_task(write("c", insert(3)))
    await asyncio.sleep(0)
    left.cancel()
    await gate.open()
    await asyncio.gather(*tasks)
    assert ["a ended", "b ended", "c ended", "a resumed", "b resumed"] == heard
    assert [1, 3] == await values(database)


async def test_who_has_patience_goes_with_the_next_one(database: Database) -> None:
    """A patient item is handed over with the first call that has none, in the order of the calls."""
    commits: list[str] = []
    database._connections[0].set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)

    def insert_all(connection: sqlite3.Connection, items: Sequence[int]) -> list[int | HomeroomError]:
        connection.executemany("INSERT INTO numbers VALUES (?)", [(item,) for item in items])
        return list(items)

    patient = [asyncio.create_task(database.merge(insert_all, value, patience_s=3600)) for value in (1, 2)]
    await asyncio.sleep(0)
    assert 3 == await database.write(insert(3))
    assert ([1, 2], [1, 2, 3], ["COMMIT"]) == (await asyncio.gather(*patient), await values(database), commits)


async def test_patience_ends(database: Database) -> None:
    """Alone, a patient item is written when its time is up, or when the database closes."""

    def insert_all(connection: sqlite3.Connection, items: Sequence[int]) -> list[int | HomeroomError]:
        connection.executemany("INSERT INTO numbers VALUES (?)", [(item,) for item in items])
        return list(items)

    assert 1 == await database.merge(insert_all, 1, patience_s=0.001)
    waiting = asyncio.create_task(database.merge(insert_all, 2, patience_s=3600))
    await asyncio.sleep(0)
    assert [1] == await values(database)
    await database.close()
    assert 2 == await waiting


async def test_close_finishes_what_waits(tmp_path: Path) -> None:
    """Every job taken before close is written and answered; later ones are refused; closing again is nothing."""
    database = await Database.open(tmp_path / "test.db")
    await database.write(lambda c: c.execute("CREATE TABLE numbers (value INTEGER UNIQUE) STRICT"))
    gate = Gate(database)
    await gate.hold()
    tasks = [asyncio.create_task(database.write(insert(value))) for value in range(600)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    await gate.open()
    await closing
    assert list(range(600)) == [await task for task in tasks]
    for call in (database.write(insert(1)), database.read(insert(1))):
        with pytest.raises(HomeroomError) as caught:
            await call
        assert ErrorCode.SERVER_UNAVAILABLE == caught.value.code
    await database.close()
    again = await Database.open(tmp_path / "test.db")
    assert list(range(600)) == await values(again)
    await again.close()


async def test_close_folds_the_log_into_the_file(tmp_path: Path) -> None:
    """A closed database is one file that can be copied, beside the lock."""
    database = await Database.open(tmp_path / "test.db")
    assert {"test.db", "test.db-wal", "test.db-shm", "test.db.lock"} == names(tmp_path)
    await database.close()
    assert {"test.db", "test.db.lock"} == names(tmp_path)


async def test_rows_come_as_they_are_stored(database: Database) -> None:
    """Fetching a query as one value keeps order, NULL, large integers, NUL and every script."""
    texts = ["a\0b", "Żółć", "👋🏽", '"\\', ""]
    await database.write(lambda c: c.execute("CREATE TABLE texts (number INTEGER, value TEXT) STRICT"))
    rows = [(2**63 - 1 - number, text) for number, text in enumerate(texts)] + [(0, None)]
    await database.write(lambda c: c.executemany("INSERT INTO texts VALUES (?, ?)", rows))
    query = Statement("SELECT number, value FROM texts ORDER BY number DESC", ())
    assert [list(row) for row in rows] == await database.fetch_all(query, {})
