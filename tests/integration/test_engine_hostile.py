"""Clients that mean harm, against the whole product: what they hold is let go, and their neighbours miss nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from core.ids import UserId
from realtime.lifecycle import Server
from tests.support.person import connected
from tests.support.rawsocket import Opcode, Wire, exchange, frame, text, upgrade_headers, websocket
from tests.support.server import running, token, user
from tests.support.siege import (
    POLLING,
    WEBSOCKET,
    Standing,
    connect_packet,
    drop,
    guest,
    holds_again,
    neighbours,
    no_complaints,
    poller,
    sample,
    sign_in,
    stranger,
    until,
)

CUT = "homeroom_connections_cut_total"
EVENT = '421["room:list",{}]'


# ── who does not sign in ─────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[Server]:
    """A server that waits for a sign-in for a fifth of a second only."""
    async with running(tmp_path, {"sign_in_ms": 200}) as server:
        yield server


@asynccontextmanager
async def cut_for_not_signing_in(server: Server) -> AsyncIterator[None]:
    """Check that one session is cut in the block, for the right reason, and that somebody who signed in stays."""
    async with guest(server, "ada") as ada:
        before = Standing.of(server)
        yield
        await holds_again(server, before)
        assert 1 == await sample(server, CUT, reason="not_signed_in")
        await ada.send_text(EVENT)
        assert str(await ada.message()).startswith("431[")


@pytest.mark.parametrize(
    "said",
    [(), ("3",), (EVENT,), ("40/nowhere",), ('40{"token":"no token"}',), ("41",)],
    ids=["nothing", "a pong", "an event", "an unknown namespace", "a bad token", "goodbye"],
)
async def test_a_websocket_that_does_not_sign_in_is_dropped(hasty: Server, said: tuple[str, ...]) -> None:
    """Whatever it says meanwhile, over and over: who has not signed in in time is sent away."""
    async with cut_for_not_signing_in(hasty), stranger(hasty) as socket:
        chatter = asyncio.create_task(pour(socket, b"".join(map(text, said)), every_s=0.01))
        await socket.ended()
        chatter.cancel()
        await asyncio.gather(chatter, return_exceptions=True)


async def test_polling_that_does_not_sign_in_is_dropped(hasty: Server) -> None:
    """A poll that waits is answered, and the session is gone."""
    async with cut_for_not_signing_in(hasty):
        address = await poller(hasty)
        assert "1" == (await exchange(hasty.port, address)).text
        assert 400 == (await exchange(hasty.port, address)).status


async def test_polling_that_never_comes_back_is_dropped(hasty: Server) -> None:
    """A session that was opened and forgotten does not stay."""
    async with cut_for_not_signing_in(hasty):
        assert 200 == (await exchange(hasty.port, POLLING)).status


@pytest.mark.parametrize("namespaces", [["/"], ["/", "/admin"]], ids=["one", "two"])
async def test_who_left_the_last_namespace_is_dropped(hasty: Server, namespaces: list[str]) -> None:
    """The time runs again for a connection that was signed in and is no more."""
    async with cut_for_not_signing_in(hasty), stranger(hasty) as socket:
        for namespace in namespaces:
            prefix = "" if namespace == "/" else f"{namespace},"
            await socket.send_text(connect_packet(token(hasty, "root", "admin")).replace("40", f"40{prefix}", 1))
            while not str(await socket.message()).startswith(f"40{prefix}{{"):
                pass
        for namespace in namespaces:
            await socket.send_text("41" if namespace == "/" else f"41{namespace},")
        await socket.ended()


async def test_who_leaves_and_comes_back_stays(hasty: Server) -> None:
    """Nobody is sent away for what was before: a namespace left and joined again is time enough."""
    async with guest(hasty, "ada") as socket:
        await socket.send_text("41")
        await sign_in(socket, token(hasty, "ada"))
        async with stranger(hasty) as other:  # by its end, the time of the first is long over
            await other.ended()
        await socket.send_text(EVENT)
        assert str(await socket.message()).startswith("431[")


# ── who sends too much ───────────────────────────────────────────────────────────────────────────


FLOODS = {
    "websocket pings": frame(Opcode.PING, b"x"),
    "websocket pongs": frame(Opcode.PONG),
    "engine pongs": text("3"),
    "no-ops": text("6"),
    "events without an ack": text('42["room:list",{}]'),
    "events with an ack": text(EVENT),
    "unknown namespaces": text("40/nowhere"),
    "goodbyes to nobody": text("41/admin,"),
    "acks of nothing": text("437[]"),
    "empty fragments": frame(Opcode.TEXT, b"6", fin=False) + frame(Opcode.CONTINUATION, fin=False) * 8
    + frame(Opcode.CONTINUATION),
}  # fmt: skip


@pytest.mark.parametrize("piece", FLOODS.values(), ids=FLOODS)
async def test_a_flood_of_frames_drowns_nobody_else(tmp_path: Path, piece: bytes) -> None:
    """While one client sends as fast as it can and reads nothing, two others talk, and miss nothing."""
    limits = {"events_per_s": 20, "events_burst": 40}
    async with running(tmp_path, limits) as server:
        before = Standing.of(server)
        async with stranger(server) as flooder:
            await sign_in(flooder, token(server, "ada"))
            with no_complaints():
                async with neighbours(server) as both:
                    flood = asyncio.create_task(pour(flooder, piece * 1000))
                    await both.talk(rounds=5)
                    flood.cancel()
                    await asyncio.gather(flood, return_exceptions=True)
            await drop(flooder)
        await holds_again(server, before)


async def pour(wire: Wire, data: bytes, *, every_s: float = 0) -> None:
    """Send the same for ever, or until the server has enough."""
    with suppress(ConnectionError):
        while not wire.reader.at_eof():
            await wire.send(data)
            await asyncio.sleep(every_s)


@pytest.mark.parametrize(
    "lines",
    [
        [b"X-%d: y\r\n" % number for number in range(5000)],
        [b"X: " + b"y" * 100_000],
        [b"Cookie: a=b\r\n"] * 5000,
    ],
    ids=["many", "one long", "one name"],
)
@pytest.mark.parametrize("target", ["/healthz", WEBSOCKET], ids=["http", "websocket"])
async def test_a_flood_of_headers_is_refused(server: Server, lines: list[bytes], target: str) -> None:
    """Nobody's memory is filled with a head: it is answered 431 or 400 before it ends, and the connection closed."""
    before = Standing.of(server)
    start = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n".encode()
    if target == WEBSOCKET:
        start += b"".join(f"{name}: {value}\r\n".encode() for name, value in upgrade_headers().items())
    with no_complaints():
        async with neighbours(server) as both:
            wires = [await Wire.open(server.port) for _ in range(20)]
            for wire in wires:
                wire.writer.write(start + b"".join(lines))
            await both.talk()
            for wire in wires:
                assert (await wire.response()).status in {400, 431}
                await wire.close()
    await holds_again(server, before)


