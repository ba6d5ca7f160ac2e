"""HTTP and websockets byte by byte: sends what no library would, and checks what comes (RFC 9112, RFC 6455)."""

import asyncio
import base64
import hashlib
import os
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Self

PATIENCE_S = 15.0
CONTROL = 0x8
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSE = b"\x88"
_BODILESS = {204, 304}


class Opcode(IntEnum):
    """Kinds of frames (RFC 6455 §5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class Received:
    """A frame from the server."""

    opcode: Opcode
    payload: bytes
    fin: bool


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    length_bytes: int | None = None,
    claimed: int | None = None,
) -> bytes:
    """Return a frame. `length_bytes` (0, 2 or 8) overrules the shortest form, `claimed` the length that it names."""
    size = len(payload) if claimed is None else claimed
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 1 << 16 else 8
    bits = {0: size, 2: 126, 8: 127}[length_bytes] | (0x80 if masked else 0)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode, bits])
    head += size.to_bytes(length_bytes, "big") if length_bytes else b""
    if not masked:
        return head + payload
    mask = os.urandom(4)
    stream = (mask * (len(payload) // 4 + 1))[: len(payload)]
    masked_payload = int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")
    return head + mask + masked_payload.to_bytes(len(payload), "big")


def text(payload: str, *, fin: bool = True) -> bytes:
    """Return a text frame."""
    return frame(Opcode.TEXT, payload.encode(), fin=fin)


def closing(code: int | None = None, reason: bytes = b"") -> bytes:
    """Return a close frame; without a code, an empty one."""
    return frame(Opcode.CLOSE, (b"" if code is None else struct.pack("!H", code)) + reason)


class Wire:
    """A TCP connection. Every wait has an end: a server that does not answer is an error, not a hanging test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int, host: str = "127.0.0.1") -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection(host, port, limit=1 << 24))

    async def send(self, *data: bytes) -> None:
        """Send bytes as they are, at once."""
        self.writer.write(b"".join(data))
        await self.writer.drain()

    async def trickle(self, data: bytes) -> None:
        """Send byte by byte, each in a segment of its own as far as the system allows it."""
        for at in range(len(data)):
            await self.send(data[at : at + 1])
            await asyncio.sleep(0)

    async def response(self, *, method: str = "GET") -> Response:
        """Read one answer to a request by `method`. Raises EOFError if the server closed instead."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._response(method)

    async def rest(self) -> bytes:
        """Read until the server has closed; return what came."""
        heard = b""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while news := await self.reader.read(1 << 16):
                    heard += news
            except ConnectionError:
                pass
        return heard

    def finish(self) -> None:
        """Say that nothing more will be sent (FIN); what the server sends can still be read."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Vanish with a RST."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """Close."""
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def _response(self, method: str) -> Response:
        line, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
        version, status, *_ = line.split(" ", 2)
        assert version in {"HTTP/1.1", "HTTP/1.0"}, line
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if method == "HEAD" or int(status) in _BODILESS or int(status) < 200:
            return Response(int(status), MappingProxyType(headers), b"")
        return Response(int(status), MappingProxyType(headers), await self._body(headers))

    async def _body(self, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            return await self.reader.read()
        body = b""
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readuntil(b"\r\n")
        return body


class RawSocket(Wire):
    """A websocket past its handshake. What the server sends is held to RFC 6455 frame by frame.

    `message` answers the pings of Engine.IO, unless `pongs` is false.
    """

    pongs = True
    close_code: int | None = None
    _said_goodbye = False

    async def send(self, *data: bytes) -> None:
        """Send bytes as they are, at once."""
        self._said_goodbye = self._said_goodbye or any(part[:1] == _CLOSE for part in data)
        await super().send(*data)

    async def send_text(self, *messages: str) -> None:
        """Send text messages, each in a frame of its own, in one segment."""
        await self.send(*map(text, messages))

    async def send_binary(self, *messages: bytes) -> None:
        """Send binary messages, each in a frame of its own, in one segment."""
        await self.send(*(frame(Opcode.BINARY, message) for message in messages))

    async def receive(self) -> Received | None:
        """Return the next frame, whatever it is; None when the server has closed the connection."""
        async with asyncio.timeout(PATIENCE_S):
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                return await self._receive()
            return None

    async def message(self) -> str | bytes | None:
        """Return the next message; None when the server has closed. A text message is str."""
        while self.close_code is None and (received := await self.receive()) is not None:
            if received.opcode is Opcode.CLOSE:
                self.close_code = int.from_bytes(received.payload[:2], "big") if received.payload else 1005
                return None
            if self.pongs and (received.opcode, received.payload) == (Opcode.TEXT, b"2"):
                await self.send_text("3")
            elif received.opcode is Opcode.TEXT:
                return received.payload.decode()
            elif received.opcode is Opcode.BINARY:
                return received.payload
        return None

    async def messages(self, count: int) -> list[str | bytes | None]:
        """Return the next `count` messages."""
        return [await self.message() for _ in range(count)]

    async def ended(self) -> int | None:
        """Wait until the server has closed the connection; return the code of its close frame, None without one.

        The closing handshake is answered if the server began it.
        """
        while await self.message() is not None:
            pass
        if self.close_code is not None and not self._said_goodbye:
            with suppress(ConnectionError):
                await self.send(closing(None if self.close_code == 1005 else self.close_code))
        await self.rest()
        return self.close_code

    async def _receive(self) -> Received:
        first, second = await self.reader.readexactly(2)
        assert first & 0x70 == 0, "the server set a reserved bit"
        assert second & 0x80 == 0, "the server masked a frame"
        size = second
        if second >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if second == 126 else 8), "big")
            assert size > (125 if second == 126 else 0xFFFF), "the server did not use the shortest form of a length"
        received = Received(Opcode(first & 0xF), await self.reader.readexactly(size), bool(first & 0x80))
        if received.opcode & CONTROL:
            assert size <= 125, "the server sent a long control frame"
        assert received.fin, "the server fragmented a message"
        return received


