"""The minimal classroom socket contract (WIRE.md §3): one small adapter in front of the same domain calls."""

from collections.abc import Mapping

from core.ids import RoomId
from realtime.connection import Connection
from realtime.contract.compat import SendMessage
from realtime.contract.encode import message_json
from realtime.dispatch import Handler, Reply
from realtime.handlers.live import joining
from realtime.hub import Hub, compat_topic, room_topic
from realtime.roster import Roster
from realtime.services import Services
from rooms.messages import Outgoing
from rooms.types import Access


def handlers(services: Services, hub: Hub, roster: Roster) -> Mapping[str, Handler]:
    """Return the handlers of `join-session` and `send-message`."""

    async def join(connection: Connection, payload: str) -> Reply:
        room_id = RoomId(payload)

        async def enter() -> Access:
            return await services.rooms.join_session(connection.principal, room_id)

        access = await joining(hub, connection, room_id, enter)
        hub.subscribe(connection, compat_topic(room_id))
        roster.entered(connection, access.room)
        return Reply({}, after=lambda: connection.release(room_topic(room_id), -1))

    async def send(connection: Connection, payload: SendMessage) -> Reply:
        outgoing = Outgoing(
            room_id=RoomId(payload.session_id),
            client_id=payload.client_id or services.new_id(),
            body=payload.content or "",
            extra=payload.passed_on(),
        )
        return Reply({"message": message_json(await services.messages.send(connection.principal, outgoing))})

    return {"join-session": join, "send-message": send}
