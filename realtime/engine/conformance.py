"""The echo contract of the official protocol suites, on our own engine: `python -m realtime.engine.conformance`.

    /engine.io/   Engine.IO alone: every message, text or binary, comes back
    /socket.io/   Socket.IO on `/` and `/custom`: `auth` with the handshake's payload on connecting, `message` back
                  as `message-back`, `message-with-ack` back in its ack

The suites are written for port 3000 and for the times that are the defaults here.
"""

import argparse
import asyncio
import errno
import logging
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from aiohttp import web
from prometheus_client import CollectorRegistry

from core.tasks import Background
from realtime.engine import packets
from realtime.engine.door import Door, Visit
from realtime.engine.frames import Frame, packet_frames
from realtime.engine.inbox import Work
from realtime.engine.options import DoorRules, EngineOptions
from realtime.engine.origins import Origins
from realtime.engine.polling import Polling
from realtime.engine.ports import Link, Meters, Tally
from realtime.engine.server import SocketServer
from realtime.engine.session import Session
from realtime.engine.sessions import Sessions
from realtime.engine.upgrades import Upgrades
from realtime.listening import Listening, listen
from realtime.process import new_event_loop, raise_open_files, settle

ENGINE: Final = "/engine.io/"
NAMESPACES: Final = frozenset({"/", "/custom"})
MAX_PAYLOAD: Final = 1_000_000


class EngineEcho:
    """An `Application` of Engine.IO that sends every message back."""

    def __init__(self, options: EngineOptions, background: Background) -> None:
        meters = Meters(CollectorRegistry())
        self.sessions = Sessions(self, options, meters=meters, tally=Tally(), background=background)
        self.upgrades = Upgrades(self.sessions)

    def opened(self, session: Session) -> None:
        """Let a session stay, though it joins no namespace."""
        self.sessions.admitted(session, here=True)

    def received(self, session: Session, data: bytes, *, binary: bool) -> Work | None:
        """Send a message back."""
        session.push(Frame(data, binary=binary))
        return None

    def closing(self, session: Session) -> None:
        """Say nothing."""

    def closed(self, session: Session, reason: str) -> None:
        """Keep nothing."""


@dataclass(frozen=True, slots=True)
class _Guest:
    namespace: str
    auth: object
    link: Link

    def emit(self, kind: int, arguments: list[object], ack_id: int | None = None) -> None:
        for frame in packet_frames(kind, arguments, ack_id=ack_id, namespace=self.namespace):
            self.link.push(frame)


class EchoEdge:
    """An `Edge` that admits everybody and sends every message back."""

    def __init__(self) -> None:
        self._guests: dict[str, _Guest] = {}

    async def accept(self, sid: str, namespace: str, auth: object, headers: Mapping[str, str], link: Link) -> None:
        """Admit."""
        self._guests[sid] = _Guest(namespace, auth, link)

    async def opened(self, sid: str) -> None:
        """Say what the handshake said."""
        guest = self._guests[sid]
        guest.emit(packets.EVENT, ["auth", {} if guest.auth is None else guest.auth])

    async def received(self, sid: str, event: object, args: list[Any], ack_id: int | None, size: int) -> None:
        """Send a message back, as an event or as an ack."""
        guest = self._guests[sid]
        if event == "message":
            guest.emit(packets.EVENT, ["message-back", *args])
        elif event == "message-with-ack" and ack_id is not None:
            guest.emit(packets.ACK, args, ack_id)

    async def closed(self, sid: str, reason: str) -> None:
        """Forget."""
        del self._guests[sid]


class Fork(asyncio.Protocol):
    """One TCP connection, until its first bytes tell whose door it is at: a door knows one path.

    It waits at the first door, which keeps its time meanwhile.
    """

    def __init__(self, first: Door, other: Door, start_of_other: bytes) -> None:
        self._visit = Visit(first)
        self._other = other
        self._start = start_of_other
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait at the first door."""
        self._transport = cast(asyncio.Transport, transport)
        self._visit.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Go to the other door if it is the right one, and leave the connection to it."""
        self._held += data
        if self._transport is None or (len(self._held) < len(self._start) and self._start.startswith(self._held)):
            return
        if self._held.startswith(self._start):
            self._visit.connection_lost(None)
            self._visit = Visit(self._other)
            self._visit.connection_made(self._transport)
        self._transport.set_protocol(self._visit)
        self._visit.data_received(self._held)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Leave."""
        self._visit.connection_lost(exc)


async def serve(port: int, options: EngineOptions, rules: DoorRules) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError if it cannot listen."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    background = Background(lambda error: logging.error("background work failed", exc_info=error))
    engine = EngineEcho(replace(options, path=ENGINE), background)
    registry, edge = CollectorRegistry(), EchoEdge()
    sockets = SocketServer(edge, options, namespaces=NAMESPACES, registry=registry, background=background)
    app = web.Application()
    app.router.add_route("*", ENGINE, Polling(engine.sessions).handle)
    sockets.add_routes(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    doors = Door(engine.upgrades, path=ENGINE, rules=rules), Door(sockets, path=options.path, rules=rules)
    for door in doors:
        door.http = runner.server
    start = f"GET {options.path}".encode()
    try:
        listeners = await _listen(lambda: Fork(*doors, start), port)
        print(f"http://localhost:{listeners[0].port}", flush=True)  # noqa: T201  # says where to connect to
        settle()
        await stop.wait()
        for listening in listeners:
            listening.close()
    finally:
        await asyncio.gather(sockets.close(), engine.sessions.close())
        await runner.cleanup()
        for door in doors:
            door.close()
        await background.close()


async def _listen(protocol: Callable[[], asyncio.Protocol], port: int) -> list[Listening]:
    """Listen on both addresses of this machine, whichever of them it calls localhost; on one if it has no IPv6."""
    listeners = [await listen(protocol, "127.0.0.1", port)]
    try:
        listeners.append(await listen(protocol, "::1", listeners[0].port))
    except OSError as exc:
        if exc.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
            raise
    return listeners


def main() -> None:
    """Serve on the port that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m realtime.engine.conformance", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--port", type=int, default=3000, help="where to listen on localhost; 0 takes a free one")
    parser.add_argument("--ping-interval-ms", type=int, default=300)
    parser.add_argument("--ping-timeout-ms", type=int, default=200)
    parser.add_argument("--connect-timeout-ms", type=int, default=1000, help="how long a client may join no namespace")
    parser.add_argument("--head-timeout-ms", type=int, default=10_000, help="how long the head of a request may take")
    given = parser.parse_args()
    options = EngineOptions(
        ping_interval_s=given.ping_interval_ms / 1000,
        ping_timeout_s=given.ping_timeout_ms / 1000,
        connect_timeout_s=given.connect_timeout_ms / 1000,
        message_bytes=MAX_PAYLOAD,
        advertised_bytes=MAX_PAYLOAD,
        origins=Origins(("*",)),
    )
    rules = DoorRules(head_timeout_s=given.head_timeout_ms / 1000)
    raise_open_files()
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(given.port, options, rules))
    except OSError as exc:
        taken = exc.errno == errno.EADDRINUSE
        sys.exit(f"Port {given.port} is taken." if taken else f"Cannot listen on port {given.port}: {exc.strerror}.")


if __name__ == "__main__":
    main()
