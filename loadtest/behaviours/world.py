"""What the simulated people of one worker share: the server, the clock's plan, and where everything is written down."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from loadtest.behaviours.chance import Chance
from loadtest.client.api import Api
from loadtest.client.network import Network
from loadtest.client.tokens import Tokens
from loadtest.measure.recorder import Recorder
from loadtest.truth.ledger import Ledger

T = TypeVar("T")

AT_ONCE = 50
"""How many people of a worker do the same step of their preparation at the same time."""
RENDEZVOUS_S = 60.0


class Schedule(Protocol):
    """Runs actions when they are due, whatever became of earlier ones (an open model)."""

    def at(self, due_ns: int, action: Callable[[int], None]) -> None:
        """Call `action(due_ns)` at or soon after `due_ns` (time.monotonic_ns)."""

    def stop(self) -> None:
        """Forget all actions that have not begun."""


class Board(Protocol):
    """Where workers tell each other what one of them made, such as the id of a room."""

    async def publish(self, key: str, value: str) -> None:
        """Tell every worker."""

    async def shared(self, key: str) -> str:
        """Return what was published under `key`; waits until it is."""


@dataclass(slots=True)
class World:
    """One worker's world. The worker makes it, and closes it when everyone has been synced.

    `load_from_ns` and `load_until_ns` (time.monotonic_ns) are set before `Behaviour.begin`.
    """

    run: str
    network: Network
    tokens: Tokens
    api: Api
    ledger: Ledger
    recorder: Recorder
    schedule: Schedule
    board: Board
    seed: int = 0
    source: Callable[[], str | None] = lambda: None
    """The local address that the next connection comes from."""
    load_from_ns: int = 0
    load_until_ns: int = 0
    closing: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def prefix(self) -> str:
        """What every `client_id` of this run begins with."""
        return f"lt.{self.run}."

    def chance(self, who: int, purpose: str = "") -> Chance:
        """Return a source of random numbers that is the same in every run with this seed."""
        return Chance(self.seed, who, purpose)

    async def publish(self, key: str, value: str) -> None:
        """Tell every worker what this one made."""
        await self.board.publish(key, value)

    async def shared(self, key: str) -> str:
        """Return what any worker published under `key`. Raises TimeoutError if nobody does."""
        async with asyncio.timeout(RENDEZVOUS_S):
            return await self.board.shared(key)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` beside everything else; it ends with this world, and its failure is counted."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    @property
    def busy(self) -> bool:
        """Whether something that was spawned still goes on: a reconnect, a snapshot, an HTTP request."""
        return bool(self._tasks)

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Call `action` after `delay_s`, unless this world has closed by then."""
        asyncio.get_running_loop().call_later(delay_s, self._unless_closing, action)

    async def close(self) -> None:
        """End all work that is still going on, and close no connection: people leave by themselves."""
        self.closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _unless_closing(self, action: Callable[[], None]) -> None:
        if not self.closing:
            action()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.recorder.error("worker", type(error).__name__, str(error))


async def each(things: Iterable[T], step: Callable[[T], Awaitable[None]]) -> None:
    """Do `step` for all, a bounded number at a time. Raises what a step raises, when all have ended."""
    waiting = iter(list(things))

    async def work() -> None:
        for thing in waiting:
            await step(thing)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
