"""Engine.IO v4 and Socket.IO v5 packets as text: what a client writes, and what it can read.

Only the main namespace is known. Binary packets are outside the contract, and so are read as `NotAPacket`.
"""

from collections.abc import Iterable
from enum import Enum, auto
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

SEPARATOR = b"\x1e"
"""Between the packets of one polling payload."""
PONG = b"3"
DISCONNECT = b"41"
PROBE, PROBED, UPGRADE = b"2probe", b"3probe", b"5"
"""What goes to and fro over a websocket before a session does."""
MESSAGE = b'42["message:new",'
MOST_DIGITS = 15
SHOWN = 60
DEFAULT_MAX_PAYLOAD = 100_000
REMEMBERED = 1024
"""Events that are read only once, however many people of this process they reach."""
MEMORABLE = 4096
"""Bytes; longer ones are read each time, so that little memory is held."""


class NotAPacket(Exception):
    """The bytes are no packet that this client knows; the message shows their beginning."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"not a packet: {data[:SHOWN]!r}")


class Kind(Enum):
    """What a server may send."""

    OPEN = auto()
    CLOSE = auto()
    PING = auto()
    NOOP = auto()
    CONNECT = auto()
    DISCONNECT = auto()
    EVENT = auto()
    ACK = auto()
    CONNECT_ERROR = auto()


class Packet(NamedTuple):
    """A packet. `data`: an Opening, an event's [name, payload …], an ack's arguments, or the object of the others."""

    kind: Kind
    data: Any = None
    ack_id: int | None = None


class Opening(NamedTuple):
    """What the server says of a new Engine.IO connection. Times in ms, `max_payload` in bytes."""

    sid: str
    ping_interval_ms: int
    ping_timeout_ms: int
    max_payload: int


_BARE = {
    b"1": Packet(Kind.CLOSE),
    b"2": Packet(Kind.PING),
    b"6": Packet(Kind.NOOP),
    b"41": Packet(Kind.DISCONNECT),
    b"40": Packet(Kind.CONNECT, {}),
}


def connect(token: str) -> bytes:
    """Return the packet that asks to join the main namespace."""
    return b"40" + orjson.dumps({"token": token})


def event(name: str, payload: object, ack_id: int | None = None) -> bytes:
    """Return an event packet. Raises TypeError for what JSON cannot say."""
    return b"42%b%b" % (b"" if ack_id is None else b"%d" % ack_id, orjson.dumps([name, payload]))


def split(payload: bytes) -> list[bytes]:
    """Return the packets of a polling payload."""
    return payload.split(SEPARATOR)


def join(packets: Iterable[bytes]) -> bytes:
    """Return the polling payload of these packets."""
    return SEPARATOR.join(packets)


def parse(data: bytes) -> Packet:
    """Return the packet in `data`, whatever `data` is. Raises NotAPacket and nothing else.

    Events are not to be changed: whoever else got the same bytes gets the same packet.
    """
    head = data[:2]
    if head == b"42":
        return _known_event(data) if len(data) <= MEMORABLE else _event(data)
    if head == b"43":
        return _ack(data)
    if (bare := _BARE.get(data)) is not None:
        return bare
    if head == b"40":
        return Packet(Kind.CONNECT, _object(data, 2))
    if head == b"44":
        return Packet(Kind.CONNECT_ERROR, _object(data, 2))
    if data[:1] == b"0":
        return Packet(Kind.OPEN, _opening(data))
    raise NotAPacket(data)


def _event(data: bytes) -> Packet:
    arguments, ack_id = _arguments(data)
    if not arguments or not isinstance(arguments[0], str):
        raise NotAPacket(data)
    return Packet(Kind.EVENT, arguments, ack_id)


_known_event = lru_cache(maxsize=REMEMBERED)(_event)


def _ack(data: bytes) -> Packet:
    arguments, ack_id = _arguments(data)
    if ack_id is None:
        raise NotAPacket(data)
    return Packet(Kind.ACK, arguments, ack_id)


def _arguments(data: bytes) -> tuple[list[Any], int | None]:
    """Return what follows the type: a list, with a number before it if an ack is asked for or given."""
    start = data.find(b"[", 2)
    digits = data[2:start] if start >= 0 else b"?"
    if digits and not (digits.isdigit() and len(digits) <= MOST_DIGITS):
        raise NotAPacket(data)
    try:
        arguments: list[Any] = orjson.loads(data[start:])
    except orjson.JSONDecodeError:
        raise NotAPacket(data) from None
    return arguments, int(digits) if digits else None


def _object(data: bytes, start: int) -> dict[str, Any]:
    try:
        value = orjson.loads(data[start:])
    except orjson.JSONDecodeError:
        raise NotAPacket(data) from None
    if not isinstance(value, dict):
        raise NotAPacket(data)
    return value


def _opening(data: bytes) -> Opening:
    said = _object(data, 1)
    sid, most = said.get("sid"), said.get("maxPayload", DEFAULT_MAX_PAYLOAD)
    interval: Any = said.get("pingInterval")
    timeout: Any = said.get("pingTimeout")
    if isinstance(sid, str) and all(type(number) is int and number > 0 for number in (interval, timeout, most)):
        return Opening(sid, interval, timeout, most)
    raise NotAPacket(data)
