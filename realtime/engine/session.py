"""One Engine.IO session: the connection of one client, by websocket or polling."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from realtime.engine.frames import CLOSE, NOOP, SEPARATOR, Frame, polled
from realtime.engine.inbox import Inbox, Work
from realtime.engine.outbox import Outbox
from realtime.engine.packets import Malformed

if TYPE_CHECKING:
    from realtime.engine.sessions import Sessions


class Wire(Protocol):
    """A websocket, as a session sees it. All of it may be called after its end, and does nothing then."""

    paused: bool
    """Whether the client has stopped reading."""

    def send(self, frame: Frame) -> None:
        """Send one packet."""
        ...

    def send_soon(self, frame: Frame) -> None:
        """Send one text packet at the end of this turn of the event loop, together with those that follow."""
        ...

    def close(self) -> None:
        """Close with the closing handshake, behind what has been sent; in moderate time."""
        ...

    def abort(self) -> None:
        """Drop the connection without a word."""
        ...

    def hold_reading(self, *, on: bool) -> None:
        """Read the client no further, or again."""
        ...


class Session(Inbox):
    """While it has a websocket that keeps up, frames go straight to it. Otherwise they wait in an outbox: for the next
    poll, for the end of an upgrade, or for a slow client, which is cut rather than let its outbox grow.

    It closes (`close`: what is in hand is finished first), or is lost (what was received is still handled), and then
    it ends, once.
    """

    __slots__ = (
        "_closing",
        "_direct",
        "_lost",
        "_outbox",
        "_poll",
        "_sessions",
        "_upgrading",
        "_wire",
        "broken",
        "ended",
        "headers",
        "id",
        "posting",
        "probe",
        "reading_held",
        "state",
    )

    def __init__(self, sessions: "Sessions", session_id: str, headers: Mapping[str, str]) -> None:
        super().__init__(sessions.background)
        self.id = session_id
        self.headers = headers
        self.state: Any = None
        """The application's own."""
        self.probe: Wire | None = None
        """A websocket that offers to take over from polling."""
        self.posting = False
        self.reading_held = False
        self.broken = False
        """Whether the client did not keep to the protocol."""
        self.ended = False
        self._sessions = sessions
        self._wire: Wire | None = None
        self._direct: Wire | None = None
        self._outbox: Outbox | None = None
        self._poll: asyncio.Future[bytes | None] | None = None
        self._upgrading = False
        self._closing: str | None = None
        self._lost: str | None = None

    # ── what goes out ────────────────────────────────────────────────────────────────────────────

    def push(self, frame: Frame) -> None:
        """Send a frame, or let it wait; never waits itself."""
        if self._direct is not None:
            self._direct.send(frame)
        elif self._lost is None:
            self._hold(frame)

    def push_first(self, frame: Frame) -> None:
        """Send a text frame as `push` does, when more will follow at once: all of them take one system call."""
        if self._direct is not None:
            self._direct.send_soon(frame)
        else:
            self.push(frame)

    def _hold(self, frame: Frame) -> None:
        outbox, options = self._outbox, self._sessions.options
        if outbox is None:
            outbox = self._outbox = Outbox()
        if frame.ephemeral:
            if outbox.size * 2 > options.queue_bytes or len(outbox) * 2 > options.queue_frames:
                self._sessions.meters.shed.inc()
                return
        elif outbox.size > options.queue_bytes or len(outbox) >= options.queue_frames:
            self._cut("slow_consumer")
            return
        outbox.add(frame)
        self._answer_poll(None)

    def _flush(self, wire: Wire) -> None:
        """Send what waits, and then directly, if the client reads all of it."""
        outbox = self._outbox
        while outbox and not wire.paused:
            wire.send(outbox.take())
        if wire.paused:
            return
        self._outbox, self._direct = None, wire
        if self._closing is not None and not self.handling:
            wire.close()

    @property
    def leaving(self) -> bool:
        """Whether it closes, or is lost: nobody new is let in."""
        return self._closing is not None or self._lost is not None

    # ── websocket ────────────────────────────────────────────────────────────────────────────────

    @property
    def on_websocket(self) -> bool:
        """Whether it began with a websocket, or has been upgraded."""
        return self._wire is not None

    def carry(self, wire: Wire) -> None:
        """Use this websocket from now on; an upgrade is complete."""
        self._wire, self.probe, self._upgrading = wire, None, False
        self._answer_poll(NOOP)
        self._flush(wire)
        self.go_on()

    def pause(self) -> None:
        """Let frames wait: the client does not read."""
        self._direct = None

    def resume(self) -> None:
        """Send what waits: the client reads again."""
        if self._wire is not None and self._lost is None:
            self._flush(self._wire)

    def answer_probe(self, wire: Wire) -> bool:
        """Begin an upgrade; from here on frames wait for the websocket. Return False if there is nothing to upgrade."""
        if self._upgrading or self.probe is not wire or self._closing is not None or self._lost is not None:
            return False
        self._upgrading = True
        wire.send(Frame(b"3probe"))
        self._answer_poll(NOOP)
        return True

    @property
    def upgrading(self) -> bool:
        """Whether its probe has been answered, and it waits for the client to change over."""
        return self._upgrading

    def abandon_probe(self) -> None:
        """Stay with polling: the websocket did not make it."""
        self.probe, self._upgrading = None, False

    # ── polling ──────────────────────────────────────────────────────────────────────────────────

    @property
    def polled(self) -> bool:
        """Whether a poll waits for its answer."""
        return self._poll is not None

    async def poll(self) -> bytes:
        """Return the answer to a poll; waits until there is something to say."""
        if self._upgrading:
            return NOOP
        if not self._outbox:
            self._poll = asyncio.get_running_loop().create_future()
            try:
                answer = await self._poll
            finally:
                self._poll = None
            if answer is not None:
                return answer
        return self._collect()

    def _collect(self) -> bytes:
        if not self._outbox:
            return NOOP
        frames = self._outbox.take_all()
        payload = SEPARATOR.join(map(polled, frames))
        self._sessions.tally.frames_out += len(frames)
        self._sessions.tally.bytes_out += len(payload)
        if self._closing is not None and not self.handling:
            self.end(self._closing)
        else:
            self.go_on()
        return payload

    def _answer_poll(self, payload: bytes | None) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(payload)

    # ── what comes in ────────────────────────────────────────────────────────────────────────────

    def receive(self, packet: bytes) -> None:
        """Take one text packet."""
        tally = self._sessions.tally
        tally.frames_in += 1
        tally.bytes_in += len(packet)
        kind = packet[:1]
        if kind == b"4":
            if self._lost is None and self._closing is None:
                self.take(packet, binary=False)
        elif kind == b"3":
            self._sessions.ponged(self)
        elif kind == CLOSE:
            self._answer_poll(NOOP)
            self.lost("client disconnect")
        elif kind not in {b"5", b"6"}:
            self.failed(Malformed("not a packet that clients send"))

    def receive_binary(self, data: bytes) -> None:
        """Take one binary message."""
        tally = self._sessions.tally
        tally.frames_in += 1
        tally.bytes_in += len(data)
        if self._lost is None and self._closing is None:
            self.take(data, binary=True)

    def begin_message(self, data: bytes, *, binary: bool) -> Work | None:
        return self._sessions.application.received(self, data, binary=binary)

    def may_handle(self) -> bool:
        """A client that has yet to fetch its answers is not asked for more: it cannot poll and post at one time."""
        outbox = self._outbox
        return outbox is None or self._wire is not None or len(outbox) * 2 <= self._sessions.options.queue_frames

    def hold_reading(self, *, on: bool) -> None:
        if self._wire is not None and self.reading_held != on:
            self.reading_held = on
            self._wire.hold_reading(on=on)

    def message_done(self) -> None:
        if self._closing is not None:
            self._say_goodbye()

    def all_done(self) -> None:
        if self._lost is not None:
            self.end(self._lost)

    def failed(self, error: Exception) -> None:
        if not isinstance(error, Malformed):
            self._sessions.report(error)
        self.broken = True
        self.forget_backlog()
        self.lost("transport error")

    # ── the end ──────────────────────────────────────────────────────────────────────────────────

    def close(self, reason: str) -> None:
        """End it in good order: what is being handled is finished, what waits to be sent is sent, in moderate time."""
        if self._closing is not None or self._lost is not None:
            return
        self._closing = reason
        self._sessions.meters.cut.labels(reason).inc()
        self._sessions.closing.set(self)
        self.forget_backlog()
        if not self.handling:
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        self.forget_backlog()
        self._sessions.application.closing(self)
        if self._wire is None:
            self.push(Frame(CLOSE))
        elif self._direct is not None:
            self._wire.close()

    def lost(self, reason: str) -> None:
        """Note that the client is gone, or as good as. What it sent before is still handled."""
        if self._lost is not None:
            return
        self._lost = self._closing or reason
        self._direct, self._outbox = None, None
        self.go_on()

    def _cut(self, reason: str) -> None:
        """End it, whatever waits: the client does not read. Others are being told something now, so: a moment later."""
        self._sessions.meters.cut.labels(reason).inc()
        self._lost = self._closing or reason
        self._outbox = None
        self.forget_backlog()
        if self._wire is not None:
            self._wire.abort()
        asyncio.get_running_loop().call_soon(self.go_on)

    def give_up(self) -> None:
        """End it: it had its time to close."""
        if self._wire is not None:
            self._wire.abort()
        self.end(self._closing or "transport close")

    def end(self, reason: str) -> None:
        """Forget it, and close what it came by."""
        if self.ended:
            return
        self.ended = True
        self._lost = reason
        self._direct, self._outbox = None, None
        self.forget_backlog()
        self.wake_settled()
        self._answer_poll(CLOSE)
        self._sessions.forget(self, reason)
        wire, probe = self._wire, self.probe
        self._wire, self.probe = None, None
        for one in (wire, probe):
            if one is not None:
                one.close()
