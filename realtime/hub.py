"""Who on this node is live where. Envelopes arrive here and leave as frames."""

import asyncio

from core.ids import ConnectionId, RoomId, UserId
from realtime.cluster.ports import Effect, Envelope
from realtime.compat import new_message_frame
from realtime.connection import Connection
from realtime.engine.frames import Frame, event_frame


def room_topic(room_id: RoomId) -> str:
    """Everyone live in a room."""
    return f"room:{room_id}"


def user_topic(user_id: UserId) -> str:
    """All connections of a user."""
    return f"user:{user_id}"


def watch_topic(user_id: UserId) -> str:
    """Everyone who watches a user's presence."""
    return f"watch:{user_id}"


def compat_topic(room_id: RoomId) -> str:
    """Clients of the minimal classroom contract in a room."""
    return f"compat:{room_id}"


def _room_of(topic: str) -> RoomId:
    return RoomId(topic.removeprefix("room:"))


class Hub:
    """The connections of this node by topic. Synchronous: nothing can come between two deliveries."""

    def __init__(self) -> None:
        self.connections: dict[ConnectionId, Connection] = {}
        self._topics: dict[str, dict[ConnectionId, Connection]] = {}
        self._users: dict[UserId, dict[ConnectionId, Connection]] = {}
        self.deliveries = 0
        self.empty = asyncio.Event()
        self.empty.set()

    def add(self, connection: Connection) -> None:
        """Know a connection; one of `/` is live in its user's own topic."""
        self.connections[connection.id] = connection
        self.empty.clear()
        self._users.setdefault(connection.user_id, {})[connection.id] = connection
        if connection.namespace == "/":
            self.subscribe(connection, user_topic(connection.user_id))

    def remove(self, connection: Connection) -> None:
        """Forget a connection and all its topics."""
        self.connections.pop(connection.id, None)
        for topic in list(connection.topics):
            self.unsubscribe(connection, topic)
        own = self._users.get(connection.user_id, {})
        own.pop(connection.id, None)
        if not own:
            self._users.pop(connection.user_id, None)
        if not self.connections:
            self.empty.set()

    def subscribe(self, connection: Connection, topic: str) -> None:
        """Deliver a topic to a connection. Idempotent; a connection that has ended meanwhile stays out."""
        if connection.id not in self.connections:
            return
        self._topics.setdefault(topic, {})[connection.id] = connection
        connection.topics.add(topic)

    def unsubscribe(self, connection: Connection, topic: str) -> None:
        """Stop delivering a topic. Idempotent."""
        connection.topics.discard(topic)
        connection.granted -= {topic}
        connection.forget_held(topic)
        members = self._topics.get(topic)
        if members is not None:
            members.pop(connection.id, None)
            if not members:
                del self._topics[topic]

    def of_user(self, user_id: UserId) -> list[Connection]:
        """Return the connections of a user, on any namespace."""
        return list(self._users.get(user_id, {}).values())

    def live_in(self, room_id: RoomId, user_id: UserId) -> bool:
        """Whether any connection of the user is live in the room."""
        return any(room_topic(room_id) in connection.topics for connection in self.of_user(user_id))

    def deliver(self, envelope: Envelope) -> None:
        """Send an envelope to every connection of its topics, once each."""
        effect = envelope.effect
        if effect is not None and effect.kind == "live":
            self._set_live(effect)
        self._send(envelope)
        if effect is not None and effect.kind != "live":
            self._end(effect)

    def _send(self, envelope: Envelope) -> None:
        members = self._members(envelope.topics)
        if not members:
            return
        frame = event_frame(envelope.event, envelope.data, ephemeral=envelope.ephemeral)
        topic, rev, skip = envelope.topics[0], envelope.rev, envelope.skip_user
        for connection in members:
            if skip is not None and connection.user_id == skip:
                continue
            if connection.held is None:
                connection.push(frame)
            else:
                connection.offer(topic, rev, frame)
        self.deliveries += len(members)
        if envelope.event == "message:new":
            self._send_compat(envelope)

    def _send_compat(self, envelope: Envelope) -> None:
        members = self._topics.get(compat_topic(_room_of(envelope.topics[0])))
        if members:
            frame: Frame = new_message_frame(envelope.data, envelope.extra)
            for connection in list(members.values()):
                connection.offer(envelope.topics[0], envelope.rev, frame)

    def _members(self, topics: tuple[str, ...]) -> list[Connection]:
        if len(topics) == 1:
            return list(self._topics.get(topics[0], {}).values())
        union: dict[ConnectionId, Connection] = {}
        for topic in topics:
            for connection in self._topics.get(topic, {}).values():
                if not connection.holds(topic):  # it has not joined yet: the snapshot will say it
                    union[connection.id] = connection
        return list(union.values())

    def _set_live(self, effect: Effect) -> None:
        for connection in self.of_user(effect.user_id):
            if connection.namespace == "/":
                self.subscribe(connection, effect.topic)
                connection.granted |= {effect.topic}

    def _end(self, effect: Effect) -> None:
        for connection in self.of_user(effect.user_id):
            if effect.kind == "disconnect":
                connection.link.close(effect.reason)
            else:
                if connection.excluded is not None:
                    connection.excluded |= {effect.topic}
                connection.sessions -= {_room_of(effect.topic)}
                self.unsubscribe(connection, effect.topic)
                self.unsubscribe(connection, compat_topic(_room_of(effect.topic)))
