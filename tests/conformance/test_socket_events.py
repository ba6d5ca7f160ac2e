"""Events and acknowledgements without bytes (Socket.IO v5, "Sending and receiving data", "Acknowledgement")."""

import json

import pytest

from tests.support.echo import SEPARATOR, Echo, join

ARGUMENTS = [
    "",
    '1,"2",{"3":[true]}',
    "null",
    "[]",
    "{}",
    "[[[]]]",
    '"\\u00e9🎓"',
    '"\\"\\\\"',
    "-1.5e-7",
    "0,false,null",
    '"451-"',
    '{"_placeholder":"no"}',
    '{"":""}',
    "9007199254740991",
]


def arguments(packet: str | bytes | None) -> list[object]:
    """Return what a text packet carries."""
    assert isinstance(packet, str), packet
    data: list[object] = json.loads(packet[packet.index("[") :])
    return data


@pytest.mark.parametrize("given", ARGUMENTS)
async def test_an_event_comes_back(echo: Echo, given: str) -> None:
    """`message` is answered with `message-back` and the same arguments, whatever they are."""
    async with echo.joined() as socket:
        await socket.send_text(f'42["message"{"," if given else ""}{given}]')
        assert ["message-back", *json.loads(f"[{given}]")] == arguments(await socket.message())


async def test_an_event_comes_back_letter_for_letter(echo: Echo) -> None:
    """Encoded without spaces, as the reference does."""
    async with echo.joined() as socket:
        await socket.send_text('42["message",1,"2",{"3":[true]}]')
        assert '42["message-back",1,"2",{"3":[true]}]' == await socket.message()


@pytest.mark.parametrize("ack_id", ["0", "1", "9", "10", "456", "2147483648", "9007199254740991"])
async def test_an_ack_has_the_id_of_its_event(echo: Echo, ack_id: str) -> None:
    """Zero is an id, and so is the largest whole number of JavaScript."""
    async with echo.joined() as socket:
        await socket.send_text(f'42{ack_id}["message-with-ack",1,"2",{{"3":[false]}}]')
        assert f'43{ack_id}[1,"2",{{"3":[false]}}]' == await socket.message()


async def test_an_ack_may_have_nothing_to_say(echo: Echo) -> None:
    """Its data is an empty list then."""
    async with echo.joined() as socket:
        await socket.send_text('4212["message-with-ack"]')
        assert "4312[]" == await socket.message()


async def test_an_event_with_an_id_of_another_namespace(echo: Echo) -> None:
    """Namespace, then id, then data, both ways."""
    async with echo.joined("/custom") as socket:
        await socket.send_text('42/custom,13["message-with-ack","bar"]')
        assert '43/custom,13["bar"]' == await socket.message()


async def test_an_id_is_not_needed(echo: Echo) -> None:
    """Without one there is no ack."""
    async with echo.joined() as socket:
        await socket.send_text('42["message-with-ack"]', '42["message"]')
        assert '42["message-back"]' == await socket.message()


async def test_an_id_on_an_event_that_is_not_acknowledged(echo: Echo) -> None:
    """An application may leave it unanswered."""
    async with echo.joined() as socket:
        await socket.send_text('425["message"]', '42["message",2]')
        assert ['42["message-back"]', '42["message-back",2]'] == await socket.messages(2)


@pytest.mark.parametrize(
    "name", ["unknown", "", "connect", "disconnect", "connect_error", "disconnecting", "newListener"]
)
async def test_an_event_that_nobody_handles_is_ignored(echo: Echo, name: str) -> None:
    """Names that mean something inside client libraries are no commands to the server either."""
    async with echo.joined() as socket:
        await socket.send_text(f'42["{name}",1]', f'427["{name}",{{"sid":"x"}}]', '421["message-with-ack","after"]')
        assert '431["after"]' == await socket.message()


