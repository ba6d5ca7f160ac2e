"""The Engine.IO server: all sessions of one path, their heartbeat, and how they begin."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Final, Protocol

import orjson

from core.tasks import Background
from realtime.engine.alarms import Alarm, Clockwork
from realtime.engine.frames import PING, Frame
from realtime.engine.inbox import Work
from realtime.engine.options import EngineOptions
from realtime.engine.ports import Meters, Tally
from realtime.engine.session import Session, Wire

CLOSE_S: Final = 2.0
"""How long a closing client has to take what is still queued, and to answer a closing handshake."""
UPGRADE_S: Final = 10.0
"""How long a client may take from its probe to the end of the upgrade."""
_SID_BYTES: Final = 15
_LOOK_S: Final = 0.01
_PING: Final = Frame(PING)


class Application(Protocol):
    """What speaks over sessions: Socket.IO, or an echo."""

    def opened(self, session: Session) -> None:
        """A session has begun."""
        ...

    def received(self, session: Session, data: bytes, *, binary: bool) -> Work | None:
        """Handle a message; text has its `4` in front. Returns work that may wait. Raises Malformed."""
        ...

    def closing(self, session: Session) -> None:
        """Say goodbye: the session will be closed by the server."""
        ...

    def closed(self, session: Session, reason: str) -> None:
        """A session has ended."""
        ...


class Sessions:
    """Everyone who is connected."""

    def __init__(
        self, application: Application, options: EngineOptions, *, meters: Meters, tally: Tally, background: Background
    ) -> None:
        self.application = application
        self.options = options
        self.meters = meters
        self.tally = tally
        self.background = background
        self._sessions: dict[str, Session] = {}
        loop = asyncio.get_running_loop()
        now = loop.time
        self._resting = Alarm[Session](options.ping_interval_s, self._ping, now)
        self._pinged = Alarm[Session](options.ping_timeout_s, self._silent, now)
        self._strangers = Alarm[Session](options.connect_timeout_s, self._stayed_out, now)
        self.closing = Alarm[Session](CLOSE_S, Session.give_up, now)
        self.probing = Alarm[Session](UPGRADE_S, self._end_probe, now)
        self.lingering = Alarm[Wire](CLOSE_S, _abort, now)
        """Websockets whose closing handshake is under way."""
        self._clockwork = Clockwork(loop)
        self._clockwork.start(self._resting, self._pinged, self._strangers, self.closing, self.probing, self.lingering)

    def __len__(self) -> int:
        return len(self._sessions)

    # ── beginning ────────────────────────────────────────────────────────────────────────────────

    def open(self, headers: Mapping[str, str]) -> Session:
        """Begin a session, on polling until a websocket carries it."""
        session = Session(self, secrets.token_urlsafe(_SID_BYTES), headers)
        self._sessions[session.id] = session
        self._resting.set(session)
        self._strangers.set(session)
        self.tally.pollers += 1
        return session

    def find(self, session_id: str) -> Session | None:
        """Return a session that is not over; one whose answer to a ping is late is over."""
        session = self._sessions.get(session_id)
        if session is not None and self._pinged.overdue(session):
            self._silent(session)
        return None if session is None or session.ended else session

    def opening(self, session: Session, *, upgrades: bool) -> Frame:
        """Return the OPEN packet."""
        handshake = {
            "sid": session.id,
            "upgrades": ["websocket"] if upgrades else [],
            "pingInterval": round(self.options.ping_interval_s * 1000),
            "pingTimeout": round(self.options.ping_timeout_s * 1000),
            "maxPayload": self.options.advertised_bytes,
        }
        return Frame(b"0" + orjson.dumps(handshake))

    def carried(self, session: Session) -> None:
        """Note that a session is on a websocket now."""
        self.probing.clear(session)
        self.tally.pollers -= 1
        self.tally.websockets += 1

    def admitted(self, session: Session, *, here: bool) -> None:
        """Note that somebody is on a namespace, or that nobody is any more; who stays out too long is sent away."""
        if here:
            self._strangers.clear(session)
        else:
            self._strangers.set(session)

    # ── heartbeat ────────────────────────────────────────────────────────────────────────────────

    def ponged(self, session: Session) -> None:
        """Note that a client has answered."""
        if not session.ended:
            self._pinged.clear(session)
            self._resting.set(session)

    def _ping(self, session: Session) -> None:
        self._pinged.set(session, since=self._resting.rings_for)
        session.push(_PING)

    def _silent(self, session: Session) -> None:
        if session.reading_held:  # it may have answered: it is we who do not read
            self._pinged.set(session)
        else:
            session.lost("ping timeout")

    # ── the end ──────────────────────────────────────────────────────────────────────────────────

    def forget(self, session: Session, reason: str) -> None:
        """Note that a session is over."""
        del self._sessions[session.id]
        for alarm in (self._resting, self._pinged, self._strangers, self.closing, self.probing):
            alarm.clear(session)
        if session.on_websocket:
            self.tally.websockets -= 1
        else:
            self.tally.pollers -= 1
        self.application.closed(session, reason)

    def report(self, error: Exception) -> None:
        """Tell of a bug."""
        self.background.failed(error)

    async def close(self) -> None:
        """End all sessions. What is left of them is seen off for a moment."""
        for session in list(self._sessions.values()):
            session.close("server shutting down")
        for _ in range(round(CLOSE_S / _LOOK_S)):
            if not self._sessions and not len(self.lingering):
                break
            await asyncio.sleep(_LOOK_S)
        self._clockwork.stop()
        for session in list(self._sessions.values()):
            session.end("server shutting down")
        self.lingering.ring_all()

    def _stayed_out(self, session: Session) -> None:
        if session.handling:  # it is being admitted
            self._strangers.set(session)
            return
        session.close("not_signed_in")

    def _end_probe(self, session: Session) -> None:
        probe = session.probe
        session.abandon_probe()
        if probe is not None:
            probe.close()


def _abort(wire: Wire) -> None:
    wire.abort()
