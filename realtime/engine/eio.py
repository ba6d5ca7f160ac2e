"""The Engine.IO server, and the ports between the engine and the rest."""

from collections.abc import Callable
from typing import Any, Protocol

import engineio
from engineio import packet as eio_packet
from prometheus_client import CollectorRegistry, Counter

from core.tasks import Background
from realtime.engine.frames import FastJson, Frame
from realtime.engine.socket import Socket

eio_packet.Packet.json = FastJson


class Link(Protocol):
    """A way to one client on one namespace."""

    def push(self, frame: Frame) -> None:
        """Queue a frame. Never waits; a client that does not read is cut."""
        ...

    def close(self, reason: str) -> None:
        """End the connection."""
        ...


class Edge(Protocol):
    """What the engine tells the application."""

    async def accept(self, sid: str, namespace: str, auth: object, headers: dict[str, str], link: Link) -> None:
        """Admit a connection; called before the client hears of it. Raises HomeroomError to refuse."""
        ...

    async def opened(self, sid: str) -> None:
        """Say that the client has been told that it is connected."""
        ...

    async def received(self, sid: str, event: object, args: list[object], ack_id: int | None, size: int) -> None:
        """Handle an event of `size` characters. Never raises."""
        ...

    async def closed(self, sid: str, reason: str) -> None:
        """Say that a connection that was accepted has ended."""
        ...


class Meters:
    """Counters of the engine."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.cut = Counter(
            "homeroom_connections_cut", "Connections ended by the server.", ["reason"], registry=registry
        )
        self.shed = Counter("homeroom_frames_shed", "Ephemeral frames not sent to slow clients.", registry=registry)


class EngineServer(engineio.AsyncServer):  # type: ignore[misc]  # engineio has no types
    """Engine.IO with bounded connections. `advertised_bytes` is the largest payload clients are asked to send."""

    queue_bytes: int
    queue_frames: int
    advertised_bytes: int
    meters: Meters
    background: Background
    on_message: Callable[[str, Any], Any]
    start_service_task: bool

    async def received(self, sid: str, data: Any) -> None:
        """Pass a message on. Raises EngineIOError if it is not Socket.IO."""
        try:
            await self.on_message(sid, data)
        except (ValueError, KeyError, IndexError, TypeError) as exc:
            raise engineio.exceptions.EngineIOError from exc

    async def _handle_connect(self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None) -> Any:
        if self.start_service_task:
            self.start_service_task = False
            self.service_task_handle = self.start_background_task(self._service_task)
        sid = self.generate_id()
        socket = self.sockets[sid] = Socket(self, sid)
        socket.push(eio_packet.Packet(eio_packet.OPEN, self._handshake(sid, transport)))
        await self._trigger_event("connect", sid, environ, run_async=False)
        socket.schedule_ping()
        if transport == "websocket":
            answer = await socket.handle_get_request(environ)
            self.sockets.pop(sid, None)
            return answer
        socket.connected = True
        return self._ok(await socket.poll(), jsonp_index=jsonp_index)

    def _log_error_once(self, message: str, message_key: str) -> None:
        """Keep what clients get wrong out of the error log: they are answered 400."""
        self.logger.debug(message)

    def _handshake(self, sid: str, transport: str) -> dict[str, Any]:
        return {
            "sid": sid,
            "upgrades": self._upgrades(sid, transport),
            "pingTimeout": round(self.ping_timeout * 1000),
            "pingInterval": round(self.ping_interval * 1000),
            "maxPayload": self.advertised_bytes,
        }
