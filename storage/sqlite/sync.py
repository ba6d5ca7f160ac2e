"""Catching up: a room as of one instant."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.ids import RoomId, UserId
from rooms.access_cache import AccessCache
from rooms.ports import SyncRead
from rooms.types import Access, Message, Receipt
from storage.sqlite import messages, rooms
from storage.sqlite.engine import Database
from storage.sqlite.message_rows import message_of
from storage.sqlite.statements import fetch_all, statements

SQL: Final = statements("sync")


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters of SyncStore.read."""

    room_id: RoomId
    user_id: UserId
    may_read: Callable[[Access], bool]
    since_rev: int | None
    page: int
    limit: int
    max_receipts: int

    def values(self, **more: object) -> dict[str, object]:
        """Return parameters for a statement."""
        return {"room_id": self.room_id, "user_id": self.user_id, **more}


class SqliteSyncStore:
    """rooms.ports.SyncStore on SQLite: one read transaction per call, which sees one instant."""

    def __init__(self, database: Database, cache: AccessCache) -> None:
        self._database = database
        self._cache = cache

    async def read(
        self,
        room_id: RoomId,
        user_id: UserId,
        *,
        may_read: Callable[[Access], bool],
        since_rev: int | None,
        page: int,
        limit: int,
        max_receipts: int,
    ) -> SyncRead | Access | None:
        asked = _Asked(room_id, user_id, may_read, since_rev, page, limit, max_receipts)

        def job(connection: sqlite3.Connection) -> SyncRead | Access | None:
            connection.execute("BEGIN")
            try:
                return _read(connection, asked)
            finally:
                connection.execute("COMMIT")

        with self._cache.reading(room_id, user_id) as reading:
            found = await self._database.read(job)
            reading.found = Access(found.view.room, found.view.me) if isinstance(found, SyncRead) else found
        return found


def _read(connection: sqlite3.Connection, asked: _Asked) -> SyncRead | Access | None:
    row = connection.execute(*rooms.SQL["view"].bind(asked.values())).fetchone()
    if row is None:
        return None
    view = rooms.view_of(row)
    access = Access(view.room, view.me)
    if not asked.may_read(access):
        return access
    receipts: list[Receipt] = []
    if view.room.member_count <= asked.max_receipts:
        receipts = [Receipt(*found) for found in fetch_all(connection, SQL["receipts"], asked.values())]
    if asked.since_rev is not None and asked.since_rev <= view.room.rev:
        wanted = asked.values(since_rev=asked.since_rev, limit=asked.limit + 1)
        changed = _messages(connection, "changed_since", wanted)
        if len(changed) <= asked.limit:
            return SyncRead(view, changed, receipts, reset=False)
    newest = _newest(connection, asked)
    complete = asked.since_rev is None and (not newest or newest[0].seq == 1)
    return SyncRead(view, newest, receipts, reset=not complete)


def _newest(connection: sqlite3.Connection, asked: _Asked) -> Sequence[Message]:
    values = asked.values(after_seq=0, before_seq=messages.ENDLESS, limit=asked.page)
    return _messages(connection, "page_backward", values)[::-1]


def _messages(connection: sqlite3.Connection, statement: str, values: dict[str, Any]) -> list[Message]:
    return [message_of(row) for row in fetch_all(connection, messages.SQL[statement], values)]
