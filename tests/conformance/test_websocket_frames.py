"""Frames of a websocket (RFC 6455 §5), valid and not."""

import pytest

from tests.support.echo import ENGINE, MAX_PAYLOAD, Echo
from tests.support.rawsocket import Opcode, RawSocket, frame, text, websocket

PROTOCOL_ERROR, INVALID_TEXT, TOO_BIG = 1002, 1007, 1009
CONTINUATION, TEXT, BINARY, PING, PONG = Opcode.CONTINUATION, Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG


async def control(socket: RawSocket) -> tuple[Opcode, bytes]:
    """Return the next frame."""
    received = await socket.receive()
    assert received is not None, "the server closed"
    return received.opcode, received.payload


@pytest.mark.parametrize(
    "parts", [[b"4he", b"llo"], [b"4", b"h", b"e", b"l", b"l", b"o"], [b"", b"4hello"], [b"4hello", b"", b""]]
)
async def test_a_fragmented_text_is_one_message(echo: Echo, parts: list[bytes]) -> None:
    """A first frame and continuations, empty ones among them, are joined (§5.4)."""
    async with echo.websocket() as socket:
        await socket.send(*fragments(TEXT, parts))
        assert "4hello" == await socket.message()


async def test_a_fragmented_binary_is_one_message(echo: Echo) -> None:
    """The same for bytes; a text message that follows is its own."""
    async with echo.websocket() as socket:
        await socket.send(*fragments(BINARY, [b"\x00", b"\xff" * 70_000, b"\x01"]), text("4after"))
        assert [b"\x00" + b"\xff" * 70_000 + b"\x01", "4after"] == await socket.messages(2)


async def test_a_message_may_be_of_many_fragments(echo: Echo) -> None:
    """A thousand of one byte each."""
    async with echo.websocket() as socket:
        await socket.send(*fragments(TEXT, [b"4", *[b"x"] * 999]))
        assert "4" + "x" * 999 == await socket.message()


async def test_a_character_may_be_cut_by_a_fragment(echo: Echo) -> None:
    """Only the whole message must be UTF-8 (§5.6)."""
    async with echo.websocket() as socket:
        data = "4🎓é".encode()
        await socket.send(*fragments(TEXT, [data[at : at + 1] for at in range(len(data))]))
        assert "4🎓é" == await socket.message()


async def test_control_frames_come_between_fragments(echo: Echo) -> None:
    """A ping in the middle of a message is answered at once, and the message is whole (§5.4)."""
    async with echo.websocket() as socket:
        await socket.send(frame(TEXT, b"4he", fin=False), frame(PING, b"between"))
        assert (PONG, b"between") == await control(socket)
        await socket.send(
            frame(PONG, b""), frame(CONTINUATION, b"l", fin=False), frame(PING), frame(CONTINUATION, b"lo")
        )
        assert (PONG, b"") == await control(socket)
        assert "4hello" == await socket.message()


@pytest.mark.parametrize("payload", [b"", b"x", b"\x00\xff", b"x" * 125])
async def test_a_ping_is_answered_with_its_payload(echo: Echo, payload: bytes) -> None:
    """A pong carries what the ping did (§5.5.3)."""
    async with echo.websocket() as socket:
        await socket.send(frame(PING, payload))
        assert (PONG, payload) == await control(socket)


async def test_each_ping_is_answered_in_turn(echo: Echo) -> None:
    """Pings and messages in one segment are answered in their order."""
    async with echo.websocket() as socket:
        await socket.send(frame(PING, b"1"), text("4a"), frame(PING, b"2"), text("4b"))
        expected = [(PONG, b"1"), (TEXT, b"4a"), (PONG, b"2"), (TEXT, b"4b")]
        assert expected == [await control(socket) for _ in expected]


async def test_a_pong_nobody_asked_for_is_ignored(echo: Echo) -> None:
    """A pong needs no answer (§5.5.3)."""
    async with echo.websocket() as socket:
        await socket.send(frame(PONG), frame(PONG, b"x" * 125), text("4hello"))
        assert "4hello" == await socket.message()


