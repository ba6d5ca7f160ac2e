"""The Socket.IO server: clients on namespaces on top of Engine.IO sessions; their events in order, to one `Edge`."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from core.errors import HomeroomError
from core.tasks import Background, begin
from realtime.engine import packets
from realtime.engine.answers import Refusal
from realtime.engine.frames import control_frame
from realtime.engine.head import Head
from realtime.engine.inbox import Work
from realtime.engine.options import EngineOptions
from realtime.engine.packets import Incomplete, Malformed, Packet
from realtime.engine.polling import Polling
from realtime.engine.ports import Edge, Meters, Tally
from realtime.engine.session import Session
from realtime.engine.sessions import Sessions
from realtime.engine.upgrades import Upgrades

_SID_BYTES: Final = 15


class _Link:
    """A `Link`. `push` is the session's own, so that a delivery costs one call."""

    __slots__ = ("_session", "push")

    def __init__(self, session: Session) -> None:
        self._session = session
        self.push = session.push

    def close(self, reason: str) -> None:
        self._session.close(reason)


class SocketServer:
    """Socket.IO v5 for any number of clients.

    python-socketio gives the packet codec. Its server is not used: it makes a task for each connection and each event,
    and keeps a room per client and looks through all of them when one ends. Who is in which room is the hub's business.
    """

    def __init__(
        self,
        edge: Edge,
        options: EngineOptions,
        *,
        namespaces: frozenset[str],
        registry: CollectorRegistry,
        background: Background,
    ) -> None:
        self.tally = Tally()
        self._edge = edge
        self._namespaces = namespaces
        self._background = background
        self._meters = Meters(registry)
        self.sessions = Sessions(self, options, meters=self._meters, tally=self.tally, background=background)
        self._upgrades = Upgrades(self.sessions)

    def add_routes(self, app: web.Application) -> None:
        """Serve polling as a part of an HTTP application."""
        app.router.add_route("*", self.sessions.options.path, Polling(self.sessions).handle)

    def take(
        self, head: Head, address: str, transport: asyncio.Transport, rest: bytes, closed: Callable[[], None]
    ) -> Refusal | None:
        """Serve a websocket: the `Upgrade` of the door."""
        return self._upgrades.take(head, address, transport, rest, closed)

    # ── what sessions tell ───────────────────────────────────────────────────────────────────────

    def opened(self, session: Session) -> None:
        """Keep what a client is connected to with its session."""
        session.state = _Client()

    def received(self, session: Session, data: bytes, *, binary: bool) -> Work | None:
        client: _Client = session.state
        if client.incomplete is not None:
            if not binary:
                raise Malformed("expected a binary attachment")
            packet = client.incomplete.add(data)
            if packet is None:
                return None
            client.incomplete = None
        elif binary:
            raise Malformed("unexpected binary")
        else:
            decoded = packets.decode(data)
            if isinstance(decoded, Incomplete):
                client.incomplete = decoded
                return None
            packet = decoded
        return self._handle(session, client, packet)

    def closing(self, session: Session) -> None:
        client: _Client = session.state
        for namespace in client.sids:
            session.push(control_frame(packets.DISCONNECT, namespace))

    def closed(self, session: Session, reason: str) -> None:
        client: _Client = session.state
        for sid in client.sids.values():
            self._run(self._edge.closed(sid, reason))
        client.sids.clear()

    # ── packets ──────────────────────────────────────────────────────────────────────────────────

    def _handle(self, session: Session, client: "_Client", packet: Packet) -> Work | None:
        kind = packet.kind
        if kind == packets.EVENT:
            sid = client.sids.get(packet.namespace)
            if sid is None:
                return None  # too early, or too late
            return self._edge.received(sid, packet.data[0], packet.data[1:], packet.ack_id, packet.size)
        if kind == packets.CONNECT:
            return self._connect(session, client, packet)
        if kind == packets.DISCONNECT:
            return self._disconnect(session, client, packet.namespace)
        return None  # an ACK: we ask for none

    def _connect(self, session: Session, client: "_Client", packet: Packet) -> Work | None:
        namespace = packet.namespace
        if namespace not in self._namespaces:
            error = {"message": "Invalid namespace"}
            session.push(control_frame(packets.CONNECT_ERROR, namespace, error))
            return None
        if namespace in client.sids:
            raise Malformed("connected twice")
        return self._admit(session, client, namespace, packet.data)

    async def _admit(self, session: Session, client: "_Client", namespace: str, auth: object) -> None:
        sid = secrets.token_urlsafe(_SID_BYTES)
        try:
            await self._edge.accept(sid, namespace, auth, session.headers, _Link(session))
        except HomeroomError as exc:
            session.push(control_frame(packets.CONNECT_ERROR, namespace, _refusal(exc)))
            return
        if session.leaving:
            await self._edge.closed(sid, "transport close")
            return
        client.sids[namespace] = sid
        self.sessions.admitted(session, here=True)
        session.push_first(control_frame(packets.CONNECT, namespace, {"sid": sid}))
        await self._edge.opened(sid)

    def _disconnect(self, session: Session, client: "_Client", namespace: str) -> Work | None:
        sid = client.sids.pop(namespace, None)
        if sid is None:
            return None
        if not client.sids:
            self.sessions.admitted(session, here=False)
        return self._edge.closed(sid, "client namespace disconnect")

    def _run(self, work: Work) -> None:
        rest = begin(work)
        if rest is not None:
            self._background.start(rest)

    async def close(self) -> None:
        """End all connections."""
        await self.sessions.close()


class _Client:
    """What one session is connected to."""

    __slots__ = ("incomplete", "sids")

    def __init__(self) -> None:
        self.sids: dict[str, str] = {}
        """Ids of its connections by namespace."""
        self.incomplete: Incomplete | None = None


def _refusal(error: HomeroomError) -> dict[str, Any]:
    data: dict[str, Any] = {"code": str(error.code)}
    if error.retry_after_ms is not None:
        data["retry_after_ms"] = error.retry_after_ms
    return {"message": error.message, "data": data}
