"""The load contract on stock python-socketio, written as its documentation does it: aiohttp, `enter_room`, `emit`.

    python -m loadtest.peers.python_socketio [--port 0]

uvloop is the one thing added: without it the figures would be worse.
"""

import asyncio
from typing import Any

import socketio
from aiohttp import web

from loadtest.peers.listening import listen, run
from loadtest.peers.rooms import (
    BROADCAST_MEMBERS,
    Json,
    NoRoom,
    Rooms,
    claims_of,
    presence_of,
    ready_for,
    receipt_of,
    typing_of,
    user_of,
)

Sid = str


class School:
    """Handlers of all events; each returns the data of its ack."""

    def __init__(self, sio: Any) -> None:
        self.sio = sio
        self.rooms = Rooms()
        self.handlers = {
            "room:open": self.open_room,
            "room:join": self.join,
            "room:sync": self.sync,
            "room:leave": self.leave,
            "message:history": self.history,
            "message:send": self.send,
            "receipt:mark": self.mark,
            "typing:set": self.typing,
            "presence:set": self.set_presence,
            "presence:watch": self.watch,
            "presence:unwatch": self.unwatch,
        }
        self._user_of: dict[Sid, Json] = {}
        self._sids_of: dict[str, set[Sid]] = {}

    async def connect(self, sid: Sid, environ: Json, auth: Any) -> bool:
        claims = claims_of(auth)
        if claims is None:
            return False
        user = self._user_of[sid] = user_of(claims)
        self._sids_of.setdefault(user["id"], set()).add(sid)
        for room_id in self.rooms.live_at_once(user["id"]):
            await self.sio.enter_room(sid, room_id)
        await self.sio.emit("ready", ready_for(user, sid), to=sid)
        return True

    async def disconnect(self, sid: Sid, reason: str) -> None:
        if (user := self._user_of.pop(sid, None)) is not None:
            self._sids_of[user["id"]].discard(sid)

    async def any_event(self, event: str, sid: Sid, payload: Json) -> Json:
        """Answer an event with an envelope."""
        try:
            return {"ok": True, "data": await self.handlers[event](sid, payload)}
        except NoRoom as exc:
            return {"ok": False, "error": exc.error}
        except (KeyError, TypeError) as exc:
            return {"ok": False, "error": {"code": "request.invalid", "message": repr(exc), "retryable": False}}

    async def open_room(self, sid: Sid, payload: Json) -> Json:
        room = self.rooms.open(self._id_of(sid), payload)
        if room.live_at_once:
            for member_id in room.members:
                for member_sid in self._sids_of.get(member_id, ()):
                    await self.sio.enter_room(member_sid, room.id)
        return {"room": room.state()}

    async def join(self, sid: Sid, payload: Json) -> Json:
        room = self.rooms.get(payload["room_id"])
        await self.sio.enter_room(sid, room.id)
        room.members[self._id_of(sid)] = None
        return room.snapshot(payload.get("since_rev"))

    async def sync(self, sid: Sid, payload: Json) -> Json:
        return self.rooms.get(payload["room_id"]).snapshot(payload["since_rev"])

    async def leave(self, sid: Sid, payload: Json) -> Json:
        await self.sio.leave_room(sid, payload["room_id"])
        return {}

    async def history(self, sid: Sid, payload: Json) -> Json:
        return self.rooms.get(payload["room_id"]).history(payload)

    async def send(self, sid: Sid, payload: Json) -> Json:
        room = self.rooms.get(payload["room_id"])
        message = room.store(self._id_of(sid), payload)
        await self.sio.emit("message:new", {"message": message}, room=room.id)
        return {"message": message}

    async def mark(self, sid: Sid, payload: Json) -> Json:
        receipt = receipt_of(self._id_of(sid), payload)
        await self._tell_others(sid, payload["room_id"], "receipt:changed", {"receipt": receipt})
        return {"receipt": receipt}

    async def typing(self, sid: Sid, payload: Json) -> Json:
        await self._tell_others(sid, payload["room_id"], "typing:changed", typing_of(self._id_of(sid), payload))
        return {}

    async def set_presence(self, sid: Sid, payload: Json) -> Json:
        return {"presence": presence_of(self._id_of(sid), payload)}

    async def watch(self, sid: Sid, payload: Json) -> Json:
        return {"presence": []}

    async def unwatch(self, sid: Sid, payload: Json) -> Json:
        return {}

    async def _tell_others(self, sid: Sid, room_id: str, event: str, data: Json) -> None:
        if len(self.rooms.get(room_id).members) <= BROADCAST_MEMBERS:
            await self.sio.emit(event, data, room=room_id, skip_sid=sid)

    def _id_of(self, sid: Sid) -> str:
        user_id: str = self._user_of[sid]["id"]
        return user_id


async def serve(port: int) -> None:
    """Serve until cancelled; print the address."""
    # always_connect: `ready` is emitted by the connect handler, and must follow the CONNECT packet
    sio = socketio.AsyncServer(async_mode="aiohttp", always_connect=True)
    school = School(sio)
    sio.on("connect", school.connect)
    sio.on("disconnect", school.disconnect)
    sio.on("*", school.any_event)
    app = web.Application()
    sio.attach(app)
    await listen(app, port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    run(serve, __doc__)