async def test_answers_to_probes_are_not_piled_up(server: Server) -> None:
    """Someone who probes for ever and does not read gets no more answers than the connection takes."""
    before, tally = Standing.of(server), server.app.sockets.tally
    address = await poller(server, token(server, "ada"))
    async with websocket(server.port, address.replace("transport=polling", "transport=websocket")) as probe:
        probe.writer.transport.pause_reading()  # type: ignore[attr-defined]
        with suppress(ConnectionError):
            while not tally.paused:
                await probe.send(text("2probe") * 1000)
        answered = tally.frames_out
        with suppress(ConnectionError):
            for _ in range(20):
                await probe.send(text("2probe") * 1000)
                await asyncio.sleep(0)
        assert answered == tally.frames_out
        await drop(probe)
    assert 200 == (await exchange(server.port, address, method="POST", body=b"1")).status
    await holds_again(server, before)


# ── who does not read ────────────────────────────────────────────────────────────────────────────


async def full_room(server: Server, *members: str) -> str:
    """Make a room in which the teacher has said much; return its id."""
    for member in members:
        await server.app.store.users.put(user(member))
    async with connected(server.url, "ms-rao", token(server, "ms-rao", "teacher")) as rao:
        asked = {"kind": "group", "title": "All", "member_ids": list(members)}
        room_id: str = (await rao.ok("room:open", asked))["room"]["id"]
        for _ in range(60):
            await rao.send(room_id, "x" * 7900)
    return room_id


