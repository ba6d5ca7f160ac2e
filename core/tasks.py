"""An owner for work that outlives the call that started it: nothing is fire-and-forget."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any


class Background:
    """Runs coroutines until `close`. A failure is handed to `on_error`, never lost."""

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run `work` as a task that this owner keeps."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def failed(self, error: BaseException) -> None:
        """Hand over a failure of work that needed no task."""
        self._on_error(error)

    async def close(self, *, grace_s: float = 0) -> None:
        """Wait up to `grace_s` for what runs, then cancel the rest and wait for its end."""
        if self._tasks and grace_s > 0:
            await asyncio.wait(set(self._tasks), timeout=grace_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(error)


def begin(work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None] | None:
    """Run `work` up to its first wait, without a task. Return what is left of it, to be awaited; None if nothing is.

    Most work waits for nothing, and then a task is all it would cost. Until its first wait, `work` must not ask for the
    current task, as `asyncio.timeout` does. Raises what `work` raises.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return _Begun(work, waits_for)


class _Begun(Coroutine[Any, Any, None]):
    """A coroutine that has been begun: first hands out what it waits for, then goes on."""

    __slots__ = ("_waits_for", "_work")

    def __init__(self, work: Coroutine[Any, Any, None], waits_for: object) -> None:
        self._work = work
        self._waits_for: object | None = waits_for

    def send(self, value: Any, /) -> Any:
        waits_for, self._waits_for = self._waits_for, None
        return self._work.send(value) if waits_for is None else waits_for

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        value: BaseException | object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> Any:
        return self._work.throw(kind if isinstance(kind, BaseException) else kind())

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def __iter__(self) -> "_Begun":
        return self
