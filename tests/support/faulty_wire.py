"""Engine.IO connections of the faulty server: a websocket written by hand, and long polling.

Everything is written at once and in order, so that what a plan says is what is on the wire.
"""

import asyncio
from typing import Any, Protocol

import orjson

from tests.support.faulty_plan import Obstacle, Plan

SEPARATOR = "\x1e"


def frame(text: str) -> bytes:
    """Return a whole text frame of a server (RFC 6455 §5.2)."""
    data = text.encode()
    if len(data) < 126:
        return bytes((0x81, len(data))) + data
    if len(data) < 1 << 16:
        return b"\x81\x7e" + len(data).to_bytes(2, "big") + data
    return b"\x81\x7f" + len(data).to_bytes(8, "big") + data


class Wire(Protocol):
    """How packets leave."""

    def packets(self, *packets: str) -> None:
        """Send packets, together."""

    def raw(self, data: bytes) -> None:
        """Send bytes as they are, below the framing."""

    def end(self) -> None:
        """Close after what was sent."""


class WebsocketWire:
    """One websocket."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def packets(self, *packets: str) -> None:
        self.raw(b"".join(map(frame, packets)))

    def raw(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def end(self) -> None:
        self._transport.close()


class PollingWire:
    """Packets wait here for the next poll."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._news = asyncio.Event()
        self._ended = False

    def packets(self, *packets: str) -> None:
        self._waiting += packets
        self._news.set()

    def raw(self, data: bytes) -> None:
        self.packets(data.decode("latin-1"))

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def poll(self) -> str | None:
        """Wait for packets; None once the connection has ended and all is told."""
        await self._news.wait()
        if self._ended and not self._waiting:
            return None
        batch, self._waiting = self._waiting, []
        if not self._ended:
            self._news.clear()
        return SEPARATOR.join(batch)


class Connection:
    """One client: its user once it has signed in, and whether it still hears anything."""

    def __init__(self, sid: str, wire: Wire, plan: Plan) -> None:
        self.sid = sid
        self.user: dict[str, Any] | None = None
        self.rooms: set[str] = set()
        self.is_open = True
        self.is_late = False
        """Whether deliveries to it are delayed."""
        self.obstacle: Obstacle | None = None
        self.had: set[tuple[str, str]] = set()
        """(room, client_id) of what it was sent live."""
        self.tops: dict[str, int] = {}
        """The highest `seq` it was sent live, by room."""
        self.held: dict[str, Any] = {}
        """What waits to be overtaken, by room."""
        self._wire = wire
        self._plan = plan
        self._hushed = False
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def user_id(self) -> str:
        """The signed-in user."""
        assert self.user is not None
        return str(self.user["id"])

    @property
    def hears(self) -> bool:
        """Whether what is sent will arrive."""
        return self.is_open and not self._hushed

    def open(self) -> None:
        """Send Engine.IO's open packet, and pings from now on."""
        facts = {
            "sid": self.sid,
            "upgrades": [],
            "pingInterval": self._plan.ping_interval_ms,
            "pingTimeout": self._plan.ping_timeout_ms,
            "maxPayload": 65_536,
        }
        self.packets("0" + orjson.dumps(facts).decode())
        if self._plan.pings:
            self._ping_later()

    def event(self, name: str, payload: object, *more: tuple[str, object]) -> None:
        """Send events, together."""
        self.packets(*("42" + orjson.dumps(one).decode() for one in [(name, payload), *more]))

    def ack(self, ack_id: str, envelope: object) -> None:
        """Answer an event."""
        if ack_id:
            self.packets(f"43{ack_id}" + orjson.dumps([envelope]).decode())

    def packets(self, *packets: str) -> None:
        """Send packets, unless hushed."""
        if self.hears:
            self._wire.packets(*packets)

    def later(self, delay_ms: float, send: Any, *arguments: Any) -> None:
        """Do it after a while, if still open then; at once if there is no delay."""
        if not delay_ms:
            send(*arguments)
            return

        def due() -> None:
            self._timers.discard(timer)
            send(*arguments)

        timer = asyncio.get_running_loop().call_later(delay_ms / 1000, due)
        self._timers.add(timer)

    def wound(self, what: bytes | str | None) -> None:
        """Send what must end the connection, and end it."""
        if isinstance(what, bytes):
            self._wire.raw(what)
        elif what is not None:
            self._wire.packets(what)
        self.close(keep=what is not None)

    def hush(self) -> None:
        """Fall silent, and stay open."""
        self._hushed = True

    def close(self, *, keep: bool = False) -> None:
        """End the connection; with `keep` the client is left to close it."""
        self.is_open = False
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if not keep:
            self._wire.end()

    def _ping_later(self) -> None:
        self.later(self._plan.ping_interval_ms, self._ping)

    def _ping(self) -> None:
        self.packets("2")
        self._ping_later()
