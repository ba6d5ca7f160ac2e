"""People, the instants that void their tokens, and when they were last here."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from auth.ports import Standing
from auth.types import Role, User
from core.clock import from_ms, to_ms
from core.ids import UserId
from storage.sqlite.engine import Database
from storage.sqlite.statements import statements

SQL: Final = statements("users")

SIGN_IN_PATIENCE_S: Final = 0.005
"""How long after the last commit a sign-in waits for others to share one with: lessons begin for many at once."""


def user_of(row: Sequence[Any]) -> User:
    """Return the user of a row (id, name, role, avatar_url, tz, locale)."""
    user_id, name, role, avatar_url, tz, locale = row
    return User(user_id, name, Role(role), avatar_url, tz, locale)


class SqliteUserStore:
    """auth.ports.UserStore on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, user_id: UserId) -> User | None:
        row = await self._database.fetch_one(SQL["get"], {"id": user_id})
        return user_of(row) if row else None

    async def get_many(self, user_ids: Sequence[UserId]) -> dict[UserId, User]:
        ids = {"ids": _json(user_ids)}
        rows = await self._database.fetch_all(SQL["get_many"], ids)
        return {row[0]: user_of(row) for row in rows}

    async def put(self, user: User) -> None:
        values = dict(zip(SQL["put"].names, _row(user), strict=True))
        await self._database.execute(SQL["put"], values)

    async def sign_in(self, user: User, may_enter: Callable[[datetime | None], bool]) -> Standing:
        return await self._database.merge(_sign_in, (user, may_enter), patience_s=SIGN_IN_PATIENCE_S)

    async def search(self, query: str, *, after: tuple[str, str] | None, limit: int) -> Sequence[User]:
        after_name, after_id = after or ("", "")
        values = {"query": query.casefold(), "after_name": after_name, "after_id": after_id, "limit": limit}
        rows = await self._database.fetch_all(SQL["search"], values)
        return [user_of(row) for row in rows]

    async def valid_after(self, user_id: UserId) -> datetime | None:
        row = await self._database.fetch_one(SQL["valid_after"], {"user_id": user_id})
        return from_ms(row[0]) if row else None

    async def set_valid_after(self, user_id: UserId, instant: datetime) -> None:
        values = {"user_id": user_id, "instant_ms": to_ms(instant)}
        await self._database.execute(SQL["set_valid_after"], values)


def _sign_in(
    connection: sqlite3.Connection, asked: Sequence[tuple[User, Callable[[datetime | None], bool]]]
) -> Sequence[Standing]:
    standings = _standings(connection, [user.id for user, _ in asked])
    pairs = zip(asked, standings, strict=True)
    new = [_row(user) for (user, may_enter), found in pairs if found.user is None and may_enter(found.valid_after)]
    if new:  # a commit of nothing does not touch the disk
        connection.execute(*SQL["introduce"].bind_rows(new))
    return standings


def _standings(connection: sqlite3.Connection, asked: Sequence[UserId]) -> Sequence[Standing]:
    rows = list(enumerate(asked))
    (known,) = connection.execute(*SQL["standings"].bind_rows(rows)).fetchone()
    found = {place: _standing_of(row) for place, *row in orjson.loads(known)}
    return [found[place] for place, _ in rows]


def _standing_of(row: Sequence[Any]) -> Standing:
    valid_after_ms, *user = row
    valid_after = None if valid_after_ms is None else from_ms(valid_after_ms)
    return Standing(None if user[0] is None else user_of(user), valid_after)


def _row(user: User) -> tuple[Any, ...]:
    return (
        user.id,
        user.name,
        user.role.value,
        user.avatar_url,
        user.tz,
        user.locale,
        user.name.casefold(),
        user.id.casefold(),
    )


class SqliteLastSeenStore:
    """rooms.ports.LastSeenStore on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set_last_seen(self, user_id: UserId, instant: datetime) -> None:
        values = {"user_id": user_id, "instant_ms": to_ms(instant)}
        await self._database.execute(SQL["set_last_seen"], values)

    async def last_seen(self, user_ids: Sequence[UserId]) -> dict[UserId, datetime]:
        ids = {"user_ids": _json(user_ids)}
        rows = await self._database.fetch_all(SQL["last_seen"], ids)
        return {user_id: from_ms(at_ms) for user_id, at_ms in rows}


def _json(values: Sequence[str]) -> str:
    return orjson.dumps(list(values)).decode()
