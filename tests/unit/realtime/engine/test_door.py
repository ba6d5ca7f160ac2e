"""realtime.engine.door: whatever arrives, in whatever pieces, is understood the same way."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.errors import SettingRefused
from realtime.engine.answers import Refusal
from realtime.engine.door import Door, Visit
from realtime.engine.head import Head
from realtime.engine.options import DoorRules
from realtime.engine.proxies import Proxies

HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: chat.school.example\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nX-Forwarded-For: 203.0.113.7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)
PROXY_LINE = b"PROXY TCP4 10.0.0.9 10.0.0.1 4711 8080\r\n"
FRAMES = b"\x81\x85\0\0\0\0hello\r\n\r\n"
BEHIND_PROXY = DoorRules(proxies=Proxies("10.0.0.0/8"), proxy_protocol=True)


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self, peer: str = "10.0.0.1") -> None:
        super().__init__({"peername": (peer, 4711)})
        self.written = b""
        self.unread = 0
        self.closed = False

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        """Keep what is written."""
        assert not self.closed
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        """Return what the client has not read."""
        return self.unread

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def abort(self) -> None:
        """Note it."""
        self.closed = True


class Taker:
    """Takes every websocket, or answers `refusal`, or raises `error`."""

    def __init__(self) -> None:
        self.taken: list[tuple[Head, str, bytes]] = []
        self.closed: list[Callable[[], None]] = []
        self.refusal: Refusal | None = None
        self.error: Exception | None = None

    def take(
        self, head: Head, address: str, transport: asyncio.Transport, rest: bytes, closed: Callable[[], None]
    ) -> Refusal | None:
        """Note who came."""
        if self.error is not None:
            raise self.error
        if self.refusal is None:
            self.taken.append((head, address, rest))
            self.closed.append(closed)
        return self.refusal


class Hall:
    """A door and who takes websockets behind it."""

    def __init__(self, rules: DoorRules) -> None:
        self.taker = Taker()
        self.door = Door(self.taker, path="/socket.io/", rules=rules)

    def arrive(self, *chunks: bytes, peer: str = "10.0.0.1") -> tuple[Visit, Wire]:
        """Connect and send; what comes after the connection was taken or closed is left out."""
        visit, wire = self.door(), Wire(peer)
        assert isinstance(visit, Visit)
        visit.connection_made(wire)
        for chunk in chunks:
            if not self.taker.taken and not wire.closed:
                visit.data_received(chunk)
        return visit, wire


@pytest.fixture
async def hall() -> AsyncIterator[Callable[..., Hall]]:
    """Doors that are closed at the end."""
    made: list[Hall] = []

    def make(rules: DoorRules) -> Hall:
        made.append(Hall(rules))
        return made[-1]

    yield make
    for one in made:
        one.door.close()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return `data` in pieces, cut at `places`."""
    ends = sorted({place % len(data) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(st.lists(st.integers(0, 10_000), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_pieces_make_no_difference(hall: Callable[..., Hall], places: list[int]) -> None:
    """However the PROXY header and the handshake are cut, the same head and the same client arrive."""
    one = hall(BEHIND_PROXY)
    *pieces, last = cut(PROXY_LINE + HANDSHAKE, places)
    _, wire = one.arrive(*pieces, last + FRAMES)
    ((head, address, rest),) = one.taker.taken
    assert ("203.0.113.7", FRAMES, b"", False) == (address, rest, wire.written, wire.closed)
    assert ("/socket.io/?EIO=4&transport=websocket", "chat.school.example") == (head.target, head.headers["host"])


async def test_every_single_byte_can_be_a_piece(hall: Callable[..., Hall]) -> None:
    """The slowest honest client is understood."""
    one = hall(BEHIND_PROXY)
    one.arrive(*(bytes([byte]) for byte in PROXY_LINE + HANDSHAKE))
    assert ["203.0.113.7"] == [address for _, address, _ in one.taker.taken]


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_bytes_break_a_visit(hall: Callable[..., Hall], data: st.DataObject) -> None:
    """Sound bytes with some changed, in any pieces: taken, answered, closed or waited for, and then forgotten."""
    one = hall(data.draw(st.sampled_from([BEHIND_PROXY, DoorRules(connections=1, connections_per_address=1)])))
    raw = bytearray(data.draw(st.sampled_from([PROXY_LINE + HANDSHAKE, HANDSHAKE])))
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(raw)))
        raw[start : start + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    pieces = cut(bytes(raw), data.draw(st.lists(st.integers(0, 10_000), max_size=5)))
    visit, _ = one.arrive(*pieces)
    if one.taker.closed:
        one.taker.closed[0]()
    visit.connection_lost(None)
    assert (0, set()) == (one.door.visits, one.door.waiting)


async def test_a_websocket_leaves_no_visit_behind(hall: Callable[..., Hall]) -> None:
    """After a websocket was taken, only its place is left, until it ends."""
    one = hall(DoorRules(connections_per_address=1))
    one.arrive(HANDSHAKE)
    gc.collect()
    assert [] == [found for found in gc.get_objects() if isinstance(found, Visit) and found._door is one.door]
    assert 1 == one.door.visits
    one.taker.closed[0]()
    one.taker.closed[0]()
    assert 0 == one.door.visits


async def test_a_websocket_keeps_its_place(hall: Callable[..., Hall]) -> None:
    """Only who took the connection says when it has ended; what its visit hears late counts for nothing."""
    one = hall(DoorRules())
    visit, wire = one.arrive(HANDSHAKE)
    visit.data_received(HANDSHAKE)
    visit.connection_lost(None)
    assert (1, 1, b"", False) == (one.door.visits, len(one.taker.taken), wire.written, wire.closed)


async def test_a_refused_websocket_is_answered(hall: Callable[..., Hall]) -> None:
    """With what the engine says, and then the connection closes."""
    one = hall(DoorRules())
    one.taker.refusal = Refusal(403, b'{"code":4}', headers={"X-Why": "origin"})
    visit, wire = one.arrive(HANDSHAKE)
    head, _, body = wire.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert {b"X-Why: origin", b"Connection: close", b"Content-Length: 10"} <= set(head.split(b"\r\n"))
    assert (b'{"code":4}', True) == (body, wire.closed)
    visit.connection_lost(None)
    assert 0 == one.door.visits


async def test_a_fault_of_the_engine_frees_the_place(hall: Callable[..., Hall]) -> None:
    """The event loop is told, and the connection is not counted for ever."""
    one = hall(DoorRules())
    one.taker.error = RuntimeError("a fault")
    with pytest.raises(RuntimeError, match="a fault"):
        one.arrive(HANDSHAKE)
    assert 0 == one.door.visits


async def answer(request: web.BaseRequest) -> web.Response:
    """Answer anything."""
    return web.Response()


async def test_who_reads_slowly_is_not_cut_off(hall: Callable[..., Hall]) -> None:
    """Any progress buys more time; without any between two looks, the connection ends."""
    one = hall(DoorRules())
    one.door.http = web.Server(answer)
    visit, wire = one.arrive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wire.unread = 100
    visit.pause_writing()
    seen = []
    for wire.unread in (99, 1, 1):
        visit.check_stall()
        seen.append((wire.closed, one.door.refused["stall"]))
    assert [(False, 0), (False, 0), (True, 1)] == seen
    visit.connection_lost(None)
    assert 0 == len(one.door.stalls)


async def test_reading_on_ends_a_stall(hall: Callable[..., Hall]) -> None:
    """Whoever has read everything is looked at no more."""
    one = hall(DoorRules())
    one.door.http = web.Server(answer)
    visit, _ = one.arrive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    visit.pause_writing()
    assert 1 == len(one.door.stalls)
    visit.resume_writing()
    assert 0 == len(one.door.stalls)
    visit.connection_lost(None)


async def test_before_there_is_an_application_nobody_waits(hall: Callable[..., Hall]) -> None:
    """A request that nothing is there to serve is closed."""
    _, wire = hall(DoorRules()).arrive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (b"", True) == (wire.written, wire.closed)


@pytest.mark.parametrize(
    ("peername", "address"),
    [
        (("203.0.113.7", 1), "203.0.113.7"),
        (("::ffff:203.0.113.7", 1, 0, 0), "203.0.113.7"),
        (("2001:db8::1", 1, 0, 0), "2001:db8::1"),
        ("", ""),
        (b"\0abstract", ""),
        (None, ""),
    ],
)
async def test_a_peer_has_an_address_or_none(hall: Callable[..., Hall], peername: object, address: str) -> None:
    """IPv4 inside IPv6 is IPv4; a socket file has no address."""
    visit, wire = Visit(hall(DoorRules()).door), Wire()
    wire._extra["peername"] = peername  # type: ignore[attr-defined]
    visit.connection_made(wire)
    assert address == visit.address


@pytest.mark.parametrize("behind", [b"\0", b"GET / HTTP/1.0\r\n\r\n"])
async def test_behind_a_proxy_header_a_head_begins(hall: Callable[..., Hall], behind: bytes) -> None:
    """What is shorter than the pieces before it is understood as at the start of any connection."""
    one = hall(BEHIND_PROXY)
    one.door.http = web.Server(answer)
    visit, wire = one.arrive(PROXY_LINE[:-1], PROXY_LINE[-1:] + behind)
    assert set() == one.door.waiting
    assert (behind == b"\0") == wire.closed
    visit.connection_lost(None)


async def test_local_connections_of_a_proxy_are_its_own(hall: Callable[..., Hall]) -> None:
    """A health check is let in, and counts for nobody."""
    one = hall(DoorRules(proxies=Proxies("10.0.0.0/8"), proxy_protocol=True, connections_per_address=1))
    for _ in range(3):
        visit, wire = one.arrive(b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")
        assert ("10.0.0.1", False) == (visit.address, wire.closed)


def test_a_proxy_protocol_without_a_proxy_is_refused() -> None:
    """Nobody could connect, so the operator is told at the start."""
    with pytest.raises(SettingRefused, match="HOMEROOM_PROXY_PROTOCOL"):
        DoorRules(proxy_protocol=True)
