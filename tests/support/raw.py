"""A bare Engine.IO websocket: sends what no honest client would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

PATIENCE_S = 10.0


class Raw:
    """Frames in, frames out. Pings are answered."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.close_code: int | None = None
        self._next_ack = 0

    async def text(self) -> str | None:
        """Return the next text frame that is no ping, or None when the server has closed."""
        while True:
            message = await asyncio.wait_for(self.websocket.receive(), PATIENCE_S)
            if message.type is aiohttp.WSMsgType.CLOSE:
                self.close_code = message.data
            if message.type is not aiohttp.WSMsgType.TEXT:
                return None
            if message.data != "2":
                return str(message.data)
            await self.websocket.send_str("3")

    async def send(self, frame: str | bytes) -> None:
        """Send one frame as it is."""
        if isinstance(frame, bytes):
            await self.websocket.send_bytes(frame)
        else:
            await self.websocket.send_str(frame)

    async def sign_in(self, token: str) -> None:
        """Connect to `/` and wait for `ready`."""
        await self.send("40" + orjson.dumps({"token": token}).decode())
        while not (await self.text() or "closed").startswith('42["ready"'):
            pass

    async def ack(self, arguments: str) -> Any:
        """Send an event as the JSON text of its array; return the ack, or None if the server closed."""
        self._next_ack += 1
        await self.send(f"42{self._next_ack}{arguments}")
        return await self.answer(self._next_ack)

    async def answer(self, ack_id: int) -> Any:
        """Return the ack of an event, or None if the server closed."""
        prefix = f"43{ack_id}["
        while (frame := await self.text()) is not None:
            if frame.startswith(prefix):
                return orjson.loads(frame[len(prefix) - 1 :])[0]
        return None

    async def closed(self) -> bool:
        """Wait for the server to close; return True."""
        while await self.text() is not None:
            pass
        return True


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[Raw]:
    """Open a bare websocket, past the Engine.IO handshake."""
    target = f"{url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as session, session.ws_connect(target, max_msg_size=0) as websocket:
        connection = Raw(websocket)
        opened = await connection.text()
        assert (opened or "").startswith("0{")
        yield connection
