"""What the domain tells people, encoded once and published."""

from collections.abc import Mapping, Sequence

import orjson

from core.ids import RoomId, UserId
from realtime.cluster.ports import Broker, Effect, Envelope
from realtime.contract.encode import Json, message_json, presence_json, receipt_json, room_json, view_json
from realtime.contract.registry import SERVER_EVENTS
from realtime.hub import room_topic, user_topic, watch_topic
from rooms.types import Message, Presence, Receipt, Room, RoomView


class Fanout:
    """The `rooms.ports.Events` of the product."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def message_new(self, message: Message, *, extra: bytes | None = None) -> None:
        data = {"message": message_json(message)}
        self._publish("message:new", data, room_topic(message.room_id), rev=message.rev, extra=extra)

    def message_updated(self, message: Message) -> None:
        data = {"message": message_json(message)}
        self._publish("message:updated", data, room_topic(message.room_id), rev=message.rev)

    def room_changed(self, room: Room) -> None:
        self._publish("room:changed", {"room": room_json(room)}, room_topic(room.id), rev=room.rev)

    def room_added(self, view: RoomView, user_id: UserId, *, live: bool) -> None:
        effect = Effect("live", user_id, room_topic(view.room.id)) if live else None
        self._publish("room:changed", {"room": view_json(view)}, user_topic(user_id), effect=effect)

    def room_removed(self, room_id: RoomId, user_id: UserId, reason: str) -> None:
        effect = Effect("unlive", user_id, room_topic(room_id))
        self._publish("room:removed", {"room_id": room_id, "reason": reason}, user_topic(user_id), effect=effect)

    def member_changed(self, room_id: RoomId, user_id: UserId, change: str, role: str | None = None) -> None:
        data: Json = {"room_id": room_id, "user_id": user_id, "change": change}
        if role is not None:
            data["role"] = str(role)
        self._publish("room:member_changed", data, room_topic(room_id))

    def receipt_changed(self, receipt: Receipt) -> None:
        self._publish("receipt:changed", {"receipt": receipt_json(receipt)}, room_topic(receipt.room_id))

    def typing_changed(self, room_id: RoomId, user_id: UserId, *, on: bool) -> None:
        data = {"room_id": room_id, "user_id": user_id, "on": on}
        self._publish("typing:changed", data, room_topic(room_id), skip_user=user_id)

    def presence_changed(self, presence: Presence, room_ids: Sequence[RoomId]) -> None:
        topics = [user_topic(presence.user_id), watch_topic(presence.user_id), *map(room_topic, room_ids)]
        self._publish("presence:changed", {"presence": presence_json(presence)}, *topics)

    def disconnect_user(self, user_id: UserId, reason: str) -> None:
        """Close every connection of a user, on every node."""
        effect = Effect("disconnect", user_id, reason=reason)
        self._broker.publish(Envelope((), "", b"", effect=effect))

    def _publish(
        self,
        event: str,
        data: Mapping[str, object],
        *topics: str,
        rev: int | None = None,
        skip_user: UserId | None = None,
        effect: Effect | None = None,
        extra: bytes | None = None,
    ) -> None:
        ephemeral = SERVER_EVENTS[event].ephemeral
        envelope = Envelope(topics, event, orjson.dumps(data), rev, ephemeral, skip_user, effect, extra)
        self._broker.publish(envelope)
