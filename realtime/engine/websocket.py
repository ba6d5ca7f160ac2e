"""The websocket transport on picows; the one file of the server that knows it.

picows has no public way to hand it a connection that was accepted elsewhere, so its protocol is made by hand: the
version is pinned. Compression is off: a compressed connection costs tens of kilobytes and cannot share frames.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # not public

from realtime.engine.frames import Frame
from realtime.engine.packets import Malformed
from realtime.engine.session import Session
from realtime.engine.sessions import Sessions

_READ_BUFFER: Final = 2048
"""Bytes for each connection, picows' smallest; it grows when a larger message comes."""
_ACCEPTED: Final = WSUpgradeResponse.create_101_response()
"""Shared by all connections: picows writes it out at once, and keeps it as long as the connection."""
_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_STANDARD: Final = frozenset({*range(1000, 1004), *range(1007, 1015)})
"""Close codes that may be sent (RFC 6455 §7.4); besides, 3000 to 4999 are anybody's own."""


class _Log:
    """The logger that picows is given: what clients do is told by close codes and counts, a bug is told.

    No `logging.Logger`, of which picows would make a child for each connection.
    """

    exception = staticmethod(logging.getLogger("realtime.engine").exception)

    @staticmethod
    def isEnabledFor(_: int) -> bool:  # noqa: N802 - logging's name
        """No level is."""
        return False

    @staticmethod
    def pass_over(*_: object) -> None:
        """Say nothing."""

    debug = info = warning = error = log = pass_over


_LOG: Final = _Log()


