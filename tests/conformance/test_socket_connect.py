"""Joining and leaving namespaces (Socket.IO v5, "Connection to a namespace" and "Disconnection")."""

import pytest

from tests.support.echo import SOCKET, Echo, join


@pytest.mark.parametrize("namespace", ["/", "/custom"])
async def test_a_namespace_is_joined(echo: Echo, namespace: str) -> None:
    """CONNECT is answered with CONNECT and the id of the socket there, and no other key."""
    prefix = "" if namespace == "/" else f"{namespace},"
    async with echo.websocket(SOCKET) as socket:
        sid = await join(socket, namespace)
        assert 16 <= len(sid)
        await socket.send_text(f'42{prefix}["message"]')
        assert f'42{prefix}["message-back"]' == await socket.message()


@pytest.mark.parametrize("namespace", ["/", "/custom"])
@pytest.mark.parametrize(
    "payload", ['{"token":"123"}', "{}", '{"a":{"b":[1,null,"é"]}}', '{"token":"' + "x" * 20_000 + '"}']
)
async def test_a_namespace_is_joined_with_a_payload(echo: Echo, namespace: str, payload: str) -> None:
    """The handshake's payload reaches the application, and comes back in `auth`."""
    async with echo.websocket(SOCKET) as socket:
        await join(socket, namespace, payload)


async def test_a_namespace_is_joined_by_polling(echo: Echo) -> None:
    """The same packets go by polling."""
    polling = await echo.joined_polling("/custom")
    await polling.say('42/custom,["message",1]')
    assert ['42/custom,["message-back",1]'] == await polling.packets()


async def test_both_namespaces_share_a_connection(echo: Echo) -> None:
    """Each has a socket of its own, with an id of its own, and what is said in one stays there."""
    async with echo.websocket(SOCKET) as socket:
        sids = {await join(socket, "/"), await join(socket, "/custom")}
        assert 2 == len(sids)
        await socket.send_text(
            '42["message","main"]', '42/custom,["message","custom"]', '42/custom,7["message-with-ack",1]'
        )
        expected = ['42["message-back","main"]', '42/custom,["message-back","custom"]', "43/custom,7[1]"]
        assert expected == await socket.messages(3)


async def test_the_main_namespace_need_not_come_first(echo: Echo) -> None:
    """Since v5 no namespace is joined unasked."""
    async with echo.joined("/custom") as socket:
        await socket.send_text('421["message-with-ack"]', '42/custom,2["message-with-ack"]')
        assert "43/custom,2[]" == await socket.message()
        await join(socket)


@pytest.mark.parametrize("query", ["?token=123", "?a=b&c=d", "?"])
async def test_the_query_of_a_namespace_is_of_no_account(echo: Echo, query: str) -> None:
    """Old clients append one; the namespace is what stands before it."""
    async with echo.websocket(SOCKET) as socket:
        await socket.send_text(f"40/custom{query},")
        connected, auth = await socket.messages(2)
        assert str(connected).startswith("40/custom,{")
        assert '42/custom,["auth",{}]' == auth


@pytest.mark.parametrize("packet", ["40/custom", "40/custom,", "40/custom,{}"])
async def test_the_comma_behind_a_lone_namespace_may_be_left_out(echo: Echo, packet: str) -> None:
    """Nothing follows that it would separate."""
    async with echo.websocket(SOCKET) as socket:
        await socket.send_text(packet)
        assert str(await socket.message()).startswith("40/custom,{")


@pytest.mark.parametrize("namespace", ["/random", "/Custom", "/custom/", "/customs", "//", "/é", "/" + "x" * 1000])
async def test_an_unknown_namespace_is_refused(echo: Echo, namespace: str) -> None:
    """CONNECT_ERROR with the words of the reference server; the connection stays for others."""
    async with echo.websocket(SOCKET) as socket:
        await socket.send_text(f"40{namespace}")
        assert f'44{namespace},{{"message":"Invalid namespace"}}' == await socket.message()
        await join(socket)


@pytest.mark.parametrize("packet", ["4abc", "4", "47", "48", "4-1", "4 0", '4{"type":0}', "44", '44{"message":"no"}'])
async def test_an_invalid_handshake_ends_the_connection(echo: Echo, packet: str) -> None:
    """What is no packet that clients send, before anything else."""
    async with echo.websocket(SOCKET) as socket:
        await socket.send_text(packet)
        await socket.ended()


