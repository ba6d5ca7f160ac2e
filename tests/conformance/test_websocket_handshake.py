"""The opening handshake of a websocket (RFC 6455 §4.2), and what is refused."""

import base64

import pytest

from tests.support.echo import ENGINE, Echo, packet_zero
from tests.support.rawsocket import RawSocket, handshake, request, upgrade_headers, websocket

TARGET = f"{ENGINE}?EIO=4&transport=websocket"


@pytest.mark.parametrize(
    "changes",
    [
        {"Connection": "keep-alive, Upgrade"},
        {"Connection": "upgrade"},
        {"Connection": "Keep-Alive,UPGRADE , x"},
        {"Upgrade": "WebSocket"},
        {"Upgrade": "h2c, websocket"},
        {"Origin": "https://elsewhere.example"},
        {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"},
        {"Sec_WebSocket_Protocol": "chat, superchat"},
        {"Cookie": "a=b; c=d"},
        {"Sec_WebSocket_Key": base64.b64encode(b"\x00" * 16).decode()},
        {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ=="},
        {"X_Long": "x" * 8000},
    ],
    ids=lambda changes: "; ".join(f"{name}: {value[:30]}" for name, value in changes.items()),
)
async def test_a_handshake_that_browsers_and_proxies_send_is_taken(echo: Echo, changes: dict[str, str]) -> None:
    """Tokens in any case and company; extensions and protocols are offers that nobody has to take (§4.2.2)."""
    async with websocket(echo.port, TARGET, headers=upgrade_headers(**changes)) as socket:
        packet_zero(await socket.message())
        await socket.send_text("4hello")
        assert "4hello" == await socket.message()


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title], ids=["lower", "upper", "title"])
async def test_the_case_of_header_names_does_not_matter(echo: Echo, change: object) -> None:
    """Header names are compared without their case (RFC 9110 §5.1)."""
    assert callable(change)
    headers = {change(name): value for name, value in upgrade_headers().items()}
    async with websocket(echo.port, TARGET, headers=headers) as socket:
        packet_zero(await socket.message())


@pytest.mark.parametrize(
    "changes",
    [
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": ""},
        {"Sec_WebSocket_Key": base64.b64encode(b"x" * 15).decode()},
        {"Sec_WebSocket_Key": base64.b64encode(b"x" * 17).decode()},
        {"Sec_WebSocket_Key": "not base64 at all, really"},
        {"Sec_WebSocket_Version": None},
        {"Sec_WebSocket_Version": "8"},
        {"Sec_WebSocket_Version": "12"},
        {"Sec_WebSocket_Version": "14"},
        {"Sec_WebSocket_Version": "thirteen"},
        {"Connection": None},
        {"Connection": "keep-alive"},
        {"Upgrade": None},
        {"Upgrade": "h2c"},
        {"Content_Length": "6"},
    ],
    ids=lambda changes: "; ".join(f"{name}: {value}" for name, value in changes.items()),
)
async def test_an_unsound_handshake_is_refused(echo: Echo, changes: dict[str, str | None]) -> None:
    """No 101 without a key of 16 bytes, version 13, `Connection: Upgrade` and `Upgrade: websocket` (§4.2.1)."""
    answer = await echo.request(TARGET, headers=upgrade_headers(**changes))
    assert answer.status in {400, 426}
    if (changes.get("Sec_WebSocket_Version", "13") or "") != "13" and answer.status == 426:
        assert "13" == answer.headers["sec-websocket-version"]


async def test_another_version_is_told_which_one_is_spoken(echo: Echo) -> None:
    """426 with `Sec-WebSocket-Version: 13` (§4.4)."""
    answer = await echo.request(TARGET, headers=upgrade_headers(Sec_WebSocket_Version="8"))
    assert (426, "13") == (answer.status, answer.headers["sec-websocket-version"])


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "get"])
async def test_only_get_becomes_a_websocket(echo: Echo, method: str) -> None:
    """Any other method is answered as HTTP (§4.1)."""
    async with echo.wire() as wire:
        await wire.send(request(TARGET, method=method, headers=upgrade_headers()))
        answer = await wire.response(method=method)
        assert 101 != answer.status
        assert answer.status >= 400 or method == "OPTIONS"


@pytest.mark.parametrize("version", ["1.0", "0.9", "2.0"])
async def test_only_http_1_1_becomes_a_websocket(echo: Echo, version: str) -> None:
    """HTTP/1.1 it must be (§4.1)."""
    answer = await echo.raw(request(TARGET, headers=upgrade_headers(), version=version))
    assert answer.status in {400, 505}


async def test_a_key_may_come_once_only(echo: Echo) -> None:
    """Which of two keys was meant cannot be known (§11.3.1)."""
    whole = request(TARGET, headers=upgrade_headers())
    twice = whole.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    assert 400 == (await echo.raw(twice)).status


async def test_what_came_before_a_refusal_is_not_a_websocket(echo: Echo) -> None:
    """Frames behind a refused handshake are not read as anything."""
    async with echo.wire() as wire:
        await wire.send(
            request(TARGET, headers=upgrade_headers(Sec_WebSocket_Key=None)), b"\x81\x80\x00\x00\x00\x00" * 50
        )
        assert 400 == (await wire.response()).status
        assert b"" == await wire.rest()


async def test_a_handshake_may_come_byte_by_byte(echo: Echo) -> None:
    """However slowly the network delivers it."""
    socket = await RawSocket.open(echo.port)
    headers = upgrade_headers()
    whole = request(TARGET, headers=headers)
    await socket.trickle(whole[:-40])
    await socket.send(whole[-40:])
    head = await socket.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    packet_zero(await socket.message())
    await socket.close()


@pytest.mark.parametrize("before", range(10))
async def test_a_websocket_may_follow_plain_requests(echo: Echo, before: int) -> None:
    """A proxy may send it down a connection that carried other requests before, however quickly they followed."""
    socket = await RawSocket.open(echo.port)
    for _ in range(before):
        await socket.send(request(f"{ENGINE}?EIO=4&transport=polling"))
        assert 200 == (await socket.response()).status
    await handshake(socket, TARGET)
    packet_zero(await socket.message())
    await socket.send_text("4hello")
    assert "4hello" == await socket.message()
    await socket.close()
