"""Moving from polling to a websocket (Engine.IO v4, "Upgrade"): nothing is lost, doubled or out of order."""

import asyncio
import random

import pytest

from tests.support.echo import ENGINE, Echo, packet_zero
from tests.support.rawsocket import closing, request, text, upgrade_headers, websocket

REPETITIONS = 40


async def test_a_session_moves_to_a_websocket(echo: Echo) -> None:
    """Probe, answer, a noop for the poll that comes meanwhile, upgrade: then messages go by websocket."""
    polling = await echo.polling()
    async with polling.probing() as socket:
        answer = await polling.poll()
        assert (200, "6") == (answer.status, answer.text)
        await socket.send_text("5", "4hello")
        assert "4hello" == await socket.message()


async def test_the_probe_is_answered(echo: Echo, path: str) -> None:
    """`2probe` is answered `3probe`, and `5` is not answered at all."""
    polling = await echo.polling(path)
    async with polling.upgraded() as socket:
        await socket.send_text("1")
        assert None is await socket.message()


async def test_polls_after_the_upgrade_are_refused(echo: Echo, path: str) -> None:
    """A poll or POST of a session that has moved is 400, and the websocket does not notice."""
    polling = await echo.polling(path)
    async with polling.upgraded() as socket:
        await socket.send_text("4hello" if path == ENGINE else "40")
        assert None is not await socket.message()
        assert 400 == (await polling.poll()).status
        assert 400 == (await polling.post("4hello")).status
        await socket.send_text("4still here" if path == ENGINE else '42["message"]')
        assert None is not await socket.message()


async def test_a_second_websocket_after_the_upgrade_is_closed(echo: Echo, path: str) -> None:
    """It is accepted and closed at once, and the first does not notice."""
    polling = await echo.polling(path)
    async with polling.upgraded() as socket:
        await socket.send_text("4hello" if path == ENGINE else "40")
        assert None is not await socket.message()
        async with polling.upgrading() as second:
            await second.ended()
        await socket.send_text("4still here" if path == ENGINE else '42["message"]')
        assert None is not await socket.message()


async def test_a_second_websocket_of_a_websocket_session_is_closed(echo: Echo) -> None:
    """A session that began as a websocket takes no other."""
    target = f"{ENGINE}?EIO=4&transport=websocket"
    async with websocket(echo.port, target) as socket:
        sid = packet_zero(await socket.message())["sid"]
        async with websocket(echo.port, f"{target}&sid={sid}") as second:
            await second.send_text("2probe")
            await second.ended()
        await socket.send_text("4hello")
        assert "4hello" == await socket.message()


async def test_a_waiting_poll_ends_with_a_noop(echo: Echo) -> None:
    """The probe ends the poll, so that the client can leave polling without losing one."""
    polling = await echo.polling()
    async with echo.wire() as waiting:
        await waiting.send(request(polling.target))
        await echo.serves()
        async with polling.probing() as socket:
            answer = await waiting.response()
            assert (200, "6") == (answer.status, answer.text)
            await socket.send_text("5", "4hello")
            assert "4hello" == await socket.message()


async def test_what_was_queued_comes_by_websocket(echo: Echo) -> None:
    """Packets that no poll has fetched follow `5`, in order and before those that come later."""
    polling = await echo.polling()
    await polling.say("4one", "bAQID", "4two")
    async with polling.probing() as socket:
        await socket.send_text("5", "4three")
        assert ["4one", b"\x01\x02\x03", "4two", "4three"] == await socket.messages(4)


async def test_a_post_during_the_upgrade_is_taken(echo: Echo) -> None:
    """A POST that was on its way when the probe began is handled; its echo comes by websocket."""
    polling = await echo.polling()
    async with polling.probing() as socket:
        await polling.say("4by polling")
        await socket.send_text("5", "4by websocket")
        assert ["4by polling", "4by websocket"] == await socket.messages(2)


async def test_a_poll_during_the_upgrade_takes_nothing_away(echo: Echo) -> None:
    """It is answered with a noop at once, as often as it comes; what is queued waits for the websocket."""
    polling = await echo.polling()
    async with polling.probing() as socket:
        await polling.say("4hello")
        assert ["6", "6"] == [(await polling.poll()).text for _ in range(2)]
        await socket.send_text("5")
        assert "4hello" == await socket.message()


async def test_a_websocket_that_never_probes_changes_nothing(echo: Echo) -> None:
    """Opened and closed again, with or without a close frame: polling goes on."""
    polling = await echo.polling()
    for farewell in (b"", closing(1000), closing(1001), closing()):
        async with polling.upgrading() as socket:
            await socket.send(farewell)
        await polling.say("4hello")
        assert ["4hello"] == await polling.packets()


async def test_a_probe_that_is_dropped_changes_nothing(echo: Echo) -> None:
    """The websocket is lost after the probe: polling goes on, with what was said meanwhile, once and in order."""
    polling = await echo.polling()
    await polling.say("4one")
    async with polling.probing() as socket:
        await polling.say("4two")
        socket.reset()
    await polling.say("4three")
    heard: list[str] = []
    while len(heard) < 3:
        heard += [packet for packet in await polling.packets() if packet != "6"]
    assert ["4one", "4two", "4three"] == heard
    async with polling.upgraded() as socket:
        await socket.send_text("4four")
        assert "4four" == await socket.message()


