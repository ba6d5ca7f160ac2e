"""Numbered migrations: `migrations/NNNN_name.sql`, applied in order, each in a transaction, never edited afterwards."""

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.errors import StoreError

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_RECORD: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at_ms INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    script: str

    @property
    def checksum(self) -> str:
        """The SHA-256 of the script."""
        return hashlib.sha256(self.script.encode()).hexdigest()


def migrate(path: Path) -> list[str]:
    """Bring the database at `path` to this version's schema; return the names of what was applied.

    Raises StoreError if the database is newer than this code, or if an applied migration has been edited since.
    """
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=5.0)) as connection:
            return migrate_open(connection, path)
    except sqlite3.Error as exc:
        raise StoreError(f"Cannot migrate the database {path}: {exc}.") from exc


def migrate_open(connection: sqlite3.Connection, path: Path, directory: Path = MIGRATIONS) -> list[str]:
    """Do as `migrate`, on an open connection in autocommit mode."""
    known = load(directory)
    connection.execute(_RECORD)
    _check(path, known, dict(connection.execute("SELECT number, checksum FROM schema_migrations").fetchall()))
    return [migration.name for migration in known if _apply(connection, migration)]


def load(directory: Path) -> list[Migration]:
    """Return the migrations of `directory` in order."""
    files = sorted(directory.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(int(file.stem[:4]), file.stem, file.read_text(encoding="utf-8")) for file in files]


def _check(path: Path, known: Sequence[Migration], applied: dict[int, str]) -> None:
    newest = max(applied, default=0)
    if newest > known[-1].number:
        raise StoreError(
            f"The database {path} has schema {newest}, but this version of Homeroom knows only {known[-1].number}: "
            "install a newer version."
        )
    for migration in known:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise StoreError(f"Migration {migration.name} was edited after it was applied to the database {path}.")


def _apply(connection: sqlite3.Connection, migration: Migration) -> bool:
    connection.execute("BEGIN IMMEDIATE")
    try:
        fresh = _record(connection, migration)
        for statement in _statements(migration.script) if fresh else ():
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return fresh


def _record(connection: sqlite3.Connection, migration: Migration) -> bool:
    row = (migration.number, migration.name, migration.checksum, time.time_ns() // 1_000_000)
    return connection.execute("INSERT OR IGNORE INTO schema_migrations VALUES (?, ?, ?, ?)", row).rowcount == 1


def _statements(script: str) -> Iterator[str]:
    # Not executescript: it commits first, and the migration would not be one transaction.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
