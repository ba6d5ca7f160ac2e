"""The closing handshake of a websocket (RFC 6455 §5.5.1 and §7)."""

import pytest

from tests.support.echo import Echo
from tests.support.rawsocket import Opcode, closing, frame, text

NO_CODE, PROTOCOL_ERROR, INVALID_TEXT = 1005, 1002, 1007
VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
INVALID = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]


@pytest.mark.parametrize("code", VALID)
async def test_a_close_is_answered_with_its_code(echo: Echo, code: int) -> None:
    """The answer is a close frame with the same code, and then the end of the connection (§5.5.1)."""
    async with echo.websocket() as socket:
        await socket.send(closing(code, b"because"))
        assert code == await socket.ended()


async def test_a_close_without_a_code_is_answered(echo: Echo) -> None:
    """An empty close frame gets one, with no code or with 1000."""
    async with echo.websocket() as socket:
        await socket.send(closing())
        assert await socket.ended() in {1000, NO_CODE}


@pytest.mark.parametrize("code", INVALID)
async def test_a_code_that_must_not_be_sent_is_a_protocol_error(echo: Echo, code: int) -> None:
    """Codes that are reserved, or of no range, are answered 1002 (§7.4)."""
    async with echo.websocket() as socket:
        await socket.send(closing(code))
        assert PROTOCOL_ERROR == await socket.ended()


async def test_half_a_code_is_a_protocol_error(echo: Echo) -> None:
    """A close frame has no payload or at least two bytes (§5.5.1)."""
    async with echo.websocket() as socket:
        await socket.send(frame(Opcode.CLOSE, b"\x03"))
        assert PROTOCOL_ERROR == await socket.ended()


async def test_a_reason_must_be_utf8(echo: Echo) -> None:
    """Like all text (§5.5.1)."""
    async with echo.websocket() as socket:
        await socket.send(closing(1000, b"\xff\xfe"))
        assert await socket.ended() in {INVALID_TEXT, PROTOCOL_ERROR}


async def test_a_reason_may_be_long(echo: Echo) -> None:
    """Up to the 125 bytes of a control frame."""
    async with echo.websocket() as socket:
        await socket.send(closing(1000, "é".encode() * 61))
        assert 1000 == await socket.ended()


async def test_nothing_behind_a_close_is_handled(echo: Echo) -> None:
    """What was said before the close is answered, what comes after it is not (§5.5.1)."""
    async with echo.websocket() as socket:
        await socket.send(text("4before"), closing(1000), text("4after"), frame(Opcode.PING, b"after"), closing(1001))
        assert "4before" == await socket.message()
        assert None is await socket.message()
        assert 1000 == socket.close_code
        assert b"" == await socket.rest()


async def test_a_close_in_the_middle_of_a_message_ends_it(echo: Echo) -> None:
    """A message whose end never comes is not handled."""
    async with echo.websocket() as socket:
        await socket.send(frame(Opcode.TEXT, b"4half", fin=False), closing(1001))
        assert None is await socket.message()
        assert 1001 == socket.close_code


async def test_the_server_s_close_waits_for_no_answer_for_ever(echo: Echo) -> None:
    """A client that never answers the closing handshake is dropped all the same."""
    async with echo.websocket() as socket:
        await socket.send_text("abc")
        assert None is await socket.message()
        assert b"" == await socket.rest()


async def test_the_server_s_close_may_be_answered(echo: Echo) -> None:
    """A client that answers is gone at once; what it says after the server's close is not handled."""
    async with echo.websocket() as socket:
        await socket.send_text("1")
        assert None is await socket.message()
        await socket.send(text("4after"), closing(socket.close_code or 1000))
        assert b"" == await socket.rest()


async def test_a_session_is_gone_with_its_close(echo: Echo) -> None:
    """The close frame ends the session as the loss of the connection does."""
    polling = await echo.polling()
    async with polling.upgraded() as socket:
        await socket.send(closing(1001))
        assert 1001 == await socket.ended()
    assert await polling.is_gone()
