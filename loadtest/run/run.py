"""A whole run, from options to result."""

import asyncio
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime

from loadtest.client.addresses import NotEnoughFiles, need_files
from loadtest.client.target import Target
from loadtest.measure.server import ServerProbe
from loadtest.measure.timeline import Timeline
from loadtest.report.dashboard import RunInfo
from loadtest.report.result import Result
from loadtest.report.thresholds import BadThreshold, Threshold, parse
from loadtest.run.coordinator import Coordinator
from loadtest.run.effort import Effort
from loadtest.run.options import Mint, Options, View, Watch
from loadtest.run.outcome import Run, outcome
from loadtest.run.plan import Share, default_workers, plan
from loadtest.run.server import ServerWatch
from loadtest.run.worker import Job

__all__ = ["Mint", "NotReady", "Options", "Watch", "run"]

SPARE_FILES = 100
"""Beside a worker's connections: HTTP, the pipe, the interpreter's own."""
SPARE_S = 3600.0
"""By how much tokens outlive the planned run."""
KNOCK_S = 5.0
TICK_S = 1.0


class NotReady(Exception):
    """The run cannot begin; the message is a sentence for a person."""


def run(options: Options, mint: Mint | None = None, watch: Watch | None = None) -> Result:
    """Run a scenario to its end and return what was found; a thread without a running event loop calls this.

    Called in the main thread, the first SIGINT ends the load and the second one everything; both still give a
    result. Raises NotReady when the run cannot begin; a server that does not answer is a result.
    """
    thresholds = _thresholds(options)
    with _pinned(options.cpus):
        return asyncio.run(_run(options, thresholds, mint, watch))


async def _run(options: Options, thresholds: Sequence[Threshold], mint: Mint | None, watch: Watch | None) -> Result:
    scenario = options.scenario
    workers = options.workers or default_workers(scenario.people, os.cpu_count() or 1)
    try:
        need_files(-(-scenario.connections // workers) + SPARE_FILES)  # for each worker, which inherits the limit
    except NotEnoughFiles as exc:
        raise NotReady(str(exc)) from exc
    jobs = _jobs(options, plan(scenario, workers), mint)
    started_at, start_ns = datetime.now(UTC), time.monotonic_ns()
    server = ServerWatch(ServerProbe(options.target, options.server_pid))
    lead = Coordinator(scenario.head, jobs, Timeline(start_ns), Effort(workers), server, start_ns)
    unreachable = await _knock(options.target)
    if unreachable is None:
        await _led(lead, watch and watch(_info(options, workers)))
    duration_s = (time.monotonic_ns() - start_ns) / 1e9
    return outcome(Run(options, thresholds, lead, started_at, duration_s, unreachable))


async def _led(lead: Coordinator, view: View | None) -> None:
    with _interruptible(lead), view or nullcontext():
        ticking = asyncio.create_task(_tick(lead, view))
        try:
            await lead.conduct()
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)


async def _tick(lead: Coordinator, view: View | None) -> None:
    """Once a second look at the server, and show where the run is."""
    while True:
        await asyncio.sleep(TICK_S)
        await lead.look()
        if view is not None:
            view.update(lead.phase, lead.timeline.latest(), lead.progress, lead.timeline.faults())


@contextmanager
def _interruptible(lead: Coordinator) -> Iterator[None]:
    """Have Ctrl-C end the load; only the main thread may say what a signal does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lead.interrupt)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@contextmanager
def _pinned(cpus: Sequence[int] | None) -> Iterator[None]:
    if cpus is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _knock(target: Target) -> str | None:
    """Return why nobody answers at the server's address; None if someone does."""
    try:
        async with asyncio.timeout(KNOCK_S):
            _, writer = await asyncio.open_connection(target.host, target.port)
            writer.close()
            await writer.wait_closed()
    except TimeoutError:
        return f"{target.url} did not answer within {KNOCK_S:g} s."
    except OSError as exc:  # of a name that cannot be resolved the number is negative, and none of the system's
        why = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
        return f"{target.url} cannot be reached: {why or exc}."
    return None


def _jobs(options: Options, shares: Sequence[Share], mint: Mint | None) -> list[Job]:
    scenario = options.scenario
    head, run = scenario.head, secrets.token_hex(4)
    ttl_s = head.ramp_s + head.load_s + head.settle_s + head.sync_s + SPARE_S
    return [
        Job(
            run=run,
            target=options.target,
            share=share,
            connections=scenario.connections,
            tokens=options.service_key or _tokens(share, mint, ttl_s),
            seed=head.seed,
            cpus=None if options.cpus is None else tuple(options.cpus),
        )
        for share in shares
    ]


def _tokens(share: Share, mint: Mint | None, ttl_s: float) -> Mapping[int, str]:
    if mint is None:
        raise NotReady("no tokens can be made: there is neither a service key nor a signing key")
    return {user.index: mint(user, ttl_s) for group in share for user in group.people}


def _thresholds(options: Options) -> list[Threshold]:
    """Return the scenario's and the run's own; one on the same figure takes the place of the scenario's."""
    try:
        ours = [parse(text) for text in options.fail_if]
        theirs = [parse(text) for text in options.scenario.head.fail_if]
    except BadThreshold as exc:
        raise NotReady(str(exc)) from exc
    replaced = {threshold.name for threshold in ours}
    return [*(threshold for threshold in theirs if threshold.name not in replaced), *ours]


def _info(options: Options, workers: int) -> RunInfo:
    scenario, head = options.scenario, options.scenario.head
    return RunInfo(
        scenario=scenario.name,
        url=options.target.url,
        transport=options.target.transport,
        scale=scenario.scale,
        workers=workers,
        people=scenario.people,
        phases=(("connect", head.ramp_s), ("prepare", 2.0), ("load", head.load_s), ("settle", 1.0), ("sync", 2.0)),
    )
