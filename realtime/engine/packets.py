"""From messages of Engine.IO to packets of Socket.IO."""

from typing import Any, Final

from socketio import packet as sio_packet

from realtime.engine.frames import loads

CONNECT: Final = sio_packet.CONNECT
DISCONNECT: Final = sio_packet.DISCONNECT
EVENT: Final = sio_packet.EVENT
ACK: Final = sio_packet.ACK
CONNECT_ERROR: Final = sio_packet.CONNECT_ERROR

MAX_ATTACHMENTS: Final = 16
"""Binary parts of one event; a parser would wait for as many as the client announces."""

_ACK_DIGITS: Final = 16
_NOT_A_PACKET: Final = (ValueError, KeyError, IndexError, TypeError, RecursionError)
"""What is raised for garbage. RecursionError: the search for placeholders goes as deep as the data."""
_EVENTS: Final = frozenset({sio_packet.EVENT, sio_packet.BINARY_EVENT})
_ACKS: Final = frozenset({sio_packet.ACK, sio_packet.BINARY_ACK})


class Malformed(ValueError):
    """Not the protocol: the connection that sent it ends."""


class Packet:
    """A packet from a client. `kind` is CONNECT, DISCONNECT, EVENT or ACK; `size` is in bytes, attachments included."""

    __slots__ = ("ack_id", "data", "kind", "namespace", "size")

    def __init__(self, kind: int, namespace: str, data: Any, ack_id: int | None, size: int) -> None:
        self.kind = kind
        self.namespace = namespace
        self.data = data
        self.ack_id = ack_id
        self.size = size


class Incomplete:
    """A packet whose binary attachments are still to come."""

    __slots__ = ("_attachments", "_packet", "_size")

    def __init__(self, packet: sio_packet.Packet, size: int) -> None:
        self._packet = packet
        self._attachments: list[bytes] = []
        self._size = size

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._size

    def add(self, data: bytes) -> Packet | None:
        """Take the next attachment; return the packet when it was the last. Raises Malformed."""
        self._size += len(data)
        self._attachments.append(data)
        if len(self._attachments) < self._packet.attachment_count:
            return None
        try:
            self._packet.data = _filled(self._packet.data, self._attachments)
        except _NOT_A_PACKET as exc:
            raise Malformed from exc
        return _checked(self._packet, self._size)


def decode(message: bytes) -> Packet | Incomplete:
    """Return the packet that a text message, its `4` in front, carries. Raises Malformed."""
    if message[1:2] == b"2":
        start = message.find(b"[")
        digits = message[2:start]
        if start > 0 and (not digits or (digits.isdigit() and len(digits) <= _ACK_DIGITS)):
            return _event(message, start, int(digits) if digits else None)
    return _any(message)


def _event(message: bytes, start: int, ack_id: int | None) -> Packet:
    """Return an event of the main namespace: nearly all that comes."""
    try:
        data = loads(message[start:])
    except ValueError as exc:
        raise Malformed from exc
    if not data:  # it began with a bracket, so it is a list
        raise Malformed("an event starts with its name")
    return Packet(EVENT, "/", data, ack_id, len(message))


def _any(message: bytes) -> Packet | Incomplete:
    try:
        packet = sio_packet.Packet(encoded_packet=message[1:].decode())
    except _NOT_A_PACKET as exc:
        raise Malformed from exc
    if packet.attachment_count > MAX_ATTACHMENTS:
        raise Malformed("too many attachments")
    if packet.attachment_count:
        return Incomplete(packet, len(message))
    return _checked(packet, len(message))


def _filled(data: Any, attachments: list[bytes]) -> Any:
    """Return `data` with attachments in place of their placeholders. Raises Malformed for one that names none."""
    if isinstance(data, list):
        return [_filled(item, attachments) for item in data]
    if not isinstance(data, dict):
        return data
    if data.get("_placeholder") is not True:
        return {key: _filled(item, attachments) for key, item in data.items()}
    number = data.get("num")
    if type(number) is not int or not 0 <= number < len(attachments):
        raise Malformed("no such attachment")
    return attachments[number]


def _checked(packet: sio_packet.Packet, size: int) -> Packet:
    kind, data, namespace = packet.packet_type, packet.data, packet.namespace or "/"
    if kind in _EVENTS:
        if not isinstance(data, list) or not data:
            raise Malformed("an event is a list that starts with its name")
        return Packet(EVENT, namespace, data, packet.id, size)
    if kind == CONNECT:
        if data is not None and not isinstance(data, dict):
            raise Malformed("what comes with CONNECT is an object")
        return Packet(CONNECT, namespace, data, None, size)
    if kind == DISCONNECT:
        return Packet(DISCONNECT, namespace, None, None, size)
    if kind in _ACKS and isinstance(data, list):
        return Packet(ACK, namespace, data, packet.id, size)
    raise Malformed("not a packet that clients send")
