"""Memberships and watermarks."""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import orjson

from auth.types import User
from core.clock import from_ms, to_ms
from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId
from rooms.access_cache import AccessCache
from rooms.types import Member, Notify, Receipt, RoomRole
from storage.sqlite.engine import Database
from storage.sqlite.marks import Mark, mark
from storage.sqlite.statements import statements
from storage.sqlite.users import user_of

SQL: Final = statements("members")
WIDTH: Final = 8

MARK_PATIENCE_S: Final = 0.01
"""How long after the last commit a mark waits for somebody else's to share.

Everybody marks what everybody writes, so that marks outnumber messages, and nobody looks at a mark's ack. It still
comes after the commit and tells the watermark that was committed. Watermarks only rise, so nothing that is committed
earlier because of this can be undone by it.
"""


def member_of(row: Sequence[Any]) -> Member:
    """Return the member of a row, whose columns are those of the statement `get`."""
    room_id, user_id, role, joined_at_ms, read_seq, delivered_seq, muted_until_ms, notify = row
    muted_until = None if muted_until_ms is None else from_ms(muted_until_ms)
    return Member(
        room_id, user_id, RoomRole(role), from_ms(joined_at_ms), read_seq, delivered_seq, muted_until, Notify(notify)
    )


def values_of(member: Member) -> dict[str, Any]:
    """Return a member as the parameters of `insert`, `insert_first` and `update`."""
    return {
        "room_id": member.room_id,
        "user_id": member.user_id,
        "role": member.role.value,
        "joined_at_ms": to_ms(member.joined_at),
        "muted_until_ms": None if member.muted_until is None else to_ms(member.muted_until),
        "notify": member.notify.value,
    }


def insert_first(connection: sqlite3.Connection, members: Sequence[Member]) -> None:
    """Insert the members of a room that was just made."""
    statement = SQL["insert_first"]
    connection.executemany(statement.text, [statement.bind(values_of(member))[1] for member in members])


class SqliteMemberStore:
    """rooms.ports.MemberStore on SQLite."""

    def __init__(self, database: Database, cache: AccessCache) -> None:
        self._database = database
        self._cache = cache

    async def get(self, room_id: RoomId, user_id: UserId) -> Member | None:
        key = {"room_id": room_id, "user_id": user_id}
        row = await self._database.fetch_one(SQL["get"], key)
        return member_of(row) if row else None

    async def put(self, member: Member) -> bool:
        values = values_of(member)
        forget = partial(self._cache.forget, member.room_id, member.user_id)
        return await self._database.write(lambda c: _put(c, values), ended=forget)

    async def remove(self, room_id: RoomId, user_id: UserId) -> bool:
        key, forget = {"room_id": room_id, "user_id": user_id}, partial(self._cache.forget, room_id, user_id)
        return await self._database.write(lambda c: _remove(c, key), ended=forget)

    async def mark(
        self, room_id: RoomId, user_id: UserId, *, read_seq: int, delivered_seq: int
    ) -> tuple[Receipt, bool]:
        asked = Mark(room_id, user_id, read_seq, delivered_seq)
        return await self._database.merge(mark, asked, patience_s=MARK_PATIENCE_S)

    async def among(self, room_id: RoomId, user_ids: Sequence[UserId]) -> set[UserId]:
        values = {"room_id": room_id, "user_ids": orjson.dumps(list(user_ids)).decode()}
        rows = await self._database.fetch_all(SQL["among"], values)
        return {row[0] for row in rows}

    async def shared(self, user_id: UserId, other_ids: Sequence[UserId]) -> set[UserId]:
        values = {"user_id": user_id, "other_ids": orjson.dumps(list(other_ids)).decode()}
        rows = await self._database.fetch_all(SQL["shared"], values)
        return {row[0] for row in rows}

    async def list(self, room_id: RoomId, *, after: UserId | None, limit: int) -> Sequence[tuple[Member, User | None]]:
        values = {"room_id": room_id, "after": after or "", "limit": limit}
        rows = await self._database.fetch_all(SQL["list"], values)
        return [(member_of(row[:WIDTH]), None if row[WIDTH] is None else user_of(row[WIDTH:])) for row in rows]


def _put(connection: sqlite3.Connection, values: dict[str, Any]) -> bool:
    if connection.execute(*SQL["update"].bind(values)).rowcount:
        return False
    if not connection.execute(*SQL["insert"].bind(values)).rowcount:
        raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)
    connection.execute(*SQL["count"].bind({"room_id": values["room_id"], "change": 1}))
    return True


def _remove(connection: sqlite3.Connection, key: dict[str, Any]) -> bool:
    if not connection.execute(*SQL["delete"].bind(key)).rowcount:
        return False
    connection.execute(*SQL["count"].bind({"room_id": key["room_id"], "change": -1}))
    return True
