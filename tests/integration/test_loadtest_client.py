"""The load tester's client against the real server, over both transports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtest.client.api import Api
from loadtest.client.errors import CallFailed, ConnectFailed
from loadtest.client.network import Network
from loadtest.client.session import Session
from loadtest.client.target import parse_target
from loadtest.client.tokens import ReadyTokens, ServiceKeyTokens, User
from realtime.lifecycle import Server
from tests.support.server import running, settings_for, token

PATIENCE_S = 10.0
TRANSPORTS = ("websocket", "polling", "upgrade", "mixed")


class Ear:
    """A listener that can be waited for."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.reasons: list[str] = []
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._closed = asyncio.Event()

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        self.names.append(name)
        self._events.put_nowait((name, payload))

    def on_closed(self, reason: str) -> None:
        self.reasons.append(reason)
        self._closed.set()

    async def event(self, name: str) -> Any:
        """Return the payload of the next event of this name."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                heard, payload = await self._events.get()
                if heard == name:
                    return payload

    async def reason(self) -> str:
        """Return why the connection ended."""
        async with asyncio.timeout(PATIENCE_S):
            await self._closed.wait()
        return self.reasons[0]


@asynccontextmanager
async def network_to(url: str, transport: str) -> AsyncIterator[Network]:
    """Run a network for the length of a block."""
    network = Network(parse_target(url, transport))
    network.start()
    try:
        yield network
    finally:
        await network.close()


@pytest.fixture(params=TRANSPORTS)
async def network(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Network]:
    """A network to the server, over each transport."""
    async with network_to(server.url, request.param) as network:
        yield network


async def come(network: Network, server: Server, user_id: str, role: str = "student") -> tuple[Session, Ear]:
    """Connect a user, and wait for the welcome."""
    ear = Ear()
    session = await network.connect(token(server, user_id, role), ear)
    await ear.event("ready")
    return session, ear


async def test_a_message_reaches_the_other_person(server: Server, network: Network) -> None:
    """Connect, ready, call, emit with an ack, and the event at the other end; `ready` is the first event."""
    ada, ada_hears = await come(network, server, "ada")
    _, ben_hears = await come(network, server, "ben")
    room = (await ada.call("room:open", {"kind": "direct", "user_id": "ben"}))["room"]
    acked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    message = {"room_id": room["id"], "client_id": "1", "body": "naïve 日本 😀"}
    ada.emit("message:send", message, lambda envelope, now_ns: acked.set_result((envelope, now_ns)))
    envelope, now_ns = await acked
    heard = await ben_hears.event("message:new")
    assert now_ns > 0
    assert envelope["data"]["message"] == heard["message"]
    assert message["body"] == heard["message"]["body"]
    assert ["ready", "ready"] == [ada_hears.names[0], ben_hears.names[0]]


async def test_many_events_at_once_are_answered_in_order(server: Server, network: Network) -> None:
    """What is emitted in one breath arrives in that order, each ack at its own asker."""
    ada, _ = await come(network, server, "ada")
    await come(network, server, "ben")
    room = (await ada.call("room:open", {"kind": "direct", "user_id": "ben"}))["room"]
    sends = [
        ada.call("message:send", {"room_id": room["id"], "client_id": str(number), "body": str(number)})
        for number in range(60)
    ]
    answers = await asyncio.gather(*sends)
    assert [(str(number), number + 1) for number in range(60)] == [
        (answer["message"]["body"], answer["message"]["seq"]) for answer in answers
    ]


async def test_an_error_is_a_failed_call(server: Server, network: Network) -> None:
    """The server's code is the failure's; the connection goes on."""
    ada, _ = await come(network, server, "ada")
    with pytest.raises(CallFailed) as failed:
        await ada.call("no:such_event", {})
    assert "request.unknown_event" == failed.value.code
    assert {"rooms": []} == await ada.call("room:list", {})


async def test_a_bad_token_is_refused_by_code(network: Network) -> None:
    """The server's code and its words are in the failure; nobody is told of an end."""
    ear = Ear()
    with pytest.raises(ConnectFailed, match="not valid") as failed:
        await network.connect("nonsense", ear)
    assert ("auth.invalid_token", [], []) == (failed.value.code, ear.names, ear.reasons)


