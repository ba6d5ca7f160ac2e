"""Every figure of a result that has a name: what thresholds are about, and what two runs are compared by."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from loadtest.measure.names import Count, Metric
from loadtest.report.figures import cores, count, memory, ms, number, per_second
from loadtest.report.result import Result, Truth
from loadtest.report.wording import load_seconds

Better = Literal["lower", "higher", "neither"]

MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0}
MB = {"KB": 0.001, "MB": 1.0}
PLAIN = {"": 1.0}
"""Units by name, each as a multiple of the one that the figure is in."""

STATS = ("p50", "p90", "p99", "p99_9", "p99_99", "max", "mean")

OF_DELIVERIES = ("live", "caught_up", "missed_live", "lost", "duplicate", "out_of_order", "foreign")
OF_MESSAGES = ("acked", "refused", "unknown", "stored_twice")
GOOD = frozenset({"sent", "acked", "expected", "live"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure. `read` returns None where a run has no data for it, which is not the same as 0."""

    name: str
    better: Better
    units: Mapping[str, float]
    read: Callable[[Result], float | None]
    show: Callable[[float], str]
    whole: Callable[[Result], float] | None = None
    """What a percentage of it is of; None: it can have none."""


def quantities() -> dict[str, Quantity]:
    """Return all of them by name."""
    found = [*_latencies(), *_truth(), *_connections(), *_counts(), *_rates(), *_server(), *_generator()]
    return {each.name: each for each in reversed(found)}  # of two with one name the first stands: truth before counts


def _latencies() -> Iterator[Quantity]:
    for metric in Metric:
        for stat in STATS:
            yield Quantity(f"{metric.value}.{stat}", "lower", MS, _stat(metric, stat), ms)
        yield Quantity(f"{metric.value}.count", "neither", PLAIN, _samples(metric), _whole_number)


def _truth() -> Iterator[Quantity]:
    for name in Truth.model_fields:
        if name != "examples":
            better: Better = "higher" if name in GOOD else "lower"
            yield Quantity(name, better, PLAIN, _of_truth(name), _whole_number, _whole_of(name))


def _connections() -> Iterator[Quantity]:
    yield Quantity("connections_peak", "higher", PLAIN, lambda r: r.connections_peak, _whole_number, _asked)
    yield Quantity("connections_failed", "lower", PLAIN, lambda r: r.connections_failed, _whole_number, _asked)


def _counts() -> Iterator[Quantity]:
    yield Quantity("errors", "lower", PLAIN, lambda result: sum(fault.count for fault in result.faults), _whole_number)
    for name in Count:
        yield Quantity(name.value, _wish(name), PLAIN, _counted(name), _whole_number)


def _rates() -> Iterator[Quantity]:
    for name in Count:
        yield Quantity(f"{name.value}.rate", _wish(name), PLAIN, _rate(name), per_second)


def _server() -> Iterator[Quantity]:
    yield Quantity("server.cpu", "lower", PLAIN, _used("cpu_cores"), cores, lambda _: 1.0)
    yield Quantity("server.rss", "lower", MB, _used("rss_mb_peak"), memory)
    yield Quantity("server.kb_per_connection", "lower", PLAIN, _used("rss_kb_per_connection"), _unit("KB"))
    yield Quantity("server.us_per_delivery", "lower", PLAIN, _used("cpu_us_per_delivery"), _unit("µs"))
    yield Quantity("server.ms_per_connect", "lower", PLAIN, _used("cpu_ms_per_connect"), _unit("ms"))


def _generator() -> Iterator[Quantity]:
    yield Quantity("generator.lag", "lower", MS, lambda result: result.generator.lag_p99_ms, ms)
    yield Quantity(
        "generator.cpu", "lower", PLAIN, lambda result: result.generator.cpu_cores_peak, cores, lambda _: 1.0
    )


def _stat(metric: Metric, stat: str) -> Callable[[Result], float | None]:
    def read(result: Result) -> float | None:
        found = result.latency.get(metric)
        return float(getattr(found, stat)) if found is not None and found.count else None

    return read


def _samples(metric: Metric) -> Callable[[Result], float]:
    return lambda result: result.latency[metric].count if metric in result.latency else 0


def _of_truth(name: str) -> Callable[[Result], float]:
    return lambda result: float(getattr(result.truth, name))


def _whole_of(name: str) -> Callable[[Result], float] | None:
    if name in OF_DELIVERIES:
        return lambda result: result.truth.expected
    return (lambda result: result.truth.sent) if name in OF_MESSAGES else None


def _used(field: str) -> Callable[[Result], float | None]:
    def read(result: Result) -> float | None:
        value = None if result.server is None else getattr(result.server, field)
        return None if value is None else float(value)

    return read


def _asked(result: Result) -> float:
    return result.connections_asked


def _counted(name: Count) -> Callable[[Result], float]:
    return lambda result: result.counts.get(name, 0)


def _rate(name: Count) -> Callable[[Result], float | None]:
    def read(result: Result) -> float | None:
        seconds = load_seconds(result)
        return result.counts.get(name, 0) / seconds if seconds > 0 else None

    return read


def _wish(name: Count) -> Better:
    if name in {Count.DISCONNECTED, Count.RESENT, Count.ERRORS}:
        return "lower"
    return "higher" if name in {Count.ACKED, Count.DELIVERED, Count.HTTP} else "neither"


def _whole_number(value: float) -> str:
    return count(round(value))


def _unit(unit: str) -> Callable[[float], str]:
    return lambda value: f"{number(value)} {unit}"
