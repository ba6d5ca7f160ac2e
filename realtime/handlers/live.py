"""Becoming live in a room without a hole and without a leak, shared by every way to join."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.ids import RoomId
from realtime.connection import Connection
from realtime.hub import Hub, compat_topic, room_topic
from realtime.roster import Roster

T = TypeVar("T")


async def joining(hub: Hub, connection: Connection, room_id: RoomId, read: Callable[[], Awaitable[T]]) -> T:
    """Subscribe, hold, then read: what comes in between waits for `release`, what is refused is dropped."""
    topic = room_topic(room_id)
    was_live = topic in connection.topics
    connection.hold(topic)
    hub.subscribe(connection, topic)
    try:
        return await read()
    except BaseException:
        if was_live or topic in connection.granted:
            connection.release(topic, -1)
        else:
            hub.unsubscribe(connection, topic)
        raise


async def syncing(connection: Connection, room_id: RoomId, read: Callable[[], Awaitable[T]]) -> T:
    """Hold a room's changes back while its snapshot is read; `release` afterwards."""
    topic = room_topic(room_id)
    if topic not in connection.topics:
        return await read()
    connection.hold(topic)
    try:
        return await read()
    except BaseException:
        connection.release(topic, -1)
        raise


def leave(hub: Hub, roster: Roster, connection: Connection, room_id: RoomId) -> None:
    """End live delivery of a room to a connection."""
    hub.unsubscribe(connection, room_topic(room_id))
    hub.unsubscribe(connection, compat_topic(room_id))
    roster.left(connection, room_id)
