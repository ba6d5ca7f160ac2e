"""Pings and pongs (Engine.IO v4, "Heartbeat"), and clients that go without a word."""

import asyncio

from tests.support.echo import ENGINE, Echo, packet_zero
from tests.support.rawsocket import Opcode, frame, request, text, upgrade_headers, websocket

INTERVAL_S = 0.3
TIMEOUT_S = 0.2
ROUNDS = 3


async def test_pings_come_by_polling(beating: Echo, path: str) -> None:
    """A poll with nothing else to fetch ends with a ping; a pong by POST keeps the session, again and again."""
    polling = await beating.polling(path)
    for _ in range(ROUNDS):
        answer = await polling.poll()
        assert (200, "2") == (answer.status, answer.text)
        await polling.say("3")


async def test_a_polling_session_without_pongs_is_gone_in_time(beating: Echo, path: str) -> None:
    """Ping interval and timeout after it was opened, a session that never sent a pong answers no poll any more.

    To the millisecond: the wait is the promise here, so it is neither shorter nor longer.
    """
    polling = await beating.polling(path)
    await asyncio.sleep(INTERVAL_S + TIMEOUT_S)
    assert await polling.is_gone()


async def test_polls_are_no_pongs(beating: Echo, path: str) -> None:
    """A client that polls and never answers a ping is let go like a silent one."""
    polling = await beating.polling(path)
    assert "2" == (await polling.poll()).text
    while (answer := await polling.poll()).status == 200:
        assert "1" == answer.text
    assert await polling.is_gone()


async def test_messages_are_no_pongs(beating: Echo) -> None:
    """A client that talks without a pause and never answers a ping is let go as well."""
    async with beating.websocket() as socket:
        socket.pongs = False
        while await socket.message() is not None:
            await socket.send_text("4more")


async def test_pings_come_by_websocket(beating: Echo, path: str) -> None:
    """The server pings, the client answers, again and again."""
    async with beating.websocket(path) as socket:
        socket.pongs = False
        for _ in range(ROUNDS):
            assert "2" == await socket.message()
            await socket.send_text("3")
            if path == ENGINE:
                await socket.send_text("4alive")
                assert "4alive" == await socket.message()


async def test_a_websocket_without_pongs_is_closed(beating: Echo, path: str) -> None:
    """A client that does not answer is let go: one ping, then the end."""
    async with beating.websocket(path) as socket:
        socket.pongs = False
        assert "2" == await socket.message()
        await socket.ended()


async def test_a_client_that_vanished_is_let_go(beating: Echo) -> None:
    """Half-open: nothing comes any more, not even a FIN, and nothing is read. Its session is gone."""
    polling = await beating.polling()
    async with polling.upgraded() as vanished:
        vanished.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport can
        while (await beating.request(polling.websocket_target, headers=upgrade_headers())).status == 101:
            pass  # a session that was upgraded takes a second websocket and closes it; one that is gone refuses it


async def test_a_client_that_only_finishes_is_let_go(echo: Echo) -> None:
    """A FIN without a close frame: the server closes its half too, and waits for no timeout."""
    async with echo.websocket() as socket:
        socket.finish()
        await socket.ended()


async def test_a_client_that_resets_is_forgotten(echo: Echo) -> None:
    """A RST ends the session; nobody else notices."""
    async with echo.websocket() as socket:
        socket.reset()


async def test_a_client_that_finishes_in_the_middle_of_a_frame_is_let_go(echo: Echo) -> None:
    """A FIN where more bytes are due ends the connection."""
    async with echo.websocket() as socket:
        await socket.send(text("4hello")[:-2])
        socket.finish()
        await socket.ended()


async def test_a_pong_nobody_asked_for_is_fine(echo: Echo) -> None:
    """Clients may send pongs early; they are no messages."""
    polling = await echo.polling()
    await polling.say("3", "4a", "3")
    assert ["4a"] == await polling.packets()
    async with echo.websocket() as socket:
        await socket.send_text("3", "4a", "3probe", "4b")
        assert ["4a", "4b"] == await socket.messages(2)


async def test_a_session_survives_an_upgrade_between_pings(beating: Echo) -> None:
    """The heartbeat goes on over the websocket, once for each interval and not twice."""
    polling = await beating.polling()
    async with polling.upgraded() as socket:
        socket.pongs = False
        for _ in range(ROUNDS):
            assert "2" == await socket.message()
            await socket.send_text("3")


async def test_a_ping_that_polling_announced_may_be_answered_by_websocket(beating: Echo) -> None:
    """A pong counts whichever way it comes."""
    polling = await beating.polling()
    assert "2" == (await polling.poll()).text
    async with polling.upgraded() as socket:
        socket.pongs = False
        await socket.send_text("3")
        for _ in range(ROUNDS):
            assert "2" == await socket.message()
            await socket.send_text("3")


async def test_control_frames_are_no_pongs(beating: Echo) -> None:
    """A websocket pong is not an Engine.IO pong: the client that sends only those is let go."""
    async with websocket(beating.port, f"{ENGINE}?EIO=4&transport=websocket") as socket:
        packet_zero(await socket.message())
        socket.pongs = False
        assert "2" == await socket.message()
        await socket.send(frame(Opcode.PONG, b"3"))
        await socket.ended()


async def test_a_poll_that_waits_when_time_is_up_is_answered(beating: Echo) -> None:
    """Nobody is left hanging on a session that has ended."""
    polling = await beating.polling()
    assert "2" == (await polling.poll()).text
    async with beating.wire() as waiting:
        await waiting.send(request(polling.target))
        assert (await waiting.response()).status in {200, 400}
