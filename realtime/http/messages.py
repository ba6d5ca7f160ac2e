"""Messages."""

from core.ids import MessageId, UserId
from realtime.contract.encode import message_json
from realtime.http.models import HistoryQuery, MessagePost
from realtime.http.route import Call, Json
from rooms.messages import Outgoing
from rooms.types import MessageKind


async def history(call: Call[HistoryQuery, None]) -> Json:
    """Return a page of messages in ascending seq."""
    query = call.query
    found, has_more = await call.services.messages.history(
        call.principal, call.room_id, before_seq=query.before_seq, after_seq=query.after_seq, limit=query.limit
    )
    return {"messages": [message_json(message) for message in found], "has_more": has_more}


async def send(call: Call[None, MessagePost]) -> Json:
    """Store a message and tell the room."""
    body = call.body
    outgoing = Outgoing(
        room_id=call.room_id,
        client_id=body.client_id or call.idempotency_key or call.services.new_id(),
        body=body.body,
        kind=MessageKind(body.kind),
        reply_to=MessageId(body.reply_to) if body.reply_to else None,
        attachments=body.attachments,
        mentions=[UserId(user_id) for user_id in body.mentions],
    )
    return {"message": message_json(await call.services.messages.send(call.principal, outgoing))}
