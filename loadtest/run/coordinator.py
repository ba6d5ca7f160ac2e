"""Leads the workers through a run, phase by phase; each has a longest time, so nothing hangs."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loadtest.measure.names import Count, Gauge
from loadtest.measure.recorder import Sample
from loadtest.measure.timeline import Timeline
from loadtest.report.result import Phase
from loadtest.run.crew import Crew
from loadtest.run.effort import Effort
from loadtest.run.messages import Begin, Broken, End, Finished, Last, Measured, Published, Report, Step
from loadtest.run.plan import connections
from loadtest.run.server import ServerWatch
from loadtest.run.worker import Job
from loadtest.scenarios.scenario import Head

START_S = 60.0
"""For a worker to come up."""
ENTER_S = 30.0
"""For the last people to get in, after the ramp."""
HOPELESS_S = 15.0
"""If nobody got in within that time, nobody will."""
PREPARE_S = 600.0
"""For making and joining rooms: where a server tells everyone of everyone who joins, thousands take minutes."""
HURRY_S = 5.0
"""For settling and syncing together, after Ctrl-C."""
GRACE_S = 10.0
"""For a worker to end a step that it is told to end."""
AHEAD_NS = 200_000_000
"""How far ahead a common start lies, so that every worker has heard of it."""
REST_S = 1.0
"""From when everyone is in until the server's memory is read."""
QUIET_SAMPLES = 2


@dataclass(slots=True)
class Found:
    """What a run has brought so far, besides the figures of the timeline."""

    phases: list[Phase] = field(default_factory=list)
    lasts: dict[int, Last] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)
    """Why a worker did not go on to the end."""
    interrupts: int = 0
    ever_connected: int = 0
    load_from_ns: int = 0
    load_until_ns: int = 0


