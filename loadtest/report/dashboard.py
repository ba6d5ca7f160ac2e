"""The picture of a running test in a terminal, from 80×24 on."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loadtest.measure.names import Count, Metric
from loadtest.report.figures import clean, clock, cores, count, memory, ms, number, per_second
from loadtest.report.recent import LATENCY_S, Recent
from loadtest.report.result import FAIR_LAG_MS, Fault
from loadtest.report.wording import NAMES, by_count

BLOCKS = "▁▂▃▄▅▆▇"
"""Not the full block: rows below each other would run together."""
WIDE = 104
ROOMY = 28
LATENCY_WIDTH = 46
FIGURES_WIDTH = 32
"""What is left of a sparkline."""
RATES = {Count.SENT: "Sent", Count.ACKED: "Acked", Count.DELIVERED: "Delivered", Count.HTTP: "HTTP"}
"""A lag from which a run is not valid."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run before it starts."""

    scenario: str
    url: str
    transport: str
    scale: float
    workers: int
    people: int
    phases: Sequence[tuple[str, float]]
    """Each phase by name with its planned seconds, in order."""


def dashboard(
    info: RunInfo, recent: Recent, phase: str, progress: float, faults: Sequence[Fault], width: int, height: int
) -> RenderableType:
    """Return a picture that fits into `width` × `height`."""
    wide = width >= WIDE
    column = width - LATENCY_WIDTH if wide else width
    rates, latency = _rates(info, recent, faults, column), _latency(recent)
    middle: list[RenderableType] = [_beside(rates, latency)] if wide else [rates, "", latency]
    air = [""] if height >= ROOMY else []
    head: list[RenderableType] = [_title(info, width), *air, *_progress(info, recent, phase, progress, width), ""]
    rows = max(rates.row_count, latency.row_count + 1) if wide else rates.row_count + latency.row_count + 2
    room = height - len(head) - rows - 5
    return Group(*head, *middle, "", *_machines(recent), "", *_errors(faults, room, width))


def _title(info: RunInfo, width: int) -> Table:
    right = f"{count(info.people)} people · {info.workers} worker{'s' if info.workers != 1 else ''}"
    left = Text.assemble((clean(info.scenario), "bold"), (f" ×{number(info.scale)}", ""))
    left.append(f"  {clean(info.url)} · {info.transport}", style="dim")
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(justify="right", no_wrap=True)
    table.add_row(left, Text(right, style="dim"))
    table.width = width
    return table


def _progress(info: RunInfo, recent: Recent, phase: str, progress: float, width: int) -> list[RenderableType]:
    names = [name for name, _ in info.phases]
    at = names.index(phase) if phase in names else 0
    left_s = _remaining(info, at, progress)
    when = f" {clock(recent.last.t_s)} · about {clock(left_s)} left"
    widths = _widths([max(seconds, 0.0) for _, seconds in info.phases], names, width - len(when))
    bar, line = Text(), Text(style="dim")
    for index, (name, cells) in enumerate(zip(names, widths, strict=True)):
        done = cells if index < at else round(cells * min(max(progress, 0.0), 1.0)) if index == at else 0
        bar.append("━" * done, style="cyan").append("━" * (cells - done), style="bright_black").append(" ")
        line.append(f"{name:<{cells + 1}}", style="bold cyan not dim" if index == at else "")
    return [bar.append(when[1:]), line]


def _remaining(info: RunInfo, at: int, progress: float) -> float:
    planned = [seconds for _, seconds in info.phases]
    return sum(planned[at + 1 :]) + (planned[at] * (1 - min(max(progress, 0.0), 1.0)) if planned else 0.0)


def _widths(seconds: Sequence[float], names: Sequence[str], width: int) -> list[int]:
    """Share `width` out over the phases by their length; each has at least the room of its name."""
    least = [len(name) + 1 for name in names]
    spare = max(width - sum(least) - len(names), 0)
    whole = sum(seconds) or 1.0
    return [room + int(spare * share / whole) for room, share in zip(least, seconds, strict=True)]


