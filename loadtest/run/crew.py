"""The worker processes, and the pipes to them."""

import asyncio
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from loadtest.run.messages import Order, Report
from loadtest.run.worker import Job, work

JOIN_S = 5.0

Heard = Callable[[int, Report], None]
Gone = Callable[[int], None]


class Crew:
    """Workers by number, from 0. `heard` and `gone` are called in the loop; `gone` once for each that has ended.

    A thread reads each pipe, so that a worker that stops in the middle of a report stops nobody else.
    """

    def __init__(self, jobs: Sequence[Job], heard: Heard, gone: Gone) -> None:
        self._jobs = jobs
        self._heard = heard
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._processes: list[BaseProcess] = []
        self._pipes: list[Connection[Order, Report]] = []
        self._threads: list[threading.Thread] = []
        self.alive: set[int] = set()

    def start(self) -> None:
        """Start all workers; returns when they have been told their jobs."""
        context = get_context("spawn")
        for number, job in enumerate(self._jobs):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(job, theirs), name=f"loadtest-{number}", daemon=True)
            process.start()
            theirs.close()  # or its end would never be seen
            self._processes.append(process)
            self._pipes.append(ours)
            self.alive.add(number)
            thread = threading.Thread(target=self._read, args=(number, ours), daemon=True)
            thread.start()
            self._threads.append(thread)

    def tell(self, order: Order) -> None:
        """Send to every worker that is alive."""
        for number in self.alive:
            with suppress(OSError):  # it has just ended; its reader tells
                self._pipes[number].send(order)

    def kill(self, number: int) -> None:
        """End a worker that does not answer."""
        self._processes[number].kill()

    async def close(self, leaving: Collection[int]) -> None:
        """Wait a little for the workers that are `leaving`, then end all that are left. Blocks nobody else."""
        await asyncio.to_thread(self._join, leaving)

    def _join(self, leaving: Collection[int]) -> None:
        for number, process in enumerate(self._processes):
            process.join(JOIN_S if number in leaving else 0)
            if process.exitcode is None:
                process.kill()
                process.join()
        for thread in self._threads:
            thread.join()
        for process, pipe in zip(self._processes, self._pipes, strict=True):
            pipe.close()
            process.close()

    def _read(self, number: int, pipe: "Connection[Order, Report]") -> None:
        with suppress(RuntimeError):  # the loop has closed
            with suppress(EOFError, OSError):
                while True:
                    self._loop.call_soon_threadsafe(self._heard, number, pipe.recv())
            self._loop.call_soon_threadsafe(self._ended, number)

    def _ended(self, number: int) -> None:
        self.alive.discard(number)
        self._gone(number)