async def test_who_asks_for_much_and_reads_nothing_is_cut(server: Server) -> None:
    """Big answers that nobody fetches end the connection; others are served meanwhile."""
    room_id = await full_room(server, "ada")
    before = Standing.of(server)
    ask = text(f'427["message:history",{{"room_id":"{room_id}","limit":60}}]')
    with no_complaints():
        async with neighbours(server) as both, guest(server, "ada") as greedy:
            greedy.writer.transport.pause_reading()  # type: ignore[attr-defined]
            asking = asyncio.create_task(pour(greedy, ask))
            while not asking.done():
                await both.talk()
            await drop(greedy)
        assert 1 == await sample(server, CUT, reason="slow_consumer")
    await holds_again(server, before)


async def test_a_poller_that_does_not_poll_is_asked_to_wait(tmp_path: Path) -> None:
    """What is posted beyond what its answers may fill is not handled, and the session ends when it stays silent."""
    async with running(tmp_path, {"queue_frames": 20}, ping_interval_ms=300, ping_timeout_ms=300) as server:
        before = Standing.of(server)
        address = await poller(server, token(server, "ada"))
        body = "\x1e".join(f'42{number}["room:list",{{}}]' for number in range(40)).encode()
        posted = await exchange(server.port, address, method="POST", body=body)
        assert posted.status in {200, 400}
        handled = await sample(server, "homeroom_event_seconds_count", event="room:list", code="ok")
        assert handled <= 40
        await holds_again(server, before)


async def test_a_second_post_does_not_strand_the_first(tmp_path: Path) -> None:
    """Two posts at one time end the session; the one that waited for its turn is answered too."""
    async with running(tmp_path, {"queue_frames": 20}) as server:
        before = Standing.of(server)
        address = await poller(server, token(server, "ada"))
        body = "\x1e".join(f'42{number}["room:list",{{}}]' for number in range(40)).encode()
        first = asyncio.create_task(exchange(server.port, address, method="POST", body=body))
        events = "homeroom_event_seconds_count"
        while await sample(server, events, event="room:list", code="ok") < 11:
            assert not first.done()
        assert 400 == (await exchange(server.port, address, method="POST", body=b"3")).status
        assert (await first).status in {200, 400}
        await holds_again(server, before)


async def test_a_stalled_reader_costs_the_others_nothing(server: Server) -> None:
    """In a busy room who does not read is cut as `slow_consumer`; everyone else gets every message, in order."""
    room_id = await full_room(server, "ada", "ben", "cleo")
    async with (
        connected(server.url, "ben", token(server, "ben")) as ben,
        connected(server.url, "cleo", token(server, "cleo"), transports=["polling"]) as cleo,
        guest(server, "ada") as ada,
    ):
        ada.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sent: list[int] = []
        while await sample(server, CUT, reason="slow_consumer") == 0:
            burst = await asyncio.gather(*(ben.send(room_id, "y" * 7900) for _ in range(50)))
            sent += [message["seq"] for message in burst]
        assert 1 == await sample(server, CUT, reason="slow_consumer")
        await until(lambda: not server.app.hub.of_user(UserId("ada")))
        for person in (ben, cleo):
            await person.settle()
            assert sorted(sent) == [new["message"]["seq"] for new in person.seen("message:new")]
        assert 0 == await sample(server, "homeroom_sessions_paused")
