"""The load tester's upgrade from polling to a websocket: as the official clients do it, and when it goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from loadtest.client.errors import ConnectFailed
from loadtest.client.network import Network
from loadtest.client.session import Session
from loadtest.client.target import parse_target
from loadtest.client.upgrading import UpgradingWire
from tests.support.scripted import CLOSE, EVENT, JOINED, OPEN, TEXT, Peer, serving

PATIENCE_S = 10.0
NOOP = b"6"

Websocket = Callable[["School", Peer, bytes], Awaitable[None]]
"""What the server does with a websocket that asks, with this head, to be a session's second wire."""


class Ear:
    """A listener that can be waited for."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.reasons: list[str] = []
        self.changed = asyncio.Event()

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        self.names.append(name)
        self.changed.set()

    def on_closed(self, reason: str) -> None:
        self.reasons.append(reason)
        self.changed.set()


class School:
    """A server of one session: it polls by the book, and does with the websocket what the test says."""

    def __init__(self, websocket: Websocket) -> None:
        self._websocket = websocket
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue()
        """What polls will be answered with."""
        self.posted: list[bytes] = []
        self.framed: list[bytes] = []
        """What came by websocket, from the first packet on."""
        self.changed = asyncio.Event()
        self.goes_on = asyncio.Event()
        """Set by the test when the server is to go on."""

    async def serve(self, peer: Peer) -> None:
        """Serve one TCP connection."""
        while True:
            head, body = await peer.request()
            if b"transport=websocket" in head:
                await self._websocket(self, peer, head)
                return
            if head.startswith(b"POST"):
                self._take(body)
                peer.answer(b"ok")
            elif b"sid=" in head:
                peer.answer(await self.waiting.get())
            else:
                peer.answer(OPEN)

    def end(self) -> None:
        """Let go of the poll that may still wait."""
        self.waiting.put_nowait(NOOP)

    def _take(self, body: bytes) -> None:
        packets = body.split(b"\x1e")
        self.posted += packets
        for _ in (packet for packet in packets if packet.startswith(b"40{")):
            self.waiting.put_nowait(JOINED + b"\x1e" + EVENT)
        if b"41" in packets:
            self.waiting.put_nowait(NOOP)
        self.changed.set()

    async def read(self, peer: Peer, most: int | None = None) -> None:
        """Note what comes by websocket, up to so many packets or to its end."""
        while most is None or len(self.framed) < most:
            opcode, payload = await peer.hear()
            if opcode == CLOSE:
                return
            self.framed.append(payload)
            self.changed.set()


class Upgrade:
    """A client beside its server."""

    def __init__(self, school: School, network: Network, told: list[ConnectFailed | None]) -> None:
        self.school = school
        self.network = network
        self.told = told
        self.ear = Ear()

    async def connect(self) -> Session:
        """Come in."""
        return await self.network.connect("token", self.ear)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so, looking whenever something came."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await self.school.changed.wait()
                self.school.changed.clear()


def is_between(session: Session) -> bool:
    """Whether a session holds back what it is to send, until it has gone over."""
    return isinstance(session._wire, UpgradingWire) and session._wire._held is not None


@asynccontextmanager
async def upgrading(websocket: Websocket) -> AsyncIterator[Upgrade]:
    """Run a server, and a network to it that upgrades."""
    school, told = School(websocket), list[ConnectFailed | None]()
    async with serving(school.serve) as url:
        network = Network(parse_target(url, "upgrade"), told.append)
        network.start()
        try:
            yield Upgrade(school, network, told)
        finally:
            await network.close()
            school.end()


async def agree(school: School, peer: Peer, head: bytes) -> None:
    """Upgrade by the book: answer the probe, release the poll, and read on."""
    peer.accept(head)
    await school.read(peer, 1)
    peer.frame(TEXT, b"3probe")
    school.waiting.put_nowait(NOOP)
    await school.read(peer, 2)
    peer.frame(TEXT, b'42["welcome"]')
    await school.read(peer)


async def refuse(school: School, peer: Peer, head: bytes) -> None:
    """Have no websockets."""
    peer.answer(b"no", b"400 Bad Request")


async def hang_up(school: School, peer: Peer, head: bytes) -> None:
    """Accept, and end before the probe is answered."""
    peer.accept(head)
    await school.read(peer, 1)


async def babble(school: School, peer: Peer, head: bytes) -> None:
    """Answer the probe with something else."""
    peer.accept(head)
    await school.read(peer, 1)
    peer.frame(TEXT, b"3prob")
    await school.read(peer)


async def cut_midway(school: School, peer: Peer, head: bytes) -> None:
    """Answer the probe, and end before the poll that waits is answered."""
    peer.accept(head)
    await school.read(peer, 1)
    peer.frame(TEXT, b"3probe")
    await school.goes_on.wait()
    peer.writer.write_eof()
    await peer.gone()
    school.waiting.put_nowait(NOOP)


async def farewell(school: School, peer: Peer, head: bytes) -> None:
    """Answer the probe, and end the whole session by the poll that waits."""
    peer.accept(head)
    await school.read(peer, 1)
    peer.frame(TEXT, b"3probe")
    school.waiting.put_nowait(b"1")
    await peer.gone()


async def stall(school: School, peer: Peer, head: bytes) -> None:
    """Answer the probe, and never release the poll."""
    peer.accept(head)
    await school.read(peer, 1)
    peer.frame(TEXT, b"3probe")
    school.changed.set()
    await peer.gone()


async def test_the_session_goes_over_in_order() -> None:
    """The probe, then the upgrade, then all that was said; nothing is posted after it, and nothing is lost."""
    async with upgrading(agree) as upgrade:
        session = await upgrade.connect()
        session.emit("one", 1)
        await upgrade.until(lambda: "welcome" in upgrade.ear.names)
        session.emit("two", 2)
        await upgrade.until(lambda: b'42["two",2]' in upgrade.school.framed)
        framed, posted = upgrade.school.framed, upgrade.school.posted
        assert [None] == upgrade.told
        assert [b"2probe", b"5"] == framed[:2]
        assert [b'42["one",1]', b'42["two",2]'] == [packet for packet in (*posted, *framed) if packet.startswith(b"42")]
        assert ["ready", "welcome"] == upgrade.ear.names
        session.close()
        await upgrade.until(lambda: b"41" in upgrade.school.framed)
        assert b"41" not in posted


@pytest.mark.parametrize(
    ("websocket", "code"),
    [
        pytest.param(refuse, "http_400", id="refused"),
        pytest.param(hang_up, "lost", id="hangs up"),
        pytest.param(babble, "garbage", id="wrong answer"),
    ],
)
async def test_without_an_upgrade_polling_goes_on(websocket: Websocket, code: str) -> None:
    """Why there is none is told by its code; what is said afterwards is posted, what is sent is polled."""
    async with upgrading(websocket) as upgrade:
        session = await upgrade.connect()
        await upgrade.until(lambda: bool(upgrade.told))
        session.emit("one", 1)
        upgrade.school.waiting.put_nowait(b'42["still"]')
        await upgrade.until(lambda: b'42["one",1]' in upgrade.school.posted and "still" in upgrade.ear.names)
        assert [code] == [failed and failed.code for failed in upgrade.told]
        assert ([], True) == (upgrade.ear.reasons, session.is_open)


async def test_a_websocket_that_ends_midway_loses_nothing() -> None:
    """What was held back for it is posted, in its order, once the poll is free; polling goes on."""
    async with upgrading(cut_midway) as upgrade:
        session = await upgrade.connect()
        await upgrade.until(lambda: is_between(session))
        session.emit("one", 1)
        session.emit("two", 2)
        upgrade.school.goes_on.set()
        await upgrade.until(lambda: b'42["two",2]' in upgrade.school.posted)
        upgrade.school.waiting.put_nowait(b'42["still"]')
        await upgrade.until(lambda: "still" in upgrade.ear.names)
        assert [b'42["one",1]', b'42["two",2]'] == [
            packet for packet in upgrade.school.posted if packet.startswith(b"42")
        ]
        assert ["lost"] == [failed and failed.code for failed in upgrade.told]
        assert session.is_open


async def test_a_session_that_the_server_ends_midway_is_over() -> None:
    """The listener hears of one end, the server's, and nobody is told of an upgrade."""
    async with upgrading(farewell) as upgrade:
        session = await upgrade.connect()
        await upgrade.until(lambda: bool(upgrade.ear.reasons))
        assert (["server"], [], False) == (upgrade.ear.reasons, upgrade.told, session.is_open)


@pytest.mark.parametrize("end", [Session.close, Session.abort])
async def test_who_leaves_midway_leaves_nothing_behind(end: Callable[[Session], None]) -> None:
    """An orderly end still says goodbye by polling; either way no task is left, and the end is our own."""
    async with upgrading(stall) as upgrade:
        session = await upgrade.connect()
        await upgrade.until(lambda: is_between(session))
        session.emit("last words", 1)
        end(session)
        await upgrade.until(lambda: bool(upgrade.ear.reasons))
        if end is Session.close:
            await upgrade.until(lambda: b"41" in upgrade.school.posted)
            assert b'42["last words",1]' in upgrade.school.posted
        assert (["client"], []) == (upgrade.ear.reasons, upgrade.told)


async def test_who_does_not_read_is_still_deaf_after_the_upgrade() -> None:
    """Pausing holds through the change of wires: nothing is heard until resumed."""
    async with upgrading(agree) as upgrade:
        session = await upgrade.connect()
        session.pause()
        await upgrade.until(lambda: b"2probe" in upgrade.school.framed)
        assert "welcome" not in upgrade.ear.names
        session.resume()
        await upgrade.until(lambda: "welcome" in upgrade.ear.names)
        assert [None] == upgrade.told
