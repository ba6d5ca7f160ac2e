"""Where a server listens: every address that a host's name stands for, on one port."""

import asyncio
import errno
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

BACKLOG: Final = 4096
"""Connections that may wait to be accepted: a school comes back at once."""

_TRIES: Final = 20
_ABSENT: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})

_Address = tuple[socket.AddressFamily, tuple[Any, ...]]


class Listening:
    """Open listeners. All have the same port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._servers: list[asyncio.AbstractServer] = []

    def add(self, server: asyncio.AbstractServer) -> None:
        """Keep one more."""
        self._servers.append(server)

    def close(self) -> None:
        """Accept nobody any more; who is connected stays. Idempotent."""
        for server in self._servers:
            server.close()


async def listen(
    protocol: Callable[[], asyncio.BaseProtocol], host: str, port: int, *, reuse_port: bool = False
) -> Listening:
    """Listen on every address of `host`; "" is all of this machine, and port 0 takes a free one, the same for all.

    An address that this machine does not have is left out if another one is there: `localhost` may name an IPv6
    address where there is no IPv6. With `reuse_port`, several processes may listen on one port, and the system spreads
    the connections among them. Raises OSError, and UnicodeError for what is no host name.
    """
    loop = asyncio.get_running_loop()
    bound = await bind(host, port, reuse_port=reuse_port)
    listening = Listening(bound[0].getsockname()[1])
    try:
        while bound:
            listening.add(await loop.create_server(protocol, sock=bound[0], backlog=BACKLOG))
            bound.pop(0)
    except BaseException:
        listening.close()
        close_all(bound)
        raise
    return listening


async def bind(host: str, port: int, *, reuse_port: bool = False) -> list[socket.socket]:
    """Return sockets on which to listen as `listen` does. Raises what it does."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
    return _bind_all(addresses, port, reuse_port=reuse_port)


def _bind_all(addresses: Sequence[_Address], port: int, *, reuse_port: bool) -> list[socket.socket]:
    """Return sockets of all addresses that are there. A port that was free for the first may be taken for the next."""
    tries = 1 if port else _TRIES
    while True:
        tries -= 1
        bound: list[socket.socket] = []
        try:
            _bind_to(addresses, bound, port, reuse_port=reuse_port)
        except OSError as exc:
            close_all(bound)
            if not tries or exc.errno != errno.EADDRINUSE:
                raise
        else:
            return bound


def _bind_to(addresses: Sequence[_Address], bound: list[socket.socket], port: int, *, reuse_port: bool) -> None:
    absent: OSError | None = None
    for family, address in addresses:
        port = port or (bound[0].getsockname()[1] if bound else 0)
        try:
            bound.append(_bind(family, (address[0], port, *address[2:]), reuse_port=reuse_port))
        except OSError as exc:
            if exc.errno not in _ABSENT:
                raise
            absent = exc
    if not bound:
        raise absent or OSError(errno.EADDRNOTAVAIL, "the name stands for no address")


def _bind(family: socket.AddressFamily, address: tuple[Any, ...], *, reuse_port: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let another program take the port over
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        listener.bind(address)
    except BaseException:
        listener.close()
        raise
    return listener


def close_all(listeners: Iterable[socket.socket]) -> None:
    """Close sockets on which nobody listens yet."""
    for listener in listeners:
        listener.close()
