"""The ports between the engine and the rest, and what the engine counts."""

from collections.abc import Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter

from realtime.engine.frames import Frame


class Link(Protocol):
    """A way to one client on one namespace."""

    def push(self, frame: Frame) -> None:
        """Send a frame, or queue it. Never waits; a client that does not read is cut."""
        ...

    def close(self, reason: str) -> None:
        """End the connection; an event in hand is answered first."""
        ...


class Edge(Protocol):
    """What the engine tells the application.

    Coroutines are begun in the callback that received the packet, outside of any task, and get a task only when they
    wait. Before its first wait none may ask for the current task (`asyncio.timeout` does).
    """

    async def accept(self, sid: str, namespace: str, auth: object, headers: Mapping[str, str], link: Link) -> None:
        """Admit a connection; called before the client hears of it. Raises HomeroomError to refuse."""
        ...

    async def opened(self, sid: str) -> None:
        """Say that the client has been told that it is connected."""
        ...

    async def received(self, sid: str, event: object, args: list[object], ack_id: int | None, size: int) -> None:
        """Handle an event of `size` bytes. Never raises."""
        ...

    async def closed(self, sid: str, reason: str) -> None:
        """Say that a connection that was accepted has ended."""
        ...


class Meters:
    """Counters of what happens rarely."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.cut = Counter(
            "homeroom_connections_cut", "Connections ended by the server.", ["reason"], registry=registry
        )
        self.shed = Counter("homeroom_frames_shed", "Ephemeral frames not sent to slow clients.", registry=registry)


class Tally:
    """Plain numbers of what happens all the time, so that the hot path pays for an addition only."""

    __slots__ = ("bytes_in", "bytes_out", "frames_in", "frames_out", "paused", "pollers", "websockets")

    def __init__(self) -> None:
        self.frames_in = 0
        self.bytes_in = 0
        self.frames_out = 0
        self.bytes_out = 0
        self.websockets = 0
        """Sessions on a websocket now."""
        self.pollers = 0
        """Sessions on polling now."""
        self.paused = 0
        """Clients that read too slowly now."""
