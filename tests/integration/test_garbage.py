"""Who has gone is gone: reference counts free it all, and the garbage collector finds nothing to do."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from realtime.lifecycle import Server
from realtime.process import new_event_loop
from tests.support.rawsocket import Wire, closing, exchange, websocket
from tests.support.server import running, token
from tests.support.siege import Standing, guest, holds_again, poller, stranger

VISITS = 50
Visit = Callable[[Server], Coroutine[Any, Any, None]]


async def by_websocket(server: Server) -> None:
    async with guest(server, "ada") as socket:
        await socket.send_text('421["room:list",{}]', '422["no:such_event"]')
        await socket.messages(2)


async def by_websocket_in_good_order(server: Server) -> None:
    async with guest(server, "ada") as socket:
        await socket.send_text("41", "1")
        await socket.send(closing(1000))
        await socket.ended()


async def by_polling(server: Server) -> None:
    address = await poller(server, token(server, "ada"))
    assert 200 == (await exchange(server.port, address, method="POST", body=b'421["room:list",{}]\x1e1')).status


async def by_upgrade(server: Server) -> None:
    address = await poller(server, token(server, "ada"))
    async with websocket(server.port, address.replace("transport=polling", "transport=websocket")) as socket:
        await socket.send_text("2probe", "5", '421["room:list",{}]')
        while not str(await socket.message()).startswith("431["):
            pass


async def refused(server: Server) -> None:
    async with stranger(server) as socket:
        await socket.send_text('40{"token":"none"}')
        await socket.message()
        await socket.send_text("garbage")
        await socket.ended()


async def without_a_request(server: Server) -> None:
    wire = await Wire.open(server.port)
    await wire.send(b"\x00")
    await wire.rest()
    await wire.close()


async def by_http(server: Server) -> None:
    answer = await exchange(server.port, "/v1/rooms", headers={"Authorization": f"Bearer {token(server, 'ada')}"})
    assert 200 == answer.status
    assert 401 == (await exchange(server.port, "/v1/rooms")).status


@contextmanager
def no_garbage() -> Iterator[None]:
    """Check that in a block nothing is left which only the collector could free."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield
        gc.collect()
        assert [] == Counter(type(found).__qualname__ for found in gc.garbage).most_common(5)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize(
    "visit",
    [by_websocket, by_websocket_in_good_order, by_polling, by_upgrade, refused, without_a_request, by_http],
    ids=lambda visit: visit.__name__,
)
def test_who_has_gone_leaves_no_cycle(tmp_path: Path, visit: Visit) -> None:
    """Fifty come and go while the collector is off: afterwards it finds no object of theirs, nor any other."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:  # servers' own: asyncio's leaves cycles by itself
        runner.run(come_and_go(tmp_path, visit))


async def come_and_go(data_dir: Path, visit: Visit) -> None:
    """Run a server, and visit it."""
    async with running(data_dir) as server:
        before = Standing.of(server)
        await visit(server)  # what is made once, is made
        await holds_again(server, before)
        with no_garbage():
            for _ in range(VISITS):
                await visit(server)
            await holds_again(server, before)
