"""Someone whose client is connected but does not read: a raw websocket with a small window."""

import asyncio
import base64
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.person import PATIENCE_S

WINDOW_BYTES = 4096
READ_BYTES = 65_536


class Deaf:
    """A connection over which nothing is read once it is established."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    async def connect(self, port: int, token: str) -> None:
        """Connect, sign in, read until `ready`, and read nothing after it."""
        loop = asyncio.get_running_loop()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
        self._socket.setblocking(False)
        await loop.sock_connect(self._socket, ("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await loop.sock_sendall(self._socket, request.encode())
        await self._read_until(b"pingInterval")
        await loop.sock_sendall(self._socket, _masked(f"40{json.dumps({'token': token})}"))
        await self._read_until(b'42["ready"')

    async def is_cut(self) -> None:
        """Wait until the server has dropped the connection; what it had sent before is read and thrown away."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while await asyncio.get_running_loop().sock_recv(self._socket, READ_BYTES):
                    pass
            except ConnectionResetError:
                pass

    async def _read_until(self, text: bytes) -> None:
        heard = b""
        async with asyncio.timeout(PATIENCE_S):
            while text not in heard:
                news = await asyncio.get_running_loop().sock_recv(self._socket, READ_BYTES)
                assert news, f"the server closed the connection after {heard!r}"
                heard += news


def _masked(text: str) -> bytes:
    """Return a text frame as clients send it (RFC 6455 §5.2), up to 65,535 bytes; the mask is zero."""
    data = text.encode()
    return struct.pack("!BBHI", 0x81, 0x80 | 126, len(data), 0) + data


@asynccontextmanager
async def deaf(port: int, token: str) -> AsyncIterator[Deaf]:
    """Connect someone who does not listen, for the length of a block."""
    with socket.socket() as connection:
        person = Deaf(connection)
        await person.connect(port, token)
        yield person
