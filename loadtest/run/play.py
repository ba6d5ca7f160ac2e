"""What a worker does in each step of a run, with the people and behaviours of its share."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from loadtest.behaviours.behaviour import Behaviour
from loadtest.behaviours.person import Person
from loadtest.behaviours.world import World, each
from loadtest.client.addresses import Sources
from loadtest.client.api import Api
from loadtest.client.errors import ConnectFailed
from loadtest.client.network import Network
from loadtest.client.tokens import ReadyTokens, ServiceKeyTokens
from loadtest.measure.recorder import Recorder
from loadtest.run.board import PipeBoard
from loadtest.run.messages import Last
from loadtest.run.plan import connections
from loadtest.run.schedule import OpenSchedule
from loadtest.truth.ledger import Ledger

if TYPE_CHECKING:
    from loadtest.run.worker import Job

HTTP_CONNECTIONS = 64


class Play:
    """A share being played. Every step is over soon after `ended` is set, whatever the server does."""

    def __init__(self, job: "Job", tell: Callable[[str, str], None]) -> None:
        loop = asyncio.get_running_loop()
        self.recorder = Recorder()
        self.board = PipeBoard(tell)
        self._job = job
        self._ledger = Ledger()
        self._schedule = OpenSchedule(loop, self.recorder)
        self._api = Api(job.target, HTTP_CONNECTIONS)
        self._upgrades = 0
        self._network = Network(job.target, self._upgraded)
        self._network.start()
        self._world = self._make_world()
        self._behaviours = [
            group.kind(self._world, group.fields, group.name, group.first, group.last, group.people)
            for group in job.share
        ]
        self._to_enter = connections(job.share)
        self._entering: set[asyncio.Task[None]] = set()
        self._all_entered = asyncio.Event()
        self._inside: set[int] = set()
        self._unsynced = 0
        self._begun_before = 0

    async def connect(self, from_ns: int, until_ns: int, ended: asyncio.Event) -> None:
        """Let everyone in along the ramp. Over when all are in or have given up; later the rest go on trying."""
        for behaviour, group in zip(self._behaviours, self._job.share, strict=True):
            for person, moment in zip(behaviour.people, group.moments, strict=True):
                self._schedule.at(from_ns + int(moment * (until_ns - from_ns)), self._entry(person))
        if self._to_enter:
            await unless(ended, self._all_entered.wait())

    async def prepare(self, ended: asyncio.Event) -> None:
        """Make the rooms."""
        await unless(ended, asyncio.gather(*(self._prepare(behaviour) for behaviour in self._behaviours)))
        if ended.is_set():
            self.recorder.error("setup", "cut_off", "preparing took too long or was ended: not everyone has a room")
        gc.collect()
        gc.freeze()  # everyone is here to stay: looking at them all again would only make answers seem late

    async def load(self, from_ns: int, until_ns: int, ended: asyncio.Event) -> None:
        """Let the behaviours do what they do, until the time is over."""
        self._world.load_from_ns, self._world.load_until_ns = from_ns, until_ns
        self._begun_before = self._schedule.begun
        for behaviour in self._behaviours:
            self._begin(behaviour)
        await unless(ended, asyncio.sleep((until_ns - time.monotonic_ns()) / 1e9))
        self._schedule.stop()

    async def sync(self, ended: asyncio.Event) -> None:
        """Have everyone look for what they still miss."""
        people = [person for person in self._people() if person.user.index in self._inside]
        self._unsynced = len(people)
        await unless(ended, each(people, self._sync))
        for behaviour in self._behaviours:
            behaviour.give_up()

    def last(self) -> Last:
        """Return what is known at the end."""
        begun = self._schedule.begun - self._begun_before
        never_in = connections(self._job.share) - len(self._inside)
        return Last(self._ledger.export(), never_in, self._unsynced, begun, self._schedule.missed, self._upgrades)

    async def leave(self, ended: asyncio.Event) -> None:
        """Have everyone close their connection in an orderly way."""
        await unless(ended, each(self._people(), self._leave))

    async def close(self) -> None:
        """End all that is still going on."""
        self._schedule.stop()
        for task in self._entering:
            task.cancel()
        await asyncio.gather(*self._entering, return_exceptions=True)
        await self._world.close()
        await self._api.close()
        await self._network.close()

    def _make_world(self) -> World:
        job = self._job
        sources = Sources(job.target, job.connections)
        return World(
            run=job.run,
            network=self._network,
            tokens=self._tokens(),
            api=self._api,
            ledger=self._ledger,
            recorder=self.recorder,
            schedule=self._schedule,
            board=self.board,
            seed=job.seed,
            source=sources.next,
        )

    def _tokens(self) -> ReadyTokens | ServiceKeyTokens:
        tokens = self._job.tokens
        return ServiceKeyTokens(self._api, tokens) if isinstance(tokens, str) else ReadyTokens(tokens)

    def _upgraded(self, failed: ConnectFailed | None) -> None:
        if failed is None:
            self._upgrades += 1
        else:  # that person goes on by polling
            self.recorder.error("connect", "no_upgrade", str(failed))

    def _people(self) -> Iterator[Person]:
        return (person for behaviour in self._behaviours for person in behaviour.people)

    def _entry(self, person: Person) -> Callable[[int], None]:
        def enter(due_ns: int) -> None:
            task = asyncio.ensure_future(self._enter(person, due_ns))
            self._entering.add(task)
            task.add_done_callback(self._entering.discard)

        return enter

    async def _enter(self, person: Person, due_ns: int) -> None:
        try:
            await person.connect(due_ns)
            if person.ready:
                self._inside.add(person.user.index)
        except Exception as exc:  # one person's mishap is counted; the others go on
            self.recorder.error("worker", type(exc).__name__, str(exc))
        self._to_enter -= 1
        if not self._to_enter:
            self._all_entered.set()

    async def _prepare(self, behaviour: Behaviour[Any]) -> None:
        try:
            await behaviour.prepare()
        except Exception as exc:  # one group's mishap is counted; the others go on
            self.recorder.error("setup", _code(exc), f"{behaviour.group}: {exc}")

    def _begin(self, behaviour: Behaviour[Any]) -> None:
        try:
            behaviour.begin()
        except Exception as exc:  # as above
            self.recorder.error("setup", _code(exc), f"{behaviour.group}: {exc}")

    async def _sync(self, person: Person) -> None:
        try:
            await person.sync()
            self._unsynced -= 1
        except Exception as exc:  # as above
            self.recorder.error("call", _code(exc), f"final sync: {exc}")

    async def _leave(self, person: Person) -> None:
        try:
            await person.leave()
        except Exception as exc:  # as above
            self.recorder.error("close", _code(exc), f"leaving: {exc}")


def _code(exc: BaseException) -> str:
    """Return what a mishap is counted under: its own code, or its kind."""
    if isinstance(exc, BaseExceptionGroup):
        return _code(exc.exceptions[0])
    return str(getattr(exc, "code", type(exc).__name__))


async def unless(ended: asyncio.Event, work: Awaitable[object]) -> None:
    """Wait for `work`, but no longer than until `ended` is set; then `work` is cancelled."""
    working = asyncio.ensure_future(work)
    ending = asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, ending):
            task.cancel()
        await asyncio.gather(working, ending, return_exceptions=True)