@pytest.mark.parametrize("first", ["4hello", "5", "2", "3probe", "2wrong", "1", "", "abc", "40"])
async def test_a_probe_begins_with_the_probe(echo: Echo, first: str) -> None:
    """Anything else before `2probe` closes that websocket; nothing of it is handled, and polling goes on."""
    polling = await echo.polling()
    async with polling.upgrading() as socket:
        await socket.send_text(first)
        await socket.ended()
    await polling.say("4after")
    assert ["4after"] == await polling.packets()


@pytest.mark.parametrize("then", ["4hello", "1", "abc", "", "6"])
async def test_a_probe_goes_on_with_the_upgrade(echo: Echo, then: str) -> None:
    """Anything but `5` after the probe closes that websocket, and polling goes on."""
    polling = await echo.polling()
    async with polling.probing() as socket:
        await socket.send_text(then)
        await socket.ended()
    await polling.say("4after")
    assert ["4after"] == await polling.packets()


async def test_bytes_are_no_probe(echo: Echo) -> None:
    """A binary frame, even one that reads `2probe`, closes that websocket, and polling goes on."""
    polling = await echo.polling()
    async with polling.upgrading() as socket:
        await socket.send_binary(b"2probe")
        await socket.ended()
    await polling.say("4after")
    assert ["4after"] == await polling.packets()


async def test_an_upgrade_packet_twice_is_no_message(echo: Echo) -> None:
    """A second `5` neither reaches the application nor moves anything."""
    polling = await echo.polling()
    async with polling.probing() as socket:
        await socket.send_text("5", "5", "4hello")
        assert "4hello" == await socket.message()


async def test_two_probes_at_once_leave_one_websocket(echo: Echo) -> None:
    """Of two websockets of one session one is closed; with the other the session works."""
    polling = await echo.polling()
    await polling.say("4queued")
    async with polling.upgrading() as one, polling.upgrading() as other:
        await asyncio.gather(*(socket.send_text("2probe") for socket in (one, other)))
        answers = [await socket.message() for socket in (one, other)]
        assert {"3probe", None} == set(answers), answers
        winner = one if answers[0] else other
        await winner.send_text("5", "4hello")
        assert ["4queued", "4hello"] == await winner.messages(2)


async def test_everything_may_come_in_one_segment(echo: Echo) -> None:
    """Handshake request, probe, upgrade and messages sent together: each is handled, in order."""
    polling = await echo.polling()
    await polling.say("4queued")
    behind = b"".join(map(text, ("2probe", "5", "4one", "4two")))
    async with polling.upgrading(behind=behind) as socket:
        assert ["3probe", "4queued", "4one", "4two"] == await socket.messages(4)


async def test_the_session_ends_with_its_websocket(echo: Echo) -> None:
    """After the upgrade there is no way back: when the websocket is lost, the session is."""
    polling = await echo.polling()
    async with polling.upgraded() as socket:
        await socket.send_text("4hello")
        assert "4hello" == await socket.message()
    await echo.serves()
    assert await polling.is_gone()


async def test_a_session_that_ends_during_the_probe_ends_the_probe(echo: Echo) -> None:
    """A close packet by POST ends both."""
    polling = await echo.polling()
    async with polling.probing() as socket:
        await polling.say("1")
        await socket.ended()
    assert await polling.is_gone()


async def test_the_upgrade_is_refused_on_another_path(echo: Echo) -> None:
    """A session belongs to the engine that opened it."""
    polling = await echo.polling(ENGINE)
    target = polling.websocket_target.replace("engine.io", "socket.io")
    assert 400 == (await echo.request(target, headers=upgrade_headers())).status


@pytest.mark.parametrize("seed", range(REPETITIONS))
async def test_nothing_is_lost_whenever_the_upgrade_happens(echo: Echo, seed: int) -> None:
    """A client that posts and polls all the time and upgrades at some moment gets each echo once, in order.

    It behaves as the official client does: it stops posting before `5`, and reads a poll that waits to its end.
    """
    chance = random.Random(seed)
    polling = await echo.polling()
    heard: list[str] = []
    said = 0

    async def listen() -> None:
        while True:
            answer = await polling.poll()
            assert 200 == answer.status, answer
            packets = answer.text.split("\x1e")
            heard.extend(packet for packet in packets if packet != "6")
            if "6" in packets:
                return

    async def pause() -> None:
        for _ in range(chance.choice((0, 0, 1, 5, 20))):
            await asyncio.sleep(0)

    async def say(count: int) -> None:
        nonlocal said
        for _ in range(count):
            await polling.say(*(f"4{number}" for number in range(said, said + 3)))
            said += 3
            await pause()

    listening = asyncio.ensure_future(listen())
    await say(chance.randrange(5))
    async with websocket(echo.port, polling.websocket_target) as socket:
        saying = asyncio.ensure_future(say(chance.randrange(6)))
        await pause()
        await socket.send_text("2probe")
        assert "3probe" == await socket.message()
        await asyncio.gather(listening, saying)
        more = [f"4{number}" for number in range(said, said + chance.randrange(5))]
        await socket.send_text("5", *more, "4end")
        while (message := await socket.message()) != "4end":
            assert isinstance(message, str), message
            heard.append(message)
    assert [f"4{number}" for number in range(said + len(more))] == heard
