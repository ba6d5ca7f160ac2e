"""Encoded packets. An event is encoded once; every recipient gets the same string."""

import re
from typing import Any

import orjson
from engineio.packet import MESSAGE


class Frame:
    """One text packet, ready to send: Engine.IO type, Socket.IO type and data. Quacks like `engineio.packet.Packet`."""

    __slots__ = ("ephemeral", "size_bytes", "text")

    packet_type = MESSAGE

    def __init__(self, text: str, *, ephemeral: bool = False) -> None:
        self.text = text
        self.size_bytes = len(text) if text.isascii() else len(text.encode())
        self.ephemeral = ephemeral

    def encode(self, b64: bool = False) -> str:
        """Return the packet as it goes out."""
        return self.text


def event_frame(event: str, data: bytes, *, ephemeral: bool = False, namespace: str = "/") -> Frame:
    """Return an EVENT of one argument whose JSON is `data`."""
    return Frame(f'42{_prefix(namespace)}["{event}",{data.decode()}]', ephemeral=ephemeral)


def ack_frame(ack_id: int, envelope: dict[str, Any], *, namespace: str = "/") -> Frame:
    """Return the ACK of an event."""
    return Frame(f"43{_prefix(namespace)}{ack_id}[{orjson.dumps(envelope).decode()}]")


def _prefix(namespace: str) -> str:
    return "" if namespace == "/" else f"{namespace},"


class FastJson:
    """The JSON module that python-socketio is given: orjson, which stops at a depth of 1,024.

    JavaScript may cut a string in the middle of an emoji. orjson refuses such a lone surrogate; here it becomes U+FFFD,
    as it would in any browser, so that one broken character does not end the connection that resends it for ever.
    """

    JSONDecodeError = orjson.JSONDecodeError

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Return compact JSON."""
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str, **_: Any) -> Any:
        """Parse JSON. Raises ValueError."""
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return orjson.loads(_ESCAPE.sub(_whole, text))


_ESCAPE = re.compile(r"\\(?:u(d[89ab]..)\\u(d[c-f]..)|u(d[89a-f]..)|.)", re.IGNORECASE | re.DOTALL)


def _whole(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape[3] else escape[0]
