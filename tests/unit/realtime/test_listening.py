"""A server listens on all that its host's name stands for, with one port, or on nothing."""

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from realtime import listening
from realtime.listening import bind, close_all, listen

ABSENT = "192.0.2.1"  # for documentation (RFC 5737): no machine has it
Resolve = Callable[..., None]


class Hello(asyncio.Protocol):
    """Says hello, and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()


async def answer(host: str, port: int) -> bytes:
    """Connect; return what is said."""
    reader, writer = await asyncio.open_connection(host, port)
    heard = await reader.read()
    writer.close()
    await writer.wait_closed()
    return heard


@pytest.fixture
def school(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Make the name `school` stand for the given addresses."""
    resolve = socket.getaddrinfo

    def stand_for(*addresses: str) -> None:
        def getaddrinfo(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
            hosts = addresses if host == "school" else (host,)
            return [found for each in hosts for found in resolve(each, port, *args, **more)]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return stand_for


async def test_a_name_of_several_addresses_is_served_on_all_of_them(school: Resolve) -> None:
    """One free port is found for IPv4 and IPv6, and a name that says one address twice is no trouble."""
    school("127.0.0.1", "127.0.0.1", "127.0.0.2", "::1")
    open_ = await listen(Hello, "school", 0)
    assert [b"hello"] * 3 == [await answer(host, open_.port) for host in ("127.0.0.1", "127.0.0.2", "::1")]
    open_.close()


async def test_no_name_is_every_address() -> None:
    """An empty host takes IPv4 and IPv6 on one port."""
    open_ = await listen(Hello, "", 0)
    assert [b"hello"] * 2 == [await answer(host, open_.port) for host in ("127.0.0.1", "::1")]
    open_.close()


async def test_an_address_that_is_not_there_is_left_out(school: Resolve) -> None:
    """`localhost` may name an IPv6 address on a machine without IPv6: the others are enough."""
    school(ABSENT, "127.0.0.1")
    open_ = await listen(Hello, "school", 0)
    assert b"hello" == await answer("127.0.0.1", open_.port)
    open_.close()


async def test_none_of_the_addresses_there_is_an_error(school: Resolve) -> None:
    """A host of which this machine has nothing cannot be served."""
    school(ABSENT)
    with pytest.raises(OSError, match=str(errno.EADDRNOTAVAIL)):
        await listen(Hello, "school", 0)


async def test_all_or_nothing(school: Resolve) -> None:
    """If a port is taken on one address, none of the others stays open, and the port is free again."""
    school("127.0.0.1", "127.0.0.2")
    with closing(socket.create_server(("127.0.0.2", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=str(errno.EADDRINUSE)):
            await listen(Hello, "school", port)
        close_all(await bind("127.0.0.1", port))


async def test_another_port_is_tried_where_the_first_is_not_free_everywhere(
    school: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Port 0 is found free on one address; if another program has it on the next one, the search goes on."""
    school("127.0.0.1", "127.0.0.2")
    tried: list[tuple[str, int]] = []
    real = listening._bind

    def taken_once(family: socket.AddressFamily, address: tuple[Any, ...], **more: bool) -> socket.socket:
        tried.append(address[:2])
        if len(tried) == 2:
            raise OSError(errno.EADDRINUSE, "taken")
        return real(family, address, **more)

    monkeypatch.setattr(listening, "_bind", taken_once)
    open_ = await listen(Hello, "school", 0)
    assert [b"hello"] * 2 == [await answer(host, open_.port) for host in ("127.0.0.1", "127.0.0.2")]
    assert [("127.0.0.1", 0), ("127.0.0.1", 0)] == tried[::2]
    open_.close()


async def test_a_port_may_be_shared_by_those_who_say_so() -> None:
    """With `reuse_port` two listen on one port, and both are given connections."""
    heard: set[str] = set()

    def greet(name: str) -> asyncio.Protocol:
        heard.add(name)
        return Hello()

    first = await listen(partial(greet, "first"), "127.0.0.1", 0, reuse_port=True)
    second = await listen(partial(greet, "second"), "127.0.0.1", first.port, reuse_port=True)
    async with asyncio.timeout(30):
        while len(heard) < 2:
            assert b"hello" == await answer("127.0.0.1", first.port)
    with pytest.raises(OSError, match=str(errno.EADDRINUSE)):
        await listen(Hello, "127.0.0.1", first.port)
    first.close()
    second.close()
