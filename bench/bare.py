"""Homeroom's engine with nothing behind it: `python -m bench.bare`. It serves the load contract as the peers do.

No signature is verified, no policy asked, nothing stored: what is left is the engine, to be compared with an engine.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry

from core.errors import ErrorCode, HomeroomError
from core.tasks import Background
from loadtest.peers.listening import run
from loadtest.peers.rooms import (
    BROADCAST_MEMBERS,
    Json,
    NoRoom,
    Room,
    Rooms,
    claims_of,
    presence_of,
    ready_for,
    receipt_of,
    typing_of,
    user_of,
)
from realtime.app import engine_options
from realtime.config import Settings
from realtime.engine.door import Door
from realtime.engine.frames import ack_frame, event_frame
from realtime.engine.options import DoorRules
from realtime.engine.ports import Link
from realtime.engine.server import SocketServer
from realtime.listening import listen
from realtime.process import raise_open_files, settle


class Member:
    """A connection and where it is live."""

    __slots__ = ("link", "rooms", "sid", "user")

    def __init__(self, sid: str, user: Json, link: Link) -> None:
        self.sid = sid
        self.user = user
        self.link = link
        self.rooms: set[str] = set()


class BareEdge:
    """The `Edge` of a school that forgets everything."""

    def __init__(self) -> None:
        self._rooms = Rooms()
        self._members: dict[str, Member] = {}
        self._of_user: dict[str, dict[str, Member]] = {}
        self._live: dict[str, dict[str, Member]] = {}
        self._handlers: dict[str, Callable[[Member, Json], Json]] = {
            "room:open": self._open,
            "room:join": self._join,
            "room:sync": lambda _, payload: self._rooms.get(payload["room_id"]).snapshot(payload["since_rev"]),
            "room:leave": self._leave,
            "message:history": lambda _, payload: self._rooms.get(payload["room_id"]).history(payload),
            "message:send": self._send,
            "receipt:mark": self._mark,
            "typing:set": self._typing,
            "presence:set": lambda member, payload: {"presence": presence_of(member.user["id"], payload)},
            "presence:watch": lambda _, __: {"presence": []},
            "presence:unwatch": lambda _, __: {},
        }

    async def accept(self, sid: str, namespace: str, auth: object, headers: Mapping[str, str], link: Link) -> None:
        claims = claims_of(auth)
        if claims is None:
            raise HomeroomError(ErrorCode.AUTH_INVALID_TOKEN)
        self._members[sid] = Member(sid, user_of(claims), link)

    async def opened(self, sid: str) -> None:
        member = self._members[sid]
        self._of_user.setdefault(member.user["id"], {})[sid] = member
        for room_id in self._rooms.live_at_once(member.user["id"]):
            self._enter(member, room_id)
        member.link.push(event_frame("ready", orjson.dumps(ready_for(member.user, sid))))

    async def received(self, sid: str, event: object, args: list[object], ack_id: int | None, size: int) -> None:
        answer = self._answer(self._members[sid], event, args)
        if ack_id is not None:
            self._members[sid].link.push(ack_frame(ack_id, answer))

    async def closed(self, sid: str, reason: str) -> None:
        member = self._members.pop(sid)
        self._of_user.get(member.user["id"], {}).pop(sid, None)
        for room_id in member.rooms:
            self._live[room_id].pop(sid, None)

    def _answer(self, member: Member, event: object, args: list[Any]) -> Json:
        try:
            return {"ok": True, "data": self._handlers[str(event)](member, args[0])}
        except NoRoom as exc:
            return {"ok": False, "error": exc.error}
        except (KeyError, TypeError, IndexError) as exc:
            return {"ok": False, "error": {"code": "request.invalid", "message": repr(exc), "retryable": False}}

    def _open(self, member: Member, payload: Json) -> Json:
        room = self._rooms.open(member.user["id"], payload)
        if room.live_at_once:
            for user_id in room.members:
                for other in self._of_user.get(user_id, {}).values():
                    self._enter(other, room.id)
        return {"room": room.state()}

    def _join(self, member: Member, payload: Json) -> Json:
        room = self._rooms.get(payload["room_id"])
        room.members[member.user["id"]] = None
        self._enter(member, room.id)
        return room.snapshot(payload.get("since_rev"))

    def _leave(self, member: Member, payload: Json) -> Json:
        member.rooms.discard(payload["room_id"])
        self._live.get(payload["room_id"], {}).pop(member.sid, None)
        return {}

    def _send(self, member: Member, payload: Json) -> Json:
        room = self._rooms.get(payload["room_id"])
        data = {"message": room.store(member.user["id"], payload)}
        frame = event_frame("message:new", orjson.dumps(data))
        for other in self._live.get(room.id, {}).values():
            other.link.push(frame)
        return data

    def _mark(self, member: Member, payload: Json) -> Json:
        receipt = receipt_of(member.user["id"], payload)
        self._tell_others(member, self._rooms.get(payload["room_id"]), "receipt:changed", {"receipt": receipt})
        return {"receipt": receipt}

    def _typing(self, member: Member, payload: Json) -> Json:
        changed = typing_of(member.user["id"], payload)
        self._tell_others(member, self._rooms.get(payload["room_id"]), "typing:changed", changed)
        return {}

    def _tell_others(self, member: Member, room: Room, event: str, data: Json) -> None:
        if len(room.members) > BROADCAST_MEMBERS:
            return
        frame = event_frame(event, orjson.dumps(data), ephemeral=True)
        for other in self._live.get(room.id, {}).values():
            if other is not member:
                other.link.push(frame)

    def _enter(self, member: Member, room_id: str) -> None:
        self._live.setdefault(room_id, {})[member.sid] = member
        member.rooms.add(room_id)


def _failed(error: BaseException) -> None:
    logging.error("background work failed", exc_info=error)


async def serve(port: int) -> None:
    """Serve until cancelled, behind the same door and with the same options as the whole server; print the address."""
    settings = Settings()
    options = engine_options(settings)
    raise_open_files()
    sockets = SocketServer(
        BareEdge(), options, namespaces=frozenset({"/"}), registry=CollectorRegistry(), background=Background(_failed)
    )
    app = web.Application()
    sockets.add_routes(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    door = Door(sockets, path=options.path, rules=DoorRules())
    door.http = runner.server
    listening = await listen(door, "127.0.0.1", port)
    print(f"http://127.0.0.1:{listening.port}", flush=True)
    settle()
    await asyncio.Event().wait()


if __name__ == "__main__":
    run(serve, __doc__)
