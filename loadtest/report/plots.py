"""Which charts a result is worth: none of a thing that has no data."""

import re
from collections.abc import Callable, Sequence

from loadtest.measure.names import Count, Metric
from loadtest.report import axis
from loadtest.report.charts import Band, Chart, Keep, Limit, Line
from loadtest.report.figures import clock, cores, count, memory, ms, number, per_second
from loadtest.report.result import Check, Percentiles, Point, Result
from loadtest.report.wording import ABOUT, NAMES, latencies

LONGEST_GAP_S = 5.0
CURVE_STEPS = 200
UNDER = {Count.SENT, Count.ERRORS}
"""What another line most often hides: these are drawn broad below it."""
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0}
LIMIT = re.compile(r"\s*(\w+)\.(p50|p90|p99|max)\s*>=?\s*([0-9]+(?:\.[0-9]+)?)\s*(us|ms|s|min)\s*")
"""A threshold on a latency that can be drawn as a line: its metric, statistic, value and unit."""


def latency_charts(result: Result) -> list[Chart]:
    """Return each latency over time, and all of them by percentile."""
    found = latencies(result)
    return [*_curves(found), *(_latency(result, metric) for metric in found if _has(result.points, metric))]


def traffic_charts(result: Result) -> list[Chart]:
    """Return what went to and fro each second."""
    flow = {Count.SENT: "sent", Count.ACKED: "acked", Count.DELIVERED: "delivered"}
    small = {Count.TYPING: "typing", Count.RECEIPTS: "receipts", Count.PRESENCE: "presence"}
    return [
        *_rates(result, "messages", "Messages", "Per second. One message is delivered to each other person.", flow),
        *_rates(result, "requests", "HTTP requests", "Answers of any status, per second.", {Count.HTTP: "answers"}),
        *_rates(result, "ephemeral", "Other events", "What arrived at people, per second.", small),
    ]


def connection_charts(result: Result) -> list[Chart]:
    """Return who was connected, and what went wrong each second."""
    asked = [Limit("asked", float(result.connections_asked))]
    people = Line("connected", [point.connections for point in result.points], "s1", "lowest")
    trouble = {Count.ERRORS: "errors", Count.DISCONNECTED: "connections lost"}
    about = "Open connections, past ready."
    charts = (
        [_over_time(result, "connections", "Connections", about, [people], count_of, asked)]
        if result.points and result.connections_asked
        else []
    )
    return charts + _rates(result, "errors", "Errors", "Per second, of any kind.", trouble, keep="highest")


def server_charts(result: Result) -> list[Chart]:
    """Return what the server used each second."""
    cpu = Line("server", [point.server_cpu for point in result.points], "s1")
    rss = Line("server", [point.server_rss_mb for point in result.points], "s3")
    charts = []
    if any(value is not None for value in cpu.values):
        charts.append(_over_time(result, "server-cpu", "CPU of the server", "Cores in use.", [cpu], cores))
    if any(value is not None for value in rss.values):
        charts.append(_over_time(result, "server-memory", "Memory of the server", "Resident.", [rss], memory))
    return charts


def generator_charts(result: Result) -> list[Chart]:
    """Return how late the generator was, and how busy."""
    charts = [_latency(result, Metric.LAG)] if _has(result.points, Metric.LAG) else []
    if any(point.generator_cpu for point in result.points):
        cpu = Line("all workers", [point.generator_cpu for point in result.points], "s1")
        charts.append(_over_time(result, "generator-cpu", "CPU of the generator", "Cores in use.", [cpu], cores))
    return charts


def limits(metric: Metric, checks: Sequence[Check]) -> list[Limit]:
    """Return the thresholds on one latency that can be drawn as lines, in ms."""
    found = [match for check in checks if (match := LIMIT.fullmatch(check.text)) and match[1] == metric.value]
    return [Limit(f"limit of {m[2]}: {m[3]} {m[4]}", float(m[3]) * UNITS_MS[m[4]]) for m in found]


def count_of(value: float) -> str:
    """Return a value as a whole number of things."""
    return count(round(value))


def _has(points: Sequence[Point], metric: Metric) -> bool:
    return any(metric in point.latency and point.latency[metric].count for point in points)