async def test_close_and_abort_are_our_own_doing(server: Server, network: Network) -> None:
    """Either way the listener hears `client` once, open questions hear None, and later calls are lost."""
    for end in (Session.close, Session.abort):
        ada, ear = await come(network, server, "ada")
        envelopes: list[object] = []
        ada.emit("room:list", {}, lambda envelope, _, heard=envelopes: heard.append(envelope))  # type: ignore[misc]
        end(ada)
        assert "client" == await ear.reason()
        assert (False, [None], ["client"]) == (ada.is_open, envelopes, ear.reasons)
        with pytest.raises(CallFailed, match="lost"):
            await ada.call("room:list", {})


async def test_what_was_sent_before_closing_arrives(server: Server, network: Network) -> None:
    """An orderly end does not cut off the last message."""
    ada, _ = await come(network, server, "ada")
    _, ben_hears = await come(network, server, "ben")
    room = (await ada.call("room:open", {"kind": "direct", "user_id": "ben"}))["room"]
    ada.emit("message:send", {"room_id": room["id"], "client_id": "1", "body": "bye"})
    ada.close()
    assert "bye" == (await ben_hears.event("message:new"))["message"]["body"]


async def test_who_has_paused_hears_nothing_until_resumed(server: Server, network: Network) -> None:
    """Everyone else has the messages meanwhile; none is missing afterwards."""
    ada, _ = await come(network, server, "ada")
    slow, slow_hears = await come(network, server, "ben")
    _, ben_hears = await come(network, server, "ben")
    room = (await ada.call("room:open", {"kind": "direct", "user_id": "ben"}))["room"]
    await asyncio.gather(slow_hears.event("room:changed"), ben_hears.event("room:changed"))
    slow.pause()
    for number in range(3):
        await ada.call("message:send", {"room_id": room["id"], "client_id": str(number), "body": str(number)})
        await ben_hears.event("message:new")
    assert "message:new" not in slow_hears.names
    slow.resume()
    assert [1, 2, 3] == [(await slow_hears.event("message:new"))["message"]["seq"] for _ in range(3)]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_server_that_goes_says_so(tmp_path: Path, transport: str) -> None:
    """Draining is heard as an event, with the time to come back; the end is the server's, and then nobody listens."""
    server = await Server.start(settings_for(tmp_path))
    async with network_to(server.url, transport) as network:
        ada, ear = await come(network, server, "ada")
        stopping = asyncio.ensure_future(server.stop())
        assert (await ear.event("server:draining"))["reconnect_after_ms"] >= 0
        assert "server" == await ear.reason()
        assert not ada.is_open
        await stopping
        with pytest.raises(ConnectFailed) as failed:
            await network.connect("any", Ear())
        assert "refused" == failed.value.code


async def test_hundreds_come_at_once_and_from_other_addresses(server: Server, network: Network) -> None:
    """All get in; half of them from an address that was asked for."""
    ears = [Ear() for _ in range(200)]
    sessions = await asyncio.gather(
        *(
            network.connect(token(server, f"u{number}"), ear, "127.0.0.2" if number % 2 else None)
            for number, ear in enumerate(ears)
        )
    )
    await asyncio.gather(*(ear.event("ready") for ear in ears))
    assert 200 == sum(session.is_open for session in sessions)
    await network.close()
    assert {"client"} == {await ear.reason() for ear in ears}


async def test_an_address_that_is_not_ours_is_a_failure(server: Server) -> None:
    """A source that this machine does not have ends in `no_ports`."""
    async with network_to(server.url, "websocket") as network:
        with pytest.raises(ConnectFailed) as failed:
            await network.connect("any", Ear(), "192.0.2.1")
    assert "no_ports" == failed.value.code


async def test_tokens_come_from_the_server_or_from_before(tmp_path: Path) -> None:
    """With the service key each user gets a token that works; with a wrong one the code says so."""
    ada = User(0, "ada", "Ada", "student")
    assert "t" == await ReadyTokens({0: "t"}).token(ada)
    key = "k" * 40
    async with running(tmp_path, service_key=key) as server:
        api = Api(parse_target(server.url), 4)
        try:
            tokens = ServiceKeyTokens(api, key)
            minted = await tokens.token(ada)
            assert minted == await tokens.token(ada), "a token that still lives is used again"
            answer = await api.request("GET", "/v1/me", minted)
            assert (200, None, "Ada") == (answer.status, answer.code, answer.body["user"]["name"])
            refused = await api.request("GET", "/v1/me", "nonsense")
            assert (401, "auth.invalid_token") == (refused.status, refused.code)
            with pytest.raises(ConnectFailed) as failed:
                await ServiceKeyTokens(api, "wrong").token(ada)
            assert failed.value.code.startswith("auth.")
        finally:
            await api.close()
