"""The websocket transport on aiohttp, as engineio drives it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

CLOSING_HANDSHAKE_S = 1.0
"""How long a client has to answer a close frame."""


class WebSocket:
    """One websocket.

    Compression is off: a compressed connection costs tens of kilobytes and cannot share frames.
    """

    def __init__(self, handler: Callable[["WebSocket"], Awaitable[None]], server: Any) -> None:
        self._handler = handler
        self._response = web.WebSocketResponse(
            timeout=CLOSING_HANDSHAKE_S, compress=False, max_msg_size=server.max_http_buffer_size
        )
        self._request: web.Request | None = None

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """Answer the upgrade request, and run until the websocket ends."""
        self._request = environ["aiohttp.request"]
        await self._response.prepare(self._request)
        await self._handler(self)
        return self._response

    def abort(self) -> None:
        """Drop the TCP connection without a word: the peer does not read."""
        if self._request is not None and self._request.transport is not None:
            self._request.transport.abort()

    async def wait(self) -> str | bytes:
        """Return the next message. Raises OSError when there is none to come."""
        message = await self._response.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise OSError("the websocket ended")
        data: str | bytes = message.data
        return data

    async def send(self, message: str | bytes) -> None:
        """Send one message; waits while the peer's window is full."""
        if isinstance(message, bytes):
            await self._response.send_bytes(message)
        else:
            await self._response.send_str(message)

    async def close(self) -> None:
        """Close with the closing handshake."""
        await self._response.close()
