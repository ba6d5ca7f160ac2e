"""Catching up: a room as of one instant."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from core.ids import RoomId, UserId
from rooms.ports import SyncRead
from rooms.types import Message, Receipt
from storage.sqlite import messages
from storage.sqlite.engine import Database
from storage.sqlite.message_rows import message_of
from storage.sqlite.rooms import view_of
from storage.sqlite.statements import fetch_all, statements

SQL: Final = statements("sync")


class SqliteSyncStore:
    """rooms.ports.SyncStore on SQLite: one read transaction per call, which sees one instant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(
        self, room_id: RoomId, user_id: UserId, *, since_rev: int | None, page: int, limit: int, max_receipts: int
    ) -> SyncRead | None:
        def job(connection: sqlite3.Connection) -> SyncRead | None:
            connection.execute("BEGIN")
            try:
                return _read(connection, {"room_id": room_id, "user_id": user_id}, since_rev, page, limit, max_receipts)
            finally:
                connection.execute("COMMIT")

        return await self._database.read(job)


def _read(
    connection: sqlite3.Connection, key: dict[str, Any], since_rev: int | None, page: int, limit: int, max_receipts: int
) -> SyncRead | None:
    row = connection.execute(*SQL["view"].bind(key)).fetchone()
    if row is None:
        return None
    view = view_of(row)
    receipts: list[Receipt] = []
    if view.room.member_count <= max_receipts:
        receipts = [Receipt(*found) for found in fetch_all(connection, SQL["receipts"], key)]
    if since_rev is not None and since_rev <= view.room.rev:
        changed = _messages(connection, "changed_since", {**key, "since_rev": since_rev, "limit": limit + 1})
        if len(changed) <= limit:
            return SyncRead(view, changed, receipts, reset=False)
    newest = _newest(connection, key, page)
    complete = since_rev is None and (not newest or newest[0].seq == 1)
    return SyncRead(view, newest, receipts, reset=not complete)


def _newest(connection: sqlite3.Connection, key: dict[str, Any], page: int) -> Sequence[Message]:
    values = {**key, "after_seq": 0, "before_seq": messages.ENDLESS, "limit": page}
    return _messages(connection, "page_backward", values)[::-1]


def _messages(connection: sqlite3.Connection, statement: str, values: dict[str, Any]) -> list[Message]:
    return [message_of(row) for row in fetch_all(connection, messages.SQL[statement], values)]
