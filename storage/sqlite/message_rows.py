"""Messages as rows."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from core.clock import from_ms
from rooms.types import Message, MessageKind

WIDTH: Final = 14


def message_of(row: Sequence[Any]) -> Message:
    """Return the message of a row, whose columns are those of the statement `get`."""
    mid, room_id, seq, rev, sender, client, kind, body, created, reply_to, mentions, reactions, edited, deleted = row
    return Message(
        mid,
        room_id,
        seq,
        rev,
        sender,
        client,
        MessageKind(kind),
        body,
        from_ms(created),
        reply_to,
        () if mentions == "[]" else tuple(orjson.loads(mentions)),
        {} if reactions == "{}" else {emoji: tuple(users) for emoji, users in orjson.loads(reactions).items()},
        None if edited is None else from_ms(edited),
        None if deleted is None else from_ms(deleted),
    )
