"""People, the instants that void their tokens, and when they were last here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from auth.types import Role, User
from core.clock import from_ms, to_ms
from core.ids import UserId
from storage.sqlite.engine import Database
from storage.sqlite.statements import statements

SQL: Final = statements("users")


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
        values = {
            "id": user.id,
            "name": user.name,
            "role": user.role.value,
            "avatar_url": user.avatar_url,
            "tz": user.tz,
            "locale": user.locale,
            "name_folded": user.name.casefold(),
            "id_folded": user.id.casefold(),
        }
        await self._database.execute(SQL["put"], values)

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
