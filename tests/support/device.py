"""A small client that keeps a Replica, over a real websocket or straight into the edge of a built server.

Frames are taken in the order in which they come. A test can make it miss events, or cut it off.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

import aiohttp
import orjson

from core.errors import HomeroomError
from realtime.app import App
from realtime.engine.frames import Frame
from tests.support.fakes import read_ack, read_event
from tests.support.replica import Json, Replica

PATIENCE_S = 20.0
EXPECTED_REFUSALS = {"message.not_found", "message.forbidden"}
"""What becomes of a change to a message that somebody else deleted, or wrote."""

Take = Callable[[str], None]


class Wire(Protocol):
    """A way to the server and back."""

    async def open(self, token: str, take: Take) -> None:
        """Connect; from now on `take` gets every frame, in order."""
        ...

    def send(self, event: str, payload: Any, ack_id: int) -> None:
        """Send an event, after those before it."""
        ...

    async def cut(self) -> None:
        """End the connection without a word, and let the server notice."""
        ...


class InProcess:
    """Straight into the edge. Like the engine it hands over one event after the other."""

    _numbers = count(1)

    def __init__(self, app: App) -> None:
        self._edge = app.edge
        self._sid = f"device-{next(self._numbers)}"
        self._sent: asyncio.Queue[tuple[str, Any, int] | None] = asyncio.Queue()
        self._ended = False
        self._take: Take | None = None
        self._work: asyncio.Task[None] | None = None

    async def open(self, token: str, take: Take) -> None:
        self._take = take
        await self._edge.accept(self._sid, "/", {"token": token}, {}, self)
        await self._edge.opened(self._sid)
        self._work = asyncio.ensure_future(self._run())

    def send(self, event: str, payload: Any, ack_id: int) -> None:
        self._sent.put_nowait((event, payload, ack_id))

    async def cut(self) -> None:
        self._take = None
        await self._edge.closed(self._sid, "transport close")
        if self._work is not None:  # what is being handled is finished, what waits is lost
            self._ended = True
            self._sent.put_nowait(None)
            await self._work

    def push(self, frame: Frame) -> None:
        """Take a frame of the server's: this is its link, too."""
        if self._take is not None:
            self._take(frame.data.decode())

    def close(self, reason: str) -> None:
        raise AssertionError(f"the server closed the connection: {reason}")

    async def _run(self) -> None:
        while (sent := await self._sent.get()) is not None and not self._ended:
            event, payload, ack_id = sent
            await self._edge.received(self._sid, event, [payload], ack_id, len(orjson.dumps(payload)))


