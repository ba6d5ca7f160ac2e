"""A Socket.IO session: the protocol's state machine, over whichever wire carries its packets."""

import asyncio
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Protocol

from loadtest.client import packets
from loadtest.client.errors import CallFailed, ConnectFailed
from loadtest.client.liveness import Liveness
from loadtest.client.packets import Kind, NotAPacket, Opening, Packet

OnAck = Callable[[Any, int], None]
"""Takes an ack's envelope and the time (time.monotonic_ns) at which it came; None if the connection ended first."""


class Listener(Protocol):
    """Who hears what the server sends. Neither method raises; what they raise all the same is shown as a bug."""

    def on_event(self, name: str, payload: Any, now_ns: int) -> None:
        """Take an event; the first is `ready`. It may come before the caller of `connect` has its session.

        The payload is not to be changed: other listeners may hold the same one.
        """

    def on_closed(self, reason: str) -> None:
        """Take the end, which comes exactly once, and after `connect` has returned.

        client: we closed. server: it said goodbye. lost: TCP ended. stalled: no ping came in time.
        garbage: what came could not be read.
        """


class Taker(Protocol):
    """Takes what a wire brings. No method raises."""

    def take(self, data: bytes, now_ns: int) -> None:
        """Take a packet, and the time (time.monotonic_ns) at which it came."""

    def fail(self, reason: str, text: str) -> None:
        """End because of what came."""

    def ended(self, reason: str, text: str = "") -> None:
        """Take the end of the wire. Again is nothing."""


class Wire(Protocol):
    """Carries packets in order. It calls `Session.take` for each that comes, and `Session.ended` when it has ended."""

    def send(self, packet: bytes) -> None:
        """Send a packet, or drop it if the wire has ended."""

    def pause(self) -> None:
        """Stop reading from the network."""

    def resume(self) -> None:
        """Read again."""

    def close(self) -> None:
        """End when all that was sent before has gone out."""

    def abort(self) -> None:
        """End at once, as if the process had been killed."""


class _State(Enum):
    OPENING = auto()
    JOINING = auto()
    OPEN = auto()
    ENDED = auto()


