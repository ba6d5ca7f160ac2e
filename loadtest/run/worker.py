"""A worker: the process that plays its share of everybody, step by step as the coordinator says."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from loadtest.client.target import Target
from loadtest.run.messages import Begin, Broken, End, Finished, Measured, Order, Published, Report, Step
from loadtest.run.plan import Share
from loadtest.run.play import Play, unless

MEASURE_NS = 1_000_000_000
SETTLE_MEASURE_NS = 250_000_000
"""While things settle the coordinator looks more often, so as not to wait longer than it takes."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told when it starts."""

    run: str
    target: Target
    share: Share
    connections: int
    """Of all workers together."""
    tokens: Mapping[int, str] | str
    """By user index; or the service key, for which the server makes them."""
    seed: int
    cpus: tuple[int, ...] | None


def work(job: Job, pipe: "Connection[Report, Order]") -> None:
    """Be a worker process. Returns when the coordinator has gone, or has said `leave`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the coordinator decides
    if job.cpus is not None:
        os.sched_setaffinity(0, job.cpus)
    with suppress(BrokenPipeError, EOFError):
        try:
            with asyncio.Runner(loop_factory=_loop) as runner:
                runner.run(_play(job, pipe))
        except Exception as exc:  # whatever it was, the coordinator tells it
            pipe.send(Broken(f"{type(exc).__name__}: {exc}"))


async def _play(job: Job, pipe: "Connection[Report, Order]") -> None:
    await Worker(job, pipe).run()


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class Worker:
    """The process's shell: the pipe, the steps' order, and a measurement each second."""

    def __init__(self, job: Job, pipe: "Connection[Report, Order]") -> None:
        self._job = job
        self._pipe = pipe
        self._orders: asyncio.Queue[tuple[Begin, asyncio.Event] | None] = asyncio.Queue()
        self._latest: tuple[Begin, asyncio.Event] | None = None
        self._step: Step | None = None
        self._loop = asyncio.get_running_loop()
        self._play = Play(job, self._tell)
        self._next: asyncio.Handle = self._loop.call_soon(lambda: None)

    async def run(self) -> None:
        """Play until the coordinator says `leave`, or has gone."""
        self._loop.set_exception_handler(self._note)
        self._loop.add_reader(self._pipe.fileno(), self._readable)
        os.set_blocking(self._pipe.fileno(), True)  # uvloop has changed that, and a long ledger needs to wait for room
        self._measure_from(time.monotonic_ns())
        try:
            self._pipe.send(Finished(None))
            await self._follow()
        finally:
            self._loop.remove_reader(self._pipe.fileno())
            self._next.cancel()
            await self._play.close()

    async def _follow(self) -> None:
        while (ordered := await self._orders.get()) is not None:
            begin, ended = ordered
            self._step = begin.step
            if begin.step == "leave":
                self._send_sample()
                self._pipe.send(self._play.last())
                return await self._play.leave(ended)
            await self._do(begin, ended)
            self._send_sample()
            self._pipe.send(Finished(begin.step))
        return None

    def _do(self, begin: Begin, ended: asyncio.Event) -> Coroutine[Any, Any, None]:
        match begin.step:
            case "connect":
                return self._play.connect(begin.from_ns, begin.until_ns, ended)
            case "prepare":
                return self._play.prepare(ended)
            case "load":
                self._measure_from(begin.from_ns)
                return self._play.load(begin.from_ns, begin.until_ns, ended)
            case "sync":
                return self._play.sync(ended)
            case _:
                self._measure_from(time.monotonic_ns())
                return unless(ended, asyncio.Event().wait())

    def _readable(self) -> None:
        try:
            while self._pipe.poll():
                self._take(self._pipe.recv())
        except (EOFError, OSError):
            self._loop.remove_reader(self._pipe.fileno())
            if self._latest is not None:
                self._latest[1].set()
            self._orders.put_nowait(None)

    def _take(self, order: Order) -> None:
        match order:
            case Begin():
                self._latest = (order, asyncio.Event())
                self._orders.put_nowait(self._latest)
            case End(step):
                if self._latest is not None and self._latest[0].step == step:
                    self._latest[1].set()
            case Published(key, value):
                self._play.board.put(key, value)

    def _tell(self, key: str, value: str) -> None:
        self._pipe.send(Published(key, value))

    def _measure_from(self, from_ns: int) -> None:
        """Measure at `from_ns`, and at every full second after it: so the load's samples hold the load and no more."""
        self._next.cancel()
        self._next = self._at(from_ns, lambda: self._measure(from_ns))

    def _measure(self, due_ns: int) -> None:
        self._send_sample()
        due_ns += SETTLE_MEASURE_NS if self._step == "settle" else MEASURE_NS
        self._next = self._at(due_ns, lambda: self._measure(due_ns))

    def _at(self, due_ns: int, call: Callable[[], None]) -> asyncio.TimerHandle:
        return self._loop.call_later(max(0.0, (due_ns - time.monotonic_ns()) / 1e9), call)

    def _send_sample(self) -> None:
        with suppress(OSError):  # the coordinator has gone: the pipe's other half tells it
            self._pipe.send(Measured(self._play.recorder.drain()))

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Count what nobody has caught, rather than print it over the live view."""
        error = context.get("exception")
        text = f"{context.get('message')}: {error}"
        self._play.recorder.error("worker", type(error).__name__, text)
