"""The event loop's side of worker threads: hands calls over in chunks and brings the outcomes back in order."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from core.errors import ErrorCode, HomeroomError
from storage.sqlite.calls import Call, Inbox, Item, Job, Merged, T


class Lane:
    """A bounded way to worker threads and back.

    Calls of one tick of the loop are handed over together, so that they can share a commit. Calls that had company are
    a sign of more to come, so that the next go `pace_s` after them at the earliest; calls with patience go so long
    after the last hand-over, unless others take them along. When it is quiet, everything goes at once.

    All go in the order in which they came. Outcomes come back in the order they are posted, with one wake-up of the
    loop for however many wait. A waiter that was cancelled loses its outcome, never its job. Beyond `limit` waiting
    calls, or once closed, calls raise `server.unavailable`.
    """

    def __init__(self, *, limit: int, chunk: int, pace_s: float = 0) -> None:
        self.inbox: Inbox = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._chunk = chunk
        self._pace_s = pace_s
        self._last_at = self._next_at = -math.inf
        self._pending = 0
        self._gathered: list[Call] = []
        self._due = False
        self._timer: asyncio.TimerHandle | None = None
        self._outcomes: deque[Sequence[Call]] = deque()
        self._woken = False
        self._closed = False

    async def call(self, job: Job[T], *, ended: Callable[[], None] | None = None) -> T:
        """Run `job` on a worker thread."""
        waiter: asyncio.Future[T] = self._loop.create_future()
        self._take(Call(job, waiter, ended=ended), 0)
        return await waiter

    async def merge(self, job: Merged[Item, T], item: Item, *, patience_s: float = 0) -> T:
        """Do `item` by `job`, together with whatever other items of it wait.

        Within `patience_s` of the last hand-over it waits, and goes with the next call that does not.
        """
        waiter: asyncio.Future[T] = self._loop.create_future()
        self._take(Call(job, waiter, merged=True, item=item), patience_s)
        return await waiter

    def _take(self, call: Call, patience_s: float) -> None:
        if self._closed or self._pending >= self._limit:
            raise HomeroomError(ErrorCode.SERVER_UNAVAILABLE)
        self._pending += 1
        self._gathered.append(call)
        if self._due:
            return
        now = self._loop.time()
        if now < self._last_at + patience_s:
            if self._timer is None:
                self._set_timer(self._last_at + patience_s - now)
            return
        self._due = True
        if now < self._next_at:
            self._set_timer(self._next_at - now)
        else:
            self._loop.call_soon(self._hand_over)

    def _set_timer(self, wait_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(wait_s, self._hand_over)

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        calls, self._gathered, self._due = self._gathered, [], False
        if calls:
            self._last_at = self._loop.time()
        if len(calls) > 1:
            self._next_at = self._last_at + self._pace_s
        for start in range(0, len(calls), self._chunk):
            self.inbox.put(calls[start : start + self._chunk])

    def close(self, workers: int) -> None:
        """Take no more calls, and tell `workers` threads to end once the inbox is empty."""
        self._closed = True
        self._hand_over()
        for _ in range(workers):
            self.inbox.put(None)

    def post(self, calls: Sequence[Call]) -> None:
        """Bring outcomes back. For worker threads."""
        self._outcomes.append(calls)
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        # Cleared first: a post that comes after the last popleft sees False and wakes the loop again.
        self._woken = False
        while self._outcomes:
            for call in self._outcomes.popleft():
                self._pending -= 1
                call.settle()
