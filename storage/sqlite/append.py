"""New messages, for all who send at a moment: four statements number and store them, however many there are."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from core.clock import to_ms
from core.errors import ErrorCode, HomeroomError
from core.ids import RoomId, UserId
from rooms.ports import Appended
from rooms.types import Draft, Message, Receipt
from storage.sqlite.message_rows import message_of
from storage.sqlite.statements import statements

SQL: Final = statements("append")
_GET_BY_CLIENT: Final = statements("messages")["get_by_client"]


class Found(NamedTuple):
    """What the store knows before a draft: its room, its sender's watermark, and the seq of its original."""

    last_seq: int
    rev: int
    read_seq: int | None
    original_seq: int | None


@dataclass(slots=True)
class Numbering:
    """Gives drafts their seq and rev, in order, each on top of those before it. Pure."""

    rooms: dict[RoomId, tuple[int, int, int]] = field(default_factory=dict)
    """last_seq, rev and last activity of every room that grew."""
    senders: dict[tuple[RoomId, UserId], int] = field(default_factory=dict)
    """The watermark of every member who sent."""
    messages: dict[tuple[RoomId, UserId, str], Message] = field(default_factory=dict)
    """The new messages, in order."""

    def add(self, draft: Draft, found: Found) -> Appended:
        """Return the new message, or its original if that is among the new ones."""
        key = (draft.room_id, draft.sender_id, draft.client_id)
        if key in self.messages:
            return Appended(self.messages[key], created=False)
        last_seq, rev, _ = self.rooms.get(draft.room_id, (found.last_seq, found.rev, 0))
        message = self.messages[key] = _numbered(draft, last_seq + 1, rev + 1)
        self.rooms[draft.room_id] = (message.seq, message.rev, to_ms(draft.created_at))
        return Appended(message, created=True, caught_up=self._catch_up(message, found))

    def _catch_up(self, message: Message, found: Found) -> Receipt | None:
        if found.read_seq is None:
            return None
        place = (message.room_id, message.sender_id)
        read_seq = self.senders.get(place, found.read_seq)
        self.senders[place] = message.seq
        return Receipt(*place, message.seq, message.seq) if read_seq < message.seq - 1 else None


def append(connection: sqlite3.Connection, drafts: Sequence[Draft]) -> Sequence[Appended | HomeroomError]:
    """Store drafts in order; see MessageStore.append."""
    found = _look_up(connection, drafts)
    numbering = Numbering()
    outcomes = [_outcome(connection, draft, found.get(place), numbering) for place, draft in enumerate(drafts)]
    if numbering.messages:
        _store(connection, numbering)
    return outcomes


def _look_up(connection: sqlite3.Connection, drafts: Sequence[Draft]) -> dict[int, Found]:
    """Return what is known, by the place of the draft; nothing where there is no such room."""
    rows = [(place, draft.room_id, draft.sender_id, draft.client_id) for place, draft in enumerate(drafts)]
    (known,) = connection.execute(*SQL["lookup"].bind_rows(rows)).fetchone()
    return {place: Found(*rest) for place, *rest in orjson.loads(known)}


def _outcome(
    connection: sqlite3.Connection, draft: Draft, found: Found | None, numbering: Numbering
) -> Appended | HomeroomError:
    if found is None:
        return HomeroomError(ErrorCode.ROOM_NOT_FOUND)
    if found.original_seq is None:
        return numbering.add(draft, found)
    key = {"room_id": draft.room_id, "sender_id": draft.sender_id, "client_id": draft.client_id}
    return Appended(message_of(connection.execute(*_GET_BY_CLIENT.bind(key)).fetchone()), created=False)


def _store(connection: sqlite3.Connection, numbering: Numbering) -> None:
    rooms = [(room_id, *numbers) for room_id, numbers in numbering.rooms.items()]
    senders = [(*place, seq) for place, seq in numbering.senders.items()]
    connection.execute(*SQL["insert"].bind_rows([_row(message) for message in numbering.messages.values()]))
    connection.execute(*SQL["advance_rooms"].bind_rows(rooms))
    if senders:
        connection.execute(*SQL["advance_senders"].bind_rows(senders))


def _row(message: Message) -> tuple[Any, ...]:
    return (
        message.room_id,
        message.seq,
        message.rev,
        message.id,
        message.sender_id,
        message.client_id,
        message.kind.value,
        message.body,
        to_ms(message.created_at),
        message.reply_to,
        orjson.dumps(message.mentions).decode(),
    )


def _numbered(draft: Draft, seq: int, rev: int) -> Message:
    return Message(
        draft.id,
        draft.room_id,
        seq,
        rev,
        draft.sender_id,
        draft.client_id,
        draft.kind,
        draft.body,
        draft.created_at,
        draft.reply_to,
        tuple(draft.mentions),
    )
