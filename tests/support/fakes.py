"""Stand-ins for what the domain and the edge ask of the world: time turned by hand, and people who only listen."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from core.ids import RoomId, UserId
from core.tasks import Background
from realtime.engine.frames import Frame
from rooms.types import Message, Presence, Receipt, Room, RoomView

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeTimer:
    """core.clock.Timer."""

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeTime:
    """core.clock.Clock and core.clock.Timers: nothing happens until `advance`, and then in the order it is due."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._timers: list[FakeTimer] = []

    def now(self) -> datetime:
        return self._start + timedelta(milliseconds=round(self._elapsed * 1000))

    def monotonic(self) -> float:
        return 1000.0 + self._elapsed

    def call_later(self, delay_s: float, callback: Callable[[], None], /) -> FakeTimer:
        timer = FakeTimer(self._elapsed + delay_s, callback)
        self._timers.append(timer)
        return timer

    @property
    def pending(self) -> int:
        """How many calls are still to come."""
        return sum(not timer.cancelled for timer in self._timers)

    def advance(self, seconds: float) -> None:
        """Let time pass; each timer runs at the instant it is due."""
        until = self._elapsed + seconds
        while due := [timer for timer in self._timers if not timer.cancelled and timer.due <= until]:
            timer = min(due, key=lambda one: one.due)
            self._timers.remove(timer)
            self._elapsed = max(self._elapsed, timer.due)
            timer.callback()
        self._elapsed = until


class PatientBackground(Background):
    """A Background that a test can wait for. What fails is raised by `idle`."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        super().__init__(self.failures.append)

    async def idle(self) -> None:
        """Wait until nothing runs."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        if self.failures:
            raise self.failures[0]


class RecordingEvents:
    """rooms.ports.Events: remembers each call as (name, what it was about …)."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.extras: list[bytes | None] = []

    def take(self) -> list[tuple[Any, ...]]:
        """Return what was told since the last call."""
        told, self.told = self.told, []
        return told

    def message_new(self, message: Message, *, extra: bytes | None = None) -> None:
        self.told.append(("message_new", message))
        self.extras.append(extra)

    def message_updated(self, message: Message) -> None:
        self.told.append(("message_updated", message))

    def room_changed(self, room: Room) -> None:
        self.told.append(("room_changed", room))

    def room_added(self, view: RoomView, user_id: UserId, *, live: bool) -> None:
        self.told.append(("room_added", view.room.id, user_id, live))

    def room_removed(self, room_id: RoomId, user_id: UserId, reason: str) -> None:
        self.told.append(("room_removed", room_id, user_id, reason))

    def member_changed(self, room_id: RoomId, user_id: UserId, change: str, role: str | None = None) -> None:
        self.told.append(("member_changed", room_id, user_id, change, role))

    def receipt_changed(self, receipt: Receipt) -> None:
        self.told.append(("receipt_changed", receipt))

    def typing_changed(self, room_id: RoomId, user_id: UserId, *, on: bool) -> None:
        self.told.append(("typing_changed", room_id, user_id, on))

    def presence_changed(self, presence: Presence, room_ids: Sequence[RoomId]) -> None:
        self.told.append(("presence_changed", presence.user_id, presence.status, tuple(room_ids)))


class RecordingLink:
    """realtime.engine.eio.Link: remembers what was sent, and why it was closed."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.closed: list[str] = []
        self.news = asyncio.Event()

    def push(self, frame: Frame) -> None:
        self.frames.append(frame.data.decode())
        self.news.set()

    def close(self, reason: str) -> None:
        self.closed.append(reason)

    def take(self) -> list[str]:
        """Return the frames since the last call."""
        frames, self.frames = self.frames, []
        return frames

    def events(self) -> list[tuple[str, Any]]:
        """Return the events so far as (name, payload); acks are left out."""
        return [parsed for text in self.frames if (parsed := read_event(text)) is not None]

    def acks(self) -> dict[int, Any]:
        """Return the envelopes so far by ack id."""
        return dict(parsed for text in self.frames if (parsed := read_ack(text)) is not None)


def read_event(text: str) -> tuple[str, Any] | None:
    """Return name and payload of an EVENT packet of one argument; None for other packets."""
    if not text.startswith("42"):
        return None
    name, payload = orjson.loads(text[text.index("[") :])
    return name, payload


def read_ack(text: str) -> tuple[int, Any] | None:
    """Return id and envelope of an ACK packet; None for other packets."""
    if not text.startswith("43"):
        return None
    start = text.index("[")
    (envelope,) = orjson.loads(text[start:])
    return int(text[2:start].rpartition(",")[2]), envelope
