"""Keys of the school's backends."""

from typing import Final

from storage.sqlite.engine import Database
from storage.sqlite.statements import statements

SQL: Final = statements("service_keys")


class SqliteServiceKeyStore:
    """auth.ports.ServiceKeyStore on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, key_hash: bytes) -> None:
        await self._database.execute(SQL["add"], {"name": name, "key_hash": key_hash})

    async def find(self, key_hash: bytes) -> str | None:
        row = await self._database.fetch_one(SQL["find"], {"key_hash": key_hash})
        return row[0] if row else None
