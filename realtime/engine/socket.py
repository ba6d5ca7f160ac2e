"""One Engine.IO connection: a bounded queue, a writer, a reader."""

import asyncio
import contextlib
import sys
from typing import Any, Protocol

from engineio import async_socket, exceptions, packet, payload

from realtime.engine.frames import Frame
from realtime.engine.websocket import WebSocket

CLOSE_S = 2.0
"""How long a closing client has to take what is still queued."""


class Queued(Protocol):
    """What waits to be sent: a Frame, or a packet of engineio's own."""

    def encode(self, b64: bool = False) -> str | bytes: ...


class Outbox(asyncio.Queue[Any]):
    """Packets that wait for the client to read. Knows how many bytes they are; None ends the writer."""

    size_bytes = 0

    def __init__(self) -> None:
        super().__init__()
        self.taken = asyncio.Event()

    def _put(self, item: Frame | Queued | None) -> None:
        self.size_bytes += _size(item)
        super()._put(item)

    def _get(self) -> Any:
        item = super()._get()
        self.size_bytes -= _size(item)
        self.taken.set()
        return item

    def discard_all(self) -> None:
        """Forget everything that waits."""
        while not self.empty():
            self.get_nowait()


def _size(item: Frame | Queued | None) -> int:
    if item is None:
        return 0
    return item.size_bytes if isinstance(item, Frame) else len(item.encode())


class Payload(payload.Payload):  # type: ignore[misc]  # engineio has no types
    """A polling payload: bounded in bytes, not in packets, as a client that was offline flushes many at once."""

    max_decode_packets = sys.maxsize


class Socket(async_socket.AsyncSocket):  # type: ignore[misc]  # engineio has no types
    """A connection that is cut rather than let its queue grow.

    Ephemeral frames are shed once half of the budget is used.
    """

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.connected = False
        self.queue: Outbox = Outbox()
        self.cut_reason: str | None = None
        self.handling = asyncio.Lock()  # held while an event is handled, so that an orderly end comes after its ack
        self._hung_up = asyncio.Event()
        self._websocket: WebSocket | None = None

    def push(self, frame: Frame | Queued) -> None:
        """Queue a packet. Never waits."""
        if self.closed or self.cut_reason:
            return
        queue, server = self.queue, self.server
        if isinstance(frame, Frame) and frame.ephemeral:
            if queue.size_bytes * 2 > server.queue_bytes or queue.qsize() * 2 > server.queue_frames:
                server.meters.shed.inc()
                return
        elif queue.size_bytes > server.queue_bytes or queue.qsize() >= server.queue_frames:
            self.cut("slow_consumer")
            return
        queue.put_nowait(frame)

    def cut(self, reason: str) -> None:
        """End the connection at once, whatever is still queued."""
        if self.cut_reason:
            return
        self.cut_reason = reason
        self.server.meters.cut.labels(reason).inc()
        self.queue.discard_all()
        self.queue.put_nowait(None)
        if self._websocket is not None:
            self._websocket.abort()
        else:
            self.server.background.start(self.close(wait=False, abort=True, reason=reason))

    async def send(self, pkt: Queued) -> None:
        """Queue a packet (engineio's own calls)."""
        self.push(pkt)

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """End the connection. Never waits for the client to take what is queued: it may be gone."""
        await super().close(wait=False, abort=abort, reason=reason)
        self.queue.put_nowait(None)
        self.queue.taken.set()

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Take the packets of a polling POST, in order. A malformed one ends the connection."""
        length = int(environ.get("CONTENT_LENGTH", "0"))
        if length > self.server.max_http_buffer_size:
            raise exceptions.ContentTooLongError
        body = await environ["wsgi.input"].read(self.server.max_http_buffer_size + 1)
        if len(body) > self.server.max_http_buffer_size:
            raise exceptions.ContentTooLongError
        try:
            packets = Payload(encoded_payload=body.decode("utf-8")).packets
        except ValueError as exc:
            raise exceptions.EngineIOError from exc
        for pkt in packets:
            await self._room_for_answers()
            await self.receive(pkt)

    async def _room_for_answers(self) -> None:
        """Wait while a client that sends much has yet to fetch its answers: it cannot poll and post at one time."""
        while self.queue.qsize() * 2 > self.server.queue_frames and not self.closed and not self.cut_reason:
            self.queue.taken.clear()
            await self.queue.taken.wait()

    async def receive(self, pkt: packet.Packet) -> None:
        """Handle one packet from the client. Raises EngineIOError for one that ends the connection."""
        if pkt.packet_type == packet.MESSAGE:
            await self.server.received(self.sid, pkt.data)
        elif pkt.packet_type == packet.PONG:
            self.schedule_ping()
        elif pkt.packet_type == packet.CLOSE:
            await self.close(wait=False, abort=True, reason=self.server.reason.CLIENT_DISCONNECT)
        elif pkt.packet_type == packet.UPGRADE:
            self.push(packet.Packet(packet.NOOP))
        else:
            raise exceptions.UnknownPacketError

    async def _websocket_handler(self, ws: WebSocket) -> None:
        if not await self._take_over(ws):
            return
        self._websocket = ws
        writer = asyncio.create_task(self._write(ws))
        try:
            await self._read(ws)
        finally:
            self._hung_up.set()
            self.queue.put_nowait(None)
            await self._finish(ws, writer)
            reason = self.cut_reason or self.server.reason.TRANSPORT_CLOSE
            await self.close(wait=False, abort=True, reason=reason)

    async def _finish(self, ws: WebSocket, writer: "asyncio.Task[None]") -> None:
        """Let the writer send what is queued, unless the client has stopped reading."""
        _, late = await asyncio.wait([writer], timeout=CLOSE_S)
        if late:
            ws.abort()
            await writer

    async def _take_over(self, ws: WebSocket) -> bool:
        """Make this websocket the connection's transport, by the probe exchange if it was polling before."""
        if not self.connected:
            self.connected = self.upgraded = True
            return True
        self.upgrading = True
        try:
            if await self._wait(ws) != "2probe":
                return False
            await ws.send("3probe")
            self.queue.put_nowait(packet.Packet(packet.NOOP))  # releases the poll that waits
            self.upgraded = await self._wait(ws) == "5"
        except (OSError, ValueError, TimeoutError):
            return False
        finally:
            self.upgrading = False
        return self.upgraded

    async def _wait(self, ws: WebSocket) -> str | bytes:
        patience_s = self.server.ping_interval + self.server.ping_timeout
        async with asyncio.timeout(patience_s):  # not wait_for: that makes a task for every frame
            return await ws.wait()

    async def _read(self, ws: WebSocket) -> None:
        while not self.cut_reason:
            try:
                data = await self._wait(ws)
                if not self.closed:
                    await self.receive(packet.Packet(encoded_packet=data))
            except (OSError, ValueError, TimeoutError, exceptions.EngineIOError):
                return  # gone, silent, or not speaking the protocol

    async def _write(self, ws: WebSocket) -> None:
        while (item := await self.queue.get()) is not None:
            try:
                await ws.send(item.encode())
            except (OSError, RuntimeError):
                break
        if self.cut_reason:
            return
        # closing first, with something of the client's unread, resets the connection, and our last words are lost
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hung_up.wait(), CLOSE_S / 2)
        await ws.close()
