"""Answers that were already given, by idempotency key."""

import sqlite3
from datetime import datetime
from typing import Final

from core.clock import Clock, to_ms
from storage.sqlite.engine import Database
from storage.sqlite.statements import statements

SQL: Final = statements("idempotency")

PURGE_EVERY_MS: Final = 60_000


class SqliteIdempotencyStore:
    """Answers by (scope, key), each kept until it expires."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._purge_at_ms = 0

    async def get(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        """Return the hash of the request and the response that were put, or None."""
        values = {"scope": scope, "key": key, "now_ms": self._now_ms()}
        row: tuple[bytes, bytes] | None = await self._database.fetch_one(SQL["get"], values)
        return row

    async def put(self, scope: str, key: str, request_hash: bytes, response: bytes, expires_at: datetime) -> bool:
        """Keep a response; return False, and keep the one that is there, if the key is taken. Atomic."""
        now_ms = self._now_ms()
        purge = now_ms >= self._purge_at_ms
        if purge:
            self._purge_at_ms = now_ms + PURGE_EVERY_MS
        values = {
            "scope": scope,
            "key": key,
            "request_hash": request_hash,
            "response": response,
            "expires_at_ms": to_ms(expires_at),
            "now_ms": now_ms,
        }

        def job(connection: sqlite3.Connection) -> bool:
            if purge:
                connection.execute(*SQL["purge"].bind({"now_ms": now_ms}))
            return connection.execute(*SQL["put"].bind(values)).rowcount == 1

        return await self._database.write(job)

    def _now_ms(self) -> int:
        return to_ms(self._clock.now())
