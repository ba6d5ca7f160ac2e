"""A server of one script: for each TCP connection it does what the script says, however wrong that is."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

OPEN = b'0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100}'
JOINED = b'40{"sid":"b"}'
EVENT = b'42["ready",{"n":1}]'
ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, MORE, CLOSE, PING = 1, 2, 0, 8, 9


class Peer:
    """The server's end of one TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> tuple[bytes, bytes]:
        """Return the head and the body of the next request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return head, await self.reader.readexactly(length)

    def answer(self, body: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> None:
        """Answer a request."""
        head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n" % (status, len(body), headers)
        self.writer.write(head + body)

    async def upgrade(self, *packets: bytes) -> None:
        """Shake hands as a websocket server, and send packets."""
        head, _ = await self.request()
        self.accept(head)
        for packet in packets:
            self.frame(TEXT, packet)

    def accept(self, head: bytes) -> None:
        """Shake hands as a websocket server with who sent this head."""
        key = head.lower().partition(b"sec-websocket-key: ")[0]
        key = head[len(key) + len(b"sec-websocket-key: ") :].partition(b"\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key + ACCEPT, usedforsecurity=False).digest())
        self.writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def frame(self, opcode: int, payload: bytes, *, fin: bool = True) -> None:
        """Send a websocket frame of at most 125 bytes."""
        self.writer.write(bytes([opcode | (0x80 if fin else 0), len(payload)]) + payload)

    async def gone(self) -> None:
        """Wait until the client has gone."""
        with suppress(ConnectionError):
            while await self.reader.read(4096):
                pass

    async def heard(self) -> int:
        """Return the opcode of the next frame, of at most 125 bytes."""
        return (await self.hear())[0]

    async def hear(self) -> tuple[int, bytes]:
        """Return the opcode and the payload of the next frame, of at most 125 bytes."""
        head = await self.reader.readexactly(2)
        mask = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(head[1] & 0x7F)
        return head[0] & 0x0F, bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))

    async def goodbye(self) -> None:
        """Wait until the client says that it goes."""
        while await self.heard() != CLOSE:
            pass


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[str]:
    """Run a server that follows the script on every TCP connection, and hangs up at its end."""
    conversations: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await script(Peer(reader, writer))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*conversations)


async def nothing(peer: Peer) -> None:
    """Hang up at once."""


async def silence(peer: Peer) -> None:
    """Accept, and say nothing."""
    await peer.gone()


async def drip(peer: Peer) -> None:
    """Begin an answer that never ends."""
    peer.writer.write(b"HTTP/1.1 101 Switching Protocols\r\nX-Drip: x")
    await peer.gone()


def says(body: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> Script:
    """Answer every request so."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            peer.answer(body, status, headers)

    return script


def raw(answer: bytes) -> Script:
    """Answer with these bytes, and wait for the client to go."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.writer.write(answer)
        await peer.gone()

    return script


def websocket(*packets: bytes) -> Script:
    """Shake hands, send packets, and stay."""

    async def script(peer: Peer) -> None:
        await peer.upgrade(*packets)
        await peer.goodbye()

    return script


async def cut_short(peer: Peer) -> None:
    """Open, and hang up."""
    await peer.upgrade(OPEN)


async def let_in(peer: Peer) -> None:
    """Let the client in, and wait until it has said something."""
    await peer.upgrade(OPEN, JOINED, EVENT)
    await peer.heard()
    await peer.heard()


def wound(*frames: tuple[int, bytes, bool]) -> Script:
    """Let the client in, send frames (opcode, payload, whether it is the last part), and wait for it to go."""

    async def script(peer: Peer) -> None:
        await let_in(peer)
        for opcode, payload, fin in frames:
            peer.frame(opcode, payload, fin=fin)
        await peer.goodbye()

    return script


def bytes_after_joining(tail: bytes) -> Script:
    """Let the client in, write what is no frame, and wait for it to go."""

    async def script(peer: Peer) -> None:
        await let_in(peer)
        peer.writer.write(tail)
        await peer.goodbye()

    return script