class OverWebSocket:
    """Socket.IO over a websocket, spoken by hand so that nothing is reordered."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._http = aiohttp.ClientSession()
        self._out: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, token: str, take: Take) -> None:
        self._socket = await self._http.ws_connect(self._url)
        await self._socket.receive_str()
        await self._socket.send_str("40" + orjson.dumps({"token": token}).decode())
        answer = await self._socket.receive_str()
        if not answer.startswith("40"):
            raise HomeroomError(orjson.loads(answer[2:])["data"]["code"])
        self._tasks = [asyncio.ensure_future(self._read(take)), asyncio.ensure_future(self._write())]

    def send(self, event: str, payload: Any, ack_id: int) -> None:
        self._out.put_nowait(f"42{ack_id}" + orjson.dumps([event, payload]).decode())

    async def cut(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        response = self._socket._response
        if response.connection is not None and response.connection.transport is not None:
            response.connection.transport.abort()
        response.close()
        await self._http.close()

    async def _read(self, take: Take) -> None:
        async for message in self._socket:
            if message.data == "2":
                self._out.put_nowait("3")
            else:
                take(message.data)

    async def _write(self) -> None:
        while True:
            await self._socket.send_str(await self._out.get())


class Device:
    """Someone in one room, with a copy of it."""

    def __init__(self, user_id: str, room_id: str, token: str, wire: Callable[[], Wire]) -> None:
        self.user_id = user_id
        self.room_id = room_id
        self.replica = Replica()
        self.live = False
        self.syncs = 0
        self.resets = 0
        self.failures: list[str] = []
        self._token = token
        self._new_wire = wire
        self._wire: Wire | None = None
        self._numbers = count(1)
        self._waiting: dict[int, Callable[[Json], None]] = {}
        self._unsent: dict[str, Json] = {}
        self._generation = 0
        self._left = 0
        self._deaf = 0
        self._lost = 0
        self._made_up_for = 0
        self._news = asyncio.Event()

    # ── what a person does ──

    async def connect(self) -> None:
        """Connect, catch up with the room, and send again what was never acknowledged."""
        if self._wire is not None:
            return
        wire, generation = self._new_wire(), next(self._numbers)
        self._wire, self._generation = wire, generation
        await wire.open(self._token, lambda text: self._take(generation, text))
        self.join()
        for payload in list(self._unsent.values()):
            self._request("message:send", payload, self._sent)

    async def cut(self) -> None:
        """Lose the connection, with whatever is on its way."""
        if self._wire is not None:
            wire, self._wire, self.live = self._wire, None, False
            self._generation = next(self._numbers)
            self._waiting.clear()
            self._news.set()
            await wire.cut()

    def miss(self, events: int) -> None:
        """Lose the next events, and hear the ones after them."""
        self._deaf += events

    def join(self) -> None:
        """Become live in the room and catch up."""
        since = {} if self.replica.rev is None else {"since_rev": self.replica.rev}
        self._catch_up("room:join", since)

    def sync(self) -> None:
        """Catch up."""
        if self.replica.rev is not None:
            self._catch_up("room:sync", {"since_rev": self.replica.rev})

    def leave(self) -> None:
        """Stop hearing of the room; forget nothing."""
        self.live = False
        self._left += 1
        self._request("room:leave", {"room_id": self.room_id}, lambda _: None)

    def send(self, body: str) -> None:
        """Say something; it is sent again after a reconnect until it is acknowledged."""
        payload = {"room_id": self.room_id, "client_id": f"{self.user_id}-{next(self._numbers)}", "body": body}
        self._unsent[payload["client_id"]] = payload
        self._request("message:send", payload, self._sent)

    def change(self, event: str, number: int, **more: Any) -> None:
        """Edit, delete or react to one of the messages that are known."""
        known = sorted(self.replica.messages.values(), key=lambda message: int(message["seq"]))
        if known:
            message_id = known[number % len(known)]["id"]
            self._request(event, {"message_id": message_id, **more}, self._changed)

    def mark(self, number: int) -> None:
        """Say how far one has read."""
        self._request("receipt:mark", {"room_id": self.room_id, "read_seq": number}, lambda _: None)

    # ── what a test waits for ──

    async def until(self, there: Callable[[], bool]) -> None:
        """Wait until something is so; look again whenever anything arrives."""
        async with asyncio.timeout(PATIENCE_S):
            while not there():
                self._news.clear()
                await self._news.wait()

    async def idle(self) -> None:
        """Wait until everything asked is answered."""
        await self.until(lambda: not self._waiting)

    async def ask(self, event: str, payload: Json) -> Json:
        """Send an event and wait; return the data of its ack, which must be ok."""
        answer: list[Json] = []
        self._request(event, payload, answer.append)
        await self.until(lambda: bool(answer))
        assert answer[0]["ok"], answer[0]
        data: Json = answer[0]["data"]
        return data

    async def level(self) -> bool:
        """Hear everything that the server has sent so far; catch up if something was missed. False if so."""
        self._deaf = 0
        if self._wire is None:
            await self.connect()
        elif not self.live:
            self.join()
        elif self._lost > self._made_up_for or self.replica.behind:
            self.sync()
        else:
            await self.ask("presence:unwatch", {"user_ids": []})
            return not self.replica.behind
        await self.idle()
        return False

    # ── the rule ──

    def _catch_up(self, event: str, since: Json) -> None:
        self.syncs += 1
        times_left, lost = self._left, self._lost

        def take(envelope: Json) -> None:
            self._check(envelope["ok"], f"refused: {envelope}")
            self._check(envelope["data"]["rev"] >= (self.replica.rev or 0), "the answer is older than what was heard")
            self.live |= event == "room:join" and times_left == self._left
            self.resets += envelope["data"]["reset"]
            self.replica.load(envelope["data"])
            self._made_up_for = lost

        self._request(event, {"room_id": self.room_id, **since}, take)

    def _sent(self, envelope: Json) -> None:
        if envelope["ok"]:
            self._unsent.pop(envelope["data"]["message"]["client_id"], None)
        self._changed(envelope)

    def _changed(self, envelope: Json) -> None:
        if envelope["ok"]:
            self._learn(lambda: self.replica.message(envelope["data"]["message"]))
        else:
            self._check(envelope["error"]["code"] in EXPECTED_REFUSALS, f"refused: {envelope}")

    def _request(self, event: str, payload: Json, on_ack: Callable[[Json], None]) -> None:
        if self._wire is not None:
            ack_id = next(self._numbers)
            self._waiting[ack_id] = on_ack
            self._wire.send(event, payload, ack_id)

    def _take(self, generation: int, text: str) -> None:
        if generation != self._generation:
            return
        if (event := read_event(text)) is not None:
            self._hear(*event)
        elif (ack := read_ack(text)) is not None:
            ack_id, envelope = ack
            self._waiting.pop(ack_id)(envelope)
        self._news.set()

    def _hear(self, name: str, payload: Json) -> None:
        if self._deaf and name != "ready":
            self._deaf -= 1
            self._lost += 1
            return
        self._learn(lambda: self.replica.event(name, payload))

    def _learn(self, change: Callable[[], None]) -> None:
        was_behind = self.replica.behind
        change()
        if self.replica.behind and not was_behind:
            self._check(self._lost > self._made_up_for or not self.live, "the server left out a change")
            self.sync()

    def _check(self, holds: bool, promise: str) -> None:
        if not holds:
            self.failures.append(f"{self.user_id}: {promise}")
