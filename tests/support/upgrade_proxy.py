"""A proxy that spoils websockets: in turn it refuses one, cuts one off in the middle of its upgrade, and spares one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from urllib.parse import urlsplit

PROBED = b"3probe"


class SpoilingProxy:
    """Passes TCP connections on, except for what it does to websockets."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._fates = cycle(("refused", "cut", "let be"))
        self.met: dict[str, int] = {}
        """How many websockets met which fate."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            fate = next(self._fates) if b"transport=websocket" in head else "let be"
            if b"transport=websocket" in head:
                self.met[fate] = self.met.get(fate, 0) + 1
            if fate == "refused":
                writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            else:
                await self._pass_on(head, reader, writer, until=PROBED if fate == "cut" else None)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _pass_on(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: bytes | None
    ) -> None:
        upstream_reader, upstream = await asyncio.open_connection(self._host, self._port)
        upstream.write(head)
        ways = [
            asyncio.ensure_future(_copy(reader, upstream, None)),
            asyncio.ensure_future(_copy(upstream_reader, writer, until)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            upstream.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: bytes | None) -> None:
    """Pass bytes on to their end, or until these have been passed on."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
            if until is not None and until in data:
                return


@asynccontextmanager
async def spoiling(url: str) -> AsyncIterator[tuple[str, SpoilingProxy]]:
    """Run the proxy in front of a server for the length of a block; its own address comes with it."""
    parts = urlsplit(url)
    proxy = SpoilingProxy(parts.hostname or "", parts.port or 80)
    conversations: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(proxy.serve(reader, writer))
        conversations.add(task)
        task.add_done_callback(conversations.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", proxy
    finally:
        server.close()
        for task in list(conversations):
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await server.wait_closed()
