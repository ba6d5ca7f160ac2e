"""Messages by polling (Engine.IO v4, "Sending and receiving data" and "Packet encoding")."""

import asyncio
import base64
import os

import pytest

from tests.support.echo import MAX_PAYLOAD, SEPARATOR, Echo
from tests.support.rawsocket import request


async def test_a_text_packet_is_echoed(echo: Echo) -> None:
    """A POST is answered `ok`; the next poll has the answer and nothing else."""
    polling = await echo.polling()
    answer = await polling.post("4hello")
    assert (200, "ok") == (answer.status, answer.text)
    polled = await polling.poll()
    assert (200, "4hello") == (polled.status, polled.text)
    assert "text/plain; charset=utf-8" == polled.headers["content-type"].lower()


async def test_several_packets_of_one_payload_are_echoed_in_one(echo: Echo) -> None:
    """Packets are separated by the record separator, both ways, in order."""
    polling = await echo.polling()
    await polling.say("4test1", "4test2", "4test3")
    assert "4test1\x1e4test2\x1e4test3" == (await polling.poll()).text


async def test_text_and_binary_share_a_payload(echo: Echo) -> None:
    """Binary packets are base64 behind a `b`, both ways, between text packets."""
    polling = await echo.polling()
    await polling.say("4hello", "bAQIDBA==", "4world")
    assert "4hello\x1ebAQIDBA==\x1e4world" == (await polling.poll()).text


async def test_empty_messages_are_messages(echo: Echo) -> None:
    """A message may be the empty string or no bytes at all."""
    polling = await echo.polling()
    await polling.say("4", "b", "4")
    assert ["4", "b", "4"] == await polling.packets(3)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 1000, 65_537])
async def test_any_bytes_come_back_as_they_were(echo: Echo, size: int) -> None:
    """Base64 with every kind of padding."""
    packet = "b" + base64.b64encode(os.urandom(size)).decode()
    polling = await echo.polling()
    await polling.say(packet)
    assert [packet] == await polling.packets()


@pytest.mark.parametrize("text", ["€", "日本語", "🎓👩‍🏫", "é" * 40_000, "\x00", "\u2028", "a\r\nb", "%1e", "\ufeff"])
async def test_any_text_comes_back_as_it_was(echo: Echo, text: str) -> None:
    """UTF-8, whatever it says."""
    polling = await echo.polling()
    await polling.say(f"4{text}")
    assert [f"4{text}"] == await polling.packets()


@pytest.mark.parametrize(
    "body",
    [
        b"abc",
        b"",
        b"\x1e",
        b"\x1e\x1e",
        b"4hello\x1e",
        b"\x1e4hello",
        b"4a\x1e\x1e4b",
        b"7",
        b"8x",
        b"9",
        b"-1",
        b" 4hello",
        b"\xff",
        b"4\xff\xfe",
        b"4\xed\xa0\x80",
        b"4\xe2\x82",
        b"b*",
        b"bA",
        b"bAQI",
        b"bAQ==BA",
        b"bAQID BA==",
        "bé".encode(),
        b"4fine\x1ebad!",
    ],
    ids=repr,
)
async def test_an_invalid_packet_ends_the_session(echo: Echo, body: bytes) -> None:
    """No packet, an unknown type, broken UTF-8 or base64: 400, and the session is gone."""
    polling = await echo.polling()
    assert 400 == (await polling.post_bytes(body)).status
    assert 400 == (await polling.poll()).status
    assert 400 == (await polling.post("4hello")).status


async def test_an_invalid_packet_ends_the_waiting_poll(echo: Echo) -> None:
    """Whoever waits for packets of a session that has ended is told at once."""
    polling = await echo.polling()
    async with echo.wire() as waiting:
        await waiting.send(request(polling.target))
        await echo.serves()
        assert 400 == (await polling.post_bytes(b"abc")).status
        assert (await waiting.response()).status in {200, 400}
    assert await polling.is_gone()


async def test_a_second_poll_ends_the_session(echo: Echo) -> None:
    """The poll that waited gets a close packet, the second 400, and the session is gone."""
    polling = await echo.polling()
    async with echo.wire() as waiting:
        await waiting.send(request(polling.target))
        await echo.serves()
        assert 400 == (await polling.poll()).status
        first = await waiting.response()
        assert (200, "1") == (first.status, first.text)
    assert await polling.is_gone()


async def test_a_poll_that_the_client_gives_up_ends_the_session(echo: Echo) -> None:
    """What the server would have sent with it could be lost in silence: the session is gone instead."""
    polling = await echo.polling()
    async with echo.wire() as waiting:
        await waiting.send(request(polling.target))
        await echo.serves()
    await echo.serves()
    assert 400 == (await polling.post("4hello")).status
    assert await polling.is_gone()


async def test_a_poll_that_is_reset_ends_the_session(echo: Echo) -> None:
    """The same when the client vanishes with a RST."""
    polling = await echo.polling()
    async with echo.wire() as waiting:
        await waiting.send(request(polling.target))
        await echo.serves()
        waiting.reset()
    await echo.serves()
    assert 400 == (await polling.post("4hello")).status
    assert await polling.is_gone()


