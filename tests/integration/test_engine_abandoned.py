"""Clients that go in the middle of it, at every stage: nothing of them stays, and their neighbours miss nothing."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from realtime.engine.session import Session
from realtime.lifecycle import Server
from tests.support.rawsocket import Response, Wire, closing, exchange, request, text, upgrade_headers, websocket
from tests.support.server import token
from tests.support.siege import (
    WEBSOCKET,
    Standing,
    connect_packet,
    drop,
    holds_again,
    is_offline,
    neighbours,
    no_complaints,
    poller,
    stranger,
    until,
)

EVENT = '421["room:list",{}]'
GUESTS = 2000
AT_ONCE = 50


# ── who goes in the middle of it ─────────────────────────────────────────────────────────────────

HANDSHAKE = request(WEBSOCKET, headers=upgrade_headers())
Stage = Callable[[Server, str], Coroutine[Any, Any, None]]
"""Comes, does a part of what clients do, and is gone. The string is a token."""


async def before_the_head(server: Server, _: str) -> None:
    await drop(await Wire.open(server.port))


async def within_the_head(server: Server, _: str) -> None:
    wire = await Wire.open(server.port)
    await wire.send(HANDSHAKE[:70])
    await drop(wire)


async def after_the_head(server: Server, _: str) -> None:
    wire = await Wire.open(server.port)
    await wire.send(HANDSHAKE)
    await drop(wire)


async def after_open(server: Server, _: str) -> None:
    async with stranger(server) as socket:
        await drop(socket)


async def during_connect(server: Server, access: str) -> None:
    wire = await Wire.open(server.port)
    await wire.send(HANDSHAKE, text(connect_packet(access)))
    await drop(wire)


async def during_an_event(server: Server, access: str) -> None:
    wire = await Wire.open(server.port)
    await wire.send(HANDSHAKE, text(connect_packet(access)), text(EVENT))
    while b"42[" not in (heard := await wire.reader.read(4096)):
        assert heard, "the server closed"
    await wire.send(text(EVENT) * 3)
    await drop(wire)


async def within_a_frame(server: Server, access: str) -> None:
    wire = await Wire.open(server.port)
    await wire.send(HANDSHAKE, text(connect_packet(access)), text(EVENT)[:-4])
    await drop(wire)


async def during_a_poll(server: Server, access: str) -> None:
    address = await poller(server, access)
    session = server.app.sockets.sessions.find(address.rpartition("=")[2])
    assert session is not None
    wire = await Wire.open(server.port)
    while not session.polled:  # what was under way to it is there at once: then it asks again
        await wire.send(request(address))
        answer = asyncio.ensure_future(wire.response())
        await until(partial(settled, session, answer))
        answer.cancel()
    await drop(wire)


def settled(session: Session, answer: "asyncio.Future[Response]") -> bool:
    """Whether a poll waits, or has been answered."""
    return session.polled or answer.done()


async def during_a_post(server: Server, access: str) -> None:
    address = await poller(server)
    wire = await Wire.open(server.port)
    whole = request(address, method="POST", body=f"{connect_packet(access)}\x1e{EVENT}".encode())
    await wire.send(whole[:-5])
    await drop(wire)
    assert 400 == (await exchange(server.port, address, method="POST", body=b"1")).status


STAGES = (
    before_the_head,
    within_the_head,
    after_the_head,
    after_open,
    during_connect,
    within_a_frame,
    during_an_event,
    during_a_poll,
    during_a_post,
)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
async def test_who_goes_in_the_middle_leaves_nothing_behind(server: Server, stage: Stage) -> None:
    """Two thousand come and go at each stage: no visit, session, connection, presence, nor anything else stays."""
    crowd = [f"user-{number}" for number in range(100)]
    tokens = [token(server, user_id) for user_id in crowd]
    with no_complaints():
        async with neighbours(server) as both:
            before = Standing.of(server)
            await come_and_go(server, stage, tokens, 200)
            await holds_again(server, before)
            await is_offline(server, *crowd)
            gc.collect()
            objects = len(gc.get_objects())
            await come_and_go(server, stage, tokens, GUESTS)
            await both.talk()
            await holds_again(server, before)
            await is_offline(server, *crowd)
            gc.collect()
            assert len(gc.get_objects()) - objects < GUESTS


async def come_and_go(server: Server, stage: Stage, tokens: list[str], count: int) -> None:
    """Have many go through a stage, some at one time."""
    for number in range(0, count, AT_ONCE):
        access = [tokens[(number + each) % len(tokens)] for each in range(AT_ONCE)]
        await asyncio.gather(*(stage(server, one) for one in access))


# ── upgrades that come to nothing ────────────────────────────────────────────────────────────────


UPGRADES: dict[str, tuple[str, ...]] = {
    "at once": (),
    "with a probe": ("2probe",),
    "with two probes": ("2probe", "2probe"),
    "with no probe": ("5",),
    "with a message": ("2probe", EVENT),
    "with nonsense": ("2probe", "garbage"),
}


@pytest.mark.parametrize("said", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize("end", ["reset", "close", "close frame"])
async def test_an_upgrade_that_is_abandoned_changes_nothing(server: Server, said: tuple[str, ...], end: str) -> None:
    """Before its `5` a websocket may go in any way: the session stays with polling, and loses nothing."""
    before = Standing.of(server)
    address = await poller(server, token(server, "ada"))
    with no_complaints():
        for _ in range(3):
            async with websocket(server.port, address.replace("transport=polling", "transport=websocket")) as probe:
                await probe.send_text(*said)
                if said[:1] == ("2probe",):
                    assert "3probe" == await probe.message()
                asked = await exchange(server.port, address, method="POST", body=EVENT.encode())
                assert (200, "ok") == (asked.status, asked.text)
                if end == "reset":
                    probe.reset()
                elif end == "close frame":
                    await probe.send(closing(1000))
                    await probe.ended()
            answer = await packets(server, address)
            assert [] == [packet for packet in answer if not packet.startswith("431[")]
            assert len(answer) in {1, 2}  # two, if what the probe said counted as said
    assert 200 == (await exchange(server.port, address, method="POST", body=b"1")).status
    await holds_again(server, before)


async def packets(server: Server, address: str) -> list[str]:
    """Poll until there is more than a no-op; return the packets."""
    while (answer := await exchange(server.port, address)).text == "6":
        pass
    assert 200 == answer.status
    return answer.text.split("\x1e")


@pytest.mark.parametrize("end", ["reset", "close", "close frame"])
async def test_an_upgrade_that_is_done_ends_with_its_websocket(server: Server, end: str) -> None:
    """After its `5` the session is the websocket's, however soon that goes, and polling knows it no more."""
    before = Standing.of(server)
    with no_complaints():
        for _ in range(20):
            address = await poller(server, token(server, "ada"))
            async with websocket(server.port, address.replace("transport=polling", "transport=websocket")) as socket:
                await socket.send_text("2probe", "5", EVENT)
                if end == "reset":
                    socket.reset()
                elif end == "close frame":
                    await socket.send(closing(1000))
                    await socket.ended()
        await holds_again(server, before)
        assert 400 == (await exchange(server.port, address)).status
    await is_offline(server, "ada")
