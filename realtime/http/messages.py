"""Messages."""

from realtime.contract.encode import message_json
from realtime.handlers.messages import outgoing_of
from realtime.http.models import HistoryQuery, MessagePost
from realtime.http.route import Call, Json


async def history(call: Call[HistoryQuery, None]) -> Json:
    """Return a page of messages in ascending seq."""
    query = call.query
    found, has_more = await call.services.messages.history(
        call.principal, call.room_id, before_seq=query.before_seq, after_seq=query.after_seq, limit=query.limit
    )
    return {"messages": [message_json(message) for message in found], "has_more": has_more}


async def send(call: Call[None, MessagePost]) -> Json:
    """Store a message and tell the room."""
    client_id = call.body.client_id or call.idempotency_key or call.services.new_id()
    outgoing = outgoing_of(call.body, call.room_id, client_id)
    return {"message": message_json(await call.services.messages.send(call.principal, outgoing))}