class Coordinator:
    """One run. `interrupt` may be called from a signal handler of the loop."""

    def __init__(
        self, head: Head, jobs: Sequence[Job], timeline: Timeline, effort: Effort, server: ServerWatch, start_ns: int
    ) -> None:
        self.found = Found()
        self.phase: Step = "connect"
        self._phase_from_ns = self._phase_until_ns = start_ns
        self._head = head
        self.timeline = timeline
        self.effort = effort
        self.server = server
        self._start_ns = start_ns
        self._asked = sum(connections(job.share) for job in jobs)
        self._crew = Crew(jobs, self._heard, self._gone)
        self._busy: set[int] = set()
        self._quiet: dict[int, int] = {}
        self._moved = asyncio.Event()

    async def conduct(self) -> None:
        """Go through all phases; after that, `found` is complete."""
        try:
            self._crew.start()
            self._busy = set(self._crew.alive)
            await self._until(lambda: not self._busy or self.found.interrupts > 0, START_S)
            if not self.found.interrupts:
                await self._drop_busy("did not start")
                await self._phases()
        finally:
            await self._crew.close(set(self.found.lasts))

    def interrupt(self) -> None:
        """End the load now; called again, end everything now."""
        self.found.interrupts += 1
        self._moved.set()

    @property
    def progress(self) -> float:
        """The share of the phase's planned time that is over."""
        whole = self._phase_until_ns - self._phase_from_ns
        return min(1.0, max(0.0, (time.monotonic_ns() - self._phase_from_ns) / whole)) if whole else 0.0

    async def look(self) -> None:
        """Take what the server uses now into the timeline."""
        reading = await self.server.read()
        if reading is not None:
            self.timeline.server(reading)

    async def _phases(self) -> None:
        await self._connect()
        if self._goes_on():
            await self._step("prepare", PREPARE_S)
        if self._goes_on():
            await self._load()
        if self.found.load_from_ns:
            await self._step("settle", self._hurried(self._head.settle_s), self._is_quiet)
            await self._step("sync", self._hurried(self._head.sync_s))
        await self._leave()

    def _goes_on(self) -> bool:
        return not self.found.interrupts and bool(self.found.ever_connected or not self._asked)

    async def _connect(self) -> None:
        await self.server.before_connecting()
        give_up_ns = time.monotonic_ns() + int(HOPELESS_S * 1e9)

        def hopeless() -> bool:
            return not self.found.ever_connected and time.monotonic_ns() > give_up_ns

        ramp_s = self._head.ramp_s
        await self._step("connect", ramp_s + ENTER_S, hopeless, planned_s=ramp_s)
        if self._asked and self._goes_on():
            await asyncio.sleep(REST_S)
        await self.server.after_connecting(self.timeline.connections)

    async def _load(self) -> None:
        found, load_s = self.found, self._head.load_s
        found.load_from_ns = time.monotonic_ns() + AHEAD_NS
        found.load_until_ns = found.load_from_ns + int(load_s * 1e9)
        self.timeline.load(found.load_from_ns, found.load_until_ns)
        await self.server.load_begins()
        await self._step("load", load_s + AHEAD_NS / 1e9 + GRACE_S, from_ns=found.load_from_ns, planned_s=load_s)
        found.load_until_ns = min(found.load_until_ns, time.monotonic_ns())
        self.timeline.load(found.load_from_ns, found.load_until_ns)
        await self.server.load_ends()

    async def _step(
        self,
        step: Step,
        limit_s: float,
        over: Callable[[], bool] = lambda: False,
        *,
        planned_s: float | None = None,
        from_ns: int | None = None,
    ) -> None:
        """Have all workers do a step; it ends when all have finished, when it is `over`, or after `limit_s`."""
        from_ns = time.monotonic_ns() if from_ns is None else from_ns
        until_ns = from_ns + int((limit_s if planned_s is None else planned_s) * 1e9)
        self.phase, self._phase_from_ns, self._phase_until_ns = step, from_ns, until_ns
        self._busy = set(self._crew.alive)
        self._quiet = {}
        interrupts = self.found.interrupts
        self._crew.tell(Begin(step, from_ns, until_ns))
        await self._until(lambda: not self._busy or over() or self.found.interrupts > interrupts, limit_s)
        self._crew.tell(End(step))
        await self._until(lambda: not self._busy, GRACE_S)
        await self._drop_busy(f"did not end its step `{step}`")
        self._mark(step, from_ns)

    def _mark(self, step: Step, from_ns: int) -> None:
        if step != "leave":
            from_s, to_s = (from_ns - self._start_ns) / 1e9, (time.monotonic_ns() - self._start_ns) / 1e9
            self.found.phases.append(Phase(name=step, from_s=from_s, to_s=to_s))

    async def _leave(self) -> None:
        now = time.monotonic_ns()
        self._busy = set(self._crew.alive)
        self._crew.tell(Begin("leave", now, now))
        await self._until(lambda: not self._busy, GRACE_S)
        await self._drop_busy("did not hand in what it knew")

    def _hurried(self, limit_s: float) -> float:
        """Return how long a step of the end may take: nothing at all after the second Ctrl-C."""
        return [limit_s, min(limit_s, HURRY_S / 2), 0.0][min(2, self.found.interrupts)]

    def _is_quiet(self) -> bool:
        return all(self._quiet.get(worker, 0) >= QUIET_SAMPLES for worker in self._crew.alive)

    async def _until(self, over: Callable[[], bool], limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while not over() and (left := deadline - time.monotonic()) > 0:
            self._moved.clear()
            try:
                async with asyncio.timeout(min(left, 1.0)):
                    await self._moved.wait()
            except TimeoutError:
                continue

    async def _drop_busy(self, what: str) -> None:
        for worker in sorted(self._busy):
            self.found.broken.setdefault(worker, f"Worker {worker} {what}.")
            self._crew.kill(worker)
        await self._until(lambda: not self._busy, GRACE_S)

    def _heard(self, worker: int, report: Report) -> None:
        match report:
            case Measured(sample):
                self._take(worker, sample)
            case Published():
                self._crew.tell(report)
            case Finished():
                self._busy.discard(worker)
            case Last():
                self.found.lasts[worker] = report
                self._busy.discard(worker)
            case Broken(reason):
                self.found.broken.setdefault(worker, f"Worker {worker} has failed: {reason}")
        self._moved.set()

    def _take(self, worker: int, sample: Sample) -> None:
        self.timeline.add(worker, sample)
        self.effort.add(worker, sample)
        self.found.ever_connected += sample.counts.get(Count.CONNECTED, 0)
        waits = sample.levels.get(Gauge.WAITING, 0) > 0 or sample.counts.get(Count.DELIVERED, 0) > 0
        self._quiet[worker] = 0 if waits else self._quiet.get(worker, 0) + 1

    def _gone(self, worker: int) -> None:
        self._busy.discard(worker)
        if worker not in self.found.lasts:
            self.found.broken.setdefault(worker, f"Worker {worker} has ended before its time.")
        self._moved.set()
