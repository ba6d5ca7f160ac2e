"""Deadlines of many sessions, kept by one timer of the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

_SHARE: Final = 20
_FINEST_S: Final = 0.005
_COARSEST_S: Final = 0.25


class Alarm(Generic[T]):
    """Things that all wait the same time, and so ring in the order in which they were set."""

    def __init__(self, delay_s: float, ring: Callable[[T], None], now: Callable[[], float]) -> None:
        self.delay_s = delay_s
        self._ring = ring
        self._now = now
        self._due: dict[T, float] = {}
        self.rings_for: float = 0.0
        """When what rings now should have rung, had the timer been exact."""

    def __len__(self) -> int:
        return len(self._due)

    def set(self, item: T, *, since: float | None = None) -> None:
        """Ring for `item` after the delay from now, whatever was set before; or from `since`, if that never falls."""
        self._due.pop(item, None)
        self._due[item] = (self._now() if since is None else since) + self.delay_s

    def clear(self, item: T) -> None:
        """Do not ring for `item`."""
        self._due.pop(item, None)

    def overdue(self, item: T) -> bool:
        """Whether `item` should have rung by now, had the timer been exact."""
        return self._due.get(item, float("inf")) <= self._now()

    def ring_all(self) -> None:
        """Ring for everything now."""
        while self._due:
            self._ring(self._due.popitem()[0])

    def ring(self) -> None:
        """Ring for all whose time has come; what is set meanwhile waits for the next time."""
        for item, due in self._all_due(self._now()):
            if self._due.get(item) == due:  # nobody has set or cleared it since
                del self._due[item]
                self.rings_for = due
                self._ring(item)

    def _all_due(self, now: float) -> list[tuple[T, float]]:
        """Return all whose time has come, in one pass: a dict looks at what was deleted from its start each time."""
        return list(takewhile(lambda entry: entry[1] <= now, self._due.items()))


class Clockwork:
    """Rings several alarms. It ticks ever so often, which costs the same for one session and for ten thousand."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._alarms: Sequence[Alarm[Any]] = ()
        self._tick_s = _COARSEST_S
        self._timer: asyncio.TimerHandle | None = None

    def start(self, *alarms: "Alarm[Any]") -> None:
        """Tick from now on, a small part of the shortest delay."""
        self._alarms = alarms
        shortest_s = min(alarm.delay_s for alarm in alarms)
        self._tick_s = min(_COARSEST_S, max(_FINEST_S, shortest_s / _SHARE))
        self._timer = self._loop.call_later(self._tick_s, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._tick_s, self._tick)
        for alarm in self._alarms:
            alarm.ring()
