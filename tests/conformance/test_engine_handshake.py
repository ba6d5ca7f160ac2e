"""Opening a session (Engine.IO v4, "Handshake" and "Query parameters")."""

import json

import pytest

from tests.support.echo import ENGINE, MAX_PAYLOAD, Echo, packet_zero
from tests.support.rawsocket import Response, Wire, request, upgrade_headers, websocket

KEYS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
TRANSPORT_UNKNOWN, SESSION_UNKNOWN, BAD_METHOD, BAD_REQUEST, UNSUPPORTED_VERSION = 0, 1, 2, 3, 5


def assert_refused(answer: Response, code: int) -> None:
    """Check that a request was refused as the reference server does: 400, and JSON with the reason's number."""
    assert 400 == answer.status
    assert answer.headers["content-type"].startswith("application/json")
    reason = json.loads(answer.body)
    assert code == reason["code"]
    assert isinstance(reason["message"], str)


async def test_polling_opens_a_session(beating: Echo, path: str) -> None:
    """The first answer is one open packet that names the session, its heartbeat and limit, and websocket to move to."""
    answer = await beating.request(f"{path}?EIO=4&transport=polling")
    assert 200 == answer.status
    assert "text/plain; charset=utf-8" == answer.headers["content-type"].lower()
    opened = packet_zero(answer.text)
    assert KEYS == opened.keys()
    assert isinstance(opened["sid"], str)
    expected = [["websocket"], 300, 200, MAX_PAYLOAD]
    assert expected == [opened[key] for key in ("upgrades", "pingInterval", "pingTimeout", "maxPayload")]


async def test_a_websocket_opens_a_session(beating: Echo, path: str) -> None:
    """The first frame is the open packet; there is nothing to upgrade to."""
    async with websocket(beating.port, f"{path}?EIO=4&transport=websocket") as socket:
        opened = packet_zero(await socket.message())
    assert KEYS == opened.keys()
    assert isinstance(opened["sid"], str)
    expected = [[], 300, 200, MAX_PAYLOAD]
    assert expected == [opened[key] for key in ("upgrades", "pingInterval", "pingTimeout", "maxPayload")]


@pytest.mark.parametrize("version", ["", "&EIO=", "&EIO=abc", "&EIO=3", "&EIO=5", "&EIO=4.0", "&EIO=44", "&eio=4"])
async def test_polling_of_another_version_is_refused(echo: Echo, path: str, version: str) -> None:
    """The version must be there and be 4."""
    assert_refused(await echo.request(f"{path}?transport=polling{version}"), UNSUPPORTED_VERSION)


@pytest.mark.parametrize(
    "transport", ["", "&transport=", "&transport=abc", "&transport=webtransport", "&transport=POLLING"]
)
async def test_an_unknown_transport_is_refused(echo: Echo, path: str, transport: str) -> None:
    """The transport must be there and be one that the server has."""
    assert_refused(await echo.request(f"{path}?EIO=4{transport}"), TRANSPORT_UNKNOWN)


@pytest.mark.parametrize(("method", "code"), [("POST", BAD_METHOD), ("PUT", BAD_REQUEST), ("DELETE", BAD_REQUEST)])
async def test_only_get_opens_a_session(echo: Echo, path: str, method: str, code: int) -> None:
    """A POST without a session is a bad handshake; methods that polling does not know are bad requests."""
    answer = await echo.request(f"{path}?EIO=4&transport=polling", method=method, body=b"4hello")
    assert_refused(answer, code)


async def test_head_opens_no_session(echo: Echo, path: str) -> None:
    """HEAD is refused like other methods, and without a body as HTTP demands."""
    answer = await echo.request(f"{path}?EIO=4&transport=polling", method="HEAD")
    assert (400, b"") == (answer.status, answer.body)


@pytest.mark.parametrize("version", ["", "&EIO=abc", "&EIO=3"])
async def test_a_websocket_of_another_version_is_refused(echo: Echo, path: str, version: str) -> None:
    """The handshake is answered 400 and the connection closed: there is no websocket."""
    answer = await echo.request(f"{path}?transport=websocket{version}", headers=upgrade_headers())
    assert_refused(answer, UNSUPPORTED_VERSION)


