"""The minimal classroom contract (WIRE.md §3): its event, made from ours."""

from typing import Any

import orjson

from realtime.engine.frames import Frame, event_frame


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
