"""The Socket.IO server: connections of namespaces on top of Engine.IO ones, events in order, to one `Edge`."""

import asyncio
import contextlib
from typing import Any

import socketio
from engineio import packet as eio_packet
from prometheus_client import CollectorRegistry
from socketio import packet as sio_packet

from core.errors import HomeroomError
from core.tasks import Background
from realtime.engine.eio import Edge, EngineServer, Meters
from realtime.engine.frames import FastJson, Frame
from realtime.engine.socket import CLOSE_S, Socket
from realtime.engine.websocket import WebSocket

sio_packet.Packet.json = FastJson

MAX_ATTACHMENTS = 16
"""Binary parts of one event; the parser would wait for as many as the client announces."""

_KEPT_HEADERS = ("HTTP_AUTHORIZATION", "HTTP_USER_AGENT", "HTTP_ORIGIN")


class _SocketLink:
    __slots__ = ("_namespace", "_server", "_socket")

    def __init__(self, server: "SocketServer", socket: Socket, namespace: str) -> None:
        self._server = server
        self._socket = socket
        self._namespace = namespace

    def push(self, frame: Frame) -> None:
        self._socket.push(frame)

    def close(self, reason: str) -> None:
        self._server.meters.cut.labels(reason).inc()
        self._server.background.start(self._server.end(self._socket, self._namespace, reason))


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # socketio has no types
    """Socket.IO on bounded connections.

    python-socketio's client manager is not used: it keeps a room per connection, and looks through all of them when
    one ends. Who is in which room is the hub's business.
    """

    def __init__(
        self,
        edge: Edge,
        *,
        namespaces: frozenset[str],
        ping_interval_s: float,
        ping_timeout_s: float,
        frame_bytes: int,
        queue_bytes: int,
        queue_frames: int,
        cors_origins: list[str] | str | None,
        registry: CollectorRegistry,
        background: Background,
    ) -> None:
        super().__init__(
            async_mode="aiohttp",
            async_handlers=False,
            json=FastJson,
            ping_interval=ping_interval_s,
            ping_timeout=ping_timeout_s,
            max_http_buffer_size=frame_bytes * 4,  # above frame_bytes an event is answered, above this cut off
            cors_allowed_origins=cors_origins,
        )
        self.edge = edge
        self.meters = Meters(registry)
        self.background = background
        self._known = namespaces
        self._sids: dict[str, dict[str, str]] = {}
        self._joining: set[tuple[str, str]] = set()
        self.eio._async = {**self.eio._async, "websocket": WebSocket}
        self.eio.queue_bytes = queue_bytes
        self.eio.queue_frames = queue_frames
        self.eio.advertised_bytes = frame_bytes
        self.eio.meters = self.meters
        self.eio.background = background
        self.eio.on_message = self._handle_eio_message

    def _engineio_server_class(self) -> type[EngineServer]:
        return EngineServer

    async def end(self, socket: Socket, namespace: str, reason: str) -> None:
        """Tell a client that it is disconnected, and close its transport. An event in hand is answered first."""
        async with socket.handling:
            if (sid := self._forget(socket.sid, namespace)) is not None:
                socket.push(sio_frame(sio_packet.DISCONNECT, namespace))
                await self.edge.closed(sid, reason)
        if not socket.upgraded:  # a polling client is told with its next poll, if there is one
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(socket.queue.join(), CLOSE_S)
        await socket.close(abort=False, reason=reason)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        headers = {key[5:].replace("_", "-").lower(): environ[key] for key in _KEPT_HEADERS if key in environ}
        self.environ[eio_sid] = headers

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self.environ.pop(eio_sid, None)
        self._binary_packet.pop(eio_sid, None)
        for namespace in list(self._sids.get(eio_sid, ())):
            await self._handle_disconnect(eio_sid, namespace, reason)

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        """Handle one Engine.IO message. Raises ValueError for what is not Socket.IO: the connection ends then."""
        pkt = self._binary_packet.get(eio_sid)
        if pkt is None:
            pkt = self._parse(data)
            if pkt.attachment_count:
                self._binary_packet[eio_sid] = pkt
                return
        elif isinstance(data, str):
            raise ValueError("expected a binary attachment")
        elif not pkt.add_attachment(data):
            return
        else:
            del self._binary_packet[eio_sid]
        await self._handle_packet(eio_sid, pkt, len(data))

    def _parse(self, data: str | bytes) -> sio_packet.Packet:
        if not isinstance(data, str):
            raise TypeError("unexpected binary")
        pkt = self.packet_class(encoded_packet=data)
        if pkt.attachment_count > MAX_ATTACHMENTS:
            raise ValueError("too many attachments")
        return pkt

    async def _handle_packet(self, eio_sid: str, pkt: sio_packet.Packet, size: int) -> None:
        namespace = pkt.namespace or "/"
        if pkt.packet_type in (sio_packet.EVENT, sio_packet.BINARY_EVENT):
            if not isinstance(pkt.data, list) or not pkt.data:
                raise ValueError("an event is a list that starts with its name")
            async with self.eio.sockets[eio_sid].handling:
                if (sid := self._sids.get(eio_sid, {}).get(namespace)) is not None:
                    await self.edge.received(sid, pkt.data[0], pkt.data[1:], pkt.id, size)
        elif pkt.packet_type == sio_packet.CONNECT:
            await self._handle_connect(eio_sid, namespace, pkt.data)
        elif pkt.packet_type == sio_packet.DISCONNECT:
            await self._handle_disconnect(eio_sid, namespace, self.reason.CLIENT_DISCONNECT)
        elif pkt.packet_type not in (sio_packet.ACK, sio_packet.BINARY_ACK):
            raise ValueError("not a packet that clients send")

    async def _handle_connect(self, eio_sid: str, namespace: str, data: Any) -> None:
        socket: Socket = self.eio.sockets[eio_sid]
        if namespace not in self._known:
            socket.push(sio_frame(sio_packet.CONNECT_ERROR, namespace, {"message": "Invalid namespace"}))
            return
        key = (eio_sid, namespace)
        if namespace in self._sids.get(eio_sid, {}) or key in self._joining:
            raise ValueError("connected twice")
        self._joining.add(key)
        try:
            await self._admit(socket, namespace, data)
        finally:
            self._joining.discard(key)

    async def _admit(self, socket: Socket, namespace: str, data: Any) -> None:
        sid = self.eio.generate_id()
        headers = self.environ.get(socket.sid, {})
        try:
            await self.edge.accept(sid, namespace, data, headers, _SocketLink(self, socket, namespace))
        except HomeroomError as exc:
            socket.push(sio_frame(sio_packet.CONNECT_ERROR, namespace, _refusal(exc)))
            return
        if socket.closed or socket.cut_reason:
            await self.edge.closed(sid, self.reason.TRANSPORT_CLOSE)
            return
        self._sids.setdefault(socket.sid, {})[namespace] = sid
        socket.push(sio_frame(sio_packet.CONNECT, namespace, {"sid": sid}))
        await self.edge.opened(sid)

    async def _handle_disconnect(self, eio_sid: str, namespace: str, reason: str | None = None) -> None:
        if (sid := self._forget(eio_sid, namespace)) is not None:
            await self.edge.closed(sid, reason or self.reason.CLIENT_DISCONNECT)

    def _forget(self, eio_sid: str, namespace: str) -> str | None:
        sids = self._sids.get(eio_sid)
        sid = sids.pop(namespace, None) if sids else None
        if not sids:
            self._sids.pop(eio_sid, None)
        return sid


def sio_frame(kind: int, namespace: str, data: Any = None) -> Frame:
    """Return a control packet of Socket.IO."""
    prefix = "" if namespace == "/" else f"{namespace},"
    return Frame(f"{eio_packet.MESSAGE}{kind}{prefix}{'' if data is None else FastJson.dumps(data)}")


def _refusal(error: HomeroomError) -> dict[str, Any]:
    data: dict[str, Any] = {"code": str(error.code)}
    if error.retry_after_ms is not None:
        data["retry_after_ms"] = error.retry_after_ms
    return {"message": error.message, "data": data}
