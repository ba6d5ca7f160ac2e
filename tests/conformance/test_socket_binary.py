"""Events and acknowledgements with bytes in them (Socket.IO v5, "Packet encoding")."""

import base64

import pytest

from tests.support.echo import Echo

ZERO, ONE = '{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":1}'
MOST = 16


async def test_an_event_with_attachments_comes_back(echo: Echo) -> None:
    """The text has placeholders; the bytes follow, in order."""
    async with echo.joined() as socket:
        await socket.send_text(f'452-["message",{ZERO},{ONE}]')
        await socket.send_binary(b"\x01\x02\x03", b"\x04\x05\x06")
        expected = [f'452-["message-back",{ZERO},{ONE}]', b"\x01\x02\x03", b"\x04\x05\x06"]
        assert expected == await socket.messages(3)


async def test_an_ack_with_attachments(echo: Echo) -> None:
    """The answer is a BINARY_ACK with the id."""
    async with echo.joined() as socket:
        await socket.send_text(f'452-789["message-with-ack",{ZERO},{ONE}]')
        await socket.send_binary(b"\x01\x02\x03", b"\x04\x05\x06")
        assert [f"462-789[{ZERO},{ONE}]", b"\x01\x02\x03", b"\x04\x05\x06"] == await socket.messages(3)


async def test_attachments_of_another_namespace(echo: Echo) -> None:
    """Number of attachments, namespace, id, data."""
    async with echo.joined("/custom") as socket:
        await socket.send_text(f'451-/custom,12["message-with-ack",{ZERO}]')
        await socket.send_binary(b"abc")
        assert [f"461-/custom,12[{ZERO}]", b"abc"] == await socket.messages(2)


async def test_attachments_by_polling(echo: Echo) -> None:
    """They are base64 there, in one payload or in several."""
    polling = await echo.joined_polling()
    data = "b" + base64.b64encode(b"\x01\x02\x03").decode()
    await polling.say(f'451-["message",{ZERO}]', data)
    assert [f'451-["message-back",{ZERO}]', data] == await polling.packets(2)
    await polling.say(f'451-["message",{ZERO}]')
    await polling.say(data)
    assert [f'451-["message-back",{ZERO}]', data] == await polling.packets(2)


async def test_attachments_may_be_deep_inside(echo: Echo) -> None:
    """In lists and objects, among other things, in any order of their numbers."""
    async with echo.joined() as socket:
        await socket.send_text(f'452-["message",{{"a":[1,{{"b":{ONE}}}],"c":{{"d":[[{ZERO}]]}}}},"x"]')
        await socket.send_binary(b"zero", b"one")
        head, *parts = await socket.messages(3)
        assert f'452-["message-back",{{"a":[1,{{"b":{ZERO}}}],"c":{{"d":[[{ONE}]]}}}},"x"]' == head
        assert [b"one", b"zero"] == parts


@pytest.mark.parametrize("data", [b"", b"\x00", b"4", b"2", b"452-[]", b"x" * 200_000])
async def test_attachments_are_any_bytes(echo: Echo, data: bytes) -> None:
    """Also none, and those that look like packets."""
    async with echo.joined() as socket:
        await socket.send_text(f'451-["message",{ZERO}]')
        await socket.send_binary(data)
        assert [f'451-["message-back",{ZERO}]', data] == await socket.messages(2)


async def test_one_attachment_may_be_meant_twice(echo: Echo) -> None:
    """Two placeholders with one number are the same bytes twice."""
    async with echo.joined() as socket:
        await socket.send_text(f'451-["message",{ZERO},{ZERO}]')
        await socket.send_binary(b"abc")
        assert [f'452-["message-back",{ZERO},{ONE}]', b"abc", b"abc"] == await socket.messages(3)


async def test_what_only_looks_like_a_placeholder_is_data(echo: Echo) -> None:
    """Without attachments announced, objects are objects."""
    async with echo.joined() as socket:
        await socket.send_text(f'42["message",{ZERO}]')
        assert f'42["message-back",{ZERO}]' == await socket.message()


async def test_a_binary_event_without_attachments_is_an_event(echo: Echo) -> None:
    """`50-` announces none, so none is waited for."""
    async with echo.joined() as socket:
        await socket.send_text('450-["message",1]')
        assert '42["message-back",1]' == await socket.message()


async def test_as_many_attachments_as_are_allowed(echo: Echo) -> None:
    """Sixteen."""
    async with echo.joined() as socket:
        places = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(MOST))
        parts = [bytes([number]) for number in range(MOST)]
        await socket.send_text(f'45{MOST}-["message",{places}]')
        await socket.send_binary(*parts)
        assert [f'45{MOST}-["message-back",{places}]', *parts] == await socket.messages(MOST + 1)


