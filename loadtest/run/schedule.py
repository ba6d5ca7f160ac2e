"""Actions at the times they are due, whatever became of earlier ones: an open model."""

import heapq
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

from loadtest.measure.names import Metric
from loadtest.measure.recorder import Recorder

Action = Callable[[int], None]

AT_ONCE = 64
"""Actions in one turn of the loop, so that a late schedule still lets answers in."""


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """Forget it."""


class Loop(Protocol):
    """What is needed of asyncio's loop."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call in `delay` seconds."""

    def call_soon(self, callback: Callable[[], None], /) -> Timer:
        """Call in the next turn."""


class OpenSchedule:
    """A heap of actions and one timer of the loop.

    A timer has a resolution of 1 ms, rounded up: so an action is never early, and usually half a millisecond late,
    which goes into Metric.LAG like any other delay. Times are time.monotonic_ns, read by `clock`.
    """

    def __init__(self, loop: Loop, recorder: Recorder, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._loop = loop
        self._recorder = recorder
        self._clock = clock
        self._heap: list[tuple[int, int, Action]] = []
        self._order = count()
        self._timer: Timer | None = None
        self._timer_due_ns = 0
        self._running = False
        self._stopped = False
        self.begun = 0
        """Actions that were begun."""
        self.missed = 0
        """Actions that were due when the schedule was stopped, and never begun."""

    def at(self, due_ns: int, action: Action) -> None:
        """Call `action(due_ns)` at or soon after `due_ns`. Does nothing once stopped."""
        if self._stopped:
            return
        heapq.heappush(self._heap, (due_ns, next(self._order), action))
        if not self._running and (self._timer is None or due_ns < self._timer_due_ns):
            self._arm()

    def stop(self) -> None:
        """Forget all actions that have not begun."""
        now = self._clock()
        self.missed += sum(due_ns <= now for due_ns, _, _ in self._heap)
        self._stopped = True
        self._heap.clear()
        self._disarm()

    def _run(self) -> None:
        self._timer = None
        self._running = True
        for _ in range(AT_ONCE):
            if not self._heap or self._heap[0][0] > (now := self._clock()):
                break
            due_ns, _, action = heapq.heappop(self._heap)
            self._recorder.latency(Metric.LAG, now - due_ns)
            self.begun += 1
            self._act(action, due_ns)
        self._running = False
        self._arm()

    def _act(self, action: Action, due_ns: int) -> None:
        try:
            action(due_ns)
        except Exception as exc:  # a behaviour's mistake is counted and shown; the others go on
            self._recorder.error("worker", type(exc).__name__, str(exc))

    def _arm(self) -> None:
        self._disarm()
        if not self._heap:
            return
        self._timer_due_ns = self._heap[0][0]
        wait_ms = -((self._clock() - self._timer_due_ns) // 1_000_000)
        if wait_ms > 0:
            self._timer = self._loop.call_later(wait_ms / 1000, self._run)
        else:
            self._timer = self._loop.call_soon(self._run)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