async def test_a_second_post_ends_the_session(echo: Echo) -> None:
    """Two POSTs at once could be handled in either order: the second is 400, and the session is gone."""
    polling = await echo.polling()
    async with echo.wire() as slow:
        whole = request(polling.target, method="POST", body=b"4hello")
        await slow.send(whole[:-2])
        await echo.serves()
        assert 400 == (await polling.post("4world")).status
    assert await polling.is_gone()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
async def test_other_methods_do_nothing_to_a_session(echo: Echo, method: str) -> None:
    """They are 400, and whoever holds the session does not notice."""
    polling = await echo.polling()
    assert 400 == (await echo.request(polling.target, method=method)).status
    await polling.say("4hello")
    assert ["4hello"] == await polling.packets()


async def test_a_waiting_poll_gets_what_comes(echo: Echo) -> None:
    """A poll with nothing to fetch waits for the next packet."""
    polling = await echo.polling()
    poll = asyncio.ensure_future(polling.poll())
    await echo.serves()
    await polling.say("4late")
    assert "4late" == (await poll).text


async def test_many_posts_are_echoed_in_order(echo: Echo) -> None:
    """A hundred POSTs of ten packets, polled at the same time: every packet once, in order."""
    polling = await echo.polling()
    said = [f"4{number}" for number in range(1000)]
    listening = asyncio.ensure_future(polling.packets(len(said)))
    for start in range(0, len(said), 10):
        await polling.say(*said[start : start + 10])
    assert said == await listening


@pytest.mark.parametrize("letter", ["x", "é", "€", "🎓"])
async def test_a_payload_of_just_the_limit_is_taken(echo: Echo, letter: str) -> None:
    """maxPayload counts bytes, not characters: a POST of exactly so many is taken."""
    body = b"4" + (letter * (MAX_PAYLOAD // len(letter.encode()))).encode()
    body = (body[: MAX_PAYLOAD - 4].decode(errors="ignore")).encode()
    body += b"x" * (MAX_PAYLOAD - len(body))
    polling = await echo.polling()
    assert (200, b"ok") == ((answer := await polling.post_bytes(body)).status, answer.body)
    assert body == (await polling.poll()).body


@pytest.mark.parametrize("letter", ["x", "é"])
async def test_a_payload_of_one_byte_more_is_refused(echo: Echo, letter: str) -> None:
    """A POST above maxPayload in bytes is 413, even if it has fewer characters."""
    body = ("4" + letter * (MAX_PAYLOAD // len(letter.encode()))).encode()
    assert MAX_PAYLOAD + 1 == len(body)
    polling = await echo.polling()
    assert 413 == (await polling.post_bytes(body)).status


async def test_a_payload_of_many_small_packets_is_taken(echo: Echo) -> None:
    """What a client gathered while it was offline may be thousands of packets in one payload, if it polls meanwhile."""
    polling = await echo.polling()
    said = [f"4{number}" for number in range(5000)]
    listening = asyncio.ensure_future(polling.packets(len(said)))
    await polling.say(*said)
    assert said == await listening


async def test_the_content_type_of_a_post_does_not_matter(echo: Echo) -> None:
    """Clients send text/plain, a form type or none at all; all of it is a payload."""
    for kind in (
        "text/plain;charset=UTF-8",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "nonsense",
    ):
        polling = await echo.polling()
        assert 200 == (await polling.post_bytes(b"4hello", **{"Content-Type": kind})).status
        assert ["4hello"] == await polling.packets()


async def test_sessions_are_apart(echo: Echo) -> None:
    """What one session says is never another's to read."""
    sessions = [await echo.polling() for _ in range(20)]
    await asyncio.gather(*(polling.say(f"4{polling.sid}") for polling in sessions))
    heard = await asyncio.gather(*(polling.poll() for polling in sessions))
    assert [f"4{polling.sid}" for polling in sessions] == [answer.text for answer in heard]


async def test_the_separator_ends_packets_only(echo: Echo) -> None:
    """A payload of one packet has no separator in it."""
    polling = await echo.polling()
    await polling.say("4alone")
    assert SEPARATOR not in (await polling.poll()).text


@pytest.mark.parametrize("packet", ["0", "0{}", "2", "2probe"])
async def test_packets_that_only_servers_send_end_the_session(echo: Echo, packet: str) -> None:
    """A client neither opens a session by a packet nor pings: since v4 the server does."""
    polling = await echo.polling()
    assert 400 == (await polling.post(packet)).status
    assert await polling.is_gone()
    async with echo.websocket() as socket:
        await socket.send_text(packet)
        await socket.ended()


@pytest.mark.parametrize("packet", ["5", "6", "6x"])
async def test_packets_that_mean_nothing_are_ignored(echo: Echo, packet: str) -> None:
    """Upgrade without a probe, and noop."""
    polling = await echo.polling()
    await polling.say(packet, "4hello", packet)
    assert ["4hello"] == await polling.packets()
    async with echo.websocket() as socket:
        await socket.send_text(packet, "4hello")
        assert "4hello" == await socket.message()
