"""The conformance server in a process of its own, and clients that speak to it packet by packet."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.support.rawsocket import PATIENCE_S, RawSocket, Response, Wire, exchange, websocket

ROOT = Path(__file__).resolve().parent.parent.parent
ENGINE = "/engine.io/"
SOCKET = "/socket.io/"
SEPARATOR = "\x1e"
MAX_PAYLOAD = 1_000_000
COMMAND = (sys.executable, "-m", "realtime.engine.conformance")


class Polling:
    """A session that began with polling. Each request has a connection of its own."""

    def __init__(self, echo: "Echo", path: str, opened: dict[str, Any]) -> None:
        self.echo = echo
        self.opened = opened
        self.sid = str(opened["sid"])
        self.target = f"{path}?EIO=4&transport=polling&sid={self.sid}"
        self.websocket_target = f"{path}?EIO=4&transport=websocket&sid={self.sid}"

    async def post(self, *packets: str) -> Response:
        """Send packets in one payload."""
        return await self.post_bytes(SEPARATOR.join(packets).encode())

    async def post_bytes(self, body: bytes, **headers: str) -> Response:
        """Send a body as it is."""
        return await exchange(self.echo.port, self.target, method="POST", body=body, headers=headers)

    async def say(self, *packets: str) -> None:
        """Send packets, which must be taken."""
        answer = await self.post(*packets)
        assert (200, b"ok") == (answer.status, answer.body)

    async def poll(self) -> Response:
        """Wait for packets."""
        return await exchange(self.echo.port, self.target)

    async def packets(self, count: int = 1) -> list[str]:
        """Poll until `count` packets have come; pings are answered and left out."""
        heard: list[str] = []
        while len(heard) < count:
            answer = await self.poll()
            assert 200 == answer.status, answer
            for packet in answer.text.split(SEPARATOR):
                if packet == "2":
                    await self.say("3")
                else:
                    heard.append(packet)
        return heard

    async def is_gone(self) -> bool:
        """Say whether the server knows the session no more, by a request that would keep none alive."""
        return (await self.poll()).status == 400

    @asynccontextmanager
    async def upgrading(self, *, behind: bytes = b"") -> AsyncIterator[RawSocket]:
        """Open a websocket of this session, and do nothing with it."""
        async with websocket(self.echo.port, self.websocket_target, behind=behind) as socket:
            yield socket

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[RawSocket]:
        """Open a websocket of this session, and probe it."""
        async with self.upgrading() as socket:
            await socket.send_text("2probe")
            assert "3probe" == await socket.message()
            yield socket

    @asynccontextmanager
    async def upgraded(self) -> AsyncIterator[RawSocket]:
        """Move to a websocket."""
        async with self.probing() as socket:
            await socket.send_text("5")
            yield socket


class Echo:
    """Where the server is."""

    def __init__(self, port: int, process: "subprocess.Popen[str] | None" = None) -> None:
        self.port = port
        self._process = process
        self.url = f"http://localhost:{port}"

    def kill(self) -> None:
        """End the server's process without a word."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def terminate(self) -> None:
        """Ask the server to end, which it must, in good order."""
        assert self._process is not None
        self._process.terminate()
        assert 0 == self._process.wait(PATIENCE_S)

    async def request(
        self, target: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send one request on a connection of its own."""
        return await exchange(self.port, target, method=method, headers=headers or {}, body=body)

    async def raw(self, *parts: bytes) -> Response:
        """Send bytes on a connection of their own; return the first answer to them."""
        async with self.wire() as wire:
            await wire.send(*parts)
            return await wire.response()

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        """Hold a TCP connection open."""
        wire = await Wire.open(self.port)
        try:
            yield wire
        finally:
            await wire.close()

    async def polling(self, path: str = ENGINE) -> Polling:
        """Open a session by polling."""
        answer = await self.request(f"{path}?EIO=4&transport=polling")
        assert 200 == answer.status, answer
        return Polling(self, path, packet_zero(answer.text))

    async def joined_polling(self, namespace: str = "/") -> Polling:
        """Open a session by polling and connect to a namespace."""
        polling = await self.polling(SOCKET)
        prefix = "" if namespace == "/" else f"{namespace},"
        await polling.say(f"40{prefix}")
        connected, auth = await polling.packets(2)
        assert connected.startswith(f"40{prefix}{{"), connected
        assert f'42{prefix}["auth",{{}}]' == auth
        return polling

    @asynccontextmanager
    async def websocket(self, path: str = ENGINE, *, behind: bytes = b"") -> AsyncIterator[RawSocket]:
        """Open a session by websocket; its open packet has been read."""
        async with websocket(self.port, f"{path}?EIO=4&transport=websocket", behind=behind) as socket:
            packet_zero(await socket.message())
            yield socket

    @asynccontextmanager
    async def joined(self, namespace: str = "/", payload: str = "") -> AsyncIterator[RawSocket]:
        """Open a session by websocket, and connect to a namespace."""
        async with self.websocket(SOCKET) as socket:
            await join(socket, namespace, payload)
            yield socket

    async def serves(self) -> None:
        """Check that the server still does its work for somebody else."""
        async with self.websocket() as socket:
            await socket.send_text("4still here")
            assert "4still here" == await socket.message()


def packet_zero(packet: str | bytes | None) -> dict[str, Any]:
    """Return what an open packet says."""
    assert isinstance(packet, str), packet
    assert packet.startswith("0{"), packet
    opened: dict[str, Any] = json.loads(packet[1:])
    return opened


async def join(socket: RawSocket, namespace: str = "/", payload: str = "") -> str:
    """Connect to a namespace of the echo contract; return the id of the socket there."""
    prefix = "" if namespace == "/" else f"{namespace},"
    await socket.send_text(f"40{prefix}{payload}")
    connected, auth = await socket.messages(2)
    assert isinstance(connected, str), connected
    assert connected.startswith(f"40{prefix}{{"), connected
    assert f'42{prefix}["auth",{payload or "{}"}]' == auth
    return str(json.loads(connected[2 + len(prefix) :])["sid"])


@contextmanager
def echoing(*options: str, port: int = 0) -> Iterator[Echo]:
    """Run the conformance server for the length of a block, on a free port if none is named."""
    command = [*COMMAND, "--port", str(port), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline()
            assert address.startswith("http://localhost:"), f"the server said {address!r}"
            yield Echo(int(address.rpartition(":")[2]), process)
            assert process.poll() in {None, 0, -signal.SIGKILL}, "the server ended by itself"
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
