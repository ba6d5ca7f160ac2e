"""What can be wrong with a database file is told in one line, and leaves the file alone."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import StoreError
from storage.sqlite.engine import Database

ROOT = Path(__file__).parents[3]
OPEN = """
import asyncio, pathlib, sys
from storage.errors import StoreError
from storage.sqlite.engine import Database
try:
    asyncio.run(Database.open(pathlib.Path(sys.argv[1])))
except StoreError as exc:
    print(exc)
"""


def files(directory: Path) -> list[Path]:
    """Return what is in a directory."""
    return list(directory.iterdir())


async def refusal(path: Path) -> str:
    """Return the text of the StoreError that opening raises."""
    with pytest.raises(StoreError) as caught:
        await Database.open(path)
    return str(caught.value)


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """The line names the process that has the database; once it closed, the next may open."""
    path = tmp_path / "homeroom.db"
    database = await Database.open(path)
    second = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-c", OPEN, path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    expected = f"The database is in use by another process (pid {os.getpid()}): {path}.lock\n"
    assert (expected, "") == (second.stdout, second.stderr)
    await database.close()
    await (await Database.open(path)).close()


async def test_a_second_opening_in_this_process_is_refused(tmp_path: Path) -> None:
    """Two writers in one process would be as wrong as two processes."""
    database = await Database.open(tmp_path / "homeroom.db")
    assert "in use" in await refusal(tmp_path / "homeroom.db")
    await database.close()


async def test_directories_are_made(tmp_path: Path) -> None:
    """The data directory need not exist."""
    path = tmp_path / "data" / "school" / "homeroom.db"
    await (await Database.open(path)).close()
    assert path.exists()


async def test_the_files_are_the_owners_alone(tmp_path: Path) -> None:
    """Other accounts of the machine read nobody's messages, whatever the umask."""
    before = os.umask(0)
    database = await Database.open(tmp_path / "homeroom.db")
    os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in files(tmp_path)}
    await database.close()
    assert dict.fromkeys(("homeroom.db", "homeroom.db-wal", "homeroom.db-shm", "homeroom.db.lock"), 0o600) == modes


async def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Here it is a file."""
    (tmp_path / "data").write_text("")
    path = tmp_path / "data" / "homeroom.db"
    assert f"Cannot write in the data directory {path.parent}: File exists." == await refusal(path)


async def test_an_unwritable_directory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's reason is in the line (faked: a superuser may write everywhere)."""

    def refuse(*args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("storage.sqlite.lock.os.open", refuse)
    assert f"Cannot write in the data directory {tmp_path}: Permission denied." == await refusal(tmp_path / "x.db")


async def test_a_file_that_is_no_database_is_told_and_unlocked(tmp_path: Path) -> None:
    """The lock is given back, so that a second attempt reads the same line."""
    path = tmp_path / "homeroom.db"
    path.write_text("not a database, by far: " * 100)
    expected = f"Cannot open the database {path}: file is not a database."
    assert [expected, expected] == [await refusal(path), await refusal(path)]


async def test_an_old_sqlite_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements rely on JSON and UPDATE … FROM of 3.38."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    assert "SQLite 3.34.1 is too old: Homeroom needs 3.38 or newer." == await refusal(tmp_path / "x.db")
