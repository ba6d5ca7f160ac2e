"""The last minute of a run, for those who watch it."""

from collections import deque

from loadtest.measure.names import Count, Metric
from loadtest.report.result import Latency, Point
from loadtest.report.wording import recent

MINUTE_S = 60
RATE_S = 5
LATENCY_S = 10
NOTHING = Point(t_s=0, connections=0, counts={}, latency={})


class Recent:
    """Remembers the last minute of points, and what was ever seen."""

    def __init__(self) -> None:
        self.last = NOTHING
        self._points: deque[Point] = deque(maxlen=MINUTE_S)
        self._totals: dict[Count, int] = {}
        """Of all seconds but the last."""
        self._known: dict[Metric, Latency] = {}

    def add(self, point: Point) -> None:
        """Take in a second; one that was there already is replaced."""
        if self._points and self._points[-1].t_s == point.t_s:
            self._points.pop()
        else:
            self._keep_totals()
        self._points.append(point)
        self.last = point
        self._known |= {metric: self._latest(metric) for metric, found in point.latency.items() if found.count}

    def total(self, name: Count) -> int:
        """Return how many there were, in all."""
        return self._totals.get(name, 0) + self.last.counts.get(name, 0)

    def seen(self, name: Count) -> bool:
        """Whether there was ever one."""
        return self.total(name) > 0

    def rate(self, name: Count) -> float:
        """Return how many per second, over the last seconds."""
        window = list(self._points)[-RATE_S:]
        return sum(point.counts.get(name, 0) for point in window) / len(window) if window else 0.0

    def history(self, name: Count) -> list[float]:
        """Return how many there were in each second of the last minute."""
        return [point.counts.get(name, 0) for point in self._points]

    def connections(self) -> list[float]:
        """Return the connections in each second of the last minute."""
        return [point.connections for point in self._points]

    def server_cpu(self) -> list[float]:
        """Return the server's cores in each second of the last minute that knows them."""
        return [point.server_cpu for point in self._points if point.server_cpu is not None]

    def latency(self, metric: Metric) -> Latency | None:
        """Return the latency of the last seconds; with those of before, and `count` 0, if there was none in them."""
        known = self._known.get(metric)
        fresh = self._latest(metric)
        return fresh if fresh.count or known is None else known.model_copy(update={"count": 0})

    def _latest(self, metric: Metric) -> Latency:
        window = [point.latency[metric] for point in list(self._points)[-LATENCY_S:] if metric in point.latency]
        return recent(window)

    def _keep_totals(self) -> None:
        for name, how_many in self.last.counts.items():
            self._totals[name] = self._totals.get(name, 0) + how_many
