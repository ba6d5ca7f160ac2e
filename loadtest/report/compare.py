"""What differs between two runs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loadtest.measure.names import Metric
from loadtest.report.figures import clean, number
from loadtest.report.quantities import OF_DELIVERIES, Quantity, quantities
from loadtest.report.result import Result
from loadtest.report.wording import NAMES

SAME = 0.05
"""Differences below this share say nothing: two runs of one server differ by as much."""

FIRST = ("connections_peak", "connections_failed", "acked.rate", "delivered.rate", "http.rate", "errors")
FAULTS = ("refused", "unknown", "stored_twice", *(name for name in OF_DELIVERIES if name not in {"live", "caught_up"}))
LATENCY_STATS = ("p50", "p99", "p99_9", "max")
USE = (
    "server.cpu",
    "server.us_per_delivery",
    "server.ms_per_connect",
    "server.rss",
    "server.kb_per_connection",
    "generator.lag",
    "generator.cpu",
)

Judgement = Literal["better", "worse", "same", "other", "unknown"]
"""`other`: it differs, which is neither good nor bad. `unknown`: one of the runs has no data."""

STYLES = {"better": "green", "worse": "bold red", "same": "dim", "other": "", "unknown": "dim"}


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of both runs. `ratio` is after / before; None if there is none."""

    name: str
    before: str
    after: str
    ratio: float | None
    judgement: Judgement

    @property
    def change(self) -> str:
        """The ratio as a percentage: `+12 %`."""
        if self.ratio is None:
            return ""
        percent = 100 * (self.ratio - 1)
        return f"× {number(self.ratio)}" if self.ratio >= 10 else f"{percent:+.0f} %"


def compare(before: Result, after: Result) -> list[Row]:
    """Return all figures of which either run has data."""
    return [row for quantity in _compared() if (row := _row(quantity, before, after)) is not None]


def notes(before: Result, after: Result) -> list[str]:
    """Return why the two may not be comparable, each a sentence."""
    found = [
        f"Different {what}: {clean(str(one))}, then {clean(str(other))}."
        for what, one, other in (
            ("scenarios", before.scenario, after.scenario),
            ("servers", before.url, after.url),
            ("transports", before.transport, after.transport),
            ("scales", before.scale, after.scale),
        )
        if one != other
    ]
    if before.settings != after.settings:
        found.append(f"Different settings: {clean(', '.join(_differing('', before.settings, after.settings)))}.")
    for which, run in (("first", before), ("second", after)):
        if run.verdict in {"invalid", "unreachable"}:
            found.append(f"The {which} run is {run.verdict}: its figures are not the server's.")
        if run.stopped_early:
            found.append(f"The {which} run was stopped early.")
    return found


def table(before: Result, after: Result) -> RenderableType:
    """Return the comparison for a terminal."""
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    grid.add_column("")
    for column in ("before", "after", "change"):
        grid.add_column(column, justify="right", no_wrap=True)
    grid.add_column("")
    for row in compare(before, after):
        style = STYLES[row.judgement]
        told = row.judgement if row.judgement in {"better", "worse"} else ""
        grid.add_row(row.name, row.before, row.after, Text(row.change, style=style), Text(told, style=style))
    return Group(Text(_title(before, after), style="bold"), grid, *(_note(note) for note in notes(before, after)))


def text(before: Result, after: Result) -> str:
    """Return the comparison as plain lines, each figure one."""
    rows = [
        f"{row.name}: {row.before} → {row.after}{f' ({row.change}, {row.judgement})' if row.change else ''}"
        for row in compare(before, after)
    ]
    return "\n".join([_title(before, after), *rows, *(f"! {note}" for note in notes(before, after))])


def _title(before: Result, after: Result) -> str:
    return " and ".join(f"{clean(run.scenario)} of {clean(run.started_at)}" for run in (before, after))


def _note(note: str) -> Text:
    return Text(f"! {note}", style="yellow")


def _compared() -> Iterator[Quantity]:
    known = quantities()
    latencies = (f"{metric.value}.{stat}" for metric in NAMES if metric is not Metric.LAG for stat in LATENCY_STATS)
    return (known[name] for name in (*FIRST, *latencies, *FAULTS, *USE))


def _row(quantity: Quantity, before: Result, after: Result) -> Row | None:
    one, other = quantity.read(before), quantity.read(after)
    if one is None and other is None:
        return None
    shown = [quantity.show(value) if value is not None else "–" for value in (one, other)]
    ratio = other / one if one and other is not None else math.inf
    told = ratio if math.isfinite(ratio) else None
    return Row(quantity.name, shown[0], shown[1], told, _judgement(quantity, one, other))


def _judgement(quantity: Quantity, one: float | None, other: float | None) -> Judgement:
    if one is None or other is None:
        return "unknown"
    if abs(other - one) <= SAME * abs(one):
        return "same"
    if quantity.better == "neither":
        return "other"
    return "better" if (other < one) == (quantity.better == "lower") else "worse"


def _differing(prefix: str, one: object, other: object) -> Sequence[str]:
    """Return the paths of settings that differ."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return [] if one == other else [prefix]
    keys = sorted({*one, *other})
    return [path for key in keys for path in _differing(f"{prefix}.{key}".strip("."), one.get(key), other.get(key))]
