"""Messages."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import orjson

from core.clock import to_ms
from core.errors import ErrorCode, HomeroomError
from core.ids import MessageId, RoomId
from rooms.ports import Appended, Changed
from rooms.types import Draft, Message
from storage.sqlite.append import append
from storage.sqlite.engine import Database
from storage.sqlite.message_rows import message_of
from storage.sqlite.statements import statements

SQL: Final = statements("messages")
ENDLESS: Final = 2**63 - 1


class SqliteMessageStore:
    """rooms.ports.MessageStore on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, draft: Draft) -> Appended:
        return await self._database.merge(append, draft)

    async def change(self, message_id: MessageId, mutate: Callable[[Message], Message]) -> Changed:
        return await self._database.write(lambda c: _change(c, message_id, mutate))

    async def get(self, message_id: MessageId) -> Message | None:
        row = await self._database.fetch_one(SQL["get"], {"id": message_id})
        return message_of(row) if row else None

    async def page(
        self, room_id: RoomId, *, before_seq: int | None, after_seq: int | None, limit: int
    ) -> Sequence[Message]:
        forward = after_seq is not None and before_seq is None
        values = {
            "room_id": room_id,
            "after_seq": 0 if after_seq is None else min(after_seq, ENDLESS),
            "before_seq": ENDLESS if before_seq is None else min(before_seq, ENDLESS),
            "limit": limit,
        }
        statement = SQL["page_forward" if forward else "page_backward"]
        rows = await self._database.fetch_all(statement, values)
        return [message_of(row) for row in (rows if forward else reversed(rows))]

    async def changed_since(self, room_id: RoomId, since_rev: int, *, limit: int) -> Sequence[Message]:
        values = {"room_id": room_id, "since_rev": min(since_rev, ENDLESS), "limit": limit}
        rows = await self._database.fetch_all(SQL["changed_since"], values)
        return [message_of(row) for row in rows]


def _change(connection: sqlite3.Connection, message_id: MessageId, mutate: Callable[[Message], Message]) -> Changed:
    row = connection.execute(*SQL["get"].bind({"id": message_id})).fetchone()
    if row is None:
        raise HomeroomError(ErrorCode.MESSAGE_NOT_FOUND)
    current = message_of(row)
    changed = _merge(current, mutate(current))
    if changed == current:
        return Changed(current, changed=False)
    (rev,) = connection.execute(*SQL["next_rev"].bind({"room_id": current.room_id})).fetchone()
    changed = replace(changed, rev=rev)
    connection.execute(*SQL["change"].bind(_changed_values(changed)))
    return Changed(changed, changed=True)


def _merge(current: Message, wanted: Message) -> Message:
    """Return `current` with what may differ, in the types that `message_of` makes, so that the two compare."""
    return replace(
        current,
        body=wanted.body,
        mentions=tuple(wanted.mentions),
        reactions={emoji: tuple(users) for emoji, users in wanted.reactions.items()},
        edited_at=wanted.edited_at,
        deleted_at=wanted.deleted_at,
    )


def _changed_values(message: Message) -> dict[str, Any]:
    return {
        "room_id": message.room_id,
        "seq": message.seq,
        "rev": message.rev,
        "body": message.body,
        "mentions": _json(message.mentions),
        "reactions": _json(message.reactions),
        "edited_at_ms": _ms(message.edited_at),
        "deleted_at_ms": _ms(message.deleted_at),
    }


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else to_ms(instant)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
