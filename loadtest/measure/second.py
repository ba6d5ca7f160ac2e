"""One second of a run, from the samples of all workers."""

from collections.abc import Mapping

from loadtest.measure.histogram import Histogram
from loadtest.measure.names import Count, Gauge, Metric
from loadtest.measure.recorder import Sample
from loadtest.report.result import Latency, Point


class Second:
    """Joins latencies exactly while it is open; `close` gives up the histograms, which are large."""

    def __init__(self) -> None:
        self.connections: dict[int, int] = {}
        """By worker."""
        self.server_cpu: float | None = None
        self.server_rss_mb: float | None = None
        self._counts: dict[Count, int] = {}
        self._cpu_s = 0.0
        self._histograms: dict[Metric, Histogram] | None = {}
        self._latency: dict[Metric, Latency] = {}

    def add(self, worker: int, sample: Sample, histograms: Mapping[Metric, Histogram], cpu_s: float) -> None:
        """Take in a worker's sample, with its histograms, and the processor time since its last one."""
        self.connections[worker] = sample.levels.get(Gauge.CONNECTIONS, 0)
        self._cpu_s += cpu_s
        for name, count in sample.counts.items():
            self._counts[name] = self._counts.get(name, 0) + count
        for metric, histogram in histograms.items():
            self._join(metric, histogram)

    def close(self) -> None:
        """Keep only the figures."""
        self._latency = self._figures()
        self._histograms = None

    def point(self, t_s: float, connections: int) -> Point:
        """Return the figures. `connections` are those of all workers, including those that did not tell."""
        return Point(
            t_s=t_s,
            connections=connections,
            counts=dict(self._counts),
            latency=self._figures(),
            server_cpu=self.server_cpu,
            server_rss_mb=self.server_rss_mb,
            generator_cpu=self._cpu_s,
        )

    def _join(self, metric: Metric, histogram: Histogram) -> None:
        if self._histograms is not None:
            self._histograms.setdefault(metric, Histogram()).add(histogram)
            return
        known, late = self._latency.get(metric), histogram.latency()
        self._latency[metric] = late if known is None else _joined(known, late)

    def _figures(self) -> dict[Metric, Latency]:
        if self._histograms is None:
            return dict(self._latency)
        return {metric: histogram.latency() for metric, histogram in self._histograms.items()}


def _joined(one: Latency, other: Latency) -> Latency:
    """Return about what both are together; p99 is an upper bound."""
    count = one.count + other.count
    p50 = (one.p50 * one.count + other.p50 * other.count) / count
    return Latency(count=count, p50=p50, p99=max(one.p99, other.p99), max=max(one.max, other.max))
