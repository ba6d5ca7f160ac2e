"""Clients that take their time to say anything ("slowloris"), at a server that gives them 300 ms for it."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.echo import ENGINE, Echo, echoing
from tests.support.rawsocket import request, upgrade_headers

OPEN = f"{ENGINE}?EIO=4&transport=polling"


@pytest.fixture(scope="module")
def hasty() -> Iterator[Echo]:
    """A server that waits 300 ms for the head of a request."""
    with echoing("--head-timeout-ms", "300", "--ping-interval-ms", "60000", "--ping-timeout-ms", "60000") as echo:
        yield echo


async def test_a_connection_without_a_request_is_closed(hasty: Echo) -> None:
    """Who says nothing is told nothing."""
    async with hasty.wire() as wire:
        assert b"" == await wire.rest()


@pytest.mark.parametrize("part", [5, 20, 60])
async def test_a_head_that_does_not_end_is_closed(hasty: Echo, part: int) -> None:
    """408 or nothing, and the connection ends, however far the head had come."""
    async with hasty.wire() as wire:
        await wire.send(request(OPEN)[:part])
        answer = await wire.rest()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


async def test_a_trickle_does_not_win_time(hasty: Echo) -> None:
    """A header now and then keeps no connection open: the whole head has to be there in time."""
    async with hasty.wire() as wire:

        async def drip() -> None:
            with suppress(ConnectionError):
                await wire.send(b"GET / HTTP/1.1\r\n")
                while True:
                    await asyncio.sleep(0.05)
                    await wire.send(b"X: y\r\n")

        dripping = asyncio.ensure_future(drip())
        answer = await wire.rest()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
        dripping.cancel()


async def test_a_websocket_handshake_has_no_more_time(hasty: Echo) -> None:
    """The same holds for the head that would become a websocket."""
    whole = request(f"{ENGINE}?EIO=4&transport=websocket", headers=upgrade_headers())
    async with hasty.wire() as wire:
        await wire.send(whole[:-2])
        answer = await wire.rest()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


async def test_the_second_head_has_no_more_time(hasty: Echo) -> None:
    """A connection that has been honest once gets no more patience for the next head."""
    async with hasty.wire() as wire:
        await wire.send(request(OPEN))
        assert 200 == (await wire.response()).status
        await wire.send(request(OPEN)[:40])
        answer = await wire.rest()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


async def test_a_hundred_of_them_stop_nobody(hasty: Echo) -> None:
    """Others are served while they wait, and after they are gone."""
    wires = [hasty.wire() for _ in range(100)]
    opened = [await wire.__aenter__() for wire in wires]
    for wire in opened:
        await wire.send(b"GET /engine.io/ HT")
    await hasty.serves()
    for wire, context in zip(opened, wires, strict=True):
        await wire.rest()
        await context.__aexit__(None, None, None)
    await hasty.serves()


async def test_who_waits_for_an_answer_is_not_slow(hasty: Echo) -> None:
    """The time is for heads only: a poll waits as long as it must, and a websocket may be silent."""
    polling = await hasty.polling()
    async with hasty.wire() as waiting, hasty.websocket() as quiet, hasty.wire() as slow:
        await waiting.send(request(polling.target))
        await slow.rest()
        await polling.say("4late")
        assert b"4late" == (await waiting.response()).body
        await quiet.send_text("4still here")
        assert "4still here" == await quiet.message()
