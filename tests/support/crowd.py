"""A worker of the load tester made by hand: a world on this test's loop, behaviours played in it, and the audit."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from loadtest.behaviours.behaviour import Behaviour
from loadtest.behaviours.person import Person
from loadtest.behaviours.registry import find
from loadtest.behaviours.world import World
from loadtest.client.api import Api
from loadtest.client.network import Network
from loadtest.client.target import parse_target
from loadtest.client.tokens import User
from loadtest.measure.histogram import Histogram
from loadtest.measure.names import Count, Metric
from loadtest.measure.recorder import Recorder
from loadtest.report.result import Truth
from loadtest.run.board import PipeBoard
from loadtest.run.schedule import OpenSchedule
from loadtest.truth.audit import audit
from loadtest.truth.ledger import Ledger

PATIENCE_S = 30.0
Mint = Callable[[str, str], str]
"""Makes a token for a user's id and role."""


class MintedTokens:
    """Tokens made when they are asked for."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint

    async def token(self, user: User) -> str:
        """Return a new one."""
        return self._mint(user.id, user.role)


class Crowd:
    """One world, and every behaviour played in it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.behaviours: list[Behaviour[Any]] = []
        self.guests: list[Person] = []
        """People who belong to no behaviour."""
        self._counts: Counter[Count] = Counter()
        self._errors: Counter[tuple[str, str]] = Counter()
        self._timed: Counter[Metric] = Counter()
        self._next = 0

    @property
    def people(self) -> list[Person]:
        """Everyone who holds a connection."""
        return [person for behaviour in self.behaviours for person in behaviour.people] + self.guests

    def add(self, name: str, **fields: Any) -> Behaviour[Any]:
        """Make a whole group."""
        kind = find(name)
        model = kind.Fields(**fields)
        units = kind.count_units(model)
        numbers = range(units * kind.people_in_unit(model))
        users = [User(self._next + n, f"u{self._next + n}", f"U {n}", kind.role(model, n)) for n in numbers]
        self._next += len(users)
        self.behaviours.append(kind(self.world, model, name, 0, units, users))
        return self.behaviours[-1]

    async def gather(self) -> None:
        """Connect and prepare everyone."""
        now_ns = time.monotonic_ns()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(person.connect(now_ns) for person in self.people))
            for behaviour in self.behaviours:
                await behaviour.prepare()

    def begin(self, load_s: float) -> asyncio.Event:
        """Begin the load; the event tells its end."""
        world, over = self.world, asyncio.Event()
        world.load_from_ns = time.monotonic_ns()
        world.load_until_ns = world.load_from_ns + int(load_s * 1e9)
        for behaviour in self.behaviours:
            behaviour.begin()
        world.schedule.at(world.load_until_ns, lambda _due_ns: over.set())
        return over

    async def end(self, over: asyncio.Event) -> Truth:
        """Wait for the end of the load, then as `settled`."""
        async with asyncio.timeout(PATIENCE_S):
            await over.wait()
        self.world.schedule.stop()
        return await self.settled()

    async def settled(self) -> Truth:
        """Wait for every answer; sync everyone and return the truth."""
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: all(person.waiting == 0 for person in self.people))
            for person in self.people:
                await person.sync()
        return audit([self.world.ledger.export()])

    async def play(self, load_s: float) -> Truth:
        """Gather, load, settle and sync."""
        await self.gather()
        return await self.end(self.begin(load_s))

    def counts(self) -> Counter[Count]:
        """Return everything that was counted so far."""
        self._measure()
        return self._counts

    def errors(self) -> Counter[tuple[str, str]]:
        """Return how many errors came of each kind and code so far."""
        self._measure()
        return self._errors

    def timed(self, metric: Metric) -> int:
        """Return how many latencies were taken so far."""
        self._measure()
        return self._timed[metric]

    def _measure(self) -> None:
        sample = self.world.recorder.drain()
        self._counts.update(sample.counts)
        self._errors.update({(mishap.kind, mishap.code): mishap.count for mishap in sample.errors})
        self._timed.update({metric: Histogram.decode(found).count for metric, found in sample.histograms.items()})


async def until(done: Callable[[], bool]) -> None:
    """Wait until `done()`. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not done():  # noqa: ASYNC110 - a load tester has counters, and no event for each value of each
            await asyncio.sleep(0.01)


@asynccontextmanager
async def crowd(url: str, mint: Mint, *, run: str = "t1", seed: int = 1) -> AsyncIterator[Crowd]:
    """Make a world on a server, for the length of a block."""
    target = parse_target(url, "websocket")
    recorder = Recorder()
    board: PipeBoard = PipeBoard(lambda key, value: board.put(key, value))  # noqa: PLW0108 - it is not there yet
    network, api = Network(target), Api(target, 8)
    network.start()
    schedule = OpenSchedule(asyncio.get_running_loop(), recorder)
    world = World(run, network, MintedTokens(mint), api, Ledger(), recorder, schedule, board, seed)
    here = Crowd(world)
    try:
        yield here
    finally:
        schedule.stop()
        for person in here.people:
            await person.leave()
        await world.close()
        await api.close()
        await network.close()