class Session:
    """One client's connection to the main namespace."""

    __slots__ = (
        "_acks",
        "_connected",
        "_heard_ns",
        "_last_ack_id",
        "_listener",
        "_liveness",
        "_loop",
        "_patience_ns",
        "_paused",
        "_state",
        "_token",
        "_wire",
        "skim",
    )

    def __init__(self, token: str, listener: Listener, liveness: Liveness, wire: Wire) -> None:
        self._loop = asyncio.get_running_loop()
        self._token = token
        self._listener = listener
        self._liveness = liveness
        self._wire = wire
        self._state = _State.OPENING
        self._connected: asyncio.Future[None] | None = self._loop.create_future()
        self._acks: dict[int, OnAck] = {}
        self._last_ack_id = 0
        self._patience_ns = 0
        self._heard_ns = 0
        self._paused = False
        self.skim: Callable[[], None] | None = None
        """Called for each `message:new` in place of the listener, which does not hear of it."""

    @property
    def is_open(self) -> bool:
        """Whether it is connected, and neither side has ended it."""
        return self._state is _State.OPEN

    def emit(self, name: str, payload: object, on_ack: OnAck | None = None) -> None:
        """Send an event. With `on_ack`, ask for an answer; without a connection `on_ack` hears None at once."""
        if self._state is not _State.OPEN:
            if on_ack is not None:
                on_ack(None, time.monotonic_ns())
            return
        if on_ack is None:
            self._wire.send(packets.event(name, payload))
            return
        self._last_ack_id += 1
        packet = packets.event(name, payload, self._last_ack_id)
        self._acks[self._last_ack_id] = on_ack
        self._wire.send(packet)

    async def call(self, name: str, payload: object, *, timeout_s: float = 30.0) -> Any:
        """Send an event and return the data of its ok ack. Raises CallFailed."""
        answer: asyncio.Future[Any] = self._loop.create_future()

        def answered(envelope: Any, _: int) -> None:
            if not answer.done():
                answer.set_result(envelope)

        self.emit(name, payload, answered)
        ack_id = self._last_ack_id
        try:
            async with asyncio.timeout(timeout_s):
                return _data_of(name, await answer)
        except TimeoutError:
            raise CallFailed("timeout", f"{name}: no answer within {timeout_s:g} s") from None
        finally:
            if self._acks.get(ack_id) is answered:
                del self._acks[ack_id]

    def pause(self) -> None:
        """Stop reading, as a client that cannot keep up; pings go unanswered meanwhile."""
        if self.is_open and not self._paused:
            self._paused = True
            self._wire.pause()

    def resume(self) -> None:
        """Read again; the server has its whole time for the next ping."""
        if self.is_open and self._paused:
            self._paused = False
            self._heard_ns = time.monotonic_ns()
            self._wire.resume()

    def close(self) -> None:
        """Leave in an orderly way; what was sent before still goes out."""
        if self._state is not _State.ENDED:
            self.resume()
            self._wire.send(packets.DISCONNECT)
            self._end("client", "closed by this client")
            self._wire.close()

    def abort(self) -> None:
        """Cut the connection, as a killed browser does."""
        if self._state is not _State.ENDED:
            self._end("client", "cut by this client")
            self._wire.abort()

    async def connected(self) -> None:
        """Wait for the server to let us in; the end is told to the listener from then on. Raises ConnectFailed."""
        if self._connected is not None:
            await self._connected
        if self._state is _State.ENDED:
            raise ConnectFailed("lost", "the connection ended as soon as it was there")
        self._connected = None

    def take(self, data: bytes, now_ns: int) -> None:
        """Take a packet from the wire. Raises nothing."""
        if self._state is _State.ENDED:
            return
        if self.skim is not None and data.startswith(packets.MESSAGE):
            self.skim()
            return
        try:
            packet = packets.parse(data)
        except NotAPacket as exc:
            self.fail("garbage", str(exc))
            return
        if packet.kind is Kind.EVENT and self._state is _State.OPEN:
            arguments = packet.data
            try:
                self._listener.on_event(arguments[0], arguments[1] if len(arguments) > 1 else None, now_ns)
            except Exception as exc:  # one event must not end the connection
                self._show_bug(exc)
        elif packet.kind is Kind.ACK and self._state is _State.OPEN:
            self._acked(packet, now_ns)
        else:
            self._control(packet, now_ns)

    def fail(self, reason: str, text: str) -> None:
        """End because of what came, or did not come."""
        if self._state is not _State.ENDED:
            self._end(reason, text)
            self._wire.abort()

    def ended(self, reason: str, text: str = "") -> None:
        """Take the end of the wire: `server` or `lost`, or `garbage` that it could not read. Again is nothing."""
        if self._state is not _State.ENDED:
            self._end(reason, text)

    def is_stalled(self, now_ns: int) -> bool:
        """Whether the server has missed the time for its ping. Not while paused: then nothing can be heard."""
        return now_ns - self._heard_ns > self._patience_ns and not self._paused

    def _control(self, packet: Packet, now_ns: int) -> None:
        match packet.kind, self._state:
            case Kind.PING, _:
                self._heard_ns = now_ns
                self._wire.send(packets.PONG)
            case Kind.NOOP, _:
                pass
            case Kind.OPEN, _State.OPENING:
                self._opened(packet.data, now_ns)
            case Kind.CONNECT, _State.JOINING:
                self._joined()
            case Kind.CONNECT_ERROR, _State.JOINING:
                self._refused(packet.data)
            case (Kind.CLOSE, _) | (Kind.DISCONNECT, _State.OPEN):
                self._end("server", "the server said goodbye")
                self._wire.close()
            case _:
                self.fail("garbage", f"{packet.kind.name} came when {self._state.name}")

    def _opened(self, opening: Opening, now_ns: int) -> None:
        self._patience_ns = (opening.ping_interval_ms + opening.ping_timeout_ms) * 1_000_000
        self._heard_ns = now_ns
        self._state = _State.JOINING
        self._wire.send(packets.connect(self._token))
        self._token = ""

    def _joined(self) -> None:
        self._state = _State.OPEN
        self._liveness.watch(self)
        if self._connected is not None and not self._connected.done():
            self._connected.set_result(None)

    def _refused(self, error: dict[str, Any]) -> None:
        data = error.get("data")
        said = data if isinstance(data, dict) else {}
        code = str(said.get("code") or "connect_error")
        self._fail_connecting(ConnectFailed(code, str(error.get("message", "")), _delay(said)))
        self.fail("server", "refused")

    def _acked(self, packet: Packet, now_ns: int) -> None:
        on_ack = self._acks.pop(packet.ack_id or 0, None)
        if on_ack is None:
            return
        envelope = packet.data[0] if packet.data else None
        self._tell(on_ack, {} if envelope is None else envelope, now_ns)

    def _end(self, reason: str, text: str) -> None:
        self._state = _State.ENDED
        self._liveness.forget(self)
        if self._connected is None:
            self._loop.call_soon(self._tell_end, reason)
        else:
            self._fail_connecting(ConnectFailed("lost" if reason in {"server", "client"} else reason, text))

    def _fail_connecting(self, error: ConnectFailed) -> None:
        if self._connected is not None and not self._connected.done():
            self._connected.set_exception(error)
            self._connected.exception()  # whoever waited may have been cancelled

    def _tell_end(self, reason: str) -> None:
        now_ns = time.monotonic_ns()
        waiting, self._acks = self._acks, {}
        for on_ack in waiting.values():
            self._tell(on_ack, None, now_ns)
        try:
            self._listener.on_closed(reason)
        except Exception as exc:
            self._show_bug(exc)

    def _tell(self, on_ack: OnAck, envelope: Any, now_ns: int) -> None:
        try:
            on_ack(envelope, now_ns)
        except Exception as exc:
            self._show_bug(exc)

    def _show_bug(self, exc: Exception) -> None:
        self._loop.call_exception_handler({"message": "a listener failed", "exception": exc})


def _data_of(name: str, envelope: Any) -> Any:
    """Return the data of an ok envelope. Raises CallFailed."""
    if envelope is None:
        raise CallFailed("lost", f"{name}: the connection ended before the answer")
    if not isinstance(envelope, dict) or "ok" not in envelope:
        raise CallFailed("garbage", f"{name}: {str(envelope)[:60]}")
    if envelope["ok"] is True:
        return envelope.get("data")
    said = envelope.get("error")
    error = said if isinstance(said, dict) else {}
    raise CallFailed(str(error.get("code", "garbage")), f"{name}: {error.get('message', '')}", _delay(error))


def _delay(said: dict[str, Any]) -> int | None:
    value = said.get("retry_after_ms")
    return int(value) if isinstance(value, int | float) else None
