"""The engine in the test's own loop, behind its own door, with the test as its application."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from core.tasks import Background
from realtime.engine.door import Door
from realtime.engine.frames import event_frame, packet_frames
from realtime.engine.options import DoorRules, EngineOptions
from realtime.engine.origins import Origins
from realtime.engine.packets import EVENT
from realtime.engine.ports import Link
from realtime.engine.server import SocketServer
from realtime.listening import listen
from tests.support.rawsocket import PATIENCE_S

Handler = Callable[[str, list[object]], Awaitable[None]]


class Stage:
    """An `Edge` that admits everybody and keeps note. What is emitted is emitted to everybody."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.heard: list[list[object]] = []
        self.ends: list[str] = []
        self.handle: Handler | None = None
        self._news = asyncio.Condition()

    def emit(self, number: int) -> None:
        """Send `tick` with a number."""
        for link in self.links.values():
            link.push(event_frame("tick", str(number).encode()))

    def emit_bytes(self, data: bytes) -> None:
        """Send `bytes` with bytes."""
        for frame in packet_frames(EVENT, ["bytes", data]):
            for link in self.links.values():
                link.push(frame)

    async def until(self, fits: Callable[[], bool]) -> None:
        """Wait until something that happens makes `fits` true."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(fits), PATIENCE_S)

    async def accept(self, sid: str, namespace: str, auth: object, headers: Mapping[str, str], link: Link) -> None:
        """Admit."""
        self.links[sid] = link

    async def opened(self, sid: str) -> None:
        """Say hello."""
        self.links[sid].push(event_frame("hello", b"{}"))

    async def received(self, sid: str, event: object, args: list[Any], ack_id: int | None, size: int) -> None:
        """Keep note, and do what the test wants done."""
        if self.handle is not None:
            await self.handle(sid, [event, *args])
        self.heard.append([event, *args])
        await self._tell()

    async def closed(self, sid: str, reason: str) -> None:
        """Keep note."""
        del self.links[sid]
        self.ends.append(reason)
        await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


@asynccontextmanager
async def staging(stage: Stage, **options: Any) -> AsyncIterator[int]:
    """Run an engine for the length of a block; gives the port. No failure of its own may be left at the end."""
    failures: list[BaseException] = []
    background = Background(failures.append)
    sockets = SocketServer(
        stage,
        EngineOptions(**{"ping_interval_s": 120.0, "ping_timeout_s": 60.0, "origins": Origins(("*",)), **options}),
        namespaces=frozenset({"/"}),
        registry=CollectorRegistry(),
        background=background,
    )
    app = web.Application()
    sockets.add_routes(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    door = Door(sockets, path="/socket.io/", rules=DoorRules())
    door.http = runner.server
    listening = await listen(door, "127.0.0.1", 0)
    try:
        yield listening.port
    finally:
        listening.close()
        await sockets.close()
        await runner.cleanup()
        door.close()
        await background.close()
    assert [] == failures
    assert {} == stage.links
