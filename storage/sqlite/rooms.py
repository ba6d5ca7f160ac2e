"""Rooms."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import orjson

from core.clock import from_ms, to_ms
from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId
from rooms.access_cache import AccessCache
from rooms.ports import Reach
from rooms.types import AUTO_JOINED, Access, Member, Room, RoomKind, RoomSettings, RoomView
from storage.sqlite import members, message_rows
from storage.sqlite.engine import Database
from storage.sqlite.statements import statements
from storage.sqlite.users import user_of

SQL: Final = statements("rooms")
WIDTH: Final = 11

_LIVE_KINDS: Final = orjson.dumps(sorted(AUTO_JOINED)).decode()
_NEWEST: Final = (2**63 - 1, "")

REACH_PATIENCE_S: Final = 0.005
"""How long after the last reading somebody who comes in waits for others to share one with."""

_Limits = tuple[int, int, int]


def room_of(row: Sequence[Any]) -> Room:
    """Return the room of a row, whose columns are those of the statement `get`."""
    room_id, kind, title, created_by, created_at_ms, last_seq, rev, count, archived, settings, activity_ms = row
    return Room(
        room_id,
        RoomKind(kind),
        title,
        created_by,
        from_ms(created_at_ms),
        last_seq,
        rev,
        count,
        bool(archived),
        RoomSettings(**orjson.loads(settings)),
        None if activity_ms is None else from_ms(activity_ms),
    )


class SqliteRoomStore:
    """rooms.ports.RoomStore on SQLite."""

    def __init__(self, database: Database, cache: AccessCache) -> None:
        self._database = database
        self._cache = cache

    async def create(
        self, room: Room, members: Sequence[Member], *, unique_key: str | None = None
    ) -> tuple[Room, bool]:
        return await self._database.write(lambda c: _create(c, room, members, unique_key))

    async def get(self, room_id: RoomId) -> Room | None:
        row = await self._database.fetch_one(SQL["get"], {"id": room_id})
        return room_of(row) if row else None

    async def access(self, room_id: RoomId, user_id: UserId) -> Access | None:
        known = self._cache.find(room_id, user_id)
        if known is not None:
            return known
        with self._cache.reading(room_id, user_id) as reading:
            reading.found = await self._database.merge_read(_access, (room_id, user_id))
        return reading.found

    async def view(self, room_id: RoomId, user_id: UserId) -> RoomView | None:
        row = await self._database.fetch_one(SQL["view"], {"room_id": room_id, "user_id": user_id})
        return view_of(row) if row else None

    async def update(self, room_id: RoomId, change: Callable[[Room], Room]) -> tuple[Room, bool]:
        forget = partial(self._cache.forget, room_id)
        return await self._database.write(lambda c: _update(c, room_id, change), ended=forget)

    async def list_for(
        self, user_id: UserId, *, kind: RoomKind | None, before: tuple[int, str] | None, limit: int
    ) -> Sequence[RoomView]:
        before_ms, before_id = before or _NEWEST
        values = {
            "user_id": user_id,
            "kind": None if kind is None else kind.value,
            "before_ms": before_ms,
            "before_id": before_id,
            "limit": limit,
        }
        rows = await self._database.fetch_all(SQL["list_for"], values)
        return [view_of(row) for row in rows]

    async def reach(self, user_id: UserId, *, live_limit: int, max_members: int, small_limit: int) -> Reach:
        asked = (user_id, (live_limit, max_members, small_limit))
        return await self._database.merge_read(_reach, asked, patience_s=REACH_PATIENCE_S)

    async def small_ids(self, user_id: UserId, *, max_members: int, limit: int) -> Sequence[RoomId]:
        values = {"user_id": user_id, "max_members": max_members, "limit": limit}
        rows = await self._database.fetch_all(SQL["small_ids"], values)
        return [row[0] for row in rows]


def _access(connection: sqlite3.Connection, asked: Sequence[tuple[RoomId, UserId]]) -> Sequence[Access | None]:
    """Return what each asked for: the hottest read, since every event is authorised, so it is done for all at once."""
    rows = [(place, room_id, user_id) for place, (room_id, user_id) in enumerate(asked)]
    (known,) = connection.execute(*SQL["access"].bind_rows(rows)).fetchone()
    found = {place: _access_of(row) for place, *row in orjson.loads(known)}
    return [found.get(place) for place in range(len(asked))]


def _reach(connection: sqlite3.Connection, asked: Sequence[tuple[UserId, _Limits]]) -> Sequence[Reach]:
    """Return what each asked for; those of the same limits, which are all of one server, by one statement."""
    by_limits: dict[_Limits, list[tuple[int, UserId]]] = {}
    for place, (user_id, limits) in enumerate(asked):
        by_limits.setdefault(limits, []).append((place, user_id))
    found: dict[int, Reach] = {}
    for (live_limit, max_members, small_limit), rows in by_limits.items():
        text, values = SQL["reach"].bind_rows(rows)
        known = connection.execute(text, [*values, _LIVE_KINDS, live_limit, max_members, small_limit]).fetchone()[0]
        found |= {place: Reach(live, small) for place, live, small in orjson.loads(known)}
    return [found[place] for place in range(len(asked))]


def _access_of(row: Sequence[Any]) -> Access:
    return Access(room_of(row[:WIDTH]), None if row[WIDTH] is None else members.member_of(row[WIDTH:]))


def _create(
    connection: sqlite3.Connection, room: Room, first: Sequence[Member], unique_key: str | None
) -> tuple[Room, bool]:
    row = connection.execute(*SQL["get"].bind({"id": room.id})).fetchone()
    if row is None and unique_key is not None:
        row = connection.execute(*SQL["get_by_unique_key"].bind({"unique_key": unique_key})).fetchone()
    if row is not None:
        return room_of(row), False
    connection.execute(*SQL["insert"].bind({**_values(room, len(first)), "unique_key": unique_key}))
    members.insert_first(connection, first)
    return replace(room, last_seq=0, rev=0, member_count=len(first)), True


def _update(connection: sqlite3.Connection, room_id: RoomId, change: Callable[[Room], Room]) -> tuple[Room, bool]:
    row = connection.execute(*SQL["get"].bind({"id": room_id})).fetchone()
    if row is None:
        raise HomeroomError(ErrorCode.ROOM_NOT_FOUND)
    current = room_of(row)
    wanted = change(current)
    changed = replace(current, title=wanted.title, archived=wanted.archived, settings=wanted.settings)
    if changed == current:
        return current, False
    return room_of(connection.execute(*SQL["update"].bind(_values(changed, changed.member_count))).fetchone()), True


def _values(room: Room, member_count: int) -> dict[str, Any]:
    return {
        "id": room.id,
        "kind": room.kind.value,
        "title": room.title,
        "created_by": room.created_by,
        "created_at_ms": to_ms(room.created_at),
        "member_count": member_count,
        "archived": int(room.archived),
        "settings": orjson.dumps(room.settings).decode(),
        "last_activity_ms": None if room.last_activity_at is None else to_ms(room.last_activity_at),
    }


def view_of(row: Sequence[Any]) -> RoomView:
    """Return the view of a row, whose columns are those of the statement `list_for`."""
    room, row = room_of(row[:WIDTH]), row[WIDTH:]
    me, row = row[: members.WIDTH], row[members.WIDTH :]
    last, peer = row[: message_rows.WIDTH], row[message_rows.WIDTH :]
    return RoomView(
        room,
        None if me[0] is None else members.member_of(me),
        None if last[0] is None else message_rows.message_of(last),
        None if peer[0] is None else user_of(peer),
    )
