"""The event loop's side of worker threads: hands calls over in chunks and brings the outcomes back in order."""

import asyncio
from collections import deque
from collections.abc import Sequence
from queue import SimpleQueue

from core.errors import ErrorCode, HomeroomError
from storage.sqlite.calls import Call, Inbox, Item, Job, Merged, T


class Lane:
    """A bounded way to worker threads and back.

    Calls of one tick of the loop are handed over together, so that they can share a commit. Outcomes come back in the
    order they are posted, with one wake-up of the loop for however many wait. A waiter that was cancelled loses its
    outcome, never its job. Beyond `limit` waiting calls, or once closed, calls raise `server.unavailable`.
    """

    def __init__(self, *, limit: int, chunk: int) -> None:
        self.inbox: Inbox = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._chunk = chunk
        self._pending = 0
        self._tick: list[Call] = []
        self._outcomes: deque[Sequence[Call]] = deque()
        self._woken = False
        self._closed = False

    async def call(self, job: Job[T]) -> T:
        """Run `job` on a worker thread."""
        waiter: asyncio.Future[T] = self._loop.create_future()
        self._take(Call(job, waiter))
        return await waiter

    async def merge(self, job: Merged[Item, T], item: Item) -> T:
        """Do `item` by `job`, together with whatever other items of it wait."""
        waiter: asyncio.Future[T] = self._loop.create_future()
        self._take(Call(job, waiter, merged=True, item=item))
        return await waiter

    def _take(self, call: Call) -> None:
        if self._closed or self._pending >= self._limit:
            raise HomeroomError(ErrorCode.SERVER_UNAVAILABLE)
        self._pending += 1
        if not self._tick:
            self._loop.call_soon(self._hand_over)
        self._tick.append(call)

    def _hand_over(self) -> None:
        calls, self._tick = self._tick, []
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
