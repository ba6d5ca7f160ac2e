"""How the process is: how late its event loop runs, and how long its garbage collector holds everything up."""

import asyncio
import gc
import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, Literal

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

_BEAT_S: Final = 0.25
_BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_GENERATIONS: Final = 3


class _Times:
    """A histogram without a lock: the garbage collector may interrupt anything, a metric's own lock included."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS_S) + 1)
        self.total_s = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(_BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    def buckets(self) -> list[tuple[str, float]]:
        bounds = [*(str(bound) for bound in _BOUNDS_S), "+Inf"]
        return list(zip(bounds, map(float, accumulate(self.counts)), strict=True))


class Vitals(Collector):
    """Watches the loop that runs, and the collector, from `start` to `stop`. Costs four callbacks a second."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = _Times()
        self._pauses = [_Times() for _ in range(_GENERATIONS)]
        self._due = 0.0
        self._paused_at = 0.0
        self._beat: asyncio.TimerHandle | None = None
        registry.register(self)

    def start(self) -> None:
        """Begin to watch. Call inside the loop."""
        self._sleep(asyncio.get_running_loop())
        gc.callbacks.append(self._collecting)

    def stop(self) -> None:
        """Leave the loop and the collector alone. Idempotent."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
            gc.callbacks.remove(self._collecting)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Return both histograms."""
        lag = HistogramMetricFamily("homeroom_loop_lag_seconds", "How late timers of the event loop ran.")
        lag.add_metric([], self._lag.buckets(), self._lag.total_s)
        yield lag
        pauses = HistogramMetricFamily(
            "homeroom_gc_pause_seconds",
            "Time for which the garbage collector held everything up.",
            labels=["generation"],
        )
        for generation, times in enumerate(self._pauses):
            pauses.add_metric([str(generation)], times.buckets(), times.total_s)
        yield pauses

    def _sleep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = time.perf_counter() + _BEAT_S
        self._beat = loop.call_later(_BEAT_S, self._wake, loop)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        self._lag.add(max(0.0, time.perf_counter() - self._due))  # loops count in milliseconds, and may be early
        self._sleep(loop)

    def _collecting(self, phase: Literal["start", "stop"], info: dict[str, int]) -> None:
        if phase == "start":
            self._paused_at = time.perf_counter()
        else:
            self._pauses[info["generation"]].add(time.perf_counter() - self._paused_at)
