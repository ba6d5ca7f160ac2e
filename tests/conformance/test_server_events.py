"""What the server says by itself, and what it is told: by each transport, and while a client moves between them."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.support.echo import SOCKET, Echo, Polling
from tests.support.engine import Stage, staging
from tests.support.rawsocket import Opcode, RawSocket, closing, frame, request, text

EVENTS = 60
REPETITIONS = 60


@pytest.fixture
def stage() -> Stage:
    """The application."""
    return Stage()


@pytest.fixture
async def echo(stage: Stage) -> AsyncIterator[Echo]:
    """An engine with this application."""
    async with staging(stage) as port:
        yield Echo(port)


async def by_polling(echo: Echo) -> Polling:
    """Connect to `/` by polling; the hello has been read."""
    polling = await echo.polling(SOCKET)
    await polling.say("40")
    connected, hello = await polling.packets(2)
    assert connected.startswith('40{"sid":')
    assert '42["hello",{}]' == hello
    return polling


async def sign_in(socket: RawSocket) -> None:
    """Connect to `/` by websocket; the hello has been read."""
    await socket.send_text("40")
    connected, hello = await socket.messages(2)
    assert str(connected).startswith('40{"sid":')
    assert '42["hello",{}]' == hello


def number_of(packet: str | bytes | None) -> int:
    """Return which `tick` a packet is."""
    assert isinstance(packet, str), packet
    name, number = json.loads(packet.removeprefix("42"))
    assert "tick" == name
    return int(number)


async def test_events_by_websocket_arrive_in_order(echo: Echo, stage: Stage) -> None:
    """Once each."""
    async with echo.websocket(SOCKET) as socket:
        await sign_in(socket)
        for number in range(500):
            stage.emit(number)
        assert list(range(500)) == [number_of(await socket.message()) for _ in range(500)]


async def test_events_by_polling_arrive_in_order(echo: Echo, stage: Stage) -> None:
    """Once each, whether a poll waits or not, many in one payload."""
    polling = await by_polling(echo)
    for number in range(500):
        stage.emit(number)
    assert list(range(500)) == [number_of(packet) for packet in await polling.packets(500)]
    poll = asyncio.ensure_future(polling.poll())
    await asyncio.sleep(0)
    stage.emit(500)
    assert 500 == number_of((await poll).text)
    await polling.say("1")


@pytest.mark.parametrize("seed", range(REPETITIONS))
async def test_events_throughout_an_upgrade_arrive_once_and_in_order(echo: Echo, stage: Stage, seed: int) -> None:
    """The server talks all the time, in moments of its own, while a client polls, probes, sometimes drops the probe and
    tries again, and moves. Each event arrives once, in order, by one way or the other.
    """
    chance = random.Random(seed)
    polling = await by_polling(echo)
    heard: list[int] = []

    async def pause(*lengths_ms: float) -> None:
        await asyncio.sleep(chance.choice((0, *lengths_ms)) / 1000)

    async def talk() -> None:
        for number in range(EVENTS):
            stage.emit(number)
            for _ in range(chance.randrange(3)):
                await pause(0, 1, 2)

    async def fetch() -> bool:
        packets = [packet for packet in (await polling.poll()).text.split("\x1e") if packet]
        heard.extend(number_of(packet) for packet in packets if packet != "6")
        return "6" in packets

    async def listen() -> None:
        while not await fetch():
            await pause(0, 1)

    talking = asyncio.ensure_future(talk())
    for _ in range(chance.randrange(3)):
        await fetch() if len(heard) < EVENTS // 3 else await pause(1)
    if chance.random() < 0.5:
        listening = asyncio.ensure_future(listen())
        async with polling.probing() as dropped:
            await listening
            await pause(1, 3)
            if chance.random() < 0.5:
                dropped.reset()
    listening = asyncio.ensure_future(listen())
    async with polling.probing() as socket:
        await listening
        await pause(1, 3)
        await socket.send_text("5")
        while len(heard) < EVENTS:
            heard.append(number_of(await socket.message()))
        await talking
        stage.emit(EVENTS)
        assert EVENTS == number_of(await socket.message())
    assert list(range(EVENTS)) == heard
    await stage.until(lambda: bool(stage.ends))


async def test_bytes_from_the_server(echo: Echo, stage: Stage) -> None:
    """A packet and its attachment, by polling, across an upgrade, and by websocket."""
    head = '451-["bytes",{"_placeholder":true,"num":0}]'
    polling = await by_polling(echo)
    stage.emit_bytes(b"\x01\x02\x03")
    assert [head, "bAQID"] == await polling.packets(2)
    async with polling.probing() as socket:
        stage.emit_bytes(b"meanwhile")
        await socket.send_text("5")
        assert [head, b"meanwhile"] == await socket.messages(2)
        stage.emit_bytes(b"\x00" * 70_000)
        assert [head, b"\x00" * 70_000] == await socket.messages(2)


async def test_what_was_said_before_a_close_is_heard(echo: Echo, stage: Stage) -> None:
    """An event and the end of the connection in one payload or segment: the event is handled, then the end."""
    polling = await by_polling(echo)
    await polling.say('42["first"]', "1")
    await stage.until(lambda: bool(stage.ends))
    async with echo.websocket(SOCKET) as socket:
        await sign_in(socket)
        await socket.send(text('42["second"]'), closing(1000))
        await stage.until(lambda: 2 == len(stage.ends))
    async with echo.websocket(SOCKET) as socket:
        await sign_in(socket)
        await socket.send_text('42["third"]', "1", '42["too late"]')
        await stage.until(lambda: 3 == len(stage.ends))
    assert [["first"], ["second"], ["third"]] == stage.heard


ENDS = {
    "close packet": text("1"),
    "close frame": closing(1001),
    "protocol error": text("abc"),
    "websocket error": frame(Opcode.TEXT, b"x", masked=False),
    "disconnect": text("41"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=list(ENDS))
async def test_the_end_is_told_once(echo: Echo, stage: Stage, end: bytes) -> None:
    """However a client leaves, the application hears of it, once."""
    async with echo.websocket(SOCKET) as socket:
        await sign_in(socket)
        await socket.send(end)
        await stage.until(lambda: bool(stage.ends))
    await echo.request(f"{SOCKET}?EIO=4&transport=polling&sid=nobody")
    assert 1 == len(stage.ends)


@pytest.mark.parametrize("how", ["finish", "reset", "close"])
async def test_the_end_of_the_connection_is_told_once(echo: Echo, stage: Stage, how: str) -> None:
    """FIN, RST, and a socket that is simply closed."""
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(echo.websocket(SOCKET))
        await sign_in(socket)
        if how == "finish":
            socket.finish()
        elif how == "reset":
            socket.reset()
        else:
            await socket.close()
        await stage.until(lambda: bool(stage.ends))
    assert 1 == len(stage.ends)


async def test_a_silent_client_is_told_of_as_timed_out(stage: Stage) -> None:
    """The reason that the application hears is that of the reference server."""
    async with (
        staging(stage, ping_interval_s=0.1, ping_timeout_s=0.1) as port,
        Echo(port).websocket(SOCKET) as socket,
    ):
        await sign_in(socket)
        socket.pongs = False
        await stage.until(lambda: bool(stage.ends))
    assert ["ping timeout"] == stage.ends


async def test_the_server_may_end_a_websocket(echo: Echo, stage: Stage) -> None:
    """The client gets DISCONNECT, then the closing handshake; what was said before comes first."""
    async with echo.websocket(SOCKET) as socket:
        await sign_in(socket)
        (link,) = stage.links.values()
        stage.emit(1)
        link.close("test")
        assert ['42["tick",1]', "41"] == await socket.messages(2)
        assert 1000 == await socket.ended()
    assert ["test"] == stage.ends


async def test_the_server_may_end_a_polling_session(echo: Echo, stage: Stage) -> None:
    """The client fetches DISCONNECT and the close packet with its next poll, and then the session is gone."""
    polling = await by_polling(echo)
    (link,) = stage.links.values()
    stage.emit(1)
    link.close("test")
    assert ['42["tick",1]', "41", "1"] == await polling.packets(3)
    assert await polling.is_gone()
    assert ["test"] == stage.ends


async def test_a_handler_that_waits_holds_up_nothing_but_what_follows_it(echo: Echo, stage: Stage) -> None:
    """Events of one client are handled one after another; pings of both layers are answered meanwhile."""
    go_on = asyncio.Event()

    async def wait(_: str, args: list[object]) -> None:
        if args == ["slow"]:
            await go_on.wait()

    stage.handle = wait
    async with echo.websocket(SOCKET) as socket, echo.websocket(SOCKET) as other:
        await sign_in(socket)
        await sign_in(other)
        await socket.send(text('42["slow"]'), text('42["after"]'), frame(Opcode.PING, b"p"), text("3"))
        received = await socket.receive()
        assert received is not None
        assert (Opcode.PONG, b"p") == (received.opcode, received.payload)
        await other.send_text('42["other"]')
        await stage.until(lambda: [["other"]] == stage.heard)
        stage.emit(1)
        assert '42["tick",1]' == await socket.message()
        go_on.set()
        await stage.until(lambda: [["other"], ["slow"], ["after"]] == stage.heard)


async def test_a_flood_behind_a_handler_that_waits_is_kept_in_order(echo: Echo, stage: Stage) -> None:
    """More than is kept for one client: it is read no further until the handler is done, and nothing is lost."""
    go_on = asyncio.Event()

    async def wait(_: str, args: list[object]) -> None:
        if args == ["event", 0]:
            await go_on.wait()

    stage.handle = wait
    async with echo.websocket(SOCKET) as socket:
        await sign_in(socket)
        sending = asyncio.ensure_future(
            socket.send(
                *(text(f'42["event",{number},"{"x" * 2000}"]' if number else '42["event",0]') for number in range(2000))
            )
        )
        await asyncio.sleep(0)
        go_on.set()
        await sending
        await stage.until(lambda: 2000 == len(stage.heard))
    assert list(range(2000)) == [heard[1] for heard in stage.heard]


async def test_a_poll_that_is_given_up_ends_the_session_for_the_application(echo: Echo, stage: Stage) -> None:
    """The application hears of the end though no request says so."""
    polling = await by_polling(echo)
    async with echo.wire() as waiting:
        await waiting.send(request(polling.target))
        await echo.request(f"{SOCKET}?EIO=4&transport=polling&sid=nobody")
    await stage.until(lambda: bool(stage.ends))
    assert await polling.is_gone()


async def test_a_probe_that_is_never_completed_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that probes and says no more keeps its polling, with all that was said meanwhile; here after 0.2 s."""
    monkeypatch.setattr("realtime.engine.sessions.UPGRADE_S", 0.2)
    async with staging(stage) as port:
        polling = await by_polling(Echo(port))
        async with polling.probing() as socket:
            stage.emit(1)
            await socket.ended()
        stage.emit(2)
        assert ['42["tick",1]', '42["tick",2]'] == await polling.packets(2)
        async with polling.upgraded() as socket:
            stage.emit(3)
            assert '42["tick",3]' == await socket.message()


async def test_a_body_that_does_not_end_ends_the_session(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A POST that stops in the middle of its body does not hold the session for ever; here for 0.2 s."""
    monkeypatch.setattr("realtime.engine.polling.BODY_S", 0.2)
    async with staging(stage) as port:
        echo = Echo(port)
        polling = await by_polling(echo)
        async with echo.wire() as wire:
            await wire.send(request(polling.target, method="POST", headers={"Content-Length": "100"}, body=b"42"))
            assert 400 == (await wire.response()).status
        await stage.until(lambda: bool(stage.ends))
        assert await polling.is_gone()


async def test_what_came_before_an_invalid_packet_is_heard(echo: Echo, stage: Stage) -> None:
    """The packets of a payload are handled in order, up to the one that is wrong; then the session ends."""
    polling = await by_polling(echo)
    assert 400 == (await polling.post('42["first"]', "abc", '42["never"]')).status
    await stage.until(lambda: bool(stage.ends))
    assert [["first"]] == stage.heard
