"""Migrations: each once, in order, whole or not at all."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import StoreError
from storage.sqlite.schema import MIGRATIONS, load, migrate, migrate_open


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database will be."""
    return tmp_path / "homeroom.db"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with two migrations, the second of them with a trigger (a statement of several)."""
    made = tmp_path / "migrations"
    made.mkdir()
    (made / "0001_one.sql").write_text("CREATE TABLE one (x INTEGER);\n-- ; no statement\n")
    (made / "0002_two.sql").write_text(
        "CREATE TABLE two (x INTEGER);\n"
        "CREATE TRIGGER copy AFTER INSERT ON one BEGIN\n  INSERT INTO two VALUES (new.x);\nEND;\n"
        "INSERT INTO one VALUES (7);"
    )
    return made


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection in autocommit mode."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as opened:
        yield opened


def tables(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the tables."""
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]


def test_migrate_applies_everything_once(path: Path) -> None:
    """The second time there is nothing to do."""
    assert [migration.name for migration in load(MIGRATIONS)] == migrate(path)
    assert [] == migrate(path)


def test_migrations_are_numbered_without_gaps() -> None:
    """A gap would be a migration that was lost on the way."""
    numbers = [migration.number for migration in load(MIGRATIONS)]
    assert list(range(1, len(numbers) + 1)) == numbers


def test_migrations_are_applied_in_order(connection: sqlite3.Connection, path: Path, directory: Path) -> None:
    """Later ones are added to what is there, statement by statement."""
    second = (directory / "0002_two.sql").rename(directory / "later")
    assert ["0001_one"] == migrate_open(connection, path, directory)
    second.rename(directory / "0002_two.sql")
    assert ["0002_two"] == migrate_open(connection, path, directory)
    assert [(7,)] == connection.execute("SELECT x FROM two").fetchall()


def test_a_failing_migration_leaves_nothing(connection: sqlite3.Connection, path: Path, directory: Path) -> None:
    """What it did before it failed is undone, and it can be applied once it is mended."""
    (directory / "0003_three.sql").write_text("CREATE TABLE three (x INTEGER);\nCREATE TABLE one (x INTEGER);\n")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate_open(connection, path, directory)
    assert ["one", "schema_migrations", "two"] == tables(connection)
    (directory / "0003_three.sql").write_text("CREATE TABLE three (x INTEGER);\n")
    assert ["0003_three"] == migrate_open(connection, path, directory)


def test_an_edited_migration_is_refused(connection: sqlite3.Connection, path: Path, directory: Path) -> None:
    """The schema would not be what the scripts say."""
    migrate_open(connection, path, directory)
    (directory / "0001_one.sql").write_text("CREATE TABLE one (x INTEGER, y INTEGER);\n")
    with pytest.raises(StoreError) as caught:
        migrate_open(connection, path, directory)
    assert f"Migration 0001_one was edited after it was applied to the database {path}." == str(caught.value)


def test_a_newer_database_is_refused(connection: sqlite3.Connection, path: Path, directory: Path) -> None:
    """An older version would write what the newer one does not expect."""
    migrate_open(connection, path, directory)
    (directory / "0002_two.sql").unlink()
    with pytest.raises(StoreError) as caught:
        migrate_open(connection, path, directory)
    assert (
        f"The database {path} has schema 2, but this version of Homeroom knows only 1: install a newer version."
        == str(caught.value)
    )


def test_a_file_that_is_no_database_is_told(path: Path) -> None:
    """The line names the file."""
    path.write_text("not a database, by far: " * 100)
    with pytest.raises(StoreError) as caught:
        migrate(path)
    assert f"Cannot migrate the database {path}: file is not a database." == str(caught.value)