@pytest.mark.parametrize("name", ["7", "null", "{}", "[]", "true", "1.5"])
async def test_a_name_that_is_no_text_does_nothing(echo: Echo, name: str) -> None:
    """Such an event is nobody's; the connection stays."""
    async with echo.joined() as socket:
        await socket.send_text(f"42[{name},1]", '421["message-with-ack","after"]')
        assert '431["after"]' == await socket.message()


@pytest.mark.parametrize("packet", ['431["nobody asked"]', "430[]", '43/custom,1["x"]', '4399999999["x"]'])
async def test_an_ack_nobody_waits_for_is_ignored(echo: Echo, packet: str) -> None:
    """It may have been asked for by a connection before."""
    async with echo.joined() as socket:
        await socket.send_text(packet, '421["message-with-ack"]')
        assert "431[]" == await socket.message()


@pytest.mark.parametrize(
    "packet",
    [
        "4abc",
        "42{}",
        '42abc["message-with-ack",1,"2",{"3":[false]}]',
        "42",
        "421",
        "42[]",
        "42[",
        '42["message"',
        '42["message"]]',
        '42["message"] ["x"]',
        '42"message"',
        "42null",
        '42-1["message"]',
        '421.5["message-with-ack"]',
        '42 1["message-with-ack"]',
        '42["message",NaN]',
        "42['message']",
        '42/custom["message"]',
        "42/custom,",
        "42/custom,{}",
        "42/custom,5",
        "44",
        '44{"message":"x"}',
        "45",
        "46",
        "43",
        "431",
        "431{}",
        "41,",
        "47[]",
        "49",
        "4\x00",
        '42["message",' + "[" * 5000 + "]" * 5000 + "]",
    ],
    ids=lambda packet: repr(packet[:40]),
)
async def test_an_invalid_packet_ends_the_connection(echo: Echo, packet: str) -> None:
    """Unknown types, data that is no list or no JSON, ids that are no numbers."""
    async with echo.joined() as socket:
        await socket.send_text(packet)
        await socket.ended()


async def test_an_invalid_packet_ends_a_polling_session(echo: Echo) -> None:
    """400, and the session is gone."""
    polling = await echo.joined_polling()
    assert 400 == (await polling.post("42{}")).status
    assert await polling.is_gone()


async def test_what_came_before_an_invalid_packet_is_answered(echo: Echo) -> None:
    """Packets are handled in order, up to the one that is wrong."""
    async with echo.joined() as socket:
        await socket.send_text('421["message-with-ack"]')
        assert "431[]" == await socket.message()
        await socket.send_text('422["message-with-ack"]', "42{}", '423["message-with-ack"]')
        heard = []
        while (message := await socket.message()) is not None:
            heard.append(message)
        assert heard in (["432[]"], [])


async def test_several_events_of_one_payload(echo: Echo) -> None:
    """By polling they are handled in order, and answered in one payload."""
    polling = await echo.joined_polling()
    await polling.say('42["message",1]', '427["message-with-ack",2]', '42["message",3]')
    answer = await polling.poll()
    assert ['42["message-back",1]', "437[2]", '42["message-back",3]'] == answer.text.split(SEPARATOR)


async def test_a_thousand_events_are_answered_in_order(echo: Echo) -> None:
    """Sent without waiting, with an ack each, on two namespaces in turn."""
    async with echo.joined() as socket:
        await join(socket, "/custom")
        prefixes = ["", "/custom,"]
        for start in range(0, 1000, 50):
            packets = [f'42{prefixes[n % 2]}{n}["message-with-ack",{n}]' for n in range(start, start + 50)]
            await socket.send_text(*packets)
        assert [f"43{prefixes[n % 2]}{n}[{n}]" for n in range(1000)] == await socket.messages(1000)


async def test_half_an_emoji_does_no_harm(echo: Echo) -> None:
    """JavaScript can send a lone surrogate as an escape: it becomes U+FFFD."""
    async with echo.joined() as socket:
        await socket.send_text('42["message","\\ud83d"]')
        assert ["message-back", "\ufffd"] == arguments(await socket.message())