@pytest.mark.parametrize("payload", ["[]", '"text"', "true", "{", '["token"]', "{}{}"])
async def test_a_payload_that_is_no_object_ends_the_connection(echo: Echo, payload: str) -> None:
    """The handshake's payload is an object or absent."""
    async with echo.websocket(SOCKET) as socket:
        await socket.send_text(f"40{payload}")
        await socket.ended()


async def test_without_a_handshake_the_connection_ends(beating: Echo) -> None:
    """A client that answers pings and joins no namespace is sent away."""
    async with beating.websocket(SOCKET) as socket:
        await socket.ended()


async def test_without_a_handshake_a_polling_session_ends(beating: Echo) -> None:
    """The same by polling."""
    polling = await beating.polling(SOCKET)
    while (answer := await polling.poll()).status == 200 and answer.text != "1":
        await polling.say("3")
    assert await polling.is_gone()


@pytest.mark.parametrize("again", ["40", "40{}"])
async def test_joining_twice_ends_the_connection(echo: Echo, again: str) -> None:
    """A client that does not know what it has joined is out of step."""
    async with echo.joined() as socket:
        await socket.send_text(again)
        await socket.ended()


async def test_joining_twice_at_once_ends_the_connection(echo: Echo) -> None:
    """Also when the second does not wait for the first to be answered."""
    async with echo.websocket(SOCKET) as socket:
        await socket.send_text("40", "40")
        await socket.ended()


async def test_events_before_the_handshake_are_not_heard(echo: Echo) -> None:
    """An event on a namespace that was not joined gets no answer; what follows the handshake does."""
    async with echo.websocket(SOCKET) as socket:
        await socket.send_text('421["message-with-ack","early"]', '42/custom,2["message-with-ack","early"]')
        await join(socket)
        await socket.send_text('423["message-with-ack","in time"]')
        assert '433["in time"]' == await socket.message()


async def test_events_may_follow_the_handshake_at_once(echo: Echo) -> None:
    """In the same segment: CONNECT first, then what the application says, then the answers, in order."""
    async with echo.websocket(SOCKET) as socket:
        await socket.send_text("40", '42["message",1]', "40/custom,", '42/custom,["message",2]')
        connected, *rest, connected_too, auth, back = await socket.messages(6)
        assert str(connected).startswith('40{"sid":')
        assert ['42["auth",{}]', '42["message-back",1]'] == rest
        assert str(connected_too).startswith('40/custom,{"sid":')
        assert ['42/custom,["auth",{}]', '42/custom,["message-back",2]'] == [auth, back]


async def test_leaving_the_main_namespace(beating: Echo) -> None:
    """DISCONNECT has no answer: the next that comes is a ping."""
    async with beating.joined() as socket:
        socket.pongs = False
        await socket.send_text("41")
        assert "2" == await socket.message()


async def test_leaving_one_namespace_and_staying_in_another(echo: Echo) -> None:
    """What is said to a namespace after leaving it is not heard; the other goes on; one may come back."""
    async with echo.joined() as socket:
        first = await join(socket, "/custom")
        await socket.send_text("41/custom", '42/custom,1["message-with-ack"]', '42["message","to main"]')
        assert '42["message-back","to main"]' == await socket.message()
        assert first != await join(socket, "/custom")


async def test_leaving_what_was_not_joined(echo: Echo) -> None:
    """DISCONNECT from a namespace that was not joined, or does not exist, changes nothing."""
    async with echo.joined() as socket:
        await socket.send_text("41/custom,", "41/nowhere,", '421["message-with-ack"]')
        assert "431[]" == await socket.message()


async def test_a_session_stays_after_the_last_namespace(echo: Echo) -> None:
    """The connection may be used to join again."""
    async with echo.joined() as socket:
        await socket.send_text("41")
        await join(socket)


async def test_what_is_joined_moves_with_an_upgrade(echo: Echo) -> None:
    """Joined by polling, used by websocket."""
    polling = await echo.joined_polling()
    async with polling.upgraded() as socket:
        await socket.send_text('421["message-with-ack",1]')
        assert "431[1]" == await socket.message()
        await join(socket, "/custom")