@pytest.mark.parametrize("count", ["17", "1000", "99999999999999999999"])
async def test_more_attachments_than_are_allowed(echo: Echo, count: str) -> None:
    """Seventeen are refused before the first has come: nobody waits for what a client only announces."""
    async with echo.joined() as socket:
        await socket.send_text(f'45{count}-["message",{ZERO}]')
        await socket.ended()


@pytest.mark.parametrize(
    "packet",
    [
        '451-["message",{"_placeholder":true,"num":1}]',
        '451-["message",{"_placeholder":true,"num":-1}]',
        '451-["message",{"_placeholder":true,"num":"0"}]',
        '451-["message",{"_placeholder":true,"num":0.5}]',
        '451-["message",{"_placeholder":true,"num":null}]',
        '451-["message",{"_placeholder":true}]',
        '451-["message",{"_placeholder":true,"num":[0]}]',
        '451-["message",{"_placeholder":true,"num":1e99}]',
    ],
)
async def test_a_placeholder_that_lies_ends_the_connection(echo: Echo, packet: str) -> None:
    """A number that is none of the attachments' is against the protocol."""
    async with echo.joined() as socket:
        await socket.send_text(packet)
        await socket.send_binary(b"abc")
        assert not isinstance(await socket.message(), str)
        await socket.ended()


async def test_text_where_bytes_are_due_ends_the_connection(echo: Echo) -> None:
    """Nothing may come between a packet and its attachments."""
    async with echo.joined() as socket:
        await socket.send_text(f'452-["message",{ZERO},{ONE}]')
        await socket.send_binary(b"abc")
        await socket.send_text('42["message"]')
        await socket.ended()


async def test_pings_may_come_between_attachments(beating: Echo) -> None:
    """The heartbeat is of the layer below, and disturbs no packet."""
    async with beating.joined() as socket:
        socket.pongs = False
        await socket.send_text(f'452-["message",{ZERO},{ONE}]')
        await socket.send_binary(b"one")
        assert "2" == await socket.message()
        await socket.send_text("3")
        await socket.send_binary(b"two")
        assert [f'452-["message-back",{ZERO},{ONE}]', b"one", b"two"] == await socket.messages(3)


async def test_bytes_that_nobody_announced_end_the_connection(echo: Echo) -> None:
    """They belong to no packet."""
    async with echo.joined() as socket:
        await socket.send_binary(b"abc")
        await socket.ended()


async def test_one_attachment_too_many_ends_the_connection(echo: Echo) -> None:
    """The announced ones are handled, the one after them is nobody's."""
    async with echo.joined() as socket:
        await socket.send_text(f'451-["message",{ZERO}]')
        await socket.send_binary(b"abc")
        assert [f'451-["message-back",{ZERO}]', b"abc"] == await socket.messages(2)
        await socket.send_binary(b"def")
        await socket.ended()


@pytest.mark.parametrize(
    "packet",
    [
        '45["message"]',
        '45-["message"]',
        '45x-["message"]',
        '45-1-["message"]',
        '451["message"]',
        "451-",
        "451-{}",
        "451-[]",
    ],
)
async def test_a_broken_binary_packet_ends_the_connection(echo: Echo, packet: str) -> None:
    """No number of attachments, no dash, or no list."""
    async with echo.joined() as socket:
        await socket.send_text(packet)
        await socket.send_binary(b"abc")
        await socket.ended()


async def test_a_binary_ack_nobody_waits_for_is_ignored(echo: Echo) -> None:
    """With its attachments."""
    async with echo.joined() as socket:
        await socket.send_text(f"461-7[{ZERO}]")
        await socket.send_binary(b"abc")
        await socket.send_text('421["message-with-ack"]')
        assert "431[]" == await socket.message()


async def test_attachments_survive_an_upgrade(echo: Echo) -> None:
    """A packet whose first attachment came by polling and whose second comes by websocket is whole."""
    polling = await echo.joined_polling()
    await polling.say(f'452-["message",{ZERO},{ONE}]', "bAQID")
    async with polling.upgraded() as socket:
        await socket.send_binary(b"two")
        assert [f'452-["message-back",{ZERO},{ONE}]', b"\x01\x02\x03", b"two"] == await socket.messages(3)


async def test_attachments_end_with_their_connection(echo: Echo) -> None:
    """Half a packet of one client is never completed by another."""
    async with echo.joined() as half:
        await half.send_text(f'452-["message",{ZERO},{ONE}]')
        await half.send_binary(b"abc")
    async with echo.joined() as socket:
        await socket.send_binary(b"def")
        await socket.ended()
