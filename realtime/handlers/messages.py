"""Message events."""

from collections.abc import Mapping

from core.ids import MessageId, RoomId, UserId
from realtime.connection import Connection
from realtime.contract.encode import message_json
from realtime.contract.messages import (
    MessageContent,
    MessageDelete,
    MessageEdit,
    MessageHistory,
    MessageReact,
    MessageSend,
)
from realtime.dispatch import Handler, Reply
from realtime.services import Services
from rooms.messages import Outgoing
from rooms.types import Message, MessageKind


def outgoing_of(payload: MessageContent, room_id: RoomId, client_id: str) -> Outgoing:
    """Return what the domain is asked to send."""
    return Outgoing(
        room_id=room_id,
        client_id=client_id,
        body=payload.body,
        kind=MessageKind(payload.kind),
        reply_to=MessageId(payload.reply_to) if payload.reply_to else None,
        attachments=payload.attachments,
        mentions=[UserId(user_id) for user_id in payload.mentions],
    )


def handlers(services: Services) -> Mapping[str, Handler]:
    """Return the handlers of `message:*`."""
    messages = services.messages

    async def send(connection: Connection, payload: MessageSend) -> Reply:
        outgoing = outgoing_of(payload, RoomId(payload.room_id), payload.client_id)
        return _reply(await messages.send(connection.principal, outgoing))

    async def edit(connection: Connection, payload: MessageEdit) -> Reply:
        return _reply(await messages.edit(connection.principal, MessageId(payload.message_id), payload.body))

    async def delete(connection: Connection, payload: MessageDelete) -> Reply:
        return _reply(await messages.delete(connection.principal, MessageId(payload.message_id)))

    async def react(connection: Connection, payload: MessageReact) -> Reply:
        message_id = MessageId(payload.message_id)
        return _reply(await messages.react(connection.principal, message_id, payload.emoji, on=payload.on))

    async def history(connection: Connection, payload: MessageHistory) -> Reply:
        found, has_more = await messages.history(
            connection.principal,
            RoomId(payload.room_id),
            before_seq=payload.before_seq,
            after_seq=payload.after_seq,
            limit=payload.limit,
        )
        return Reply({"messages": [message_json(message) for message in found], "has_more": has_more})

    return {
        "message:send": send,
        "message:edit": edit,
        "message:delete": delete,
        "message:react": react,
        "message:history": history,
    }


def _reply(message: Message) -> Reply:
    return Reply({"message": message_json(message)})