@pytest.mark.parametrize(
    "bad",
    [
        frame(TEXT, b"4hello", masked=False),
        frame(PING, b"", masked=False),
        frame(TEXT, b"4hello", rsv=4),
        frame(TEXT, b"4hello", rsv=2),
        frame(TEXT, b"4hello", rsv=1),
        frame(PING, b"", rsv=1),
        *(frame(opcode, b"") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        frame(PING, b"", fin=False),
        frame(Opcode.CLOSE, b"", fin=False),
        frame(PING, b"x" * 126),
        frame(PONG, b"x" * 126),
        frame(CONTINUATION, b"4hello"),
        frame(CONTINUATION, b"4hello", fin=False),
        frame(TEXT, b"4", fin=False) + frame(TEXT, b"hello"),
        frame(TEXT, b"4", fin=False) + frame(BINARY, b"hello"),
        frame(BINARY, b"4", fin=False) + frame(TEXT, b"hello"),
        text("4hello") + frame(CONTINUATION, b"more"),
        frame(TEXT, b"4hello", length_bytes=2),
        frame(TEXT, b"4hello", length_bytes=8),
        frame(TEXT, b"4" * 126, length_bytes=8),
        frame(PING, b"x", length_bytes=2),
    ],
    ids=[
        *("unmasked", "unmasked ping", "rsv1", "rsv2", "rsv3", "rsv on a ping"),
        *(f"opcode {opcode}" for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        *(
            "fragmented ping",
            "fragmented close",
            "long ping",
            "long pong",
            "lone continuation",
            "lone first continuation",
        ),
        *("text in a text", "binary in a text", "text in a binary", "continuation of a whole message"),
        *("16 bits for 6", "64 bits for 6", "64 bits for 126", "16 bits for a ping"),
    ],
)
async def test_a_frame_against_the_rules_is_a_protocol_error(echo: Echo, bad: bytes) -> None:
    """1002, and the connection ends; what follows is not handled (§5.1, §5.2, §5.5)."""
    async with echo.websocket() as socket:
        await socket.send(bad, text("4after"))
        while (message := await socket.message()) is not None:
            assert "4after" != message
        assert PROTOCOL_ERROR == await socket.ended()


@pytest.mark.parametrize("claimed", [1 << 63, (1 << 64) - 1, (1 << 63) - 1, 1 << 40, 1 << 32, MAX_PAYLOAD + 1], ids=hex)
async def test_a_length_beyond_the_limit_is_refused_at_once(echo: Echo, claimed: int) -> None:
    """The head of the frame is enough: nobody waits for, or makes room for, what will not be taken (§5.2, §7.4.1)."""
    async with echo.websocket() as socket:
        await socket.send(frame(BINARY, claimed=claimed, length_bytes=8))
        assert await socket.ended() in {PROTOCOL_ERROR, TOO_BIG}


async def test_a_message_of_just_the_limit_is_taken(echo: Echo) -> None:
    """In one frame, and in fragments; in bytes, not in characters."""
    async with echo.websocket() as socket:
        for data in (b"4" + b"x" * (MAX_PAYLOAD - 1), ("4x" + "é" * (MAX_PAYLOAD // 2 - 1)).encode()):
            await socket.send(frame(TEXT, data))
            assert data.decode() == await socket.message()
            await socket.send(*fragments(TEXT, [data[:1], data[1:500_000], data[500_000:]]))
            assert data.decode() == await socket.message()


async def test_a_message_beyond_the_limit_is_too_big(echo: Echo) -> None:
    """1009 for a single frame of one byte more."""
    async with echo.websocket() as socket:
        await socket.send(frame(TEXT, b"4" + b"x" * MAX_PAYLOAD))
        assert TOO_BIG == await socket.ended()


@pytest.mark.parametrize("kind", [TEXT, BINARY])
async def test_fragments_beyond_the_limit_are_too_big(echo: Echo, kind: Opcode) -> None:
    """1009 when the fragments together are more than a message may be, though none of them is, and none is the last."""
    async with echo.websocket() as socket:
        await socket.send(*(frame(kind if at == 0 else CONTINUATION, b"4" * 400_000, fin=False) for at in range(3)))
        assert TOO_BIG == await socket.ended()


INVALID = [
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x82",
    b"\x80",
    b"abc\xfe",
    b"\xf8\x88\x80\x80\x80",
]


@pytest.mark.parametrize("wrong", INVALID, ids=repr)
async def test_text_that_is_not_utf8_is_refused(echo: Echo, wrong: bytes) -> None:
    """1007 for overlong forms, surrogates, what is beyond Unicode, and what stops too early (§8.1)."""
    async with echo.websocket() as socket:
        await socket.send(text("4before"), frame(TEXT, b"4" + wrong), text("4after"))
        assert "4before" == await socket.message()
        assert INVALID_TEXT == await socket.ended()


@pytest.mark.parametrize("wrong", INVALID, ids=repr)
async def test_fragmented_text_that_is_not_utf8_is_refused(echo: Echo, wrong: bytes) -> None:
    """Also where each fragment by itself looks innocent."""
    async with echo.websocket() as socket:
        await socket.send(*fragments(TEXT, [b"4", *(wrong[at : at + 1] for at in range(len(wrong)))]))
        assert INVALID_TEXT == await socket.ended()


async def test_bytes_need_not_be_utf8(echo: Echo) -> None:
    """Binary messages are whatever they are."""
    async with echo.websocket() as socket:
        await socket.send_binary(*INVALID)
        assert INVALID == await socket.messages(len(INVALID))


async def test_one_byte_at_a_time(echo: Echo) -> None:
    """However the network cuts them, frames are the same: text, ping, fragments, a 16-bit length."""
    async with echo.websocket() as socket:
        long = "4" + "x" * 200
        await socket.trickle(text("4hello") + frame(PING, b"p") + b"".join(fragments(TEXT, [b"4a", b"b"])) + text(long))
        assert "4hello" == await socket.message()
        assert (PONG, b"p") == await control(socket)
        assert ["4ab", long] == await socket.messages(2)


async def test_many_frames_in_one_segment(echo: Echo) -> None:
    """A thousand small frames that arrive together."""
    async with echo.websocket() as socket:
        said = [f"4{number}" for number in range(1000)]
        await socket.send(b"".join(map(text, said)))
        assert said == await socket.messages(1000)


async def test_a_large_frame_in_small_pieces(echo: Echo) -> None:
    """A frame much larger than any buffer, a few kilobytes at a time, and a small one behind it in the last piece."""
    async with echo.websocket() as socket:
        data = bytes(range(256)) * 3000
        stream = frame(BINARY, data) + text("4after")
        for start in range(0, len(stream), 5000):
            await socket.send(stream[start : start + 5000])
        assert [data, "4after"] == await socket.messages(2)


async def test_frames_may_come_with_the_handshake(echo: Echo) -> None:
    """A client that does not wait for the 101 loses nothing it sent with its request."""
    behind = text("4one") + b"".join(fragments(TEXT, [b"4t", b"wo"])) + frame(BINARY, b"x" * 5000)
    async with websocket(echo.port, f"{ENGINE}?EIO=4&transport=websocket", behind=behind) as socket:
        opened, *rest = await socket.messages(4)
        assert isinstance(opened, str)
        assert "0{" == opened[:2]
        assert ["4one", "4two", b"x" * 5000] == rest


async def test_half_a_frame_may_come_with_the_handshake(echo: Echo) -> None:
    """The rest of it comes when it comes."""
    whole = text("4hello")
    async with websocket(echo.port, f"{ENGINE}?EIO=4&transport=websocket", behind=whole[:3]) as socket:
        assert None is not await socket.message()
        await socket.send(whole[3:])
        assert "4hello" == await socket.message()


@pytest.mark.parametrize("mask", [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04"])
async def test_any_mask_will_do(echo: Echo, mask: bytes) -> None:
    """Clients choose the mask; zero is one (§5.3)."""
    payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(b"4hello"))
    async with echo.websocket() as socket:
        await socket.send(b"\x81\x86" + mask + payload)
        assert "4hello" == await socket.message()


def fragments(kind: Opcode, parts: list[bytes]) -> list[bytes]:
    """Return the frames of one message in parts."""
    last = len(parts) - 1
    return [frame(CONTINUATION if at else kind, part, fin=at == last) for at, part in enumerate(parts)]
