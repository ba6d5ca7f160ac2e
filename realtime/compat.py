"""The minimal classroom contract (WIRE.md §3): its payloads, made from and into ours."""

from typing import Any

import orjson

from realtime.contract.compat import SendMessage
from realtime.engine.frames import Frame, event_frame


def extra_of(payload: SendMessage) -> dict[str, Any]:
    """Return the payload as the client sent it: it reaches the room unchanged."""
    return payload.model_dump(by_alias=True, exclude_none=True)


def new_message_frame(data: bytes, extra: bytes | None) -> Frame:
    """Return the `new-message` event that belongs to a `message:new` with `data`."""
    message = orjson.loads(data)["message"]
    own = {"sessionId": message["room_id"], "message": message["body"]}
    payload: dict[str, Any] = own if extra is None else orjson.loads(extra)
    payload |= {
        "id": message["id"],
        "seq": message["seq"],
        "senderId": message["sender_id"],
        "timestamp": message["created_at"],
    }
    return event_frame("new-message", orjson.dumps(payload))
