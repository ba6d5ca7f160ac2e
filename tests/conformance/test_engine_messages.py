"""Messages by websocket (Engine.IO v4, "Packet encoding")."""

import os

import pytest

from tests.support.echo import MAX_PAYLOAD, Echo


async def test_a_text_packet_is_echoed(echo: Echo) -> None:
    """One packet, one frame, both ways."""
    async with echo.websocket() as socket:
        await socket.send_text("4hello")
        assert "4hello" == await socket.message()


async def test_a_binary_packet_is_echoed(echo: Echo) -> None:
    """Bytes are a binary frame as they are, both ways."""
    async with echo.websocket() as socket:
        await socket.send_binary(bytes([1, 2, 3, 4]))
        assert bytes([1, 2, 3, 4]) == await socket.message()


@pytest.mark.parametrize("first", [b"4", b"2", b"1", b"b", b"", b"\xff\x00", b"6abc"])
async def test_bytes_are_never_mistaken_for_packets(echo: Echo, first: bytes) -> None:
    """Binary frames have no type in front: those that look like a packet are bytes all the same."""
    async with echo.websocket() as socket:
        await socket.send_binary(first)
        assert first == await socket.message()


async def test_text_and_binary_keep_their_order(echo: Echo) -> None:
    """A hundred of each, in turn, in one segment."""
    async with echo.websocket() as socket:
        expected: list[str | bytes] = []
        for number in range(100):
            await socket.send_text(f"4{number}")
            await socket.send_binary(str(number).encode())
            expected += [f"4{number}", str(number).encode()]
        assert expected == await socket.messages(200)


@pytest.mark.parametrize("text", ["4", "4€", "4🎓👩‍🏫", "4\x00", "4\ufeff", "4a\x1e4b", "4b64", "4" + "é" * 100_000])
async def test_any_text_comes_back_as_it_was(echo: Echo, text: str) -> None:
    """UTF-8, whatever it says; by websocket the separator is a character like others."""
    async with echo.websocket() as socket:
        await socket.send_text(text)
        assert text == await socket.message()


@pytest.mark.parametrize("size", [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537, MAX_PAYLOAD])
async def test_any_length_comes_back(echo: Echo, size: int) -> None:
    """On both sides of each form that a frame's length takes (RFC 6455 §5.2), up to the limit."""
    async with echo.websocket() as socket:
        data = os.urandom(size)
        await socket.send_binary(data)
        assert data == await socket.message()
        await socket.send_text("4" + "x" * max(0, size - 1))
        assert "4" + "x" * max(0, size - 1) == await socket.message()


async def test_many_messages_come_back_in_order(echo: Echo) -> None:
    """Ten thousand messages, sent without waiting for any answer, are echoed once each and in order."""
    async with echo.websocket() as socket:
        said = [f"4{number}" for number in range(10_000)]
        for start in range(0, len(said), 100):
            await socket.send_text(*said[start : start + 100])
        assert said == await socket.messages(len(said))
