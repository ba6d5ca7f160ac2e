"""Ending a session (Engine.IO v4, packet type `close`)."""

import pytest

from tests.support.echo import ENGINE, Echo
from tests.support.rawsocket import request


async def test_a_close_packet_by_polling_ends_the_session(echo: Echo, path: str) -> None:
    """The waiting poll ends with a noop, and the session is gone."""
    polling = await echo.polling(path)
    async with echo.wire() as waiting:
        await waiting.send(request(polling.target))
        await echo.serves()
        await polling.say("1")
        answer = await waiting.response()
        assert (200, "6") == (answer.status, answer.text)
    assert await polling.is_gone()


async def test_a_close_packet_without_a_waiting_poll_ends_the_session(echo: Echo, path: str) -> None:
    """Nobody waits, so there is nobody to tell: polls and POSTs are 400."""
    polling = await echo.polling(path)
    await polling.say("1")
    assert await polling.is_gone()
    assert 400 == (await polling.post("4hello")).status


async def test_a_close_packet_by_websocket_ends_the_connection(echo: Echo, path: str) -> None:
    """The server closes the websocket."""
    async with echo.websocket(path) as socket:
        await socket.send_text("1")
        await socket.ended()


async def test_nothing_behind_a_close_packet_is_handled(echo: Echo) -> None:
    """What was said before the close is answered; what follows it in the same segment is not."""
    async with echo.websocket() as socket:
        await socket.send_text("4before", "1", "4after")
        assert "4before" == await socket.message()
        assert None is await socket.message()


@pytest.mark.parametrize("packet", ["abc", "", "7", "9", "x4hello", " ", "-1", "\x1e", "4hello"[1:]])
async def test_an_invalid_packet_by_websocket_ends_the_connection(echo: Echo, path: str, packet: str) -> None:
    """What is no Engine.IO packet closes the websocket."""
    async with echo.websocket(path) as socket:
        await socket.send_text(packet)
        await socket.ended()


async def test_a_session_whose_websocket_ended_is_gone(echo: Echo) -> None:
    """It can be neither polled nor taken up by another websocket."""
    polling = await echo.polling()
    async with polling.upgraded() as socket:
        await socket.send_text("1")
        await socket.ended()
    assert await polling.is_gone()
    assert 400 == (await polling.post("4hello")).status


async def test_sessions_end_one_by_one(echo: Echo) -> None:
    """The end of one session is nobody else's."""
    one, other = await echo.polling(ENGINE), await echo.polling(ENGINE)
    await one.say("1")
    assert await one.is_gone()
    await other.say("4hello")
    assert ["4hello"] == await other.packets()
