"""A server of the load contract that does exactly the wrong things it was told to, and keeps the truth about them.

It takes any token for what it says, keeps everything in memory and knows no limits. `truth()` is what a load
tester must report of it; `committed` are the slips in the order in which they were made.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from tests.support.faulty_delivery import Delivery
from tests.support.faulty_doors import obstruct, refusal
from tests.support.faulty_http import FaultyHttp
from tests.support.faulty_plan import Committed, Obstacle, Plan, Slip
from tests.support.faulty_school import NOW, Json, School, person_of
from tests.support.faulty_wire import SEPARATOR, Connection, PollingWire, WebsocketWire

READY_LIMITS = {
    "body_chars": 8000,
    "frame_bytes": 65_536,
    "history_page": 100,
    "events_per_s": 20.0,
    "events_burst": 40,
    "messages_per_s": 5.0,
    "messages_burst": 10,
    "typing_interval_ms": 3000,
    "typing_ttl_ms": 7000,
    "connections_per_user": 10,
    "broadcast_members": 100,
    "watched_users": 200,
}


class FaultyServer:
    """The server. Everything runs on one loop, without a wait between an event and its effects."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.url = ""
        self.school = School()
        self.over = asyncio.Event()
        self.attempts = 0
        self._connections: dict[str, Connection] = {}
        self._polling: dict[str, PollingWire] = {}
        self._sids = itertools.count(1)
        self._people: dict[str, int] = {}
        self._delivery = Delivery(self.school, plan, self._live)
        self.http = FaultyHttp(plan, self.school, self.over)

    @property
    def committed(self) -> list[Committed]:
        """Every slip that was made."""
        return self._delivery.committed

    def slips(self, slip: Slip) -> list[Committed]:
        """Return every slip of one kind."""
        return [one for one in self.committed if one.slip is slip]

    def truth(self) -> dict[str, int]:
        """Return the numbers that a report must have."""
        return self.school.truth()

    def number_of(self, user_id: str) -> int:
        """Return the number that the load tester has for a person who has sent something, as their messages show it."""
        client_id = next(key[1] for key, fate in self.school.fates.items() if fate.sender_id == user_id)
        return int(client_id.split(".")[2], 36)

    def routes(self) -> list[web.RouteDef]:
        """Return where the sockets and the API are."""
        sockets = [web.get("/socket.io/", self._get), web.post("/socket.io/", self._post)]
        return [*sockets, *self.http.routes()]

    @property
    def _is_dead(self) -> bool:
        return 0 < self.plan.dies_at <= self._delivery.arrivals

    def end_all(self) -> None:
        """Close every connection, and let go of everyone who waits for an answer that never comes."""
        self.over.set()
        for connection in self._connections.values():
            connection.close()

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if (sid := request.query.get("sid")) is not None:
            return await self._poll(sid)
        self.attempts += 1
        obstacle = Obstacle.CLOSE if self._is_dead else self.plan.connects.get(self.attempts)
        if obstacle is not None and (answer := await obstruct(request, obstacle, self.over)) is not None:
            return answer
        if request.query["transport"] == "polling":
            return await self._open_polling(obstacle)
        return await self._websocket(request, obstacle)

    async def _websocket(self, request: web.Request, obstacle: Obstacle | None) -> web.StreamResponse:
        websocket = web.WebSocketResponse(compress=False, max_msg_size=0)
        await websocket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        connection = Connection(str(next(self._sids)), WebsocketWire(request.transport), self.plan)
        self._connections[connection.sid] = connection
        if obstacle is Obstacle.BAD_OPEN:
            connection.packets("garbage")
        elif obstacle is not Obstacle.NO_OPEN:
            connection.open()
        if obstacle is Obstacle.CUT_AFTER_OPEN:
            connection.close()
        async for message in websocket:
            if message.type is WSMsgType.TEXT:
                self._packet(connection, message.data, obstacle)
        self._forget(connection)
        return websocket

    async def _open_polling(self, obstacle: Obstacle | None) -> web.Response:
        wire = PollingWire()
        connection = Connection(str(next(self._sids)), wire, self.plan)
        self._connections[connection.sid] = connection
        self._polling[connection.sid] = wire
        connection.obstacle = obstacle
        connection.open()
        return web.Response(text=await wire.poll() or "")

    async def _poll(self, sid: str) -> web.Response:
        wire = self._polling.get(sid)
        packets = await wire.poll() if wire is not None else None
        return web.Response(text=packets) if packets is not None else web.Response(status=400, text="unknown sid")

    async def _post(self, request: web.Request) -> web.Response:
        connection = self._connections.get(request.query["sid"])
        if connection is None or not connection.is_open:
            return web.Response(status=400, text="unknown sid")
        for packet in (await request.text()).split(SEPARATOR):
            self._packet(connection, packet, connection.obstacle)
        return web.Response(text="ok")

    def _forget(self, connection: Connection) -> None:
        connection.close()
        self._connections.pop(connection.sid, None)

    def _live(self, room_id: str) -> Iterator[Connection]:
        """Return everyone who hears of the room."""
        return (one for one in list(self._connections.values()) if one.is_open and room_id in one.rooms)

    def _packet(self, connection: Connection, packet: str, obstacle: Obstacle | None) -> None:
        if not connection.is_open or packet == "3":
            return
        if packet.startswith("40"):
            self._sign_in(connection, packet[2:], obstacle)
        elif packet.startswith("42") and connection.user is not None:
            start = packet.index("[")
            name, payload = orjson.loads(packet[start:])
            self._event(connection, name, payload, packet[2:start])
        else:
            self._forget(connection)

    def _sign_in(self, connection: Connection, data: str, obstacle: Obstacle | None) -> None:
        if obstacle is Obstacle.NO_CONNECT:
            return
        if (refused := refusal(obstacle)) is not None:
            connection.packets("44" + orjson.dumps(refused).decode())
            return
        connection.user = user = person_of(orjson.loads(data)["token"])
        number = self._people.setdefault(user["id"], len(self._people))
        connection.is_late = bool(self.plan.delivery_delay_ms) and number % self.plan.delay_every == 0
        mine = [room for room in self.school.rooms.values() if user["id"] in room.members]
        connection.rooms = {room.id for room in mine if room.kind in {"direct", "group", "support"}}
        connection.packets("40" + orjson.dumps({"sid": f"s{connection.sid}"}).decode())
        if obstacle is not Obstacle.NO_READY:
            ready = {"user": user, "connection_id": connection.sid, "server_time": NOW}
            connection.event("ready", ready | {"limits": READY_LIMITS})

    def _event(self, connection: Connection, name: str, payload: Json, ack_id: str) -> None:
        if name == "message:send":
            self._delivery.send(connection, payload, ack_id)
            if self._is_dead:
                self.end_all()
            return
        handle = getattr(self, "_on_" + name.replace(":", "_"), None)
        if handle is None:
            error = {"code": "request.unknown_event", "message": name, "retryable": False}
            connection.ack(ack_id, {"ok": False, "error": error})
            return
        connection.ack(ack_id, {"ok": True, "data": handle(connection, payload)})

    def _on_room_open(self, connection: Connection, payload: Json) -> Json:
        room = self.school.open(connection.user_id, payload)
        for one in self._connections.values():
            if one.user is not None and one.user_id in room.members and room.kind != "session":
                one.rooms.add(room.id)
        return {"room": room.view(connection.user_id)}

    def _on_room_join(self, connection: Connection, payload: Json) -> Json:
        room = self.school.rooms[payload["room_id"]]
        user_id = connection.user_id
        if user_id not in room.members:
            room.members.append(user_id)
        connection.rooms.add(room.id)
        self._delivery.release(connection, room.id)
        since_rev = payload.get("since_rev")
        if since_rev is not None:
            self.school.shown(room, user_id, room.newer(user_id, since_rev))
        return room.snapshot(user_id, since_rev, self.plan.sync_limit)

    def _on_room_sync(self, connection: Connection, payload: Json) -> Json:
        room = self.school.rooms[payload["room_id"]]
        return room.snapshot(connection.user_id, payload["since_rev"], self.plan.sync_limit)

    def _on_room_leave(self, connection: Connection, payload: Json) -> Json:
        connection.rooms.discard(payload["room_id"])
        return {}

    def _on_room_list(self, connection: Connection, _: Json) -> Json:
        user_id = connection.user_id
        return {"rooms": [room.view(user_id) for room in self.school.rooms.values() if user_id in room.members]}

    def _on_message_history(self, connection: Connection, payload: Json) -> Json:
        room = self.school.rooms[payload["room_id"]]
        before, after = payload.get("before_seq"), payload.get("after_seq")
        return room.history(connection.user_id, before, after, payload.get("limit", 50))

    def _on_receipt_mark(self, connection: Connection, payload: Json) -> Json:
        receipt = self.school.rooms[payload["room_id"]].mark(connection.user_id, payload)
        self._tell(connection, payload["room_id"], "receipt:changed", {"receipt": receipt})
        return {"receipt": receipt}

    def _on_typing_set(self, connection: Connection, payload: Json) -> Json:
        change = {"room_id": payload["room_id"], "user_id": connection.user_id, "on": payload["on"]}
        self._tell(connection, payload["room_id"], "typing:changed", change)
        return {}

    def _on_presence_set(self, connection: Connection, payload: Json) -> Json:
        return {"presence": {"user_id": connection.user_id, "status": payload["status"]}}

    def _on_presence_watch(self, connection: Connection, payload: Json) -> Json:
        return {"presence": [{"user_id": user_id, "status": "online"} for user_id in payload["user_ids"]]}

    def _on_presence_unwatch(self, connection: Connection, payload: Json) -> Json:
        return {}

    def _tell(self, teller: Connection, room_id: str, name: str, payload: Any) -> None:
        for one in self._live(room_id):
            if one is not teller:
                one.event(name, payload)


@asynccontextmanager
async def misbehaving(plan: Plan | None = None) -> AsyncIterator[FaultyServer]:
    """Run a faulty server for the length of a block; without a plan it makes no fault."""
    server = FaultyServer(plan or Plan())
    app = web.Application()
    app.add_routes(server.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.end_all()
        await runner.cleanup()