def request(
    target: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    version: str = "1.1",
) -> bytes:
    """Return a request. A Host and, for a body, its length are added where `headers` has none."""
    lines = {"Host": "localhost", **(headers or {})}
    if (body or method == "POST") and not {"content-length", "transfer-encoding"} & {name.lower() for name in lines}:
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/{version}\r\n{head}\r\n".encode("latin-1") + body


def upgrade_headers(**changes: str | None) -> dict[str, str]:
    """Return the headers of a websocket handshake; an argument changes one, None leaves it out (`_` stands for `-`)."""
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    }
    for name, value in changes.items():
        headers.pop(name.replace("_", "-"), None)
        if value is not None:
            headers[name.replace("_", "-")] = value
    return headers


async def exchange(port: int, target: str, **more: object) -> Response:
    """Send one request on a connection of its own; return the answer."""
    wire = await Wire.open(port)
    try:
        await wire.send(request(target, **more))  # type: ignore[arg-type]
        return await wire.response(method=str(more.get("method", "GET")))
    finally:
        await wire.close()


async def handshake(wire: Wire, target: str, headers: dict[str, str] | None = None, *, behind: bytes = b"") -> None:
    """Open a websocket, sending `behind` in the segment of the request. Checks the answer (RFC 6455 §4.2.2)."""
    headers = headers or upgrade_headers()
    await wire.send(request(target, headers=headers), behind)
    async with asyncio.timeout(PATIENCE_S):
        head = (await wire.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    assert head[0].startswith("HTTP/1.1 101 "), head
    answered = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    key = next(value for name, value in headers.items() if name.lower() == "sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key.encode() + _ACCEPT).digest()).decode()  # noqa: S324  # RFC 6455 says SHA-1
    assert accept == answered["sec-websocket-accept"]
    assert "websocket" == answered["upgrade"].lower()
    assert "upgrade" == answered["connection"].lower()
    assert not {"sec-websocket-extensions", "sec-websocket-protocol"} & answered.keys(), "nobody asked for them"


@asynccontextmanager
async def websocket(
    port: int, target: str, *, headers: dict[str, str] | None = None, behind: bytes = b"", host: str = "127.0.0.1"
) -> AsyncIterator[RawSocket]:
    """Hold a websocket open for the length of a block."""
    socket = await RawSocket.open(port, host)
    try:
        await handshake(socket, target, headers, behind=behind)
        yield socket
    finally:
        await socket.close()
