"""A session: order, the outbox, slow clients, upgrades, and its end, without a network."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from core.tasks import Background
from realtime.engine.frames import NOOP, Frame
from realtime.engine.inbox import MESSAGES, Work
from realtime.engine.options import EngineOptions
from realtime.engine.packets import Malformed
from realtime.engine.ports import Meters, Tally
from realtime.engine.session import Session
from realtime.engine.sessions import Sessions


@dataclass
class Recorder:
    """An application: says what it was told. A message of `wait…` takes until it is let go."""

    handled: list[bytes] = field(default_factory=list)
    closings: int = 0
    ends: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def opened(self, session: Session) -> None: ...

    def received(self, session: Session, data: bytes, *, binary: bool) -> Work | None:
        if data.startswith(b"4bad"):
            raise Malformed("bad")
        if data.startswith(b"4bug"):
            raise RuntimeError("bug")
        return self._work(data)

    async def _work(self, data: bytes) -> None:
        if data.startswith(b"4wait"):
            await self.gate.wait()
        self.handled.append(data)

    def closing(self, session: Session) -> None:
        self.closings += 1
        session.push(Frame(b"41"))

    def closed(self, session: Session, reason: str) -> None:
        self.ends.append(reason)


class Wire:
    """A websocket whose client reads when it is told to."""

    def __init__(self) -> None:
        self.paused = False
        self.sent: list[bytes] = []
        self.closes = 0
        self.aborts = 0
        self.held = False

    def send(self, frame: Frame) -> None:
        self.sent.append(frame.data)

    def send_soon(self, frame: Frame) -> None:
        self.send(frame)

    def close(self) -> None:
        self.closes += 1

    def abort(self) -> None:
        self.aborts += 1

    def hold_reading(self, *, on: bool) -> None:
        self.held = on


class Desk:
    """Sessions, and what they report."""

    def __init__(self) -> None:
        self.app = Recorder()
        self.all: list[Session] = []
        self.errors: list[BaseException] = []
        self.background = Background(self.errors.append)
        self.registry = CollectorRegistry()
        options = EngineOptions(queue_bytes=1000, queue_frames=20)
        meters = Meters(self.registry)
        self.sessions = Sessions(self.app, options, meters=meters, tally=Tally(), background=self.background)

    def on_websocket(self) -> tuple[Session, Wire]:
        """Return a new session and its websocket."""
        session, wire = self.polling(), Wire()
        self.sessions.carried(session)
        session.carry(wire)
        return session, wire

    def polling(self) -> Session:
        """Return a new session that polls."""
        self.all.append(self.sessions.open({}))
        return self.all[-1]

    def count(self, name: str, **labels: str) -> float:
        """Return a metric."""
        return self.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """Yield sessions that are closed afterwards."""
    desk = Desk()
    yield desk
    desk.app.gate.set()
    await desk.background.close(grace_s=1)
    for session in desk.all:
        session.end("test is over")
    await desk.sessions.close()


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_messages_are_handled_at_once_and_in_order(desk: Desk) -> None:
    """What waits for nothing is handled in the very call; what comes behind one that waits, after it."""
    session, _ = desk.on_websocket()
    session.receive(b"4one")
    assert [b"4one"] == desk.app.handled
    session.receive(b"4wait two")
    session.receive(b"4three")
    session.receive(b"4four")
    assert [b"4one"] == desk.app.handled
    desk.app.gate.set()
    await _turns()
    assert [b"4one", b"4wait two", b"4three", b"4four"] == desk.app.handled


async def test_a_client_is_read_no_further_than_the_backlog_holds(desk: Desk) -> None:
    """Behind a handler that waits, so many messages are kept; then reading stops, and goes on when they are done."""
    session, wire = desk.on_websocket()
    session.receive(b"4wait")
    for number in range(MESSAGES - 1):
        session.receive(b"4%d" % number)
    assert not wire.held
    session.receive(b"4last")
    held = wire.held
    session.receive(b"3")  # a pong is not kept waiting
    desk.app.gate.set()
    await _turns()
    assert (True, False) == (held, wire.held)
    assert MESSAGES + 1 == len(desk.app.handled)


async def test_what_was_sent_before_the_end_is_still_handled(desk: Desk) -> None:
    """A client that sends and leaves has sent; the end is told after the last message."""
    session, _ = desk.on_websocket()
    session.receive(b"4wait")
    session.receive(b"4two")
    session.lost("transport close")
    session.receive(b"4too late")
    assert [] == desk.app.ends
    desk.app.gate.set()
    await _turns()
    assert [b"4wait", b"4two"] == desk.app.handled
    assert ["transport close"] == desk.app.ends
    assert 0 == len(desk.sessions)


async def test_a_slow_client_gets_everything_when_it_reads_again(desk: Desk) -> None:
    """While it does not read, frames wait, in order; pings and answers too."""
    session, wire = desk.on_websocket()
    wire.paused = True
    session.pause()
    for number in range(10):
        session.push(Frame(b"4%d" % number))
    assert [] == wire.sent
    wire.paused = False
    session.resume()
    session.push(Frame(b"4now"))
    assert [*(b"4%d" % number for number in range(10)), b"4now"] == wire.sent


@pytest.mark.parametrize("size", [1, 120])
async def test_a_client_that_does_not_read_is_cut(desk: Desk, size: int) -> None:
    """Ephemeral frames are shed from half of the budget on; above the budget, in bytes or frames, it is cut off."""
    session, wire = desk.on_websocket()
    wire.paused = True
    session.pause()
    sent = 0
    while not wire.aborts:
        session.push(Frame(b"4" + b"e" * size, ephemeral=True))
        session.push(Frame(b"4" + b"x" * size))
        sent += 1
        assert sent < 50
    assert desk.count("homeroom_frames_shed_total") > 0
    assert 1 == desk.count("homeroom_connections_cut_total", reason="slow_consumer")
    assert [] == desk.app.ends  # somebody may be telling many people something just now
    await _turns()
    assert ["slow_consumer"] == desk.app.ends
    session.push(Frame(b"4nobody"))


async def test_one_large_frame_is_not_what_cuts(desk: Desk) -> None:
    """A frame larger than the budget passes, if little waits before it."""
    session, wire = desk.on_websocket()
    wire.paused = True
    session.pause()
    session.push(Frame(b"4" + b"x" * 5000))
    assert 0 == wire.aborts
    wire.paused = False
    session.resume()
    assert [5001] == [len(data) for data in wire.sent]


async def test_nonsense_ends_the_session_and_a_bug_is_reported(desk: Desk) -> None:
    """Both end that session only; only the bug is ours."""
    session, wire = desk.on_websocket()
    other, _ = desk.on_websocket()
    session.receive(b"4bad")
    assert session.ended
    assert session.broken
    assert (1, []) == (wire.closes, desk.errors)
    buggy, _ = desk.on_websocket()
    buggy.receive(b"4bug")
    assert buggy.ended
    assert ["bug"] == [str(error) for error in desk.errors]
    other.receive(b"4fine")
    assert [b"4fine"] == desk.app.handled


@pytest.mark.parametrize("packet", [b"", b"0{}", b"2", b"2probe", b"7", b"x"])
async def test_packets_that_clients_do_not_send_end_it(desk: Desk, packet: bytes) -> None:
    """OPEN and PING are the server's; the rest does not exist."""
    session, _ = desk.on_websocket()
    session.receive(packet)
    assert session.ended


