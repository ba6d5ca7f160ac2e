"""Connections to the file: how durable, how large, who may write."""

import sqlite3
from pathlib import Path
from typing import Final

from storage.errors import StoreError

_OLDEST: Final = (3, 38, 0)
_TIMEOUT_S: Final = 5.0
_SIZES: Final = ("cache_size = -32768", "mmap_size = 268435456", "temp_store = MEMORY")
"""A cache of 32 MiB to each connection, and 256 MiB of the file in memory that they share."""


def check_version() -> None:
    """Raise StoreError if SQLite is too old for JSON without an extension, STRICT tables or UPDATE … FROM."""
    if sqlite3.sqlite_version_info < _OLDEST:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: Homeroom needs 3.38 or newer.")


def connect_writer(path: Path) -> sqlite3.Connection:
    """Return a connection in autocommit mode whose commits are on the disk when they return."""
    return _connect(
        path.absolute().as_uri(),
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        # 16 MiB of log before it is folded in: SQLite's 4 MiB costs a fifth of the appends, and more gains nothing.
        "wal_autocheckpoint = 4000",
        "journal_size_limit = 67108864",
    )


def connect_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write, to a file that has a writer already."""
    return _connect(f"{path.absolute().as_uri()}?mode=ro", "query_only = ON")


def _connect(uri: str, *pragmas: str) -> sqlite3.Connection:
    # Opened on one thread, used on another: never on two at once.
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_TIMEOUT_S, cached_statements=512
    )
    try:
        for pragma in (*pragmas, *_SIZES):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
