"""Encoded packets. An event is encoded once; every recipient gets the same bytes."""

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final

import orjson
from engineio import packet as eio_packet
from socketio import packet as sio_packet

CLOSE: Final = b"1"
PING: Final = b"2"
NOOP: Final = b"6"
SEPARATOR: Final = b"\x1e"


class Frame:
    """One Engine.IO packet, ready to send: UTF-8 text with its type in front, or what a binary message carries."""

    __slots__ = ("binary", "data", "ephemeral")

    def __init__(self, data: bytes, *, ephemeral: bool = False, binary: bool = False) -> None:
        self.data = data
        self.ephemeral = ephemeral
        self.binary = binary

    def __repr__(self) -> str:
        return f"Frame({self.data!r})"


def polled(frame: Frame) -> bytes:
    """Return a frame as it is in the payload of a poll."""
    return b"b" + b64encode(frame.data) if frame.binary else frame.data


def event_frame(event: str, data: bytes, *, ephemeral: bool = False, namespace: str = "/") -> Frame:
    """Return an EVENT of one argument whose JSON is `data`."""
    return Frame(b'42%b["%b",%b]' % (_prefix(namespace), event.encode(), data), ephemeral=ephemeral)


def ack_frame(ack_id: int, envelope: dict[str, Any], *, namespace: str = "/") -> Frame:
    """Return the ACK of an event."""
    return Frame(b"43%b%d[%b]" % (_prefix(namespace), ack_id, orjson.dumps(envelope)))


def control_frame(kind: int, namespace: str, data: object = None) -> Frame:
    """Return a CONNECT, CONNECT_ERROR or DISCONNECT."""
    return Frame(b"4%d%b%b" % (kind, _prefix(namespace), b"" if data is None else orjson.dumps(data)))


def packet_frames(
    kind: int, arguments: Sequence[object], *, ack_id: int | None = None, namespace: str = "/"
) -> list[Frame]:
    """Return an EVENT or ACK with any arguments; bytes among them follow as frames of their own."""
    encoded = sio_packet.Packet(kind, data=list(arguments), namespace=namespace, id=ack_id).encode()
    text, *attachments = encoded if isinstance(encoded, list) else [encoded]
    return [Frame(f"4{text}".encode()), *(Frame(bytes(part), binary=True) for part in attachments)]


def _prefix(namespace: str) -> bytes:
    return b"" if namespace == "/" else f"{namespace},".encode()


class FastJson:
    """The JSON module that python-socketio is given: orjson, which stops at a depth of 1,024."""

    JSONDecodeError = orjson.JSONDecodeError

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Return compact JSON."""
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        """Parse JSON. Raises ValueError."""
        return loads(text)


def loads(text: str | bytes) -> Any:
    """Parse JSON. Raises ValueError.

    JavaScript may cut a string in the middle of an emoji. orjson refuses such a lone surrogate; here it becomes U+FFFD,
    as it would in any browser, so that one broken character does not end the connection that resends it for ever.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        whole = text.decode() if isinstance(text, bytes) else text
        return orjson.loads(_ESCAPE.sub(_whole, whole))


_ESCAPE = re.compile(r"\\(?:u(d[89ab]..)\\u(d[c-f]..)|u(d[89a-f]..)|.)", re.IGNORECASE | re.DOTALL)


def _whole(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape[3] else escape[0]


sio_packet.Packet.json = FastJson
eio_packet.Packet.json = FastJson