async def test_closing_waits_for_what_is_in_hand(desk: Desk) -> None:
    """The answer of the message in hand goes out, then the goodbye; what waited behind it is dropped."""
    session, wire = desk.on_websocket()
    session.receive(b"4wait")
    session.receive(b"4behind")
    session.close("draining")
    assert (0, 0) == (desk.app.closings, wire.closes)
    desk.app.gate.set()
    await _turns()
    assert [b"4wait"] == desk.app.handled
    assert ([b"41"], 1) == (wire.sent, wire.closes)
    session.lost("transport close")
    assert ["draining"] == desk.app.ends
    assert 1 == desk.count("homeroom_connections_cut_total", reason="draining")


async def test_closing_a_slow_client_sends_what_waits_first(desk: Desk) -> None:
    """The closing handshake comes behind all that was queued."""
    session, wire = desk.on_websocket()
    wire.paused = True
    session.pause()
    session.push(Frame(b"4one"))
    session.close("draining")
    assert 0 == wire.closes
    wire.paused = False
    session.resume()
    assert ([b"4one", b"41"], 1) == (wire.sent, wire.closes)


async def test_a_poll_takes_all_that_waits(desk: Desk) -> None:
    """Frames of one turn make one payload; binary ones are base64."""
    session = desk.polling()
    poll = asyncio.ensure_future(session.poll())
    await _turns()
    session.push(Frame(b"4one"))
    session.push(Frame(b"\x01\x02", binary=True))
    assert b"4one\x1ebAQI=" == await poll
    session.push(Frame(b"4two"))
    assert b"4two" == await session.poll()


async def test_who_does_not_fetch_answers_is_not_asked_for_more(desk: Desk) -> None:
    """A polling client cannot poll and post at once: with half of the frames queued, its messages wait for a poll."""
    session = desk.polling()
    for number in range(11):
        session.push(Frame(b"4%d" % number))
    session.receive(b"4message")
    assert ([], False) == (desk.app.handled, session.settled)
    await session.poll()
    assert ([b"4message"], True) == (desk.app.handled, session.settled)


async def test_an_upgrade_loses_and_doubles_nothing(desk: Desk) -> None:
    """From the probe on, frames wait for the websocket; polls are answered with nothing."""
    session = desk.polling()
    poll = asyncio.ensure_future(session.poll())
    await _turns()
    wire = Wire()
    session.probe = wire
    assert session.answer_probe(wire)
    assert NOOP == await poll
    session.push(Frame(b"4one"))
    assert NOOP == await session.poll()
    session.push(Frame(b"4two"))
    desk.sessions.carried(session)
    session.carry(wire)
    session.push(Frame(b"4three"))
    assert [b"3probe", b"4one", b"4two", b"4three"] == wire.sent


async def test_a_probe_that_fails_leaves_polling_as_it_was(desk: Desk) -> None:
    """What waited for the websocket is there for the next poll, in order."""
    session = desk.polling()
    wire = Wire()
    session.probe = wire
    assert session.answer_probe(wire)
    session.push(Frame(b"4one"))
    session.abandon_probe()
    session.push(Frame(b"4two"))
    assert b"4one\x1e4two" == await session.poll()
    assert not session.answer_probe(wire)


async def test_closing_a_poller_waits_for_its_poll(desk: Desk) -> None:
    """It is told with its next poll, and forgotten then."""
    session = desk.polling()
    session.close("draining")
    assert [] == desk.app.ends
    assert b"41\x1e1" == await session.poll()
    assert ["draining"] == desk.app.ends


async def test_a_poll_that_waits_hears_of_the_end(desk: Desk) -> None:
    """Nobody waits for ever."""
    session = desk.polling()
    poll = asyncio.ensure_future(session.poll())
    await _turns()
    session.end("transport error")
    assert b"1" == await poll
