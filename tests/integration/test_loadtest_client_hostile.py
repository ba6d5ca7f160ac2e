"""The load tester's client against servers that are not what they should be: coded, never a hang or a traceback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from loadtest.client.api import Api
from loadtest.client.errors import ApiFailed, ConnectFailed
from loadtest.client.network import Network
from loadtest.client.target import Target, parse_target
from tests.support.process import free_port
from tests.support.scripted import (
    BINARY,
    CLOSE,
    EVENT,
    JOINED,
    MORE,
    OPEN,
    PING,
    TEXT,
    Peer,
    Script,
    bytes_after_joining,
    cut_short,
    drip,
    let_in,
    nothing,
    raw,
    says,
    serving,
    silence,
    websocket,
    wound,
)

PATIENCE_S = 10.0
HASTE_S = 0.3
"""How long a client waits for a server that never answers."""


class Ear:
    """A listener that can be waited for."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self.reasons: list[str] = []
        self._changed = asyncio.Event()

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        self.events.append((name, payload))
        self._changed.set()

    def on_closed(self, reason: str) -> None:
        self.reasons.append(reason)
        self._changed.set()

    async def heard(self, count: int) -> list[tuple[str, Any]]:
        """Return the events when there are `count`, or the connection has ended."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.events) < count and not self.reasons:
                self._changed.clear()
                await self._changed.wait()
        return self.events

    async def reason(self) -> str:
        """Return why the connection ended."""
        await self.heard(2**62)
        return self.reasons[0]


@asynccontextmanager
async def network_to(target: Target) -> AsyncIterator[Network]:
    """Run a network for the length of a block."""
    network = Network(target)
    network.start()
    try:
        yield network
    finally:
        await network.close()


WRONG_ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: eA==\r\n\r\n"
)
PAGE = b"<html>502 Bad Gateway</html>"
BAD_STARTS = {
    "hangs up": (nothing, "lost", "lost"),
    "silent": (silence, "timeout", "timeout"),
    "drips": (drip, "timeout", "timeout"),
    "a proxy's page": (says(PAGE, b"502 Bad Gateway"), "http_502", "http_502"),
    "sent elsewhere": (says(b"", b"302 Found", b"Location: http://127.0.0.1:1/\r\n"), "http_302", "http_302"),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n\r\n"), "garbage", "garbage"),
    "another page": (says(PAGE), "http_200", "garbage"),
    "wrong accept": (raw(WRONG_ACCEPT), "garbage", None),
    "opens with garbage": (websocket(b"garbage"), "garbage", None),
    "never opens": (websocket(), "timeout", None),
    "opens and hangs up": (cut_short, "lost", None),
    "never joins": (websocket(OPEN), "timeout", None),
    "closes for good": (websocket(OPEN, b"1"), "lost", None),
    "joins and leaves": (websocket(OPEN, JOINED, b"41"), "lost", None),
    "an event too early": (websocket(OPEN, EVENT), "garbage", None),
    "forbids": (websocket(OPEN, b'44{"message":"no","data":{"code":"auth.forbidden"}}'), "auth.forbidden", None),
    "polling: silent later": (says(OPEN), None, "garbage"),
    "polling: an empty answer": (says(b""), None, "garbage"),
}
CASES = [
    pytest.param(script, transport, code, id=f"{name}, {transport}")
    for name, (script, *codes) in BAD_STARTS.items()
    for transport, code in zip(("websocket", "polling"), codes, strict=True)
    if code is not None
]


@pytest.mark.parametrize(("script", "transport", "code"), CASES)
async def test_a_bad_start_has_a_code(script: Script, transport: str, code: str) -> None:
    """However a server fails to let us in, `connect` ends in its code, and the listener hears of no end."""
    ear = Ear()
    async with serving(script) as url:
        target = parse_target(url, transport)
        target = replace(target, connect_timeout_s=HASTE_S) if code == "timeout" else target
        async with network_to(target) as network:
            with pytest.raises(ConnectFailed) as failed:
                await network.connect("token", ear)
    assert (code, []) == (failed.value.code, ear.reasons)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_nobody_there(transport: str) -> None:
    """A closed port is `refused`, and so is a name that nobody has."""
    for url in (f"http://127.0.0.1:{free_port()}", "http://nobody.invalid"):
        async with network_to(parse_target(url, transport)) as network:
            with pytest.raises(ConnectFailed) as failed:
                await network.connect("token", Ear())
        assert "refused" == failed.value.code


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_proxy_may_say_when_to_come_back(transport: str) -> None:
    """Retry-After goes with the failure, in ms."""
    busy = says(b"", b"503 Service Unavailable", b"Retry-After: 2\r\n")
    async with serving(busy) as url, network_to(parse_target(url, transport)) as network:
        with pytest.raises(ConnectFailed) as failed:
            await network.connect("token", Ear())
    assert ("http_503", 2000) == (failed.value.code, failed.value.retry_after_ms)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_server_without_tls_is_told_apart(transport: str) -> None:
    """HTTPS to a server that answers in the clear is `tls`."""

    async def script(peer: Peer) -> None:
        peer.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.gone()

    async with serving(script) as url:
        target = parse_target(url.replace("http:", "https:"), transport)
        async with network_to(target) as network:
            with pytest.raises(ConnectFailed) as failed:
                await network.connect("token", Ear())
    assert "tls" == failed.value.code


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_cancelled_attempt_leaves_no_connection(transport: str) -> None:
    """Whoever stops waiting takes the TCP connection with them."""
    came, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        came.set()
        await peer.gone()
        gone.set()

    async with serving(script) as url, network_to(parse_target(url, transport)) as network:
        attempt = asyncio.ensure_future(network.connect("token", Ear()))
        await came.wait()
        attempt.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await gone.wait()
        with pytest.raises(asyncio.CancelledError):
            await attempt


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(let_in, "lost", id="TCP ends"),
        pytest.param(wound((TEXT, b"41", True)), "server", id="disconnect"),
        pytest.param(wound((TEXT, b"1", True)), "server", id="engine close"),
        pytest.param(wound((CLOSE, b"\x03\xe9", True)), "server", id="websocket close"),
        pytest.param(wound((TEXT, b"garbage", True)), "garbage", id="garbage"),
        pytest.param(wound((TEXT, b'42["a",{', True)), "garbage", id="half JSON"),
        pytest.param(wound((TEXT, b'42["\xff"]', True)), "garbage", id="no UTF-8"),
        pytest.param(wound((BINARY, b"\x00", True)), "garbage", id="binary frame"),
        pytest.param(wound((MORE, b"42", True)), "garbage", id="continues nothing"),
        pytest.param(wound((TEXT, b"42", False), (TEXT, b"42", True)), "garbage", id="fragment cut short"),
        pytest.param(wound((7, b"", True)), "garbage", id="unknown opcode"),
        pytest.param(bytes_after_joining(b"\x81\x7f" + (1 << 40).to_bytes(8, "big")), "garbage", id="a terabyte"),
        pytest.param(bytes_after_joining(b"HTTP/1.1 408 Request Timeout\r\n"), "garbage", id="HTTP again"),
    ],
)
async def test_a_connection_that_goes_bad_ends_with_a_reason(script: Script, reason: str) -> None:
    """What came before is heard, then the reason, once."""
    ear = Ear()
    async with serving(script) as url, network_to(parse_target(url)) as network:
        session = await network.connect("token", ear)
        session.emit("go", {})
        assert reason == await ear.reason()
        assert not session.is_open
    assert ([("ready", {"n": 1})], [reason]) == (ear.events, ear.reasons)


async def test_a_message_in_many_fragments_is_one_message() -> None:
    """A message cut anywhere, even within a character, and pings between its parts, arrives whole."""
    message = '42["long",{"body":"naïve 😀"}]'.encode()

    async def script(peer: Peer) -> None:
        await peer.upgrade(OPEN, JOINED)
        for number, byte in enumerate(message):
            peer.frame(MORE if number else TEXT, bytes([byte]), fin=False)
            peer.frame(PING, b"are you there")
        peer.frame(MORE, b"")
        peer.frame(TEXT, EVENT)
        await peer.gone()

    ear = Ear()
    async with serving(script) as url, network_to(parse_target(url)) as network:
        await network.connect("token", ear)
        assert [("long", {"body": "naïve 😀"}), ("ready", {"n": 1})] == await ear.heard(2)


async def test_a_server_that_never_pings_is_stalled() -> None:
    """Past its own interval and timeout the connection is given up."""
    hasty = b'0{"sid":"a","pingInterval":10,"pingTimeout":10}'
    ear = Ear()
    async with serving(websocket(hasty, JOINED)) as url, network_to(parse_target(url)) as network:
        await network.connect("token", ear)
        assert "stalled" == await ear.reason()


def polled(posts: list[bytes], *payloads: bytes) -> Script:
    """Answer polls with these payloads in turn, then with 400; keep what is posted."""
    waiting = list(payloads)

    async def script(peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            if head.startswith(b"POST"):
                posts.append(body)
                peer.answer(b"ok")
            elif waiting:
                peer.answer(waiting.pop(0))
            else:
                peer.answer(b"", b"400 Bad Request")

    return script


async def test_a_polling_payload_holds_many_packets() -> None:
    """Packets of one payload are heard in order; a ping among them is answered; an end of the polls is `lost`."""
    posts: list[bytes] = []
    two = b"\x1e".join([EVENT, b"2", b'42["second",{}]', b"6"])
    ear = Ear()
    script = polled(posts, OPEN, JOINED, two)
    async with serving(script) as url, network_to(parse_target(url, "polling")) as network:
        await network.connect("token", ear)
        assert [("ready", {"n": 1}), ("second", {})] == await ear.heard(2)
        assert "lost" == await ear.reason()
    assert b'40{"token":"token"}' == posts[0]


async def test_posts_are_batched_no_larger_than_the_server_reads() -> None:
    """What is emitted while a POST is on its way goes together, in order, in payloads of at most `maxPayload`."""
    posts: list[bytes] = []
    ended = asyncio.Event()

    polls = [OPEN, JOINED]

    async def script(peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            if head.startswith(b"POST"):
                posts.append(body)
                peer.answer(b"ok")
                if body.endswith(b"\x1e1"):
                    ended.set()
            elif polls:
                peer.answer(polls.pop(0))
            else:
                await ended.wait()

    async with serving(script) as url, network_to(parse_target(url, "polling")) as network:
        session = await network.connect("token", Ear())
        for number in range(20):
            session.emit("a", {"number": number})
        session.close()
        async with asyncio.timeout(PATIENCE_S):
            await ended.wait()
    packets = [b'42["a",{"number":%d}]' % number for number in range(20)]
    assert [*packets, b"41", b"1"] == b"\x1e".join(posts[1:]).split(b"\x1e")
    assert 100 >= max(map(len, posts))
    assert len(posts) < 12


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (says(b'{"a":1}'), 200, None),
        (says(b"", b"204 No Content"), 204, None),
        (says(PAGE), 200, "garbage"),
        (says(PAGE, b"502 Bad Gateway"), 502, "http_502"),
        (says(b'{"code":"rate.limited"}', b"429 Too Many Requests"), 429, "rate.limited"),
        (says(b"[]", b"500 Oops"), 500, "http_500"),
    ],
)
async def test_every_http_answer_has_a_code(script: Script, status: int, code: str | None) -> None:
    """Ok has none; an error its own, or its status; an ok answer that is not JSON is garbage."""
    async with serving(script) as url:
        api = Api(parse_target(url), 2)
        answer = await api.request("GET", "/v1/me", "token")
        await api.close()
    assert (status, code) == (answer.status, answer.code)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (nothing, "lost"),
        (silence, "timeout"),
        (raw(b"SSH-2.0\r\n\r\n"), "garbage"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"), "timeout"),
    ],
)
async def test_no_http_answer_is_a_failure(script: Script, code: str) -> None:
    """Raises ApiFailed with the code; so does a closed port."""
    async with serving(script) as url:
        api = Api(replace(parse_target(url), connect_timeout_s=HASTE_S), 2)
        with pytest.raises(ApiFailed) as failed:
            await api.request("GET", "/v1/me", None)
        await api.close()
    assert code == failed.value.code
    api = Api(parse_target(f"http://127.0.0.1:{free_port()}"), 2)
    with pytest.raises(ApiFailed, match="refused"):
        await api.request("GET", "/v1/me", None)
    await api.close()
