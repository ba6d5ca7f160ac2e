"""A built server without a network: people reach the edge by links that a test holds in its hands."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from core.ids import ConnectionId
from realtime.app import App
from realtime.connection import Connection
from realtime.lifecycle import open_app
from tests.support.fakes import RecordingLink
from tests.support.server import HOUR, settings_for, user

Json = dict[str, Any]
PATIENCE_S = 10.0
SECRET = "a secret of at least thirty-two bytes"


@asynccontextmanager
async def opened(data_dir: Path, limits: Json | None = None, **values: Any) -> AsyncIterator[App]:
    """Build a server on an empty store for the length of a block."""
    app = await open_app(settings_for(data_dir, limits, jwt_secret=SECRET, **values))
    try:
        yield app
    finally:
        await app.close()


class Seat:
    """Someone's connection to the edge, from the first packet on."""

    _numbers = count(1)

    def __init__(self, app: App, user_id: str, role: str = "student") -> None:
        self.app = app
        self.user_id = user_id
        self.role = role
        self.sid = f"sid-{next(self._numbers)}"
        self.link = RecordingLink()
        self._acks = count(1)

    @property
    def connection(self) -> Connection:
        """The connection as the hub knows it."""
        return self.app.hub.connections[ConnectionId(self.sid)]

    async def accept(self, namespace: str = "/", token: str | None = None) -> None:
        """Be admitted. Raises HomeroomError."""
        if token is None:
            token, _ = self.app.minter.mint(user(self.user_id, self.role), HOUR)
        await self.app.edge.accept(self.sid, namespace, {"token": token}, {}, self.link)

    async def sit(self) -> "Seat":
        """Be admitted and go live."""
        await self.accept()
        await self.app.edge.opened(self.sid)
        return self

    async def call(self, event: str, payload: object) -> Json:
        """Send an event; return the envelope of its ack."""
        ack_id = next(self._acks)
        size = len(orjson.dumps(payload))
        await self.app.edge.received(self.sid, event, [payload], ack_id, size)
        envelope: Json = self.link.acks()[ack_id]
        return envelope

    async def ok(self, event: str, payload: object) -> Json:
        """Send an event; return the data of its ack, which must be ok."""
        envelope = await self.call(event, payload)
        assert envelope["ok"], envelope
        data: Json = envelope["data"]
        return data

    async def leave(self, reason: str = "transport close") -> None:
        """Be gone."""
        await self.app.edge.closed(self.sid, reason)

    async def until(self, there: Callable[[], bool]) -> None:
        """Wait until something is so; look again whenever a frame arrives."""
        async with asyncio.timeout(PATIENCE_S):
            while not there():
                self.link.news.clear()
                await self.link.news.wait()

    def seen(self, event: str) -> list[Any]:
        """Return the payloads of an event so far."""
        return [payload for name, payload in self.link.events() if name == event]
