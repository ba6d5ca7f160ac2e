"""What all workers measured, joined: a point for each second, and the figures of the load phase."""

from collections.abc import Iterable

from loadtest.measure.histogram import Histogram
from loadtest.measure.names import Count, Gauge, Metric
from loadtest.measure.recorder import OTHERS, FaultKind, Mishap, Sample
from loadtest.measure.second import Second
from loadtest.measure.server import Reading
from loadtest.report.result import Fault, Percentiles, Point

SECOND_NS = 1_000_000_000
WHOLE_RUN = frozenset({Metric.CONNECT, Metric.CATCHUP})
"""Latencies that are told of the whole run, not only of its load."""
OPEN_S = 5
"""For how long a second can take in samples exactly; what comes even later is worked in as well as it can be."""
SILENT_S = 5
"""After how long without a sample a worker counts as gone, with its connections."""
MOST_FAULTS = 500
"""Kinds of faults kept apart."""


class _Worker:
    """Where a worker's samples belong. They come about once a second, so a late one is still of its own second."""

    def __init__(self, second: int, sample: Sample) -> None:
        self.first_second = second
        self.first_ns = sample.t_ns
        self.last_second = second
        self.last = sample

    def second(self, t_ns: int) -> int:
        return self.first_second + round((t_ns - self.first_ns) / SECOND_NS)


class Timeline:
    """A run, from `start_ns` (time.monotonic_ns) on."""

    def __init__(self, start_ns: int) -> None:
        self.connections = 0
        """Open now."""
        self.connections_peak = 0
        self._start_ns = start_ns
        self._load_from_ns: int | None = None
        self._load_until_ns = 0
        self._workers: dict[int, _Worker] = {}
        self._seconds: list[Second] = []
        self._closed = 0
        """Seconds before this one are no longer open."""
        self._latency = {metric: Histogram() for metric in Metric}
        self._counts: dict[Count, int] = {}
        self._faults: dict[tuple[FaultKind, str], Fault] = {}
        self._server: Reading | None = None

    def load(self, from_ns: int, until_ns: int) -> None:
        """Say when the load is, before it begins; once more, when it ends before its time."""
        self._load_from_ns, self._load_until_ns = from_ns, until_ns

    def add(self, worker: int, sample: Sample) -> None:
        """Take in a worker's sample. Samples of one worker come in order."""
        known = self._workers.get(worker)
        if known is None:
            known = self._workers[worker] = _Worker(self._second_of(sample.t_ns), sample)
        number = known.last_second = max(known.last_second, known.second(sample.t_ns))
        histograms = {metric: Histogram.decode(encoded) for metric, encoded in sample.histograms.items()}
        self._at(number).add(worker, sample, histograms, sample.cpu_s - known.last.cpu_s)
        self._sum_up(sample, histograms, (known.last.t_ns + sample.t_ns) // 2)
        known.last = sample
        for mishap in sample.errors:
            self._note(mishap, sample.t_ns)
        self._count_connections(number)

    def server(self, reading: Reading) -> None:
        """Take in what the server has used so far."""
        second, before = self._at(self._second_of(reading.t_ns)), self._server
        second.server_rss_mb = reading.rss_bytes / 1e6
        if before is not None and reading.t_ns > before.t_ns:
            used_s = max(0.0, reading.cpu_s - before.cpu_s)
            second.server_cpu = used_s * SECOND_NS / (reading.t_ns - before.t_ns)
        self._server = reading

    def points(self) -> list[Point]:
        """Return every second so far."""
        levels: dict[int, tuple[int, int]] = {}
        found = []
        for number, second in enumerate(self._seconds):
            levels |= {worker: (number, level) for worker, level in second.connections.items()}
            connections = sum(level for seen, level in levels.values() if number - seen < SILENT_S)
            found.append(second.point(number, connections))
        return found

    def latest(self) -> Point:
        """Return the last second of which all workers have told; of the time before that, an empty one."""
        if not self._workers:
            return Point(t_s=0, connections=0, counts={}, latency={})
        newest = max(worker.last_second for worker in self._workers.values())
        number = min(each.last_second for each in self._workers.values() if newest - each.last_second < SILENT_S)
        return self._seconds[number].point(number, self.connections)

    def percentiles(self) -> dict[Metric, Percentiles]:
        """Return the latencies with data: of what was due in the load phase, however late it came."""
        return {metric: found.percentiles() for metric, found in self._latency.items() if found.count}

    def counts(self) -> dict[Count, int]:
        """Return what happened in the load phase, to within half a second at its ends."""
        return dict(self._counts)

    def faults(self) -> list[Fault]:
        """Return the errors of the whole run."""
        return list(self._faults.values())

    def _second_of(self, t_ns: int) -> int:
        return max(0, (t_ns - self._start_ns) // SECOND_NS)

    def _at(self, number: int) -> Second:
        while len(self._seconds) <= number:
            self._seconds.append(Second())
        while self._closed < len(self._seconds) - OPEN_S:
            self._seconds[self._closed].close()
            self._closed += 1
        return self._seconds[number]

    def _sum_up(self, sample: Sample, histograms: dict[Metric, Histogram], middle_ns: int) -> None:
        begun = self._load_from_ns is not None and middle_ns > self._load_from_ns
        for metric, histogram in histograms.items():
            if begun or metric in WHOLE_RUN:
                self._latency[metric].add(histogram)
        if self._load_from_ns is not None and self._load_from_ns < middle_ns <= self._load_until_ns:
            for name, count in sample.counts.items():
                self._counts[name] = self._counts.get(name, 0) + count

    def _note(self, mishap: Mishap, t_ns: int) -> None:
        key = (mishap.kind, mishap.code)
        if key not in self._faults and len(self._faults) >= MOST_FAULTS:
            key = (mishap.kind, OTHERS)
        known = self._faults.get(key)
        self._faults[key] = Fault(
            kind=mishap.kind,
            code=key[1],
            count=mishap.count + (known.count if known else 0),
            first_s=known.first_s if known else max(0.0, (t_ns - self._start_ns) / SECOND_NS),
            example=known.example if known else mishap.example,
        )

    def _count_connections(self, number: int) -> None:
        self.connections = _level(each.last for each in self._workers.values() if number - each.last_second < SILENT_S)
        self.connections_peak = max(self.connections_peak, self.connections)


def _level(samples: Iterable[Sample]) -> int:
    return sum(sample.levels.get(Gauge.CONNECTIONS, 0) for sample in samples)
