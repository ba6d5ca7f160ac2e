"""Random and mutated bytes, frames and packets against the whole product: nothing breaks, and nobody else notices."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.contract.registry import CLIENT_EVENTS
from realtime.lifecycle import Server
from realtime.process import new_event_loop
from tests.support.mutations import mutated
from tests.support.rawsocket import Opcode, RawSocket, Wire, exchange, frame, request, text, upgrade_headers
from tests.support.server import running, token
from tests.support.siege import (
    POLLING,
    WEBSOCKET,
    Neighbours,
    Standing,
    connect_packet,
    guest,
    holds_again,
    neighbours,
    no_complaints,
    poller,
    stranger,
)

EXAMPLES = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Siege:
    """A server, and two neighbours who talk after each attack; what the server holds must be as before by then."""

    def __init__(self, runner: asyncio.Runner, server: Server, both: Neighbours) -> None:
        self.server = server
        self._runner = runner
        self._both = both
        self._before = Standing.of(server)

    def withstands(self, attack: Awaitable[None]) -> None:
        """Run an attack to its end."""
        self._runner.run(self._withstand(attack))

    async def _withstand(self, attack: Awaitable[None]) -> None:
        await attack
        await self._both.talk()
        await holds_again(self.server, self._before)


@pytest.fixture
def siege(tmp_path: Path) -> Iterator[Siege]:
    """A server of which no complaint is heard, on the event loop that servers run on."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner, stacked(runner) as stack:
        server = runner.run(stack.enter_async_context(running(tmp_path)))
        runner.run(enter(stack, no_complaints()))
        yield Siege(runner, server, runner.run(stack.enter_async_context(neighbours(server))))


@contextmanager
def stacked(runner: asyncio.Runner) -> Iterator[AsyncExitStack]:
    """Close what is put on a stack, in the loop."""
    stack = AsyncExitStack()
    try:
        yield stack
    finally:
        runner.run(stack.aclose())


async def enter(stack: AsyncExitStack, context: object) -> None:
    """Enter a context inside the loop."""
    stack.enter_context(context)  # type: ignore[arg-type]


# ── what comes ───────────────────────────────────────────────────────────────────────────────────

REQUESTS = (
    request(WEBSOCKET, headers=upgrade_headers()),
    request(WEBSOCKET, headers=upgrade_headers()) + text("40{}") + text('42["room:list",{}]'),
    request(f"{WEBSOCKET}&sid=nobody", headers=upgrade_headers()),
    request(POLLING),
    request(f"{POLLING}&sid=nobody", method="POST", body=b'42["room:list",{}]'),
    request("/healthz") + request("/readyz") + request(WEBSOCKET, headers=upgrade_headers()),
    request("/v1/rooms", method="POST", headers={"Content-Type": "application/json"}, body=b'{"kind":"direct"}'),
    request("/v1/me", method="POST", headers={"Transfer-Encoding": "chunked"}, body=b"4\r\nabcd\r\n0\r\n\r\n"),
    b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n" + request("/healthz"),
    b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12) + request("/healthz"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)
