"""A server with unfriendly guests: what it holds, what it complains of, and neighbours who must not notice a thing."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Self

import orjson
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from realtime.lifecycle import Server
from realtime.observe import not_our_traceback
from rooms.types import Status
from tests.support.person import Person, connected
from tests.support.rawsocket import RawSocket, Wire, exchange, websocket
from tests.support.server import token

PATIENCE_S = 30.0
PATH = "/socket.io/"
WEBSOCKET = f"{PATH}?EIO=4&transport=websocket"
POLLING = f"{PATH}?EIO=4&transport=polling"

SETTLE = '420["presence:unwatch",{"user_ids":[]}]'
SETTLED = "430["


async def until(there: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a server holds for its clients."""

    visits: int
    sessions: int
    websockets: int
    pollers: int
    paused: int
    connections: int
    topics: int

    @classmethod
    def of(cls, server: Server) -> Self:
        """Return what it holds now."""
        app = server.app
        tally = app.sockets.tally
        return cls(
            app.door.visits,
            len(app.sockets.sessions),
            tally.websockets,
            tally.pollers,
            tally.paused,
            len(app.hub.connections),
            len(app.hub._topics),
        )


async def holds_again(server: Server, before: Standing) -> None:
    """Wait until a server holds what it held before."""
    deadline = time.monotonic() + PATIENCE_S
    while (now := Standing.of(server)) != before:
        assert time.monotonic() < deadline, f"it holds {now}, and held {before}"
        await asyncio.sleep(0.01)


async def is_offline(server: Server, *user_ids: str) -> None:
    """Wait until nobody is thought to be there any more."""
    presence = server.app.services.presence
    deadline = time.monotonic() + PATIENCE_S
    while {one.status for one in await presence.of(list(user_ids))} != {Status.OFFLINE}:  # type: ignore[arg-type]
        assert time.monotonic() < deadline, "somebody is thought to be there"
        await asyncio.sleep(0.01)


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.addFilter(not_our_traceback)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


@contextmanager
def no_complaints() -> Iterator[None]:
    """Check that for the length of a block nothing reaches the error log, ours or a library's, or the event loop."""
    loop, errors = asyncio.get_running_loop(), _Errors()
    unhandled: list[dict[str, Any]] = []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    logging.getLogger().addHandler(errors)
    try:
        with capture_logs() as lines:
            yield
    finally:
        logging.getLogger().removeHandler(errors)
        loop.set_exception_handler(before)
    assert [] == unhandled
    assert [] == errors.heard
    assert [] == [line for line in lines if line["log_level"] in {"error", "critical"} or line.get("exc_info")]


class Neighbours:
    """Two people who talk to each other, each message answered and numbered by the server."""

    def __init__(self, ben: Person, cleo: Person, room_id: str) -> None:
        self._both = (ben, cleo)
        self._room_id = room_id
        self._said = 0

    async def talk(self, rounds: int = 1) -> None:
        """Say something, each in turn."""
        for _ in range(rounds):
            for person in self._both:
                self._said += 1
                assert self._said == (await person.send(self._room_id, f"number {self._said}"))["seq"]

    async def heard_all(self) -> None:
        """Check that each has heard everything, once and in order."""
        for person in self._both:
            await person.settle()
            heard = [new["message"]["seq"] for new in person.seen("message:new")]
            assert list(range(1, self._said + 1)) == heard
            assert not person.disconnected.is_set()


@asynccontextmanager
async def neighbours(server: Server) -> AsyncIterator[Neighbours]:
    """Have Ben and Cleo talk for the length of a block; at its end each must have heard all that was said."""
    async with (
        connected(server.url, "ben", token(server, "ben")) as ben,
        connected(server.url, "cleo", token(server, "cleo"), transports=["polling"]) as cleo,
    ):
        opened = await ben.ok("room:open", {"kind": "direct", "user_id": "cleo"})
        both = Neighbours(ben, cleo, opened["room"]["id"])
        await both.talk()
        yield both
        await both.talk()
        await both.heard_all()


@asynccontextmanager
async def stranger(server: Server) -> AsyncIterator[RawSocket]:
    """A websocket past the handshakes of HTTP and Engine.IO, of nobody in particular."""
    async with websocket(server.port, WEBSOCKET) as socket:
        assert str(await socket.message()).startswith("0{")
        yield socket


@asynccontextmanager
async def guest(server: Server, user_id: str) -> AsyncIterator[RawSocket]:
    """A websocket of someone who is signed in."""
    async with stranger(server) as socket:
        await sign_in(socket, token(server, user_id))
        yield socket


async def sign_in(socket: RawSocket, access: str) -> None:
    """Connect to `/`, and wait until everything that comes with it has come."""
    await socket.send_text(connect_packet(access), SETTLE)
    while not (heard := str(await socket.message())).startswith(SETTLED):
        assert heard != "None", "the server closed"


def connect_packet(access: str) -> str:
    """Return the packet with which a client connects to `/`."""
    return f"40{orjson.dumps({'token': access}).decode()}"


async def poller(server: Server, access: str | None = None) -> str:
    """Begin a session by polling, sign in if there is a token; return its address."""
    opened = await exchange(server.port, POLLING)
    address = f"{POLLING}&sid={orjson.loads(opened.body[1:])['sid']}"
    if access is not None:
        body = f"{connect_packet(access)}\x1e{SETTLE}".encode()
        assert 200 == (await exchange(server.port, address, method="POST", body=body)).status
        while SETTLED not in (answer := await exchange(server.port, address)).text:
            assert 200 == answer.status, answer
    return address


async def drop(wire: Wire) -> None:
    """Hang up without a word, and without waiting for one."""
    wire.writer.transport.abort()
    await asyncio.sleep(0)


async def sample(server: Server, name: str, **labels: str) -> float:
    """Return a sample of `/metrics`; 0 if it is not there."""
    page = (await exchange(server.port, "/metrics")).text
    return next(
        (
            found.value
            for family in text_string_to_metric_families(page)
            for found in family.samples
            if (found.name, found.labels) == (name, labels)
        ),
        0.0,
    )
