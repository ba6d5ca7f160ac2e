"""Which pages of other sites may connect (RFC 6454; browsers send Origin with every websocket)."""

from collections.abc import AsyncIterator

import pytest

from realtime.engine.origins import Origins
from tests.support.echo import SOCKET, Echo, packet_zero
from tests.support.engine import Stage, staging
from tests.support.rawsocket import upgrade_headers, websocket

POLLING, WEBSOCKET = f"{SOCKET}?EIO=4&transport=polling", f"{SOCKET}?EIO=4&transport=websocket"
FRIEND = "https://school.example"
STRANGERS = ["https://evil.example", "http://school.example", "https://school.example.evil.example", "null", "file://"]


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    """A server that allows one other origin."""
    async with staging(Stage(), origins=Origins((FRIEND,))) as port:
        yield Echo(port)


@pytest.mark.parametrize("origin", STRANGERS)
async def test_other_sites_are_refused(echo: Echo, origin: str) -> None:
    """403 for opening, polling, posting and websockets; nothing that the page may read says otherwise."""
    polling = await echo.polling(SOCKET)
    for target, method in ((POLLING, "GET"), (polling.target, "GET"), (polling.target, "POST")):
        answer = await echo.request(target, method=method, headers={"Origin": origin})
        assert 403 == answer.status
        assert "access-control-allow-origin" not in answer.headers
    assert 403 == (await echo.request(WEBSOCKET, headers=upgrade_headers(Origin=origin))).status


@pytest.mark.parametrize("origin", [FRIEND, "HTTPS://SCHOOL.EXAMPLE", "http://localhost", None])
async def test_listed_sites_the_own_host_and_clients_that_are_no_browser_come_in(
    echo: Echo, origin: str | None
) -> None:
    """By polling and by websocket; the page may read the answers."""
    headers = {} if origin is None else {"Origin": origin}
    answer = await echo.request(POLLING, headers=headers)
    packet_zero(answer.text)
    assert origin == answer.headers.get("access-control-allow-origin")
    async with websocket(echo.port, WEBSOCKET, headers=upgrade_headers(Origin=origin)) as socket:
        packet_zero(await socket.message())
