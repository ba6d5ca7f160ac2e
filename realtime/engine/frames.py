"""Encoded packets. An event is encoded once; every recipient gets the same string."""

import json
from typing import Any

import orjson
from engineio.packet import MESSAGE


class Frame:
    """One text packet, ready to send: Engine.IO type, Socket.IO type and data. Quacks like `engineio.packet.Packet`."""

    __slots__ = ("ephemeral", "text")

    packet_type = MESSAGE

    def __init__(self, text: str, *, ephemeral: bool = False) -> None:
        self.text = text
        self.ephemeral = ephemeral

    def encode(self, b64: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002 - engineio's own signature
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
    """The JSON module that python-socketio is given.

    orjson refuses lone surrogates, which JavaScript may send in a string: those are read by the standard library, so
    that validation can answer them instead of the parser closing the connection.
    """

    JSONDecodeError = ValueError

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Return compact JSON."""
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        """Parse JSON. Raises ValueError."""
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
        try:
            return json.loads(text)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc
