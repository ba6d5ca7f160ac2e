"""A door with something behind it, and callers who write raw bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from realtime.engine.answers import Refusal
from realtime.engine.door import Door, client_of, visit_of
from realtime.engine.head import Head
from realtime.engine.options import DoorRules

HOST = "Host: chat.school.example"
_PATIENCE_S = 20.0
_GONE = (OSError, RuntimeError)
"""What either event loop raises to a client whose connection the server has closed."""

BIG = b"x" * 16_000_000


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([f"{line} HTTP/1.1", HOST, *headers, *length, "", ""]).encode() + body


def handshake(*headers: str) -> bytes:
    """Return the bytes of a websocket's handshake."""
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    asked = ("Upgrade: websocket", "Connection: keep-alive, Upgrade", key, "Sec-WebSocket-Version: 13")
    return request("GET /socket.io/?EIO=4&transport=websocket", *asked, *headers)


@dataclass
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of a problem document."""
        assert self.headers["content-type"] == "application/problem+json"
        document = orjson.loads(self.body)
        assert document["status"] == self.status
        return str(document["code"])


class Caller:
    """One TCP connection, from the client's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Write bytes as a piece of their own; that nobody reads them any more is no error."""
        await _turns()  # until the server has done with what it answered last
        with suppress(*_GONE):
            self._writer.write(data)
            await self._writer.drain()
        await _turns()  # until it has read this

    async def answer(self) -> Answer:
        """Read one response."""
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}
        length = 0 if lines[0].split()[1] == "101" else int(headers["content-length"])
        return Answer(int(lines[0].split()[1]), headers, await self._reader.readexactly(length))

    async def ask(self, data: bytes) -> Answer:
        """Send a request and read its answer."""
        await self.send(data)
        return await self.answer()

    async def line(self) -> bytes:
        """Read what ends with a line feed."""
        return await self._reader.readuntil(b"\n")

    async def rest(self) -> bytes:
        """Read until the server closes."""
        with suppress(*_GONE):
            return await self._reader.read()
        return b""

    def end_writing(self) -> None:
        """Send nothing more, but read on."""
        with suppress(*_GONE):
            self._writer.write_eof()

    async def leave(self) -> None:
        """Close the connection."""
        with suppress(*_GONE):
            self._writer.close()
            await self._writer.wait_closed()


class Echo(asyncio.Protocol):
    """What stands for a websocket: says who called, then sends back what it hears."""

    def __init__(self, transport: asyncio.Transport, closed: Callable[[], None]) -> None:
        self._transport = transport
        self._closed = closed

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self._transport.write(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Say so."""
        self._closed()


class Hall:
    """A server: a door, `Echo` for websockets and a small application for the rest."""

    def __init__(self, rules: DoorRules) -> None:
        self.door = Door(self, path="/socket.io/", rules=rules)
        self.port = 0
        self.plain: Callable[[], int] = int
        """How many connections aiohttp knows of."""
        self.released = asyncio.Event()
        self.lost = asyncio.Event()
        self.asked = asyncio.Event()
        self.request: web.Request | None = None
        self.refusal: Refusal | None = None
        self._callers: list[Caller] = []

    def take(
        self, head: Head, address: str, transport: asyncio.Transport, rest: bytes, closed: Callable[[], None]
    ) -> Refusal | None:
        """Take every websocket, unless there is a refusal."""
        if self.refusal is None:
            echo = Echo(transport, closed)
            transport.set_protocol(echo)
            transport.write(f"HTTP/1.1 101 Switching Protocols\r\nX-Client: {address}\r\n\r\n".encode())
            if rest:
                echo.data_received(rest)
        return self.refusal

    async def call(self, local: str = "127.0.0.1") -> Caller:
        """Connect, from an address of this machine."""
        self._callers.append(Caller(*await asyncio.open_connection("127.0.0.1", self.port, local_addr=(local, 0))))
        return self._callers[-1]

    async def empty(self) -> None:
        """Have all callers leave."""
        for caller in self._callers:
            await caller.leave()

    async def emptied(self) -> bool:
        """Have all callers leave, and wait until the server knows; return True."""
        await self.empty()
        await until(lambda: not self.door.visits)
        return True

    def application(self) -> web.Application:
        """Return what answers plain requests."""
        app = web.Application(client_max_size=2**20)
        app.router.add_get("/client", self._client)
        app.router.add_get("/socket.io/", self._client)
        app.router.add_get("/socket.io/more", self._client)
        app.router.add_get("/slow", self._slow)
        app.router.add_get("/wait", self._wait)
        app.router.add_get("/big", self._big)
        app.router.add_post("/echo", self._echo)
        app.router.add_post("/unread", self._unread)
        return app

    async def _client(self, request: web.Request) -> web.Response:
        return web.Response(text=client_of(request))

    async def _slow(self, request: web.Request) -> web.Response:
        self.asked.set()
        await self.released.wait()
        return web.Response(text="slow")

    async def _wait(self, request: web.Request) -> web.Response:
        visit = visit_of(request)
        assert visit is not None
        visit.on_lost = self.lost.set
        self.asked.set()
        await self.lost.wait()
        return web.Response()

    async def _big(self, request: web.Request) -> web.Response:
        self.request = request
        return web.Response(body=BIG)

    async def _echo(self, request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def _unread(self, request: web.Request) -> web.Response:
        return web.Response(status=403)


@asynccontextmanager
async def serving(rules: DoorRules | None = None, *, keepalive_timeout: float = 60) -> AsyncIterator[Hall]:
    """Run a hall. At the end nobody is left inside, and the event loop has seen no exception."""
    loop = asyncio.get_running_loop()
    problems: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: problems.append(context))
    async with AsyncExitStack() as stack:
        hall = Hall(rules or DoorRules())
        runner = web.AppRunner(hall.application(), access_log=None, keepalive_timeout=keepalive_timeout)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        stack.callback(hall.door.close)
        server = runner.server
        assert server is not None
        hall.door.http, hall.plain = server, lambda: len(server.connections)
        listener = await loop.create_server(hall.door, "127.0.0.1", 0)
        stack.callback(listener.close)
        hall.port = listener.sockets[0].getsockname()[1]
        stack.push_async_callback(hall.empty)
        yield hall
        assert await hall.emptied()
        assert set() == hall.door.waiting
    assert [] == problems


async def _turns() -> None:
    """Give the server, which runs on the same event loop, some turns."""
    for _ in range(6):
        await asyncio.sleep(0)


async def until(there: Callable[[], bool]) -> None:
    """Wait for something that nobody announces. Raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE_S):
        while not there():  # noqa: ASYNC110 - the server's counters have no events
            await asyncio.sleep(0.005)
