"""Refresh token families."""

import sqlite3
from datetime import datetime
from typing import Any, Final

from auth.ports import RefreshToken, Rotation
from core.clock import to_ms
from core.ids import UserId
from storage.sqlite.engine import Database
from storage.sqlite.statements import statements

SQL: Final = statements("refresh")

KEPT_EXPIRED_MS: Final = 7 * 24 * 3_600_000
"""How long a family whose tokens have all expired is remembered, so that its user reads `expired`, not `unknown`."""


class SqliteRefreshStore:
    """auth.ports.RefreshStore on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, token: RefreshToken) -> None:
        values = _values(token, token.family_id)

        def job(connection: sqlite3.Connection) -> None:
            connection.execute(*SQL["purge"].bind({"before_ms": values["created_at_ms"] - KEPT_EXPIRED_MS}))
            connection.execute(*SQL["add_family"].bind(values))
            connection.execute(*SQL["add_token"].bind(values))

        await self._database.write(job)

    async def rotate(self, old_hash: bytes, new: RefreshToken, *, now: datetime) -> Rotation:
        return await self._database.write(lambda c: _rotate(c, old_hash, new, to_ms(now)))

    async def revoke_family(self, token_hash: bytes) -> UserId | None:
        def job(connection: sqlite3.Connection) -> UserId | None:
            row = connection.execute(*SQL["get"].bind({"token_hash": token_hash})).fetchone()
            if row is None:
                return None
            connection.execute(*SQL["revoke_family"].bind({"family_id": row[0]}))
            return UserId(row[1])

        return await self._database.write(job)

    async def revoke_user(self, user_id: UserId) -> None:
        await self._database.execute(SQL["revoke_user"], {"user_id": user_id})


def _rotate(connection: sqlite3.Connection, old_hash: bytes, new: RefreshToken, now_ms: int) -> Rotation:
    row = connection.execute(*SQL["get"].bind({"token_hash": old_hash})).fetchone()
    if row is None:
        return Rotation("unknown")
    family_id, user_id, expires_at_ms, spent, revoked = row
    outcome = _outcome(spent=spent, revoked=revoked, expired=expires_at_ms <= now_ms)
    if outcome == "reused":
        connection.execute(*SQL["revoke_family"].bind({"family_id": family_id}))
    if outcome == "ok":
        values = _values(new, family_id)
        connection.execute(*SQL["spend"].bind({"token_hash": old_hash}))
        connection.execute(*SQL["add_token"].bind(values))
        connection.execute(*SQL["prolong_family"].bind(values))
    return Rotation(outcome, UserId(user_id))


def _outcome(*, spent: bool, revoked: bool, expired: bool) -> str:
    if spent:
        return "reused"
    if revoked:
        return "revoked"
    return "expired" if expired else "ok"


def _values(token: RefreshToken, family_id: str) -> dict[str, Any]:
    return {
        "token_hash": token.token_hash,
        "family_id": family_id,
        "user_id": token.user_id,
        "created_at_ms": to_ms(token.created_at),
        "expires_at_ms": to_ms(token.expires_at),
    }