@pytest.mark.parametrize("transport", ["", "&transport=abc"])
async def test_a_websocket_of_an_unknown_transport_is_refused(echo: Echo, path: str, transport: str) -> None:
    """A websocket handshake must ask for the websocket transport."""
    answer = await echo.request(f"{path}?EIO=4{transport}", headers=upgrade_headers())
    assert_refused(answer, TRANSPORT_UNKNOWN)


async def test_a_websocket_handshake_must_not_ask_for_polling(echo: Echo) -> None:
    """`transport=polling` with `Upgrade: websocket` is no websocket."""
    answer = await echo.request(f"{ENGINE}?EIO=4&transport=polling", headers=upgrade_headers())
    assert_refused(answer, BAD_REQUEST)


async def test_a_plain_request_must_not_ask_for_a_websocket(echo: Echo) -> None:
    """`transport=websocket` without `Upgrade: websocket` is refused, and opens nothing."""
    assert 400 == (await echo.request(f"{ENGINE}?EIO=4&transport=websocket")).status


@pytest.mark.parametrize("sid", ["nobody", "", "x" * 500, "%00", "..%2F..", "%F0%9F%8E%93"])
async def test_an_unknown_session_is_refused(echo: Echo, path: str, sid: str) -> None:
    """A poll and a POST of a session that is not there are 400, with the reason."""
    target = f"{path}?EIO=4&transport=polling&sid={sid or 'x'}"
    assert_refused(await echo.request(target), SESSION_UNKNOWN)
    assert_refused(await echo.request(target, method="POST", body=b"4hello"), SESSION_UNKNOWN)


async def test_a_websocket_of_an_unknown_session_is_refused(echo: Echo, path: str) -> None:
    """An upgrade of a session that is not there gets HTTP 400."""
    answer = await echo.request(f"{path}?EIO=4&transport=websocket&sid=nobody", headers=upgrade_headers())
    assert_refused(answer, SESSION_UNKNOWN)


async def test_a_session_is_known_on_its_own_path_only(echo: Echo) -> None:
    """Two engines on one port do not know each other's sessions."""
    polling = await echo.polling(ENGINE)
    answer = await echo.request(polling.target.replace("engine.io", "socket.io"))
    assert_refused(answer, SESSION_UNKNOWN)
    await polling.say("4hello")
    assert ["4hello"] == await polling.packets()


async def test_a_websocket_session_cannot_be_polled(echo: Echo, path: str) -> None:
    """The id of a session that is a websocket is no way in for polls and POSTs, and it lives on."""
    async with websocket(echo.port, f"{path}?EIO=4&transport=websocket") as socket:
        sid = packet_zero(await socket.message())["sid"]
        target = f"{path}?EIO=4&transport=polling&sid={sid}"
        assert 400 == (await echo.request(target)).status
        assert 400 == (await echo.request(target, method="POST", body=b"4hello")).status
        if path == ENGINE:
            await socket.send_text("4mine")
            assert "4mine" == await socket.message()


async def test_session_ids_are_not_to_be_guessed(echo: Echo) -> None:
    """No two alike, at least 16 characters, and made of what needs no escaping in a query."""
    sids = {(await echo.polling()).sid for _ in range(50)}
    assert 50 == len(sids)
    assert [] == [sid for sid in sids if len(sid) < 16 or not sid.replace("-", "").replace("_", "").isalnum()]


async def test_other_parameters_are_of_no_account(echo: Echo) -> None:
    """The order of parameters, those that keep a cache away, and escapes of plain letters change nothing."""
    for query in ("t=abc&transport=polling&b64=1&EIO=4", "EIO=%34&transport=%70olling", "&&EIO=4&transport=polling&x"):
        assert "0" == (await echo.request(f"{ENGINE}?{query}")).text[0]


async def test_other_paths_are_not_the_engine(echo: Echo) -> None:
    """A path that merely begins like ours is 404."""
    for target in ("/", "/engine", "/engine.io.evil/?EIO=4&transport=polling", "/other/?EIO=4&transport=websocket"):
        assert 404 == (await echo.request(target)).status


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_localhost_is_both_ipv4_and_ipv6(echo: Echo, host: str) -> None:
    """A client that looks `localhost` up reaches the server by either address."""
    wire = await Wire.open(echo.port, host)
    await wire.send(request(f"{ENGINE}?EIO=4&transport=polling"))
    assert 200 == (await wire.response()).status
    await wire.close()
