"""Identifiers. Ids made here are UUIDv7 (RFC 9562), so they sort by the time they were made."""

from typing import NewType, Protocol

import uuid_utils

UserId = NewType("UserId", str)
RoomId = NewType("RoomId", str)
MessageId = NewType("MessageId", str)
ConnectionId = NewType("ConnectionId", str)


class IdSource(Protocol):
    """Makes ids that are unique and, within one process, increasing."""

    def __call__(self) -> str: ...


def uuid7() -> str:
    """Return a new UUIDv7 in its 36-character text form."""
    return str(uuid_utils.uuid7())
