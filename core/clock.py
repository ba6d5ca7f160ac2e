"""Time, injected. Instants are aware datetimes in UTC; a zone appears only where a person sees a time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where the current time comes from."""

    def now(self) -> datetime:
        """Return the wall-clock instant, aware and in UTC, truncated to milliseconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never run backwards."""
        ...


class Timer(Protocol):
    """A pending call."""

    def cancel(self) -> None:
        """Make the call not happen, if it has not yet."""
        ...


class Timers(Protocol):
    """Calls back later. An asyncio event loop is one."""

    def call_later(self, delay_s: float, callback: Callable[[], None], /) -> Timer:
        """Call `callback` after `delay_s` seconds, on the loop's thread."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return from_ms(time.time_ns() // 1_000_000)

    def monotonic(self) -> float:
        return time.monotonic()


def to_ms(instant: datetime) -> int:
    """Return milliseconds since the Unix epoch."""
    return round(instant.timestamp() * 1000)


def from_ms(value: int) -> datetime:
    """Return the aware UTC instant of `value` milliseconds since the Unix epoch."""
    return _EPOCH + timedelta(milliseconds=value)


def to_wire(instant: datetime) -> str:
    """Return RFC 3339 in UTC with milliseconds and `Z`, as WIRE.md asks."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds")[:-6] + "Z"