class Websocket(WSListener):
    """One websocket, and the session it carries or would like to take over."""

    __slots__ = (
        "_closed",
        "_over",
        "_parts",
        "_probing",
        "_send",
        "_session",
        "_sessions",
        "_tally",
        "_text",
        "_transport",
        "paused",
    )

    def __init__(self, sessions: Sessions, session: Session | None, closed: Callable[[], None]) -> None:
        super().__init__()
        self.paused = False
        self._sessions = sessions
        self._tally = sessions.tally
        self._session = session
        self._closed: Callable[[], None] | None = closed
        self._transport: WSTransport | None = None
        self._send: Any = None
        self._parts: bytearray | None = None
        self._text = True
        self._probing = False
        self._over = False

    def probe(self, session: Session) -> None:
        """Offer to take a session over from polling."""
        self._session = session
        self._probing = True
        session.probe = self
        self._sessions.probing.set(session)

    # ── what a session asks for ──────────────────────────────────────────────────────────────────

    def send(self, frame: Frame) -> None:
        data = frame.data
        self._send(_BINARY if frame.binary else _TEXT, data)
        tally = self._tally
        tally.frames_out += 1
        tally.bytes_out += len(data)

    def send_soon(self, frame: Frame) -> None:
        data = frame.data
        if self._transport is not None and not self._over:
            self._transport.underlying_transport.write(_text_header(len(data)) + data)
        self._tally.frames_out += 1
        self._tally.bytes_out += len(data)

    def close(self, code: WSCloseCode = WSCloseCode.OK) -> None:
        if self._over or self._transport is None:
            return
        self._over = True
        self._transport.send_close(code)
        self._linger()
        self._transport.underlying_transport.resume_reading()

    def abort(self) -> None:
        self._over = True
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def hold_reading(self, *, on: bool) -> None:
        if self._transport is None or self._over:
            return
        if on:
            self._transport.underlying_transport.pause_reading()
        else:
            self._transport.underlying_transport.resume_reading()

    # ── what picows tells ────────────────────────────────────────────────────────────────────────

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Begin: as the transport of a new session, as a probe, or only to be closed."""
        self._transport = transport
        self._send = transport.send
        transport.request.headers.clear()
        if self._session is None:
            self.close()
        elif not self._probing:
            self.send(self._sessions.opening(self._session, upgrades=False))
            self._carry(self._session)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame. Whatever it is, nothing is raised."""
        kind = frame.msg_type
        if kind is WSMsgType.CLOSE:
            self._said_goodbye(frame)
        elif self._over:
            return
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._refuse(WSCloseCode.PROTOCOL_ERROR)
        elif kind is WSMsgType.PING:
            if not self.paused:  # who does not read gets no answers either
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind is not WSMsgType.PONG:
            self._data(kind, frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Tell whom it concerns, once."""
        self._over = True
        self._sessions.lingering.clear(self)
        if self.paused:
            self.resume_writing()
        session, self._session = self._session, None
        self._transport, self._send = None, _nothing
        if session is not None:
            if self._probing:
                if session.probe is self:
                    session.abandon_probe()
            else:
                session.lost("transport close")
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()

    def pause_writing(self) -> None:
        """The client does not read."""
        self.paused = True
        self._tally.paused += 1
        if self._session is not None and not self._probing:
            self._session.pause()

    def resume_writing(self) -> None:
        """The client reads again."""
        self.paused = False
        self._tally.paused -= 1
        if self._session is not None and not self._probing:
            self._session.resume()

    # ── frames ───────────────────────────────────────────────────────────────────────────────────

    def _data(self, kind: WSMsgType, frame: WSFrame) -> None:
        if (kind is WSMsgType.CONTINUATION) != (self._parts is not None):
            self._refuse(WSCloseCode.PROTOCOL_ERROR)
        elif frame.fin and self._parts is None:
            self._message(frame.get_payload_as_bytes(), text=kind is _TEXT)
        else:
            self._fragment(kind, frame)

    def _fragment(self, kind: WSMsgType, frame: WSFrame) -> None:
        parts = self._parts
        if parts is None:
            parts = self._parts = bytearray()
            self._text = kind is _TEXT
        parts += frame.get_payload_as_memoryview()
        if len(parts) > self._sessions.options.message_bytes:
            self._refuse(WSCloseCode.MESSAGE_TOO_BIG)
        elif frame.fin:
            self._parts = None
            self._message(bytes(parts), text=self._text)

    def _message(self, data: bytes, *, text: bool) -> None:
        if text and not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError:
                self._refuse(WSCloseCode.INVALID_TEXT)
                return
        session = self._session
        if session is None:
            return
        if self._probing:
            self._probe_said(session, data, text=text)
        elif text:
            session.receive(data)
        else:
            session.receive_binary(data)

    def _probe_said(self, session: Session, data: bytes, *, text: bool) -> None:
        if text and data == b"2probe" and session.answer_probe(self):
            return
        if text and data == b"5" and session.upgrading and session.probe is self:
            self._probing = False
            self._carry(session)
        else:
            self.close()

    def _carry(self, session: Session) -> None:
        self._sessions.carried(session)
        session.carry(self)

    def _refuse(self, code: WSCloseCode) -> None:
        self._parts = None
        self.close(code)
        if self._session is not None and not self._probing:
            self._session.failed(Malformed("no websocket message"))

    def _said_goodbye(self, frame: WSFrame) -> None:
        transport = self._transport
        if transport is None:
            return
        if not self._over:
            self._over = True
            transport.send_close(_answer_to(frame.get_payload_as_bytes()))
        self._linger()
        transport.disconnect()

    def _linger(self) -> None:
        """Have it dropped soon, if the client does not play its part in the end."""
        self._sessions.lingering.set(self)


def _answer_to(goodbye: bytes) -> Any:
    """Return the code that answers a close frame: its own, if that is one."""
    if not goodbye:
        return WSCloseCode.OK
    code = int.from_bytes(goodbye[:2], "big")
    return code if code in _STANDARD or 3000 <= code < 5000 else WSCloseCode.PROTOCOL_ERROR


def _text_header(size: int) -> bytes:
    """Return the header of a whole text frame from a server (RFC 6455 §5.2)."""
    if size < 126:
        return bytes((0x81, size))
    return b"\x81\x7e" + size.to_bytes(2, "big") if size < 65_536 else b"\x81\x7f" + size.to_bytes(8, "big")


def _nothing(kind: object, data: bytes) -> None:
    """Send nothing: the connection is gone."""


class _Socket:
    """What picows needs of a socket: its number. The options that it would set, and read to log them, are left alone.

    Each would make and unmake a socket object of Python's; uvloop has set TCP_NODELAY already.
    """

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        return self._number

    def setsockopt(self, *_: object) -> None: ...

    def getsockopt(self, *_: object) -> int:
        return 0


class _Transport:
    """A TCP transport as picows is to see it."""

    __slots__ = ("_tcp",)

    def __init__(self, tcp: asyncio.Transport) -> None:
        self._tcp = tcp

    def get_extra_info(self, name: str) -> object:
        return _Socket(self._tcp.get_extra_info("socket").fileno()) if name == "socket" else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tcp, name)


def serve_websocket(websocket: Websocket, key: str, transport: asyncio.Transport, rest: bytes, most: int) -> None:
    """Have a connection speak the websocket protocol from now on.

    `key` is the valid `Sec-WebSocket-Key` of the client, `rest` what came behind the head of its request, `most` the
    largest frame it may send. picows gets a request of our own words: the client's has been checked, and picows knows
    only one way to write it.
    """
    protocol = WSProtocol(
        None,
        None,
        False,
        lambda _: WSUpgradeResponseWithListener(_ACCEPTED, websocket),
        _LOG,
        True,
        None,
        False,
        0,
        0,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        False,
        most,
        None,
        _READ_BUFFER,
    )
    transport.set_protocol(protocol)
    protocol.connection_made(_Transport(transport))
    request = (
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    data = memoryview(request.encode() + rest)
    while data:
        room = protocol.get_buffer(len(data))
        count = min(len(room), len(data))
        room[:count] = data[:count]
        protocol.buffer_updated(count)
        data = data[count:]
