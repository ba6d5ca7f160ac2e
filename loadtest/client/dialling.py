"""TCP connections to one server, from the local address that the caller names."""

import asyncio
import socket
from typing import NamedTuple

from loadtest.client.errors import ConnectFailed, code_of
from loadtest.client.target import Target

NO_PORT_YET = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", None)
"""Linux: the port is taken when connecting, so that it need only be free towards this one server."""


class _Address(NamedTuple):
    family: int
    where: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


class Dialler:
    """Looks the host up once, and then connects without a thread."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._addresses: list[_Address] | None = None

    async def dial(self, source: str | None) -> socket.socket:
        """Return a connected socket, which the caller owns. Raises ConnectFailed."""
        failed = ConnectFailed("refused", f"{self._target.host} has no address that {source} can reach")
        for address in await self._resolve():
            if source is not None and (address.family == socket.AF_INET6) != (":" in source):
                continue
            try:
                return await _connect(address, source)
            except OSError as exc:
                failed = ConnectFailed(code_of(exc), f"{self._target.host}:{self._target.port}: {exc}")
        raise failed

    async def _resolve(self) -> list[_Address]:
        if self._addresses is None:
            target, loop = self._target, asyncio.get_running_loop()
            try:
                found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            except OSError as exc:
                raise ConnectFailed("refused", f"{target.host}: {exc}") from None
            self._addresses = [_Address(family, where) for family, _, _, _, where in found]
        return self._addresses


async def _connect(address: _Address, source: str | None) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if source is not None:
            if NO_PORT_YET is not None:
                sock.setsockopt(socket.IPPROTO_IP, NO_PORT_YET, 1)
            sock.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(sock, address.where)
    except BaseException:
        sock.close()
        raise
    return sock
