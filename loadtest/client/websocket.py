"""A wire over a websocket. The one file that knows picows."""

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable

from picows import (
    WSCloseCode,
    WSFrame,
    WSHandshakeError,
    WSInvalidStatusError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

from loadtest.client.dialling import Dialler
from loadtest.client.errors import ConnectFailed, code_of
from loadtest.client.session import Taker
from loadtest.client.target import Target

READ_BUFFER = 2048
"""Bytes for each connection; it grows when a larger frame comes."""
PAUSED_WINDOW = 4096
MAX_MESSAGE = 10 * 1024 * 1024
GOODBYE_S = 2.0
"""How long a server has to answer our closing frame."""
QUIET = logging.LoggerAdapter(logging.Logger("loadtest.picows", logging.CRITICAL + 1), {})
"""No Logger: picows would make a child of it for each connection. What it would log is told by codes."""

Own = Callable[[asyncio.Task[None]], None]


class WebsocketWire(WSListener):
    """Frames to packets and back. It ends once, and tells the session why."""

    __slots__ = ("_closing", "_fragments", "_own", "_session", "_transport")

    def __init__(self, own: Own) -> None:
        super().__init__()
        self._own = own
        self._session: Taker
        self._transport: WSTransport | None = None
        self._fragments: bytearray | None = None
        self._closing = False

    def carry(self, session: Taker) -> None:
        """Give what comes from now on to this session. First before anything can come."""
        self._session = session

    @property
    def is_up(self) -> bool:
        """Whether the websocket handshake has succeeded."""
        return self._transport is not None

    def send(self, packet: bytes) -> None:
        if self._transport is not None and not self._closing and not self._transport.is_disconnected:
            self._transport.send(WSMsgType.TEXT, packet)

    def pause(self) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.underlying_transport.pause_reading()
            _narrow(self._transport.underlying_transport.get_extra_info("socket"))

    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.underlying_transport.resume_reading()

    def close(self) -> None:
        transport = self._transport
        if transport is None or self._closing or transport.is_disconnected:
            self._closing = True
            return
        self._closing = True
        transport.send_close(WSCloseCode.OK)
        self._see_off(transport)

    def abort(self) -> None:
        self._closing = True
        transport = self._transport
        if transport is not None and not transport.is_disconnected:
            transport.disconnect(graceful=False)
            self._see_off(transport)

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Keep the transport, without the headers that it keeps of the handshake."""
        self._transport = transport
        transport.request.headers.clear()
        transport.response.headers.clear()
        if self._closing:
            transport.disconnect(graceful=False)
            self._see_off(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame; picows has answered pings by itself."""
        now_ns = time.monotonic_ns()
        kind = frame.msg_type
        if kind is WSMsgType.TEXT and frame.fin and self._fragments is None:
            self._session.take(frame.get_payload_as_bytes(), now_ns)
        elif kind is WSMsgType.CLOSE:
            self._said_goodbye(transport)
        elif kind is WSMsgType.TEXT or kind is WSMsgType.CONTINUATION:
            self._fragment(frame, now_ns)
        elif kind is WSMsgType.BINARY:
            self._session.fail("garbage", "a binary frame")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Tell the session, unless it ended before."""
        if transport.is_close_frame_sent and not self._closing:  # picows could not read it, and said so
            self._see_off(transport)
            self._session.ended("garbage", "no websocket frame")
        else:
            self._session.ended("lost", "the connection ended")
        self._closing = True

    def _see_off(self, transport: WSTransport) -> None:
        self._own(asyncio.ensure_future(_end_of(transport)))

    def _said_goodbye(self, transport: WSTransport) -> None:
        if not self._closing:
            self._closing = True
            transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        self._session.ended("server", "the server closed the websocket")

    def _fragment(self, frame: WSFrame, now_ns: int) -> None:
        if (frame.msg_type is WSMsgType.CONTINUATION) != (self._fragments is not None):
            self._session.fail("garbage", "fragments out of order")
            return
        self._fragments = self._fragments or bytearray()
        self._fragments += frame.get_payload_as_memoryview()
        if len(self._fragments) > MAX_MESSAGE:
            self._session.fail("garbage", "a message without end")
        elif frame.fin:
            whole, self._fragments = bytes(self._fragments), None
            self._session.take(whole, now_ns)


def _narrow(sock: socket.socket) -> None:
    """Have the kernel not read megabytes on behalf of someone who reads nothing."""
    with socket.socket(fileno=os.dup(sock.fileno())) as same:  # the event loop's own refuses to be set
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PAUSED_WINDOW)


async def _end_of(transport: WSTransport) -> None:
    """Wait for the end, and cut the connection if it does not come; what picows could not read is told by a code."""
    try:
        async with asyncio.timeout(GOODBYE_S):
            await asyncio.gather(transport.wait_disconnected(), return_exceptions=True)
    except TimeoutError:
        return
    finally:
        transport.disconnect(graceful=False)


async def open_websocket(
    target: Target,
    dialler: Dialler,
    wire: WebsocketWire,
    tls: ssl.SSLContext | None,
    source: str | None,
    sid: str | None = None,
) -> None:
    """Bring the wire up, as a session's second one if there is a `sid`. Raises ConnectFailed.

    If cancelled, nothing stays behind.
    """
    sock = await dialler.dial(source)
    try:
        await ws_connect(
            lambda: wire,
            target.websocket_url if sid is None else f"{target.websocket_url}&sid={sid}",
            ssl_context=tls,
            socket_factory=lambda _: sock,
            websocket_handshake_timeout=target.connect_timeout_s,
            logger_name=QUIET,
            max_redirects=0,
            max_frame_size=MAX_MESSAGE,
            read_buffer_init_size=READ_BUFFER,
            use_aiofastnet=False,
        )
    except BaseException as exc:
        wire.abort()
        _cut(sock)
        if isinstance(exc, Exception):
            raise _failure(exc) from None
        raise
    if not wire.is_up:
        raise ConnectFailed("lost", "the server closed before it answered the websocket handshake")


def _cut(sock: socket.socket) -> None:
    """End a connection whose transport cannot be reached: picows gives it out only after the handshake."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # It has ended already.


def _failure(exc: Exception) -> ConnectFailed:
    if isinstance(exc, WSInvalidStatusError) and exc.response is not None:
        wait = exc.response.headers.get("Retry-After", "")
        return ConnectFailed(
            f"http_{int(exc.response.status)}",
            "the server answered the websocket handshake so",
            int(wait) * 1000 if wait.isdigit() else None,
        )
    if isinstance(exc, WSHandshakeError):
        return ConnectFailed("garbage", str(exc))
    return ConnectFailed(code_of(exc), str(exc))