def _latency(result: Result, metric: Metric) -> Chart:
    seconds = [point.latency.get(metric) for point in result.points]
    known = [None if second is None or not second.count else second for second in seconds]
    lines = [
        Line("p50", [None if second is None else second.p50 for second in known], "s1"),
        Line("p99", [None if second is None else second.p99 for second in known], "s2"),
        Line("max", [None if second is None else second.max for second in known], "max"),
    ]
    fair = result.generator.fair_lag_ms
    drawn = (
        [Limit(f"fair up to {number(fair)} ms p99", fair)] if metric is Metric.LAG else limits(metric, result.checks)
    )
    return _over_time(
        result, f"latency-{metric.value}", NAMES[metric], ABOUT[metric], lines, ms, drawn, may_be_log=True
    )


def _rates(
    result: Result, key: str, title: str, about: str, names: dict[Count, str], keep: Keep = "mean"
) -> list[Chart]:
    found = [name for name in names if any(point.counts.get(name) for point in result.points)]
    lines = [
        Line(names[name], [point.counts.get(name, 0) for point in result.points], look, keep)
        for name, look in zip(found, _looks(found), strict=True)
    ]
    tops = [max(value or 0.0 for value in line.values) for line in lines]
    apart = bool(tops) and max(tops) > axis.WIDE * min(tops)
    return [_over_time(result, key, title, about, lines, per_second, may_be_log=apart)] if lines else []


def _looks(found: Sequence[Count]) -> list[str]:
    places = enumerate(found, start=1)
    return [f"s{place}{' under' if name in UNDER and len(found) > 1 else ''}" for place, name in places]


def _over_time(
    result: Result,
    key: str,
    title: str,
    about: str,
    lines: Sequence[Line],
    write: Callable[[float], str],
    drawn: Sequence[Limit] = (),
    *,
    may_be_log: bool = False,
) -> Chart:
    xs = [point.t_s for point in result.points]
    known = [value for line in lines for value in line.values if value is not None]
    levels = [*known, *(limit.value for limit in drawn)]
    return Chart(
        key=key,
        title=title,
        about=about,
        xs=xs,
        x=axis.seconds(max([result.duration_s, *xs])),
        y=axis.values(levels, _mark(write), may_be_log=may_be_log),
        lines=lines,
        write_x=clock,
        write_y=write,
        longest_gap=max(LONGEST_GAP_S, len(xs) / 100),
        limits=drawn,
        bands=[Band(phase.name, phase.from_s, phase.to_s) for phase in result.phases],
    )


def _mark(write: Callable[[float], str]) -> Callable[[float], str]:
    """Return how a round value is written beside an axis: `0.5 ms`, not `0.50 ms`."""
    if write is ms:
        return lambda value: f"{number(value / 1000)} s" if value >= 1000 else f"{number(value)} ms"
    return number if write is cores else write


def _curves(found: dict[Metric, Percentiles]) -> list[Chart]:
    if not found:
        return []
    x = axis.nines(max(one.count for one in found.values()))
    xs = [x.high * step / CURVE_STEPS for step in range(CURVE_STEPS + 1)]
    lines = [
        Line(NAMES[metric], [_at(one, nines) for nines in xs], f"s{place}")
        for place, (metric, one) in enumerate(found.items(), start=1)
    ]
    known = [value for line in lines for value in line.values if value is not None]
    about = "How long the slowest took: 99 % is what one in a hundred exceeded."
    return [
        Chart(
            key="percentiles",
            title="Latency by percentile",
            about=about,
            xs=xs,
            x=x,
            y=axis.values(known, _mark(ms), may_be_log=True),
            lines=lines,
            write_x=_percentile,
            write_y=ms,
            longest_gap=x.high,
            over_time=False,
            wide=True,
        )
    ]


def _at(found: Percentiles, nines: float) -> float | None:
    """Return the latency at a percentile, or None beyond what so few samples tell."""
    if 10**nines > max(found.count, 10) * 1.001:
        return None
    wanted = 100 * (1 - 10**-nines)
    return next((value for percentile, value in found.curve if percentile >= wanted), found.max)


def _percentile(nines: float) -> str:
    return f"{100 * (1 - 10**-nines):.{max(0, int(nines))}f} %"