def _beside(left: RenderableType, right: RenderableType) -> Table:
    table = Table.grid(expand=True, padding=(0, 2))
    table.add_column(ratio=1)
    table.add_column(width=LATENCY_WIDTH)
    table.add_row(left, right)
    return table


def _rates(info: RunInfo, recent: Recent, faults: Sequence[Fault], width: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=11)
    table.add_column(justify="right", no_wrap=True, min_width=10)
    table.add_column(no_wrap=True)
    cells = max(min(width - FIGURES_WIDTH, 60), 8)
    open_now = Text.assemble((count(recent.last.connections), "bold"), (f" of {count(info.people)}", "dim"))
    table.add_row("Connections", open_now, Text(sparkline(recent.connections(), cells), style="cyan"))
    table.add_row("", "", _connection_troubles(recent, faults))
    for name, label in RATES.items():
        if recent.seen(name):
            trend = Text(sparkline(recent.history(name), cells), style="cyan")
            table.add_row(label, Text(per_second(recent.rate(name)), style="bold"), trend)
    return table


def _connection_troubles(recent: Recent, faults: Sequence[Fault]) -> Text:
    failed = sum(fault.count for fault in faults if fault.kind == "connect")
    dropped = recent.total(Count.DISCONNECTED)
    text = Text()
    text.append(f"{count(failed)} failed tries", style="bold red" if failed else "dim").append(", ", style="dim")
    return text.append(f"{count(dropped)} dropped", style="bold red" if dropped else "dim")


def _latency(recent: Recent) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(f"Last {LATENCY_S} s", min_width=11)
    for column in ("p50", "p99", "max"):
        table.add_column(column, justify="right", min_width=9, no_wrap=True)
    for metric, name in NAMES.items():
        found = recent.latency(metric)
        if found is None or metric is Metric.LAG or not (found.count or found.max):
            continue
        style = "" if found.count else "dim"
        values = (found.p50, found.p99, found.max)
        table.add_row(Text(name, style=style), *(Text(ms(value), style=style) for value in values))
    return table


def _machines(recent: Recent) -> list[RenderableType]:
    point, table = recent.last, Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=11)
    table.add_column(justify="right", min_width=10)
    table.add_column()
    if point.server_cpu is not None and point.server_rss_mb is not None:
        trend = Text(sparkline(recent.server_cpu(), 20), style="cyan")
        table.add_row("Server", cores(point.server_cpu), Text(memory(point.server_rss_mb)).append("  ").append(trend))
    else:
        table.add_row("Server", Text("no figures", style="dim"), "")
    lag = recent.latency(Metric.LAG)
    late = Text(f"lag p99 {ms(lag.p99)}" if lag and lag.count else "", style="")
    if lag and lag.p99 > FAIR_LAG_MS:
        late.stylize("bold yellow")
        late.append(" · the generator is too slow")
    table.add_row("Generator", cores(point.generator_cpu), late)
    return [table]


def _errors(faults: Sequence[Fault], room: int, width: int) -> list[RenderableType]:
    if not faults:
        return [Text("No errors", style="dim")]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=width - 24)
    shown = max(room - 1, 1)
    for fault in by_count(faults)[:shown]:
        what = Text(clean(fault.code, 40)).append(f"  {clean(fault.example, 120)}", style="dim")
        table.add_row(Text(count(fault.count), style="bold red"), Text(fault.kind), what)
    more = f" ({len(faults) - shown} more kinds)" if len(faults) > shown else ""
    return [Text(f"Errors{more}", style="dim"), table]


def sparkline(values: Sequence[float], cells: int) -> str:
    """Return a small bar for each of the last `cells` values, against the highest of them."""
    last = list(values)[-cells:]
    top = max(last, default=0)
    if top <= 0:
        return BLOCKS[0] * len(last)
    return "".join(BLOCKS[min(int(max(value, 0) / top * len(BLOCKS)), len(BLOCKS) - 1)] for value in last)
