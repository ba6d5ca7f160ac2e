"""Who is in a live session now: `joined` and `left`, without a flap when someone reconnects."""

from functools import partial

from core.clock import Timer, Timers
from core.ids import RoomId, UserId
from realtime.connection import Connection
from realtime.hub import Hub
from rooms.ports import Events
from rooms.types import Room


class Roster:
    """Tells session rooms who comes and goes on this node.

    In a room of more than `broadcast_members` nobody is told of newcomers: a thousand people who tell a thousand
    others that they came are a million events.
    """

    def __init__(self, hub: Hub, events: Events, *, timers: Timers, grace_s: float, broadcast_members: int) -> None:
        self._hub = hub
        self._events = events
        self._timers = timers
        self._grace_s = grace_s
        self._broadcast_members = broadcast_members
        self._announced: set[tuple[RoomId, UserId]] = set()
        self._leaving: dict[tuple[RoomId, UserId], Timer] = {}

    def entered(self, connection: Connection, room: Room) -> None:
        """Note that a connection joined; `joined` is told unless the room believes the user present already.

        A connection that ended while it was joining has not come.
        """
        if connection.id not in self._hub.connections:
            return
        connection.sessions |= {room.id}
        key = (room.id, connection.user_id)
        if (pending := self._leaving.pop(key, None)) is not None:
            pending.cancel()
        if key not in self._announced and room.member_count <= self._broadcast_members:
            self._announced.add(key)
            self._events.member_changed(room.id, connection.user_id, "joined")

    def left(self, connection: Connection, room_id: RoomId) -> None:
        """Note that a connection left on purpose, after its delivery ended: told at once."""
        if room_id in connection.sessions:
            connection.sessions -= {room_id}
            self._tell_left(room_id, connection.user_id)

    def dropped(self, connection: Connection) -> None:
        """Note that a connection ended: told after the grace, if the user is not back by then."""
        for room_id in connection.sessions:
            key = (room_id, connection.user_id)
            if (pending := self._leaving.pop(key, None)) is not None:
                pending.cancel()
            self._leaving[key] = self._timers.call_later(self._grace_s, partial(self._gone, *key))

    def _gone(self, room_id: RoomId, user_id: UserId) -> None:
        self._leaving.pop((room_id, user_id), None)
        self._tell_left(room_id, user_id)

    def _tell_left(self, room_id: RoomId, user_id: UserId) -> None:
        if (room_id, user_id) in self._announced and not self._hub.live_in(room_id, user_id):
            self._announced.discard((room_id, user_id))
            self._events.member_changed(room_id, user_id, "left")
