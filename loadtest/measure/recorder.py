"""What one worker measures, second by second."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psutil

from loadtest.measure.histogram import Histogram
from loadtest.measure.names import Count, Gauge, Metric

LONGEST_EXAMPLE = 300
LONGEST_CODE = 80
MOST_CODES = 100
"""Errors kept apart between two samples: a server that makes up codes fills no memory."""
OTHERS = "others"
"""The code of all further ones."""

FaultKind = Literal["connect", "close", "ack", "call", "http", "protocol", "setup", "worker"]


@dataclass(frozen=True, slots=True)
class Mishap:
    """How often a kind of error came, and what the first one said."""

    kind: FaultKind
    code: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What happened in a worker since its last sample."""

    t_ns: int
    """time.monotonic_ns, when the sample was taken."""
    counts: dict[Count, int]
    levels: dict[Gauge, int]
    """As they are now."""
    histograms: dict[Metric, bytes]
    """Those in which anything was recorded."""
    errors: tuple[Mishap, ...]
    cpu_s: float
    """Of the process, so far."""
    rss_bytes: int


class Recorder:
    """Takes in what happens, cheaply, and hands it over once a second."""

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._process = psutil.Process()
        self._counts: defaultdict[Count, int] = defaultdict(int)
        self._levels: dict[Gauge, int] = {}
        self._histograms = {metric: Histogram() for metric in Metric}
        self._deliveries = self._histograms[Metric.DELIVERY]
        self._errors: dict[tuple[FaultKind, str], tuple[int, str]] = {}

    def latency(self, metric: Metric, ns: int) -> None:
        """Take in one latency."""
        self._histograms[metric].record(ns)

    def count(self, name: Count, n: int = 1) -> None:
        """Take in that something happened."""
        self._counts[name] += n

    def delivered(self, ns: int) -> None:
        """Take in a delivery and its latency: what happens so often that it is one call."""
        self._counts[Count.DELIVERED] += 1
        self._deliveries.record(ns)

    def level(self, name: Gauge, by: int) -> None:
        """Take in that a level rose, or fell."""
        self._levels[name] = self._levels.get(name, 0) + by

    def error(self, kind: FaultKind, code: str, example: str = "") -> None:
        """Take in an error. It counts among `Count.ERRORS` too."""
        self.count(Count.ERRORS)
        key: tuple[FaultKind, str] = (kind, code[:LONGEST_CODE])
        if key not in self._errors and len(self._errors) >= MOST_CODES:
            key = (kind, OTHERS)
        count, first = self._errors.get(key, (0, example[:LONGEST_EXAMPLE]))
        self._errors[key] = (count + 1, first)

    def drain(self) -> Sample:
        """Return all since the last time, and begin anew."""
        counts, self._counts = dict(self._counts), defaultdict(int)
        errors, self._errors = self._errors, {}
        return Sample(
            t_ns=self._clock(),
            counts=counts,
            levels=dict(self._levels),
            histograms={metric: self._emptied(metric) for metric, found in self._histograms.items() if found.count},
            errors=tuple(Mishap(kind, code, count, example) for (kind, code), (count, example) in errors.items()),
            cpu_s=time.process_time(),
            rss_bytes=self._process.memory_info().rss,
        )

    def _emptied(self, metric: Metric) -> bytes:
        histogram = self._histograms[metric]
        encoded = histogram.encode()
        histogram.reset()
        return encoded