PAYLOADS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
EVENTS = st.builds(
    lambda ack, name, data: f"42{ack}".encode() + orjson.dumps([name, *data]),
    st.sampled_from(["", "1", "77"]),
    st.sampled_from(sorted(CLIENT_EVENTS)) | st.text(max_size=8),
    st.lists(PAYLOADS, max_size=2),
)
PACKETS = (
    b"2", b"3", b"5", b"6", b"2probe", b"40", b"40{}", b'40/admin,{"token":"x"}', b"41", b"41/admin,",
    b'42["room:list",{}]', b'421["message:send",{"room_id":"r","client_id":"1","body":"x"}]', b'431["ok"]',
    b'451-9["message:send",{"room_id":"r","client_id":"1","body":{"_placeholder":true,"num":0}}]', b"bYnl0ZXM=",
    b'421["room:open",{"kind":"group","title":"Algebra","member_ids":[]}]', b'421["presence:set",{"status":"busy"}]',
)  # fmt: skip
MESSAGES = st.one_of(
    EVENTS,
    EVENTS.flatmap(mutated),
    st.sampled_from(PACKETS),
    st.sampled_from(PACKETS).flatmap(mutated),
    st.binary(max_size=30),
)
FRAMES = st.builds(
    frame,
    st.sampled_from(list(Opcode)) | st.integers(0, 15),
    MESSAGES | st.binary(max_size=130),
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 1, 4, 7]),
    masked=st.sampled_from([True, True, True, False]),
    length_bytes=st.sampled_from([None, None, 2, 8]),
    claimed=st.none() | st.integers(0, 125),
)


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return data in pieces, cut at the given places."""
    at = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(at)]


CUTS = st.lists(st.integers(0, 5000), max_size=3)


async def throw(wire: Wire, pieces: list[bytes]) -> None:
    """Send bytes, say that this was all, and wait for the end."""
    try:
        for piece in pieces:
            await wire.send(piece)
            await asyncio.sleep(0)
        wire.finish()
    except (OSError, RuntimeError):
        pass  # the server has had enough
    await wire.rest()


# ── the attacks ──────────────────────────────────────────────────────────────────────────────────


def test_bytes(siege: Siege) -> None:
    """Whatever a connection begins with, in whatever pieces: it is answered or closed, and forgotten."""

    async def attack(data: bytes, cuts: list[int]) -> None:
        wire = await Wire.open(siege.server.port)
        await throw(wire, in_pieces(data, cuts))
        await wire.close()

    @EXAMPLES
    @given(st.binary(max_size=300) | st.sampled_from(REQUESTS).flatmap(mutated), CUTS)
    def fuzz(data: bytes, cuts: list[int]) -> None:
        siege.withstands(attack(data, cuts))

    fuzz()


@pytest.mark.parametrize("signed_in", [False, True], ids=["stranger", "signed in"])
def test_frames(siege: Siege, signed_in: bool) -> None:
    """Whatever frames a websocket brings, bent or broken or in pieces: that one connection may end, no more."""

    async def attack(data: bytes, cuts: list[int]) -> None:
        async with guest(siege.server, "ada") if signed_in else stranger(siege.server) as socket:
            await throw(socket, in_pieces(data, cuts))

    joined = st.lists(FRAMES, min_size=1, max_size=6).map(b"".join)

    @EXAMPLES
    @given(joined | joined.flatmap(mutated), CUTS)
    def fuzz(data: bytes, cuts: list[int]) -> None:
        siege.withstands(attack(data, cuts))

    fuzz()


@pytest.mark.parametrize("signed_in", [False, True], ids=["stranger", "signed in"])
def test_packets_by_websocket(siege: Siege, signed_in: bool) -> None:
    """Whatever sound frames say, as text or binary: an ack, an error, or the end of that connection."""

    async def attack(messages: list[tuple[bytes, bool]]) -> None:
        async with guest(siege.server, "ada") if signed_in else stranger(siege.server) as socket:
            kinds = ((Opcode.BINARY if binary else Opcode.TEXT, data) for data, binary in messages)
            await throw(socket, [frame(kind, data) for kind, data in kinds])

    mostly_text = st.sampled_from([False, False, False, True])

    @EXAMPLES
    @given(st.lists(st.tuples(MESSAGES, mostly_text), min_size=1, max_size=8))
    def fuzz(messages: list[tuple[bytes, bool]]) -> None:
        siege.withstands(attack(messages))

    fuzz()


@pytest.mark.parametrize("signed_in", [False, True], ids=["stranger", "signed in"])
def test_packets_by_polling(siege: Siege, signed_in: bool) -> None:
    """Whatever is posted: 200 or 400, and a session that was broken is gone."""

    async def attack(posts: list[bytes]) -> None:
        address = await poller(siege.server, token(siege.server, "ada") if signed_in else None)
        statuses = [(await exchange(siege.server.port, address, method="POST", body=body)).status for body in posts]
        assert [] == [status for status in statuses if status not in {200, 400}]
        assert 400 not in statuses or {400} == set(statuses[statuses.index(400) :])
        await exchange(siege.server.port, address, method="POST", body=b"1")

    @EXAMPLES
    @given(st.lists(st.lists(MESSAGES, min_size=1, max_size=4).map(b"\x1e".join), min_size=1, max_size=3))
    def fuzz(posts: list[bytes]) -> None:
        siege.withstands(attack(posts))

    fuzz()


def test_handshakes_of_sessions(siege: Siege) -> None:
    """Whatever a token and a probe look like: who is not let in changes nothing for who is."""

    async def attack(auth: object, probe: list[bytes]) -> None:
        async with stranger(siege.server) as socket:
            await throw(socket, [text("40" + orjson.dumps(auth).decode()), text('421["room:list",{}]')])
        address = await poller(siege.server, token(siege.server, "ada"))
        upgrade = await RawSocket.open(siege.server.port)
        target = address.replace("transport=polling", "transport=websocket")
        await throw(
            upgrade, [request(target, headers=upgrade_headers()), *(frame(Opcode.TEXT, said) for said in probe)]
        )
        await upgrade.close()
        await exchange(siege.server.port, address, method="POST", body=b"1")

    tokens = st.dictionaries(st.just("token") | st.text(max_size=4), PAYLOADS, max_size=2) | PAYLOADS
    probes = st.lists(st.sampled_from([b"2probe", b"5", b"3", b"1", b"40", b""]) | MESSAGES, max_size=4)

    @EXAMPLES
    @given(tokens, probes)
    def fuzz(auth: object, probe: list[bytes]) -> None:
        siege.withstands(attack(auth, probe))

    fuzz()


def test_a_token_that_is_good_survives_all_that(siege: Siege) -> None:
    """The measure of these tests: an honest client of the same kind is let in, and answered."""

    async def honest() -> None:
        async with stranger(siege.server) as socket:
            await socket.send_text(connect_packet(token(siege.server, "ada")), '427["room:list",{}]')
            while not str(heard := await socket.message()).startswith("437["):
                assert heard is not None

    siege.withstands(honest())
